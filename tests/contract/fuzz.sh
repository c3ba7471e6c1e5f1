#!/bin/sh
# Fuzzes a server with valid and invalid requests generated from the contract, as one account:
# fuzz.sh OPENAPI ADDRESS EMAIL SEED EXAMPLES [PHASES]. The same seed repeats a run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
contract=$(realpath "$1") address=$2 email=$3 seed=$4 examples=$5
phases=${6:-examples,coverage,fuzzing,stateful}
tools=$("$here/tools.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/schemathesis.toml" "$work"
cd "$work"
token=$(curl -sS --fail "$address/v1/auth/login" -H 'content-type: application/json' \
    -d "{\"email\":\"$email\",\"password\":\"${POSTERN_DEMO_PASSWORD:-postern-demo-2026}\"}" |
    grep -o '"access_token":"[^"]*"' | cut -d '"' -f 4)
[ -n "$token" ] || { echo "$email cannot sign in at $address" >&2; exit 1; }
if ! "$tools/python/bin/schemathesis" --config-file schemathesis.toml --no-color run "$contract" \
    --url "$address" --header "Authorization: Bearer $token" --checks all --seed "$seed" \
    --max-examples "$examples" --phases "$phases" --request-timeout 30 >report 2>&1; then
    cat report >&2
    exit 1
fi
grep -E ' generated, |API Links' report
case $phases in
*stateful*)
    grep -qE 'API Links: +[1-9]' report ||
        { echo "no link of the contract was followed" >&2; exit 1; }
    ;;
esac
