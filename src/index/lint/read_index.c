/* What the parse tree of a CREATE INDEX tells beyond its head. */
#include "base/json.h"
#include "index/lint/statement.h"

static const char *
last_part(const json_t *list)
{
    const json_t *last = json_array_get(list, json_array_size(list) - 1);

    return json_string_value(json_object_get(json_object_get(last, "String"), "sval"));
}

static void
add_once(struct arena *arena, struct text_list *list, const char *text)
{
    if (text && !text_list_has(list, text))
        text_list_add(arena, list, arena_strdup(arena, text));
}

/* Columns, functions and subqueries of an expression. A subquery's own columns are of other tables. */
static void
walk(struct arena *arena, json_t *node, struct lint_statement *statement)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_array(node)) {
        json_array_foreach(node, i, value) walk(arena, value, statement);
        return;
    }
    if (!json_is_object(node))
        return;
    json_object_foreach(node, key, value)
    {
        if (strcmp(key, "SubLink") == 0) {
            statement->has_subquery = true;
            walk(arena, json_object_get(value, "testexpr"), statement);
            continue;
        }
        if (strcmp(key, "ColumnRef") == 0)
            add_once(arena, &statement->columns, last_part(json_object_get(value, "fields")));
        if (strcmp(key, "FuncCall") == 0)
            add_once(arena, &statement->functions, last_part(json_object_get(value, "funcname")));
        if (strcmp(key, "SQLValueFunction") == 0)
            add_once(arena, &statement->functions, "current_timestamp");
        walk(arena, value, statement);
    }
}

static void
read_elements(struct arena *arena, const json_t *list, struct lint_statement *statement)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const json_t *element = json_object_get(item, "IndexElem");

        add_once(arena, &statement->columns, json_string_value(json_object_get(element, "name")));
        add_once(arena, &statement->opclasses, last_part(json_object_get(element, "opclass")));
        walk(arena, json_object_get(element, "expr"), statement);
    }
}

static void
read_lists(const json_t *options, struct lint_statement *statement)
{
    size_t i;
    json_t *item;

    json_array_foreach(options, i, item)
    {
        const json_t *option = json_object_get(item, "DefElem");
        const char *name = json_string_value(json_object_get(option, "defname"));

        if (text_equal(name, "lists"))
            statement->lists =
                json_get_int(json_object_get(json_object_get(option, "arg"), "Integer"), "ival", 0);
    }
}

void
lint_read_index(struct ctx *ctx, const json_t *node, struct lint_statement *statement)
{
    const json_t *relation = json_object_get(node, "relation");

    /* The tree knows escapes of U&"", which the tokens do not tell. */
    statement->name = json_get_text(ctx->arena, node, "idxname", NULL);
    statement->schema = json_get_text(ctx->arena, relation, "schemaname", NULL);
    statement->relation = json_get_text(ctx->arena, relation, "relname", statement->relation);
    statement->method = json_get_text(ctx->arena, node, "accessMethod", "btree");
    statement->tablespace = json_get_text(ctx->arena, node, "tableSpace", NULL);
    read_elements(ctx->arena, json_object_get(node, "indexParams"), statement);
    read_elements(ctx->arena, json_object_get(node, "indexIncludingParams"), statement);
    walk(ctx->arena, json_object_get(node, "whereClause"), statement);
    read_lists(json_object_get(node, "options"), statement);
}
