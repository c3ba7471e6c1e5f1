#!/bin/sh
# Lints the contract with third-party rules: lint.sh OPENAPI [OPENAPI_3_0]. Fails on warnings too.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
contract=$(realpath "${1:?usage: lint.sh OPENAPI [OPENAPI_3_0]}")
older=${2:+$(realpath "$2")}
tools=$("$here/tools.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The linters load rule sets from node_modules beside their configuration.
cp "$here/redocly.yaml" "$here/spectral.yaml" "$work"
ln -s "$tools/node_modules" "$work/node_modules"
cd "$work"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
report=$(node_modules/.bin/redocly lint --config redocly.yaml "$contract" 2>&1) &&
    ! echo "$report" | grep -q '^\[[0-9]*\]' || { echo "$report" >&2; exit 1; }
node_modules/.bin/spectral lint --quiet --ruleset spectral.yaml --fail-severity hint "$contract" >&2
if [ -n "$older" ]; then
    # The schema of OpenAPI 3.0: the style is that of the first document.
    echo 'extends: [["spectral:oas", off]]
rules: { oas3-schema: true }' >oas3.yaml
    node_modules/.bin/spectral lint --quiet --ruleset oas3.yaml --fail-severity hint "$older" >&2
    report=$(node_modules/.bin/redocly lint --extends spec --skip-rule nullable-type-sibling \
        "$older" 2>&1) || { echo "$report" >&2; exit 1; }
fi
echo "no lint warnings in the contract"
