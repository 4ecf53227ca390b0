#!/usr/bin/env python3
"""Repairs MX's published OpenAPI document so that Prism validates with all of it, and lists what was repaired.

usage: repair_mx_spec.py MX_OPENAPI_YML > repaired.json
"""

import json
import sys

import yaml

TEXT = {"type": "string", "nullable": True}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(file, Loader=loader)
    schemas = document["components"]["schemas"]
    repaired = []

    # Typed as booleans beside examples that are text.
    member = schemas["MemberResponse"]["properties"]
    for field in ("most_recent_job_guid", "most_recent_job_detail_text"):
        if member[field]["type"] == "boolean":
            member[field] = dict(TEXT)
            repaired.append(f"MemberResponse.{field} is text")

    # A member without a challenge is answered with 204, as the page on challenges says and the document does not.
    challenges = document["paths"]["/users/{user_guid}/members/{member_guid}/challenges"]["get"]["responses"]
    if "204" not in challenges:
        challenges["204"] = {"description": "The member has not been challenged"}
        repaired.append("challenges may be answered with 204")

    # A single transaction has the schema of a list.
    one = document["paths"]["/users/{user_guid}/transactions/{transaction_guid}"]["get"]["responses"]["200"]["content"]
    for answer in one.values():
        if "TransactionResponseBody" not in str(answer["schema"].get("$ref")):
            answer["schema"] = {"$ref": "#/components/schemas/TransactionResponseBody"}
            repaired.append("a single transaction is one")

    json.dump(document, sys.stdout, default=str)
    for line in repaired:
        print(f"repaired: {line}", file=sys.stderr)


if __name__ == "__main__":
    main()
