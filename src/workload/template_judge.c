/*
 * What the grammar says about a text: which kind of statement it is, whether it may be run again, and
 * which constants cannot be parameters: those of ORDER BY 1 mean a column, those of varchar(10) a type.
 */
#include "lang/sql.h"
#include "workload/template_part.h"

enum {
    DEEPEST = 400,   /* of a parse tree; beyond it nothing more is looked at */
    MOST_TRIED = 64, /* constants of a text that are tried one by one */
};

struct literal_role {
    bool is_kept;
    bool is_prefixed;    /* date '2026-01-01' */
    uint32_t type_start; /* where that type's name begins */
};

struct walk {
    const char *sql;
    const struct literals *literals;
    struct literal_role *roles; /* of each literal */
    bool has_write;
    bool has_into;
    bool is_volatile;
};

static struct literal_role *
role_at(const struct walk *walk, int64_t location)
{
    size_t low = 0;
    size_t high = walk->literals->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct literal *literal = &walk->literals->items[middle];

        if (location >= literal->start && location < literal->end)
            return &walk->roles[middle];
        if (location < literal->start)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void
keep_constant(const struct walk *walk, const json_t *node)
{
    const json_t *constant = json_object_get(node, "A_Const");
    struct literal_role *role;

    if (!constant)
        return;
    role = role_at(walk, json_get_int(constant, "location", 0));
    if (role)
        role->is_kept = true;
}

/* Numbers of columns in ORDER BY, GROUP BY and DISTINCT ON. */
static void
keep_ordinals(const struct walk *walk, const json_t *clause)
{
    const json_t *item;
    size_t i;

    json_array_foreach(clause, i, item)
    {
        const json_t *sort = json_object_get(item, "SortBy");

        keep_constant(walk, sort ? json_object_get(sort, "node") : item);
    }
}

static void
see_cast(const struct walk *walk, const json_t *cast)
{
    const json_t *constant = json_object_get(json_object_get(cast, "arg"), "A_Const");
    const json_t *type = json_object_get(cast, "typeName");
    struct literal_role *role;

    /* A cast without a place is one whose type stands in front. */
    if (!constant || json_get_int(cast, "location", 0) >= 0)
        return;
    role = role_at(walk, json_get_int(constant, "location", 0));
    if (!role)
        return;
    role->is_kept = json_object_get(type, "typmods") != NULL;
    role->is_prefixed = !role->is_kept;
    role->type_start = (uint32_t)json_get_int(type, "location", 0);
}

static const char *
name_of(const json_t *names, size_t at)
{
    const json_t *text =
        json_object_get(json_object_get(json_array_get(names, at), "String"), "sval");

    if (!text)
        text = json_object_get(json_object_get(json_array_get(names, at), "String"), "str");
    return json_is_string(text) ? json_string_value(text) : "";
}

static void
see_call(struct walk *walk, const json_t *call)
{
    const json_t *names = json_object_get(call, "funcname");
    size_t count = json_array_size(names);

    /* EXTRACT('year' FROM …) is grammar: libpg_query takes a parameter there, the server does not. */
    if (count == 2 && text_equal(name_of(names, 1), "extract"))
        keep_constant(walk, json_array_get(json_object_get(call, "args"), 0));
    if (count == 1 && function_is_steady(name_of(names, 0)))
        return;
    if (count == 2 && text_equal(name_of(names, 0), "pg_catalog") &&
        function_is_steady(name_of(names, 1)))
        return;
    walk->is_volatile = true;
}

static void
see_member(struct walk *walk, const char *key, const json_t *value)
{
    static const char *const writes[] = { "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt" };
    const json_t *item;
    size_t i;

    for (size_t at = 0; at < COUNT_OF(writes); at++)
        walk->has_write = walk->has_write || text_equal(key, writes[at]);
    if (text_equal(key, "intoClause"))
        walk->has_into = true;
    else if (text_equal(key, "lockingClause"))
        walk->is_volatile = true;
    else if (text_equal(key, "FuncCall"))
        see_call(walk, value);
    else if (text_equal(key, "TypeCast"))
        see_cast(walk, value);
    else if (text_equal(key, "sortClause") || text_equal(key, "groupClause") ||
             text_equal(key, "distinctClause"))
        keep_ordinals(walk, value);
    else if (text_equal(key, "typmods"))
        json_array_foreach(value, i, item) keep_constant(walk, item);
}

/* A level of the tree at a time, by recursion that is bounded. */
static void
walk_tree(struct walk *walk, const json_t *node, int depth)
{
    const char *key;
    json_t *value;
    size_t i;

    if (depth > DEEPEST) {
        walk->is_volatile = true;
        return;
    }
    if (json_is_array(node))
        json_array_foreach(node, i, value) walk_tree(walk, value, depth + 1);
    if (!json_is_object(node))
        return;
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        see_member(walk, key, value);
        if (json_is_object(value) || json_is_array(value))
            walk_tree(walk, value, depth + 1);
    }
}

/* SELECT set_config(…) and nothing else. */
static bool
is_setting(const json_t *select)
{
    const json_t *targets = json_object_get(select, "targetList");
    const json_t *item;
    size_t i;

    if (json_array_size(targets) == 0 || json_object_get(select, "fromClause"))
        return false;
    json_array_foreach(targets, i, item)
    {
        const json_t *value = json_object_get(json_object_get(item, "ResTarget"), "val");
        const json_t *names = json_object_get(json_object_get(value, "FuncCall"), "funcname");
        size_t count = json_array_size(names);

        if (count == 0 || !text_equal(name_of(names, count - 1), "set_config"))
            return false;
    }
    return true;
}

static enum template_kind
kind_of(const struct walk *walk, const json_t *statement)
{
    static const char *const session[] = { "VariableSetStmt", "VariableShowStmt", "DiscardStmt",
        "ListenStmt", "UnlistenStmt", "PrepareStmt", "DeallocateStmt" };
    const json_t *select = json_object_get(statement, "SelectStmt");

    if (json_object_get(statement, "TransactionStmt"))
        return TEMPLATE_TRANSACTION;
    for (size_t i = 0; i < COUNT_OF(session); i++)
        if (json_object_get(statement, session[i]))
            return TEMPLATE_SESSION;
    if (json_object_get(statement, "InsertStmt") || json_object_get(statement, "UpdateStmt") ||
        json_object_get(statement, "DeleteStmt") || json_object_get(statement, "MergeStmt"))
        return TEMPLATE_WRITE;
    if (!select || walk->has_into)
        return TEMPLATE_OTHER;
    if (walk->has_write)
        return TEMPLATE_WRITE;
    return is_setting(select) ? TEMPLATE_SESSION : TEMPLATE_READ;
}

/* Several statements in one text are of no kind, but BEGIN; SET TRANSACTION … */
static enum template_kind
kind_of_all(const struct walk *walk, const json_t *tree)
{
    const json_t *statements = json_object_get(tree, "stmts");
    const json_t *item;
    enum template_kind kind = TEMPLATE_OTHER;
    size_t i;

    json_array_foreach(statements, i, item)
    {
        enum template_kind one = kind_of(walk, json_object_get(item, "stmt"));

        if (i > 0 && one != kind)
            return TEMPLATE_OTHER;
        kind = one;
    }
    return json_array_size(statements) > 1 && kind != TEMPLATE_TRANSACTION &&
                   kind != TEMPLATE_SESSION
               ? TEMPLATE_OTHER
               : kind;
}

/* ---- the text ---- */

struct writer {
    const char *sql;
    const struct mask *mask;
    const struct literals *literals;
    const struct literal_role *roles;
};

/* The type in front of a constant, as the mask has it, if what was written ends with it. */
static const char *
take_type(struct arena *arena, const struct writer *writer, size_t index, struct buffer *buffer)
{
    struct mask type = { .text = { .arena = arena } };
    size_t start = writer->roles[index].type_start;
    size_t end = writer->literals->items[index].start;
    size_t length = buffer->length;

    if (start >= end)
        return NULL;
    mask_make(writer->sql + start, end - start, false, &type, arena, NULL);
    while (length > 0 && buffer->data[length - 1] == ' ')
        length--;
    if (type.text.length == 0 || type.text.length > length ||
        memcmp(buffer->data + length - type.text.length, type.text.data, type.text.length) != 0)
        return NULL;
    buffer->length = length - type.text.length;
    return type.text.data;
}

static const char *
write_text(struct arena *arena, const struct writer *writer)
{
    struct buffer buffer = { .arena = arena };
    const struct buffer *mask = &writer->mask->text;
    size_t index = 0;
    size_t number = writer->mask->params;

    buffer_reserve(&buffer, mask->length + 4 * writer->literals->count);
    for (size_t at = 0; at < mask->length;) {
        const char *mark = memchr(mask->data + at, MASK_LITERAL, mask->length - at);
        size_t length = mark ? (size_t)(mark - mask->data) - at : mask->length - at;
        const struct literal_role *role;
        const struct literal *literal;
        const char *type;

        buffer_append(&buffer, mask->data + at, length);
        at += length;
        if (!mark)
            break;
        role = &writer->roles[index];
        literal = &writer->literals->items[index];
        at++;
        if (role->is_kept) {
            buffer_append(&buffer, writer->sql + literal->start, literal->end - literal->start);
            index++;
            continue;
        }
        type = role->is_prefixed ? take_type(arena, writer, index, &buffer) : NULL;
        index++;
        number++;
        if (type)
            buffer_printf(&buffer, "CAST($%zu AS %s)", number, type);
        else
            buffer_printf(&buffer, "$%zu", number);
    }
    return buffer_text(&buffer);
}

static bool
is_sql(struct ctx *ctx, const char *text)
{
    json_t *tree CLEANUP(json_release) = NULL;
    bool done = sql_parse(ctx, text, &tree);

    error_clear(ctx);
    return done;
}

/* A text that can be run: constants for which the grammar takes no parameter stay in it. */
static const char *
runnable_text(struct ctx *ctx, const struct writer *writer, struct literal_role *roles)
{
    const char *text = write_text(ctx->arena, writer);
    size_t count = writer->literals->count;
    struct literal_role *given;

    if (count == 0 || is_sql(ctx, text) || count > MOST_TRIED)
        return text;
    given = arena_memdup(ctx->arena, roles, sizeof(roles[0]) * count);
    for (size_t i = 0; i < count; i++)
        roles[i].is_kept = true;
    for (size_t i = 0; i < count; i++) {
        if (given[i].is_kept)
            continue;
        roles[i].is_kept = false;
        if (!is_sql(ctx, write_text(ctx->arena, writer)))
            roles[i].is_kept = true;
    }
    return write_text(ctx->arena, writer);
}

void
judge_template(struct ctx *ctx, const char *sql, const struct mask *mask,
    const struct literals *literals, struct judgement *ret)
{
    json_t *tree CLEANUP(json_release) = NULL;
    struct walk walk = { .sql = sql, .literals = literals };
    struct writer writer = { .sql = sql, .mask = mask, .literals = literals };

    *ret = (struct judgement){ .kind = TEMPLATE_UNKNOWN, .is_volatile = true };
    walk.roles = ARENA_ARRAY(ctx->arena, struct literal_role, literals->count + 1);
    writer.roles = walk.roles;
    if (!sql || mask->is_open || !sql_parse(ctx, sql, &tree) ||
        !sql_fingerprint(ctx, sql, &ret->fingerprint)) {
        error_clear(ctx);
        ret->fingerprint = NULL;
        ret->text = write_text(ctx->arena, &writer);
        return;
    }
    walk_tree(&walk, json_object_get(tree, "stmts"), 0);
    ret->kind = kind_of_all(&walk, tree);
    ret->is_volatile = walk.is_volatile || ret->kind != TEMPLATE_READ;
    ret->text = ret->kind == TEMPLATE_READ || ret->kind == TEMPLATE_WRITE
                    ? runnable_text(ctx, &writer, walk.roles)
                    : write_text(ctx->arena, &writer);
    for (size_t i = 0; i < literals->count; i++)
        if (walk.roles[i].is_kept)
            VEC_PUSH(ctx->arena, &ret->kept, (uint32_t)i);
}
