#!/usr/bin/env bash
# A real PgBouncer between: in transaction and session mode pgmend refuses to change anything. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pgbouncer=$(command -v pgbouncer || echo /usr/sbin/pgbouncer)
[ -x "$pgbouncer" ] || skip_all 'pgbouncer is not installed'

create_database
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')

begin_pooler() { # mode
    install -d -m 777 "$work/$1"
    cat >"$work/$1/pgbouncer.ini" <<INI
[databases]
$db = host=$PGHOST port=${PGPORT:-5432} dbname=$db user=${PGUSER:-postgres}
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $work/$1
auth_type = any
pool_mode = $1
logfile = $work/$1/log
pidfile = $work/$1/pooler.pid
INI
    as_server "$pgbouncer" -q "$work/$1/pgbouncer.ini" >"$work/$1/err" 2>&1 &
    wait_until 'pgbouncer answers' psql -X -q -c 'SELECT 1' -d "host=$work/$1 port=6432 dbname=$db"
}

for mode in transaction session; do
    begin_pooler "$mode"
    url="host=$work/$mode port=6432 dbname=$db"
    for command in "index apply $one ${LAX[*]}" "apply $one ${LAX[*]}" "rehearse $one"; do
        # shellcheck disable=SC2086
        run $command --db-url "$url"
        is "$rc" 1 "${command%% /*} through a pooler in $mode mode is refused"
        has "$err" 'a connection pooler stands between' "${command%% /*}: the message says why"
        has "$err" 'own host and port' "${command%% /*}: and what to do"
    done
    run status --db-url "$url"
    is "$rc" 0 "status through a pooler in $mode mode"
done
is "$(inventory)" '' 'no index was made'
is "$(sql "SELECT to_regclass('pgmend.run') IS NULL")" t 'not even schema pgmend was made'
run index apply "$one" "${LAX[@]}"
is "$rc" 0 'directly it works'
for command in rollback 'uninstall --yes'; do
    # shellcheck disable=SC2086
    run $command --db-url "$url"
    is "$rc" 1 "$command through a pooler is refused"
    has "$err" 'a connection pooler stands between' "$command: the message says why"
done
is "$(inventory)" 'items_a|t|t|t|f' 'the index was not touched'
done_testing
