#!/usr/bin/env bash
# A build that is stopped half-way: by Ctrl-C, SIGTERM, kill -9, the administrator, and by a lock. A transaction that has
# written to the table holds each build in its first phase until the test lets it go on. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly INDEX='CREATE INDEX CONCURRENTLY items_a ON items (a);'
create_database
one=$(script_of "$INDEX")
session_open writer

hold() {
    session writer "BEGIN; UPDATE other SET x = x; UPDATE items SET a = a WHERE id = 1;"
}

let_go() {
    session writer "ROLLBACK;"
}

forget() { # what the test before has built
    script "$db" <<<'DROP INDEX IF EXISTS items_a; DROP SCHEMA IF EXISTS pgmend CASCADE;' 2>/dev/null
    rm -rf "$state"
}

# -- signals ------------------------------------------------------------------------------------

for case in "INT 130" "TERM 143"; do
    read -r signal status <<<"$case"
    hold
    start index apply "$one" "${LAX[@]}"
    wait_phase 'waiting for writers before build'
    began=$SECONDS
    kill "-$signal" "$running"
    finish
    is "$rc" "$status" "SIG$signal while building: exit status $status"
    is "$((SECONDS - began < 6))" 1 "SIG$signal is obeyed within seconds"
    is "$(inventory)" '' "SIG$signal: nothing of the index is left"
    is "$(journal)" 'public.items_a|failed' "SIG$signal: the journal says so"
    is "$(sql "SELECT state FROM pgmend.run")" failed "SIG$signal: and that the run failed"
    has "$err" 'Nothing of public.items_a is left' "SIG$signal: the message says in which state the database is"
    let_go
    is "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgmend%'
                  AND datname = current_database()")" 0 "SIG$signal: no session is left in the server"
    forget
done

# -- kill -9 ------------------------------------------------------------------------------------

hold
start index apply "$one" "${LAX[@]}"
wait_phase 'waiting for writers before build'
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
is "$(sql "SELECT state FROM pgmend.run ORDER BY started_at, id" | sort | tr '\n' ' ')" 'done failed ' \
    'the killed run is no longer running in the journal'
has "$both" 'completed by the server' 'it says what has become of the build'
is "$(worker)" '' 'nothing was built a second time'
run rollback --all
is "$rc" 0 'what the server finished alone can be undone'
is "$(inventory)" '' 'and is gone'
forget

# Killed, and the server could not finish it either: the rest is dropped by the next run.
hold
start index apply "$one" "${LAX[@]}"
wait_phase 'waiting for writers before build'
kill -9 "$running"
finish
sql "SELECT pg_terminate_backend($(worker))" >/dev/null
wait_sql 'the orphan is gone' "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index
    WHERE datname = current_database())"
is "$(inventory)" 'items_a|f|f|t|f' 'an unusable rest is there'
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
    hold
    start index apply "$one" "${LAX[@]}" --retries 2
    wait_phase 'waiting for writers before build'
    before=$(worker)
    sql "SELECT $how($before)" >/dev/null
    # shellcheck disable=SC2016
    wait_until 'the second attempt' grep -q 'trying again' "$work/bg.err"
    let_go
    finish
    is "$rc" 0 "$how: the next attempt succeeds"
    is "$(inventory)" 'items_a|t|t|t|f' "$how: the index is good"
    is "$(sql "SELECT state, detail ->> 'attempts' FROM pgmend.journal")" 'done|2' "$how: the journal counts the attempts"
    forget

    hold
    start index apply "$one" "${LAX[@]}" --retries 0
    wait_phase 'waiting for writers before build'
    sql "SELECT $how($(worker))" >/dev/null
    finish
    is "$rc" 5 "$how without retries: failed and undone"
    is "$(inventory)" '' "$how without retries: nothing is left"
    is "$(journal)" 'public.items_a|failed' "$how without retries: the journal says so"
    let_go
    forget
done

# -- locks --------------------------------------------------------------------------------------

# E5c: the lock is taken first, so that no index is left when it cannot be had.
session writer "BEGIN; LOCK TABLE items IN SHARE UPDATE EXCLUSIVE MODE;"
run index apply "$one" "${LAX[@]}" --lock-timeout 100ms --retries 1
is "$rc" 5 'the lock of the table cannot be had: failed and undone'
is "$(inventory)" '' 'nothing is left'
is "$(sql "SELECT detail ->> 'attempts' FROM pgmend.journal")" 2 'it was tried as often as allowed'
has "$err" 'lock' 'the message names the lock'
session writer "ROLLBACK;"
forget

# E5a: the wait for others is bounded too, and what it leaves is dropped.
hold
began=$SECONDS
run index apply "$one" "${LAX[@]}" --wait-limit 700ms
is "$rc" 5 'a writer that does not end: failed and undone'
is "$(inventory)" '' 'the unusable index was dropped, although the writer is still there'
has "$err" 'longer than 700.0 ms for other transactions' 'the message says what it waited for'
has "$err" 'writer' 'and for whom'
is "$((SECONDS - began < 8))" 1 'the limit is a limit, not one for each attempt'
let_go
forget
session_close writer
done_testing
