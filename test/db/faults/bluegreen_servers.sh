#!/usr/bin/env bash
# Blue-green on two servers: PgBouncer's entry is rewritten, there and back under load; a run killed wherever its
# state is written ends as one that was not; a side that is lost. Prints TAP.
# Functions are called by their names.
# shellcheck disable=SC2317
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

quietly() { # arguments of pgmend
    "$pgmend" --state-dir "$state" "$@" >"$work/quiet" 2>&1 </dev/null || sed 's/^/# /' "$work/quiet"
}

# Kills a command at its first, second, … point, has it go on, and takes back what it did, until a run comes
# through without being killed. How often it was killed is in $kills.
killed_everywhere() { # what takes it back, arguments of pgmend
    local take_back=$1
    shift
    kills=0
    while [ "$kills" -lt 20 ]; do
        rc=0
        # Its own shell says nothing of the kill.
        {
            PGMEND_FAULT=bluegreen:$((kills + 1)) "$pgmend" --state-dir "$state" "$@" >"$work/out" 2>"$work/err" \
                </dev/null || rc=$?
        } 2>/dev/null
        [ "$rc" = 137 ] || break
        kills=$((kills + 1))
        run "$@"
        if [ "$rc" != 0 ]; then
            flunk "$1 $2 goes on after a kill at point $kills"
            printf '%s\n' "$both" | sed 's/^/# /'
        fi
        "$take_back"
    done
    both="$(cat "$work/out" "$work/err")"
}

no_pair() {
    quietly bluegreen abandon --db-url "$app" --drop-green --yes
}

blue_again() {
    quietly bluegreen verify --db-url "$app"
    quietly "${switch[@]}" --back
    quietly bluegreen verify --db-url "$app"
}

killed_everywhere no_pair bluegreen create --db-url "$app" --green "$green"
is "$rc" 0 'create ends well wherever it was killed'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
is "$kills" 6 'it was killed at each of its steps'
run bluegreen verify --db-url "$app"
is "$rc" 0 'both sides hold the same'

load_begin kills
switch=(bluegreen switch --db-url "$app" --pgbouncer "$console" --pgbouncer-ini "$pool/pgbouncer.ini" --max-lag 1GB --yes)
killed_everywhere blue_again "${switch[@]}"
is "$rc" 0 'switch ends well wherever it was killed'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
is "$kills" 9 'it was killed at each of its steps, once paused and once moved'
load_end
is "$(missing_writes "$green")" '' 'every write that was acknowledged in all of this is on green'
# Between a kill and the next run writes may be refused, as the live side is closed to them, but none is lost.
is "$(grep -v 'read-only transaction' "$load/failed")" '' 'no query failed but for those that came to a side that is closed'
mv "$load" "$work/before-kills"

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
