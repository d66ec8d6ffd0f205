#!/usr/bin/env bash
# Rehearsals with rows: on a staging copy and on one of their own; a copy that differs, is foreign, or was left in the
# middle by a killed rehearsal. Prints TAP.
# Functions are called by trap.
# shellcheck disable=SC2317
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

copy=${db}_staging
drop_copies() {
    psql -X -q -d postgres -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS $copy WITH (FORCE)" \
        -c "DROP DATABASE IF EXISTS ${db}_other WITH (FORCE)" >/dev/null 2>&1
    clean_up
}
trap drop_copies EXIT

indexes() { # database
    sql "SELECT count(*) FROM pg_indexes WHERE indexname IN ('items_a', 'items_b')" "$1"
}

gate_of() { # name
    sql "SELECT passed AND plan_hash IS NOT NULL FROM pgmend.gate WHERE name = '$1' ORDER BY id DESC LIMIT 1"
}

value() { # JSON path of the last record
    sql "SELECT value #>> '$1' FROM pgmend.value WHERE name LIKE 'rehearsal %' ORDER BY changed_at DESC LIMIT 1"
}

# Databases are counted: those of other tests would be among them.
# shellcheck disable=SC2119
start_cluster || {
    echo 'Bail out! the cluster does not start'
    exit 1
}
create_database
script=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a); CREATE INDEX CONCURRENTLY items_b ON items (b);')
run staging create
is "$rc" 0 'there is a staging copy'

run rehearse "$script"
is "$rc" 0 'a rehearsal without rows'
is "$(sql "SELECT count(*) FROM pgmend.gate WHERE name = 'staging'")" 0 'is no run on staging'
is "$(value '{with_rows}')" false 'and is kept as such'

run rehearse "$script" --staging "$copy"
is "$rc" 0 'a rehearsal on the staging copy'
has "$out" 'public.items_a  built in' 'tells the time of each change'
has "$out" 'undone in' 'and of its undo'
has "$out" '2 tables are row by row, what it was before' 'and that the rows are the same'
is "$(gate_of staging) $(gate_of rollback)" 't t' 'both gates are green for this plan'
is "$(indexes "$db") $(indexes "$copy")" '0 0' 'no index is left, here or there'
is "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmend'" "$copy")" 0 'and no journal there'
is "$(value '{staging}')" "$copy" 'what was measured is kept'
size=$(sql 'CREATE INDEX items_a ON items (a)' && sql "SELECT pg_relation_size('items_a')")
sql 'DROP INDEX items_a'
is "$(value '{steps,0,changes,0,bytes}')" "$size" 'with the size that such an index has'

run --json rehearse "$script" --with-rows
is "$rc" 0 'a rehearsal on a copy of its own'
is "$(printf '%s' "$out" | python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["with_rows"], d["staging"], d["tables_equal"])')" \
    'True None 2' 'as JSON'
is "$(sql "SELECT count(*) FROM pg_database WHERE datname ~ '^pgmend_scratch_'")" 0 'which is dropped'

# A copy that is not, or no longer, one of this database.
psql -X -q -d postgres -c "CREATE DATABASE ${db}_other"
run rehearse "$script" --staging "${db}_other"
is "$rc" 1 'a database without the mark is refused'
run rehearse "$script" --staging "${db}_nowhere"
has "$err" 'there is no staging copy' 'and one that is not there'
sql "COMMENT ON DATABASE ${db}_other IS 'pgmend staging made at 2026-01-01T00:00:00Z from dump, 0 columns masked, of shop on ?'"
run rehearse "$script" --staging "${db}_other"
has "$err" 'is a copy of another database: "shop"' 'and a copy of another database'

sql 'ALTER TABLE other ADD COLUMN since date'
run rehearse "$script" --staging "$copy"
is "$rc" 9 'a copy whose schema differs is refused as stale'
has "$err" 'other.since' 'with what differs'
has "$err" "pgmend staging refresh $copy" 'and what to do'
run staging refresh "$copy"
run rehearse "$script" --staging "$copy"
is "$rc" 0 'a new copy is fine'

# Killed while it builds: the next rehearsal puts the copy right first.
session_open holder "$copy"
session holder 'BEGIN; UPDATE items SET a = a WHERE id = 1;'
start rehearse "$script" --staging "$copy"
wait_sql 'the build waits' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = '$copy'
    AND query ILIKE 'create index concurrently%' AND wait_event_type = 'Lock')"
kill -9 "$running"
finish
session holder 'ROLLBACK;'
session_close holder
wait_sql 'the build of the killed run has ended' "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = '$copy' AND application_name LIKE 'pgmend/%')"
run rehearse "$script" --staging "$copy"
is "$rc" 0 'after a killed rehearsal the next one works'
has "$err" 'was cut off' 'and says that there was one'
is "$(indexes "$copy")" 0 'nothing of both is left'

# A change that cannot be done: the copy is as it was, and no gate is green.
sql 'DELETE FROM pgmend.gate'
sql 'INSERT INTO other VALUES (1000, 1)'
sql 'INSERT INTO other VALUES (1001, 1)' "$copy"
run rehearse "$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a); CREATE UNIQUE INDEX CONCURRENTLY other_x ON other (x);')" \
    --staging "$copy"
is "$([ "$rc" != 0 ] && echo failed)" failed 'a change that fails on the copy fails the rehearsal'
is "$(indexes "$copy")" 0 'what was built before it is undone'
is "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmend'" "$copy")" 0 'and nothing of it is left'
is "$(sql 'SELECT count(*) FROM pgmend.gate')" 0 'no gate is green'


run --yes staging drop "$copy"
done_testing
