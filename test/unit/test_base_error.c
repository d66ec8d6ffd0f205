#include "support/test.h"

#include <errno.h>

static void
set_fails_and_forgets_what_was_before(void **state)
{
    struct ctx *ctx = *state;

    assert_false(error_set(ctx, ERR_SERVER, "relation \"%s\" does not exist", "users"));
    error_hint(ctx, "Create it.");
    error_state(ctx, "Nothing was changed.");
    ctx->error.detail = "more";
    memcpy(ctx->error.sqlstate, "42P01", 6);
    assert_string_equal(ctx->error.message, "relation \"users\" does not exist");

    assert_false(error_set(ctx, ERR_INPUT, "second"));
    assert_int_equal(ctx->error.kind, ERR_INPUT);
    assert_null(ctx->error.hint);
    assert_null(ctx->error.state);
    assert_null(ctx->error.detail);
    assert_string_equal(ctx->error.sqlstate, "");
}

static void
wrap_puts_the_outermost_context_first_and_keeps_the_rest(void **state)
{
    struct ctx *ctx = *state;

    error_set(ctx, ERR_STALE, "hash differs");
    assert_false(error_hint(ctx, "Make a new one: %d.", 1));
    assert_false(error_hint(ctx, "Make a new one: %d.", 2));
    assert_false(error_wrap(ctx, "reading %s", "plan"));
    assert_false(error_wrap(ctx, "applying"));
    assert_error(ctx, ERR_STALE, "applying: reading plan: hash differs");
    assert_string_equal(ctx->error.hint, "Make a new one: 2.");
}

static void
a_message_may_quote_the_one_it_replaces(void **state)
{
    struct ctx *ctx = *state;

    error_set(ctx, ERR_INPUT, "inner");
    error_set(ctx, ERR_CONFIG, "file:1: %s", ctx->error.message);
    assert_string_equal(ctx->error.message, "file:1: inner");
}

static void
errno_is_told_in_words(void **state)
{
    struct ctx *ctx = *state;

    errno = ENOENT;
    assert_false(error_set_errno(ctx, "could not open \"%s\"", "x"));
    assert_error(ctx, ERR_IO, "could not open \"x\": No such file or directory");
}

static void
clear_leaves_no_error(void **state)
{
    struct ctx *ctx = *state;

    error_set(ctx, ERR_INPUT, "wrong");
    error_clear(ctx);
    assert_int_equal(ctx->error.kind, ERR_NONE);
    assert_null(ctx->error.message);
}

static void
every_kind_has_statuses_and_a_name_of_its_own(void **state)
{
    (void)state;
    for (int kind = ERR_NONE; kind < ERROR_KIND_COUNT; kind++) {
        const char *name = error_kind_name((enum error_kind)kind);
        int http = error_http_status((enum error_kind)kind);

        assert_non_null(name);
        assert_true(kind == ERR_NONE || error_exit_status((enum error_kind)kind) > 0);
        assert_true(kind == ERR_NONE ? http == 200 : http >= 400 && http < 600);
        for (int other = 0; other < kind; other++)
            assert_string_not_equal(name, error_kind_name((enum error_kind)other));
    }
}

/* These numbers are in scripts of others: they must not move. */
static void
exit_statuses_are_those_of_the_manual(void **state)
{
    (void)state;
    assert_int_equal(error_exit_status(ERR_NONE), 0);
    assert_int_equal(error_exit_status(ERR_FAILED), 1);
    assert_int_equal(error_exit_status(ERR_USAGE), 2);
    assert_int_equal(error_exit_status(ERR_CONFIG), 2);
    assert_int_equal(error_exit_status(ERR_GATE), 4);
    assert_int_equal(error_exit_status(ERR_UNDONE), 5);
    assert_int_equal(error_exit_status(ERR_ATTENTION), 6);
    assert_int_equal(error_exit_status(ERR_LOCKED), 7);
    assert_int_equal(error_exit_status(ERR_CONNECTION), 8);
    assert_int_equal(error_exit_status(ERR_RIGHTS), 8);
    assert_int_equal(error_exit_status(ERR_STALE), 9);
    assert_int_equal(error_exit_status(ERR_VERIFICATION), 10);
    assert_int_equal(error_exit_status(ERR_INTERRUPTED), 130);
    assert_int_equal(error_exit_status(ERR_TERMINATED), 143);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(set_fails_and_forgets_what_was_before),
        test_with_ctx(wrap_puts_the_outermost_context_first_and_keeps_the_rest),
        test_with_ctx(a_message_may_quote_the_one_it_replaces),
        test_with_ctx(errno_is_told_in_words),
        test_with_ctx(clear_leaves_no_error),
        test_with_ctx(every_kind_has_statuses_and_a_name_of_its_own),
        test_with_ctx(exit_statuses_are_those_of_the_manual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
