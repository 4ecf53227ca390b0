// Subscriptions over server-sent events, for where sockets do not get through, with the reference
// client in its distinct connections mode: one request for each operation.

import assert from "node:assert/strict";
import { print } from "graphql";
import { createClient } from "graphql-sse";
import { ItemUpdated, TransactionsChanged } from "./operations.ts";
import { book, link } from "./support/bank.ts";
import { register } from "./support/person.ts";
import { API } from "./support/place.ts";

const ana = await register("ana");
const bank = await link(ana, 50);
const client = createClient({
  url: API,
  headers: () => ({ authorization: ana.authorization }),
  retryAttempts: 0,
});

const items = client.iterate({ query: print(ItemUpdated) });
const { value: snapshot } = await items.next();
const start = snapshot?.data?.["itemUpdated"] as { cursor: string; item: { id: string } };
assert.equal(start?.item.id, bank.itemId, JSON.stringify(snapshot));
await items.return?.();
console.log("the snapshot came first");

// What the bank books before somebody asks is told too, with the cursor of the snapshot.
await book(bank, "Before the request");
const variables = { after: start.cursor };
const news = client.iterate({ query: print(TransactionsChanged), variables });
for (const name of ["While it is open", "And once more", undefined]) {
  const { value } = await news.next();
  const event = value?.data?.["transactionsChanged"] as { added: number };
  assert.equal(event?.added, 1, JSON.stringify(value));
  if (name) await book(bank, name);
}
await news.return?.();
console.log("three events came, the first of them missed and replayed");

// What cannot run is refused before the stream begins.
const wrong = client.iterate({ query: "subscription { nothing }" });
await assert.rejects(wrong.next());
client.dispose();
