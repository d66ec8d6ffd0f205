#!/usr/bin/env bash
# A pgmend that meets what a newer one has written: schema, local journal, entry, plan, backup. It reads, and changes nothing.
# Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

create_database
one=$(script_of 'CREATE INDEX CONCURRENTLY items_a ON items (a);')
printf 'CREATE INDEX CONCURRENTLY items_b ON items (b);\n' >"$work/two.sql"

ours() { # what schema pgmend holds
    sql "SELECT pg_catalog.md5(pg_catalog.string_agg(t.line, '' ORDER BY t.line)) FROM
        (SELECT r::text FROM pgmend.run AS r UNION ALL SELECT j::text FROM pgmend.journal AS j
         UNION ALL SELECT g::text FROM pgmend.gate AS g UNION ALL SELECT c.oid::regclass::text FROM pg_catalog.pg_class AS c
         WHERE c.relnamespace = 'pgmend'::regnamespace) AS t (line)"
}

refuses() { # status part-of-the-message what arguments ...
    local status=$1 part=$2 what=$3 before

    shift 3
    before=$(ours)
    run "$@"
    is "$rc" "$status" "$what: refused"
    has "$err" "$part" "$what: the message says why"
    is "$(ours)" "$before" "$what: schema pgmend is as it was"
    is "$(inventory)" 'items_a|t|t|t|f' "$what: the indexes are as they were"
}

run index apply "$one" "${LAX[@]}"
is "$rc" 0 'an index is built'
run plan "$work/two.sql" -o "$work/two.plan"

# -- the schema -----------------------------------------------------------------------------------

sql "COMMENT ON SCHEMA pgmend IS 'pgmend format 2 of a pgmend to come'"
newer='written by a newer pgmend (format 2'
refuses 1 "$newer" 'index apply in a newer schema' index apply "$work/two.sql" "${LAX[@]}"
has "$err" 'Nothing was changed' 'the message says in which state the database is'
refuses 1 "$newer" 'apply in a newer schema' apply "$work/two.plan" "${LAX[@]}"
refuses 1 "$newer" 'rollback in a newer schema' rollback --all
refuses 1 "$newer" 'a gate in a newer schema' gate pass team --note x
refuses 1 "$newer" 'a flag in a newer schema' flags set --percent 5 some_flag
refuses 1 "$newer" 'a store in a newer schema' monitor --store --duration 1s
run status
is "$rc" 0 'status reads it'
run history
is "$rc" 0 'history reads it'
has "$out" items_a 'and finds what it knows'
sql "COMMENT ON SCHEMA pgmend IS 'journal of pgmend format 2, says somebody else'"
run gate pass team --note x
is "$rc" 0 'another comment is nothing of ours'
sql 'COMMENT ON SCHEMA pgmend IS NULL'

# -- an entry, the local journal, a plan, a backup -------------------------------------------------

sql "INSERT INTO pgmend.journal (entry, run, kind, object, relation, statement, undo, state, started_at, ended_at, detail)
     SELECT 'a-newer-one', run, 'fold space', object, relation, statement, undo, state, started_at, ended_at, detail
       FROM pgmend.journal LIMIT 1"
id=$(sql "SELECT id FROM pgmend.journal WHERE kind = 'fold space'")
run rollback "$id"
is "$rc" 1 'an entry of an unknown kind is not undone'
is "$(sql "SELECT state FROM pgmend.journal WHERE id = $id")" 'done' 'it stays as it was'
is "$(inventory)" 'items_a|t|t|t|f' 'so do the indexes'
sql "DELETE FROM pgmend.journal WHERE kind = 'fold space'"

file=$(find "$state/journal" -name '*.jsonl')
cp -p "$file" "$work/journal.kept"
printf '{"format": 2}\n' >>"$file"
refuses 1 "$file:$(wc -l <"$file")" 'a newer local journal' index apply "$work/two.sql" "${LAX[@]}"
has "$err" "$newer" 'a newer local journal: it is told to be one'
cp -p "$work/journal.kept" "$file"

sed 's/"pgmend-plan-[12]"/"pgmend-plan-99"/' "$work/two.plan" >"$work/newer.plan"
refuses 1 'not a plan of this version' 'a newer plan' apply "$work/newer.plan" "${LAX[@]}"

run backup create --name kept
is "$rc" 0 'a backup is made'
manifest=$(find "$state" -name manifest.json)
sed -i 's/"schema_version": *1/"schema_version": 99/' "$manifest"
refuses 1 'written by a newer pgmend (format 99)' 'a newer backup' backup verify kept

# -- and without any of it -------------------------------------------------------------------------

run apply "$work/two.plan" "${LAX[@]}"
is "$rc" 0 'what was refused works again'
run rollback --all
is "$rc" 0 'and can be undone'
is "$(inventory)" '' 'no index is left'
done_testing
