#include "index/sample/scope.h"

#include "base/text.h"
#include "db/ident.h"

enum { MOST_LEVELS = 12 };

const char *
scope_string(const json_t *node)
{
    const json_t *string = json_object_get(node, "String");
    const json_t *text = json_object_get(string, "sval");

    return json_string_value(text ? text : json_object_get(string, "str"));
}

static const char *
member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const json_t *
find_cte(const struct scope *scope, const char *name)
{
    const json_t *item;
    size_t i;

    for (; scope; scope = scope->outer) {
        const json_t *ctes = json_object_get(json_object_get(scope->body, "withClause"), "ctes");

        json_array_foreach(ctes, i, item)
        {
            const json_t *cte = json_object_get(item, "CommonTableExpr");

            if (text_equal(member(cte, "ctename"), name))
                return json_object_get(json_object_get(cte, "ctequery"), "SelectStmt");
        }
    }
    return NULL;
}

static const struct fact_table *
find_table(const struct scope *scope, const char *schema, const char *name)
{
    const struct query_maker *maker = scope->maker;

    if (schema)
        return facts_table(maker->facts, schema, name);
    for (size_t i = 0; i < maker->path.count; i++) {
        const struct fact_table *table = facts_table(maker->facts, maker->path.items[i], name);

        if (table)
            return table;
    }
    return NULL;
}

static void
add_relation(struct scope *scope, const json_t *range)
{
    const json_t *alias = json_object_get(range, "alias");
    const char *name = member(range, "relname");
    const char *schema = member(range, "schemaname");
    struct scope_source source = { .name = member(alias, "aliasname"),
        .names = json_object_get(alias, "colnames") };

    if (!name)
        return;
    if (!source.name)
        source.name = name;
    source.query = schema ? NULL : find_cte(scope, name);
    if (!source.query)
        source.table = find_table(scope, schema, name);
    source.is_unknown = !source.query && !source.table;
    VEC_PUSH(scope->arena, scope, source);
}

/* Recursion: as deep as joins are nested, which the parser has limited. */
static void
add_from(struct scope *scope, const json_t *node)
{
    const json_t *join = json_object_get(node, "JoinExpr");
    const json_t *select = json_object_get(node, "RangeSubselect");
    const json_t *call = json_object_get(node, "RangeFunction");

    if (join) {
        add_from(scope, json_object_get(join, "larg"));
        add_from(scope, json_object_get(join, "rarg"));
    } else if (select || call) {
        const json_t *alias = json_object_get(select ? select : call, "alias");
        struct scope_source source = { .name = member(alias, "aliasname"),
            .names = json_object_get(alias, "colnames"),
            .query = json_object_get(json_object_get(select, "subquery"), "SelectStmt"),
            .is_unknown = call != NULL };

        VEC_PUSH(scope->arena, scope, source);
    } else if (json_object_get(node, "RangeVar")) {
        add_relation(scope, json_object_get(node, "RangeVar"));
    } else if (json_object_get(node, "RangeTableSample")) {
        add_from(scope, json_object_get(json_object_get(node, "RangeTableSample"), "relation"));
    }
}

void
scope_begin(struct scope *scope, struct arena *arena, const struct query_maker *maker,
    const struct scope *outer, const json_t *body)
{
    static const char *const lists[] = { "fromClause", "usingClause" };
    const json_t *item;
    size_t i;

    *scope = (struct scope){ .arena = arena, .maker = maker, .outer = outer, .body = body };
    if (json_object_get(body, "relation"))
        add_relation(scope, json_object_get(body, "relation"));
    if (json_object_get(body, "sourceRelation")) /* of MERGE */
        add_from(scope, json_object_get(body, "sourceRelation"));
    for (size_t n = 0; n < COUNT_OF(lists); n++)
        json_array_foreach(json_object_get(body, lists[n]), i, item) add_from(scope, item);
}

static bool resolve_name(const struct scope *scope, const char *qualifier, const char *name,
    size_t level, struct scope_column *ret);

/* What a subquery gives under this name. Recursion: bounded by MOST_LEVELS. */
static bool
resolve_output(const struct scope *outer, const struct scope_source *source, const char *name,
    size_t level, struct scope_column *ret)
{
    const json_t *body = source->query;
    struct scope inner;
    const json_t *item;
    size_t i;

    while (json_object_get(body, "larg")) /* UNION: the first part names the columns */
        body = json_object_get(body, "larg");
    scope_begin(&inner, outer->arena, outer->maker, outer, body);
    json_array_foreach(json_object_get(body, "targetList"), i, item)
    {
        const json_t *target = json_object_get(item, "ResTarget");
        const json_t *column = json_object_get(json_object_get(target, "val"), "ColumnRef");
        const json_t *fields = json_object_get(column, "fields");
        size_t count = json_array_size(fields);
        const json_t *last = json_array_get(fields, count - 1);
        const char *given = scope_string(json_array_get(source->names, i));

        given = given ? given : member(target, "name");
        given = given ? given : scope_string(last);
        if (json_object_get(last, "A_Star")) {
            if (resolve_name(&inner, NULL, name, level + 1, ret))
                return true;
        } else if (count > 0 && text_equal(given, name)) {
            return resolve_name(&inner,
                count > 1 ? scope_string(json_array_get(fields, count - 2)) : NULL,
                scope_string(last), level + 1, ret);
        }
    }
    return false;
}

/* A view's column is mostly named as the table's, if only one table has such a column. */
static bool
guess_column(const struct facts *facts, const char *name, struct scope_column *ret)
{
    struct scope_column found = { 0 };

    for (size_t i = 0; i < facts->count; i++) {
        const struct fact_column *column = facts_column(&facts->items[i], name);

        if (!column)
            continue;
        if (found.column)
            return false;
        found = (struct scope_column){ .table = &facts->items[i], .column = column };
    }
    *ret = found;
    return found.column != NULL;
}

/* Recursion: bounded by MOST_LEVELS. */
static bool
resolve_name(const struct scope *scope, const char *qualifier, const char *name, size_t level,
    struct scope_column *ret)
{
    if (!name || level > MOST_LEVELS)
        return false;
    for (; scope; scope = scope->outer) {
        for (size_t i = 0; i < scope->count; i++) {
            const struct scope_source *source = &scope->items[i];

            if (qualifier && !text_equal(source->name, qualifier))
                continue;
            if (source->query && resolve_output(scope, source, name, level, ret))
                return true;
            if (!source->table)
                continue;
            ret->table = source->table;
            ret->column = facts_column(source->table, name);
            if (ret->column)
                return true;
        }
    }
    *ret = (struct scope_column){ 0 };
    return false;
}

static bool
has_unknown_source(const struct scope *scope, const char *qualifier)
{
    for (; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->count; i++)
            if (scope->items[i].is_unknown &&
                (!qualifier || text_equal(scope->items[i].name, qualifier)))
                return true;
    return false;
}

bool
scope_resolve(const struct scope *scope, const json_t *column_ref, struct scope_column *ret)
{
    const json_t *fields = json_object_get(column_ref, "fields");
    size_t count = json_array_size(fields);
    const char *qualifier = count > 1 ? scope_string(json_array_get(fields, count - 2)) : NULL;
    const char *name = count > 0 ? scope_string(json_array_get(fields, count - 1)) : NULL;

    *ret = (struct scope_column){ 0 };
    if (!name)
        return false;
    if (resolve_name(scope, qualifier, name, 0, ret))
        return true;
    return has_unknown_source(scope, qualifier) && guess_column(scope->maker->facts, name, ret);
}

const json_t *
scope_values(const struct scope *scope, const json_t *column_ref, size_t *ret_position)
{
    const json_t *fields = json_object_get(column_ref, "fields");
    size_t count = json_array_size(fields);
    const char *qualifier = count > 1 ? scope_string(json_array_get(fields, count - 2)) : NULL;
    const char *name = count > 0 ? scope_string(json_array_get(fields, count - 1)) : NULL;

    for (; scope && name; scope = scope->outer) {
        for (size_t i = 0; i < scope->count; i++) {
            const struct scope_source *source = &scope->items[i];
            const json_t *rows = json_object_get(source->query, "valuesLists");

            if (!rows || (qualifier && !text_equal(source->name, qualifier)))
                continue;
            for (size_t n = 0; n < json_array_size(source->names); n++) {
                *ret_position = n;
                if (text_equal(scope_string(json_array_get(source->names, n)), name))
                    return rows;
            }
        }
    }
    return NULL;
}

const json_t *
scope_output(const struct scope *scope, const json_t *column_ref)
{
    const json_t *fields = json_object_get(column_ref, "fields");
    size_t count = json_array_size(fields);
    const char *qualifier = count > 1 ? scope_string(json_array_get(fields, count - 2)) : NULL;
    const char *name = count > 0 ? scope_string(json_array_get(fields, count - 1)) : NULL;

    for (; scope && name; scope = scope->outer) {
        for (size_t i = 0; i < scope->count; i++) {
            const struct scope_source *source = &scope->items[i];
            const json_t *item;
            size_t n;

            if (qualifier && !text_equal(source->name, qualifier))
                continue;
            json_array_foreach(json_object_get(source->query, "targetList"), n, item)
            {
                const json_t *target = json_object_get(item, "ResTarget");
                const char *given = scope_string(json_array_get(source->names, n));

                if (text_equal(given ? given : member(target, "name"), name))
                    return json_object_get(target, "val");
            }
        }
    }
    return NULL;
}
