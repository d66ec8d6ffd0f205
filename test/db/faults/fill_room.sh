#!/usr/bin/env bash
# pg_wal runs low while a column is filled: it stops before the server would, and goes on when there is room again. On a
# cluster of its own, whose pg_wal is a small tmpfs, for which it needs to be root. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=fill_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/fill_lib.sh"

[ "$(id -u)" = 0 ] || skip_all 'not root: no volume can be made to fill up'
start_cluster --set max_wal_size=64MB --set min_wal_size=32MB || exit 1
mkdir "$work/wal"
mount -t tmpfs -o "size=420m,mode=700,uid=$(id -u postgres)" tmpfs "$work/wal" || skip_all 'no tmpfs can be mounted'
mounts+=("$work/wal")
server stop -m fast
cp -a "$cluster/data/pg_wal/." "$work/wal/"
rm -rf "$cluster/data/pg_wal"
ln -s "$work/wal" "$cluster/data/pg_wal"
server start
prepare 1000

# Somebody holds a row that comes late, so that the fill is sure to be under way when the room is taken.
session_open other
run apply "$plan" "${LAX[@]}"
mapfile -t ids < <(sql "SELECT id FROM pgmend.journal WHERE state = 'done' AND kind NOT IN ('add column', 'create trigger')")
run rollback "${ids[@]}"
sql "ALTER TABLE items DISABLE TRIGGER items_weight; UPDATE items SET weight = NULL;
     ALTER TABLE items ENABLE TRIGGER items_weight"
session other "BEGIN; SELECT 1 FROM items WHERE id = 900 FOR UPDATE;"
start apply "$plan" "${LAX[@]}"
wait_sql 'the fill waits for the row' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
    AND query LIKE 'UPDATE ONLY%' AND wait_event_type = 'Lock')"
dd if=/dev/zero of="$work/wal/filler" bs=1M count=250 2>/dev/null
finish
is "$rc" 4 'pg_wal runs low: the fill stops'
has "$err" 'pg_wal ran low' 'it says why'
has "$err" 'are filled and stay; the same command goes on after them' 'and what stays'
is "$(sql "SELECT count(weight) BETWEEN 1 AND 999 FROM items")" t 'a part is filled'
run status
has "$out" '1 change is in the journal not finished' 'status tells'
run apply "$plan" "${LAX[@]}"
is "$rc" 4 'nothing goes on while there is no room'
rm "$work/wal/filler"
session other "ROLLBACK;"
run apply "$plan" "${LAX[@]}"
is "$rc|$(sql "$WRONG")|$(leftovers)" '0|0|' 'with room it goes on and ends'
session_close other
done_testing
