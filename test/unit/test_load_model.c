/* The law is found again in numbers that were made by its formula, and says when it knows little. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "load/result/law.h"
#include "load/result/model.h"

/* Written out once more: Gunther, "Guerrilla Capacity Planning", 2007, equation 4.30, with a gain. */
static double
rate_by_formula(double gain, double a, double b, double n)
{
    return gain * n / (1 + a * (n - 1) + b * n * (n - 1));
}

static void
exact_numbers_give_the_parameters_back(void **state)
{
    static const struct {
        double gain;
        double a;
        double b;
    } known[] = {
        { 1, 0, 0 },
        { 995.6486, 0.02671591, 0.0007690945 }, /* measured of a cache by Gunther and others */
        { 0.0333, 1e-5, 1e-9 },
        { 50, 0.1, 0 },
        { 50, 0, 1e-4 },
        { 1000, 0.5, 1e-3 },
    };
    static const double users[] = { 1, 2, 5, 10, 50, 200, 1000, 10000 };
    double rates[COUNT_OF(users)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        struct load_law law;

        for (size_t j = 0; j < COUNT_OF(users); j++)
            rates[j] = rate_by_formula(known[i].gain, known[i].a, known[i].b, users[j]);
        load_law_fit(users, rates, COUNT_OF(users), &law);
        assert_true(fabs(law.gain / known[i].gain - 1) < 1e-6);
        assert_true(fabs(law.contention - known[i].a) < 1e-6 * (known[i].a + 1e-6));
        assert_true(fabs(law.coherency - known[i].b) < 1e-6 * (known[i].b + 1e-9));
        assert_true(law.error < 1e-6);
    }
}

/* Three points and three unknowns: the law goes through them, whichever scale they have. */
static void
three_points_are_enough(void **state)
{
    static const double users[] = { 1000, 5000, 11000 };
    double rates[3];
    struct load_law law;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        rates[i] = rate_by_formula(0.2, 2e-5, 8e-9, users[i]);
    load_law_fit(users, rates, 3, &law);
    assert_true(fabs(law.gain - 0.2) < 1e-6);
    assert_true(fabs(law.contention - 2e-5) < 1e-9);
    assert_true(fabs(law.coherency - 8e-9) < 1e-13);
}

/* Measured rates are off by up to 3 %: what the law says of them is off by little more. */
static void
noise_changes_the_answer_little(void **state)
{
    static const double users[] = { 1, 2, 4, 8, 16, 32, 64, 128 };
    double rates[COUNT_OF(users)];

    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct test_random random = { .state = seed * 2 + 1 };
        struct load_law law;

        for (size_t j = 0; j < COUNT_OF(users); j++)
            rates[j] = rate_by_formula(100, 0.03, 2e-4, users[j]) *
                       (0.97 + (double)test_random_below(&random, 601) / 10000);
        load_law_fit(users, rates, COUNT_OF(users), &law);
        assert_true(law.contention >= 0 && law.coherency >= 0);
        assert_true(law.error < 0.03);
        for (double n = 1; n <= 128; n *= 1.5)
            assert_true(
                fabs(load_law_rate(&law, n) / rate_by_formula(100, 0.03, 2e-4, n) - 1) < 0.06);
    }
}

/* Rates that grow faster than the users have neither contention nor coherency. */
static void
no_parameter_is_below_zero(void **state)
{
    static const double users[] = { 1, 10, 100 };
    static const double rates[] = { 1, 12, 150 };
    struct load_law law;

    (void)state;
    load_law_fit(users, rates, 3, &law);
    assert_true(law.contention == 0);
    assert_true(law.coherency == 0);
    /* The best straight line of relative errors: sum(r) / sum(r^2) with r = N / rate. */
    assert_true(fabs(law.gain -
                     (1 + 10.0 / 12 + 100.0 / 150) / (1 + 100.0 / 144 + 10000.0 / 22500)) < 1e-6);
}

static struct load_fact facts[] = {
    { "pg_cpu_us", "PostgreSQL's CPU a request", "us", 2000 },
    { "api_cpu_us", "The API's CPU a request", "us", 500 },
};

/* A run of 100 s with this rate; each answer took 50 ms. */
static struct load_record
run_of(struct ctx *ctx, int64_t users, double rate)
{
    struct load_step_record *step = ARENA_NEW(ctx->arena, struct load_step_record);
    int64_t calls = llround(rate * 100);

    step->name = "step";
    step->latency = histogram_new(ctx->arena);
    step->service = histogram_new(ctx->arena);
    step->outcomes[LOAD_GOOD] = calls;
    for (int64_t i = 0; i < calls; i++)
        histogram_record(step->latency, 50000);
    return (struct load_record){
        .name = "plan",
        .users = users,
        .think_us = 950000,
        .is_closed = true,
        .elapsed_us = 100000000,
        .is_complete = true,
        .steps = step,
        .step_count = 1,
        .lag = histogram_new(ctx->arena),
        .cpu_us = calls * 100,
        .facts = facts,
        .fact_count = COUNT_OF(facts),
    };
}

enum { RUNS = 5 };
static const int64_t run_users[RUNS] = { 200, 20, 50, 100, 10 };

static void
make_runs(struct ctx *ctx, double a, double b, struct load_record *ret)
{
    for (size_t i = 0; i < RUNS; i++)
        ret[i] = run_of(ctx, run_users[i], rate_by_formula(1, a, b, (double)run_users[i]));
}

static void
the_peak_is_where_the_formula_has_it(void **state)
{
    struct ctx *ctx = *state;
    struct load_record runs[RUNS];
    const struct load_records records = { runs, RUNS };
    struct load_model model;

    /* a = 0.01, b = 1e-4: the peak is at sqrt(0.99 / 0.0001) = 99.5 users, with 33.56 a second. */
    make_runs(ctx, 0.01, 1e-4, runs);
    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ 0 }, &model));
    assert_int_equal(model.count, RUNS);
    assert_true(fabs(model.peak_users - 99.499) < 0.5);
    assert_true(fabs(model.peak_rate - rate_by_formula(1, 0.01, 1e-4, 99.499)) < 0.05);
    assert_true(fabs(model.ceiling_rate - 33.56) < 0.01);
    assert_true(model.error_share < 0.002);
    assert_null(model.caution);
    /* Sorted by users; rate x (50 ms + 950 ms) stands beside each. */
    for (size_t i = 1; i < RUNS; i++)
        assert_true(model.points[i].users > model.points[i - 1].users);
    assert_true(fabs(model.points[0].little_users - model.points[0].rate) < 1e-9);
    assert_true(model.points[0].latency_us == 50000);
    assert_true(fabs(model.points[0].cpu_us - 2600) < 1e-9);
}

/* 1,000 users ask for 1,000 a second: 2 s of PostgreSQL's CPU and 0.5 s of the API's, at half load twice. */
static void
a_wish_tells_its_processors(void **state)
{
    struct ctx *ctx = *state;
    struct load_record runs[RUNS];
    const struct load_records records = { runs, RUNS };
    struct load_model_wish wish = { .users = 1000 };
    struct load_model model;

    make_runs(ctx, 0.01, 1e-4, runs);
    assert_true(load_model_fit(ctx, &records, &wish, &model));
    assert_true(fabs(model.wanted_rate - 1000) < 1e-6);
    assert_true(fabs(model.cpus_postgresql - 4) < 1e-6);
    assert_true(fabs(model.cpus_api - 1) < 1e-6);
    assert_true(fabs(model.cpus_generator - 0.2) < 1e-6);
    wish = (struct load_model_wish){ .rate = 300, .cpu_share = 0.75 };
    assert_true(load_model_fit(ctx, &records, &wish, &model));
    assert_true(model.wanted_users == 0);
    assert_true(fabs(model.cpus_postgresql - 0.8) < 1e-6);
    assert_true(fabs(model.cpus_api - 0.2) < 1e-6);
    for (size_t i = 0; i < RUNS; i++)
        runs[i].fact_count = 0;
    assert_true(load_model_fit(ctx, &records, &wish, &model));
    assert_true(isnan(model.cpus_postgresql));
    assert_true(isnan(model.points[0].cpu_us));
}

/* By hand: 200 / (1 + 0.01 x 199 + 0.0001 x 200 x 199) = 200 / 6.97 = 28.69, where gain x N would be 200. */
static void
users_who_do_not_think_ask_for_what_the_law_has(void **state)
{
    struct ctx *ctx = *state;
    struct load_record runs[RUNS];
    const struct load_records records = { runs, RUNS };
    struct load_model model;

    make_runs(ctx, 0.01, 1e-4, runs);
    for (size_t i = 0; i < RUNS; i++)
        runs[i].think_us = -1;
    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ .users = 200 }, &model));
    assert_true(fabs(model.wanted_rate - 28.69) < 0.05);
    /* Without think time, users by Little are rate x 50 ms. */
    assert_true(fabs(model.points[0].little_users / model.points[0].rate - 0.05) < 1e-9);
    /* Of two groups one may think: then the cycle is not known, and the law still holds. */
    for (size_t i = 0; i < RUNS; i++)
        runs[i].group_count = 2;
    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ .users = 200 }, &model));
    assert_true(isnan(model.points[0].little_users));
    assert_true(fabs(model.wanted_rate - 28.69) < 0.05);
}

/* Runs of up to 200 users, with a peak at 99.5. */
static void
a_wish_far_from_the_runs_is_warned_of(void **state)
{
    struct ctx *ctx = *state;
    struct load_record runs[RUNS];
    const struct load_records records = { runs, RUNS };
    struct load_model model;

    make_runs(ctx, 0.01, 1e-4, runs);
    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ .users = 90 }, &model));
    assert_null(model.caution);
    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ .users = 150 }, &model));
    assert_non_null(strstr(model.caution, "beyond the peak"));
    assert_null(strstr(model.caution, "4 times"));
    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ .users = 801 }, &model));
    assert_non_null(strstr(model.caution, "more than 4 times those of the largest run (200)"));
}

static void
caution(struct ctx *ctx, struct load_record *runs, const char *words)
{
    const struct load_records records = { runs, RUNS };
    struct load_model model;

    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ 0 }, &model));
    assert_non_null(model.caution);
    assert_non_null(strstr(model.caution, words));
}

static void
it_says_when_it_knows_little(void **state)
{
    struct ctx *ctx = *state;
    struct load_record runs[RUNS];
    const struct load_records records = { runs, RUNS };
    struct load_model model;

    make_runs(ctx, 1e-5, 1e-7, runs);
    caution(ctx, runs, "still grows as the users do");
    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ 0 }, &model));
    assert_true(model.peak_users == 0);
    /* Up and down and up again is no law. */
    for (size_t i = 0; i < RUNS; i++)
        runs[i] = run_of(ctx, run_users[i], run_users[i] % 100 == 0 ? 30 : 5);
    caution(ctx, runs, "does not fit");
    make_runs(ctx, 0.01, 1e-4, runs);
    runs[2].is_complete = false;
    caution(ctx, runs, "did not come to its end");
    make_runs(ctx, 0.01, 1e-4, runs);
    runs[3].name = "other";
    caution(ctx, runs, "not of one scenario");
    make_runs(ctx, 0.01, 1e-4, runs);
    histogram_record(runs[0].lag, 5000);
    caution(ctx, runs, "bottleneck");
}

static void
too_few_runs_are_refused(void **state)
{
    struct ctx *ctx = *state;
    struct load_record runs[] = { run_of(ctx, 10, 10), run_of(ctx, 10, 11), run_of(ctx, 20, 20) };
    const struct load_records records = { runs, 3 };
    struct load_model model;

    assert_false(load_model_fit(ctx, &records, &(struct load_model_wish){ 0 }, &model));
    assert_error(ctx, ERR_INPUT, "2 different numbers of users");
    assert_non_null(ctx->error.hint);
    runs[2] = run_of(ctx, 20, 0);
    assert_false(load_model_fit(ctx, &records, &(struct load_model_wish){ 0 }, &model));
    assert_error(ctx, ERR_INPUT, "no good answers");
}

/* With a schedule that does not wait, a user's cycle is the think time alone. */
static void
littles_law_knows_open_and_closed_loops(void **state)
{
    struct ctx *ctx = *state;
    struct load_record runs[RUNS];
    const struct load_records records = { runs, RUNS };
    struct load_model model;
    json_t *json;

    make_runs(ctx, 0.01, 1e-4, runs);
    for (size_t i = 0; i < RUNS; i++)
        runs[i].is_closed = false;
    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ 0 }, &model));
    assert_true(fabs(model.points[0].little_users / model.points[0].rate - 0.95) < 1e-9);
    for (size_t i = 0; i < RUNS; i++)
        runs[i].think_us = -1;
    assert_true(load_model_fit(ctx, &records, &(struct load_model_wish){ 0 }, &model));
    assert_true(isnan(model.points[0].little_users));
    json = load_model_json(&model);
    assert_int_equal(json_array_size(json_object_get(json, "points")), RUNS);
    assert_true(json_is_null(
        json_object_get(json_array_get(json_object_get(json, "points"), 0), "little_users")));
    assert_true(json_get_double(json, "contention", 0) == model.contention);
    json_decref(json);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(exact_numbers_give_the_parameters_back),
        test_with_ctx(three_points_are_enough),
        test_with_ctx(noise_changes_the_answer_little),
        test_with_ctx(no_parameter_is_below_zero),
        test_with_ctx(the_peak_is_where_the_formula_has_it),
        test_with_ctx(a_wish_tells_its_processors),
        test_with_ctx(users_who_do_not_think_ask_for_what_the_law_has),
        test_with_ctx(a_wish_far_from_the_runs_is_warned_of),
        test_with_ctx(it_says_when_it_knows_little),
        test_with_ctx(too_few_runs_are_refused),
        test_with_ctx(littles_law_knows_open_and_closed_loops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
