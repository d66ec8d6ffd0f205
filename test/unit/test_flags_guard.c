/*
 * The guard of a roll-out. Formulas are compared with numbers that were computed another way (numerical
 * integration of the mixture, Python's statistics module, tables); error rates are simulated with fixed
 * seeds and compared with those that were simulated independently (docs/flags.md).
 */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flags/guard.h"

enum { MOST = 5000, LOOK = 10 };

static const double sigma = 0.8;

/* splitmix64 (Steele, Lea, Flood 2014) and Box and Muller 1958. */
struct random {
    uint64_t state;
    double spare;
    bool has_spare;
};

static double
uniform(struct random *random)
{
    uint64_t x = random->state += UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    x ^= x >> 31;
    return ((double)(x >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(struct random *random)
{
    double radius;
    double angle;

    random->has_spare = !random->has_spare;
    if (!random->has_spare)
        return random->spare;
    radius = sqrt(-2 * log(uniform(random)));
    angle = 2 * M_PI * uniform(random);
    random->spare = radius * sin(angle);
    return radius * cos(angle);
}

static void
assert_near(double found, double expected, double within)
{
    if (!(fabs(found - expected) <= within))
        fail_msg("%.10g is not within %g of %.10g", found, within, expected);
}

/* ---- formulas ---- */

/* Arms of a given difference of means whose two variances of the mean add up to spread. */
static struct guard_difference
difference_of(double mean, double spread, double alpha)
{
    double count = 1000;
    double variance = spread * count / 2;
    struct guard_logs control = { count, 0, variance * (count - 1) };
    struct guard_logs treatment = { count, mean * count,
        variance * (count - 1) + count * mean * mean };

    return guard_compare_logs(&control, &treatment, 0.1, alpha);
}

static void
the_likelihood_ratio_is_the_integral_over_the_mixture(void **state)
{
    static const struct {
        double mean;
        double spread;
        double ratio; /* by numerical integration in Python */
    } known[] = {
        { 0.05, 0.001, 0.9393341553969565 },
        { 0.2, 0.004, 19.011557566042214 },
        { -0.1, 0.0005, 2985.576993935131 },
        { 0, 0.01, 0.7071067811865239 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        struct guard_difference found = difference_of(known[i].mean, known[i].spread, 0.01);

        assert_near(found.mean, known[i].mean, 1e-12);
        assert_near(found.ratio / known[i].ratio, 1, 1e-6);
    }
}

/* The interval holds exactly those differences that the test would not reject. */
static void
the_interval_ends_where_the_test_rejects(void **state)
{
    double half = difference_of(0, 0.001, 0.01).high;

    (void)state;
    assert_near(difference_of(half, 0.001, 0.01).ratio, 100, 1e-6);
    assert_near(difference_of(half, 0.001, 0.01).low, 0, 1e-9);
    assert_near(difference_of(-half, 0.001, 0.01).high, 0, 1e-9);
}

static void
arms_without_requests_say_nothing(void **state)
{
    const struct guard_logs none = { 0 };
    const struct guard_logs one = { 1, -3, 9 };
    const struct guard_logs same = { 10, -30, 90 };
    struct guard_difference found = guard_compare_logs(&none, &one, 0.1, 0.01);

    (void)state;
    assert_true(found.ratio <= 1 && isinf(found.high) && isinf(found.low));
    found = guard_compare_logs(&same, &same, 0.1, 0.01);
    assert_true(found.ratio <= 1 && isinf(found.high));
}

static void
wald_is_as_by_hand(void **state)
{
    (void)state;
    assert_near(guard_upper(0.01, 0.05), 4.553876891600541, 1e-12);
    assert_near(guard_lower(0.01, 0.05), -2.9856819377004893, 1e-12);
    assert_near(guard_share_llr(5, 1000, 0.001, 0.005), 4.055208279659537, 1e-9);
}

static void
distributions_are_as_in_tables(void **state)
{
    (void)state;
    assert_near(guard_normal(1.96), 0.9750021048517795, 1e-12);
    assert_near(guard_normal_quantile(0.95), 1.6448536269514715, 1e-9);
    assert_near(guard_normal_quantile(0.999), 3.090232306167813, 1e-9);
    assert_near(guard_normal_quantile(1e-4), -3.71901648545568, 1e-9);
    /* 4,800 against 5,200: chi-square is 16. */
    assert_near(guard_split_p(4800, 5200, 0.5), 6.334248366623977e-05, 1e-12);
    assert_near(guard_split_p(9500, 500, 0.05), 1, 1e-12);
    assert_near(guard_split_p(0, 0, 0.5), 1, 0);
    assert_near(guard_split_p(10, 0, 1), 1, 0);
}

static void
quantiles_are_as_prometheus_has_them(void **state)
{
    static const double edges[] = { 1, 2, 4, INFINITY };
    static const double counts[] = { 10, 50, 90, 100 };
    static const double none[] = { 0, 0, 0, 0 };

    (void)state;
    assert_near(guard_quantile(edges, counts, 4, 0.05), 0.5, 1e-12);
    assert_near(guard_quantile(edges, counts, 4, 0.3), 1.5, 1e-12);
    assert_near(guard_quantile(edges, counts, 4, 0.9), 4, 1e-12);
    assert_near(guard_quantile(edges, counts, 4, 0.95), 4, 1e-12);
    assert_true(isnan(guard_quantile(edges, none, 4, 0.95)));
    assert_true(isnan(guard_quantile(edges, none, 0, 0.95)));
}

/* ---- simulated: the test of the mean ---- */

static void
add_log(struct guard_logs *logs, double value)
{
    logs->count++;
    logs->sum += value;
    logs->squares += value * value;
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

struct found {
    double rejected; /* share */
    double median;   /* requests an arm until then, of those that were */
};

/* Looks after each ten requests an arm, until it rejects or there are 5,000. */
static struct found
simulate_mean(double slower, size_t runs, double alpha, uint64_t seed)
{
    double *when = calloc(runs, sizeof(*when));
    struct random random = { .state = seed };
    size_t rejected = 0;
    struct found found = { 0 };

    for (size_t run = 0; run < runs; run++) {
        struct guard_logs arms[2] = { { 0 } };
        bool is_rejected = false;

        for (int i = 1; i <= MOST && !is_rejected; i++) {
            add_log(&arms[0], sigma * normal(&random));
            add_log(&arms[1], log(slower) + sigma * normal(&random));
            if (i % LOOK == 0 && i >= 50)
                is_rejected = guard_compare_logs(&arms[0], &arms[1], 0.1, alpha).ratio >= 1 / alpha;
            if (is_rejected)
                when[rejected++] = i;
        }
    }
    qsort(when, rejected, sizeof(*when), by_size);
    found.rejected = (double)rejected / (double)runs;
    found.median = rejected > 0 ? when[rejected / 2] : 0;
    free(when);
    print_message("# latency x %.2f, alpha %.2f: rejected %.1f %%, median %.0f\n", slower, alpha,
        100 * found.rejected, found.median);
    return found;
}

/* Independently simulated with the same settings: 3.5 %, 62 % (2,382), 99.9 % (1,051), 100 % (331), 108. */
static void
the_test_of_the_mean_keeps_its_alpha_and_has_its_power(void **state)
{
    struct found found;

    (void)state;
    assert_true(simulate_mean(1, 600, 0.05, 1).rejected <= 0.05);
    assert_true(simulate_mean(1, 600, 0.01, 2).rejected <= 0.01);
    found = simulate_mean(1.05, 300, 0.05, 3);
    assert_near(found.rejected, 0.62, 0.09);
    assert_near(found.median, 2382, 400);
    found = simulate_mean(1.2, 300, 0.05, 4);
    assert_near(found.rejected, 1, 0);
    assert_near(found.median, 331, 50);
    found = simulate_mean(1.5, 300, 0.05, 5);
    assert_near(found.rejected, 1, 0);
    assert_near(found.median, 108, 20);
}

/* ---- simulated: errors ---- */

static struct found
simulate_errors(double rate, size_t runs, uint64_t seed)
{
    double *when = calloc(runs, sizeof(*when));
    struct random random = { .state = seed };
    size_t rejected = 0;
    struct found found = { 0 };

    for (size_t run = 0; run < runs; run++) {
        double errors = 0;
        double llr = 0;
        int count = 0;

        while (llr < guard_upper(0.01, 0.05) && llr > guard_lower(0.01, 0.05)) {
            errors += uniform(&random) < rate;
            llr = guard_share_llr(errors, ++count, 0.001, 0.005);
        }
        if (llr > 0)
            when[rejected++] = count;
    }
    qsort(when, rejected, sizeof(*when), by_size);
    found.rejected = (double)rejected / (double)runs;
    found.median = rejected > 0 ? when[rejected / 2] : 0;
    free(when);
    print_message("# errors %.1f %%: stopped %.1f %%, median %.0f\n", 100 * rate,
        100 * found.rejected, found.median);
    return found;
}

/* Independently simulated: 0.6 %, 17.6 %, 94.9 % (median 974), 100 % (182). */
static void
the_test_of_errors_has_its_error_rates(void **state)
{
    struct found found;

    (void)state;
    assert_true(simulate_errors(0.001, 2000, 11).rejected <= 0.0105);
    assert_near(simulate_errors(0.002, 1000, 12).rejected, 0.176, 0.05);
    found = simulate_errors(0.005, 1000, 13);
    assert_near(found.rejected, 0.949, 0.025);
    assert_near(found.median, 974, 120);
    found = simulate_errors(0.02, 500, 14);
    assert_near(found.rejected, 1, 0);
    assert_near(found.median, 182, 40);
}

/* ---- the guard as a whole ---- */

static const double bounds[] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1,
    2, 3, 5, 10, INFINITY };

struct arm {
    double median; /* of the latency, seconds */
    double errors;
    double tail; /* share of requests that take five times as long */
};

static void
add_request(struct guard_counts *counts, const struct arm *arm, struct random *random)
{
    double seconds = arm->median * exp(sigma * normal(random));

    counts->requests++;
    if (arm->errors > 0 && uniform(random) < arm->errors) {
        counts->errors++;
        return;
    }
    if (arm->tail > 0 && uniform(random) < arm->tail)
        seconds *= 5;
    add_log(&counts->logs, log(seconds));
    for (size_t i = 0; i < COUNT_OF(bounds); i++)
        counts->buckets[i] += seconds <= bounds[i];
}

static struct guard_reading
look_of(const struct arm arms[2], const int requests[2], struct random *random)
{
    struct guard_reading reading = { .bucket_count = COUNT_OF(bounds) };

    memcpy(reading.edges, bounds, sizeof(bounds));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < requests[i]; j++)
            add_request(&reading.arms[i], &arms[i], random);
    return reading;
}

struct outcome {
    double went_on; /* shares */
    double went_back;
    double median; /* looks until it went back */
};

/* Fifty requests an arm and second, a look a second, 5,000 an arm and 60 s before it may go on. */
static struct outcome
simulate_guard(const struct arm *control, const struct arm *treatment, size_t runs, uint64_t seed)
{
    const struct arm arms[2] = { *control, *treatment };
    const int requests[2] = { 50, 50 };
    struct guard_rules rules = guard_standard_rules;
    struct random random = { .state = seed };
    double *when = calloc(runs, sizeof(*when));
    struct outcome outcome = { 0 };
    size_t back = 0;

    rules.hold_us = 60000000;
    rules.share = 0.5;
    for (size_t run = 0; run < runs; run++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct guard *guard = ARENA_NEW(arena, struct guard);
        struct guard_verdict verdict = { .decision = GUARD_WAIT };

        guard_begin(guard, &rules, 0);
        for (int i = 1; i <= 200 && verdict.decision == GUARD_WAIT; i++) {
            struct guard_reading delta = look_of(arms, requests, &random);

            guard_add(guard, &delta, i * INT64_C(1000000));
            verdict = guard_judge(arena, guard, i * INT64_C(1000000));
            if (verdict.decision == GUARD_GO_BACK)
                when[back++] = i;
        }
        outcome.went_on += verdict.decision == GUARD_GO_ON;
    }
    qsort(when, back, sizeof(*when), by_size);
    outcome.median = back > 0 ? when[back / 2] : 0;
    outcome.went_on /= (double)runs;
    outcome.went_back = (double)back / (double)runs;
    free(when);
    print_message(
        "# guard: latency x %.2f, errors %.2f / %.2f %%, tail %.2f: on %.1f %%, back %.1f "
        "%% (median %.0f requests)\n",
        treatment->median / control->median, 100 * control->errors, 100 * treatment->errors,
        treatment->tail, 100 * outcome.went_on, 100 * outcome.went_back, 50 * outcome.median);
    return outcome;
}

static const struct arm usual = { .median = 0.02, .errors = 0.001 };

static void
two_of_the_same_seldom_go_back(void **state)
{
    (void)state;
    /* Three tests of 1 % each. */
    assert_true(simulate_guard(&usual, &usual, 200, 21).went_back <= 0.03);
}

static void
faster_ones_go_on(void **state)
{
    const struct arm faster = { .median = 0.01, .errors = 0.001 };
    struct outcome outcome = simulate_guard(&usual, &faster, 40, 22);

    (void)state;
    assert_near(outcome.went_on, 1, 0);
}

static void
slower_ones_go_back(void **state)
{
    const struct arm worse = { .median = 0.024, .errors = 0.001 };
    const struct arm bad = { .median = 0.03, .errors = 0.001 };
    struct outcome outcome;

    (void)state;
    outcome = simulate_guard(&usual, &worse, 60, 23);
    assert_near(outcome.went_back, 1, 0);
    assert_true(outcome.median < 20);
    outcome = simulate_guard(&usual, &bad, 60, 24);
    assert_near(outcome.went_back, 1, 0);
    assert_true(outcome.median < 8);
}

/* Just as bad as is not allowed any more: it must not slip through. */
static void
what_is_at_the_margin_does_not_go_on(void **state)
{
    const struct arm margin = { .median = 0.021, .errors = 0.001 };

    (void)state;
    assert_true(simulate_guard(&usual, &margin, 100, 25).went_on <= 0.01);
}

static void
a_tail_alone_goes_back(void **state)
{
    const struct arm tail = { .median = 0.02, .errors = 0.001, .tail = 0.06 };

    (void)state;
    assert_near(simulate_guard(&usual, &tail, 60, 26).went_back, 1, 0.05);
}

static void
more_errors_go_back(void **state)
{
    const struct arm some = { .median = 0.02, .errors = 0.01 };
    const struct arm many = { .median = 0.02, .errors = 0.1 };
    struct outcome outcome;

    (void)state;
    assert_near(simulate_guard(&usual, &some, 60, 27).went_back, 1, 0);
    outcome = simulate_guard(&usual, &many, 60, 28);
    assert_near(outcome.went_back, 1, 0);
    assert_true(outcome.median <= 3);
}

/* ---- single rules ---- */

static struct guard_verdict
judge_once(struct arena *arena, const struct guard_rules *rules, const struct guard_reading *delta,
    int64_t now_us)
{
    struct guard *guard = ARENA_NEW(arena, struct guard);

    guard_begin(guard, rules, 0);
    guard_add(guard, delta, now_us);
    return guard_judge(arena, guard, now_us);
}

static void
five_errors_of_a_hundred_are_too_many_only_within_the_window(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct guard *guard = ARENA_NEW(arena, struct guard);
    struct guard_rules rules = guard_standard_rules;
    struct guard_reading delta = { .arms[GUARD_TREATMENT] = { .requests = 90, .errors = 5 } };

    (void)state;
    /* 5.6 % of 90: at once, whatever the control does. */
    delta.arms[GUARD_CONTROL] = (struct guard_counts){ .requests = 90, .errors = 5 };
    assert_string_equal(judge_once(arena, &rules, &delta, 1).rule, "many errors");
    /* 5 % is not above 5 %, and four are not five. */
    delta.arms[GUARD_TREATMENT].requests = 100;
    assert_int_equal(judge_once(arena, &rules, &delta, 1).decision, GUARD_WAIT);
    delta.arms[GUARD_TREATMENT] = (struct guard_counts){ .requests = 4, .errors = 4 };
    delta.arms[GUARD_CONTROL] = (struct guard_counts){ .requests = 4, .errors = 4 };
    assert_int_equal(judge_once(arena, &rules, &delta, 1).decision, GUARD_WAIT);
    /* Those of a minute ago have gone by. */
    delta.arms[GUARD_TREATMENT] = (struct guard_counts){ .requests = 50, .errors = 4 };
    delta.arms[GUARD_CONTROL] = (struct guard_counts){ .requests = 50, .errors = 4 };
    guard_begin(guard, &rules, 0);
    guard_add(guard, &delta, 0);
    guard_add(guard, &delta, 60000000);
    assert_int_equal(guard_judge(arena, guard, 60000000).decision, GUARD_WAIT);
    guard_add(guard, &delta, 61000000);
    assert_string_equal(guard_judge(arena, guard, 61000000).rule, "many errors");
}

static struct guard_reading
fast_reading(int control, int treatment, uint64_t seed)
{
    const struct arm arms[2] = { { .median = 0.02 }, { .median = 0.005 } };
    struct random random = { .state = seed };

    return look_of(arms, (const int[]){ control, treatment }, &random);
}

static void
it_waits_for_requests_and_for_time(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct guard_rules rules = guard_standard_rules;
    struct guard_reading few = fast_reading(9000, 999, 31);
    struct guard_reading enough = fast_reading(9000, 1000, 31);

    (void)state;
    rules.least = 1000;
    rules.hold_us = 600000000;
    rules.share = 0.1;
    assert_string_equal(judge_once(arena, &rules, &few, 700000000).rule, "requests");
    assert_string_equal(judge_once(arena, &rules, &enough, 599999999).rule, "time");
    assert_int_equal(judge_once(arena, &rules, &enough, 600000000).decision, GUARD_GO_ON);
    /* The error test needs some requests, too, before it can say that there are no more errors. */
    few = fast_reading(9000, 600, 31);
    rules.least = 500;
    assert_string_equal(judge_once(arena, &rules, &few, 600000000).rule, "errors");
}

static void
a_wrong_split_is_no_comparison(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct guard_rules rules = guard_standard_rules;
    struct guard_reading even = fast_reading(2000, 2000, 32);

    (void)state;
    rules.least = 1000;
    rules.share = 0.5;
    rules.users = 1000;
    assert_int_equal(judge_once(arena, &rules, &even, 1).decision, GUARD_GO_ON);
    /* Half of the requests where a tenth of the users should be. */
    rules.share = 0.1;
    assert_string_equal(judge_once(arena, &rules, &even, 1).rule, "sample ratio");
    assert_int_equal(judge_once(arena, &rules, &even, 1).decision, GUARD_GO_BACK);
    /* Ten users may be split like that by chance; and who knows no number of users tests nothing. */
    rules.users = 6;
    assert_int_equal(judge_once(arena, &rules, &even, 1).decision, GUARD_GO_ON);
    rules.users = 0;
    assert_int_equal(judge_once(arena, &rules, &even, 1).decision, GUARD_GO_ON);
}

static void
at_a_hundred_percent_the_control_before_counts(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct guard *guard = ARENA_NEW(arena, struct guard);
    struct guard_rules rules = guard_standard_rules;
    struct guard_reading before = fast_reading(6000, 0, 33);
    struct guard_reading now = fast_reading(0, 6000, 34);

    (void)state;
    rules.share = 1;
    guard_begin(guard, &rules, 0);
    guard->before = before.arms[GUARD_CONTROL];
    guard->has_before = true;
    guard_add(guard, &now, 1);
    assert_int_equal(guard_judge(arena, guard, 1).decision, GUARD_GO_ON);
}

static void
nothing_at_all_waits(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct guard *guard = ARENA_NEW(arena, struct guard);
    struct guard_reading nothing = { 0 };

    (void)state;
    guard_begin(guard, &guard_standard_rules, 0);
    assert_int_equal(guard_judge(arena, guard, 1).decision, GUARD_WAIT);
    for (int i = 0; i < 1000; i++)
        guard_add(guard, &nothing, i);
    assert_int_equal(guard_judge(arena, guard, 1000).decision, GUARD_WAIT);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_likelihood_ratio_is_the_integral_over_the_mixture),
        cmocka_unit_test(the_interval_ends_where_the_test_rejects),
        cmocka_unit_test(arms_without_requests_say_nothing),
        cmocka_unit_test(wald_is_as_by_hand),
        cmocka_unit_test(distributions_are_as_in_tables),
        cmocka_unit_test(quantiles_are_as_prometheus_has_them),
        cmocka_unit_test(the_test_of_the_mean_keeps_its_alpha_and_has_its_power),
        cmocka_unit_test(the_test_of_errors_has_its_error_rates),
        cmocka_unit_test(two_of_the_same_seldom_go_back),
        cmocka_unit_test(faster_ones_go_on),
        cmocka_unit_test(slower_ones_go_back),
        cmocka_unit_test(what_is_at_the_margin_does_not_go_on),
        cmocka_unit_test(a_tail_alone_goes_back),
        cmocka_unit_test(more_errors_go_back),
        cmocka_unit_test(five_errors_of_a_hundred_are_too_many_only_within_the_window),
        cmocka_unit_test(it_waits_for_requests_and_for_time),
        cmocka_unit_test(a_wrong_split_is_no_comparison),
        cmocka_unit_test(at_a_hundred_percent_the_control_before_counts),
        cmocka_unit_test(nothing_at_all_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
