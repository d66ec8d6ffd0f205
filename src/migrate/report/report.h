/* An analysis for people and programs: what findings alone do not tell. */
#pragma once

#include "finding/render.h"
#include "migrate/rules/rules.h"

/* What printing needs of an analysis, which must stay. */
struct report {
    const struct analysis *analysis;
    struct render render; /* of the findings, with the lines of the files that were read */
    struct map by_file;
    size_t coverage[COVERAGE_NONE + 1];
    size_t step_count;         /* of all upgrades */
    size_t unknown_step_count; /* of them */
    size_t merges;             /* merge points */
    size_t branch_points;

    /* The line that was shown last, so that a file is not read from its start for each. */
    const struct revision *revision;
    uint32_t line;
    size_t offset;
};

/* more: how the user sees what is left out. The report points to itself: it must not be copied. */
void report_init(struct ctx *ctx, const struct analysis *analysis, const char *more,
    bool is_verbose, struct report *report);

/*
 * Whether the history can be applied to an empty database: "yes", "no", or "unknown" when
 * something in it cannot be known from the files.
 */
const char *report_replay_answer(const struct report *report);

/* The JSON document of docs/migrations.md, an element of a list a line. */
void analysis_json(FILE *out, const struct report *report, bool with_schema);

/* One HTML page that loads nothing. */
void analysis_html(struct ctx *ctx, FILE *out, const struct report *report);
