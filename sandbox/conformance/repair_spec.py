#!/usr/bin/env python3
"""Repairs Plaid's published OpenAPI document so that Prism validates with all of it.

Prism adds null to the enum of every nullable schema. Where the document lists null itself, the enum then holds it twice, the schema
cannot be compiled, and Prism passes whatever comes: silently, for most of the endpoints a sync needs. Three repairs are made:
null is taken out of nullable enums, a nullable schema without a type becomes a choice between itself and null, and the format
"url", which to Prism excludes every address on this machine, becomes "uri".

usage: repair_spec.py PLAID_OPENAPI_YML > repaired.json
"""

import json
import sys

import yaml


# What OpenAPI 3.0 has for null: it has no type of its own for it.
NOTHING = {"type": "object", "nullable": True, "maxProperties": 0}


def repair(node, counts):
    if isinstance(node, list):
        return [repair(value, counts) for value in node]
    if not isinstance(node, dict):
        return node
    node = {key: repair(value, counts) for key, value in node.items()}
    if isinstance(node.get("enum"), list) and None in node["enum"]:
        node["enum"] = [value for value in node["enum"] if value is not None]
        node["nullable"] = True
        counts["enums"] += 1
    if node.get("format") == "url":
        node["format"] = "uri"
        counts["formats"] += 1
    if node.get("nullable") is True and "type" not in node:
        del node["nullable"]
        counts["choices"] += 1
        return {"anyOf": [node, NOTHING]} if node else {}
    return node


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(file, Loader=loader)
    counts = {"enums": 0, "choices": 0, "formats": 0}
    document = repair(document, counts)
    json.dump(document, sys.stdout, default=str)
    print(f"repaired {counts['enums']} enums and {counts['choices']} nullable schemas without a type, {counts['formats']} formats", file=sys.stderr)


if __name__ == "__main__":
    main()
