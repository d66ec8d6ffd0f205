/* Verdicts about runs that were drawn from known distributions. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "load/result/compare.h"
#include "load/result/recorder.h"
#include "load/result/student.h"

enum { SECOND = 1000000 };

/* How a simulated server behaves. */
struct server {
    double median_us;
    double errors;     /* share */
    double run_spread; /* of the logarithm, between runs */
    int rate;          /* requests a second */
    int seconds;
    size_t steps;
};

static double
uniform(struct test_random *random)
{
    return ((double)(test_random_next(random) >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller 1958. */
static double
normal(struct test_random *random)
{
    double radius = sqrt(-2 * log(uniform(random)));

    return radius * cos(6.283185307179586 * uniform(random));
}

static struct load_step steps[] = { { .name = "one" }, { .name = "two" } };
static struct load_group groups[] = { { .name = "users", .users = 10 } };

/*
 * Latencies are log-normal around a level that wanders from second to second (an autoregressive process
 * with 0.5 and a spread of 10 %), as those of servers do; each run has a level of its own.
 */
static void
simulate(struct ctx *ctx, const struct server *server, uint64_t seed, struct load_record *record)
{
    struct load_scenario scenario = { .name = "sim",
        .duration_us = (int64_t)server->seconds * SECOND,
        .steps = steps,
        .step_count = server->steps,
        .groups = groups,
        .group_count = 1,
        .users = 10 };
    struct test_random random = { .state = seed * 2 + 1 };
    struct load_recorder *recorder;
    int64_t start = clock_us();
    double level = 0.1 * normal(&random);
    double run_level = server->run_spread * normal(&random);

    load_record_begin(ctx->arena, &scenario, record);
    recorder = load_recorder_new(ctx->arena, record);
    load_recorder_start(recorder, start);
    for (int second = 0; second < server->seconds; second++) {
        level = 0.5 * level + 0.1 * sqrt(0.75) * normal(&random);
        for (int i = 0; i < server->rate; i++) {
            struct load_event event = { .step = (size_t)i % server->steps, .statements = -1 };
            double us = server->median_us * exp(level + run_level + 0.5 * normal(&random));

            event.due_us = start + (int64_t)second * SECOND + (int64_t)i * SECOND / server->rate;
            event.sent_us = event.due_us;
            event.at_us = event.due_us + llround(us);
            event.outcome = uniform(&random) < server->errors ? LOAD_FAILED : LOAD_GOOD;
            load_recorder_add(recorder, &event);
        }
        load_recorder_tick(recorder, start + (int64_t)(second + 1) * SECOND, 10);
    }
    load_recorder_end(recorder, start + (int64_t)server->seconds * SECOND);
    record->is_complete = true;
    record->defines = (struct text_list){ 0 };
}

static const struct load_difference *
find(const struct load_comparison *comparison, const char *step, const char *measure)
{
    for (size_t i = 0; i < comparison->count; i++)
        if (text_equal(comparison->items[i].step, step) &&
            text_equal(comparison->items[i].measure, measure))
            return &comparison->items[i];
    fail_msg("there is no %s of %s", measure, step ? step : "all");
    return NULL;
}

static bool
warns(const struct load_comparison *comparison, const char *words)
{
    for (size_t i = 0; i < comparison->warnings.count; i++)
        if (strstr(comparison->warnings.items[i], words))
            return true;
    return false;
}

enum { MOST_RUNS = 4 };

static void
compare_servers(struct ctx *ctx, const struct server *before, const struct server *after,
    size_t runs, uint64_t seed, struct load_comparison *ret)
{
    struct load_record *records = ARENA_ARRAY(ctx->arena, struct load_record, 2 * MOST_RUNS);
    const struct load_records sides[] = { { records, runs }, { records + MOST_RUNS, runs } };

    for (size_t i = 0; i < runs; i++) {
        simulate(ctx, before, seed * 1000 + i, &records[i]);
        simulate(ctx, after, seed * 1000 + 500 + i, &records[MOST_RUNS + i]);
    }
    assert_true(load_compare(ctx, &sides[0], &sides[1], ret));
}

static const char *const latency_measures[] = { "mean", "p50", "p95", "p99" };

/* How many of these seeds give this verdict to each measure of latency. */
static void
count_verdicts(const struct server *before, const struct server *after, size_t runs, uint64_t seeds,
    enum load_verdict verdict, size_t ret[COUNT_OF(latency_measures)])
{
    memset(ret, 0, COUNT_OF(latency_measures) * sizeof(ret[0]));
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct arena *arena = arena_new();
        struct ctx ctx = { .arena = arena };
        struct load_comparison comparison;

        compare_servers(&ctx, before, after, runs, seed, &comparison);
        for (size_t i = 0; i < COUNT_OF(latency_measures); i++)
            ret[i] += find(&comparison, NULL, latency_measures[i])->verdict == verdict;
        arena_free(arena);
    }
}

static uint64_t
seeds_of(uint64_t usual)
{
    const char *text = getenv("PGMEND_COVERAGE_SEEDS");

    return text ? strtoull(text, NULL, 10) : usual;
}

/* What is expected of one measure of this share of all seeds at least. */
struct expectation {
    uint64_t seeds;
    enum load_verdict verdict;
    double share;
};

static void
expect_verdicts(const struct server *before, const struct server *after, size_t runs,
    const struct expectation *expected)
{
    uint64_t seeds = seeds_of(expected->seeds);
    enum load_verdict verdict = expected->verdict;
    size_t counts[COUNT_OF(latency_measures)];

    count_verdicts(before, after, runs, seeds, verdict, counts);
    for (size_t i = 0; i < COUNT_OF(latency_measures); i++) {
        print_message("# %s: %zu of %zu are %s\n", latency_measures[i], counts[i], (size_t)seeds,
            load_verdict_words[verdict]);
        assert_true((double)counts[i] >= expected->share * (double)seeds);
    }
}

static const struct server usual = { 20000, 0, 0, 120, 30, 1 };
static const struct server slower = { 26000, 0, 0, 120, 30, 1 };

static void
the_same_server_is_not_distinguishable(void **state)
{
    (void)state;
    expect_verdicts(&usual, &usual, 1, &(struct expectation){ 11, LOAD_SAME, 0.90 });
}

static void
a_third_slower_is_worse(void **state)
{
    (void)state;
    expect_verdicts(&usual, &slower, 1, &(struct expectation){ 5, LOAD_WORSE, 0.95 });
}

/* Levels of runs that differ by 10 %: one run of each cannot know, four of each do. */
static void
several_runs_know_how_runs_differ(void **state)
{
    const struct server unsteady = { 20000, 0, 0.1, 130, 8, 1 };
    const struct server twice = { 40000, 0, 0.1, 130, 8, 1 };

    (void)state;
    expect_verdicts(&unsteady, &unsteady, 4, &(struct expectation){ 10, LOAD_SAME, 0.90 });
    expect_verdicts(&unsteady, &twice, 4, &(struct expectation){ 3, LOAD_WORSE, 0.95 });
}

static void
one_run_a_side_is_said(void **state)
{
    struct ctx *ctx = *state;
    struct load_comparison comparison;

    compare_servers(ctx, &usual, &usual, 1, 1, &comparison);
    assert_int_equal(comparison.warnings.count, 1);
    assert_non_null(strstr(comparison.warnings.items[0], "one run of a side"));
    compare_servers(ctx, &usual, &usual, 2, 1, &comparison);
    assert_int_equal(comparison.warnings.count, 1);
    assert_non_null(strstr(comparison.warnings.items[0], "three or more"));
    compare_servers(ctx, &usual, &usual, 3, 1, &comparison);
    assert_int_equal(comparison.warnings.count, 0);
}

/* Three times one file are one run, not three. */
static void
a_run_given_twice_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct load_record records[4];
    struct load_records before = { &records[0], 2 };
    const struct load_records after = { &records[2], 2 };
    struct load_comparison comparison;

    for (size_t i = 0; i < COUNT_OF(records); i++) {
        simulate(ctx, &usual, i, &records[i]);
        records[i].started_us = 1000 + (int64_t)i;
        records[i].target = "127.0.0.1:80";
    }
    assert_true(load_compare(ctx, &before, &after, &comparison));
    records[3] = records[2];
    assert_false(load_compare(ctx, &before, &after, &comparison));
    assert_error(ctx, ERR_USAGE, "after: files 1 and 2 are of the same run");
    assert_non_null(ctx->error.hint);
    error_clear(ctx);
    /* Another seed, or another target, is another run of the same moment. */
    records[3].seed++;
    assert_true(load_compare(ctx, &before, &after, &comparison));
    records[3].seed--;
    records[3].target = "127.0.0.1:81";
    assert_true(load_compare(ctx, &before, &after, &comparison));
    records[1] = records[0];
    assert_false(load_compare(ctx, &before, &after, &comparison));
    assert_error(ctx, ERR_USAGE, "before: files 1 and 2");
}

static void
a_run_is_like_itself(void **state)
{
    struct ctx *ctx = *state;
    struct load_record record;
    const struct load_records side = { &record, 1 };
    struct load_comparison comparison;

    simulate(ctx, &(struct server){ 20000, 0.01, 0, 100, 30, 2 }, 5, &record);
    assert_true(load_compare(ctx, &side, &side, &comparison));
    assert_true(warns(&comparison, "the same run is on both sides"));
    /* Six measures of all, of "one" and of "two". */
    assert_int_equal(comparison.count, 18);
    for (size_t i = 0; i < comparison.count; i++) {
        const struct load_difference *item = &comparison.items[i];

        assert_int_equal(item->verdict, LOAD_SAME);
        assert_true(item->before == item->after);
        assert_true(item->low <= (item->is_ratio ? 1 : 0));
        assert_true(item->high >= (item->is_ratio ? 1 : 0));
    }
}

static void
the_same_files_give_the_same_answer(void **state)
{
    struct ctx *ctx = *state;
    struct load_record records[2];
    const struct load_records sides[] = { { &records[0], 1 }, { &records[1], 1 } };
    struct load_comparison first;
    struct load_comparison second;

    simulate(ctx, &usual, 7, &records[0]);
    simulate(ctx, &slower, 8, &records[1]);
    assert_true(load_compare(ctx, &sides[0], &sides[1], &first));
    assert_true(load_compare(ctx, &sides[0], &sides[1], &second));
    assert_int_equal(first.count, second.count);
    for (size_t i = 0; i < first.count; i++) {
        assert_true(first.items[i].low == second.items[i].low);
        assert_true(first.items[i].high == second.items[i].high);
    }
}

/* Numbers before and after are those of how the runs were made. */
static void
rate_and_errors_are_compared(void **state)
{
    const struct server bad = { 20000, 0.05, 0, 50, 30, 1 };
    const struct server good = { 20000, 0, 0, 100, 30, 1 };
    struct ctx *ctx = *state;
    struct load_comparison comparison;
    const struct load_difference *rate;
    const struct load_difference *errors;

    compare_servers(ctx, &good, &bad, 1, 3, &comparison);
    rate = find(&comparison, NULL, "rate");
    errors = find(&comparison, NULL, "errors");
    assert_int_equal(rate->verdict, LOAD_WORSE);
    assert_true(rate->before == 100);
    assert_true(fabs(rate->after - 50 * 0.95) < 1);
    assert_true(rate->low < 0.475 && rate->high > 0.475 && rate->high < 0.6);
    assert_int_equal(errors->verdict, LOAD_WORSE);
    assert_false(errors->is_ratio);
    assert_true(errors->before == 0);
    assert_true(fabs(errors->after - 0.05) < 0.02);
    assert_true(errors->low > 0.01 && errors->high < 0.1);
    compare_servers(ctx, &bad, &good, 1, 3, &comparison);
    assert_int_equal(find(&comparison, NULL, "rate")->verdict, LOAD_BETTER);
    assert_int_equal(find(&comparison, NULL, "errors")->verdict, LOAD_BETTER);
}

static void
too_little_says_why_not(void **state)
{
    struct ctx *ctx = *state;
    struct load_comparison comparison;

    compare_servers(ctx, &(struct server){ 20000, 0, 0, 100, 5, 1 }, &usual, 1, 3, &comparison);
    for (size_t i = 0; i < comparison.count; i++) {
        assert_int_equal(comparison.items[i].verdict, LOAD_SAME);
        assert_non_null(strstr(comparison.items[i].why_not, "shorter than 8 seconds"));
    }
    /* 10 a second for 30 s: 300 answers have three beyond the 99th percentile, 15 beyond the 95th. */
    compare_servers(ctx, &(struct server){ 20000, 0, 0, 10, 30, 1 },
        &(struct server){ 90000, 0, 0, 10, 30, 1 }, 1, 3, &comparison);
    assert_int_equal(find(&comparison, NULL, "p99")->verdict, LOAD_SAME);
    assert_string_equal(find(&comparison, NULL, "p99")->why_not, "too few answers");
    assert_null(find(&comparison, NULL, "p95")->why_not);
    assert_int_equal(find(&comparison, NULL, "p95")->verdict, LOAD_WORSE);
}

/*
 * 12 slices are drawn in blocks of round(2 x cbrt(12)) = 5: two and a half of them. Two runs of which one is
 * a hundred times slower leave anything open.
 */
static void
intervals_that_tell_nothing_are_not_shown(void **state)
{
    struct ctx *ctx = *state;
    struct load_record records[4];
    const struct load_records sides[] = { { &records[0], 2 }, { &records[2], 2 } };
    const struct load_difference *item;
    struct load_comparison comparison;

    compare_servers(ctx, &usual, &(struct server){ 20000, 0, 0, 120, 12, 1 }, 1, 3, &comparison);
    for (size_t i = 0; i < comparison.count; i++) {
        assert_int_equal(comparison.items[i].verdict, LOAD_SAME);
        assert_true(isnan(comparison.items[i].low) && isnan(comparison.items[i].high));
        assert_non_null(strstr(comparison.items[i].why_not, "too short to tell"));
    }
    for (size_t i = 0; i < COUNT_OF(records); i++)
        simulate(ctx, &(struct server){ i % 2 ? 1000 : 100000, 0, 0, 120, 20, 1 }, i, &records[i]);
    assert_true(load_compare(ctx, &sides[0], &sides[1], &comparison));
    item = find(&comparison, NULL, "p50");
    assert_int_equal(item->verdict, LOAD_SAME);
    assert_true(isnan(item->low) && isnan(item->high));
    assert_non_null(strstr(item->why_not, "runs to tell"));
}

/* 120 a second for 30 s: none of 3,600 means less than 3 of 3,600. */
static void
no_errors_have_the_rule_of_three(void **state)
{
    struct ctx *ctx = *state;
    struct load_comparison comparison;
    const struct load_difference *errors;

    compare_servers(ctx, &usual, &usual, 1, 1, &comparison);
    errors = find(&comparison, NULL, "errors");
    assert_true(errors->before == 0 && errors->after == 0);
    assert_true(fabs(errors->low + 3.0 / 3600) < 1e-12);
    assert_true(fabs(errors->high - 3.0 / 3600) < 1e-12);
    assert_int_equal(errors->verdict, LOAD_SAME);
}

static void
a_run_without_length_has_no_rate(void **state)
{
    struct ctx *ctx = *state;
    struct load_record records[2];
    const struct load_records sides[] = { { &records[0], 1 }, { &records[1], 1 } };
    struct load_comparison comparison;

    simulate(ctx, &usual, 1, &records[0]);
    simulate(ctx, &usual, 2, &records[1]);
    records[1].elapsed_us = 0;
    assert_true(load_compare(ctx, &sides[0], &sides[1], &comparison));
    assert_int_equal(find(&comparison, NULL, "rate")->verdict, LOAD_SAME);
    assert_string_equal(find(&comparison, NULL, "rate")->why_not, "a run has not lasted at all");
}

/*
 * Nothing but errors for 20 s, then 2,000 answers in 20 s: before, fewer than 3 answers in 20 s came
 * (0.15/s), so that 100/s are more than 667 times as many. Of 2,000 errors fewer than 3 were none, and of
 * 2,000 answers after fewer than 3 were errors: the share fell by 1 - sqrt(2) x 3 / 2,000 or more.
 */
static void
what_answers_again_is_better(void **state)
{
    const struct server dead = { 20000, 1, 0, 100, 20, 1 };
    const struct server alive = { 20000, 0, 0, 100, 20, 1 };
    struct ctx *ctx = *state;
    struct load_comparison comparison;
    const struct load_difference *rate;
    const struct load_difference *errors;

    compare_servers(ctx, &dead, &alive, 1, 1, &comparison);
    rate = find(&comparison, NULL, "rate");
    errors = find(&comparison, NULL, "errors");
    assert_true(rate->before == 0 && rate->after == 100);
    assert_int_equal(rate->verdict, LOAD_BETTER);
    assert_null(rate->why_not);
    assert_true(rate->low > 600 && rate->low < 670);
    assert_int_equal(errors->verdict, LOAD_BETTER);
    assert_true(errors->before == 1 && errors->after == 0 && errors->low == -1);
    assert_true(fabs(errors->high - (sqrt(2) * 3 / 2000 - 1)) < 1e-9);
    compare_servers(ctx, &alive, &dead, 1, 1, &comparison);
    rate = find(&comparison, NULL, "rate");
    assert_int_equal(rate->verdict, LOAD_WORSE);
    assert_true(rate->low == 0 && rate->high > 0.00149 && rate->high < 0.0017);
    compare_servers(ctx, &dead, &dead, 1, 1, &comparison);
    assert_string_equal(find(&comparison, NULL, "rate")->why_not, "too few answers");
}

/* A generator that was 10 ms late may have made 5 ms of difference by itself, but not 80 ms. */
static void
lag_of_the_generator_widens_intervals(void **state)
{
    struct ctx *ctx = *state;
    struct load_record records[3];
    struct load_records before = { &records[0], 1 };
    struct load_records after = { &records[1], 1 };
    struct load_comparison comparison;

    simulate(ctx, &usual, 1, &records[0]);
    simulate(ctx, &(struct server){ 26000, 0, 0, 200, 60, 1 }, 2, &records[1]);
    simulate(ctx, &(struct server){ 100000, 0, 0, 200, 60, 1 }, 3, &records[2]);
    assert_true(load_compare(ctx, &before, &after, &comparison));
    assert_int_equal(find(&comparison, NULL, "p50")->verdict, LOAD_WORSE);
    for (size_t i = 0; i < 1000; i++) {
        histogram_record(records[1].lag, 10000);
        histogram_record(records[2].lag, 10000);
    }
    assert_true(load_compare(ctx, &before, &after, &comparison));
    assert_int_equal(find(&comparison, NULL, "p50")->verdict, LOAD_SAME);
    assert_non_null(strstr(comparison.warnings.items[0], "bottleneck"));
    after.items = &records[2];
    assert_true(load_compare(ctx, &before, &after, &comparison));
    assert_int_equal(find(&comparison, NULL, "p50")->verdict, LOAD_WORSE);
}

static void
what_is_not_alike_is_warned_of(void **state)
{
    struct ctx *ctx = *state;
    struct load_record records[2];
    const struct load_records sides[] = { { &records[0], 1 }, { &records[1], 1 } };
    struct load_comparison comparison;

    simulate(ctx, &(struct server){ 20000, 0, 0, 50, 20, 2 }, 1, &records[0]);
    simulate(ctx, &(struct server){ 20000, 0, 0, 50, 30, 1 }, 1, &records[1]);
    records[1].name = "other";
    records[1].users = 11;
    records[1].is_complete = false;
    records[1].kind = LOAD_SQL;
    records[1].unanswered = 500;
    text_list_add(ctx->arena, &records[1].defines, "scale=2");
    assert_true(load_compare(ctx, &sides[0], &sides[1], &comparison));
    assert_true(warns(&comparison, "the scenarios are not the same: sim and other"));
    assert_true(warns(&comparison, "10 and 11"));
    assert_true(warns(&comparison, "did not come to its end"));
    assert_true(warns(&comparison, "SQL"));
    assert_true(warns(&comparison, "500 requests were unanswered"));
    assert_true(warns(&comparison, "--define"));
    assert_true(warns(&comparison, "equally long"));
    assert_true(warns(&comparison, "after: there is no step \"two\""));
    /* Only "one" is in both, and "all" is not the same requests: it stands alone. */
    assert_int_equal(comparison.count, 12);
    assert_non_null(find(&comparison, "one", "p50"));
}

static void
runs_without_a_common_step_are_refused(void **state)
{
    static struct load_step others[] = { { .name = "three" } };
    struct ctx *ctx = *state;
    struct load_record records[2];
    const struct load_records sides[] = { { &records[0], 1 }, { &records[1], 1 } };
    struct load_scenario scenario = { .name = "sim", .steps = others, .step_count = 1 };
    struct load_comparison comparison;

    simulate(ctx, &(struct server){ 20000, 0, 0, 50, 20, 2 }, 1, &records[0]);
    load_record_begin(ctx->arena, &scenario, &records[1]);
    assert_false(load_compare(ctx, &sides[0], &sides[1], &comparison));
    assert_error(ctx, ERR_INPUT, "no step in common");
}

static void
the_answer_as_json_has_all_of_it(void **state)
{
    struct ctx *ctx = *state;
    struct load_comparison comparison;
    json_t *json;
    const json_t *item;

    compare_servers(ctx, &(struct server){ 20000, 0, 0, 100, 5, 1 },
        &(struct server){ 20000, 0, 0, 100, 30, 1 }, 1, 3, &comparison);
    json = load_comparison_json(&comparison);
    item = json_array_get(json_object_get(json, "items"), 0);
    assert_int_equal(json_array_size(json_object_get(json, "items")), 6);
    assert_int_equal(json_array_size(json_object_get(json, "warnings")), comparison.warnings.count);
    assert_true(json_is_null(json_object_get(item, "step")));
    assert_true(json_is_null(json_object_get(item, "low")));
    assert_string_equal(json_get_text(ctx->arena, item, "measure", ""), "rate");
    assert_string_equal(json_get_text(ctx->arena, item, "verdict", ""), "not distinguishable");
    assert_non_null(strstr(json_get_text(ctx->arena, item, "why_not", ""), "8 seconds"));
    json_decref(json);
}

/* Tables of the distribution that stand in every textbook. */
static void
students_quantiles_are_those_of_the_tables(void **state)
{
    static const struct {
        double probability;
        double degrees;
        double quantile;
    } known[] = {
        { 0.05, 1, 12.7062 },
        { 0.05, 2, 4.30265 },
        { 0.05, 5, 2.57058 },
        { 0.05, 10, 2.22814 },
        { 0.05, 30, 2.04227 },
        { 0.05, 120, 1.97993 },
        { 0.01, 1, 63.6567 },
        { 0.01, 10, 3.16927 },
        { 0.01, 30, 2.75000 },
        { 0.50, 4, 0.74070 },
        { 0.001, 20, 3.84952 },
        { 0.05, 1e6, 1.959964 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        double found = load_student_quantile(known[i].probability, known[i].degrees);

        if (fabs(found / known[i].quantile - 1) > 1e-5)
            fail_msg("%g at %g: %g instead of %g", known[i].probability, known[i].degrees, found,
                known[i].quantile);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(students_quantiles_are_those_of_the_tables),
        test_with_ctx(the_same_server_is_not_distinguishable),
        test_with_ctx(a_third_slower_is_worse),
        test_with_ctx(several_runs_know_how_runs_differ),
        test_with_ctx(one_run_a_side_is_said),
        test_with_ctx(a_run_given_twice_is_refused),
        test_with_ctx(a_run_is_like_itself),
        test_with_ctx(the_same_files_give_the_same_answer),
        test_with_ctx(rate_and_errors_are_compared),
        test_with_ctx(too_little_says_why_not),
        test_with_ctx(intervals_that_tell_nothing_are_not_shown),
        test_with_ctx(no_errors_have_the_rule_of_three),
        test_with_ctx(a_run_without_length_has_no_rate),
        test_with_ctx(what_answers_again_is_better),
        test_with_ctx(lag_of_the_generator_widens_intervals),
        test_with_ctx(what_is_not_alike_is_warned_of),
        test_with_ctx(runs_without_a_common_step_are_refused),
        test_with_ctx(the_answer_as_json_has_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
