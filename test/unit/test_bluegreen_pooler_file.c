/* The entry of pgbouncer.ini: what it becomes is written by hand here, after PgBouncer's manual. */
#include "support/test.h"

#include "bluegreen/bluegreen.h"

static const char file[] = "; app = host=comment\r\n"
                           "[users]\n"
                           "app = pool_mode=session\n"
                           "[databases]\n"
                           "app2 = host=x dbname=y\n"
                           "app = dbname='my app' host=blue port=5432 user=u password='it''s = x'\n"
                           "\"odd name\"=host=a\r\n"
                           "[pgbouncer]\n"
                           "app = 3";

static void
only_host_port_and_name_change(void **state)
{
    struct ctx *ctx = *state;
    const struct bluegreen_entry entry = { "app", "/run/green", "6000", "app" };
    const char *text, *before;

    assert_true(pooler_file_point(ctx, file, &entry, &text, &before));
    assert_string_equal(
        before, "app = dbname='my app' host=blue port=5432 user=u password='it''s = x'");
    assert_string_equal(text,
        "; app = host=comment\r\n"
        "[users]\n"
        "app = pool_mode=session\n"
        "[databases]\n"
        "app2 = host=x dbname=y\n"
        "app = host=/run/green port=6000 dbname=app user=u password='it''s = x'\n"
        "\"odd name\"=host=a\r\n"
        "[pgbouncer]\n"
        "app = 3");
}

static void
quotes_are_understood_and_written(void **state)
{
    struct ctx *ctx = *state;
    const struct bluegreen_entry entry = { "odd name", NULL, NULL, "it's green" };
    const char *text, *before;

    assert_true(pooler_file_point(ctx, file, &entry, &text, &before));
    assert_string_equal(before, "\"odd name\"=host=a");
    assert_non_null(strstr(text, "\n\"odd name\"= dbname='it''s green'\r\n[pgbouncer]"));
}

static void
there_and_back_is_stable(void **state)
{
    struct ctx *ctx = *state;
    const struct bluegreen_entry there = { "app", "g", "1", "app" };
    const struct bluegreen_entry back = { "app", "blue", "5432", "my app" };
    const char *once, *twice, *thrice, *fourth, *before;

    assert_true(pooler_file_point(ctx, file, &there, &once, &before));
    assert_true(pooler_file_point(ctx, once, &back, &twice, &before));
    assert_true(pooler_file_point(ctx, twice, &there, &thrice, &before));
    assert_true(pooler_file_point(ctx, thrice, &back, &fourth, &before));
    assert_string_equal(once, thrice);
    assert_string_equal(twice, fourth);
}

static void
what_is_not_there_once_is_refused(void **state)
{
    struct ctx *ctx = *state;
    const struct bluegreen_entry entry = { "nobody", "h", "1", "d" };
    const struct bluegreen_entry app = { "app", "h", "1", "d" };
    const char *text, *before;

    assert_false(pooler_file_point(ctx, file, &entry, &text, &before));
    assert_error(ctx, ERR_INPUT, "no entry \"nobody\"");
    error_clear(ctx);
    assert_false(
        pooler_file_point(ctx, "[databases]\napp=host=a\napp = host=b\n", &app, &text, &before));
    assert_error(ctx, ERR_INPUT, "2 entries of \"app\"");
    error_clear(ctx);
    assert_false(pooler_file_point(ctx, "", &app, &text, &before));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(only_host_port_and_name_change),
        test_with_ctx(quotes_are_understood_and_written),
        test_with_ctx(there_and_back_is_stable),
        test_with_ctx(what_is_not_there_once_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("bluegreen/pooler_file", tests, NULL, NULL);
}
