#include "test_load_engine_support.h"

/* Latencies of all that was good. */
static const struct histogram *
latency_of(const struct sim *sim)
{
    return load_record_latency(sim->ctx->arena, &sim->record);
}

static int
compare_times(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return (*left > *right) - (*left < *right);
}

static void
test_schedule_is_in_order(void **state)
{
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();
    struct load_schedule schedule = { .arena = ctx->arena };
    int64_t expected[3000];
    size_t count = 0;

    /* Pushes and pops mixed: what remains is sorted by the C library. */
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        expected[count] = (int64_t)test_random_below(&random, 1000);
        load_schedule_push(&schedule, expected[count], (uint32_t)expected[count]);
        count++;
        if (test_random_below(&random, 3) > 0)
            continue;
        qsort(expected, count, sizeof(expected[0]), compare_times);
        assert_int_equal(load_schedule_next_us(&schedule), expected[0]);
        assert_int_equal(load_schedule_pop(&schedule).at_us, expected[0]);
        memmove(expected, expected + 1, --count * sizeof(expected[0]));
    }
    qsort(expected, count, sizeof(expected[0]), compare_times);
    for (size_t i = 0; i < count; i++) {
        struct load_due due = load_schedule_pop(&schedule);

        assert_int_equal(due.at_us, expected[i]);
        assert_int_equal(due.user, expected[i]);
    }
    assert_int_equal(load_schedule_next_us(&schedule), INT64_MAX);
}

static void
test_ring_keeps_order(void **state)
{
    struct ctx *ctx = *state;
    struct load_ring ring = { .arena = ctx->arena };
    int64_t in = 0;
    int64_t out = 0;

    for (int turn = 1; turn < 50; turn++) {
        for (int i = 0; i < turn * 3; i++)
            load_ring_push(&ring, in++);
        for (int i = 0; i < turn * 2; i++)
            assert_int_equal(load_ring_pop(&ring), out++);
    }
    while (ring.count > 0)
        assert_int_equal(load_ring_pop(&ring), out++);
    assert_int_equal(out, in);
}

/*
 * One request each 100 ms, each answered after 1 ms, and a server that stands still from 2 s to 5 s. By
 * hand: what is due at d + 0.1 s x k (k = 0, 1 …; the first one in the stall is due at d) is answered at
 * 5 s + 1 ms x (k + 1), as long as it had to wait.
 */
static void
test_stall_is_in_the_latencies(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 1, 10 * SECOND);
    const struct load_record *record;
    int64_t late = 0;
    int64_t sum_us = 0;
    int64_t first_us;

    scenario.groups[0].think = THINK_FIXED;
    scenario.groups[0].think_us = 100 * MS;
    sim->stall_us = 2 * SECOND;
    sim->stall_end_us = 5 * SECOND;
    record = sim_run(sim, &scenario);

    first_us = sim->sends.items[0].at_us + 2 * SECOND;
    assert_true(first_us >= 2 * SECOND && first_us < 2 * SECOND + 100 * MS);
    for (int64_t due_us = first_us, done_us = 5 * SECOND + MS; due_us < done_us;
         due_us += 100 * MS, done_us += MS) {
        late++;
        sum_us += done_us - due_us;
    }
    assert_int_equal(sim_total(record), 100);
    assert_int_equal(load_record_count(record, LOAD_GOOD), 100);
    assert_int_equal(latency_of(sim)->max_us, 5 * SECOND + MS - first_us);
    assert_int_equal(latency_of(sim)->sum_us, sum_us + (100 - late) * MS);
    assert_int_equal(record->waited, late - 1);
    /* From when they were sent only one of them was slow. */
    assert_true(record->steps[0].service->sum_us < 3 * SECOND + 200 * MS);
}

/* The same by a closed loop: only one of them waits, and fewer are sent. */
static void
test_closed_loop_waits(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 1, 10 * SECOND);
    const struct load_record *record;

    scenario.groups[0].think = THINK_FIXED;
    scenario.groups[0].think_us = 100 * MS;
    scenario.groups[0].is_closed = true;
    sim->stall_us = 2 * SECOND;
    sim->stall_end_us = 5 * SECOND;
    record = sim_run(sim, &scenario);

    /* 101 ms each, but for the one that takes 3 s. */
    assert_in_range(sim_total(record), 68, 70);
    assert_int_equal(histogram_quantile_us(latency_of(sim), 0.98), MS);
    assert_true(latency_of(sim)->max_us > 2900 * MS);
    assert_int_equal(record->waited, 0);
    for (size_t i = 1; i < sim->sends.count; i++)
        assert_int_equal(sim->sends.items[i].at_us - sim->sends.items[i].idle_us, 100 * MS);
}

static void
test_eager_users_never_rest(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 8, SECOND);
    const struct load_record *record = sim_run(sim, &scenario);

    /* Eight at a time, 1 ms each. */
    assert_int_equal(load_record_count(record, LOAD_GOOD), 8 * 1000);
    assert_int_equal(latency_of(sim)->max_us, MS);
    assert_int_equal(record->waited, 0);
}

static void
check_think(struct ctx *ctx, enum load_think think, double mean_us, double square_us)
{
    struct sim *sim = sim_new(ctx);
    struct load_scenario scenario = sim_scenario(ctx, 400, 20 * SECOND);
    double gaps = 0;
    double sum = 0;
    double squares = 0;
    int64_t *last = ARENA_ARRAY(ctx->arena, int64_t, 400);

    scenario.groups[0].think = think;
    scenario.groups[0].think_us = think == THINK_UNIFORM ? 200 * MS : SECOND;
    scenario.groups[0].think_most_us = 600 * MS;
    sim->service_us = 0;
    sim_run(sim, &scenario);
    for (size_t i = 0; i < sim->sends.count; i++) {
        const struct sim_send *send = &sim->sends.items[i];
        double gap = (double)(send->at_us - last[send->user]);

        /* Gaps that begin early: those that end after the run would be missing among the others. */
        if (last[send->user] > 0 && last[send->user] < 10 * SECOND) {
            gaps++;
            sum += gap;
            squares += gap * gap;
        }
        last[send->user] = send->at_us;
    }
    double variance = square_us - mean_us * mean_us;

    assert_near(sum / gaps, mean_us, sqrt(variance / gaps));
    assert_near(squares / gaps / square_us, 1, 3 / sqrt(gaps));
}

static void
test_think_times(void **state)
{
    /* E[X] and E[X²]: exponential m, 2m²; uniform (a + b) / 2, (a² + ab + b²) / 3; fixed m, m². */
    check_think(*state, THINK_EXPONENTIAL, 1e6, 2e12);
    check_think(*state, THINK_UNIFORM, 4e5, (4e10 + 12e10 + 36e10) / 3);
    check_think(*state, THINK_FIXED, 1e6, 1e12);
}

/* Mean and variance of how many requests come in a second. */
static void
count_seconds(const struct sim *sim, size_t seconds, double *ret_mean, double *ret_variance)
{
    double *counts = ARENA_ARRAY(sim->ctx->arena, double, seconds);
    double sum = 0;
    double squares = 0;

    for (size_t i = 0; i < sim->sends.count; i++) {
        size_t second = (size_t)(sim->sends.items[i].at_us / SECOND);

        assert_true(second < seconds);
        counts[second]++;
    }
    for (size_t i = 0; i < seconds; i++)
        sum += counts[i];
    *ret_mean = sum / (double)seconds;
    for (size_t i = 0; i < seconds; i++)
        squares += (counts[i] - *ret_mean) * (counts[i] - *ret_mean);
    *ret_variance = squares / (double)(seconds - 1);
}

static void
test_rate_is_a_poisson_process(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 20, 200 * SECOND);
    const struct load_record *record;
    double mean;
    double variance;
    int64_t last[20] = { 0 };

    scenario.groups[0].rate = 100;
    record = sim_run(sim, &scenario);
    count_seconds(sim, 200, &mean, &variance);
    /* A Poisson number has its mean as its variance. */
    assert_near(mean, 100, sqrt(100.0 / 200));
    assert_near(variance, 100, 100 * sqrt(2.0 / 199 + 1.0 / 100 / 200));
    assert_int_equal(load_record_count(record, LOAD_GOOD), sim->sends.count);
    /* Each goes to the user that is idle longest. */
    for (size_t i = 0; i < sim->sends.count; i++) {
        const struct sim_send *send = &sim->sends.items[i];

        for (size_t j = 0; j < COUNT_OF(last); j++)
            assert_true(last[j] > send->at_us - MS || last[j] >= last[send->user]);
        last[send->user] = send->at_us;
    }
}

static void
test_bursts_come_at_once(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 300, 300 * SECOND);
    double mean;
    double variance;
    double moments = 1;

    scenario.groups[0].rate = 100;
    scenario.groups[0].burst = 5;
    sim_run(sim, &scenario);
    count_seconds(sim, 300, &mean, &variance);
    /*
     * 20 bursts a second; a burst is geometric with p = 1/5: E[N] = 5, E[N²] = (2 - p) / p² = 45. The
     * variance of such a sum is 20 x 45 = 900.
     */
    assert_near(mean, 100, sqrt(900.0 / 300));
    assert_near(variance, 900, 900 * sqrt(2.0 / 299 + 0.1 / 300 * 10));
    for (size_t i = 1; i < sim->sends.count; i++)
        moments += sim->sends.items[i].at_us > sim->sends.items[i - 1].at_us ? 1 : 0;
    assert_near(moments, 20 * 300, sqrt(20 * 300));
}

/*
 * One user, 50 ms a request, 100 requests a second: 20 a second are answered, the others wait until they
 * have waited for a second, the limit.
 */
static void
test_overload_is_in_the_latencies(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 1, 20 * SECOND);
    const struct load_record *record;

    scenario.groups[0].rate = 100;
    scenario.limit_us = SECOND;
    sim->service_us = 50 * MS;
    record = sim_run(sim, &scenario);
    assert_near((double)sim_total(record), 2000, sqrt(2000));
    assert_in_range(load_record_count(record, LOAD_GOOD), 380, 430);
    assert_int_equal(load_record_count(record, LOAD_LATE) + load_record_count(record, LOAD_GOOD),
        sim_total(record));
    assert_true(latency_of(sim)->max_us > 900 * MS);
    assert_true(latency_of(sim)->max_us <= 1050 * MS);
    assert_true(histogram_quantile_us(latency_of(sim), 0.2) > 900 * MS);
    /* Nobody was late but the server. */
    assert_int_equal(record->lag->max_us, 0);
}

static void
test_mix_is_drawn_by_weight(void **state)
{
    static const size_t mix[] = { 0, 1, 2 };
    static const double until[] = { 0.5, 0.8, 1 };
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 10, SECOND);
    const struct load_record *record;
    double total;

    scenario.groups[0].mix = mix;
    scenario.groups[0].mix_count = 3;
    scenario.groups[0].mix_until = until;
    record = sim_run(sim, &scenario);
    total = (double)sim_total(record);
    assert_int_equal(total, 10000);
    assert_near((double)record->steps[0].outcomes[LOAD_GOOD], total * 0.5, sqrt(total * 0.25));
    assert_near((double)record->steps[1].outcomes[LOAD_GOOD], total * 0.3, sqrt(total * 0.21));
    assert_near((double)record->steps[2].outcomes[LOAD_GOOD], total * 0.2, sqrt(total * 0.16));
}

static void
test_start_comes_first_until_it_is_good(void **state)
{
    static const size_t start[] = { 3 };
    static const size_t mix[] = { 2, 0, 1 };
    static const size_t expected[] = { 3, 3, 3, 2, 0, 1, 2, 0, 1, 2 };
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 1, SECOND);

    scenario.groups[0].start = start;
    scenario.groups[0].start_count = 1;
    scenario.groups[0].mix = mix;
    scenario.groups[0].mix_count = 3;
    sim->bad_answers = 2;
    sim_run(sim, &scenario);
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_int_equal(sim->sends.items[i].step, expected[i]);
    assert_int_equal(sim->record.steps[3].outcomes[LOAD_FAILED], 2);
    assert_int_equal(sim->record.steps[3].outcomes[LOAD_GOOD], 1);
}

static void
test_only_what_is_due_in_time_counts(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 10, 5 * SECOND);
    const struct load_record *record;

    scenario.groups[0].think = THINK_FIXED;
    scenario.groups[0].think_us = 100 * MS;
    scenario.ramp_up_us = 2 * SECOND;
    scenario.warm_up_us = SECOND;
    record = sim_run(sim, &scenario);
    assert_int_equal(sim_total(record), 10 * 50);
    assert_true(sim->sends.count > 10 * 50 + 10 * 10);
    assert_int_equal(record->elapsed_us, 5 * SECOND);
    assert_int_equal(sim->counting[0], 3 * SECOND);
    assert_int_equal(sim->counting[1], 8 * SECOND);
    /* Each second, and the end. */
    assert_in_range(sim->moments, 8, 10);
}

/* Nothing is answered any more two seconds before the end: what was due since is 20 requests. */
static void
test_end_waits_and_counts_what_is_missing(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 1, 10 * SECOND);
    const struct load_record *record;

    scenario.groups[0].think = THINK_FIXED;
    scenario.groups[0].think_us = 100 * MS;
    sim->stall_us = 8 * SECOND;
    sim->stall_end_us = 1000 * SECOND;
    record = sim_run(sim, &scenario);
    assert_int_equal(record->unanswered, 20);
    assert_int_equal(load_record_count(record, LOAD_GOOD), 80);
    assert_in_range(sim_time(sim), 15 * SECOND, 16 * SECOND);

    /* One that comes back in time is heard to the end: all of them were due within the time. */
    sim = sim_new(*state);
    sim->stall_us = 8 * SECOND;
    sim->stall_end_us = 12 * SECOND;
    record = sim_run(sim, &scenario);
    assert_int_equal(record->unanswered, 0);
    assert_int_equal(load_record_count(record, LOAD_GOOD), 100);
    assert_true(sim_time(sim) < 13 * SECOND);
}

static void
test_generator_tells_when_it_is_late(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 10, 10 * SECOND);
    const struct load_record *record;

    scenario.groups[0].think = THINK_FIXED;
    scenario.groups[0].think_us = 100 * MS;
    record = sim_run(sim, &scenario);
    assert_int_equal(record->lag->count, 1000);
    assert_int_equal(record->lag->max_us, 0);
    assert_false(load_record_is_bottleneck(record));

    sim = sim_new(*state);
    sim->oversleep_us = 3 * MS;
    record = sim_run(sim, &scenario);
    assert_true(histogram_quantile_us(record->lag, 0.99) >= 2900);
    assert_true(load_record_is_bottleneck(record));
}

static void
test_signal_ends_it(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 1, 100 * SECOND);

    scenario.groups[0].think = THINK_FIXED;
    scenario.groups[0].think_us = 100 * MS;
    sim->signal_us = 10 * SECOND;
    assert_true(sim_run_with(sim, &scenario, false));
    assert_int_equal(interrupt_take(), SIGINT);
    assert_true(sim->record.is_stopped);
    assert_false(sim->record.is_complete);
    assert_in_range(sim_total(&sim->record), 100, 101);
    assert_in_range(sim->record.elapsed_us, 10 * SECOND, 10 * SECOND + 100 * MS);

    /* By intention: what is under way is waited for, and the result stands. */
    sim = sim_new(*state);
    sim->service_us = 50 * MS;
    sim->signal_us = 10 * SECOND;
    assert_true(sim_run_with(sim, &scenario, true));
    assert_int_equal(interrupt_take(), SIGINT);
    assert_false(sim->record.is_stopped);
    assert_true(sim->record.is_complete);
    assert_int_equal(sim->record.unanswered, 0);
    assert_in_range(load_record_count(&sim->record, LOAD_GOOD), 100, 101);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_schedule_is_in_order),
        test_with_ctx(test_ring_keeps_order),
        test_with_ctx(test_stall_is_in_the_latencies),
        test_with_ctx(test_closed_loop_waits),
        test_with_ctx(test_eager_users_never_rest),
        test_with_ctx(test_think_times),
        test_with_ctx(test_rate_is_a_poisson_process),
        test_with_ctx(test_bursts_come_at_once),
        test_with_ctx(test_overload_is_in_the_latencies),
        test_with_ctx(test_mix_is_drawn_by_weight),
        test_with_ctx(test_start_comes_first_until_it_is_good),
        test_with_ctx(test_only_what_is_due_in_time_counts),
        test_with_ctx(test_end_waits_and_counts_what_is_missing),
        test_with_ctx(test_generator_tells_when_it_is_late),
        test_with_ctx(test_signal_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
