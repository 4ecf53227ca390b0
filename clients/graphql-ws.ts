// Subscriptions over a WebSocket, with the reference client of `graphql-transport-ws`: how to come
// back after a cut and miss nothing, and how a socket ends when its session does.

import assert from "node:assert/strict";
import { once } from "node:events";
import { print } from "graphql";
import { CloseCode, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { ItemUpdated, TransactionsChanged } from "./operations.ts";
import { book, link } from "./support/bank.ts";
import { follow } from "./support/follow.ts";
import { register } from "./support/person.ts";
import { SOCKET } from "./support/place.ts";

const ana = await register("ana");
const bank = await link(ana, 50);

// A subscription without `after` begins with how things stand, and tells where that was.
let start = "";
for await (const { itemUpdated } of follow(ana, ItemUpdated, {})) {
  assert.equal(itemUpdated.item.id, bank.itemId);
  assert.equal(itemUpdated.item.linkStatus, "SUCCESS");
  start = itemUpdated.cursor;
  break;
}
console.log("the snapshot came first");

// The client sends `variables` anew with every connection: keep the last cursor in them.
const variables: { after: string } = { after: start };
let wire: WebSocket | undefined;
let comeBack = () => {};
const booked = new Promise<void>((resolve) => (comeBack = resolve));
const client = createClient({
  url: SOCKET,
  webSocketImpl: WebSocket,
  connectionParams: () => ({ Authorization: ana.authorization }),
  // Yours would wait a little longer after each failure; this one waits until the bank has booked.
  retryWait: () => booked,
  on: { connected: (socket) => (wire = socket as WebSocket) },
});
const events = client.iterate({ query: print(TransactionsChanged), variables });
const received: string[] = [];
const next = async () => {
  const { value } = await events.next();
  const event = value?.data?.["transactionsChanged"] as { cursor: string; added: number };
  assert.ok(event, JSON.stringify(value));
  variables.after = event.cursor;
  received.push(`${event.cursor} ${event.added}`);
};

// Somebody who is never cut off, to compare with.
const told: string[] = [];
const steady = follow(ana, TransactionsChanged, { after: start });
const tell = async () => {
  const { value } = await steady.next();
  assert.ok(value);
  told.push(`${value.transactionsChanged.cursor} ${value.transactionsChanged.added}`);
};

await book(bank, "Before the cut");
await Promise.all([next(), tell()]);
assert.ok(wire);
const cut = once(wire, "close");
wire.terminate();
await cut;
for (const name of ["First while away", "Second while away", "Third while away"]) {
  await book(bank, name);
  await tell();
}
comeBack();
while (received.length < told.length) await next();
assert.deepEqual(received, told);
console.log(`${told.length} events, three of them while the socket was cut: each came once`);

// With the session its sockets end. A client that could get another session would return its token
// from `connectionParams`; this one is refused again, and gives up.
await ana.logout();
await assert.rejects(steady.next(), { code: CloseCode.Forbidden });
await assert.rejects(next(), { code: CloseCode.Forbidden });
await client.dispose();

// A token that is void opens none.
const late = { type: "connection_init", payload: { Authorization: ana.authorization } };
assert.equal(await refusal(late), CloseCode.Forbidden);

// Whoever subscribes before `connection_init` has not even tried to sign in.
const early = { id: "1", type: "subscribe", payload: { query: print(ItemUpdated) } };
assert.equal(await refusal(early), CloseCode.Unauthorized);
console.log("sockets end with their session (4403), and open only with one (4401)");

/** The code a socket is closed with after one message. */
async function refusal(message: object): Promise<number> {
  const socket = new WebSocket(SOCKET, "graphql-transport-ws");
  await once(socket, "open");
  socket.send(JSON.stringify(message));
  const [code] = (await once(socket, "close")) as [number];
  return code;
}
