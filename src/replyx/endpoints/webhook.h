/* What the files of the webhook share. */
#pragma once

#include "replyx/bots.h"
#include "replyx/call.h"
#include "sql.h"

/* An update on its way; it lives with its request. */
struct webhook {
    struct bots_turn turn; /* the first member */
    struct call *call;
    struct sql_replyx_api_webhook_args args;
    int64_t owner; /* of the bot, once it is known */
    const char *answer;
    int attempts;
};

/* webhook_read.c: ERR_INPUT tells what is wrong with the update. */
bool webhook_read(struct ctx *ctx, struct call *call, struct sql_replyx_api_webhook_args *ret)
    MUST_CHECK;

/*
 * webhook_naive.c: statement by statement, in the transaction that is open. ERR_NOT_FOUND: there is no
 * such bot.
 */
bool webhook_run_naive(struct ctx *ctx, struct straight *straight, struct webhook *webhook)
    MUST_CHECK;
