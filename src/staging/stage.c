#include "staging/stage.h"

#include "base/clock.h"
#include "db/ident.h"

enum { LONGEST_NAME = 63, NAMED = 5, SESSIONS_LIMIT_US = 10000000, TICK_US = 50000 };

static bool
refuse_foreign(struct ctx *ctx, const char *name)
{
    error_set(ctx, ERR_CONFLICT, "database \"%s\" is not marked as a staging copy of pgmend", name);
    return error_hint(ctx, "It is left alone. \"pgmend staging list\" shows the copies; give "
                           "another name.");
}

/* False in *ret_exists: no database of this name. False without an error in *ret_ours: not ours. */
static bool
look(struct ctx *ctx, struct db *db, const char *name, bool *ret_exists,
    struct sql_staging_copies *ret, bool *ret_ours)
{
    struct sql_staging_copies_rows rows;
    struct sql_staging_copy_target_rows target;

    *ret_ours = false;
    if (!sql_staging_copy_target(ctx, db, &target, .name = name) ||
        !sql_staging_copies(ctx, db, &rows))
        return error_wrap(ctx, "looking for staging copies");
    *ret_exists = target.count > 0;
    for (size_t i = 0; i < rows.count; i++)
        if (text_equal(rows.items[i].name, name)) {
            *ret = rows.items[i];
            *ret_ours = !target.items[0].is_template;
        }
    return true;
}

bool
stage_find(struct ctx *ctx, struct db *db, const char *name, struct sql_staging_copies *ret)
{
    bool exists;
    bool is_ours;

    *ret = (struct sql_staging_copies){ 0 };
    if (!look(ctx, db, name, &exists, ret, &is_ours))
        return false;
    if (is_ours)
        return true;
    if (exists)
        return refuse_foreign(ctx, name);
    error_set(ctx, ERR_NOT_FOUND, "there is no staging copy \"%s\"", name);
    return error_hint(ctx, "\"pgmend staging list\" shows those there are.");
}

bool
stage_check_name(struct ctx *ctx, struct db *db, const char *name, bool is_refresh)
{
    struct sql_staging_copies copy;
    bool exists;
    bool is_ours;

    if (text_is_empty(name) || strlen(name) > LONGEST_NAME) {
        error_set(
            ctx, ERR_USAGE, "a database's name has 1 to %d bytes: \"%s\"", LONGEST_NAME, name);
        return error_hint(ctx, "Give the copy a name: pgmend staging create NAME");
    }
    if (text_starts_with(name, "pgmend_scratch_"))
        return error_set(ctx, ERR_USAGE,
            "names that begin with pgmend_scratch_ are those of databases that may be dropped");
    if (!look(ctx, db, name, &exists, &copy, &is_ours))
        return false;
    if (!exists || (is_ours && is_refresh))
        return true;
    if (!is_ours)
        return refuse_foreign(ctx, name);
    error_set(ctx, ERR_CONFLICT, "there is a staging copy \"%s\" already, %s old", name,
        text_from_us(ctx->arena, copy.age));
    return error_hint(ctx, "\"pgmend staging refresh %s\" makes it new.", name);
}

/* ---- sessions ---- */

static bool
list_sessions(struct ctx *ctx, struct db *db, const char *name, struct buffer *ret, size_t *count)
{
    struct sql_staging_copy_sessions_rows rows;

    if (!sql_staging_copy_sessions(ctx, db, &rows, .name = name))
        return false;
    *count = rows.count;
    for (size_t i = 0; i < rows.count && i < NAMED; i++)
        buffer_printf(ret, "%spid %d (%s, user %s, %s)", i ? ", " : "", (int)rows.items[i].pid,
            rows.items[i].application, rows.items[i].account, rows.items[i].state);
    if (rows.count > NAMED)
        buffer_printf(ret, " and %zu more", rows.count - NAMED);
    return true;
}

static bool
end_sessions(struct ctx *ctx, struct db *db, const char *name)
{
    int64_t start_us = clock_us();

    for (;;) {
        struct buffer list = { .arena = ctx->arena };
        const char *ignored;
        size_t count;

        if (!db_value(ctx, db,
                "SELECT pg_catalog.bool_and(pg_catalog.pg_terminate_backend(a.pid)) FROM "
                "pg_catalog.pg_stat_activity a WHERE a.datname = $1 AND a.pid <> "
                "pg_catalog.pg_backend_pid()",
                &name, 1, &ignored) ||
            !list_sessions(ctx, db, name, &list, &count))
            return error_wrap(ctx, "ending the sessions in database \"%s\"", name);
        if (count == 0)
            return true;
        if (clock_us() - start_us > SESSIONS_LIMIT_US)
            return error_set(ctx, ERR_TIMEOUT, "sessions in database \"%s\" do not end: %s", name,
                buffer_text(&list));
        if (!clock_sleep_us(TICK_US))
            return error_set(ctx, ERR_INTERRUPTED, "interrupted");
    }
}

static bool
clear_sessions(struct ctx *ctx, struct db *db, const char *name, bool ends_sessions)
{
    struct buffer list = { .arena = ctx->arena };
    size_t count;

    if (ends_sessions)
        return end_sessions(ctx, db, name);
    if (!list_sessions(ctx, db, name, &list, &count))
        return false;
    if (count == 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "%zu session%s in database \"%s\": %s", count,
        count == 1 ? " is" : "s are", name, buffer_text(&list));
    return error_hint(ctx, "End them, or let --end-sessions do it.");
}

/* ---- naming ---- */

bool
stage_close(struct ctx *ctx, struct db *admin, const char *database)
{
    return db_exec(ctx, admin,
        arena_printf(ctx->arena, "REVOKE CONNECT ON DATABASE %s FROM PUBLIC",
            db_ident(ctx->arena, database)));
}

/* What copies.sql reads again. */
static const char *
mark_of(struct arena *arena, const struct stage *stage)
{
    return arena_printf(arena, "pgmend staging made at %s from %s, %zu columns masked, of %s on %s",
        clock_text(arena, clock_wall_us()), stage->way, stage->masked, stage->source,
        text_is_empty(stage->cluster) ? "?" : stage->cluster);
}

static bool
rename_all(struct ctx *ctx, struct db *admin, const struct scratch *scratch,
    const struct stage *stage, const char *aside)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct arena *arena = ctx->arena;
    const char *name = db_ident(arena, stage->name);
    const char *made = db_ident(arena, scratch->name);

    if (!db_begin(ctx, admin, NULL, &transaction))
        return false;
    if (aside &&
        !db_exec(ctx, admin, arena_printf(arena, "ALTER DATABASE %s RENAME TO %s", name, aside)))
        return false;
    if (stage->is_public &&
        !db_exec(ctx, admin, arena_printf(arena, "GRANT CONNECT ON DATABASE %s TO PUBLIC", made)))
        return false;
    return db_exec(ctx, admin,
               arena_printf(arena, "COMMENT ON DATABASE %s IS %s", made,
                   db_literal(arena, mark_of(arena, stage)))) &&
           db_exec(ctx, admin, arena_printf(arena, "ALTER DATABASE %s RENAME TO %s", made, name)) &&
           db_commit(ctx, &transaction);
}

bool
stage_name(struct ctx *ctx, struct scratch *scratch, const struct stage *stage)
{
    struct scratch old CLEANUP(scratch_drop) = { .admin = scratch->admin };
    const char *aside = NULL;
    struct sql_staging_copies copy;
    bool exists = false;
    bool is_ours = false;

    if (!stage_check_name(ctx, scratch->admin, stage->name, stage->is_refresh) ||
        !look(ctx, scratch->admin, stage->name, &exists, &copy, &is_ours))
        return false;
    if (exists && (!clear_sessions(ctx, scratch->admin, stage->name, stage->ends_sessions) ||
                      !scratch_name_free(ctx, scratch->admin, &aside)))
        return false;
    if (!rename_all(ctx, scratch->admin, scratch, stage, aside))
        return error_wrap(ctx, "giving the copy its name \"%s\"", stage->name);
    scratch->name = NULL;
    old.name = aside;
    return true;
}

bool
stage_drop(struct ctx *ctx, struct db *db, const char *name, bool ends_sessions)
{
    struct sql_staging_copies copy;

    if (!stage_find(ctx, db, name, &copy) || !clear_sessions(ctx, db, name, ends_sessions))
        return false;
    if (!db_exec(ctx, db, arena_printf(ctx->arena, "DROP DATABASE %s", db_ident(ctx->arena, name))))
        return error_wrap(ctx, "dropping the staging copy");
    return true;
}
