/* Which columns a $n is compared with, by the grammar's tree. */
#include <string.h>

#include "db/ident.h"
#include "lang/sql.h"
#include "queries/rewrite/keys.h"
#include "queries/rewrite/keys_part.h"

struct looking {
    struct arena *arena;
    int32_t number;
    bool is_equal; /* looking for =; else for the other comparisons */
    struct keys_places *ret;
};

static const char *
text_of(const json_t *node)
{
    const char *text = json_string_value(json_object_get(json_object_get(node, "String"), "sval"));

    return text ? text : json_string_value(json_object_get(json_object_get(node, "String"), "str"));
}

/* $n, ($n)::type, ARRAY of such. */
static bool
is_param(const json_t *node, int32_t number)
{
    const json_t *cast = json_object_get(node, "TypeCast");
    const json_t *param = json_object_get(node, "ParamRef");
    const json_t *list = json_object_get(json_object_get(node, "List"), "items");
    const json_t *item;
    size_t i;

    if (cast)
        return is_param(json_object_get(cast, "arg"), number);
    json_array_foreach(list, i, item)
    {
        if (is_param(item, number))
            return true;
    }
    return param && json_get_int(param, "number", 0) == number;
}

static void
add_column(struct looking *looking, const json_t *node)
{
    const json_t *cast = json_object_get(node, "TypeCast");
    const json_t *fields = json_object_get(json_object_get(node, "ColumnRef"), "fields");
    size_t count = json_array_size(fields);
    const char *column = count > 0 ? text_of(json_array_get(fields, count - 1)) : NULL;
    const char *qualifier = count > 1 ? text_of(json_array_get(fields, count - 2)) : NULL;

    if (cast)
        add_column(looking, json_object_get(cast, "arg"));
    else if (column)
        VEC_PUSH(looking->arena, &looking->ret->places,
            (struct keys_place){ qualifier ? arena_strdup(looking->arena, qualifier) : "",
                arena_strdup(looking->arena, column) });
}

/* What is reckoned with a column, as in $1 + amount, says nothing of the column's values. */
static bool
is_wanted(const struct looking *looking, const json_t *node)
{
    static const char *const comparisons[] = { "<", ">", "<=", ">=", "<>", "~~", "~~*", "BETWEEN" };
    const json_t *names = json_object_get(node, "name");
    const char *name = text_of(json_array_get(names, json_array_size(names) - 1));

    if (name && strcmp(name, "=") == 0)
        return looking->is_equal;
    for (size_t i = 0; name && i < COUNT_OF(comparisons); i++)
        if (strcmp(name, comparisons[i]) == 0)
            return !looking->is_equal;
    return false;
}

static void
look_at_comparison(struct looking *looking, const json_t *node)
{
    const json_t *left = json_object_get(node, "lexpr");
    const json_t *right = json_object_get(node, "rexpr");

    if (!is_wanted(looking, node))
        return;
    if (is_param(right, looking->number))
        add_column(looking, left);
    else if (is_param(left, looking->number))
        add_column(looking, right);
}

static void
look_at_table(struct looking *looking, const json_t *node)
{
    const char *name = json_get_text(looking->arena, node, "relname", NULL);
    const char *schema = json_get_text(looking->arena, node, "schemaname", NULL);
    const char *alias =
        json_get_text(looking->arena, json_object_get(node, "alias"), "aliasname", name);

    if (name)
        VEC_PUSH(looking->arena, &looking->ret->tables,
            (struct keys_table){
                .name = schema ? db_qualified(looking->arena, schema, name)
                               : db_ident(looking->arena, name),
                .plain = name,
                .alias = alias,
            });
}

/* Recursion is as deep as the tree, which the JSON reader has limited. */
static void
look(struct looking *looking, const json_t *node)
{
    const char *key;
    const json_t *value;
    size_t i;

    if (json_is_array(node)) {
        json_array_foreach(node, i, value) look(looking, value);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        if (strcmp(key, "A_Expr") == 0)
            look_at_comparison(looking, value);
        else if (strcmp(key, "RangeVar") == 0 && looking->is_equal)
            look_at_table(looking, value);
        look(looking, value);
    }
}

void
keys_places_read(struct arena *arena, const char *sql, int32_t number, struct keys_places *ret)
{
    struct ctx scratch = { .arena = arena };
    json_t *tree CLEANUP(json_release) = NULL;
    struct looking looking = { arena, number, true, ret };

    *ret = (struct keys_places){ 0 };
    if (!sql_parse(&scratch, sql, &tree))
        return;
    look(&looking, json_object_get(tree, "stmts"));
    looking.is_equal = false;
    look(&looking, json_object_get(tree, "stmts"));
}

/* ---- LIMIT and OFFSET ---- */

/* Whether $number stands anywhere below. */
static bool
has_param(const json_t *node, int32_t number)
{
    const char *key;
    const json_t *value;
    size_t i;

    if (json_is_array(node)) {
        json_array_foreach(node, i, value) if (has_param(value, number)) return true;
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        if (strcmp(key, "ParamRef") == 0 ? json_get_int(value, "number", 0) == number
                                         : has_param(value, number))
            return true;
    }
    return false;
}

static enum keys_limit
find_limit(const json_t *node, int32_t number)
{
    enum keys_limit found = KEYS_NO_LIMIT;
    const char *key;
    const json_t *value;
    size_t i;

    if (json_is_array(node)) {
        json_array_foreach(node, i, value) if (found == KEYS_NO_LIMIT) found =
            find_limit(value, number);
        return found;
    }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        if (strcmp(key, "limitOffset") == 0 && has_param(value, number))
            return KEYS_OFFSET;
        if (strcmp(key, "limitCount") == 0 && has_param(value, number))
            found = KEYS_LIMIT;
        else if (found == KEYS_NO_LIMIT)
            found = find_limit(value, number);
    }
    return found;
}

enum keys_limit
keys_limit_read(struct arena *arena, const char *sql, int32_t number)
{
    struct ctx scratch = { .arena = arena };
    json_t *tree CLEANUP(json_release) = NULL;

    return sql_parse(&scratch, sql, &tree) ? find_limit(json_object_get(tree, "stmts"), number)
                                           : KEYS_NO_LIMIT;
}
