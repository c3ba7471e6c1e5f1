#!/bin/sh
# Prints the folder of the tools that judge and use the contract: those of package.json in `node_modules`, those of requirements.txt in `python`. What
# is not there yet is brought from the npm and PyPI registries, once for each version of those two files.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${POSTERN_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/postern}
folder=$cache/contract-$(cat "$here/package.json" "$here/requirements.txt" | sha256sum | cut -c 1-16)

if [ ! -d "$folder" ]; then
    for needed in npm python3; do
        command -v $needed >/dev/null || { echo "$needed is needed to bring the tools that judge the contract" >&2; exit 1; }
    done
    mkdir -p "$cache"
    # Whole or not at all: somebody else may be at it too.
    fresh=$(mktemp -d "$cache/tools.XXXXXX")
    trap 'rm -rf "$fresh" "$fresh.python"' EXIT
    cp "$here/package.json" "$fresh"
    {
        (cd "$fresh" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error)
        # A virtual environment knows its own path, so that it cannot be moved.
        python3 -m venv "$fresh.python" && "$fresh.python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    } >&2
    ln -s "$fresh.python" "$fresh/python"
    # From here on it is the one that is used, or somebody else was faster.
    if mv -T "$fresh" "$folder" 2>/dev/null; then trap - EXIT; else [ -d "$folder" ]; fi
fi
echo "$folder"
