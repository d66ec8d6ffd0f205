/* A tuning run for people and for other programs. */
#pragma once

#include <stdio.h>

#include "vector/tune/tune.h"

/*
 * What is shown at first sight: the chosen one, the Pareto front, the plan's own choice and what
 * the searches do today. The letter stands for it in tables and pictures. Where the choice gives
 * some tenants an index of their own, its candidate is put together from several: recall of each
 * bucket as expected, times of the slowest bucket.
 */
struct vector_shown {
    const struct vector_candidate *candidate;
    const char *letter; /* "A" */
    const char *role;   /* "winner", "nearest", "plan", "now", "plan, now", or "" */
    bool is_winner;     /* the chosen one, also when it misses the goal */
};

struct vector_shown_list {
    struct vector_shown *items;
    size_t count;
    size_t capacity;
};

/* In the order of the candidates; at most 26, the chosen one, the plan's and today's among them. */
void vector_tuning_shown(
    struct arena *arena, const struct vector_tuning *tuning, struct vector_shown_list *ret);

/* The one of the plan's own settings with the best recall; NULL when none was measured. */
const struct vector_shown *vector_shown_plan(const struct vector_shown_list *shown);

/* Recall of the worst bucket that was measured; ret_bucket may be NULL. Below 0: none was. */
double vector_worst_recall(const struct vector_tuning *tuning,
    const struct vector_candidate *candidate, size_t *ret_bucket);

/*
 * What is expected of the choice in a bucket: of the tenants' own ways too, where there are any.
 * NULL when nothing was measured there.
 */
const struct vector_measure *vector_chosen_measure(
    const struct vector_tuning *tuning, size_t bucket);

/* 0.99996 → "0.9999": never rounded up to what was not reached. */
const char *vector_recall_text(struct arena *arena, double recall);

/* "0.9987 ±0.0012": the larger half of the interval. */
const char *vector_recall_range(struct arena *arena, const struct vector_interval *recall);

/* Share of the queries with fewer rows than asked: "0", "25.5%". */
const char *vector_short_text(struct arena *arena, const struct vector_measure *measure);

/* "CPU", or "wall" where the CPU time of the server cannot be seen. */
const char *vector_time_name(enum meter_kind meter);

/*
 * Everything, with the unit in each name: _us microseconds, _bytes, _ratio a multiple; recall and
 * its goals are shares of 1. The caller owns it.
 */
json_t *vector_tuning_json(const struct vector_tuning *tuning);

/* One HTML page without any outside resource: Pareto picture, table, buckets, why, when again. */
bool vector_tuning_page(struct ctx *ctx, const struct vector_tuning *tuning, const char *path)
    MUST_CHECK;

/*
 * A picture in the terminal: recall against CPU time on a logarithmic scale, width columns wide,
 * with the letters of vector_tuning_shown(). Plain ASCII unless the locale is one of UTF-8.
 */
void vector_tuning_plot(
    FILE *out, struct arena *arena, const struct vector_tuning *tuning, int width);
