#include <ctype.h>
#include <strings.h>

#include "queries/detect/detect_part.h"

enum { MOST_COLUMN = 64 };

/* Whether it is a column, by its names, or has a name that was given to it by AS. */
static bool
has_name(const char *start, const char *end)
{
    for (const char *at = end; at - start >= 4; at--)
        if (isspace((unsigned char)at[-4]) && strncasecmp(at - 3, "as", 2) == 0 &&
            isspace((unsigned char)at[-1]))
            return true;
    for (; start < end; start++)
        if (!isalnum((unsigned char)*start) && !isspace((unsigned char)*start) &&
            !strchr("_.*\"", *start) && (unsigned char)*start < 0x80)
            return false;
    return true;
}

/* One item of a SELECT list: what it is called, as far as that can be read; else empty. */
static const char *
item_name(struct arena *arena, const char *start, const char *end)
{
    const char *last;

    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    if (!has_name(start, end))
        return "";
    if (end > start && end[-1] == '"') {
        for (last = end - 1; last > start && last[-1] != '"';)
            last--;
        return arena_strndup(arena, last, (size_t)(end - 1 - last));
    }
    for (last = end; last > start && (isalnum((unsigned char)last[-1]) || last[-1] == '_');)
        last--;
    if (last == end && end > start && end[-1] == '*')
        return "*";
    return arena_strndup(arena, last, (size_t)(end - last));
}

/* Names of the SELECT list, up to FROM. */
static void
read_list(struct arena *arena, const char *text, struct text_list *ret)
{
    const char *start;
    int depth = 0;

    if (strncasecmp(text, "select", 6) != 0)
        return;
    text += 6;
    if (strncasecmp(text, " distinct ", 10) == 0)
        text += 10;
    start = text;
    for (; *text; text++) {
        bool is_from = depth == 0 && isspace((unsigned char)*text) &&
                       strncasecmp(text + 1, "from", 4) == 0 && !isalnum((unsigned char)text[5]);

        depth += *text == '(';
        depth -= *text == ')';
        if ((depth == 0 && *text == ',') || is_from) {
            text_list_add(arena, ret, item_name(arena, start, text));
            start = text + 1;
        }
        if (is_from || ret->count == MOST_COLUMN)
            return;
    }
}

/* "authors" and "author_id", "categories" and "category_id" are about the same thing. */
static bool
is_about(const char *text, const char *column)
{
    size_t length = strlen(column);

    if (length <= 3 || strcasecmp(column + length - 3, "_id") != 0)
        return false;
    length -= 3;
    if (length > 3 && column[length - 1] == 'y')
        length--;
    for (; *text; text++)
        if (strncasecmp(text, column, length) == 0)
            return true;
    return false;
}

static bool
fits(const char *name, const char *compared, const struct known *child)
{
    if (strcasecmp(compared, "id") == 0)
        return is_about(child->template->text, name);
    return strcasecmp(name, compared) == 0;
}

bool
known_guess_key(struct arena *arena, const struct known *parent, const struct known *child,
    size_t slot, const char **ret_name, int32_t *ret_column)
{
    const char *compared = slot < MOST_SLOTS ? child->slots[slot].column : NULL;
    struct text_list list = { 0 };

    if (!compared || child->slots[slot].place != PLACE_EQUAL || !parent->is_read)
        return false;
    read_list(arena, parent->template->text, &list);
    for (size_t i = 0; i < list.count; i++)
        if (fits(list.items[i], compared, child)) {
            *ret_name = list.items[i];
            *ret_column = (int32_t)i;
            return true;
        }
    /* The parent's own id; its table should be what the child's column is named after. */
    for (size_t i = 0; i < list.count; i++) {
        bool is_all = strcmp(list.items[i], "*") == 0;

        if ((strcasecmp(list.items[i], "id") == 0 || is_all) &&
            is_about(parent->template->text, compared)) {
            *ret_name = "id";
            *ret_column = is_all ? -1 : (int32_t)i;
            return true;
        }
    }
    return false;
}
