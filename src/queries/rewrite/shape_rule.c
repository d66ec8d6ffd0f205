/* Which statements can be asked for many keys at once, and in which words. */
#include <strings.h>

#include "queries/rewrite/shape.h"

static bool
is_word(const struct shape *shape, size_t token, const char *word)
{
    const struct sql_token *at = &shape->tokens.items[token];

    return at->end - at->start == strlen(word) &&
           strncasecmp(shape->sql + at->start, word, strlen(word)) == 0;
}

static bool
has(const struct shape *shape, const char *key)
{
    const json_t *node = json_object_get(shape->body, key);

    return json_is_array(node) ? json_array_size(node) > 0 : node != NULL;
}

static bool
is_set_operation(const struct shape *shape)
{
    const char *op = json_string_value(json_object_get(shape->body, "op"));

    return op && strcmp(op, "SETOP_NONE") != 0;
}

static bool
is_limit_of_one(const struct shape *shape)
{
    const json_t *constant = json_object_get(json_object_get(shape->body, "limitCount"), "A_Const");
    const char *option = json_string_value(json_object_get(shape->body, "limitOption"));

    return json_get_int(json_object_get(constant, "ival"), "ival", 0) == 1 &&
           text_equal(option, "LIMIT_OPTION_COUNT");
}

enum shape_rows
shape_rows_of(const struct shape *shape, bool has_aggregate, bool is_set)
{
    bool is_single = !is_set_operation(shape) && !is_set && !has(shape, "groupClause") &&
                     !has(shape, "valuesLists");

    if (is_single && has_aggregate && !shape->has_window)
        is_single = true;
    else
        is_single = is_single && !has_aggregate && !has(shape, "fromClause");
    if (is_single && !has(shape, "limitCount") && !has(shape, "limitOffset") &&
        !has(shape, "havingClause") && (has_aggregate || !has(shape, "whereClause")))
        return SHAPE_ONE;
    return is_single || is_limit_of_one(shape) ? SHAPE_ONE_AT_MOST : SHAPE_MANY;
}

static const json_t *
column_of(const json_t *node)
{
    const json_t *column = json_object_get(node, "ColumnRef");
    const json_t *field;
    size_t i;

    json_array_foreach(json_object_get(column, "fields"), i, field)
    {
        if (!json_object_get(field, "String"))
            return NULL;
    }
    return column;
}

/*
 * $number, or a cast of it: a parameter has the type that it is cast to, so that the comparison is the same
 * without the words. A length ("varchar(3)") would cut it.
 */
static bool
is_number(const json_t *node, int32_t number)
{
    const json_t *cast = json_object_get(node, "TypeCast");
    const json_t *param = json_object_get(cast ? json_object_get(cast, "arg") : node, "ParamRef");

    return param && json_get_int(param, "number", 0) == number &&
           !json_object_get(json_object_get(cast, "typeName"), "typmods");
}

/* The one value that a column is compared with by "=" or "IN ($1)"; NULL: it is something else. */
static const json_t *
value_of(const json_t *expression, bool *ret_is_list)
{
    const json_t *right = json_object_get(expression, "rexpr");
    const json_t *items = json_object_get(json_object_get(right, "List"), "items");
    const json_t *names = json_object_get(expression, "name");
    const char *kind = json_string_value(json_object_get(expression, "kind"));
    const char *sign = json_string_value(
        json_object_get(json_object_get(json_array_get(names, 0), "String"), "sval"));

    *ret_is_list = text_equal(kind, "AEXPR_IN");
    if (json_array_size(names) != 1 || !text_equal(sign, "="))
        return NULL;
    if (*ret_is_list)
        return json_array_size(items) == 1 ? json_array_get(items, 0) : NULL;
    return text_equal(kind, "AEXPR_OP") ? right : NULL;
}

static bool
is_word_at(const struct shape *shape, size_t token, const char *word)
{
    return token < shape->tokens.count && is_word(shape, token, word);
}

/* The first token that begins there or behind it. */
static size_t
token_at(const struct shape *shape, size_t place)
{
    size_t i = 0;

    while (i < shape->tokens.count && shape->tokens.items[i].start < place)
        i++;
    return i;
}

/* Behind the type whose name begins at this token. */
static size_t
behind_type(const struct shape *shape, size_t token)
{
    static const char *const more[] = { "precision", "varying", "with", "without", "time", "zone" };
    size_t i = token;

    if (i < shape->tokens.count)
        i = token_at(shape, sql_name_end(shape->sql, shape->tokens.items[i].start));
    for (size_t k = 0; k < COUNT_OF(more); k++)
        if (is_word_at(shape, i, more[k]))
            i++;
    return i;
}

/* "= $1", "= CAST($1 AS type)", "IN ($1::type)" behind a column: where it ends; 0: there are other words. */
static size_t
end_of_value(const struct shape *shape, size_t start, const struct shape_param *param)
{
    size_t i = token_at(shape, start);
    size_t open = 0;

    if (!is_word_at(shape, i, "=") && !is_word_at(shape, i, "in"))
        return 0;
    for (i++; i < shape->tokens.count && shape->tokens.items[i].start < param->start; i++) {
        if (is_word(shape, i, "("))
            open++;
        else if (!is_word(shape, i, "cast"))
            return 0;
    }
    for (i++; i < shape->tokens.count;) {
        bool is_cast = is_word(shape, i, "::") || is_word(shape, i, "as");

        if (!is_cast && (open == 0 || !is_word(shape, i, ")")))
            break;
        if (!is_cast)
            open--;
        i = is_cast ? behind_type(shape, i + 1) : i + 1;
    }
    return open == 0 && i <= shape->tokens.count ? shape->tokens.items[i - 1].end : 0;
}

/* "$1::type = " stands right before the column. */
static bool
is_before(const struct shape *shape, const struct shape_param *param, size_t column)
{
    size_t i = token_at(shape, param->end);

    if (is_word_at(shape, i, "::"))
        i = behind_type(shape, i + 1);
    return is_word_at(shape, i, "=") && i + 1 == token_at(shape, column);
}

static bool
read_equality(const struct shape *shape, struct arena *arena, const json_t *node,
    const struct shape_param *param, struct shape_equality *ret)
{
    const json_t *expression = json_object_get(node, "A_Expr");
    const json_t *left = json_object_get(expression, "lexpr");
    bool is_list;
    const json_t *right = value_of(expression, &is_list);
    bool is_right = is_number(right, param->number);
    const json_t *column = column_of(is_right ? left : right);

    if (!column || (!is_right && (is_list || !is_number(left, param->number))))
        return false;

    size_t start = (size_t)json_get_int(column, "location", 0);
    size_t end = sql_name_end(shape->sql, start);

    *ret = (struct shape_equality){
        .start = is_right ? start : param->start,
        .end = is_right ? end_of_value(shape, end, param) : end,
        .column = arena_strndup(arena, shape->sql + start, end - start),
    };
    return is_right ? ret->end > 0 : is_before(shape, param, start);
}

/* Conditions that are joined by AND, at whatever depth. */
static bool
find_equality(const struct shape *shape, struct arena *arena, const json_t *node,
    const struct shape_param *param, struct shape_equality *ret)
{
    const json_t *junction = json_object_get(node, "BoolExpr");
    const json_t *part;
    size_t i;

    if (!junction)
        return read_equality(shape, arena, node, param, ret);
    if (!text_equal(json_string_value(json_object_get(junction, "boolop")), "AND_EXPR"))
        return false;
    json_array_foreach(json_object_get(junction, "args"), i, part)
    {
        if (find_equality(shape, arena, part, param, ret))
            return true;
    }
    return false;
}

bool
shape_key_equality(
    const struct shape *shape, struct arena *arena, int32_t number, struct shape_equality *ret)
{
    const struct shape_param *param = NULL;

    for (size_t i = 0; i < shape->params.count; i++) {
        if (shape->params.items[i].number != number)
            continue;
        if (param)
            return false;
        param = &shape->params.items[i];
    }
    return param &&
           find_equality(shape, arena, json_object_get(shape->body, "whereClause"), param, ret);
}

static void
collect_fixed(const json_t *node, struct arena *arena, struct text_list *ret)
{
    const json_t *junction = json_object_get(node, "BoolExpr");
    const json_t *expression = json_object_get(node, "A_Expr");
    const json_t *left = json_object_get(expression, "lexpr");
    const json_t *right = json_object_get(expression, "rexpr");
    const json_t *names = json_object_get(expression, "name");
    const json_t *part;
    size_t i;

    if (text_equal(json_string_value(json_object_get(junction, "boolop")), "AND_EXPR"))
        json_array_foreach(json_object_get(junction, "args"), i, part)
            collect_fixed(part, arena, ret);
    if (!text_equal(json_string_value(json_object_get(expression, "kind")), "AEXPR_OP") ||
        json_array_size(names) != 1 ||
        !text_equal(json_string_value(json_object_get(
                        json_object_get(json_array_get(names, 0), "String"), "sval")),
            "="))
        return;

    const json_t *value = column_of(left) ? right : left;
    const json_t *fields =
        json_object_get(column_of(left) ? column_of(left) : column_of(right), "fields");

    if (json_object_get(value, "ParamRef") || json_object_get(value, "A_Const"))
        text_list_add(arena, ret,
            arena_strdup(arena,
                json_string_value(json_object_get(
                    json_object_get(json_array_get(fields, json_array_size(fields) - 1), "String"),
                    "sval"))));
}

void
shape_fixed_columns(const struct shape *shape, struct arena *arena, struct text_list *ret)
{
    const json_t *from = json_object_get(shape->body, "fromClause");

    *ret = (struct text_list){ 0 };
    if (!is_set_operation(shape) && json_array_size(from) == 1 &&
        json_object_get(json_array_get(from, 0), "RangeVar") && !has(shape, "withClause"))
        collect_fixed(json_object_get(shape->body, "whereClause"), arena, ret);
}

static size_t
token_from(const struct shape *shape, size_t i)
{
    while (i < shape->tokens.count && shape->tokens.items[i].kind == SQL_COMMENT)
        i++;
    return i;
}

static const char *
why_no_select(const struct shape *shape)
{
    static const struct {
        const char *key;
        const char *why;
    } parts[] = {
        { "withClause", "has WITH" },
        { "limitCount", "has LIMIT" },
        { "limitOffset", "has OFFSET" },
        { "distinctClause", "has DISTINCT" },
        { "groupClause", "has GROUP BY" },
        { "havingClause", "has HAVING" },
        { "windowClause", "has a window function" },
        { "valuesLists", "is VALUES" },
    };
    size_t first = token_from(shape, 0);

    if (!shape->body)
        return "is no SELECT";
    if (is_set_operation(shape))
        return "has UNION, INTERSECT or EXCEPT";
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (has(shape, parts[i].key))
            return parts[i].why;
    if (shape->has_window)
        return "has a window function";
    if (!has(shape, "whereClause") || first == shape->tokens.count ||
        !is_word(shape, first, "select"))
        return "is no SELECT … FROM … WHERE";
    return NULL;
}

const char *
shape_why_not_plain(const struct shape *shape, bool has_aggregate)
{
    const char *why = why_no_select(shape);
    const json_t *item;
    size_t i;

    if (why || has_aggregate)
        return why ? why : "has an aggregate";
    json_array_foreach(json_object_get(shape->body, "sortClause"), i, item)
    {
        const json_t *key = json_object_get(json_object_get(item, "SortBy"), "node");

        if (json_object_get(key, "A_Const") || json_object_get(key, "ParamRef"))
            return "is ordered by the place of an output";
    }
    return NULL;
}

/* A constant of one word, as it is written; NULL: it is something else. */
static const char *
constant_text(const struct shape *shape, struct arena *arena, const json_t *node)
{
    const json_t *constant = json_object_get(node, "A_Const");
    size_t location = (size_t)json_get_int(constant, "location", 0);

    if (!constant || json_get_bool(constant, "isnull", false))
        return NULL;
    for (size_t i = 0; i < shape->tokens.count; i++) {
        const struct sql_token *token = &shape->tokens.items[i];

        if (token->start == location && token->kind == SQL_CONSTANT)
            return arena_strndup(arena, shape->sql + token->start, token->end - token->start);
    }
    return NULL;
}

/*
 * Aggregates that give NULL for no rows. Those that put values in a row, such as string_agg, depend on
 * the order of their input unless they say it themselves.
 */
static bool
is_known_aggregate(const json_t *call, const char *name)
{
    static const char *const plain[] = { "max", "min", "sum", "avg", "bool_and", "bool_or", "every",
        "bit_and", "bit_or" };
    static const char *const ordered[] = { "array_agg", "string_agg", "json_agg", "jsonb_agg",
        "json_object_agg", "jsonb_object_agg" };

    for (size_t i = 0; i < COUNT_OF(plain); i++)
        if (strcmp(name, plain[i]) == 0)
            return true;
    for (size_t i = 0; i < COUNT_OF(ordered); i++)
        if (strcmp(name, ordered[i]) == 0)
            return json_array_size(json_object_get(call, "agg_order")) > 0;
    return false;
}

static bool
read_aggregate(const json_t *call, struct shape_aggregate *ret)
{
    const json_t *names = json_object_get(call, "funcname");
    size_t count = json_array_size(names);
    const char *schema = NULL;
    const char *name = NULL;

    if (count == 0 || json_object_get(call, "over"))
        return false;
    name = json_string_value(
        json_object_get(json_object_get(json_array_get(names, count - 1), "String"), "sval"));
    if (count > 1)
        schema = json_string_value(
            json_object_get(json_object_get(json_array_get(names, count - 2), "String"), "sval"));
    if (!name || (schema && strcmp(schema, "pg_catalog") != 0))
        return false;
    if (strcmp(name, "count") == 0) {
        *ret = (struct shape_aggregate){ .otherwise = "0" };
        return true;
    }
    *ret = (struct shape_aggregate){
        .is_null = true,
        .is_sum = strcmp(name, "sum") == 0 || strcmp(name, "avg") == 0,
    };
    return is_known_aggregate(call, name);
}

/* Recursion is as deep as casts stand on each other. */
static bool
read_output(
    const struct shape *shape, struct arena *arena, const json_t *node, struct shape_aggregate *ret)
{
    const json_t *cast = json_object_get(node, "TypeCast");
    const json_t *choice = json_object_get(json_object_get(node, "CoalesceExpr"), "args");

    if (json_object_get(node, "FuncCall"))
        return read_aggregate(json_object_get(node, "FuncCall"), ret);
    if (cast) {
        const json_t *arg = json_object_get(cast, "arg");

        /* A sum of floats depends on the order of its input, and the cast would hide that it is one. */
        if (!read_output(shape, arena, arg, ret) || ret->is_sum)
            return false;
        if (!ret->is_null)
            ret->otherwise = arena_printf(arena, "'%s'", ret->otherwise);
        return ret->is_null || strcmp(ret->otherwise, "'0'") == 0;
    }
    if (json_array_size(choice) != 2 || !read_output(shape, arena, json_array_get(choice, 0), ret))
        return false;
    if (!ret->is_null)
        return true;
    ret->otherwise = constant_text(shape, arena, json_array_get(choice, 1));
    ret->is_null = false;
    return ret->otherwise != NULL;
}

const char *
shape_why_not_grouped(const struct shape *shape, struct arena *arena, struct shape_aggregates *ret)
{
    const char *why = why_no_select(shape);
    const json_t *output;
    size_t i;

    *ret = (struct shape_aggregates){ 0 };
    if (why)
        return why;
    if (shape->is_ordered)
        return "has ORDER BY";
    json_array_foreach(json_object_get(shape->body, "targetList"), i, output)
    {
        struct shape_aggregate aggregate = { 0 };
        const json_t *value = json_object_get(json_object_get(output, "ResTarget"), "val");

        if (!read_output(shape, arena, value, &aggregate))
            return "has an output that is no aggregate whose value over no rows is known";
        VEC_PUSH(arena, ret, aggregate);
    }
    return ret->count ? NULL : "has no outputs";
}

size_t
shape_outputs_start(const struct shape *shape)
{
    size_t i = token_from(shape, 0);

    size_t next = token_from(shape, i + 1);

    if (next < shape->tokens.count && is_word(shape, next, "all"))
        i = next;
    return i < shape->tokens.count ? shape->tokens.items[i].end : 0;
}

size_t
shape_order_start(const struct shape *shape)
{
    size_t depth = 0;
    size_t found = 0;

    for (size_t i = 0; i + 1 < shape->tokens.count; i++) {
        char first = shape->sql[shape->tokens.items[i].start];

        if (shape->tokens.items[i].kind == SQL_PUNCTUATION && first == '(')
            depth++;
        else if (shape->tokens.items[i].kind == SQL_PUNCTUATION && first == ')' && depth > 0)
            depth--;
        else if (depth == 0 && is_word(shape, i, "order") && is_word(shape, i + 1, "by"))
            found = shape->tokens.items[i + 1].end;
    }
    return found;
}
