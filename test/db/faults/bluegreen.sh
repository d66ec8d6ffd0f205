#!/usr/bin/env bash
# Blue-green on one server under load: what stands in the way, switch by name, back, drift, abandon. Prints TAP.
# shellcheck source=bluegreen_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/bluegreen_lib.sh"

start_cluster --set wal_level=logical || skip_all 'a cluster cannot be made'
make_app app
sql "CREATE TABLE keyless (x int, y text)" app
sql "INSERT INTO keyless VALUES (1, 'a'), (2, 'b')" app
sql "SELECT lo_create(0)" app >/dev/null
app="dbname=app"
green="dbname=app_green"

# -- said before -------------------------------------------------------------------------------------

run bluegreen status --db-url "$app"
is "$rc" 0 'no pair is no error'
has "$out" 'of no blue-green pair' 'and is said'
run bluegreen status --db-url "$app" --json
is "$("$python" -c 'import json, sys; print(json.load(sys.stdin)["pair"])' <"$work/out")" None 'in JSON too'
run bluegreen verify --db-url "$app"
is "$rc" 1 'what needs a pair fails'
run bluegreen create --db-url "$app" --green "$green"
is "$rc" 4 'obstacles: nothing is begun'
has "$out" 'public.keyless has no replica identity' 'the table without a replica identity is named'
has "$out" '--full-identity' 'with the remedy'
has "$out" '1 large objects are not replicated' 'large objects are told at the same time'
sql 'CREATE ROLE plain LOGIN' postgres
run bluegreen create --db-url "$app user=plain" --green "$green user=plain"
is "$rc" 4 'a role without rights'
has "$out" 'role plain may not replicate' 'replication is told'
if [ "$(sql 'SHOW server_version_num' postgres)" -lt 160000 ]; then
    has "$out" 'CREATE SUBSCRIPTION needs a superuser before PostgreSQL 16' 'and the subscription'
else
    has "$out" 'role plain may not create subscriptions' 'and the subscription'
fi
has "$out" 'table public.keyless belongs to another role' 'and tables of others'
run bluegreen create --db-url "$app" --green "$green" --json
has "$both" 'public.keyless has no replica identity' 'JSON holds the obstacles too'
is "$(sql "SELECT count(*) FROM pg_database WHERE datname = 'app_green'" postgres)" 0 'green was not made'
is "$(slots)" '' 'no slot was made'
is "$(sql "SELECT to_regclass('pgmend.bluegreen') IS NULL" app)" t 'nothing was written into blue'

# -- a pair -----------------------------------------------------------------------------------------

begin_pooler app
load_begin one
run bluegreen create --db-url "$app" --green "$green" --full-identity --without-large-objects
is "$rc" 0 'create under load'
is "$(sql "SELECT relreplident FROM pg_class WHERE relname = 'keyless'" app)" f 'the table got an identity'
is "$(sql "SELECT state FROM pgmend.journal WHERE kind = 'replica identity'" app)" 'done' 'which is journaled'
is "$(psql -X -q -d app_green -c 'INSERT INTO keyless VALUES (9)' 2>&1 | grep -c read-only)" 1 'green refuses writers'
run bluegreen switch --db-url "$app" --pgbouncer "$console"
is "$rc" 4 'a switch without a comparison is refused, before anybody is asked'
has "$err" 'were not compared' 'and says why'
run bluegreen verify --db-url "$app"
is "$rc" 0 'verify under load finds no difference'

# -- a difference is found --------------------------------------------------------------------------

PGOPTIONS='-c default_transaction_read_only=off' sql "UPDATE parts SET id = 1000 WHERE id = 77" app_green
run bluegreen verify --db-url "$app"
is "$rc" 10 'a row that differs is found under load'
has "$err$out" 'public.parts' 'the table is named'
PGOPTIONS='-c default_transaction_read_only=off' sql "UPDATE parts SET id = 77 WHERE id = 1000" app_green
run bluegreen verify --db-url "$app" --chunk-rows 1000
is "$rc" 0 'and not when it is mended'

# -- there and back ---------------------------------------------------------------------------------

next_before=$(sql "SELECT last_value FROM item_id_seq" app)
run bluegreen switch --db-url "$app" --pgbouncer "$console" --max-lag 1GB --yes
is "$rc" 0 'switch under load'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
has "$out" 'green is live' 'green is live'
is "$(sql "SELECT datname FROM pg_database WHERE datname LIKE 'app%' ORDER BY 1" postgres | tr '\n' ' ')" \
    'app app_blue ' 'the databases have exchanged their names'
load_end
is "$(failed_queries)" '' 'no query failed through the pooler'
is "$(missing_writes dbname=app)" '' 'every acknowledged write is on green'
is "$(sql "SELECT last_value > $next_before FROM item_id_seq" app)" t 'its sequence goes on further'
is "$(psql -X -q -d app_blue -c 'INSERT INTO keyless VALUES (9)' 2>&1 | grep -c read-only)" 1 'blue refuses writers now'
load_begin two
run bluegreen verify --db-url "$app"
is "$rc" 0 'the way back carries the writes: verify'
has "$out" 'Next: pgmend bluegreen switch --back ' 'and leads back, not to where it is'

# A slot waits for every transaction that has written on its server.
session_open holder postgres
session holder 'BEGIN; SELECT pg_current_xact_id();'
holder=$(sql "SELECT pid FROM pg_stat_activity WHERE application_name = 'holder'" postgres)
run bluegreen switch --back --db-url "$app" --pgbouncer "$console" --max-lag 1GB --prepare-limit 1s --yes
is "$rc" 1 'a transaction that stays open longer than --prepare-limit'
has "$err" "waits for pid $holder (holder, user postgres, idle in transaction" 'who is waited for is said at once'
has "$err" "did not end within 1.0 s: pid $holder (holder" 'and at the end'
has "$err" 'Nothing has changed: green is live' 'and it is taken back'
is "$(slots | wc -l)" 1 'no slot of the try is left'
is "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%create_logical_replication_slot%' AND state = 'active'
    AND pid <> pg_backend_pid()" postgres)" 0 'and nothing goes on waiting'
start bluegreen switch --back --db-url "$app" --pgbouncer "$console" --max-lag 1GB --yes
wait_until 'it says whom it waits for' grep -q "waits for pid $holder" "$work/bg.err"
session holder 'COMMIT;'
session_close holder
finish
is "$rc" 0 'switch --back under load'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
load_end
is "$(failed_queries)" '' 'no query failed'
is "$(missing_writes dbname=app)" '' 'every acknowledged write of both loads is on blue'
is "$(sql "SELECT datname FROM pg_database WHERE datname LIKE 'app%' ORDER BY 1" postgres | tr '\n' ' ')" \
    'app app_green ' 'the names are as before'
load_begin three
load_end
is "$(failed_queries)$(missing_writes dbname=app)" '' 'clients write on blue'
wait_until 'green follows again' caught_up "$app"
is "$(missing_writes dbname=app_green)" '' 'and green follows again'

# -- refused, and nothing changed -------------------------------------------------------------------

run bluegreen verify --db-url "$app"
run bluegreen switch --db-url "$app" --pgbouncer "host=$work/nowhere port=6432 user=postgres"
is "$rc" 8 'a pooler that is not there, before anybody is asked'
run bluegreen switch --db-url "$app" --pgbouncer "host=$pool port=6432 user=nobody_special"
is "$rc" 8 'an admin console that refuses, too'
run bluegreen switch --db-url "$app" --pgbouncer "$console"
is "$rc" 2 'when all is well it asks'
has "$err" 'Give --yes' 'and says how to answer'

green_writes() { # statement
    PGOPTIONS='-c default_transaction_read_only=off' sql "$1" app_green
}
subscription=$(sql "SELECT subname FROM pg_subscription" postgres)
green_writes "ALTER SUBSCRIPTION $subscription DISABLE"
run bluegreen status --db-url "$app"
is "$rc" 3 'a subscription that is disabled'
has "$out" 'subscription is disabled' 'is told'
enable=$(sed -n 's/^Next: //p' "$work/out")
run bluegreen switch --db-url "$app" --pgbouncer "$console" --yes
is "$rc" 4 'and refuses the switch'
has "$err" "$enable" 'with the command that enables it'
bash -c "$enable" >/dev/null
is "$(sql "SELECT subenabled FROM pg_subscription" postgres)" t 'which does so when it is pasted into a shell'
wait_until 'green follows again' caught_up "$app"
session_open direct app
session direct 'SELECT 1;'
run bluegreen switch --db-url "$app" --pgbouncer "$console" --yes
is "$rc" 4 'a session that goes past the pooler is refused'
has "$err" 'go past the pooler' 'and named'
has "$err" 'direct' 'with its application'
is "$(psql -X -q -A -t -d "$clients" -c 'INSERT INTO keyless VALUES (3) RETURNING x')" 3 'clients write on'
is "$(sql "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%blue'" postgres)" 0 'no slot of the try is left'
session_close direct

# Green's worker stands still: it lags, and does not come after in time.
worker_pid=$(sql "SELECT pid FROM pg_stat_subscription WHERE relid IS NULL AND pid IS NOT NULL" app_green)
kill -STOP "$worker_pid"
psql -X -q -d "$clients" -c "INSERT INTO acked SELECT 'lag' || g FROM generate_series(1, 20000) AS g"
run bluegreen switch --db-url "$app" --pgbouncer "$console" --max-lag 100kB --yes
is "$rc" 4 'a switch while green lags is refused'
has "$err" 'behind, more than --max-lag' 'and says by how much'
run bluegreen switch --db-url "$app" --pgbouncer "$console" --max-lag 1GB --max-pause 1s --yes
is "$rc" 1 'what does not come over within --max-pause is taken back'
has "$err" 'Nothing has changed: blue is live' 'and says so'
is "$(psql -X -q -A -t -d "$clients" -c 'INSERT INTO keyless VALUES (4) RETURNING x')" 4 'clients write on blue'
kill -CONT "$worker_pid"

sql "CREATE TABLE late (id int PRIMARY KEY)" app
run bluegreen status --db-url "$app"
is "$rc" 3 'a definition that was changed: status wants attention'
has "$out" 'table public.late was added' 'and names it'
run bluegreen switch --db-url "$app" --pgbouncer "$console" --max-lag 1GB --yes
is "$rc" 4 'the switch is refused'
has "$err" 'public.late was added' 'naming it too'

# -- the end ----------------------------------------------------------------------------------------

run bluegreen abandon --db-url "$app" --drop-green --yes
is "$rc" 0 'abandon'
is "$(slots)" '' 'no slot is left'
is "$(sql "SELECT count(*) FROM pg_publication" app)" 0 'no publication'
is "$(sql "SELECT count(*) FROM pg_subscription" postgres)" 0 'no subscription'
is "$(sql "SELECT relreplident FROM pg_class WHERE relname = 'keyless'" app)" d 'the identity is as it was'
is "$(sql "SELECT count(*) FROM pg_database WHERE datname = 'app_green'" postgres)" 0 'green is dropped'
is "$(sql "SELECT count(*) FROM pg_db_role_setting" postgres)" 0 'no setting is left'
run bluegreen status --db-url "$app"
has "$out" 'of no blue-green pair' 'the pair is forgotten'
done_testing
