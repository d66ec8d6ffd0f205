/* A load run on the terminal. */
#pragma once

#include <stdio.h>

#include "load/result/record.h"

void load_screen_print(struct ctx *ctx, FILE *out, const struct load_record *record);

/* What a scenario would do. */
void load_screen_scenario(struct ctx *ctx, FILE *out, const struct load_scenario *scenario);
