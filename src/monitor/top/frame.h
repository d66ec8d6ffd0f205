/*
 * What top shows at one moment: a table of cells, made of a watched server's readings. The terminal
 * draws it, and --once prints it.
 */
#pragma once

#include "base/vec.h"
#include "monitor/monitor.h"

enum { TOP_CELLS = 13, TOP_COLLECTORS = 4 };

enum top_tone { TONE_PLAIN, TONE_DIM, TONE_WARN, TONE_BAD };

struct top_cell {
    const char *text; /* as a terminal may see it */
    double number;    /* what it is sorted by; NaN: by its text */
};

struct top_row {
    struct top_cell cells[TOP_CELLS];
    enum top_tone tone;
    int32_t pid;        /* 0: it is no session */
    const char *detail; /* the whole statement, or NULL */
    bool has_right;     /* its text may be seen: a role without rights sees little */
};

struct top_column {
    const char *title;
    size_t most_width;   /* 0: as wide as needed; the last one takes what is left */
    size_t least_screen; /* left out on narrower terminals */
    bool is_right;
};

struct frame;
struct top_view {
    const char *name;
    const struct top_column *columns;
    size_t column_count;
    size_t sort;      /* column at first */
    bool is_falling;  /* the largest first */
    bool is_ordered;  /* as a tree: it is not sorted */
    const char *none; /* what is said when there is no row */
    enum collector_id collectors[TOP_COLLECTORS];
    size_t collector_count;
    void (*fill)(struct frame *frame, const struct watched *server);
};

extern const struct top_view top_view_sessions;
extern const struct top_view top_view_statements;
extern const struct top_view top_view_locks;
extern const struct top_view top_view_progress;
extern const struct top_view top_view_tables;

struct frame {
    struct arena *arena;
    const struct top_view *view;
    VEC(struct top_row) rows;
    const char *title; /* which server */
    const char *load;  /* how it does: sessions, rates */
    const char *note;  /* why the view is not complete, or NULL */
    size_t filtered;   /* rows that the filter left out */
    size_t sort;       /* column it is sorted by */
    bool is_falling;
};

struct frame_wish {
    const struct top_view *view;
    const char *filter; /* a part of any cell, whatever the case; "" or NULL: all */
    size_t sort;        /* column; SIZE_MAX: the view's own */
    bool is_reversed;
};

void frame_make(struct arena *arena, const struct watched *server, const struct frame_wish *wish,
    struct frame *ret);

/* ---- lines ---- */

struct layout {
    size_t widths[TOP_CELLS]; /* 0: left out */
    size_t width;
};

/* Columns that fit; width 0: nothing is cut. */
void layout_make(const struct frame *frame, size_t width, struct layout *ret);
const char *layout_head(const struct frame *frame, const struct layout *layout);
/* shift: characters of the last column that are scrolled away. */
const char *layout_row(
    const struct frame *frame, const struct layout *layout, size_t row, size_t shift);

/* ---- for the views ---- */

struct top_row *frame_add(struct frame *frame);
void frame_text(struct frame *frame, struct top_row *row, size_t column, const char *text);
void frame_number(struct frame *frame, struct top_row *row, size_t column, double number);
/* Seconds as "1:02:03", "12.3 s", "250 ms"; empty for NaN. */
void frame_seconds(struct frame *frame, struct top_row *row, size_t column, double seconds);
void frame_bytes(struct frame *frame, struct top_row *row, size_t column, double bytes);
void frame_ratio(struct frame *frame, struct top_row *row, size_t column, double ratio);

/* The rows of a collector, or NULL, and then the note says why. */
const void *frame_rows(
    struct frame *frame, const struct watched *server, enum collector_id id, size_t *ret_count);
