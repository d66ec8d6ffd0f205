/* Successive halving: who is asked how many queries. */
#pragma once

#include "vector/tune/goal.h"

enum { RUNG_COUNT = 3, RUNG_LAST = RUNG_COUNT - 1 };

struct halving_chosen {
    size_t *items;
    size_t count;
    size_t capacity;
};

/*
 * The queries that a rung adds to those before it: of every bucket a quarter (five at least), up to
 * the half, and all. tenants: only queries of these, or NULL.
 */
void halving_queries(struct arena *arena, const struct vector_queries *queries,
    const struct text_list *tenants, size_t rung, struct halving_chosen *ret);

/*
 * Why a candidate is not asked the next rung's queries, or NULL when it is: the upper end of an
 * interval is below the goal, or one that meets the goal is surely cheaper and no larger.
 */
const char *halving_verdict(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate);

/* The first two of each bucket, and the rest: slow ones need not be asked all of the first rung. */
void halving_split(struct arena *arena, const struct vector_queries *queries,
    const struct halving_chosen *chosen, struct halving_chosen *ret_first,
    struct halving_chosen *ret_rest);

/* Why a candidate is far too slow, every search of a bucket above the limit; NULL: it is not. */
const char *halving_is_slow(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate);
