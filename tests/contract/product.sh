#!/bin/sh
# Type-checks and starts the product backend from docs/integrate, in the directory of its
# `postern.json`: product.sh typescript|python POSTERN PORT.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
language=$1 postern=$2 port=$3
tools=$("$here/tools.sh")
case $language in
typescript)
    cp "$here/../../docs/integrate/product.ts" "$here/typescript/tsconfig.json" .
    ln -s "$tools/node_modules" node_modules
    echo '{ "type": "module" }' >package.json
    node_modules/.bin/tsc --project . >&2
    exec node product.js "$postern" "$port"
    ;;
python)
    cp "$here/../../docs/integrate/product.py" .
    "$tools/python/bin/mypy" --strict product.py >&2
    exec "$tools/python/bin/python" product.py "$postern" "$port"
    ;;
esac
