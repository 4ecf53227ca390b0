#!/bin/sh
# MX's Python and Node clients straight against the sandbox, then both through Prism, which checks every request and answer against MX's
# OpenAPI document.
#
# usage: run_mx.sh MX_OPENAPI_YML              (see README.md for where to get it)
#
# Needs cargo, node and python3. Installs the exact versions of package.json and requirements.txt beside this script.
set -eu

spec=${1:?usage: run_mx.sh MX_OPENAPI_YML}
spec=$(cd "$(dirname "$spec")" && pwd)/$(basename "$spec")
cd "$(dirname "$0")"

cargo build --quiet --manifest-path ../Cargo.toml
binary=$(cargo metadata --format-version 1 --no-deps --manifest-path ../Cargo.toml | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/debug/passbook-sandbox
[ -d node_modules ] || npm install --no-package-lock --no-audit --no-fund
[ -d .venv ] || { python3 -m venv .venv && .venv/bin/pip install --quiet -r requirements.txt; }

work=$(mktemp -d)
started=
trap 'for process in $started; do kill "$process" 2>/dev/null || true; done; rm -rf "$work"' EXIT
.venv/bin/python repair_mx_spec.py "$spec" > "$work/mx.json"

port=${PORT:-8019}
proxy=$((port + 1))
sandbox=http://127.0.0.1:$port
"$binary" --listen "127.0.0.1:$port" & started="$started $!"
node_modules/.bin/prism proxy --errors -h 127.0.0.1 -p "$proxy" "$work/mx.json" "$sandbox/mx" > "$work/prism.log" 2>&1 & started="$started $!"

answers() { for _ in $(seq 200); do curl -s -o "$work/answer" "$1" && return; sleep 0.2; done; echo "$1 does not answer" >&2; exit 1; }
answers "$sandbox/control/clock"
answers "http://127.0.0.1:$proxy/"

echo "== straight"
.venv/bin/python mx_python.py "$sandbox/mx" "$sandbox"
node mx_node.mjs "$sandbox/mx" "$sandbox"
echo "== through Prism"
.venv/bin/python mx_python.py "http://127.0.0.1:$proxy" "$sandbox"
node mx_node.mjs "http://127.0.0.1:$proxy" "$sandbox"
# The document knows no refusal at all, so each one is a warning; a wrong status of an answer is an error.
if grep -i 'violation' "$work/prism.log" | grep -v -i 'warning .*returned status code' > "$work/violations"; then
    sort "$work/violations" | uniq -c | sort -rn | head -40
    echo "Prism found violations" >&2
    exit 1
fi

# A proxy that objects to nothing proves nothing: an amount that is text has to be caught.
echo "== a planted fault"
curl -s -o "$work/answer" "$sandbox/control/faults" -d '{"faults":[{"kind":"anomaly","name":"text_amount"}]}'
if node mx_node.mjs "http://127.0.0.1:$proxy" "$sandbox" > "$work/answer" 2>&1; then
    echo "Prism let a broken answer pass" >&2
    exit 1
fi
grep -q 'amount' "$work/answer" "$work/prism.log" || { cat "$work/answer" >&2; exit 1; }
echo "== no violations, and the planted one was caught"
