#include "vector/target/shape_tree.h"

#include "base/text.h"
#include "db/ident.h"
#include "lang/sql.h"

enum { MOST_LEVELS = 16 };

/* Stands for a parameter where the grammar wants a constant. */
static const char unknown_constant[] = "$";

/* "interval $1" is what pg_stat_statements makes of "interval '1 day'", and no SQL. */
static const char *
with_intervals(struct ctx *ctx, const char *sql)
{
    struct sql_tokens tokens;
    struct buffer buffer = { .arena = ctx->arena };
    size_t done = 0;

    if (!sql_tokens(ctx, sql, &tokens))
        return sql;
    for (size_t i = 1; i < tokens.count; i++) {
        const struct sql_token *before = &tokens.items[i - 1];
        const struct sql_token *token = &tokens.items[i];

        if (token->kind != SQL_PARAM || (before->kind != SQL_KEYWORD && before->kind != SQL_NAME) ||
            before->end - before->start < strlen("time"))
            continue;

        const char *type =
            arena_strndup(ctx->arena, sql + before->start, before->end - before->start);

        if (strcasecmp(type, "interval") != 0 && strcasecmp(type, "timestamp") != 0 &&
            strcasecmp(type, "timestamptz") != 0 && strcasecmp(type, "date") != 0 &&
            strcasecmp(type, "time") != 0 && strcasecmp(type, "zone") != 0)
            continue;
        buffer_append(&buffer, sql + done, token->start - done);
        buffer_printf(&buffer, "'%s'", unknown_constant);
        done = token->end;
    }
    buffer_add(&buffer, sql + done);
    return buffer_text(&buffer);
}

static void
collect(struct tree *tree, const json_t *node, const char *name)
{
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_array(node)) {
        json_array_foreach(node, i, child) collect(tree, child, NULL);
        return;
    }
    if (!json_is_object(node))
        return;

    /* The sides of a UNION stand there without the name of their kind. */
    bool is_select = text_equal(name, "SelectStmt") || json_object_get(node, "limitOption");

    if (is_select || text_equal(name, "UpdateStmt") || text_equal(name, "DeleteStmt"))
        VEC_PUSH(tree->ctx->arena, &tree->statements,
            (struct tree_statement){ .body = node, .is_select = is_select });
    if (text_equal(name, "CommonTableExpr"))
        VEC_PUSH(tree->ctx->arena, &tree->ctes, node);
    json_object_foreach((json_t *)(uintptr_t)node, key, child) collect(tree, child, key);
}

bool
tree_begin(struct ctx *ctx, const char *sql, struct tree *ret)
{
    *ret = (struct tree){ .ctx = ctx, .sql = sql };
    if (!sql_parse(ctx, sql, &ret->root)) {
        error_clear(ctx);
        ret->sql = with_intervals(ctx, sql);
        if (!sql_parse(ctx, ret->sql, &ret->root)) {
            error_clear(ctx);
            return false;
        }
    }
    error_clear(ctx);

    const json_t *statements = json_object_get(ret->root, "stmts");
    const json_t *first = json_object_get(json_array_get(statements, 0), "stmt");

    /* Whoever asks for a plan, pgmend among them, does not search. */
    if (json_object_get(first, "ExplainStmt"))
        return true;
    collect(ret, statements, NULL);
    return true;
}

void
tree_end(struct tree *tree)
{
    json_release(&tree->root);
}

const json_t *
tree_bare(const json_t *node)
{
    for (;;) {
        const json_t *around = json_object_get(node, "TypeCast");

        if (!around)
            around = json_object_get(node, "CollateClause");
        if (!around)
            return node;
        node = json_object_get(around, "arg");
    }
}

static const char *
name_of(const json_t *node)
{
    return json_string_value(json_object_get(json_object_get(node, "String"), "sval"));
}

bool
tree_read_column(const json_t *node, struct tree_column *ret)
{
    const json_t *fields = json_object_get(json_object_get(tree_bare(node), "ColumnRef"), "fields");
    size_t count = json_array_size(fields);

    *ret = (struct tree_column){ 0 };
    if (count == 0)
        return false;
    ret->name = name_of(json_array_get(fields, count - 1));
    if (count > 1)
        ret->qualifier = name_of(json_array_get(fields, count - 2));
    return ret->name != NULL;
}

const char *
tree_operator(const json_t *node)
{
    const json_t *expression = json_object_get(tree_bare(node), "A_Expr");
    const json_t *name = json_object_get(expression, "name");
    const char *kind = json_string_value(json_object_get(expression, "kind"));

    if (!text_equal(kind, "AEXPR_OP"))
        return NULL;
    return name_of(json_array_get(name, json_array_size(name) - 1));
}

static const char *
alias_of(const json_t *node, const char *otherwise)
{
    const char *alias =
        json_string_value(json_object_get(json_object_get(node, "alias"), "aliasname"));

    return alias ? alias : otherwise;
}

static const json_t *
find_cte(const struct tree *tree, const json_t *range)
{
    const char *name = json_string_value(json_object_get(range, "relname"));

    if (json_object_get(range, "schemaname"))
        return NULL;
    for (size_t i = 0; i < tree->ctes.count; i++) {
        const json_t *cte = tree->ctes.items[i];

        if (text_equal(json_string_value(json_object_get(cte, "ctename")), name))
            return json_object_get(json_object_get(cte, "ctequery"), "SelectStmt");
    }
    return NULL;
}

static void
add_range(const struct tree *tree, const json_t *range, struct tree_sources *ret)
{
    const json_t *query = find_cte(tree, range);

    VEC_PUSH(tree->ctx->arena, ret,
        (struct tree_source){ .range = query ? NULL : range,
            .query = query,
            .name = alias_of(range, json_string_value(json_object_get(range, "relname"))) });
}

static void
add_sources(const struct tree *tree, const json_t *node, struct tree_sources *ret)
{
    const json_t *range = json_object_get(node, "RangeVar");
    const json_t *subselect = json_object_get(node, "RangeSubselect");
    const json_t *join = json_object_get(node, "JoinExpr");

    if (range)
        add_range(tree, range, ret);
    if (subselect)
        VEC_PUSH(tree->ctx->arena, ret,
            (struct tree_source){
                .query = json_object_get(json_object_get(subselect, "subquery"), "SelectStmt"),
                .name = alias_of(subselect, "") });
    if (join) {
        add_sources(tree, json_object_get(join, "larg"), ret);
        add_sources(tree, json_object_get(join, "rarg"), ret);
    }
}

void
tree_sources(const struct tree *tree, const json_t *body, struct tree_sources *ret)
{
    const json_t *relation = json_object_get(body, "relation");
    const json_t *item;
    size_t i;

    *ret = (struct tree_sources){ 0 };
    if (relation)
        add_range(tree, relation, ret);
    json_array_foreach(json_object_get(body, "fromClause"), i, item) add_sources(tree, item, ret);
    json_array_foreach(json_object_get(body, "usingClause"), i, item) add_sources(tree, item, ret);
}

static bool
is_of(const struct tree_sources *sources, const struct tree_column *column)
{
    if (!column->qualifier)
        return true;
    for (size_t i = 0; i < sources->count; i++)
        if (text_equal(sources->items[i].name, column->qualifier))
            return true;
    return false;
}

bool
tree_has_column(const struct tree_sources *sources, const json_t *node)
{
    struct tree_column column;
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_object(node) && tree_read_column(node, &column))
        return is_of(sources, &column);
    json_object_foreach((json_t *)(uintptr_t)node, key, child)
    {
        /* A subquery is computed once, whatever it reads. */
        if (strcmp(key, "SubLink") != 0 && tree_has_column(sources, child))
            return true;
    }
    json_array_foreach(node, i, child)
    {
        if (tree_has_column(sources, child))
            return true;
    }
    return false;
}

const json_t *
tree_output(const json_t *body, const char *name)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(body, "targetList"), i, item)
    {
        const json_t *target = json_object_get(item, "ResTarget");
        const char *alias = json_string_value(json_object_get(target, "name"));
        struct tree_column column;

        if (alias ? strcmp(alias, name) == 0
                  : tree_read_column(json_object_get(target, "val"), &column) &&
                        strcmp(column.name, name) == 0)
            return json_object_get(target, "val");
    }
    return NULL;
}

const char *
tree_range_name(struct arena *arena, const json_t *range)
{
    const char *schema = json_string_value(json_object_get(range, "schemaname"));
    const char *name = json_string_value(json_object_get(range, "relname"));

    if (!name)
        return NULL;
    return schema ? db_qualified(arena, schema, name) : db_ident(arena, name);
}

/* Where a column of a subquery comes from: renamed, or passed on by a star. */
static struct tree_column
column_inside(const json_t *query, struct tree_column column)
{
    const json_t *output = tree_output(query, column.name);
    struct tree_column inside = { .name = column.name };

    if (output && !tree_read_column(output, &inside))
        inside = (struct tree_column){ 0 };
    return inside;
}

static const char *
table_at(const struct tree *tree, const json_t *body, struct tree_column column,
    const char **ret_name, int level)
{
    struct tree_sources sources;
    const struct tree_source *found = NULL;

    tree_sources(tree, body, &sources);
    for (size_t i = 0; i < sources.count; i++) {
        if (column.qualifier ? text_equal(sources.items[i].name, column.qualifier)
                             : sources.count == 1)
            found = &sources.items[i];
    }
    if (!found || !column.name || level >= MOST_LEVELS)
        return NULL;
    if (found->range) {
        *ret_name = column.name;
        return tree_range_name(tree->ctx->arena, found->range);
    }
    return table_at(tree, found->query, column_inside(found->query, column), ret_name, level + 1);
}

const char *
tree_table_of(
    const struct tree *tree, const json_t *body, struct tree_column column, const char **ret_name)
{
    *ret_name = column.name;
    return table_at(tree, body, column, ret_name, 0);
}

/* The grammar of PostgreSQL 15 leaves the number out of the tree when it is 0 or below. */
static const char *
small_integer(const struct tree *tree, const json_t *constant)
{
    json_int_t at = json_integer_value(json_object_get(constant, "location"));

    if (at < 0 || (size_t)at >= strlen(tree->sql) || tree->sql[at] != '-')
        return "0";

    const char *digits = tree->sql + at + 1;

    digits += strspn(digits, " \t\r\n");
    return arena_printf(tree->ctx->arena, "-%.*s", (int)strspn(digits, "0123456789"), digits);
}

const char *
tree_constant(const struct tree *tree, const json_t *node)
{
    struct arena *arena = tree->ctx->arena;
    const json_t *constant = json_object_get(tree_bare(node), "A_Const");
    const json_t *ival = json_object_get(constant, "ival");
    const json_t *boolval = json_object_get(constant, "boolval");
    const json_t *number = json_object_get(ival, "ival");
    const char *text =
        json_string_value(json_object_get(json_object_get(constant, "fval"), "fval"));

    if (!text)
        text = json_string_value(json_object_get(json_object_get(constant, "sval"), "sval"));
    if (text)
        return strcmp(text, unknown_constant) == 0 ? NULL : arena_strdup(arena, text);
    if (number)
        return arena_printf(arena, "%lld", (long long)json_integer_value(number));
    if (ival)
        return small_integer(tree, constant);
    /* What is false or empty is left out too. */
    if (boolval)
        return json_is_true(json_object_get(boolval, "boolval")) ? "true" : "false";
    return json_object_get(constant, "sval") ? "" : NULL;
}

int32_t
tree_parameter(const json_t *node)
{
    const json_t *number = json_object_get(json_object_get(tree_bare(node), "ParamRef"), "number");

    return (int32_t)json_integer_value(number);
}
