/* A tuning run for people and for other programs. */
#pragma once

#include <stdio.h>

#include "vector/tune/tune.h"

/* The caller owns it. */
json_t *vector_tuning_json(const struct vector_tuning *tuning);

/* One HTML page without any outside resource: Pareto picture, table, buckets, why, when again. */
bool vector_tuning_page(struct ctx *ctx, const struct vector_tuning *tuning, const char *path)
    MUST_CHECK;

/* A picture in the terminal: recall against CPU time on a logarithmic scale, width columns wide. */
void vector_tuning_plot(
    FILE *out, struct arena *arena, const struct vector_tuning *tuning, int width);
