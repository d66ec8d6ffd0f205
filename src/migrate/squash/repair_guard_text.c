/* SQL that a file holds as text. */
#include <string.h>

#include "migrate/squash/repair_guard.h"

/* SQL in a literal: of the statement, or of a constant that it uses. */
static bool
edit_sql_below(struct guard *guard, const struct py_node *node)
{
    size_t at;
    const char *insert;

    if (node->kind == PY_STRING_CONTENT) {
        if (!repair_sql(guard->file->text + node->start, node->end - node->start,
                guard->fault == FAULT_THERE, guard->name, &at, &insert))
            return false;
        guard->what =
            arena_printf(guard->file->arena, "add %s for %s", insert + 1, guard_about(guard));
        return repair_replace(guard->file, node->start + at, node->start + at, insert);
    }
    for (const struct py_node *child = node->first; child; child = child->next)
        if (edit_sql_below(guard, child))
            return true;
    return false;
}

static bool
has_text(const struct py_node *node)
{
    bool found = node->kind == PY_STRING;

    for (const struct py_node *child = node->first; child && !found; child = child->next)
        found = has_text(child);
    return found;
}

/* The text is in a constant or a variable: anywhere but on the way back. */
static bool
edit_sql_elsewhere(struct guard *guard)
{
    const struct repair_file *file = guard->file;

    for (const struct py_node *node = file->tree.root->first; node; node = node->next) {
        const struct py_node *name =
            node->kind == PY_FUNCTION ? py_child(node, PY_FIELD_NAME) : NULL;

        if (!(name && py_is(&file->tree, name, "downgrade")) && edit_sql_below(guard, node))
            return true;
    }
    return false;
}

static const char *
query_below(const struct guard *guard, const struct py_node *node)
{
    if (node->kind == PY_STRING_CONTENT)
        return repair_sql_query(guard->file->arena, guard->file->text + node->start,
            node->end - node->start, guard->name);
    for (const struct py_node *child = node->first; child; child = child->next) {
        const char *query = query_below(guard, child);

        if (query)
            return query;
    }
    return NULL;
}

bool
guard_sql(struct guard *guard)
{
    struct repair_file *file = guard->file;
    const char *query;

    if (edit_sql_below(guard, guard->statement))
        return true;
    query = guard->fault == FAULT_THERE ? query_below(guard, guard->statement) : NULL;
    if (query) {
        guard->what =
            arena_printf(file->arena, "make %s only where it is not there yet", guard_about(guard));
        return repair_wrap(file, guard->statement,
            arena_printf(file->arena, "if not %s.get_bind().execute(%s.text(\"%s\")).first()",
                repair_op(file), repair_module(file, "sqlalchemy", "sa"), query));
    }
    return guard->name && !has_text(guard->statement) && edit_sql_elsewhere(guard);
}

/* op.execute(text, {…}) takes no parameters; the connection does. */
bool
guard_parameters(struct guard *guard)
{
    struct repair_file *file = guard->file;
    const struct py_node *function = py_child(guard->call, PY_FIELD_FUNCTION);
    const struct py_node *text = repair_argument(file, guard->call, 0, NULL);

    if (!text_equal(repair_callee(file, guard->call), "execute") || !function || !text ||
        !text_equal(
            repair_text(file, function), arena_printf(file->arena, "%s.execute", repair_op(file))))
        return false;
    if (text->kind == PY_STRING &&
        (!repair_replace(file, text->start, text->start,
             arena_printf(file->arena, "%s.text(", repair_module(file, "sqlalchemy", "sa"))) ||
            !repair_replace(file, text->end, text->end, ")")))
        return false;
    guard->what = "give parameters to the connection, because op.execute() takes none";
    return repair_replace(file, function->start, function->end,
        arena_printf(file->arena, "%s.get_bind().execute", repair_op(file)));
}
