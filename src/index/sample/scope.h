/* Names in a parse tree, resolved to columns of the tables that facts know. Only for this folder. */
#pragma once

#include "index/sample/sample_part.h"

struct scope_source {
    const char *name;               /* alias or relation; NULL: none */
    const struct fact_table *table; /* or NULL */
    const json_t *query;            /* a subquery or a CTE's, or NULL */
    const json_t *names;            /* of columns: AS v(a, b); or NULL */
    bool is_unknown;                /* a view or function: columns are guessed by name */
};

struct scope {
    struct arena *arena;
    const struct query_maker *maker;
    const struct scope *outer; /* NULL: none */
    const json_t *body;
    struct scope_source *items;
    size_t count;
    size_t capacity;
};

struct scope_column {
    const struct fact_table *table;
    const struct fact_column *column;
};

/* The sources of a SELECT, INSERT, UPDATE or DELETE. */
void scope_begin(struct scope *scope, struct arena *arena, const struct query_maker *maker,
    const struct scope *outer, const json_t *body);

/* Looks in the scope and those around it. */
bool scope_resolve(const struct scope *scope, const json_t *column_ref, struct scope_column *ret);

/* The rows of VALUES (…), (…) and the position within them that the name stands for; NULL: no such thing. */
const json_t *scope_values(
    const struct scope *scope, const json_t *column_ref, size_t *ret_position);

/* What a subquery selects under the name; NULL: the name is none of a subquery's. */
const json_t *scope_output(const struct scope *scope, const json_t *column_ref);

/* The text of {"String": {"sval": …}}. */
const char *scope_string(const json_t *node);
