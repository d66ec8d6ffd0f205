#!/usr/bin/env bash
# The rules that need hours, a full memory or an application: each fires, and clears. The monitor is the real one; what it
# is given from outside is made here:
#   application-down, error-rate, p95-over-baseline, slo-burn-fast, statements-a-request: a page of metrics whose counters
#       grow as they are told; the application that is down is a process that was ended
#   cpu-busy, memory-full, disk-will-be-full: the machine below a folder of its own (host_root), which has a /proc and a
#       real volume
#   p95-over-baseline, disk-will-be-full, slo-burn-hours, -day, -days: the state folder of a monitor that was ended, with
#       what it saw in the hours and days before
#   bloat: a table whose file is mostly empty pages; vector-recall: what "pgmend vector check" writes
#   monitor-slowed: a second monitor with a small share, and eight thousand statements to read; store-failing: an output
#       folder on a full volume, and a store whose database takes no sessions
# All are under way at the same time. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=monitor_lib.sh
. "$here/monitor_lib.sh"

command -v python3 >/dev/null || skip_all 'python3 is not installed'
start_cluster --set pg_stat_statements.max=12000 || exit 1
create_database
sql 'CREATE EXTENSION pg_stat_statements'
# The statements differ in how many columns and conditions they have.
sql "SET pg_stat_statements.track = 'all'; DO \$\$ BEGIN FOR n IN 0..7999 LOOP
    EXECUTE 'SELECT ' || repeat('1, ', n % 90) || '1 WHERE true' || repeat(' AND true', n / 90); END LOOP; END \$\$"
data=$(sql 'SHOW data_directory')

# -- what is outside ----------------------------------------------------------------------------------

# The machine: its /proc is written by the stub, its volume is a small one, where there is a right to mount it.
mkdir -p "$work/host/proc" "$work/host${data%/*}" "$work/ticks"
if [ "$(id -u)" = 0 ]; then
    mkdir "$work/volume"
    mount -t tmpfs -o size=20m,mode=755 pgmend "$work/volume" && mounts+=("$work/volume")
    mount -t tmpfs -o size=20m,mode=700 pgmend "$work/ticks" && mounts+=("$work/ticks")
fi
has_volumes=$((${#mounts[@]} == 2))
if [ "$has_volumes" = 1 ]; then
    ln -s "$work/volume" "$work/host$data"
    head -c 11m /dev/zero >"$work/volume/filler"
fi

cat >"$work/stub.py" <<'PY'
"""Pages of metrics at /NAME, whose counters grow by the seconds that pass; a /proc. Knobs are files NAME.json, "machine.json"."""
import http.server, json, os, sys, threading, time

folder, proc, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
lock = threading.Lock()
apps = {}


def knobs(name, **standard):
    try:
        with open(f"{folder}/{name}.json", encoding="ascii") as file:
            standard.update(json.load(file))
    except OSError:
        pass
    return standard


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/")
        told = knobs(name, rate=50, errors=0, p95=0.1, statements=2, good=0)
        with lock:
            app = apps.setdefault(name, {"at": time.time(), "requests": 0.0, "errors": 0.0, "statements": 0.0})
            requests = told["rate"] * (time.time() - app["at"])
            app["at"] = time.time()
            app["requests"] += requests
            app["errors"] += requests * told["errors"]
            app["statements"] += requests * told["statements"]
            good = told["good"] + app["requests"] - app["errors"]
            page = (f'http_requests_total{{status="200"}} {good}\nhttp_requests_total{{status="500"}} {app["errors"]}\n'
                    f'http_request_duration_seconds{{quantile="0.95"}} {told["p95"]}\n'
                    f'app_statements_total {app["statements"]}\n')
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *args):
        pass


def write(name, text):
    with open(f"{proc}/{name}.new", "w", encoding="ascii") as file:
        file.write(text)
    os.rename(f"{proc}/{name}.new", f"{proc}/{name}")


def machine():
    busy, idle, at = 1000.0, 9000.0, time.time()
    while True:
        told = knobs("machine", busy=0.1, used=0.3)
        ticks = 200 * (time.time() - at)
        at = time.time()
        busy, idle = busy + ticks * told["busy"], idle + ticks * (1 - told["busy"])
        write("stat", f"cpu  {busy:.0f} 0 0 {idle:.0f} 0 0 0 0 0 0\ncpu0 0 0 0 0\ncpu1 0 0 0 0\n")
        write("meminfo", f"MemTotal: 8000000 kB\nMemAvailable: {8000000 * (1 - told['used']):.0f} kB\n"
                         "SwapTotal: 0 kB\nSwapFree: 0 kB\n")
        time.sleep(0.1)


http.server.ThreadingHTTPServer.allow_reuse_address = True
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)
if proc != "-":
    write("loadavg", "0.5 0.5 0.5 1/100 100\n")
    threading.Thread(target=machine, daemon=True).start()
print(server.server_address[1], flush=True)
server.serve_forever()
PY
knob() { # name json
    printf '%s' "$2" >"$work/$1.new"
    mv "$work/$1.new" "$work/$1.json"
}
python3 "$work/stub.py" "$work" "$work/host/proc" 0 >"$work/page.port" &
python3 "$work/stub.py" "$work" - 0 >"$work/other.port" &
other=$!
wait_until 'the pages have ports' test -s "$work/page.port" -a -s "$work/other.port"
page=http://127.0.0.1:$(cat "$work/page.port")
other_port=$(cat "$work/other.port")

# What a monitor saw before it was ended. The rates of errors are 1.5, 4 and 7 times what 99.9 % allows, for as long as the
# rule looks back; the application "api" was hardly used. The disk was filled by 40 % of it in 100 minutes, and 45 % are left: full in less than two hours.
mkdir -p "$state/monitor"
python3 - "$state/monitor/alerts.json" <<'PY'
import json, sys, time
now = int(time.time())
def errors(ratio, minutes, requests=10000):
    return [[age, requests, requests * ratio if age < minutes else 0] for age in range(5, 3 * 1440, 10)]
json.dump({"alerts": {"alerts": [], "saved": now * 1000000,
    "burns": {"days": errors(0.0015, 3 * 1440), "day": errors(0.004, 1440), "hours": errors(0.007, 360),
              "main": errors(0, 0, 1)},
    "pasts": {"main": [
        {"metric": "pgmend_application_p95_seconds", "labels": 'application="api"',
         "points": [[now - age, 0.1] for age in range(7200, 900, -900)]},
        {"metric": "pgmend_host_disk_used_ratio", "labels": "",
         "points": [[now - age, 0.55 - 0.4 * age / 6000] for age in range(6000, 0, -300)]}]}},
    "calm": [], "told": None}, open(sys.argv[1], "w"))
PY

# -- the monitors -------------------------------------------------------------------------------------

{
    cat <<INI
[monitor]
interval = 300ms
[server main]
host = local
host_root = $work/host
[server days]
[server day]
[server hours]
INI
    for name in api:main days:days day:day hours:hours; do
        printf '[application %s]\nurl = %s/%s\nserver = %s\ninterval = 300ms\n' \
            "${name%:*}" "$page" "${name%:*}" "${name#*:}"
    done
    printf '[application other]\nurl = http://127.0.0.1:%s/other\nserver = main\ninterval = 300ms\n' "$other_port"
    for rule in cpu-busy memory-full disk-will-be-full application-down error-rate p95-over-baseline bloat vector-recall \
        statements-a-request store-failing; do
        printf '[alert %s]\nfor = 1s\n' "$rule"
    done
} >"$work/monitor.ini"
cat >"$work/second.ini" <<INI
[monitor]
interval = 500ms
[server slowed]
[alert monitor-slowed]
for = 0
[alert store-failing]
for = 1s
INI
chmod 600 "$work/monitor.ini" "$work/second.ini"
createdb "${db}_store"

start monitor --setup "$work/monitor.ini" --json --allow-private --output-dir "$work/ticks" --listen 127.0.0.1:0 --share 1 \
    --collect bloat=1s --collect vector=1s --collect statement=500ms
monitor=$running
"$pgmend" --state-dir "$work/second" monitor --setup "$work/second.ini" --json \
    --share 0.04 --collect statement=500ms --store-url "dbname=${db}_store" >"$work/second.out" 2>"$work/second.err" </dev/null &
second=$!

# -- what was before is known at once, and ends when it is told otherwise -----------------------------------

if [ "$has_volumes" = 1 ]; then
    fires disk-will-be-full
    rm "$work/volume/filler" # looked at once a minute: its end is waited for at the end
fi
fires slo-burn-days@days slo-burn-day@day slo-burn-hours@hours
for name in days day hours; do
    knob "$name" '{"good": 1e10}'
done

# -- everything at the same time ----------------------------------------------------------------------------

sql "CREATE TABLE hollow AS SELECT g AS id, 'some text' AS t FROM generate_series(1, 1000) AS g"
sql 'ANALYZE hollow'
file=$data/$(sql "SELECT pg_relation_filepath('hollow')")
sql 'CHECKPOINT'
as_server truncate -s 1G "$file"
as_server truncate -s 200M "$file.1"
sql 'ANALYZE hollow'
sql 'CREATE SCHEMA pgmend'
sql "$(cat "$root/src/sql/change/create_value.sql")"
checked() { # recall
    sql "INSERT INTO pgmend.value SELECT 'vector-check:public.docs.embedding',
         json_build_object('recall', $1, 'findings', 1, 'at', EXTRACT(epoch FROM now())), now()
         ON CONFLICT (name) DO UPDATE SET value = excluded.value"
}
sql "INSERT INTO pgmend.value VALUES ('vector:public.docs.embedding', '{\"recall\": 0.95, \"recall_worst\": 0.9}', now())"
checked 0.62
knob api '{"errors": 0.5, "p95": 0.15, "statements": 12}'
knob machine '{"busy": 0.95, "used": 0.95}'
kill "$other"
wait "$other" 2>/dev/null
[ "$has_volumes" = 0 ] || head -c 30m /dev/zero >"$work/ticks/filler" 2>/dev/null

fires cpu-busy memory-full application-down error-rate slo-burn-fast@main p95-over-baseline statements-a-request \
    bloat vector-recall
in_time cpu-busy 1
in_time memory-full 1
has "$(line_of application-down firing)" 'other: ' 'the application that does not answer is named'
has "$(line_of bloat firing)" 'hollow' 'the table is named'
has "$(line_of vector-recall firing)" '0.620' 'the recall of the check is told'
has "$(line_of vector-recall firing)" 'docs.embedding' 'and of which search'
if [ "$has_volumes" = 1 ]; then
    fires store-failing
    has "$(line_of store-failing firing)" "Folder $work/ticks: " 'the folder that cannot be written to is named'
    has "$(line_of store-failing firing)" 'No space left' 'with the cause'
    address=$(sed -n 's/.*the dashboard is http:\/\/\([^/]*\)\/.*/\1/p' "$work/bg.err")
    has "$(python3 -c 'import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1]).read().decode())' "http://$address/metrics")" \
        'pgmend_alerts_firing{server="pgmend monitor",severity="warning"} 1' '/metrics counts the own alert'
    rm "$work/ticks/filler"
fi
told=$work/second.out
fires monitor-slowed
has "$(line_of monitor-slowed firing)" 'collector statement took longest' 'the collector is named'
sql 'SELECT pg_stat_statements_reset()' >/dev/null

# -- one state folder, one monitor; a store that cannot be written to -----------------------------------------------------------

run monitor --duration 1s
is "$rc" 7 'a second monitor with the same state folder is refused'
has "$err" "process $monitor" 'the one that has it is named'
has "$err" '--state-dir' 'and what to do'
# shellcheck disable=SC2317 # wait_until calls it
keeps() {
    [ "$(sql "SELECT to_regclass('pgmend.sample') IS NOT NULL" "${db}_store")" = t ]
}
wait_until 'the second monitor keeps its numbers' keeps
psql -X -q -d postgres -c "ALTER DATABASE ${db}_store ALLOW_CONNECTIONS false" \
    -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${db}_store'" >/dev/null
fires store-failing
has "$(line_of store-failing firing)" 'The store: ' 'the store is named'
psql -X -q -d postgres -c "ALTER DATABASE ${db}_store ALLOW_CONNECTIONS true"

# -- and all ends ---------------------------------------------------------------------------------------------

told=$work/bg.out
sql 'TRUNCATE hollow'
checked 0.97
knob api '{"good": 1e10}'
knob machine '{}'
python3 "$work/stub.py" "$work" - "$other_port" >/dev/null &
clears slo-burn-days@days slo-burn-day@day slo-burn-hours@hours
clears cpu-busy memory-full application-down error-rate slo-burn-fast@main p95-over-baseline statements-a-request \
    bloat vector-recall
[ "$has_volumes" = 0 ] || clears store-failing
told=$work/second.out
clears store-failing monitor-slowed
say_what_to_do none
told=$work/bg.out
if [ "$has_volumes" = 1 ]; then
    readonly MINUTE=100 # it is looked at once in one
    end=$((SECONDS + MINUTE))
    until says disk-will-be-full resolved || [ "$SECONDS" -ge "$end" ]; do sleep 0.2; done
    clears disk-will-be-full
else
    echo '# no right to mount: disk-will-be-full and the full output folder are left out'
fi
say_what_to_do days day hours

PGDATABASE=${db}_store run uninstall --yes --no-input
has "$err" 'A monitor keeps its numbers here' 'uninstall says that a monitor writes there'
is "$rc" 0 'and does what it is told'

kill -TERM "$monitor" "$second"
finish
has '0 143' "$rc" 'the monitor ends when it is asked to'
wait "$second" 2>/dev/null
lacks "$(cat "$work/bg.err" "$work/second.err")" 'bug' 'without complaint'
done_testing
