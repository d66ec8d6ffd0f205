/* A statement of ours from src/sql: its text for each server version, arguments and columns. */
#pragma once

#include "base/field.h"

struct db;

struct query_variant {
    int max_major; /* the newest server it is for; 0: any */
    const char *text;
};

struct query {
    const char *name;                     /* "index/unused" */
    const struct query_variant *variants; /* by max_major, the one for any last */
    size_t variant_count;
    const struct field *args;
    size_t arg_count;
    const char *const *arg_types; /* PostgreSQL's type names */
    const struct field *columns;
    size_t column_count;
    const char *const *column_types;
    size_t row_size;
    int min_major;
    int max_major; /* 0: any */
};

/* What the typed calls fill in; each query has a struct of the same layout. */
struct rows {
    void *items;
    size_t count;
};

/* The text for this server's major version, or NULL if the query is not for it. */
const char *query_text(const struct query *query, int major);

/*
 * Runs a query with the given argument struct; rows live in the arena (ret_rows is NULL for a
 * statement without columns). Called through the typed
 * macros of the generated sql.h.
 */
bool db_select(struct ctx *ctx, struct db *db, const struct query *query, const void *args,
    void *ret_rows) MUST_CHECK;
