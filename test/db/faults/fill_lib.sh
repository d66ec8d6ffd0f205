# A plan with a change of every kind over the table items, for the tests that cut it off.
# shellcheck shell=bash
# The variables are for the tests that source this.
# shellcheck disable=SC2034,SC2154

plan=$work/change.plan

# Computing a digest makes a row cost something: a run lasts long enough to be cut off anywhere.
readonly EXPRESSION="length(repeat(md5(a::text), 300)) + a"
readonly WRONG="SELECT count(*) FROM items WHERE weight IS DISTINCT FROM $EXPRESSION"

write_plan() { # proof, or nothing
    python3 "$here/make_plan.py" "$plan" "$1" <<JSON
[{"kind": "add column", "schema": "public", "table": "items", "name": "weight", "type": "bigint",
  "statement": "ALTER TABLE public.items ADD COLUMN weight bigint", "undo": "ALTER TABLE public.items DROP COLUMN weight"},
 {"kind": "create trigger", "schema": "public", "table": "items", "name": "items_weight", "column": "weight",
  "statement": "CREATE OR REPLACE FUNCTION public.items_weight() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.weight := length(repeat(md5(NEW.a::text), 300)) + NEW.a; RETURN NEW; END'",
  "definition": "CREATE TRIGGER items_weight BEFORE INSERT OR UPDATE ON public.items FOR EACH ROW EXECUTE FUNCTION public.items_weight()"},
 {"kind": "fill column", "schema": "public", "table": "items", "name": "weight", "column": "weight", "key": "id",
  "expression": "$EXPRESSION", "statement": "UPDATE public.items SET weight"},
 {"kind": "create index", "schema": "public", "table": "items", "name": "items_by_weight",
  "statement": "CREATE INDEX CONCURRENTLY items_by_weight ON public.items USING btree (weight)",
  "undo": "DROP INDEX CONCURRENTLY public.items_by_weight", "definition": "USING btree (weight)",
  "settings": "maintenance_work_mem=16MB"},
 {"kind": "vacuum", "schema": "public", "table": "items", "name": "items", "statement": "VACUUM (ANALYZE) public.items"},
 {"kind": "create function", "schema": "public", "name": "heaviest", "arguments": "integer",
  "statement": "CREATE OR REPLACE FUNCTION public.heaviest(n integer) RETURNS SETOF public.items LANGUAGE sql STABLE AS 'SELECT * FROM public.items ORDER BY weight DESC LIMIT n'"},
 {"kind": "record", "name": "weights", "definition": "{\\"of\\": \\"items\\"}", "statement": "weights"},
 {"kind": "drop index", "schema": "public", "table": "items", "name": "items_old", "definition": "USING btree (a)",
  "statement": "DROP INDEX CONCURRENTLY public.items_old"}]
JSON
}

# The definition of everything but schema pgmend.
schema() {
    pg_dump -s -N pgmend -d "$db" | grep -v '^--\|^\\\(un\)\?restrict'
}

as_before() {
    [ "$(schema)" != "$before" ] || echo same
}

pause() { # ms
    sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}

prepare() { # rows
    create_database
    script "$db" <<SQL
DELETE FROM items WHERE id > $1;
CREATE INDEX items_old ON items (a);
VACUUM (FULL, ANALYZE) items;
SQL
    write_plan ''
    before=$(schema)
}

# What is not closed in the journal, and what a run has left behind.
leftovers() {
    sql "SELECT kind, object, state FROM pgmend.journal WHERE state NOT IN ('done', 'undone', 'failed')
         UNION ALL SELECT 'invalid', indexrelid::regclass::text, '' FROM pg_index WHERE NOT indisvalid
         UNION ALL SELECT 'temporary', relname, '' FROM pg_class WHERE relname LIKE 'pgmend%'"
}

# Starts to apply the plan and kills it after so many thousandths of a second; it may have ended by then.
apply_and_kill() { # ms
    start apply "$plan" "${LAX[@]}"
    pause "$1"
    kill -9 "$running" 2>/dev/null
    wait "$running" 2>/dev/null
}

# How long a whole run lasts, in ms.
measure_run() {
    local began=${EPOCHREALTIME/./}

    run apply "$plan" "${LAX[@]}"
    lasted=$(((${EPOCHREALTIME/./} - began) / 1000))
}
