/* By how much a candidate misses the goal, and how two of them compare. */
#pragma once

#include "vector/tune/tune.h"

/* Each member is 0 when the condition holds. */
struct goal_gap {
    double recall;         /* what is missing of the share that is asked for, over all queries */
    double recall_worst;   /* and in the worst bucket */
    double short_results;  /* share of the queries that returned too few rows */
    double p95;            /* time beyond the limit, as a share of the limit, in the worst bucket */
    double bytes;          /* the same for the size */
    size_t worst_bucket;   /* by recall */
    double worst;          /* its recall */
    size_t slowest_bucket; /* by wall p95 */
};

/* Of what was measured; a candidate without measures misses everything. */
struct goal_gap goal_gap_of(
    const struct vector_tuning *tuning, const struct vector_candidate *candidate);
bool goal_gap_is_none(const struct goal_gap *gap);

/* One number to compare by: a tenth of the right answers counts as much as twice the time. */
double goal_gap_distance(const struct goal_gap *gap);

/* "finds 97 % of the right answers where 99 % are asked for, …"; "" when nothing is missed. */
const char *goal_gap_text(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate, const struct goal_gap *gap);

/* Bytes of indexes and columns, in the live table: a copy of some of the rows is scaled up. */
double goal_bytes(const struct vector_tuning *tuning, const struct vector_candidate *candidate);

/* Whether a bucket was measured and meets what is asked of a bucket. */
bool goal_bucket_is_met(const struct vector_goal *goal, const struct vector_measure *measure);

/*
 * Whether a takes at least a quarter less CPU than b, at the 95th percentile of all queries (half
 * of it and two milliseconds when a is an approximate index and b is not: it makes writing much
 * dearer, and hangs on what the planner does), and that is no accident: the intervals of the percentile are apart, or those of the median in the
 * bucket where b takes longest.
 */
bool goal_surely_cheaper(const struct vector_candidate *a, const struct vector_candidate *b);

/* The same for an approximate index of a tenant's own, in one bucket. */
bool goal_worth_an_index(const struct vector_measure *with, const struct vector_measure *without);

/* "99.95 %" */
const char *goal_share_text(struct arena *arena, double share);
