#!/usr/bin/env bash
# What is refused before anything is changed, and what the refusal says: names that are taken, rows that do not fit, old
# transactions, dumps, stale and altered plans, missing rights, wrong options. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
session_open other

statement() { # sql ...: a script of these statements, other than $one
    printf '%s\n' "$@" >"$work/other.sql"
    echo "$work/other.sql"
}

# The run has failed with this status and left the database as it was.
nothing_changed() { # status description
    is "$rc" "$1" "$2: exit status $1"
    is "$(inventory)" "${before:-}" "$2: no index was made or dropped"
    is "$(sql "SELECT to_regclass('pgmend.run') IS NULL")" t "$2: not even schema pgmend was made"
}

# -- names --------------------------------------------------------------------------------------

script "$db" <<'SQL'
CREATE INDEX taken_definition ON items (b);
CREATE INDEX taken_table ON other (x);
CREATE VIEW taken_view AS SELECT 1;
CREATE INDEX same_as_wanted ON items (a, b DESC);
CREATE TABLE parted (a int) PARTITION BY RANGE (a);
SQL
before=$(inventory)
while IFS='|' read -r sql said; do
    run index apply "$(statement "$sql")" "${LAX[@]}"
    nothing_changed 1 "$sql"
    has "$both" "$said" "$sql: $said"
    has "$both" 'other.sql:1' "$sql: says where it stands"
done <<'CASES'
CREATE INDEX CONCURRENTLY taken_definition ON items (a);|the name is taken by an index with another definition
CREATE UNIQUE INDEX CONCURRENTLY taken_definition ON items (b);|the name is taken by an index with another definition
CREATE INDEX CONCURRENTLY taken_table ON items (a);|the name is taken by an index of another table: other
CREATE INDEX CONCURRENTLY taken_view ON items (a);|the name is taken by something that is not an index
CREATE INDEX CONCURRENTLY other ON items (a);|the name is taken by something that is not an index
CREATE INDEX CONCURRENTLY items ON items (a);|relation "items" already exists
CREATE INDEX CONCURRENTLY x ON nowhere (a);|table nowhere does not exist
CREATE INDEX CONCURRENTLY x ON taken_view (a);|is not a table
CREATE INDEX CONCURRENTLY x ON parted (a);|the table is partitioned
CREATE INDEX CONCURRENTLY x ON items (nothing);|column "nothing" does not exist
CREATE INDEX CONCURRENTLY x ON items (b varchar_no_ops);|operator class "varchar_no_ops" does not exist
CREATE INDEX CONCURRENTLY x ON items (a) TABLESPACE nowhere;|tablespace "nowhere" does not exist
CREATE INDEX CONCURRENTLY x ON items USING ivfflat (b) WITH (lists = 10);|access method "ivfflat" does not exist
CREATE INDEX CONCURRENTLY x ON items USING ivfflat (b);|CREATE EXTENSION vector;
CREATE INDEX CONCURRENTLY ON items (a);|the index has no name
CREATE INDEX CONCURRENTLY xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ON items (a);|longer than 63 bytes
CREATE INDEX CONCURRENTLY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" ON items (a);|longer than 63 bytes
DROP TABLE items;|a DROP is not an index to build
DO $$BEGIN EXECUTE 'CREATE INDEX CONCURRENTLY x ON items (a)'; END$$;|a DO block cannot build an index
CASES

run index apply "$(statement 'CREATE INDEX CONCURRENTLY wanted ON items (a, b DESC);')" "${LAX[@]}"
is "$rc" 0 'an index that is there under another name: nothing to do'
has "$both" 'the same index is there as same_as_wanted' 'it says under which name'
is "$(inventory)" "$before" 'it is not built twice'
script "$db" <<<'DROP SCHEMA IF EXISTS pgmend CASCADE; DROP INDEX taken_definition; DROP INDEX taken_table; DROP INDEX same_as_wanted;' 2>/dev/null
before=

run index apply "$(statement 'CREATE INDEX CONCURRENTLY items_b ON items (b);' 'CREATE INDEX CONCURRENTLY x ON items (nothing);')" "${LAX[@]}"
nothing_changed 1 'one bad statement of two'

# -- rows, sessions -----------------------------------------------------------------------------

run index apply "$(statement 'CREATE UNIQUE INDEX CONCURRENTLY items_u ON items (a, note) WHERE id > 5;')" "${LAX[@]}"
nothing_changed 4 'duplicates'
has "$both" 'items_u cannot be unique' 'duplicates: the index is named'
has "$both" ', note)' 'duplicates: and a key that is there more than once'

session other "BEGIN; UPDATE items SET a = a WHERE id = 1;"
gates=(--override backup --override staging --override monitoring --override rollback --override team --reason test)
run index apply "$one" "${gates[@]}" --max-transaction 1ms
nothing_changed 4 'a writer of the table'
other_backend=$(sql "SELECT pid FROM pg_stat_activity WHERE application_name = 'other' AND datname = current_database()")
has "$err" "pid $other_backend (other, user postgres, idle in transaction, transaction of" \
    'a writer of the table: pid, application, state and age are named'
session other "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
run index apply "$one" "${gates[@]}" --max-transaction 1ms
nothing_changed 4 'an old snapshot, of another table'
has "$err" "pid $other_backend" 'an old snapshot: its pid is named'
run index apply "$one" "${gates[@]}" --max-transaction 1h --dry-run
has "$out" 'no old transaction' 'a young one is not red'
session other "ROLLBACK; BEGIN; SELECT count(*) FROM items; UPDATE other SET x = x;"
run index apply "$one" "${gates[@]}" --max-transaction 1ms --dry-run
has "$out" 'no old transaction' 'a reader of the table and a writer of another hold nothing up'
session other "ROLLBACK;"

# pg_dump waits for a table that is locked, and holds its snapshot meanwhile.
if pg_dump -s -d "$db" >/dev/null 2>&1; then
    session other "BEGIN; LOCK TABLE other IN ACCESS EXCLUSIVE MODE;"
    pg_dump -d "$db" -f "$work/dump.sql" 2>"$work/dump.err" &
    dump=$!
    wait_sql 'pg_dump waits' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'pg_dump' AND wait_event_type = 'Lock')"
    run index apply "$one" "${gates[@]}"
    nothing_changed 4 'a dump that runs'
    has "$err" '(pg_dump, user' 'a dump that runs: it is named'
    has "$err" 'an index build waits until it ends' 'a dump that runs: and why it matters'
    session other "ROLLBACK;"
    wait "$dump"
else
    echo '# no pg_dump for this server'
fi

# -- gates --------------------------------------------------------------------------------------

run index apply "$one"
nothing_changed 4 'no gate is green'
for gate in backup staging monitoring rollback team; do
    has "$err" "$gate (" "the gate $gate is red"
done
run index apply "$one" --override all
nothing_changed 2 'an override without a reason'
run index apply "$one" --override wal --reason test
nothing_changed 2 'an override of a hard gate'
run index apply "$one" --override nothing --reason test
nothing_changed 2 'an override of a gate that there is not'
run index apply "$one" "${LAX[@]}" --dry-run
nothing_changed 0 'a dry run'

# -- options ------------------------------------------------------------------------------------

run index apply "$one" --no-such-option
nothing_changed 2 'an unknown option'
run index apply
nothing_changed 2 'no script'
run index apply "$work/missing.sql"
nothing_changed 1 'a script that is missing'
has "$err" 'missing.sql' 'a script that is missing: it is named'
run index apply "$one" --retries many
nothing_changed 2 'a number that is none'
run index apply "$one" "${LAX[@]}" --state-dir "$one/below"
is "$rc" 1 'a state folder that cannot be written'
is "$(inventory)" '' 'a state folder that cannot be written: nothing is built'
if [ "$(id -u)" = 0 ]; then
    install -d -m 555 "$work/locked"
    chmod 644 "$one"
    rc=0
    err=$(as_server "$pgmend" index apply "$one" "${LAX[@]}" --attest-wal-free 1TB --attest-data-free 1TB \
        --state-dir "$work/locked" 2>&1) || rc=$?
    nothing_changed 1 'a state folder of somebody else'
    has "$err" "$work/locked" 'a state folder of somebody else: it is named'
fi

# -- the server ---------------------------------------------------------------------------------

run index apply "$one" --db-url "postgresql://nobody@/$db?host=$work"
is "$rc" 8 'a URL that does not connect'
has "$err" 'could not connect' 'a URL that does not connect: it says so'
run index apply "$one" --db-url "postgresql:///no_such_database_$$"
is "$rc" 8 'a database that is not there'
run index apply "$one" --db-url "postgresql://u:s3cret@[::1/x"
is "$rc" 2 'a URL that is none'
lacks "$both" s3cret 'a URL that is none: its password is not shown'

role=faults_role_$$
sql "REVOKE CREATE ON SCHEMA public FROM PUBLIC" # as since 15
sql "CREATE ROLE $role LOGIN; GRANT SELECT ON items TO $role"
limited="postgresql://$role@/$db"
run index apply "$one" "${LAX[@]}" --db-url "$limited"
nothing_changed 1 'a role that does not own the table'
has "$both" "GRANT postgres TO $role;" 'a role that does not own the table: the GRANT is named'
sql "ALTER TABLE items OWNER TO $role"
run index apply "$one" "${LAX[@]}" --db-url "$limited"
nothing_changed 1 'a role that may not create in schema public'
has "$out" "GRANT CREATE ON SCHEMA public TO $role;" 'a role that may not create in schema public: the GRANT is named'
sql "GRANT CREATE ON SCHEMA public TO $role"
run index apply "$one" "${LAX[@]}" --attest-wal-free 100GB --attest-data-free 100GB --db-url "$limited"
nothing_changed 8 'a role that may not create a schema'
has "$err" "GRANT CREATE ON DATABASE $db TO $role;" 'a role that may not create a schema: the GRANT is named'
sql "GRANT CREATE ON DATABASE $db TO $role"
run index apply "$one" "${LAX[@]}" --db-url "$limited"
nothing_changed 4 'a role that may not see the disks'
has "$err" '--attest-wal-free' 'a role that may not see the disks: what to do is named'
sql "REVOKE TEMPORARY ON DATABASE $db FROM PUBLIC"
run plan "$one" --db-url "$limited"
nothing_changed 8 'a role that may not make temporary tables'
has "$err" "GRANT TEMPORARY ON DATABASE $db TO $role;" 'a role that may not make temporary tables: the GRANT is named'
sql "GRANT TEMPORARY ON DATABASE $db TO $role"
run index apply "$one" "${LAX[@]}" --attest-wal-free 100GB --attest-data-free 100GB --db-url "$limited"
is "$rc" 0 'with these rights, and no more, it works'
has "$(sql "SELECT overrides ->> 'wal' FROM pgmend.run")" '100 GB' 'the journal says what the operator vouched for'
run rollback --db-url "$limited"
is "$rc" 0 'and can be undone'
run uninstall --yes --db-url "$limited"
is "$rc" 0 'and removed'
rm -rf "$state"
sql "ALTER TABLE items OWNER TO postgres; REVOKE ALL ON DATABASE $db FROM $role; DROP OWNED BY $role; DROP ROLE $role"
sql "GRANT TEMPORARY ON DATABASE $db TO PUBLIC"

# -- plans --------------------------------------------------------------------------------------

run plan "$one" -o "$work/change.plan" --exit-code
is "$rc" 3 'a plan with something to do'
nothing_changed 3 'making a plan'
for edit in 's/ON public.items USING btree (a)/ON public.items USING btree (b)/' 's/"name": *"items_a"/"name":"items_z"/' \
    's/DROP INDEX CONCURRENTLY public.items_a/DROP TABLE public.items/' \
    's/"table": *"items"/"table":"other"/' 's/"definition": *"[^"]*"/"definition":"USING btree (b)"/' \
    's/"is_unique": *false/"is_unique":true/'; do
    sed "$edit" "$work/change.plan" >"$work/altered.plan"
    run apply "$work/altered.plan" "${LAX[@]}"
    nothing_changed 10 "a plan altered by $edit"
done
echo '{"format": "pgmend-plan-1"' >"$work/altered.plan"
run apply "$work/altered.plan" "${LAX[@]}"
nothing_changed 1 'half a plan'
run apply "$work/change.plan" "$one" "${LAX[@]}"
nothing_changed 2 'a plan and a script at once'

sql "ALTER TABLE items ADD COLUMN added int"
run apply "$work/change.plan" "${LAX[@]}"
nothing_changed 9 'a column was added since the plan was made'
has "$err" 'stale' 'it says that the plan is stale'
sql "ALTER TABLE items DROP COLUMN added"
run apply "$work/change.plan" "${LAX[@]}" --dry-run
is "$rc" 0 'without it the plan is good again'
sql "ALTER TABLE items ALTER a TYPE bigint"
run apply "$work/change.plan" "${LAX[@]}"
nothing_changed 9 'a type was changed since the plan was made'
sql "ALTER TABLE items ALTER a TYPE int"
sql "CREATE DATABASE ${db}_2 TEMPLATE template0" postgres
run apply "$work/change.plan" "${LAX[@]}" --db-url "postgresql:///${db}_2"
is "$rc" 9 'a plan for another database'
sql "DROP DATABASE ${db}_2" postgres

# -- unusable indexes of others -----------------------------------------------------------------

# Ready, but not valid: as E6b, a build that was cancelled while it waited for old snapshots.
leave_invalid() { # statement
    local build

    session other "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
    psql -X -q -d "$db" -c "$1" >/dev/null 2>&1 &
    build=$!
    wait_phase 'waiting for old snapshots'
    sql "SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index WHERE datname = current_database()" >/dev/null
    wait "$build"
    session other "ROLLBACK;"
}

leave_invalid 'CREATE UNIQUE INDEX CONCURRENTLY items_u ON items (id, a)'
before=$(inventory)
is "$before" 'items_u|f|t|t|t' 'somebody left an unusable unique index'
run index apply "$(statement 'CREATE UNIQUE INDEX CONCURRENTLY items_u ON items (id, a);')" "${LAX[@]}"
nothing_changed 1 'an unusable index of somebody else'
has "$err" 'not made by pgmend; it refuses rows' 'it is told that it refuses rows'
has "$err" '--drop-invalid items_u' 'and how to allow dropping it'
run index apply "$work/other.sql" "${LAX[@]}" --drop-invalid items_x
nothing_changed 1 'another name does not allow it'
run status
has "$out" 'it refuses rows, drop it now' 'status warns of it'
run index apply "$work/other.sql" "${LAX[@]}" --drop-invalid items_u
is "$rc" 0 'with the typed name it is dropped and built'
is "$(inventory)" 'items_u|t|t|t|t' 'the index is good'
run rollback
run uninstall --yes
rm -rf "$state"

# It came between plan and apply: consent cannot have been given for it.
before=
run plan "$one" -o "$work/change.plan"
leave_invalid 'CREATE INDEX CONCURRENTLY items_a ON items (a)'
run apply "$work/change.plan" "${LAX[@]}"
is "$rc" 9 'an unusable index that came after the plan: stale'
is "$(inventory)" 'items_a|f|t|t|f' 'it was not dropped'
has "$err" '--drop-invalid items_a' 'how to allow it is named'
run apply "$work/change.plan" "${LAX[@]}" --drop-invalid items_a
is "$rc" 0 'with the typed name the same plan is done'
is "$(inventory)" 'items_a|t|t|t|f' 'the index is good'

# What pgmend built and undid is not its own for ever.
run rollback
leave_invalid 'CREATE INDEX CONCURRENTLY items_a ON items (a)'
run index apply "$one" "${LAX[@]}"
is "$rc" 1 'an unusable index of the name of one that was undone is not ours'
is "$(inventory)" 'items_a|f|t|t|f' 'it was not dropped'
sql "DROP INDEX items_a"

# -- somebody else is building ------------------------------------------------------------------

session other "BEGIN; UPDATE items SET a = a WHERE id = 1;"
psql -X -q -d "$db" -c 'CREATE INDEX CONCURRENTLY items_a ON items (a)' >/dev/null 2>&1 &
build=$!
wait_phase 'waiting for writers before build'
run index apply "$one" "${LAX[@]}"
is "$rc" 1 'the index is being built by somebody else'
has "$both" 'an index of this name is being built at this moment' 'it says so'
session other "ROLLBACK;"
wait "$build"
is "$(inventory)" 'items_a|t|t|t|f' 'the build was left in peace'
sql "DROP INDEX items_a"

# -- two at once --------------------------------------------------------------------------------

run uninstall --yes
rm -rf "$state"
session other "BEGIN; UPDATE items SET a = a WHERE id = 1;"
start index apply "$one" "${LAX[@]}"
wait_phase 'waiting for writers before build'
for second in "index apply $one ${LAX[*]}" rollback "uninstall --yes"; do
    # shellcheck disable=SC2086
    run $second
    is "$rc" 7 "${second%% /*} meanwhile: exit status 7"
    has "$err" "pgmend/index apply $running" "${second%% /*} meanwhile: the holder is named"
done
run status
has "$out" 'being built' 'status shows the one that runs'
session other "ROLLBACK;"
finish
is "$rc" 0 'the first one is not disturbed'
is "$(sql "SELECT count(*) FROM pgmend.run")" 1 'there is one run in the journal'
run uninstall --yes
sql "DROP INDEX items_a"

for _ in 1 2 3; do
    "$pgmend" index apply "$one" "${LAX[@]}" --state-dir "$state" >"$work/first" 2>&1 &
    first=$!
    rm -rf "$state"
    run index apply "$one" "${LAX[@]}"
    second=$rc
    rc=0
    wait "$first" || rc=$?
    is "$(inventory)" 'items_a|t|t|t|f' "started together ($rc, $second): one good index"
    is "$(sql "SELECT count(*) FROM pgmend.journal WHERE state = 'done'")" 1 'started together: built once'
    run uninstall --yes
    sql "DROP INDEX items_a"
done
session_close other
done_testing
