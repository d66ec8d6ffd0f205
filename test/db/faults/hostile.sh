#!/usr/bin/env bash
# Names, settings and functions that somebody made to harm, and passwords that must not be seen. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database

# -- names: the catalogue is afterwards exactly what was planned ----------------------------------

script "$db" <<'SQL'
CREATE SCHEMA "s 1;--";
CREATE TABLE "s 1;--"."we""ird; DROP TABLE items; --" ("co""l" int, "от" text, "select" int);
CREATE TABLE "new
line" ("a
b" int);
CREATE TABLE "select" ("from" int, "$1" text, "%s" text, "a.b" int, "back\slash'" text);
CREATE TABLE "Таблица с именем в шестьдесят три бай" ("é" int);
CREATE TABLE "s 1;--".items (x int);
SQL
cat >"$work/hostile.sql" <<'SQL'
CREATE INDEX CONCURRENTLY "i""1; DROP TABLE items; --" ON "s 1;--"."we""ird; DROP TABLE items; --" ("co""l", "select" DESC);
CREATE UNIQUE INDEX CONCURRENTLY "i
2" ON "new
line" ("a
b");
CREATE INDEX CONCURRENTLY "on" ON "select" ("from", "$1", "%s", "a.b", "back\slash'") WHERE "%s" <> '%n$1''; -- "';
CREATE INDEX CONCURRENTLY "и" ON "Таблица с именем в шестьдесят три бай" (("é" + 1));
CREATE INDEX CONCURRENTLY U&"\0441" ON "s 1;--"."we""ird; DROP TABLE items; --" (lower("от"), ("от" || ' ON x ('));
CREATE INDEX CONCURRENTLY /* ON items (a) */ "plain" -- ON other
    ON "s 1;--" . items /* (a) */ (x);
SQL
catalogue() {
    sql "SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend', 'pg_toast') ORDER BY 1, 2"
}
before=$(catalogue)
run index apply "$work/hostile.sql" "${LAX[@]}"
is "$rc" 0 'six indexes with hostile names are built'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
has "$out" '6 of 6 indexes built' 'all six'
is "$(sql "SELECT count(*) FROM pg_index WHERE indexrelid IN (
              to_regclass('\"s 1;--\".\"i\"\"1; DROP TABLE items; --\"'), to_regclass(E'\"i\n2\"'), to_regclass('\"on\"'),
              to_regclass('\"и\"'), to_regclass('\"s 1;--\".\"с\"'), to_regclass('\"s 1;--\".plain'))
             AND indisvalid")" 6 'under the names that were written'
run status
is "$rc" 0 'status shows them'
run status --json
is "$rc" 0 'status shows them as JSON'
is "$(python3 -c 'import json,sys; print(len(json.load(open(sys.argv[1]))["changes"]))' "$work/out")" 6 'which parses'
run history --json
is "$(python3 -c 'import json,sys; print(len(json.load(open(sys.argv[1]))["entries"]))' "$work/out")" 6 'so does history'
run index apply "$work/hostile.sql" "${LAX[@]}"
has "$out" '0 to build, 6 there already' 'a second run finds them all'
run plan "$work/hostile.sql" -o "$work/hostile.plan"
is "$rc" 0 'a plan file with them can be written'
run apply "$work/hostile.plan" --dry-run "${LAX[@]}"
is "$rc" 0 'and read'
run rollback
is "$rc" 0 'they are dropped again'
is "$(catalogue)" "$before" 'the catalogue is what it was before'
has "$out" 'The catalogue is what it was before' 'and rollback says so'
run uninstall --yes

# -- a database with a hostile name -------------------------------------------------------------

# shellcheck disable=SC2016 # nobody shall run it
odd='we"ird /../ -h $(touch x)'"_$$"
sql "CREATE DATABASE \"${odd//\"/\"\"}\" TEMPLATE $db" postgres
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
(
    export PGDATABASE=$odd
    run index apply "$one" "${LAX[@]}" && [ "$rc" = 0 ] && run rollback && [ "$rc" = 0 ] && run uninstall --yes && [ "$rc" = 0 ]
)
is "$?" 0 'a database with a hostile name is served'
is "$(find . "$work" -maxdepth 1 -name x | wc -l)" 0 'and nothing of its name was run'
sql "DROP DATABASE \"${odd//\"/\"\"}\"" postgres

# -- functions that wait for an unqualified call --------------------------------------------------

script "$db" <<'SQL'
CREATE TABLE pwned (who text, what text);
CREATE FUNCTION public.pwn(what text) RETURNS void LANGUAGE sql AS
    'INSERT INTO public.pwned VALUES (session_user, what)';
CREATE FUNCTION public.oid_eq(oid, regclass) RETURNS bool LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.pwn('oid = regclass'); RETURN $1 OPERATOR(pg_catalog.=) $2::oid; END$$;
CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = public.oid_eq);
CREATE FUNCTION public.oid_eq(oid, oid) RETURNS bool LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.pwn('oid = oid'); RETURN $1 OPERATOR(pg_catalog.=) $2; END$$;
CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = public.oid_eq);
CREATE FUNCTION public.text_eq(text, text) RETURNS bool LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.pwn('text = text'); RETURN $1 OPERATOR(pg_catalog.=) $2; END$$;
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.text_eq);
CREATE FUNCTION public.name_eq(name, text) RETURNS bool LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.pwn('name = text'); RETURN $1 OPERATOR(pg_catalog.=) $2; END$$;
CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.name_eq);
CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.pwn('quote_ident'); RETURN 'items'; END$$;
CREATE FUNCTION public.length(name) RETURNS int LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.pwn('length'); RETURN 1; END$$;
CREATE FUNCTION public.set_config(text, text, bool) RETURNS text LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.pwn('set_config'); RETURN ''; END$$;
CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.pwn('current_setting'); RETURN ''; END$$;
CREATE FUNCTION public.to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS
    $$BEGIN PERFORM public.pwn('to_regclass'); RETURN 'public.other'; END$$;
CREATE DOMAIN public.text AS pg_catalog.text CHECK (public.pwn('text') IS NOT NULL);
CREATE DOMAIN public.int8 AS pg_catalog.int8 CHECK (public.pwn('int8') IS NOT NULL);
SQL
# The worst that the owner of a database can do: his own schema before pg_catalog.
sql "ALTER DATABASE $db SET search_path = public, pg_catalog" postgres
psql -X -q -A -t -c "SELECT to_regclass('items'), 'x'::name = 'x'::pg_catalog.text, 1::oid = 1::oid" >/dev/null
is "$(psql -X -q -A -t -c 'SELECT pg_catalog.count(*) FROM public.pwned')" 3 'the traps work'
psql -X -q -c 'TRUNCATE public.pwned'
cat >"$work/both.sql" <<'SQL'
CREATE INDEX CONCURRENTLY items_a ON items (a);
CREATE UNIQUE INDEX CONCURRENTLY items_u ON public.items (id, b);
SQL
for command in "plan $work/both.sql -o $work/both.plan" "gate $work/both.sql" "index apply $work/both.sql ${LAX[*]}" \
    "index apply $work/both.sql ${LAX[*]}" status history "gate pass team --note x" gate rollback "uninstall --yes"; do
    # shellcheck disable=SC2086
    run $command
    is "$rc" 0 "${command%% /*} among functions that lie in wait"
    [ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
    is "$(psql -X -q -A -t -c 'SELECT pg_catalog.count(*) FROM public.pwned')" 0 "${command%% /*} runs none of them"
done
psql -X -q -A -t -c 'SELECT DISTINCT what FROM public.pwned' | sed 's/^/# pwned by: /'
sql "ALTER DATABASE $db RESET search_path" postgres
psql -X -q -c 'SET client_min_messages = error' -c 'DROP OPERATOR public.= (oid, oid)' -c 'DROP OPERATOR public.= (oid, regclass)' \
    -c 'DROP OPERATOR public.= (name, text)' -c 'DROP OPERATOR public.= (text, text)' \
    -c 'DROP DOMAIN public.text' -c 'DROP DOMAIN public.int8'

# -- settings of the role and the database --------------------------------------------------------

role=faults_role_$$
sql "CREATE ROLE $role SUPERUSER LOGIN" postgres
while read -r setting; do
    sql "ALTER ROLE $role SET $setting" postgres
done <<'SETTINGS'
statement_timeout = '300ms'
lock_timeout = '50ms'
idle_in_transaction_session_timeout = '200ms'
idle_session_timeout = '200ms'
default_transaction_read_only = on
default_transaction_isolation = 'serializable'
client_connection_check_interval = '100ms'
standard_conforming_strings = off
quote_all_identifiers = on
DateStyle = 'SQL, DMY'
IntervalStyle = 'iso_8601'
TimeZone = 'Asia/Kathmandu'
bytea_output = 'escape'
extra_float_digits = -10
client_encoding = 'LATIN1'
search_path = ''
SETTINGS
[ "$(sql 'SHOW server_version_num')" -lt 170000 ] || sql "ALTER ROLE $role SET transaction_timeout = '300ms'" postgres
session_open other
session other "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
public=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON public.items (a);')
start index apply "$public" "${LAX[@]}" --db-url "postgresql://$role@/"
wait_phase 'waiting for old snapshots'
wait_sql 'the build has lasted longer than every time-out' "SELECT clock_timestamp() - query_start > '400ms'
    FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND datname = current_database()"
session other "ROLLBACK;"
finish
is "$rc" 0 'settings of the role do not matter'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
is "$(inventory)" 'items_a|t|t|t|f' 'the index is good'
run status --db-url "postgresql://$role@/"
has "$out" 'valid' 'status agrees'
run rollback
is "$rc" 0 'a role without these settings undoes it'
session_close other
sql "DROP OWNED BY $role; DROP ROLE $role" 2>/dev/null || sql "REASSIGN OWNED BY $role TO postgres; DROP ROLE $role"

# -- passwords ----------------------------------------------------------------------------------

secret='s3cr3t-canary'
session_open other
session other "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other;"
start index apply "$one" "${LAX[@]}" --verbose --db-url "postgresql://postgres:$secret@/$db"
wait_phase 'waiting for old snapshots'
ps -eo args >"$work/ps"
lacks "$(cat "$work/ps")" "$secret" 'the password of --db-url is not in the process list'
has "$(cat "$work/ps")" 'index apply' 'where the command itself stands'
sql "SELECT pg_terminate_backend($(worker))" >/dev/null
wait_until 'the second attempt' grep -q 'trying again' "$work/bg.err"
session other "ROLLBACK;"
finish
is "$rc" 0 'it connected with it, twice'
run history --json --db-url "host=$PGHOST password=$secret dbname=$db"
run index apply "$one" --db-url "postgresql://postgres:$secret@/nowhere_$$"
run index apply "$one" --db-url "postgresql://postgres:$secret@%zz/"
DATABASE_URL="postgresql://postgres:$secret@/$db" run status --verbose
is "$rc" 0 'DATABASE_URL is taken'
is "$(grep -rl "$secret" "$work" --exclude=ps | wc -l)" 0 'the password is in no output, journal or file'
is "$(sql "SELECT count(*) FROM (SELECT r::text FROM pgmend.run AS r UNION ALL SELECT j::text FROM pgmend.journal AS j)
    AS x (line) WHERE line LIKE '%$secret%'")" 0 'and not in the database'
session_close other
done_testing
