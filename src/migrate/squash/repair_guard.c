/* A statement that fails on an empty database, made to look first. */
#include "migrate/squash/repair_guard.h"

#include <string.h>

static enum fault
fault_of(const struct repair_failure *failure)
{
    static const char *const there[] = { "42P07", "42701", "42710", "42P06", "42723" };
    static const char *const missing[] = { "42P01", "42703", "42704", "3F000", "42883" };

    for (size_t i = 0; i < COUNT_OF(there); i++)
        if (text_equal(failure->sqlstate, there[i]))
            return FAULT_THERE;
    for (size_t i = 0; i < COUNT_OF(missing); i++)
        if (text_equal(failure->sqlstate, missing[i]))
            return FAULT_MISSING;
    if (text_equal(failure->sqlstate, "25001") || text_equal(failure->sqlstate, "55P04"))
        return FAULT_TRANSACTION;
    if (failure->message && (strstr(failure->message, "bind parameter") ||
                                strstr(failure->message, "positional arguments but")))
        return FAULT_PARAMETERS;
    return FAULT_OTHER;
}

/* relation "app.users" already exists → users */
static const char *
name_in(struct arena *arena, const char *message)
{
    const char *start = message ? strchr(message, '"') : NULL;
    const char *end = start ? strchr(start + 1, '"') : NULL;
    const char *name;

    if (!end)
        return NULL;
    name = arena_strndup(arena, start + 1, (size_t)(end - start - 1));
    return strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
}

static bool
try_all(struct guard *guard)
{
    if (guard->fault == FAULT_TRANSACTION)
        return guard_autocommit(guard);
    if (guard->fault == FAULT_PARAMETERS)
        return guard_parameters(guard);
    if (guard->fault == FAULT_OTHER)
        return false;
    if (guard->fault == FAULT_THERE && guard_is_only_type(guard))
        return guard_enum_there(guard);
    if (guard_check_first(guard) || guard_drop(guard) || guard_wrap(guard))
        return true;
    if (!guard->failure->is_expected && (guard_enum_missing(guard) || guard_extension(guard)))
        return true;
    return guard_sql(guard);
}

/* ---- which statement ---- */

static const struct py_node *
call_of(const struct py_node *statement)
{
    const struct py_node *node =
        statement->kind == PY_EXPRESSION_STATEMENT ? statement->first : NULL;

    if (node && node->kind == PY_ASSIGNMENT)
        node = py_child(node, PY_FIELD_RIGHT);
    return node && node->kind == PY_CALL ? node : NULL;
}

/* with op.batch_alter_table("t") as batch: its call, or NULL. */
static const struct py_node *
batch_of(const struct repair_file *file, const struct py_node *node)
{
    if (node->kind == PY_CALL && text_equal(repair_callee(file, node), "batch_alter_table"))
        return node;
    if (node->kind == PY_BLOCK)
        return NULL;
    for (const struct py_node *child = node->first; child; child = child->next) {
        const struct py_node *found = batch_of(file, child);

        if (found)
            return found;
    }
    return NULL;
}

/* Whether the literals of the call are in the statement that failed. */
static bool
fits_sql(const struct guard *guard, const struct py_node *call)
{
    const struct repair_file *file = guard->file;
    const char *callee = repair_callee(file, call);
    const char *name = guard_literal(file, repair_argument(file, call, 0, NULL));
    const struct py_node *column =
        callee && text_equal(callee, "add_column") ? repair_argument(file, call, 0, NULL) : NULL;

    if (column && column->kind == PY_CALL)
        name = guard_literal(file, repair_argument(file, column, 0, NULL));
    if (!callee || !guard->failure->sql)
        return false;
    if (name)
        return strstr(guard->failure->sql, name) != NULL;
    return false;
}

/* The operation below the node whose statement it was. */
static bool
find_by_sql(struct guard *guard, const struct py_node *node, const struct py_node *batch)
{
    const struct py_node *call = call_of(node);

    if (node->kind == PY_WITH && batch_of(guard->file, node))
        batch = batch_of(guard->file, node);
    if (call && fits_sql(guard, call)) {
        guard->statement = node;
        guard->call = call;
        guard->batch = batch;
        return true;
    }
    for (const struct py_node *child = node->first; child; child = child->next)
        if (find_by_sql(guard, child, batch))
            return true;
    return false;
}

/* Below every try of the file: there the statement is whose failure was caught. */
static bool
find_in_tries(struct guard *guard, const struct py_node *node)
{
    if (node->kind == PY_TRY && find_by_sql(guard, py_child(node, PY_FIELD_BODY), NULL))
        return true;
    for (const struct py_node *child = node->first; child; child = child->next)
        if (find_in_tries(guard, child))
            return true;
    return false;
}

static bool
find_statement(struct guard *guard)
{
    const struct py_node *statement;

    if (guard->failure->was_caught)
        return find_in_tries(guard, guard->file->tree.root);
    statement = repair_statement(guard->file, guard->failure->place.line);
    if (!statement)
        return false;
    if (statement->kind == PY_WITH)
        return find_by_sql(guard, statement, NULL);
    guard->statement = statement;
    guard->call = call_of(statement);
    return true;
}

static const char *
why_not(const struct guard *guard)
{
    const struct repair_failure *failure = guard->failure;
    struct arena *arena = guard->repair->ctx->arena;
    const char *where = arena_printf(
        arena, "%s:%u", repair_name(guard->repair, guard->file->path), failure->place.line);

    if (text_equal(failure->sqlstate, "42703"))
        return arena_printf(arena,
            "%s: %s, and no revision says what the column should be: add it in a revision before, "
            "or start from a dump of a database that has it (--baseline)",
            where, failure->message);
    if (guard->fault == FAULT_MISSING)
        return arena_printf(arena,
            "%s: %s, and no revision makes it: write the revision that is missing, or start from a "
            "dump of a database that has it (--baseline)",
            where, failure->message);
    return arena_printf(arena, "%s: %s%s%s: this cannot be mended without knowing what was meant",
        where, failure->message ? failure->message : "it failed",
        *failure->sqlstate ? ", SQLSTATE " : "", failure->sqlstate);
}

bool
repair_guard(struct repair *repair, struct repair_file *file, const struct revision *revision,
    const struct repair_failure *failure, struct repair_step *ret)
{
    struct guard guard = {
        .repair = repair,
        .file = file,
        .revision = revision,
        .failure = failure,
        .name = name_in(file->arena, failure->message),
        .fault = fault_of(failure),
    };
    size_t before = file->edits.count;

    *ret = (struct repair_step){ 0 };
    if (find_statement(&guard) && guard.call && try_all(&guard)) {
        const char *sqlstate =
            *failure->sqlstate ? arena_printf(repair->ctx->arena, " (%s)", failure->sqlstate) : "";

        ret->is_done = true;
        repair_note(
            repair, file->path, arena_printf(repair->ctx->arena, "%s%s", guard.what, sqlstate));
        return true;
    }
    file->edits.count = before;
    if (guard.fault == FAULT_MISSING && guard.name && !failure->is_expected &&
        !repair_order(repair, revision, guard.name, ret))
        return false;
    if (!ret->is_done && !ret->cannot)
        ret->cannot = why_not(&guard);
    return true;
}

static const char *
evidence_of(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->evidence.count; i++)
        if (text_equal(finding->evidence.items[i].name, name))
            return finding->evidence.items[i].value;
    return NULL;
}

static bool
is_edited(const struct repair_file *file, uint32_t line)
{
    const struct py_node *statement = repair_statement(file, line);

    for (size_t i = 0; statement && i < file->edits.count; i++)
        if (file->edits.items[i].start >= statement->start &&
            file->edits.items[i].start <= statement->end)
            return true;
    return !statement;
}

bool
repair_guard_alike(struct repair *repair, struct repair_file *file, const struct revision *revision,
    const struct repair_failure *first)
{
    for (size_t i = 0; i < repair->now.findings.count; i++) {
        const struct finding *finding = &repair->now.findings.items[i];
        struct repair_failure failure = {
            .place = finding->place,
            .sqlstate = evidence_of(finding, "sqlstate"),
            .message = evidence_of(finding, "message"),
            .is_expected = true,
        };
        struct repair_step step;
        bool is_guarded = fault_of(first) == FAULT_THERE || fault_of(first) == FAULT_MISSING;

        if (!is_guarded || !failure.sqlstate || finding->severity != SEVERITY_ERROR ||
            !text_equal(finding->place.file, revision->file) ||
            fault_of(&failure) != fault_of(first) || is_edited(file, finding->place.line) ||
            repair_statement(file, finding->place.line) ==
                repair_statement(file, first->place.line))
            continue;
        if (!repair_guard(repair, file, revision, &failure, &step))
            return false;
    }
    return true;
}
