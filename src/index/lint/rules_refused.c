/* What the server refuses, whatever rows there are. */
#include "index/lint/rules.h"

#define GROUP "What the server refuses"

const struct rule lint_rules_refused[LINT_RULE_COUNT] = {
    [LINT_SYNTAX] = {
        .id = "syntax-error",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "a statement that is no SQL",
        .why = "The server cannot read the statement. In CREATE INDEX the usual reason is an expression that is "
               "no plain function call, as a cast, without parentheses of its own.",
        .instead = "Write ((expression)): CREATE INDEX i ON t ((a::date)).",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score::text);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users ((score::text));",
    },
    [LINT_GRAMMAR] = {
        .id = "grammar-unknown",
        .group = GROUP,
        .severity = SEVERITY_ADVICE,
        .summary = "syntax that pgmend's grammar does not know and the server takes",
        .why = "pgmend reads SQL with the grammar of one major version. The server has tried the statement and "
               "takes it; rules that need its parse tree were not checked.",
        .instead = "Nothing: look at it yourself.",
        .fires = NULL,
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_SCHEMA] = {
        .id = "unknown-schema",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "a schema that is not there",
        .why = "The statement names a schema that this database does not have.",
        .instead = "Correct the name.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON pubic.users (score);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON public.users (score);",
    },
    [LINT_TABLE] = {
        .id = "unknown-table",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "a table that is not there",
        .why = "No relation of this name is found along the search_path of this role.",
        .instead = "Correct the name, or write its schema.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON usrs (score);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_NOT_TABLE] = {
        .id = "not-a-table",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "an index on what cannot have one",
        .why = "Only tables, partitioned tables and materialized views have indexes.",
        .instead = "Index the table behind the view, or the foreign server's own table.",
        .fires = LINT_USERS "CREATE VIEW best AS SELECT * FROM users WHERE score > 90;\n" LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON best (score);",
        .passes = LINT_USERS "CREATE MATERIALIZED VIEW best AS SELECT * FROM users;\n" LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON best (score);",
    },
    [LINT_COLUMN] = {
        .id = "unknown-column",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "a column that is not there",
        .why = "The table has no such column; often a later migration has renamed or removed it.",
        .instead = "Correct the name, or drop the statement with the column.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (e_mail);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (email);",
    },
    [LINT_METHOD] = {
        .id = "unknown-access-method",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "an access method that is not there",
        .why = "USING names neither a built-in access method nor one of an installed extension.",
        .instead = "Correct the name: btree, hash, gin, gist, spgist, brin.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users USING btre (score);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users USING btree (score);",
    },
    [LINT_CLASS] = {
        .id = "unknown-operator-class",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "an operator class that is not there",
        .why = "The access method has no operator class of this name.",
        .instead = "Correct the name; the default class needs none.",
        .fires = LINT_USERS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON users (email text_patern_ops);",
        .passes = LINT_USERS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON users (email text_pattern_ops);",
    },
    [LINT_NO_EXTENSION] = {
        .id = "missing-extension",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "an index that needs an extension which is not installed",
        .why = "The operator class or access method comes with an extension, and this database has not got it.",
        .instead = "CREATE EXTENSION first; it needs a superuser, or trust for the extension.",
        .fires = LINT_USERS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON users USING gin (email gin_trgm_ops);",
        .passes = "CREATE EXTENSION pg_trgm;\n" LINT_USERS LINT_SCRIPT
                  "CREATE INDEX CONCURRENTLY i ON users USING gin (email gin_trgm_ops);",
    },
    [LINT_TABLESPACE] = {
        .id = "unknown-tablespace",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "a tablespace that is not there",
        .why = "TABLESPACE names none of this cluster.",
        .instead = "Leave it out, or make the tablespace first.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score) TABLESPACE fast;",
        .passes =
            LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score) TABLESPACE pg_default;",
    },
    [LINT_SUBQUERY] = {
        .id = "subquery-in-index",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "a subquery in a key or predicate",
        .why = "An index can only depend on its own row: the server refuses subqueries.",
        .instead = "Keep what the subquery looks up in a column of this table, or leave the condition out.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score)\n"
                                        " WHERE id IN (SELECT id FROM users WHERE active);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score) WHERE active;",
    },
    [LINT_NOT_IMMUTABLE] = {
        .id = "not-immutable",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "a key or predicate whose value changes with time or settings",
        .why = "Functions of an index must be IMMUTABLE. now() is not; neither is a cast of timestamptz to date, "
               "which depends on the time zone, or to_tsvector() without its configuration.",
        .instead = "Use a constant, or index the column itself; for a day of timestamptz: "
                   "((seen_at AT TIME ZONE 'UTC')::date).",
        .fires = LINT_USERS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON users (score) WHERE seen_at > now() - interval '30 days';",
        .passes = LINT_USERS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON users (((seen_at AT TIME ZONE 'UTC')::date));",
    },
    [LINT_REFUSED] = {
        .id = "server-refuses",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "a statement that the server refuses for another reason",
        .why = "The server has tried the statement on an empty temporary copy of the table and said no.",
        .instead = "Read the server's words.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users USING gin (score);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users USING brin (score);",
    },
    [LINT_IN_TRANSACTION] = {
        .id = "concurrently-in-transaction",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "CONCURRENTLY between BEGIN and COMMIT",
        .why = "CREATE INDEX CONCURRENTLY needs several transactions of its own: the server refuses it in one.",
        .instead = "Put it outside; psql --single-transaction and tools that wrap a file will not do either.",
        .fires = LINT_USERS LINT_SCRIPT
            "BEGIN;\nCREATE INDEX CONCURRENTLY i ON users (score);\nCOMMIT;",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_IN_BLOCK] = {
        .id = "concurrently-in-block",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "CONCURRENTLY inside a DO block or function",
        .why = "Code in the server runs in a transaction: CREATE INDEX CONCURRENTLY cannot be executed from a "
               "function. Where a condition stands before it, that goes unnoticed until the condition is true.",
        .instead = "Write it as a statement of its own.",
        .fires = LINT_USERS LINT_SCRIPT
            "DO $$ BEGIN EXECUTE 'CREATE INDEX CONCURRENTLY i ON users (score)'; END $$;",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_PARTITIONED] = {
        .id = "concurrently-on-partitioned",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "CONCURRENTLY on a partitioned table",
        .why = "The server cannot build an index of a partitioned table concurrently, and without the word it "
               "blocks writes to all partitions.",
        .instead = "CREATE INDEX … ON ONLY the parent, build each partition's index CONCURRENTLY, and ALTER "
                   "INDEX … ATTACH PARTITION each.",
        .fires = "CREATE TABLE p (a int) PARTITION BY RANGE (a);\n" LINT_SCRIPT
                 "CREATE INDEX CONCURRENTLY i ON p (a);",
        .passes = "CREATE TABLE p (a int) PARTITION BY RANGE (a);\n"
                  "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);\n" LINT_SCRIPT
                  "CREATE INDEX CONCURRENTLY i ON p1 (a);",
    },
    [LINT_NAME_TAKEN] = {
        .id = "name-taken",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "the index's name belongs to something else",
        .why = "Tables, views, sequences and indexes of a schema share their names.",
        .instead = "Choose another name.",
        .fires = LINT_USERS "CREATE TABLE scores (id int);\n" LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY scores ON users (score);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_NAME_TWICE] = {
        .id = "name-used-twice",
        .group = GROUP,
        .severity = SEVERITY_ERROR,
        .summary = "the script uses a name for two indexes",
        .why = "The second one fails, or with IF NOT EXISTS is silently not made.",
        .instead = "Choose another name.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);\n"
                                        "CREATE INDEX CONCURRENTLY i ON users (seen_at);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);\n"
                                         "CREATE INDEX CONCURRENTLY k ON users (seen_at);",
    },
};
