#!/usr/bin/env bash
# Every fallible call fails once (see torture_lib.sh): plan, apply, backup create, a look of the monitor. Whatever it was,
# pgmend ends with a message and no signal, nothing that writes cannot use is left, the journal tells the truth, and the same
# command run again ends as if nothing had happened. By default a sample; each place with PGMEND_TEST_STRIDE=1. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=torture_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/torture_lib.sh"

readonly SCENARIOS=${PGMEND_TEST_SCENARIOS:-plan apply backup monitor}

create_database
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
plan_file=$work/one.plan
backups=$work/backups

# The sessions of the run that was cut off come to their end by themselves: the server finishes what it was told.
sessions_ended() {
    wait_sql 'its sessions are gone' "SELECT count(*) = 0 FROM pg_stat_activity
        WHERE application_name LIKE 'pgmend%' AND datname = current_database()"
}

# What never may be, whatever has failed.
state_is_true() {
    sessions_ended
    sql "SELECT format(' unusable: %s', indexrelid::regclass) FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive)"
    [ "$(sql "SELECT to_regclass('pgmend.journal') IS NOT NULL")" = t ] || return 0
    sql "SELECT format(' the journal says %s of %s, the catalogue %s', state, object, to_regclass(object))
           FROM (SELECT DISTINCT ON (object) object, state FROM pgmend.journal WHERE kind = 'create index' ORDER BY object, id DESC) AS j
          WHERE (state = 'done' AND to_regclass(object) IS NULL) OR (state IN ('failed', 'undone') AND to_regclass(object) IS NOT NULL)"
}

reset() {
    sessions_ended
    script "$db" <<<'SET client_min_messages = error; DROP INDEX IF EXISTS items_a; DROP SCHEMA IF EXISTS pgmend CASCADE;'
    rm -rf "$state" "$backups" "${made:-$work/none}"
}

for scenario in $SCENARIOS; do
    case $scenario in
    plan)
        made=$work/made.plan
        # Whole or not there; its parts that are the same at any time.
        end_state() {
            inventory
            [ ! -e "$made" ] || python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); print(d["hash"], d["shape"])' "$made"
            find "$work" -name 'made.plan.*' -printf 'left: %f\n'
        }
        torture plan 12 0 "$pgmend" --state-dir "$state" plan "$one" -o "$made"
        ;;
    apply)
        made=
        run plan "$one" -o "$plan_file"
        end_state() {
            inventory
            [ "$(sql "SELECT to_regclass('pgmend.journal') IS NOT NULL")" = t ] || return 0
            sql "SELECT DISTINCT ON (kind, object) kind, object, state FROM pgmend.journal ORDER BY kind, object, id DESC"
            sql "SELECT count(*) FROM pgmend.journal WHERE state NOT IN ('done', 'undone', 'failed')"
        }
        torture apply 12 0 "$pgmend" --state-dir "$state" apply "$plan_file" "${LAX[@]}" --window 0 --no-guard
        ;;
    backup)
        # One whole backup, each file as its list has it, and nothing beside it.
        end_state() {
            find "$backups" -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null
            [ ! -d "$backups/one" ] || (cd "$backups/one" && sha256sum --quiet -c SHA256SUMS 2>&1 && pg_restore -l data | grep -c 'TABLE DATA')
            inventory
        }
        # A backup that is there is not made again.
        heal() {
            [ -d "$backups/one" ] || heal_by_running "$@"
        }
        torture backup 8 0 "$pgmend" --state-dir "$state" backup create --backup-dir "$backups" --name one
        ;;
    monitor)
        end_state() {
            inventory
            [ ! -d "$state" ] || find "$state" -type f -printf '%P\n'
            sed -n 's/^ok    invalid indexes: .*/&/p' "$work/out"
        }
        torture monitor 4 '[012]' "$pgmend" --state-dir "$state" monitor --single-shot --interval 1s
        ;;
    esac
done
done_testing
