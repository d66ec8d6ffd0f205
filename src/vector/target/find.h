/* How the columns are found, for this folder only. */
#pragma once

#include "sql.h"
#include "vector/target/target.h"

/* A search of the workload. */
struct found_search {
    struct vector_shape shape;
    const char *query;
    int64_t calls;
    int64_t rows;
};

/* A statement that does not search, on a table that has a vector column. */
struct found_statement {
    const char *query;
    int64_t calls;
};

struct found_workload {
    VEC(struct found_search) searches;
    VEC(struct found_statement) others;
    const char *problem; /* why there is no workload, or NULL */
};

struct finder {
    struct ctx *ctx;
    struct db *db;
    const struct vector_wish *wish;
    const char *extension_schema;
    const char *extension_version;
    int32_t extension_number;
    struct sql_vector_target_columns_rows columns;
    struct sql_vector_target_visible_rows visible;
    struct found_workload workload;
};

/* One column on its way to a target. */
struct found_column {
    struct finder *finder;
    const struct sql_vector_target_columns *row;
    struct sql_vector_target_attributes_rows attributes;
    struct sql_vector_target_indexes_rows indexes;
    VEC(const struct found_search *) searches; /* of this column, most calls first */
    struct vector_target target;
    struct text_list reasons;   /* "operator: …" */
    struct text_list ambiguous; /* columns that may be the tenant */
};

/* Extension, columns and workload; ERR_UNSUPPORTED without pgvector. */
bool finder_begin(
    struct ctx *ctx, struct db *db, const struct vector_wish *wish, struct finder *ret) MUST_CHECK;

/* Whether the wish names this column; true for all without a wish. */
bool finder_is_wished(const struct finder *finder, const struct sql_vector_target_columns *row);

/* That no column is there, or none that may be read and looked at. Returns false. */
bool finder_refuse(const struct finder *finder);

/* All there is to know about a column. */
bool finder_column(struct finder *finder, const struct sql_vector_target_columns *row,
    struct found_column *ret) MUST_CHECK;

/* Whether a table as a statement names it is this one. */
bool finder_is_table(
    const struct finder *finder, const char *name, const struct sql_vector_target_columns *row);

/* ---- find_workload.c ---- */

bool found_workload_load(struct finder *finder) MUST_CHECK;
void found_workload_match(struct found_column *column);

/* ---- find_shape.c: operator, filters, limit ---- */

bool found_operator(struct found_column *column) MUST_CHECK;
bool found_filters(struct found_column *column) MUST_CHECK;
void found_limit(struct found_column *column);

/*
 * Sets a value for a filter whose own is gone from the statistics: the median of the column, or the
 * most frequent value when the operator is "=".
 */
bool found_usual_value(struct found_column *column, struct vector_filter *filter) MUST_CHECK;

/* ---- find_tenant.c ---- */

bool found_tenant(struct found_column *column) MUST_CHECK;

/* ---- find_roles.c ---- */

bool found_roles(struct found_column *column) MUST_CHECK;

/* The attribute of the table, or NULL. */
const struct sql_vector_target_attributes *found_attribute(
    const struct found_column *column, const char *name);

/*
 * "public.chunks", or with TABLESAMPLE when the table has many more rows than that; *ret_is_sample
 * tells. What follows must limit the rows itself.
 */
const char *found_sample(
    struct arena *arena, const struct vector_target *target, int64_t rows, bool *ret_is_sample);
