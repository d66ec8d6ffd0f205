#include "replyx/bots.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "replyx/secret_file.h"

enum {
    BUCKETS = 1024,
    MOST_KNOWN = 4096, /* beyond it those that are full again are forgotten */
    LEAST_SECRET = 32,
    BURST_SECONDS = 2, /* what a bot may send at once after a pause, in seconds of its rate */
    SECOND_US = 1000000,
};

struct bot {
    int64_t id;
    struct bot *next; /* of the same bucket, or free */
    int64_t tokens;   /* in millionths */
    int64_t filled_us;
    struct bots_turn *first; /* of the queue */
    struct bots_turn *last;
    int32_t waiting;
    int32_t running;
    bool is_in_ring;
    struct bot *next_in_ring;
};

struct bots {
    struct arena *arena;
    struct arena *secret_arena;
    char *secret; /* NULL: webhooks are refused */
    int32_t rate;
    int32_t most_waiting;
    int32_t most_running; /* of all */
    int32_t most_of_one;
    struct bot *buckets[BUCKETS];
    struct bot *free;
    struct bot *ring_first; /* bots with something queued that may have another turn */
    struct bot *ring_last;
    bool is_pumping;
    struct bots_statistics statistics;
};

/* ---- the secret ---- */

static void
set_secret(struct bots *bots, const char *secret)
{
    struct arena *arena = arena_new();

    if (bots->secret)
        explicit_bzero(bots->secret, strlen(bots->secret));
    arena_free(bots->secret_arena);
    bots->secret_arena = arena;
    bots->secret = secret ? arena_strdup(arena, secret) : NULL;
}

bool
bots_check_secret(struct ctx *ctx, const struct bots *bots, int64_t bot, const char *header)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_SIZE];
    char wanted[2 * SHA256_SIZE + 1];
    const char *name = arena_printf(ctx->arena, "telegram:%lld", (long long)bot);

    if (!bots->secret) {
        error_set(ctx, ERR_RIGHTS, "this server takes no webhooks");
        return error_hint(ctx, "It takes them when it is given a webhook_secret_file.");
    }
    hmac_sha256(bots->secret, strlen(bots->secret), name, strlen(name), digest);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        wanted[2 * i] = digits[digest[i] >> 4];
        wanted[2 * i + 1] = digits[digest[i] & 15];
    }
    wanted[sizeof(wanted) - 1] = '\0';
    if (header && secret_equal(header, wanted))
        return true;
    return error_set(
        ctx, ERR_IDENTITY, "X-Telegram-Bot-Api-Secret-Token is missing or not that of this bot");
}

/* ---- who is known ---- */

static void
fill(const struct bots *bots, struct bot *bot, int64_t now_us)
{
    int64_t most = (int64_t)bots->rate * BURST_SECONDS * SECOND_US;
    int64_t passed_us = now_us - bot->filled_us;

    if (passed_us > (int64_t)BURST_SECONDS * SECOND_US)
        passed_us = (int64_t)BURST_SECONDS * SECOND_US;
    bot->tokens += passed_us * bots->rate;
    if (bot->tokens > most)
        bot->tokens = most;
    bot->filled_us = now_us;
}

static struct bot **
bucket_of(struct bots *bots, int64_t id)
{
    return &bots->buckets[((uint64_t)id * 0x9e3779b97f4a7c15ull >> 32) % BUCKETS];
}

/* A bot that would start with a full bucket anyway need not be remembered. */
static void
forget_idle(struct bots *bots, int64_t now_us)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        struct bot **place = &bots->buckets[i];

        while (*place) {
            struct bot *bot = *place;

            fill(bots, bot, now_us);
            if (bot->waiting > 0 || bot->running > 0 ||
                bot->tokens < (int64_t)bots->rate * BURST_SECONDS * SECOND_US) {
                place = &bot->next;
                continue;
            }
            *place = bot->next;
            bot->next = bots->free;
            bots->free = bot;
            bots->statistics.known--;
        }
    }
}

static struct bot *
find_bot(struct bots *bots, int64_t id, int64_t now_us)
{
    struct bot **bucket = bucket_of(bots, id);
    struct bot *bot = *bucket;

    while (bot && bot->id != id)
        bot = bot->next;
    if (bot)
        return bot;
    if (bots->statistics.known >= MOST_KNOWN && bots->statistics.known % 256 == 0)
        forget_idle(bots, now_us);
    bot = bots->free;
    if (bot)
        bots->free = bot->next;
    else
        bot = ARENA_NEW(bots->arena, struct bot);
    *bot = (struct bot){ .id = id,
        .tokens = (int64_t)bots->rate * BURST_SECONDS * SECOND_US,
        .filled_us = now_us,
        .next = *bucket };
    *bucket = bot;
    bots->statistics.known++;
    return bot;
}

/* ---- turns ---- */

/* Behind all others that wait for a turn, if it may have one. */
static void
join_ring(struct bots *bots, struct bot *bot)
{
    if (bot->is_in_ring || bot->waiting == 0 || bot->running >= bots->most_of_one)
        return;
    bot->is_in_ring = true;
    bot->next_in_ring = NULL;
    if (bots->ring_last)
        bots->ring_last->next_in_ring = bot;
    else
        bots->ring_first = bot;
    bots->ring_last = bot;
}

static struct bots_turn *
next_turn(struct bots *bots)
{
    struct bot *bot = bots->ring_first;
    struct bots_turn *turn = bot->first;

    bots->ring_first = bot->next_in_ring;
    if (!bots->ring_first)
        bots->ring_last = NULL;
    bot->is_in_ring = false;
    bot->first = turn->next;
    if (!bot->first)
        bot->last = NULL;
    bot->waiting--;
    bot->running++;
    bots->statistics.waiting--;
    bots->statistics.under_way++;
    join_ring(bots, bot);
    return turn;
}

/* A start may end at once, and so come back here: the outermost call goes on then. */
static void
pump(struct bots *bots)
{
    if (bots->is_pumping)
        return;
    bots->is_pumping = true;
    while (bots->ring_first && bots->statistics.under_way < bots->most_running) {
        struct bots_turn *turn = next_turn(bots);

        turn->start(turn);
    }
    bots->is_pumping = false;
}

static bool
refuse(struct ctx *ctx, struct bots *bots, const char *why)
{
    bots->statistics.refused++;
    error_set(ctx, ERR_LIMIT, "this bot %s", why);
    return error_hint(ctx, "Send the update again later; nothing of it was written.");
}

bool
bots_enter(struct ctx *ctx, struct bots *bots, struct bots_turn *turn)
{
    int64_t now_us = clock_us();
    struct bot *bot = find_bot(bots, turn->bot, now_us);

    fill(bots, bot, now_us);
    if (bot->tokens < SECOND_US)
        return refuse(ctx, bots, "sends more updates a second than it may");
    if (bot->waiting >= bots->most_waiting)
        return refuse(ctx, bots, "has too many updates waiting");
    bot->tokens -= SECOND_US;
    turn->next = NULL;
    if (bot->last)
        bot->last->next = turn;
    else
        bot->first = turn;
    bot->last = turn;
    bot->waiting++;
    bots->statistics.waiting++;
    join_ring(bots, bot);
    pump(bots);
    return true;
}

void
bots_leave(struct bots *bots, struct bots_turn *turn)
{
    struct bot *bot = *bucket_of(bots, turn->bot);

    while (bot->id != turn->bot)
        bot = bot->next;
    bot->running--;
    bots->statistics.under_way--;
    join_ring(bots, bot);
    pump(bots);
}

struct bots_statistics
bots_statistics(const struct bots *bots)
{
    return bots->statistics;
}

/* ---- life ---- */

/* A part of the pool, so that webhooks alone cannot take all of it; of that a part for one bot. */
static void
set_limits(struct bots *bots, const struct settings *settings)
{
    int32_t connections = settings->pool_size + settings->max_overflow;

    bots->rate = settings->bot_rate > 0 ? settings->bot_rate : 1;
    bots->most_waiting = settings->bot_queue > 0 ? settings->bot_queue : 1;
    bots->most_running = connections / 2 > 0 ? connections / 2 : 1;
    bots->most_of_one = bots->most_running / 4 > 0 ? bots->most_running / 4 : 1;
}

bool
bots_reload(struct ctx *ctx, struct bots *bots, const struct settings *settings)
{
    const char *path = settings->webhook_secret_file;
    const char *secret = NULL;

    if (path && !secret_file_read(ctx, path, "secret of webhooks", LEAST_SECRET, &secret))
        return false;
    set_secret(bots, secret);
    set_limits(bots, settings);
    return true;
}

bool
bots_open(struct ctx *ctx, const struct settings *settings, struct bots **ret)
{
    struct arena *arena = arena_new();
    struct bots *bots = ARENA_NEW(arena, struct bots);

    *ret = NULL;
    bots->arena = arena;
    if (!bots_reload(ctx, bots, settings)) {
        arena_free(arena);
        return false;
    }
    *ret = bots;
    return true;
}

void
bots_close(struct bots *bots)
{
    if (!bots)
        return;
    if (bots->secret)
        explicit_bzero(bots->secret, strlen(bots->secret));
    arena_free(bots->secret_arena);
    arena_free(bots->arena);
}
