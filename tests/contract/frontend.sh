#!/bin/sh
# Type-checks the front end of docs/frontend with the types in `contract.d.ts` of the current
# directory, and tests it in a browser: frontend.sh ADDRESS TOKENS.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
chromium=$("$here/../find-chromium.sh")
cp "$here"/frontend/* "$here"/../../docs/frontend/*.ts .
echo '{ "type": "module" }' >package.json
node_modules/.bin/tsc --project . >&2
node test.mjs "$1" "$chromium" "$2"
