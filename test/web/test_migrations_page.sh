#!/usr/bin/env bash
# The page of an analysis in a real browser: hostile text stays text, its own script runs under its policy,
# nothing is loaded. Usage: test/web/test_migrations_page.sh    with PGMEND set; prints TAP
# Without a chromium in PATH its tests are skipped, with the reason.
set -euo pipefail

readonly TESTS=6
number=0

check() {
    local name=$1 mark=ok
    shift
    "$@" || mark="not ok"
    number=$((number + 1))
    echo "$mark $number - $name"
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

browse() {
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$folder/profile" --host-resolver-rules='MAP * ~NOTFOUND' "$@" \
        "file://$folder/page.html" 2>"$folder/log"
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then
    echo "1..0 # SKIP there is no chromium in PATH"
    exit 0
fi

mkdir "$folder/versions"
cat >"$folder/versions/a1_<img src=x onerror=document.title='owned'>.py" <<'PY'
"""<script>document.title='owned'</script>"""
from alembic import op
revision = "<img src=x onerror=document.title='owned'>"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE t (\"</script><img src=x onerror=document.title='owned'>\" int)")
    op.execute("ALTER TABLE t DROP COLUMN \"<b onclick=document.title='owned'>\"")
PY
"$PGMEND" migrations analyze "$folder/versions" --output "$folder/page.html" >"$folder/log"

echo "1..$TESTS"
browse --dump-dom >"$folder/dom"
check "the hostile revision is in the page, as text" \
    holds "$folder/dom" "&lt;img src=x onerror=document.title='owned'&gt;"
check "no element came from it" lacks "$folder/dom" "<img"
check "no script of it ran" lacks "$folder/dom" "<title>owned"
check "the page's own script ran" holds "$folder/dom" '<form class="filters">'
check "the page names no address" lacks "$folder/page.html" "://"

# Both colour schemes are drawn, and they differ; without its style the page would be white in both.
browse --window-size=1200,1600 --screenshot="$folder/light.png" >"$folder/log"
browse --window-size=1200,1600 --blink-settings=preferredColorScheme=0 --screenshot="$folder/dark.png" >"$folder/log"
check "light and dark are drawn" differ "$folder/light.png" "$folder/dark.png"
