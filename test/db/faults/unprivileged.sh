#!/usr/bin/env bash
# Without a superuser: the roles that "doctor --grants" prints are made by exactly that SQL, on a server of their own, and
# the whole job is done with them, from a look to a rollback. Prints TAP.
# shellcheck source-path=SCRIPTDIR
# shellcheck source=lib.sh
# shellcheck disable=SC2119
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

start_cluster || skip_all 'no server can be started'

# -- an application whose tables belong to an ordinary role ----------------------------------------

script postgres <<SQL
CREATE ROLE shop_owner NOLOGIN;
CREATE DATABASE $db OWNER shop_owner;
REVOKE ALL ON DATABASE $db FROM PUBLIC;
SQL
script "$db" <<'SQL'
CREATE EXTENSION pg_stat_statements;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO shop_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
SET ROLE shop_owner;
CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, note text);
INSERT INTO orders SELECT g, g % 2000, repeat('x', 60) FROM generate_series(1, 60000) AS g;
ANALYZE orders;
SQL
for customer in $(seq 1 15); do
    echo "SELECT count(*) FROM orders WHERE customer = $customer;"
done | script "$db" >/dev/null

# -- the roles --------------------------------------------------------------------------------------

# As the superuser that every database has; nobody is one afterwards.
make_role() { # role use
    run doctor --grants "$1" --use "$2"
    is "$rc" 1 "$2: role $1 lacks something"
    cp "$work/out" "$work/$2.sql"
    is "$(psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$db" -f "$work/$2.sql" 2>&1)" '' "$2: what was printed runs"
    run doctor --grants "$1" --use "$2"
    is "$rc" 0 "$2: and then $1 lacks nothing"
    has "$out" 'has nothing in excess' "$2: nor has it too much"
    [ "$failed" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
}
make_role pm_monitor monitor
make_role pm_plan plan
make_role pm_apply apply
make_role pm_backup backup
make_role pm_restore restore

as() { # role, arguments of pgmend
    local role=$1
    shift
    run --db-url "postgresql://$role@/$db" "$@"
}

works() { # role, description, arguments of pgmend
    local role=$1 description=$2
    shift 2
    as "$role" "$@"
    is "$rc" 0 "$role: $description"
    [ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
}

# -- the job ----------------------------------------------------------------------------------------

# 1 and 2 are findings of the server; 3 would be "could not look".
as pm_monitor doctor --wait 0
[ "$rc" -le 2 ]
is $? 0 'pm_monitor: doctor looks'
as pm_monitor monitor --single-shot
[ "$rc" -le 2 ]
is $? 0 'pm_monitor: monitor --single-shot looks'
works pm_monitor 'queries top' queries top
has "$out" 'orders' 'whose statements are everybody'"'"'s'
works pm_plan 'plan of the whole' plan --skip pool --skip vector --skip queries -o "$work/whole.plan"
works pm_plan 'index advise' index advise -o "$work/advice.plan"
has "$out" '(customer)' 'which finds the index'

one=$(script_of 'CREATE INDEX CONCURRENTLY orders_customer ON public.orders (customer);')
as pm_plan plan "$one"
has "$out" 'GRANT shop_owner TO pm_plan' 'a role that owns nothing plans no index of a script, and it is said why'
works pm_apply 'plan of a script' plan "$one" -o "$work/one.plan"
for gate in staging monitoring team; do
    works pm_apply "gate pass $gate" gate pass "$gate" --note test
done
make_role pm_staging staging
works pm_backup 'backup create' backup create
works pm_backup 'backup verify' backup verify --scratch-template pgmend_template
works pm_staging 'staging create' staging create shop_copy --scratch-template pgmend_template
works pm_staging 'rehearse' rehearse "$work/one.plan" --scratch-template pgmend_template
works pm_plan 'gate' gate "$work/one.plan"
works pm_apply 'apply' apply "$work/one.plan" --yes
is "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.orders_customer'::regclass")" t 'the index is there'
works pm_plan 'status' status
has "$out" 'orders_customer' 'which shows it'
works pm_apply 'report snapshot' report snapshot before
works pm_apply 'another snapshot' report snapshot after
works pm_plan 'report' report
works pm_apply 'rollback' rollback
is "$(sql "SELECT to_regclass('public.orders_customer') IS NULL")" t 'the index is gone'
works pm_restore 'backup restore' backup restore "$(ls "$state/backups")" --into shop_restored --scratch-template pgmend_template
works pm_staging 'staging drop' staging drop shop_copy --yes
works pm_apply 'uninstall' uninstall --yes

is "$(sql "SELECT count(*) FROM pg_roles WHERE rolname ~ '^pm_' AND (rolsuper OR rolcreaterole OR rolreplication OR
    pg_has_role(oid, (SELECT r.oid FROM pg_roles AS r WHERE r.rolsuper AND r.oid = 10), 'MEMBER'))")" 0 'none of them is a superuser'

# -- what is there too much, and names that would break out of a comment ----------------------------

sql 'ALTER ROLE pm_monitor CREATEROLE CREATEDB; GRANT pg_write_all_data, shop_owner TO pm_monitor'
run doctor --grants pm_monitor --use monitor
is "$rc" 0 'too much is nothing that is missing'
for part in NOCREATEROLE NOCREATEDB 'REVOKE pg_write_all_data FROM pm_monitor' 'REVOKE shop_owner FROM pm_monitor'; do
    has "$out" "$part" "in excess: $part"
done
is "$(grep -vc '^--\|^$' "$work/out")" 0 'which is told, not run: comments only'
run doctor --grants pm_monitor --use monitor --json
is "$(python3 -c 'import json,sys; print(len(json.load(open(sys.argv[1]))["excess"]))' "$work/out")" 4 'and is in the JSON'
psql -X -q -d "$db" -c 'CREATE ROLE "x
CREATE TABLE public.pwned (); --"' -c 'GRANT CREATE ON SCHEMA public TO "x
CREATE TABLE public.pwned (); --"' -c 'SET ROLE "x
CREATE TABLE public.pwned (); --"' -c 'CREATE TABLE public."y
CREATE TABLE public.pwned (); --" ()'
run doctor --grants 'new
CREATE TABLE public.pwned (); --' --use apply
psql -X -q -d "$db" -f "$work/out" >/dev/null 2>&1
is "$(sql "SELECT to_regclass('public.pwned') IS NULL")" t 'names with line ends start no statement of their own'
is "$(sql "SELECT count(*) FROM pg_roles WHERE rolname ~ '^new'")" 1 'and are made as they are'
done_testing
