#!/usr/bin/env bash
# The page of a tuning run in a real browser: hostile names stay text, the style is applied, nothing is loaded.
# Usage: test/web/test_vector_page.sh    with PGMEND and PGHOST, PGPORT, PGUSER set; prints TAP
# Without a chromium in PATH, or without pgvector on the server, its tests are skipped, with the reason.
set -euo pipefail

readonly TESTS=7
readonly DATABASE=pgmend_test_vector_page
number=0

result() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
}

# holds NAME TEXT: whether the text stands in the file; lacks NAME TEXT: whether it does not.
holds() {
    grep -qF -- "$2" "$1"
}

lacks() {
    ! holds "$@"
}

# Both are there, and they are not the same.
differ() {
    [ -s "$1" ] && [ -s "$2" ] && ! cmp -s "$1" "$2"
}

check() {
    local name=$1 status=0
    shift
    "$@" || status=1
    result "$status" "$name"
}

browse() {
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$folder/profile" --host-resolver-rules='MAP * ~NOTFOUND' "$@" \
        "file://$folder/page.html" 2>"$folder/log"
}

# How wide the page is when the window has 400 columns: only what scrolls by itself may be wider.
width_of_narrow_page() {
    sed 's|<meta http-equiv="Content-Security-Policy"[^>]*>||
        s|</body>|<script>document.title=document.documentElement.scrollWidth</script></body>|' \
        "$folder/page.html" >"$folder/narrow.html"
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=400,900 \
        --user-data-dir="$folder/profile" --host-resolver-rules='MAP * ~NOTFOUND' --dump-dom \
        "file://$folder/narrow.html" 2>"$folder/log" | sed -n 's|.*<title>\([0-9]*\)</title>.*|\1|p'
}

is_written() {
    [ "$status" = 0 ] && [ -s "$folder/page.html" ]
}

is_narrow() {
    local width
    width=$(width_of_narrow_page)
    # A headless window is never narrower than 500.
    [ -n "$width" ] && [ "$width" -le 500 ]
}

folder=$(mktemp -d)
trap 'dropdb --if-exists "$DATABASE" 2>/dev/null; rm -rf "$folder"' EXIT

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then
    echo "1..0 # SKIP there is no chromium in PATH"
    exit 0
fi
if [ "$(psql -XAtqd postgres -c "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")" = 0 ]; then
    echo "1..0 # SKIP the server has no pgvector"
    exit 0
fi

dropdb --if-exists "$DATABASE" 2>/dev/null
createdb "$DATABASE"
export PGDATABASE=$DATABASE
psql -qX -v ON_ERROR_STOP=1 >"$folder/log" <<'SQL'
CREATE EXTENSION vector;
CREATE TABLE "<img src=x onerror=document.title='owned'>" (id int PRIMARY KEY, "<b onclick=1>" text NOT NULL,
    "<script>document.title='owned'</script>" vector(8) NOT NULL);
INSERT INTO "<img src=x onerror=document.title='owned'>"
SELECT n, '</style><i>' || n % 3, v.v
  FROM generate_series(1, 300) AS n,
       LATERAL (SELECT array_agg(hashint4(n * 31 + k) % 1000)::vector AS v FROM generate_series(1, 8) AS k) AS v;
ANALYZE;
SQL
status=0
"$PGMEND" vector tune --tenant '<b onclick=1>' --use exact --queries 5 --p95 0 --html "$folder/page.html" \
    >"$folder/out" 2>"$folder/err" || status=$?
if [ ! -s "$folder/page.html" ]; then
    sed 's/^/# /' "$folder/err"
fi

echo "1..$TESTS"
check "the run ended well and wrote the page" is_written
browse --dump-dom >"$folder/dom"
check "the hostile name is in the page, as text" \
    holds "$folder/dom" "&lt;img src=x onerror=document.title='owned'&gt;"
check "no element came from it" lacks "$folder/dom" "<img"
check "no script of it ran" lacks "$folder/dom" "<title>owned"
check "the page names no address" lacks "$folder/page.html" "://"
check "a narrow window does not scroll sideways" is_narrow

# Both colour schemes are drawn, and they differ; without its style the page would be white in both.
browse --window-size=1200,1600 --screenshot="$folder/light.png" >"$folder/log"
browse --window-size=1200,1600 --blink-settings=preferredColorScheme=0 --screenshot="$folder/dark.png" >"$folder/log"
check "light and dark are drawn" differ "$folder/light.png" "$folder/dark.png"
