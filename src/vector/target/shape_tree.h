/* What is read from libpg_query's parse tree of a statement; for this folder only. */
#pragma once

#include "base/ctx.h"
#include "base/json.h"
#include "base/vec.h"

/* The body of a SELECT, UPDATE or DELETE anywhere in a statement. */
struct tree_statement {
    const json_t *body;
    bool is_select;
};

struct tree {
    struct ctx *ctx;
    const char *sql;                       /* that the places in the tree are of */
    json_t *root;                          /* released by tree_end() */
    VEC(struct tree_statement) statements; /* outer ones first */
    VEC(const json_t *) ctes;              /* CommonTableExpr */
};

/* A column as it is written: t.id. */
struct tree_column {
    const char *qualifier; /* or NULL */
    const char *name;
};

/* A table that a FROM names, or a subquery of it. */
struct tree_source {
    const json_t *range; /* RangeVar or NULL */
    const json_t *query; /* body of the SELECT of a subquery or CTE, or NULL */
    const char *name;    /* by which columns are qualified */
};
struct tree_sources {
    struct tree_source *items;
    size_t count;
    size_t capacity;
};

/*
 * Parses one statement, also as pg_stat_statements shows it. False, without an error, when the
 * grammar here does not know it.
 */
bool tree_begin(struct ctx *ctx, const char *sql, struct tree *ret);
void tree_end(struct tree *tree);

/* The node without casts and collations around it. */
const json_t *tree_bare(const json_t *node);

/* False for what is no plain column. The names are the tree's. */
bool tree_read_column(const json_t *node, struct tree_column *ret);

/* The name of an operator expression without its schema, NULL for another node. */
const char *tree_operator(const json_t *node);

/* What the statement reads from. */
void tree_sources(const struct tree *tree, const json_t *body, struct tree_sources *ret);

/* Whether a column of these sources stands anywhere in the expression. */
bool tree_has_column(const struct tree_sources *sources, const json_t *node);

/* The expression that a SELECT gives out under this name, NULL: none of its own. */
const json_t *tree_output(const json_t *body, const char *name);

/*
 * The table that a column comes from, through subqueries and CTEs, quoted where needed; also its
 * name there. NULL: not certain.
 */
const char *tree_table_of(
    const struct tree *tree, const json_t *body, struct tree_column column, const char **ret_name);

/* "public.chunks", quoted where needed. */
const char *tree_range_name(struct arena *arena, const json_t *range);

/* A constant as text without quotes; NULL for parameters, NULL and other expressions. */
const char *tree_constant(const struct tree *tree, const json_t *node);

/* 3 for $3; 0 for what is no parameter. */
int32_t tree_parameter(const json_t *node);
