// Events of one subscription, one after the other. What a client needs to survive a cut connection
// is in `graphql-ws.ts`.

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import assert from "node:assert/strict";
import { print } from "graphql";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import type { Session } from "../session.ts";
import { SOCKET } from "./place.ts";

export async function* follow<Data, Variables extends Record<string, unknown>>(
  session: Session,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): AsyncGenerator<Data, void> {
  const client = createClient({
    url: SOCKET,
    webSocketImpl: WebSocket,
    connectionParams: () => ({ Authorization: session.authorization }),
    retryAttempts: 0,
  });
  const payload = { query: print(document), variables };
  try {
    for await (const result of client.iterate(payload)) {
      assert.equal(result.errors, undefined, JSON.stringify(result.errors));
      yield result.data as Data;
    }
  } finally {
    await client.dispose();
  }
}
