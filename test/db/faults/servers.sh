#!/usr/bin/env bash
# Servers in trouble: restarted and crashed during a build, a standby, volumes that fill up. On a cluster of its own;
# volumes are small tmpfs ones, for which it needs to be root. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

start_cluster --set max_wal_size=64MB --set min_wal_size=32MB || exit 1
create_database
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
session_open other

hold() {
    session other "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
}

forget() {
    script "$db" <<<'SET client_min_messages = error; DROP INDEX IF EXISTS items_a; DROP SCHEMA IF EXISTS pgmend CASCADE;'
    rm -rf "$state"
}

# -- the server goes away and comes back ----------------------------------------------------------

for how in "pg_ctl stop -m immediate" "kill -9 of the build's process"; do
    hold
    start index apply "$one" "${LAX[@]}"
    wait_phase 'waiting for old snapshots'
    if [ "${how%% *}" = pg_ctl ]; then
        server stop -m immediate
        wait_until 'it tries to connect again' grep -q 'connecting again' "$work/bg.err"
        server start
    else
        kill -9 "$(worker)"
    fi
    finish
    is "$rc" 0 "$how: the build is begun anew and succeeds"
    [ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
    is "$(inventory)" 'items_a|t|t|t|f' "$how: the index is good"
    is "$(journal)" 'public.items_a|done' "$how: the journal says so"
    session_close other
    session_open other
    forget

    hold
    start index apply "$one" "${LAX[@]}" --retries 0
    wait_phase 'waiting for old snapshots'
    if [ "${how%% *}" = pg_ctl ]; then
        server stop -m immediate
        server start
    else
        kill -9 "$(worker)"
    fi
    finish
    is "$rc" 5 "$how without retries: failed and undone"
    is "$(inventory)" '' "$how without retries: nothing is left"
    is "$(journal)" 'public.items_a|failed' "$how without retries: the journal says so"
    session_close other
    session_open other
    forget
done

# -- a standby ----------------------------------------------------------------------------------

bin=$(sed -n 's/^bin=//p' "$cluster/place")
install -d -m 700 "$work/standby-socket"
[ "$(id -u)" != 0 ] || chown postgres "$work/standby-socket"
chmod 777 "$work"
as_server "$bin/pg_basebackup" -h "$PGHOST" -p "$PGPORT" -U postgres -D "$work/standby" -c fast -R 2>"$work/basebackup.err" ||
    sed 's/^/# /' "$work/basebackup.err"
chmod 755 "$work"
as_server "$bin/pg_ctl" -D "$work/standby" -l "$work/standby/startup.log" -w \
    -o "-c unix_socket_directories='$work/standby-socket'" start >/dev/null
standby="host=$work/standby-socket port=$PGPORT dbname=$db user=postgres"
for command in "index apply $one ${LAX[*]}" "apply $one ${LAX[*]}" rollback "gate pass team --note x" "uninstall --yes"; do
    # shellcheck disable=SC2086
    run $command --db-url "$standby"
    if [ "$command" = rollback ]; then
        has "$both" 'nothing to undo' 'rollback on a standby: nothing to undo'
        continue
    fi
    is "$rc" 1 "${command%% /*} on a standby is refused"
    has "$err" 'the server is a standby' "${command%% /*}: the message says why"
done
run status --db-url "$standby"
is "$rc" 0 'status on a standby'
run plan "$one" --db-url "$standby"
has "$both" 'standby' 'plan on a standby: the message names it'
as_server "$bin/pg_ctl" -D "$work/standby" -m immediate stop >/dev/null

# -- a full tablespace --------------------------------------------------------------------------

if [ "$(id -u)" != 0 ]; then
    echo '# not root: no volume can be made to fill up'
    session_close other
    done_testing
fi

volume() { # name size
    mkdir "$work/$1"
    mount -t tmpfs -o "size=$2,mode=700,uid=$(id -u postgres)" tmpfs "$work/$1" || return
    mounts+=("$work/$1")
}

if volume small 4m; then
    sql "CREATE TABLESPACE small LOCATION '$work/small'" postgres
    sql 'CREATE TABLE wide AS SELECT g, repeat(md5(g::text), 4) AS t FROM generate_series(1, 60000) AS g'
    printf '%s\n' 'CREATE INDEX CONCURRENTLY wide_t ON wide (t) TABLESPACE small;' >"$work/wide.sql"
    sql 'ANALYZE wide'
    run index apply "$work/wide.sql" --dry-run "${LAX[@]}"
    has "$out" 'data and temporary files: ' 'the gate looks at the tablespace'
    run index apply "$work/wide.sql"
    is "$rc" 4 'a tablespace without room: a gate is red'
    has "$err" 'data (' 'it is the one for data'
    run index apply "$work/wide.sql" "${LAX[@]}"
    is "$rc" 5 'overridden, the volume fills up: failed and undone'
    has "$err" 'No space left on device' 'the message is the server'\''s'
    is "$(inventory)" '' 'the rest was dropped'
    sql 'CHECKPOINT'
    is "$(find "$work/small" -type f -size +100k | wc -l)" 0 'the space is free again'
    is "$(journal)" 'public.wide_t|failed' 'the journal says so'
    sql "ALTER ROLE postgres SET temp_tablespaces = small; ALTER ROLE postgres SET default_tablespace = small"
    printf '%s\n' 'CREATE INDEX CONCURRENTLY wide_t ON wide (t);' >"$work/wide.sql"
    run gate "$work/wide.sql"
    has "$out" 'fail  data' 'a default tablespace of the role counts'
    sql "ALTER ROLE postgres RESET default_tablespace"
    run gate "$work/wide.sql"
    has "$out" 'fail  data' 'so does its space for temporary files'
    sql "ALTER ROLE postgres RESET temp_tablespaces"
    run gate "$work/wide.sql"
    has "$out" 'ok    data' 'without them there is room'
    forget
    sql 'DROP TABLE wide'
    sql 'DROP TABLESPACE small'
fi

# -- a full pg_wal ------------------------------------------------------------------------------

session_close other
if volume wal 420m; then
    server stop -m fast
    cp -a "$cluster/data/pg_wal/." "$work/wal/"
    rm -rf "$cluster/data/pg_wal"
    ln -s "$work/wal" "$cluster/data/pg_wal"
    server start
    session_open other

    dd if=/dev/zero of="$work/wal/filler" bs=1M count=390 2>/dev/null
    run index apply "$one" "${LAX[@]}"
    is "$rc" 4 'too little room for WAL: the gate is red, and no override helps'
    has "$err" 'wal (pg_wal:' 'it is the one for WAL'
    is "$(inventory)" '' 'nothing is built'
    rm "$work/wal/filler"
    run index apply "$one" "${LAX[@]}" --dry-run
    has "$out" 'ok    wal' 'with room it is green'

    hold
    start index apply "$one" "${LAX[@]}"
    wait_phase 'waiting for old snapshots'
    dd if=/dev/zero of="$work/wal/filler" bs=1M count=250 2>/dev/null
    finish
    is "$rc" 4 'pg_wal fills up while it builds: the build is cancelled'
    has "$err" 'pg_wal ran low' 'the message says why'
    is "$(inventory)" '' 'nothing is left'
    is "$(journal)" 'public.items_a|failed' 'the journal says so'
    is "$(sql "SELECT now() - pg_postmaster_start_time() > '0' AND NOT pg_is_in_recovery()")" t 'the server is up'
    session other "ROLLBACK;"
    session_close other
fi
done_testing
