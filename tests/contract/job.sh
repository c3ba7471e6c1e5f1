#!/bin/sh
# Generates a client from the contract, type-checks the program that uses it, and runs the program
# against a server: job.sh typescript|hey-api|python OPENAPI ADDRESS.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
language=$1 contract=$(realpath "$2") address=$3
tools=$("$here/tools.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/$language"/* "$work"
cd "$work"
case $language in
typescript)
    ln -s "$tools/node_modules" node_modules
    echo '{ "type": "module" }' >package.json
    node_modules/.bin/openapi-typescript "$contract" --output contract.d.ts >generated.log 2>&1 ||
        { cat generated.log >&2; exit 1; }
    node_modules/.bin/tsc --project . >&2
    node main.js "$address"
    ;;
hey-api)
    ln -s "$tools/node_modules" node_modules
    cp "$here/typescript/tsconfig.json" .
    echo '{ "type": "module" }' >package.json
    # Node.js requires extensions in imports.
    cat >openapi-ts.config.mjs <<END
export default {
  input: "$contract",
  output: { path: "client", module: { extension: ".js" }, tsConfigPath: "tsconfig.json" },
};
END
    node_modules/.bin/openapi-ts --file openapi-ts.config.mjs >generated.log 2>&1 ||
        { cat generated.log >&2; exit 1; }
    # The generated code does not follow these two rules.
    node_modules/.bin/tsc --project . --exactOptionalPropertyTypes false --noUnusedLocals false >&2
    node main.js "$address"
    ;;
python)
    # The generator runs a formatter that it finds in PATH.
    PATH=$tools/python/bin:$PATH openapi-python-client generate --path "$contract" --meta none \
        --output-path postern_client --fail-on-warning >generated.log 2>&1 ||
        { cat generated.log >&2; exit 1; }
    "$tools/python/bin/mypy" --config-file mypy.ini main_job.py >&2
    "$tools/python/bin/python" main_job.py "$address"
    ;;
esac
