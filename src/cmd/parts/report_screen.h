/* The report on a terminal: goals, steps of the plan, queries, indexes, totals. */
#pragma once

#include <stdio.h>

#include "report/report.h"

void report_screen(struct ctx *ctx, FILE *out, const struct report *report);
