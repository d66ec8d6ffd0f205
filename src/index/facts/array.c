/* Array literals of the server, as far as facts need them. Source: array_out() of PostgreSQL. */
#include "index/facts/facts_part.h"

/* Takes one element that begins at *text, writes it where it stands, and goes behind it. */
static const char *
take_element(char **text)
{
    char *from = *text;
    char *to = from;
    const char *start = from;
    bool is_quoted = *from == '"';

    if (is_quoted)
        from++;
    while (*from && (is_quoted ? *from != '"' : *from != ',' && *from != '}')) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from++;
    }

    bool is_null = !is_quoted && to - start == 4 && strncasecmp(start, "NULL", 4) == 0;
    char *end = is_quoted && *from ? from + 1 : from;

    /* The byte that the terminator may overwrite has been seen: what is behind the element. */
    bool is_last = *end != ',';

    *to = '\0';
    *text = is_last ? NULL : end + 1;
    return is_null ? NULL : start;
}

void
facts_array(struct arena *arena, char *text, const char ***ret_items, size_t *ret_count)
{
    char *next = strchr(text, '{');
    size_t most = 1;

    *ret_items = NULL;
    *ret_count = 0;
    if (!next || next[1] == '}')
        return;
    for (const char *c = next; *c; c++)
        most += *c == ',';
    *ret_items = ARENA_ARRAY(arena, const char *, most);
    for (next++; next;)
        (*ret_items)[(*ret_count)++] = take_element(&next);
}

const char *
facts_array_text(struct arena *arena, const struct text_list *items)
{
    struct buffer text = { .arena = arena };

    buffer_add(&text, "{");
    for (size_t i = 0; i < items->count; i++) {
        buffer_add(&text, i > 0 ? ",\"" : "\"");
        for (const char *c = items->items[i]; *c; c++) {
            if (*c == '"' || *c == '\\')
                buffer_append(&text, "\\", 1);
            buffer_append(&text, c, 1);
        }
        buffer_add(&text, "\"");
    }
    buffer_add(&text, "}");
    return buffer_text(&text);
}
