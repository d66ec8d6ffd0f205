/*
 * What a check can find. The examples are SQL on a table chunks (id, assistant_id, importance,
 * embedding vector(64)), searched by bits; the tests run them.
 */
#include "vector/watch/findings.h"

#define GROUP_ANSWERS "Answers"
#define GROUP_PARTS   "What the search rests on"
#define GROUP_GROWTH  "Growth"

#define TUNE          "Run `pgmend vector tune`."

/* clang-format off */
const struct rule vector_check_rules[] = {
    [NOTHING_INSTALLED] = {
        .id = "nothing-installed",
        .group = GROUP_PARTS,
        .severity = SEVERITY_ADVICE,
        .summary = "no search was chosen and installed for this column",
        .why = "Nobody knows which share of the right answers the searches of the application "
               "find, and nothing says what to expect.",
        .instead = "`pgmend vector survey` shows how the column is searched; `pgmend vector tune` "
                   "measures the ways to search it and chooses one.",
        .fires = "DELETE FROM pgmend.value WHERE name = 'vector:public.chunks.embedding';",
        .passes = "pgmend vector install",
    },
    [RECALL_BELOW_GOAL] = {
        .id = "recall-below-goal",
        .group = GROUP_ANSWERS,
        .severity = SEVERITY_ERROR,
        .summary = "searches find fewer of the right answers than was asked for",
        .why = "The rows that fit a question best are not returned, and no error says so: answers "
               "get worse without anybody being told.",
        .instead = TUNE,
        .fires = "ALTER TABLE chunks DISABLE TRIGGER chunks_embedding_bits_fill; "
                 "UPDATE chunks SET embedding_bits = ~embedding_bits; "
                 "ALTER TABLE chunks ENABLE TRIGGER chunks_embedding_bits_fill;",
        .passes = "UPDATE chunks SET importance = importance;",
    },
    [RECALL_BELOW_PREDICTION] = {
        .id = "recall-below-prediction",
        .group = GROUP_ANSWERS,
        .severity = SEVERITY_WARNING,
        .summary = "searches find fewer of the right answers than was measured when they were "
                   "chosen",
        .why = "Something is other than it was when the choice was made: the rows, the questions, "
               "the index, the functions. What was promised does not hold any more.",
        .instead = TUNE,
        .fires = "ALTER TABLE chunks DISABLE TRIGGER chunks_embedding_bits_fill; "
                 "UPDATE chunks SET embedding_bits = ~embedding_bits; "
                 "ALTER TABLE chunks ENABLE TRIGGER chunks_embedding_bits_fill;",
        .passes = "UPDATE chunks SET importance = importance;",
    },
    [SHORT_RESULTS] = {
        .id = "short-results",
        .group = GROUP_ANSWERS,
        .severity = SEVERITY_ERROR,
        .summary = "searches return fewer rows than there are and were asked for",
        .why = "An approximate index gives its nearest rows before the other conditions are "
               "looked at, and what is left can be fewer than asked for, or nothing; or rows are "
               "missing in a stored column that the search goes by.",
        .instead = TUNE,
        .fires = "ALTER TABLE chunks DISABLE TRIGGER chunks_embedding_bits_fill; "
                 "UPDATE chunks SET embedding_bits = NULL WHERE id > 100; "
                 "ALTER TABLE chunks ENABLE TRIGGER chunks_embedding_bits_fill;",
        .passes = "UPDATE chunks SET importance = importance;",
    },
    [INDEX_MISSING] = {
        .id = "index-missing",
        .group = GROUP_PARTS,
        .severity = SEVERITY_ERROR,
        .summary = "an index that the search was measured with is gone",
        .why = "The searches still answer, by reading all rows: many times slower, and a machine "
               "that was sized for the index is overloaded.",
        .instead = "`pgmend vector tune` plans it again; `pgmend rollback` undoes the whole.",
        .fires = "DROP INDEX chunks_embedding_bits_search;",
        .passes = "CREATE INDEX chunks_embedding_bits_search ON chunks (assistant_id, importance) "
                  "INCLUDE (id, embedding_bits);",
    },
    [INDEX_INVALID] = {
        .id = "index-invalid",
        .group = GROUP_PARTS,
        .severity = SEVERITY_ERROR,
        .summary = "an index that the search was measured with is INVALID",
        .why = "A build or a REINDEX CONCURRENTLY was cut off: the index costs work at every "
               "write and no search uses it.",
        .instead = "`REINDEX INDEX CONCURRENTLY` it.",
        .fires = "UPDATE pg_index SET indisvalid = false "
                 "WHERE indexrelid = 'chunks_embedding_bits_search'::regclass;",
        .passes = "REINDEX INDEX CONCURRENTLY chunks_embedding_bits_search;",
    },
    [COLUMN_NOT_FILLED] = {
        .id = "column-not-filled",
        .group = GROUP_PARTS,
        .severity = SEVERITY_ERROR,
        .summary = "a stored column does not say what it should in some rows",
        .why = "The search goes by the stored column: rows where it is empty or old are found at "
               "the wrong place, or never.",
        .instead = "Write these rows again, as the trigger does: `UPDATE … SET embedding_bits = "
                   "…`. Find out who wrote around the trigger: `session_replication_role = "
                   "replica`, a disabled trigger, a restore.",
        .fires = "ALTER TABLE chunks DISABLE TRIGGER chunks_embedding_bits_fill; "
                 "UPDATE chunks SET embedding_bits = NULL WHERE id % 10 = 0; "
                 "ALTER TABLE chunks ENABLE TRIGGER chunks_embedding_bits_fill;",
        .passes = "UPDATE chunks SET importance = importance;",
    },
    [TRIGGER_DISABLED] = {
        .id = "trigger-disabled",
        .group = GROUP_PARTS,
        .severity = SEVERITY_ERROR,
        .summary = "the trigger that keeps a stored column true is gone or does not run",
        .why = "Rows that are written from now on are not found by the search, or by their old "
               "vector.",
        .instead = "`ALTER TABLE … ENABLE TRIGGER …`, or `pgmend vector tune` when it is gone; then "
                   "`pgmend vector check` tells which rows were missed.",
        .fires = "ALTER TABLE chunks DISABLE TRIGGER chunks_embedding_bits_fill;",
        .passes = "ALTER TABLE chunks ENABLE TRIGGER chunks_embedding_bits_fill;",
    },
    [FUNCTIONS_CHANGED] = {
        .id = "functions-changed",
        .group = GROUP_PARTS,
        .severity = SEVERITY_WARNING,
        .summary = "an installed function is gone or is not the one that was installed",
        .why = "What applications call is not what was measured. A migration or a person replaced "
               "it, or this pgmend makes a newer version of it.",
        .instead = "`pgmend vector install` puts it back; what is there now is kept in the "
                   "journal and comes back with `pgmend rollback`.",
        .fires = "ALTER FUNCTION search_embeddings_basic STRICT;",
        .passes = "pgmend vector install",
    },
    [PGVECTOR_CHANGED] = {
        .id = "pgvector-changed",
        .group = GROUP_PARTS,
        .severity = SEVERITY_ADVICE,
        .summary = "pgvector has another version than when the search was chosen",
        .why = "Versions differ in what indexes find, how fast they are and which settings there "
               "are; what was measured with one is not promised by another.",
        .instead = TUNE,
        .fires = "UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector';",
        .passes = "UPDATE pg_extension SET extversion = '0.8.0' WHERE extname = 'vector';",
    },
    [TENANTS_OUTGROWN] = {
        .id = "tenants-outgrown",
        .group = GROUP_GROWTH,
        .severity = SEVERITY_WARNING,
        .summary = "tenants are larger than those that were measured",
        .why = "The time of a search grows with its tenant, and the settings that an approximate "
               "index needs for the same recall grow too.",
        .instead = TUNE,
        .fires = "UPDATE chunks SET assistant_id = 1;",
        .passes = "UPDATE chunks SET assistant_id = id % 20;",
    },
    [ROWS_GROWN] = {
        .id = "rows-grown",
        .group = GROUP_GROWTH,
        .severity = SEVERITY_ADVICE,
        .summary = "the table has more than half as many rows again as when the search was chosen",
        .why = "What was measured was measured on a smaller table; the best choice may be another "
               "one now.",
        .instead = TUNE,
        .fires = "INSERT INTO chunks (assistant_id, importance, embedding) "
                 "SELECT assistant_id, importance, embedding FROM chunks WHERE id <= 2000;",
        .passes = "DELETE FROM chunks WHERE id > 3000;",
    },
    [NOT_INDEX_ONLY] = {
        .id = "not-index-only",
        .group = GROUP_PARTS,
        .severity = SEVERITY_ADVICE,
        .summary = "the table wants a vacuum: searches visit it where the index would do",
        .why = "An index-only scan has to look at the table for each row of a page that is not "
               "known to be visible to all.",
        .instead = "`VACUUM` the table, and let autovacuum come more often: "
                   "`ALTER TABLE … SET (autovacuum_vacuum_scale_factor = 0.02, "
                   "autovacuum_vacuum_insert_scale_factor = 0.02)`.",
        .fires = "UPDATE chunks SET importance = importance; ANALYZE chunks;",
        .passes = "VACUUM (ANALYZE) chunks;",
    },
    [CHECK_RULE_COUNT] = { 0 },
};
/* clang-format on */
