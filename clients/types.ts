// Read by the compiler alone: it objects to this file if anything in an answer or in the variables of
// an operation is `any` or `unknown`, as a scalar without a mapping would be.

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import type * as operations from "./operations.ts";

type Loose<T> = unknown extends T
  ? true
  : T extends readonly (infer Element)[]
    ? Loose<Element>
    : T extends object
      ? { [Key in keyof T]-?: Loose<T[Key]> }[keyof T]
      : never;

type LooseIn<Document> =
  Document extends TypedDocumentNode<infer Data, infer Variables>
    ? Loose<Data> | Loose<Variables>
    : true;

type LooseOperations = {
  [Name in keyof typeof operations]: [LooseIn<(typeof operations)[Name]>] extends [never]
    ? never
    : Name;
}[keyof typeof operations];

const none: [LooseOperations] extends [never] ? true : LooseOperations = true;
void none;
