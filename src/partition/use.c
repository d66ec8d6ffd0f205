/* How a statement meets a table, by its parse tree. */
#include "lang/sql.h"
#include "partition/advice.h"

struct search {
    const char *table;
    const char *key;
    struct partition_use found;
};

/* {"ColumnRef": {"fields": [… {"String": {"sval": "at"}}]}}: the last name is the column's. */
static bool
is_key(const json_t *reference, const char *key)
{
    const json_t *fields = json_object_get(reference, "fields");
    size_t count = json_array_size(fields);
    const json_t *name;
    const char *text;

    if (count == 0)
        return false;
    name = json_object_get(json_array_get(fields, count - 1), "String");
    text = json_string_value(json_object_get(name, "sval"));
    if (!text)
        text = json_string_value(json_object_get(name, "str"));
    return text && text_equal(text, key);
}

/* The tree is as deep as the statement is nested, which libpg_query bounds. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void
walk(struct search *search, const json_t *node, bool is_condition)
{
    const char *name;
    json_t *value;
    size_t i;

    if (json_is_array(node)) {
        json_array_foreach(node, i, value) walk(search, value, is_condition);
        return;
    }
    if (!json_is_object(node))
        return;
    json_object_foreach((json_t *)(uintptr_t)node, name, value)
    {
        if (text_equal(name, "relname") && text_equal(json_string_value(value), search->table))
            search->found.is_of_table = true;
        if (is_condition && text_equal(name, "ColumnRef") && is_key(value, search->key))
            search->found.has_key = true;
        walk(search, value,
            is_condition || text_equal(name, "whereClause") || text_equal(name, "quals"));
    }
}

/* Inserts meet one partition whatever they say, and what is no query is not made faster by any. */
static bool
is_query(const json_t *tree)
{
    static const char *const kinds[] = { "SelectStmt", "UpdateStmt", "DeleteStmt", "MergeStmt" };
    const json_t *statement =
        json_object_get(json_array_get(json_object_get(tree, "stmts"), 0), "stmt");

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (json_object_get(statement, kinds[i]))
            return true;
    return false;
}

struct partition_use
partition_use_of(struct arena *arena, const char *query, const char *table, const char *key)
{
    struct ctx ctx = { .arena = arena };
    struct search search = { .table = table, .key = key };
    json_t *tree CLEANUP(json_release) = NULL;

    /* What the grammar does not know is left out; most statements do not even name the table. */
    if (!query || strstr(query, "/* pgmend */") || !strstr(query, table) ||
        !sql_parse(&ctx, query, &tree))
        return search.found;
    if (is_query(tree))
        walk(&search, tree, false);
    return search.found;
}
