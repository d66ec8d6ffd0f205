#include "migrate/history/source.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const char *const utf8_names[] = { "utf-8", "utf8", "utf_8", "u8", "ascii", "us-ascii" };
static const char *const latin1_names[] = { "latin-1", "latin1", "latin_1", "iso-8859-1",
    "iso8859-1", "iso_8859_1", "iso-latin-1", "l1" };

static bool
is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* The encoding that a line declares: ^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+); or NULL. */
static const char *
declared_in(struct arena *arena, const char *line, size_t length)
{
    const char *end = line + length;

    while (line < end && strchr(" \t\f", *line))
        line++;
    if (line == end || *line != '#')
        return NULL;
    for (const char *at = memmem(line, (size_t)(end - line), "coding", 6); at;
         at = memmem(at, (size_t)(end - at), "coding", 6)) {
        size_t name = 0;

        at += 6;
        if (at == end || (*at != ':' && *at != '='))
            continue;
        at++;
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        while (at + name < end && (isalnum((unsigned char)at[name]) || strchr("-_.", at[name])))
            name++;
        if (name > 0)
            return arena_strndup(arena, at, name);
    }
    return NULL;
}

/* A declaration counts in the first line, and in the second when the first is a comment or empty. */
static const char *
declared(struct arena *arena, const char *data, size_t length)
{
    const char *newline = memchr(data, '\n', length);
    size_t first = newline ? (size_t)(newline - data) : length;
    const char *name = declared_in(arena, data, first);
    size_t start = strspn(data, " \t\f\r");

    if (name || !newline || (data[start] != '#' && data[start] != '\n'))
        return name;

    const char *second = newline + 1;
    size_t left = length - first - 1;
    const char *end = memchr(second, '\n', left);

    return declared_in(arena, second, end ? (size_t)(end - second) : left);
}

static void
decode_latin1(
    struct arena *arena, const char *data, size_t length, const char **ret_text, size_t *ret_length)
{
    char *text = arena_alloc(arena, 2 * length + 1);
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)data[i];

        if (byte < 0x80) {
            text[used++] = data[i];
        } else {
            text[used++] = (char)(0xC0 | byte >> 6);
            text[used++] = (char)(0x80 | (byte & 0x3F));
        }
    }
    *ret_text = text;
    *ret_length = used;
}

const char *
source_decode(
    struct arena *arena, const char *data, size_t length, const char **ret_text, size_t *ret_length)
{
    bool has_mark = length >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0;
    const char *text = has_mark ? data + 3 : data;
    size_t size = has_mark ? length - 3 : length;

    if (memchr(text, '\0', size))
        return "it is not text: it holds NUL bytes";

    const char *name = declared(arena, text, size);

    if (name && is_one_of(name, latin1_names, COUNT_OF(latin1_names))) {
        decode_latin1(arena, text, size, ret_text, ret_length);
        return NULL;
    }
    if (name && !is_one_of(name, utf8_names, COUNT_OF(utf8_names)))
        return arena_printf(arena, "its encoding %s is not known here", name);
    if (!text_is_utf8(text))
        return "it is not UTF-8, and declares no other encoding";
    *ret_text = text;
    *ret_length = size;
    return NULL;
}
