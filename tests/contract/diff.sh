#!/bin/sh
# Names what has changed in the contract since a tag, the last version if none is given: diff.sh [SINCE]. Fails where that breaks somebody's client.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(git rev-parse --show-toplevel)
if [ $# -gt 0 ] && [ -n "$1" ]; then
    since=$1
elif [ -n "$(git tag --list 'v*' --merged HEAD)" ]; then
    since=$(git describe --tags --match 'v*' --abbrev=0)
elif [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    echo "this clone has no history to find a tag in: git fetch --unshallow --tags" >&2
    exit 2
else
    echo "no version has been tagged yet, so nothing that is promised has changed"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git show "$since:openapi/openapi.json" >"$work/old.json"
cp "$root/openapi/openapi.json" "$work/new.json"
cp "$here/diff.mjs" "$work"
ln -s "$("$here/tools.sh")/node_modules" "$work/node_modules"
node "$work/diff.mjs" "$since" "$work/old.json" "$work/new.json"
