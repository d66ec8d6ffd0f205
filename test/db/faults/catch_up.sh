#!/usr/bin/env bash
# A database behind a consolidation is brought to the old head by the real Alembic with the archived revisions; and what
# happens when it cannot be. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=alembic.sh
. "$(dirname "${BASH_SOURCE[0]}")/alembic.sh"

versions=$project/migrations/versions
archive=$project/migrations/versions_archive

stands() { # [database]
    sql 'SELECT string_agg(version_num, chr(44)) FROM alembic_version' "${1:-$db}"
}

dump() { # database
    pg_dump -s -N pgmend "$1" | grep -v '^\\\(un\)\?restrict'
}

catch_up() {
    run migrations catch-up "$project" "$@"
}

psql -X -q -d postgres -c "CREATE DATABASE $db" -c "CREATE DATABASE ${db}_slow"
project
revision a1 None 'op.execute("CREATE TABLE users (id bigint PRIMARY KEY, n int)")'
revision b2 "'a1'" 'op.execute("ALTER TABLE users ADD COLUMN email text")'
revision c3 "'b2'" 'op.execute("UPDATE users SET n = 7"); op.execute("CREATE INDEX users_email ON users (email)")'
alembic upgrade a1
alembic_on "${db}_slow" upgrade head
sql "INSERT INTO users VALUES (1, 0)"

run migrations catch-up "$project" --yes
has "$out" 'nothing to catch up' 'a database that the folder knows needs nothing'

# As consolidate leaves it: the old files in the archive with a manifest, new ones that end at the same head.
mkdir "$archive"
mv "$versions" "$archive/c3"
mkdir "$versions"
echo '{"head": "c3", "folder": "versions", "archive": "c3", "created": "2026-01-01T00:00:00Z",
    "old_files": {}, "new_files": {}}' >"$archive/c3.json"
revision n1 None 'op.execute("CREATE TABLE users (id bigint PRIMARY KEY, n int, email text)")'
revision c3 "'n1'" 'op.execute("CREATE INDEX users_email ON users (email)")'
alembic upgrade head
has "$out" "Can't locate revision" 'Alembic itself cannot go on from a revision that is gone'

# -- what it shows and asks ---------------------------------------------------------------------

catch_up --dry-run
is "$rc" 0 'a dry run ends well'
has "$out" 'stands at a1' 'it says where the database stands'
has "$out" 'b2  revision b2' 'and what it lacks'
has "$out" 'lock_timeout' 'and that env.py sets no lock_timeout'
is "$(stands)" a1 'and changes nothing'
catch_up
is "$rc" 2 'without --yes nobody is there to ask'
is "$(stands)" a1 'and nothing is changed'
is "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmend'")" 0 'not even a journal is made'

# -- faults -------------------------------------------------------------------------------------

session_open other
session other 'BEGIN; LOCK TABLE users IN ACCESS SHARE MODE;'
catch_up --yes --lock-timeout 100ms
is "$rc" 1 'a lock that does not come ends it'
has "$err" '55P03' 'with the reason of the server'
has "$err" 'stands at a1, as before' 'and where the database stands'

waits="SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE users%')"
idle="SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND application_name <> 'other' AND backend_type = 'client backend')"
start migrations catch-up "$project" --yes
wait_sql 'the migration waits' "$waits"
catch_up --yes
is "$rc" 7 'a second run is told of the first'
has "$err" 'migrations catch-up' 'by name'
kill -INT "$running"
finish
is "$rc" 130 'Ctrl-C ends it'
has "$err" 'stands at a1, as before' 'and it says where the database stands'
wait_sql 'its sessions are gone' "$idle"

start migrations catch-up "$project" --yes
wait_sql 'the migration waits' "$waits"
kill -KILL "$running"
finish
session other 'ROLLBACK;'
wait_sql 'the sessions of the killed run are gone' "$idle"
is "$(stands)" a1 'a kill leaves it where it stood'

sql "ALTER TABLE users ADD COLUMN email text"
catch_up --yes
is "$rc" 1 'a statement that fails ends it'
has "$err" 'versions_archive/c3/b2.py' 'with the file in the archive'
has "$err" '42701' 'and the reason of the server'
has "$err" 'stands at a1, as before' 'and where the database stands'
sql "ALTER TABLE users DROP COLUMN email"
sql "ALTER TABLE users ADD CONSTRAINT n CHECK (n < 7)"
catch_up --yes
has "$err" 'stands at b2 now; it stood at a1' 'what was done is said when a later revision fails'
sql "ALTER TABLE users DROP CONSTRAINT n"

# -- it goes well -------------------------------------------------------------------------------

catch_up --yes --json
is "$rc" 0 'it ends well'
is "$(python3 -c 'import json, sys
said = json.load(sys.stdin)
print(said["result"], *said["from"], said["to"], *(item["revision"] for item in said["missing"]))' <<<"$out")" \
    'done b2 c3 c3' 'JSON says what it did'
is "$(stands)" c3 'the database stands at the old head'
is "$(sql 'SELECT n FROM users')" 7 'rows were changed by the old revision'
sql 'UPDATE users SET n = 0'
alembic upgrade head
is "$rc" 0 'from there Alembic goes on with the consolidated folder'
is "$(sql 'SELECT n FROM users')" 0 'and has nothing to do'
alembic_on "${db}_slow" current
has "$out" 'c3 (head)' 'as it has for a database that was at head'
sql 'ALTER TABLE users DROP COLUMN email CASCADE; ALTER TABLE users ADD COLUMN email text;
    CREATE INDEX users_email ON users (email)'
is "$(dump "$db")" "$(dump "${db}_slow")" 'both have the same schema'
catch_up --yes
has "$out" 'nothing to catch up' 'once more there is nothing to do'
run history
has "$out" 'migrations catch-up b2 -> c3' 'the history has the run'
run rollback --yes
has "$out" 'nothing to undo' 'and rollback leaves it alone'
is "$(stands)" c3 'so that the database stays where it is'

# -- what it cannot know ------------------------------------------------------------------------

sql "UPDATE alembic_version SET version_num = 'zz'"
catch_up --yes
is "$rc" 1 'an unknown revision is refused'
has "$err" 'stands at zz' 'by its id'
has "$err" 'versions_archive/c3' 'and what was looked into'
sql "UPDATE alembic_version SET version_num = 'a1'"
mv "$archive" "$project/elsewhere"
catch_up --yes
has "$err" 'there is no archive' 'without an archive it says so'
catch_up --dry-run --archive "$project/elsewhere/c3"
is "$rc" 0 '--archive names a folder anywhere'
mv "$project/elsewhere" "$archive"
sed -i "s|os.environ.get.*|\"postgresql:///${db}_slow\")|" "$project/migrations/env.py"
catch_up --yes
is "$rc" 1 'an env.py that connects elsewhere is refused'
is "$(stands) $(stands "${db}_slow")" 'a1 c3' 'and nothing is changed, here or there'
done_testing
