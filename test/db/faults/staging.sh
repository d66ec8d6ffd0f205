#!/usr/bin/env bash
# Staging copies: equal to the database, ours and nobody else's, never half made; killed in the middle. Prints TAP.
# Functions are called by trap.
# shellcheck disable=SC2317
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

copy=${db}_staging
# What lib.sh does not know of.
drop_copies() {
    psql -X -q -d postgres -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS $copy WITH (FORCE)" \
        -c "DROP DATABASE IF EXISTS ${db}_other WITH (FORCE)" >/dev/null 2>&1
    rm -f "$work/wait"
    clean_up
}
trap drop_copies EXIT

sum_of() { # database, query
    psql -X -q -A -t -d "$1" -c "SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM ($2) AS t"
}

scratches() {
    sql "SELECT count(*) FROM pg_database WHERE datname ~ '^pgmend_scratch_'"
}

# Databases are counted: those of other tests would be among them.
# shellcheck disable=SC2119
start_cluster || {
    echo 'Bail out! the cluster does not start'
    exit 1
}
create_database
sql "CREATE SCHEMA pgmend; CREATE TABLE pgmend.journal_of_another (x int);
    CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL UNIQUE);
    INSERT INTO people SELECT g, 'someone' || g || '@firm.org' FROM generate_series(1, 500) g"

run staging create
is "$rc" 0 'a copy is made by a dump'
has "$out" "staging copy $copy of $db from dump" 'and is called after the database'
has "$out" 'nothing is masked' 'that nothing is masked is said'
for table in items other people; do
    is "$(sum_of "$copy" "SELECT * FROM $table")" "$(sum_of "$db" "SELECT * FROM $table")" "table $table is the same"
done
is "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmend'" "$copy")" 0 'schema pgmend is not copied'
is "$(sql "SELECT count(*) FROM pg_stats WHERE schemaname = 'public' AND tablename = 'people'" "$copy")" 2 'it has statistics'
has "$(sql "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$copy'")" 'pgmend staging made at' 'it is marked'

run staging create
is "$rc" 1 'it is not overwritten'
has "$err" "pgmend staging refresh $copy" 'and how it is made new is said'

psql -X -q -d postgres -c "CREATE DATABASE ${db}_other"
for command in 'create' 'refresh' 'drop --yes'; do
    # shellcheck disable=SC2086 # two words
    run staging $command "${db}_other"
    is "$rc" 1 "staging $command leaves a database without the mark alone"
    has "$err" 'not marked as a staging copy' 'and says why'
done
is "$(sql "SELECT count(*) FROM pg_database WHERE datname = '${db}_other'")" 1 'it is there'

session_open guest "$copy"
session guest 'SELECT 1'
run staging drop "$copy" --yes
is "$rc" 1 'a copy that somebody is in is not dropped'
has "$err" 'guest' 'the session is named'
session_open other
session other 'SELECT 1'
run staging refresh "$copy" --from template
is "$rc" 1 'a database that somebody is in is no template'
has "$err" '(other, user' 'and who it is is said'
session_close other

printf '[mask]\npeople.email = email\n' >"$work/mask.ini"
oid="SELECT oid FROM pg_database WHERE datname = '$copy'"
before=$(sql "$oid")
run staging refresh "$copy" --mask "$work/mask.ini"
is "$rc" 1 'the old copy is not taken away from under a session'
is "$(sql "$oid")" "$before" 'it is the same as before'
is "$(scratches)" 0 'and nothing is left of the new one'
run staging refresh "$copy" --mask "$work/mask.ini" --end-sessions
is "$rc" 0 'unless that is wanted'
is "$([ "$(sql "$oid")" != "$before" ] && echo new)" new 'it is another database'
is "$(sql "SELECT count(*) FROM people WHERE email LIKE '%firm.org%'" "$copy")" 0 'whose column is masked'
is "$(sql "SELECT count(DISTINCT email) FROM people" "$copy")" 500 'every value to another one'
is "$(sum_of "$copy" 'SELECT * FROM items')" "$(sum_of "$db" 'SELECT * FROM items')" 'the others are the same'
is "$(sql 'SELECT count(*) FROM people WHERE email LIKE $$%firm.org$$')" 500 'and the database itself is as it was'
run staging refresh "$copy"
is "$rc" 1 'a masked copy does not become one that shows everything'
run staging list
has "$out" '1 column' 'the list says what is masked'

# Killed while rows are masked: the check of the table waits for a file to go.
touch "$work/wait"
sql "CREATE FUNCTION wait_for_file(value text) RETURNS boolean LANGUAGE plpgsql AS \$\$BEGIN
        WHILE value LIKE '%@example.com' AND (pg_stat_file('$work/wait', true)).size IS NOT NULL LOOP
            PERFORM pg_sleep(0.05);
        END LOOP;
        RETURN true; END\$\$;
    ALTER TABLE people ADD CHECK (public.wait_for_file(email))"
before=$(sql "$oid")
start staging refresh "$copy" --mask "$work/mask.ini"
wait_sql 'rows are being masked' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE query LIKE 'UPDATE ONLY%people%')"
made=$(sql "SELECT datname FROM pg_database WHERE datname ~ '^pgmend_scratch_'")
is "$(sql "SELECT has_database_privilege('pg_monitor', '$made', 'CONNECT')")" f 'meanwhile others may not connect to it'
kill -9 "$running"
finish
is "$(sql "$oid")" "$before" 'killed in the middle the old copy is what it was'
is "$(sql "SELECT shobj_description(oid, 'pg_database') IS NULL FROM pg_database WHERE datname = '$made'")" t 'and the half of a new one has no mark'
rm "$work/wait"
wait_sql 'the sessions of the killed run have ended' "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'pgmend/%')"
run staging list
has "$out" "scratch database $made is left of a run that is gone" 'the list names what is left'
has "$out" "Next: pgmend staging drop $made" 'and what drops it'
run staging list --json
has "$out" "\"$made\"" 'in JSON too'
is "$(scratches)" 1 'it only looks'
run staging refresh --mask "$work/mask.ini"
is "$rc" 0 'the next run makes it, by its standard name'
has "$err" "scratch database $made of a run that is gone was dropped" 'and says what it has dropped'
is "$(scratches)" 0 'nothing is left'
made=pgmend_scratch_1_1_0a
psql -X -q -d postgres -c "CREATE DATABASE $made"
run staging drop "$made"
is "$rc" 0 'what is left can be dropped by its name'
has "$out" "scratch database $made was dropped" 'as what it is'
is "$(scratches)" 0 'and is gone'
psql -X -q -d postgres -c "CREATE DATABASE $made"
run staging drop "${db}_other" --yes
is "$rc" 1 'somebody else'"'"'s database is not'
has "$err" "scratch database $made of a run that is gone was dropped" 'and what is left goes with any drop'

odd="we\"ird na'me"
run staging create "$odd" --mask "$work/mask.ini"
is "$rc" 0 'a copy with a name that needs care'
has "$out" "2 columns have no rule" 'columns that no rule names are counted'
has "$out" 'public.items.b (text)' 'and named'
words=$(sed -n 's/^Next: pgmend rehearse PLAN //p' "$work/out")
is "$(bash -c "printf '%s|' $words")" "--staging|$odd|" 'the next command can be pasted'
run staging drop "$odd"
is "$rc" 2 'without a terminal it asks nobody'
has "$err" 'This drops database "we""ird na'"'"'me", a copy of '"$db" 'and the name in the question is quoted'
run staging drop "$odd" --yes
is "$rc" 0 'it is dropped'

printf '[mask]\npeople.emial = email\n' >"$work/typo.ini"
run staging create "${db}_typo" --mask "$work/typo.ini"
is "$rc" 1 'a rule for no column stops it'
has "$err" 'Did you mean public.people.email?' 'with the column that is meant'

# Interrupted: nothing is left.
touch "$work/wait"
start staging create "${db}_typo" --mask "$work/mask.ini"
wait_sql 'rows are being masked' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE query LIKE 'UPDATE ONLY%people%')"
kill -INT "$running"
finish
rm "$work/wait"
is "$rc" 130 'Ctrl-C ends it'
is "$(scratches)" 0 'and drops what there was'

run staging drop "$copy" --yes
is "$rc" 0 'a copy is dropped'
run staging list
lacks "$out" "$copy" 'and is no longer in the list'
session_close guest
done_testing
