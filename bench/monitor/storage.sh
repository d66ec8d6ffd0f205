#!/usr/bin/env bash
# Bytes that the monitor's store takes for a statement and an hour: raw readings, minutes made of them,
# hours made of those, with indexes and TOAST, as the server counts them.
# Usage: bench/monitor/storage.sh [STATEMENTS] [HOURS]     standard: 5000 3
# Two loads of a reading each 30 s: "all", in which each statement was called in each of them (the worst
# that can be), and "zipf", 200 calls a second of which the n-th statement has a share of 1/n.
# The statements of the product do it (src/sql/monitor/store_*.sql). Exit status 1: 1 kB is passed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly STATEMENTS=${1:-5000} HOURS=${2:-3} SPAN=30 LIMIT=1024
readonly SQL=src/sql/monitor
database=storage_bench_$$
status=0

# As the product's sessions are.
export PGOPTIONS="-c jit=off -c bench.statements=$STATEMENTS"

query() {
    psql -XqAt -v ON_ERROR_STOP=1 -d "$database" "$@"
}

# A file of ours as a function: its $1 … are the function's.
make_function() {
    echo "CREATE FUNCTION $1($2) RETURNS bigint LANGUAGE sql AS \$body\$"
    cat "$SQL/$1.sql"
    echo "\$body\$;"
}

prepare() {
    local table
    echo "SET client_min_messages = error; SET TimeZone = 'UTC'; CREATE SCHEMA pgmend;"
    for table in server progress statement statement_text statement_sample statement_minute \
        statement_hour; do
        cat "$SQL/create_store_$table.sql"
        echo ';'
    done
    for table in sample minute hour; do
        echo "CREATE TABLE pgmend.statement_${table}_p1 PARTITION OF pgmend.statement_$table DEFAULT;"
    done
    make_function store_put_statements \
        "int4, int8, float8, int8[], int8[], int8[], int8[], float8[], int8[], int8[], int8[]"
    make_function store_minute_statements ""
    make_function store_hour_statements ""
    cat <<'SQL'
INSERT INTO pgmend.monitored_server (name) VALUES ('bench');
INSERT INTO pgmend.store_progress VALUES (1, 'statement_minute', '-infinity'),
       (1, 'statement_hour', '-infinity');
SELECT setseed(0.5);
-- What a call of a statement costs: between 50 µs and 5 s, and a third of them reads no block.
CREATE TABLE statement AS
SELECT n, (random() * 2 - 1) * 9e18::float8 AS id, exp(random() * 11.5 - 3) AS ms,
       (exp(random() * 6) - 1)::int8 AS row_count, (random() * 1.5 * exp(random() * 8))::int8 AS hit,
       CASE WHEN random() < 0.3 THEN (random() * 20)::int8 ELSE 0 END AS read
  FROM generate_series(1, current_setting('bench.statements')::int) AS n;
SQL
}

# Every reading of the hours, which end now.
readings() {
    local calls
    case $1 in
    all) calls="1 + (random() * exp(random() * 6))::int8" ;;
    zipf) calls="(200.0 * $SPAN / (n * (ln($STATEMENTS) + 0.577)) + random() - 0.5)::int8" ;;
    esac
    cat <<SQL
CREATE UNLOGGED TABLE reading AS
SELECT (extract(epoch FROM at) * 1000000)::int8 AS at_us, r.*
  FROM generate_series(date_trunc('hour', now()) - interval '$HOURS hours' + interval '7 seconds',
                       date_trunc('hour', now()) + interval '2 minutes', interval '$SPAN seconds') AS at
 CROSS JOIN LATERAL (
       SELECT array_agg(c.id::int8) AS ids, array_agg(10::int8) AS users, array_agg(c.calls) AS calls,
              array_agg(c.calls * c.ms * (0.8 + 0.4 * random())) AS ms,
              array_agg(c.calls * c.row_count) AS row_counts,
              array_agg((c.calls * c.hit * (0.9 + 0.2 * random()))::int8) AS hit,
              array_agg((c.calls * c.read * random())::int8) AS read
         FROM (SELECT s.*, $calls AS calls FROM statement AS s WHERE at IS NOT NULL) AS c
        WHERE c.calls > 0) AS r;
SQL
}

readonly STORE="SELECT sum(store_put_statements(1, at_us, $SPAN, ids, users, users, calls, ms, row_counts,
    hit, read)) FROM reading"

bytes_of() {
    query -c "SELECT (pg_total_relation_size('pgmend.statement_$1_p1') / ($STATEMENTS.0 * $HOURS))::int"
}

run() {
    local raw minute hour began filled ended count
    psql -Xqd postgres -c "CREATE DATABASE $database"
    prepare | query >/dev/null
    readings "$1" | query
    began=$(date +%s%N)
    query -c "$STORE" >/dev/null
    filled=$(date +%s%N)
    while [ "$(query -c 'SELECT store_minute_statements()')" != 0 ]; do :; done
    while [ "$(query -c 'SELECT store_hour_statements()')" != 0 ]; do :; done
    ended=$(date +%s%N)
    count=$((HOURS * 3600 / SPAN))
    raw=$(bytes_of sample) minute=$(bytes_of minute) hour=$(bytes_of hour)
    printf '%-5s %7d bytes raw %7d in minutes %5d in hours; a reading takes %d ms, an hour to sum up %d ms\n' \
        "$1" "$raw" "$minute" "$hour" $(((filled - began) / 1000000 / count)) \
        $(((ended - filled) / 1000000 / HOURS))
    if [ "$minute" -ge $LIMIT ] || [ "$hour" -ge $LIMIT ]; then
        echo "more than $LIMIT bytes a statement-hour" >&2
        status=1
    fi
    query -c "SELECT 'once a statement: ' || (pg_total_relation_size('pgmend.statement') / $STATEMENTS)
        || ' bytes and its text'"
    psql -Xqd postgres -c "DROP DATABASE $database"
}

trap 'psql -Xqd postgres -c "DROP DATABASE IF EXISTS $database" 2>/dev/null' EXIT
echo "$STATEMENTS statements, $HOURS hours, bytes a statement-hour with indexes and TOAST:"
run all
run zipf
exit $status
