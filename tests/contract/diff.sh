#!/bin/sh
# Names what has changed in the contract since a tag, the last one if none is given: diff.sh [SINCE]. Fails where that breaks somebody's client.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
since=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
[ -n "$since" ] || { echo "nothing has been tagged yet, so nothing that is promised has changed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git show "$since:openapi/openapi.json" >"$work/old.json"
cp "$(git rev-parse --show-toplevel)/openapi/openapi.json" "$work/new.json"
cp "$here/diff.mjs" "$work"
ln -s "$("$here/tools.sh")/node_modules" "$work/node_modules"
node "$work/diff.mjs" "$since" "$work/old.json" "$work/new.json"
