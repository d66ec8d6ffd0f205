#include "support/test.h"

#include <string.h>
#include <sys/stat.h>

#include "replyx/bots.h"

/* Turns in the order in which they were given; those in line are ended by the test. */
struct given {
    struct bots_turn turn;
    struct order *order;
    size_t number; /* in which it came */
};

struct order {
    struct bots *bots;
    struct given *items[2000];
    size_t count;
    size_t entered;
    bool ends_at_once;
};

static void
started(struct bots_turn *turn)
{
    struct given *given = (struct given *)turn;
    struct order *order = given->order;

    order->items[order->count++] = given;
    if (order->ends_at_once)
        bots_leave(order->bots, turn);
}

static bool
enter(struct ctx *ctx, struct order *order, int64_t bot)
{
    struct given *given = ARENA_NEW(ctx->arena, struct given);

    given->order = order;
    given->number = order->entered++;
    given->turn = (struct bots_turn){ .start = started, .bot = bot };
    return bots_enter(ctx, order->bots, &given->turn);
}

/* 16 connections: 8 webhooks at a time, 2 of one bot. */
static struct settings
settings_of(int32_t rate, int32_t queue)
{
    return (struct settings){
        .pool_size = 10, .max_overflow = 6, .bot_rate = rate, .bot_queue = queue
    };
}

static void
open_order(struct ctx *ctx, struct order *order, int32_t rate, int32_t queue)
{
    const struct settings settings = settings_of(rate, queue);

    memset(order, 0, sizeof(*order));
    assert_true(bots_open(ctx, &settings, &order->bots));
}

static void
bots_take_turns(void **state)
{
    struct ctx *ctx = *state;
    struct order order;
    int of_one = 0;

    open_order(ctx, &order, 1000, 100);
    for (int i = 0; i < 50; i++)
        assert_true(enter(ctx, &order, 1));
    assert_int_equal(order.count, 2);
    for (int64_t bot = 2; bot <= 5; bot++)
        assert_true(enter(ctx, &order, bot));
    /* Those that came later did not wait for the 48. */
    assert_int_equal(order.count, 6);
    for (int64_t bot = 2; bot <= 4; bot++)
        for (int i = 0; i < 5; i++)
            assert_true(enter(ctx, &order, bot));
    assert_int_equal(order.count, 8);
    assert_int_equal(bots_statistics(order.bots).waiting, 48 + 13);
    /* One after the other ends: while all of them have something queued each has every fourth turn. */
    for (size_t ended = 0; ended < 16; ended++)
        bots_leave(order.bots, &order.items[ended]->turn);
    for (size_t i = 8; i < order.count; i++)
        of_one += order.items[i]->turn.bot == 1;
    assert_int_equal(order.count, 24);
    assert_in_range(of_one, 3, 5);
    for (size_t ended = 16; ended < order.count; ended++)
        bots_leave(order.bots, &order.items[ended]->turn);
    assert_int_equal(order.count, 50 + 4 + 15);
    assert_int_equal(bots_statistics(order.bots).under_way, 0);
    assert_int_equal(bots_statistics(order.bots).waiting, 0);
    bots_close(order.bots);
}

/* What was queued by one bot comes in its order. */
static void
queue_is_in_order(void **state)
{
    struct ctx *ctx = *state;
    struct order order;

    open_order(ctx, &order, 1000, 100);
    for (int i = 0; i < 20; i++)
        assert_true(enter(ctx, &order, 9));
    for (size_t i = 0; i < order.count; i++) {
        assert_int_equal(order.items[i]->number, i);
        bots_leave(order.bots, &order.items[i]->turn);
    }
    assert_int_equal(order.count, 20);
    bots_close(order.bots);
}

static void
full_queue_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct order order;

    open_order(ctx, &order, 1000, 3);
    for (int i = 0; i < 5; i++)
        assert_true(enter(ctx, &order, 1));
    assert_false(enter(ctx, &order, 1));
    assert_error(ctx, ERR_LIMIT, "too many updates waiting");
    assert_true(enter(ctx, &order, 2));
    assert_int_equal(bots_statistics(order.bots).refused, 1);
    bots_close(order.bots);
}

/* Two seconds of its rate at once; then it has to wait, and nobody else has. */
static void
rate_is_kept(void **state)
{
    struct ctx *ctx = *state;
    struct order order;
    int taken = 0;

    open_order(ctx, &order, 1, 100);
    order.ends_at_once = true;
    while (taken < 1000 && enter(ctx, &order, 1))
        taken++;
    /* A machine that stands still for a second gives one more. */
    assert_in_range(taken, 2, 20);
    assert_error(ctx, ERR_LIMIT, "more updates a second");
    assert_true(enter(ctx, &order, 2));
    bots_close(order.bots);
}

static void
many_bots_are_forgotten(void **state)
{
    struct ctx *ctx = *state;
    struct order order;

    open_order(ctx, &order, 1000000, 100);
    order.ends_at_once = true;
    for (int64_t bot = 1; bot <= 20000; bot++) {
        order.count = 0;
        assert_true(enter(ctx, &order, bot));
    }
    assert_true(bots_statistics(order.bots).known < 10000);
    bots_close(order.bots);
}

/* The digest is what "openssl dgst -sha256 -hmac" gives for this key and "telegram:42". */
static void
secret_is_the_bots_own(void **state)
{
    static const char good[] = "f6140b360dc0526f816f2ede9a15b14fc64dbfa3f4142732abb82d2c85f88787";
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "secret");
    struct settings settings = settings_of(10, 10);
    struct bots *bots;

    assert_true(file_write(ctx, path, "0123456789abcdef0123456789abcdef\n", 33, 0600));
    settings.webhook_secret_file = path;
    assert_true(bots_open(ctx, &settings, &bots));
    assert_true(bots_check_secret(ctx, bots, 42, good));
    assert_false(bots_check_secret(ctx, bots, 43, good));
    assert_error(ctx, ERR_IDENTITY, "X-Telegram-Bot-Api-Secret-Token");
    assert_false(bots_check_secret(ctx, bots, 42, NULL));
    assert_false(bots_check_secret(ctx, bots, 42, ""));
    assert_false(bots_check_secret(ctx, bots, 42, "0123456789abcdef0123456789abcdef"));
    assert_int_equal(chmod(path, 0640), 0);
    assert_false(bots_reload(ctx, bots, &settings));
    assert_error(ctx, ERR_CONFIG, "others than its owner");
    assert_true(bots_check_secret(ctx, bots, 42, good)); /* the last good one */
    settings.webhook_secret_file = NULL;
    assert_true(bots_reload(ctx, bots, &settings));
    assert_false(bots_check_secret(ctx, bots, 42, good));
    assert_error(ctx, ERR_RIGHTS, "takes no webhooks");
    bots_close(bots);
    assert_true(file_write(ctx, path, "short", 5, 0600));
    settings.webhook_secret_file = path;
    assert_false(bots_open(ctx, &settings, &bots));
    assert_error(ctx, ERR_CONFIG, "shorter than 32");
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(bots_take_turns),
        test_with_ctx(queue_is_in_order),
        test_with_ctx(full_queue_is_refused),
        test_with_ctx(rate_is_kept),
        test_with_ctx(many_bots_are_forgotten),
        test_with_ctx(secret_is_the_bots_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
