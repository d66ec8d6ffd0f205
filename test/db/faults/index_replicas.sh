#!/usr/bin/env bash
# Which indexes are dead, asked of a primary and two standbys that are stopped, killed, cut off and promoted; and an index
# that is watched before it is dropped, used or reset meanwhile. Prints TAP.
# Functions are called by wait_until and trap.
# shellcheck disable=SC2317
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

servers=$work/servers
standbys() {
    bash "$root/test/support/standbys.sh" "$servers" "$@"
}
remove_servers() {
    standbys remove >/dev/null 2>&1
    clean_up
}
trap remove_servers EXIT

standbys make >"$work/make.out" 2>&1 || { cat "$work/make.out"; exit 1; }
export PGHOST=$servers/a/socket PGPORT=5432 PGUSER=postgres
create_database
script "$db" <<'SQL'
CREATE INDEX items_dead ON items (b);
CREATE INDEX items_far ON items (a);
CREATE INDEX items_twin ON items (a);
CREATE TABLE child (id int PRIMARY KEY, item_id int REFERENCES items);
CREATE INDEX child_item ON child (item_id);
CREATE TABLE times (id int, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE times_1 PARTITION OF times FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE times_2 PARTITION OF times FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE INDEX times_id ON times (id);
CREATE INDEX times_at ON times (at);
INSERT INTO times SELECT i, '2026-01-02' FROM generate_series(1, 1000) AS i;
ANALYZE;
SQL
url() { # server
    echo "host=$servers/$1/socket port=5432 user=postgres dbname=$db"
}
at() { # server, query
    psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$(url "$1")" -c "$2"
}
caught_up() {
    [ "$(at "$1" "SELECT pg_last_wal_replay_lsn() >= '$(sql 'SELECT pg_current_wal_lsn()')'::pg_lsn")" = t ]
}
scans() { # server, index
    at "$1" "SELECT idx_scan FROM pg_stat_all_indexes WHERE indexrelname = '$2'"
}
is_scanned() { # server, index, more than
    [ "$(scans "$1" "$2")" -gt "$3" ]
}
readonly USE="SET enable_seqscan = off; SELECT count(*) FROM"
replicas=("--replica" "$(url b)" "--replica" "$(url c)")
readonly EARLY=(--min-age 1ms)
wait_until 'b has all' caught_up b
wait_until 'c has all' caught_up c

# -- what is unused on all of them ----------------------------------------------------------------

run index unused "${replicas[@]}"
is "$rc" 3 'servers that count for minutes: no conclusion'
has "$out" 'too early to tell' 'and it says so'
lacks "$out" 'items_dead' 'and names no index'

# A standby uses one; the primary's own counter does not move.
used=$(scans b items_far)
at b "$USE items WHERE a = 5" >"$work/used"
at b "$USE times_1 WHERE id = 5" >"$work/used"
name=items_far
[ "$(scans b items_far)" -gt "$used" ] || name=items_twin
wait_until 'the standby counts it' is_scanned b "$name" 0
other=$([ "$name" = items_far ] && echo items_twin || echo items_far)
is "$(scans a "$name")" 0 'the primary does not count what a standby uses'
run index unused "${EARLY[@]}"
has "$out" "public.$name" 'without the standby it is unused'
has "$out" '2 standbys are connected and not named' 'and it says that standbys were not asked'
run index unused "${EARLY[@]}" "${replicas[@]}"
is "$rc" 0 'with both standbys'
lacks "$out" "public.$name" 'what the standby uses is not unused'
has "$out" "public.$other" 'its twin is'
has "$out" 'public.items_dead' 'and what nobody uses'
lacks "$out" 'items_pkey' 'a primary key is not'
lacks "$out" 'child_item' 'nor what carries a foreign key'
has "$out" 'public.times_at' 'a partitioned index of which no part is used is'
lacks "$out" 'times_id' 'one of which a part is used on a standby is not'
lacks "$out" 'times_1_at' 'a part is not listed by itself'

# -- standbys that cannot be asked ----------------------------------------------------------------

standbys stop c
run index unused "${EARLY[@]}" "${replicas[@]}"
is "$rc" 8 'a standby that is stopped: no conclusion'
has "$err" 'replica 2 of 2' 'it says which one'
lacks "$out" 'items_dead' 'and names no index'
standbys start c
run index unused "${EARLY[@]}" --replica "$(url a)"
is "$rc" 1 'the primary given as a standby is refused'
has "$err" 'is no standby' 'and it says why'
run index unused "${EARLY[@]}" --replica "$(url b | sed "s/$db/postgres/")"
has "$err" 'is another database' 'another database is refused'
run index unused "${EARLY[@]}" --replica "$(url b)" --replica "$(url b)"
has "$err" 'given twice' 'the same one twice is refused'

# -- watched, then dropped ------------------------------------------------------------------------

run index drop items_dead
is "$rc" 1 'with standbys that were not asked nothing is begun'
has "$err" 'name each with --replica' 'and it says what to do'
run index drop items_dead "${replicas[@]}"
is "$rc" 0 'the watch begins'
has "$out" 'watched from now on' 'and says so'
has "$(inventory)" 'items_dead|t|t|t' 'nothing else is changed'
run index drop --list
has "$out" 'items_dead' 'the list shows it'
run index drop items_dead "${replicas[@]}"
has "$out" 'come back after' 'again: it goes on'

used=$(scans b items_dead)
at b "$USE items WHERE b = 'row 7'" >"$work/used"
wait_until 'the standby counts it' is_scanned b items_dead "$used"
run index drop items_dead "${replicas[@]}" --watch-for 1ms "${LAX[@]}"
is "$rc" 1 'used on a standby meanwhile: not dropped'
has "$err" 'used it' 'it says by how much'
has "$(inventory)" 'items_dead|t|t|t' 'the index stays'
run index drop --list
lacks "$out" 'items_dead' 'its watch is over'

run index drop items_dead "${replicas[@]}"
sql 'SELECT pg_stat_reset()' >"$work/reset"
run index drop items_dead "${replicas[@]}" --watch-for 1ms "${LAX[@]}"
has "$out" 'watched anew from now on' 'counters that were reset: it begins anew'
has "$(inventory)" 'items_dead|t|t|t' 'and the index stays'
standbys kill c
standbys start c
wait_until 'c answers' at c 'SELECT 1'
run index drop items_dead "${replicas[@]}" --watch-for 1ms "${LAX[@]}"
has "$out" 'watched anew from now on' 'counters that a crash has lost: it begins anew'
run index drop items_dead --replica "$(url b)" --ignore-standbys --watch-for 1ms "${LAX[@]}"
has "$out" 'is not given now' 'a standby less than before: it begins anew'
run index drop items_dead --replica "$(url b)" --ignore-standbys --watch-for 1ms "${LAX[@]}"
is "$rc" 0 'nobody used it: it is dropped'
lacks "$(inventory)" 'items_dead' 'it is gone'
run rollback
is "$rc" 0 'a rollback'
has "$(inventory)" 'items_dead|t|t|t' 'builds it again'
is "$(sql "SELECT indexdef FROM pg_indexes WHERE indexname = 'items_dead'")" \
    'CREATE INDEX items_dead ON public.items USING btree (b)' 'as it was'
run index drop items_dead --replica "$(url b)" --ignore-standbys --watch-for 1ms "${LAX[@]}"
has "$out" 'built anew or altered since' 'and its old watch does not count for the new one'

run index drop items_twin --yes "${LAX[@]}"
is "$rc" 0 'a twin is dropped at once'
lacks "$(inventory)" 'items_twin' 'it is gone'
run index drop items_far --now "${LAX[@]}"
is "$rc" 1 'a standby that is connected and not named stops --now'
has "$out$err" 'standby' 'and it says so'
run index drop items_far --now --ignore-standbys "${LAX[@]}"
is "$rc" 2 '--now asks first'
has "$(inventory)" 'items_far|t|t|t' 'and drops nothing without an answer'
for name in items_pkey child_item times_id times_1_id_idx; do
    run index drop "$name" --now --yes "${LAX[@]}"
    is "$rc" 1 "$name is refused in spite of --now --yes"
done

standbys promote c
run index unused "${EARLY[@]}" "${replicas[@]}"
is "$rc" 1 'a standby that was promoted is refused'
has "$err" 'it was promoted' 'and it says why'

done_testing
