#include "migrate/history/ini.h"

#include <ctype.h>
#include <ini.h>
#include <string.h>

#include "base/file.h"

/* inih knows sections and names; the value is taken from the line itself, which it would cut. */
struct reader {
    struct ctx *ctx;
    struct ini *ini;
    const char *section; /* that is wanted */
    const char *at;      /* behind the line that inih has now */
    const char *end;
    const char *line; /* that inih has now */
    size_t length;
};

static char *
read_line(char *line, int size, void *stream)
{
    struct reader *reader = stream;
    size_t left = (size_t)(reader->end - reader->at), given;

    if (left == 0)
        return NULL;

    const char *newline = memchr(reader->at, '\n', left);

    reader->line = reader->at;
    reader->length = newline ? (size_t)(newline - reader->at) : left;
    reader->at = newline ? newline + 1 : reader->end;
    given = reader->length < (size_t)size - 1 ? reader->length : (size_t)size - 1;
    memcpy(line, reader->line, given);
    line[given] = '\0';
    return line;
}

static const char *
trim(struct arena *arena, const char *text, size_t length)
{
    while (length > 0 && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    return arena_strndup(arena, text, length);
}

/* The line's own value: behind the first = or :, or all of a line that goes on with the one above. */
static const char *
value_of(const struct reader *reader, bool is_more)
{
    size_t skip = 0;

    while (!is_more && skip < reader->length && !strchr("=:", reader->line[skip]))
        skip++;
    if (!is_more && skip < reader->length)
        skip++;
    return trim(reader->ctx->arena, reader->line + skip, reader->length - skip);
}

static int
take(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;
    struct arena *arena = reader->ctx->arena;
    struct map *values = &reader->ini->values;
    bool is_more = reader->length > 0 && isspace((unsigned char)*reader->line);
    bool is_default = text_equal(section, "DEFAULT");
    char *key = arena_strdup(arena, name);

    if (!text_list_has(&reader->ini->sections, section))
        text_list_add(arena, &reader->ini->sections, arena_strdup(arena, section));
    for (char *c = key; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    reader->ini->has_section |= text_equal(section, reader->section);
    if ((!is_default && !text_equal(section, reader->section)) || !value)
        return 1;

    char *text = arena_strdup(arena, value_of(reader, is_more));
    const char *before = map_get(values, key);

    if (is_more && before)
        text = arena_printf(arena, "%s\n%s", before, text);
    else if (is_default && before)
        return 1;
    map_set(values, key, text);
    return 1;
}

bool
ini_read(struct ctx *ctx, const char *path, const char *section, struct ini *ret)
{
    struct reader reader = { .ctx = ctx, .ini = ret, .section = section };
    const char *slash = strrchr(path, '/');
    size_t length;

    *ret = (struct ini){ .values = { .arena = ctx->arena } };
    if (!file_read(ctx, path, &reader.at, &length))
        return false;
    reader.end = reader.at + length;
    /* Lines that mean nothing to inih are not ours to judge: Alembic says what it does not like. */
    if (ini_parse_stream(read_line, &reader, take, &reader) < 0)
        return error_set(ctx, ERR_INPUT, "%s: could not be read", path);
    map_set(&ret->values, "here",
        slash ? arena_strndup(ctx->arena, path, (size_t)(slash - path) + (slash == path))
              : arena_strdup(ctx->arena, "."));
    return true;
}

static bool
expand(
    struct ctx *ctx, const struct ini *ini, const char *text, unsigned depth, struct buffer *buffer)
{
    enum { MOST_DEPTH = 10, MOST_BYTES = 64 * 1024 };

    if (depth > MOST_DEPTH || buffer->length > MOST_BYTES)
        return error_set(ctx, ERR_INPUT, "values refer to each other in a circle");
    while (*text) {
        const char *end = text_starts_with(text, "%(") ? strstr(text, ")s") : NULL;

        if (text_starts_with(text, "%%")) {
            buffer_append(buffer, "%", 1);
            text += 2;
            continue;
        }
        if (!end) {
            buffer_append(buffer, text++, 1);
            continue;
        }

        char *name = arena_strndup(ctx->arena, text + 2, (size_t)(end - text) - 2);

        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);

        const char *value = map_get(&ini->values, name);

        if (!value)
            return error_set(ctx, ERR_INPUT, "%%(%s)s stands for nothing", name);
        /* A folder's name is taken as it is. */
        if (strcmp(name, "here") == 0)
            buffer_add(buffer, value);
        else if (!expand(ctx, ini, value, depth + 1, buffer))
            return false;
        text = end + 2;
    }
    return true;
}

bool
ini_get(struct ctx *ctx, const struct ini *ini, const char *name, const char **ret)
{
    struct buffer buffer = { .arena = ctx->arena };
    const char *value = map_get(&ini->values, name);

    *ret = NULL;
    if (!value)
        return true;
    if (!expand(ctx, ini, value, 0, &buffer))
        return error_wrap(ctx, "%s", name);
    *ret = buffer_text(&buffer);
    return true;
}
