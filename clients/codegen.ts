// Writes `gql/`: the types of every `graphql(…)` in `operations.ts`, by the client preset of
// graphql-codegen. Where its command line runs (Node 22), the same settings go into its own file.

import { codegen } from "@graphql-codegen/core";
import { preset } from "@graphql-codegen/client-preset";
import { gqlPluckFromCodeString } from "@graphql-tools/graphql-tag-pluck";
import { buildSchema, parse } from "graphql";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";

const settings = {
  schema: "../schema.graphql",
  documents: ["operations.ts"],
  output: "gql/",
  config: {
    // Every scalar travels as a string; an amount as a number would lose cents.
    scalars: {
      BigInt: "string",
      CurrencyCode: "string",
      Date: "string",
      DateTime: "string",
      Decimal: "string",
    },
    strictScalars: true,
    useTypeImports: true,
    importExtension: ".ts",
  } as const,
  presetConfig: { fragmentMasking: false },
};

const at = (path: string) => new URL(path, import.meta.url);

const sdl = await readFile(at(settings.schema), "utf8");
const sections = await preset.buildGeneratesSection({
  baseOutputDir: settings.output,
  config: settings.config,
  presetConfig: settings.presetConfig,
  schema: parse(sdl),
  schemaAst: buildSchema(sdl),
  documents: (await Promise.all(settings.documents.map(read))).flat(),
  plugins: [],
  pluginMap: {},
});

await rm(at(settings.output), { recursive: true, force: true });
await mkdir(at(settings.output));
for (const section of sections) {
  await writeFile(at(section.filename), await codegen(section));
}

/** Every `graphql(…)` of a file. */
async function read(path: string) {
  const sources = await gqlPluckFromCodeString(path, await readFile(at(path), "utf8"), {
    globalGqlIdentifierName: ["graphql"],
    skipIndent: true,
  });
  return sources.map(({ body }) => ({ location: path, rawSDL: body, document: parse(body) }));
}
