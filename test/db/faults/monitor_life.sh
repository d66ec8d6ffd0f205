#!/usr/bin/env bash
# A monitor as a service: what systemd hears of it, a server that hangs, a clock that jumps, a volume that fills up, a
# monitor that is stopped and killed. On a cluster of its own. Prints TAP.
# shellcheck source=lib.sh disable=SC2119,SC2317
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for program in python3 curl cc; do
    command -v $program >/dev/null || skip_all "$program is not installed"
done

# shellcheck disable=SC2119
start_cluster || skip_all 'no cluster can be started'
create_database
sql 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements' >/dev/null

# -- a service manager, and a wall clock that the test sets ---------------------------------------

cat >"$work/manager.py" <<'PY'
"""Prints what a service tells; STARVED when its watchdog was not fed for a second."""
import socket
import sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
    hearing.bind(sys.argv[1])
    hearing.settimeout(1)
    while True:
        try:
            print(hearing.recv(4096).decode().replace("\n", " "), flush=True)
        except TimeoutError:
            print("STARVED", flush=True)
PY
python3 "$work/manager.py" "$work/notify" >"$work/heard" &
wait_until 'the manager hears' test -S "$work/notify"

cat >"$work/clock.c" <<'C'
/* The wall clock with as many seconds more as the file says that OFFSET names. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *now)
{
    long rc = syscall(SYS_clock_gettime, id, now);
    FILE *file = id == CLOCK_REALTIME ? fopen(getenv("OFFSET"), "r") : NULL;
    long more = 0;
    if (file) {
        if (fscanf(file, "%ld", &more) == 1)
            now->tv_sec += more;
        fclose(file);
    }
    return (int)rc;
}
C
cc -D_GNU_SOURCE -shared -fPIC -O1 -o "$work/clock.so" "$work/clock.c" || exit 1

set_clock() { # seconds more than it is
    echo "$1" >"$work/offset.new"
    mv "$work/offset.new" "$work/offset"
}

heard() { # regular expression
    grep -cE "$1" "$work/heard"
}

heard_more() { # regular expression, how often it was heard
    [ "$(heard "$1")" -gt "$2" ]
}

# -- the monitor ----------------------------------------------------------------------------------

cat >"$work/monitor.ini" <<'INI'
[monitor]
interval = 300ms
[server main]
owner = tests
host = local
[alert server-down]
for = 0
INI
chmod 600 "$work/monitor.ini"
told=$work/bg.out

start_monitor() {
    : >"$work/bg.err"
    NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=1000000 OFFSET=$work/offset LD_PRELOAD=$work/clock.so \
        ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 \
        "$pgmend" --state-dir "$state" monitor --setup "$work/monitor.ini" --json --listen 127.0.0.1:0 \
        --output-dir "$work/ticks" >>"$told" 2>"$work/bg.err" </dev/null &
    running=$!
    wait_until 'it says where it listens' grep -q 'http://127.0.0.1:' "$work/bg.err"
    port=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$work/bg.err" | head -n 1)
}

value() { # metric
    curl -sf --max-time 5 "http://127.0.0.1:$port/metrics" | sed -n "s/^$1\({[^}]*}\)\{0,1\} //p" | head -n 1
}

value_is() { # metric value
    [ "$(value "$1")" = "$2" ]
}

ticks_beyond() { # number
    [ "$(value pgmend_ticks_total)" -gt "$1" ]
}

some_ticks() { # what happens meanwhile: five ticks more
    local now

    now=$(value pgmend_ticks_total)
    wait_until "it goes on asking $1" ticks_beyond $((now + 5))
}

# What was derived between two readings: a rate, a ratio. None of it can be below 0.
negative() {
    curl -sf --max-time 5 "http://127.0.0.1:$port/metrics" |
        awk '/^pgmend_/ && $NF < 0 && $1 ~ /(_per_second|_ratio|_total|_seconds)/ { print }'
}

# Alerts about anything but the server that did not answer.
others() {
    grep '"state":"firing"' "$told" | grep -vc '"rule":"server-down"'
}

set_clock 0
start_monitor
wait_until 'systemd is told that it is ready' heard_more '^READY=1 STATUS=1 server is watched' 0
pass 'systemd is told when it is ready, and what it does'
fed=$(heard '^WATCHDOG=1')
wait_until 'the watchdog is fed' heard_more '^WATCHDOG=1' $((fed + 2))
pass 'the watchdog is fed'
wait_until 'the server is seen' value_is pgmend_up 1

# -- the server hangs -----------------------------------------------------------------------------

hung=$(head -n 1 "$cluster/data/postmaster.pid")
hung="$hung $(sql "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE application_name LIKE 'pgmend%'")"
# shellcheck disable=SC2086 # several
kill -STOP $hung
wait_until 'the server counts as down' value_is pgmend_up 0
pass 'a postmaster and a session that hang: pgmend_up is 0, and /metrics answers'
is "$(curl -s --max-time 5 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/health")" 200 'so does /health'
wait_until 'the alert fires' grep -q '"rule":"server-down".*"state":"firing"\|"state":"firing".*"rule":"server-down"' "$told"
fed=$(heard '^WATCHDOG=1')
wait_until 'the watchdog is fed' heard_more '^WATCHDOG=1' $((fed + 2))
pass 'the watchdog is fed all the while: it is the server that hangs'
# shellcheck disable=SC2086
kill -CONT $hung
wait_until 'the server is up again' value_is pgmend_up 1
pass 'when the server goes on it is up again'
wait_until 'the alert clears' grep -q '"rule":"server-down".*"state":"resolved"\|"state":"resolved".*"rule":"server-down"' "$told"
is "$(grep -c '"state":"firing"' <(grep '"rule":"server-down"' "$told"))" 1 'the alert was told once'
is "$(grep -c '"state":"resolved"' <(grep '"rule":"server-down"' "$told"))" 1 'and ended once'
is "$(negative)" '' 'no rate or ratio is below 0'

# -- the clock jumps ------------------------------------------------------------------------------

jumps() { # that ticks tell of
    cat "$work/ticks"/* | grep -c 'the clock of this machine jumped'
}

jumps_beyond() { # number
    [ "$(jumps)" -gt "$1" ]
}

some_ticks 'before the clock is changed'
before=$(others)
for jump in 86400 -172800 3600; do
    seen=$(jumps)
    set_clock "$jump"
    wait_until "the jump is seen" jumps_beyond "$seen"
    some_ticks "after the clock is $jump s off"
    is "$(value pgmend_up)" 1 "the clock is $jump s off: the server is up"
    is "$(negative)" '' "the clock is $jump s off: no rate or ratio is below 0"
    is "$(others)" "$before" "the clock is $jump s off: no alert because of it"
done
set_clock 0
some_ticks 'after the clock is right again'

# -- a volume that is full --------------------------------------------------------------------------

kill -TERM "$running"
finish
is "$rc" 0 'SIGTERM ends it well'
wait_until 'systemd is told that it ends' heard_more '^STOPPING=1' 0
pass 'and systemd is told'
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=2m tmpfs "$work/small"; then
    mounts+=("$work/small")
    state=$work/small/state
    start_monitor
    wait_until 'the server is seen' value_is pgmend_up 1
    head -c 4m /dev/zero 2>/dev/null >"$work/small/filler"
    kill -TERM "$running"
    finish
    is "$rc" 0 'a full state folder does not keep it from ending well'
    has "$err" 'No space left on device' 'but is told'
    rm "$work/small/filler"
    start_monitor
    wait_until 'the server is seen' value_is pgmend_up 1
    pass 'with room it starts again with what is there'
    head -c 4m /dev/zero 2>/dev/null >"$work/small/filler"
    some_ticks 'while the volume is full'
    is "$(value pgmend_up)" 1 'while the volume is full it goes on watching'
    rm "$work/small/filler"
else
    start_monitor
    wait_until 'the server is seen' value_is pgmend_up 1
fi

# -- it hangs itself, and is killed -----------------------------------------------------------------

starved=$(heard '^STARVED')
kill -STOP "$running"
wait_until 'the watchdog starves' heard_more '^STARVED' "$starved"
pass 'a monitor that hangs does not feed the watchdog'
kill -KILL "$running"
finish
is "$rc" 137 'as systemd does then, it is killed'
ready=$(heard '^READY=1')
start_monitor
wait_until 'it is ready again' heard_more '^READY=1' "$ready"
wait_until 'the server is seen' value_is pgmend_up 1
pass 'started again it goes on, in the same folders'
some_ticks 'after it was killed'
kill -TERM "$running"
finish
is "$rc" 0 'and ends well'
is "$(python3 -c 'import json, pathlib, sys
print(all(json.loads(line) for path in pathlib.Path(sys.argv[1]).glob("*") if path.is_file()
          for line in path.read_text().splitlines() if line.strip()))' "$work/ticks" 2>&1)" True 'every line that it wrote is whole'
done_testing
