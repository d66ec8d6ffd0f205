#!/usr/bin/env bash
# Runs ReplyX's 45 revisions with the real Alembic on a database of its own and looks at what they leave behind; then
# asks Alembic about every broken history. Prints TAP. Needs PGHOST (and PGPORT, PGUSER, ...) of a running server with
# pgvector and the right to create databases and extensions.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
fixtures=$root/test/fixtures/migrations
ini=$root/replyx/alembic.ini
versions=$root/replyx/migrations/versions

alembic=/usr/bin/alembic
[ -x "$alembic" ] || alembic=alembic

unset DATABASE_URL PGDATABASE PGOPTIONS PGSERVICE
export PYTHONDONTWRITEBYTECODE=1 PGCLIENTENCODING=UTF8 PYTHONUTF8=1

if [ -z "${PGHOST:-}" ]; then
    echo 'Bail out! PGHOST is not set'
    exit 1
fi

db=replyx_migrations_$$
fixture_db=${db}_fixture
work=$(mktemp -d)

sql() { # database query
    psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

drop() {
    psql -X -q -d postgres -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)"
}

finish() {
    drop "$db"
    drop "$fixture_db"
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

number=0
failed=0
ok() { # status description [file with details]
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
        return
    fi
    echo "not ok $number - $2"
    failed=$((failed + 1))
    if [ -n "${3:-}" ]; then
        sed 's/^/# /' "$3"
    fi
}

is() { # got expected description
    if [ "$1" = "$2" ]; then
        ok 0 "$3"
    else
        printf 'got:      %s\nexpected: %s\n' "$1" "$2" >"$work/is"
        ok 1 "$3" "$work/is"
    fi
}

# name, command, exit status and text of every row of the fixtures' table
rows() {
    sed -n 's/^| \([a-z_]*\) | \(heads\|history\|upgrade head\) | \([0-9]*\) | \(.*\) |$/\1\t\2\t\3\t\4/p' \
        "$fixtures/README.md"
}

row_count=$(rows | wc -l)
named=$(rows | cut -f1 | sort -u)
present=$(find "$fixtures" -mindepth 1 -maxdepth 1 -type d -exec basename {} \; | sort)
echo "1..$((19 + row_count))"

# the graph, before a database is involved

"$alembic" -c "$ini" history >"$work/history" 2>"$work/history.err"
ok $? 'alembic history reads the folder' "$work/history.err"
is "$(find "$versions" -name '*.py' | wc -l)" 45 '45 files'
is "$(wc -l <"$work/history")" 45 '45 revisions'
is "$(grep -c '(mergepoint)' "$work/history")" 11 '11 merge revisions'
is "$(grep '(mergepoint)' "$work/history" | sed 's/ -> .*//' | awk -F, '{ print NF }' | sort | uniq -c | xargs)" \
    '10 2 1 3' 'ten of them merge two heads, one three'
is "$(grep -c '^<base>' "$work/history")" 1 'one base'
heads=$("$alembic" -c "$ini" heads 2>&1)
is "$(grep -c '(head)' <<<"$heads")" 1 'one head'
head=${heads%% *}

# all of it on an empty database

sql postgres "CREATE DATABASE $db TEMPLATE template0 ENCODING 'UTF8'"
PGDATABASE=$db "$alembic" -c "$ini" upgrade head >"$work/upgrade" 2>&1
ok $? 'alembic upgrade head' "$work/upgrade"
is "$(grep -c 'Running upgrade' "$work/upgrade")" 45 '45 revisions applied'
is "$(sql "$db" 'SELECT version_num FROM alembic_version')" "$head" 'alembic_version holds the head'
PGDATABASE=$db "$alembic" -c "$ini" upgrade head >"$work/again" 2>&1
is "$? $(grep -c 'Running upgrade' "$work/again")" '0 0' 'a second upgrade has nothing to do'

grep -v -e '^#' -e '^$' "$here/expected_schema.txt" | LC_ALL=C sort >"$work/expected"
{
    sql "$db" "
        SELECT format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                      CASE WHEN a.attnotnull THEN 'notnull' ELSE 'null' END,
                      coalesce(pg_get_expr(d.adbin, d.adrelid), '-'))
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND c.relname <> 'alembic_version'"
    sql "$db" "
        SELECT CASE k.contype WHEN 'p' THEN 'primary' WHEN 'u' THEN 'unique' ELSE 'foreign' END
               || format(' %s(%s)', c.relname, own.columns)
               || CASE k.contype WHEN 'f' THEN format(' %s(%s)', f.relname, other.columns) ELSE '' END
          FROM pg_constraint k
          JOIN pg_class c ON c.oid = k.conrelid AND c.relname <> 'alembic_version'
          LEFT JOIN pg_class f ON f.oid = k.confrelid
          CROSS JOIN LATERAL (
               SELECT string_agg(a.attname, ',' ORDER BY u.n) AS columns
                 FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, n)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum) own
          CROSS JOIN LATERAL (
               SELECT string_agg(a.attname, ',' ORDER BY u.n) AS columns
                 FROM unnest(k.confkey) WITH ORDINALITY AS u(attnum, n)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum) other
         WHERE k.contype IN ('p', 'u', 'f') AND k.connamespace = 'public'::regnamespace"
} >"$work/got.unsorted"
LC_ALL=C sort "$work/got.unsorted" >"$work/got"
diff "$work/expected" "$work/got" >"$work/diff"
ok $? 'every table, column and key is as expected_schema.txt says (< expected, > found)' "$work/diff"

is "$(sql "$db" "
    SELECT count(*) FROM pg_class
     WHERE relname IN ('idx_messages_dialog_timestamp', 'idx_assistants_user_active_created',
                       'idx_dialogs_assistant_started', 'idx_embeddings_assistant_importance',
                       'idx_knowledge_embeddings_ivfflat')")" 0 'none of the critical indexes is there yet'
is "$(sql "$db" "
    SELECT string_agg(i.indexrelid::regclass::text, ' ')
      FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
     WHERE (i.indrelid::regclass::text, a.attname) IN
           (('dialog_messages', 'dialog_id'), ('assistants', 'user_id'), ('dialogs', 'assistant_id'),
            ('knowledge_embeddings', 'assistant_id'))")" '' 'nor one that would do their work under another name'
is "$(sql "$db" "
    SELECT count(*) FROM pg_class c JOIN pg_am m ON m.oid = c.relam
     WHERE c.relkind = 'i' AND m.amname <> 'btree'")" 0 'no vector index'
is "$(sql "$db" "SELECT count(*) FROM pg_extension WHERE extname = 'vector'")" 1 'the extension vector is there'
is "$(sql "$db" "SELECT string_agg(service_type || '=' || price, ' ' ORDER BY id) FROM service_prices
       UNION ALL SELECT count(*)::text FROM system_settings" | xargs)" \
    'ai_message=5 document_upload=10 bot_message=5 7' 'prices and settings are filled in'

psql -X -q -v ON_ERROR_STOP=1 -d "$db" -f "$root/replyx/indexes/critical.sql" >"$work/critical" 2>&1
is "$? $(sql "$db" "
    SELECT count(*) FROM pg_index
     WHERE indisvalid AND indexrelid::regclass::text IN
           ('idx_messages_dialog_timestamp', 'idx_assistants_user_active_created',
            'idx_dialogs_assistant_started', 'idx_embeddings_assistant_importance')")" '0 4' \
    'critical.sql builds its four indexes on it'

# the broken histories

is "$(xargs <<<"$named")" "$(xargs <<<"$present")" 'the README has a row for every fixture'
while IFS=$'\t' read -r name command status text; do
    if [ "$command" = 'upgrade head' ]; then
        drop "$fixture_db"
        sql postgres "CREATE DATABASE $fixture_db TEMPLATE template0 ENCODING 'UTF8'"
    fi
    read -r -a arguments <<<"$command"
    PGDATABASE=$fixture_db "$alembic" -c "$fixtures/$name/alembic.ini" "${arguments[@]}" >"$work/out" 2>&1 </dev/null
    got=$?
    if [ "$text" = - ]; then
        [ ! -s "$work/out" ]
    else
        grep -q -F -e "$text" "$work/out"
    fi
    said=$?
    if [ "$got" -eq "$status" ] && [ "$said" -eq 0 ]; then
        ok 0 "$name: $command"
    else
        echo "exit status $got, expected $status and: $text" >>"$work/out"
        ok 1 "$name: $command" "$work/out"
    fi
done < <(rows)

[ "$failed" -eq 0 ]
