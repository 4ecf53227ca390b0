// Adds to a CycloneDX list what the page that the program takes in is made of: every package of web/'s lock
// file that the page's own imports lead to. What only builds it is left out.
//
//   node add-web-to-sbom.mjs list.json web/package-lock.json

import { readFileSync, writeFileSync } from "node:fs";

/** What builds the page, and is not in it. */
const TOOLS = ["vite"];

const [, , file, lockFile] = process.argv;
const bill = JSON.parse(readFileSync(file, "utf8"));
const { packages } = JSON.parse(readFileSync(lockFile, "utf8"));

/** Where Node.js finds a package that one at `from` asks for. */
function resolve(from, name) {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf("node_modules/") - 1))) {
    const found = `${place ? `${place}/` : ""}node_modules/${name}`;
    if (packages[found]) return found;
    if (!place) return undefined;
  }
}

const wanted = Object.keys(packages[""].devDependencies).filter((name) => !TOOLS.includes(name));
const queue = wanted.map((name) => resolve("", name));
const inside = new Set();
while (queue.length > 0) {
  const place = queue.pop();
  if (!place || inside.has(place)) continue;
  inside.add(place);
  const { dependencies, peerDependencies, optionalDependencies } = packages[place];
  const names = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
  queue.push(...names.map((name) => resolve(place, name)));
}

const component = (place) => {
  const { version, license, integrity } = packages[place];
  const name = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const [, digest] = /^sha512-(.+)$/.exec(integrity ?? "") ?? [];
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    purl,
    ...(license && { licenses: [{ expression: license }] }),
    ...(digest && { hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }] }),
  };
};
const refs = new Set();
const added = [...inside].sort().map(component).filter((one) => !refs.has(one.purl) && refs.add(one.purl));
if (added.length < wanted.length) {
  console.error("the lock file of web/ names less than the page imports");
  process.exit(1);
}
bill.components.push(...added);
writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
console.log(`${added.length} packages are in the page`);
