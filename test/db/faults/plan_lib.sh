# A plan with steps of several kinds over two small tables, and what a test compares of a database after it.
# shellcheck shell=bash
# The variables are for the tests that source this.
# shellcheck disable=SC2034,SC2154

plan=$work/steps.plan

# Steps whose changes are ordinary; the third is a person's, the last rests on the one before.
readonly STEPS='{"steps": [
 {"id": "1.1", "phase": 1, "title": "index on items (a)", "changes": [
  {"kind": "create index", "schema": "public", "table": "items", "name": "items_a",
   "statement": "CREATE INDEX CONCURRENTLY items_a ON public.items USING btree (a)",
   "undo": "DROP INDEX CONCURRENTLY public.items_a", "definition": "USING btree (a)"}]},
 {"id": "1.2", "phase": 1, "title": "release the application", "manual": "make release", "undo": "make unrelease"},
 {"id": "2.1", "phase": 2, "title": "weight of items", "changes": [
  {"kind": "add column", "schema": "public", "table": "items", "name": "weight", "type": "bigint",
   "statement": "ALTER TABLE public.items ADD COLUMN weight bigint", "undo": "ALTER TABLE public.items DROP COLUMN weight"},
  {"kind": "create index", "schema": "public", "table": "items", "name": "items_weight",
   "statement": "CREATE INDEX CONCURRENTLY items_weight ON public.items USING btree (weight)",
   "undo": "DROP INDEX CONCURRENTLY public.items_weight", "definition": "USING btree (weight)"}]},
 {"id": "4.1", "phase": 4, "title": "autovacuum of other", "changes": [
  {"kind": "setting", "schema": "public", "table": "other", "name": "autovacuum_vacuum_scale_factor",
   "definition": "0.05", "statement": "ALTER TABLE public.other SET (autovacuum_vacuum_scale_factor = 0.05)"}]},
 {"id": "4.2", "phase": 4, "title": "what was done", "needs": "4.1", "changes": [
  {"kind": "record", "name": "weights", "definition": "{\"of\": \"items\"}", "statement": "weights"}]}]}'

write_steps() { # steps as JSON
    printf '%s' "$1" | python3 "$here/make_plan.py" "$plan" ''
}

apply() { # more arguments
    run apply "$plan" "${LAX[@]}" --window 0 --no-guard "$@"
}

# The definition of everything but schema pgmend.
schema() {
    pg_dump -s -N pgmend -d "$db" | grep -v '^--\|^\\\(un\)\?restrict'
}

# step state, a line a step.
steps() {
    sql "SELECT step, state FROM pgmend.step ORDER BY phase, length(step), step"
}

# What the last thing that happened to each change has left of it.
changes() {
    sql "SELECT DISTINCT ON (kind, object) step, kind, object, state FROM pgmend.journal ORDER BY kind, object, id DESC"
}

open_entries() {
    sql "SELECT count(*) FROM pgmend.journal WHERE state NOT IN ('done', 'undone', 'failed')"
}

# All that has to be the same however often a run was cut off. An entry that failed without a trace is no difference.
end_state() {
    schema
    steps
    changes
    sql "SELECT name, value FROM pgmend.value WHERE name NOT LIKE 'restore%' ORDER BY 1"
    sql "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
}

# Statements that read items by a, until the database goes away: an index on it pays, one on note does nothing for them.
# shellcheck disable=SC2016 # $1 is the statement's
traffic() {
    {
        echo 'PREPARE q(int) AS SELECT count(b) FROM items WHERE a = $1;'
        while :; do echo "EXECUTE q($((RANDOM % 1000)));"; done
    } | psql -X -q -A -t -d "$db" >/dev/null 2>&1
}
