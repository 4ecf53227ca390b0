// Apollo Client: pages merge into one list, what a mutation answers and what a subscription tells
// changes what is in the cache, and a session whose token is void goes on.

import assert from "node:assert/strict";
import { filter, firstValueFrom } from "rxjs";
import { createApollo } from "./apollo/client.ts";
import { LatestSync, SyncItem, SyncJobUpdated, Transactions } from "./operations.ts";
import { link } from "./support/bank.ts";
import { register } from "./support/person.ts";

const ana = await register("ana");
const { itemId } = await link(ana, 50);
const client = createApollo(ana);

// Two pages are one list.
const list = client.watchQuery({ query: Transactions, variables: { first: 20 } });
const shown = list.subscribe({});
const page = await firstValueFrom(list.pipe(filter((state) => state.dataState === "complete")));
await list.fetchMore({ variables: { after: page.data.transactions.pageInfo.endCursor } });
const cached = client.readQuery({ query: Transactions, variables: { first: 20 } });
const ids = cached?.transactions.edges.map((edge) => edge.node.id) ?? [];
assert.equal(ids.length, 40);
assert.equal(new Set(ids).size, 40);
shown.unsubscribe();
console.log("two pages are one list of 40, none of them twice");

// What a mutation answers changes what was asked for before.
const latest = client.watchQuery({ query: LatestSync, variables: { itemId } });
const before = await firstValueFrom(latest.pipe(filter((state) => state.dataState === "complete")));
const states: string[] = [];
const watching = latest.subscribe(({ data }) => {
  const job = data?.item?.latestSyncJob;
  states.push(`${job?.id} ${job?.status}`);
});
const asked = await client.mutate({ mutation: SyncItem, variables: { input: { itemId } } });
const job = asked.data?.syncItem.syncJob;
assert.ok(job && job.id !== before.data.item?.latestSyncJob?.id);
assert.ok(states.includes(`${job.id} ${job.status}`), states.join());

// So does what a subscription tells.
const telling = client
  .subscribe({ query: SyncJobUpdated, variables: { syncJobId: job.id } })
  .subscribe({ error: assert.ifError });
const ended = await firstValueFrom(
  latest.pipe(filter(({ data }) => data?.item?.latestSyncJob?.status === "SUCCEEDED")),
);
assert.ok(ended.dataState === "complete");
assert.notEqual(ended.data.item?.lastSyncedAt, before.data.item?.lastSyncedAt);
telling.unsubscribe();
watching.unsubscribe();
console.log("a mutation and a subscription changed the item that the cache held");

// A token that is void costs one refresh, however many requests meet it.
ana.accessToken = "expired";
const again = { fetchPolicy: "network-only" } as const;
const answers = await Promise.all([
  client.query({ query: Transactions, variables: { first: 1 }, ...again }),
  client.query({ query: LatestSync, variables: { itemId }, ...again }),
  client.mutate({ mutation: SyncItem, variables: { input: { itemId } } }),
]);
for (const { data, error } of answers) assert.ok(data && !error, error?.message);
assert.equal(ana.refreshed, 1);
console.log("three requests with a void token went on after one refresh");
client.stop();
