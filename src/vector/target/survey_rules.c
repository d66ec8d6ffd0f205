/* The rules of the survey. */
#include "vector/target/survey_part.h"

/*
 * Six thousand rows of three dimensions: half of them are tenant 1's, the others have ten each.
 */
#define CHUNKS                                                                     \
    "CREATE TABLE chunks (id int PRIMARY KEY, tenant_id int, v vector(3));\n"      \
    "INSERT INTO chunks SELECT i, CASE WHEN i % 2 = 0 THEN 1 ELSE i / 20 + 2 END," \
    " ARRAY[sin(i * i), cos(i * i), sin(i)]::vector FROM generate_series(1, 6000) i;\n"

/* The same in ten tenants of the same size. */
#define EVEN_CHUNKS                                                                      \
    "CREATE TABLE chunks (id int PRIMARY KEY, tenant_id int, v vector(3));\n"            \
    "INSERT INTO chunks SELECT i, i % 10, ARRAY[sin(i * i), cos(i * i), sin(i)]::vector" \
    " FROM generate_series(1, 6000) i;\n"

#define FEW_CHUNKS                                                                      \
    "CREATE TABLE chunks (id int PRIMARY KEY, tenant_id int, v vector(3));\n"           \
    "INSERT INTO chunks SELECT i, i % 3, ARRAY[sin(i * i), cos(i * i), sin(i)]::vector" \
    " FROM generate_series(1, 300) i;\n"

#define COSINE_INDEX  "CREATE INDEX chunks_v ON chunks USING hnsw (v vector_cosine_ops);\n"
#define TENANT_INDEX  "CREATE INDEX chunks_tenant ON chunks (tenant_id);\n"
#define TENANT_SEARCH "SELECT id FROM chunks WHERE tenant_id = 1 ORDER BY v <=> '[1,2,3]' LIMIT 10;"

/* clang-format off */
const struct rule vector_rules[] = {
    [RULE_OPERATOR] = {
        .id = "operator-class-mismatch",
        .group = "Searches",
        .severity = SEVERITY_ERROR,
        .summary = "no vector index is built for the operator",
        .why = "An approximate index serves the one operator of its operator class. A search by "
               "another one reads and sorts every row, and the index only costs room and writes. "
               "For vectors that are not of length one the order differs as well: by cosine and by "
               "L2 the nearest rows are not the same.",
        .instead = "Sort by the operator that the embeddings are made for, `<=>` for cosine, or "
                   "build the index with the operator class of the operator in use: `<=>` is "
                   "`vector_cosine_ops`, `<->` is `vector_l2_ops`, `<#>` is `vector_ip_ops`, `<+>` "
                   "is `vector_l1_ops`.",
        .fires = FEW_CHUNKS COSINE_INDEX
                 "SELECT id FROM chunks ORDER BY v <-> '[1,2,3]' LIMIT 10;",
        .passes = FEW_CHUNKS COSINE_INDEX
                  "SELECT id FROM chunks ORDER BY v <=> '[1,2,3]' LIMIT 10;",
    },
    [RULE_EXPRESSION] = {
        .id = "order-by-expression",
        .group = "Searches",
        .severity = SEVERITY_WARNING,
        .summary = "searches sort by an expression over the distance",
        .why = "An index gives rows in the order of the distance alone. `ORDER BY 1 - (a <=> b) "
               "DESC` is the same order to a reader and another one to the planner, which reads "
               "and sorts every row.",
        .instead = "Sort by the distance itself, ascending, and compute the similarity in the list "
                   "of columns: `SELECT 1 - (v <=> $1) AS similarity … ORDER BY v <=> $1`.",
        .fires = FEW_CHUNKS COSINE_INDEX
                 "SELECT id FROM chunks ORDER BY 1 - (v <=> '[1,2,3]') DESC LIMIT 10;",
        .passes = FEW_CHUNKS COSINE_INDEX
                  "SELECT id, 1 - (v <=> '[1,2,3]') FROM chunks ORDER BY v <=> '[1,2,3]' LIMIT 10;",
    },
    [RULE_NOT_MATCHED] = {
        .id = "index-not-matched",
        .group = "Searches",
        .severity = SEVERITY_WARNING,
        .summary = "searches cannot use the vector index, even when forced",
        .why = "Operator and operator class agree, but the expressions do not: an index on a cast "
               "such as `v::halfvec(3)` serves only searches that sort by the same cast, and a "
               "search without LIMIT, or by a column of another query, may not be servable at all.",
        .instead = "Write the search with the very expression of the index, with a LIMIT.",
        .fires = FEW_CHUNKS
                 "CREATE INDEX chunks_v ON chunks USING hnsw ((v::halfvec(3)) halfvec_cosine_ops);\n"
                 "SELECT id FROM chunks ORDER BY v <=> '[1,2,3]' LIMIT 10;",
        .passes = FEW_CHUNKS
                  "CREATE INDEX chunks_v ON chunks USING hnsw ((v::halfvec(3)) halfvec_cosine_ops);\n"
                  "SELECT id FROM chunks ORDER BY v::halfvec(3) <=> '[1,2,3]' LIMIT 10;",
    },
    [RULE_SHORT] = {
        .id = "short-results",
        .group = "Searches",
        .severity = SEVERITY_ERROR,
        .summary = "searches return fewer rows than they should",
        .why = "An approximate index gives its nearest rows of all tenants, and the condition is "
               "applied afterwards: what remains may be less than the LIMIT, or nothing. Nobody "
               "sees an error; answers are just missing.",
        .instead = "Do not filter behind an approximate index: search the tenant's rows exactly, by "
                   "an index on the tenant, or give large tenants an index of their own. `pgmend "
                   "vector tune` measures which. Until then, from pgvector 0.8.0 on: `SET "
                   "hnsw.iterative_scan = relaxed_order`, or `ivfflat.iterative_scan`.",
        .fires = EVEN_CHUNKS COSINE_INDEX "ANALYZE chunks;\n" TENANT_SEARCH,
        .passes = EVEN_CHUNKS COSINE_INDEX "ANALYZE chunks;\n" TENANT_SEARCH "\n"
                  "ALTER DATABASE replyx SET hnsw.iterative_scan = relaxed_order;",
    },
    [RULE_RECALL] = {
        .id = "low-recall",
        .group = "Searches",
        .severity = SEVERITY_WARNING,
        .summary = "searches by the approximate index miss right answers",
        .why = "An approximate index trades right answers for speed, by settings (`hnsw.ef_search`, "
               "`ivfflat.probes`) whose defaults suit few tables. Without comparing with an exact "
               "search nobody notices.",
        .instead = "Let `pgmend vector tune` measure which way to search is fast enough and right.",
        .fires = EVEN_CHUNKS
                 "CREATE INDEX chunks_v ON chunks USING ivfflat (v vector_cosine_ops) WITH "
                 "(lists = 600);\nANALYZE chunks;\n"
                 "SELECT id FROM chunks ORDER BY v <=> '[1,2,3]' LIMIT 10;",
        .passes = EVEN_CHUNKS COSINE_INDEX "ANALYZE chunks;\n"
                  "ALTER DATABASE replyx SET hnsw.ef_search = 400;\n"
                  "SELECT id FROM chunks ORDER BY v <=> '[1,2,3]' LIMIT 10;",
    },
    [RULE_FLIP] = {
        .id = "planner-flip",
        .group = "Plans",
        .severity = SEVERITY_WARNING,
        .summary = "large tenants are searched by an index of all tenants",
        .why = "From some size on the planner thinks that walking an approximate index of all "
               "tenants and dropping the rows of others is cheaper than reading the tenant's own "
               "rows. Answers that were exact become approximate, and may become short, as soon as "
               "a tenant grows over that size, or when such an index is added.",
        .instead = "Drop the global index when no search without a tenant needs it, or make it "
                   "partial, one for each large tenant. `pgmend vector tune` measures what is "
                   "better.",
        .fires = CHUNKS COSINE_INDEX TENANT_INDEX "ANALYZE chunks;\n" TENANT_SEARCH,
        .passes = CHUNKS TENANT_INDEX "ANALYZE chunks;\n" TENANT_SEARCH,
    },
    [RULE_GENERIC] = {
        .id = "generic-plan",
        .group = "Plans",
        .severity = SEVERITY_WARNING,
        .summary = "prepared searches change their plan after five times",
        .why = "A prepared statement is planned for its parameters five times; then the server "
               "takes a generic plan when that looks no dearer. It does not know the tenant, so it "
               "uses neither a partial index nor what is right for a large tenant: the same search "
               "is suddenly slower, or less right, in connections that live long.",
        .instead = "`SET plan_cache_mode = force_custom_plan` for the role, the database or around "
                   "the search (functions: as their own SET clause).",
        .fires = CHUNKS COSINE_INDEX TENANT_INDEX "ANALYZE chunks;\n" TENANT_SEARCH,
        .passes = CHUNKS COSINE_INDEX TENANT_INDEX "ANALYZE chunks;\n" TENANT_SEARCH "\n"
                  "ALTER DATABASE replyx SET plan_cache_mode = force_custom_plan;",
    },
    [RULE_ITERATIVE] = {
        .id = "no-iterative-scan",
        .group = "Plans",
        .severity = SEVERITY_WARNING,
        .summary = "a filter behind an approximate index may empty it",
        .why = "Without them an index scan ends after its first `hnsw.ef_search` (or the rows of "
               "`ivfflat.probes` lists), whatever the filter leaves of them.",
        .instead = "`SET hnsw.iterative_scan = relaxed_order` (or `ivfflat.iterative_scan`), and "
                   "mind `hnsw.max_scan_tuples`; better: no filter behind an approximate index.",
        .fires = EVEN_CHUNKS COSINE_INDEX "ANALYZE chunks;\n" TENANT_SEARCH,
        .passes = EVEN_CHUNKS COSINE_INDEX "ANALYZE chunks;\n" TENANT_SEARCH "\n"
                  "ALTER DATABASE replyx SET hnsw.iterative_scan = relaxed_order;",
    },
    [RULE_EF_SEARCH] = {
        .id = "ef-search-below-limit",
        .group = "Plans",
        .severity = SEVERITY_ERROR,
        .summary = "an HNSW scan returns fewer rows than asked",
        .why = "Without iterative scans a scan of an HNSW index returns at most `hnsw.ef_search` "
               "rows, 40 by default, whatever the LIMIT.",
        .instead = "Set `hnsw.ef_search` to at least the LIMIT, better twice as much.",
        .fires = FEW_CHUNKS COSINE_INDEX
                 "SELECT id FROM chunks ORDER BY v <=> '[1,2,3]' LIMIT 100;",
        .passes = FEW_CHUNKS COSINE_INDEX
                  "SELECT id FROM chunks ORDER BY v <=> '[1,2,3]' LIMIT 40;",
    },
    [RULE_TENANT_INDEX] = {
        .id = "tenant-not-indexed",
        .group = "Indexes",
        .severity = SEVERITY_WARNING,
        .summary = "no index begins with the tenant of the searches",
        .why = "Exact search needs to find the rows of a tenant; without an index every search "
               "reads the whole table, or the planner takes an approximate index instead.",
        .instead = "`CREATE INDEX CONCURRENTLY ON chunks (tenant_id)`, with the columns of the other "
                   "conditions behind it.",
        .fires = EVEN_CHUNKS TENANT_SEARCH,
        .passes = EVEN_CHUNKS TENANT_INDEX TENANT_SEARCH,
    },
    [RULE_SMALL_TENANTS] = {
        .id = "ann-for-small-tenants",
        .group = "Indexes",
        .severity = SEVERITY_ADVICE,
        .summary = "every tenant is small: exact search is as fast",
        .why = "Up to some thousand rows of a tenant (about 1,000 when the vectors stand in the "
               "TOAST table, 3,000 when they stand in the row; measured with 1,536 dimensions) "
               "exact search is as fast as an approximate index, always right, and needs no build.",
        .instead = "Drop the index when nothing searches without a tenant, and keep an index on the "
                   "tenant.",
        .fires = FEW_CHUNKS COSINE_INDEX TENANT_INDEX TENANT_SEARCH,
        .passes = FEW_CHUNKS TENANT_INDEX TENANT_SEARCH,
    },
    [RULE_TOASTED] = {
        .id = "vector-toasted",
        .group = "Storage",
        .severity = SEVERITY_ADVICE,
        .summary = "the vectors stand in the TOAST table",
        .why = "A row over 2 kB has its largest values moved out, so every distance has to fetch "
               "and join the pieces of a vector first. Measured with 1,536 dimensions: 3.5 µs a row "
               "instead of 1.3 µs inside the row.",
        .instead = "`pgmend vector tune` measures storage inside the row, `halfvec` and stored bits "
                   "on your own rows. `SET STORAGE PLAIN` alone moves nothing: the table has to be "
                   "rewritten.",
        .fires = "CREATE TABLE chunks (id int PRIMARY KEY, tenant_id int, v vector(768));\n"
                 "INSERT INTO chunks SELECT i, 1, (SELECT array_agg(sin(i * k)) FROM "
                 "generate_series(1, 768) k)::vector FROM generate_series(1, 200) i;",
        .passes = "CREATE TABLE chunks (id int PRIMARY KEY, tenant_id int, v vector(768));\n"
                  "ALTER TABLE chunks ALTER v SET STORAGE PLAIN;\n"
                  "INSERT INTO chunks SELECT i, 1, (SELECT array_agg(sin(i * k)) FROM "
                  "generate_series(1, 768) k)::vector FROM generate_series(1, 200) i;",
    },
    [RULE_LISTS] = {
        .id = "ivfflat-lists",
        .group = "Indexes",
        .severity = SEVERITY_WARNING,
        .summary = "the lists of an IVFFlat index do not fit the table",
        .why = "The lists are made once, when the index is built: on an empty or much smaller table "
               "their centres mean nothing. Too few lists make every search slow, too many (or more "
               "than rows) leave most of them empty and lose right answers.",
        .instead = "Build it anew when the table is filled, with rows / 1,000 lists up to a million "
                   "rows and the square root of the rows above: `REINDEX INDEX CONCURRENTLY` after "
                   "`ALTER INDEX … SET (lists = …)`.",
        .fires = FEW_CHUNKS
                 "CREATE INDEX chunks_v ON chunks USING ivfflat (v vector_cosine_ops) WITH (lists = 1000);",
        .passes = FEW_CHUNKS
                  "CREATE INDEX chunks_v ON chunks USING ivfflat (v vector_cosine_ops) WITH (lists = 17);",
    },
    [RULE_INVALID] = {
        .id = "index-invalid",
        .group = "Indexes",
        .severity = SEVERITY_ERROR,
        .summary = "an index on the vectors is not usable",
        .why = "A CREATE INDEX CONCURRENTLY that failed leaves an index that no search uses and "
               "every write keeps up.",
        .instead = "`DROP INDEX CONCURRENTLY` it, and build it again, or `REINDEX INDEX "
                   "CONCURRENTLY`.",
        .fires = FEW_CHUNKS COSINE_INDEX
                 "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'chunks_v'::regclass;",
        .passes = FEW_CHUNKS COSINE_INDEX,
    },
    [RULE_UNUSED] = {
        .id = "index-unused",
        .group = "Indexes",
        .severity = SEVERITY_ADVICE,
        .summary = "searches run, but this vector index was never scanned",
        .why = "It takes room and makes every write slower, for nothing.",
        .instead = "Find out why (other findings tell), or drop it: `DROP INDEX CONCURRENTLY`.",
        .fires = FEW_CHUNKS COSINE_INDEX
                 "SELECT id FROM chunks ORDER BY v <-> '[1,2,3]' LIMIT 10;",
        .passes = FEW_CHUNKS COSINE_INDEX "SET enable_seqscan = off;\n"
                  "SELECT id FROM chunks ORDER BY v <=> '[1,2,3]' LIMIT 10;",
    },
    [RULE_BUILD_MEMORY] = {
        .id = "maintenance-work-mem",
        .group = "Server",
        .severity = SEVERITY_ADVICE,
        .summary = "too little memory to build the vector index",
        .why = "An HNSW graph that does not fit is finished on disk, many times slower; IVFFlat "
               "refuses to start.",
        .instead = "`SET maintenance_work_mem` for the session that builds; pgmend's own plans do.",
        .fires = EVEN_CHUNKS COSINE_INDEX
                 "ALTER DATABASE replyx SET maintenance_work_mem = '1MB';",
        .passes = EVEN_CHUNKS COSINE_INDEX
                  "ALTER DATABASE replyx SET maintenance_work_mem = '64MB';",
    },
    [RULE_PARALLEL_BUILD] = {
        .id = "pgvector-parallel-build",
        .group = "Server",
        .severity = SEVERITY_WARNING,
        .summary = "parallel HNSW builds may overflow a buffer",
        .why = "pgvector 0.6.0 to 0.8.1 have a buffer overflow in parallel HNSW builds (issue 959, "
               "fixed in 0.8.2).",
        .instead = "Install pgvector 0.8.2 or later and `ALTER EXTENSION vector UPDATE`; until then "
                   "build with `SET max_parallel_maintenance_workers = 0`, as pgmend does.",
        .fires = FEW_CHUNKS "ALTER EXTENSION vector UPDATE TO '0.8.1';",
        .passes = FEW_CHUNKS "ALTER EXTENSION vector UPDATE TO '0.8.2';",
    },
    [RULE_VACUUM_BUG] = {
        .id = "pgvector-vacuum",
        .group = "Server",
        .severity = SEVERITY_WARNING,
        .summary = "vacuuming HNSW indexes may damage them",
        .why = "Before 0.8.3 vacuuming an HNSW index can corrupt it; before 0.8.4 vacuum and insert "
               "can fail with errors.",
        .instead = "Install pgvector 0.8.4 or later, `ALTER EXTENSION vector UPDATE`, and `REINDEX "
                   "INDEX CONCURRENTLY` the HNSW indexes.",
        .fires = FEW_CHUNKS COSINE_INDEX "ALTER EXTENSION vector UPDATE TO '0.8.3';",
        .passes = FEW_CHUNKS COSINE_INDEX "ALTER EXTENSION vector UPDATE TO '0.8.4';",
    },
    [RULE_NULL_VECTORS] = {
        .id = "null-vectors",
        .group = "Rows",
        .severity = SEVERITY_ADVICE,
        .summary = "rows have no vector",
        .why = "No search by an index finds them, and an exact one puts them last.",
        .instead = "Compute what is missing, and make the column NOT NULL.",
        .fires = FEW_CHUNKS "UPDATE chunks SET v = NULL WHERE id = 7;",
        .passes = FEW_CHUNKS,
    },
    [RULE_ZERO_VECTORS] = {
        .id = "zero-vectors",
        .group = "Rows",
        .severity = SEVERITY_WARNING,
        .summary = "vectors of length zero under the cosine distance",
        .why = "A vector without length has no direction: its cosine distance is NaN, indexes leave "
               "it out, and exact search sorts it behind all others.",
        .instead = "They are usually failed or empty embeddings: compute them again, or store NULL.",
        .fires = FEW_CHUNKS "UPDATE chunks SET v = '[0,0,0]' WHERE id = 7;",
        .passes = FEW_CHUNKS,
    },
    [RULE_NOT_FINITE] = {
        .id = "vectors-not-finite",
        .group = "Rows",
        .severity = SEVERITY_ERROR,
        .summary = "vectors hold NaN or infinity, or are too long",
        .why = "Distances to them are NaN or infinite, and indexes cannot place them.",
        .instead = "Compute them again.",
        .fires = FEW_CHUNKS "UPDATE chunks SET v = '[3e38,3e38,0]' WHERE id = 7;",
        .passes = FEW_CHUNKS,
    },
    [RULE_NULL_TENANT] = {
        .id = "null-tenant",
        .group = "Rows",
        .severity = SEVERITY_WARNING,
        .summary = "rows belong to no tenant",
        .why = "A search with `tenant = $1` never finds them, but they take part in every "
               "approximate index and in its build.",
        .instead = "Give them to a tenant, delete them, or search for them with IS NULL on purpose.",
        .fires = FEW_CHUNKS TENANT_SEARCH "\nUPDATE chunks SET tenant_id = NULL WHERE id = 7;",
        .passes = FEW_CHUNKS TENANT_SEARCH,
    },
    [RULE_HASH_DUPLICATES] = {
        .id = "duplicate-hashes",
        .group = "Rows",
        .severity = SEVERITY_ADVICE,
        .summary = "a tenant has the same text several times",
        .why = "Duplicates take the places of other answers within the LIMIT.",
        .instead = "`SELECT * FROM cleanup_duplicate_embeddings()` (from `pgmend vector install`) "
                   "shows what it would remove; then a unique index on tenant and hash.",
        .fires = "CREATE TABLE chunks (id int PRIMARY KEY, chunk_hash text, v vector(2));\n"
                 "INSERT INTO chunks SELECT i, i % 5, ARRAY[i, 1]::vector FROM generate_series(1, 9) i;",
        .passes = "CREATE TABLE chunks (id int PRIMARY KEY, chunk_hash text, v vector(2));\n"
                  "INSERT INTO chunks SELECT i, i, ARRAY[i, 1]::vector FROM generate_series(1, 9) i;",
    },
    [RULE_VALUE_DUPLICATES] = {
        .id = "duplicate-vectors",
        .group = "Rows",
        .severity = SEVERITY_ADVICE,
        .summary = "a tenant has the same vector several times",
        .why = "The same vector is the same text, or a failed embedding that came again: it takes "
               "the places of other answers within the LIMIT, and a large group of equal vectors "
               "spoils an HNSW graph.",
        .instead = "Find out where they come from before removing any.",
        .fires = FEW_CHUNKS "UPDATE chunks SET v = '[1,1,1]' WHERE id < 7;",
        .passes = FEW_CHUNKS,
    },
    [RULE_DIMENSIONS] = {
        .id = "dims-mismatch",
        .group = "Rows",
        .severity = SEVERITY_ERROR,
        .summary = "a column holds vectors of different numbers of dimensions",
        .why = "A search that meets a vector of another number fails with \"different vector "
               "dimensions\", and no index can be built.",
        .instead = "One model a column: move the others away, then `ALTER COLUMN … TYPE "
                   "vector(1536)`.",
        .fires = "CREATE TABLE chunks (id int PRIMARY KEY, v vector);\n"
                 "INSERT INTO chunks VALUES (1, '[1,2]'), (2, '[1,2,3]');",
        .passes = "CREATE TABLE chunks (id int PRIMARY KEY, v vector);\n"
                  "INSERT INTO chunks VALUES (1, '[1,2]'), (2, '[1,3]');",
    },
    [RULE_KEY] = {
        .id = "key-missing",
        .group = "Rows",
        .severity = SEVERITY_ADVICE,
        .summary = "the table has no primary key of one column",
        .why = "`pgmend vector tune` cannot work on it: it tells rows by their key, to compare the "
               "answers of a search with the right ones and to fill columns in batches.",
        .instead = "`ALTER TABLE … ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY` "
                   "(this rewrites the table under a lock), or make one of the columns the key.",
        .fires = "CREATE TABLE chunks (tenant_id int, id int, v vector(3), PRIMARY KEY (tenant_id, "
                 "id));\nINSERT INTO chunks SELECT 1, i, ARRAY[i, 1, 2]::vector FROM "
                 "generate_series(1, 9) i;",
        .passes = FEW_CHUNKS,
    },
    [RULE_STATISTICS] = {
        .id = "stats-stale",
        .group = "Server",
        .severity = SEVERITY_WARNING,
        .summary = "the planner does not know how many rows the table has",
        .why = "It chooses between the tenant's rows and an approximate index by its statistics; "
               "when they are old or missing it chooses wrong.",
        .instead = "`ANALYZE` the table, and see why autovacuum did not.",
        .fires = EVEN_CHUNKS "ALTER TABLE chunks SET (autovacuum_enabled = off);",
        .passes = EVEN_CHUNKS "ANALYZE chunks;",
    },
    [RULE_COUNT] = { .id = NULL },
};
/* clang-format on */
