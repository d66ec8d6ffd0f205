#!/usr/bin/env bash
# A rebuild of an index that is stopped half-way: by Ctrl-C, the administrator, kill -9, a lock; indexes that vanish while
# we look; tables that are not ours. An old snapshot holds each rebuild before the swap (its copy is _ccnew), a reader of the
# table after it (the old one is _ccold), until the test lets it go on. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database
script "$db" <<<'CREATE INDEX items_a ON items (a); CREATE UNIQUE INDEX items_once ON items (id, a);'
session_open other
readonly WHOLE='items_a|t|t|t|f
items_once|t|t|t|t'

file_of() { # index
    sql "SELECT pg_relation_filenode('$1')"
}

rebuilder() {
    sql "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'reindex%'
            AND application_name LIKE 'pgmend/%'"
}

begin() { # arguments of index reindex
    session other "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
    start index reindex "${LAX[@]}" "$@"
    wait_phase 'waiting for old snapshots'
}

# A reader of the table itself lets the swap pass, and holds up what comes after it.
begin_behind_reader() { # arguments of index reindex
    session other "BEGIN; SELECT count(*) FROM items;"
    start index reindex "${LAX[@]}" "$@"
    wait_phase 'waiting for readers'
}

let_go() {
    session other "ROLLBACK;"
}

forget() {
    script "$db" <<<'SET client_min_messages = error; DROP SCHEMA IF EXISTS pgmend CASCADE;'
    rm -rf "$state"
}

# -- it works -----------------------------------------------------------------------------------

before=$(file_of items_a)
run index reindex items_a items_once "${LAX[@]}"
is "$rc" 0 'two indexes are rebuilt'
is "$(inventory)" "$WHOLE" 'both are good, and nothing is beside them'
is "$([ "$(file_of items_a)" != "$before" ] && echo new)" new 'in a new file'
is "$(journal)" 'public.items_a|done
public.items_once|done' 'the journal says so'
run rollback
is "$rc" 0 'a rollback has nothing to undo'
is "$(inventory)" "$WHOLE" 'and leaves them as they are'
forget

# -- signals ------------------------------------------------------------------------------------

for case in "INT 130" "TERM 143"; do
    read -r signal status <<<"$case"
    before=$(file_of items_a)
    begin items_a
    has "$(inventory)" 'items_a_ccnew|f|' "SIG$signal: the copy stands there while it builds"
    kill "-$signal" "$running"
    finish
    is "$rc" "$status" "SIG$signal while rebuilding: exit status $status"
    is "$(inventory)" "$WHOLE" "SIG$signal: no _ccnew is left, although the old snapshot is still held"
    is "$(file_of items_a)" "$before" "SIG$signal: the index is in its old file"
    is "$(journal)" 'public.items_a|failed' "SIG$signal: the journal says so"
    has "$err" 'public.items_a is as it was' "SIG$signal: the message says in which state it is"
    let_go
    forget
done

# -- the administrator --------------------------------------------------------------------------

before=$(file_of items_once)
begin items_once --retries 0
sql "SELECT pg_terminate_backend($(rebuilder))" >"$work/ended"
finish
is "$rc" 5 'its session is ended, without retries: failed and undone'
is "$(inventory)" "$WHOLE" 'nothing is left of it'
is "$(file_of items_once)" "$before" 'the index is in its old file'
let_go
forget

begin items_once
sql "SELECT pg_terminate_backend($(rebuilder))" >"$work/ended"
wait_until 'it tries again' grep -q 'trying again' "$work/bg.err"
let_go
finish
is "$rc" 0 'its session is ended: it begins anew and succeeds'
is "$(inventory)" "$WHOLE" 'the index is good'
is "$(journal)" 'public.items_once|done' 'the journal says so'
forget

# After the swap the new one is in place: what is cut off is only the end of the old one.
before=$(file_of items_a)
begin_behind_reader items_a
has "$(inventory)" 'items_a_ccold|f|' 'after the swap the old one stands there'
sql "SELECT pg_terminate_backend($(rebuilder))" >"$work/ended"
wait_sql 'the old one is being dropped' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND query ILIKE 'drop index%_ccold%')"
let_go
finish
is "$rc" 0 'its session is ended after the swap: it is rebuilt'
is "$(inventory)" "$WHOLE" 'no _ccold is left'
is "$([ "$(file_of items_a)" != "$before" ] && echo new)" new 'the index is in a new file'
forget

# -- kill -9 ------------------------------------------------------------------------------------

# The server goes on without its client, and finishes; the next run notes it.
before=$(file_of items_a)
begin items_a
kill -9 "$running"
finish
let_go
wait_sql 'the server has finished' "SELECT count(*) = 0 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'pgmend%'"
is "$([ "$(file_of items_a)" != "$before" ] && echo new)" new 'kill -9: the server finishes by itself'
run rollback
has "$both" 'had been completed by the server' 'kill -9: the next run says so'
is "$(sql "SELECT state FROM pgmend.journal WHERE object = 'public.items_a'")" 'done' 'kill -9: and settles the journal'
forget

# Both are killed: the copy is left, and the next run removes it, and nobody else's.
script "$db" <<<'CREATE INDEX CONCURRENTLY items_b ON items (b);'
session other "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
psql -X -q -d "$db" -c "REINDEX INDEX CONCURRENTLY items_a" >"$work/psql.out" 2>&1 &
by_hand=$!
wait_phase 'waiting for old snapshots'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'reindex%' AND datname = current_database()" >"$work/ended"
wait "$by_hand" 2>/dev/null
has "$(inventory)" 'items_a_ccnew|f|' 'a rest that is not ours stands there'
let_go
begin items_a
worker_pid=$(rebuilder)
kill -9 "$running"
sql "SELECT pg_terminate_backend($worker_pid)" >"$work/ended"
finish
has "$(inventory)" 'items_a_ccnew1|f|' 'kill -9 of both: a rest of ours beside it'
let_go
run index invalid
has "$out" 'was cut off before it took the place of items_a' 'index invalid tells how it came to be'
run index reindex items_b "${LAX[@]}"
is "$rc" 0 'the next run goes on'
has "$both" 'its unusable rest was dropped' 'and removes the rest of the one that was killed'
has "$(inventory)" 'items_a_ccnew|f|' 'not the one that was there before'
lacks "$(inventory)" 'items_a_ccnew1' 'ours is gone'
run index invalid --clean "${LAX[@]}"
is "$rc" 0 'index invalid --clean drops the other one'
lacks "$(inventory)" '|f|' 'no unusable index is left'
run rollback
is "$rc" 0 'its rollback builds no unusable index again'
lacks "$(inventory)" '_ccnew' 'indeed'
forget

# -- locks --------------------------------------------------------------------------------------

session other "BEGIN; LOCK TABLE items IN SHARE UPDATE EXCLUSIVE MODE;"
run index reindex items_a "${LAX[@]}" --lock-timeout 50ms --retries 1
is "$rc" 5 'a table that somebody works on: given up'
has "$err" 'waiting for the lock of public.items' 'it says what it waited for'
is "$(journal)" 'public.items_a|failed' 'the journal says so'
let_go
session other "BEGIN; LOCK TABLE items IN ACCESS EXCLUSIVE MODE;"
run index reindex items_a "${LAX[@]}"
is "$rc" 1 'a table that is locked: not begun'
has "$err" 'somebody holds public.items exclusively' 'and it says why'
run index status
is "$rc" 0 'index status does not wait for the lock'
run index unused --min-age 1ms
is "$rc" 0 'index unused neither'
let_go
session other "BEGIN; ALTER INDEX items_a SET (fillfactor = 80); TRUNCATE items;"
run index bloat --exact --min-size 0
is "$rc" 0 'index bloat does not wait for a table that is being emptied'
run index status
is "$rc" 0 'index status neither'
let_go
forget

# -- rights -------------------------------------------------------------------------------------

script "$db" <<SQL
DROP ROLE IF EXISTS index_guest_$$;
CREATE ROLE index_guest_$$ LOGIN;
CREATE TABLE guests (id int);
ALTER TABLE guests OWNER TO index_guest_$$;
CREATE INDEX guests_id ON guests (id);
GRANT CREATE ON DATABASE $db TO index_guest_$$;
SQL
export PGUSER=index_guest_$$
run index status
is "$rc" 0 'a role without rights sees the indexes'
run index reindex items_a guests_id "${LAX[@]}"
is "$rc" 1 'but rebuilds none that is not its own'
has "$out" "role index_guest_$$ may not rebuild it" 'and is told why'
run index drop items_a
is "$rc" 8 'nor drops it'
has "$err" "GRANT postgres TO index_guest_$$" 'and is told what would help'
run index bloat --exact --min-size 0
is "$rc" 0 'without pgstattuple the waste is estimated'
has "$both" 'pgstattuple' 'and it says what is missing'
unset PGUSER
eval "$("$root/script/cluster" env "$(dirname "$PGHOST")" 2>/dev/null || echo export PGUSER=postgres)"

# -- what vanishes ------------------------------------------------------------------------------

# Indexes come and go all the time while we look: no look fails for it.
(
    while [ ! -e "$work/enough" ]; do
        echo 'CREATE INDEX gone_1 ON other (x); CREATE INDEX gone_2 ON other ((x + 1)); DROP INDEX gone_1, gone_2;'
    done | psql -X -q -d "$db" >"$work/churn.out" 2>&1
) &
churn=$!
bad=0
for _ in $(seq 10); do
    for command in status 'unused --min-age 1ms' duplicate invalid bloat; do
        # shellcheck disable=SC2086
        run index $command
        [ "$rc" = 0 ] || bad=$((bad + 1))
        [ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
    done
done
: >"$work/enough"
wait "$churn"
is "$bad" 0 'no look fails while indexes come and go'

run index reindex items_a -o "$work/plan.json"
is "$rc" 0 'a plan is written'
script "$db" <<<'DROP INDEX items_a;'
run apply "$work/plan.json" "${LAX[@]}"
is "$rc" 9 'a plan for an index that is gone since is refused as stale'
has "$err" 'public.items_a: it is not there' 'and says why'

done_testing
