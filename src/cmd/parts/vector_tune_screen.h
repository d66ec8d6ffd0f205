/* A tuning run on the screen, 80 columns wide. */
#pragma once

#include <stdio.h>

#include "change/change.h"
#include "vector/report/report.h"

/* Everything from what was searched to the notes. */
void vector_tune_print(struct arena *arena, FILE *out, const struct vector_tuning *tuning);

/* The changes of a plan, a line each. */
void vector_tune_print_plan(struct arena *arena, FILE *out, const struct plan *plan);
