/* What the recorder counts, when seconds and slices end, and that it stays small and cheap. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "load/result/recorder.h"
#include "load/result/sparse.h"

enum { SECOND = 1000000 };

static struct load_step steps[] = { { .name = "one" }, { .name = "two" } };
static struct load_group groups[] = { { .name = "users", .users = 5 },
    { .name = "bots", .users = 2 } };

struct bench {
    struct load_record record;
    struct load_recorder *recorder;
    int64_t start;
};

static struct bench
begin(struct ctx *ctx, int64_t planned_us)
{
    struct load_scenario scenario = { .name = "test",
        .duration_us = planned_us,
        .steps = steps,
        .step_count = 2,
        .groups = groups,
        .group_count = 2,
        .users = 7 };
    struct bench bench = { .start = clock_us() };

    load_record_begin(ctx->arena, &scenario, &bench.record);
    return bench;
}

/* The recorder keeps the record's address, so that it begins when the record has its place. */
static void
open_bench(struct ctx *ctx, struct bench *bench)
{
    bench->recorder = load_recorder_new(ctx->arena, &bench->record);
    bench->start = clock_us();
}

static void
good(struct bench *bench, size_t step, int64_t due_us, int64_t latency_us)
{
    const struct load_event event = { .step = step,
        .outcome = LOAD_GOOD,
        .due_us = bench->start + due_us,
        .sent_us = bench->start + due_us + latency_us / 2,
        .at_us = bench->start + due_us + latency_us,
        .statements = -1 };

    load_recorder_add(bench->recorder, &event);
}

static void
bad(struct bench *bench, size_t step, int64_t due_us, const char *message)
{
    const struct load_event event = { .step = step,
        .group = 1,
        .outcome = LOAD_RESET,
        .due_us = bench->start + due_us,
        .sent_us = bench->start + due_us,
        .at_us = bench->start + due_us,
        .statements = -1,
        .message = message };

    load_recorder_add(bench->recorder, &event);
}

static void
ramp_up_counts_for_the_second_only(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = begin(ctx, 10 * SECOND);
    const struct load_moment *moment;

    open_bench(ctx, &bench);
    good(&bench, 0, 100, 5000);
    bad(&bench, 0, 200, "early");
    moment = load_recorder_tick(bench.recorder, bench.start + SECOND + 1000, 3);
    assert_non_null(moment);
    assert_int_equal(moment->calls, 1);
    assert_int_equal(moment->errors, 1);
    assert_int_equal(moment->open, 3);
    assert_false(moment->is_counted);
    load_recorder_start(bench.recorder, bench.start + 2 * SECOND);
    /* Due before the start, answered after it. */
    good(&bench, 0, 2 * SECOND - 1, 5000);
    good(&bench, 0, 2 * SECOND, 7000);
    load_recorder_lag(bench.recorder, bench.start + 2 * SECOND - 1, bench.start + 3 * SECOND);
    load_recorder_lag(bench.recorder, bench.start + 2 * SECOND, bench.start + 2 * SECOND + 20);
    load_recorder_end(bench.recorder, bench.start + 5 * SECOND);
    assert_int_equal(load_record_count(&bench.record, LOAD_GOOD), 1);
    assert_int_equal(load_record_errors(&bench.record), 0);
    assert_int_equal(bench.record.message_count, 0);
    assert_int_equal(bench.record.steps[0].latency->max_us, 7000);
    assert_int_equal(bench.record.steps[0].service->max_us, 3500);
    assert_int_equal(bench.record.lag->count, 1);
    assert_int_equal(bench.record.lag->max_us, 20);
    assert_int_equal(bench.record.elapsed_us, 3 * SECOND);
    assert_int_equal(bench.record.most_open, 3);
    assert_int_equal(bench.record.slice_count, 3);
}

/* 1 to 100 ms: the quantiles of a second can be told by hand. */
static void
a_second_tells_its_quantiles(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = begin(ctx, 10 * SECOND);
    const struct load_moment *moment;
    int64_t sum = 0;

    open_bench(ctx, &bench);
    load_recorder_start(bench.recorder, bench.start);
    assert_null(load_recorder_tick(bench.recorder, bench.start + 1, 1));
    for (int64_t i = 1; i <= 100; i++) {
        good(&bench, (size_t)i % 2, 1000, i * 1000);
        load_recorder_lag(bench.recorder, bench.start, bench.start + i);
        sum += i * 1000;
    }
    moment = load_recorder_tick(bench.recorder, bench.start + SECOND + 500, 9);
    assert_non_null(moment);
    assert_int_equal(moment->calls, 100);
    assert_int_equal(moment->sum_us, sum);
    assert_int_equal(moment->max_us, 100000);
    assert_true(llabs(moment->p50_us - 50000) <= 50);
    assert_true(llabs(moment->p95_us - 95000) <= 95);
    assert_true(llabs(moment->p99_us - 99000) <= 99);
    assert_int_equal(moment->lag_us, 99);
    assert_true(llabs(moment->at - clock_wall_us() / SECOND) <= 60);
    /* Nothing of it is left in the next one. */
    moment = load_recorder_tick(bench.recorder, bench.start + 2 * SECOND + 500, 9);
    assert_int_equal(moment->calls, 0);
    assert_int_equal(moment->p99_us, 0);
    assert_int_equal(moment->max_us, 0);
    assert_int_equal(moment->lag_us, 0);
    /* A generator that stood still for three seconds has three empty seconds. */
    load_recorder_tick(bench.recorder, bench.start + 5 * SECOND + 500, 9);
    assert_int_equal(bench.record.moment_count, 5);
}

static int64_t
count_of(const struct load_sparse *sparse)
{
    int64_t count = 0;

    for (size_t i = 0; i < sparse->count; i++)
        count += sparse->counts[i];
    return count;
}

/* Five requests a second, for as long as 60 slices and more: none is lost or counted twice. */
static void
slices_become_longer_and_keep_everything(void **state)
{
    static const struct {
        int64_t seconds;
        size_t slices;
        int64_t slice_seconds;
    } known[] = { { 1, 1, 1 }, { 59, 59, 1 }, { 60, 60, 1 }, { 61, 30, 2 }, { 62, 31, 2 },
        { 120, 60, 2 }, { 121, 60, 2 }, { 122, 30, 4 }, { 1000, 31, 32 } };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        struct bench bench = begin(ctx, 0);
        int64_t kept = 0;
        int64_t errors = 0;

        open_bench(ctx, &bench);
        load_recorder_start(bench.recorder, bench.start);
        for (int64_t second = 0; second < known[i].seconds; second++) {
            for (int64_t j = 0; j < 5; j++)
                good(&bench, (size_t)j % 2, second * SECOND, 1000 + 1000 * second);
            bad(&bench, 1, second * SECOND, NULL);
            load_recorder_tick(bench.recorder, bench.start + (second + 1) * SECOND, 1);
        }
        load_recorder_end(bench.recorder, bench.start + known[i].seconds * SECOND);
        assert_int_equal(bench.record.slice_count, known[i].slices);
        assert_int_equal(bench.record.slice_us, known[i].slice_seconds * SECOND);
        for (size_t j = 0; j < bench.record.slice_count; j++) {
            int64_t one = count_of(&bench.record.steps[0].slices[j]);
            int64_t two = count_of(&bench.record.steps[1].slices[j]);

            assert_int_equal(one, 3 * known[i].slice_seconds);
            assert_int_equal(two, 2 * known[i].slice_seconds);
            kept += one + two;
            errors += bench.record.steps[1].slice_errors[j];
            assert_int_equal(bench.record.steps[0].slice_errors[j], 0);
        }
        /* A last slice that is not full is left out. */
        int64_t full = known[i].seconds / known[i].slice_seconds * known[i].slice_seconds;

        assert_int_equal(kept, 5 * full);
        assert_int_equal(errors, full);
        assert_int_equal(load_record_count(&bench.record, LOAD_GOOD), 5 * known[i].seconds);
    }
}

/* Answers that come after the planned end count, but make neither slices nor time. */
static void
late_answers_do_not_make_the_run_longer(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = begin(ctx, 3 * SECOND);

    open_bench(ctx, &bench);
    load_recorder_start(bench.recorder, bench.start);
    good(&bench, 0, 2 * SECOND, 1000);
    load_recorder_tick(bench.recorder, bench.start + 3 * SECOND, 1);
    good(&bench, 0, 2900000, 2 * SECOND);
    load_recorder_tick(bench.recorder, bench.start + 5 * SECOND, 1);
    load_recorder_end(bench.recorder, bench.start + 5 * SECOND + 200000);
    assert_int_equal(load_record_count(&bench.record, LOAD_GOOD), 2);
    assert_int_equal(bench.record.steps[0].latency->max_us, 2 * SECOND);
    assert_int_equal(bench.record.elapsed_us, 3 * SECOND);
    assert_int_equal(bench.record.slice_count, 3);
    assert_true(bench.record.moments[2].is_counted);
    assert_false(bench.record.moments[3].is_counted);
}

static void
messages_are_counted_the_most_frequent_first(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = begin(ctx, 10 * SECOND);
    char *longest = arena_alloc(ctx->arena, 2000);

    memset(longest, 'x', 1999);
    memcpy(longest + 398, "\xe2\x82\xac", 3);
    open_bench(ctx, &bench);
    load_recorder_start(bench.recorder, bench.start);
    for (int i = 0; i < 30; i++)
        for (int j = 0; j <= i; j++)
            bad(&bench, 0, 0, arena_printf(ctx->arena, "message %d", i));
    for (int i = 0; i < 100; i++)
        bad(&bench, 1, 0, longest);
    bad(&bench, 1, 0, NULL);
    load_recorder_end(bench.recorder, bench.start + SECOND);
    assert_int_equal(bench.record.message_count, 20);
    assert_int_equal(bench.record.messages[0].count, 100);
    /* Cut before the sign that would have been cut in two. */
    assert_int_equal(strlen(bench.record.messages[0].text), 398);
    assert_string_equal(bench.record.messages[1].text, "message 29");
    assert_int_equal(bench.record.messages[1].count, 30);
    assert_string_equal(bench.record.messages[19].text, "message 11");
    assert_int_equal(bench.record.messages[19].count, 12);
    assert_int_equal(load_record_count(&bench.record, LOAD_RESET), 465 + 101);
    assert_int_equal(bench.record.groups[1].outcomes[LOAD_RESET], 465 + 101);
}

/* A server that puts a number into each of its messages. */
static void
messages_without_end_stay_few(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = begin(ctx, 10 * SECOND);
    char text[40];
    size_t used;

    open_bench(ctx, &bench);
    load_recorder_start(bench.recorder, bench.start);
    used = arena_used(ctx->arena);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "request %d failed", i);
        bad(&bench, 0, 0, text);
        good(&bench, 1, 0, i);
    }
    /* Counting takes no memory. */
    assert_int_equal(arena_used(ctx->arena), used);
    load_recorder_end(bench.recorder, bench.start + SECOND);
    assert_int_equal(bench.record.message_count, 20);
    assert_string_equal(bench.record.messages[0].text, "(other messages)");
    assert_int_equal(bench.record.messages[0].count, 4800);
}

static void
statements_are_known_or_not(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = begin(ctx, 10 * SECOND);
    struct load_event event = { .outcome = LOAD_GOOD, .statements = 4, .bytes = 10 };

    open_bench(ctx, &bench);
    load_recorder_start(bench.recorder, bench.start);
    event.due_us = event.sent_us = event.at_us = bench.start;
    load_recorder_add(bench.recorder, &event);
    load_recorder_add(bench.recorder, &event);
    event.step = 1;
    event.statements = -1;
    load_recorder_add(bench.recorder, &event);
    assert_int_equal(bench.record.steps[0].statements, 8);
    assert_int_equal(bench.record.steps[0].bytes, 20);
    assert_int_equal(bench.record.steps[1].statements, -1);
}

/* Slices hold latencies to 0.8 %, those below 256 us exactly. */
static void
slices_are_right_to_two_digits(void **state)
{
    (void)state;
    for (int64_t us = 0; us < INT64_C(3600000000); us += us / 50 + 1) {
        double first;
        double end;

        load_sparse_range_us(load_sparse_cell(histogram_cell(us)), &first, &end);
        assert_true(first <= (double)us && (double)us < end);
        assert_true(us < 256 ? end - first == 1 : (end - first) / first < 0.008);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(ramp_up_counts_for_the_second_only),
        test_with_ctx(a_second_tells_its_quantiles),
        test_with_ctx(slices_become_longer_and_keep_everything),
        test_with_ctx(late_answers_do_not_make_the_run_longer),
        test_with_ctx(messages_are_counted_the_most_frequent_first),
        test_with_ctx(messages_without_end_stay_few),
        test_with_ctx(statements_are_known_or_not),
        test_with_ctx(slices_are_right_to_two_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
