/* Results on stdout: tables for people, JSON for machines; and progress on stderr. */
#pragma once

#include <stdio.h>

#include "base/field.h"
#include "base/json.h"

/*
 * Rows as a table with a header, numbers right-aligned, cut to the terminal's width on a terminal
 * only. The fields' help is the column heading when set, else the name. Fields without arg and
 * letter conventions: nothing else of struct field matters here.
 */
void out_table(FILE *out, const struct field *fields, size_t field_count, const void *items,
    size_t count, size_t item_size);

/* Rows as a JSON array of objects. Caller owns it. */
json_t *out_json_rows(const struct field *fields, size_t field_count, const void *items,
    size_t count, size_t item_size);

/* A JSON document with "schema_version": 1 first, and a newline. */
void out_json(FILE *out, json_t *object);

/* "Next: pgmend status" in the last line of a screen. */
void out_next(FILE *out, const char *format, ...) PRINTF_LIKE(2, 3);

/* Coloured marks "ok", "warn", "fail" padded to four columns. */
enum out_mark { MARK_OK, MARK_WARN, MARK_FAIL, MARK_INFO };
void out_mark_line(FILE *out, enum out_mark mark, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * A line that is drawn over on a terminal; elsewhere a new line whenever the phase changes or ten
 * seconds went by. Ends with progress_end().
 */
struct progress {
    FILE *file;
    bool is_terminal;
    const char *last_phase;
    int64_t last_us;
    char phase[128];
};
void progress_begin(struct progress *progress);

struct progress_line {
    const char *what;
    const char *phase;
    double ratio; /* below 0: unknown */
    int64_t elapsed_us;
    int64_t left_us;
    const char *note; /* or NULL */
};
void progress_draw(struct progress *progress, const struct progress_line *line);

/* The members of a struct progress_line in their order, or by name. */
#define progress_show(progress, ...) \
    progress_draw((progress), &(const struct progress_line){ __VA_ARGS__ })
void progress_end(struct progress *progress);

/* Asks to type the given word; --yes answers it, --no-input or no terminal refuses (ERR_USAGE). */
struct global_options;
bool confirm_typed(struct ctx *ctx, const struct global_options *global, const char *question,
    const char *word) MUST_CHECK;
