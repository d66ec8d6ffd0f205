#include "db/pool/straight.h"

#include "base/clock.h"
#include "db/pool/pool_part.h"

/* On the stack of the task that waits. */
struct waiting {
    struct ctx *ctx; /* where the error goes */
    struct straight *straight;
    bool is_over;
    bool is_asleep;
    struct error error;
    struct rows rows;
};

static bool
say_dropped(struct ctx *ctx)
{
    return error_set(ctx, ERR_INTERRUPTED, "the client has gone");
}

/* Whoever drops it wakes it, too; others may wake it for what it does not wait for. */
static bool
wait_for(struct ctx *ctx, struct waiting *waiting)
{
    struct straight *straight = waiting->straight;

    waiting->is_asleep = true;
    while (!waiting->is_over && !straight->is_dropped)
        task_wait(straight->task);
    if (straight->is_dropped)
        return say_dropped(ctx);
    if (waiting->error.kind == ERR_NONE)
        return true;
    ctx->error = waiting->error;
    return false;
}

static void
leased(void *data, struct pool_lease *lease, const struct error *error)
{
    struct waiting *waiting = data;

    waiting->straight->ticket = NULL;
    waiting->straight->lease = lease;
    waiting->is_over = true;
    if (error)
        waiting->error = pool_error_copy(waiting->ctx->arena, error);
    if (waiting->is_asleep)
        task_wake(waiting->straight->task);
}

bool
straight_begin(struct ctx *ctx, struct straight *straight, int64_t limit_us)
{
    struct waiting waiting = { .ctx = ctx, .straight = straight };

    if (straight->is_dropped)
        return say_dropped(ctx);
    straight->until_us = limit_us > 0 ? clock_us() + limit_us : 0;

    struct pool_ticket *ticket = pool_lease(straight->pool, limit_us, leased, &waiting);

    if (!waiting.is_over)
        straight->ticket = ticket;
    return wait_for(ctx, &waiting);
}

static void
answered(void *data, const struct pool_outcome *outcome)
{
    struct waiting *waiting = data;

    waiting->is_over = true;
    waiting->straight->statements += outcome->statements;
    if (outcome->is_good)
        waiting->rows = outcome->rows[0];
    else
        waiting->error = outcome->error;
    if (waiting->is_asleep)
        task_wake(waiting->straight->task);
}

static bool
ask(struct ctx *ctx, struct straight *straight, const struct pool_statement *statement,
    struct rows *ret)
{
    struct waiting waiting = { .ctx = ctx, .straight = straight };
    struct pool_work work = {
        .statements = statement,
        .count = 1,
        .arena = ctx->arena,
        .done = answered,
        .data = &waiting,
    };

    if (straight->is_dropped)
        return say_dropped(ctx);
    if (!straight->lease)
        return error_set(ctx, ERR_FAILED, "no connection is held");
    if (straight->until_us) {
        work.limit_us = straight->until_us - clock_us();
        if (work.limit_us <= 0)
            return error_set(ctx, ERR_TIMEOUT, "the time for this request is over");
    }
    pool_lease_run(straight->lease, &work);
    if (!wait_for(ctx, &waiting))
        return false;
    *ret = waiting.rows;
    return true;
}

bool
straight_ask(struct ctx *ctx, struct straight *straight, const struct query *query,
    const void *args, void *ret_rows)
{
    struct pool_statement statement = { .query = query, .args = args };
    struct rows rows = { 0 };

    if (!ask(ctx, straight, &statement, &rows))
        return false;
    if (ret_rows)
        *(struct rows *)ret_rows = rows;
    return true;
}

bool
straight_do(struct ctx *ctx, struct straight *straight, const char *sql)
{
    struct pool_statement statement = { .sql = sql };
    struct rows ignored;

    return ask(ctx, straight, &statement, &ignored);
}

void
straight_end(struct straight *straight)
{
    if (straight->ticket)
        pool_drop(straight->ticket);
    if (straight->lease)
        pool_lease_end(straight->lease);
    straight->ticket = NULL;
    straight->lease = NULL;
}

void
straight_drop(struct straight *straight)
{
    if (straight->is_dropped)
        return;
    straight->is_dropped = true;
    if (straight->ticket)
        pool_drop(straight->ticket);
    straight->ticket = NULL;
    if (straight->lease)
        pool_lease_drop(straight->lease);
    task_wake(straight->task);
}
