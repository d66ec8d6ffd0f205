/* Who gets which connection, and when there are too few. */
#include "base/clock.h"
#include "db/pool/pool_part.h"

static bool
may_open(const struct pool *pool, int64_t now)
{
    int32_t opening = pool->queues[POOL_EXCLUSIVE].opening + pool->queues[POOL_SHARED].opening;
    int32_t most = pool->backoff_us > 0 ? 1 : POOL_OPENING_MOST;

    return now >= pool->retry_us && opening < most;
}

static bool
is_stale(const struct pool_connection *connection, int64_t now)
{
    return now - connection->idle_us > connection->pool->options.ping_idle_us;
}

static void
open_exclusive(struct pool *pool, int64_t now)
{
    struct pool_queue *queue = &pool->queues[POOL_EXCLUSIVE];
    int32_t most = pool->options.size + pool->options.most_overflow;

    while (queue->opening + queue->coming < queue->line.count && queue->open < most &&
           may_open(pool, now))
        if (!pool_connection_open(pool, POOL_EXCLUSIVE))
            return;
}

static void
give(struct pool_connection *connection, struct pool_ticket *ticket)
{
    pool_line_remove(ticket);
    if (ticket->leased)
        pool_lease_give(connection, ticket);
    else
        pool_flight_send(connection, ticket);
}

static void
dispatch_exclusive(struct pool *pool, int64_t now)
{
    struct pool_queue *queue = &pool->queues[POOL_EXCLUSIVE];

    while (queue->line.count > 0 && pool->idle_first) {
        struct pool_connection *connection = pool->idle_first;

        if (!is_stale(connection, now)) {
            pool_connection_take(connection);
            give(connection, queue->line.first);
        } else if (queue->coming < queue->line.count) {
            pool_connection_take(connection);
            pool_flight_ping(connection);
        } else {
            break;
        }
    }
    open_exclusive(pool, now);
}

/* Whether something new may stand behind what it does. */
static bool
takes_more(const struct pool_connection *connection, int64_t now)
{
    const struct pool *pool = connection->pool;
    const struct pool_ticket *head = connection->flights.first;

    if (connection->is_opening || connection->is_broken || connection->is_retiring ||
        connection->cancel || connection->cancel_for)
        return false;
    return !head || (connection->flights.count < pool->options.shared_depth && !head->is_own &&
                        now - connection->head_us < POOL_SLOW_US);
}

/* The one with the least to do; NULL: none takes more. */
static struct pool_connection *
least_busy(const struct pool *pool, int64_t now)
{
    struct pool_connection *best = NULL;
    struct pool_connection *connection = pool->queues[POOL_SHARED].connections;

    for (; connection; connection = connection->after)
        if (takes_more(connection, now) &&
            (!best || connection->flights.count < best->flights.count))
            best = connection;
    return best;
}

static void
dispatch_shared(struct pool *pool, int64_t now)
{
    struct pool_queue *queue = &pool->queues[POOL_SHARED];
    bool all_busy = queue->line.count > 0;

    while (queue->line.count > 0) {
        struct pool_connection *connection = least_busy(pool, now);

        if (!connection)
            break;
        all_busy = connection->flights.count > 0;
        if (all_busy || !is_stale(connection, now)) {
            give(connection, queue->line.first);
        } else if (queue->coming < queue->line.count) {
            pool_flight_ping(connection);
        } else {
            break;
        }
    }
    if (all_busy && queue->opening == 0 && queue->open < pool->options.shared_size &&
        may_open(pool, now))
        (void)pool_connection_open(pool, POOL_SHARED);
}

/* The server has no connection left for a lane that has none: the other lends what it does not use. */
static void
lend(struct pool *pool, enum pool_lane from, enum pool_lane to)
{
    struct pool_queue *lender = &pool->queues[from];
    struct pool_connection *connection = lender->connections;

    if (pool->backoff_us == 0 || lender->line.count > 0 || pool->queues[to].line.count == 0 ||
        pool->queues[to].open > pool->queues[to].opening)
        return;
    for (; connection; connection = connection->after) {
        bool is_free = !connection->is_opening && !connection->is_broken &&
                       !connection->is_retiring && !connection->cancel && !connection->lease &&
                       connection->flights.count == 0;

        if (!is_free)
            continue;
        pool_connection_move(connection, to);
        return;
    }
}

void
pool_dispatch(struct pool *pool)
{
    int64_t now;

    if (pool->is_dispatching || pool->hold_us || pool->is_closing)
        return;
    if (pool->queues[POOL_EXCLUSIVE].line.count + pool->queues[POOL_SHARED].line.count == 0)
        return;
    now = clock_us();
    pool->is_dispatching = true;
    lend(pool, POOL_EXCLUSIVE, POOL_SHARED);
    lend(pool, POOL_SHARED, POOL_EXCLUSIVE);
    dispatch_shared(pool, now);
    dispatch_exclusive(pool, now);
    pool->is_dispatching = false;
    /* A lease that was given may have asked for more. */
    if (pool->queues[POOL_SHARED].line.count > 0)
        dispatch_shared(pool, now);
}
