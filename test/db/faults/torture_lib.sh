# The n-th fallible call of pgmend fails, for each n that is looked at: what is done then, and what is looked at afterwards.
# A test says how to begin (reset), what has to be so after any failure (state_is_true) and what an undisturbed run leaves
# (end_state), and calls torture. See test/support/torture/torture.c.
# shellcheck shell=bash
# The variables are for the tests that source this, and theirs are set there.
# shellcheck disable=SC2034,SC2154

torture_library=$work/torture.so
"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -Wall -Wextra -Werror -D_GNU_SOURCE -o "$torture_library" \
    "$root/test/support/torture/torture.c" -ldl -pthread || skip_all 'no compiler for the library that makes calls fail'

# What the loader keeps of the library that makes traces has gone through ours, and looks lost.
echo 'leak:dl_open_worker_begin' >"$work/lsan"
export LSAN_OPTIONS=suppressions=$work/lsan:print_suppressions=0

# Every STRIDE-th of the places that calls come from; 0: MOST of them, by SEED. PGMEND_TEST_STRIDE=1 is every place;
# several processes divide them between each other by a stride and offsets.
readonly STRIDE=${PGMEND_TEST_STRIDE:-0}
readonly OFFSET=${PGMEND_TEST_OFFSET:-0}
readonly SEED=${PGMEND_TEST_SEED:-12}
readonly LIMIT_S=${PGMEND_TEST_LIMIT:-120} # a run that takes longer hangs
torture_log=$work/torture.log

# Sets rc, out, err; what the shell says of a child that a signal has killed is no news here.
tortured() { # calls ("list" or a number), command ...
    local calls=$1
    shift
    rm -f "$torture_log"
    rc=0
    {
        PGMEND_FAULT="call:$calls" PGMEND_FAULT_LOG="$torture_log" PGMEND_FAULT_PROGRAM="${torture_program:-pgmend}" \
            LD_PRELOAD="$torture_library" timeout -s KILL "$LIMIT_S" "$@" >"$work/out" 2>"$work/err" </dev/null || rc=$?
    } 2>/dev/null
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}

# The calls that are made to fail: the first one from each place, and so many of these as are wanted. One a line.
choose_calls() { # most
    awk -v stride="$STRIDE" -v most="$1" -v seed="$SEED" -v offset="$OFFSET" '
        $1 == "call" && !seen[$3 $4]++ { calls[count++] = $2; kind[$3] = kind[$3] " " $2 }
        END {
            srand(seed)
            if (stride > 0) {
                for (i = offset; i < count; i += stride) print calls[i]
                exit
            }
            # A kind of call is as good as another: memory is most of all calls.
            while (chosen < most && rounds++ < most)
                for (name in kind) {
                    n = split(kind[name], of, " ")
                    at = of[1 + int(rand() * n)]
                    if (chosen < most && !taken[at]++) { print at; chosen++ }
                }
        }' "$torture_log"
}

# What a failed run has to be like, whatever failed; says what is wrong, nothing if all is well.
wrong_of_run() {
    case $rc in
    137) echo 'it hangs' ;;
    134 | 136 | 139 | 132 | 135)
        # libpg_query follows NULL when it has no memory, and has no hook for it: as good as a kill, so all else is looked at.
        if [ "$rc" = 139 ] && grep -m 1 -A 3 '^failed .*ENOMEM' "$torture_log" | grep -q 'libpg_query\.so'; then
            followed_null=$((followed_null + 1))
        else
            echo "a signal has ended it ($rc)"
        fi
        ;;
    0) ;;
    *) [ -n "$err" ] || [ "$rc" -lt 8 ] && [ -n "$err$out" ] || echo "exit status $rc and not a word" ;;
    esac
    ! grep -qE 'Sanitizer|runtime error:' "$work/err" || echo 'a sanitizer has found something'
}

# Makes calls of a command fail, one at a time, and runs it again. reset, state_is_true and end_state are functions of the
# test: they begin anew, say what is not true, and print what is left.
torture() { # name, most, pattern of the undisturbed exit status, command ...
    local name=$1 most=$2 good=$3
    local followed_null=0 wanted wanted_rc wrong=0 looked=0 whole=0 places got why calls
    shift 3

    reset
    tortured list "$@"
    wanted=$(end_state)
    wanted_rc=$rc
    is "$([[ "$rc" =~ ^$good$ ]] && echo well)" well "$name: undisturbed it ends well"
    [[ "$rc" =~ ^$good$ ]] || printf '%s\n' "$err" | sed 's/^/# /'
    places=$(awk '$1 == "call" { print $3 $4 }' "$torture_log" | sort -u | wc -l)
    calls=$(sed -n 's/^calls //p' "$torture_log" | tail -n 1)
    is "$([ "${calls:-0}" -gt 100 ] && echo many)" many "$name: it makes many calls that can fail"
    choose_calls "$most" >"$work/chosen"
    while read -r call <&3; do
        looked=$((looked + 1))
        reset
        tortured "$call" "$@"
        wrong_of_run >"$work/why"
        why=$(cat "$work/why")
        got=$(end_state)
        [ "$got" != "$wanted" ] || whole=$((whole + 1))
        [ "$rc" != 0 ] || [ "$got" = "$wanted" ] || why+=" exit status $rc, but something is missing: $(diff <(echo "$wanted") <(echo "$got"))"
        why+=$(state_is_true)
        cp "$torture_log" "$work/failed.log"
        cp "$work/err" "$work/failed.err"
        rc=$wanted_rc
        heal "$@"
        got=$(end_state)
        [ "$rc" = "$wanted_rc" ] || why+=" the next run ends with $rc: $err"
        [ "$got" = "$wanted" ] || why+=" the next run does not heal: $(diff <(echo "$wanted") <(echo "$got"))"
        [ -n "$why" ] || continue
        wrong=$((wrong + 1))
        flunk "$name: call $call fails"
        printf '%s\n' "$why" | sed 's/^/# /'
        sed 's/^/#   /' "$work/failed.log" "$work/failed.err"
    done 3<"$work/chosen"
    is "$wrong" 0 "$name: $looked of $places places ($calls calls) failed once; $whole came to the whole end in spite of it"
    [ "$followed_null" = 0 ] || echo "# $name: $followed_null times libpg_query followed NULL, which ended pgmend by SIGSEGV"
    is "$([ "$looked" -gt 1 ] && echo several)" several "$name: there are several such calls"
}

# The same command undisturbed. A test whose command cannot be run twice says by a heal() of its own when it is.
heal() { # command ...
    heal_by_running "$@"
}

heal_by_running() { # command ...
    rc=0
    "$@" >"$work/out" 2>"$work/err" </dev/null || rc=$?
    err=$(cat "$work/err")
}
