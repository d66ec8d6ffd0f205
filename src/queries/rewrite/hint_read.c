/* What a statement is like, as far as the advice depends on it. */
#include <string.h>

#include "base/json.h"
#include "lang/sql.h"
#include "queries/rewrite/hint_part.h"
#include "queries/rewrite/keys_part.h"

static const json_t *
select_of(const json_t *tree)
{
    const json_t *first = json_array_get(json_object_get(tree, "stmts"), 0);

    return json_object_get(json_object_get(first, "stmt"), "SelectStmt");
}

/* The name so many from the end; NULL: there is none. */
static const char *
name_from_end(const json_t *names, size_t index)
{
    size_t count = json_array_size(names);
    const json_t *text =
        json_object_get(index < count ? json_array_get(names, count - 1 - index) : NULL, "String");

    return json_string_value(json_object_get(text, "sval"));
}

static const json_t *
fields_of(const json_t *node)
{
    return json_object_get(json_object_get(node, "ColumnRef"), "fields");
}

static bool
is_same_name(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* ---- FROM ---- */

/* Which table an alias means; that of the first when none is said. */
static size_t
table_of(const struct hint_facts *facts, const char *alias)
{
    for (size_t i = 0; alias && i < facts->tables.count; i++)
        if (is_same_name(facts->tables.items[i].alias, alias))
            return i;
    return 0;
}

/* The last table's columns in "a.x = b.y". */
static void
read_condition(const json_t *condition, struct hint_facts *facts)
{
    const json_t *expression = json_object_get(condition, "A_Expr");
    const json_t *sides[] = { fields_of(json_object_get(expression, "lexpr")),
        fields_of(json_object_get(expression, "rexpr")) };
    size_t last = facts->tables.count - 1;
    struct hint_table *table = &facts->tables.items[last];

    if (!is_same_name(name_from_end(json_object_get(expression, "name"), 0), "="))
        return;
    for (size_t i = 0; i < 2; i++) {
        const char *own = name_from_end(sides[i], 0);
        const char *other = name_from_end(sides[1 - i], 0);

        if (!own || !other || !is_same_name(name_from_end(sides[i], 1), table->alias) ||
            is_same_name(name_from_end(sides[1 - i], 1), table->alias))
            continue;
        table->column = arena_strdup(facts->arena, own);
        table->other = table_of(facts, name_from_end(sides[1 - i], 1));
        table->other_column = arena_strdup(facts->arena, other);
    }
}

/* False for what is no table. Recursion is as deep as the tree, which the JSON reader has limited. */
static bool
read_from(const json_t *node, struct hint_facts *facts)
{
    const json_t *join = json_object_get(node, "JoinExpr");
    const json_t *range = json_object_get(node, "RangeVar");
    const char *name = json_get_text(facts->arena, range, "relname", NULL);
    const char *type = json_string_value(json_object_get(join, "jointype"));
    const json_t *shared = json_object_get(join, "usingClause");
    size_t before;

    if (name) {
        VEC_PUSH(facts->arena, &facts->tables,
            (struct hint_table){ .name = name,
                .alias = json_get_text(
                    facts->arena, json_object_get(range, "alias"), "aliasname", name) });
        return true;
    }
    if (!join || !read_from(json_object_get(join, "larg"), facts))
        return false;
    before = facts->tables.count;
    if (!read_from(json_object_get(join, "rarg"), facts) || facts->tables.count != before + 1)
        return false;

    struct hint_table *table = &facts->tables.items[before];
    const char *column = name_from_end(shared, 0);

    table->is_outer = type && strcmp(type, "JOIN_INNER") != 0;
    if (json_array_size(shared) == 1 && column)
        table->column = table->other_column = arena_strdup(facts->arena, column);
    read_condition(json_object_get(join, "quals"), facts);
    return true;
}

static bool
read_tables(const json_t *select, struct hint_facts *facts)
{
    const json_t *item;
    bool is_good = true;
    size_t i;

    json_array_foreach(json_object_get(select, "fromClause"), i, item) is_good =
        is_good && read_from(item, facts);
    return is_good;
}

/* ---- the child ---- */

/* The aggregate that an output is, below COALESCE and casts; NULL: it is none. */
static const char *
aggregate_of(const json_t *node)
{
    static const char *const known[] = { "count", "sum", "max", "min", "avg", "bool_or", "bool_and",
        "array_agg", "string_agg", "json_agg", "jsonb_agg" };
    const json_t *call = json_object_get(node, "FuncCall");
    const json_t *cast = json_object_get(node, "TypeCast");
    const json_t *args = json_object_get(json_object_get(node, "CoalesceExpr"), "args");
    const char *name = call ? name_from_end(json_object_get(call, "funcname"), 0) : NULL;

    if (cast)
        return aggregate_of(json_object_get(cast, "arg"));
    if (args)
        return aggregate_of(json_array_get(args, 0));
    for (size_t i = 0; name && i < COUNT_OF(known); i++)
        if (strcmp(name, known[i]) == 0)
            return known[i];
    return NULL;
}

static void
read_orders(const json_t *select, struct hint_facts *facts)
{
    const json_t *node;
    size_t i;

    json_array_foreach(json_object_get(select, "sortClause"), i, node)
    {
        const json_t *item = json_object_get(node, "SortBy");
        const json_t *fields = fields_of(json_object_get(item, "node"));
        const char *name = name_from_end(fields, 0);
        const char *direction = json_string_value(json_object_get(item, "sortby_dir"));
        const char *nulls = json_string_value(json_object_get(item, "sortby_nulls"));

        VEC_PUSH(facts->arena, &facts->orders,
            (struct hint_order){
                .table = table_of(facts, name_from_end(fields, 1)),
                .column = name ? arena_strdup(facts->arena, name) : NULL,
                .is_descending = is_same_name(direction, "SORTBY_DESC"),
                .nulls = is_same_name(nulls, "SORTBY_NULLS_FIRST")  ? "first"
                         : is_same_name(nulls, "SORTBY_NULLS_LAST") ? "last"
                                                                    : NULL,
            });
    }
}

static void
read_shape(const json_t *select, bool has_tables, struct hint_facts *facts)
{
    const json_t *outputs = json_object_get(select, "targetList");
    const json_t *junction = json_object_get(json_object_get(select, "whereClause"), "BoolExpr");
    bool is_grouped = json_object_get(select, "groupClause") != NULL;

    facts->has_others = junction != NULL;
    facts->aggregate = aggregate_of(
        json_object_get(json_object_get(json_array_get(outputs, 0), "ResTarget"), "val"));
    read_orders(select, facts);
    if (!has_tables || facts->tables.count == 0 || !facts->column || is_grouped ||
        json_object_get(select, "larg") || json_object_get(select, "withClause"))
        facts->shape = HINT_OTHER;
    else if (facts->aggregate)
        facts->shape = HINT_AGGREGATE;
    else if (strcmp(facts->column, "id") == 0 && facts->tables.count == 1)
        facts->shape = HINT_TO_ONE;
    else if (json_object_get(select, "limitCount"))
        facts->shape = HINT_TOP;
    else
        facts->shape = HINT_TO_MANY;
}

void
hint_read_child(const char *sql, int32_t key, struct hint_facts *facts)
{
    struct ctx scratch = { .arena = facts->arena };
    json_t *tree CLEANUP(json_release) = NULL;
    struct keys_places places;
    const json_t *select;
    bool has_tables;

    if (!sql_parse(&scratch, sql, &tree))
        return;
    select = select_of(tree);
    has_tables = read_tables(select, facts);
    keys_places_read(facts->arena, sql, key, &places);
    if (places.places.count > 0) {
        facts->column = places.places.items[0].column;
        facts->key_table = table_of(facts, places.places.items[0].qualifier);
    }
    read_shape(select, has_tables, facts);
}

const char *
hint_name_of(struct arena *arena, const char *sql, int32_t number)
{
    struct keys_places places;

    keys_places_read(arena, sql, number, &places);
    return places.places.count > 0 ? places.places.items[0].column : NULL;
}

/* ---- the parent ---- */

/* The output that a place of the result means; NULL: "*" stands before it, or is it. */
static const json_t *
output_at(const json_t *select, int32_t place)
{
    const json_t *outputs = json_object_get(select, "targetList");

    for (int32_t i = 0; i <= place; i++) {
        const json_t *output = json_object_get(json_array_get(outputs, (size_t)i), "ResTarget");
        const json_t *fields = fields_of(json_object_get(output, "val"));

        if (fields && !name_from_end(fields, 0))
            return NULL;
        if (i == place)
            return output;
    }
    return NULL;
}

void
hint_read_parent(const char *sql, int32_t parent_key, struct hint_facts *facts)
{
    struct hint_facts parent = { .arena = facts->arena };
    struct ctx scratch = { .arena = facts->arena };
    json_t *tree CLEANUP(json_release) = NULL;
    const json_t *fields;
    const json_t *select;
    const char *name;

    if (!sql_parse(&scratch, sql, &tree))
        return;
    select = select_of(tree);
    (void)read_tables(select, &parent);
    fields = fields_of(json_object_get(output_at(select, parent_key), "val"));
    name = name_from_end(fields, 0);
    if (name)
        facts->parent_key = arena_strdup(facts->arena, name);
    if (parent.tables.count > 0)
        facts->parent = parent.tables.items[table_of(&parent, name_from_end(fields, 1))].name;
}
