// Starts a server with the built-in sandbox in an empty folder, runs every program against it, and
// ends with an error at the first that fails: `npm test`, or `npx tsx run.ts apollo urql` for some.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { serve } from "./support/server.ts";

const PROGRAMS = [
  "examples",
  "graphql-over-http",
  "graphql-ws",
  "graphql-sse",
  "multipart",
  "repair",
  "rates",
  "social",
  "apollo",
  "urql",
  "relay",
];

/** The longest a program may take: one that waits for what does not come is ended. */
const PATIENCE = 120_000;

const here = fileURLToPath(new URL(".", import.meta.url));
const asked = process.argv.slice(2);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
const { end, ...places } = await serve();
try {
  const env = { ...process.env, ...places };
  for (const program of asked.length ? asked : PROGRAMS) await run(program, env);
} catch (error) {
  process.exitCode = 1;
  console.error(error instanceof Error ? error.message : error);
} finally {
  await end();
}

async function run(program: string, env: NodeJS.ProcessEnv): Promise<void> {
  console.log(`-- ${program}`);
  const child = spawn(process.execPath, ["--import", "tsx", `${program}.ts`], {
    cwd: here,
    env,
    stdio: "inherit",
    timeout: PATIENCE,
  });
  const [code, signal] = await once(child, "exit");
  if (signal) fail(`${program} was ended after ${PATIENCE / 1000} seconds`);
  if (code !== 0) fail(`${program} failed`);
}

function fail(why: string): never {
  throw new Error(why);
}
