/* One tuning run: what its parts share. */
#pragma once

#include "vector/tune/candidates.h"
#include "vector/tune/extra.h"
#include "vector/tune/halving.h"

struct run {
    struct vector_stage *stage;
    const struct vector_observer *observer;
    struct vector_tuning *tuning;
    struct vector_answers answers;
    struct builder builder;
    struct text_list tenants;       /* that get partial indexes and partitions */
    VEC(struct vector_shots) shots; /* one list a candidate */
    VEC(bool) done;                 /* and whether it was dealt with */
    int64_t start_us;
    int64_t bare_write_us; /* 0: unknown */
};

/* Indexes into the candidates. */
struct group {
    size_t *items;
    size_t count;
    size_t capacity;
};

/* Appends a candidate that was not measured yet. */
void run_add(struct ctx *ctx, struct run *run, const struct vector_method *method);

/* Asks the candidates these queries side by side and appends what they did to their shots. */
bool run_measure(struct ctx *ctx, struct run *run, const struct group *group,
    const struct halving_chosen *chosen) MUST_CHECK;

/* Fills the measures of a candidate from its shots. */
void run_summarise(struct ctx *ctx, struct run *run, size_t place);

/* Whether the failure ends the run, and is not just one of a candidate. */
bool run_is_over(const struct ctx *ctx, const struct run *run);

/* Builds, measures and removes the candidates of one build. */
bool run_group(struct ctx *ctx, struct run *run, const struct group *group) MUST_CHECK;

/* Measures once more, side by side, those between which the decision falls; then growth. */
bool run_finals(struct ctx *ctx, struct run *run) MUST_CHECK;
bool run_growth(struct ctx *ctx, struct run *run) MUST_CHECK;
