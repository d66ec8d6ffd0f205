#!/usr/bin/env bash
# Undoing while sessions stand in the way, and the journal when its file or its table was damaged or lost. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
printf '%s\n' 'CREATE INDEX CONCURRENTLY items_a ON items (a);' 'CREATE INDEX CONCURRENTLY items_b ON items (b);' \
    >"$work/two.sql"

built() {
    run index apply "$one" "${LAX[@]}"
    [ "$rc" = 0 ] || flunk "items_a is built"
}

# shellcheck disable=SC2317 # called by wait_until
slow_waits_again() {
    [ "$(sql "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND query ILIKE 'drop index%' AND wait_event_type = 'Lock'
          AND query_start > (SELECT max(started_at) FROM pgmend.run) + interval '10 s')" "${db}_slow")" = t ]
}

# In a database of its own, while the other tests run: the lock time-out of an attempt, which is 10 s, ends it, and the
# next one goes on.
sql "CREATE DATABASE ${db}_slow TEMPLATE $db" postgres
run index apply "$one" "${LAX[@]}" --db-url "dbname=${db}_slow"
session_open slow "${db}_slow"
session slow "BEGIN; SELECT count(*) FROM items;"
"$pgmend" --state-dir "$state" rollback --db-url "dbname=${db}_slow" >"$work/slow.bg" 2>&1 </dev/null &
slow=$!
session_open other

# -- a reader in the way ------------------------------------------------------------------------

built
session other "BEGIN; SELECT count(*) FROM items;"
start rollback
wait_sql 'the planner ignores the index' "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 'items_a'::regclass"
pass 'with a reader in the way the index is ignored at once'
# One attempt lasts 10 s; it is ended early here, as lock_timeout would do it.
sql "SELECT pg_cancel_backend($(worker))" >/dev/null
wait_sql 'a second attempt' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND query ILIKE 'drop index%' AND wait_event_type = 'Lock')"
session other "ROLLBACK;"
finish
is "$rc" 0 'it is completed when the reader has ended'
is "$(inventory)" '' 'the index is gone'
has "$out" 'the planner ignored it after' 'effect and completion are reported apart'
read -r effect gone < <(sed -n 's/.*ignored it after \(.*\), gone after \(.*\)/\1|\2/p' <<<"$out" | tr -d ' ' | tr '|' ' ')
is "$([ "$effect" != "$gone" ] && echo apart)" apart "they are not the same ($effect, $gone)"
is "$(journal)" 'public.items_a|undone' 'the journal says so'

# It gives up in time, and goes on where it stopped.
built
session other "BEGIN; SELECT count(*) FROM items;"
run rollback --limit 500ms
is "$rc" 6 'a reader that does not end: a person is needed'
has "$err" 'partly dropped' 'the message says in which state the index is'
is "$(sql "SELECT state FROM pgmend.journal ORDER BY id DESC LIMIT 1")" undoing 'the journal says so'
is "$(inventory)" 'items_a|f|t|t|f' 'the planner ignores the index, writes keep it up'
run status
has "$both" 'INVALID' 'status tells'
start rollback
wait_sql 'it waits again' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND query ILIKE 'drop index%' AND wait_event_type = 'Lock')"
kill -INT "$running"
finish
is "$rc" 130 'Ctrl-C while dropping'
session other "ROLLBACK;"
run rollback
is "$rc" 0 'the next rollback goes on where it stopped'
is "$(inventory)" '' 'the index is gone'

# -- what may be undone -------------------------------------------------------------------------

run index apply "$work/two.sql" "${LAX[@]}"
id=$(sql "SELECT id FROM pgmend.journal WHERE object = 'public.items_a' AND state = 'done'")
run rollback "$id"
is "$rc" 0 'one entry of a run is undone'
is "$(inventory)" 'items_b|t|t|t|f' 'the other index stays'
is "$(sql "SELECT r.state FROM pgmend.run AS r JOIN pgmend.journal AS j ON j.run = r.id WHERE j.id = $id")" 'done' \
    'the run is not undone while one of its indexes stands'
run rollback "$id"
is "$rc" 1 'an entry that is undone already is not undone again'
run rollback --run nothing
is "$rc" 1 'a run that there is not'
script "$db" <<<'DROP INDEX items_b; CREATE INDEX items_b ON items (b, a);'
run rollback
is "$rc" 1 'an index that somebody made anew is not dropped'
has "$err" 'not the index that pgmend built' 'the message says why'
is "$(inventory)" 'items_b|t|t|t|f' 'it was not touched'
script "$db" <<<'DROP INDEX items_b; CREATE UNIQUE INDEX CONCURRENTLY items_b ON items (id);'
run rollback
is "$rc" 1 'nor a unique one of the same name'
script "$db" <<<'DROP INDEX items_b;'
run rollback
is "$rc" 0 'an index that is gone is undone'
has "$out" 'was gone already' 'it says so'
is "$(sql "SELECT count(*) FROM pgmend.run WHERE state = 'undone'")" 3 'the runs of which nothing stands are undone'
run rollback
has "$out" 'nothing to undo' 'then there is nothing to undo'

printf '%s\n' 'CREATE UNIQUE INDEX CONCURRENTLY items_u ON items (id, a);' >"$work/unique.sql"
run index apply "$work/unique.sql" "${LAX[@]}"
sql 'ALTER TABLE items ADD CONSTRAINT items_u UNIQUE USING INDEX items_u'
run rollback
is "$rc" 1 'an index that became a constraint is not dropped'
has "$err" 'serves the constraint "items_u"' 'the message says why'
sql 'ALTER TABLE items DROP CONSTRAINT items_u'
run rollback
is "$rc" 0 'without the constraint it is undone'

# An unusable unique index refuses rows: it must go, even while a snapshot is held.
sql 'CREATE TABLE wanted (a int)'
session other "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
printf '%s\n' 'CREATE UNIQUE INDEX CONCURRENTLY wanted_a ON wanted (a);' >"$work/unique.sql"
start index apply "$work/unique.sql" "${LAX[@]}" --retries 0
wait_phase 'waiting for old snapshots'
sql 'INSERT INTO wanted VALUES (1)'
has "$(sql 'INSERT INTO wanted VALUES (1)' 2>&1)" 'duplicate key' 'a unique index in the making refuses rows'
sql "SELECT pg_cancel_backend($(worker))" >/dev/null
finish
is "$rc" 5 'its build is cancelled: failed and undone'
has "$(sql 'INSERT INTO wanted VALUES (1) RETURNING a' 2>&1)" 1 'at once rows are accepted again'
session other "ROLLBACK;"

# -- the local journal --------------------------------------------------------------------------

built
file=$(echo "$state"/journal/*-"$db".jsonl)
entries() {
    sql "SELECT count(*) FROM pgmend.journal"
}
count=$(entries)
is "$(stat -c %a "$file")" 600 'the local journal belongs to its owner alone'
printf '{"entry": "torn' >>"$file"
run rollback
is "$rc" 0 'a torn last line stops nothing'
has "$err" 'torn last line' 'it is told'
built
run rollback
is "$rc" 0 'and has not spoilt the lines behind it'
is "$(python3 -c 'import json,sys; print(all(json.loads(line) for line in open(sys.argv[1])))' "$file")" True \
    'every line of the file is JSON'

cp "$file" "$work/whole"
sed -i '2s/.*/{"entry": "damaged", }/' "$file"
run index apply "$one" "${LAX[@]}"
is "$rc" 1 'a damaged line stops the run'
has "$err" "$file:2" 'file and line are named'
is "$(inventory)" '' 'nothing was changed'
cp "$work/whole" "$file"

# The database was restored to an older state, or replaced: the file knows more.
count=$(entries)
sql 'DROP SCHEMA pgmend CASCADE' 2>/dev/null
run index apply "$one" "${LAX[@]}"
is "$rc" 0 'without schema pgmend the run makes it again'
has "$err" "$count journal entries were carried over from $file" 'and carries over what the file knows'
is "$(entries)" "$((count + 1))" 'no entry is missing'
sql "UPDATE pgmend.journal SET state = 'started', ended_at = NULL WHERE state = 'done'"
run rollback
is "$rc" 0 'what the table forgot of an entry is carried over as well'
is "$(inventory)" '' 'so that it can be undone'
chmod 600 "$file"
rm "$file"
built
run rollback
is "$rc" 0 'without the file the table is enough'
ln -s /etc/hostname "$work/link"
rm -f "$file"
ln -s "$work/link" "$file"
run index apply "$one" "${LAX[@]}"
is "$rc" 1 'a link in the place of the file is not followed'
rm -f "$file"

# -- the slow one from above ----------------------------------------------------------------------

wait_until 'the first attempt has timed out and the second one waits' slow_waits_again
session slow "ROLLBACK;"
rc=0
wait "$slow" || rc=$?
is "$rc" 0 'after a lock time-out the drop is tried again'
has "$(cat "$work/slow.bg")" 'dropped: the planner ignored it after' 'and succeeds'
is "$(sql "SELECT to_regclass('items_a') IS NULL" "${db}_slow")" t 'the index is gone'
session_close slow
sql "DROP DATABASE ${db}_slow WITH (FORCE)" postgres

# -- uninstall ----------------------------------------------------------------------------------

built
run uninstall --no-input
is "$rc" 2 'uninstall asks, and does nothing without an answer'
is "$(sql "SELECT to_regclass('pgmend.journal') IS NOT NULL")" t 'schema pgmend is there'
sql 'CREATE TABLE pgmend.mine (a int)'
run uninstall --yes
is "$rc" 1 'somebody else has put a table into schema pgmend'
has "$err" mine 'it is named'
is "$(sql "SELECT to_regclass('pgmend.journal') IS NOT NULL")" t 'nothing was removed'
sql 'DROP TABLE pgmend.mine'
run uninstall --yes
is "$rc" 0 'uninstall'
has "$err" '1 change stands' 'it warns that indexes stand which could be undone'
is "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmend'")" 0 'schema pgmend is gone'
is "$(inventory)" 'items_a|t|t|t|f' 'the indexes stay'
run uninstall --yes
has "$out" 'nothing of pgmend' 'a second time there is nothing'
run rollback
is "$rc" 0 'and nothing to undo'
session_close other
done_testing
