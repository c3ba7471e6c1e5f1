#!/bin/sh
# Tests Swagger UI in a browser: browser.sh ADDRESS SCREENSHOTS [SCRIPT]. SCREENSHOTS is a
# directory, SCRIPT a file in this directory.
set -eu

script=${3:-browser.mjs}
here=$(cd "$(dirname "$0")" && pwd)
chromium=$("$here/../find-chromium.sh")
tools=$("$here/tools.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$2"
cp "$here/$script" "$work"
ln -s "$tools/node_modules" "$work/node_modules"
node "$work/$script" "$1" "$chromium" "$2"
