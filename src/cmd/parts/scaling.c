#include "cmd/parts/scaling.h"

#include <math.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "lang/sql.h"
#include "partition/advice.h"
#include "workload/workload.h"

/* A table without the key is copied to every node below this. */
#define SMALL_BYTES INT64_C(104857600)

enum { MOST_KEYLESS = 8 };

static bool
read_load(struct ctx *ctx, struct db *db, struct sql_partition_scaling_load *ret)
{
    struct sql_partition_scaling_load_rows rows;

    if (!sql_partition_scaling_load(ctx, db, &rows))
        return false;
    if (rows.count != 1)
        return error_set(ctx, ERR_FAILED, "the server shows no counters of this database");
    *ret = rows.items[0];
    return true;
}

static bool
watch(struct ctx *ctx, struct db *db, int64_t window_us, struct scaling *ret)
{
    struct sql_partition_scaling_load before;
    double seconds;

    if (!read_load(ctx, db, &before))
        return false;
    if (!clock_sleep_us(window_us))
        return interrupt_error(ctx, interrupt_signal());
    if (!read_load(ctx, db, &ret->load))
        return false;
    seconds = ret->load.now_s - before.now_s;
    if (seconds <= 0)
        return error_set(ctx, ERR_FAILED, "the server's clock was set back meanwhile");
    ret->window_us = (int64_t)(seconds * 1e6);
    ret->transactions_per_s = (double)(ret->load.transactions - before.transactions) / seconds;
    ret->wal_per_s = (ret->load.wal_bytes - before.wal_bytes) / seconds;
    ret->read_per_s = (double)(ret->load.rows_read - before.rows_read) / seconds;
    ret->written_per_s = (double)(ret->load.rows_written - before.rows_written) / seconds;
    return true;
}

static bool
look_at_replica(struct ctx *ctx, const char *url, struct scaling_replica *ret)
{
    const struct db_options options = {
        .url = url, .application = "pgmend/scaling", .access = ACCESS_READ
    };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct sql_partition_scaling_replica_rows rows;

    if (!db_open(ctx, &options, &db))
        return false;
    ret->label = db_label(ctx->arena, db);
    if (!sql_partition_scaling_replica(ctx, db, &rows))
        return false;
    if (rows.count != 1 || !rows.items[0].is_standby)
        return error_set(ctx, ERR_INPUT, "it is no standby");
    ret->facts = rows.items[0];
    return true;
}

static bool
ask_replicas(struct ctx *ctx, const struct text_list *urls, struct scaling *ret)
{
    for (size_t i = 0; i < urls->count; i++) {
        struct scaling_replica replica = { .label =
                                               arena_printf(ctx->arena, "replica %zu", i + 1) };

        if (!look_at_replica(ctx, urls->items[i], &replica)) {
            if (interrupt_signal())
                return false;
            replica.problem = ctx->error.message;
            error_clear(ctx);
        }
        VEC_PUSH(ctx->arena, &ret->replicas, replica);
    }
    return true;
}

/* A SELECT that locks no rows; functions it calls may write all the same, which the text does not show. */
static bool
is_read(struct arena *arena, const char *query)
{
    struct ctx ctx = { .arena = arena };
    json_t *tree CLEANUP(json_release) = NULL;
    const json_t *select;

    if (!sql_parse(&ctx, query, &tree))
        return false;
    select = json_object_get(
        json_object_get(json_array_get(json_object_get(tree, "stmts"), 0), "stmt"), "SelectStmt");
    return select && !json_object_get(select, "lockingClause") &&
           !json_object_get(select, "intoClause");
}

/* Whether it is about a table that would be distributed, and whether it says of which key. */
static struct partition_use
distributed_use(struct arena *arena, const char *query, const struct scaling *scaling)
{
    struct partition_use all = { 0 };

    for (size_t i = 0; i < scaling->tables.count; i++) {
        const struct sql_partition_scaling_tables *table = &scaling->tables.items[i];
        struct partition_use use;

        if (!table->key)
            continue;
        use = partition_use_of(arena, query, table->relname, table->key);
        all.is_of_table |= use.is_of_table;
        all.has_key |= use.is_of_table && use.has_key;
    }
    return all;
}

static void
add_keyless(
    struct arena *arena, struct scaling_statements *statements, const char *query, double ms)
{
    const struct scaling_keyless item = { .query = query, .share = ms };
    size_t at = statements->keyless.count;

    VEC_PUSH(arena, &statements->keyless, item);
    for (; at > 0 && statements->keyless.items[at - 1].share < ms; at--)
        statements->keyless.items[at] = statements->keyless.items[at - 1];
    statements->keyless.items[at] = item;
}

static void
weigh(struct arena *arena, const struct workload *workload, struct scaling *ret)
{
    struct scaling_statements *statements = &ret->statements;
    double all = 0;
    double read = 0;
    double distributed = 0;
    double keyless = 0;

    for (size_t i = 0; i < workload->count; i++) {
        const struct workload_statement *statement = &workload->items[i];
        struct partition_use use;

        if (!statement->query || strstr(statement->query, "pgmend"))
            continue;
        all += statement->total_ms;
        read += is_read(arena, statement->query) ? statement->total_ms : 0;
        use = distributed_use(arena, statement->query, ret);
        distributed += use.is_of_table ? statement->total_ms : 0;
        if (!use.is_of_table || use.has_key)
            continue;
        keyless += statement->total_ms;
        add_keyless(arena, statements, statement->query, statement->total_ms);
    }
    if (statements->keyless.count > MOST_KEYLESS)
        statements->keyless.count = MOST_KEYLESS;
    for (size_t i = 0; i < statements->keyless.count; i++)
        statements->keyless.items[i].share /= distributed;
    statements->read_share = all > 0 ? read / all : NAN;
    statements->keyless_share = distributed > 0 ? keyless / distributed : NAN;
}

static bool
read_statements(struct ctx *ctx, struct db *db, struct scaling *ret)
{
    struct workload workload;

    ret->statements.read_share = NAN;
    ret->statements.keyless_share = NAN;
    if (workload_read(ctx, db, &workload)) {
        weigh(ctx->arena, &workload, ret);
        return true;
    }
    if (ctx->error.kind != ERR_NOT_FOUND && ctx->error.kind != ERR_UNSUPPORTED)
        return false;
    ret->statements.none_reason = ctx->error.message;
    error_clear(ctx);
    return true;
}

/* By the documentation of Citus; it could not be tried. */
static bool
count_shards(struct ctx *ctx, struct db *db, struct scaling *ret)
{
    const char *count;

    ret->citus_shards = -1;
    if (!ret->load.has_citus)
        return true;
    return db_value(ctx, db, "SELECT pg_catalog.count(*) FROM pg_catalog.pg_dist_shard", NULL, 0,
               &count) &&
           (text_to_int64(count, &ret->citus_shards) ||
               error_set(ctx, ERR_FAILED, "the server's count is not a number"));
}

bool
scaling_measure(struct ctx *ctx, struct db *db, int64_t window_us, const char *tenant,
    const struct text_list *replicas, struct scaling *ret)
{
    *ret = (struct scaling){ 0 };
    return watch(ctx, db, window_us, ret) && ask_replicas(ctx, replicas, ret) &&
           sql_partition_scaling_tables(
               ctx, db, &ret->tables, .tenant = tenant, .small_bytes = SMALL_BYTES) &&
           read_statements(ctx, db, ret) && count_shards(ctx, db, ret);
}
