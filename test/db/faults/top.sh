#!/usr/bin/env bash
# top on a real terminal (tmux): views, keys, narrow and wide, names that speak to the terminal, a session that is cancelled
# and one that is ended, a role without rights, a server that goes away and comes back. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database

# -- as text --

run top --once --interval 100ms
is "$rc" 0 'once, as text'
has "$out" 'PostgreSQL' 'it says which server'
has "$out" 'connections' 'and how many are connected'
run top --once --interval 100ms --view tables
has "$out" 'public.items' 'tables'
run top --once --interval 100ms --view tables --filter other --json
is "$(jq -r '.rows | length' <"$work/out")" 1 'the filter leaves one'
run top --once --view nonsense
is "$rc" 2 'a view that is none'
run top
is "$rc" 2 'without a terminal'
has "$err" 'top --once' 'it says what there is instead'

# -- on a terminal --

if ! command -v tmux >/dev/null; then
    pass 'the terminal # SKIP tmux is not installed'
    done_testing
fi
terminal=(tmux -S "$work/tmux" -f /dev/null)
trap '"${terminal[@]}" kill-server 2>/dev/null; clean_up' EXIT

screen() {
    "${terminal[@]}" capture-pane -p -t top
}

# The screen holds, or no longer holds, a text.
# shellcheck disable=SC2317 # wait_until calls them
shows() { screen | grep -qF -- "$1"; }
# shellcheck disable=SC2317
shows_not() { ! shows "$1"; }

keys() { "${terminal[@]}" send-keys -t top "$@"; }

open_top() { # columns lines arguments
    local columns=$1 lines=$2
    shift 2
    "${terminal[@]}" new-session -d -x "$columns" -y "$lines" -s top \
        "$(printf '%q ' env "PGHOST=$PGHOST" "PGPORT=${PGPORT:-5432}" "PGUSER=${TOP_USER:-$PGUSER}" "PGDATABASE=$db" \
            LANG=C.UTF-8 "$pgmend" --state-dir "$state" top --interval 500ms "$@"); echo left with \$?; sleep 600"
}

close_top() {
    keys q
    wait_until 'top is left' shows 'left with 0'
    "${terminal[@]}" kill-session -t top
}

session_open holder
session holder 'BEGIN; UPDATE items SET a = 0 WHERE id = 1;'
(PGAPPNAME=$'evil\e]0;x\a\e[31m' psql -X -q -d "$db" \
    -c $'/* \e[2J\u202e 日本 */ UPDATE items SET a = 1 WHERE id = 1' >"$work/waiter.out" 2>&1) &
wait_sql 'one waits' "SELECT count(*) = 1 FROM pg_locks WHERE NOT granted"
holder=$(sql "SELECT pid FROM pg_stat_activity WHERE application_name = 'holder'")
waiter=$(sql "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'evil%'")

open_top 80 24
wait_until 'the sessions are shown' shows "$waiter"
pass '80x24: the sessions are shown'
wait_until 'the statement is plain' shows '/* ?[2J? 日本 */ UPDATE'
pass 'control characters of a statement are not sent to the terminal'
is "$(screen | wc -L | awk '{ print ($1 <= 80) }')" 1 'no line is wider than the terminal'
has "$(screen | tail -n 1)" 'q quit' 'the last line says what can be done'

keys 3
wait_until 'the tree is shown' shows "└ $waiter"
pass 'the tree of blockers'
is "$(screen | grep -n "$holder" | head -n 1 | cut -d: -f1)" 5 'who blocks stands first'
keys h
wait_until 'help' shows 'Ctrl-C     quit'
pass 'help'
keys Space
wait_until 'no help' shows_not 'Ctrl-C     quit'

keys Down c
wait_until 'it asks' shows "cancel the statement of pid $waiter? y/n"
keys n
wait_until 'nothing was done' shows 'nothing was done'
is "$(sql "SELECT state FROM pg_stat_activity WHERE pid = $waiter")" active 'a no leaves it alone'
keys c
wait_until 'it asks again' shows 'y/n'
keys y
wait_sql 'it is cancelled' "SELECT NOT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"
pass 'a yes cancels it'
wait_until 'psql has ended' grep -q 'canceling statement due to user request' "$work/waiter.out"

keys 1
wait_until 'the holder is shown' shows "$holder"
keys Home k
wait_until 'it asks for the pid' shows "end session $holder? its pid, and Enter:"
keys 1 Enter
wait_until 'a wrong pid' shows 'that is not its pid'
is "$(sql "SELECT count(*) FROM pg_stat_activity WHERE pid = $holder")" 1 'a wrong pid does nothing'
keys k
wait_until 'it asks again' shows "end session $holder?"
keys "$holder" Enter
wait_sql 'it is gone' "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = $holder)"
pass 'its own pid ends the session'

keys 5
wait_until 'tables' shows 'public.items'
keys /
keys other Enter
wait_until 'one table is left' shows_not 'public.items'
wait_until 'the other one is shown' shows 'public.other'
pass 'the filter'
"${terminal[@]}" resize-window -t top -x 200 -y 50
wait_until 'wide: a column more' shows 'indexes'
keys Escape
wait_until 'all tables again' shows 'public.items'
pass '200x50, without the filter'
keys p
wait_until 'it pauses' shows 'PAUSED'
"${terminal[@]}" resize-window -t top -x 30 -y 5
keys 1
wait_until 'tiny' shows 'pgmend top'
pass '30x5 is survived'
close_top
pass 'q leaves with 0'

# -- a role that may little --

sql "CREATE ROLE ${db}_weak LOGIN" postgres
session_open other_one
session other_one 'BEGIN; SELECT 1;'
pid=$(sql "SELECT pid FROM pg_stat_activity WHERE application_name = 'other_one'")
TOP_USER=${db}_weak open_top 100 24
wait_until 'the session is shown' shows "$pid"
keys Home
keys /
keys "$pid" Enter
wait_until 'only that one' shows '/'"$pid"
keys c
wait_until 'it asks' shows "pid $pid? y/n"
keys y
wait_until 'the server says no' shows 'nothing was done to pid'
pass 'what the role may not do is refused with the reason'
is "$(sql "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid")" 1 'and the session stays'
close_top
session_close other_one
sql "DROP ROLE ${db}_weak" postgres

# -- our own session is lost --

open_top 80 24
wait_until 'it runs' shows 'connections'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgmend/top' AND datname = current_database()" >/dev/null
wait_until 'it has connected again' holds "SELECT count(*) = 1 FROM pg_stat_activity
    WHERE application_name = 'pgmend/top' AND datname = current_database()"
keys 5
wait_until 'and shows tables' shows 'public.items'
pass 'a lost connection is opened again'
keys C-c
wait_until 'top is left by Ctrl-C' shows 'left with 0'
pass 'Ctrl-C leaves with 0'

done_testing
