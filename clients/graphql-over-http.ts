// The official audits of GraphQL over HTTP: every one of them, the optional ones too.

import assert from "node:assert/strict";
import { auditServer } from "graphql-http";
import { API } from "./support/place.ts";

/** How many audits there are in the pinned version of `graphql-http`. */
const AUDITS = 61;

const results = await auditServer({ url: API });
const failed = results.flatMap((result) =>
  result.status === "ok" ? [] : [`${result.id} ${result.name}: ${result.reason}`],
);
assert.deepEqual(failed, []);
assert.equal(results.length, AUDITS);
console.log(`${results.length} of ${AUDITS} audits pass`);
