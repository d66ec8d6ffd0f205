#include "data/row.h"

#include <assert.h>
#include <endian.h>

/* About what a socket holds: while the server eats it we make the next. 1 MB was no faster. */
enum { BUFFER_BYTES = 256 * 1024 };

/* Signature, flags and the length of a header extension: "Binary Format" in the COPY manual. */
static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";

static void
add(struct row *row, const void *data, size_t length)
{
    assert(row->length + length <= BUFFER_BYTES + ROW_MAX_BYTES);
    memcpy(row->data + row->length, data, length);
    row->length += length;
}

static void
add_int16(struct row *row, int16_t value)
{
    uint16_t big = htobe16((uint16_t)value);

    add(row, &big, sizeof(big));
}

static void
add_int32(struct row *row, int32_t value)
{
    uint32_t big = htobe32((uint32_t)value);

    add(row, &big, sizeof(big));
}

static void
add_int64(struct row *row, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);

    add(row, &big, sizeof(big));
}

/* The next column; its length in bytes comes before its value. */
static void
start(struct row *row, enum column_kind kind, int32_t length)
{
    assert(row->column < row->column_count);
    assert(row->columns[row->column].kind == kind);
    row->column++;
    add_int32(row, length);
}

static bool
flush(struct ctx *ctx, struct row *row)
{
    if (!row->sink->put(ctx, row->sink, row->data, row->length))
        return false;
    row->bytes += (int64_t)row->length;
    row->length = 0;
    return true;
}

void
row_open(struct arena *arena, struct row *ret, struct sink *sink, const struct column *columns,
    size_t count)
{
    *ret = (struct row){
        .sink = sink,
        .columns = columns,
        .column_count = count,
        .data = arena_alloc(arena, BUFFER_BYTES + ROW_MAX_BYTES),
        .scratch = arena_new(),
    };
    add(ret, header, sizeof(header) - 1);
}

bool
row_close(struct ctx *ctx, struct row *row)
{
    add_int16(row, -1);
    return flush(ctx, row);
}

void
row_cleanup(struct row *row)
{
    arena_cleanup(&row->scratch);
}

void
row_begin(struct row *row)
{
    row->column = 0;
    add_int16(row, (int16_t)row->column_count);
}

bool
row_end(struct ctx *ctx, struct row *row)
{
    assert(row->column == row->column_count);
    row->rows++;
    if (row->length < BUFFER_BYTES)
        return true;
    arena_reset(row->scratch);
    return flush(ctx, row);
}

void
row_null(struct row *row)
{
    assert(row->column < row->column_count);
    row->column++;
    add_int32(row, -1);
}

void
row_int4(struct row *row, int32_t value)
{
    start(row, COLUMN_INT4, 4);
    add_int32(row, value);
}

void
row_float8(struct row *row, double value)
{
    int64_t bits;

    start(row, COLUMN_FLOAT8, 8);
    memcpy(&bits, &value, sizeof(bits));
    add_int64(row, bits);
}

void
row_bool(struct row *row, bool value)
{
    char byte = value ? 1 : 0;

    start(row, COLUMN_BOOL, 1);
    add(row, &byte, 1);
}

void
row_time(struct row *row, int64_t us)
{
    start(row, COLUMN_TIME, 8);
    add_int64(row, us);
}

void
row_text(struct row *row, const char *text)
{
    row_text_begin(row);
    row_text_add(row, text, strlen(text));
    row_text_end(row);
}

void
row_text_begin(struct row *row)
{
    start(row, COLUMN_TEXT, 0);
    row->text_start = row->length;
}

void
row_text_add(struct row *row, const char *text, size_t length)
{
    add(row, text, length);
}

void
row_text_end(struct row *row)
{
    uint32_t big = htobe32((uint32_t)row_text_length(row));

    memcpy(row->data + row->text_start - sizeof(big), &big, sizeof(big));
}

const char *
row_text_data(const struct row *row)
{
    return row->data + row->text_start;
}

size_t
row_text_length(const struct row *row)
{
    return row->length - row->text_start;
}

void
row_vector(struct row *row, const float *values)
{
    uint32_t big[VECTOR_SIZE];

    memcpy(big, values, sizeof(big));
    for (size_t i = 0; i < VECTOR_SIZE; i++)
        big[i] = htobe32(big[i]);
    start(row, COLUMN_VECTOR, 4 + (int32_t)sizeof(big));
    add_int16(row, VECTOR_SIZE);
    add_int16(row, 0);
    add(row, big, sizeof(big));
}
