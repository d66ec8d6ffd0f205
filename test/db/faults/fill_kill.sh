#!/usr/bin/env bash
# kill -9 at many moments of a plan that adds a column, keeps and fills it, and more; the same command is run again until
# it is done, and nothing is wrong, missing or left over. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=fill_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/fill_lib.sh"

readonly POINTS=25

prepare 2000
run rehearse "$plan"
is "$rc" 0 'the plan is rehearsed on a copy of the schema'
has "$out" '8 done, 8 undone' 'all of it was done and undone there'
measure_run
is "$rc" 0 'an undisturbed run'
has "$out" '8 of 8 changes done' 'it says what it did'
is "$(sql "$WRONG")" 0 'all rows are filled'
run apply "$plan" "${LAX[@]}"
is "$rc" 0 'once more: nothing is done twice'
has "$out" 'there already' 'it says that it was there'
run status
has "$out" 'public.items.weight (filled)' 'status shows the filled column'
has "$out" 'enabled' 'status shows the trigger'
run history
has "$out" 'fill column' 'history shows the kinds'
run rollback --all
is "$rc" 0 'all of it is undone'
is "$(schema)" "$before" 'the schema is what it was'

cut=0
for ((i = 1; i <= POINTS; i++)); do
    at=$((lasted * i / (POINTS + 1)))
    apply_and_kill "$at"
    # Rows come and change between the runs, as in life; from some moment on the trigger sees them.
    sql "INSERT INTO items SELECT 100000 + $i, $i, 'new', 'new'; UPDATE items SET a = a + 1 WHERE id % 500 = $i" >/dev/null
    open=$(sql "SELECT string_agg(kind || ' ' || state, ', ') FROM pgmend.journal WHERE state NOT IN ('done', 'undone', 'failed')" 2>/dev/null)
    [ -z "$open" ] || cut=$((cut + 1))
    run apply "$plan" "${LAX[@]}"
    [ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
    is "$rc|$(sql "$WRONG")|$(leftovers)" '0|0|' "killed after $at ms (${open:-nothing open}): the next run completes it"
    is "$(inventory)" 'items_by_weight|t|t|t|f' "killed after $at ms: one good index, the old one gone"
    run rollback --all
    is "$rc|$(leftovers)|$(as_before)" '0||same' "killed after $at ms: undone, as it was before"
done
is "$([ "$cut" -gt 0 ] && echo some)" some "some runs were cut off in the middle of a change ($cut)"
done_testing
