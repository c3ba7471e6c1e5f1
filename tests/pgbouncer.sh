#!/bin/sh
# Runs PgBouncer in transaction mode in front of a PostgreSQL cluster; every client is connected as
# the server's login. Prints its socket directory when it is ready. Stops when its standard input
# closes.
set -eu
trap '' INT HUP

program=${1:?usage: pgbouncer.sh PROGRAM POSTGRESQL_SOCKET_DIRECTORY}
cluster=${2:?}
dir=$(mktemp -d /tmp/postern-pgb.XXXXXX)

# PgBouncer does not run as root.
as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown nobody "$dir"
    as_owner() { runuser -u nobody -- "$@"; }
fi

stop() {
    kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true
    rm -rf "$dir"
}
trap stop EXIT

cat >"$dir/pgbouncer.ini" <<INI
[databases]
* = host=$cluster user=postern_server
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $dir
auth_type = any
pool_mode = transaction
# Fewer than clients, so that clients reuse each other's connections.
default_pool_size = 3
max_client_conn = 1000
max_db_connections = 3
ignore_startup_parameters = extra_float_digits
pidfile = $dir/pid
logfile = $dir/log
log_connections = 0
log_disconnections = 0
INI
chmod 755 "$dir" && chmod 644 "$dir/pgbouncer.ini"
as_owner "$program" -q -d "$dir/pgbouncer.ini" >"$dir/out" 2>&1 </dev/null ||
    { cat "$dir/out" "$dir/log" >&2; exit 1; }
attempts=0
while ! [ -S "$dir/.s.PGSQL.6432" ]; do
    attempts=$((attempts + 1))
    [ "$attempts" -lt 100 ] || { cat "$dir/log" >&2; exit 1; }
    sleep 0.1
done
echo "$dir"
cat >/dev/null
