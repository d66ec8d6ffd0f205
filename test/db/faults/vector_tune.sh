#!/usr/bin/env bash
# pgmend vector tune: what it writes, what it says by its exit status, and that nothing is left behind whatever happens.
# Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

psql -X -q -d postgres -c "CREATE DATABASE $db"
role=tuner_$$
sql 'CREATE EXTENSION vector' 2>/dev/null || {
    sql 'SELECT 1' >/dev/null || exit 1
    skip_all 'pgvector is not installed'
}
script "$db" <<SQL
CREATE ROLE $role LOGIN;
CREATE TABLE chunks (id int PRIMARY KEY, assistant_id int NOT NULL, importance int NOT NULL, embedding vector(64) NOT NULL);
INSERT INTO chunks SELECT n, CASE WHEN n <= 600 THEN 1 ELSE 2 + n % 12 END, n % 10 + 1, v.v
  FROM generate_series(1, 900) AS n,
       LATERAL (SELECT array_agg(hashint4(n * 67 + k) % 1000)::vector AS v FROM generate_series(1, 64) AS k) AS v;
GRANT SELECT ON chunks TO $role;
ANALYZE;
SQL
trap 'psql -X -q -d "$db" -c "DROP OWNED BY $role" >/dev/null 2>&1; clean_up; psql -X -q -d postgres -c "DROP ROLE $role" >/dev/null 2>&1' EXIT
tune=(vector tune --tenant assistant_id --filter 'importance >= 5' --queries 5 --p95 0)

# Copies that sessions of this test's database have made: their name holds the pid of the session.
copies="FROM pg_database AS d WHERE d.datname LIKE 'pgmend\\_scratch\\_%' AND EXISTS (SELECT FROM pg_stat_activity AS a
    WHERE a.pid::text = split_part(d.datname, '_', 3) AND a.datname = '$db')"

# Everything in the live database that a run could have changed.
live() {
    sql "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace <> 'pg_toast'::regnamespace), (SELECT count(*) FROM pg_proc),
                (SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'), (SELECT sum(hashtext(c::text)) FROM chunks AS c)"
}
before=$(live)

# -- exact ways only, which are quick ---------------------------------------------------------------

run "${tune[@]}" --use exact -o "$work/exact.plan" --html "$work/exact.html" --exit-code
is "$rc" 3 'something better than nothing was found: --exit-code gives 3'
has "$out" 'assistant_id' 'what was searched is shown'
has "$out" '*A  exact' 'the winner is marked'
has "$out" "Next: pgmend rehearse $work/exact.plan" 'what comes next is shown'
is "$(live)" "$before" 'the live database is as it was'
is "$(python3 -c 'import json, sys
plan = json.load(open(sys.argv[1]))
print(plan["changes"][0]["kind"], "proof" in plan)' "$work/exact.plan")" 'create index True' \
    'the plan begins with an index and has a proof'
has "$(cat "$work/exact.html")" '<h1>chunks.embedding</h1>' 'the page is written'

run "${tune[@]}" --use exact --json
is "$rc" 0 'without --exit-code the status is 0'
is "$(python3 -c 'import json, sys
run = json.load(sys.stdin)
best = run["candidates"][0]
print(run["has_choice"], run["sample"]["table_rows"], best["overall"]["recall"]["value"], best["overall"]["short_results"],
      "reads the whole table" in run["present"], run["choice"]["base"]["family"])' <<<"$out")" \
    "True 900 1.0 0 True exact" 'the JSON says the same'

# -- a goal that nothing can meet -------------------------------------------------------------------

run "${tune[@]}" --use exact --budget 1 -o "$work/none.plan"
is "$rc" 10 'nothing meets the goal: 10'
has "$out" 'nothing that was measured meets the goal' 'it says so'
is "$(test -e "$work/none.plan" && echo there)" '' 'no plan is written'

# -- the plan of the usual IVFFlat index: 30 lists for 900 rows -------------------------------------

run "${tune[@]}" --use ivfflat --time 20s -o "$work/ivfflat.plan"
is "$rc" 0 '--use ivfflat'
has "$out" '--use ivfflat: recall 0.' 'its recall is told'
has "$(tr '\n' ' ' <"$work/ivfflat.plan")" 'idx_chunks_ivfflat' 'the plan has the index by its name'
has "$(cat "$work/ivfflat.plan")" "lists='30'" 'with the square root of the rows as lists'
has "$(cat "$work/ivfflat.plan")" 'CREATE INDEX CONCURRENTLY' 'built while others write'

# -- who may not --------------------------------------------------------------------------------------

run --db-url "postgresql:///$db?user=$role" "${tune[@]}" --use exact
is "$rc" 8 'a role that may not create databases: 8'
has "$err" 'CREATEDB' 'the remedy is named'
is "$(live)" "$before" 'nothing is left in the live database'
sql "ALTER ROLE $role CREATEDB" postgres
run --db-url "postgresql:///$db?user=$role" "${tune[@]}" --use exact
is "$rc" 8 'a role that may not create the extension: 8'
has "$err" '--scratch-template' 'the remedy is named'
is "$(sql "SELECT count(*) FROM pg_database WHERE datdba = '$role'::regrole" postgres)" 0 'its copy is gone'

# -- signals ------------------------------------------------------------------------------------------

for signal in INT TERM; do
    start "${tune[@]}" --time 60s
    wait_sql 'a copy is made' "SELECT EXISTS (SELECT $copies)"
    copy=$(sql "SELECT d.datname $copies")
    wait_sql 'rows are in it' "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '$copy')"
    kill -"$signal" "$running"
    finish
    is "$rc" "$([ "$signal" = INT ] && echo 130 || echo 143)" "SIG$signal"
    is "$(sql "SELECT count(*) FROM pg_database WHERE datname = '$copy'")" 0 "SIG$signal: the copy is gone"
    is "$(live)" "$before" "SIG$signal: the live database is as it was"
done

# -- what is installed already: the budget has room for one way only ----------------------------------

run "${tune[@]}" --use exact --budget 64kB -o "$work/small.plan"
run apply "$work/small.plan" "${LAX[@]}"
is "$rc" 0 'the plan is applied and proven'
run "${tune[@]}" --use exact --budget 64kB --exit-code
is "$rc" 0 'the winner is installed: --exit-code gives 0'
has "$out" 'it is what is installed' 'it says so'
has "$out" 'the installed functions search by "exact"' 'and what is done today'

done_testing
