/* What the files of report_make() share. */
#pragma once

#include "report/report.h"

/* The snapshots that a report compares; base ones may be missing. */
struct report_source {
    bool has_before_from;
    struct snapshot before_from;
    struct snapshot before;
    struct snapshot after_from; /* is before when nothing else was asked for */
    struct snapshot after;
};

/* Fills queries, speed_up and the notes about statements. */
bool report_compare_queries(
    struct ctx *ctx, const struct report_source *source, struct report *report) MUST_CHECK;

/* Fills indexes and tables; build times by the journal. */
bool report_compare_indexes(struct ctx *ctx, struct db *db, const struct report_source *source,
    struct report *report) MUST_CHECK;

/* Reads the load files: loads, scenarios, and the quantiles of queries. */
bool report_read_loads(struct ctx *ctx, const struct report_options *options, struct report *report)
    MUST_CHECK;

/* The plan that was applied last, its steps and what became of them; none is no error. */
bool report_read_plan(struct ctx *ctx, struct db *db, struct report *report) MUST_CHECK;

/* Adds a sentence to the notes. */
void report_note(struct ctx *ctx, struct report *report, const char *format, ...) PRINTF_LIKE(3, 4);

/* "2026-11-22 13:56:37" of the server's time text. */
const char *report_time(struct arena *arena, const char *text);

/* null when no plan is known. The caller owns them. */
json_t *report_plan_json(const struct report_plan *plan);
json_t *report_kpi_json(const struct report_kpi *kpi);
