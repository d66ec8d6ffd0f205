#!/usr/bin/env bash
# kill -9 at many moments of a plan with changes of every kind, and then a rollback at once; and kill -9 of the rollback
# itself. Afterwards the schema is what it was, and nothing is left over. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=fill_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/fill_lib.sh"

readonly POINTS=12

prepare 1000
measure_run
is "$rc" 0 'an undisturbed run'
run rollback --all
is "$rc|$(as_before)" '0|same' 'is undone'

for ((i = 1; i <= POINTS; i++)); do
    at=$((lasted * i / (POINTS + 1)))
    apply_and_kill "$at"
    run rollback --all
    [ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
    is "$rc|$(leftovers)|$(as_before)" '0||same' "killed after $at ms and rolled back"
done

for ((i = 1; i <= POINTS; i++)); do
    run apply "$plan" "${LAX[@]}"
    start rollback --all
    pause $((i * 15))
    kill -9 "$running" 2>/dev/null
    wait "$running" 2>/dev/null
    run rollback --all
    [ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
    is "$rc|$(leftovers)|$(as_before)" '0||same' "rollback killed after $((i * 15)) ms and run again"
done

# -- Ctrl-C -------------------------------------------------------------------------------------

# Column and trigger stand, the rows are empty again, and one of them is held by somebody else.
run apply "$plan" "${LAX[@]}"
mapfile -t ids < <(sql "SELECT id FROM pgmend.journal WHERE state = 'done' AND kind NOT IN ('add column', 'create trigger')")
run rollback "${ids[@]}"
is "$rc" 0 'all but column and trigger is undone'
sql "ALTER TABLE items DISABLE TRIGGER items_weight; UPDATE items SET weight = NULL;
     ALTER TABLE items ENABLE TRIGGER items_weight"
session_open other
session other "BEGIN; SELECT 1 FROM items WHERE id = 900 FOR UPDATE;"
start apply "$plan" "${LAX[@]}"
wait_sql 'the fill waits for the row' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
    AND query LIKE 'UPDATE ONLY%' AND wait_event_type = 'Lock')"
kill -INT "$running"
finish
is "$rc" 130 'Ctrl-C while rows are filled'
has "$err" 'are filled and stay; the same command goes on after them' 'it says what stays'
filled=$(sql "SELECT count(weight) > 0 FROM items")
is "$filled" t 'what was filled stays'
session other "ROLLBACK;"
run apply "$plan" "${LAX[@]}"
is "$rc|$(sql "$WRONG")" '0|0' 'the same command goes on'
has "$both" 'going on after' 'it says so'
run rollback --all
is "$rc|$(as_before)" '0|same' 'and all of it is undone'

# -- only a part is done ------------------------------------------------------------------------

sql "CREATE TABLE items_by_weight ()"
run apply "$plan" "${LAX[@]}"
is "$rc" 9 'a name that is taken stops the plan'
has "$err" '3 of 8 changes are done and stay' 'it says what stays'
sql "DROP TABLE items_by_weight"
run rollback
is "$rc|$(leftovers)|$(as_before)" '0||same' 'which is undone'
done_testing
