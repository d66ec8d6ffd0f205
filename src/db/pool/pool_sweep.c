/* What time brings: limits, connections that are too old or not needed, the next try to connect. */
#include "base/clock.h"
#include "db/pool/pool_part.h"

void
pool_sweep_at(struct pool *pool, int64_t at_us)
{
    if (at_us >= pool->sweep_us)
        return;
    pool->sweep_us = at_us;
    loop_timer_set(pool->timer, at_us ? at_us - clock_us() : 0);
}

static bool
is_unused(const struct pool_connection *connection)
{
    return !connection->is_opening && connection->flights.count == 0 && !connection->lease &&
           !connection->cancel;
}

/* Why a waiting ticket waits no longer. */
static void
fail_waiting(struct pool *pool, struct pool_ticket *ticket, int64_t now)
{
    bool is_limit = ticket->until_us <= now;
    int64_t limit = is_limit ? ticket->limit_us : pool->options.timeout_us;
    struct ctx ctx = { .arena = ticket->arena };
    static const struct error busy = {
        .kind = ERR_BUSY,
        .message = "no connection was free in time",
        .hint = "Ask again later.",
    };

    pool->statistics.timed_out++;
    if (!ticket->arena) {
        pool_ticket_fail(ticket, &busy);
        return;
    }
    error_set(&ctx, ERR_BUSY, "pool \"%s\": no connection was free within %s", pool->options.name,
        text_from_us(ticket->arena, limit));
    error_hint(&ctx, "Ask again later.");
    pool_ticket_fail(ticket, &ctx.error);
}

/* Work waits for a server that is down, full or mute for a while only: when it is over. */
static int64_t
end_of_patience(const struct pool *pool, const struct pool_ticket *ticket)
{
    int64_t since = pool->alone_us > ticket->queued_us ? pool->alone_us : ticket->queued_us;

    return pool_is_alone(pool) ? since + POOL_PATIENCE_US : INT64_MAX;
}

static void
fail_alone(const struct pool *pool, struct pool_ticket *ticket)
{
    if (pool->is_failing)
        pool_ticket_fail(ticket, &pool->opening.error);
    else
        pool_ticket_fail_text(ticket, ERR_CONNECTION, "could not connect: no answer in time");
}

static void
sweep_queue(struct pool *pool, struct pool_queue *queue, int64_t now)
{
    struct pool_ticket *ticket = queue->line.first;

    while (ticket) {
        struct pool_ticket *after = ticket->after;

        if (ticket->wait_until_us <= now)
            fail_waiting(pool, ticket, now);
        else if (end_of_patience(pool, ticket) <= now)
            fail_alone(pool, ticket);
        ticket = after;
    }
}

/* Its caller is answered; what stays in its place takes the answer of the server. */
static void
answer_before_its_turn(struct pool_ticket *ticket)
{
    struct pool_ticket *husk = pool_ticket_new(ticket->pool);
    struct pool_line *line = ticket->line;
    struct pool_ticket *after = ticket->after;

    *husk = *ticket;
    if (ticket->statements == ticket->few) {
        husk->statements = husk->few;
        husk->sendings = husk->few_sendings;
    }
    if (husk->before)
        husk->before->after = husk;
    else
        line->first = husk;
    if (after)
        after->before = husk;
    else
        line->last = husk;
    husk->done = NULL;
    husk->arena = NULL;
    husk->is_dropped = true;
    husk->until_us = INT64_MAX;
    ticket->statements = ticket->few;
    ticket->sendings = ticket->few_sendings;
    ticket->line = NULL;
    pool_ticket_fail_text(ticket, ERR_TIMEOUT,
        arena_printf(ticket->arena, "no answer within %s: others were before it",
            text_from_us(ticket->arena, ticket->limit_us)));
}

/* A ticket on a connection whose time is over. */
static void
expire(struct pool_connection *connection, struct pool_ticket *ticket, int64_t now)
{
    bool is_head = connection->flights.first == ticket;

    if (ticket->is_own) {
        connection->is_broken = true; /* no answer to a ping or a ROLLBACK */
    } else if (is_head) {
        ticket->until_us = INT64_MAX;
        ticket->is_over_limit = !ticket->is_dropped;
        if (connection->cancel_for != ticket)
            pool_connection_cancel(connection, ticket);
    } else if (ticket->is_dropped) {
        ticket->until_us = now + POOL_SLOW_US;
    } else {
        answer_before_its_turn(ticket);
    }
}

static void
sweep_flights(struct pool_connection *connection, int64_t now)
{
    const struct pool *pool = connection->pool;
    struct pool_ticket *ticket = connection->flights.first;

    if (ticket && connection->lane == POOL_SHARED && !connection->cancel_for &&
        now - connection->head_us >= pool->options.shared_most_us)
        expire(connection, ticket, now);
    while (ticket) {
        struct pool_ticket *after = ticket->after;

        if (ticket->until_us <= now)
            expire(connection, ticket, now);
        ticket = after;
    }
    if (!connection->drop_us || !connection->flights.first)
        return;
    if (now >= connection->drop_us)
        connection->is_broken = true;
    else if (now >= connection->cancel_at_us)
        pool_connection_cancel(connection, connection->cancel_for);
}

/* One that has to be closed now, or NULL. */
static struct pool_connection *
find_due(const struct pool *pool, const struct pool_queue *queue, int64_t now)
{
    struct pool_connection *connection = queue->connections;

    for (; connection; connection = connection->after) {
        bool is_old =
            connection->is_retiring || now >= connection->retire_us || pool_is_winding_up(pool);

        if (connection->is_broken || (is_old && is_unused(connection)))
            return connection;
    }
    return NULL;
}

static void
close_due(struct pool *pool, const struct pool_queue *queue, int64_t now)
{
    struct pool_connection *connection;

    while ((connection = find_due(pool, queue, now))) {
        if (connection->is_broken) {
            pool_connection_lose(connection);
        } else {
            pool->statistics.recycled += !pool->is_draining;
            pool_connection_close(connection);
        }
    }
}

static bool
is_beyond_size(const struct pool *pool)
{
    const struct pool_queue *queue = &pool->queues[POOL_EXCLUSIVE];

    return queue->open - queue->opening > pool->options.size && pool->idle_last;
}

static void
close_idle(struct pool *pool, int64_t now)
{
    while (is_beyond_size(pool) && now - pool->idle_last->idle_us >= pool->options.linger_us)
        pool_connection_close(pool->idle_last);
}

static int64_t
sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
due_of_connection(const struct pool_connection *connection)
{
    const struct pool *pool = connection->pool;
    const struct pool_ticket *ticket = connection->flights.first;
    int64_t due = INT64_MAX;

    if (connection->is_opening)
        return due;
    if (is_unused(connection))
        due = sooner(due, connection->retire_us);
    if (connection->drop_us)
        due = sooner(due, sooner(connection->drop_us, connection->cancel_at_us));
    else if (ticket && connection->lane == POOL_SHARED && !connection->cancel_for)
        due = sooner(due, connection->head_us + pool->options.shared_most_us);
    for (; ticket; ticket = ticket->after)
        due = sooner(due, ticket->until_us);
    return due;
}

static int64_t
due_of_queue(const struct pool *pool, const struct pool_queue *queue)
{
    const struct pool_connection *connection = queue->connections;
    const struct pool_ticket *ticket = queue->line.first;
    int64_t due = INT64_MAX;

    if (ticket && pool->retry_us)
        due = pool->retry_us;
    for (; connection; connection = connection->after)
        due = sooner(due, due_of_connection(connection));
    for (; ticket; ticket = ticket->after)
        due = sooner(due, sooner(ticket->wait_until_us, end_of_patience(pool, ticket)));
    return due;
}

static void
set_timer(struct pool *pool, int64_t now)
{
    int64_t due = sooner(due_of_queue(pool, &pool->queues[POOL_EXCLUSIVE]),
        due_of_queue(pool, &pool->queues[POOL_SHARED]));

    if (pool->hold_us)
        due = sooner(due, pool->hold_us);
    if (pool->down_us && pool->retry_us)
        due = sooner(due, pool->retry_us);
    if (is_beyond_size(pool))
        due = sooner(due, pool->idle_last->idle_us + pool->options.linger_us);
    if (due != INT64_MAX)
        pool_sweep_at(pool, due > now ? due : now + 1000);
}

static bool
has_nothing(const struct pool *pool)
{
    return pool->queues[POOL_EXCLUSIVE].open + pool->queues[POOL_SHARED].open == 0 &&
           pool->queues[POOL_EXCLUSIVE].line.count + pool->queues[POOL_SHARED].line.count == 0;
}

/* Whether the server is there again is found out without work, too. */
static void
try_again(struct pool *pool, int64_t now)
{
    bool has_any = pool->queues[POOL_EXCLUSIVE].open + pool->queues[POOL_SHARED].open > 0;

    if (pool->down_us && !has_any && !pool->is_draining && now >= pool->retry_us)
        (void)pool_connection_open(pool, POOL_EXCLUSIVE);
}

/* Those that are being opened and that nobody waits for any more. */
static void
close_opening(struct pool *pool)
{
    for (size_t lane = 0; lane < COUNT_OF(pool->queues); lane++) {
        struct pool_connection *connection = pool->queues[lane].connections;

        while (connection && pool->queues[lane].line.count == 0) {
            struct pool_connection *after = connection->after;

            if (connection->is_opening)
                pool_connection_close(connection);
            connection = after;
        }
    }
}

void
pool_sweep(void *data)
{
    struct pool *pool = data;
    int64_t now = clock_us();

    pool->sweep_us = INT64_MAX;
    if (now >= pool->hold_us)
        pool->hold_us = 0;
    for (size_t lane = 0; lane < COUNT_OF(pool->queues); lane++) {
        struct pool_queue *queue = &pool->queues[lane];
        struct pool_connection *connection = queue->connections;

        for (; connection; connection = connection->after)
            sweep_flights(connection, now);
        close_due(pool, queue, now);
        sweep_queue(pool, queue, now);
    }
    close_idle(pool, now);
    try_again(pool, now);
    pool_dispatch(pool);
    pool_end_failed(pool);
    if (pool->is_draining) {
        close_opening(pool);
        if (has_nothing(pool) && pool->drained) {
            loop_callback *drained = pool->drained;

            pool->drained = NULL;
            drained(pool->drained_data);
            return;
        }
    }
    set_timer(pool, now);
}
