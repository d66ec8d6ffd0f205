/* What the server builds and nobody gets anything from. */
#include "index/lint/rules.h"

#define GROUP_TWICE "What is there already"
#define GROUP_USE   "What no query gains by"

#define EVENTS                                                                               \
    "CREATE TABLE events (id int, kind int, at timestamptz NOT NULL);\n"                     \
    "INSERT INTO events SELECT g, g % 1000, now() - (g * 7919 % 20011) * interval '1 min'\n" \
    "  FROM generate_series(1, 20000) AS g;\nANALYZE events;\n"

const struct rule lint_rules_useless[LINT_RULE_COUNT] = {
    [LINT_DUPLICATE] = {
        .id = "duplicate-index",
        .group = GROUP_TWICE,
        .severity = SEVERITY_WARNING,
        .summary = "the same index under another name",
        .why = "The planner uses one of them; writes pay for both.",
        .instead = "Leave one out.",
        .fires = LINT_USERS "CREATE INDEX k ON users (score);\n" LINT_SCRIPT
                            "CREATE INDEX CONCURRENTLY i ON users (score);",
        .passes = LINT_USERS "CREATE INDEX k ON users (score);\n" LINT_SCRIPT
                             "CREATE INDEX CONCURRENTLY i ON users (seen_at);",
    },
    [LINT_COVERED] = {
        .id = "prefix-index",
        .group = GROUP_TWICE,
        .severity = SEVERITY_WARNING,
        .summary = "an index whose columns another one begins with",
        .why = "A B-tree on (a, b) does all that one on (a) does.",
        .instead = "Keep the wider one.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);\n"
                                        "CREATE INDEX CONCURRENTLY k ON users (score, seen_at);",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);\n"
                                         "CREATE INDEX CONCURRENTLY k ON users (seen_at, score);",
    },
    [LINT_CONSTRAINT] = {
        .id = "constraint-twin",
        .group = GROUP_TWICE,
        .severity = SEVERITY_WARNING,
        .summary = "an index over what is unique already",
        .why = "The index of a primary key or unique constraint finds the one row of a value; a second index on "
               "the same columns finds no fewer; a partial one is only smaller.",
        .instead = "Leave it out.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (id) WHERE active;",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (email) WHERE active;",
    },
    [LINT_NEVER] = {
        .id = "predicate-never-true",
        .group = GROUP_USE,
        .severity = SEVERITY_WARNING,
        .summary = "a predicate that no row can satisfy",
        .why = "The planner proves that the condition contradicts itself or a constraint: `= NULL` is never "
               "true, and a NOT NULL column never NULL. The index stays empty.",
        .instead = "IS NULL in place of = NULL; or leave the index out.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score) WHERE seen_at = NULL;",
        .passes =
            LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score) WHERE seen_at IS NULL;",
    },
    [LINT_ALWAYS] = {
        .id = "predicate-always-true",
        .group = GROUP_USE,
        .severity = SEVERITY_ADVICE,
        .summary = "a predicate that every row satisfies",
        .why = "Constraints make the condition true for all rows: nothing is saved, and a query that does not "
               "repeat it cannot use the index.",
        .instead = "Leave the predicate out.",
        .fires = LINT_USERS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON users (score) WHERE email IS NOT NULL;",
        .passes = LINT_USERS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON users (score) WHERE seen_at IS NOT NULL;",
    },
    [LINT_DIRECTION] = {
        .id = "wrong-direction",
        .group = GROUP_USE,
        .severity = SEVERITY_WARNING,
        .summary = "the order of the index is not that of the queries",
        .why = "An index is read forwards or backwards. When a query mixes ASC and DESC, or places NULLs, "
               "otherwise than the index, the rows are sorted again.",
        .instead = "Write the keys as the queries order them.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score, seen_at);\n"
                                        "SELECT id FROM users ORDER BY score, seen_at DESC LIMIT 10;",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score, seen_at);\n"
                                         "SELECT id FROM users ORDER BY score DESC, seen_at DESC LIMIT 10;",
    },
    [LINT_FEW_VALUES] = {
        .id = "few-values",
        .group = GROUP_USE,
        .severity = SEVERITY_ADVICE,
        .summary = "a B-tree on one column with few values, none of them rare",
        .why = "Each value is found in a large part of the table, so that reading all of it is cheaper.",
        .instead = "Put the column behind others, or into a predicate for its rare value.",
        .fires = LINT_USERS_ROWS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (active);",
        .passes = LINT_USERS_ROWS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
    [LINT_BRIN] = {
        .id = "brin-scattered",
        .group = GROUP_USE,
        .severity = SEVERITY_WARNING,
        .summary = "BRIN on a column whose values lie all over the table",
        .why = "BRIN keeps the least and greatest value of each block range; it leaves blocks out only when the "
               "rows lie in the order of the column.",
        .instead = "A B-tree.",
        .fires = EVENTS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON events USING brin (at);",
        .passes = EVENTS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON events USING brin (id);",
    },
    [LINT_HASH] = {
        .id = "hash-few-values",
        .group = GROUP_USE,
        .severity = SEVERITY_WARNING,
        .summary = "a hash index on a column with few values",
        .why = "Rows of one value share a bucket: the build gets slow and the buckets long, where a B-tree stores "
               "a repeated value once.",
        .instead = "A B-tree, or none.",
        .fires = LINT_USERS_ROWS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users USING hash (score);",
        .passes = LINT_USERS_ROWS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users USING hash (email);",
    },
    [LINT_UNUSED] = {
        .id = "no-query-gains",
        .group = GROUP_USE,
        .severity = SEVERITY_ADVICE,
        .summary = "no statement of the workload gets cheaper",
        .why = "The planner was asked for every statement of the workload as if the index were there. Indexes that "
               "no query uses cost writes, memory and disk.",
        .instead = "Leave it out, or give the workload that needs it.",
        .fires = LINT_USERS_ROWS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON users (seen_at);\n" LINT_WORKLOAD
            "SELECT * FROM users WHERE email = 'u77';",
        .passes = LINT_USERS_ROWS LINT_SCRIPT
            "CREATE INDEX CONCURRENTLY i ON users (email);\n" LINT_WORKLOAD
            "SELECT * FROM users WHERE email = 'u77';",
    },
    [LINT_NO_INDEX] = {
        .id = "not-an-index",
        .group = "Other statements",
        .severity = SEVERITY_ADVICE,
        .summary = "a statement that creates no index",
        .why = "Only CREATE INDEX is looked at; queries tell about use. pgmend index apply refuses the rest.",
        .instead = "Keep it in another script, run before this one.",
        .fires = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);\nANALYZE users;",
        .passes = LINT_USERS LINT_SCRIPT "CREATE INDEX CONCURRENTLY i ON users (score);",
    },
};
