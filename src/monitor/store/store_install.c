#include "change/journal.h"
#include "db/ident.h"
#include "monitor/store/store_part.h"
#include "sql.h"

static const char VIEW[] = "pg_stat_statements_snapshot";

static bool
create_tables(struct ctx *ctx, struct db *db)
{
    return sql_change_create_schema(ctx, db) && sql_monitor_create_store_server(ctx, db) &&
           sql_monitor_create_store_progress(ctx, db) && sql_monitor_create_store_series(ctx, db) &&
           sql_monitor_create_store_sample(ctx, db) &&
           sql_monitor_create_store_sample_minute(ctx, db) &&
           sql_monitor_create_store_sample_hour(ctx, db) &&
           sql_monitor_create_store_statement(ctx, db) &&
           sql_monitor_create_store_statement_text(ctx, db) &&
           sql_monitor_create_store_statement_sample(ctx, db) &&
           sql_monitor_create_store_statement_minute(ctx, db) &&
           sql_monitor_create_store_statement_hour(ctx, db) &&
           sql_monitor_create_store_session_sample(ctx, db) &&
           sql_monitor_create_store_relation(ctx, db) &&
           sql_monitor_create_store_relation_sample(ctx, db) &&
           sql_monitor_create_store_relation_history(ctx, db) &&
           sql_monitor_create_store_history(ctx, db) &&
           sql_monitor_create_store_metric_history(ctx, db);
}

static bool
create_view(struct ctx *ctx, struct db *db, const char *schema)
{
    return db_exec(ctx, db,
        arena_printf(ctx->arena,
            "CREATE OR REPLACE VIEW %s AS SELECT * FROM pgmend.statement_history",
            db_qualified(ctx->arena, schema, VIEW)));
}

const char *
store_partition_sql(struct arena *arena, const struct sql_monitor_store_partitions *partition)
{
    const char *name = db_qualified(arena, "pgmend", partition->name);

    if (partition->is_expired)
        return arena_printf(arena, "DROP TABLE IF EXISTS %s", name);
    return arena_printf(arena,
        "CREATE TABLE IF NOT EXISTS %s PARTITION OF %s FOR VALUES FROM (%s) TO (%s)", name,
        db_qualified(arena, "pgmend", partition->parent), db_literal(arena, partition->lower),
        db_literal(arena, partition->upper));
}

static bool
create_partitions(struct ctx *ctx, struct db *db, const struct store_options *options)
{
    struct sql_monitor_store_partitions_rows rows;

    if (!sql_monitor_store_partitions(ctx, db, &rows, .keep_raw_us = options->keep_raw_us,
            .keep_minutes_us = options->keep_minutes_us, .keep_hours_us = options->keep_hours_us))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        if (!rows.items[i].is_expired &&
            !db_exec(ctx, db, store_partition_sql(ctx->arena, &rows.items[i])))
            return false;
    return true;
}

/* What a role has to be given, by what was being done. */
static bool
hint_at_rights(struct ctx *ctx, struct db *db, const char *what)
{
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx, "GRANT %s TO %s;", what, db_ident(ctx->arena, db_user(db)));
    return false;
}

static bool
look(struct ctx *ctx, struct db *db, const char *schema, struct sql_monitor_store_state *ret)
{
    struct sql_monitor_store_state_rows rows;

    *ret = (struct sql_monitor_store_state){ 0 };
    if (!sql_monitor_store_state(ctx, db, &rows, .view_schema = schema))
        return false;
    if (rows.count == 1)
        *ret = rows.items[0];
    return true;
}

/* Nobody shall become a superuser to watch. */
static bool
hint_at_owner(struct ctx *ctx, struct db *db, const char *owner)
{
    const struct error error = ctx->error;
    const char *is_superuser = NULL;
    bool is_known =
        db_value(ctx, db, "SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = $1",
            (const char *const[]){ owner }, 1, &is_superuser);

    ctx->error = error;
    if (is_known && text_equal(is_superuser, "f"))
        return error_hint(
            ctx, "GRANT %s TO %s;", db_ident(ctx->arena, owner), db_ident(ctx->arena, db_user(db)));
    return error_hint(ctx,
        "Connect as %s (--store-url), or remove them as that role (pgmend uninstall) and begin "
        "anew as %s.",
        owner, db_user(db));
}

/* What stands in the way and no right would help. */
static bool
check(
    struct ctx *ctx, struct db *db, const char *schema, const struct sql_monitor_store_state *state)
{
    if (!state->has_view_schema && !text_equal(schema, "pgmend")) {
        error_set(ctx, ERR_NOT_FOUND, "there is no schema %s for view %s",
            db_ident(ctx->arena, schema), VIEW);
        return error_hint(ctx, "Create it, or choose another by --schema SCHEMA.");
    }
    if (state->view_owner && !state->is_our_view) {
        error_set(ctx, ERR_CONFLICT, "%s is there already, and not pgmend's",
            db_qualified(ctx->arena, schema, VIEW));
        return error_hint(ctx, "Choose another schema for the view by --schema SCHEMA.");
    }
    if (state->owner) {
        error_set(ctx, ERR_RIGHTS, "the tables of the store belong to role %s",
            db_ident(ctx->arena, state->owner));
        return hint_at_owner(ctx, db, state->owner);
    }
    return true;
}

static bool
create_missing(struct ctx *ctx, struct db *db, const struct store_options *options,
    const struct sql_monitor_store_state *state)
{
    struct sql_change_schema_exists_rows rows;
    const char *schema = options->view_schema;

    if (!sql_change_schema_exists(ctx, db, &rows))
        return false;

    bool has_schema = rows.count == 1 && rows.items[0].has_schema;

    if (state->missing && !create_tables(ctx, db))
        return hint_at_rights(ctx, db,
            has_schema ? "USAGE, CREATE ON SCHEMA pgmend"
                       : arena_printf(ctx->arena, "CREATE ON DATABASE %s",
                             db_ident(ctx->arena, db_name(db))));
    if (!state->is_our_view && !create_view(ctx, db, schema))
        return hint_at_rights(ctx, db,
            arena_printf(ctx->arena, "USAGE, CREATE ON SCHEMA %s", db_ident(ctx->arena, schema)));
    if (!create_partitions(ctx, db, options))
        return hint_at_rights(ctx, db, "USAGE, CREATE ON SCHEMA pgmend");
    return true;
}

bool
store_install(struct ctx *ctx, struct db *db, const struct store_options *options)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_monitor_store_lock_rows lock;
    struct sql_monitor_store_state state;

    if (db_require_writable(ctx, db) && journal_check_format(ctx, db) &&
        db_begin(ctx, db, NULL, &transaction) && sql_monitor_store_lock(ctx, db, &lock) &&
        look(ctx, db, options->view_schema, &state) &&
        check(ctx, db, options->view_schema, &state) && create_missing(ctx, db, options, &state) &&
        db_commit(ctx, &transaction))
        return true;
    error_wrap(ctx, "preparing the store in database %s", db_ident(ctx->arena, db_name(db)));
    return error_state(ctx, "Nothing was made in the store.");
}
