/* What an operation needs: a type, an extension, a transaction that is over. */
#include <string.h>

#include "db/ident.h"
#include "migrate/squash/repair_guard.h"

/* sa.Enum("a", name="mood") anywhere below the node. */
static const struct py_node *
find_enum(const struct repair_file *file, const struct py_node *node, const char *name)
{
    const char *callee = node->kind == PY_CALL ? repair_callee(file, node) : NULL;

    if (callee && (strcmp(callee, "Enum") == 0 || strcmp(callee, "ENUM") == 0)) {
        const char *given = guard_literal(file, repair_argument(file, node, SIZE_MAX, "name"));

        if (given && text_equal(given, name))
            return node;
    }
    for (const struct py_node *child = node->first; child; child = child->next) {
        const struct py_node *found = find_enum(file, child, name);

        if (found)
            return found;
    }
    return NULL;
}

/*
 * A new table whose enum type is there: when the table is there as well the whole statement is
 * left out, else only the type is.
 */
bool
guard_is_only_type(const struct guard *guard)
{
    const char *table = guard_new_table(guard);

    return text_equal(guard->failure->sqlstate, "42710") && guard->name &&
           text_equal(repair_callee(guard->file, guard->call), "create_table") &&
           find_enum(guard->file, guard->statement, guard->name) &&
           !(table && repair_is_made_before(guard->repair, guard->revision, table));
}

/* The type of a new table's column is there: postgresql.ENUM(…, create_type=False). */
bool
guard_enum_there(struct guard *guard)
{
    struct repair_file *file = guard->file;
    const struct py_node *type =
        guard->name ? find_enum(file, guard->statement, guard->name) : NULL;
    const struct py_node *function = type ? py_child(type, PY_FIELD_FUNCTION) : NULL;
    const struct py_node *arguments = type ? py_child(type, PY_FIELD_ARGUMENTS) : NULL;

    if (!text_equal(guard->failure->sqlstate, "42710") || !function || !arguments ||
        repair_argument(file, type, SIZE_MAX, "create_type"))
        return false;
    if (text_equal(repair_callee(file, type), "Enum") &&
        !repair_replace(file, function->start, function->end,
            arena_printf(file->arena, "%s.ENUM",
                repair_module(file, "sqlalchemy.dialects.postgresql", "postgresql"))))
        return false;
    guard->what = arena_printf(file->arena, "use type %s, which is there already", guard->name);
    return repair_replace(file, arguments->end - 1, arguments->end - 1, ", create_type=False");
}

/* add_column() with an enum does not make its type: one call before it does. */
bool
guard_enum_missing(struct guard *guard)
{
    struct repair_file *file = guard->file;
    const struct py_node *type =
        guard->name ? find_enum(file, guard->statement, guard->name) : NULL;

    if (!text_equal(guard->failure->sqlstate, "42704") || !type)
        return false;
    guard->what = arena_printf(file->arena, "make type %s before it is used", guard->name);
    return repair_before(file, guard->statement,
        arena_printf(file->arena, "%s.create(%s.get_bind(), checkfirst=True)",
            repair_text(file, type), repair_op(file)));
}

/* Whether the text of a literal below the node says this. */
static bool
says(const struct repair_file *file, const struct py_node *node, const char *text)
{
    if (node->kind == PY_STRING_CONTENT)
        return strstr(repair_text(file, node), text) != NULL;
    for (const struct py_node *child = node->first; child; child = child->next)
        if (says(file, child, text))
            return true;
    return false;
}

/* The statement that adds a value to an enum: its own transaction must end before its use. */
static const struct py_node *
find_added(const struct guard *guard, const struct py_node *node)
{
    const struct repair_file *file = guard->file;

    if (node->kind == PY_EXPRESSION_STATEMENT && node->line < guard->statement->line &&
        (says(file, node, "ADD VALUE") || says(file, node, "add value")) && guard->name &&
        says(file, node, guard->name))
        return node;
    for (const struct py_node *child = node->first; child; child = child->next) {
        const struct py_node *found = find_added(guard, child);

        if (found)
            return found;
    }
    return NULL;
}

/* with op.get_context().autocommit_block(): as Alembic's documentation has it. */
bool
guard_autocommit(struct guard *guard)
{
    struct repair_file *file = guard->file;
    const struct py_node *statement = text_equal(guard->failure->sqlstate, "55P04")
                                          ? find_added(guard, file->tree.root)
                                          : guard->statement;

    if (!statement)
        return false;
    guard->what =
        arena_printf(file->arena, "put line %u outside of the transaction", statement->line);
    return repair_wrap(file, statement,
        arena_printf(file->arena, "with %s.get_context().autocommit_block()", repair_op(file)));
}

/* Types, functions and operator classes that an extension would have brought. */
static const struct {
    const char *name;
    const char *extension;
} extended[] = {
    { "vector", "vector" },
    { "halfvec", "vector" },
    { "citext", "citext" },
    { "hstore", "hstore" },
    { "ltree", "ltree" },
    { "geometry", "postgis" },
    { "geography", "postgis" },
    { "uuid_generate_v4", "uuid-ossp" },
    { "uuid_generate_v1", "uuid-ossp" },
    { "gen_salt", "pgcrypto" },
    { "crypt", "pgcrypto" },
    { "unaccent", "unaccent" },
    { "gin_trgm_ops", "pg_trgm" },
    { "gist_trgm_ops", "pg_trgm" },
    { "similarity", "pg_trgm" },
};

/* function uuid_generate_v4() does not exist */
static bool
is_about(const struct guard *guard, const char *name)
{
    const char *message = guard->failure->message;

    return text_equal(guard->name, name) ||
           (text_equal(guard->failure->sqlstate, "42883") && message &&
               strstr(message, arena_printf(guard->file->arena, " %s(", name)));
}

bool
guard_extension(struct guard *guard)
{
    struct repair_file *file = guard->file;
    const struct py_node *statement = guard->statement;

    if (!text_equal(guard->failure->sqlstate, "42704") &&
        !text_equal(guard->failure->sqlstate, "42883"))
        return false;
    for (size_t i = 0; i < COUNT_OF(extended); i++) {
        if (!is_about(guard, extended[i].name))
            continue;
        guard->what = arena_printf(
            file->arena, "create extension %s before it is needed", extended[i].extension);
        return repair_before(file, statement,
            arena_printf(file->arena, "%s.execute('CREATE EXTENSION IF NOT EXISTS %s')",
                repair_op(file), db_ident(file->arena, extended[i].extension)));
    }
    return false;
}
