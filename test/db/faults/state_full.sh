#!/usr/bin/env bash
# The volume of the local journal fills up, or becomes read-only, before and during a change: what is in the catalogue, the
# database's journal and the file agree again after the next run. Needs root for the volume. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$(id -u)" = 0 ] || skip_all 'not root: no volume can be made to fill up'
mkdir "$work/small"
mount -t tmpfs -o size=1m tmpfs "$work/small" || skip_all 'no tmpfs can be mounted'
mounts+=("$work/small")

create_database
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
session_open other
state=$work/small/state

forget() {
    script "$db" <<<'SET client_min_messages = error; DROP INDEX IF EXISTS items_a; DROP SCHEMA IF EXISTS pgmend CASCADE;'
    rm -rf "$state" "$work/small/filler"
}

lines_are_whole() { # what
    local file

    file=$(find "$state/journal" -name '*.jsonl')
    is "$(python3 -c 'import json, sys
print(all(json.loads(line) for line in open(sys.argv[1])))' "$file" 2>&1)" True "$1: every line of the local journal is whole"
}

# -- from the beginning ---------------------------------------------------------------------------

head -c 2m /dev/zero 2>/dev/null >"$work/small/filler"
run index apply "$one" "${LAX[@]}"
is "$rc" 1 'the volume is full: refused'
has "$err" 'No space left on device' 'the volume is full: the message says why'
is "$(inventory)" '' 'the volume is full: nothing is built'
forget

mkdir -p "$state"
mount -o remount,ro "$work/small"
run index apply "$one" "${LAX[@]}"
is "$rc" 1 'the volume is read-only: refused'
has "$err" 'Read-only file system' 'the volume is read-only: the message says why'
is "$(inventory)" '' 'the volume is read-only: nothing is built'
run status
is "$rc" 0 'the volume is read-only: status works'
mount -o remount,rw "$work/small"
forget

# -- while an index is built ----------------------------------------------------------------------

session other "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
start index apply "$one" "${LAX[@]}"
wait_phase 'waiting for old snapshots'
mount -o remount,ro "$work/small"
session other "ROLLBACK;"
finish
[ "$rc" != 0 ]
is "$?" 0 'the volume becomes read-only while it builds: the run fails'
has "$err" 'Read-only file system' 'it says why'
found=$(inventory)
case "$found" in
'' | 'items_a|t|t|t|f') pass 'the index is good, or nothing is left of it' ;;
*) flunk "an unusable index stands there: $found" ;;
esac
mount -o remount,rw "$work/small"
run index apply "$one" "${LAX[@]}"
is "$rc" 0 'writable again, the next run does what is left to do'
is "$(inventory)" 'items_a|t|t|t|f' 'the index is good'
is "$(sql "SELECT count(*) FROM pgmend.journal WHERE state IN ('started', 'leftover', 'undoing')")" 0 'no entry is open'
lines_are_whole 'after the next run'
run rollback --all
is "$rc" 0 'it can be undone'
is "$(inventory)" '' 'and is gone'

# -- while it is undone -----------------------------------------------------------------------------

run index apply "$one" "${LAX[@]}"
is "$rc" 0 'an index is built'
session other "BEGIN; SELECT count(*) FROM items;"
start rollback --all
wait_sql 'the drop waits for the reader' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND query ILIKE 'drop index%' AND wait_event_type = 'Lock')"
mount -o remount,ro "$work/small"
session other "ROLLBACK;"
finish
[ "$rc" != 0 ]
is "$?" 0 'the volume becomes read-only while it drops: the run fails'
mount -o remount,rw "$work/small"
run rollback --all
is "$rc" 0 'writable again, the next run finishes it'
is "$(inventory)" '' 'the index is gone'
is "$(sql "SELECT count(*) FROM pgmend.journal WHERE state IN ('started', 'leftover', 'undoing')")" 0 'no entry is open'
lines_are_whole 'after the rollback'
session_close other
done_testing
