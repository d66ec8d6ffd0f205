/* The report of a consolidation as blocks, which Markdown and HTML draw alike. */
#pragma once

#include "migrate/squash/squash.h"

enum report_block_kind {
    REPORT_HEADING,
    REPORT_TEXT,
    REPORT_ITEM, /* of a list */
    REPORT_CODE, /* lines to be typed or run */
    REPORT_HEAD, /* of a table: its cells are the columns; "#" before a name: of numbers */
    REPORT_ROW,
};

enum { REPORT_CELLS = 5 };

/* Texts hold `code` between backticks. */
struct report_block {
    enum report_block_kind kind;
    const char *cells[REPORT_CELLS]; /* [0] alone but in tables; NULL ends a row */
};

/* A figure at the top. */
struct report_figure {
    const char *kind; /* "good", "error", "warning" or "" */
    const char *figure;
    const char *name;
    const char *more;
};

struct squash_report {
    struct arena *arena;
    const char *title;
    const char *lead;
    VEC(struct report_figure) figures;
    VEC(struct report_block) blocks;
};

void squash_report_build(
    struct arena *arena, const struct squash_result *result, struct squash_report *ret);

/* The chapters, in their own files. */
void squash_report_proof(struct squash_report *report, const struct squash_result *result);

#define REPORT_ADD(report, ...) \
    VEC_PUSH((report)->arena, &(report)->blocks, (struct report_block){ __VA_ARGS__ })

/* Somebody's text as code: no backtick and no end of line in it. */
const char *squash_report_code(struct arena *arena, const char *text);

/* "3 tables", "1 table". */
const char *squash_report_count(struct arena *arena, size_t count, const char *word);
