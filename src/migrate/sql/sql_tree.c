/* Reading libpg_query's parse tree, whose names differ a little between its versions. */
#include "base/text.h"
#include "migrate/sql/sql_lower.h"

enum { MOST_NAMES = 256 };

const char *
tree_text(const json_t *node, const char *key)
{
    return json_string_value(json_object_get(node, key));
}

int64_t
tree_int(const json_t *node, const char *key)
{
    return json_integer_value(json_object_get(node, key));
}

bool
tree_flag(const json_t *node, const char *key)
{
    return json_is_true(json_object_get(node, key));
}

bool
tree_is(const json_t *node, const char *key, const char *value)
{
    const char *text = tree_text(node, key);

    return text && strcmp(text, value) == 0;
}

/* A list, also one that stands in a List node. */
const json_t *
tree_list(const json_t *node, const char *key)
{
    const json_t *member = json_object_get(node, key);
    const json_t *list = json_object_get(member, "List");

    return list ? json_object_get(list, "items") : member;
}

const json_t *
tree_open(const json_t *wrapped, const char **ret_kind)
{
    void *member = json_object_iter((json_t *)(uintptr_t)wrapped);

    *ret_kind = member ? json_object_iter_key(member) : "";
    return member ? json_object_iter_value(member) : NULL;
}

/* "sval" since the grammar of 15, "str" before. */
const char *
tree_string(const json_t *wrapped)
{
    const json_t *string = json_object_get(wrapped, "String");
    const char *text = tree_text(string, "sval");

    if (!string)
        return NULL;
    if (!text)
        text = tree_text(string, "str");
    return text ? text : "";
}

const json_t *
tree_option(const json_t *list, const char *name, bool *ret_has)
{
    size_t i;
    json_t *item;

    *ret_has = false;
    json_array_foreach(list, i, item)
    {
        const json_t *option = json_object_get(item, "DefElem");

        if (tree_is(option, "defname", name)) {
            *ret_has = true;
            return json_object_get(option, "arg");
        }
    }
    return NULL;
}

static void
add_once(struct arena *arena, struct text_list *list, const char *text)
{
    if (list->count < MOST_NAMES && !text_list_has(list, text))
        text_list_add(arena, list, text);
}

/* jansson reads no tree deeper than 2,048, so recursion is bounded. */
void
tree_columns(struct arena *arena, const json_t *node, struct text_list *ret)
{
    const json_t *fields = json_object_get(json_object_get(node, "ColumnRef"), "fields");
    const char *key;
    json_t *child;
    size_t i;

    if (fields) {
        const char *name = tree_string(json_array_get(fields, json_array_size(fields) - 1));

        if (name && !strstr(name, HOLE_NAME))
            add_once(arena, ret, arena_strdup(arena, name));
    } else if (json_is_object(node)) {
        json_object_foreach((json_t *)(uintptr_t)node, key, child) tree_columns(arena, child, ret);
    } else if (json_is_array(node)) {
        json_array_foreach(node, i, child) tree_columns(arena, child, ret);
    }
}

/* Names that WITH gives: they hide relations. */
static void
collect_ctes(struct arena *arena, const json_t *node, struct text_list *ret)
{
    const char *name = tree_text(json_object_get(node, "CommonTableExpr"), "ctename");
    const char *key;
    json_t *child;
    size_t i;

    if (name)
        add_once(arena, ret, name);
    if (json_is_object(node)) {
        json_object_foreach((json_t *)(uintptr_t)node, key, child) collect_ctes(arena, child, ret);
    } else if (json_is_array(node)) {
        json_array_foreach(node, i, child) collect_ctes(arena, child, ret);
    }
}

static void
collect_tables(
    struct lower *lower, const json_t *node, const struct text_list *hidden, struct text_list *ret)
{
    const char *name = tree_text(node, "relname");
    const char *key;
    json_t *child;
    size_t i;

    if (name) {
        bool is_hidden = !tree_text(node, "schemaname") && text_list_has(hidden, name);

        if (!is_hidden && !strstr(name, HOLE_NAME))
            add_once(lower->ctx->arena, ret,
                lower_dotted(lower->ctx->arena, lower_relation(lower, node)));
    } else if (json_is_object(node)) {
        json_object_foreach((json_t *)(uintptr_t)node, key, child)
            collect_tables(lower, child, hidden, ret);
    } else if (json_is_array(node)) {
        json_array_foreach(node, i, child) collect_tables(lower, child, hidden, ret);
    }
}

void
tree_tables(struct lower *lower, const json_t *node, struct text_list *ret)
{
    struct text_list hidden = { 0 };

    collect_ctes(lower->ctx->arena, node, &hidden);
    collect_tables(lower, node, &hidden, ret);
}
