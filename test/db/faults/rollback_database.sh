#!/usr/bin/env bash
# "rollback --level database" behind a real PgBouncer, under load: no query fails, what is lost is told, and a kill at any
# point leaves the clients going on. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pgbouncer=$(command -v pgbouncer || echo /usr/sbin/pgbouncer)
[ -x "$pgbouncer" ] || skip_all 'pgbouncer is not installed'

# Databases are counted: those of other tests would be among them.
# shellcheck disable=SC2119
start_cluster || {
    echo 'Bail out! the cluster does not start'
    exit 1
}
create_database
sql 'CREATE TABLE written (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now())'
sql 'INSERT INTO written SELECT FROM generate_series(1, 500)'

pooler=$work/pooler
install -d -m 777 "$pooler"
cat >"$pooler/pgbouncer.ini" <<INI
[databases]
app = host=$PGHOST port=${PGPORT:-5432} dbname=$db user=${PGUSER:-postgres}
second = host=$PGHOST port=${PGPORT:-5432} dbname=$db user=${PGUSER:-postgres}
elsewhere = host=$PGHOST port=${PGPORT:-5432} dbname=postgres user=${PGUSER:-postgres}
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $pooler
auth_type = any
admin_users = boss
stats_users = looker
pool_mode = transaction
logfile = $pooler/log
pidfile = $pooler/pooler.pid
INI
as_server "$pgbouncer" -q "$pooler/pgbouncer.ini" >"$pooler/err" 2>&1 &
through="host=$pooler port=6432"
console="$through user=boss"
wait_until 'pgbouncer answers' psql -X -q -c 'SELECT 1' -d "$through dbname=app"

paused() { # the databases that are paused
    psql -X -q -A -t -d "$console dbname=pgbouncer" -c 'SHOW DATABASES' |
        awk -F'|' '$(NF - 1) == 1 { print $1 }' | tr '\n' ' '
}
# shellcheck disable=SC2317 # called by wait_until
nothing_paused() { [ -z "$(paused)" ]; }
count() { sql 'SELECT count(*) FROM written' "$1"; }
# shellcheck disable=SC2317 # called by wait_until
answers() { psql -X -q -A -t -d "$through dbname=app" -c 'SELECT count(*) > 0 FROM written'; }
side_databases() { sql "SELECT count(*) FROM pg_database WHERE datname LIKE 'pgmend\\_scratch%'" postgres; }

begin_load() {
    rm -f "$work"/load.*
    echo 'INSERT INTO written DEFAULT VALUES;' >"$work/load.sql"
    PGDATABASE=app pgbench -h "$pooler" -p 6432 -n -c 8 -j 2 -R 400 -T 600 -f "$work/load.sql" -l \
        --log-prefix="$work/load.log" >"$work/load.out" 2>"$work/load.err" &
    load=$!
    wait_sql 'the load has begun' "SELECT count(*) > $1 FROM written"
}
end_load() {
    local before
    before=$(count "$db")
    wait_sql 'writes go on' "SELECT count(*) > $before + 20 FROM written"
    kill "$load"
    wait "$load" 2>/dev/null
}
load_errors() { grep -ciE 'error|fatal|abort' "$work/load.err"; }

run backup create --name one
is "$rc" 0 'a backup is made'
run backup verify one
is "$rc" 0 'and verified'

# -- what is refused, before anything is restored ---------------------------------------------------
level=(rollback --level database)
run "${level[@]}" --yes
is "$rc" 2 '--yes alone is not enough'
has "$err" "--yes --confirm $db" 'what is needed is said'
run "${level[@]}" --yes --confirm other
is "$rc" 2 'another name is refused'
run "${level[@]}" --pgbouncer "host=$work/nothing port=1 user=boss"
is "$rc" 8 'no pooler there: a connection error, before anybody is asked'
has "$err" 'The live database was not touched' 'and nothing was touched'
run "${level[@]}" --confirm "$db" --pgbouncer "$through user=looker"
is "$rc" 8 'who may only look is refused'
has "$err" 'admin_users' 'and the setting is named'
run "${level[@]}" --confirm "$db" --pgbouncer "host=$PGHOST port=${PGPORT:-5432} user=${PGUSER:-postgres}"
is "$rc" 1 'a PostgreSQL server is no PgBouncer'
has "$err" 'no PgBouncer' 'and that is said'
run "${level[@]}" nonesuch
is "$rc" 1 'a backup that is not there'

# What is done after the backup goes with the database that is replaced.
run index apply "$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')" "${LAX[@]}"
is "$rc" 0 'an index is built after the backup'
seen=$(sql "SELECT oid FROM pg_class WHERE relname = 'other'")
run plan "$(script_of 'CREATE INDEX CONCURRENTLY other_x ON other (x);')" -o "$work/later.plan"
is "$rc" 0 'and a plan is made'
python3 "$here/make_plan.py" "$work/settings.plan" '' <<'JSON'
[{"kind": "setting", "name": "effective_cache_size", "definition": "1GB", "statement": "ALTER SYSTEM SET effective_cache_size = '1GB'"}]
JSON
run apply "$work/settings.plan" "${LAX[@]}"
is "$rc" 0 'and a setting of the server is set'

# -- under load ---------------------------------------------------------------------------------------
begin_load 600
run --json "${level[@]}" one --confirm "$db" --pgbouncer "$console"
told=$err
is "$rc" 0 'the database is replaced under load'
[ "$rc" = 0 ] || {
    printf '%s\n' "$both" | sed 's/^/# /'
    done_testing
}
json=$out
end_load
is "$(load_errors)" 0 'no query of a client failed'
old=$(jq -r .kept_as <<<"$json")
is "$(jq -r '.losses[] | select(.table == "public.written") | .rows_now' <<<"$json")" "$(count "$old")" \
    'the rows that are lost are those that were told'
is "$(jq -r '.losses[] | select(.table == "public.written") | .rows_then' <<<"$json")" 500 'the backup had 500'
acknowledged=$(cat "$work"/load.log* | wc -l)
total=$(($(count "$old") - 500 + $(count "$db") - 500))
[ "$total" -ge "$acknowledged" ] && [ "$acknowledged" -gt 0 ]
is $? 0 "each of $acknowledged acknowledged writes is in the old or the new database ($total)"
is "$(paused)" '' 'nothing is paused'
has "$(sql "SELECT kind || ' ' || state FROM pgmend.journal")" 'restore database done' 'the journal went along'
is "$(sql "SELECT count(*) FROM pgmend.journal AS j LEFT JOIN pgmend.run AS r ON r.id = j.run WHERE r.id IS NULL")" 0 \
    'with the runs that its entries are of'
is "$(sql "SELECT r.state || ' ' || (SELECT count(*) FROM pgmend.journal AS j WHERE j.run = r.id)
             FROM pgmend.run AS r WHERE r.command LIKE 'rollback%'")" 'done 1' 'the swap is one run with its entry'
is "$(sql "SELECT state FROM pgmend.run WHERE command = 'index apply'")" 'done' 'and the run before it is known'
run status
lacks "$out" 'unknown to this pgmend' 'status knows what a swap is'
has "$out" "replaced by its backup one at" 'and says that there was one'
has "$out" "$old" 'and where the database before it is'
is "$(grep -c 'not in the backup' <<<"$out")" 1 'the index that went with it is told as that'
is "$(jq -r .health.is_well <<<"$json")" true 'the service is well'
has "$told" 'in no backup, and stay: effective_cache_size' 'a setting that stays was named before'
is "$(sql 'SHOW effective_cache_size')" 1GB 'and stays'
is "$(sql "SELECT count(*) FROM pg_class WHERE oid = $seen")" 0 'the tables have other numbers now'
run apply "$work/later.plan" "${LAX[@]}"
is "$rc" 0 'the plan that was made before is not stale: its tables are the same'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
is "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'other_x'::regclass")" t 'and is done on them'
run rollback
is "$rc" 0 'and undone'
sql 'ALTER TABLE other ADD COLUMN y int'
run apply "$work/later.plan" "${LAX[@]}"
is "$rc" 9 'a table that was altered makes it stale'
sql 'ALTER TABLE other DROP COLUMN y'
echo "# clients waited $(jq .paused_us <<<"$json") us of $(jq .us <<<"$json") us, predicted $(jq .predicted_us <<<"$json")"
psql -X -q -d postgres -c "DROP DATABASE \"$old\""

# -- a transaction that does not end --------------------------------------------------------------------
session_open holder "$through dbname=second"
session holder 'BEGIN; SELECT 1;'
begin_load 600
run "${level[@]}" one --confirm "$db" --pgbouncer "$console" --pause-limit 1s
is "$rc" 1 'a pause that does not come about: time-out'
has "$err" 'did not end within' 'whose fault it is'
has "$err" 'clients of PgBouncer go on' 'what is true now'
is "$(paused)" '' 'nothing is paused'
end_load
is "$(load_errors)" 0 'no query failed'
session holder 'COMMIT;'
session_close holder
is "$(side_databases)" 0 'the restored database is gone'

# -- paused by somebody else --------------------------------------------------------------------------------
psql -X -q -d "$console dbname=pgbouncer" -c 'PAUSE app'
run "${level[@]}" one --confirm "$db" --pgbouncer "$console"
is "$rc" 1 'paused already: refused'
has "$err" 'paused already' 'and said so'
is "$(paused)" 'app ' 'it is left as it was'
psql -X -q -d "$console dbname=pgbouncer" -c 'RESUME app'

# -- kill -9 at every point -----------------------------------------------------------------------------------
for point in $(seq 1 12); do
    replaced=$(sql "SELECT oid FROM pg_database WHERE datname = '$db'" postgres)
    begin_load 0
    PGMEND_FAULT=swap:$point run "${level[@]}" one --confirm "$db" --pgbouncer "$console"
    killed=$rc
    wait_until 'nothing is paused' nothing_paused
    wait_until 'clients are answered' answers
    end_load
    is "$(load_errors)" 0 "killed at point $point (status $killed): no query failed"
    now=$(sql "SELECT oid FROM pg_database WHERE datname = '$db'" postgres)
    kept=$(sql "SELECT count(*) FROM pg_database WHERE datname LIKE '$db\\_before\\_%'" postgres)
    [ "$now" = "$replaced" ] && expected=0 || expected=1
    is "$kept" "$expected" "point $point: replaced and kept ($expected), or neither"
    for name in $(sql "SELECT datname FROM pg_database WHERE datname LIKE '$db\\_before\\_%'" postgres); do
        psql -X -q -d postgres -c "DROP DATABASE \"$name\""
    done
    [ "$killed" != 0 ] || break
done
is "$killed" 0 'the points came to an end'
run backup restore --heal
is "$(side_databases)" 0 'what was killed is cleaned up'

# -- Ctrl-C while it waits for the pause ---------------------------------------------------------------------------
session_open holder "$through dbname=second"
session holder 'BEGIN; SELECT 1;'
start "${level[@]}" one --confirm "$db" --pgbouncer "$console" --pause-limit 60s
wait_until 'something is paused' bash -c "psql -X -q -A -t -d '$console dbname=pgbouncer' -c 'SHOW DATABASES' | grep -q '|1|0\$'"
kill -INT "$running"
finish
is "$rc" 130 'interrupted'
has "$err" 'clients of PgBouncer go on' 'what is true now is said'
is "$(paused)" '' 'nothing is paused'
session holder 'COMMIT;'
session_close holder

# -- without a pooler ---------------------------------------------------------------------------------------------------
session_open direct
session direct 'SELECT 1;'
sessions=$(sql "SELECT count(*) FROM pg_stat_activity WHERE datname = '$db' AND backend_type = 'client backend'" postgres)
run "${level[@]}" --confirm "$db" --health-url "http://127.0.0.1:9/health" --health-timeout 2s
is "$rc" 10 'without a pooler it is done too; the health address does not answer: status 10'
has "$out" "info  $sessions session" "$sessions sessions were ended, and that is said"
has "$out" 'the service is not well' 'the service is not well'
session_close direct
run "${level[@]}" --recipe
is "$rc" 0 'the recipe'
has "$out" 'No restore point was set' 'has no point to recover to'
lacks "$out" 'recovery_target' 'and is not told as if it could be followed'
done_testing
