/* What a query says of the columns it compares and orders by, of its outermost level. */
#include "base/json.h"
#include "index/lint/statement.h"
#include "lang/sql.h"

static const char *
part(const json_t *list, size_t from_end)
{
    size_t count = json_array_size(list);
    const json_t *item = from_end < count ? json_array_get(list, count - 1 - from_end) : NULL;

    return json_string_value(json_object_get(json_object_get(item, "String"), "sval"));
}

static const char *
copy(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static const json_t *
column_of(const json_t *node)
{
    return json_object_get(json_object_get(node, "ColumnRef"), "fields");
}

/* Relations in FROM, also those of joins: the name, then the alias that columns are written with. */
static void
read_relations(struct arena *arena, const json_t *node, struct lint_query *ret)
{
    const json_t *relation = json_object_get(node, "RangeVar");
    const json_t *join = json_object_get(node, "JoinExpr");

    if (relation) {
        const char *name = json_get_text(arena, relation, "relname", "");

        text_list_add(arena, &ret->relations, name);
        text_list_add(arena, &ret->relations,
            json_get_text(arena, json_object_get(relation, "alias"), "aliasname", name));
    }
    if (join) {
        read_relations(arena, json_object_get(join, "larg"), ret);
        read_relations(arena, json_object_get(join, "rarg"), ret);
    }
}

static void
read_comparison(struct arena *arena, const json_t *node, struct lint_query *ret)
{
    const char *kind = json_string_value(json_object_get(node, "kind"));
    const char *name = part(json_object_get(node, "name"), 0);
    const char *left = part(column_of(json_object_get(node, "lexpr")), 0);
    const char *right = part(column_of(json_object_get(node, "rexpr")), 0);
    const char *pattern = json_string_value(json_object_get(
        json_object_get(json_object_get(json_object_get(node, "rexpr"), "A_Const"), "sval"),
        "sval"));

    if (text_equal(name, "=") && left)
        text_list_add(arena, &ret->equals, copy(arena, left));
    if (text_equal(name, "=") && right)
        text_list_add(arena, &ret->equals, copy(arena, right));
    if (text_equal(kind, "AEXPR_LIKE") && text_equal(name, "~~") && left && pattern &&
        !strchr("%_", pattern[0]))
        text_list_add(arena, &ret->likes, copy(arena, left));
}

/* Comparisons that all have to hold: those under OR and NOT narrow nothing alone. */
static void
read_where(struct arena *arena, const json_t *node, struct lint_query *ret)
{
    const json_t *boolean = json_object_get(node, "BoolExpr");
    const json_t *comparison = json_object_get(node, "A_Expr");
    size_t i;
    json_t *item;

    if (comparison)
        read_comparison(arena, comparison, ret);
    if (!text_equal(json_string_value(json_object_get(boolean, "boolop")), "AND_EXPR"))
        return;
    json_array_foreach(json_object_get(boolean, "args"), i, item) read_where(arena, item, ret);
}

static void
read_order(struct arena *arena, const json_t *sort, struct lint_query *ret)
{
    const json_t *node = json_object_get(sort, "node");
    const json_t *distance = json_object_get(node, "A_Expr");
    const char *direction = json_string_value(json_object_get(sort, "sortby_dir"));
    const char *nulls = json_string_value(json_object_get(sort, "sortby_nulls"));
    const json_t *column = column_of(node);
    struct lint_order order = { .is_descending = text_equal(direction, "SORTBY_DESC") };

    if (distance) {
        column = column_of(json_object_get(distance, "lexpr"));
        if (!column)
            column = column_of(json_object_get(distance, "rexpr"));
        order.operator= copy(arena, part(json_object_get(distance, "name"), 0));
    }
    order.column = copy(arena, part(column, 0));
    order.relation = copy(arena, part(column, 1));
    order.is_nulls_first = text_equal(nulls, "SORTBY_NULLS_DEFAULT")
                               ? order.is_descending
                               : text_equal(nulls, "SORTBY_NULLS_FIRST");
    VEC_PUSH(arena, &ret->orders, order);
}

void
lint_read_query(struct ctx *ctx, const json_t *node, struct lint_query *ret)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(node, "fromClause"), i, item)
        read_relations(ctx->arena, item, ret);
    if (json_object_get(node, "relation")) {
        const char *name =
            json_get_text(ctx->arena, json_object_get(node, "relation"), "relname", "");

        text_list_add(ctx->arena, &ret->relations, name);
        text_list_add(ctx->arena, &ret->relations, name);
    }
    read_where(ctx->arena, json_object_get(node, "whereClause"), ret);
    json_array_foreach(json_object_get(node, "sortClause"), i, item)
        read_order(ctx->arena, json_object_get(item, "SortBy"), ret);
}

bool
lint_read_query_text(struct ctx *ctx, const char *sql, struct lint_query *ret)
{
    json_t *tree CLEANUP(json_release) = NULL;
    json_t *node;
    void *member;

    if (!sql_parse(ctx, sql, &tree))
        return false;
    node = json_object_get(json_array_get(json_object_get(tree, "stmts"), 0), "stmt");
    member = json_object_iter(node);
    if (member)
        lint_read_query(ctx, json_object_iter_value(member), ret);
    return true;
}
