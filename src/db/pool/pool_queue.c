/* What waits: first come, first served, and how many may come. */
#include "base/clock.h"
#include "db/pool/pool_part.h"

void
pool_line_add(struct pool_line *line, struct pool_ticket *ticket)
{
    ticket->line = line;
    ticket->before = line->last;
    ticket->after = NULL;
    if (line->last)
        line->last->after = ticket;
    else
        line->first = ticket;
    line->last = ticket;
    line->count++;
}

void
pool_line_add_first(struct pool_line *line, struct pool_ticket *ticket)
{
    ticket->line = line;
    ticket->before = NULL;
    ticket->after = line->first;
    if (line->first)
        line->first->before = ticket;
    else
        line->last = ticket;
    line->first = ticket;
    line->count++;
}

void
pool_line_remove(struct pool_ticket *ticket)
{
    struct pool_line *line = ticket->line;

    if (!line)
        return;
    if (ticket->before)
        ticket->before->after = ticket->after;
    else
        line->first = ticket->after;
    if (ticket->after)
        ticket->after->before = ticket->before;
    else
        line->last = ticket->before;
    line->count--;
    ticket->line = NULL;
    ticket->before = NULL;
    ticket->after = NULL;
}

struct pool_ticket *
pool_line_take(struct pool_line *line)
{
    struct pool_ticket *ticket = line->first;

    if (ticket)
        pool_line_remove(ticket);
    return ticket;
}

const struct error *
pool_refusal(struct pool *pool, enum pool_lane lane)
{
    if (pool->is_draining)
        return &pool->closed;
    if (pool->down_us && clock_us() - pool->down_us > POOL_PATIENCE_US)
        return &pool->opening.error;
    if (pool->queues[lane].line.count < pool->options.most_waiting)
        return NULL;
    pool->statistics.refused++;
    return &pool->full;
}

void
pool_queue_ticket(struct pool_ticket *ticket)
{
    struct pool *pool = ticket->pool;
    int64_t now = clock_us();

    ticket->queued_us = now;
    ticket->wait_until_us = now + pool->options.timeout_us;
    if (ticket->limit_us > 0) {
        ticket->until_us = now + ticket->limit_us;
        if (ticket->until_us < ticket->wait_until_us)
            ticket->wait_until_us = ticket->until_us;
    }
    pool_line_add(&pool->queues[ticket->lane].line, ticket);
    pool_sweep_at(pool, ticket->wait_until_us);
    if (pool_is_alone(pool))
        pool_sweep_at(pool, now + POOL_PATIENCE_US);
}

void
pool_queue_again(struct pool_ticket *ticket)
{
    struct pool *pool = ticket->pool;

    pool_line_remove(ticket);
    ticket->connection = NULL;
    ticket->at = 0;
    ticket->has_parsed = false;
    ticket->is_sent = false;
    ticket->is_over_limit = false;
    ticket->can_be_sent_anew = false;
    ticket->error = (struct error){ 0 };
    pool_line_add_first(&pool->queues[ticket->lane].line, ticket);
    pool_sweep_at(pool, ticket->wait_until_us);
}

bool
pool_is_winding_up(const struct pool *pool)
{
    return pool->is_draining && pool->queues[POOL_EXCLUSIVE].line.count == 0 &&
           pool->queues[POOL_SHARED].line.count == 0;
}
