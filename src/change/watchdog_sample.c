#include "change/watchdog_sample.h"

#include "base/clock.h"
#include "db/ident.h"
#include "sql.h"

/*
 * A mean of fewer calls is noise, and so is a small part of a millisecond: while an index is built,
 * the processors are busy and statements of microseconds take some more of them.
 */
enum { LEAST_CALLS_BEFORE = 20, LEAST_CALLS = 5, LEAST_CALLS_TOGETHER = 20, LEAST_ENDED = 20 };
static const double least_extra_ms = .5;

/*
 * Without news a replica reports every 10 s only (wal_receiver_status_interval): of a server that writes little the
 * measured lag is up to that, although everything was replayed at once.
 */
enum { REPORT_US = 10000000, LEAST_BEHIND_BYTES = 1024 * 1024 };

/* What cannot be asked is not bad; only without a session there is nothing to go on with. */
static bool
goes_on(struct ctx *ctx, struct db *db)
{
    if (!db_is_connected(db) || ctx->error.kind == ERR_INTERRUPTED ||
        ctx->error.kind == ERR_TERMINATED)
        return false;
    error_clear(ctx);
    return true;
}

/* ---- statements ---- */

static int
compare_statements(const void *a, const void *b)
{
    const struct watchdog_statement *left = a;
    const struct watchdog_statement *right = b;

    if (left->query_id != right->query_id)
        return left->query_id < right->query_id ? -1 : 1;
    if (left->user_id != right->user_id)
        return left->user_id < right->user_id ? -1 : 1;
    return (int)left->is_top_level - (int)right->is_top_level;
}

static bool
find_path(struct ctx *ctx, struct db *db, struct watchdog_memory *memory)
{
    struct sql_workload_extension_rows found;

    if (!sql_workload_extension(ctx, db, &found))
        return false;
    memory->has_statements = found.count == 1 && found.items[0].is_loaded && !found.items[0].is_old;
    if (memory->has_statements)
        memory->path = arena_printf(
            ctx->arena, "pg_catalog, %s, pg_temp", db_ident(ctx->arena, found.items[0].schema));
    return true;
}

static bool
read_counters(struct ctx *ctx, struct db *db, const struct watchdog_memory *memory, bool with_texts,
    struct sql_workload_counters_rows *ret)
{
    const char *usual = NULL;
    bool is_good;

    if (!db_value(ctx, db, "SELECT pg_catalog.current_setting('search_path')", NULL, 0, &usual) ||
        !db_set(ctx, db, "search_path", memory->path))
        return false;
    is_good = sql_workload_counters(ctx, db, ret, .with_texts = with_texts);

    struct error why = ctx->error;
    bool is_put_back = db_set(ctx, db, "search_path", usual);

    if (!is_good)
        ctx->error = why;
    return is_good && is_put_back;
}

static struct watchdog_statement
statement_of(const struct sql_workload_counters *row)
{
    return (struct watchdog_statement){
        .user_id = row->user_id,
        .query_id = row->query_id,
        .is_top_level = row->is_top_level,
        .usual_ms = row->total_ms / (double)row->calls,
        .calls = row->calls,
        .total_ms = row->total_ms,
    };
}

static bool
remember_statements(struct ctx *ctx, struct db *db, struct watchdog_memory *memory)
{
    struct sql_workload_counters_rows rows;

    if (!find_path(ctx, db, memory))
        return false;
    if (!memory->has_statements)
        return true;
    memory->has_statements = false;
    if (!read_counters(ctx, db, memory, true, &rows))
        return false;
    memory->has_statements = true;
    memory->statements = ARENA_ARRAY(ctx->arena, struct watchdog_statement, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++)
        if (!rows.items[i].is_own && rows.items[i].calls >= LEAST_CALLS_BEFORE)
            memory->statements[memory->statement_count++] = statement_of(&rows.items[i]);
    if (memory->statement_count > 1)
        qsort(memory->statements, memory->statement_count, sizeof(memory->statements[0]),
            compare_statements);
    return true;
}

/* The mean of the calls since the last sample against what the same calls took before. */
static bool
compare_times(struct ctx *ctx, struct db *db, struct watchdog_memory *memory, double *ret_ratio)
{
    struct sql_workload_counters_rows rows;
    double calls = 0;
    double ms = 0;
    double usual_ms = 0;

    if (!memory->has_statements || memory->statement_count == 0)
        return true;
    if (!read_counters(ctx, db, memory, false, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct watchdog_statement now = statement_of(&rows.items[i]);
        struct watchdog_statement *then = bsearch(
            &now, memory->statements, memory->statement_count, sizeof(now), compare_statements);
        int64_t more = then ? now.calls - then->calls : 0;

        if (!then)
            continue;
        if (more >= LEAST_CALLS && now.total_ms >= then->total_ms) {
            calls += (double)more;
            ms += now.total_ms - then->total_ms;
            usual_ms += (double)more * then->usual_ms;
        }
        then->calls = now.calls;
        then->total_ms = now.total_ms;
    }
    if (calls < LEAST_CALLS_TOGETHER)
        return true;
    *ret_ratio = usual_ms > 0 && ms - usual_ms >= calls * least_extra_ms ? ms / usual_ms : 1;
    return true;
}

/* ---- replicas ---- */

/*
 * How long it has been behind at the same position, by our own clock: a replica that is frozen reports nothing,
 * and its lag stays what it was.
 */
static double
stands_still(struct watchdog_memory *memory, const struct sql_change_watchdog_replicas *row)
{
    int64_t now = clock_us();
    struct watchdog_replica *seen = NULL;

    for (size_t i = 0; i < memory->replica_count && !seen; i++)
        if (memory->replicas[i].pid == row->pid)
            seen = &memory->replicas[i];
    if (seen && seen->is_behind && row->behind_bytes > 0 && seen->replayed >= row->replayed)
        return fmax((double)(now - seen->since_us - REPORT_US), 0);
    if (!seen && memory->replica_count < WATCHDOG_REPLICAS)
        seen = &memory->replicas[memory->replica_count++];
    if (seen)
        *seen = (struct watchdog_replica){ .pid = row->pid,
            .is_behind = row->behind_bytes > 0,
            .replayed = row->replayed,
            .since_us = now };
    return 0;
}

static bool
look_at_replicas(
    struct ctx *ctx, struct db *db, struct watchdog_memory *memory, struct watchdog_sample *ret)
{
    struct sql_change_watchdog_replicas_rows rows;

    if (!sql_change_watchdog_replicas(ctx, db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_change_watchdog_replicas *row = &rows.items[i];
        double lag_us = row->behind_bytes > LEAST_BEHIND_BYTES ? (double)row->lag_us : 0;

        lag_us = fmax(lag_us, stands_still(memory, row));
        if (!(lag_us <= ret->lag_us)) {
            ret->lag_us = lag_us;
            ret->lag_bytes = row->behind_bytes;
            ret->laggard = row->application;
        }
    }
    return true;
}

/* ---- the server ---- */

static bool
look_at_server(
    struct ctx *ctx, struct db *db, struct watchdog_memory *memory, struct watchdog_sample *ret)
{
    struct sql_change_watchdog_server_rows rows;
    int64_t now = clock_us();

    if (!sql_change_watchdog_server(ctx, db, &rows))
        return false;
    if (rows.count != 1)
        return true;

    const struct sql_change_watchdog_server *row = &rows.items[0];
    int64_t commits = row->commits - memory->commits;
    int64_t rollbacks = row->rollbacks - memory->rollbacks;

    ret->lock_waiters = (double)row->waiters;
    ret->longest_us = (double)row->longest_us;
    if (row->blocker_pid != 0)
        ret->blocker =
            arena_printf(ctx->arena, "pid %d (%s, %s, transaction of %s)", (int)row->blocker_pid,
                row->blocker, row->blocker_state, text_from_us(ctx->arena, row->blocker_us));
    if (commits >= 0 && rollbacks >= 0 && commits + rollbacks >= LEAST_ENDED)
        ret->error_ratio = (double)rollbacks / (double)(commits + rollbacks);
    if (now > memory->taken_us)
        ret->wal_per_second =
            (row->wal_bytes - memory->wal_bytes) * 1e6 / (double)(now - memory->taken_us);
    memory->taken_us = now;
    memory->commits = row->commits;
    memory->rollbacks = row->rollbacks;
    memory->wal_bytes = row->wal_bytes;
    return true;
}

bool
watchdog_remember(struct ctx *ctx, struct db *db, struct watchdog_memory *ret)
{
    struct watchdog_sample ignored = { .lag_us = NAN };

    *ret = (struct watchdog_memory){ .taken_us = clock_us(), .wal_bytes = NAN };
    return (look_at_server(ctx, db, ret, &ignored) || goes_on(ctx, db)) &&
           (look_at_replicas(ctx, db, ret, &ignored) || goes_on(ctx, db)) &&
           (remember_statements(ctx, db, ret) || goes_on(ctx, db));
}

bool
watchdog_take(
    struct ctx *ctx, struct db *db, struct watchdog_memory *memory, struct watchdog_sample *ret)
{
    *ret = (struct watchdog_sample){ .lock_waiters = NAN,
        .longest_us = NAN,
        .lag_us = NAN,
        .lag_bytes = NAN,
        .slower_ratio = NAN,
        .error_ratio = NAN,
        .wal_per_second = NAN };
    return (look_at_server(ctx, db, memory, ret) || goes_on(ctx, db)) &&
           (look_at_replicas(ctx, db, memory, ret) || goes_on(ctx, db)) &&
           (compare_times(ctx, db, memory, &ret->slower_ratio) || goes_on(ctx, db));
}
