/* Pieces of values that columns really have: what people search for. */
#include <ctype.h>
#include <time.h>

#include "base/text.h"
#include "index/sample/sample_part.h"

enum { PREFIX_LENGTH = 6, INFIX_LENGTH = 5, MOST_PIECE_BYTES = 64 };

/* Bytes of so many characters from here on. */
static size_t
bytes_of(const char *text, size_t characters)
{
    size_t length = 0;

    while (text[length] && characters > 0) {
        length++;
        while (((unsigned char)text[length] & 0xC0) == 0x80)
            length++;
        characters--;
    }
    return length;
}

static size_t
count_characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* With % _ and \ taken for what they are. */
static const char *
escaped(struct arena *arena, const char *text, size_t length)
{
    struct buffer buffer = { .arena = arena };

    for (size_t i = 0; i < length; i++) {
        if (strchr("%_\\", text[i]))
            buffer_add(&buffer, "\\");
        buffer_append(&buffer, text + i, 1);
    }
    return buffer_text(&buffer);
}

const char *
sample_piece(struct arena *arena, const char *value, bool is_prefix)
{
    size_t count = count_characters(value);
    size_t length = is_prefix ? PREFIX_LENGTH : INFIX_LENGTH;
    size_t skipped = 0;

    if (!is_prefix && count > length)
        skipped = bytes_of(value, (count - length) / 2);
    /* The whole of a short value would be a search for it alone. */
    if (is_prefix && count > 1 && length >= count)
        length = count - 1;
    return escaped(arena, value + skipped, bytes_of(value + skipped, length));
}

const char *
sample_word(struct arena *arena, const char *value)
{
    const char *best = NULL;
    size_t best_length = 0;

    for (const char *at = value; *at;) {
        size_t length = 0;

        while (isalnum((unsigned char)at[length]) || (at[length] & 0x80))
            length++;
        if (length > best_length && length < MOST_PIECE_BYTES) {
            best = at;
            best_length = length;
        }
        at += length > 0 ? length : 1;
    }
    return best ? arena_strndup(arena, best, best_length) : NULL;
}

const char *
sample_array_of(struct arena *arena, const struct text_list *values)
{
    struct buffer buffer = { .arena = arena };

    buffer_add(&buffer, "{");
    for (size_t i = 0; i < values->count; i++) {
        buffer_add(&buffer, i > 0 ? ",\"" : "\"");
        for (const char *at = values->items[i]; *at; at++) {
            if (*at == '"' || *at == '\\')
                buffer_add(&buffer, "\\");
            buffer_append(&buffer, at, 1);
        }
        buffer_add(&buffer, "\"");
    }
    buffer_add(&buffer, "}");
    return buffer_text(&buffer);
}

/* One element or bound, in double quotes or not, up to one of the ends. */
static const char *
read_part(struct arena *arena, const char *at, const char *ends)
{
    struct buffer buffer = { .arena = arena };
    bool is_quoted = *at == '"';

    for (at += is_quoted; *at; at++) {
        if (is_quoted ? *at == '"' : strchr(ends, *at) != NULL)
            break;
        if (*at == '\\' && at[1])
            at++;
        buffer_append(&buffer, at, 1);
    }
    return buffer_text(&buffer);
}

const char *
sample_first_element(struct arena *arena, const char *array)
{
    const char *part;

    if (*array != '{' || array[1] == '}' || array[1] == '{' || !array[1])
        return NULL;
    part = read_part(arena, array + 1, ",}");
    return array[1] != '"' && strcasecmp(part, "null") == 0 ? NULL : part;
}

const char *
sample_lower_bound(struct arena *arena, const char *range)
{
    const char *part;

    if (!strchr("[(", *range))
        return NULL;
    part = read_part(arena, range + 1, ",])");
    return text_is_empty(part) ? NULL : part;
}

bool
sample_read_time(const char *text, int64_t *ret_s)
{
    struct tm when = { 0 };
    const char *rest = strptime(text, "%Y-%m-%d", &when);

    if (!rest || strchr(text, 'B'))
        return false;
    if (*rest == ' ' && !strptime(rest + 1, "%H:%M:%S", &when))
        return false;
    *ret_s = (int64_t)timegm(&when);
    return true;
}
