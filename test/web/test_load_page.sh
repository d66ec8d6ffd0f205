#!/usr/bin/env bash
# The page of two load runs in a real browser: curves are drawn, hostile names stay text, keys work, nothing is loaded.
# Usage: test/web/test_load_page.sh    with PGMEND and PGHOST, PGPORT, PGUSER set; prints TAP
# Without a chromium in PATH its tests are skipped, with the reason.
set -euo pipefail

readonly TESTS=11
readonly DATABASE=pgmend_test_load_page
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
number=0

result() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
}

check() {
    local name=$1 status=0
    shift
    "$@" || status=1
    result "$status" "$name"
}

# The value that browse.py printed on this line.
says() {
    [ "$(sed -n "$1p" "$folder/said")" = "$2" ] || {
        sed 's/^/# /' "$folder/said"
        return 1
    }
}

lacks() {
    ! grep -qF -- "$2" "$1"
}

holds() {
    grep -qF -- "$2" "$1"
}

differ() {
    [ -s "$1" ] && [ -s "$2" ] && ! cmp -s "$1" "$2"
}

are_written() {
    [ "$status" = 0 ] && [ -s "$folder/page.html" ]
}

folder=$(mktemp -d)
trap 'dropdb --if-exists "$DATABASE" 2>/dev/null; rm -rf "$folder"' EXIT

if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then
    echo "1..0 # SKIP there is no chromium in PATH"
    exit 0
fi

dropdb --if-exists "$DATABASE" 2>/dev/null
createdb "$DATABASE"
export PGDATABASE=$DATABASE
mkdir "$folder/scripts"
echo 'SELECT 1;' >"$folder/scripts/<img src=x onerror=document.title='owned'>.sql"
echo "SELECT 'a' AS one;" >"$folder/scripts/calm.sql"
status=0
for run in before after; do
    timeout 60 "$PGMEND" load run "$folder/scripts" --rate 40 --duration 4s --output "$folder/$run.json" \
        >"$folder/out" 2>"$folder/err" || { status=1; sed 's/^/# /' "$folder/err"; }
done
timeout 60 "$PGMEND" load compare "$folder/before.json" "$folder/after.json" --html "$folder/page.html" \
    >"$folder/out" 2>"$folder/err" || { [ -s "$folder/page.html" ] || { status=1; sed 's/^/# /' "$folder/err"; }; }

readonly DRAWN='document.querySelectorAll(".plot canvas").length >= 4'
readonly LIT='[...document.querySelectorAll(".chart")].map((chart) => { const canvas = chart.querySelector("canvas"); return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0); }).every(Boolean)'
readonly MOVED='(() => { const chart = document.querySelector(".chart"); chart.focus(); chart.dispatchEvent(new KeyboardEvent("keydown", { key: "End" })); chart.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" })); return chart.querySelector("small").textContent !== "" && /[0-9]/.test(chart.querySelector(".legend b").textContent); })()'

echo "1..$TESTS"
check "two runs and their comparison end well and write the page" are_written
status=0
python3 "$here/browse.py" --size 1280x900 "file://$folder/page.html" "wait:$DRAWN" "eval:$LIT" "wait:$MOVED" \
    'eval:document.querySelectorAll("img").length' 'eval:document.title.includes("owned")' \
    'eval:document.body.textContent.includes("<img src=x onerror=document.title='"'owned'"'>")' \
    'eval:[...document.querySelectorAll("table .chip")].length > 0' "shot:$folder/light.png" >"$folder/said" || status=1
check "curves are drawn, and arrow keys move along them" [ "$status" = 0 ]
check "no chart is empty" says 1 true
check "no element came from a hostile name" says 2 0
check "no script of it ran" says 3 false
check "the name is there, as text" says 4 true
check "what was compared has its verdicts" says 5 true
check "the browser found nothing to complain of" lacks "$folder/said" console:
check "without scripts the tables are there" holds "$folder/page.html" "<td class=\"name\">calm"
python3 "$here/browse.py" --size 400x900 --dark "file://$folder/page.html" "wait:$DRAWN" \
    'eval:document.documentElement.scrollWidth' "shot:$folder/dark.png" >"$folder/said" || true
check "a narrow window does not scroll sideways" says 1 400
check "light and dark are drawn" differ "$folder/light.png" "$folder/dark.png"
