#!/usr/bin/env bash
# A plan with steps, applied: what stands, what is undone by itself, what fails, what is passed over, and how far a rollback
# goes. What is expected is asked of the server. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=plan_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/plan_lib.sh"

standing() {
    sql "SELECT string_agg(step || ' ' || object, ', ' ORDER BY id) FROM pgmend.journal WHERE state = 'done'"
}

state_of() { # step
    sql "SELECT state FROM pgmend.step WHERE step = '$1'
            AND plan_hash = (SELECT hash FROM pgmend.plan ORDER BY kept_at DESC LIMIT 1)"
}

edit() { # python over the plan d
    python3 - "$plan" "$1" >"$work/edited.plan" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
exec(sys.argv[2])
print(json.dumps(d))
PY
}

refuses() { # exit status, part of the message, what was edited
    run apply "$work/edited.plan" "${LAX[@]}"
    is "$rc" "$1" "$3: refused"
    has "$err" "$2" "$3: told why"
}

create_database
before=$(schema)
write_steps "$STEPS"

# -- files ------------------------------------------------------------------------------------------

edit 'd["steps"][0]["title"] = "harmless"'
refuses 10 'altered after pgmend wrote it' 'another title'
edit 'd["steps"][1]["manual"] = "rm -rf /"'
refuses 10 'altered after pgmend wrote it' 'another command for a person'
edit 'd["steps"][0]["proof"] = "{\"kind\": \"workload\"}"'
refuses 10 'altered after pgmend wrote it' 'another proof'
edit 'd["steps"][2]["count"] = 1; d["steps"][3]["first"] = 2; d["steps"][3]["count"] = 2'
refuses 10 'altered after pgmend wrote it' 'a change moved to another step'
edit 'd["steps"][2]["count"] = 1'
refuses 1 'does not begin where' 'a change that belongs to no step'
edit 'd["steps"][2]["first"] = 0'
refuses 1 'does not begin where' 'a change in two steps'
edit 'd["steps"][4]["count"] = 9'
refuses 1 'goes beyond the last' 'a step beyond the changes'
edit 'd["steps"][4]["id"] = "4.1"'
refuses 1 'each once' 'an id twice'
edit 'd["steps"][4]["needs"] = "9.9"'
refuses 1 'does not come before it' 'a step that rests on none'
edit 'del d["steps"]'
refuses 1 'do not belong together' 'no steps in the format of steps'
edit 'd["changes"][0]["statement"] = "DROP TABLE items"'
refuses 10 'altered after pgmend wrote it' 'another statement'
is "$(schema)" "$before" 'nothing was done by any of them'

# -- a whole run ------------------------------------------------------------------------------------

run apply "$plan" --dry-run "${LAX[@]}"
is "$rc|$(schema)" "0|$before" 'a dry run changes nothing'
apply
is "$rc" 0 'the plan is applied'
has "$out" 'Phase 1: Foundation and critical fixes' 'phases are told'
has "$out" 'by hand: make release' 'the step by hand is told'
is "$(steps)" "$(printf '1.1|done\n1.2|by hand\n2.1|done\n4.1|done\n4.2|done')" 'the records'
is "$(standing)" '1.1 public.items_a, 2.1 public.items.weight, 2.1 public.items_weight, 4.1 autovacuum_vacuum_scale_factor of public.other, 4.2 weights' \
    'the journal knows the steps'
is "$(grep -c '"step": *"2.1"' "$state"/journal/*.jsonl)" 4 'so does the local file'
is "$(sql "SELECT reloptions::text FROM pg_class WHERE relname = 'other'")" '{autovacuum_vacuum_scale_factor=0.05}' 'the setting is there'
applied=$(schema)
run status
has "$out" '4 done, 1 by hand' 'status sums the steps up'
run --json status
is "$(python3 -c 'import json,sys; print([s["state"] for s in json.load(open(sys.argv[1]))["plan"]["steps"]])' "$work/out")" \
    "['done', 'by hand', 'done', 'done', 'done']" 'status --json has the steps'
run history
has "$out" '2.1' 'history shows the steps'
apply
is "$rc" 0 'applied again'
has "$out" 'There is nothing to do' 'nothing is done twice'

# -- how far back -----------------------------------------------------------------------------------

run rollback --to 7.7
is "$rc" 1 'a step that is not there'
has "$err" 'Its steps are 1.1, 1.2, 2.1, 4.1, 4.2' 'the steps are named'
run rollback --to 2.1
is "$rc|$(standing)" '0|1.1 public.items_a, 2.1 public.items.weight, 2.1 public.items_weight' 'back to step 2.1'
is "$(state_of 2.1)|$(state_of 4.1)|$(state_of 4.2)" 'done|undone|undone' 'the records follow'
run rollback --to 2.1
is "$rc" 0 'asked twice'
has "$out" 'There is nothing to undo' 'it says that nothing is left'
run apply "$plan" "${LAX[@]}" --window 0 --no-guard --phase 4
is "$rc|$(schema)" "0|$applied" 'what was rolled back is applied again'
run rollback --to start
is "$rc|$(schema)" "0|$before" 'back to the start: the schema is what it was'
is "$(sql "SELECT count(*) FROM pgmend.value WHERE name = 'weights'")" 0 'the record is gone'
run status
has "$out" '4 undone' 'status does not claim that anything stands'
run rollback --to start
has "$out" 'There is nothing to undo' 'nothing is left'
apply --step 4.2
is "$rc" 0 'only a step that rests on another'
has "$out" 'There is nothing to do' 'is not done without it'
apply --step 4.1 --step 4.2
is "$rc|$(standing)" '0|4.1 autovacuum_vacuum_scale_factor of public.other, 4.2 weights' 'with it it is'
run rollback
is "$rc|$(state_of 4.1)|$(state_of 4.2)" '0|undone|undone' 'a plain rollback: the records follow too'
apply
id=$(sql "SELECT id FROM pgmend.journal WHERE object = 'public.items_weight' AND state = 'done'")
run rollback "$id"
is "$rc|$(state_of 2.1)" '0|running' 'a part of a step is undone by its number: the step is no longer done'
run status
has "$out" 'cut off' 'status says so'
apply
is "$rc|$(state_of 2.1)|$(schema)" "0|done|$applied" 'the next apply completes it'
run rehearse "$plan"
is "$rc" 0 'a plan whose steps stand can be rehearsed for what is left'
has "$out" 'it stands already' 'what stands is told'
apply --step 9.9
is "$rc" 2 'a step that the plan does not have'
run apply "$(script_of 'CREATE INDEX x ON items (b);')" "${LAX[@]}" --step 1.1
is "$rc" 2 '--step is refused for a script'
run rollback --all
is "$(schema)" "$before" 'undone'

# -- a step whose rows do not allow it ---------------------------------------------------------------

write_steps '{"steps": [{"id": "1.1", "phase": 1, "title": "one a pair", "changes": [
  {"kind": "create index", "schema": "public", "table": "items", "name": "items_once", "is_unique": true,
   "statement": "CREATE UNIQUE INDEX CONCURRENTLY items_once ON public.items USING btree (note)",
   "undo": "DROP INDEX CONCURRENTLY public.items_once", "definition": "USING btree (note)",
   "duplicates": "SELECT min(note) FROM public.items GROUP BY note HAVING count(*) > 1 LIMIT 1"}]},
 {"id": "1.2", "phase": 1, "title": "index on items (a)", "changes": [
  {"kind": "create index", "schema": "public", "table": "items", "name": "items_a",
   "statement": "CREATE INDEX CONCURRENTLY items_a ON public.items USING btree (a)",
   "undo": "DROP INDEX CONCURRENTLY public.items_a", "definition": "USING btree (a)"}]}]}'
[ "$(sql 'SELECT count(*) > count(DISTINCT note) FROM items')" = t ] || flunk 'items has duplicates'
apply
is "$rc|$(standing)" '4|' 'duplicates stop the plan'
has "$both" 'items_once cannot be unique' 'the index is named'
has "$both" '--step does the other steps' 'and what can be done meanwhile'
apply --step 1.2
is "$rc|$(standing)" '0|1.2 public.items_a' 'they do not stop another step'
run rollback --all
is "$(schema)" "$before" 'undone'
write_steps "$STEPS"

# -- failing ----------------------------------------------------------------------------------------

broken=${STEPS/USING btree (weight)\",$'\n'/USING btree (nothing)\",$'\n'}
[ "$broken" != "$STEPS" ] || flunk 'the plan is broken'
write_steps "$broken"
apply
is "$rc" 5 'a step that cannot be done'
has "$err" 'step 2.1' 'it is named'
has "$err" '1 step of the plan stands' 'and what stands'
is "$(standing)|$(state_of 1.1)|$(state_of 2.1)|$(state_of 4.1)" '1.1 public.items_a|done|failed|' 'those before stand, nothing of it, none after'
is "$(sql "SELECT count(*) FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname = 'weight' AND NOT attisdropped")" 0 'its column is gone again'
apply --keep-going
is "$rc|$(state_of 2.1)|$(state_of 4.2)" '5|failed|done' '--keep-going does the others'
run rollback --all
write_steps "$STEPS"

# -- stale ------------------------------------------------------------------------------------------

sql 'ALTER TABLE other ADD COLUMN y int'
apply
is "$rc" 9 'a table was altered before the plan was begun: stale'
is "$(standing)" '' 'nothing of it is done'
sql 'ALTER TABLE other DROP COLUMN y'
apply --phase 1
sql 'ALTER TABLE other ADD COLUMN y int'
apply
is "$rc|$(state_of 2.1)|$(state_of 4.1)" '9|done|failed' 'altered between steps: that step is refused, the one before is done'
has "$err" 'step 4.1' 'it is named'
has "$(sql "SELECT why FROM pgmend.step WHERE step = '4.1'")" 'stale' 'and recorded'
sql 'ALTER TABLE other DROP COLUMN y'
apply
is "$rc|$(state_of 4.2)" '0|done' 'as it was: it goes on'
run rollback --all

# -- two at once ------------------------------------------------------------------------------------

session_open holder
session holder 'BEGIN; SELECT 1 FROM items LIMIT 1; SAVEPOINT s; LOCK TABLE items IN SHARE MODE;'
start apply "$plan" "${LAX[@]}" --window 0 --no-guard --lock-timeout 20s
wait_sql 'the first waits for the lock' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'pgmend/apply%')"
apply
is "$rc" 7 'a second operator is refused'
run rollback --to start
is "$rc" 7 'so is a rollback'
run status
has "$out" 'running' 'status says that a step runs'
session holder 'COMMIT;'
session_close holder
finish
is "$rc|$(state_of 4.2)" '0|done' 'the first goes on to its end'
run rollback --all

# -- a signal ---------------------------------------------------------------------------------------

session_open holder
session holder 'BEGIN; LOCK TABLE other IN SHARE MODE;'
start apply "$plan" "${LAX[@]}" --window 0 --no-guard --lock-timeout 60s
wait_sql 'it waits for the lock of other' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'pgmend/apply%')"
kill -INT "$running"
finish
session holder 'COMMIT;'
session_close holder
is "$rc" 130 'Ctrl-C ends it'
has "$err" '2 steps of the plan stand' 'what stands is told'
is "$(state_of 2.1)|$(state_of 4.1)" 'done|failed' 'the records are true'
is "$(open_entries)" 0 'nothing is open in the journal'
apply
is "$rc|$(schema)" "0|$applied" 'the same command goes on'

# -- a step that does not pay ------------------------------------------------------------------------

proof='{\"kind\": \"workload\", \"relations\": [\"public.items\"], \"least_gain\": 0.3, \"most_loss\": 0.95}'
index_step() { # id column
    echo "{\"id\": \"$1\", \"phase\": 1, \"title\": \"index on $2\", \"promise\": \"a third less\", \"proof\": \"$proof\", \"changes\": [
        {\"kind\": \"create index\", \"schema\": \"public\", \"table\": \"items\", \"name\": \"items_$2\",
         \"statement\": \"CREATE INDEX CONCURRENTLY items_$2 ON public.items USING btree ($2)\",
         \"undo\": \"DROP INDEX CONCURRENTLY public.items_$2\", \"definition\": \"USING btree ($2)\"}]}"
}
rest='{"id": "4.1", "phase": 4, "title": "rests on it", "needs": "1.2", "changes": [
    {"kind": "record", "name": "a", "definition": "{}", "statement": "a"}]},
  {"id": "4.2", "phase": 4, "title": "goes on", "needs": "1.1", "changes": [
    {"kind": "record", "name": "b", "definition": "{}", "statement": "b"}]}'

run rollback --all
is "$(schema)" "$before" 'as at the beginning'
sql 'CREATE EXTENSION pg_stat_statements'
write_steps "{\"steps\": [$(index_step 1.1 a), $(index_step 1.2 note), $rest]}"
apply
is "$rc|$(state_of 1.1)|$(state_of 1.2)" '0|waiting|waiting' 'without traffic nothing is claimed: the steps wait'
is "$(state_of 4.1)|$(state_of 4.2)" '|' 'nor is anything done that rests on them: they may be undone yet'
has "$out" '0 times' 'it says that nobody called them'
run rollback --all
traffic &
load=$!
run apply "$plan" "${LAX[@]}" --window 2s --no-guard
is "$rc" 5 'a step that does not pay: the exit status says so'
is "$(state_of 1.1)|$(state_of 1.2)|$(state_of 4.1)|$(state_of 4.2)" 'proven|undone||done' \
    'the one that pays is proven, the other undone, what rests on it is not done, and the rest is'
is "$(inventory)" 'items_a|t|t|t|f' 'its index is gone, the other is there'
has "$out" 'does not hold, is undone' 'it is told'
has "$out" 'it rests on step 1.2, which is undone' 'so is what was passed over'
is "$(sql "SELECT before IS NOT NULL AND after IS NOT NULL FROM pgmend.step WHERE step = '1.2' AND state = 'undone'
            AND plan_hash = (SELECT hash FROM pgmend.plan ORDER BY kept_at DESC LIMIT 1)")" t \
    'what was measured is kept'
run apply "$plan" "${LAX[@]}" --window 2s --no-guard
is "$rc|$(state_of 1.2)" '0|undone' 'it is not tried again'
has "$out" 'There is nothing to do' 'there is nothing to do'
run apply "$plan" "${LAX[@]}" --window 2s --no-guard --retry-undone
is "$rc|$(state_of 1.2)" '5|undone' '--retry-undone does, with the same end'
kill "$load"
wait "$load" 2>/dev/null
run rollback --all
sql 'DROP EXTENSION pg_stat_statements'
write_steps "$STEPS"

# -- an older schema pgmend --------------------------------------------------------------------------

sql 'ALTER TABLE pgmend.journal DROP COLUMN step; DROP TABLE pgmend.step, pgmend.plan'
run status
is "$rc" 0 'status reads the tables of an older version'
run history
is "$rc" 0 'so does history'
apply
is "$rc|$(steps | wc -l)|$(schema)" "0|5|$applied" 'apply adds what they lack'
run uninstall --yes
is "$rc|$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmend'")" '0|0' 'uninstall removes all of it'
done_testing
