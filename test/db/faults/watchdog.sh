#!/usr/bin/env bash
# A database that suffers while an index is built: sessions that wait for a lock, a replica that stands still. An old snapshot
# holds the build up in its last phase, so that the watchdog has the time. What is begun is cancelled and removed. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

plan_of() { # name of the index, its column: writes a plan with one step and gives its path
    python3 "$here/make_plan.py" "$work/$1.plan" '' <<JSON
{"steps": [{"id": "1.1", "phase": 1, "title": "an index on items",
  "changes": [{"kind": "create index", "schema": "public", "table": "items", "name": "$1",
    "definition": "USING btree ($2)", "access_method": "btree",
    "statement": "CREATE INDEX CONCURRENTLY $1 ON public.items USING btree ($2)",
    "undo": "DROP INDEX CONCURRENTLY IF EXISTS public.$1"}]}]}
JSON
    echo "$work/$1.plan"
}

give_up_when_it_suffers() { # name of the index, what has to be said
    finish
    is "$rc" 5 "$1: the build is cancelled and undone"
    has "$err" 'the database suffers' "$1: the message says why"
    has "$err" 'goes on with what is left' "$1: what to do about it"
    has "$err" "$2" "$1: and what was bad"
    is "$(sql "SELECT count(*) FROM pg_class WHERE relname = '$1'")" 0 "$1: nothing of the index is left"
    is "$(sql "SELECT DISTINCT state FROM pgmend.journal WHERE object = 'public.$1'")" failed "$1: the journal says so"
}

folder=$work/standbys
"$root/test/support/standbys.sh" "$folder" make || exit 1
trap '"$root/test/support/standbys.sh" "$folder" remove >/dev/null 2>&1; clean_up' EXIT
export PGHOST=$folder/a/socket PGPORT=5432 PGUSER=postgres
create_database
sql 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements'
session_open old
session_open holder

# -- sessions that wait for a lock ------------------------------------------------------------------

plan=$(plan_of items_waiters a)
session old 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class;'
start apply "$plan" "${LAX[@]}" --guard-interval 300ms
wait_phase 'waiting for old snapshots'
is "$(sql "SELECT indisready FROM pg_index WHERE indexrelid = 'items_waiters'::regclass")" t 'the index is all but done'
session holder 'BEGIN; LOCK TABLE other;'
waiting=()
for _ in {1..12}; do
    PGAPPNAME=shop psql -X -q -c 'SELECT count(*) FROM other' >/dev/null 2>&1 &
    waiting+=($!)
done
wait_sql 'twelve sessions wait' "SELECT count(*) = 12 FROM pg_locks WHERE NOT granted AND relation = 'other'::regclass"
give_up_when_it_suffers items_waiters '12 sessions wait for a lock'
has "$err" '(holder, user' 'the message says for whom they wait'
session holder 'ROLLBACK;'
wait "${waiting[@]}"
run apply "$plan" "${LAX[@]}" --guard-interval 300ms --wait-limit 500ms
lacks "$err" 'the database suffers' 'when it is well again, it is no reason any more'
session old 'ROLLBACK;'
run apply "$plan" "${LAX[@]}" --guard-interval 300ms --retry-undone
is "$rc" 0 'the same command goes on'
is "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'items_waiters'::regclass")" t 'and builds the index'

# -- a replica that stands still --------------------------------------------------------------------

plan=$(plan_of items_replica b)
session old 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class;'
start apply "$plan" "${LAX[@]}" --guard-interval 300ms --guard-lag 1s
wait_phase 'waiting for old snapshots'
PGHOST=$folder/b/socket psql -X -q -d postgres -c 'SELECT pg_wal_replay_pause()' >/dev/null
for _ in {1..60}; do
    kill -0 "$running" 2>/dev/null || break
    sql 'UPDATE items SET a = a + 1'
    sleep 0.1
done
give_up_when_it_suffers items_replica 'replica b is '
PGHOST=$folder/b/socket psql -X -q -d postgres -c 'SELECT pg_wal_replay_resume()' >/dev/null
session old 'ROLLBACK;'
session_close old
session_close holder
done_testing
