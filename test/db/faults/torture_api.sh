#!/usr/bin/env bash
# Every fallible call of replyx-api fails once (see torture_lib.sh), from its start to its end with requests between. It
# answers right or says that it failed, never something else; no process of it is ended by a signal; and when the fault is
# past it answers as before, or it never came up and said why. Prints TAP.
# shellcheck source=../../api/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../api/lib.sh"
# shellcheck source=torture_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/torture_lib.sh"
# The variables are those of api/lib.sh and torture_lib.sh.
# shellcheck disable=SC2154

readonly PATHS=(/assistants /balance /dialogs '/assistants/stats')
readonly MOST_API=${PGMEND_TEST_MOST:-6}

# Status and body of an answer in a line; 000 if there is none.
answer() { # path
    local got
    got=$(curl -s -m "$LIMIT_S" -w '\n%{http_code}' -H "Authorization: Bearer $bearer" "http://127.0.0.1:$port$1")
    printf '%s %s' "${got##*$'\n'}" "$(printf '%s' "${got%$'\n'*}" | sha256sum | cut -c1-16)"
}

is_up_or_gone() {
    ! kill -0 "$api_pid" 2>/dev/null || curl -fs -m 5 "http://127.0.0.1:$port/health/ready"
}

# It answers each path as it does undisturbed.
answers_right() {
    local i

    kill -0 "$api_pid" 2>/dev/null || return 0
    for i in "${!PATHS[@]}"; do
        [ "$(answer "${PATHS[$i]}")" = "${right[$i]}" ] || return 1
    done
}

# Starts it, asks, ends it. Sets rc and got.
live() { # calls: "list" or a number
    local i

    rm -f "$torture_log"
    port=$(free_port)
    PGMEND_FAULT="call:$1" PGMEND_FAULT_LOG="$torture_log" PGMEND_FAULT_PROGRAM=replyx-api LD_PRELOAD="$torture_library" \
        "$replyx_api" --listen "127.0.0.1:$port" --db-url "$(api_url)" --jwt-secret-file "$secret" \
        >"$work/api.out" 2>&1 </dev/null &
    api_pid=$!
    wait_until 'replyx-api is ready, or has given up' is_up_or_gone
    got=()
    for i in "${!PATHS[@]}"; do
        got[i]=$(answer "${PATHS[$i]}")
    done
}

end_api() {
    rc=0
    kill -TERM "$api_pid" 2>/dev/null
    { wait "$api_pid" || rc=$?; } 2>/dev/null
    api_pid=
}

wrong_of_life() {
    local i

    for i in "${!PATHS[@]}"; do
        [ "${got[$i]}" = "${right[$i]}" ] || [[ "${got[$i]}" =~ ^(000|5..) ]] || echo "${PATHS[$i]}: ${got[$i]}, not ${right[$i]}"
    done
    ! grep -q 'was ended by signal' "$work/api.out" || echo 'a worker was ended by a signal'
    ! grep -qE 'Sanitizer|runtime error:' "$work/api.out" || echo 'a sanitizer has found something'
    [ "$rc" -lt 128 ] || echo "a signal has ended it ($rc)"
    [ "$rc" = 0 ] || [ -s "$work/api.out" ] || echo "exit status $rc and not a word"
}

create_api_database
bearer=$(token 1)
live list
right=("${got[@]}")
end_api
is "$rc" 0 'undisturbed it comes and goes'
for i in "${!PATHS[@]}"; do
    has "${right[$i]}" '200 ' "${PATHS[$i]} is answered"
done
places=$(awk '$1 == "call" { print $3 $4 }' "$torture_log" | sort -u | wc -l)
choose_calls "$MOST_API" >"$work/chosen"
looked=0
wrong=0
up=0
while read -r call <&3; do
    looked=$((looked + 1))
    live "$call"
    ! kill -0 "$api_pid" 2>/dev/null || up=$((up + 1))
    wait_until "it answers right again, call $call" answers_right
    end_api
    why=$(wrong_of_life)
    [ -n "$why" ] || continue
    wrong=$((wrong + 1))
    flunk "call $call fails"
    printf '%s\n' "$why" | sed 's/^/# /'
    sed 's/^/#   /' "$torture_log" "$work/api.out"
done 3<"$work/chosen"
is "$wrong" 0 "$looked of $places places failed once; $up times it came up and answered right after it"
is "$([ "$looked" -gt 1 ] && echo several)" several 'there are several such calls'
done_testing
