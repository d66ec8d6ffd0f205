#!/usr/bin/env bash
# Every fallible call of migrations consolidate fails once (see torture_lib.sh). The version folder is the old one or the new
# one, whole, whatever failed; no scratch database is left that the next run does not take away. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=alembic.sh
. "$(dirname "${BASH_SOURCE[0]}")/alembic.sh"
# shellcheck source=torture_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/torture_lib.sh"
# The variables are those of lib.sh and torture_lib.sh.
# shellcheck disable=SC2154

versions=$project/migrations/versions

psql -X -q -d postgres -c "CREATE DATABASE $db"
project
revision a1 None 'op.execute("CREATE TABLE users (id bigint PRIMARY KEY, n int)")'
revision b2 "'a1'" 'op.execute("ALTER TABLE users ADD COLUMN email text")'
revision c3 "'b2'" 'op.execute("CREATE INDEX users_email ON users (email)")'
alembic upgrade head
cp -a "$project/migrations" "$work/kept"

reset() {
    rm -rf "$project/migrations" "$state"
    cp -a "$work/kept" "$project/migrations"
}

sums() { # folder
    (cd "$1" && find . -name '*.py' | LC_ALL=C sort | xargs sha256sum)
}

old=$(sums "$versions")

# The new files carry the time they were made at.
end_state() {
    [ "$(sums "$versions")" != "$old" ] || echo 'the old files'
    find "$project/migrations" -path '*archive*' -name '?2.py' -printf '%f\n'
    $ALEMBIC -c "$project/alembic.ini" heads 2>&1
    sql "SELECT version_num FROM alembic_version"
    psql -X -A -t -d postgres -c "SELECT 'scratch' FROM pg_database WHERE datname LIKE 'pgmend%$db%' LIMIT 1"
}

# Old and whole, or new and whole.
state_is_true() {
    [ "$(sums "$versions" 2>&1)" = "$old" ] || [ "$(cd "$project" && $ALEMBIC heads 2>&1)" = 'c3 (head)' ] ||
        echo ' the version folder is neither the old one nor a new one'
}

# What is done is not done again: the new files are the history then.
heal() { # command ...
    [ "$(sums "$versions")" != "$old" ] || heal_by_running "$@"
}

torture consolidate 6 0 "$pgmend" --state-dir "$state" migrations consolidate "$project" --db-url "postgresql:///$db"
done_testing
