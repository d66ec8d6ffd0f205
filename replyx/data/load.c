#include "data/load.h"

#include "base/clock.h"
#include "data/check.h"
#include "data/show.h"
#include "db/copy.h"
#include "db/ident.h"
#include "sql/sql.h"

/* Bytes on their way into a COPY. */
struct copy_sink {
    struct sink sink; /* first, so that one can be taken for the other */
    struct db *db;
    struct show *show;
    const struct table *table;
    int64_t bytes;
};

static bool
put_copy(struct ctx *ctx, struct sink *sink, const void *data, size_t length)
{
    struct copy_sink *copy = (struct copy_sink *)sink;

    copy->bytes += (int64_t)length;
    show_table(copy->show, copy->table, copy->bytes);
    return db_copy_put(ctx, copy->db, data, length);
}

static bool
copy_table(struct ctx *ctx, const struct world *world, struct copy_sink *sink, struct loaded *ret)
{
    const struct table *table = sink->table;
    int64_t start_us = clock_us();

    *ret = (struct loaded){ .table = table->name };
    if (!db_copy_begin(ctx, sink->db, table_copy_sql(ctx->arena, table)) ||
        !table_write(ctx, world, table, &sink->sink, &ret->bytes) ||
        !db_copy_end(ctx, sink->db, &ret->rows))
        return error_wrap(ctx, "table \"%s\"", table->name);
    if (ret->rows != table->count(world))
        return error_set(ctx, ERR_VERIFICATION, "the server took %lld rows of table \"%s\", not %u",
            (long long)ret->rows, table->name, table->count(world));
    ret->seconds = (double)(clock_us() - start_us) / 1e6;
    return true;
}

static bool
copy_tables(struct ctx *ctx, struct db *db, const struct world *world,
    const struct loading *loading, struct show *show, struct loaded *ret)
{
    for (size_t i = 0; i < loading->table_count; i++) {
        struct copy_sink sink = {
            .sink.put = put_copy,
            .db = db,
            .show = show,
            .table = loading->tables[i],
        };

        if (!copy_table(ctx, world, &sink, &ret[i]))
            return false;
        show_next(show, world, loading->tables[i]);
    }
    return true;
}

/* Foreign keys are checked by triggers, which are silent in a session that replays a replica. */
static bool
switch_triggers_off(struct ctx *ctx, struct db *db)
{
    if (db_exec(ctx, db, "SET LOCAL session_replication_role = replica"))
        return true;
    error_wrap(ctx, "switching off foreign key triggers for --fast");
    return error_hint(ctx, "Connect as a superuser, or leave out --fast.");
}

static bool
set_sequences(
    struct ctx *ctx, struct db *db, const struct loading *loading, const struct loaded *loaded)
{
    for (size_t i = 0; i < loading->table_count; i++) {
        const char *name = db_qualified(ctx->arena, "public", loading->tables[i]->name);
        struct sql_replyx_set_sequence_rows ignored;

        if (!sql_replyx_set_sequence(ctx, db, &ignored, .relation = name, .last = loaded[i].rows))
            return error_wrap(ctx, "table \"%s\"", loading->tables[i]->name);
    }
    return true;
}

/* Sequences come last: they alone would not go back with the transaction. */
static bool
fill(struct ctx *ctx, struct db *db, const struct world *world, const struct loading *loading,
    struct show *show, struct loaded *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    if (!db_begin(ctx, db, NULL, &transaction) || !check_empty(ctx, db, loading))
        return false;
    if (loading->is_fast && !switch_triggers_off(ctx, db))
        return false;
    if (!copy_tables(ctx, db, world, loading, show, ret))
        return false;
    show_phase(show, loading->is_fast ? "checking foreign keys" : "committing");
    if (loading->is_fast && !check_foreign_keys(ctx, db, loading))
        return false;
    return set_sequences(ctx, db, loading, ret) && db_commit(ctx, &transaction);
}

static bool
analyze(struct ctx *ctx, struct db *db, const struct loading *loading, struct show *show)
{
    const char *verb = loading->vacuums ? "VACUUM (ANALYZE)" : "ANALYZE";

    for (size_t i = 0; i < loading->table_count; i++) {
        const char *name = db_qualified(ctx->arena, "public", loading->tables[i]->name);

        show_phase(show, loading->vacuums ? "vacuuming" : "analyzing");
        if (!db_exec(ctx, db, arena_printf(ctx->arena, "%s %s", verb, name))) {
            error_wrap(ctx, "table \"%s\"", loading->tables[i]->name);
            error_state(ctx, "All rows are there; only the statistics are not up to date.");
            return error_hint(ctx, "Run ANALYZE in this database.");
        }
    }
    return true;
}

bool
load_database(struct ctx *ctx, struct db *db, const struct world *world,
    const struct loading *loading, struct loaded *ret)
{
    struct show show CLEANUP(show_end) = { 0 };

    show_begin(&show, world, loading);
    if (!check_columns(ctx, db, loading))
        return false;
    if (!fill(ctx, db, world, loading, &show, ret)) {
        if (ctx->error.state == NULL)
            error_state(ctx, "The transaction was rolled back: the tables are as they were.");
        return false;
    }
    return analyze(ctx, db, loading, &show);
}
