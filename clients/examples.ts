// The examples that GraphiQL opens with are true to the schema.

import assert from "node:assert/strict";
import { buildSchema, parse, validate } from "graphql";
import { readFile } from "node:fs/promises";
import { examples } from "../web/src/examples.js";

const schema = buildSchema(await readFile(new URL("../schema.graphql", import.meta.url), "utf8"));
for (const example of examples) assert.deepEqual(validate(schema, parse(example)), []);
console.log(`${examples.length} examples are true to the schema`);
