/* Leases: a connection that is one caller's for several round trips. */
#include "base/clock.h"
#include "base/memory.h"
#include "db/pool/pool_part.h"

void
pool_lease_give(struct pool_connection *connection, struct pool_ticket *ticket)
{
    struct pool *pool = connection->pool;
    pool_leased *leased = ticket->leased;
    void *data = ticket->data;
    struct pool_lease *lease;

    if (!pool_connection_is_alive(connection)) {
        connection->is_broken = true;
        pool_queue_again(ticket);
        pool_sweep_at(pool, 0);
        return;
    }
    lease = calloc(1, sizeof(*lease));
    if (!lease)
        memory_exhausted(0);
    lease->pool = pool;
    lease->connection = connection;
    lease->given_us = clock_us();
    lease->waited_us = lease->given_us - ticket->queued_us;
    connection->lease = lease;
    pool_ticket_free(ticket);
    leased(data, lease, NULL);
}

struct pool_ticket *
pool_lease(struct pool *pool, int64_t limit_us, pool_leased *leased, void *data)
{
    const struct error *why = pool_refusal(pool, POOL_EXCLUSIVE);
    struct pool_ticket *ticket;
    bool is_gone = false;

    if (why) {
        leased(data, NULL, why);
        return NULL;
    }
    ticket = pool_ticket_new(pool);
    ticket->statements = ticket->few;
    ticket->sendings = ticket->few_sendings;
    ticket->leased = leased;
    ticket->data = data;
    ticket->lane = POOL_EXCLUSIVE;
    ticket->limit_us = limit_us;
    ticket->gone = &is_gone;
    pool_queue_ticket(ticket);
    pool_dispatch(pool);
    if (is_gone)
        return NULL;
    ticket->gone = NULL;
    return ticket;
}

static void
refuse(const struct pool_work *work)
{
    struct pool_outcome outcome = { .error = { .kind = ERR_CONNECTION,
                                        .message = "the connection was lost before" } };

    work->done(work->data, &outcome);
}

void
pool_lease_run(struct pool_lease *lease, const struct pool_work *work)
{
    struct pool_ticket *ticket;
    int64_t now = clock_us();

    if (!lease->connection || lease->connection->is_broken) {
        refuse(work);
        return;
    }
    ticket = pool_ticket_new(lease->pool);
    pool_ticket_fill(ticket, work);
    ticket->lane = POOL_EXCLUSIVE;
    ticket->lease = lease;
    ticket->queued_us = now;
    if (ticket->limit_us > 0)
        ticket->until_us = now + ticket->limit_us;
    lease->ticket = ticket;
    pool_flight_send(lease->connection, ticket);
}

void
pool_lease_drop(struct pool_lease *lease)
{
    struct pool_connection *connection = lease->connection;
    struct pool_ticket *ticket = lease->ticket;

    if (!ticket)
        return;
    lease->ticket = NULL;
    lease->statements += ticket->sent;
    ticket->lease = NULL;
    if (connection && connection->held == ticket) {
        connection->held = NULL;
        pool_ticket_free(ticket);
        return;
    }
    /* Without a connection it has failed already, and only its callback was due. */
    pool_drop(ticket);
}

void
pool_lease_end(struct pool_lease *lease)
{
    struct pool_connection *connection = lease->connection;
    struct pool *pool = lease->pool;
    int64_t waited_us = lease->waited_us;
    int64_t ran_us = clock_us() - lease->given_us;

    pool_lease_drop(lease);
    free(lease);
    if (!pool)
        return;
    pool->statistics.done++;
    pool->statistics.waited_us += waited_us;
    pool->statistics.ran_us += ran_us;
    if (pool->is_draining)
        pool_sweep_at(pool, 0);
    if (!connection)
        return;
    connection->lease = NULL;
    pool_connection_rest(connection);
    pool_dispatch(pool);
}

int32_t
pool_lease_statements(const struct pool_lease *lease)
{
    return lease->statements;
}
