#!/usr/bin/env bash
# What the tests of blue-green share: clusters with wal_level = logical, a pooler, a load whose every acknowledged
# write is known.
# What is set here is used there.
# shellcheck disable=SC2034
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pgbouncer=$(command -v pgbouncer || echo /usr/sbin/pgbouncer)
[ -x "$pgbouncer" ] || skip_all 'pgbouncer is not installed'
python=/usr/bin/python3
"$python" -c 'import psycopg2' 2>/dev/null || skip_all 'python3-psycopg2 is not installed'

export PGDATABASE=postgres
second= # the folder of a second cluster

begin_second() {
    second=$work/second
    second_env=$("$root/script/cluster" start "$second" --scratch --set wal_level=logical) || return
    second_host=$(eval "$second_env" && echo "$PGHOST")
}

end_clusters() {
    [ -z "$second" ] || "$root/script/cluster" remove "$second" >/dev/null 2>&1
    clean_up
}
trap end_clusters EXIT

make_app() { # database
    psql -X -q -d postgres -c "CREATE DATABASE $1"
    script "$1" <<'SQL'
CREATE TABLE item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, note text);
INSERT INTO item (a, note) SELECT g, 'n' || g FROM generate_series(1, 20000) AS g;
CREATE INDEX item_a ON item (a);
CREATE TABLE acked (id text PRIMARY KEY, thread int, at timestamptz DEFAULT now());
CREATE TABLE parts (id int, d date, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO parts SELECT g, '2026-01-05' FROM generate_series(1, 100) AS g;
SQL
}

# A pooler in transaction mode whose entry app leads to a database.
begin_pooler() { # database
    pool=$work/pool
    install -d -m 777 "$pool"
    cat >"$pool/pgbouncer.ini" <<INI
; kept as it is
[databases]
other = host=/nowhere dbname=other
app = host=$PGHOST port=$PGPORT dbname=$1 user=postgres pool_size=10

[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $pool
auth_type = any
admin_users = postgres
pool_mode = transaction
logfile = $pool/log
pidfile = $pool/pooler.pid
INI
    chmod 664 "$pool/pgbouncer.ini"
    as_server "$pgbouncer" -q "$pool/pgbouncer.ini" >"$pool/err" 2>&1 &
    wait_until 'pgbouncer answers' psql -X -q -c 'SELECT 1' -d "host=$pool port=6432 dbname=app"
    clients="host=$pool port=6432 dbname=app user=postgres"
    console="host=$pool port=6432 dbname=pgbouncer user=postgres"
}

# Keeps writing in the background until load_end.
load_begin() { # prefix
    load=$work/load-$1
    mkdir "$load"
    "$python" "$here/bluegreen_load.py" "$clients" "$1" "$load" 2>"$load/err" &
    load_pid=$!
    wait_until 'every thread has written' test -e "$load/ready"
}

load_end() {
    touch "$load/stop"
    wait "$load_pid"
}

# All acknowledged writes of all loads that are not in a database: nothing.
missing_writes() { # how to connect
    cat "$work"/load-*/acked | sort >"$work/acked.all"
    psql -X -q -A -t -d "$1" -c 'SELECT id FROM acked' | sort >"$work/acked.there"
    comm -23 "$work/acked.all" "$work/acked.there" | head -5
}

failed_queries() {
    cat "$work"/load-*/failed
}

slots() {
    psql -X -q -A -t -d postgres -c "SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'pgmend%' ORDER BY 1"
}

caught_up() { # database: the other side has what was written there
    [ "$("$pgmend" --state-dir "$state" bluegreen status --json --db-url "$1" 2>/dev/null |
        "$python" -c 'import json, sys; d = json.load(sys.stdin)
print(d["is_working"] and d["tables"] == d["tables_ready"] and d["lag_bytes"] == 0)')" = True ]
}
