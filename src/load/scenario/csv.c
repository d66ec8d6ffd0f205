/* Values from a file with commas: a header, and rows of as many fields. Source: RFC 4180. */
#include <inttypes.h>

#include "load/scenario/reading.h"

struct csv {
    struct reading *reading;
    const char *path;
    const char *at;
    const char *end;
    int32_t line;
};

static bool
refuse(struct csv *csv, const char *what)
{
    return error_set(
        csv->reading->ctx, ERR_INPUT, "%s:%" PRId32 ": %s", csv->path, csv->line, what);
}

static bool
read_quoted(struct csv *csv, const char **ret)
{
    struct buffer buffer = { .arena = csv->reading->world->arena };
    int32_t begun = csv->line;

    buffer_add(&buffer, "");
    csv->at++;
    for (;; csv->at++) {
        if (csv->at == csv->end) {
            csv->line = begun;
            return refuse(csv, "the quote at the end of a field is missing");
        }
        if (*csv->at == '"' && ++csv->at != csv->end && *csv->at != '"')
            break;
        if (csv->at == csv->end)
            break;
        csv->line += *csv->at == '\n';
        buffer_append(&buffer, csv->at, 1);
    }
    *ret = buffer_text(&buffer);
    return csv->at == csv->end || strchr(",\r\n", *csv->at) ||
           refuse(csv, "something stands between a closing quote and the next comma");
}

/* One field, and whether it is the last one of its line. */
static bool
read_field(struct csv *csv, const char **ret, bool *ret_is_last)
{
    if (csv->at < csv->end && *csv->at == '"') {
        if (!read_quoted(csv, ret))
            return false;
    } else {
        const char *start = csv->at;

        while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\r' && *csv->at != '\n') {
            if (*csv->at == '"')
                return refuse(csv, "a quote stands within a field");
            csv->at++;
        }
        *ret = arena_strndup(csv->reading->world->arena, start, (size_t)(csv->at - start));
    }
    *ret_is_last = csv->at == csv->end || *csv->at != ',';
    if (!*ret_is_last) {
        csv->at++;
        return true;
    }
    if (csv->at < csv->end && *csv->at == '\r')
        csv->at++;
    if (csv->at < csv->end && *csv->at != '\n')
        return refuse(csv, "a carriage return stands within a line");
    if (csv->at < csv->end)
        csv->at++;
    return true;
}

static bool
read_line(struct csv *csv, struct text_list *ret)
{
    bool is_last = false;

    *ret = (struct text_list){ 0 };
    while (!is_last) {
        const char *field = "";

        if (!read_field(csv, &field, &is_last))
            return false;
        text_list_add(csv->reading->ctx->arena, ret, field);
    }
    return true;
}

static bool
read_rows(struct csv *csv, struct load_table *table)
{
    struct arena *arena = csv->reading->world->arena;
    VEC(const char *) cells = { 0 };

    while (csv->at < csv->end) {
        struct text_list fields;

        csv->line++;
        if (!read_line(csv, &fields))
            return false;
        if (fields.count != table->columns.count)
            return refuse(csv, arena_printf(arena, "the line has %zu fields, and the header %zu",
                                   fields.count, table->columns.count));
        if (table->rows == VALUES_MOST_ROWS)
            return refuse(csv, "there are more than 1,000,000 rows");
        for (size_t i = 0; i < fields.count; i++)
            VEC_PUSH(arena, &cells, fields.items[i]);
        table->rows++;
    }
    table->cells = cells.items;
    return true;
}

bool
values_of_file(struct reading *reading, const struct ini_setting *setting, const char *name,
    struct load_table *table)
{
    struct csv csv = { .reading = reading, .path = reading_path(reading, name), .line = 1 };
    size_t length;

    if (!file_read_most(reading->ctx, csv.path, VALUES_MOST_BYTES, &csv.at, &length)) {
        reading->ctx->error.kind = ERR_INPUT;
        return error_wrap(reading->ctx, "%s", reading_where(reading, setting->line));
    }
    csv.end = csv.at + length;
    if (length >= 3 && memcmp(csv.at, "\xef\xbb\xbf", 3) == 0)
        csv.at += 3;
    if (memchr(csv.at, '\0', (size_t)(csv.end - csv.at)))
        return refuse(&csv, "the file holds a NUL byte: it is no text");
    return read_line(&csv, &table->columns) && read_rows(&csv, table);
}
