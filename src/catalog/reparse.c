#include "catalog/reparse.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

#define ARRAY_START "(ARRAY["

/* Behind the string, quoted name or dollar-quoted text that starts here; at itself if none does. */
static const char *
skip_quoted(const char *at)
{
    if (*at == '\'' || *at == '"') {
        const char *end = at + 1;

        while (*end && !(*end == *at && end[1] != *at))
            end += *end == *at ? 2 : 1;
        return *end ? end + 1 : end;
    }
    if (*at != '$')
        return at;

    const char *tag = at + 1;

    while (isalnum((unsigned char)*tag) || *tag == '_')
        tag++;
    if (*tag != '$')
        return at;

    size_t length = (size_t)(tag - at) + 1;

    for (const char *end = tag + 1; *end; end++)
        if (strncmp(end, at, length) == 0)
            return end + length;
    return at + strlen(at);
}

/* The bracket that closes the array whose first element starts here; NULL: there is none. */
static const char *
end_of_array(const char *at, const char **ret_first_end)
{
    int depth = 0;

    *ret_first_end = NULL;
    while (*at) {
        const char *behind = skip_quoted(at);

        if (behind != at) {
            at = behind;
            continue;
        }
        if (depth == 0 && (*at == ',' || *at == ']') && !*ret_first_end)
            *ret_first_end = at;
        if (depth == 0 && *at == ']')
            return at;
        if (*at == '(' || *at == '[')
            depth++;
        if (*at == ')' || *at == ']')
            depth--;
        at++;
    }
    return NULL;
}

/* The type that the element is cast to: what follows its last "::" outside of parentheses. */
static const char *
element_type(struct arena *arena, const char *start, const char *end)
{
    const char *type = NULL;
    int depth = 0;

    for (const char *at = start; at < end;) {
        const char *behind = skip_quoted(at);

        if (behind != at) {
            at = behind;
            continue;
        }
        depth += *at == '(' || *at == '[';
        depth -= *at == ')' || *at == ']';
        if (depth == 0 && at[0] == ':' && at[1] == ':')
            type = at + 2;
        at++;
    }
    /* A length would be a cast of its own, which is not there. */
    if (!type || memchr(type, '(', (size_t)(end - type)))
        return NULL;
    return arena_strndup(arena, type, (size_t)(end - type));
}

/* Adds the cast for an array that starts here; returns where the text goes on. */
static const char *
add_cast(struct arena *arena, const char *start, struct buffer *out)
{
    const char *elements = start + strlen(ARRAY_START), *first_end;
    const char *end = end_of_array(elements, &first_end);
    const char *type =
        end && strncmp(end, "])::", 4) == 0 ? element_type(arena, elements, first_end) : NULL;

    if (!type) {
        buffer_append(out, start, strlen(ARRAY_START));
        return elements;
    }

    struct buffer inner = { .arena = arena };

    buffer_append(&inner, elements, (size_t)(end - elements));
    buffer_printf(
        out, "%s%s]::%s[]", ARRAY_START, sql_reparsable(arena, buffer_text(&inner)), type);
    return end + 1;
}

const char *
sql_reparsable(struct arena *arena, const char *text)
{
    struct buffer out = { .arena = arena };

    if (!text || !strstr(text, ARRAY_START))
        return text;
    while (*text) {
        const char *behind = skip_quoted(text);

        if (behind != text) {
            buffer_append(&out, text, (size_t)(behind - text));
            text = behind;
        } else if (strncmp(text, ARRAY_START, strlen(ARRAY_START)) == 0) {
            text = add_cast(arena, text, &out);
        } else {
            buffer_append(&out, text++, 1);
        }
    }
    return buffer_text(&out);
}
