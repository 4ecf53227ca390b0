// Subscriptions over HTTP in Apollo's multipart protocol: Apollo Client speaks it by itself where it
// has no socket.

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import assert from "node:assert/strict";
import { concatMap, firstValueFrom, take, toArray } from "rxjs";
import { ItemUpdated, TransactionsChanged } from "./operations.ts";
import { book, link } from "./support/bank.ts";
import { register } from "./support/person.ts";
import { API } from "./support/place.ts";

const ana = await register("ana");
const bank = await link(ana, 50);
const signing = new SetContextLink(() => ({ headers: { authorization: ana.authorization } }));
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.from([signing, new HttpLink({ uri: API })]),
});

const items = client.subscribe({ query: ItemUpdated });
const { data, error } = await firstValueFrom(items);
assert.equal(data?.itemUpdated.item.id, bank.itemId, error?.message);
console.log("the snapshot came first");

await book(bank, "Before the request");
const variables = { after: data.itemUpdated.cursor };
const news = client.subscribe({ query: TransactionsChanged, variables });
const added = news.pipe(
  concatMap(async (event, index) => {
    // The bank goes on only once the first is here: two bookings at once would be one event.
    if (index === 0) await book(bank, "While it is open");
    return event.data?.transactionsChanged.added;
  }),
  take(2),
  toArray(),
);
assert.deepEqual(await firstValueFrom(added), [1, 1]);
client.stop();
console.log("two events came, the first of them missed and replayed");
