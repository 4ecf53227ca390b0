// Fails if `schema.graphql` breaks somebody who has a client: against the newest release, or before the
// first one against what the file was before it last changed. A break that is meant is written down
// in `docs/schema-breaks.md`.

import { buildSchema, findBreakingChanges, findDangerousChanges } from "graphql";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FILE = "schema.graphql";
const NOTES = "docs/schema-breaks.md";

const root = fileURLToPath(new URL("..", import.meta.url));

const base = newestRelease() ?? beforeLastChange();
if (base) compare(base);
else console.log(`${FILE} has no other version to compare with`);

function compare(base: string): void {
  const before = buildSchema(git("show", `${base}:${FILE}`));
  const now = buildSchema(readFileSync(root + FILE, "utf8"));
  console.log(`compared with ${git("log", "-1", "--format=%h of %cs, %s", base)}`);
  for (const { description } of findDangerousChanges(before, now))
    console.log(`  mind: ${description}`);
  const meant = notes(git("log", "-1", "--format=%cs", base));
  const breaks = findBreakingChanges(before, now).map((change) => change.description);
  const unmeant = breaks.filter((description) => !meant.has(description));
  for (const description of breaks) {
    console.log(`  ${meant.has(description) ? "meant" : "BREAKS"}: ${description}`);
  }
  if (!unmeant.length) return;
  const today = new Date().toISOString().slice(0, 10);
  const lines = unmeant.map(
    (description) => `* ${today}: \`${description}\` Why, and what to use instead.`,
  );
  fail(`clients would break. If that is meant, write into ${NOTES}:\n${lines.join("\n")}`);
}

/** What was broken on purpose, on or after a day: older notes belong to releases that are out. */
function notes(since: string): Set<string> {
  const lines = readFileSync(root + NOTES, "utf8").matchAll(
    /^\* (\d{4}-\d\d-\d\d): `([^`]+)` \S/gm,
  );
  return new Set([...lines].filter(([, day = ""]) => day >= since).map(([, , what = ""]) => what));
}

function newestRelease(): string | undefined {
  if (git("rev-parse", "--is-shallow-repository") === "true") {
    fail(
      "this clone is shallow and does not know what to compare with: git fetch --unshallow --tags",
    );
  }
  const tag = git("tag", "--merged", "HEAD", "--sort=-creatordate").split("\n")[0];
  return tag || undefined;
}

function beforeLastChange(): string | undefined {
  if (git("status", "--porcelain", "--", FILE)) return "HEAD";
  const change = git("log", "-1", "--first-parent", "--format=%H", "--", FILE);
  const [parent] = git("log", "-1", "--format=%P", change).split(" ");
  const had = parent && git("ls-tree", "--name-only", parent, "--", FILE);
  return had ? parent : undefined;
}

function git(...words: string[]): string {
  try {
    const stdio = ["ignore", "pipe", "pipe"] as const;
    return execFileSync("git", words, { cwd: root, encoding: "utf8", stdio: [...stdio] }).trim();
  } catch (error) {
    return fail(`git ${words[0]} failed; this check needs git and a clone:\n${String(error)}`);
  }
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}
