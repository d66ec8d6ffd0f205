/* Lines of pgbench's log, of the versions that write them differently. */
#include "support/test.h"

#include "load/pgbench_log.h"

static struct load_result
result_with_scripts(struct ctx *ctx, size_t count)
{
    struct load_result result = {
        .scripts = ARENA_ARRAY(ctx->arena, struct load_script, count),
        .script_count = count,
    };

    for (size_t i = 0; i < count; i++)
        result.scripts[i].latency = histogram_new(ctx->arena);
    return result;
}

static void
each_line_counts_for_its_script(void **state)
{
    struct ctx *ctx = *state;
    struct load_result result = result_with_scripts(ctx, 2);

    assert_true(pgbench_log_add(ctx->arena, "0 199 2241 0 1175850568 995598\n", &result));
    assert_true(pgbench_log_add(ctx->arena, "0 200 1500 1 1175850568 998079 12\n", &result));
    assert_true(pgbench_log_add(ctx->arena, "1 7 1000 1 1175850569 608\n", &result));
    assert_int_equal(result.scripts[0].latency->count, 1);
    assert_int_equal(result.scripts[0].latency->max_us, 2241);
    assert_int_equal(result.scripts[1].latency->count, 2);
    assert_int_equal(result.scripts[1].latency->sum_us, 2500);
    assert_int_equal(load_calls(&result), 3);
    assert_int_equal(load_errors(&result), 0);
}

static void
failed_transactions_are_errors_without_a_latency(void **state)
{
    static const char *const lines[] = { "3 0 failed 0 1175850568 998079\n",
        "3 1 serialization 0 1499414498 84905 9 0\n", "3 2 deadlock 0 1499414498 84905\n" };
    struct ctx *ctx = *state;
    struct load_result result = result_with_scripts(ctx, 1);

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_true(pgbench_log_add(ctx->arena, lines[i], &result));
    assert_int_equal(result.scripts[0].failed, 3);
    assert_int_equal(result.scripts[0].latency->count, 0);
    assert_int_equal(result.second_count, 0);
    assert_int_equal(load_errors(&result), 3);
}

static void
what_pgbench_does_not_write_is_refused(void **state)
{
    static const char *const lines[] = { "", "hello\n", "0 1 2241 5 1175850568 995598\n",
        "0 1 2241 -1 1175850568 995598\n", "0 1 2241 0\n" };
    struct ctx *ctx = *state;
    struct load_result result = result_with_scripts(ctx, 1);

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_false(pgbench_log_add(ctx->arena, lines[i], &result));
    assert_int_equal(load_calls(&result), 0);
}

/* The files of two threads are read one after the other. */
static void
seconds_are_put_in_order_and_added_up(void **state)
{
    static const char *const lines[] = { "0 0 100 0 50 1\n", "0 1 300 0 50 2\n", "0 2 100 0 52 3\n",
        "1 0 900 0 49 4\n", "1 1 200 0 50 5\n", "1 2 700 0 51 6\n" };
    static const struct load_second expected[] = {
        { .at = 49, .calls = 1, .sum_us = 900, .max_us = 900 },
        { .at = 50, .calls = 3, .sum_us = 600, .max_us = 300 },
        { .at = 51, .calls = 1, .sum_us = 700, .max_us = 700 },
        { .at = 52, .calls = 1, .sum_us = 100, .max_us = 100 },
    };
    struct ctx *ctx = *state;
    struct load_result result = result_with_scripts(ctx, 1);

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_true(pgbench_log_add(ctx->arena, lines[i], &result));
    assert_int_equal(result.second_count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(result.seconds[i].at, expected[i].at);
        assert_int_equal(result.seconds[i].calls, expected[i].calls);
        assert_int_equal(result.seconds[i].sum_us, expected[i].sum_us);
        assert_int_equal(result.seconds[i].max_us, expected[i].max_us);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(each_line_counts_for_its_script),
        test_with_ctx(failed_transactions_are_errors_without_a_latency),
        test_with_ctx(what_pgbench_does_not_write_is_refused),
        test_with_ctx(seconds_are_put_in_order_and_added_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
