#!/bin/sh
# A PostgreSQL cluster to throw away, with further settings in POSTERN_PG_SETTINGS. Prints its socket folder once it accepts
# connections, and lives until its standard input is closed: whatever becomes of the process that holds the other end,
# nothing is left running or lying about.
set -eu
trap '' INT HUP

bin=${1:?usage: postgres.sh FOLDER_OF_SERVER_BINARIES}
dir=$(mktemp -d /tmp/postern-pg.XXXXXX)

# The server refuses to run as root.
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
[ -d "$bin/../lib" ] && LD_LIBRARY_PATH="$bin/../lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" && export LD_LIBRARY_PATH
as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync -E UTF8 --locale=C >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
# The owner of the schema is nobody special; but it may make roles, so that `postern migrate` can make the others.
echo 'CREATE ROLE postern_owner LOGIN CREATEROLE' |
    as_owner "$bin/postgres" --single -D "$dir/data" postgres >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
as_owner "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/server.log" -o "-c listen_addresses='' -c unix_socket_directories='$dir' \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 -c log_min_messages=fatal ${POSTERN_PG_SETTINGS:-}" \
    start >"$dir/log" 2>&1 </dev/null || { cat "$dir/log" "$dir/server.log" >&2; exit 1; }
echo "$dir"
cat >/dev/null
