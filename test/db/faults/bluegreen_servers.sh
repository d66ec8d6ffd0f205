#!/usr/bin/env bash
# Blue-green on two servers: PgBouncer's entry is rewritten, there and back under load; a run killed wherever its
# state is written ends as one that was not; a side that is lost. Prints TAP.
# shellcheck source=bluegreen_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/bluegreen_lib.sh"

start_cluster --set wal_level=replica || skip_all 'a cluster cannot be made'
begin_second || skip_all 'a second cluster cannot be made'
make_app app
app="dbname=app"
green="host=$second_host port=5432 user=postgres dbname=app"

run bluegreen create --db-url "$app" --green "$green"
is "$rc" 4 'a server without wal_level = logical is refused'
has "$out" 'wal_level is replica' 'and told so'
has "$out" "ALTER SYSTEM SET wal_level = 'logical'; and restart the server" 'with what to do'
sql "ALTER SYSTEM SET wal_level = 'logical'" postgres
server restart
begin_pooler app
cp "$pool/pgbouncer.ini" "$work/ini.first"

# -- kill -9 wherever the state is written ----------------------------------------------------------

# Runs until it was killed at none of its points any more; how often it was killed is in $kills.
killed_everywhere() { # arguments of pgmend
    kills=0
    while [ "$kills" -lt 40 ]; do
        PGMEND_FAULT=bluegreen:$((kills + 1)) "$pgmend" --state-dir "$state" "$@" >"$work/out" 2>"$work/err" </dev/null
        rc=$?
        [ "$rc" = 137 ] || break
        kills=$((kills + 1))
        # What was begun is gone on with, and killed one point later in the whole.
        [ "$1 $2" = 'bluegreen create' ] && [ "$kills" -lt 40 ] && continue
        "$pgmend" --state-dir "$state" "$@" >"$work/out" 2>"$work/err" </dev/null
        rc=$?
        [ "$rc" = 0 ] || break
        restore_direction
    done
    out=$(cat "$work/out")
    err=$(cat "$work/err")
    both="$out
$err"
}

# Back to blue, and compared, for the next round.
restore_direction() {
    "$pgmend" --state-dir "$state" bluegreen switch --back --db-url "$app" --pgbouncer "$console" \
        --pgbouncer-ini "$pool/pgbouncer.ini" --max-lag 1GB --yes >"$work/back" 2>&1 ||
        "$pgmend" --state-dir "$state" bluegreen verify --db-url "$app" >"$work/back" 2>&1
    "$pgmend" --state-dir "$state" bluegreen verify --db-url "$app" >"$work/back" 2>&1
    "$pgmend" --state-dir "$state" bluegreen switch --back --db-url "$app" --pgbouncer "$console" \
        --pgbouncer-ini "$pool/pgbouncer.ini" --max-lag 1GB --yes >"$work/back" 2>&1 || sed 's/^/# /' "$work/back"
    "$pgmend" --state-dir "$state" bluegreen verify --db-url "$app" >"$work/back" 2>&1
}

killed_everywhere bluegreen create --db-url "$app" --green "$green"
is "$rc" 0 "create ends well after having been killed $kills times"
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
[ "$kills" -ge 5 ] && pass 'it was killed at every step' || flunk "it was killed $kills times only"
run bluegreen verify --db-url "$app"
is "$rc" 0 'both sides hold the same'

load_begin kills
switch=(bluegreen switch --db-url "$app" --pgbouncer "$console" --pgbouncer-ini "$pool/pgbouncer.ini" --max-lag 1GB --yes)
killed_everywhere "${switch[@]}"
is "$rc" 0 "switch ends well wherever it was killed ($kills points)"
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
[ "$kills" -ge 8 ] && pass 'it was killed at every step' || flunk "it was killed $kills times only"
load_end
is "$(missing_writes "$green")" '' 'every write that was acknowledged in all of this is on green'
mv "$load" "$work/before-kills"
lacks "$(cat "$work/before-kills/failed")" 'lost' 'nobody lost a connection for good'

# -- an uninterrupted way, under load ---------------------------------------------------------------

mkdir "$work/load-kills" && cp "$work/before-kills/acked" "$work/load-kills/acked" && : >"$work/load-kills/failed"
has "$(cat "$pool/pgbouncer.ini")" "app = host=$second_host port=5432 dbname=app user=postgres pool_size=10" \
    "the pooler's entry leads to green, its other parameters stay"
is "$(diff "$work/ini.first" "$pool/pgbouncer.ini" | grep -c '^[<>]')" 2 'no other line was changed'
is "$(stat -c %a "$pool/pgbouncer.ini")" 664 'its mode is as it was'
run bluegreen verify --db-url "$app"
load_begin back
run bluegreen switch --back --db-url "$app" --pgbouncer "$console" --pgbouncer-ini "$pool/pgbouncer.ini" --max-lag 1GB --yes
is "$rc" 0 'back under load'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
run bluegreen verify --db-url "$app"
run "${switch[@]}"
is "$rc" 0 'and there again'
load_end
is "$(failed_queries)" '' 'no query failed'
is "$(missing_writes "$green")" '' 'every acknowledged write is on green'

# -- one side is lost -------------------------------------------------------------------------------

server stop
run bluegreen status --db-url "$green"
is "$rc" 3 'status, asked of green, when blue is down'
has "$out" 'blue does not answer' 'names the side that does not answer'
run bluegreen abandon --db-url "$green" --yes
is "$rc" 3 'abandon without blue'
has "$out" 'left: subscription of blue' 'says what is left there'
has "$out" 'DROP SUBSCRIPTION pgmend_' 'and how to remove it'
is "$(psql -X -q -A -t -d "$green" -c 'SELECT count(*) FROM pg_replication_slots')" 0 'no slot is left on green'
is "$(psql -X -q -A -t -d "$green" -c 'SELECT count(*) FROM pg_publication')" 0 'no publication'
done_testing
