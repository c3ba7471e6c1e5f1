#!/bin/sh
# Tests Swagger UI in a browser: browser.sh ADDRESS SCREENSHOTS [SCENARIO]. SCREENSHOTS is a
# directory.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
chromium=$("$here/../find-chromium.sh")
tools=$("$here/tools.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$2"
cp "$here"/browser/*.mjs "$work"
ln -s "$tools/node_modules" "$work/node_modules"
node "$work/main.mjs" "$1" "$chromium" "$2" ${3:+"$3"}
