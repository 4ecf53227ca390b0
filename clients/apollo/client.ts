// Apollo Client 4 for Passbook: a normalised cache that merges pages, a session that refreshes itself,
// and subscriptions over a WebSocket.

import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
} from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { ErrorLink } from "@apollo/client/link/error";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import { from, switchMap } from "rxjs";
import { WebSocket } from "ws";
import type { Session } from "../session.ts";
import { API, SOCKET } from "../support/place.ts";

export function createCache(): InMemoryCache {
  return new InMemoryCache({
    typePolicies: {
      Query: {
        fields: {
          // A list with other filters, or in another order, is another list.
          transactions: relayStylePagination(["filter", "orderBy"]),
          accounts: relayStylePagination(["filter"]),
          items: relayStylePagination(),
          syncJobs: relayStylePagination(["filter"]),
          activity: relayStylePagination(),
          exchangeRates: relayStylePagination(["base", "quote"]),
        },
      },
      Account: { fields: { transactions: relayStylePagination(["filter", "orderBy"]) } },
    },
  });
}

/** Puts the token of the session under every request. */
function signing(session: Session): ApolloLink {
  return new SetContextLink(({ headers }) => ({
    headers: { ...headers, authorization: session.authorization },
  }));
}

/** Where the token has expired, gets the next one and asks once more. */
function refreshing(session: Session): ApolloLink {
  return new ErrorLink(({ error, operation, forward }) => {
    const expired =
      CombinedGraphQLErrors.is(error) &&
      error.errors.some(({ extensions }) => extensions?.["code"] === "UNAUTHENTICATED");
    if (!expired) return;
    return from(session.refresh()).pipe(switchMap(() => forward(operation)));
  });
}

/** A socket opens when the first subscription needs it, with the token of that moment. */
function socket(session: Session): ApolloLink {
  const client = createClient({
    url: SOCKET,
    // A browser has its own.
    webSocketImpl: WebSocket,
    connectionParams: () => ({ Authorization: session.authorization }),
  });
  return new GraphQLWsLink(client);
}

export function createApollo(session: Session): ApolloClient {
  const requests = ApolloLink.from([
    refreshing(session),
    signing(session),
    new HttpLink({ uri: API }),
  ]);
  const subscribes = (operation: ApolloLink.Operation) =>
    operation.operationType === OperationTypeNode.SUBSCRIPTION;
  return new ApolloClient({
    cache: createCache(),
    link: ApolloLink.split(subscribes, socket(session), requests),
  });
}
