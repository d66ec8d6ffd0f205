#!/usr/bin/env bash
# A monitor that runs, and troubles that are really made: each alert fires, and clears when its trouble has ended. On a
# cluster of its own, with a standby. The setup shortens the waiting and lowers some thresholds; what is judged, and how, is
# what the rules say. Prints TAP.
# shellcheck source=lib.sh
# The descriptors of sessions are named by eval.
# shellcheck disable=SC2034,SC2154
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=monitor_lib.sh
. "$here/monitor_lib.sh"

command -v python3 >/dev/null || skip_all 'python3 is not installed'

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$work/volume"
    mount -t tmpfs -o size=600m,mode=755 pgmend "$work/volume" && mounts+=("$work/volume")
fi
if [ "${#mounts[@]}" -gt 0 ]; then
    cluster=$work/volume/c
    connection=$("$root/script/cluster" start "$cluster" --scratch --set max_connections=30 --set shared_buffers=1MB \
        --set deadlock_timeout=50ms --set wal_level=logical --set archive_mode=on --set archive_command=/bin/true \
        --set autovacuum=off --set max_wal_size=64MB --set min_wal_size=32MB) || exit 1
    eval "$connection"
else
    start_cluster --set max_connections=30 --set shared_buffers=1MB --set deadlock_timeout=50ms \
        --set wal_level=logical --set archive_mode=on --set archive_command=/bin/true --set autovacuum=off \
        --set max_wal_size=64MB --set min_wal_size=32MB || exit 1
fi
create_database
sql 'CREATE EXTENSION pg_stat_statements' # of this database, which the monitor watches
sql "CREATE TABLE wide AS SELECT g AS id, repeat('x', 1000) AS t FROM generate_series(1, 30000) AS g"
sql 'ANALYZE wide'
sql 'CREATE TABLE writers AS SELECT g AS id FROM generate_series(1, 10) AS g'
sql 'CREATE TABLE books AS SELECT g AS id, 1 + g % 10 AS writer_id FROM generate_series(1, 50) AS g'

# -- the monitor ------------------------------------------------------------------------------------

cat >"$work/monitor.ini" <<INI
[monitor]
interval = 300ms
[server main]
owner = tests
host = local
[alert server-down]
for = 1s
[alert cpu-busy]
threshold = 0.6
clear = 0.5
for = 2s
[alert disk-full]
for = 1s
[alert slow-statements]
for = 2s
[alert cache-hit-low]
for = 2s
[alert connections-used]
for = 2s
[alert connections-exhausted]
for = 1s
[alert rollback-ratio]
for = 0
[alert long-transaction]
threshold = 2s
for = 500ms
[alert idle-in-transaction]
threshold = 2s
for = 500ms
[alert blocked-sessions]
for = 1s
[alert deadlocks]
threshold = 0
clear = 0
for = 0
[alert replication-lag]
threshold = 2s
clear = 1s
for = 0
[alert slot-retention]
threshold = 1MB
for = 0
[alert slot-inactive]
for = 1s
[alert archive-failing]
for = 0
[alert wraparound]
threshold = 0.00001
for = 1s
[alert invalid-index]
for = 1s
[alert checkpoint-storm]
for = 0
[alert dead-rows]
for = 1s
[alert temp-files]
threshold = 100kB
for = 0
[alert pending-restart]
for = 1s
[alert collector-failing]
for = 1s
[alert nplus1-suspects]
for = 0
INI
chmod 600 "$work/monitor.ini"

COLLECT=()
for collector in statement slot setting table wal checkpoint replication wraparound journal; do
    COLLECT+=(--collect "$collector=500ms")
done
start monitor --setup "$work/monitor.ini" --json "${COLLECT[@]}"
monitor=$running

wait_until 'the monitor has a session' holds "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE application_name LIKE 'pgmend%')"

# -- processors -------------------------------------------------------------------------------------

# As many as there are, so that it fires whatever else the machine does. That it clears is seen in monitor_alerts_fed.sh,
# whose machine is idle when it shall be.
spinners=()
for ((i = 0; i < $(nproc); i++)); do
    python3 -c 'while True: pass' &
    spinners+=($!)
done
fires cpu-busy
in_time cpu-busy 2
kill "${spinners[@]}"

# -- statements -------------------------------------------------------------------------------------

# What fires at once clears at once too, so it is not waited for beside others.
calm temp-files
background spilled sql "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT t FROM wide ORDER BY t, id DESC) AS s"
fires temp-files
stop spilled
clears temp-files

calm slow-statements cache-hit-low
background slow sql 'SELECT pg_sleep(1.1)'
background cold sql 'SELECT count(t), count(t), count(id) FROM wide; SELECT max(t) FROM wide; SELECT min(t) FROM wide'
fires slow-statements cache-hit-low
in_time slow-statements 2
in_time cache-hit-low 2
has "$(line_of cache-hit-low firing)" 'Most time, ' 'the statement with most time is named'
stop slow
stop cold
clears slow-statements cache-hit-low

# -- sessions ---------------------------------------------------------------------------------------

session_open boss
session_open holder
session holder 'BEGIN; LOCK TABLE other IN ACCESS EXCLUSIVE MODE;'
session holder "SELECT 'canary-4711' AS its_text;"
for i in 1 2 3; do
    sql 'SELECT count(*) FROM other' >/dev/null &
done
calm deadlocks rollback-ratio
session_open one
session_open two
session one 'BEGIN; UPDATE items SET a = 1 WHERE id = 1;'
session two 'BEGIN; UPDATE items SET a = 1 WHERE id = 2;'
printf 'UPDATE items SET a = 2 WHERE id = 2;\n' >&"$one_fd"
session two 'UPDATE items SET a = 2 WHERE id = 1;'
session one 'COMMIT;'
session two 'COMMIT;'
session_close one
session_close two
fires deadlocks
fires blocked-sessions idle-in-transaction long-transaction
has "$(line_of blocked-sessions firing)" '3 wait for process' 'the blocker is named'
has "$(line_of blocked-sessions firing)" 'by holder' 'with its application'
lacks "$(line_of blocked-sessions firing)" 'canary-4711' 'but not with the text of its session'
session holder 'COMMIT;'
session_close holder
background rolled psql -X -q -d "$db" -c 'DO $$ BEGIN FOR i IN 1..300 LOOP UPDATE items SET a = 0 WHERE id = i; ROLLBACK; END LOOP; END $$'
fires rollback-ratio
stop rolled
clears blocked-sessions idle-in-transaction long-transaction deadlocks rollback-ratio

mkfifo "$work/crowd"
exec {crowd_fd}<>"$work/crowd"
crowd=()
gather() { # how many idle sessions
    local i

    for ((i = 0; i < $1; i++)); do
        PGAPPNAME=crowd psql -X -q -d "$db" <"$work/crowd" >/dev/null 2>&1 &
        crowd+=($!)
    done
}
calm connections-used connections-exhausted
gather 23
fires connections-used
in_time connections-used 2
gather 6
fires connections-exhausted
has "$(line_of connections-exhausted firing)" 'Most of them' 'the largest group is named'
session boss "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'crowd';"
kill "${crowd[@]}" 2>/dev/null
clears connections-exhausted connections-used

# -- tables, indexes, ids, WAL ------------------------------------------------------------------------

# A statement for each row of another. Texts of statements are asked for twice a minute only, so it goes on beside the
# troubles that follow, which ask for nothing of statements.
loop='SELECT id FROM writers;'
for id in {1..10}; do loop+=" SELECT count(*) FROM books WHERE writer_id = $id;"; done
loop+=' SELECT pg_sleep(0.05)'
background looping sql "$loop"

calm invalid-index dead-rows pending-restart collector-failing wraparound slot-retention slot-inactive
sql 'CREATE UNIQUE INDEX CONCURRENTLY items_a ON items (a)' 2>/dev/null
sql 'DELETE FROM items WHERE id % 2 = 0'
sql 'ALTER SYSTEM SET max_connections = 40'
sql 'SELECT pg_reload_conf()' >/dev/null
sql "SELECT pg_create_physical_replication_slot('nobody', true)" >/dev/null
sql 'CREATE TABLE ids (a int)'
sql 'DO $$ BEGIN FOR i IN 1..40000 LOOP BEGIN INSERT INTO ids VALUES (i); EXCEPTION WHEN others THEN NULL; END; END LOOP; END $$'
fires slot-inactive # before slot-retention, which would silence it
sql "INSERT INTO wide SELECT g, repeat('y', 1000) FROM generate_series(1, 3000) AS g"
fires invalid-index dead-rows pending-restart wraparound slot-retention
# The tables of the journal are there once something was applied; a lock on them is in one collector's way.
run index apply "$(script_of 'CREATE INDEX CONCURRENTLY other_x ON other (x);')" "${LAX[@]}"
session boss 'BEGIN; LOCK TABLE pgmend.journal IN ACCESS EXCLUSIVE MODE;'
fires collector-failing
has "$(line_of invalid-index firing)" 'public.items_a' 'the index is named'
has "$(line_of dead-rows firing)" 'public.items' 'the table is named'
has "$(line_of pending-restart firing)" 'max_connections' 'the setting is named'
has "$(line_of collector-failing firing)" '"labels":"collector=' 'the collector is named'
has "$(line_of collector-failing firing)" 'lock timeout' 'with what the server said'
has "$(line_of slot-retention firing)" 'nobody' 'the slot is named'
session boss 'ROLLBACK;'
sql 'DROP INDEX items_a'
sql "SELECT pg_drop_replication_slot('nobody')" >/dev/null
sql 'ALTER SYSTEM RESET max_connections'
sql 'SELECT pg_reload_conf()' >/dev/null
psql -X -q -d postgres -c 'ALTER DATABASE template0 ALLOW_CONNECTIONS true'
vacuumdb --all --freeze --quiet
calm checkpoint-storm archive-failing
background stormy sql 'CHECKPOINT'
fires checkpoint-storm
stop stormy
sql "ALTER SYSTEM SET archive_command = '/bin/false'"
sql 'SELECT pg_reload_conf()' >/dev/null
sql 'INSERT INTO other SELECT g, g FROM generate_series(1000, 1100) AS g; SELECT pg_switch_wal()' >/dev/null
fires archive-failing
sql 'ALTER SYSTEM RESET archive_command'
sql 'SELECT pg_reload_conf()' >/dev/null
clears invalid-index dead-rows pending-restart collector-failing wraparound slot-retention slot-inactive checkpoint-storm \
    archive-failing

fires nplus1-suspects
stop looping
clears nplus1-suspects

# -- a standby, and the machine ---------------------------------------------------------------------------

bin=$(sed -n 's/^bin=//p' "$cluster/place")
mkdir "$work/standby"
chmod 700 "$work/standby"
if [ "$(id -u)" = 0 ]; then
    chown postgres "$work/standby"
    chmod 755 "$work"
fi
if as_server "$bin/pg_basebackup" -h "$PGHOST" -p "$PGPORT" -U "$PGUSER" -D "$work/standby" -R -c fast >"$work/basebackup.out" 2>&1; then
    mkdir "$work/standby_socket"
    chmod 777 "$work/standby_socket"
    as_server "$bin/pg_ctl" -D "$work/standby" -l "$work/standby/log" -w -t 60 start \
        -o "-c unix_socket_directories=$work/standby_socket -c listen_addresses='' -c port=5432" >/dev/null
    wait_sql 'the standby streams' "SELECT EXISTS (SELECT 1 FROM pg_stat_replication WHERE state = 'streaming')"
    on_standby() {
        psql -X -q -A -t -h "$work/standby_socket" -p 5432 -d postgres -c "$1"
    }
    on_standby 'SELECT pg_wal_replay_pause()' >/dev/null
    calm replication-lag
    background writing sql "INSERT INTO other SELECT max(id) + 1, 1 FROM other"
    fires replication-lag
    on_standby 'SELECT pg_wal_replay_resume()' >/dev/null
    clears replication-lag
    stop writing
    as_server "$bin/pg_ctl" -D "$work/standby" -m immediate stop >/dev/null
else
    echo "# no standby: $(tail -n 1 "$work/basebackup.out")"
fi

if [ "${#mounts[@]}" -gt 0 ]; then
    head -c "$(($(df -B1 --output=avail "$work/volume" | tail -n 1) * 9 / 10))" /dev/zero >"$work/volume/filler"
    fires disk-full
    rm "$work/volume/filler"
    clears disk-full
fi

# -- the server -------------------------------------------------------------------------------------------

server stop -m immediate
fires server-down
has "$(line_of server-down firing)" '"severity":"critical"' 'it is critical'
server start
clears server-down
is "$(grep -c '"rule":"server-down".*"state":"firing"' "$work/bg.out")" 1 'and was told once'
say_what_to_do none

kill -TERM "$monitor"
finish
has '0 143' "$rc" 'the monitor ends when it is asked to'
lacks "$(cat "$work/bg.err")" 'bug' 'without complaint'
done_testing
