/*
 * Webhooks of many bots, in turns: a bot that floods waits for itself only. Each bot has a bucket of
 * tokens and a queue with an end; of the bots with something queued one after the other gets the next
 * turn, and neither all together nor one alone have more under way than a part of the pool.
 */
#pragma once

#include "event/loop.h"
#include "replyx/settings.h"

struct bots;

/* What waits for its turn; lives with its request. */
struct bots_turn {
    void (*start)(
        struct bots_turn *turn); /* from bots_enter() or from the bots_leave() of another */
    int64_t bot;
    struct bots_turn *next; /* ours */
};

/* Reads the secret; ERR_CONFIG for a file that others may read. Without one all webhooks are refused. */
bool bots_open(struct ctx *ctx, const struct settings *settings, struct bots **ret) MUST_CHECK;
void bots_close(struct bots *bots);
/* New settings: rate, length of queues and secret. */
bool bots_reload(struct ctx *ctx, struct bots *bots, const struct settings *settings) MUST_CHECK;

/*
 * Whether the header is the bot's secret, hex(HMAC-SHA256(secret of the file, "telegram:" id)), which is
 * what setWebhook is to be given as secret_token. ERR_IDENTITY if not; ERR_RIGHTS when there is no file.
 */
bool bots_check_secret(struct ctx *ctx, const struct bots *bots, int64_t bot, const char *header)
    MUST_CHECK;

/* Takes a place; ERR_LIMIT when the bot has sent too much lately or its queue is full. */
bool bots_enter(struct ctx *ctx, struct bots *bots, struct bots_turn *turn) MUST_CHECK;
/* After each start, once. */
void bots_leave(struct bots *bots, struct bots_turn *turn);

struct bots_statistics {
    int32_t known;     /* bots that are remembered */
    int32_t waiting;   /* webhooks in all queues */
    int32_t under_way; /* those that have their turn */
    int64_t refused;   /* since the start */
};
struct bots_statistics bots_statistics(const struct bots *bots);
