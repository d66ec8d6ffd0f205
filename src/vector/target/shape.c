/* How a statement searches, from its parse tree. */
#include "vector/target/shape.h"

#include "base/text.h"
#include "vector/target/shape_tree.h"

enum { MOST_LEVELS = 16 };

/* What a SELECT sorts by when that is a distance. */
struct distance {
    const json_t *left;
    const json_t *right;
    const char *op;
    bool is_inside; /* of another expression: 1 - (a <=> b) */
};

static bool
find_distance(const json_t *node, struct distance *ret, int level)
{
    enum vector_metric metric;
    const char *op = tree_operator(node);
    const json_t *expression = json_object_get(tree_bare(node), "A_Expr");

    if (!expression || level > MOST_LEVELS)
        return false;
    if (op && vector_metric_of(op, &metric)) {
        *ret = (struct distance){ .left = json_object_get(expression, "lexpr"),
            .right = json_object_get(expression, "rexpr"),
            .op = op,
            .is_inside = level > 0 };
        return true;
    }
    return find_distance(json_object_get(expression, "lexpr"), ret, level + 1) ||
           find_distance(json_object_get(expression, "rexpr"), ret, level + 1);
}

/* What a key of ORDER BY stands for: an output column by its name or number, perhaps of a subquery. */
static const json_t *
sort_expression(const struct tree *tree, const json_t *body, const json_t *key)
{
    struct tree_column column;
    struct tree_sources sources;
    const json_t *number =
        json_object_get(json_object_get(json_object_get(key, "A_Const"), "ival"), "ival");

    if (number)
        return json_object_get(json_object_get(json_array_get(json_object_get(body, "targetList"),
                                                   (size_t)json_integer_value(number) - 1),
                                   "ResTarget"),
            "val");
    if (!tree_read_column(key, &column))
        return key;

    const json_t *output = column.qualifier ? NULL : tree_output(body, column.name);

    if (output && !tree_read_column(output, &column))
        return output;
    tree_sources(tree, body, &sources);
    for (size_t i = 0; i < sources.count; i++) {
        const struct tree_source *source = &sources.items[i];

        if (!source->query || (column.qualifier && !text_equal(source->name, column.qualifier)))
            continue;
        output = tree_output(source->query, column.name);
        if (output)
            return output;
    }
    return key;
}

/* The column of an operand, also inside a function: subvector(embedding, 1, 256). */
static bool
operand_column(const json_t *operand, struct tree_column *ret)
{
    const json_t *call = json_object_get(tree_bare(operand), "FuncCall");

    return tree_read_column(operand, ret) ||
           tree_read_column(json_array_get(json_object_get(call, "args"), 0), ret);
}

static bool
set_column(const struct tree *tree, const json_t *body, const json_t *operand, bool must_be_known,
    struct vector_shape *shape)
{
    struct arena *arena = tree->ctx->arena;
    struct tree_column column;
    const char *name;

    if (!operand_column(operand, &column))
        return false;
    shape->table = tree_table_of(tree, body, column, &name);
    if (!shape->table && must_be_known)
        return false;
    shape->column = arena_strdup(arena, shape->table ? name : column.name);
    return true;
}

static void
add_parameter(const struct tree *tree, const json_t *node, const char *column, bool is_limit,
    struct vector_shape *shape)
{
    int32_t number = tree_parameter(node);

    if (number > 0)
        VEC_PUSH(tree->ctx->arena, &shape->parameters,
            (struct vector_parameter){ .number = number, .column = column, .is_limit = is_limit });
}

static void
set_limit(const struct tree *tree, const json_t *body, struct vector_shape *shape)
{
    const json_t *limit = json_object_get(body, "limitCount");
    const char *value = limit ? tree_constant(tree, limit) : NULL;
    int64_t number = 0;

    if (!limit)
        return;
    shape->has_limit = true;
    add_parameter(tree, limit, NULL, true, shape);
    if (value && text_to_int64(value, &number) && number > 0 && number <= INT32_MAX)
        shape->limit = (int32_t)number;
}

static const char *
turned(const char *op)
{
    static const char *const pairs[][2] = { { "<", ">" }, { "<=", ">=" }, { ">", "<" },
        { ">=", "<=" }, { "=", "=" } };

    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (text_equal(pairs[i][0], op))
            return pairs[i][1];
    return NULL;
}

/* One SELECT, UPDATE or DELETE whose conditions are read. */
struct reading {
    const struct tree *tree;
    const json_t *body;
    const char *table; /* whose columns count; NULL: all */
    struct tree_sources sources;
    struct vector_shape *shape;
};

static void
add_filter(
    const struct reading *reading, const json_t *column_node, const char *op, const json_t *value)
{
    struct arena *arena = reading->tree->ctx->arena;
    struct vector_shape *shape = reading->shape;
    struct tree_column column;
    const char *name;

    if (!tree_read_column(column_node, &column) || tree_has_column(&reading->sources, value))
        return;

    const char *table = tree_table_of(reading->tree, reading->body, column, &name);

    if (table && reading->table && strcmp(table, reading->table) != 0)
        return;
    name = arena_strdup(arena, table ? name : column.name);
    add_parameter(reading->tree, value, name, false, shape);
    if (strcmp(op, "=") == 0 && !text_list_has(&shape->equal, name))
        text_list_add(arena, &shape->equal, name);
    for (size_t i = 0; i < shape->filters.count; i++)
        if (text_equal(shape->filters.items[i].column, name) &&
            text_equal(shape->filters.items[i].operator, op))
            return;

    struct vector_filter filter = { .column = name, .value = tree_constant(reading->tree, value) };

    filter.operator= op;
    VEC_PUSH(arena, &shape->filters, filter);
}

static void
read_condition(const struct reading *reading, const json_t *node)
{
    const json_t *all = json_object_get(node, "BoolExpr");
    const json_t *expression = json_object_get(node, "A_Expr");
    const char *kind = json_string_value(json_object_get(expression, "kind"));
    const json_t *left = json_object_get(expression, "lexpr");
    const json_t *right = json_object_get(expression, "rexpr");
    const char *op = tree_operator(node);
    const json_t *child;
    size_t i;

    if (all && text_equal(json_string_value(json_object_get(all, "boolop")), "AND_EXPR")) {
        json_array_foreach(json_object_get(all, "args"), i, child) read_condition(reading, child);
        return;
    }
    if (text_equal(kind, "AEXPR_BETWEEN")) {
        const json_t *bounds = json_object_get(json_object_get(right, "List"), "items");

        add_filter(reading, left, ">=", json_array_get(bounds, 0));
        add_filter(reading, left, "<=", json_array_get(bounds, 1));
        return;
    }

    const char *other = turned(op);
    struct tree_column column;

    if (!other)
        return;
    /* The names of operators are the tree's, which goes before the shape does. */
    if (tree_read_column(left, &column) && !tree_has_column(&reading->sources, right))
        add_filter(reading, left, turned(other), right);
    else if (tree_read_column(right, &column))
        add_filter(reading, right, other, left);
}

static void
read_joins(const struct reading *reading, const json_t *node)
{
    const json_t *join = json_object_get(node, "JoinExpr");

    if (!join)
        return;
    read_condition(reading, json_object_get(join, "quals"));
    read_joins(reading, json_object_get(join, "larg"));
    read_joins(reading, json_object_get(join, "rarg"));
}

/* Whether the statement reads the table itself, not by way of a subquery. */
static bool
reads_table(const struct reading *reading)
{
    for (size_t i = 0; i < reading->sources.count; i++) {
        const json_t *range = reading->sources.items[i].range;

        if (range && text_equal(tree_range_name(reading->tree->ctx->arena, range), reading->table))
            return true;
    }
    return false;
}

static void
read_conditions(
    const struct tree *tree, const json_t *body, const char *table, struct vector_shape *shape)
{
    struct reading reading = { .tree = tree, .body = body, .table = table, .shape = shape };
    const json_t *item;
    size_t i;

    tree_sources(tree, body, &reading.sources);
    if (table && !reads_table(&reading))
        return;
    read_condition(&reading, json_object_get(body, "whereClause"));
    json_array_foreach(json_object_get(body, "fromClause"), i, item) read_joins(&reading, item);
}

/* Whether this SELECT sorts by a distance; then table, column and operator are known. */
static bool
read_search(const struct tree *tree, const json_t *body, struct vector_shape *shape)
{
    struct distance distance;
    const json_t *sort = json_array_get(json_object_get(body, "sortClause"), 0);
    const json_t *key = json_object_get(json_object_get(sort, "SortBy"), "node");

    if (!key || !find_distance(sort_expression(tree, body, key), &distance, 0))
        return false;
    if (!set_column(tree, body, distance.left, true, shape) &&
        !set_column(tree, body, distance.right, true, shape) &&
        !set_column(tree, body, distance.left, false, shape) &&
        !set_column(tree, body, distance.right, false, shape))
        return false;
    add_parameter(tree, distance.left, NULL, false, shape);
    add_parameter(tree, distance.right, NULL, false, shape);
    shape->is_search = true;
    shape->is_indirect = distance.is_inside;
    shape->operator= arena_strdup(tree->ctx->arena, distance.op);
    set_limit(tree, body, shape);
    return true;
}

static void
read_statement(const struct tree *tree, struct vector_shape *shape)
{
    const json_t *found = NULL;

    for (size_t i = 0; i < tree->statements.count && !found; i++)
        if (tree->statements.items[i].is_select &&
            read_search(tree, tree->statements.items[i].body, shape))
            found = tree->statements.items[i].body;
    if (!found)
        return;
    if (!shape->has_limit)
        set_limit(tree, tree->statements.items[0].body, shape);
    if (!shape->table)
        read_conditions(tree, found, NULL, shape);
    for (size_t i = 0; shape->table && i < tree->statements.count; i++)
        read_conditions(tree, tree->statements.items[i].body, shape->table, shape);
}

bool
vector_shape_read(struct ctx *ctx, const char *sql, struct vector_shape *ret)
{
    struct tree tree CLEANUP(tree_end);

    *ret = (struct vector_shape){ 0 };
    if (tree_begin(ctx, sql, &tree))
        read_statement(&tree, ret);
    return true;
}

void
shape_conditions(struct ctx *ctx, const char *sql, const char *table, struct vector_shape *ret)
{
    struct tree tree CLEANUP(tree_end);

    *ret = (struct vector_shape){ .table = table };
    if (!tree_begin(ctx, sql, &tree))
        return;
    for (size_t i = 0; i < tree.statements.count; i++)
        read_conditions(&tree, tree.statements.items[i].body, table, ret);
}
