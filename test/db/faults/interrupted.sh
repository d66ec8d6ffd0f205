#!/usr/bin/env bash
# A build that is stopped half-way: by Ctrl-C, SIGTERM, kill -9, the administrator, a lock. An old snapshot holds each
# build in its last phase (then an unusable index stands there that writes keep up), or a writer in its first one (then
# nobody can drop the rest before the writer ends), until the test lets it go on. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
session_open other

# The build waits until the other session lets it go on; its index cannot be used yet.
begin() { # arguments of index apply
    session other "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
    start index apply "$one" "${LAX[@]}" "$@"
    wait_phase 'waiting for old snapshots'
}

begin_behind_writer() { # arguments of index apply
    session other "BEGIN; UPDATE items SET a = a WHERE id = 1;"
    start index apply "$one" "${LAX[@]}" "$@"
    wait_phase 'waiting for writers before build'
}

let_go() {
    session other "ROLLBACK;"
}

forget() { # what the test before has built
    script "$db" <<<'SET client_min_messages = error; DROP INDEX IF EXISTS items_a; DROP SCHEMA IF EXISTS pgmend CASCADE;'
    rm -rf "$state"
}

# -- signals ------------------------------------------------------------------------------------

for case in "INT 130" "TERM 143"; do
    read -r signal status <<<"$case"
    begin
    is "$(inventory)" 'items_a|f|t|t|f' "SIG$signal: an unusable index stands there while it builds"
    began=$SECONDS
    kill "-$signal" "$running"
    finish
    is "$rc" "$status" "SIG$signal while building: exit status $status"
    is "$((SECONDS - began < 6))" 1 "SIG$signal is obeyed within seconds"
    is "$(inventory)" '' "SIG$signal: nothing of the index is left, although the old snapshot is still held"
    is "$(journal)" 'public.items_a|failed' "SIG$signal: the journal says so"
    is "$(sql "SELECT state FROM pgmend.run")" failed "SIG$signal: and that the run failed"
    has "$err" 'Nothing of public.items_a is left' "SIG$signal: the message says in which state the database is"
    wait_sql 'its sessions are gone' "SELECT count(*) = 0 FROM pg_stat_activity
        WHERE application_name LIKE 'pgmend%' AND datname = current_database()"
    pass "SIG$signal: no session is left in the server"
    let_go
    forget
done

# A second signal, a second later, ends it at once; the next run cleans up.
begin_behind_writer
kill -INT "$running"
wait_sql 'it is cleaning up' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND query ILIKE 'drop index%' AND wait_event_type = 'Lock')"
sleep 1.2 # sooner it would be the same one, told twice
kill -INT "$running"
finish
is "$rc" 130 'a second Ctrl-C ends it at once'
has "$err" 'pgmend status' 'and says where to look'
let_go
wait_sql 'its sessions are gone' "SELECT count(*) = 0 FROM pg_stat_activity
    WHERE application_name LIKE 'pgmend%' AND datname = current_database()"
run index apply "$one" "${LAX[@]}"
is "$rc" 0 'the next run builds'
is "$(inventory)" 'items_a|t|t|t|f' 'the index is good'
forget

# Behind a writer that does not end nobody can drop an index of its table: it is told, and mended later.
begin_behind_writer
began=$SECONDS
kill -INT "$running"
finish
is "$rc" 130 'Ctrl-C behind a writer: exit status 130'
is "$((SECONDS - began < 8))" 1 'Ctrl-C behind a writer is obeyed within seconds'
is "$(journal)" 'public.items_a|leftover' 'the journal says that something is left'
has "$err" 'may be left' 'the message says so'
has "$err" 'DROP INDEX CONCURRENTLY' 'and how to remove it by hand'
is "$(sql "SELECT bool_or(indisready) FROM pg_index WHERE indexrelid = to_regclass('items_a')")" f \
    'what is left costs no write anything'
let_go
run status --exit-code
is "$rc" 3 'status asks for attention'
run index apply "$one" "${LAX[@]}"
is "$rc" 0 'the next run removes the rest and builds'
is "$(inventory)" 'items_a|t|t|t|f' 'the index is good'
is "$(journal | tr '\n' ' ')" 'public.items_a|failed public.items_a|done ' 'the journal tells both'
forget

# -- kill -9 ------------------------------------------------------------------------------------

begin_behind_writer
backend=$(worker)
kill -9 "$running"
finish
is "$rc" 137 'kill -9 ends pgmend'
is "$(sql "SELECT state FROM pg_stat_activity WHERE pid = $backend")" active 'the server goes on building'
run status
has "$both" 'is gone' 'status says that the client is gone'
start index apply "$one" "${LAX[@]}"
wait_until 'the second run has attached' grep -q 'attached to it' "$work/bg.err"
is "$(inventory)" 'items_a|f|f|t|f' 'there is one index, not ready yet'
let_go
finish
is "$rc" 0 'the run that attached ends well'
is "$(inventory)" 'items_a|t|t|t|f' 'there is one index, and it is good'
is "$(journal)" 'public.items_a|done' 'the journal of the killed run was finished'
is "$(sql "SELECT state FROM pgmend.run ORDER BY state" | tr '\n' ' ')" 'done failed ' \
    'the killed run is no longer running in the journal'
has "$both" 'completed by the server' 'it says what has become of the build'
run rollback --all
is "$rc" 0 'what the server finished alone can be undone'
is "$(inventory)" '' 'and is gone'
is "$(sql "SELECT state FROM pgmend.run WHERE command = 'index apply' ORDER BY state" | tr '\n' ' ')" 'done undone ' \
    'the run whose index it was is undone'
forget

# Killed, and the server could not finish it either: the rest is dropped by the next run.
begin
kill -9 "$running"
finish
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index WHERE datname = current_database()" >/dev/null
wait_sql 'the orphan is gone' "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index
    WHERE datname = current_database())"
is "$(inventory)" 'items_a|f|t|t|f' 'an unusable rest is there'
let_go
run status --exit-code
is "$rc" 3 'status asks for attention'
run index apply "$one" "${LAX[@]}"
is "$rc" 0 'the next run drops the rest and builds anew'
is "$(inventory)" 'items_a|t|t|t|f' 'the index is good'
is "$(journal | tr '\n' ' ')" 'public.items_a|failed public.items_a|done ' 'the journal tells both'
forget

# -- the administrator --------------------------------------------------------------------------

for how in pg_terminate_backend pg_cancel_backend; do
    begin --retries 2
    sql "SELECT $how($(worker))" >/dev/null
    wait_until 'the second attempt' grep -q 'trying again' "$work/bg.err"
    let_go
    finish
    is "$rc" 0 "$how: the next attempt succeeds"
    is "$(inventory)" 'items_a|t|t|t|f' "$how: the index is good"
    is "$(sql "SELECT state, detail ->> 'attempts' FROM pgmend.journal")" 'done|2' "$how: the journal counts the attempts"
    forget

    begin --retries 0
    sql "SELECT $how($(worker))" >/dev/null
    finish
    is "$rc" 5 "$how without retries: failed and undone"
    is "$(inventory)" '' "$how without retries: nothing is left"
    is "$(journal)" 'public.items_a|failed' "$how without retries: the journal says so"
    let_go
    forget

    # The clean-up itself is hit too.
    begin_behind_writer --retries 0
    sql "SELECT $how($(worker))" >/dev/null
    wait_sql 'the clean-up waits' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND query ILIKE 'drop index%' AND wait_event_type = 'Lock')"
    sql "SELECT $how($(worker))" >/dev/null
    let_go
    finish
    is "$rc" 5 "$how during the clean-up as well: failed and undone"
    is "$(inventory)" '' "$how during the clean-up as well: nothing is left"
    forget
done

# -- locks --------------------------------------------------------------------------------------

# The lock is taken first, so that no index is left when it cannot be had.
session other "BEGIN; LOCK TABLE items IN SHARE UPDATE EXCLUSIVE MODE;"
run index apply "$one" "${LAX[@]}" --lock-timeout 100ms --retries 1
is "$rc" 5 'the lock of the table cannot be had: failed and undone'
is "$(inventory)" '' 'nothing is left'
is "$(sql "SELECT detail ->> 'attempts' FROM pgmend.journal")" 2 'it was tried as often as allowed'
has "$err" 'lock' 'the message names the lock'
let_go
forget

# Meanwhile the name is taken: what stands there is somebody else's.
session other "BEGIN; LOCK TABLE items IN SHARE UPDATE EXCLUSIVE MODE;"
start index apply "$one" "${LAX[@]}" --lock-timeout 20s
wait_sql 'it waits for the lock' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'LOCK TABLE%' AND wait_event_type = 'Lock')"
session other "CREATE INDEX items_a ON items (b); COMMIT;"
finish
is "$rc" 9 'the name is taken while it waits: stale'
has "$err" 'was not touched' 'the message says that it was not touched'
is "$(sql "SELECT pg_get_indexdef('items_a'::regclass)")" 'CREATE INDEX items_a ON public.items USING btree (b)' \
    'nor was it'
is "$(journal)" 'public.items_a|failed' 'the journal says so'
forget

# LOCK TABLE takes no materialized view; it is built all the same.
sql 'CREATE MATERIALIZED VIEW seen AS SELECT id, a FROM items'
printf 'CREATE INDEX CONCURRENTLY seen_a ON seen (a);\n' >"$work/seen.sql"
run index apply "$work/seen.sql" "${LAX[@]}"
is "$rc" 0 'an index of a materialized view is built'
sql 'DROP MATERIALIZED VIEW seen'
forget

# The wait for others is bounded too, and what it leaves is dropped.
begin --wait-limit 700ms
finish
is "$rc" 5 'an old snapshot that does not end: failed and undone'
is "$(inventory)" '' 'the unusable index was dropped, although the snapshot is still held'
has "$err" 'longer than 700 ms for other transactions' 'the message says what it waited for'
has "$err" '(other, user' 'and for whom'
is "$(sql "SELECT detail ->> 'attempts' FROM pgmend.journal")" 1 'the limit is one for all, not for each attempt'
let_go
forget

begin_behind_writer --wait-limit 700ms
finish
is "$rc" 6 'a writer that does not end: a person is needed'
is "$(journal)" 'public.items_a|leftover' 'the journal says that something is left'
has "$err" '(other, user' 'the message names the writer'
let_go
forget
session_close other
done_testing
