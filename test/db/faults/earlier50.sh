#!/usr/bin/env bash
# The fifty statements that ReplyX's team wrote by hand: every planted fault is reported with file and line before anything
# is changed; those that only rows show, when there are rows. Needs Alembic and pgvector. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

alembic=/usr/bin/alembic
[ -x "$alembic" ] || alembic=$(command -v alembic) || skip_all 'alembic is not installed'
[ "$(sql "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'" postgres)" = 1 ] ||
    skip_all 'the server has no pgvector'
psql -X -q -d postgres -c "CREATE DATABASE $db TEMPLATE template0 ENCODING 'UTF8'"
sql 'CREATE EXTENSION vector'
PYTHONDONTWRITEBYTECODE=1 "$alembic" -c "$root/replyx/alembic.ini" upgrade head >"$work/alembic" 2>&1 ||
    sed 's/^/# /' "$work/alembic"
before=$(inventory)
script=$root/replyx/indexes/earlier50.sql

run index apply "$script" "${LAX[@]}"
is "$rc" 1 'the script is refused as a whole'
while IFS='|' read -r line said; do
    has "$(grep -A1 "(earlier50.sql:$line)" <<<"$out")" "$said" "line $line: $said"
done <<'FAULTS'
9|column "plan" does not exist
11|functions in index predicate must be marked IMMUTABLE
19|operator class "gin_trgm_ops" does not exist for access method "gin"
22|column "last_seen_at" does not exist
29|the name is taken by an index with another definition
30|column "last_message_at" does not exist
38|syntax error at or near "::"
39|column "is_read" does not exist
44|BEGIN and COMMIT have no place here
46|BEGIN and COMMIT have no place here
51|table ai_token_usages does not exist
56|column "assistant_id" does not exist
64|a DO block cannot build an index CONCURRENTLY
71|cannot use subquery in index predicate
73|it is not a CREATE INDEX
FAULTS
has "$out" '15 blocked' 'fifteen statements are blocked'
has "$err" '15 of 52 statements cannot be done as they stand' 'and no other'
is "$(inventory)" "$before" 'no index was made'
is "$(sql "SELECT to_regclass('pgmend.run') IS NULL")" t 'not even schema pgmend was made'

# The same index twice under two names is built once.
run index apply "$root/replyx/indexes/critical.sql" "${LAX[@]}"
is "$rc" 0 'the four critical indexes are built'
run plan "$script" --json
is "$(python3 -c '
import json, sys
for change in json.load(open(sys.argv[1]))["changes"]:
    if change["action"] == "equivalent":
        print(change["source"], change["problem"])' "$work/out")" \
    'earlier50.sql:27 the same index is there as idx_dialogs_assistant_started' 'line 27 is one of them under another name'

# With rows: keys that are not unique are found before, a row that does not fit is undone.
sql "SET session_replication_role = replica;
     INSERT INTO dialogs (id, user_id, telegram_chat_id) VALUES (1, 1, '1'), (2, 1, '1')" 2>"$work/insert" ||
    sed 's/^/# /' "$work/insert"
run index apply "$script" "${LAX[@]}" --skip-blocked
is "$rc" 4 'line 28 over rows that are not unique: a gate is red'
has "$err" 'idx_dialogs_chat cannot be unique: rows with the key (1)' 'index and key are named'
sed -n '/^CREATE INDEX.*idx_knowledge_user_importance/p' "$script" >"$work/wide.sql"
sql "SET session_replication_role = replica;
     INSERT INTO user_knowledge (id, user_id, assistant_id, doc_id, content)
     SELECT 1, 1, 1, 1, string_agg(md5(g::text), '') FROM generate_series(1, 600) AS g" 2>"$work/insert" ||
    sed 's/^/# /' "$work/insert"
run index apply "$work/wide.sql" "${LAX[@]}"
is "$rc" 5 'line 55 over a long text: failed and undone'
has "$err" 'index row' 'the message is the server'\''s'
is "$(sql "SELECT to_regclass('idx_knowledge_user_importance') IS NULL")" t 'nothing of it is left'
done_testing
