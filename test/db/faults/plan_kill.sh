#!/usr/bin/env bash
# kill -9 right before and right after everything that apply, rollback and plan write down; the same command is run again,
# and the end is that of a run that nobody has cut off. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=plan_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/plan_lib.sh"

readonly KILLED=137
# Every second point; each with script/test --full, which takes minutes.
readonly STRIDE=${PGMEND_TEST_STRIDE:-2}
readonly MOST=200 # points; a run that never gets through would loop for ever

# Beside the end of lib.sh, whose database they are made from.
templates=()
# shellcheck disable=SC2317 # a trap calls it
drop_templates() {
    local name

    for name in "${templates[@]}"; do
        psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $name WITH (FORCE)" >/dev/null 2>&1
    done
    clean_up
}
trap drop_templates EXIT

# Keeps the database and what pgmend has written beside it.
keep() { # name
    templates+=("${db}_$1")
    psql -X -q -d postgres -c "CREATE DATABASE ${db}_$1 TEMPLATE $db"
    rm -rf "$work/kept.$1"
    [ ! -d "$state" ] || cp -a "$state" "$work/kept.$1"
}

bring_back() { # name
    psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db WITH (FORCE)" -c "CREATE DATABASE $db TEMPLATE ${db}_$1"
    rm -rf "$state"
    [ ! -d "$work/kept.$1" ] || cp -a "$work/kept.$1" "$state"
}

# What the shell says of a killed child is no news here.
killed() { # point, arguments of pgmend
    local point=$1
    shift
    { PGMEND_FAULT=$point run "$@"; } 2>/dev/null
}

# Cuts the command off at each point of a kind, and runs it again.
cut_everywhere() { # kind of point, state to begin with, the end of an undisturbed run, arguments of pgmend
    local kind=$1 from=$2 wanted=$3
    local cut=0 wrong=0 got
    shift 3

    for ((n = 1; n <= MOST; n += STRIDE)); do
        bring_back "$from"
        killed "$kind:$n" "$@"
        [ "$rc" = "$KILLED" ] || break
        cut=$((cut + 1))
        run "$@"
        got="$rc|$(open_entries)|$(end_state)"
        [ "$got" != "0|0|$wanted" ] || continue
        wrong=$((wrong + 1))
        flunk "$1: killed at $kind $n, then run again"
        diff <(echo "0|0|$wanted") <(echo "$got") | sed 's/^/# /'
        printf '%s\n' "$both" | tail -n 15 | sed 's/^/# /'
    done
    is "$rc|$(end_state)" "0|$wanted" "$*: a run with fewer points than $n comes to its end"
    is "$wrong" 0 "$*: killed at $cut points ($kind): the next run ends where an undisturbed one does"
    is "$([ "$cut" -ge 2 ] && echo several)" several "$*: there are several such points"
}

create_database
write_steps "$STEPS"
keep fresh

readonly APPLY=(apply "$plan" "${LAX[@]}" --window 0 --no-guard)

run "${APPLY[@]}"
is "$rc" 0 'an undisturbed apply'
applied=$(end_state)
keep applied
cut_everywhere journal fresh "$applied" "${APPLY[@]}"
cut_everywhere step fresh "$applied" "${APPLY[@]}"

bring_back applied
run rollback --to 2.1
is "$rc" 0 'an undisturbed rollback to a step'
partly=$(end_state)
cut_everywhere journal applied "$partly" rollback --to 2.1
cut_everywhere step applied "$partly" rollback --to 2.1

bring_back applied
run rollback
is "$rc" 0 'an undisturbed rollback'
undone=$(end_state)
cut_everywhere journal applied "$undone" rollback
cut_everywhere step applied "$undone" rollback

# -- a step that does not pay: cut off while it is done, measured and undone, it ends as undone ------

bring_back fresh
sql 'CREATE EXTENSION pg_stat_statements'
write_steps '{"steps": [{"id": "1.1", "phase": 1, "title": "an index of no use", "promise": "half of the time",
  "proof": "{\"kind\": \"workload\", \"relations\": [\"public.items\"], \"least_gain\": 0.5, \"most_loss\": 0.95}", "changes": [
  {"kind": "create index", "schema": "public", "table": "items", "name": "items_note",
   "statement": "CREATE INDEX CONCURRENTLY items_note ON public.items USING btree (note)",
   "undo": "DROP INDEX CONCURRENTLY public.items_note", "definition": "USING btree (note)"}]}]}'
keep useless
readonly PROVE=(apply "$plan" "${LAX[@]}" --window 1s --no-guard)
for kind in step journal; do
    cut=0
    ends=''
    for ((n = 1; n <= MOST; n += STRIDE)); do
        bring_back useless
        traffic &
        killed "$kind:$n" "${PROVE[@]}"
        [ "$rc" = "$KILLED" ] || break
        cut=$((cut + 1))
        run "${PROVE[@]}"
        ends+="$(steps)|$(inventory)|$(open_entries) "
    done
    is "$rc|$(steps)|$(inventory)" '5|1.1|undone|' "a step that does not pay is undone ($kind)"
    is "$(printf '%s' "$ends" | tr ' ' '\n' | sort -u)" '1.1|undone||0' "killed at $cut of its points ($kind): it ends as undone"
done

# -- the plan itself --------------------------------------------------------------------------------

bring_back fresh
script=$(script_of 'CREATE INDEX items_b ON items (b);')
made=$work/made.plan
run plan "$script" -o "$made"
is "$rc" 0 'a plan is written'
whole=$(python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); print(d["hash"], d["shape"])' "$made")
for before in nothing 'an older plan'; do
    for n in 1 2; do
        rm -f "$made"
        [ "$before" = nothing ] || run plan "$(script_of 'CREATE INDEX items_n ON items (note);')" -o "$made"
        older=$(cat "$made" 2>/dev/null)
        script=$(script_of 'CREATE INDEX items_b ON items (b);')
        killed "plan:$n" plan "$script" -o "$made"
        is "$rc" "$KILLED" "plan -o over $before is killed at point $n"
        if [ "$n" = 1 ]; then
            is "$(cat "$made" 2>/dev/null)" "$older" 'the file is what it was'
        else
            run apply "$made" --dry-run "${LAX[@]}"
            is "$rc" 0 'the file is whole'
        fi
        run plan "$script" -o "$made"
        is "$(python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); print(d["hash"], d["shape"])' "$made")" "$whole" 'written again it is the same plan'
    done
done
done_testing
