/* What deciding consists of. */
#pragma once

#include "vector/tune/candidates.h"
#include "vector/tune/goal.h"

enum { MOST_SPECIAL_TENANTS = 50 };

/* Tenants of one bucket that get an approximate index of their own. */
struct decided_special {
    const struct vector_candidate *candidate;
    size_t bucket;
    struct text_list tenants;
    double bytes;
    bool is_whole_bucket; /* every tenant of the bucket is among them */
    bool is_needed;       /* the base alone misses the goal here */
};

struct decision {
    const struct vector_candidate *base;
    VEC(struct decided_special) specials;    /* of the largest bucket first */
    const struct vector_candidate *cheapest; /* the base is simpler, and nearly as cheap; or NULL */
    const struct vector_candidate *outweighed; /* cheaper than the base, but much larger; or NULL */
    bool meets_goal;
};

/*
 * Adds the tenants with an index of their own that help a base: where it misses the goal, or where
 * they are at least twice as cheap. False when a bucket stays that misses the goal.
 */
bool decide_specials(
    struct arena *arena, const struct vector_tuning *tuning, struct decision *decision);

/* Fills base, specials, expectations, why and retune of tuning->choice. */
void decide_tell(
    struct arena *arena, struct vector_tuning *tuning, const struct decision *decision);

/* The measure of the bucket under the decision; queries 0: not measured. */
struct vector_measure decide_expected(const struct decision *decision, size_t bucket);
