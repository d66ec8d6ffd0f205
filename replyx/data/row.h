/*
 * Rows in PostgreSQL's binary COPY format, collected in a buffer of 256 kB. Each row_…() call is the
 * next column of the row; that its type is the column's is asserted.
 */
#pragma once

#include "base/ctx.h"

enum { VECTOR_SIZE = 1536 };

enum column_kind {
    COLUMN_INT4,
    COLUMN_FLOAT8,
    COLUMN_BOOL,
    COLUMN_TEXT, /* text, varchar, json */
    COLUMN_TIME,
    COLUMN_VECTOR,
};

struct column {
    const char *name;
    enum column_kind kind;
};

/* Where the bytes go: a COPY, a file, a checksum. */
struct sink {
    bool (*put)(struct ctx *ctx, struct sink *sink, const void *data, size_t length);
};

struct row {
    struct sink *sink;
    const struct column *columns;
    size_t column_count;
    size_t column; /* the next one */
    int64_t rows;
    int64_t bytes; /* handed to the sink */
    char *data;
    size_t length;
    size_t text_start;
    struct arena *scratch; /* what rows need while they are made */
};

/* Starts a stream of rows: the format's header. Ends with row_cleanup(). */
void row_open(struct arena *arena, struct row *ret, struct sink *sink, const struct column *columns,
    size_t count);

/* For CLEANUP. */
void row_cleanup(struct row *row);

/* Ends the stream and hands the rest to the sink. */
bool row_close(struct ctx *ctx, struct row *row) MUST_CHECK;

void row_begin(struct row *row);
bool row_end(struct ctx *ctx, struct row *row) MUST_CHECK;

void row_null(struct row *row);
void row_int4(struct row *row, int32_t value);
void row_float8(struct row *row, double value);
void row_bool(struct row *row, bool value);
void row_text(struct row *row, const char *text);

/* Microseconds since 2000-01-01 00:00 UTC. */
void row_time(struct row *row, int64_t us);

/* VECTOR_SIZE numbers. */
void row_vector(struct row *row, const float *values);

/*
 * A text that is written where it will stand: begin, add any number of times, end. The parts of a
 * row may have ROW_MAX_BYTES together.
 */
enum { ROW_MAX_BYTES = 64 * 1024 };
void row_text_begin(struct row *row);
void row_text_add(struct row *row, const char *text, size_t length);
void row_text_end(struct row *row);

/* The text since row_text_begin() or of the column just ended. */
const char *row_text_data(const struct row *row);
size_t row_text_length(const struct row *row);
