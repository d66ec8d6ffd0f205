/* Whether what is installed still finds the right answers, and whether it does as predicted. */
#pragma once

#include "finding/finding.h"
#include "vector/method/choice.h"
#include "vector/stage/measure.h"

struct vector_check_bucket {
    const char *name;
    struct vector_measure measure;
    double expected; /* recall that was predicted; below 0: nothing was */
};

struct vector_check {
    struct vector_choice choice;
    VEC(struct vector_check_bucket) buckets;
    struct vector_measure overall;
    const char *function; /* that was asked; NULL: none is installed, the statements were */
    enum meter_kind meter;
    int64_t rows;             /* now */
    struct findings findings; /* recall below the goal, growth, indexes gone, other pgvector, … */
};

struct vector_check_questions {
    int32_t count; /* a bucket */
    int64_t seed;
};

/* Read-only: samples questions, computes the truth, asks the installed functions (or statements). */
bool vector_check_run(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    const struct vector_check_questions *questions, const struct vector_observer *observer,
    struct vector_check *ret) MUST_CHECK;

/* Nothing is installed for the target: the finding that says so, and what to run. */
void vector_check_nothing(
    struct arena *arena, const struct vector_target *target, struct vector_check *ret);

/*
 * After an apply: proof is what the plan carries (a choice as JSON). ERR_VERIFICATION naming the
 * bucket when recall is below the prediction by more than .01 (or by more than the intervals
 * allow), or a search returns fewer rows than it should.
 */
bool vector_prove(struct ctx *ctx, struct db *db, const json_t *proof,
    const struct vector_observer *observer, const char **ret_text) MUST_CHECK;

extern const struct rule vector_check_rules[];
