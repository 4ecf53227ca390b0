// Takes out of a CycloneDX list what is not built. cargo-cyclonedx asks `cargo metadata`, which counts
// optional dependencies that nobody switches on; `cargo tree` knows which ones are.
//
//   cargo tree … --prefix none --format '{p}' | node prune-sbom.mjs list.json

import { readFileSync, writeFileSync } from "node:fs";

const [, , file] = process.argv;
const bill = JSON.parse(readFileSync(file, "utf8"));
const named = (line) => line.match(/^(\S+) v(\S+)/)?.slice(1).join(" ");
const built = new Set(readFileSync(0, "utf8").split("\n").map(named).filter(Boolean));

const name = ({ name, version }) => `${name} ${version}`;
const listed = new Set([bill.metadata.component, ...bill.components].map(name));
const missing = [...built].filter((crate) => !listed.has(crate));
if (missing.length > 0) {
  console.error(`built, and not in the list: ${missing.join(", ")}`);
  process.exit(1);
}

bill.components = bill.components.filter((component) => built.has(name(component)));
const kept = new Set([bill.metadata.component, ...bill.components].map((one) => one["bom-ref"]));
bill.dependencies = bill.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn?.filter((one) => kept.has(one)) }));
writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
console.log(`${bill.components.length + 1} crates are built into the program`);
