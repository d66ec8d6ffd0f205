#!/usr/bin/env bash
# The plan of the whole: what is collected, in which order; its scripts do in psql what apply does, and undo it; a plan that is
# stale, foreign or edited is refused; what cannot be looked at is said, and an interrupted plan leaves no file. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=fill_lib.sh
. "$here/fill_lib.sh"

# shellcheck disable=SC2119
start_cluster || {
    echo 'Bail out! the cluster does not start'
    exit 1
}
prepare 20000
script "$db" <<'SQL'
CREATE EXTENSION pg_stat_statements;
CREATE TABLE notes (id int PRIMARY KEY, item int NOT NULL, word text, at timestamptz);
INSERT INTO notes SELECT g, g % 5000, md5(g::text), '2026-01-01'::timestamptz + g * interval '1 min' FROM generate_series(1, 60000) AS g;
CREATE INDEX notes_word ON notes (word);
CREATE INDEX notes_word_too ON notes (word);
ANALYZE;
SQL
# Where it is there, indexes are tried without a scratch server, which takes seconds each time.
[ "$(sql "SELECT count(*) FROM pg_available_extensions WHERE name = 'hypopg'")" = 0 ] || sql 'CREATE EXTENSION hypopg'
readonly whole=$work/whole.plan
printf '%s\n' '-- calls: 5000' 'SELECT * FROM notes WHERE item = 77 ORDER BY at DESC LIMIT 10;' \
    '-- calls: 300' 'SELECT * FROM items WHERE b = '"'row 5'"';' >"$work/work.sql"
# The settings hang on the machine, the pool on what runs on it.
readonly SOURCE=(--workload "$work/work.sql" --skip settings --skip pool)

# Each of these sees to one thing in the plan's JSON, reckoned here from its own members.
look() { # file, expression over "plan" that gives what is compared
    python3 - "$1" "$2" <<'PY'
import json, sys
plan = json.load(open(sys.argv[1], encoding="utf-8"))
steps = plan.get("steps", [])
WEIGHT = {"low": 1, "medium": 2, "high": 4}
def score(step):
    return (step.get("gain_ratio") or 0) / WEIGHT[step["risk"]]
def built(step):
    return [plan["changes"][i] for i in range(step["first"], step["first"] + step["count"])]
print(eval(sys.argv[2]))
PY
}

dump_of() { # database
    pg_dump -s -N pgmend -d "$1" | grep -v '^--\|^\\\(un\)\?restrict'
}

copy_database() {
    psql -X -q -d postgres -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS ${db}_slow WITH (FORCE)" \
        -c "CREATE DATABASE ${db}_slow TEMPLATE $db"
}

# -- what is collected, and in which order -------------------------------------------------------

run plan "${SOURCE[@]}" -o "$whole" --exit-code
is "$rc" 3 'there is something to do'
has "$out" 'index on public.notes (item, at' 'the index for the heavy statement is a step'
has "$out" 'index on public.items (b)' 'and that for the other one'
has "$out" 'drop index public.notes_word' 'one of two equal indexes goes'
has "$out" 'backup that is proven by a restore' 'there is no backup, and it is said'
has "$out" 'Next: pgmend rehearse' 'the next command is named'
is "$(look "$whole" '[s["id"] for s in steps] == [f"{p}.{n}" for p in (1, 2, 3, 4) for n in range(1, 1 + sum(s["phase"] == p for s in steps))]')" \
    True 'steps are numbered by phase and place'
is "$(look "$whole" 'all(len([s for s in steps if s["first"] <= i < s["first"] + s["count"]]) == 1 for i in range(len(plan["changes"])))')" \
    True 'each change belongs to one step'
is "$(look "$whole" '[s["feature"] for s in steps[:2]]')" "['backup', 'monitoring']" 'backup and monitoring come first'
is "$(look "$whole" '(lambda n: len(n) > 1 and n == sorted(n, reverse=True))([score(s) for s in steps if any(c["kind"] == "create index" for c in built(s))])')" \
    True 'indexes come by gain against risk'
is "$(look "$whole" 'min(i for i, s in enumerate(steps) if any(c["kind"] == "drop index" for c in built(s))) > max(i for i, s in enumerate(steps) if any(c["kind"] == "create index" for c in built(s)))')" \
    True 'drops come after what is built'
is "$(look "$whole" 'sorted({json.loads(s["proof"])["kind"] for s in steps if s.get("proof")})')" "['index', 'workload']" \
    'indexes promise for their statements, drops for the tables'
is "$(look "$whole" 'all(len(json.loads(s["proof"])["promises"]) == 1 and json.loads(s["proof"])["promises"][0]["name"] == built(s)[0]["name"] for s in steps if s.get("proof") and json.loads(s["proof"])["kind"] == "index")')" \
    True 'each index has a promise of its own'
first=$(look "$whole" 'plan["hash"]')
run plan "${SOURCE[@]}" -o "$whole"
is "$(look "$whole" 'plan["hash"]')" "$first" 'the same database and workload give the same plan'
is "$rc" 0 'without --exit-code the status is 0'
run plan "${SOURCE[@]}" --json
is "$(printf '%s' "$out" | python3 -c 'import json,sys; p=json.load(sys.stdin); print(p["hash"], len(p["notes"]) > 0)')" "$first True" \
    'JSON tells the same plan, and what was not looked at'
now=$(dump_of "$db")
is "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmend'")" 0 'planning writes nothing, not even schema pgmend'

printf 'CREATE INDEX notes_item ON notes (item, at DESC); CREATE INDEX notes_id ON notes (id, word);\n' >"$work/own.sql"
run plan "${SOURCE[@]}" --script "$work/own.sql" -o "$work/own.plan"
is "$(look "$work/own.plan" 'sum(c["table"] == "notes" and c["kind"] == "create index" and "item" in c["definition"] for c in plan["changes"])')" \
    1 'an index that the user asks for is not advised again'
is "$(look "$work/own.plan" '[(s["feature"], s["gain_ratio"] > 0.5, json.loads(s["proof"])["promises"][0]["statements"] != []) for s in steps for c in built(s) if c["name"] == "notes_item"]')" \
    "[('script', True, True)]" 'but it gets the promise and the gain of the advice'
is "$(look "$work/own.plan" '[(s["gain_ratio"], json.loads(s["proof"])["promises"][0]["statements"]) for s in steps for c in built(s) if c["name"] == "notes_id"]')" \
    '[(None, [])]' 'of another one nothing is promised that is not known'

run plan "$work/own.sql" -o "$work/part.plan"
run plan "${SOURCE[@]}" --skip index --include "$work/part.plan" -o "$work/with.plan"
is "$(look "$work/with.plan" '[len(built(s)) for s in steps if s["count"]]')" '[2]' 'an included plan is one step'

# -- what cannot be looked at, and wrong wishes --------------------------------------------------

sql 'DROP EXTENSION pg_stat_statements'
run plan --skip settings --skip pool
is "$rc" 0 'without pg_stat_statements there is a plan all the same'
has "$out" 'index was not looked at:' 'and it says what was not looked at'
has "$out" 'CREATE EXTENSION' 'and what would help'
sql 'CREATE EXTENSION pg_stat_statements'
psql -X -q -d postgres -c "CREATE ROLE poor LOGIN"
run plan "${SOURCE[@]}" --db-url "postgresql://poor@/$db"
is "$rc" 0 'a role without rights gets a plan too'
has "$both" ' 0 changes' 'but none with changes that it may not make'
is "$(grep -c 'may not\|index was not looked at' <<<"$both" | sed 's,^[1-9].*,some,')" some 'which says what it may not do'
for wrong in "--script $work/none.sql" "--skip everything" "--log $work/none.log" "$work/own.sql --script $work/own.sql"; do
    # shellcheck disable=SC2086
    run plan $wrong
    is "$rc" 2 "wrong: ${wrong//$work\//}"
done

# -- interrupted ---------------------------------------------------------------------------------

start plan --skip settings --skip index -o "$work/cut.plan" --sql "$work/cut" --runbook "$work/cut.md" --workload "$work/work.sql"
wait_until 'it looks at the connections' grep -q 'looking: connections' "$work/bg.err"
kill -INT "$running"
finish
is "$rc" 130 'Ctrl-C ends it'
is "$(ls -d "$work"/cut* 2>/dev/null)" '' 'and no half plan is left'
has "$both" 'Nothing was changed.' 'and it says that nothing was changed'

# -- scripts for psql do the same ----------------------------------------------------------------

run plan "$whole" --sql "$work/steps"
is "$rc" 0 'a plan file becomes scripts'
copy_database
psql -X -q -d "${db}_slow" -f "$work/steps/all.sql" >"$work/psql.out" 2>&1
is "$?" 0 'psql runs all of them'
run apply "$whole" "${LAX[@]}" --window 1s
is "$rc" 0 'apply does the plan'
is "$(dump_of "${db}_slow")" "$(dump_of "$db")" 'both give the same schema'
is "$([ "$(dump_of "$db")" = "$now" ] || echo changed)" changed 'which is another one than before'
psql -X -q -d "${db}_slow" -f "$work/steps/undo.sql" >"$work/psql.out" 2>&1
is "$?" 0 'psql runs the undo'
is "$(dump_of "${db}_slow")" "$now" 'and all is as it was'
run rollback --to start
is "$(dump_of "$db")" "$now" 'as after the rollback'

echo 'mine' >"$work/steps/notes.txt"
run plan "$whole" --sql "$work/steps"
is "$rc" 2 'a folder with other files is refused'
has "$both" 'notes.txt' 'and the file is named'
is "$(cat "$work/steps/notes.txt")" mine 'which is left alone'
rm "$work/steps/notes.txt"
touch -d 2020-01-01 "$work/steps/all.sql"
run plan "$work/own.sql" --sql "$work/steps"
is "$rc $(find "$work/steps" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort | tr '\n' ' ')" '0 01-all-changes-of-the-plan.sql all.sql undo undo.sql ' 'scripts of an older plan are replaced'

# Every kind of change: columns, triggers, batches, functions, values.
script "$db" <<'SQL'
CREATE FUNCTION public.heaviest(n integer) RETURNS SETOF public.items LANGUAGE sql STABLE AS 'SELECT * FROM public.items ORDER BY a DESC LIMIT n';
UPDATE items SET b = '100% ''of'' :a' WHERE id = 7;
SQL
now=$(dump_of "$db")
write_plan ''
run plan "$plan" --sql "$work/kinds"
is "$rc" 0 'a plan with every kind becomes scripts'
copy_database
psql -X -q -d "${db}_slow" -f "$work/kinds/all.sql" >"$work/psql.out" 2>&1
is "$?" 0 'psql runs them'
is "$(sql "$WRONG" "${db}_slow")" 0 'every row is filled'
has "$(cat "$work/psql.out")" 'step 1.1' 'it says where it is'
run apply "$plan" "${LAX[@]}" --replace-function heaviest
is "$rc" 0 'apply does it'
is "$(dump_of "${db}_slow")" "$(dump_of "$db")" 'the schema is the same'
is "$(sql 'SELECT md5(string_agg(i::text, chr(10) ORDER BY id)) FROM items AS i' "${db}_slow")" \
    "$(sql 'SELECT md5(string_agg(i::text, chr(10) ORDER BY id)) FROM items AS i')" 'and so are the rows'
psql -X -q -d "${db}_slow" -f "$work/kinds/undo.sql" >"$work/psql.out" 2>&1
is "$?" 0 'psql takes it back'
is "$(dump_of "${db}_slow")" "$now" 'with the function that was there before'
run rollback
is "$(dump_of "$db")" "$now" 'as the rollback does'

# -- stale, foreign, edited ----------------------------------------------------------------------

run plan "${SOURCE[@]}" -o "$whole"
state_before=$(dump_of "$db")
sed 's/CREATE INDEX CONCURRENTLY \([a-z_]*\) ON public.notes/CREATE INDEX CONCURRENTLY \1 ON public.items/' "$whole" >"$work/edited.plan"
run apply "$work/edited.plan" "${LAX[@]}"
is "$rc" 10 'a plan whose statement was edited is refused'
sed 's/"promise": "the server uses it/"promise": "The server uses it/' "$whole" >"$work/edited.plan"
run apply "$work/edited.plan" "${LAX[@]}"
is "$rc" 10 'and one whose promise was'
copy_database
run apply "$whole" "${LAX[@]}" --db-url "postgresql:///${db}_slow"
is "$rc" 9 'a plan of another database is refused'
sql 'ALTER TABLE notes ADD COLUMN more int'
state_stale=$(dump_of "$db")
run apply "$whole" "${LAX[@]}" --window 1s
is "$rc" 9 'a stale plan is refused'
has "$both" 'stale' 'and called so'
is "$(dump_of "$db")" "$state_stale" 'and nothing is changed'
run plan "${SOURCE[@]}" --include "$whole"
is "$rc" 9 'nor can it be included'
sql 'ALTER TABLE notes DROP COLUMN more'
lacks "$state_before" 'notes_item_at' 'none of them was built before'

# -- the runbook ---------------------------------------------------------------------------------

run plan "${SOURCE[@]}" -o "$whole" --runbook "$work/rollback.md"
book=$(cat "$work/rollback.md")
has "$book" 'none that is proven' 'without a backup the runbook says so'
has "$book" 'not measured: rehearse' 'and promises no time'
run backup create --name before
run backup verify before
is "$rc" 0 'there is a verified backup'
run plan "${SOURCE[@]}" -o "$whole" --runbook "$work/rollback.md"
book=$(cat "$work/rollback.md")
has "$book" '| before, proven by a restore' 'now it names the backup'
has "$book" 'pgmend rollback --level database before' 'with the command'
has "$book" "pgmend_$(look "$whole" 'plan["hash"][:8]')_phase1" 'and the restore point'
is "$(look "$whole" '[s["id"] for s in steps if "### " + s["id"] + "  " not in open("'"$work/rollback.md"'", encoding="utf-8").read()]')" '[]' \
    'each step stands in it'
is "$(look "$whole" '[s["feature"] for s in steps][0]')" monitoring 'the backup is no step any more'

done_testing
