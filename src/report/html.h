/* What the parts of the HTML report share. Nothing that is not ours goes in without markup_escape(). */
#pragma once

#include "base/markup.h"
#include "report/report.h"

/* "1.5 ms" of a time in milliseconds; also below a microsecond. */
const char *html_ms(struct arena *arena, double ms);

/* Two bars, one above the other: times before and after, both above 0. */
struct html_bar {
    const char *name; /* not escaped */
    double ms_before;
    double ms_after;
};

/* Bars on a logarithmic scale; nothing for none. At most so many are drawn as have room. */
void html_chart_bars(
    struct buffer *page, const char *label, const struct html_bar *bars, size_t count);

/* The means of the queries before and after. */
void html_chart_queries(struct buffer *page, const struct report *report);

/* The goals: what was, what is, what is wanted. */
void html_kpis(struct buffer *page, const struct report *report);

/* What became of the steps of the plan, with their proofs; what was undone, what is left. */
void html_steps(struct buffer *page, const struct report *report);

/* A cell "before → after"; both are markup. */
void html_pair(struct buffer *page, const char *before, const char *after);

/* The totals at the head of the page. */
void html_cards(struct buffer *page, const struct report *report);

/* Mean latency and throughput by the second while the change was made, with index builds. */
void html_chart_load(struct buffer *page, const struct report *report);

/* A plan as EXPLAIN writes it, with scans marked. */
void html_plan(struct ctx *ctx, struct buffer *page, const struct snapshot_plan *plan);
