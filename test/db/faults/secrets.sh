#!/usr/bin/env bash
# A password and a webhook's token that are looked for everywhere: in the process list while each command runs, in what it
# prints, in the files it leaves and in the database. And databases whose names are options, and functions that wait to
# be called by commands that connect. Prints TAP.
# shellcheck source-path=SCRIPTDIR
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database
secret="c4n4ry-$RANDOM$RANDOM"
url="postgresql://${PGUSER:-postgres}:$secret@/$db?host=$work/proxy&port=5432"
sql 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements'

# -- what each command that knows a database shows of itself, and of its children -------------------

# A proxy before the server that looks at all processes whenever somebody connects: at that moment a command has begun and
# goes on, and so have the programs that it starts. What is between exec and main nobody can hide.
mkdir "$work/proxy"
cat >"$work/proxy.py" <<'PY'
import os, pathlib, socket, threading
folder, server, secret = (os.environ[name] for name in ("FOLDER", "SERVER", "SECRET"))

def look(log):
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if secret in words or "pgmend" in words or "pg_dump" in words or "pg_restore" in words:
            print(words, file=log, flush=True)

def hand_on(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass

with open(folder + "/ps", "a", encoding="utf-8") as log, socket.socket(socket.AF_UNIX) as listener:
    listener.bind(folder + "/.s.PGSQL.5432")
    listener.listen(64)
    while True:
        client = listener.accept()[0]
        look(log)
        back = socket.socket(socket.AF_UNIX)
        back.connect(server)
        for pair in ((client, back), (back, client)):
            threading.Thread(target=hand_on, args=pair, daemon=True).start()
PY
FOLDER=$work/proxy SERVER=$PGHOST/.s.PGSQL.${PGPORT:-5432} SECRET=$secret python3 "$work/proxy.py" &
wait_until 'the proxy listens' test -S "$work/proxy/.s.PGSQL.5432"

# Whatever is called or compared without its schema runs into one of these, whose error nobody can overlook.
{
    echo "CREATE FUNCTION public.pwn() RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''pwned''; END';"
    for types in 'oid, oid' 'text, text' 'name, text' 'name, name' 'int4, int4' 'int8, int8' 'bool, bool'; do
        echo "CREATE FUNCTION public.trap($types) RETURNS bool LANGUAGE sql AS 'SELECT public.pwn()';"
        echo "CREATE OPERATOR public.= (LEFTARG = ${types%, *}, RIGHTARG = ${types#*, }, FUNCTION = public.trap);"
    done
    for call in 'lower(text)' 'length(text)' 'now()' 'quote_ident(text)' 'format(text)' 'current_setting(text)' \
        'set_config(text, text, bool)' 'to_regclass(text)' 'current_schema()' 'array_length(anyarray, int4)'; do
        echo "CREATE FUNCTION public.$call RETURNS text LANGUAGE sql AS 'SELECT public.pwn()::text';"
    done
} >"$work/traps.sql"

one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON public.items (a);')
# The words of every command, from the program itself: a new one is looked at without a change here.
"$pgmend" help --json >"$work/help.json"
python3 -c 'import json, sys; print("\n".join(c["path"] for c in json.load(open(sys.argv[1]))["commands"]))' \
    "$work/help.json" >"$work/commands"
[ "$(wc -l <"$work/commands")" -gt 50 ]
is $? 0 'all commands are known'

arguments() { # of a command, so that it goes on to connect where it can
    case $1 in
    'plan') echo "$one" ;;
    'apply' | 'index apply') echo "$one --override all --reason test" ;;
    'rehearse' | 'gate') echo "$one" ;;
    'index reindex') echo 'items_pkey' ;;
    'schema diff') echo "$url $url" ;;
    'gate pass') echo 'team --note x' ;;
    'gate revoke') echo 'team' ;;
    'doctor') echo '--wait 0' ;;
    'monitor') echo '--single-shot' ;;
    'pool advise' | 'queries top' | 'queries nplusone') echo '--for 100ms' ;;
    'report snapshot') echo 'before' ;;
    'flags set') echo 'app.x --percent 0' ;;
    'top' | 'load run' | 'queries trace') echo '--wrong' ;;
    'uninstall') echo '--wrong' ;;
    esac
}
script "$db" <"$work/traps.sql"
sql "ALTER DATABASE $db SET search_path = public, pg_catalog" postgres
has "$(sql "SELECT 1 WHERE 1 = 1" 2>&1)" 'pwned' 'the traps work'
: >"$work/said"
while read -r words <&3; do
    # shellcheck disable=SC2046,SC2086
    "$pgmend" --state-dir "$state" --verbose --no-input --db-url "$url" $words $(arguments "$words") \
        >"$work/one.out" 2>"$work/one.err" </dev/null
    echo "$words: $?" >>"$work/statuses"
    if grep -q "$secret" "$work/one.out" "$work/one.err"; then
        echo "$words" >>"$work/said"
    fi
    cat "$work/one.out" "$work/one.err" >>"$work/everything"
done 3<"$work/commands"
is "$(cat "$work/said")" '' 'no command prints the password'
is "$(grep pwned "$work/everything" | grep -vc 'RAISE EXCEPTION')" 0 'no command that connects calls a function or an operator without its schema'
sql "ALTER DATABASE $db RESET search_path" postgres
has "$(cat "$work/proxy/ps")" 'pg_dump' 'the list of processes was taken while children ran'
is "$(grep -c "$secret" "$work/proxy/ps")" 0 'the password is in no list of processes'
is "$(grep -rl "$secret" "$state" | wc -l)" 0 'nor in the state folder'
is "$(pg_dump -d "$db" --schema=pgmend 2>/dev/null | grep -c "$secret")" 0 'nor in schema pgmend'
[ "$(grep -c ': 0$' "$work/statuses")" -ge 20 ]
is $? 0 'twenty commands and more went well'
sed 's/^/# /' "$work/statuses"

# -- what others may read, and a dump of memory ------------------------------------------------------

is "$(find "$state" \( -perm /077 -a ! -type l \) | wc -l)" 0 'nobody else may read or write what is in the state folder'
start monitor --state-dir "$work/watch" --db-url "$url" --interval 1s
wait_until 'the monitor runs' test -d "$work/watch"
is "$(awk '/Max core file size/ {print $5, $6}' "/proc/$running/limits")" '0 0' 'a crash leaves no core file'
kill "$running"
finish

run monitor --listen 0.0.0.0:0
is "$rc" 2 'nothing but this machine is listened to without a token'
has "$both" '--token-file' 'and it is said what is needed'

# -- databases whose names are options, connection strings and commands -----------------------------

for odd in "-h evil_$$" "host=evil_$$" "\$(touch $work/x)"; do
    # The session of the command before may be ending still.
    wait_until "there is a database $odd" sql "CREATE DATABASE \"$odd\" TEMPLATE $db" postgres
    for words in "backup create" "backup verify" "plan $one" "staging create copy_$$" "staging drop copy_$$ --yes" status; do
        # shellcheck disable=SC2086
        PGDATABASE=$odd run $words
        is "$rc" 0 "${words%% /*}: database $odd"
        [ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
    done
    run doctor --grants nobody_$$ --use backup
    lacks "$out" 'connect "' 'what is printed for psql connects nowhere by such a name'
    sql "DROP DATABASE \"$odd\"" postgres
done
is "$(find "$work" -maxdepth 1 -name x | wc -l)" 0 'nothing of the names was run'
done_testing
