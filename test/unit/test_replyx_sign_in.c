/* What is remembered between requests about who signs in: tokens that were good, attempts that failed. */
#include "support/test.h"

#include "replyx/logins.h"
#include "replyx/tokens.h"

static const int64_t second_us = 1000000;

static void
a_token_is_known_until_its_time(void **state)
{
    struct tokens *tokens = tokens_new();
    int64_t user = 0;

    (void)state;
    assert_false(tokens_get(tokens, "rx_1", 0, &user));
    tokens_put(tokens, "rx_1", 17, 100);
    tokens_put(tokens, "rx_2", 0, 100);
    assert_true(tokens_get(tokens, "rx_1", 99, &user));
    assert_int_equal(user, 17);
    assert_true(tokens_get(tokens, "rx_2", 99, &user));
    assert_int_equal(user, 0);
    assert_false(tokens_get(tokens, "rx_1", 100, &user));
    assert_false(tokens_get(tokens, "rx_", 50, &user));
    assert_false(tokens_get(tokens, "rx_11", 50, &user));
    assert_false(tokens_get(tokens, "", 50, &user));
    tokens_put(tokens, "rx_1", 18, 200);
    assert_true(tokens_get(tokens, "rx_1", 150, &user));
    assert_int_equal(user, 18);
    tokens_forget(tokens);
    assert_false(tokens_get(tokens, "rx_1", 150, &user));
    tokens_free(tokens);
}

/* However many there are: those that are remembered are right, and the last ones are among them. */
static void
there_is_an_end_to_what_is_remembered(void **state)
{
    enum { COUNT = 50000, LAST = 1000 };
    struct ctx *ctx = *state;
    struct tokens *tokens = tokens_new();
    int found = 0;
    int found_late = 0;

    for (int i = 0; i < COUNT; i++)
        tokens_put(tokens, arena_printf(ctx->arena, "rx_%064d", i), i, i + 1);
    for (int i = 0; i < COUNT; i++) {
        int64_t user;

        if (!tokens_get(tokens, arena_printf(ctx->arena, "rx_%064d", i), 0, &user))
            continue;
        assert_int_equal(user, i);
        found++;
        found_late += i >= COUNT - LAST;
    }
    assert_in_range(found, LAST / 2, 10000);
    assert_true(found_late > LAST / 2);
    tokens_free(tokens);
}

/* Ten at an account, then one in thirty seconds. */
static void
an_account_is_closed_after_ten_failures(void **state)
{
    struct ctx *ctx = *state;
    struct logins *logins = logins_new(NULL);
    int64_t now_us = 1000 * second_us;
    int64_t wait_us;

    for (int i = 0; i < 10; i++)
        assert_true(logins_try(
            logins, "a@example.com", arena_printf(ctx->arena, "10.0.0.%d", i), now_us, &wait_us));
    assert_false(logins_try(logins, "a@example.com", "10.0.1.1", now_us, &wait_us));
    assert_true(wait_us == 30 * second_us);
    assert_true(logins_try(logins, "b@example.com", "10.0.0.1", now_us, &wait_us));
    assert_false(
        logins_try(logins, "a@example.com", "10.0.1.1", now_us + 30 * second_us - 1, &wait_us));
    assert_true(logins_try(logins, "a@example.com", "10.0.1.1", now_us + 30 * second_us, &wait_us));
    assert_false(
        logins_try(logins, "a@example.com", "10.0.1.1", now_us + 31 * second_us, &wait_us));
    assert_true(wait_us == 29 * second_us);
    /* After five minutes it is as if nothing had been. */
    for (int i = 0; i < 10; i++)
        assert_true(
            logins_try(logins, "a@example.com", "10.0.2.2", now_us + 400 * second_us, &wait_us));
    logins_free(logins);
}

static void
an_address_is_closed_after_a_hundred_failures(void **state)
{
    struct ctx *ctx = *state;
    struct logins *logins = logins_new(NULL);
    int64_t now_us = 1000 * second_us;
    int64_t wait_us;

    for (int i = 0; i < 100; i++)
        assert_true(logins_try(
            logins, arena_printf(ctx->arena, "%d@example.com", i), "10.0.0.1", now_us, &wait_us));
    assert_false(logins_try(logins, "other@example.com", "10.0.0.1", now_us, &wait_us));
    assert_true(wait_us == second_us);
    assert_true(logins_try(logins, "other@example.com", "10.0.0.2", now_us, &wait_us));
    logins_free(logins);
}

static void
who_knows_the_password_may_come_often(void **state)
{
    struct logins *logins = logins_new(NULL);
    int64_t wait_us;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_true(logins_try(logins, "a@example.com", "10.0.0.1", second_us, &wait_us));
        logins_succeeded(logins, "a@example.com", "10.0.0.1");
    }
    logins_free(logins);
}

/* Who is behind the same proxy is not locked out by others. */
static void
an_address_that_is_not_known_is_not_counted(void **state)
{
    struct ctx *ctx = *state;
    struct logins *logins = logins_new(NULL);
    int64_t wait_us;

    for (int i = 0; i < 1000; i++)
        assert_true(logins_try(
            logins, arena_printf(ctx->arena, "%d@example.com", i), NULL, second_us, &wait_us));
    /* By chance a name may share its count with one of those: anew. */
    logins_free(logins);
    logins = logins_new(NULL);
    for (int i = 0; i < 10; i++)
        assert_true(logins_try(logins, "a@example.com", NULL, second_us, &wait_us));
    assert_false(logins_try(logins, "a@example.com", NULL, second_us, &wait_us));
    logins_succeeded(logins, "a@example.com", NULL);
    assert_true(logins_try(logins, "a@example.com", NULL, second_us, &wait_us));
    logins_free(logins);
}

static void
a_user_is_remembered_until_his_time(void **state)
{
    struct tokens *tokens = tokens_new();
    bool is_active;

    (void)state;
    assert_false(tokens_get_user(tokens, 17, 50, &is_active));
    tokens_put_user(tokens, 17, true, 100);
    assert_true(tokens_get_user(tokens, 17, 99, &is_active));
    assert_true(is_active);
    assert_false(tokens_get_user(tokens, 17, 100, &is_active));
    assert_false(tokens_get_user(tokens, 17 + 8192, 50, &is_active));
    tokens_put_user(tokens, 17, false, 100);
    assert_true(tokens_get_user(tokens, 17, 99, &is_active));
    assert_false(is_active);
    tokens_forget(tokens);
    assert_false(tokens_get_user(tokens, 17, 50, &is_active));
    tokens_free(tokens);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_token_is_known_until_its_time),
        test_with_ctx(there_is_an_end_to_what_is_remembered),
        test_with_ctx(an_account_is_closed_after_ten_failures),
        test_with_ctx(an_address_is_closed_after_a_hundred_failures),
        test_with_ctx(who_knows_the_password_may_come_often),
        test_with_ctx(an_address_that_is_not_known_is_not_counted),
        test_with_ctx(a_user_is_remembered_until_his_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
