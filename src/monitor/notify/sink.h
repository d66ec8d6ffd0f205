/* Kinds of sinks: a row of a table each, and one message on its way to one of them. */
#pragma once

#include "monitor/notify/message.h"

enum outcome_kind {
    OUTCOME_SENT,
    OUTCOME_LATER,   /* it may go well another time */
    OUTCOME_REFUSED, /* the same again would be refused again */
};

struct outcome {
    enum outcome_kind kind;
    int64_t after_us;   /* for how long the sink wants to be left alone; -1: it did not say */
    const char *answer; /* what came back, one line, without secrets */
};

/*
 * A kind of sink has either .compose, which makes a request of a message, and perhaps .judge, which
 * corrects what its status says; or .run, which hands the message to something else than HTTP.
 */
struct sink_kind_row {
    const char *name;
    bool is_for_people; /* many groups at once become one message, and not more than one a second */
    bool (*compose)(struct ctx *ctx, const struct setup_sink *sink, const struct message *message,
        struct http_call *ret);
    void (*judge)(struct arena *arena, const struct http_result *result, struct outcome *outcome);
};
extern const struct sink_kind_row sink_kinds[SINK_KIND_COUNT];

bool sink_webhook_compose(struct ctx *ctx, const struct setup_sink *sink,
    const struct message *message, struct http_call *ret) MUST_CHECK;
bool sink_slack_compose(struct ctx *ctx, const struct setup_sink *sink,
    const struct message *message, struct http_call *ret) MUST_CHECK;
bool sink_telegram_compose(struct ctx *ctx, const struct setup_sink *sink,
    const struct message *message, struct http_call *ret) MUST_CHECK;
bool sink_mail_compose(struct ctx *ctx, const struct setup_sink *sink,
    const struct message *message, struct http_call *ret) MUST_CHECK;
void sink_slack_judge(
    struct arena *arena, const struct http_result *result, struct outcome *outcome);
void sink_telegram_judge(
    struct arena *arena, const struct http_result *result, struct outcome *outcome);
void sink_mail_judge(
    struct arena *arena, const struct http_result *result, struct outcome *outcome);

/* A program that takes the message from its standard input. */
struct program;
typedef void program_done(void *data, const struct outcome *outcome);
bool program_start(struct ctx *ctx, struct loop *loop, const struct setup_sink *sink,
    const char *document, struct program **ret) MUST_CHECK;
/* done is called once, from the loop. */
void program_listen(struct program *program, program_done *done, void *data);
/* Kills it if it still runs. */
void program_free(struct program *program);

/* Takes messages to sinks; all of them share its clients. */
struct courier;
struct delivery;
bool courier_new(struct ctx *ctx, struct loop *loop, struct courier **ret) MUST_CHECK;
/* What is under way ends without a word. */
void courier_free(struct courier *courier);

typedef void delivery_done(void *data, const struct outcome *outcome);

/* An empty delivery, in whose arena the message is to be made. */
struct delivery *delivery_new(struct courier *courier, const struct setup_sink *sink);
struct arena *delivery_arena(struct delivery *delivery);
/* done is called once, from the loop, never from here; afterwards the delivery is gone. */
void delivery_start(
    struct delivery *delivery, const struct message *message, delivery_done *done, void *data);

/* Instead of starting it. */
void delivery_drop(struct delivery *delivery);

/* One line of at most 300 bytes without the sink's secrets. */
const char *sink_redact(struct arena *arena, const struct setup_sink *sink, const char *text);
