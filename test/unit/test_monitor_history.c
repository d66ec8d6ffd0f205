/* What is kept in memory, compared with sums over all values ever added, kept by the test itself. */
#include "support/test.h"

#include <math.h>

#include "monitor/history_part.h"

static const int64_t S = 1000000;
static const int64_t BEGIN = INT64_C(1794999600) * 1000000; /* a whole number of ten minutes */

static const struct metric load = { .name = "load", .is_kept = true };
static const struct metric depth = { .name = "depth", .is_kept = true };
static const struct metric unkept = { .name = "unkept" };
static const char *const by_name[] = { "name", NULL };

struct bench {
    struct ctx ctx;
    struct arena *tick_arena;
    struct watched watched;
    struct history *history;
    int64_t at[40000]; /* what was added: times and values of series "a" */
    double value[40000];
    size_t count;
};

static int
set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    bench->ctx.arena = arena_new();
    bench->tick_arena = arena_new();
    bench->watched.name = "db";
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    history_end(bench->history);
    arena_free(bench->tick_arena);
    arena_free(bench->ctx.arena);
    free(bench);
    return 0;
}

static void
begin_tick(struct bench *bench, int64_t at_us)
{
    arena_reset(bench->tick_arena);
    bench->watched.at_wall_us = at_us;
    bench->watched.samples = (struct samples){ .arena = bench->tick_arena };
}

static void
add(struct bench *bench, const struct metric *metric, const char *label, double value)
{
    const char *labels[METRIC_LABELS] = { label };

    sample_add(&bench->watched.samples, metric, by_name, labels, value);
}

/* A tick with one value, remembered by the test. */
static void
tick(struct bench *bench, int64_t at_us, double value)
{
    begin_tick(bench, at_us);
    add(bench, &load, "a", value);
    history_add(bench->history, &bench->watched);
    bench->at[bench->count] = at_us;
    bench->value[bench->count++] = value;
}

/* The values in (from, until], summed by the test itself. */
static struct history_span
expected(const struct bench *bench, int64_t from_us, int64_t until_us)
{
    struct history_span span = { 0 };
    double sum = 0;

    for (size_t i = 0; i < bench->count; i++) {
        double value = bench->value[i];

        if (bench->at[i] <= from_us || bench->at[i] > until_us || isnan(value))
            continue;
        sum += value;
        span.count++;
        span.last = value;
    }
    span.mean = sum / (double)span.count;
    return span;
}

static void
assert_near(double a, double b, double share)
{
    if (!(fabs(a - b) <= share * (fabs(a) + fabs(b)) / 2 + 1e-300) && a != b)
        fail_msg("%.17g is not %.17g", a, b);
}

static void
a_span_of_ticks_has_every_tick(void **state)
{
    struct bench *bench = *state;
    struct test_random random = test_random_new();
    struct history_span span;

    bench->history = history_begin(5 * S, 10);
    for (int i = 0; i < 3000; i++)
        tick(bench, BEGIN + i * 5 * S + (int64_t)test_random_below(&random, 400000),
            (double)test_random_below(&random, 1000000) / 997);
    for (int64_t minutes = 1; minutes < 120; minutes += 7) {
        int64_t now = bench->at[bench->count - 1];
        struct history_span wanted = expected(bench, now - minutes * 60 * S, now);

        assert_true(
            history_span(bench->history, "db", "load", "name=\"a\"", minutes * 60 * S, &span));
        assert_int_equal(span.count, wanted.count);
        assert_near(span.mean, wanted.mean, 1e-6);
        assert_near(span.last, wanted.last, 1e-6);
        assert_near(span.covered, 1, 1e-9);
    }
    assert_false(history_span(bench->history, "db", "load", "name=\"b\"", S, &span));
    assert_false(history_span(bench->history, "db", "other", "name=\"a\"", S, &span));
    assert_false(history_span(bench->history, "other", "load", "name=\"a\"", S, &span));
}

/* Longer ones come from spans of two minutes: whole ones, good to seven digits. */
static void
longer_spans_are_of_whole_two_minutes(void **state)
{
    struct bench *bench = *state;
    static const int64_t hours[] = { 3, 6, 23, 24, 25 };
    int64_t now = BEGIN + INT64_C(36000) * 10 * S;
    struct test_random random = test_random_new();
    struct history_span span;

    bench->history = history_begin(10 * S, 10);
    for (int64_t i = 0; i <= 36000; i++)
        tick(bench, BEGIN + i * 10 * S, (double)test_random_below(&random, 1000000) / 997);
    for (size_t i = 0; i < COUNT_OF(hours); i++) {
        int64_t from = now - hours[i] * 3600 * S, step = 120 * S;
        int64_t whole = (from + step - 1) / step * step;
        struct history_span wanted = expected(bench, whole - 1, now);

        assert_true(
            history_span(bench->history, "db", "load", "name=\"a\"", hours[i] * 3600 * S, &span));
        assert_int_equal(span.count, wanted.count);
        assert_near(span.mean, wanted.mean, 1e-6);
        assert_true(span.last == wanted.last);
        assert_true(span.covered > 0.99 && span.covered <= 1);
    }
}

static void
what_was_not_there_does_not_count(void **state)
{
    struct bench *bench = *state;
    struct history_points *points;
    struct history_span span;
    size_t gaps = 0;

    /* Ten minutes of values, ten without any tick, ten of ticks without a value, ten of values. */
    bench->history = history_begin(5 * S, 10);
    for (int i = 0; i < 120; i++)
        tick(bench, BEGIN + i * 5 * S, 1);
    for (int i = 240; i < 360; i++) {
        begin_tick(bench, BEGIN + i * 5 * S);
        history_add(bench->history, &bench->watched);
    }
    for (int i = 360; i < 480; i++)
        tick(bench, BEGIN + i * 5 * S, 3);
    assert_true(history_span(bench->history, "db", "load", "name=\"a\"", 2400 * S, &span));
    assert_int_equal(span.count, 240);
    assert_near(span.mean, 2, 1e-12);
    assert_near(span.covered, 0.5, 0.01);
    assert_true(history_span(bench->history, "db", "load", "name=\"a\"", 900 * S, &span));
    assert_near(span.covered, 2.0 / 3, 0.01);
    assert_int_equal(history_points(bench->history, bench->ctx.arena,
                         &(const struct history_question){ "db", "load", BEGIN, 10000 }, &points),
        1);
    assert_string_equal(points[0].labels, "name=\"a\"");
    for (size_t i = 0; i < points[0].count; i++) {
        int64_t second = points[0].at[i] - BEGIN / S;
        bool is_gap = second > 595 && second < 1800;

        assert_int_equal(isnan(points[0].values[i]) != 0, is_gap);
        if (!is_gap)
            assert_true(points[0].values[i] == (second < 600 ? 1 : 3));
        gaps += is_gap;
    }
    /* One for the missing ticks, and the 120 without a value. */
    assert_int_equal(gaps, 121);
    assert_int_equal(points[0].count, 361);
}

static void
points_are_as_many_as_asked_for_and_gaps_stay(void **state)
{
    struct bench *bench = *state;
    struct history_points *points;

    /* A day with two hours missing. */
    bench->history = history_begin(30 * S, 10);
    for (int64_t i = 0; i < 2880; i++)
        if (i < 1200 || i >= 1440)
            tick(bench, BEGIN + i * 30 * S, (double)i);
    for (size_t most = 1; most < 3000; most = most * 2 + 1) {
        size_t gaps = 0;

        assert_int_equal(
            history_points(bench->history, bench->ctx.arena,
                &(const struct history_question){ "db", "load", BEGIN + 600 * S, most }, &points),
            1);
        assert_true(points->count <= most);
        assert_true(points->count * 3 > (most < 1430 ? most : 1430));
        for (size_t i = 0; i < points->count; i++) {
            int64_t from = points->at[i] * S;
            int64_t until = i + 1 < points->count ? points->at[i + 1] * S : BEGIN + 86400 * S;
            struct history_span wanted = expected(bench, from - 1, until - 1);

            assert_true(i == 0 || points->at[i] > points->at[i - 1]);
            assert_int_equal(wanted.count == 0, isnan(points->values[i]) != 0);
            gaps += wanted.count == 0;
            if (wanted.count > 0 && i > 0)
                assert_near(points->values[i], wanted.mean, 1e-6);
        }
        if (most > 20)
            assert_true(gaps > 0);
    }
}

/* 1,441 ticks and 751 slots of 4 and 8 bytes are 11.8 kB; the rest is what blocks leave over. */
static void
fifty_series_are_small_from_the_first_tick_on(void **state)
{
    struct bench *bench = *state;
    size_t at_first = 0;
    int64_t left_out = 0;

    bench->history = history_begin(5 * S, 50);
    for (int64_t i = 0; i < 17280 * 2; i++) {
        begin_tick(bench, BEGIN + i * 5 * S);
        for (int j = 0; j < 60; j++)
            add(bench, j % 2 ? &load : &depth, arena_printf(bench->tick_arena, "%d", j), (double)i);
        add(bench, &unkept, "a", 1);
        history_add(bench->history, &bench->watched);
        left_out += history_left_out(bench->history);
        if (i == 0)
            at_first = arena_used(bench->history->arena);
    }
    assert_int_equal(left_out, 17280 * 2 * 10);
    assert_true(at_first > (size_t)50 * 1441 * 4);
    assert_true(at_first < (size_t)50 * 17000);
    assert_int_equal(arena_used(bench->history->arena), at_first);
}

static void
a_series_that_ended_makes_room(void **state)
{
    struct bench *bench = *state;
    struct text_list metrics;
    struct history_span span;

    bench->history = history_begin(60 * S, 1);
    begin_tick(bench, BEGIN);
    add(bench, &load, "old", 1);
    history_add(bench->history, &bench->watched);
    for (int64_t i = 1; i <= 1439; i++) {
        begin_tick(bench, BEGIN + i * 60 * S);
        add(bench, &depth, "a new one with a longer label", 2);
        history_add(bench->history, &bench->watched);
        assert_int_equal(history_left_out(bench->history), 1);
    }
    history_metrics(bench->history, bench->ctx.arena, "db", &metrics);
    assert_int_equal(metrics.count, 1);
    assert_string_equal(metrics.items[0], "load");
    begin_tick(bench, BEGIN + 86400 * S);
    add(bench, &depth, "a new one with a longer label", 2);
    history_add(bench->history, &bench->watched);
    assert_int_equal(history_left_out(bench->history), 0);
    history_metrics(bench->history, bench->ctx.arena, "db", &metrics);
    assert_int_equal(metrics.count, 1);
    assert_string_equal(metrics.items[0], "depth");
    assert_true(history_span(bench->history, "db", "depth",
        "name=\"a new one with a longer label\"", INT64_C(172800) * S, &span));
    assert_int_equal(span.count, 1);
}

static void
a_clock_set_back_is_not_a_spike(void **state)
{
    struct bench *bench = *state;
    struct history_points *points;
    struct history_span span;

    bench->history = history_begin(5 * S, 10);
    for (int i = 0; i < 1000; i++)
        tick(bench, BEGIN + i * 5 * S, 1);
    /* A year ahead, ten ticks, and back. */
    for (int i = 0; i < 10; i++)
        tick(bench, BEGIN + (INT64_C(31536000) + i * 5) * S, 1000);
    bench->count -= 10;
    for (int i = 1010; i < 2000; i++)
        tick(bench, BEGIN + i * 5 * S, 1);
    assert_true(history_span(bench->history, "db", "load", "name=\"a\"", 3600 * S, &span));
    assert_true(span.last == 1 && span.mean == 1);
    assert_int_equal(span.count, 720);
    assert_int_equal(history_points(bench->history, bench->ctx.arena,
                         &(const struct history_question){ "db", "load", BEGIN, 100000 }, &points),
        1);
    for (size_t i = 0; i < points->count; i++) {
        assert_true(i == 0 || points->at[i] >= points->at[i - 1]);
        assert_true(isnan(points->values[i]) || points->values[i] == 1);
    }
}

enum { TICKS_KEPT = 7200 / 5 + 1 }; /* of five seconds, in the ring */

/* Values come and go, the clock is set, intervals change: the last two hours agree with brute force. */
static void
random_histories_agree_with_brute_force(void **state)
{
    struct bench *bench = *state;
    struct test_random random = test_random_new();
    int64_t now = BEGIN;
    int set_at = -TICKS_KEPT;

    bench->history = history_begin(5 * S, 3);
    for (int i = 0; i < 20000; i++) {
        struct history_span span, wanted;
        int64_t span_us = (1 + (int64_t)test_random_below(&random, 7000)) * S;

        now += 5 * S;
        if (test_random_below(&random, 300) == 0)
            now += (int64_t)test_random_below(&random, 3000) * S;
        if (test_random_below(&random, 6000) == 0) {
            now -= (int64_t)test_random_below(&random, 3000) * S;
            set_at = i;
        }
        while (bench->count > 0 && bench->at[bench->count - 1] >= now)
            bench->count--;
        if (test_random_below(&random, 10) == 0) {
            begin_tick(bench, now);
            history_add(bench->history, &bench->watched);
            continue;
        }
        tick(bench, now, (double)test_random_below(&random, 100000));
        if (i % 20 != 0)
            continue;
        wanted = expected(bench, now - span_us, now);
        assert_true(history_span(bench->history, "db", "load", "name=\"a\"", span_us, &span));
        /*
         * Ticks that a set clock made void can leave the ring short for as long as they are in it;
         * then whole spans of two minutes answer, which may be as many ticks, but others.
         */
        assert_true(llabs(span.count - wanted.count) <= 25);
        if (i - set_at >= TICKS_KEPT) {
            assert_int_equal(span.count, wanted.count);
            assert_near(span.mean, wanted.mean, 1e-6);
        }
    }
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_span_of_ticks_has_every_tick),
        test(longer_spans_are_of_whole_two_minutes),
        test(what_was_not_there_does_not_count),
        test(points_are_as_many_as_asked_for_and_gaps_stay),
        test(fifty_series_are_small_from_the_first_tick_on),
        test(a_series_that_ended_makes_room),
        test(a_clock_set_back_is_not_a_spike),
        test(random_histories_agree_with_brute_force),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
