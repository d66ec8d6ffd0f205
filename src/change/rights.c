#include "change/rights.h"

#include "db/ident.h"
#include "db/rights.h"
#include "sql.h"

/* What is written first of all. A run needs the journal, a record of something only its own table. */
static bool
require_journal(struct ctx *ctx, struct db *db, bool is_run)
{
    struct sql_change_journal_rights_rows rows;
    const char *role = db_ident(ctx->arena, db_user(db));

    if (!sql_change_journal_rights(ctx, db, &rows) || rows.count != 1)
        return error_wrap(ctx, "looking whether the journal can be written");

    const struct sql_change_journal_rights *row = &rows.items[0];

    if (!row->has_schema && !row->may_make_schema) {
        error_set(ctx, ERR_RIGHTS, "role %s may not create schema pgmend, which holds the journal",
            db_user(db));
        return error_hint(
            ctx, "GRANT CREATE ON DATABASE %s TO %s;", db_ident(ctx->arena, db_name(db)), role);
    }
    if (!row->has_schema || (!row->has_tables ? row->may_make_tables
                                : is_run      ? row->may_write
                                              : row->may_record))
        return true;
    error_set(ctx, ERR_RIGHTS, "role %s may not write %s in schema pgmend", db_user(db),
        is_run ? "the journal" : "what is recorded");
    return db_hint_own_schema(ctx, db, !row->has_tables);
}

/* A vacuum or a filling may be done by others than the owner, and a record is about no table. */
static bool
needs_owner(const struct plan *plan, const struct change *change)
{
    bool is_to_do =
        change_is_pending(change) || (plan->steps.count > 0 && change->action == ACTION_BLOCKED);

    return is_to_do && change->table_oid && !change_is_of(change, KIND_VACUUM) &&
           !change_is_of(change, KIND_FILL) && !change_is_of(change, KIND_RECORD);
}

static bool
refuse(struct ctx *ctx, struct db *db, const struct change *change,
    const struct sql_change_table_rights *row)
{
    const char *relation = change_relation(ctx->arena, change);
    const char *role = db_ident(ctx->arena, db_user(db));
    const char *owner = db_ident(ctx->arena, row->owner);

    if (row->may_own) {
        error_set(ctx, ERR_RIGHTS, "role %s may not create %s in schema %s", db_user(db),
            change->name, change->schema);
        return error_hint(
            ctx, "GRANT CREATE ON SCHEMA %s TO %s;", db_ident(ctx->arena, change->schema), role);
    }
    error_set(ctx, ERR_RIGHTS, "role %s is not the owner of %s, which %s needs: it belongs to %s",
        db_user(db), relation, change->kind, row->owner);
    if (row->is_superuser)
        return error_hint(ctx,
            "%s is a superuser: run it as %s, or give the table to a role that is none (ALTER TABLE "
            "%s OWNER TO …) and make %s a member of that.",
            row->owner, owner, relation, role);
    return error_hint(ctx, "GRANT %s TO %s;", owner, role);
}

bool
rights_require_record(struct ctx *ctx, struct db *db)
{
    return require_journal(ctx, db, false) || error_state(ctx, "Nothing was changed.");
}

bool
rights_require(struct ctx *ctx, struct db *db, const struct plan *plan)
{
    if (!require_journal(ctx, db, true))
        return error_state(ctx, "Nothing was changed.");
    for (size_t i = 0; i < plan->count; i++) {
        const struct change *change = &plan->items[i];
        struct sql_change_table_rights_rows rows;

        if (!needs_owner(plan, change))
            continue;
        if (!sql_change_table_rights(ctx, db, &rows, .table_oid = change->table_oid)) {
            error_wrap(ctx, "looking at the rights on %s", change_relation(ctx->arena, change));
            return error_state(ctx, "Nothing was changed.");
        }
        /* One that is not there is told by what looks at tables. */
        if (rows.count == 0 || (rows.items[0].may_own &&
                                   (rows.items[0].may_create || !change_is_of(change, KIND_INDEX))))
            continue;
        (void)!refuse(ctx, db, change, &rows.items[0]);
        return error_state(ctx, "Nothing was changed.");
    }
    return true;
}
