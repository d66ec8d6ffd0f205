#include "queries/rewrite/shape.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

/* Where the walk through the tree is. */
struct walk {
    struct ctx *ctx;
    struct shape *shape;
    bool is_top; /* of the statement itself, not of a query in it */
};

static const char *
name_at(const json_t *names, size_t index)
{
    const json_t *string = json_object_get(json_array_get(names, index), "String");

    return json_string_value(json_object_get(string, "sval"));
}

/* A dotted name: the last part, and the one before it. */
static struct shape_name
name_of(struct arena *arena, const json_t *names)
{
    size_t count = json_array_size(names);
    const char *name = count ? name_at(names, count - 1) : NULL;
    const char *schema = count > 1 ? name_at(names, count - 2) : NULL;

    return (struct shape_name){
        .schema = arena_strdup(arena, schema ? schema : ""),
        .name = arena_strdup(arena, name ? name : ""),
    };
}

static void
refuse(struct shape *shape, const char *why)
{
    if (!shape->refusal)
        shape->refusal = why;
}

static void
take_relation(struct walk *walk, const json_t *node)
{
    struct shape *shape = walk->shape;
    struct arena *arena = walk->ctx->arena;
    const struct shape_name name = {
        .schema = json_get_text(arena, node, "schemaname", ""),
        .name = json_get_text(arena, node, "relname", ""),
    };

    VEC_PUSH(arena, &shape->relations, name);
    text_list_add(arena, &shape->ranges, name.name);
}

static void
take_call(struct walk *walk, const json_t *node)
{
    struct shape *shape = walk->shape;
    struct arena *arena = walk->ctx->arena;
    const struct shape_name name = name_of(arena, json_object_get(node, "funcname"));

    VEC_PUSH(arena, &shape->calls, name);
    if (!walk->is_top)
        return;
    VEC_PUSH(arena, &shape->top_calls, name);
    if (json_object_get(node, "over"))
        shape->has_window = true;
}

static void
take_operator(struct walk *walk, const json_t *names)
{
    struct shape_name name = name_of(walk->ctx->arena, names);

    name.is_operator = true;
    if (*name.name)
        VEC_PUSH(walk->ctx->arena, &walk->shape->calls, name);
}

/* Statements that do more than read, whatever they stand in. */
static void
take_refusal(struct shape *shape, const char *key, const json_t *node)
{
    static const struct {
        const char *key;
        const char *why;
    } reasons[] = {
        { "InsertStmt", "writes (INSERT)" },
        { "UpdateStmt", "writes (UPDATE)" },
        { "DeleteStmt", "writes (DELETE)" },
        { "MergeStmt", "writes (MERGE)" },
        { "intoClause", "writes a table (INTO)" },
        { "lockingClause", "locks rows (FOR UPDATE or SHARE)" },
        { "RangeTableSample", "takes a random sample (TABLESAMPLE)" },
        { "CurrentOfExpr", "reads a cursor" },
    };

    for (size_t i = 0; node && i < COUNT_OF(reasons); i++)
        if (text_equal(key, reasons[i].key))
            refuse(shape, reasons[i].why);
}

static bool
is_context_free(const char *key)
{
    static const char *const keys[] = { "val", "node", "groupClause", "result", "defresult",
        "elements", "distinctClause" };

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (text_equal(key, keys[i]))
            return true;
    return false;
}

static void
take_param(struct shape *shape, const json_t *node, const char *key)
{
    int64_t location = json_get_int(node, "location", 0);

    for (size_t i = 0; i < shape->params.count; i++) {
        struct shape_param *param = &shape->params.items[i];

        if ((int64_t)param->start != location)
            continue;
        param->is_alone = is_context_free(key);
        param->is_place = text_equal(key, "node") || text_equal(key, "groupClause");
    }
}

static void collect(struct walk *walk, const json_t *node, const char *key);

/* The node of a kind, under the key that it stands at in the node around it. */
static void
collect_kind(struct walk *walk, const json_t *node, const char *kind, const char *key)
{
    struct shape *shape = walk->shape;
    struct arena *arena = walk->ctx->arena;

    if (text_equal(kind, "FuncCall"))
        take_call(walk, node);
    else if (text_equal(kind, "A_Expr") || text_equal(kind, "SortBy"))
        take_operator(walk, json_object_get(node, text_equal(kind, "A_Expr") ? "name" : "useOp"));
    else if (text_equal(kind, "SubLink"))
        take_operator(walk, json_object_get(node, "operName"));
    else if (text_equal(kind, "RangeVar"))
        take_relation(walk, node);
    else if (text_equal(kind, "CommonTableExpr"))
        text_list_add(arena, &shape->ranges, json_get_text(arena, node, "ctename", ""));
    else if (text_equal(kind, "ParamRef"))
        take_param(shape, node, key);
    take_refusal(shape, kind, node);
}

/* Recursion is as deep as the tree, which the JSON reader has limited. */
static void
collect(struct walk *walk, const json_t *node, const char *key)
{
    bool was_top = walk->is_top;
    const char *name;
    json_t *child;
    size_t i;

    if (json_is_array(node)) {
        json_array_foreach(node, i, child) collect(walk, child, key);
        return;
    }
    if (!json_is_object(node))
        return;
    if (text_equal(key, "alias"))
        text_list_add(walk->ctx->arena, &walk->shape->ranges,
            json_get_text(walk->ctx->arena, node, "aliasname", ""));
    json_object_foreach((json_t *)(uintptr_t)node, name, child)
    {
        collect_kind(walk, child, name, key);
        if (text_equal(name, "fromClause") || text_equal(name, "SelectStmt") ||
            text_equal(name, "whereClause") || text_equal(name, "withClause"))
            walk->is_top = false;
        /* {"ParamRef": {…}} stands for the node itself: what is around it is the key before. */
        collect(walk, child, isupper((unsigned char)*name) ? key : name);
        walk->is_top = was_top;
    }
}

static int32_t
number_of(const char *sql, const struct sql_token *token)
{
    int64_t number = 0;

    for (size_t i = token->start + 1; i < token->end && number < INT32_MAX / 10; i++)
        number = number * 10 + (sql[i] - '0');
    return (int32_t)number;
}

static void
find_params(struct arena *arena, struct shape *shape)
{
    const struct sql_tokens *tokens = &shape->tokens;

    for (size_t i = 0; i < tokens->count; i++) {
        const struct sql_token *token = &tokens->items[i];

        if (token->kind != SQL_PARAM)
            continue;
        VEC_PUSH(arena, &shape->params,
            (struct shape_param){
                .number = number_of(shape->sql, token),
                .start = token->start,
                .end = token->end,
                .is_cast = i + 1 < tokens->count &&
                           strncmp(shape->sql + token[1].start, "::", strlen("::")) == 0,
            });
    }
}

static bool
is_word(const char *sql, const struct sql_token *token, const char *word)
{
    return token->end - token->start == strlen(word) &&
           strncasecmp(sql + token->start, word, strlen(word)) == 0;
}

/* "interval $1": where the type begins, and where the parameter does. */
struct typed {
    size_t start;
    size_t param;
};
struct typed_list {
    struct typed *items;
    size_t count;
    size_t capacity;
};

static void
find_typed(struct arena *arena, const json_t *node, struct typed_list *ret)
{
    const json_t *cast = json_object_get(node, "TypeCast");
    const json_t *type = json_object_get(cast, "typeName");
    const json_t *param = json_object_get(json_object_get(cast, "arg"), "ParamRef");
    int64_t start = json_get_int(type, "location", 0);
    int64_t place = json_get_int(param, "location", 0);
    const char *key;
    json_t *child;
    size_t i;

    /* With fields ("interval $1 day") a cast would mean another value. */
    if (param && start < place && json_get_int(cast, "location", 0) < 0 &&
        !json_object_get(type, "typmods"))
        VEC_PUSH(arena, ret, (struct typed){ (size_t)start, (size_t)place });
    if (json_is_array(node)) {
        json_array_foreach(node, i, child) find_typed(arena, child, ret);
    } else if (json_is_object(node)) {
        json_object_foreach((json_t *)(uintptr_t)node, key, child) find_typed(arena, child, ret);
    }
}

static int
compare_typed(const void *a, const void *b)
{
    const struct typed *left = a;
    const struct typed *right = b;

    return (left->start > right->start) - (left->start < right->start);
}

/*
 * A template has "interval $1" for "interval '1 day'": the grammar here takes it, but no server does. It
 * becomes "$1::interval".
 */
static const char *
with_casts(struct arena *arena, const char *sql, const struct typed_list *typed)
{
    struct buffer buffer = { .arena = arena };
    size_t done = 0;

    for (size_t i = 0; i < typed->count; i++) {
        size_t start = typed->items[i].start;
        size_t param = typed->items[i].param;
        size_t end = param + 1 + strspn(sql + param + 1, "0123456789");
        size_t type_end = param;

        while (type_end > start && isspace((unsigned char)sql[type_end - 1]))
            type_end--;
        buffer_append(&buffer, sql + done, start - done);
        buffer_append(&buffer, sql + param, end - param);
        buffer_add(&buffer, "::");
        buffer_append(&buffer, sql + start, type_end - start);
        done = end;
    }
    buffer_add(&buffer, sql + done);
    return buffer_text(&buffer);
}

static bool
parse(struct ctx *ctx, struct shape *shape)
{
    struct typed_list typed = { 0 };

    if (!sql_parse(ctx, shape->sql, &shape->root))
        return false;
    find_typed(ctx->arena, shape->root, &typed);
    if (typed.count == 0)
        return true;
    qsort(typed.items, typed.count, sizeof(typed.items[0]), compare_typed);
    shape->sql = with_casts(ctx->arena, shape->sql, &typed);
    json_release(&shape->root);
    return sql_parse(ctx, shape->sql, &shape->root);
}

bool
shape_begin(struct ctx *ctx, const char *sql, struct shape *ret)
{
    struct sql_statements statements;
    struct walk walk = { .ctx = ctx, .shape = ret, .is_top = true };

    *ret = (struct shape){ 0 };
    if (!sql_split(ctx, "the statement", sql, &statements))
        return false;
    if (statements.count != 1)
        return error_set(
            ctx, ERR_INPUT, "one statement is expected, not %zu: %.80s", statements.count, sql);
    ret->sql = statements.items[0].text;
    if (!parse(ctx, ret) || !sql_tokens(ctx, ret->sql, &ret->tokens)) {
        shape_end(ret);
        return false;
    }
    error_clear(ctx);
    find_params(ctx->arena, ret);

    const json_t *tree =
        json_object_get(json_array_get(json_object_get(ret->root, "stmts"), 0), "stmt");

    ret->body = json_object_get(tree, "SelectStmt");
    if (ret->body) {
        ret->is_ordered = json_array_size(json_object_get(ret->body, "sortClause")) > 0;
        collect(&walk, ret->body, "");
    } else {
        collect(&walk, tree, "");
        refuse(ret, "is no SELECT");
    }
    return true;
}

void
shape_end(struct shape *shape)
{
    json_release(&shape->root);
    shape->body = NULL;
}

const char *
shape_splice(struct arena *arena, const struct shape *shape, const char *const *replacements)
{
    struct buffer buffer = { .arena = arena };
    size_t done = 0;

    for (size_t i = 0; i < shape->params.count; i++) {
        buffer_append(&buffer, shape->sql + done, shape->params.items[i].start - done);
        buffer_add(&buffer, replacements[i]);
        done = shape->params.items[i].end;
    }
    buffer_add(&buffer, shape->sql + done);
    return buffer_text(&buffer);
}

bool
shape_has_word(const struct shape *shape, const char *word)
{
    for (size_t i = 0; i < shape->tokens.count; i++) {
        struct sql_token token = shape->tokens.items[i];

        if (token.kind != SQL_NAME && token.kind != SQL_KEYWORD)
            continue;
        if (shape->sql[token.start] == '"') {
            token.start++;
            token.end--;
        }
        if (is_word(shape->sql, &token, word))
            return true;
    }
    return false;
}
