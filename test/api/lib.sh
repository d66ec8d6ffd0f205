# For tests of replyx-api that are shell scripts: TAP and waiting as in test/db/faults/lib.sh, a database with rows,
# the program on a free port. apitest.py does the work.
# shellcheck shell=bash
# The variables are for the tests that source this.
# shellcheck disable=SC2034
# shellcheck source=../db/faults/lib.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/../db/faults/lib.sh"

replyx_api=${REPLYX_API:?is not set: run the tests by script/test or meson test}
apitest=$root/test/api/apitest.py
db=pgmend_test_api_sh_$$
export PGDATABASE=$db
secret=$work/secret
printf 'a secret of the tests, which is long enough' >"$secret"
chmod 600 "$secret"
api_pid=

# The database $db, a copy of what apitest.py makes once.
create_api_database() {
    python3 "$apitest" create "$db"
}

# Its address for the role of the API.
api_url() {
    python3 "$apitest" url "$db"
}

token() { # user
    python3 "$apitest" token "$1" "$secret"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# In the background: $api_pid, $port, what it says in $work/api.out.
start_api() { # options of replyx-api
    port=$(free_port)
    "$replyx_api" --listen "127.0.0.1:$port" --db-url "$(api_url)" --jwt-secret-file "$secret" "$@" \
        >"$work/api.out" 2>&1 </dev/null &
    api_pid=$!
    wait_until 'replyx-api is ready' curl -fs "http://127.0.0.1:$port/health/ready"
}

# Sets status and body of an answer.
ask() { # path, further arguments of curl
    local path=$1

    shift
    status=$(curl -s -o "$work/body" -w '%{http_code}' "$@" "http://127.0.0.1:$port$path")
    body=$(cat "$work/body")
}

stop_api() {
    rc=0
    kill -TERM "$api_pid" && wait "$api_pid" || rc=$?
    api_pid=
}
