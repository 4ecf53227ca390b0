// urql with Graphcache for Passbook: a normalised cache that merges pages, a session that refreshes
// itself, and subscriptions over a WebSocket.

import { Client, fetchExchange, subscriptionExchange, type Exchange } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import type { Session } from "../session.ts";
import { API, SOCKET } from "../support/place.ts";

/** Parts of another object, without an id of their own: the cache keeps them inside it. */
export const PARTS = [
  "Admin",
  "AdminAccess",
  "AdminActivity",
  "AdminItem",
  "AdminUser",
  "AnswerChallengeAction",
  "Balances",
  "Category",
  "ChallengeOption",
  "ConsentExpiringAction",
  "ConvertedBalances",
  "Counterparty",
  "CurrencyPair",
  "DataExportFile",
  "ItemCount",
  "Job",
  "JobCount",
  "LeftOutAccount",
  "Location",
  "Money",
  "NetWorth",
  "NewAccountsAction",
  "Overview",
  "ReauthenticateAction",
  "SecondFactorChallenge",
  "SyncError",
  "SyncProgress",
  "TransactionUpserted",
  "UserError",
  "WebhookDelivery",
];

function cache(): Exchange {
  return cacheExchange({
    keys: Object.fromEntries(PARTS.map((part) => [part, () => null])),
    resolvers: {
      Query: {
        transactions: relayPagination(),
        accounts: relayPagination(),
        items: relayPagination(),
        syncJobs: relayPagination(),
        activity: relayPagination(),
        exchangeRates: relayPagination(),
      },
      Account: { transactions: relayPagination() },
    },
  });
}

/** Puts the token under every request; where it has expired, gets the next and asks once more. */
function signing(session: Session): Exchange {
  return authExchange(async (urql) => ({
    addAuthToOperation: (operation) =>
      urql.appendHeaders(operation, { Authorization: session.authorization }),
    didAuthError: ({ graphQLErrors }) =>
      graphQLErrors.some(({ extensions }) => extensions["code"] === "UNAUTHENTICATED"),
    refreshAuth: () => session.refresh(),
  }));
}

/** A socket opens when the first subscription needs it, with the token of that moment. */
function socket(session: Session): Exchange {
  const client = createClient({
    url: SOCKET,
    // A browser has its own.
    webSocketImpl: WebSocket,
    connectionParams: () => ({ Authorization: session.authorization }),
  });
  return subscriptionExchange({
    forwardSubscription: ({ query = "", variables }) => ({
      subscribe: (sink) => ({ unsubscribe: client.subscribe({ query, variables }, sink) }),
    }),
  });
}

export function createUrql(session: Session): Client {
  return new Client({
    url: API,
    preferGetMethod: false,
    exchanges: [cache(), signing(session), fetchExchange, socket(session)],
  });
}
