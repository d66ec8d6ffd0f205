/* A plan as the server gives it in JSON, read for what indexes could change in it. */
#pragma once

#include "base/json.h"
#include "index/candidate/explained_text.h"

/* A table of the plan under one alias; partitions are one with their parent. */
struct explained_relation {
    const char *alias;
    const struct fact_table *table; /* the parent, where this is a partition */
    struct text_list needed;        /* columns that the rest of the plan wants */
    bool needs_all;                 /* all of them, or the row's place: no index holds that */
};

struct explained_sort_key {
    const struct explained_expr *expr;
    const char *collation; /* as written, or NULL */
    bool is_descending;
    bool is_nulls_first;
};

struct explained_order {
    VEC(struct explained_sort_key) keys;
    bool is_grouping; /* GROUP BY or DISTINCT: the direction does not matter */
    bool is_limited;  /* a LIMIT stands above it */
};

/* Columns that are equal because a join says so. */
struct explained_equality {
    const struct explained_expr *left;
    const struct explained_expr *right;
};

struct explained_plan {
    VEC(struct explained_relation *) relations;
    struct map by_alias;                           /* → struct explained_relation */
    VEC(const struct explained_expr *) conditions; /* that must hold, each once */
    VEC(struct explained_order *) orders;
    VEC(struct explained_equality) equalities;
};

/* plan: the array, or one of its members. What is not understood is left out. */
void explained_plan_read(
    struct ctx *ctx, const struct facts *facts, const json_t *plan, struct explained_plan *ret);

/* The key as a column of this relation, or an expression of its columns, over the joins; NULL: it is none. */
const struct explained_expr *explained_key_of(const struct explained_plan *plan,
    const struct explained_relation *relation, const struct explained_expr *key);
