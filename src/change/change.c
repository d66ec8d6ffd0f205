#include "change/change.h"

#include "db/ident.h"

#define ACTION_ROW(action, word) [action] = (word),
static const char *const actions[] = { CHANGE_ACTIONS(ACTION_ROW) };
#undef ACTION_ROW

_Static_assert(COUNT_OF(actions) == ACTION_COUNT, "a row for each action");

const struct field change_fields[] = {
    FIELD(struct change, kind),
    FIELD(struct change, schema),
    FIELD(struct change, table),
    FIELD(struct change, table_oid),
    FIELD(struct change, name),
    FIELD(struct change, statement),
    FIELD(struct change, undo),
    FIELD(struct change, wording),
    FIELD(struct change, definition),
    FIELD(struct change, access_method),
    FIELD(struct change, is_unique),
    FIELD(struct change, lock),
    FIELD(struct change, blocks),
    FIELD(struct change, reason),
    FIELD(struct change, source),
    FIELD(struct change, table_rows),
    FIELD(struct change, table_bytes),
    FIELD(struct change, bytes),
    FIELD(struct change, wal_bytes),
    FIELD(struct change, us),
    FIELD(struct change, duplicates),
    FIELD(struct change, tablespace_path),
    FIELD(struct change, problem),
    FIELD(struct change, remedy),
    FIELD(struct change, needs_consent),
    FIELD(struct change, column),
    FIELD(struct change, type),
    FIELD(struct change, storage),
    FIELD(struct change, expression),
    FIELD(struct change, key),
    FIELD(struct change, arguments),
    FIELD(struct change, settings),
    FIELD(struct change, role),
};
const size_t change_field_count = COUNT_OF(change_fields);

const char *
change_action_name(enum change_action action)
{
    return actions[action];
}

/* "work_mem", "work_mem of role app", "autovacuum_vacuum_scale_factor of public.t". */
static const char *
setting_object(struct arena *arena, const struct change *change)
{
    if (change->table)
        return arena_printf(arena, "%s of %s", change->name, change_relation(arena, change));
    if (change->role)
        return arena_printf(arena, "%s of role %s", change->name, db_ident(arena, change->role));
    return change->name;
}

const char *
change_object(struct arena *arena, const struct change *change)
{
    if (change_is_of(change, KIND_COLUMN) || change_is_of(change, KIND_FILL))
        return arena_printf(
            arena, "%s.%s", change_relation(arena, change), db_ident(arena, change->name));
    if (change_is_of(change, KIND_TRIGGER))
        return arena_printf(
            arena, "%s ON %s", db_ident(arena, change->name), change_relation(arena, change));
    if (change_is_of(change, KIND_FUNCTION))
        return arena_printf(
            arena, "%s(%s)", db_qualified(arena, change->schema, change->name), change->arguments);
    if (change_is_of(change, KIND_VACUUM))
        return change_relation(arena, change);
    if (change_is_of(change, KIND_RECORD))
        return change->name;
    if (change_is_of(change, KIND_SETTING))
        return setting_object(arena, change);
    return db_qualified(arena, change->schema, change->name);
}

const char *
change_relation(struct arena *arena, const struct change *change)
{
    return change->table ? db_qualified(arena, change->schema, change->table) : NULL;
}

bool
change_is_index(const struct change *change, bool is_unique, const char *definition)
{
    return is_unique == change->is_unique &&
           (text_equal(definition, change->definition) || text_equal(definition, change->wording));
}

bool
change_is_pending(const struct change *change)
{
    return change->action == ACTION_CREATE || change->action == ACTION_REPAIR;
}

bool
change_is_of(const struct change *change, const char *kind)
{
    return text_equal(change->kind, kind);
}
