/* A connection of the pool: from being opened until it is lost, or old enough. */
#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "db/pool/pool_part.h"

/* xorshift64*; source: Vigna 2016. */
uint64_t
pool_chance(struct pool *pool)
{
    pool->chance |= 1;
    pool->chance ^= pool->chance >> 12;
    pool->chance ^= pool->chance << 25;
    pool->chance ^= pool->chance >> 27;
    return pool->chance * UINT64_C(0x2545F4914F6CDD1D);
}

int64_t
pool_recycle_after(int64_t recycle_us, uint64_t chance)
{
    int64_t most = recycle_us / 10;

    return most > 0 ? recycle_us - (int64_t)(chance % (uint64_t)(most + 1)) : recycle_us;
}

void
pool_connection_take(struct pool_connection *connection)
{
    struct pool *pool = connection->pool;

    if (!connection->is_idle)
        return;
    connection->is_idle = false;
    if (connection->idle_before)
        connection->idle_before->idle_after = connection->idle_after;
    else
        pool->idle_first = connection->idle_after;
    if (connection->idle_after)
        connection->idle_after->idle_before = connection->idle_before;
    else
        pool->idle_last = connection->idle_before;
    connection->idle_before = NULL;
    connection->idle_after = NULL;
}

static void
make_idle(struct pool_connection *connection)
{
    struct pool *pool = connection->pool;

    connection->is_idle = true;
    connection->idle_before = NULL;
    connection->idle_after = pool->idle_first;
    if (pool->idle_first)
        pool->idle_first->idle_before = connection;
    else
        pool->idle_last = connection;
    pool->idle_first = connection;
    if (pool->queues[POOL_EXCLUSIVE].open > pool->options.size)
        pool_sweep_at(pool, connection->idle_us + pool->options.linger_us);
}

/* Nothing to reset is the rule: only SET LOCAL is used, and libpq knows of open transactions. */
void
pool_connection_rest(struct pool_connection *connection)
{
    PGconn *conn = connection->db ? connection->db->conn : NULL;
    int64_t now;

    if (!conn || connection->is_opening || connection->is_idle || connection->is_broken)
        return;
    if (connection->flights.count > 0 || connection->lease || connection->cancel)
        return;
    if (PQtransactionStatus(conn) == PQTRANS_INTRANS ||
        PQtransactionStatus(conn) == PQTRANS_INERROR) {
        pool_flight_reset(connection);
        return;
    }
    now = clock_us();
    connection->idle_us = now;
    connection->cancel_for = NULL;
    if (connection->is_retiring || now >= connection->retire_us ||
        pool_is_winding_up(connection->pool)) {
        connection->is_retiring = true;
        pool_sweep_at(connection->pool, 0);
    }
    if (connection->lane == POOL_EXCLUSIVE && !connection->is_retiring)
        make_idle(connection);
}

bool
pool_connection_is_alive(struct pool_connection *connection)
{
    PGconn *conn = connection->db->conn;
    char byte;

    /* What has been read already may hold the server's last words. */
    (void)PQisBusy(conn);
    if (connection->evented->last_words)
        return false;

    ssize_t got = recv(PQsocket(conn), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (got < 0)
        return errno == EAGAIN;
    if (got == 0 || !PQconsumeInput(conn))
        return false;
    (void)PQisBusy(conn);
    return !connection->evented->last_words && PQstatus(conn) == CONNECTION_OK;
}

static const char *
why_lost(struct pool_connection *connection, struct arena *arena)
{
    struct ctx ctx = { .arena = arena };

    if (connection->evented->last_words)
        return arena_printf(arena, "the connection was lost: %s", connection->evented->last_words);
    db_error_of_connection(&ctx, connection->db, "waiting for the server");
    return ctx.error.message;
}

static void
cancel_done(void *owner, void *data)
{
    struct pool_connection *connection = owner;
    struct pool *pool = connection->pool;
    struct pool_ticket *held = connection->held;

    (void)data;
    connection->cancel = NULL;
    if (connection->flights.count == 0)
        connection->cancel_for = NULL;
    pool_connection_rest(connection);
    pool_dispatch(pool);
    if (held) {
        connection->held = NULL;
        pool_ticket_end(held);
    }
}

void
pool_connection_cancel(struct pool_connection *connection, struct pool_ticket *ticket)
{
    struct pool *pool = connection->pool;
    int64_t now = clock_us();

    if (!connection->drop_us) {
        connection->drop_us = now + POOL_GRACE_US;
        pool->statistics.cancelled++;
    }
    connection->cancel_for = ticket;
    connection->cancel_at_us = now + POOL_CANCEL_AGAIN_US;
    pool_sweep_at(pool, connection->cancel_at_us);
    if (!connection->cancel)
        connection->cancel = db_cancel_on_loop(pool->loop, connection->db, cancel_done, connection);
}

bool
pool_is_alone(const struct pool *pool)
{
    return pool->queues[POOL_EXCLUSIVE].open == pool->queues[POOL_EXCLUSIVE].opening &&
           pool->queues[POOL_SHARED].open == pool->queues[POOL_SHARED].opening;
}

static void
forget(struct pool_connection *connection)
{
    struct pool_queue *queue = &connection->pool->queues[connection->lane];

    pool_connection_take(connection);
    if (connection->before)
        connection->before->after = connection->after;
    else
        queue->connections = connection->after;
    if (connection->after)
        connection->after->before = connection->before;
    queue->open--;
    queue->opening -= connection->is_opening;
    if (!connection->is_opening)
        connection->pool->alone_us = clock_us();
}

static void
remember(struct pool_connection *connection)
{
    struct pool_queue *queue = &connection->pool->queues[connection->lane];

    connection->before = NULL;
    connection->after = queue->connections;
    if (queue->connections)
        queue->connections->before = connection;
    queue->connections = connection;
    queue->open++;
    queue->opening += connection->is_opening;
}

void
pool_connection_close(struct pool_connection *connection)
{
    forget(connection);
    background_leave(connection->cancel);
    loop_watch_free(connection->watch);
    if (connection->db)
        db_close(connection->db); /* and with it its opening */
    else
        evented_close(connection->evented);
    free(connection);
}

void
pool_connection_move(struct pool_connection *connection, enum pool_lane lane)
{
    forget(connection);
    connection->lane = lane;
    remember(connection);
    pool_connection_rest(connection);
}

/* What was sent on it: again, if that can be, else it has failed. */
static void
lose_ticket(struct pool_connection *connection, struct pool_ticket *ticket)
{
    struct pool *pool = connection->pool;

    if (!ticket->done) {
        pool_ticket_free(ticket);
        return;
    }
    if (ticket->is_over_limit) {
        pool_ticket_fail_text(
            ticket, ERR_TIMEOUT, "no answer in time, nor to the request to cancel");
        return;
    }
    if (!ticket->lease && ticket->tries == 0 && (ticket->is_repeatable || !ticket->is_sent)) {
        ticket->tries++;
        pool->statistics.repeated++;
        pool_queue_again(ticket);
        return;
    }
    pool_ticket_fail_text(ticket, ERR_CONNECTION, why_lost(connection, ticket->arena));
}

void
pool_connection_lose(struct pool_connection *connection)
{
    struct pool *pool = connection->pool;
    struct pool_ticket *ticket = connection->flights.last;

    pool->statistics.lost++;
    /* When a server ends, all its sessions do, within moments: nothing is sent again to those. */
    if (!pool->hold_us) {
        pool->hold_us = clock_us() + POOL_HOLD_US;
        pool_sweep_at(pool, pool->hold_us);
    }
    /* From the last to the first, so that those that go back are in their order again. */
    while (ticket) {
        struct pool_ticket *before = ticket->before;

        lose_ticket(connection, ticket);
        ticket = before;
    }
    if (connection->held)
        pool_ticket_fail(connection->held, &connection->held->error);
    connection->held = NULL;
    if (connection->lease)
        connection->lease->connection = NULL;

    enum pool_lane lane = connection->lane;

    pool_connection_close(connection);
    /* The last one is replaced at once, so that it is known whether the server is there. */
    if (!pool->is_draining &&
        pool->queues[POOL_EXCLUSIVE].open + pool->queues[POOL_SHARED].open == 0)
        pool_connection_open(pool, lane);
}

static void
on_socket(void *data, bool can_read, bool can_write)
{
    struct pool_connection *connection = data;
    struct pool *pool = connection->pool;

    (void)can_write;
    if (!pool_flight_receive(connection, can_read))
        pool_connection_lose(connection);
    pool_dispatch(pool);
}

/* Not every process of many at the same moment, and not more often than the server can bear. */
static void
back_off(struct pool *pool)
{
    int64_t next = pool->backoff_us > 0 ? pool->backoff_us * 2 : POOL_BACKOFF_US;

    pool->backoff_us = next < POOL_BACKOFF_MOST_US ? next : POOL_BACKOFF_MOST_US;
    pool->retry_us = clock_us() + pool->backoff_us / 2 +
                     (int64_t)(pool_chance(pool) % (uint64_t)pool->backoff_us);
    pool_sweep_at(pool, pool->retry_us);
}

static void
note_failure(struct pool *pool, const struct error *error)
{
    struct arena *arena = pool->opening.arena;

    arena_reset(arena);
    pool->opening.error = pool_error_copy(arena, error);
    pool->statistics.failed++;
    pool->is_failing = true;
    if (!pool->down_us && pool_is_alone(pool))
        pool->down_us = clock_us();
    back_off(pool);
}

static void
opened(void *data, const struct error *error)
{
    struct pool_connection *connection = data;
    struct pool *pool = connection->pool;
    struct pool_queue *queue = &pool->queues[connection->lane];

    if (error) {
        note_failure(pool, error);
        pool_connection_close(connection);
        pool_dispatch(pool);
        return;
    }
    queue->opening--;
    connection->is_opening = false;
    connection->db = evented_release(connection->evented);
    connection->watch =
        loop_watch_new(pool->loop, PQsocket(connection->db->conn), on_socket, connection);
    loop_watch_set(connection->watch, true, false);
    connection->retire_us =
        pool->options.recycle_us > 0
            ? clock_us() + pool_recycle_after(pool->options.recycle_us, pool_chance(pool))
            : INT64_MAX;
    pool->statistics.opened++;
    pool->backoff_us = 0;
    pool->retry_us = 0;
    pool->down_us = 0;
    pool->is_failing = false;
    pool_sweep_at(pool, connection->retire_us);
    pool_connection_rest(connection);
    pool_dispatch(pool);
}

/* After evented_release() nobody calls this. */
static void
lost(void *data, const struct error *error)
{
    (void)data;
    (void)error;
}

bool
pool_connection_open(struct pool *pool, enum pool_lane lane)
{
    struct pool_connection *connection = calloc(1, sizeof(*connection));
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct evented_events events = { .opened = opened, .lost = lost, .data = connection };

    if (!connection)
        memory_exhausted(0);
    connection->pool = pool;
    connection->lane = lane;
    connection->is_opening = true;
    if (!evented_open(&ctx, pool->loop, &pool->options.db, &events, &connection->evented)) {
        free(connection);
        note_failure(pool, &ctx.error);
        return false;
    }
    remember(connection);
    return true;
}
