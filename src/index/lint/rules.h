/* The rules of "pgmend index lint", and what a correction does about each: docs/index-lint.md. */
#pragma once

#include "finding/finding.h"

/* What --fix does with the statement. Several may apply; the first in this order wins. */
#define LINT_MENDS(X)                                                                            \
    X(MEND_NOTHING, "nothing")                                                                   \
    X(MEND_UNROLL, "unroll")             /* the statements in a block, by themselves */          \
    X(MEND_LIFT, "lift")                 /* out of the transaction */                            \
    X(MEND_PARENTHESES, "parentheses")   /* around an expression, if the server then takes it */ \
    X(MEND_CONCURRENTLY, "concurrently") /* add the word */                                      \
    X(MEND_WORDS, "words")               /* IF NOT EXISTS goes */                                \
    X(MEND_CLASS, "class")               /* the operator class that the queries need */          \
    X(MEND_LISTS, "lists")               /* as many as the rows want */                          \
    X(MEND_INCLUDE,                                                                              \
        "include")     /* the wide column goes; the statement, when a narrow one is there */     \
    X(MEND_OUT, "out") /* the statement becomes a comment */

#define LINT_MEND_ENUM(mend, name) mend,
enum lint_mend { LINT_MENDS(LINT_MEND_ENUM) LINT_MEND_COUNT };
#undef LINT_MEND_ENUM

#define LINT_RULES(X)                         \
    X(LINT_SYNTAX, MEND_PARENTHESES)          \
    X(LINT_GRAMMAR, MEND_NOTHING)             \
    X(LINT_SCHEMA, MEND_OUT)                  \
    X(LINT_TABLE, MEND_OUT)                   \
    X(LINT_NOT_TABLE, MEND_OUT)               \
    X(LINT_COLUMN, MEND_OUT)                  \
    X(LINT_METHOD, MEND_OUT)                  \
    X(LINT_CLASS, MEND_OUT)                   \
    X(LINT_NO_EXTENSION, MEND_OUT)            \
    X(LINT_TABLESPACE, MEND_OUT)              \
    X(LINT_SUBQUERY, MEND_OUT)                \
    X(LINT_NOT_IMMUTABLE, MEND_OUT)           \
    X(LINT_REFUSED, MEND_OUT)                 \
    X(LINT_IN_TRANSACTION, MEND_LIFT)         \
    X(LINT_IN_BLOCK, MEND_UNROLL)             \
    X(LINT_PARTITIONED, MEND_OUT)             \
    X(LINT_NAME_TAKEN, MEND_OUT)              \
    X(LINT_NAME_TWICE, MEND_OUT)              \
    X(LINT_NOT_UNIQUE, MEND_OUT)              \
    X(LINT_LEFT_OVER, MEND_OUT)               \
    X(LINT_EXISTS_OTHERWISE, MEND_OUT)        \
    X(LINT_EXISTS, MEND_OUT)                  \
    X(LINT_IF_NOT_EXISTS, MEND_WORDS)         \
    X(LINT_NOT_CONCURRENT, MEND_CONCURRENTLY) \
    X(LINT_WIDE, MEND_INCLUDE)                \
    X(LINT_LISTS, MEND_LISTS)                 \
    X(LINT_EMPTY, MEND_OUT)                   \
    X(LINT_UNFIT_CLASS, MEND_CLASS)           \
    X(LINT_LONG_NAME, MEND_OUT)               \
    X(LINT_NO_NAME, MEND_OUT)                 \
    X(LINT_ONLY, MEND_OUT)                    \
    X(LINT_AMBIGUOUS, MEND_NOTHING)           \
    X(LINT_UNLOGGED, MEND_NOTHING)            \
    X(LINT_MANY, MEND_NOTHING)                \
    X(LINT_DUPLICATE, MEND_OUT)               \
    X(LINT_COVERED, MEND_OUT)                 \
    X(LINT_CONSTRAINT, MEND_OUT)              \
    X(LINT_NEVER, MEND_OUT)                   \
    X(LINT_ALWAYS, MEND_NOTHING)              \
    X(LINT_DIRECTION, MEND_NOTHING)           \
    X(LINT_FEW_VALUES, MEND_NOTHING)          \
    X(LINT_BRIN, MEND_NOTHING)                \
    X(LINT_HASH, MEND_NOTHING)                \
    X(LINT_UNUSED, MEND_OUT)                  \
    X(LINT_NO_INDEX, MEND_OUT)

#define LINT_RULE_ENUM(rule, mend) rule,
enum lint_rule { LINT_RULES(LINT_RULE_ENUM) LINT_RULE_COUNT };
#undef LINT_RULE_ENUM

/* Each file has the rows of its own rules; the others are empty. */
extern const struct rule lint_rules_refused[LINT_RULE_COUNT];
extern const struct rule lint_rules_harm[LINT_RULE_COUNT];
extern const struct rule lint_rules_useless[LINT_RULE_COUNT];

const struct rule *lint_rule(enum lint_rule rule);
/* NULL: there is none. */
const struct rule *lint_rule_find(const char *id);
enum lint_mend lint_rule_mend(const struct rule *rule);
/* Its place in the order of the documentation. */
size_t lint_rule_rank(const struct rule *rule);

/*
 * Examples are written in parts: what is there, "-- script" and the script, and for some "-- workload" and
 * statements of it.
 */
#define LINT_SCRIPT   "-- script\n"
#define LINT_WORKLOAD "-- workload\n"
#define LINT_USERS                                                                               \
    "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, active boolean NOT NULL,\n" \
    "                    score int, seen_at timestamptz);\n"
#define LINT_USERS_ROWS                                                                        \
    LINT_USERS                                                                                 \
    "INSERT INTO users SELECT g, 'u' || g, g % 2 = 0, g % 100, now() - g * interval '1 min'\n" \
    "  FROM generate_series(1, 5000) AS g;\nANALYZE users;\n"
