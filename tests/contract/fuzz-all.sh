#!/bin/sh
# Starts a demo server and fuzzes it as each kind of demo account: fuzz-all.sh SEED EXAMPLES.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
postern=$(realpath "${CARGO_TARGET_DIR:-$here/../../target}/debug/postern")
port=${PORT:-18080}
work=$(mktemp -d)
cd "$work"
# Access tokens must last for a whole run.
export POSTERN__SERVER__LISTEN="127.0.0.1:$port" POSTERN__TOKENS__ACCESS_MINUTES=60
POSTERN__LOG__FILTER=warn "$postern" serve --demo >server.log 2>&1 &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
# The banner appears when the server listens. If the port is in use, the server exits; so does this
# script.
until grep -q 'OpenAPI' server.log; do kill -0 $server; done
for account in owner@acme admin@acme member@acme viewer@acme \
    support@postern ops@postern eng@postern super@postern; do
    echo "$account.example, seed $1:"
    "$here/fuzz.sh" "$here/../../openapi/openapi.json" "http://127.0.0.1:$port" \
        "$account.example" "$1" "$2"
done
