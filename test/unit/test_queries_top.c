/* The costliest statements: from counters and from single executions; the 95th percentile. */
#include "support/test.h"

#include <math.h>

#include "queries/top.h"
#include "queries/top_quantile.h"

static struct workload_statement
entry(int64_t id, int64_t user, const char *query, int64_t calls, double mean_ms)
{
    return (struct workload_statement){
        .user_id = user,
        .query_id = id,
        .is_top_level = true,
        .query = query,
        .fingerprint = query,
        .calls = calls,
        .mean_ms = mean_ms,
        .total_ms = mean_ms * (double)calls,
        .max_ms = 1000,
        .row_count = calls * 3,
        .blocks_hit = calls * 2,
        .blocks_read = calls,
        .stats_since = "",
    };
}

static struct workload
reading(struct workload_statement *items, size_t count)
{
    return (struct workload){
        .taken_at = "2026-11-22 10:00:00+00",
        .server_start = "2026-11-20 10:00:00+00",
        .stats_reset = "2026-11-21 10:00:00+00",
        .items = items,
        .count = count,
    };
}

static const struct ranked_query *
find(const struct query_ranking *ranking, const char *query)
{
    for (size_t i = 0; i < ranking->count; i++)
        if (text_equal(ranking->items[i].query, query))
            return &ranking->items[i];
    return NULL;
}

static void
the_first_times_are_kept_as_they_are(void **state)
{
    struct ctx *ctx = *state;
    struct top_times times = { 0 };

    assert_true(top_times_p95_us(&times) < 0);
    for (int64_t us = 50; us >= 1; us--)
        top_times_add(ctx->arena, &times, us * 1000000);
    assert_true(top_times_p95_us(&times) == 48e6); /* the 48th of 50 */
    assert_int_equal(times.max_us, 50000000);
}

static void
many_times_are_right_within_three_percent(void **state)
{
    static const double scales[] = { 1, 37, 1e3, 2.5e5 };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(scales); i++) {
        struct top_times times = { 0 };

        for (int64_t n = 1; n <= 10000; n++) /* each number once, in an order of its own */
            top_times_add(ctx->arena, &times, (int64_t)((double)(n * 7919 % 10000) * scales[i]));

        double exact = 9499 * scales[i]; /* the 9,500th of 0 … 9,999 */

        assert_true(fabs(top_times_p95_us(&times) - exact) <= exact * 0.03);
    }
}

static void
times_beyond_all_bounds_do_no_harm(void **state)
{
    struct ctx *ctx = *state;
    struct top_times times = { 0 };

    for (int n = 0; n < 100; n++)
        top_times_add(ctx->arena, &times, n % 2 == 0 ? -5 : INT64_MAX / 1000);
    assert_int_equal(times.count, 100);
    assert_true(top_times_p95_us(&times) > 1e9);
}

/* Numbers by hand: exp(ln m - s/2 + 1.64485 sqrt(s)) with s = ln(1 + v/m²). */
static void
the_estimate_is_that_of_a_log_normal_distribution(void **state)
{
    (void)state;
    assert_true(fabs(top_estimate_p95_ms(100, 1, 1, 1000) - 2.7811287807) < 1e-9);
    assert_true(fabs(top_estimate_p95_ms(100, 10, 4, 1000) - 13.5817253937) < 1e-9);
    assert_true(fabs(top_estimate_p95_ms(100, 2, 0, 1000) - 2) < 1e-12);
    assert_true(top_estimate_p95_ms(100, 1, 1, 2.5) == 2.5); /* nothing took longer */
    assert_true(top_estimate_p95_ms(19, 1, 1, 1000) < 0);
}

static void
proofs_of_rewrites_are_no_part_of_the_workload(void **state)
{
    struct ctx *ctx = *state;
    struct workload_statement items[] = {
        entry(1, 10, "EXPLAIN (ANALYZE) EXECUTE pgmend_proof_child_1('7')", 30, 2),
        entry(2, 10, "PREPARE pgmend_proof_child_1 AS SELECT 1", 10, 6),
        entry(3, 10, "ROLLBACK TO SAVEPOINT pgmend_proof", 1, 1),
        entry(4, 10, "RELEASE SAVEPOINT pgmend_keys", 1, 1),
        entry(5, 10, "SELECT 'EXECUTE pgmend_proof_child_1'", 5, 1),
        entry(6, 10, "EXECUTE theirs(1)", 5, 1),
    };
    struct workload after = reading(items, COUNT_OF(items));
    struct query_ranking ranking;

    query_ranking_count(ctx->arena, NULL, &after, &ranking);
    assert_int_equal(ranking.own, 4);
    assert_int_equal(ranking.count, 2);
    assert_int_equal(ranking.calls, 10);
}

static void
counters_of_one_statement_are_added_up(void **state)
{
    struct ctx *ctx = *state;
    struct workload_statement items[] = {
        entry(1, 10, "a", 30, 2),
        entry(1, 11, "a", 10, 6), /* another role's */
        entry(2, 10, "b", 5, 100),
        entry(3, 10, "c", 7, 1),
    };
    struct workload after = reading(items, COUNT_OF(items));
    struct query_ranking ranking;
    const struct ranked_query *a;

    items[3].is_top_level = false;
    query_ranking_count(ctx->arena, NULL, &after, &ranking);
    assert_int_equal(ranking.own, 0);
    assert_int_equal(ranking.count, 2);
    assert_int_equal(ranking.nested, 1);
    assert_int_equal(ranking.calls, 45);
    assert_true(ranking.total_ms == 620.0);
    a = find(&ranking, "a");
    assert_int_equal(a->calls, 40);
    assert_true(a->mean_ms == 3.0);
    assert_int_equal(a->rows, 120);
    assert_int_equal(a->blocks_hit + a->blocks_read, 120);
    assert_true(fabs(a->share - 120.0 / 620) < 1e-12);
    /* 30 times 2 and 10 times 6: the mean is 3, the variance (30·1 + 10·9) / 40 = 3 */
    assert_true(fabs(a->variance - 3) < 1e-9);
    assert_true(find(&ranking, "b")->p95_ms < 0); /* five calls say nothing about it */
}

/* 100 calls of 1 ms, then 100 of 5 ms: of the time between, mean and deviation are those of the second. */
static void
the_deviation_between_two_readings_is_theirs(void **state)
{
    struct ctx *ctx = *state;
    struct workload_statement first[] = { entry(1, 10, "a", 100, 1), entry(2, 10, "b", 9, 1),
        entry(3, 10, "c", 9, 1) };
    struct workload_statement second[] = { entry(1, 10, "a", 200, 3), entry(2, 10, "b", 4, 1) };
    struct workload before = reading(first, COUNT_OF(first));
    struct workload after = reading(second, COUNT_OF(second));
    struct query_ranking ranking;

    second[0].stddev_ms = 2; /* of 100 × 1 and 100 × 5 */
    query_ranking_count(ctx->arena, &before, &after, &ranking);
    assert_int_equal(find(&ranking, "a")->calls, 100);
    assert_true(fabs(find(&ranking, "a")->mean_ms - 5) < 1e-9);
    assert_true(fabs(find(&ranking, "a")->variance) < 1e-9);
    assert_true(fabs(find(&ranking, "a")->p95_ms - 5) < 1e-6);
    assert_true(find(&ranking, "b")->is_part); /* fewer calls than before: it was made anew */
    assert_int_equal(ranking.vanished, 1);
    assert_null(find(&ranking, "c"));
}

static void
the_order_is_what_was_asked_for(void **state)
{
    static const char *const expected[QUERY_ORDER_COUNT] = {
        [BY_TOTAL] = "cab",
        [BY_CALLS] = "bac",
        [BY_MEAN] = "cab",
        [BY_P95] = "abc", /* of c it is not known: last */
        [BY_ROWS] = "bac",
        [BY_BUFFERS] = "bac",
    };
    struct ctx *ctx = *state;
    struct workload_statement items[] = { entry(1, 10, "a", 50, 4), entry(2, 10, "b", 90, 1),
        entry(3, 10, "c", 2, 400) };
    struct workload after = reading(items, COUNT_OF(items));
    struct query_ranking ranking;

    query_ranking_count(ctx->arena, NULL, &after, &ranking);
    for (size_t i = 0; i < QUERY_ORDER_COUNT; i++) {
        char found[4] = "";

        query_ranking_sort(&ranking, (enum query_order)i);
        for (size_t j = 0; j < ranking.count; j++)
            found[j] = ranking.items[j].query[0];
        assert_string_equal(found, expected[i]);
    }
}

static void
executions_are_counted_by_statement(void **state)
{
    struct ctx *ctx = *state;
    static const struct template kinds[] = {
        { .number = 0, .fingerprint = "f1", .text = "one" },
        { .number = 1, .fingerprint = "f2", .text = "two" },
        { .number = 300, .fingerprint = "f1", .text = "one again" },
    };
    struct query_tally *tally = query_tally_new(ctx->arena);
    struct query_child child = { .fingerprint = "f2" };
    struct query_finding finding = {
        .kind = FOUND_LOOP, .children = &child, .child_count = 1, .repeats_median = 12
    };
    const struct query_findings findings = { .items = &finding, .count = 1 };
    struct query_ranking ranking;

    for (int n = 0; n < 100; n++) {
        struct traced_statement statement = { .template = &kinds[n % 2 == 0   ? 1
                                                                 : n % 4 == 1 ? 0
                                                                              : 2],
            .elapsed_us = n == 0 ? -1 : n * 1000,
            .rows = n == 1 ? -1 : 2 };

        query_tally_add(tally, &statement);
    }
    query_tally_rank(tally, &findings, &ranking);
    assert_int_equal(ranking.count, 2);
    assert_int_equal(ranking.calls, 100);
    assert_int_equal(ranking.untimed, 1);
    assert_true(ranking.total_ms == 4950.0); /* 1 + 2 + … + 99 */
    assert_int_equal(find(&ranking, "one")->calls, 50);
    assert_int_equal(find(&ranking, "one")->rows, 98);
    assert_true(find(&ranking, "one")->is_part);         /* one did not say how many rows */
    assert_true(find(&ranking, "one")->p95_ms == 95.0);  /* the 48th of 1, 3, …, 99 */
    assert_true(find(&ranking, "two")->mean_ms == 50.0); /* 2, 4, …, 98 */
    assert_null(find(&ranking, "one")->mark);
    assert_non_null(strstr(find(&ranking, "two")->mark, "12"));
    assert_true(find(&ranking, "two")->blocks_hit < 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(the_first_times_are_kept_as_they_are),
        test_with_ctx(many_times_are_right_within_three_percent),
        test_with_ctx(times_beyond_all_bounds_do_no_harm),
        test_with_ctx(the_estimate_is_that_of_a_log_normal_distribution),
        test_with_ctx(proofs_of_rewrites_are_no_part_of_the_workload),
        test_with_ctx(counters_of_one_statement_are_added_up),
        test_with_ctx(the_deviation_between_two_readings_is_theirs),
        test_with_ctx(the_order_is_what_was_asked_for),
        test_with_ctx(executions_are_counted_by_statement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
