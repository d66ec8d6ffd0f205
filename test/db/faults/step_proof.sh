#!/usr/bin/env bash
# A plan of steps under traffic: one that pays, one that does not and is undone by itself, one that nobody calls for and that
# waits. Ctrl-C while a step is measured. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database
sql 'CREATE EXTENSION pg_stat_statements'
script "$db" <<'SQL'
CREATE TABLE big (id int PRIMARY KEY, customer int, day int, note text);
INSERT INTO big SELECT g, g % 500, g % 365, repeat('x', 150) FROM generate_series(1, 20000) AS g;
ANALYZE big;
SQL

step() { # id, name, column, proof
    cat <<JSON
{"id": "$1", "phase": 1, "title": "index $2", "promise": "faster", "proof": $(python3 -c 'import json,sys; print(json.dumps(sys.argv[1]))' "$4"),
 "changes": [{"kind": "create index", "schema": "public", "table": "big", "name": "$2",
   "definition": "USING btree ($3)", "access_method": "btree",
   "statement": "CREATE INDEX CONCURRENTLY $2 ON public.big USING btree ($3)",
   "undo": "DROP INDEX CONCURRENTLY IF EXISTS public.$2"}]}
JSON
}

promise() { # name of an index that promises nothing in numbers
    echo "{\"kind\":\"index\",\"promises\":[{\"schema\":\"public\",\"table\":\"big\",\"name\":\"$1\",\"statements\":[]}]}"
}

state_of() { # step
    sql "SELECT state FROM pgmend.step WHERE step = '$1'"
}

made() { # name
    sql "SELECT count(*) FROM pg_class WHERE relname = '$1'"
}

# Sessions that ask on until the file is gone.
touch "$work/asking"
ask_on() {
    while [ -e "$work/asking" ]; do
        for _ in {1..50}; do
            echo "SELECT count(note) FROM big WHERE customer = $((RANDOM % 500));"
        done | psql -X -q >/dev/null
    done
}
ask_on &
asking=$!

python3 "$here/make_plan.py" "$work/steps.plan" '' <<JSON
{"steps": [$(step 1.1 big_customer customer "$(promise big_customer)"), $(step 1.2 big_idle day "$(promise big_idle)")]}
JSON
run apply "$work/steps.plan" "${LAX[@]}" --window 2s --prove-within 40s --no-guard
is "$(state_of 1.1)" proven 'the step that pays is proven'
has "$(sql "SELECT why FROM pgmend.step WHERE step = '1.1'")" 'it pays: ' 'and its record says by how much'
is "$(made big_customer)" 1 'its index stands'
# A scan of the table read each of its pages; PostgreSQL itself knows how many there are.
is "$(sql "SELECT (SELECT (s ->> 'blocks')::float8 FROM jsonb_array_elements(before::jsonb -> 'statements') AS s
                    WHERE s ->> 'query' LIKE '%customer%')
                  = pg_relation_size('big') / current_setting('block_size')::int
             FROM pgmend.step WHERE step = '1.1'")" t 'blocks a call before are the pages of the table'
is "$(state_of 1.2)" undone 'the step that does not pay is undone by itself'
is "$(made big_idle)" 0 'its index is gone'
has "$both" 'big_idle: no' 'the result says why'
is "$(sql "SELECT count(*) FROM pgmend.value WHERE name LIKE '%big_idle%'")" 0 'nothing is left of its promise'

# -- Ctrl-C while a step is measured ----------------------------------------------------------------

run rollback --all
python3 "$here/make_plan.py" "$work/again.plan" '' <<JSON
{"steps": [$(step 1.1 big_again customer "$(promise big_again)")]}
JSON
start apply "$work/again.plan" "${LAX[@]}" --window 1s --prove-within 10m --least-calls 1000000000 --no-guard
wait_sql 'the index stands' "SELECT EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('big_again') AND indisvalid)"
wait_sql 'its promise is kept' "SELECT EXISTS (SELECT 1 FROM pgmend.value WHERE name LIKE '%big_again%')"
kill -INT "$running"
finish
is "$rc" 130 'Ctrl-C while it is measured: exit status 130'
is "$(made big_again)" 1 'the step stands'
is "$(state_of 1.1 | tail -n 1)" waiting 'its record says that it waits for its proof'
rm "$work/asking"
wait "$asking"

# -- no traffic -------------------------------------------------------------------------------------

run apply "$work/again.plan" "${LAX[@]}" --window 1s --prove-within 1s --no-guard
has "$both" 'are wanted' 'without traffic it says how many calls are wanted'
lacks "$both" 'it pays' 'and claims nothing'
is "$(made big_again)" 1 'the step still stands'
done_testing
