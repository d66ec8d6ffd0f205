/* Tickets: what is to be done, from being asked for until somebody is called back. */
#include "base/clock.h"
#include "base/memory.h"
#include "db/pool/pool_part.h"

struct pool_ticket *
pool_ticket_new(struct pool *pool)
{
    struct pool_ticket *ticket = pool->spare;

    if (ticket) {
        pool->spare = ticket->after;
        pool->spare_count--;
    } else {
        ticket = malloc(sizeof(*ticket));
        if (!ticket)
            memory_exhausted(0);
    }
    *ticket = (struct pool_ticket){ .pool = pool, .until_us = INT64_MAX };
    return ticket;
}

void
pool_ticket_free(struct pool_ticket *ticket)
{
    struct pool *pool = ticket->pool;

    pool_line_remove(ticket);
    pool->queues[ticket->lane].coming -= ticket->is_own;
    if (ticket->gone)
        *ticket->gone = true;
    if (ticket->statements != ticket->few) {
        free(ticket->statements);
        free(ticket->sendings);
    }
    if (pool->spare_count >= POOL_SPARE_MOST) {
        free(ticket);
        return;
    }
    ticket->after = pool->spare;
    pool->spare = ticket;
    pool->spare_count++;
}

void
pool_ticket_fill(struct pool_ticket *ticket, const struct pool_work *work)
{
    size_t count = work->count;

    ticket->statements = ticket->few;
    ticket->sendings = ticket->few_sendings;
    if (count > POOL_FEW) {
        ticket->statements = calloc(count, sizeof(*ticket->statements));
        ticket->sendings = calloc(count, sizeof(*ticket->sendings));
        if (!ticket->statements || !ticket->sendings)
            memory_exhausted(0);
    }
    memcpy(ticket->statements, work->statements, count * sizeof(*ticket->statements));
    ticket->count = count;
    ticket->rows = ARENA_ARRAY(work->arena, struct rows, count);
    ticket->arena = work->arena;
    ticket->lane = work->lane;
    ticket->is_repeatable = work->is_repeatable;
    ticket->limit_us = work->limit_us;
    ticket->done = work->done;
    ticket->data = work->data;
}

static void
count_done(struct pool_ticket *ticket, const struct pool_outcome *outcome)
{
    struct pool_statistics *statistics = &ticket->pool->statistics;

    statistics->done++;
    statistics->waited_us += outcome->waited_us;
    statistics->ran_us += outcome->ran_us;
}

void
pool_ticket_end(struct pool_ticket *ticket)
{
    int64_t now = clock_us();
    pool_done *done = ticket->done;
    pool_leased *leased = ticket->leased;
    void *data = ticket->data;
    struct pool_outcome outcome = {
        .is_good = ticket->error.kind == ERR_NONE,
        .error = ticket->error,
        .rows = ticket->rows,
        .count = ticket->count,
        .statements = ticket->sent,
        .waited_us = (ticket->sent_us ? ticket->sent_us : now) - ticket->queued_us,
        .ran_us = ticket->sent_us ? now - ticket->sent_us : 0,
    };

    if (ticket->lease) {
        ticket->lease->ticket = NULL;
        ticket->lease->statements += ticket->sent;
    }
    if (done && !ticket->lease)
        count_done(ticket, &outcome);
    pool_ticket_free(ticket);
    if (done)
        done(data, &outcome);
    else if (leased)
        leased(data, NULL, &outcome.error);
}

static const char *
copy(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

struct error
pool_error_copy(struct arena *arena, const struct error *error)
{
    struct error result = *error;

    result.message = copy(arena, error->message);
    result.detail = copy(arena, error->detail);
    result.hint = copy(arena, error->hint);
    result.state = copy(arena, error->state);
    return result;
}

void
pool_ticket_fail(struct pool_ticket *ticket, const struct error *error)
{
    pool_line_remove(ticket);
    ticket->connection = NULL;
    ticket->error = ticket->arena ? pool_error_copy(ticket->arena, error) : *error;
    pool_line_add(&ticket->pool->failed, ticket);
    pool_sweep_at(ticket->pool, 0);
}

/* Without an arena, the text must live long enough by itself. */
void
pool_ticket_fail_text(struct pool_ticket *ticket, enum error_kind kind, const char *why)
{
    pool_ticket_fail(ticket, &(const struct error){ .kind = kind, .message = why });
}

void
pool_end_failed(struct pool *pool)
{
    struct pool_ticket *ticket;

    while ((ticket = pool_line_take(&pool->failed)))
        pool_ticket_end(ticket);
}
