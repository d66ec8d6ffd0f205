/*
 * POST /telegram/webhook/{bot_id}: an update of a Telegram bot, with the bot's secret in the header
 * X-Telegram-Bot-Api-Secret-Token (bots.h tells which it is).
 *   answer {"method": "sendMessage", "chat_id", "text"}, which Telegram sends for us; {} when there is
 *   nothing to say: an update that is not acted on, or an operator who has taken the dialog over
 * 200: the message, its dialog and the answer are stored, in one transaction; else nothing is. The same
 * update again, at the same time or after a connection was lost, gets the same answer and writes nothing,
 * so it is safe for Telegram and for us to try again. Bots have their turns one after the other.
 */
#include "replyx/endpoints/webhook.h"

#include <string.h>

#include "replyx/embed.h"
#include "replyx/endpoints/endpoints.h"

enum { MOST_BODY = 64 * 1024, MOST_ATTEMPTS = 3 };

/* ---- the end ---- */

static void
end(struct webhook *webhook)
{
    struct call *call = webhook->call;

    bots_leave(call->api->bots, &webhook->turn);
    call_answer(call, 200, webhook->answer, strlen(webhook->answer));
}

static void
fail(struct webhook *webhook, const struct error *error)
{
    bots_leave(webhook->call->api->bots, &webhook->turn);
    call_fail(webhook->call, error);
}

static void
count(struct call *call, const struct pool_outcome *outcome)
{
    call->statements += outcome->statements;
    call->waited_us += outcome->waited_us;
    call->ran_us += outcome->ran_us;
}

/* Another transaction stood in the way, or the connection was lost: what was written, if it was, is found. */
static bool
is_worth_another(const struct webhook *webhook, const struct error *error)
{
    return webhook->attempts < MOST_ATTEMPTS &&
           (error->kind == ERR_CONNECTION || text_equal(error->sqlstate, "40P01") ||
               text_equal(error->sqlstate, "40001"));
}

/* ---- the fast form: one statement ---- */

static void run_query(struct webhook *webhook);

static void
position_known(void *data, const struct pool_outcome *outcome)
{
    struct webhook *webhook = data;
    struct call *call = webhook->call;
    const struct sql_replyx_api_position *row;

    count(call, outcome);
    if (outcome->is_good && outcome->rows[0].count > 0) {
        row = outcome->rows[0].items;
        tally_wrote(call->api->tally, webhook->owner, (uint64_t)row->position);
    }
    end(webhook);
}

/* Where there are standbys the owner's next read must find what was written. */
static void
ask_position(struct webhook *webhook)
{
    struct call *call = webhook->call;
    const struct pool_statement statement = { .query = &query_replyx_api_position };

    if (hosts_count(call->api->web) < 2) {
        end(webhook);
        return;
    }
    (void)pool_run(
        hosts_for_writes(call->api->web), &(const struct pool_work){ .statements = &statement,
                                              .count = 1,
                                              .lane = POOL_SHARED,
                                              .is_repeatable = true,
                                              .limit_us = call->api->settings->request_limit,
                                              .arena = call->ctx.arena,
                                              .done = position_known,
                                              .data = webhook });
}

static void
query_done(void *data, const struct pool_outcome *outcome)
{
    struct webhook *webhook = data;
    struct call *call = webhook->call;
    const struct sql_replyx_api_webhook *row;

    count(call, outcome);
    if (!outcome->is_good) {
        if (is_worth_another(webhook, &outcome->error))
            run_query(webhook);
        else
            fail(webhook, &outcome->error);
        return;
    }
    if (outcome->rows[0].count == 0) {
        (void)error_set(&call->ctx, ERR_NOT_FOUND, "there is no such bot");
        fail(webhook, &call->ctx.error);
        return;
    }
    row = outcome->rows[0].items;
    webhook->owner = row->owner;
    webhook->answer = row->answer;
    ask_position(webhook);
}

static void
run_query(struct webhook *webhook)
{
    struct call *call = webhook->call;
    const struct pool_statement statement = { .query = &query_replyx_api_webhook,
        .args = &webhook->args };

    webhook->attempts++;
    (void)pool_run(
        hosts_for_writes(call->api->web), &(const struct pool_work){ .statements = &statement,
                                              .count = 1,
                                              .lane = POOL_EXCLUSIVE,
                                              .is_repeatable = true,
                                              .limit_us = call->api->settings->request_limit,
                                              .arena = call->ctx.arena,
                                              .done = query_done,
                                              .data = webhook });
}

/* ---- the slow form ---- */

static bool
run_transaction(struct ctx *ctx, struct webhook *webhook, struct straight *straight)
{
    struct sql_replyx_api_position_rows rows;
    bool is_good = straight_begin(ctx, straight, webhook->call->api->settings->request_limit) &&
                   straight_do(ctx, straight, "BEGIN") &&
                   webhook_run_naive(ctx, straight, webhook) &&
                   straight_do(ctx, straight, "COMMIT") &&
                   straight_ask(ctx, straight, &query_replyx_api_position, NULL, &rows);

    straight_end(straight);
    if (is_good && rows.count > 0)
        tally_wrote(webhook->call->api->tally, webhook->owner, (uint64_t)rows.items[0].position);
    return is_good;
}

static void
run_straight(struct task *task, void *data)
{
    struct webhook *webhook = data;
    struct call *call = webhook->call;
    struct straight straight = { .task = task, .pool = hosts_for_writes(call->api->web) };
    bool is_good;

    do {
        error_clear(&call->ctx);
        webhook->attempts++;
        is_good = run_transaction(&call->ctx, webhook, &straight);
    } while (!is_good && is_worth_another(webhook, &call->ctx.error));
    call->statements += straight.statements;
    if (is_good)
        end(webhook);
    else
        fail(webhook, &call->ctx.error);
}

static const struct variant variants[] = {
    { .name = "naive" },
    { .name = "optimised", .query = &query_replyx_api_webhook, .lane = POOL_EXCLUSIVE },
};

/* ---- its turn ---- */

static void
run(struct webhook *webhook)
{
    struct call *call = webhook->call;

    /* A bot stays in one arm as a user does. */
    call->user = call->numbers[0];
    call_choose_variant(call);
    call->user = 0;
    if (call->variant->query) {
        run_query(webhook);
    } else if (!task_start(call->api->tasks, run_straight, webhook)) {
        (void)error_set(&call->ctx, ERR_BUSY, "too many requests are under way");
        fail(webhook, &call->ctx.error);
    }
}

static void
embedded(void *data, const struct embedding *embedding)
{
    struct webhook *webhook = data;

    webhook->call->statements += embedding->statements;
    webhook->args.question = embedding->vector;
    run(webhook);
}

static void
start(struct bots_turn *turn)
{
    struct webhook *webhook = (struct webhook *)turn;
    struct call *call = webhook->call;

    if (!webhook_read(&call->ctx, call, &webhook->args))
        fail(webhook, &call->ctx.error);
    else if (call->api->embedder && !text_is_empty(webhook->args.words))
        embed_text(call->api, call->ctx.arena, webhook->args.words, embedded, webhook);
    else
        run(webhook);
}

/* Answers with 413 what is larger than updates are. */
static bool
is_too_large(struct call *call)
{
    size_t length;

    (void)http_request_body(call->request, &length);
    if (length <= MOST_BODY)
        return false;
    (void)error_set(
        &call->ctx, ERR_INPUT, "the update has %zu bytes, and may have %d", length, (int)MOST_BODY);
    call_fail_as(call, 413, &call->ctx.error);
    return true;
}

static void
handle(struct call *call)
{
    struct bots *bots = call->api->bots;
    struct webhook *webhook = ARENA_NEW(call->ctx.arena, struct webhook);

    webhook->call = call;
    webhook->turn = (struct bots_turn){ .start = start, .bot = call->numbers[0] };
    if (bots_check_secret(&call->ctx, bots, call->numbers[0],
            http_request_header(call->request, "X-Telegram-Bot-Api-Secret-Token"))) {
        /* After bots_enter() the webhook may have been answered already, and be no more. */
        if (is_too_large(call) || bots_enter(&call->ctx, bots, &webhook->turn))
            return;
    }
    call_fail(call, &call->ctx.error);
}

const struct endpoint endpoint_webhook = {
    .name = "webhook",
    .methods = HTTP_POST,
    .path = "/telegram/webhook/{id}",
    .is_open = true,
    .is_write = true,
    .handle = handle,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
