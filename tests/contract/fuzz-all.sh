#!/bin/sh
# Asks a demo server of its own anything, as everybody: fuzz-all.sh SEED EXAMPLES.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
postern=$(realpath "${CARGO_TARGET_DIR:-$here/../../target}/debug/postern")
port=${PORT:-18080}
work=$(mktemp -d)
cd "$work"
# Each goes on with the token that it began with.
POSTERN__SERVER__LISTEN=127.0.0.1:$port POSTERN__TOKENS__ACCESS_MINUTES=60 POSTERN__LOG__FILTER=warn "$postern" serve --demo >server.log 2>&1 &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
# It says so once it listens: on a port that is another's it ends.
until grep -q 'OpenAPI' server.log; do kill -0 $server; done
for who in owner@acme admin@acme member@acme viewer@acme support@postern ops@postern eng@postern super@postern; do
    echo "$who.example, seed $1:"
    "$here/fuzz.sh" "$here/../../openapi/openapi.json" "http://127.0.0.1:$port" "$who.example" "$1" "$2"
done
