// Starts a server with the built-in sandbox in an empty folder, runs every program against it, and
// ends with an error at the first that fails: `npm test`, or `npx tsx run.ts apollo urql` for some.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAMS = [
  "examples",
  "graphql-over-http",
  "graphql-ws",
  "graphql-sse",
  "multipart",
  "repair",
  "rates",
  "apollo",
  "urql",
  "relay",
];

/** The longest a program may take: one that waits for what does not come is ended. */
const PATIENCE = 120_000;

const here = fileURLToPath(new URL(".", import.meta.url));
const target = process.env["CARGO_TARGET_DIR"] ?? resolve(here, "../target");
const passbook = process.env["PASSBOOK"] ?? join(target, "debug/passbook");

if (!existsSync(passbook)) {
  fail(`${passbook} is not there: run cargo build, or name the program in PASSBOOK`);
}
const asked = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "passbook-clients-"));
const server = spawn(passbook, ["serve"], {
  cwd: folder,
  env: { LISTEN: "127.0.0.1:0", SANDBOX_LISTEN: "127.0.0.1:0", LOG_FORMAT: "json" },
  stdio: ["ignore", "ignore", "pipe"],
});
process.on("exit", () => server.kill());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
try {
  const env = { ...process.env, ...(await serving(server)) };
  for (const program of asked.length ? asked : PROGRAMS) await run(program, env);
} catch (error) {
  process.exitCode = 1;
  console.error(error instanceof Error ? error.message : error);
} finally {
  if (server.exitCode === null) {
    server.kill();
    await once(server, "exit");
  }
  await rm(folder, { recursive: true });
}

/** Waits until the server is ready; returns where it is, and where its bank is. */
async function serving(server: ChildProcess): Promise<Record<string, string>> {
  const ended = once(server, "exit").then(([code]) => fail(`the server ended with ${code}`));
  const lines = createInterface({ input: server.stderr! });
  const log: string[] = [];
  const said = new Promise<string>((found) =>
    lines.on("line", (line) => {
      if (log.length < 20) log.push(line);
      if (line.includes("serving http")) found(line);
    }),
  );
  const line = await Promise.race([said, ended]).catch((error) =>
    fail(`${error.message}\n${log.join("\n")}`),
  );
  const PASSBOOK_URL = /serving (http:\/\/[^/]+)/.exec(line)?.[1];
  const SANDBOX_URL = /sandbox at (http:\/\/[^" ]+)/.exec(line)?.[1];
  if (!PASSBOOK_URL || !SANDBOX_URL) fail(`the server does not say where it is: ${line}`);
  const ready = await fetch(`${PASSBOOK_URL}/readyz`);
  if (!ready.ok) fail(`the server is not ready: ${await ready.text()}`);
  return { PASSBOOK_URL, SANDBOX_URL };
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
