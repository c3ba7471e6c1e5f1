#!/bin/sh
# Prints the directory of the contract tools: packages of package.json in `node_modules`, of
# requirements.txt in `python`. Installs them from npm and PyPI once per version of these files.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${POSTERN_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/postern}
version=$(cat "$here/package.json" "$here/requirements.txt" | sha256sum | cut -c 1-16)
folder=$cache/contract-$version

if [ ! -d "$folder" ]; then
    for program in npm python3; do
        command -v $program >/dev/null ||
            { echo "$program not found: install it to run the contract tools" >&2; exit 1; }
    done
    mkdir -p "$cache"
    # Installed elsewhere and then moved, so that it is complete: other processes may install too.
    fresh=$(mktemp -d "$cache/tools.XXXXXX")
    trap 'rm -rf "$fresh" "$fresh.python"' EXIT
    cp "$here/package.json" "$fresh"
    {
        (cd "$fresh" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error)
        # A virtual environment cannot be moved: it contains its own path.
        python3 -m venv "$fresh.python" && "$fresh.python/bin/pip" install --quiet \
            --disable-pip-version-check -r "$here/requirements.txt"
    } >&2
    ln -s "$fresh.python" "$fresh/python"
    # Fails if another process has installed the tools first; then those are used.
    if mv -T "$fresh" "$folder" 2>/dev/null; then trap - EXIT; else [ -d "$folder" ]; fi
fi
echo "$folder"
