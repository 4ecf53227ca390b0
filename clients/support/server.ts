// A server with the built-in sandbox, in a folder and on free ports of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Server {
  /** Where it is. */
  PASSBOOK_URL: string;
  /** Where its bank is. */
  SANDBOX_URL: string;
  end(): Promise<void>;
}

/** Starts one, and waits until it is ready. */
export async function serve(settings: Record<string, string> = {}): Promise<Server> {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const target = process.env["CARGO_TARGET_DIR"] ?? resolve(here, "../../target");
  const passbook = process.env["PASSBOOK"] ?? join(target, "debug/passbook");
  if (!existsSync(passbook)) {
    throw new Error(`${passbook} is not there: run cargo build, or name the program in PASSBOOK`);
  }
  const folder = await mkdtemp(join(tmpdir(), "passbook-clients-"));
  const server = spawn(passbook, ["serve"], {
    cwd: folder,
    env: { LISTEN: "127.0.0.1:0", SANDBOX_LISTEN: "127.0.0.1:0", LOG_FORMAT: "json", ...settings },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const kill = () => server.kill();
  process.on("exit", kill);
  const end = async () => {
    process.off("exit", kill);
    if (server.exitCode === null) {
      server.kill();
      await once(server, "exit");
    }
    await rm(folder, { recursive: true });
  };
  try {
    return { ...(await serving(server)), end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function serving(server: ChildProcess): Promise<{ PASSBOOK_URL: string; SANDBOX_URL: string }> {
  const log: string[] = [];
  const ended = once(server, "exit").then(([code]) => {
    throw new Error(`the server ended with ${code}`);
  });
  const lines = createInterface({ input: server.stderr! });
  const said = new Promise<string>((found) =>
    lines.on("line", (line) => {
      if (log.length < 20) log.push(line);
      if (line.includes("serving http")) found(line);
    }),
  );
  const line = await Promise.race([said, ended]).catch((error) => {
    throw new Error(`${error.message}\n${log.join("\n")}`);
  });
  const PASSBOOK_URL = /serving (http:\/\/[^/]+)/.exec(line)?.[1];
  const SANDBOX_URL = /sandbox at (http:\/\/[^" ]+)/.exec(line)?.[1];
  if (!PASSBOOK_URL || !SANDBOX_URL) throw new Error(`the server does not say where it is: ${line}`);
  const ready = await fetch(`${PASSBOOK_URL}/readyz`);
  if (!ready.ok) throw new Error(`the server is not ready: ${await ready.text()}`);
  return { PASSBOOK_URL, SANDBOX_URL };
}
