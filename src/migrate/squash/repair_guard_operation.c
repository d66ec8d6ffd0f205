/* Operations of Alembic's, made to look first. */
#include <string.h>

#include "db/ident.h"
#include "migrate/squash/repair_guard.h"

/* op.f("ix_users_id") is a name that needs no further convention. */
static const struct py_node *
plain_name(const struct repair_file *file, const struct py_node *node)
{
    const struct py_node *inner =
        node && node->kind == PY_CALL && text_equal(repair_callee(file, node), "f")
            ? repair_argument(file, node, 0, "name")
            : NULL;

    return inner ? inner : node;
}

/* The text of a plain literal, or NULL. */
const char *
guard_literal(const struct repair_file *file, const struct py_node *node)
{
    const char *text;
    size_t length;

    node = plain_name(file, node);
    if (!node || node->kind != PY_STRING)
        return NULL;
    text = repair_text(file, node);
    length = strlen(text);
    if (length < 3 || (*text != '\'' && *text != '"') || strchr(text, '\\') ||
        text_starts_with(text, "'''") || text_starts_with(text, "\"\"\""))
        return NULL;
    return arena_strndup(file->arena, text + 1, length - 2);
}

/* "name": the quotes that the file itself uses. */
static const char *
key(const struct guard *guard, const char *text)
{
    const struct py_node *first = repair_argument(guard->file, guard->call, 0, NULL);
    const char *written = first ? repair_text(guard->file, plain_name(guard->file, first)) : "\"";

    return arena_printf(guard->file->arena, *written == '\'' ? "'%s'" : "\"%s\"", text);
}

static const char *
inspector(const struct guard *guard)
{
    return arena_printf(guard->file->arena, "%s.inspect(%s.get_bind())",
        repair_module(guard->file, "sqlalchemy", "sa"), repair_op(guard->file));
}

/* How an operation says what it is about, and how one asks for it. */
struct operation {
    const char *callee;
    enum fault fault;
    const char *name_keyword;
    const char *table_keyword; /* NULL: the name is the table */
    bool is_table_first;       /* add_column(table, column) */
    const char *asks;          /* method of the inspector */
    const char *schema_keyword;
};

static const struct operation operations[] = {
    { "create_table", FAULT_THERE, "table_name", NULL, false, "has_table", "schema" },
    { "drop_table", FAULT_MISSING, "table_name", NULL, false, "has_table", "schema" },
    { "add_column", FAULT_THERE, "column", "table_name", true, "get_columns", "schema" },
    { "drop_column", FAULT_MISSING, "column_name", "table_name", true, "get_columns", "schema" },
    { "create_index", FAULT_THERE, "index_name", "table_name", false, "get_indexes", "schema" },
    { "drop_index", FAULT_MISSING, "index_name", "table_name", false, "get_indexes", "schema" },
    { "create_unique_constraint", FAULT_THERE, "constraint_name", "table_name", false,
        "get_unique_constraints", "schema" },
    { "create_check_constraint", FAULT_THERE, "constraint_name", "table_name", false,
        "get_check_constraints", "schema" },
    { "create_foreign_key", FAULT_THERE, "constraint_name", "source_table", false,
        "get_foreign_keys", "source_schema" },
};

static const struct operation *
operation_of(const struct guard *guard)
{
    const char *callee = repair_callee(guard->file, guard->call);

    for (size_t i = 0; callee && i < COUNT_OF(operations); i++)
        if (text_equal(operations[i].callee, callee) && operations[i].fault == guard->fault)
            return &operations[i];
    return NULL;
}

static const struct py_node *
table_of(const struct guard *guard, const struct operation *operation)
{
    if (guard->batch)
        return repair_argument(guard->file, guard->batch, 0, "table_name");
    return repair_argument(
        guard->file, guard->call, operation->is_table_first ? 0 : 1, operation->table_keyword);
}

/* The name of what the operation makes or drops; of sa.Column("a", …) its own name. */
static const struct py_node *
subject_of(const struct guard *guard, const struct operation *operation)
{
    const struct repair_file *file = guard->file;
    size_t n = operation->is_table_first && !guard->batch ? 1 : 0;
    const struct py_node *node = repair_argument(file, guard->call, n, operation->name_keyword);

    if (node && node->kind == PY_CALL && text_equal(operation->name_keyword, "column"))
        node = repair_argument(file, node, 0, "name");
    return plain_name(file, node);
}

/* ", schema='app'", or nothing. */
static const char *
schema_of(const struct guard *guard, const struct operation *operation)
{
    const struct py_node *from = guard->batch ? guard->batch : guard->call;
    const struct py_node *schema = repair_argument(
        guard->file, from, SIZE_MAX, guard->batch ? "schema" : operation->schema_keyword);

    if (!schema || schema->kind == PY_NONE)
        return "";
    return arena_printf(guard->file->arena, ", schema=%s", repair_text(guard->file, schema));
}

/* The table is missing, not the part of it that is dropped. */
static bool
is_about_table(const struct guard *guard)
{
    return text_equal(guard->failure->sqlstate, "42P01");
}

/* "if …", for the head of the guard. */
static const char *
condition_of(const struct guard *guard, const struct operation *operation)
{
    struct arena *arena = guard->file->arena;
    const struct py_node *subject = subject_of(guard, operation);
    const struct py_node *table = operation->table_keyword ? table_of(guard, operation) : subject;
    const char *not_there = operation->fault == FAULT_THERE ? "not " : "";

    if (!subject || !table)
        return NULL;
    if (!operation->table_keyword || is_about_table(guard))
        return arena_printf(arena, "if %s%s.has_table(%s%s)", not_there, inspector(guard),
            repair_text(guard->file, table), schema_of(guard, operation));
    return arena_printf(arena, "if %s %sin [x[%s] for x in %s.%s(%s%s)]",
        repair_text(guard->file, subject), not_there, key(guard, "name"), inspector(guard),
        operation->asks, repair_text(guard->file, table), schema_of(guard, operation));
}

/* What the message is about, else the place: lines move with each repair. */
const char *
guard_about(const struct guard *guard)
{
    if (guard->name)
        return guard->name;
    return arena_printf(guard->file->arena, "line %u", guard->statement->line);
}

static const char *
words_of(const struct guard *guard)
{
    return arena_printf(guard->file->arena, "%s %s only where it is %s",
        repair_callee(guard->file, guard->call), guard_about(guard),
        guard->fault == FAULT_THERE ? "not there yet" : "there");
}

/* drop_index and drop_constraint say with one word in SQL what takes a query otherwise. */
bool
guard_drop(struct guard *guard)
{
    struct repair_file *file = guard->file;
    struct arena *arena = file->arena;
    const char *callee = repair_callee(file, guard->call);
    const char *name = guard_literal(file, repair_argument(file, guard->call, 0, NULL));
    const struct operation by_table = { .table_keyword = "table_name" };
    const char *table = guard_literal(file, table_of(guard, &by_table));
    const struct py_node *from = guard->batch ? guard->batch : guard->call;
    const struct py_node *schema_node = repair_argument(file, from, SIZE_MAX, "schema");
    const char *schema = guard_literal(file, schema_node);
    const char *sql;

    if (guard->fault != FAULT_MISSING || !callee || !name || (schema_node && !schema))
        return false;
    if (strcmp(callee, "drop_index") == 0) {
        const struct py_node *concurrently =
            repair_argument(file, guard->call, SIZE_MAX, "postgresql_concurrently");

        sql = arena_printf(arena, "DROP INDEX %sIF EXISTS %s",
            concurrently && concurrently->kind == PY_TRUE ? "CONCURRENTLY " : "",
            schema ? db_qualified(arena, schema, name) : db_ident(arena, name));
    } else if (strcmp(callee, "drop_constraint") == 0 && table) {
        sql = arena_printf(arena, "ALTER TABLE %s%s DROP CONSTRAINT IF EXISTS %s",
            is_about_table(guard) ? "IF EXISTS " : "",
            schema ? db_qualified(arena, schema, table) : db_ident(arena, table),
            db_ident(arena, name));
    } else {
        return false;
    }

    const char *quotes = strchr(sql, '"') ? "'" : "\"";

    if (strchr(sql, '\'') ||
        !repair_replace(file, guard->call->start, guard->call->end,
            arena_printf(arena, "%s.execute(%s%s%s)", repair_op(file), quotes, sql, quotes)))
        return false;
    guard->what = arena_printf(arena, "drop %s with IF EXISTS", guard_about(guard));
    return true;
}

/* <type>.create(bind) and drop(bind) look first with checkfirst=True. */
bool
guard_check_first(struct guard *guard)
{
    struct repair_file *file = guard->file;
    const char *callee = repair_callee(file, guard->call);
    const struct py_node *arguments = py_child(guard->call, PY_FIELD_ARGUMENTS);
    const struct py_node *given = repair_argument(file, guard->call, 1, "checkfirst");
    bool is_good;

    if (!callee || !arguments ||
        !text_equal(callee, guard->fault == FAULT_THERE ? "create" : "drop"))
        return false;
    if (given)
        is_good = given->kind == PY_FALSE && repair_replace(file, given->start, given->end, "True");
    else
        is_good = arguments->first &&
                  repair_replace(file, arguments->end - 1, arguments->end - 1, ", checkfirst=True");
    guard->what =
        arena_printf(file->arena, "%s %s with checkfirst=True", callee, guard_about(guard));
    return is_good;
}

const char *
guard_new_table(const struct guard *guard)
{
    const struct operation *operation = operation_of(guard);

    return operation ? guard_literal(guard->file, subject_of(guard, operation)) : NULL;
}

bool
guard_wrap(struct guard *guard)
{
    const struct operation *operation = operation_of(guard);
    const char *condition = operation ? condition_of(guard, operation) : NULL;

    if (!condition || !repair_wrap(guard->file, guard->statement, condition))
        return false;
    guard->what = words_of(guard);
    return true;
}
