#!/usr/bin/env bash
# A real Prometheus reads /metrics with the shipped configuration and rules: the names are clean, every query of the shipped
# dashboard is answered, every name in rules and dashboard is one that we have, and a server that stops is an alert there.
# Prints TAP.
# shellcheck source=lib.sh disable=SC2119,SC2317
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

{ command -v prometheus && command -v promtool; } >/dev/null || skip_all 'prometheus is not installed'
command -v curl >/dev/null || skip_all 'curl is not installed'

share=$root/share
start_cluster || skip_all 'no cluster can be started'
create_database
sql 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements' >/dev/null

has "$(promtool check rules "$share/prometheus/pgmend.rules.yml" 2>&1)" 'SUCCESS' 'promtool check rules'
has "$(promtool check config "$share/prometheus/prometheus.yml" 2>&1)" 'is valid prometheus config' 'promtool check config'
has "$(promtool test rules "$root/test/web/monitor_rules.yml" 2>&1)" 'SUCCESS' 'promtool test rules'

port_of() { # file with a line that ends in :PORT/
    sed -n 's|.*http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$1" | head -1
}
"$pgmend" monitor --interval 1 --listen 127.0.0.1:0 --state-dir "$state" >"$work/monitor.out" 2>"$work/monitor.err" &
answers() {
    local port
    port=$(port_of "$work/monitor.err")
    [ -n "$port" ] && curl -sf "http://127.0.0.1:$port/metrics" -o "$work/metrics" && grep -q '^pgmend_cost_ratio ' "$work/metrics"
}
wait_until 'the monitor answers' answers
port=$(port_of "$work/monitor.err")

# A private port: Prometheus says "address already in use" otherwise.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
own=$(free_port)
mkdir "$work/prometheus"
sed "s|127.0.0.1:9187|127.0.0.1:$port|; s|scrape_interval: 15s|scrape_interval: 1s|
     s|evaluation_interval: 15s|evaluation_interval: 1s|" "$share/prometheus/prometheus.yml" >"$work/prometheus/prometheus.yml"
cp "$share/prometheus/pgmend.rules.yml" "$work/prometheus/"
prometheus --config.file="$work/prometheus/prometheus.yml" --storage.tsdb.path="$work/prometheus/data" \
    --web.listen-address="127.0.0.1:$own" --log.level=error >"$work/prometheus/log" 2>&1 &

value() { # expression: its first value
    curl -sfG "http://127.0.0.1:$own/api/v1/query" --data-urlencode "query=$1" |
        python3 -c 'import json, sys; r = json.load(sys.stdin)["data"]["result"]; print(r[0]["value"][1] if r else "")'
}
value_is() {
    [ "$(value "$1" 2>/dev/null)" = "$2" ]
}
wait_until 'Prometheus has read' value_is 'up{job="pgmend"}' 1
is "$(value 'up{job="pgmend"}')" 1 'Prometheus can read what we say'
is "$(value pgmend_up)" 1 'and has pgmend_up 1'
is "$(value 'scrape_samples_post_metric_relabeling{job="pgmend"} > bool 100')" 1 'more than a hundred series'

complaints=$(promtool check metrics <"$work/metrics" 2>&1 | grep '^pgmend_')
is "$complaints" '' 'promtool has nothing to say of our own names'
type=$(curl -s -o /dev/null -w '%{content_type}' "http://127.0.0.1:$port/metrics")
is "$type" 'text/plain; version=0.0.4; charset=utf-8' 'the content type is that of the text format'

# Every query of the dashboard as Grafana would send it.
wrong=$(python3 - "$share/grafana/pgmend.json" "$own" <<'PY'
import json, sys, urllib.parse, urllib.request
board = json.load(open(sys.argv[1]))
queries = [t["expr"] for p in board["panels"] for t in p["targets"]]
queries += [a["expr"] for a in board["annotations"]["list"] if "expr" in a]
names = {v["name"] for v in board["templating"]["list"]}
for query in queries:
    for name in names - {"datasource"}:
        query = query.replace("$" + name, ".*")
    query = query.replace("$__rate_interval", "1m")
    url = f"http://127.0.0.1:{sys.argv[2]}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    try:
        answer = json.load(urllib.request.urlopen(url))
        if answer["status"] != "success" or "$" in query:
            print(query)
    except OSError as error:
        print(query, error)
if len(queries) < 30:
    print("too few queries:", len(queries))
PY
)
is "$wrong" '' 'every query of the dashboard is answered'

# What rules and dashboard ask for is in the answer, or among what docs/metrics.md says there can be.
unknown=$(python3 - "$root" "$work/metrics" <<'PY'
import json, pathlib, re, sys
root = pathlib.Path(sys.argv[1])
known = set(re.findall(r"^([a-z_][a-z0-9_]*)[ {]", open(sys.argv[2]).read(), re.M))
documented = root / "docs/metrics.md"
if documented.exists():
    known |= set(re.findall(r"\b(pg(?:mend)?_[a-z0-9_]+)", documented.read_text()))
text = (root / "share/prometheus/pgmend.rules.yml").read_text()
board = json.loads((root / "share/grafana/pgmend.json").read_text())
used = set(re.findall(r"\bpg(?:mend)?_[a-z0-9_]+", text))
for panel in board["panels"]:
    for target in panel["targets"]:
        used |= set(re.findall(r"\bpg(?:mend)?_[a-z0-9_]+", target["expr"]))
print(" ".join(sorted(used - known)))
PY
)
is "$unknown" '' 'every name in rules and dashboard is one of ours'

server stop -m immediate >/dev/null
wait_until 'Prometheus sees that the server is down' value_is pgmend_up 0
pass 'pgmend_up is 0 when the server is down'
is "$(value 'up{job="pgmend"}')" 1 'while the monitor itself still answers'
wait_until 'the alert is there' value_is 'count(ALERTS{alertname="PgmendServerDown"})' 1
pass 'and the rule has seen it'
server start >/dev/null
wait_until 'the server is up again' value_is pgmend_up 1
pass 'pgmend_up is 1 when it is back'

# The answer before the last: CPU seconds of making it.
cpu=$(curl -s "http://127.0.0.1:$port/metrics" | sed -n 's/^pgmend_last_scrape_cpu_seconds //p')
is "$(python3 -c "print(0 < float('${cpu:-0}') < 0.020)")" True "an answer costs less than 20 ms of CPU ($cpu s)"

done_testing
