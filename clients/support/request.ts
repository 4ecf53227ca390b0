// One request, without a client library.

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import assert from "node:assert/strict";
import { print } from "graphql";
import { API } from "./place.ts";

export async function request<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  accessToken?: string,
): Promise<Data> {
  const response = await fetch(API, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(accessToken && { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const answer = (await response.json()) as { data?: Data; errors?: unknown[] };
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  assert.ok(answer.data, `${API} answers ${response.status} without data`);
  return answer.data;
}
