/*
 * An expression as EXPLAIN (VERBOSE) writes it, read as far as indexes need it. The server puts parentheses
 * around every operator, so structure can be read without precedence; "(SubPlan 1)" and its kin, which are no
 * SQL, are leaves like any other.
 */
#pragma once

#include "base/vec.h"
#include "index/facts/facts.h"
#include "lang/sql.h"

enum explained_kind {
    EXPLAINED_AND,
    EXPLAINED_OR,
    EXPLAINED_NOT,
    EXPLAINED_OPERATOR,   /* items: left and right */
    EXPLAINED_NULL_TEST,  /* IS [NOT] NULL */
    EXPLAINED_TRUTH_TEST, /* IS TRUE, IS FALSE; with is_negated IS NOT … */
    EXPLAINED_ROW,
    EXPLAINED_COLUMN,
    EXPLAINED_FUNCTION, /* items: none; name is its own, without schema */
    EXPLAINED_CAST,     /* name is the type */
    EXPLAINED_OTHER,
};

/* A column named in a text: alias."name". */
struct explained_column {
    const char *alias;
    const char *name; /* unquoted; NULL: the whole row */
    size_t first;     /* token of the alias; end is behind the last */
    size_t end;
};

struct explained_text {
    const char *text;
    struct sql_token *tokens;
    size_t count;
    size_t *partner; /* of a bracket the other one; of anything else itself */
    VEC(struct explained_column) columns;
};

struct explained_expr {
    enum explained_kind kind;
    const struct explained_text *source;
    size_t first; /* tokens, without the parentheses around them; end is behind the last */
    size_t end;
    struct explained_expr **items;
    size_t count;
    const char *name;  /* operator, function or type; column */
    const char *alias; /* of a column */
    bool is_any;       /* operator ANY (right) */
    bool is_all;
    bool is_negated;
    bool is_true; /* of a truth test */
};

/* A relation whose columns stand in the text without alias: EXPLAIN does so where there is only one. */
struct explained_alone {
    const char *alias;
    const struct fact_table *table;
};

/* alone may be NULL. NULL when the text has no tokens or brackets without partner. */
struct explained_text *explained_text_read(
    struct ctx *ctx, const char *text, const struct explained_alone *alone);

/* The tokens from first to before end. */
struct explained_expr *explained_expr_read(
    struct arena *arena, const struct explained_text *source, size_t first, size_t end);

/* As it is written, without aliases before columns and without parentheses around all of it. */
const char *explained_expr_bare(struct arena *arena, const struct explained_expr *expr);

/* Whether it consists of constants alone: no placeholder, column, function or subplan. */
bool explained_expr_is_literal(const struct explained_expr *expr);

/* The value of a literal as pg_stats would write it ("t", "it's"), or NULL. */
const char *explained_expr_value(struct arena *arena, const struct explained_expr *expr);

/* The alias all of whose columns are of one relation; NULL when there is none or several (then *ret_is_mixed). */
const char *explained_expr_alias(const struct explained_expr *expr, bool *ret_is_mixed);

/* Whether something in it changes while the table does not: a placeholder, a subplan, the clock. */
bool explained_expr_is_fixed(const struct explained_expr *expr);

bool explained_token_is(const struct explained_text *source, size_t token, const char *text);
