#!/usr/bin/env bash
# Many builds, each hit at another moment: its session terminated or cancelled again and again, pgmend killed or stopped, two
# started at once. Whatever the moment, in the end there is no index or a good one, and the journal says which. The moments
# come from a seed, which is told; FAULT_ROUNDS and FAULT_SEED set other ones. Prints TAP.
# shellcheck source=lib.sh disable=SC2317
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${FAULT_ROUNDS:-10}
seed=${FAULT_SEED:-$((RANDOM + 1))}
RANDOM=$seed
echo "# FAULT_SEED=$seed FAULT_ROUNDS=$rounds"

create_database
sql "CREATE TABLE wide AS SELECT g AS id, md5(g::text) AS t FROM generate_series(1, 150000) AS g" >/dev/null
sql 'ANALYZE wide'
one=$(script_of 'CREATE INDEX CONCURRENTLY wide_t ON wide (t, id);')

moment() { # ms: a time below it, in seconds
    local ms=$((RANDOM % ${1:-1}))

    printf '%d.%03d' $((ms / 1000)) $((ms % 1000))
}

quiet_server() {
    holds "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgmend%'"
}

# What may be there after a run that ended with this status: nothing, or a good index; and the journal says the same.
true_state() { # status what
    local found entry

    found=$(inventory)
    entry=$(sql "SELECT state FROM pgmend.journal ORDER BY id DESC LIMIT 1" 2>/dev/null)
    case "$1|$found|$entry" in
    0\|wide_t\|t\|t\|t\|f\|done) ;;
    [1-9]*\|\|failed | [1-9]*\|\|undone | [1-9]*\|\|) ;;
    *)
        lies=$((lies + 1))
        echo "# $2: status $1, indexes \"$found\", last entry \"$entry\""
        tail -n 3 "$work/bg.err" | sed 's/^/# /'
        ;;
    esac
}

forget() {
    script "$db" <<<'SET client_min_messages = error; DROP INDEX IF EXISTS wide_t; DROP SCHEMA IF EXISTS pgmend CASCADE;'
    rm -rf "$state"
}

began=$(date +%s%N)
run index apply "$one" "${LAX[@]}"
length=$((($(date +%s%N) - began) / 1000000 + 50))
is "$rc" 0 "a build that nobody disturbs ($length ms)"
forget

# -- the session, by an administrator ---------------------------------------------------------------

for how in pg_terminate_backend pg_cancel_backend; do
    lies=0
    good=0
    for ((i = 0; i < rounds; i++)); do
        start index apply "$one" "${LAX[@]}" --retries 1
        sleep "$(moment "$length")" # the fault's moment, nothing is waited for
        for hit in 1 2 3; do
            sql "SELECT $how(pid) FROM pg_stat_activity WHERE datname = current_database()
                    AND application_name LIKE 'pgmend%'" >/dev/null
            [ "$hit" = 3 ] || sleep "$(moment $((length / 3)))"
        done
        finish
        true_state "$rc" "$how in round $i"
        [ "$rc" != 0 ] || good=$((good + 1))
        # Whatever it came to, the next run brings about what is wanted.
        run index apply "$one" "${LAX[@]}"
        [ "$rc|$(inventory)" = '0|wide_t|t|t|t|f' ] || { lies=$((lies + 1)) && echo "# then: status $rc: $err"; }
        forget
    done
    is "$lies" 0 "$how at $rounds moments: status, index and journal agree, and the next run builds ($good built at once)"
done

# -- pgmend itself ------------------------------------------------------------------------------------

for signal in INT KILL; do
    lies=0
    for ((i = 0; i < rounds; i++)); do
        start index apply "$one" "${LAX[@]}"
        sleep "$(moment "$length")"
        kill "-$signal" "$running" 2>/dev/null
        finish
        [ "$signal" = KILL ] || true_state "$rc" "SIG$signal in round $i"
        run index apply "$one" "${LAX[@]}"
        [ "$rc|$(inventory)" = '0|wide_t|t|t|t|f' ] || { lies=$((lies + 1)) && echo "# then: status $rc: $err"; }
        open=$(sql "SELECT count(*) FROM pgmend.journal WHERE state IN ('started', 'leftover', 'undoing')")
        [ "$open" = 0 ] || { lies=$((lies + 1)) && echo "# $open entries are open"; }
        run rollback --all
        [ "$rc|$(inventory)" = '0|' ] || { lies=$((lies + 1)) && echo "# rollback: status $rc: $err"; }
        forget
    done
    is "$lies" 0 "SIG$signal at $rounds moments: the next run builds, its journal has no open entry, and it can be undone"
done

# -- two at once ----------------------------------------------------------------------------------------

lies=0
refused=0
for ((i = 0; i < rounds; i++)); do
    start index apply "$one" "${LAX[@]}"
    first=$running
    second=0
    "$pgmend" --state-dir "$work/state2" index apply "$one" "${LAX[@]}" >"$work/second" 2>&1 </dev/null || second=$?
    running=$first
    finish
    # One builds; the other is refused, or came later and found nothing to do.
    case "$rc $second" in
    '0 7' | '7 0') refused=$((refused + 1)) ;;
    '0 0') ;;
    *) lies=$((lies + 1)) && echo "# statuses $rc and $second" && sed 's/^/# /' "$work/second" ;;
    esac
    if [ "$rc $second" != '0 0' ] && ! grep -q 'another pgmend' "$work/second" "$work/bg.err"; then
        lies=$((lies + 1)) && echo "# who holds the lock is not told" && sed 's/^/# /' "$work/second"
    fi
    [ "$(inventory)" = 'wide_t|t|t|t|f' ] || lies=$((lies + 1))
    [ "$(journal)" = 'public.wide_t|done' ] || { lies=$((lies + 1)) && echo "# journal: $(journal)"; }
    forget
    rm -rf "$work/state2"
done
is "$lies" 0 "two at once, $rounds times: one index, one entry of the journal ($refused refused)"
wait_until 'no session is left' quiet_server
pass 'no session of pgmend is left in the server'
done_testing
