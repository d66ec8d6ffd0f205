#!/usr/bin/env bash
# The dashboard of a real monitor of a real server in a real browser: hostile names and query texts stay text, nothing is
# wrong in the console, ticks arrive by events, a server and a monitor that go away are told; token and Host are checked.
# Usage: test/web/test_monitor_page.sh    with PGMEND and PGHOST, PGPORT, PGUSER set; prints TAP
# Without a chromium in PATH its tests are skipped, with the reason.
set -euo pipefail

readonly TESTS=21
readonly DATABASE=pgmend_test_monitor_page
readonly HOSTILE="<img src=x onerror=document.title='owned'>"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
number=0
monitor=

check() {
    local name=$1 mark=ok
    shift
    "$@" || mark="not ok"
    number=$((number + 1))
    echo "$mark $number - $name"
    if [ "$mark" != ok ] && [ -s "$folder/out" ]; then
        sed 's/^/# /' "$folder/out"
    fi
}

holds() {
    grep -qF -- "$2" "$1"
}

lacks() {
    ! holds "$@"
}

differ() {
    [ -s "$1" ] && [ -s "$2" ] && ! cmp -s "$1" "$2"
}

# start FILE ARGUMENTS: a monitor, and its address in $address
start() {
    local log=$1
    shift
    # The address of an earlier monitor must not be read: the one of this may come later than the look for it.
    : >"$log"
    "$PGMEND" monitor --interval 1 --state-dir "$folder/state" "$@" >"$log" 2>&1 &
    monitor=$!
    for _ in $(seq 100); do
        address=$(sed -n 's|.*\(http://[^/]*\)/.*|\1|p' "$log" | head -1)
        [ -n "$address" ] && return
        sleep 0.1
    done
    echo "# the monitor says no address:"
    sed 's/^/# /' "$log"
}

stop() {
    [ -z "$monitor" ] || kill "$monitor" 2>/dev/null || true
    wait "$monitor" 2>/dev/null || true
    monitor=
}

browse() {
    "$here/browse.py" --limit 90 "$@" >"$folder/out" 2>&1
}

status() {
    curl -s -o "$folder/out" -w '%{http_code}' "$@"
}

clean_up() {
    stop
    # shellcheck disable=SC2046
    kill $(jobs -p) 2>/dev/null || true
    dropdb --if-exists --force "$DATABASE" 2>/dev/null || true
    rm -rf "$folder"
}

folder=$(mktemp -d)
trap clean_up EXIT

if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then
    echo "1..0 # SKIP there is no chromium in PATH"
    exit 0
fi

dropdb --if-exists --force "$DATABASE" 2>/dev/null
createdb "$DATABASE"
export PGDATABASE=$DATABASE
psql -qX -v ON_ERROR_STOP=1 >"$folder/log" <<SQL
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE TABLE "$HOSTILE" (id int PRIMARY KEY, "</script><script>document.title='owned'</script>" text);
INSERT INTO "$HOSTILE" SELECT n, '' FROM generate_series(1, 1000) AS n;
-- An index that is not usable, of a hostile name.
INSERT INTO "$HOSTILE" VALUES (2000, 'x'), (2001, 'x');
SQL
psql -qX -c "CREATE UNIQUE INDEX CONCURRENTLY \"<b onclick=1>\" ON \"$HOSTILE\" (\"</script><script>document.title='owned'</script>\")" \
    >>"$folder/log" 2>&1 || true

# One that blocks, one that waits, and some load: each with a hostile application name and text.
PGAPPNAME="<i>blocker</i>" psql -qX >>"$folder/log" 2>&1 <<SQL &
BEGIN; LOCK TABLE "$HOSTILE"; SELECT pg_sleep(300) AS "<u>asleep</u>";
SQL
sleep 0.5
PGAPPNAME="<i>waiter</i>" psql -qX -c "SELECT count(*) FROM \"$HOSTILE\"" >>"$folder/log" 2>&1 &

start "$folder/monitor" --listen 127.0.0.1:0 --collect statement=1s --collect index_state=1s
echo "1..$TESTS"

ready='wait:document.documentElement.dataset.drawn && document.querySelectorAll("#chart-connections .uplot").length'
seen=0
browse "$address/" "$ready" \
    'wait:document.getElementById("locks").textContent.includes("blocks 1")' \
    'wait:document.getElementById("rollout").textContent.includes("<b onclick=1>")' \
    'eval:document.getElementById("locks").textContent' \
    'eval:document.querySelectorAll("main img, main script, main b[onclick], main i:not([class]):not([style]):not(:empty), main u").length' \
    'eval:"owned " + (document.title === "owned")' || seen=1
check "the blocker, the waiter and the broken index are shown" test "$seen" = 0
check "the hostile application is in the page, as text" holds "$folder/out" "<i>blocker</i>"
check "and so is the statement that waits" holds "$folder/out" "$HOSTILE"
check "no element came from any of it" grep -qx 0 "$folder/out"
check "no script of it ran" holds "$folder/out" '"owned false"'
check "nothing is wrong in the console" lacks "$folder/out" "console:"

# The statement's text arrives with its reading. It runs until it was seen: the page shows what took the most time of
# late, and other tests keep the same server busy.
while :; do
    psql -qX -c "SELECT id AS \"$HOSTILE\" FROM generate_series(1, 500000) AS id ORDER BY 1 DESC OFFSET 499999"
done >>"$folder/log" 2>&1 &
hostile=$!
seen=0
browse "$address/" "$ready" \
    'wait:[...document.querySelectorAll("#statements .q")].some((q) => q.textContent.includes("<img src=x"))' \
    'eval:document.querySelectorAll("main img").length' 'eval:document.title' || seen=1
kill "$hostile" 2>/dev/null || true
wait "$hostile" 2>/dev/null || true
check "the hostile statement is among the top ones, as text" test "$seen" = 0
check "and makes no element" grep -qx 0 "$folder/out"

# Ticks arrive without a request of the page: what it shows changes, what it asks does not.
browse "$address/" "$ready" \
    'eval:window.before = performance.getEntriesByType("resource").length, window.first = document.querySelector("#chart-load canvas").toDataURL(), 1' \
    'eval:new Promise((go) => setTimeout(go, 4000))' \
    'wait:document.querySelector("#chart-load canvas").toDataURL() !== window.first' \
    'eval:"asked " + (performance.getEntriesByType("resource").length - window.before)' || true
check "the charts go on by events, without requests" holds "$folder/out" '"asked 0"'

# Keys: j to the first panel and the next, 1 to 15 minutes, ? for help.
key() {
    echo "eval:document.activeElement.dispatchEvent(new KeyboardEvent(\"keydown\", { key: \"$1\", bubbles: true })), 1"
}
browse "$address/" "$ready" "$(key j)" "$(key j)" 'eval:"at " + document.activeElement.id' "$(key 1)" \
    'eval:document.querySelector("#ranges [aria-pressed=true]").dataset.range' "$(key '?')" \
    'eval:"help " + document.getElementById("keys").open' || true
check "j goes to the next panel" holds "$folder/out" '"at chart-load"'
check "1 is 15 minutes" holds "$folder/out" '"900"'
check "? shows the keys" holds "$folder/out" '"help true"'

browse --size 390x844 "$address/" "$ready" 'eval:document.documentElement.scrollWidth <= 390' || true
check "a phone does not scroll sideways" holds "$folder/out" true
browse "$address/" "$ready" "full:$folder/light.png" || true
browse --dark "$address/" "$ready" "full:$folder/dark.png" || true
check "light and dark are drawn" differ "$folder/light.png" "$folder/dark.png"

# The page is told that the monitor has gone, and is right again when it is back at the same address.
seen=0
{
    sleep 6
    kill "$monitor"
    sleep 5
    exec "$PGMEND" monitor --interval 1 --state-dir "$folder/state" --listen "${address#http://}" >"$folder/again" 2>&1
} &
again=$!
browse "$address/" "$ready" 'wait:!document.getElementById("lost").hidden' \
    'eval:document.getElementById("lost").textContent' \
    'wait:document.getElementById("lost").hidden && document.getElementById("live").className === "live good"' || seen=1
check "a lost connection is shown, and live again when the monitor is back" test "$seen" = 0
check "with the time of what is seen" holds "$folder/out" "What you see is of"
stop
kill "$again" 2>/dev/null || true
wait "$again" 2>/dev/null || true

# Host and token.
start "$folder/monitor" --listen 127.0.0.1:0
check "another name as Host is refused (DNS rebinding)" test "$(status -H 'Host: evil.test' "$address/api/state")" = 421
stop
printf 'a-token-of-the-test\n' >"$folder/token"
chmod 600 "$folder/token"
start "$folder/monitor" --listen 127.0.0.1:0 --token-file "$folder/token"
codes=
for path in / /metrics /api/state /api/series /api/statements /api/locks /api/events /api/kpi /health; do
    codes="$codes $(status --max-time 5 "$address$path")"
done
echo "$codes" >"$folder/out"
check "without the token nothing but /health is answered" test "$codes" = " 401 401 401 401 401 401 401 401 200"
check "with it, it is" test "$(status -H 'Authorization: Bearer a-token-of-the-test' "$address/api/state")" = 200
seen=0
browse "$address/login?token=a-token-of-the-test" "$ready" 'eval:location.search' || seen=1
check "a browser logs in by a link" test "$seen" = 0
check "and the token is not in its address afterwards" lacks "$folder/out" "a-token"
stop
