/* Which vector columns a database has, how they are searched, how large their tenants are. */
#pragma once

#include "db/db.h"
#include "vector/vector.h"
#include "workload/workload.h"

/* What the user said himself; NULL or 0: find it out. */
struct vector_wish {
    const char *table; /* as written, found along the user's search_path */
    const char *column;
    const char *tenant;       /* "" for none */
    struct text_list filters; /* "importance >= 5" */
    const char *operator;     /* "<=>" */
    int32_t limit;
    const char *text;
    const char *text_config;
};

/*
 * A search as a statement of the workload does it: from its text alone, by libpg_query. A
 * statement that does not order by a vector operator gives is_search false.
 */
struct vector_parameter {
    int32_t number;     /* 3 for $3 */
    const char *column; /* that it is compared with; NULL: the vector that is searched for */
    bool is_limit;      /* neither of them */
};
struct vector_shape {
    bool is_search;
    bool is_indirect;  /* sorts by an expression over the distance, which no index gives */
    const char *table; /* as written, quoted where needed; NULL: the text does not tell */
    const char *column;
    const char *operator;
    struct text_list equal; /* columns compared by "=" with a parameter or constant */
    VEC(struct vector_filter) filters;
    int32_t limit; /* 0: none, or a parameter */
    bool has_limit;
    VEC(struct vector_parameter) parameters; /* those whose meaning is known */
};
bool vector_shape_read(struct ctx *ctx, const char *sql, struct vector_shape *ret) MUST_CHECK;

/*
 * All vector and halfvec columns of ordinary tables (or the one that is wished for), each with the
 * shape of its searches: from the wish, else from the workload, else from the columns and indexes
 * of the table; found_in says which. ERR_UNSUPPORTED without pgvector, or one older than 0.5.0.
 */
bool vector_targets_find(struct ctx *ctx, struct db *db, const struct vector_wish *wish,
    struct vector_targets *ret) MUST_CHECK;

/*
 * The one that is to be tuned: ERR_USAGE names the columns there are when it is not clear,
 * ERR_NOT_FOUND when there is none, ERR_CONFLICT for one that cannot be tuned (no primary key of
 * one column, no dimensions, a partitioned table), with the remedy.
 */
bool vector_target_find(struct ctx *ctx, struct db *db, const struct vector_wish *wish,
    struct vector_target *ret) MUST_CHECK;

/*
 * The searches over the column that do not compare its tenant column, which an index of all tenants
 * may serve. problem: why not all of the workload could be read, or NULL.
 */
struct vector_others {
    int64_t calls;
    const char *problem;
};
bool vector_others_find(struct ctx *ctx, struct db *db, const struct vector_target *target,
    struct vector_others *ret) MUST_CHECK;

/* Counts every tenant's rows, in one read of the table without its TOAST. */
bool vector_sizes_load(struct ctx *ctx, struct db *db, const struct vector_target *target,
    struct vector_sizes *ret) MUST_CHECK;

/* The bucket for a number of rows: decades, "below 100 rows", "100-999 rows", … */
void vector_bucket_bounds(int64_t rows, int64_t *ret_least, int64_t *ret_most);
const char *vector_bucket_name(struct arena *arena, int64_t least, int64_t most);
