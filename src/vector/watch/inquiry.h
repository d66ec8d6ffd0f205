/* Asking what is installed: for the files of this folder. */
#pragma once

#include "vector/watch/check.h"

struct inquiry {
    struct db *db;
    struct vector_choice choice; /* its target as it is in this database */
    struct vector_sizes sizes;
    struct vector_queries queries;
    struct vector_answers answers;
    const char *function; /* that applications call, qualified; NULL: the statements are asked */
    const char *function_schema;
    struct vector_shots shots;
    enum meter_kind meter;
};

/* Finds the table and the function, counts tenants. */
bool inquiry_open(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    struct inquiry *ret) MUST_CHECK;

/* Samples so many questions a bucket, finds the right answers, asks. Replaces earlier shots. */
bool inquiry_ask(struct ctx *ctx, struct inquiry *inquiry, int32_t queries, int64_t seed,
    const struct vector_observer *observer) MUST_CHECK;

/* What was predicted for tenants of a bucket; NULL: it was never measured. */
const struct vector_expectation *inquiry_expected(
    const struct vector_choice *choice, const struct vector_bucket *bucket);

/*
 * Recall that is surely more than the tolerance below what it should be: so is the measured one,
 * and so is the upper end of its interval.
 */
#define RECALL_TOLERANCE .01
bool inquiry_is_below(const struct vector_measure *measure, double wanted, double tolerance);
