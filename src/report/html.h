/* What the parts of the HTML report share. Nothing that is not ours goes in without markup_escape(). */
#pragma once

#include "base/markup.h"
#include "report/report.h"

/* "1.5 ms" of a time in milliseconds; also below a microsecond. */
const char *html_ms(struct arena *arena, double ms);

/* Bars from the mean before to the mean after, on a logarithmic scale. */
void html_chart_queries(struct buffer *page, const struct report *report);

/* Mean latency and throughput by the second while the change was made, with index builds. */
void html_chart_load(struct buffer *page, const struct report *report);

/* A plan as EXPLAIN writes it, with scans marked. */
void html_plan(struct ctx *ctx, struct buffer *page, const struct snapshot_plan *plan);
