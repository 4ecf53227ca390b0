// A Relay environment for Passbook: queries and mutations by POST, subscriptions over a WebSocket.

import { createClient } from "graphql-ws";
import {
  Environment,
  Network,
  Observable,
  RecordSource,
  Store,
  type GraphQLResponse,
} from "relay-runtime";
import { WebSocket } from "ws";
import type { Session } from "../session.ts";
import { API, SOCKET } from "../support/place.ts";

export function createEnvironment(session: Session): Environment {
  const socket = createClient({
    url: SOCKET,
    // A browser has its own.
    webSocketImpl: WebSocket,
    connectionParams: () => ({ Authorization: session.authorization }),
  });
  const network = Network.create(
    async ({ text }, variables) => {
      const response = await fetch(API, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: session.authorization },
        body: JSON.stringify({ query: text, variables }),
      });
      return (await response.json()) as GraphQLResponse;
    },
    ({ text }, variables) =>
      Observable.create((sink) =>
        socket.subscribe(
          { query: text ?? "", variables },
          {
            next: (value) => sink.next(value as GraphQLResponse),
            error: (error) => sink.error(error as Error),
            complete: () => sink.complete(),
          },
        ),
      ),
  );
  return new Environment({ network, store: new Store(new RecordSource()) });
}
