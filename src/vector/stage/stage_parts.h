/* What the files of the stage know of each other; nobody else includes this. */
#pragma once

#include "vector/stage/stage.h"

/* Numbers that come again with the same seed; xorshift64* by Vigna 2016. */
struct stage_random {
    uint64_t state;
};
struct stage_random stage_random_new(int64_t seed);
size_t stage_random_below(struct stage_random *random, size_t limit);
void stage_shuffle(struct stage_random *random, size_t *items, size_t count);

/* The tenants that are copied, as indexes into the sizes' tenants. */
struct stage_sample {
    size_t *tenants;
    size_t count;
    int64_t rows;
    bool is_whole; /* all rows, those without a tenant too */
};

/*
 * Whole tenants, at random but the preferred ones (may be NULL) first, all buckets in turn. A
 * bucket of which not one tenant fits is ERR_CONFLICT.
 */
struct stage_limit {
    int64_t rows;
    int64_t row_bytes;
};
bool stage_sample_choose(struct ctx *ctx, const struct vector_sizes *sizes,
    const struct stage_limit *limit, const bool *preferred, struct stage_random *random,
    struct stage_sample *ret) MUST_CHECK;

/* The work on one stage. */
struct staging {
    struct db *live;
    const struct vector_target *target;
    const struct vector_stage_options *options;
    const struct vector_observer *observer;
    struct vector_stage *stage;
    struct stage_random random;
    struct stage_sample sample;
    const char *selected; /* what is read from the live table, and */
    const char *inserted; /* the columns of the copy that take it */
    int64_t row_bytes;    /* of the live table, on average */
};

/* Makes the database, with pgvector and the empty table; fills stage->scratch, db and target. */
bool stage_table_create(struct ctx *ctx, struct staging *staging) MUST_CHECK;

/* Whether the disk has room for the copy, as far as that can be seen. */
bool stage_room_check(struct ctx *ctx, struct staging *staging) MUST_CHECK;

/* Copies the rows of the sample in one snapshot of the live database. */
bool stage_rows_copy(struct ctx *ctx, struct staging *staging) MUST_CHECK;

/* "{a,b}" of the tenants, as SQL: a quoted literal. */
const char *stage_array(struct arena *arena, const struct text_list *items);

/* A question that has no tenant yet, or one by name. */
struct stage_question {
    const char *tenant; /* NULL: to be found, where the table has tenants */
    const char *values;
    const char *source;
};

struct stage_given {
    struct stage_question *items;
    size_t count;
    size_t capacity;
};

/* What questions are asked about. */
struct asking {
    struct db *db; /* where the rows are: the copy, or the live table */
    const struct vector_target *target;
    const struct vector_sizes *sizes;
    const struct vector_stage_options *options;
    const struct vector_observer *observer; /* or NULL */
    const struct stage_sample *sample;
    struct stage_random *random;
    bool may_hold_out;      /* rows may be taken out of the copy */
    int64_t most_distances; /* rows * questions * dimensions that may be computed to find tenants */
    struct text_list *notes;
    struct vector_queries *queries; /* grows */
    struct text_list held;          /* keys of the rows that became questions */
    int32_t *counts;                /* of the questions of each bucket */
};

/*
 * The file's questions: at random as many of each bucket as are asked for; those without tenant
 * together as many as for all buckets.
 */
bool stage_file_read(struct ctx *ctx, const struct asking *asking, struct stage_given *ret)
    MUST_CHECK;

/* Whether the column of questions that the user named is there. */
bool stage_log_check(struct ctx *ctx, struct db *live, const struct asking *asking) MUST_CHECK;

/* Logged questions of a table of the live database. */
bool stage_log_read(struct ctx *ctx, struct db *live, const struct asking *asking,
    struct stage_given *ret) MUST_CHECK;

/* Gives each question without tenant to the one that owns the nearest row. */
bool stage_owners_find(struct ctx *ctx, const struct asking *asking, struct stage_given *given)
    MUST_CHECK;

/* Rows of the tenants of each bucket that has too few questions. */
bool stage_rows_ask(struct ctx *ctx, struct asking *asking) MUST_CHECK;

/* All of it. given: what the file holds. */
bool stage_questions_make(struct ctx *ctx, struct db *live, struct asking *asking,
    const struct stage_given *given) MUST_CHECK;

/* Adds a question unless its bucket is full. */
void stage_question_add(struct arena *arena, struct asking *asking, size_t tenant,
    const char *values, const char *source);

/*
 * Reads "[0.1, 2]" into ret (room for dims): false, with *ret_why, for anything that is no vector
 * of these dimensions and finite numbers. *ret_is_zero: all are 0.
 */
struct vector_reading {
    int32_t dims;
    bool is_half;
    const char *why;
    bool is_zero;
};
bool stage_values_read(
    struct arena *arena, const char *text, struct vector_reading *reading, double *ret);

/* Four parts of the direction of a and one of b, as long as a. */
const char *stage_values_mix(struct arena *arena, const double *a, const double *b, int32_t dims);
