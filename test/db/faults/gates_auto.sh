#!/usr/bin/env bash
# Gates that look for themselves: a monitor that has run, alerts, standbys that stand still, are cut off and come
# back, slots that nobody reads, the time of the day. On servers of the test's own. Prints TAP.
# Functions are called by wait_until and trap.
# shellcheck disable=SC2317
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

servers=$work/servers
standbys() {
    bash "$root/test/support/standbys.sh" "$servers" "$@"
}
remove_servers() {
    standbys remove >/dev/null 2>&1
    clean_up
}
trap remove_servers EXIT

standbys make >"$work/make.out" 2>&1 || { cat "$work/make.out"; exit 1; }
export PGHOST=$servers/a/socket PGPORT=5432 PGUSER=postgres
create_database
script=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
at() { # server, query
    psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$servers/$1/socket" -p 5432 -U postgres -d "$db" -c "$2"
}
gate() { # name, options: its line
    local name=$1

    shift
    run gate "$script" "$@"
    grep -A1 -E "^[a-z]+ +$name " <<<"$out"
}
gate_is() { # state, name, options
    local state=$1

    shift
    [[ "$(gate "$@")" == "$state "* ]]
}

# -- monitoring and alerts ----------------------------------------------------------------------

has "$(gate monitoring)" 'fail  monitoring' 'nobody watches: red'
has "$(gate alerts)" 'warn  alerts' 'so nothing is known of alerts'
run monitor --interval 1s --duration 3s
is "$rc" 0 'a monitor has run for three seconds'
has "$(gate monitoring)" 'by a monitor with this state folder' 'what it saw is green without a record'
has "$(gate alerts)" 'no critical alert fires' 'and so are its alerts'
python3 - "$state/monitor/alerts.json" <<'PY'
import json, sys
path = sys.argv[1]
saved = json.load(open(path))
for calm in saved["calm"]:
    calm["since"] = 0
    calm["last"] = "disk-full critical main"
json.dump(saved, open(path, "w"))
PY
has "$(gate alerts)" 'a critical alert fires: disk-full' 'a critical alert is red'
python3 - "$state/monitor/alerts.json" <<'PY'
import json, sys
path = sys.argv[1]
saved = json.load(open(path))
for calm in saved["calm"]:
    calm["seen"] -= 600 * 1000000
json.dump(saved, open(path, "w"))
PY
has "$(gate monitoring)" 'last seen 10 min' 'a monitor that was there ten minutes ago does not count'
has "$(gate alerts)" 'warn  alerts' 'nor does what it said of alerts'
run gate pass monitoring --note 'another tool, anna'
has "$(gate monitoring)" 'another tool, anna' 'what another tool watches is recorded by hand'
printf 'no json' >"$state/monitor/alerts.json"
has "$(gate alerts)" 'warn  alerts' 'a file that cannot be read is no error'

# -- standbys -----------------------------------------------------------------------------------

wait_until 'both are in step' gate_is ok replicas
has "$(gate replicas)" '2 in step' 'standbys that follow are green'
at b 'SELECT pg_wal_replay_pause()' >"$work/pause.out"
sql "CREATE TABLE much AS SELECT g, repeat('x', 500) AS t FROM generate_series(1, 160000) AS g"
wait_until 'b is behind' gate_is fail replicas
has "$(gate replicas)" 'of WAL behind' 'one whose replay stands still is red by bytes'
has "$(gate replicas)" 'b is ' 'it is named'
run apply "$script" --override backup --override staging --override rollback --override team --reason test
is "$rc" 4 'apply stops'
has "$both" 'replicas (b is ' 'and says which standby'
is "$(inventory)" '' 'and builds nothing'
at b 'SELECT pg_wal_replay_resume()' >"$work/pause.out"
wait_until 'b has caught up' gate_is ok replicas

sql "SELECT pg_create_physical_replication_slot('for_b', true)" >/dev/null
has "$(gate replicas)" 'physical slot for_b is read by nobody' 'a slot that keeps WAL for nobody is red'
sql "SELECT pg_drop_replication_slot('for_b')" >/dev/null
sql "SELECT pg_create_physical_replication_slot('for_later')" >/dev/null
wait_until 'a slot that keeps nothing is fine' gate_is ok replicas
sql "SELECT pg_drop_replication_slot('for_later')" >/dev/null

standbys freeze c
at a 'ALTER SYSTEM SET synchronous_standby_names = '"'nobody'"
at a 'SELECT pg_reload_conf()' >/dev/null
wait_until 'commits would wait' gate_is fail replicas
has "$(gate replicas)" 'commits wait for a synchronous standby (nobody)' 'a synchronous standby that is not there is red'
PGOPTIONS='-c synchronous_commit=local' at a 'ALTER SYSTEM RESET synchronous_standby_names'
at a 'SELECT pg_reload_conf()' >/dev/null
standbys thaw c
wait_until 'all is well again' gate_is ok replicas

# -- the role, the window, the words ------------------------------------------------------------

sql 'CREATE ROLE blind LOGIN'
sql 'GRANT USAGE ON SCHEMA pgmend TO blind; GRANT SELECT ON ALL TABLES IN SCHEMA pgmend TO blind'
PGUSER=blind run gate "$script"
has "$out" 'role blind may not see how far 2 standbys are' 'a role that may not look is told which right it needs'
has "$out" 'GRANT pg_read_all_stats TO blind' 'by the statement'
hour=$(sql "SELECT EXTRACT(hour FROM now() AT TIME ZONE 'UTC')::int")
window=$(printf '%02d:00-%02d:00' $(((hour + 2) % 24)) $(((hour + 4) % 24)))
has "$(gate window --low-traffic "$window")" 'opens in ' 'outside of the window it is red'
run gate "$script" --low-traffic "$window" --exit-code
is "$rc" 4 'exit status 4'
run gate "$script" --low-traffic 'tonight'
is "$rc" 2 'a window that is none is a wrong use'
done_testing
