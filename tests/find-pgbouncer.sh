#!/bin/sh
# Prints the path of PgBouncer: the installed one, otherwise Debian's package, which root installs
# and other users unpack into /tmp.
set -eu

# Debian installs it into /usr/sbin, which is not in every user's PATH.
installed() {
    for file in ${POSTERN_PGBOUNCER:-} "$(command -v pgbouncer || true)" /usr/sbin/pgbouncer; do
        if [ -n "$file" ] && [ -x "$file" ]; then echo "$file"; return 0; fi
    done
    return 1
}

installed && exit 0
command -v apt-get >/dev/null ||
    { echo "PgBouncer not found: install it, or set POSTERN_PGBOUNCER to its path" >&2; exit 1; }

if [ "$(id -u)" = 0 ]; then
    # RUNLEVEL=1: the package does not start its service.
    {
        apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends pgbouncer
    } >&2
    installed
    exit
fi

# Used only if this user owns it. Unpacked elsewhere and then moved, so that it is complete.
unpacked="/tmp/postern-pgbouncer-$(id -u)"
if ! [ -O "$unpacked" ] || ! "$unpacked/run" --version >/dev/null 2>&1; then
    if [ -O "$unpacked" ]; then rm -rf "$unpacked"; fi
    fresh=$(mktemp -d /tmp/postern-unpacking.XXXXXX) && chmod 755 "$fresh"
    libraries=$(apt-cache depends pgbouncer |
        sed -n 's/.*Depends: \(lib\(c-ares\|cares\|event\)[^ ]*\)$/\1/p')
    # shellcheck disable=SC2086 # several words
    (cd "$fresh" && apt-get download -qq pgbouncer $libraries) >&2
    for package in "$fresh"/*.deb; do dpkg -x "$package" "$fresh"; done
    rm -f "$fresh"/*.deb
    cat >"$fresh/run" <<'RUN'
#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH="$here/usr/lib/$(uname -m)-linux-gnu" exec "$here/usr/sbin/pgbouncer" "$@"
RUN
    chmod 755 "$fresh/run"
    if ! mv -T "$fresh" "$unpacked" 2>/dev/null; then rm -rf "$fresh"; fi
fi
"$unpacked/run" --version >/dev/null 2>&1 || {
    echo "the unpacked PgBouncer does not run: install it, or set POSTERN_PGBOUNCER to its path" >&2
    exit 1
}
echo "$unpacked/run"
