#include "base/file.h"
#include "base/json.h"
#include "monitor/kpi/parts.h"
#include "monitor/plain.h"

enum { MOST_BYTES = 16 * 1024 * 1024, MOST_CELLS = 16 };
enum column { COLUMN_NAME, COLUMN_VALUE, COLUMN_AT, COLUMN_NOTE, COLUMN_COUNT };

static const char *const column_names[COLUMN_COUNT] = { "name", "value", "at", "note" };

struct reader {
    struct ctx *ctx;
    const char *path;
    const char *at;
    int64_t line;             /* of what is read next */
    int64_t row_line;         /* where the row began */
    int places[COLUMN_COUNT]; /* of the columns in a row; -1: there is none */
};

struct row {
    const char *cells[MOST_CELLS];
    size_t count;
};

static bool
refuse(const struct reader *reader, const char *why)
{
    return error_set(
        reader->ctx, ERR_INPUT, "%s:%lld: %s", reader->path, (long long)reader->row_line, why);
}

/* A cell in quotes, RFC 4180: they are doubled inside, and lines may break. */
static bool
read_quoted(struct reader *reader, const char **ret)
{
    struct buffer cell = { .arena = reader->ctx->arena };

    for (reader->at++; *reader->at; reader->at++) {
        if (*reader->at == '"' && reader->at[1] != '"') {
            reader->at++;
            if (*reader->at && !strchr(",\r\n", *reader->at))
                return refuse(reader, "a quote ends a cell, but something stands behind it");
            *ret = buffer_text(&cell);
            return true;
        }
        if (*reader->at == '"')
            reader->at++;
        if (*reader->at == '\n')
            reader->line++;
        buffer_append(&cell, reader->at, 1);
    }
    return refuse(reader, "a quote is opened and never closed");
}

static bool
read_cell(struct reader *reader, const char **ret)
{
    if (*reader->at == '"')
        return read_quoted(reader, ret);

    size_t length = strcspn(reader->at, ",\r\n");

    *ret = arena_strndup(reader->ctx->arena, reader->at, length);
    reader->at += length;
    if (strchr(*ret, '"'))
        return refuse(reader, "a quote stands inside a cell that does not begin with one");
    return true;
}

static bool
read_row(struct reader *reader, struct row *ret)
{
    *ret = (struct row){ 0 };
    reader->row_line = reader->line;
    for (;;) {
        if (ret->count == MOST_CELLS)
            return refuse(reader, "there are too many cells in the line");
        if (!read_cell(reader, &ret->cells[ret->count++]))
            return false;
        if (*reader->at != ',')
            break;
        reader->at++;
    }
    if (*reader->at == '\r')
        reader->at++;
    if (*reader->at == '\n')
        reader->at++;
    else if (*reader->at)
        return refuse(reader, "a carriage return stands alone");
    reader->line++;
    return true;
}

/* Spreadsheets leave blanks around a title, and people write it as they like. */
static bool
is_title(const char *text, const char *name)
{
    size_t length = strlen(name);

    text += strspn(text, " ");
    return strncasecmp(text, name, length) == 0 && !text[length + strspn(text + length, " ")];
}

static bool
read_header(struct reader *reader)
{
    struct row row;

    if (!read_row(reader, &row))
        return false;
    for (int i = 0; i < COLUMN_COUNT; i++)
        reader->places[i] = -1;
    for (size_t i = 0; i < row.count; i++) {
        const char *title = plain_text(reader->ctx->arena, row.cells[i]);
        int column = 0;

        while (column < COLUMN_COUNT && !is_title(title, column_names[column]))
            column++;
        if (column == COLUMN_COUNT || reader->places[column] >= 0) {
            refuse(reader, arena_printf(reader->ctx->arena,
                               column == COLUMN_COUNT ? "there is no column \"%s\""
                                                      : "the column \"%s\" stands there twice",
                               title));
            return error_hint(reader->ctx,
                "The first line names the columns, with commas between: name,value,at,note.");
        }
        reader->places[column] = (int)i;
    }
    if (reader->places[COLUMN_NAME] >= 0 && reader->places[COLUMN_VALUE] >= 0)
        return true;
    refuse(reader, "the columns \"name\" and \"value\" are needed");
    return error_hint(reader->ctx, "The first line names the columns: name,value,at,note.");
}

static const char *
cell_of(const struct reader *reader, const struct row *row, enum column column)
{
    int place = reader->places[column];

    return place >= 0 && (size_t)place < row->count ? row->cells[place] : "";
}

/* An error about a cell, with its place in front. */
static bool
wrap(const struct reader *reader)
{
    return error_wrap(reader->ctx, "%s:%lld", reader->path, (long long)reader->row_line);
}

static bool
take_row(struct reader *reader, const struct row *row, struct kpi_value *ret)
{
    struct ctx *ctx = reader->ctx;
    const char *at = cell_of(reader, row, COLUMN_AT);
    const char *note = cell_of(reader, row, COLUMN_NOTE);
    size_t columns = 0;

    for (int i = 0; i < COLUMN_COUNT; i++)
        columns += reader->places[i] >= 0;
    if (row->count != columns)
        return refuse(reader,
            arena_printf(ctx->arena, "%zu cells, but the header has %zu", row->count, columns));
    *ret = (struct kpi_value){ .name = cell_of(reader, row, COLUMN_NAME) };
    if (!*ret->name)
        return refuse(reader, "there is no name");
    if (kpi_has_controls(ret->name) || kpi_has_controls(note))
        return refuse(reader, arena_printf(ctx->arena, "the %s has control characters in it",
                                  kpi_has_controls(note) ? "note" : "name"));
    if (!kpi_read_number(ctx, ret->name, cell_of(reader, row, COLUMN_VALUE), &ret->value))
        return wrap(reader);
    if (*at && !kpi_read_time(ctx, at, &ret->at_wall_us))
        return wrap(reader);
    ret->note = *note ? note : NULL;
    ret->place = arena_printf(ctx->arena, "%s:%lld", reader->path, (long long)reader->row_line);
    return true;
}

static bool
check_text(struct ctx *ctx, const char *path, const char *text, size_t length)
{
    if (strlen(text) != length || !text_is_utf8(text)) {
        error_set(ctx, ERR_INPUT, "%s is not text in UTF-8", path);
        return error_hint(ctx, "Save it as \"CSV UTF-8\".");
    }
    if (strchr(text, ';') && !memchr(text, ',', strcspn(text, "\n"))) {
        error_set(ctx, ERR_INPUT, "%s:1: cells are parted by semicolons", path);
        return error_hint(ctx, "Part them by commas, and write numbers with a point.");
    }
    return true;
}

bool
kpi_read_csv(struct ctx *ctx, const char *path, struct kpi_value **ret, size_t *ret_count)
{
    VEC(struct kpi_value) values = { 0 };
    const char *text;
    size_t length;

    if (!file_read_most(ctx, path, MOST_BYTES, &text, &length))
        return ctx->error.kind == ERR_INPUT
                   ? error_hint(ctx, "Part it into several files, each with the header.")
                   : false;
    /* Excel puts the byte order mark in front. */
    if (text_starts_with(text, "\xef\xbb\xbf")) {
        text += 3;
        length -= 3;
    }
    if (!check_text(ctx, path, text, length))
        return false;

    struct reader reader = { .ctx = ctx, .path = path, .at = text, .line = 1 };

    if (!read_header(&reader))
        return false;
    while (*reader.at) {
        struct kpi_value value;
        struct row row;

        if (!read_row(&reader, &row))
            return false;
        if (row.count == 1 && !*row.cells[0])
            continue;
        if (!take_row(&reader, &row, &value))
            return false;
        VEC_PUSH(ctx->arena, &values, value);
    }
    *ret = values.items;
    *ret_count = values.count;
    return true;
}
