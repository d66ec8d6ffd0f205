/* What fails or does harm once there are rows, and what hides that it failed. */
#include "index/lint/rules.h"

#define GROUP_ROWS  "What fails or harms once there are rows"
#define GROUP_THERE "What IF NOT EXISTS hides"
#define GROUP_NAMES "Names"

/* The extension of vectors with a table of few rows. */
#define VECTORS "CREATE EXTENSION vector;\nCREATE TABLE chunks (id int PRIMARY KEY, v vector(3));\n"
#define VECTORS_ROWS                                                                                \
    VECTORS                                                                                         \
    "INSERT INTO chunks SELECT g, ARRAY[g, g % 7, 1]::vector FROM generate_series(1, 5000) AS g;\n" \
    "ANALYZE chunks;\n"
#define LEFT_OVER LINT_USERS_ROWS "CREATE UNIQUE INDEX CONCURRENTLY i ON users (score); -- fails\n"

const struct rule lint_rules_harm[LINT_RULE_COUNT] = {
    [LINT_NOT_UNIQUE] = {
        .id = "unique-over-duplicates",
        .group = GROUP_ROWS,
        .severity = SEVERITY_ERROR,
        .summary = "a UNIQUE index over values that are not unique",
        .why = "The build fails with \"could not create unique index\" and leaves an INVALID index, which every "
               "write still pays for.",
        .instead = "Remove the duplicates first, or leave UNIQUE out.",
        .fires = LINT_USERS_ROWS LINT_SCRIPT "CREATE UNIQUE INDEX CONCURRENTLY i ON users (score);",
        .passes = LINT_USERS_ROWS LINT_SCRIPT "CREATE UNIQUE INDEX CONCURRENTLY i ON users (email);",
    },
    [LINT_LEFT_OVER] = {
        .id = "if-not-exists-invalid",
        .group = GROUP_THERE,
        .severity = SEVERITY_ERROR,
        .summary = "an INVALID index of this name is there",
        .why = "A build that failed has left it. With IF NOT EXISTS the statement does nothing and succeeds; "
               "without, it fails. No query uses the index, and every write pays for it.",
        .instead = "DROP INDEX CONCURRENTLY first; pgmend index apply --drop-invalid does both.",
        .fires = LEFT_OVER LINT_SCRIPT "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (score);",
        .passes = LINT_USERS_ROWS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_EXISTS_OTHERWISE] = {
        .id = "if-not-exists-different",
        .group = GROUP_THERE,
        .severity = SEVERITY_ERROR,
        .summary = "a different index of this name is there",
        .why = "With IF NOT EXISTS the statement does nothing and succeeds: what was wanted is not there.",
        .instead = "Choose another name, and drop the old index when the new one has replaced it.",
        .fires = LINT_USERS "CREATE INDEX i ON users (score);\n" LINT_SCRIPT
                            "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (score, seen_at);",
        .passes = LINT_USERS "CREATE INDEX i ON users (score);\n" LINT_SCRIPT
                             "CREATE INDEX CONCURRENTLY k ON users (seen_at, score);",
    },
    [LINT_EXISTS] = {
        .id = "index-exists",
        .group = GROUP_THERE,
        .severity = SEVERITY_ADVICE,
        .summary = "this very index is there already",
        .why = "The statement has nothing to do: with IF NOT EXISTS it succeeds, without it fails. pgmend index "
               "apply sees that the index is there.",
        .instead = "Leave the statement out.",
        .fires = LINT_USERS "CREATE INDEX i ON users (score);\n" LINT_SCRIPT
                            "CREATE INDEX CONCURRENTLY i ON users (score);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_IF_NOT_EXISTS] = {
        .id = "if-not-exists",
        .group = GROUP_THERE,
        .severity = SEVERITY_ADVICE,
        .summary = "IF NOT EXISTS cannot tell a good index from a broken or different one",
        .why = "It looks at the name alone. A build that was cancelled, or an index of the same name with other "
               "columns, is taken for the wanted one.",
        .instead = "Leave it out: pgmend index apply compares definitions and sees what is there.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (score);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_NOT_CONCURRENT] = {
        .id = "not-concurrent",
        .group = GROUP_ROWS,
        .severity = SEVERITY_WARNING,
        .summary = "an index is built while writes wait",
        .why = "CREATE INDEX without CONCURRENTLY holds SHARE on the table until it is built: every INSERT, "
               "UPDATE and DELETE waits.",
        .instead = "CREATE INDEX CONCURRENTLY, outside a transaction.",
        .fires = LINT_USERS_ROWS LINT_SCRIPT "CREATE INDEX i ON users (seen_at);",
        .passes = LINT_USERS_ROWS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (seen_at);",
    },
    [LINT_WIDE] = {
        .id = "wide-column",
        .group = GROUP_ROWS,
        .severity = SEVERITY_WARNING,
        .summary = "a long text in a B-tree",
        .why = "An entry of a B-tree holds 2,704 bytes at most: a longer one makes the build fail, and once the "
               "index is there every INSERT of such a row. Shorter ones still make the index as large as the "
               "table.",
        .instead = "Leave the column out of INCLUDE; as a key use md5(column), or a hash or GIN index.",
        .fires = "CREATE TABLE notes (id int PRIMARY KEY, user_id int, body text);\n"
                 "INSERT INTO notes SELECT g, g, repeat(md5(g::text), 40) FROM generate_series(1, 50) AS g;\n"
                 "ANALYZE notes;\n" LINT_SCRIPT
                 "CREATE INDEX CONCURRENTLY i ON notes (user_id) INCLUDE (body);",
        .passes = "CREATE TABLE notes (id int PRIMARY KEY, user_id int, body text);\n"
                  "INSERT INTO notes SELECT g, g, repeat(md5(g::text), 40) FROM generate_series(1, 50) AS g;\n"
                  "ANALYZE notes;\n" LINT_SCRIPT
                  "CREATE INDEX CONCURRENTLY i ON notes (user_id);",
    },
    [LINT_LISTS] = {
        .id = "ivfflat-lists",
        .group = GROUP_ROWS,
        .severity = SEVERITY_WARNING,
        .summary = "a number of ivfflat lists that does not fit the rows",
        .why = "Recall and speed of ivfflat depend on lists: pgvector's advice is rows / 1000 up to a million rows "
               "and sqrt(rows) above. A number fixed in a script fits one size only.",
        .instead = "Reckon it from the rows when the index is built, or use hnsw, which needs none.",
        .fires = VECTORS_ROWS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON chunks USING ivfflat (v vector_l2_ops) WITH (lists = 500);",
        .passes = VECTORS_ROWS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON chunks USING ivfflat (v vector_l2_ops) WITH (lists = 10);",
    },
    [LINT_EMPTY] = {
        .id = "ivfflat-on-empty",
        .group = GROUP_ROWS,
        .severity = SEVERITY_WARNING,
        .summary = "an ivfflat index on a table without rows",
        .why = "ivfflat learns its lists from the rows that are there when it is built. On an empty table it learns "
               "nothing, and recall stays low for ever after.",
        .instead = "Load the rows first, or use hnsw.",
        .fires = VECTORS "ANALYZE chunks;\n" LINT_SCRIPT
                         "CREATE INDEX CONCURRENTLY i ON chunks USING ivfflat (v vector_l2_ops);",
        .passes = VECTORS "ANALYZE chunks;\n" LINT_SCRIPT
                          "CREATE INDEX CONCURRENTLY i ON chunks USING hnsw (v vector_l2_ops);",
    },
    [LINT_UNFIT_CLASS] = {
        .id = "operator-class-unfit",
        .group = GROUP_ROWS,
        .severity = SEVERITY_WARNING,
        .summary = "the queries' operator is none of the index's operator class",
        .why = "An index finds by the operators of its class only: `<->` needs vector_l2_ops, `<=>` "
               "vector_cosine_ops, `<#>` vector_ip_ops. Otherwise all rows are sorted.",
        .instead = "Use the class of the operator that the queries have.",
        .fires = VECTORS_ROWS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON chunks USING hnsw (v vector_cosine_ops);\n"
            "SELECT id FROM chunks ORDER BY v <-> '[1,2,3]' LIMIT 5;",
        .passes = VECTORS_ROWS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON chunks USING hnsw (v vector_l2_ops);\n"
            "SELECT id FROM chunks ORDER BY v <-> '[1,2,3]' LIMIT 5;",
    },
    [LINT_LONG_NAME] = {
        .id = "name-too-long",
        .group = GROUP_NAMES,
        .severity = SEVERITY_ERROR,
        .summary = "a name longer than 63 bytes",
        .why = "PostgreSQL cuts it, with a notice only: two long names may become one, and pgmend index apply "
               "refuses it.",
        .instead = "Choose a shorter name.",
        .fires = LINT_USERS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY idx_users_with_a_name_that_goes_on_and_on_until_it_is_far_too_long\n"
            "    ON users (score);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY idx_users_score ON users (score);",
    },
    [LINT_NO_NAME] = {
        .id = "no-name",
        .group = GROUP_NAMES,
        .severity = SEVERITY_ERROR,
        .summary = "an index without a name of its own",
        .why = "The server makes one up, another one at the second run; what has no name cannot be compared or "
               "undone, so pgmend index apply refuses it.",
        .instead = "CREATE INDEX CONCURRENTLY name ON …",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY ON users (score);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_ONLY] = {
        .id = "on-only",
        .group = GROUP_ROWS,
        .severity = SEVERITY_WARNING,
        .summary = "ON ONLY builds no index that can be used",
        .why = "The index of a partitioned table stays INVALID until every partition's index is attached.",
        .instead = "Build the partitions' indexes and ATTACH them, or name a partition.",
        .fires = "CREATE TABLE p (a int) PARTITION BY RANGE (a);\n" LINT_SCRIPT
                 "CREATE INDEX i ON ONLY p (a);",
        .passes = "CREATE TABLE p (a int) PARTITION BY RANGE (a);\n"
                  "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);\n" LINT_SCRIPT
                  "CREATE INDEX CONCURRENTLY i ON p1 (a);",
    },
    [LINT_AMBIGUOUS] = {
        .id = "ambiguous-table",
        .group = GROUP_NAMES,
        .severity = SEVERITY_WARNING,
        .summary = "a table without its schema, and several schemas have one of that name",
        .why = "The role's search_path decides which table gets the index; another role, another table.",
        .instead = "Write schema.table.",
        .fires = LINT_USERS "CREATE SCHEMA lint_other;\nCREATE TABLE lint_other.users (score int);\n" LINT_SCRIPT
                            "CREATE INDEX CONCURRENTLY i ON users (score);",
        .passes = LINT_USERS "CREATE SCHEMA lint_other;\nCREATE TABLE lint_other.users (score int);\n" LINT_SCRIPT
                             "CREATE INDEX CONCURRENTLY i ON public.users (score);",
    },
    [LINT_UNLOGGED] = {
        .id = "unlogged-table",
        .group = GROUP_ROWS,
        .severity = SEVERITY_ADVICE,
        .summary = "an index on an unlogged table",
        .why = "After a crash table and index are empty, and standbys never have them: an index does not make "
               "queries there fast.",
        .instead = "ALTER TABLE … SET LOGGED, if the rows matter.",
        .fires = "CREATE UNLOGGED TABLE queue (id int, due timestamptz);\n" LINT_SCRIPT
                 "CREATE INDEX CONCURRENTLY i ON queue (due);",
        .passes = "CREATE TABLE queue (id int, due timestamptz);\n" LINT_SCRIPT
                  "CREATE INDEX CONCURRENTLY i ON queue (due);",
    },
    [LINT_MANY] = {
        .id = "too-many-indexes",
        .group = GROUP_ROWS,
        .severity = SEVERITY_ADVICE,
        .summary = "a table that is written often gets more than ten indexes",
        .why = "Every INSERT, and every UPDATE that is not HOT, writes an entry into each of them.",
        .instead = "pgmend index unused shows which of those that are there nobody needs.",
        .fires = "CREATE TABLE t (a int, b int, c int, d int, e int, f int);\n"
                 "INSERT INTO t SELECT g FROM generate_series(1, 20000) AS g;\n"
                 "UPDATE t SET b = 1;\nANALYZE t;\n"
                 "CREATE INDEX x1 ON t (a, b);\nCREATE INDEX x2 ON t (a, c);\nCREATE INDEX x3 ON t (a, d);\n"
                 "CREATE INDEX x4 ON t (b, c);\nCREATE INDEX x5 ON t (b, d);\nCREATE INDEX x6 ON t (b, e);\n"
                 "CREATE INDEX x7 ON t (c, d);\nCREATE INDEX x8 ON t (c, e);\nCREATE INDEX x9 ON t (d, e);\n"
                 "CREATE INDEX x10 ON t (e, f);\n" LINT_SCRIPT
                 "CREATE INDEX CONCURRENTLY i ON t (f, a);",
        .passes = "CREATE TABLE t (a int, b int, c int, d int, e int, f int);\n"
                  "INSERT INTO t SELECT g FROM generate_series(1, 20000) AS g;\n"
                  "UPDATE t SET b = 1;\nANALYZE t;\n" LINT_SCRIPT
                  "CREATE INDEX CONCURRENTLY i ON t (f, a);",
    },
};
