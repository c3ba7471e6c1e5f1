#!/bin/sh
# Judges the contract by other people's rules: lint.sh openapi.json. Nothing may be left to say, not a warning.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
contract=$(realpath "${1:?usage: lint.sh OPENAPI}")
tools=$("$here/tools.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Rule sets are looked for beside their configuration.
cp "$here/redocly.yaml" "$here/spectral.yaml" "$work"
ln -s "$tools/node_modules" "$work/node_modules"
cd "$work"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
said=$(node_modules/.bin/redocly lint --config redocly.yaml "$contract" 2>&1) && ! echo "$said" | grep -q '^\[[0-9]*\]' || { echo "$said" >&2; exit 1; }
node_modules/.bin/spectral lint --quiet --ruleset spectral.yaml --fail-severity hint "$contract" >&2
echo "nobody has anything to say against the contract"
