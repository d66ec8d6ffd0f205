/*
 * A scratch database with the rows of sampled tenants, and questions to ask: where ways to search
 * are really built and measured. Nothing is written to the live database.
 */
#pragma once

#include "staging/scratch.h"
#include "vector/target/target.h"

struct vector_stage_options {
    struct db *server; /* where the scratch database is made: live, or another server */
    const char *scratch_template;
    int64_t most_rows;  /* to copy; more: whole tenants, stratified by bucket */
    int64_t most_bytes; /* of the copy; ERR_CONFLICT when one tenant of a bucket does not fit */
    int32_t queries;    /* a bucket */
    int64_t seed;
    const char *query_file; /* a vector a line, perhaps "tenant<TAB>" before it; or NULL */
    const char
        *query_column; /* "table.column" of logged questions; NULL: found by itself; "": none */
};

struct vector_stage {
    struct scratch scratch;
    struct db *db;               /* a session in it, may write */
    struct vector_target target; /* the copy: same names, other OID */
    struct vector_sizes sizes;   /* of the live table */
    struct vector_queries queries;
    int64_t rows;  /* copied */
    bool is_whole; /* all rows were copied but the held-out ones */
    int64_t bytes;
    struct text_list notes; /* columns that could not be copied, tenants left out, … */
};

/* ERR_INPUT for an empty table and for bad questions (dimensions, NaN), with file and line. */
bool vector_stage_open(struct ctx *ctx, struct db *live, const struct vector_target *target,
    const struct vector_stage_options *options, const struct vector_observer *observer,
    struct vector_stage *ret) MUST_CHECK;

/* Drops the scratch database, whatever happened before. */
void vector_stage_close(struct vector_stage *stage);

/*
 * Questions for a table as it is, without copying or writing: for watching recall. Logged ones, and
 * rows mixed with another row of their tenant, so that no answer is the question itself.
 */
bool vector_queries_sample(struct ctx *ctx, struct db *db, const struct vector_target *target,
    const struct vector_sizes *sizes, const struct vector_stage_options *options,
    struct vector_queries *ret) MUST_CHECK;

/*
 * The right answers, by exact search that no approximate index can serve, in one read-only
 * transaction with one snapshot.
 */
bool vector_answers_load(struct ctx *ctx, struct db *db, const struct vector_target *target,
    const struct vector_queries *queries, const struct vector_observer *observer,
    struct vector_answers *ret) MUST_CHECK;
