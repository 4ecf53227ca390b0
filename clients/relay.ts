// Relay: what its compiler makes of `relay/app.ts` runs, by Relay's own runtime. Pages merge by
// `@connection`, things are fetched anew by `@refetchable`, and events land in the store.

import assert from "node:assert/strict";
import {
  commitLocalUpdate,
  commitMutation,
  ConnectionHandler,
  fetchQuery,
  requestSubscription,
  type GraphQLTaggedNode,
  type MutationParameters,
  type OperationType,
  type RecordProxy,
} from "relay-runtime";
import home, { type appHomeQuery } from "./relay/__generated__/appHomeQuery.graphql.ts";
import refetch, {
  type appItemStatusRefetchQuery,
} from "./relay/__generated__/appItemStatusRefetchQuery.graphql.ts";
import remove, {
  type appRemoveItemMutation,
} from "./relay/__generated__/appRemoveItemMutation.graphql.ts";
import syncItem, {
  type appSyncItemMutation,
} from "./relay/__generated__/appSyncItemMutation.graphql.ts";
import updated, {
  type appSyncJobUpdatedSubscription,
} from "./relay/__generated__/appSyncJobUpdatedSubscription.graphql.ts";
import more, {
  type appTransactionListPaginationQuery,
} from "./relay/__generated__/appTransactionListPaginationQuery.graphql.ts";
import { createEnvironment } from "./relay/environment.ts";
import { link } from "./support/bank.ts";
import { register } from "./support/person.ts";

const ana = await register("ana");
const { itemId } = await link(ana, 400);
const environment = createEnvironment(ana);

const { accounts, viewer } = await ask<appHomeQuery>(home, {});
const account = accounts.edges[0]?.node ?? assert.fail("there is no account");
assert.equal(
  inStore(viewer.id, (user) => user.getValue("email")),
  viewer.email,
);

// Two pages are one list.
await ask<appTransactionListPaginationQuery>(more, { id: account.id, count: 20 });
await ask<appTransactionListPaginationQuery>(more, { id: account.id, count: 20, cursor: end() });
const ids = connection((list) => list.getLinkedRecords("edges")?.map((edge) => idOf(edge, "node")));
assert.equal(ids?.length, 40);
assert.equal(new Set(ids).size, 40);
console.log("two pages are one connection of 40, none of them twice");

// What a mutation answers, and what a subscription tells, changes the item in the store.
await ask<appItemStatusRefetchQuery>(refetch, { id: itemId });
const before = latest();
const { syncItem: asked } = await change<appSyncItemMutation>(syncItem, { input: { itemId } });
const job = asked.syncJob ?? assert.fail(JSON.stringify(asked.userErrors));
assert.notEqual(job.id, before.id);
assert.equal(latest().id, job.id);
await new Promise<void>((resolve, reject) => {
  const { dispose } = requestSubscription<appSyncJobUpdatedSubscription>(environment, {
    subscription: updated,
    variables: { itemId },
    onError: reject,
    onNext: () => {
      // An item and its newest sync are read one after the other, so an event from the midst of the sync may
      // bring the end of one and not yet of the other; the last event has both.
      if (latest().status !== "SUCCEEDED" || latest().at === before.at) return;
      dispose();
      resolve();
    },
  });
});
console.log("a mutation and a subscription changed the item in the store");

// What is removed leaves the store.
await change<appRemoveItemMutation>(remove, { input: { itemId } });
assert.equal(
  inStore(itemId, (item) => item),
  undefined,
);
console.log("a bank that was removed is gone from the store");

async function ask<Operation extends OperationType>(
  query: GraphQLTaggedNode,
  variables: Operation["variables"],
): Promise<Operation["response"]> {
  const data = await fetchQuery<Operation>(environment, query, variables).toPromise();
  return data ?? assert.fail("no answer");
}

function change<Mutation extends MutationParameters>(
  mutation: GraphQLTaggedNode,
  variables: Mutation["variables"],
): Promise<Mutation["response"]> {
  return new Promise((onCompleted, onError) =>
    commitMutation<Mutation>(environment, { mutation, variables, onCompleted, onError }),
  );
}

/** What the store has under an id. */
function inStore<Found>(id: string, read: (record: RecordProxy) => Found): Found | undefined {
  let found: Found | undefined;
  commitLocalUpdate(environment, (store) => {
    const record = store.get(id);
    if (record) found = read(record);
  });
  return found;
}

function connection<Found>(read: (list: RecordProxy) => Found): Found | undefined {
  return inStore(account.id, (record) => {
    const list = ConnectionHandler.getConnection(record, "TransactionList_transactions");
    return list ? read(list) : undefined;
  });
}

function end(): string {
  const cursor = connection((list) => list.getLinkedRecord("pageInfo")?.getValue("endCursor"));
  return typeof cursor === "string" ? cursor : assert.fail("the page has no end");
}

function idOf(record: RecordProxy, field: string): unknown {
  return record.getLinkedRecord(field)?.getValue("id");
}

/** The item's latest sync, as the store has it. */
function latest() {
  return (
    inStore(itemId, (item) => {
      const job = item.getLinkedRecord("latestSyncJob");
      return {
        id: job?.getValue("id"),
        status: job?.getValue("status"),
        at: item.getValue("lastSyncedAt"),
      };
    }) ?? assert.fail("the item is not in the store")
  );
}
