/* The variant that answers: one round trip on a connection, or straight code in a task. */
#include <string.h>

#include "base/clock.h"
#include "replyx/call_part.h"
#include "sql.h"

/* A query on its way, with the arguments of the statement that goes before it. */
struct running {
    struct call *call;
    struct sql_replyx_api_become_args become;
};

static const struct variant *
find_variant(const struct endpoint *endpoint, const char *name)
{
    for (size_t i = 0; i < endpoint->variant_count; i++) {
        if (text_equal(endpoint->variants[i].name, name))
            return &endpoint->variants[i];
    }
    return NULL;
}

const char *
call_flag_name(const struct call *call)
{
    size_t number = 0;

    while (endpoints[number] != call->endpoint)
        number++;
    return call->api->flag_names[number];
}

/* What the flag gives this user; NULL when it gives him nothing. */
static const struct variant *
flagged_variant(const struct call *call)
{
    const struct flag *found;
    const struct variant *variant;
    struct flag flag;

    if (!call->api->flags || call->api->settings->ignore_flags)
        return NULL;
    found = flag_find(flag_follow_list(call->api->flags), call_flag_name(call));
    if (!found)
        return NULL;
    flag = *found;
    flag.percent = flag_percent(found, clock_wall_us());
    if (!flag_takes(&flag, call->user))
        return NULL;
    variant = find_variant(call->endpoint, flag.variant);
    return variant && variant->is_hidden && !call->api->settings->hidden_variants ? NULL : variant;
}

void
call_choose_variant(struct call *call)
{
    const struct endpoint *endpoint = call->endpoint;
    const struct settings *settings = call->api->settings;

    call->variant = settings->variant ? find_variant(endpoint, settings->variant) : NULL;
    if (!call->variant)
        call->variant = flagged_variant(call);
    if (!call->variant && endpoint->variant_count > 0)
        call->variant = &endpoint->variants[0];
}

static struct pool *
choose_pool(const struct call *call)
{
    if (call->endpoint->is_write)
        return hosts_for_writes(call->api->web);
    return hosts_for_reads(call->api->web, tally_position(call->api->tally, call->user));
}

/* The first column of the only row; NULL when there is none. */
static const char *
answer_of(const struct query *query, const struct rows *rows)
{
    const char *const *member;

    if (rows->count == 0)
        return NULL;
    member = (const void *)((const char *)rows->items + query->columns[0].offset);
    return *member;
}

static bool
refuse_missing(struct ctx *ctx)
{
    return error_set(ctx, ERR_NOT_FOUND, "it is not there");
}

/* What the statement that took the user's rights says of him. */
static bool
is_welcome(struct ctx *ctx, struct call *call, const struct rows *rows)
{
    const struct sql_replyx_api_become *row = rows->count > 0 ? rows->items : NULL;

    return auth_note_user(ctx, call, row && row->is_active);
}

/* ---- one round trip ---- */

static void
query_done(void *data, const struct pool_outcome *outcome)
{
    struct running *running = data;
    struct call *call = running->call;
    const char *body;

    call->ticket = NULL;
    call->statements += outcome->statements;
    call->waited_us += outcome->waited_us;
    call->ran_us += outcome->ran_us;
    if (!outcome->is_good) {
        call_fail(call, &outcome->error);
        return;
    }
    if (call->is_unsure && !is_welcome(&call->ctx, call, &outcome->rows[0])) {
        call_fail(call, &call->ctx.error);
        return;
    }
    body = answer_of(call->variant->query, &outcome->rows[outcome->count - 1]);
    if (body) {
        call_answer(call, 200, body, strlen(body));
        return;
    }
    (void)refuse_missing(&call->ctx);
    call_fail(call, &call->ctx.error);
}

/* Both behind one Sync are one transaction: the rights of the user end with his query. */
static void
run_query(struct call *call)
{
    struct running *running = ARENA_NEW(call->ctx.arena, struct running);
    const struct pool_statement statements[] = {
        { .query = &query_replyx_api_become, .args = &running->become },
        { .query = call->variant->query, .args = call->args },
    };
    size_t first = call->user > 0 ? 0 : 1;

    running->call = call;
    running->become.user_id = (int32_t)call->user;
    running->become.is_asked = call->is_unsure;

    struct pool_ticket *ticket =
        pool_run(choose_pool(call), &(const struct pool_work){
                                        .statements = statements + first,
                                        .count = COUNT_OF(statements) - first,
                                        .lane = call->variant->lane,
                                        .is_repeatable = !call->endpoint->is_write,
                                        .limit_us = call_time_left(call),
                                        .arena = call->ctx.arena,
                                        .done = query_done,
                                        .data = running,
                                    });

    /* Without a ticket it has been answered, and is no more. */
    if (ticket)
        call->ticket = ticket;
}

/* ---- straight code ---- */

bool
call_become(struct ctx *ctx, struct straight *straight, int64_t user)
{
    const struct sql_replyx_api_become_args args = { .user_id = (int32_t)user };
    struct rows rows;

    return straight_ask(ctx, straight, &query_replyx_api_become, &args, &rows);
}

bool
call_run_variant(struct ctx *ctx, struct call *call, struct straight *straight,
    const struct variant *variant, struct buffer *ret_body)
{
    struct rows rows;
    const char *body;

    if (!variant->query)
        return variant->run(ctx, call, straight, call->args, ret_body);
    if (!straight_ask(ctx, straight, variant->query, call->args, &rows))
        return false;
    body = answer_of(variant->query, &rows);
    if (!body)
        return refuse_missing(ctx);
    buffer_add(ret_body, body);
    return true;
}

/* The same for the call itself, whose user may have to be looked at. */
static bool
become_user(struct ctx *ctx, struct call *call)
{
    const struct sql_replyx_api_become_args args = { .user_id = (int32_t)call->user,
        .is_asked = call->is_unsure };
    struct rows rows;

    if (call->user == 0)
        return true;
    if (!straight_ask(ctx, &call->straight, &query_replyx_api_become, &args, &rows))
        return false;
    return !call->is_unsure || is_welcome(ctx, call, &rows);
}

/* What the user reads next must hold this: no standby that is behind may answer. */
static bool
note_write(struct ctx *ctx, struct call *call, struct straight *straight)
{
    struct sql_replyx_api_position_rows rows;

    if (!straight_ask(ctx, straight, &query_replyx_api_position, NULL, &rows))
        return false;
    if (rows.count > 0)
        tally_wrote(call->api->tally, call->user, (uint64_t)rows.items[0].position);
    return true;
}

/* A transaction that is as good as before is ended here, where it is counted; the error stays. */
static bool
roll_back(struct ctx *ctx, struct straight *straight)
{
    struct error error = ctx->error;

    if ((error.kind == ERR_NOT_FOUND || error.kind == ERR_IDENTITY) &&
        straight_do(ctx, straight, "ROLLBACK"))
        ctx->error = error;
    return false;
}

static bool
run_transaction(struct ctx *ctx, struct call *call, struct buffer *ret_body)
{
    struct straight *straight = &call->straight;
    bool is_write = call->endpoint->is_write;

    if (!straight_do(ctx, straight, is_write ? "BEGIN" : "BEGIN READ ONLY"))
        return false;
    if (!become_user(ctx, call))
        return roll_back(ctx, straight);
    if (!call_run_variant(ctx, call, straight, call->variant, ret_body))
        return roll_back(ctx, straight);
    /* Reads too: transactions that were rolled back are what alerts take for errors. */
    if (!straight_do(ctx, straight, "COMMIT"))
        return false;
    return !is_write || note_write(ctx, call, straight);
}

/* A read that lost its connection is done again, once, from its beginning. */
static bool
run_attempts(struct ctx *ctx, struct call *call, struct buffer *ret_body)
{
    struct straight *straight = &call->straight;
    int attempts = call->endpoint->is_write ? 1 : 2;

    for (;;) {
        int64_t began_us = clock_us();
        bool is_good = straight_begin(ctx, straight, call_time_left(call));
        int64_t got_us = clock_us();

        call->waited_us += got_us - began_us;
        if (!is_good)
            return false;
        ret_body->length = 0;
        is_good = run_transaction(ctx, call, ret_body);
        straight_end(straight);
        call->ran_us += clock_us() - got_us;
        if (is_good || --attempts == 0 || ctx->error.kind != ERR_CONNECTION)
            return is_good;
        error_clear(ctx);
    }
}

static void
run_straight(struct task *task, void *data)
{
    struct call *call = data;
    struct ctx *ctx = &call->ctx;
    struct buffer body = { .arena = ctx->arena };
    bool is_good;

    call->straight = (struct straight){ .task = task, .pool = choose_pool(call) };
    is_good = run_attempts(ctx, call, &body);
    call->statements += call->straight.statements;
    call->straight.task = NULL;
    if (is_good) {
        call_answer(call, 200, buffer_text(&body), body.length);
        return;
    }
    if (call->is_late)
        (void)error_set(ctx, ERR_TIMEOUT, "the request took too long and was cancelled");
    call_fail(call, &ctx->error);
}

static void
too_late(void *data)
{
    struct call *call = data;

    call->is_late = true;
    if (call->straight.task)
        straight_drop(&call->straight);
}

static void
run_task(struct call *call)
{
    call->limit = loop_timer_new(call->api->loop, too_late, call);
    loop_timer_set(call->limit, call_time_left(call));
    if (task_start(call->api->tasks, run_straight, call))
        return;
    (void)error_set(&call->ctx, ERR_BUSY, "too many requests are under way");
    call_fail(call, &call->ctx.error);
}

void
call_go_on(struct call *call)
{
    if (http_request_is_gone(call->request)) {
        call_forget(call);
        return;
    }
    call_choose_variant(call);
    if (call->variant->query)
        run_query(call);
    else
        run_task(call);
}
