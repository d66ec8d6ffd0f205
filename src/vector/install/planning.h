/* A plan while it is made: what the planner's own files share. Nobody else includes this. */
#pragma once

#include "change/journal.h"
#include "sql.h"
#include "vector/install/columns.h"
#include "vector/install/install.h"
#include "vector/target/target.h"

struct planning {
    struct db *db;
    const struct vector_target *target;
    struct sql_catalog_table table; /* as it is now */
    struct sql_vector_plan_facts facts;
    double rows;                        /* estimate */
    double row_bytes;                   /* of the heap, on average */
    const char *source;                 /* of the changes: what is searched */
    const char *schema;                 /* of the functions */
    struct vector_kept_columns columns; /* that are to be there */
    struct vector_sizes sizes;
    struct journal_entries journal;
    struct plan *plan;
};

/* Adds a change, judged by its kind against what is there; blocked when the role may not do it. */
bool planning_add(struct ctx *ctx, struct planning *planning, struct change *change) MUST_CHECK;

/* A change of this kind about the table, with what all of them say. */
struct change planning_change(const struct planning *planning, const char *kind, const char *name);

/* All columns are added, then kept true by triggers, then filled. */
bool planning_add_columns(struct ctx *ctx, struct planning *planning) MUST_CHECK;

/* An index by its definition; rows: that it will hold. */
bool planning_add_index(struct ctx *ctx, struct planning *planning,
    const struct vector_extra_index *index, double rows, const char *reason) MUST_CHECK;

/* Drops of the approximate indexes on the vector column that the plan does not want. */
bool planning_drop_old(struct ctx *ctx, struct planning *planning) MUST_CHECK;
