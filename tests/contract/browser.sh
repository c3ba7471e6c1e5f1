#!/bin/sh
# Drives Swagger UI in a real browser: browser.sh ADDRESS FOLDER. Pictures of it are left in FOLDER.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
chromium=$("$here/../find-chromium.sh")
tools=$("$here/tools.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$2"
cp "$here/browser.mjs" "$work"
ln -s "$tools/node_modules" "$work/node_modules"
node "$work/browser.mjs" "$1" "$chromium" "$2"
