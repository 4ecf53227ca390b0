// urql with Graphcache: pages merge into one list, what a mutation answers and what a subscription
// tells changes what is in the cache, and a session whose token is void goes on.

import assert from "node:assert/strict";
import { buildSchema, isObjectType } from "graphql";
import { readFile } from "node:fs/promises";
import { filter, pipe, subscribe, toPromise, take } from "wonka";
import { LatestSync, SyncItem, SyncJobUpdated, Transactions } from "./operations.ts";
import { link } from "./support/bank.ts";
import { register } from "./support/person.ts";
import { createUrql, PARTS } from "./urql/client.ts";

// Graphcache warns of what it cannot keep well, and has to know every type without an id.
console.warn = (...said: unknown[]) => assert.fail(said.join(" "));
assert.deepEqual(PARTS, await parts());

const ana = await register("ana");
const { itemId } = await link(ana, 50);
const client = createUrql(ana);

// Two pages are one list.
const first = await client.query(Transactions, { first: 20 });
const after = first.data?.transactions.pageInfo.endCursor;
await client.query(Transactions, { first: 20, after: after ?? assert.fail(first.error?.message) });
const cached = client.readQuery(Transactions, { first: 20 });
const ids = cached?.data?.transactions.edges.map((edge) => edge.node.id) ?? [];
assert.equal(ids.length, 40);
assert.equal(new Set(ids).size, 40);
console.log("two pages are one list of 40, none of them twice");

// What a mutation answers changes what was asked for before.
const before = await client.query(LatestSync, { itemId });
const states: string[] = [];
const latest = client.query(LatestSync, { itemId });
const watching = pipe(
  latest,
  subscribe(({ data }) => {
    const job = data?.item?.latestSyncJob;
    states.push(`${job?.id} ${job?.status}`);
  }),
);
const asked = await client.mutation(SyncItem, { input: { itemId } });
const job = asked.data?.syncItem.syncJob;
assert.ok(job && job.id !== before.data?.item?.latestSyncJob?.id);
assert.ok(states.includes(`${job.id} ${job.status}`), states.join());

// So does what a subscription tells.
const telling = pipe(
  client.subscription(SyncJobUpdated, { syncJobId: job.id }),
  subscribe(({ error }) => assert.equal(error, undefined)),
);
const ended = await pipe(
  latest,
  filter(({ data }) => data?.item?.latestSyncJob?.status === "SUCCEEDED"),
  take(1),
  toPromise,
);
assert.notEqual(ended.data?.item?.lastSyncedAt, before.data?.item?.lastSyncedAt);
telling.unsubscribe();
watching.unsubscribe();
console.log("a mutation and a subscription changed the item that the cache held");

// A token that is void costs one refresh, however many requests meet it.
ana.accessToken = "expired";
const again = { requestPolicy: "network-only" } as const;
const answers = await Promise.all([
  client.query(Transactions, { first: 1 }, again),
  client.query(LatestSync, { itemId }, again),
  client.mutation(SyncItem, { input: { itemId } }),
]);
for (const { data, error } of answers) assert.ok(data && !error, error?.message);
assert.equal(ana.refreshed, 1);
console.log("three requests with a void token went on after one refresh");

async function parts(): Promise<string[]> {
  const sdl = await readFile(new URL("../schema.graphql", import.meta.url), "utf8");
  const known = /^(__.*|Query|Mutation|Subscription|PageInfo|.*(Connection|Edge|Payload|Event))$/;
  return Object.values(buildSchema(sdl).getTypeMap())
    .filter((type) => isObjectType(type) && !known.test(type.name) && !type.getFields()["id"])
    .map((type) => type.name)
    .sort();
}
