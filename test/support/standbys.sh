#!/usr/bin/env bash
# A primary "a" and two standbys of it, "b" and "c", each with its socket in DIR/NAME/socket. For tests.
# Usage: standbys.sh DIR make | remove | promote NAME | start NAME | stop NAME | kill NAME | freeze NAME | thaw NAME |
#        cut NAME (it follows nobody) | follow NAME OTHER
set -euo pipefail

root=${PGMEND_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
dir=$1
action=$2
name=${3:-}

as_server() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
    else
        (cd / && exec "$@")
    fi
}

# Of the server and its children; those of a stopped one are read from /proc.
processes() {
    local main

    main=$(head -n 1 "$dir/$name/data/postmaster.pid")
    echo "$main"
    cat "/proc/$main/task/$main/children"
}

ask() { # server, statement
    psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$dir/$1/socket" -p 5432 -U postgres -d postgres -c "$2"
}

start() { # name
    as_server "$bin/pg_ctl" -D "$dir/$1/data" -l "$dir/$1/log" -w -t 60 start >/dev/null
}

make_standby() { # name
    install -d -m 755 "$dir/$1"
    install -d -m 700 "$dir/$1/socket"
    [ "$(id -u)" != 0 ] || chown postgres "$dir/$1" "$dir/$1/socket"
    as_server "$bin/pg_basebackup" -h "$dir/a/socket" -p 5432 -U postgres -D "$dir/$1/data" -c fast -R --no-sync
    printf '%s\n' "unix_socket_directories = '$dir/$1/socket'" "cluster_name = '$1'" >>"$dir/$1/data/pgmend.conf"
    start "$1"
}

if [ "$action" != make ]; then
    bin=$(sed -n 's/^bin=//p' "$dir/a/place")
fi
case $action in
make)
    "$root/script/cluster" start "$dir/a" --scratch --set cluster_name=a --set wal_keep_size=64MB \
        --set shared_buffers=16MB --set wal_retrieve_retry_interval=200ms >/dev/null
    bin=$(sed -n 's/^bin=//p' "$dir/a/place")
    ask a 'CREATE ROLE reader LOGIN'
    make_standby b
    make_standby c
    ;;
remove)
    for name in b c; do
        if [ -s "$dir/$name/data/postmaster.pid" ]; then
            # shellcheck disable=SC2046
            kill -CONT $(processes) 2>/dev/null || true
            as_server "$bin/pg_ctl" -D "$dir/$name/data" -m immediate -w stop >/dev/null || true
        fi
        rm -rf "${dir:?}/$name"
    done
    "$root/script/cluster" remove "$dir/a" >/dev/null
    ;;
promote) as_server "$bin/pg_ctl" -D "$dir/$name/data" -w promote >/dev/null ;;
start) start "$name" ;;
stop) as_server "$bin/pg_ctl" -D "$dir/$name/data" -m immediate -w stop >/dev/null ;;
kill)
    pids=$(processes)
    # shellcheck disable=SC2086
    kill -KILL $pids
    for pid in $pids; do
        # Where nobody buries orphans they stay as zombies, which pg_ctl takes for servers.
        while [ -e "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
            sleep 0.02
        done
    done
    rm -f "$dir/$name/data/postmaster.pid" "$dir/$name/socket"/.s.PGSQL.*
    ;;
freeze)
    # shellcheck disable=SC2046
    kill -STOP $(processes)
    ;;
thaw)
    # shellcheck disable=SC2046
    kill -CONT $(processes)
    ;;
cut)
    ask "$name" "ALTER SYSTEM SET primary_conninfo = ''"
    ask "$name" 'SELECT pg_reload_conf()' >/dev/null
    ;;
follow)
    ask "$name" "ALTER SYSTEM SET primary_conninfo = 'host=$dir/$4/socket port=5432 user=postgres'"
    ask "$name" 'SELECT pg_reload_conf()' >/dev/null
    ;;
*) exit 2 ;;
esac
