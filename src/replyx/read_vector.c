#include "replyx/read_vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "replyx/embed.h"

/* Where reading is; end is one behind the last byte, and a NUL stands there. */
struct cursor {
    const char *at;
    const char *end;
};

static void
skip_space(struct cursor *cursor)
{
    cursor->at += strspn(cursor->at, " \t\r\n");
}

static bool
take(struct cursor *cursor, char byte)
{
    skip_space(cursor);
    if (*cursor->at != byte)
        return false;
    cursor->at++;
    return true;
}

/* Behind a text's closing quote; false: there is none. */
static bool
skip_text(struct cursor *cursor)
{
    if (!take(cursor, '"'))
        return false;
    while (cursor->at < cursor->end && *cursor->at != '"')
        cursor->at += *cursor->at == '\\' && cursor->at + 1 < cursor->end ? 2 : 1;
    return take(cursor, '"');
}

/* Behind a value of any kind, at what follows it. */
static bool
skip_value(struct cursor *cursor)
{
    size_t depth = 0;

    for (skip_space(cursor); cursor->at < cursor->end;) {
        char byte = *cursor->at;

        if (depth == 0 && (byte == ',' || byte == '}' || byte == ']'))
            return true;
        if (byte == '"') {
            if (!skip_text(cursor))
                return false;
            continue;
        }
        if (byte == '{' || byte == '[')
            depth++;
        else if (byte == '}' || byte == ']')
            depth--;
        cursor->at++;
    }
    return false;
}

static size_t
skip_digits(struct cursor *cursor)
{
    size_t count = strspn(cursor->at, "0123456789");

    cursor->at += count;
    return count;
}

/* A number as JSON has it; source: RFC 8259, section 6. */
static bool
skip_number(struct cursor *cursor)
{
    cursor->at += *cursor->at == '-';
    if (*cursor->at == '0')
        cursor->at++;
    else if (skip_digits(cursor) == 0)
        return false;
    if (*cursor->at == '.') {
        cursor->at++;
        if (skip_digits(cursor) == 0)
            return false;
    }
    if (*cursor->at == 'e' || *cursor->at == 'E') {
        cursor->at++;
        cursor->at += *cursor->at == '-' || *cursor->at == '+';
        if (skip_digits(cursor) == 0)
            return false;
    }
    return true;
}

/* As much of it as helps, and nothing that spoils the message. */
static const char *
shown(struct ctx *ctx, const char *at)
{
    enum { MOST = 20 };
    size_t length = 0;

    while (length < MOST && at[length] > ' ' && at[length] < 0x7f && at[length] != ',' &&
           at[length] != ']')
        length++;
    return arena_strndup(ctx->arena, at, length);
}

static bool
read_number(struct ctx *ctx, struct cursor *cursor, const char *name, size_t number, double *square)
{
    const char *start = cursor->at;
    float value;

    if (number >= EMBED_DIMENSIONS)
        return error_set(ctx, ERR_INPUT, "%s has more than %d numbers", name, EMBED_DIMENSIONS);
    if (!skip_number(cursor))
        return error_set(
            ctx, ERR_INPUT, "%s[%zu] is not a number: \"%s\"", name, number, shown(ctx, start));
    value = strtof(start, NULL);
    if (!isfinite(value))
        return error_set(ctx, ERR_INPUT, "%s[%zu] is too large for a number of four bytes: \"%s\"",
            name, number, shown(ctx, start));
    *square += (double)value * (double)value;
    return true;
}

static bool
check_size(struct ctx *ctx, const char *name, size_t count, double square)
{
    if (count != EMBED_DIMENSIONS)
        return error_set(
            ctx, ERR_INPUT, "%s has %zu numbers, and needs %d", name, count, EMBED_DIMENSIONS);
    if (square == 0)
        return error_set(
            ctx, ERR_INPUT, "%s has length zero: nothing is at a cosine distance from it", name);
    if (square < EMBED_LEAST_SQUARE || square > EMBED_MOST_SQUARE)
        return error_set(ctx, ERR_INPUT,
            "%s has length %.3g, and needs one between 1e-8 and 1e8: scale it", name, sqrt(square));
    return true;
}

/* From the opening bracket to behind the closing one. */
static bool
read_numbers(struct ctx *ctx, struct cursor *cursor, const char *name)
{
    size_t count = 0;
    double square = 0;

    cursor->at++;
    if (!take(cursor, ']')) {
        for (;;) {
            skip_space(cursor);
            if (!read_number(ctx, cursor, name, count, &square))
                return false;
            count++;
            if (take(cursor, ']'))
                break;
            if (!take(cursor, ','))
                return error_set(ctx, ERR_INPUT, "%s[%zu] is followed by \"%s\"", name, count - 1,
                    shown(ctx, cursor->at));
        }
    }
    return check_size(ctx, name, count, square);
}

/* Whether the member that comes next has the name; the cursor is then at its value. */
static bool
is_member(struct cursor *cursor, const char *name, bool *ret_is_it)
{
    const char *start;
    size_t length = strlen(name);

    skip_space(cursor);
    start = cursor->at + 1;
    if (!skip_text(cursor))
        return false;
    *ret_is_it = (size_t)(cursor->at - start) == length + 1 && strncmp(start, name, length) == 0;
    if (!take(cursor, ':'))
        return false;
    skip_space(cursor);
    return true;
}

static void
cut(struct ctx *ctx, const char *body, size_t length, const char *from, const char *to,
    struct read_vector *ret)
{
    struct buffer rest = { .arena = ctx->arena };
    size_t before = (size_t)(from - body);

    ret->vector = arena_strndup(ctx->arena, from, (size_t)(to - from));
    ret->cut_at = before + strlen("null");
    ret->cut_length = (size_t)(to - from) - strlen("null");
    buffer_append(&rest, body, before);
    buffer_add(&rest, "null");
    buffer_append(&rest, to, length - (size_t)(to - body));
    ret->rest = buffer_text(&rest);
    ret->length = rest.length;
}

bool
read_vector(
    struct ctx *ctx, const char *body, size_t length, const char *name, struct read_vector *ret)
{
    struct cursor cursor = { .at = body, .end = body + length };
    bool is_it;

    *ret = (struct read_vector){ .rest = body, .length = length };
    if (length == 0 || !take(&cursor, '{'))
        return true;
    while (is_member(&cursor, name, &is_it)) {
        const char *start = cursor.at;

        if (is_it && *start == '[') {
            if (!read_numbers(ctx, &cursor, name))
                return false;
            cut(ctx, body, length, start, cursor.at, ret);
            return true;
        }
        if (!skip_value(&cursor) || !take(&cursor, ','))
            return true;
    }
    return true;
}
