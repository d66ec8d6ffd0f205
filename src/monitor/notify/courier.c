#include "base/clock.h"
#include "monitor/notify/sink.h"

enum { CLIENT_PUBLIC, CLIENT_PRIVATE, CLIENT_COUNT };
#define CALL_TIMEOUT_US 10000000
enum { MOST_ANSWER_BYTES = 64 * 1024 };

struct courier {
    struct loop *loop;
    struct http_client *clients[CLIENT_COUNT];
    struct delivery *deliveries; /* all that there are */
};

struct delivery {
    struct ctx ctx;
    struct courier *courier;
    struct delivery *next;
    const struct setup_sink *sink;
    struct program *program;
    struct loop_timer *timer; /* tells from the loop what was known at once */
    struct outcome outcome;
    delivery_done *done;
    void *data;
};

bool
courier_new(struct ctx *ctx, struct loop *loop, struct courier **ret)
{
    struct courier *courier = ARENA_NEW(ctx->arena, struct courier);

    courier->loop = loop;
    for (int i = 0; i < CLIENT_COUNT; i++) {
        const struct http_client_options options = {
            .allow_private = i == CLIENT_PRIVATE,
            .timeout_us = CALL_TIMEOUT_US,
            .most_body_bytes = MOST_ANSWER_BYTES,
        };

        if (!http_client_new(ctx, loop, &options, &courier->clients[i])) {
            courier_free(courier);
            return error_wrap(ctx, "preparing to send notifications");
        }
    }
    *ret = courier;
    return true;
}

void
delivery_drop(struct delivery *delivery)
{
    struct delivery **link = &delivery->courier->deliveries;

    while (*link != delivery)
        link = &(*link)->next;
    *link = delivery->next;
    if (delivery->program)
        program_free(delivery->program);
    if (delivery->timer)
        loop_timer_free(delivery->timer);
    arena_free(delivery->ctx.arena);
}

void
courier_free(struct courier *courier)
{
    if (!courier)
        return;
    /* First what could still call back into a delivery. */
    for (int i = 0; i < CLIENT_COUNT; i++)
        if (courier->clients[i])
            http_client_free(courier->clients[i]);
    while (courier->deliveries)
        delivery_drop(courier->deliveries);
}

struct delivery *
delivery_new(struct courier *courier, const struct setup_sink *sink)
{
    struct arena *arena = arena_new();
    struct delivery *delivery = ARENA_NEW(arena, struct delivery);

    *delivery = (struct delivery){
        .ctx = { .arena = arena },
        .courier = courier,
        .next = courier->deliveries,
        .sink = sink,
    };
    courier->deliveries = delivery;
    return delivery;
}

struct arena *
delivery_arena(struct delivery *delivery)
{
    return delivery->ctx.arena;
}

static void
finish(void *data, const struct outcome *outcome)
{
    struct delivery *delivery = data;

    delivery->done(delivery->data, outcome);
    delivery_drop(delivery);
}

static void
finish_from_loop(void *data)
{
    struct delivery *delivery = data;

    finish(delivery, &delivery->outcome);
}

/* What is known before anything was sent. */
static void
finish_later(struct delivery *delivery, enum outcome_kind kind, const char *answer)
{
    delivery->outcome = (struct outcome){
        .kind = kind,
        .after_us = -1,
        .answer = sink_redact(delivery->ctx.arena, delivery->sink, answer),
    };
    delivery->timer = loop_timer_new(delivery->courier->loop, finish_from_loop, delivery);
    loop_timer_set(delivery->timer, 0);
}

/* What RFC 9110 means by the status: 408, 425, 429 and 5xx may go well another time. */
static enum outcome_kind
kind_of_status(int status)
{
    if (status >= 200 && status < 300)
        return OUTCOME_SENT;
    if (status == 408 || status == 425 || status == 429 || status >= 500)
        return OUTCOME_LATER;
    return OUTCOME_REFUSED;
}

static void
http_called_back(void *data, const struct http_result *result)
{
    struct delivery *delivery = data;
    struct arena *arena = delivery->ctx.arena;
    const struct sink_kind_row *row = &sink_kinds[delivery->sink->kind];
    struct outcome outcome = { .kind = OUTCOME_LATER, .after_us = -1 };

    if (!result->is_answered) {
        outcome.answer = result->error ? result->error : "no answer";
    } else {
        const char *body =
            result->body ? arena_strndup(arena, result->body, strnlen(result->body, result->length))
                         : "";

        outcome.kind = kind_of_status(result->status);
        outcome.answer = arena_printf(arena, "%d", result->status);
        if (outcome.kind != OUTCOME_SENT && *body)
            outcome.answer = arena_printf(arena, "%d: %s", result->status, body);
        if (result->status >= 300 && result->status < 400)
            outcome.answer = arena_printf(
                arena, "%d: redirects are not followed: give the final URL", result->status);
        if (result->status == 429 || result->status == 503)
            outcome.after_us = result->retry_after_us;
        if (row->judge)
            row->judge(arena, result, &outcome);
        if (outcome.kind == OUTCOME_LATER && outcome.after_us >= 0)
            outcome.answer = arena_printf(arena, "%s (asks to wait %s)", outcome.answer,
                text_from_us(arena, outcome.after_us));
    }
    outcome.answer = sink_redact(arena, delivery->sink, outcome.answer);
    finish(delivery, &outcome);
}

void
delivery_start(
    struct delivery *delivery, const struct message *message, delivery_done *done, void *data)
{
    struct ctx *ctx = &delivery->ctx;
    const struct setup_sink *sink = delivery->sink;
    const struct sink_kind_row *row = &sink_kinds[sink->kind];
    struct http_call call = { 0 };
    bool is_good;

    delivery->done = done;
    delivery->data = data;
    if (row->compose) {
        struct http_client *client =
            delivery->courier->clients[sink->allow_private ? CLIENT_PRIVATE : CLIENT_PUBLIC];

        is_good = row->compose(ctx, sink, message, &call) &&
                  http_client_call(ctx, client, &call, http_called_back, delivery);
    } else {
        is_good = program_start(ctx, delivery->courier->loop, sink,
            message_webhook(ctx->arena, message), &delivery->program);
        if (is_good)
            program_listen(delivery->program, finish, delivery);
    }
    if (!is_good)
        finish_later(delivery,
            ctx->error.kind == ERR_INPUT || ctx->error.kind == ERR_CONFIG ? OUTCOME_REFUSED
                                                                          : OUTCOME_LATER,
            ctx->error.message);
}
