#!/bin/sh
# Lists contract changes since a tag (default: the last version): diff.sh [SINCE]. Fails if a change
# is breaking or unclassified.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(git rev-parse --show-toplevel)
if [ $# -gt 0 ] && [ -n "$1" ]; then
    since=$1
elif [ -n "$(git tag --list 'v*' --merged HEAD)" ]; then
    since=$(git describe --tags --match 'v*' --abbrev=0)
elif [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    echo "shallow clone without tags: run git fetch --unshallow --tags" >&2
    exit 2
else
    echo "no version is tagged: nothing to compare"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git show "$since:openapi/openapi.json" >"$work/old.json"
cp "$root/openapi/openapi.json" "$work/new.json"
cp "$here/diff.mjs" "$work"
ln -s "$("$here/tools.sh")/node_modules" "$work/node_modules"
node "$work/diff.mjs" "$since" "$work/old.json" "$work/new.json"
