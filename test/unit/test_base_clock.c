#include "support/test.h"

#include <signal.h>

#include "base/clock.h"
#include "base/interrupt.h"

static void
the_clock_never_goes_back(void **state)
{
    int64_t last = clock_us();

    (void)state;
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_us();

        assert_true(now >= last);
        last = now;
    }
    /* Later than this line was written. */
    assert_true(clock_wall_us() > INT64_C(1790000000) * 1000000);
}

static void
times_are_written_in_utc(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { -1, "1969-12-31T23:59:59Z" },
        { 951782400, "2000-02-29T00:00:00Z" },
        { 1795354200, "2026-11-22T13:30:00Z" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us;

        assert_string_equal(clock_text(ctx->arena, cases[i].seconds * 1000000), cases[i].text);
        assert_true(clock_parse(cases[i].text, &us));
        assert_true(us == cases[i].seconds * 1000000);
    }
}

static void
what_is_no_such_text_is_refused(void **state)
{
    static const char *const bad[] = { "", "2026-11-22", "2026-11-22T13:30:00",
        "2026-11-22 13:30:00Z", "2026-11-22T13:30:00Z ", " 2026-11-22T13:30:00Z",
        "2026-13-22T13:30:00Z", "2026-02-30T13:30:00Z", "2026-11-22T25:30:00Z",
        "2026-11-22T13:30:00+01:00", "2026-1-2T3:4:5Z" };
    int64_t us;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (clock_parse(bad[i], &us))
            fail_msg("\"%s\" was accepted", bad[i]);
}

static void
sleep_lasts_and_ends_at_once_after_a_signal(void **state)
{
    int64_t start = clock_us();

    (void)state;
    assert_true(clock_sleep_us(5000));
    assert_true(clock_us() - start >= 5000);
    interrupt_put(SIGINT);
    start = clock_us();
    assert_false(clock_sleep_us(60000000));
    assert_true(clock_us() - start < 30000000);
    assert_int_equal(interrupt_take(), SIGINT);
    assert_true(clock_sleep_us(0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(the_clock_never_goes_back),
        test_with_ctx(times_are_written_in_utc),
        test_with_ctx(what_is_no_such_text_is_refused),
        test_with_ctx(sleep_lasts_and_ends_at_once_after_a_signal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
