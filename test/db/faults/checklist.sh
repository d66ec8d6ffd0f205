#!/usr/bin/env bash
# The checklist against what is really there: nothing, an index that is built, used, dropped by someone else; ticks by
# several people at once, by a role that may not, and dates. Prints TAP.
# Functions are called by wait_until.
# shellcheck disable=SC2317
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v python3 >/dev/null || skip_all 'python3 is not installed'
create_database
script=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
item() { # id, member: of the JSON
    run checklist show --json
    python3 -c 'import json, sys
rows = {row["id"]: row for row in json.load(sys.stdin)["items"]}
print(rows[sys.argv[1]][sys.argv[2]])' "$1" "$2" <<<"$out"
}

# -- nothing is there ---------------------------------------------------------------------------

run checklist show
is "$rc" 0 'it is shown without schema pgmend'
is "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmend'")" 0 'and makes none'
is "$(item indexes-created state)" open 'no index yet'
is "$(item no-downtime state)" open 'no run yet'
run checklist show --section before --exit-code
is "$rc" 3 'something is open: 3'

# -- what is measured ---------------------------------------------------------------------------

run apply "$script" "${LAX[@]}"
is "$rc" 0 'an index is built'
is "$(item indexes-created state)" 'done' 'so it ticks itself'
is "$(item no-downtime state)" 'done' 'the run went well'
is "$(item indexes-used state)" open 'nobody has scanned it'
sql 'SET enable_seqscan = off; SELECT count(*) FROM items WHERE a = 5' >/dev/null
is_used() { [ "$(item indexes-used state)" = 'done' ]; }
wait_until 'the scan is counted' is_used
pass 'the index is used'
run gate pass team --note 'told in #db'
is "$(item team-told state)" 'done' 'the gate that was recorded is seen'
run gate revoke team --note 'another day'
is "$(item team-told state)" open 'withdrawn: it opens again'
sql 'DROP INDEX items_a'
is "$(item indexes-created state)" open 'what somebody drops opens again'
has "$(item indexes-created evidence)" 'items_a is gone' 'and says why'
run checklist tick indexes-created
is "$rc" 2 'what is measured is not ticked without a note'
run checklist tick indexes-created --note 'not needed any more'
is "$(item indexes-created state)" ticked 'with one it is ticked'
run checklist show --section indexes
has "$out" 'ticked, not measured' 'and shown as that'

# -- who ticks ----------------------------------------------------------------------------------

run checklist tick retrospectve
is "$rc" 1 'an unknown item'
has "$err" 'Did you mean retrospective?' 'is guessed'
sql 'DROP TABLE pgmend.checklist'
pids=()
for note in one two three four; do
    "$pgmend" --state-dir "$state" checklist tick retrospective --note "$note" >"$work/$note.out" 2>&1 </dev/null &
    pids+=($!)
done
ended=0
for pid in "${pids[@]}"; do
    wait "$pid" && ended=$((ended + 1))
done
is "$ended" 4 'four at once, and no table yet: all succeed'
is "$(sql "SELECT string_agg(note, ' ' ORDER BY note) FROM pgmend.checklist WHERE item = 'retrospective'")" \
    'four one three two' 'and all are kept'
is "$(item retrospective note)" "$(sql 'SELECT note FROM pgmend.checklist ORDER BY id DESC LIMIT 1')" 'the last one counts'
run checklist tick retrospective --undo
is "$(item retrospective state)" open 'withdrawn'
run checklist tick retrospective --undo
has "$out" 'nothing to withdraw' 'withdrawn twice: said, not done'
is "$(sql 'SELECT count(*) FROM pgmend.checklist')" 5 'the history stays'
sql "CREATE ROLE reader_$$ LOGIN"
PGUSER=reader_$$ run checklist tick retrospective
is "$rc" 8 'a role without rights is refused'
has "$err" 'GRANT' 'and told which it needs'
PGUSER=reader_$$ run checklist show
is "$rc" 8 'nor may it read what others ticked'
sql "GRANT USAGE ON SCHEMA pgmend TO reader_$$; GRANT SELECT ON pgmend.checklist TO reader_$$"
PGUSER=reader_$$ run checklist show
is "$rc" 0 'what it may not read besides is unknown, and no error'
sql "REVOKE ALL ON SCHEMA pgmend FROM reader_$$; REVOKE ALL ON pgmend.checklist FROM reader_$$; DROP ROLE reader_$$"

# -- dates --------------------------------------------------------------------------------------

monday=$(sql "SELECT (date_trunc('week', now() AT TIME ZONE 'UTC') - '14 days'::interval)::date")
run checklist tick --start "$(sql "SELECT '$monday'::date + 1")"
is "$rc" 2 'weeks begin on Mondays'
run checklist tick --start 2026-02-30
is "$rc" 2 'a day that there is not'
run checklist tick --start "$monday"
is "$(item w1-indexes due)" "$(sql "SELECT '$monday'::date + 1")" 'the second day is a Tuesday'
is "$(item w4-celebration due)" "$(sql "SELECT '$monday'::date + 25")" 'the last one the Friday of week 4'
is "$(item w1-nplusone is_late)" True 'two weeks later the first is late'
is "$(item w4-celebration is_late)" False 'the last is not'
run checklist tick w1-nplusone --note x
is "$(item w1-nplusone is_late)" False 'what is done is not late'
done_testing
