#!/usr/bin/env bash
# How long the page needs to draw 24 hours of 50 series in Chromium: from the answer's text to canvases that are
# painted, by the browser's own clock. Nothing but loopback is reached.
# Usage: bench/monitor/page.sh [RUNS]    MONITOR_PAGE names the program, else build/bench/monitor/monitor-page
# Exit status 1 when the median is not under 200 ms, 77 without a chromium.
set -euo pipefail

readonly LIMIT_MS=200
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${MONITOR_PAGE:-$here/build/bench/monitor/monitor-page}
runs=${1:-5}
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT

if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then
    echo "page.sh: there is no chromium in PATH" >&2
    exit 77
fi
"$program" 127.0.0.1:0 >"$folder/address" &
server=$!
for _ in $(seq 100); do
    [ -s "$folder/address" ] && break
    sleep 0.1
done
address=$(cat "$folder/address")

# The window is so high that every chart of "everything that is kept" is in view, below the big ones. From the
# answer's text to the frame after the last line: parsing, charts, layout, paint.
for _ in $(seq "$runs"); do
    "$here/test/web/browse.py" --size 1440x4000 "http://$address/" 'wait:document.documentElement.dataset.drawn' \
        'eval:document.querySelector("#all .fold").click()' \
        'wait:document.querySelectorAll("#all .uplot").length === document.querySelectorAll("#all [data-metric]").length' \
        'eval:delete document.documentElement.dataset.drawn' \
        'eval:document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "4", bubbles: true }))' \
        'wait:document.documentElement.dataset.drawn' \
        'eval:({ ms: Number(document.documentElement.dataset.drawn), charts: document.querySelectorAll(".uplot").length })'
done >"$folder/results"

series=$(curl -s "http://$address/api/series?from=-86400&points=720" |
    python3 -c 'import json, sys; print(len(json.load(sys.stdin)["series"]))')
python3 - "$folder/results" "$LIMIT_MS" "$series" <<'PY'
import json, statistics, sys
results = [json.loads(line) for line in open(sys.argv[1]) if line.startswith('{"ms')]
times = sorted(result["ms"] for result in results)
median = statistics.median(times)
print(f"{sys.argv[3]} series of 24 hours in {results[0]['charts']} charts: median {median} ms, "
      f"{times[0]} to {times[-1]} ms in {len(times)} runs")
sys.exit(0 if int(sys.argv[3]) >= 50 and median < float(sys.argv[2]) else 1)
PY
