# What the fault tests share: TAP, a database of their own, sessions that stay open, pgmend in the background. Nothing is
# mocked and nothing sleeps for luck: every test waits until the server says that the fault has happened.
# shellcheck shell=bash
# The variables are for the tests that source this.
# shellcheck disable=SC2034
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${PGMEND_SOURCE_DIR:-$(cd "$here/../../.." && pwd)}
pgmend=${PGMEND:?is not set: run the tests by script/test or meson test}

readonly DEADLINE_S=30
# What a test does not look at need not be green.
readonly LAX=(--override all --reason test)

unset DATABASE_URL PGDATABASE PGOPTIONS PGSERVICE PGAPPNAME PGPASSWORD PGMEND_CONFIG
export PGCONNECT_TIMEOUT=10 LC_ALL=C.UTF-8 NO_COLOR=1

if [ -z "${PGHOST:-}" ]; then
    echo 'Bail out! PGHOST is not set'
    exit 1
fi

work=$(mktemp -d)
chmod 755 "$work" # the server's user looks into some of it
state=$work/state
db=faults_$$
export PGDATABASE=$db
cluster=   # the folder of a cluster of the test's own
mounts=()
number=0
failed=0

# -- TAP ----------------------------------------------------------------------------------------

pass() { # description
    number=$((number + 1))
    echo "ok $number - $1"
}

flunk() { # description
    number=$((number + 1))
    failed=$((failed + 1))
    echo "not ok $number - $1"
}

skip_all() { # reason
    echo "1..0 # SKIP $1"
    exit 0
}

is() { # got expected description
    if [ "$1" = "$2" ]; then
        pass "$3"
    else
        flunk "$3"
        printf 'expected: %s\n     got: %s\n' "$2" "$1" | sed 's/^/# /'
    fi
}

has() { # text part description
    if [[ "$1" == *"$2"* ]]; then
        pass "$3"
    else
        flunk "$3"
        printf 'expected to hold: %s\n' "$2" | sed 's/^/# /'
        printf '%s\n' "$1" | sed 's/^/# /'
    fi
}

lacks() { # text part description
    if [[ "$1" != *"$2"* ]]; then
        pass "$3"
    else
        flunk "$3"
        printf 'expected not to hold: %s\n' "$2" | sed 's/^/# /'
        printf '%s\n' "$1" | sed 's/^/# /'
    fi
}

done_testing() {
    echo "1..$number"
    [ "$failed" = 0 ]
    exit
}

# -- the server ---------------------------------------------------------------------------------

sql() { # query [database]
    psql -X -q -A -t -v ON_ERROR_STOP=1 -d "${2:-$db}" -c "$1"
}

# A statement a line: CONCURRENTLY cannot be in one message with others.
script() { # database, statements on standard input
    psql -X -q -A -t -v ON_ERROR_STOP=1 -d "${1:-$db}"
}

wait_until() { # what is waited for, command ...
    local what=$1
    local end=$((SECONDS + DEADLINE_S))
    shift

    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            flunk "it came to this: $what"
            cat "$work"/bg.err "$work"/*.out 2>/dev/null | tail -n 30 | sed 's/^/# /'
            echo 'Bail out! what the test waits for does not happen'
            exit 1
        fi
        sleep 0.05
    done
}

holds() { # query that gives t or f
    [ "$(sql "$1" 2>/dev/null)" = t ]
}

wait_sql() { # what is waited for, query that gives t when it is so
    wait_until "$1" holds "$2"
}

# The build of pgmend on this index is in this phase.
wait_phase() { # start of the phase
    wait_sql "the build is in phase $1" "SELECT EXISTS (SELECT 1 FROM pg_stat_progress_create_index
        WHERE datname = current_database() AND phase LIKE '$1%')"
}

# name valid ready live unique, a line an index made by the tests.
inventory() {
    sql "SELECT c.relname, i.indisvalid, i.indisready, i.indislive, i.indisunique
           FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'pgmend' AND NOT i.indisprimary
          ORDER BY 1"
}

# object state, a line an entry of the journal.
journal() {
    sql "SELECT object, state FROM pgmend.journal ORDER BY id"
}

create_database() {
    psql -X -q -d postgres -c "CREATE DATABASE $db"
    script "$db" <<'SQL'
CREATE TABLE items (id int PRIMARY KEY, a int, b text, note varchar(100));
INSERT INTO items SELECT g, g % 1000, 'row ' || g, 'note' FROM generate_series(1, 20000) AS g;
CREATE TABLE other (id int PRIMARY KEY, x int);
INSERT INTO other SELECT g, g FROM generate_series(1, 100) AS g;
ANALYZE;
SQL
}

# -- a cluster of the test's own ----------------------------------------------------------------

start_cluster() { # options of script/cluster start
    local connection

    cluster=$work/cluster
    connection=$("$root/script/cluster" start "$cluster" --scratch "$@") || return
    eval "$connection"
}

server() { # pg_ctl arguments
    local bin

    bin=$(sed -n 's/^bin=//p' "$cluster/place")
    as_server "$bin/pg_ctl" -D "$cluster/data" -l "$cluster/log" -w -t 60 "$@" >/dev/null
}

# -- sessions that stay open --------------------------------------------------------------------

# A psql that keeps its transaction open: session_open NAME; session NAME 'SQL'; session_close NAME.
session_open() { # name [database]
    local name=$1

    mkfifo "$work/$name.in"
    PGAPPNAME=$name psql -X -q -A -t -d "${2:-$db}" <"$work/$name.in" >"$work/$name.out" 2>&1 &
    eval "${name}_pid=$!"
    eval "exec {${name}_fd}>$work/$name.in"
}

session() { # name sql
    local fd=$1_fd
    local mark=mark-$RANDOM-$RANDOM

    printf '%s\n\\echo %s\n' "$2" "$mark" >&"${!fd}"
    wait_until "session $1 has done: $2" grep -q "^$mark\$" "$work/$1.out"
}

session_close() { # name
    local fd=$1_fd
    local pid=$1_pid

    # The end of the pipe is not seen: a server that was started meanwhile has inherited it.
    printf '\\q\n' >&"${!fd}"
    eval "exec ${!fd}>&-"
    wait "${!pid}" 2>/dev/null
    rm -f "$work/$1.in"
}

# -- pgmend -------------------------------------------------------------------------------------

# Sets out, err and rc.
run() { # arguments of pgmend
    rc=0
    "$pgmend" --state-dir "$state" "$@" >"$work/out" 2>"$work/err" </dev/null || rc=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
    both="$out
$err"
}

# In the background; its pid is in $running, its output in $work/bg.out and bg.err.
start() { # arguments of pgmend
    "$pgmend" --state-dir "$state" "$@" >"$work/bg.out" 2>"$work/bg.err" </dev/null &
    running=$!
}

# Sets out, err and rc of what start began.
finish() {
    rc=0
    wait "$running" 2>/dev/null || rc=$?
    out=$(cat "$work/bg.out")
    err=$(cat "$work/bg.err")
    both="$out
$err"
}

# pgmend's server process that builds or drops now.
worker() {
    sql "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
            AND (query ILIKE 'create%index concurrently%' OR query ILIKE 'drop index%')
            AND application_name LIKE 'pgmend/%'"
}

script_of() { # statements: writes a script and gives its path
    printf '%s\n' "$1" >"$work/script.sql"
    echo "$work/script.sql"
}

as_server() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
    else
        (cd / && exec "$@")
    fi
}

# -- the end ------------------------------------------------------------------------------------

clean_up() {
    local file folder pid

    for pid in $(jobs -p); do
        kill "$pid" 2>/dev/null
    done
    # A standby that is still up, and the poolers, which are no children of ours.
    for file in "$work"/*/postmaster.pid; do
        [ ! -e "$file" ] || kill -QUIT "$(head -n 1 "$file")"
    done
    for file in "$work"/*/pooler.pid; do
        [ ! -e "$file" ] || kill -TERM "$(cat "$file")"
    done
    if [ -n "$cluster" ]; then
        "$root/script/cluster" remove "$cluster" >/dev/null 2>&1
    else
        psql -X -q -d postgres -c "SET client_min_messages = warning" \
            -c "DROP DATABASE IF EXISTS $db WITH (FORCE)" \
            -c "DROP DATABASE IF EXISTS ${db}_slow WITH (FORCE)" >/dev/null 2>&1
    fi
    for folder in "${mounts[@]}"; do
        umount "$folder"
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
