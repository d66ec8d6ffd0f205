#include <unistd.h>

#include "base/clock.h"
#include "db/pool/pool_part.h"

void
pool_options_set_defaults(struct pool_options *options)
{
    *options = (struct pool_options){
        .name = "web",
        .size = 20,
        .most_overflow = 30,
        .timeout_us = 30000000,
        .recycle_us = 3600000000,
        .linger_us = 10000000,
        .ping_idle_us = 30000000,
        .most_waiting = 500,
        .shared_size = 4,
        .shared_depth = 16,
        .shared_most_us = 5000000,
    };
}

static const char *
copy(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static void
copy_options(struct pool *pool, const struct pool_options *options)
{
    struct pool_options *own = &pool->options;

    *own = *options;
    own->name = arena_strdup(pool->arena, options->name ? options->name : "pool");
    own->db.url = copy(pool->arena, options->db.url);
    own->db.database = copy(pool->arena, options->db.database);
    own->db.application = arena_printf(pool->arena, "%s/%s",
        options->db.application ? options->db.application : "pgmend", own->name);
}

static bool
check_options(struct ctx *ctx, const struct pool_options *options)
{
    struct db *db CLEANUP(db_cleanup) = db_new(&options->db);
    struct db_params params;

    if (options->size < 0 || options->most_overflow < 0 ||
        (int64_t)options->size + options->most_overflow < 1)
        return error_set(ctx, ERR_INPUT, "pool \"%s\": its size must be at least 1",
            options->name ? options->name : "");
    if (options->most_waiting < 1 || options->shared_size < 0 || options->timeout_us < 0)
        return error_set(ctx, ERR_INPUT,
            "pool \"%s\": most_waiting must be at least 1, and no number negative",
            options->name ? options->name : "");
    if (options->shared_size > 0 && options->shared_depth < 1)
        return error_set(ctx, ERR_INPUT, "pool \"%s\": shared_depth must be at least 1",
            options->name ? options->name : "");
    if (db_params_read(ctx, db, &params))
        return true;
    ctx->error.kind = ERR_INPUT;
    return false;
}

bool
pool_new(struct ctx *ctx, struct loop *loop, const struct pool_options *options, struct pool **ret)
{
    if (!check_options(ctx, options))
        return false;

    struct arena *arena = arena_new();
    struct pool *pool = ARENA_NEW(arena, struct pool);

    pool->arena = arena;
    pool->loop = loop;
    pool->opening.arena = arena_new();
    pool->sweep_us = INT64_MAX;
    pool->alone_us = clock_us();
    pool->chance = (uint64_t)clock_wall_us() * 2654435761u ^ (uint64_t)getpid() << 32;
    copy_options(pool, options);
    pool->timer = loop_timer_new(loop, pool_sweep, pool);
    pool->flusher = loop_timer_new(loop, pool_flight_flush, pool);
    pool->statistics.name = pool->options.name;
    pool->statistics.size = pool->options.size;
    pool->full = (struct error){
        .kind = ERR_BUSY,
        .message = arena_printf(arena, "pool \"%s\": %d requests are waiting already",
            pool->options.name, pool->options.most_waiting),
        .hint = "Ask again later.",
    };
    pool->closed = (struct error){
        .kind = ERR_BUSY,
        .message = arena_printf(arena, "pool \"%s\" is being closed", pool->options.name),
        .hint = "Ask again later.",
    };
    *ret = pool;
    return true;
}

static void
fail_line(struct pool_line *line)
{
    struct pool_ticket *ticket;

    while ((ticket = pool_line_take(line))) {
        if (ticket->done || ticket->leased)
            pool_ticket_fail_text(ticket, ERR_CONNECTION, "the pool was closed");
        else
            pool_ticket_free(ticket);
    }
}

static void
close_all(struct pool *pool, enum pool_lane lane)
{
    while (pool->queues[lane].connections) {
        struct pool_connection *connection = pool->queues[lane].connections;

        fail_line(&connection->flights);
        if (connection->lease) {
            connection->lease->connection = NULL;
            connection->lease->pool = NULL;
        }
        pool_connection_close(connection);
    }
}

void
pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pool->is_draining = true;
    pool->is_closing = true;
    fail_line(&pool->queues[POOL_EXCLUSIVE].line);
    fail_line(&pool->queues[POOL_SHARED].line);
    close_all(pool, POOL_EXCLUSIVE);
    close_all(pool, POOL_SHARED);
    pool_end_failed(pool);
    while (pool->spare) {
        struct pool_ticket *ticket = pool->spare;

        pool->spare = ticket->after;
        free(ticket);
    }
    loop_timer_free(pool->timer);
    loop_timer_free(pool->flusher);
    arena_free(pool->opening.arena);
    arena_free(pool->arena);
}

void
pool_drain(struct pool *pool, loop_callback *done, void *data)
{
    pool->is_draining = true;
    pool->drained = done;
    pool->drained_data = data;
    pool_sweep_at(pool, 0);
}

static void
tell_refusal(const struct pool_work *work, const struct error *why)
{
    struct pool_outcome outcome = { .error = pool_error_copy(work->arena, why), .rows = NULL };

    work->done(work->data, &outcome);
}

/* A text may begin a transaction, which must not become another request's. */
static enum pool_lane
lane_of(const struct pool *pool, const struct pool_work *work)
{
    if (work->lane == POOL_EXCLUSIVE || pool->options.shared_size == 0)
        return POOL_EXCLUSIVE;
    for (size_t i = 0; i < work->count; i++)
        if (!work->statements[i].query)
            return POOL_EXCLUSIVE;
    return POOL_SHARED;
}

struct pool_ticket *
pool_run(struct pool *pool, const struct pool_work *work)
{
    enum pool_lane lane = lane_of(pool, work);
    const struct error *why = pool_refusal(pool, lane);

    if (why) {
        tell_refusal(work, why);
        return NULL;
    }

    struct pool_ticket *ticket = pool_ticket_new(pool);

    pool_ticket_fill(ticket, work);
    ticket->lane = lane;
    pool_queue_ticket(ticket);
    pool_dispatch(pool);
    return ticket;
}

void
pool_drop(struct pool_ticket *ticket)
{
    struct pool_connection *connection = ticket->connection;
    struct pool *pool = ticket->pool;

    pool->statistics.dropped++;
    if (!connection) {
        pool_ticket_free(ticket);
        if (pool->is_draining)
            pool_sweep_at(pool, 0);
        return;
    }
    ticket->is_dropped = true;
    ticket->done = NULL;
    ticket->arena = NULL;
    if (ticket->lane == POOL_EXCLUSIVE) {
        pool_connection_cancel(connection, ticket);
    } else {
        /* A short one is over sooner than a cancel would be there. */
        ticket->until_us = clock_us() + POOL_SLOW_US;
        pool_sweep_at(pool, ticket->until_us);
    }
}

struct pool_statistics
pool_statistics(const struct pool *pool)
{
    struct pool_statistics statistics = pool->statistics;

    for (size_t lane = 0; lane < COUNT_OF(pool->queues); lane++) {
        const struct pool_queue *queue = &pool->queues[lane];
        const struct pool_connection *connection = queue->connections;

        statistics.open += queue->open - queue->opening;
        statistics.waiting += queue->line.count;
        for (; connection; connection = connection->after)
            statistics.busy += connection->flights.count > 0 || connection->lease;
    }

    const struct pool_queue *exclusive = &pool->queues[POOL_EXCLUSIVE];

    if (exclusive->open - exclusive->opening > pool->options.size)
        statistics.overflow = exclusive->open - exclusive->opening - pool->options.size;
    return statistics;
}

const struct error *
pool_trouble(const struct pool *pool)
{
    return pool->is_failing ? &pool->opening.error : NULL;
}

bool
pool_is_up(const struct pool *pool)
{
    return !pool->down_us;
}
