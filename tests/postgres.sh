#!/bin/sh
# Runs a temporary PostgreSQL cluster, with additional settings from POSTERN_PG_SETTINGS. Prints its
# socket directory when it accepts connections. When its standard input closes, even because the
# calling process was killed, it stops the cluster and deletes its files.
set -eu
trap '' INT HUP

bin=${1:?usage: postgres.sh SERVER_BINARIES_DIRECTORY}
dir=$(mktemp -d /tmp/postern-pg.XXXXXX)

# PostgreSQL does not run as root.
as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown nobody "$dir"
    as_owner() { runuser -u nobody -- "$@"; }
fi

stop() {
    as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap stop EXIT

cd "$dir"
[ -d "$bin/../lib" ] && LD_LIBRARY_PATH="$bin/../lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" &&
    export LD_LIBRARY_PATH
as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync -E UTF8 --locale=C \
    >"$dir/log" 2>&1 ||
    { cat "$dir/log" >&2; exit 1; }
# The owner of the schema has CREATEROLE, so that `postern migrate` can create the other roles.
echo 'CREATE ROLE postern_owner LOGIN CREATEROLE' |
    as_owner "$bin/postgres" --single -D "$dir/data" postgres >"$dir/log" 2>&1 ||
    { cat "$dir/log" >&2; exit 1; }
settings="-c listen_addresses='' -c unix_socket_directories='$dir' -c fsync=off \
    -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 \
    -c log_min_messages=fatal ${POSTERN_PG_SETTINGS:-}"
as_owner "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/server.log" -o "$settings" start \
    >"$dir/log" 2>&1 </dev/null || { cat "$dir/log" "$dir/server.log" >&2; exit 1; }
echo "$dir"
cat >/dev/null
