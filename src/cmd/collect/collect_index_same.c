#include "cmd/collect/collect_index_same.h"

static const char btree[] = "USING btree (";

/* Where a bracket that is open ends; quotes hide brackets. NULL: it does not. */
static const char *
find_end(const char *text)
{
    int depth = 0;
    char quote = '\0';

    for (; *text; text++) {
        if (quote) {
            if (*text == quote)
                quote = '\0';
            continue;
        }
        if (*text == '"' || *text == '\'')
            quote = *text;
        depth += *text == '(';
        if (*text == ')' && depth-- == 0)
            return text;
        if (*text == ',' && depth == 0)
            return text;
    }
    return NULL;
}

/* Without the order, which a B-tree can be read against. */
static const char *
without_order(struct arena *arena, const char *text, size_t length)
{
    static const char *const endings[] = { " NULLS FIRST", " NULLS LAST", " DESC", " ASC" };
    char *key = arena_strndup(arena, text, length);

    for (size_t i = 0; i < COUNT_OF(endings); i++)
        if (text_ends_with(key, endings[i]))
            key[strlen(key) - strlen(endings[i])] = '\0';
    return key;
}

/* NULL in the end: it is no B-tree, or not understood. Else what follows the keys. */
static const char *
read_keys(struct arena *arena, const char *definition, struct text_list *ret)
{
    const char *at = definition + sizeof(btree) - 1;

    if (!text_starts_with(definition, btree))
        return NULL;
    for (;;) {
        const char *end;

        at += strspn(at, " ");
        end = find_end(at);
        if (!end)
            return NULL;
        text_list_add(arena, ret, without_order(arena, at, (size_t)(end - at)));
        at = end + 1;
        if (*end == ')')
            return at;
    }
}

bool
collected_index_is_covered(struct arena *arena, const char *definition, const char *by)
{
    struct text_list keys = { 0 };
    struct text_list others = { 0 };
    const char *rest = read_keys(arena, definition, &keys);
    const char *other_rest = read_keys(arena, by, &others);

    if (!rest || !other_rest || !text_equal(rest, other_rest) || keys.count > others.count)
        return false;
    for (size_t i = 0; i < keys.count; i++)
        if (!text_equal(keys.items[i], others.items[i]))
            return false;
    return true;
}
