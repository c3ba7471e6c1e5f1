#!/bin/sh
# Prints the path of PgBouncer: the machine's own; else, as root, from Debian's package; else unpacked from it, without root.
set -eu

# Debian keeps it where only root looks.
own() { for file in ${POSTERN_PGBOUNCER:-} "$(command -v pgbouncer || true)" /usr/sbin/pgbouncer; do
    if [ -n "$file" ] && [ -x "$file" ]; then echo "$file"; return 0; fi
done; return 1; }

own && exit 0
command -v apt-get >/dev/null || { echo "no PgBouncer found; install it, or name it in POSTERN_PGBOUNCER" >&2; exit 1; }

if [ "$(id -u)" = 0 ]; then
    # Only the program: no service is to be started.
    {
        apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pgbouncer
    } >&2
    own
    exit
fi

# Only trusted if it is our own, and unpacked whole or not at all.
unpacked="/tmp/postern-pgbouncer-$(id -u)"
if ! [ -O "$unpacked" ] || ! "$unpacked/run" --version >/dev/null 2>&1; then
    if [ -O "$unpacked" ]; then rm -rf "$unpacked"; fi
    fresh=$(mktemp -d /tmp/postern-unpacking.XXXXXX) && chmod 755 "$fresh"
    libraries=$(apt-cache depends pgbouncer | sed -n 's/.*Depends: \(lib\(c-ares\|cares\|event\)[^ ]*\)$/\1/p')
    # shellcheck disable=SC2086 # several words
    (cd "$fresh" && apt-get download -qq pgbouncer $libraries) >&2
    for package in "$fresh"/*.deb; do dpkg -x "$package" "$fresh"; done
    rm -f "$fresh"/*.deb
    printf '#!/bin/sh\nhere=$(dirname "$0")\nLD_LIBRARY_PATH="$here/usr/lib/$(uname -m)-linux-gnu" exec "$here/usr/sbin/pgbouncer" "$@"\n' >"$fresh/run"
    chmod 755 "$fresh/run"
    if ! mv -T "$fresh" "$unpacked" 2>/dev/null; then rm -rf "$fresh"; fi
fi
"$unpacked/run" --version >/dev/null 2>&1 || { echo "PgBouncer was unpacked and does not run; install it, or name it in POSTERN_PGBOUNCER" >&2; exit 1; }
echo "$unpacked/run"
