#!/usr/bin/env bash
# A plan whose proof does not hold once it was applied: everything is undone, or what is left is named. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=fill_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/fill_lib.sh"

prepare 200
write_plan '{"kind": "miracle"}'
run apply "$plan" "${LAX[@]}"
is "$rc" 1 'a proof that nobody knows is refused'
has "$err" 'cannot prove "miracle"' 'it says why'
is "$(sql "SELECT to_regclass('pgmend.run') IS NULL")" t 'before anything is done'

# -- it does not hold ---------------------------------------------------------------------------

# Nothing in it that could be measured: the proof fails after all changes were done.
write_plan '{"kind": "vector"}'
sql "CREATE FUNCTION heaviest(n integer) RETURNS SETOF items LANGUAGE sql AS 'SELECT * FROM items LIMIT n';
     COMMENT ON FUNCTION heaviest IS 'theirs'"
before=$(schema)
run apply "$plan" "${LAX[@]}"
is "$rc" 9 'a function of somebody else is not replaced'
has "$both" '--replace-function heaviest' 'it says how to allow it'
run rollback --all
is "$(as_before)" same 'what was done before is undone'

run apply "$plan" "${LAX[@]}" --replace-function heaviest
is "$rc" 5 'a proof that does not hold: undone'
has "$err" 'what was applied does not hold' 'it says why'
has "$err" 'All of it was undone' 'and that it was undone'
is "$(as_before)" same 'the schema is what it was, functions and indexes too'
is "$(leftovers)" '' 'nothing is left over'
is "$(sql "SELECT state FROM pgmend.run ORDER BY number DESC LIMIT 1")" undone 'the run is undone'
is "$(sql "SELECT count(*) FROM pgmend.value")" 0 'nothing is recorded'
is "$(sql "SELECT count(*) FROM pgmend.journal WHERE state = 'done'")" 0 'nothing stands in the journal'

# -- and cannot be undone -------------------------------------------------------------------------

script "$db" <<'SQL'
DROP FUNCTION heaviest;
CREATE FUNCTION use_it() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
    IF to_regprocedure('public.heaviest(integer)') IS NOT NULL THEN
        EXECUTE 'CREATE OR REPLACE VIEW public.users_of_it AS SELECT public.heaviest(1) IS NULL AS x'; END IF; END$$;
CREATE EVENT TRIGGER use_it ON ddl_command_end WHEN TAG IN ('CREATE FUNCTION') EXECUTE FUNCTION use_it();
SQL
run apply "$plan" "${LAX[@]}"
is "$rc" 6 'a proof that does not hold, and somebody uses the function: a person is needed'
has "$err" 'this is left: create function public.heaviest(integer)' 'what is left is named'
is "$(sql "SELECT string_agg(object || ' ' || state, ',') FROM pgmend.journal WHERE state = 'done'")" \
    'public.heaviest(integer) done' 'only that stands'
is "$(inventory)" 'items_old|t|t|t|f' 'the old index is back, the new one gone'
script "$db" <<<'DROP EVENT TRIGGER use_it; DROP VIEW users_of_it; DROP FUNCTION use_it;'
run rollback
is "$rc" 0 'when nobody uses it any more, rollback ends it'
is "$(leftovers)" '' 'nothing is left over'
done_testing
