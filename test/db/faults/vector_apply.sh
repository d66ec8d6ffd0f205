#!/usr/bin/env bash
# From the tuning of a vector search to its rollback: tune, rehearse, apply with kill -9 in the middle of the filling,
# prove, check, roll back; and a plan whose promise does not hold any more, which undoes itself. Prints TAP.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

plan=$work/vector.plan
readonly WRONG="SELECT count(*) FROM chunks WHERE embedding_bits IS DISTINCT FROM binary_quantize(embedding)::bit(128)"
readonly TUNE=(vector tune --use bits --recall 0.97 --worst 0.95 --p95 0 --queries 20 --tenant assistant_id)

psql -X -q -A -t -d postgres -c "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'" | grep -q 1 ||
    skip_all 'the server has no pgvector'

# The definition of everything but schema pgmend.
schema() {
    pg_dump -s -N pgmend -d "$db" | grep -v '^--\|^\\\(un\)\?restrict'
}

as_before() {
    [ "$(schema)" != "$before" ] || echo same
}

# Ten tenants of 500 rows around topics of their own; no two runs of the server give others.
create_chunks() {
    create_database
    script "$db" <<'SQL'
CREATE EXTENSION vector;
SELECT setseed(0.5) \g /dev/null
CREATE TABLE chunks (id serial PRIMARY KEY, assistant_id int NOT NULL, importance int NOT NULL DEFAULT 10,
    embedding vector(128) NOT NULL) WITH (autovacuum_enabled = false);
CREATE TABLE topics AS SELECT g AS topic, (SELECT array_agg(random() - .5) FROM generate_series(1, 128 + 0 * g))::real[]::vector AS middle
    FROM generate_series(0, 99) AS g;
INSERT INTO chunks (assistant_id, embedding)
SELECT g % 10, middle + (SELECT array_agg((random() - .5) * .8) FROM generate_series(1, 128 + 0 * g))::real[]::vector
    FROM generate_series(1, 5000) AS g JOIN topics ON topic = g % 100;
-- A trigger of the application's own, which waits at one row as long as the test wants it to.
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN NEW; END $$;
CREATE TRIGGER hold BEFORE UPDATE ON chunks FOR EACH ROW WHEN (NEW.id = 4500) EXECUTE FUNCTION hold();
ALTER TABLE chunks ENABLE ALWAYS TRIGGER hold;
CREATE INDEX chunks_assistant ON chunks (assistant_id);
CREATE INDEX chunks_flat ON chunks USING ivfflat (embedding vector_cosine_ops) WITH (lists = 20);
ANALYZE;
SQL
}

# Share of the right ten that a call of the installed function finds, for fifty rows taken as questions.
measured() {
    sql "SELECT round(avg((SELECT count(*) FROM search_embeddings_basic(q.assistant_id, q.embedding, 10) AS f
             WHERE f.id IN (SELECT c.id FROM chunks c WHERE c.assistant_id = q.assistant_id
                            ORDER BY (c.embedding <=> q.embedding) + 0 LIMIT 10)) / 10.0), 3) >= 0.95
           FROM (SELECT * FROM chunks WHERE id % 100 = 1) AS q"
}

create_chunks
before=$(schema)

# -- nothing installed --------------------------------------------------------------------------

run vector check --table chunks
is "$rc" 0 'a check where nothing is installed'
has "$both" 'nothing-installed' 'it says so'
has "$out" 'pgmend vector tune' 'and what to run'
run vector check --table chunks --exit-code
is "$rc" 3 'which is a finding'

# -- tune, rehearse -----------------------------------------------------------------------------

run "${TUNE[@]}" --table chunks -o "$plan"
is "$rc" 0 'the tuning'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
is "$(as_before)" same 'the database is as it was'
has "$out" 'the scratch database is gone' 'it says what became of the scratch database'
kinds=$(python3 -c 'import json, sys; print(" ".join(sorted({c["kind"].replace(" ", "_") for c in json.load(open(sys.argv[1]))["changes"] if c["action"] == "create"})))' "$plan")
is "$kinds" 'add_column create_function create_index create_trigger drop_index fill_column record vacuum' 'the plan has all kinds'
run rehearse "$plan"
is "$rc" 0 'the plan is rehearsed on a copy of the schema'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
is "$(as_before)" same 'the database is as it was'

# -- apply, killed in the middle of the filling -------------------------------------------------

session_open other
session other 'SELECT pg_advisory_lock(77);'
start apply "$plan" "${LAX[@]}"
wait_sql 'the filling waits for the row' "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
    AND query LIKE 'UPDATE ONLY%' AND wait_event_type = 'Lock')"
filled=$(sql 'SELECT count(embedding_bits) > 0 AND count(embedding_bits) < 5000 FROM chunks')
kill -9 "$running"
wait "$running" 2>/dev/null
is "$filled" t 'killed when a part of the rows was filled'
# Life goes on: what is written meanwhile is kept true by the trigger.
sql "INSERT INTO chunks (assistant_id, embedding) SELECT 3, embedding FROM chunks WHERE id <= 20;
     UPDATE chunks SET embedding = (SELECT embedding FROM chunks WHERE id = 77) WHERE id IN (4700, 5)"
session other 'SELECT pg_advisory_unlock(77);'
session_close other
run apply "$plan" "${LAX[@]}"
is "$rc" 0 'the same command goes on and completes it'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
has "$both" 'as predicted' 'it proves what was promised'
is "$(sql "$WRONG")" 0 'all rows have their bits'
is "$(measured)" t 'the function finds what was promised'
is "$(sql "SELECT count(*) FROM pg_class WHERE relname = 'chunks_flat'")" 0 'the old approximate index is gone'
is "$(sql "SELECT count(*) FROM pg_class WHERE relname = 'chunks_assistant'")" 1 'other indexes stay'
run apply "$plan" "${LAX[@]}"
is "$rc" 0 'once more: nothing to do'
run vector check --table chunks --exit-code --queries 10
is "$rc" 0 'a check has no finding'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
has "$out" 'search_embeddings_basic' 'it asked the function'
run vector check --table chunks --json --queries 10
is "$(python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["is_installed"], d["overall"]["queries"], len(d["findings"]))' <<<"$out")" \
    'True 10 0' 'the same as JSON'

# -- it goes wrong later ------------------------------------------------------------------------

sql 'ALTER TABLE chunks DISABLE TRIGGER chunks_embedding_bits_fill; UPDATE chunks SET embedding_bits = ~embedding_bits'
run vector check --table chunks --exit-code --queries 10
is "$rc" 3 'a check finds what went wrong'
has "$out" 'recall-below-goal' 'recall'
has "$out" 'trigger-disabled' 'and why'
has "$out" 'ENABLE TRIGGER chunks_embedding_bits_fill' 'and what to do'
sql 'ALTER TABLE chunks ENABLE TRIGGER chunks_embedding_bits_fill'
mend=$(grep -o 'UPDATE public.chunks SET [^`]*' <(tr '\n' ' ' <<<"$out" | tr -s ' ') | head -n 1)
sql "${mend:?}"
run vector check --table chunks --exit-code --queries 10
lacks "$out" 'column-not-filled' 'the statement that it names mends the rows'
is "$(sql "$WRONG")" 0 'all of them'

run rollback --all
is "$rc" 0 'all of it is undone'
[ "$rc" = 0 ] || printf '%s\n' "$both" | sed 's/^/# /'
is "$(as_before)" same 'the schema is what it was'

# -- a promise that does not hold any more ------------------------------------------------------

run "${TUNE[@]}" --table chunks -o "$plan"
is "$rc" 0 'tuned again'
# Other rows than those that were measured: every value positive, so that all rows have the same bits.
sql "SELECT setseed(0.25); UPDATE chunks SET embedding = (SELECT array_agg(random())
         FROM generate_series(1, 128 + 0 * chunks.id))::real[]::vector" >/dev/null
start apply "$plan" "${LAX[@]}"
finish
is "$rc" 5 'a proof that fails undoes the plan'
has "$err" 'predicted' 'it says what was predicted'
has "$err" 'measured' 'and what was measured'
has "$err" 'the database is as it was before' 'and in which state the database is'
is "$(as_before)" same 'the schema is what it was'
is "$(sql "SELECT count(*) FROM pgmend.journal WHERE state NOT IN ('undone', 'failed')")" 0 'the journal holds nothing that stands'
is "$(sql "SELECT count(*) FROM pgmend.value WHERE name LIKE 'vector%'")" 0 'nothing is recorded as installed'
run vector check --table chunks
has "$both" 'nothing-installed' 'and a check says so'
done_testing
