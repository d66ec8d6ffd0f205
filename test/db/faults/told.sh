#!/usr/bin/env bash
# What report, checklist and status tell after steps were proven, failed to run, and were rolled back: nothing that nobody
# measured, and nothing that does not stand. Prints TAP.
# shellcheck disable=SC2119 # apply takes none here
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=plan_lib.sh
. "$here/plan_lib.sh"

command -v jq >/dev/null || skip_all 'jq is not installed'
create_database
item() { # id, member: of the JSON
    run checklist show --json
    jq -r --arg id "$1" --arg member "$2" '.items[] | select(.id == $id) | .[$member]' <<<"$out"
}
kpi() { # title, member: of the JSON
    jq -r --arg title "$1" --arg member "$2" '.kpis[] | select(.title == $title) | .[$member]' <<<"$report"
}

write_steps "$STEPS"
apply
is "$rc" 0 'a plan with steps is applied'
run gate pass monitoring --note 'another tool'

# -- what nobody measured -----------------------------------------------------------------------------

run report --json
report=$out
is "$(kpi 'cache hit ratio' before)" null 'before the change nobody looked at the cache: unknown'
has "$(kpi 'cache hit ratio' assumed_before)" '85' 'what was assumed is there, under its own name'
run report --html "$work/report.html"
cells=$(grep -o 'cache hit ratio.*assumed: 85[^<]*' "$work/report.html")
has "$cells" '<span class="was">unknown</span>' 'the page has no number in its place'
has "$(grep '^cache hit ratio' <<<"$out")" 'unknown' 'nor has the terminal'
run kpi record cache-hit 71% --at "$(sql "SELECT to_char(min(started_at) AT TIME ZONE 'UTC' - interval '1 hour',
    'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM pgmend.run")"
run report --json
report=$out
is "$(kpi 'cache hit ratio' before)" '71 %' 'what was recorded before the change is before'

# -- the checklist ------------------------------------------------------------------------------------

is "$(item phase-4-steps state)" 'done' 'all of phase 4 is done'
is "$(item no-downtime state)" 'done' 'the run went well'
is "$(item phase-1-analysis state)" unknown 'a plan without a step about migrations says nothing of them'
is "$(item phase-4-monitoring state)" ticked 'what a person says of another monitor is ticked, not measured'
has "$(item phase-4-monitoring evidence)" 'another tool' 'and what was said stands behind it'
run rollback --to 9.9
is "$rc" 1 'a step that there is not'
is "$(item no-downtime state)" 'done' 'a slip of the finger is no failed run'
run rollback --to start
is "$rc" 0 'all steps are rolled back'
is "$(item phase-4-steps state)" open 'what was rolled back is not done'
has "$(item phase-4-steps evidence)" '4.1 rolled back' 'and it says why'
has "$(item phase-1-steps evidence)" '1.1 rolled back' 'of each phase'
sql "UPDATE pgmend.step SET state = 'undone', why = 'no faster: 1.00×' WHERE step LIKE '4.%'"
is "$(item phase-4-steps state)" 'done' 'what did not pay is settled'
has "$(item phase-4-steps evidence)" '0 of 2 stand' 'and it is said that it does not stand'

# -- what a rollback says, and what is told after it ------------------------------------------------------

run status
has "$out" 'Next: pgmend apply with the file of plan' 'a plan that is undone may be applied again'
sql 'DELETE FROM pgmend.step'
apply
is "$rc" 0 'so it is'
run report --json
is "$(jq '[.plan.steps[] | select(.ended_at != null and .started_at > .ended_at)] | length' <<<"$out")" 0 \
    'no step ends before it begins'
run report --html "$work/report.html"
is "$(grep -o 'CREATE INDEX CONCURRENTLY items_a ' "$work/report.html" | wc -l)" 1 'what was sent twice stands there once'
is "$(grep -o 'DROP INDEX CONCURRENTLY public.items_a;' "$work/report.html" | wc -l)" 1 'and what undoes it'
has "$(cat "$work/report.html")" ' of 4</span><span class="name">steps proven' 'the step by hand is none to be proven'
run rollback --level index
is "$rc" 0 'the indexes are taken back'
has "$out" '2 undone' 'two of them'
lacks "$out" 'The catalogue is what it was' 'the column stands, so the catalogue is not what it was'
run rollback --all
is "$rc" 0 'and the rest'
run apply "$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a); CREATE INDEX CONCURRENTLY items_b ON items (b);')" \
    "${LAX[@]}"
is "$rc" 0 'two indexes'
sql 'DROP INDEX items_b'
run rollback
is "$rc" 0 'are taken back'
has "$out" '1 undone, 1 had nothing left to undo' 'one of them was gone already: it is not counted as undone'
run apply "$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')" "${LAX[@]}"
run rollback --level index
has "$out" 'The indexes are what they were' 'of indexes only indexes are said'
done_testing
