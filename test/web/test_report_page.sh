#!/usr/bin/env bash
# The report's page in a real browser: hostile text stays text, the style is applied, nothing is loaded.
# Usage: test/web/test_report_page.sh    with PGMEND and PGHOST, PGPORT, PGUSER set; prints TAP
# Without a chromium in PATH its tests are skipped, with the reason.
set -euo pipefail

readonly TESTS=5
readonly DATABASE=pgmend_test_page
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

folder=$(mktemp -d)
trap 'dropdb --if-exists "$DATABASE" 2>/dev/null; rm -rf "$folder"' EXIT

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then
    echo "1..0 # SKIP there is no chromium in PATH"
    exit 0
fi

dropdb --if-exists "$DATABASE" 2>/dev/null
createdb "$DATABASE"
export PGDATABASE=$DATABASE
mkdir "$folder/scripts"
cat >"$folder/scripts/<img src=x onerror=document.title='owned'>.sql" <<'SQL'
SELECT "<script>document.title='owned'</script>" FROM "<img src=x onerror=document.title='owned'>";
SQL
psql -qX -v ON_ERROR_STOP=1 >"$folder/log" <<'SQL'
CREATE EXTENSION pg_stat_statements;
CREATE TABLE "<img src=x onerror=document.title='owned'>" ("<script>document.title='owned'</script>" int);
SQL
call='SELECT "<script>document.title='"'owned'"'</script>" FROM "<img src=x onerror=document.title='"'owned'"'>"'
psql -qX -c "$call" >"$folder/log"
"$PGMEND" report snapshot before --queries "$folder/scripts" >"$folder/log"
psql -qX -c "$call" -c 'CREATE INDEX "<b onclick=1>" ON "<img src=x onerror=document.title='"'owned'"'>" (1)' >"$folder/log" 2>&1 || true
psql -qX -c "$call" >"$folder/log"
"$PGMEND" report snapshot after --queries "$folder/scripts" >"$folder/log"
"$PGMEND" report --html "$folder/page.html" >"$folder/log"

echo "1..$TESTS"
browse --dump-dom >"$folder/dom"
check "the hostile query is in the page, as text" \
    holds "$folder/dom" "&lt;img src=x onerror=document.title='owned'&gt;"
check "no element came from it" lacks "$folder/dom" "<img"
check "no script of it ran" lacks "$folder/dom" "<title>owned"
check "the page names no address" lacks "$folder/page.html" "://"

# Both colour schemes are drawn, and they differ; without its style the page would be white in both.
browse --window-size=1200,1600 --screenshot="$folder/light.png" >"$folder/log"
browse --window-size=1200,1600 --blink-settings=preferredColorScheme=0 --screenshot="$folder/dark.png" >"$folder/log"
check "light and dark are drawn" differ "$folder/light.png" "$folder/dark.png"
