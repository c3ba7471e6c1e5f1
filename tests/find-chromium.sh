#!/bin/sh
# Prints the path of Chromium: the installed one, otherwise (as root) Debian's package.
set -eu

installed() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
installed && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    {
        apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
    } >&2 && installed && exit 0
fi
echo "Chromium not found: install it" >&2
exit 1
