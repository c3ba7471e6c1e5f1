#!/bin/sh
# Prints the path of Chromium: the machine's own; else, as root, from Debian's packages.
set -eu

own() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
own && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >&2 && own && exit 0
fi
echo "no Chromium found; install it" >&2
exit 1
