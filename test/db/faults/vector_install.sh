#!/usr/bin/env bash
# pgmend vector install: what it makes, leaves alone, refuses and gives back. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

psql -X -q -d postgres -c "CREATE DATABASE $db"
role=owner_$$
sql 'CREATE EXTENSION vector' 2>/dev/null || {
    sql 'SELECT 1' >/dev/null || exit 1
    skip_all 'pgvector is not installed'
}
script "$db" <<SQL
CREATE ROLE $role LOGIN;
GRANT CREATE ON DATABASE $db TO $role;
GRANT ALL ON SCHEMA public TO $role;
SET ROLE $role;
CREATE TABLE assistants (id serial PRIMARY KEY);
INSERT INTO assistants SELECT FROM generate_series(1, 5);
CREATE TABLE knowledge_embeddings (id serial PRIMARY KEY, assistant_id int REFERENCES assistants, chunk_text text NOT NULL,
    embedding vector(8) NOT NULL, doc_type varchar(20), importance int NOT NULL DEFAULT 10, chunk_hash varchar(64));
INSERT INTO knowledge_embeddings (assistant_id, chunk_text, embedding)
SELECT 1 + g % 5, 'Доставка курьером ' || g, ARRAY[g % 7, g % 11, g % 13, 1, g % 17, 2, g % 19, 3]::float4[]::vector
  FROM generate_series(1, 300) g;
ANALYZE knowledge_embeddings;
SQL
trap 'psql -X -q -d "$db" -c "DROP OWNED BY $role" >/dev/null 2>&1; clean_up; psql -X -q -d postgres -c "DROP ROLE $role" >/dev/null 2>&1' EXIT

functions() {
    sql "SELECT string_agg(p.proname, ' ' ORDER BY p.proname) FROM pg_proc p
          WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS
                (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
}

all='analyze_vector_search_performance auto_tune_vector_search batch_vector_search cleanup_duplicate_embeddings'
all="$all search_embeddings_basic search_embeddings_by_doc_type search_embeddings_hybrid search_embeddings_multi_stage"
all="$all set_vector_search_params"

# -- only looking ---------------------------------------------------------------------------------

run vector install --print
is "$rc" 0 '--print'
is "$(functions)" '' 'makes nothing'
printf '%s\n' "$out" >"$work/functions.sql"
script "$db" <"$work/functions.sql" 2>/dev/null
is "$(functions)" "$all" 'what it prints can be run'
sql "DO \$\$DECLARE f regprocedure; BEGIN FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
       LOOP EXECUTE 'DROP FUNCTION ' || f; END LOOP; END\$\$"
run vector install --dry-run
is "$rc" 0 '--dry-run'
has "$out" 'Nothing was changed (--dry-run).' 'says so'
is "$(functions)$(sql "SELECT to_regnamespace('pgmend') IS NULL")" t 'makes nothing, not even schema pgmend'

# -- making them ----------------------------------------------------------------------------------

run --db-url "postgresql:///$db?user=$role" vector install
is "$rc" 0 'the owner of the table, who is no superuser, installs them'
is "$(functions)" "$all" 'all are there'
has "$out" '10 of 10 changes done' 'nine functions and the record'
has "$out" "SELECT * FROM search_embeddings_basic(1, '[…]', 10);" 'an example is shown'
has "$out" 'Next: pgmend vector tune' 'and what is next'
is "$(sql "SELECT name FROM pgmend.value")" vector:public.knowledge_embeddings.embedding 'the choice is recorded'
is "$(sql "SELECT string_agg(method || ' ' || rows || ' ' || recall, ', ') FROM analyze_vector_search_performance(1, NULL)")" \
    'exact 10 1, installed: exact 10 1' 'the analysis runs as the plan calls it'
has "$(sql "SELECT set_vector_search_params('accurate')")" 'hnsw.ef_search = 200' 'the profiles too'
is "$(sql "SELECT count(*) FROM search_embeddings_hybrid(1, '[1,2,3,4,5,6,7,8]', 'доставкой', 10)")" 10 'and the search'
sql 'UPDATE knowledge_embeddings SET importance = 0; ALTER TABLE knowledge_embeddings ALTER importance DROP NOT NULL;
     UPDATE knowledge_embeddings SET importance = NULL WHERE id % 2 = 0'
is "$(sql "SELECT count(*) FROM search_embeddings_basic(1, '[1,2,3,4,5,6,7,8]', 50)")" 50 'without a least importance rows of any are found'
is "$(sql "SELECT count(*) FROM search_embeddings_basic(1, '[1,2,3,4,5,6,7,8]', 50, 1)")" 0 'with one only those that have it'
run vector check --json
is "$(grep -c 'index-missing\|short-results' <<<"$out")" 0 'a check right after it misses nothing that was never built'
run vector install
is "$rc" 0 'once more'
has "$out" '0 of 10 changes done, 10 were there' 'changes nothing'
run vector install --json --dry-run
is "$(python3 -c 'import json,sys; d=json.load(sys.stdin); print(len(d["functions"]), d["method"], d["was_measured"], d["changed"])' <<<"$out")" \
    '9 exact False 0' 'JSON says the same'
run rollback
is "$rc" 0 'rollback'
is "$(functions)$(sql "SELECT count(*) FROM pgmend.value")" 0 'takes all of it back'

# -- what others made -------------------------------------------------------------------------------

theirs="CREATE FUNCTION set_vector_search_params(profile text, is_local boolean DEFAULT true) RETURNS int LANGUAGE sql AS 'SELECT 7'"
sql "$theirs"
run vector install
is "$rc" 1 'a function of somebody else is not replaced'
has "$both" '--replace-function set_vector_search_params' 'it says how to allow it'
has "$err" 'Nothing was changed' 'and that nothing was changed'
is "$(functions)" set_vector_search_params 'which is so'
sql "CREATE FUNCTION search_embeddings_basic(a int, v vector, n int) RETURNS int LANGUAGE sql AS 'SELECT 8'"
run vector install --replace-function set_vector_search_params --replace-function search_embeddings_basic
is "$rc" 1 'one that the same calls may mean is in the way, with consent too'
has "$both" 'DROP ROUTINE public.search_embeddings_basic(integer,public.vector,integer);' 'how to drop it is shown'
is "$(functions)" 'search_embeddings_basic set_vector_search_params' 'and nothing was changed'
run vector install --dry-run
has "$out" 'search_embeddings_basic(integer,public.vector,integer) stands there too: the same calls may' '--dry-run tells'
sql "ALTER FUNCTION search_embeddings_basic RENAME TO their_search
   ; CREATE FUNCTION set_vector_search_params(probes int) RETURNS int LANGUAGE sql AS 'SELECT 9'
   ; CREATE FUNCTION search_embeddings_basic(one int) RETURNS int LANGUAGE sql AS 'SELECT 9'"
run vector install --replace-function set_vector_search_params
is "$rc" 0 'with consent it is'
has "$out" 'set_vector_search_params(integer) stands there too: its calls are told apart' 'another one of the name is told of'
is "$(sql "SELECT count(*) FROM pg_proc WHERE proname IN ('search_embeddings_basic', 'set_vector_search_params')")" 4 'and stays'
has "$(sql "SELECT set_vector_search_params('fast')")" 'fast: ' 'the new one answers'
run rollback
is "$(sql "SELECT set_vector_search_params('fast') + their_search(1, '[1]', 1)")" 15 'rollback gives back the old one'
sql 'DROP FUNCTION set_vector_search_params(text, boolean), set_vector_search_params(int), search_embeddings_basic, their_search'
for theirs in 'set_vector_search_params(text)' 'search_embeddings_basic(int, vector)' 'search_embeddings_basic(bigint, text, int, int, text DEFAULT NULL)'; do
    sql "CREATE FUNCTION $theirs RETURNS int LANGUAGE sql AS 'SELECT 8'"
    run vector install
    is "$rc" 1 "$theirs is in the way"
    has "$both" 'DROP ROUTINE' 'how to drop it is shown'
    sql "DROP FUNCTION ${theirs/ DEFAULT NULL/}"
done

# -- what cannot be done ----------------------------------------------------------------------------

run vector install --schema nowhere
is "$rc" 1 'a schema that is not there'
has "$both" 'CREATE SCHEMA nowhere;' 'the remedy is shown'
sql "CREATE ROLE reader_$$ LOGIN; GRANT SELECT ON knowledge_embeddings TO reader_$$; GRANT USAGE ON SCHEMA pgmend TO reader_$$;
     GRANT SELECT ON ALL TABLES IN SCHEMA pgmend TO reader_$$; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
run --db-url "postgresql:///$db?user=reader_$$" vector install
is "$([ "$rc" != 0 ] && echo refused)" refused 'a role that may not create functions'
has "$both" "may not create functions in schema public" 'is told what it may not'
has "$both" 'Nothing was changed' 'and that nothing was changed'
is "$(functions)" '' 'and leaves nothing behind'
sql "DROP OWNED BY reader_$$; DROP ROLE reader_$$"
sql 'ALTER TABLE knowledge_embeddings DROP doc_type, DROP importance, DROP chunk_hash; ALTER TABLE knowledge_embeddings RENAME chunk_text TO x;
     UPDATE knowledge_embeddings SET x = 1; ALTER TABLE knowledge_embeddings ALTER x TYPE int USING 1'
run vector install
is "$rc" 0 'a table without texts, types and importance'
has "$out" 'Left out: search_embeddings_hybrid: the table has no column of texts' 'what is left out is named'
is "$(functions)" \
    'analyze_vector_search_performance auto_tune_vector_search batch_vector_search search_embeddings_basic set_vector_search_params' \
    'the others are made'
done_testing
