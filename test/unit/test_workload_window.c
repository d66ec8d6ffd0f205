/*
 * Windows of counters: what pg_stat_statements would show is made here of single calls, by the server's own way to
 * keep mean and deviation (Welford), and what a window has to say is reckoned from the calls themselves.
 */
#include "support/test.h"

#include <math.h>

#include "base/vec.h"
#include "workload/window.h"
#include "workload/window_relation.h"

enum { MOST_CALLS = 400 };

/* As pgss_store() of pg_stat_statements.c keeps them. */
static struct workload_statement
counters(const char *fingerprint, int64_t query_id, const double *ms, size_t count)
{
    struct workload_statement ret = { .fingerprint = fingerprint,
        .query = fingerprint,
        .query_id = query_id,
        .stats_since = "",
        .calls = (int64_t)count };
    double squares = 0;

    for (size_t i = 0; i < count; i++) {
        double old = ret.mean_ms;

        ret.total_ms += ms[i];
        ret.mean_ms += (ms[i] - old) / (double)(i + 1);
        squares += (ms[i] - old) * (ms[i] - ret.mean_ms);
        ret.blocks_hit += 7;
        ret.blocks_read += 3;
        ret.row_count += 2;
    }
    ret.stddev_ms = count > 1 ? sqrt(squares / (double)count) : 0;
    return ret;
}

static struct workload
reading(struct workload_statement *items, size_t count)
{
    return (
        struct workload){ .stats_reset = "r", .server_start = "s", .items = items, .count = count };
}

static double
mean_of(const double *ms, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += ms[i];
    return sum / (double)count;
}

static double
variance_of(const double *ms, size_t count)
{
    double mean = mean_of(ms, count);
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (ms[i] - mean) * (ms[i] - mean);
    return sum / (double)(count - 1);
}

static void
assert_close(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-6 * fmax(fabs(wanted), 1e-9)))
        fail_msg("%.12g is not %.12g", got, wanted);
}

static void
spread_of_the_second_part(void **state)
{
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();

    for (int round = 0; round < 50; round++) {
        double ms[MOST_CALLS];
        size_t all = 3 + test_random_below(&random, MOST_CALLS - 3);
        size_t first = test_random_below(&random, all - 2);
        struct workload_window window;

        for (size_t i = 0; i < all; i++)
            ms[i] = (i < first ? 100. : 1.) * (.5 + (double)test_random_below(&random, 1000) / 700);

        struct workload_statement before = counters("f", 1, ms, first);
        struct workload_statement after = counters("f", 1, ms, all);
        const struct workload left = reading(&before, first > 0 ? 1 : 0);
        const struct workload right = reading(&after, 1);

        workload_window(ctx->arena, &left, &right, 10, &window);

        const struct window_statement *found = window_find(&window, "f");

        assert_non_null(found);
        assert_close(found->calls, (double)(all - first));
        assert_close(found->ms, mean_of(ms + first, all - first));
        assert_close(found->variance, variance_of(ms + first, all - first));
        assert_close(found->blocks, 10);
        assert_close(found->rows, 2);
        assert_false(found->is_lost);
        assert_false(window.was_reset);
    }
}

/* Two users' entries of one statement are one sample. */
static void
entries_of_one_statement_are_added(void **state)
{
    struct ctx *ctx = *state;
    static const double ms[] = { 1, 2, 3, 4, 100, 90, 80 };
    struct workload_statement after[] = { counters("f", 1, ms, 4), counters("f", 2, ms + 4, 3) };
    const struct workload left = reading(NULL, 0);
    const struct workload right = reading(after, 2);
    struct workload_window window;

    workload_window(ctx->arena, &left, &right, 10, &window);
    assert_int_equal(window.statements.count, 1);
    assert_close(window_find(&window, "f")->calls, 7);
    assert_close(window_find(&window, "f")->ms, mean_of(ms, 7));
    assert_close(window_find(&window, "f")->variance, variance_of(ms, 7));
    assert_null(window_find(&window, "g"));
}

static void
what_is_lost_is_told(void **state)
{
    struct ctx *ctx = *state;
    static const double ms[] = { 1, 2, 3, 4 };
    struct workload_statement before[] = { counters("gone", 1, ms, 4), counters("anew", 2, ms, 4) };
    struct workload_statement after[] = { counters("anew", 2, ms, 2) };
    struct workload left = reading(before, 2);
    const struct workload right = reading(after, 1);
    struct workload_window window;

    workload_window(ctx->arena, &left, &right, 10, &window);
    assert_int_equal(window.statements.count, 2);
    assert_true(window.statements.items[0].is_lost);
    assert_true(window.statements.items[1].is_lost);
    assert_null(window_find(&window, "gone"));
    left.stats_reset = "earlier";
    workload_window(ctx->arena, &left, &right, 10, &window);
    assert_true(window.was_reset);
    left.stats_reset = "r";
    left.server_start = "earlier";
    workload_window(ctx->arena, &left, &right, 10, &window);
    assert_true(window.was_reset);
}

static struct window_statement
side(const double *ms, size_t count, double blocks)
{
    return (struct window_statement){
        .calls = (double)count,
        .ms = mean_of(ms, count),
        .variance = variance_of(ms, count),
        .blocks = blocks,
    };
}

/* The second example of Wikipedia's "Welch's t-test": t = -2.22 on 24.5 degrees of freedom. */
static void
two_means_are_compared_as_welch_did(void **state)
{
    static const double one[] = { 19.8, 20.4, 19.6, 17.8, 18.5, 18.9, 18.3, 18.9, 19.5, 22.0 };
    static const double two[] = { 28.2, 26.6, 20.1, 23.3, 25.2, 22.1, 17.7, 27.6, 20.6, 13.7, 23.2,
        17.5, 20.6, 18.0, 23.9, 21.6, 24.3, 20.4, 24.0, 13.2 };
    const struct window_statement before = side(one, 10, 0);
    const struct window_statement after = side(two, 20, 0);
    const struct window_pair pair = { .before = &before, .after = &after };
    const struct window_difference difference = window_compare(&pair, 1);

    (void)state;
    double part_one = variance_of(one, 10) / 10;
    double part_two = variance_of(two, 20) / 20;

    assert_close(difference.ms, mean_of(one, 10) - mean_of(two, 20));
    assert_close(difference.error, sqrt(part_one + part_two));
    assert_close(difference.degrees, (part_one + part_two) * (part_one + part_two) /
                                         (part_one * part_one / 9 + part_two * part_two / 19));
    assert_true(fabs(difference.ms / difference.error + 2.22) < .005);
    assert_true(fabs(difference.degrees - 24.5) < .05);
}

/* 90 calls of one and 10 of another after: a mean call is nine tenths of the one. */
static void
sums_are_weighted_by_the_calls_after(void **state)
{
    struct ctx *ctx = *state;
    const struct window_statement one_before = {
        .calls = 10, .ms = 10, .variance = 4, .blocks = 100
    };
    const struct window_statement one_after = { .calls = 90, .ms = 2, .variance = 1, .blocks = 4 };
    const struct window_statement two_before = {
        .calls = 50, .ms = 20, .variance = 9, .blocks = 1000
    };
    const struct window_statement two_after = {
        .calls = 10, .ms = 30, .variance = 16, .blocks = 1000
    };
    struct window_pairs pairs = { 0 };
    struct window_sum sum;

    VEC_PUSH(ctx->arena, &pairs, (struct window_pair){ &one_before, &one_after, .1 });
    VEC_PUSH(ctx->arena, &pairs, (struct window_pair){ &two_before, &two_after, 0 });
    window_add_up(&pairs, &sum);
    assert_close(sum.calls_before, 60);
    assert_close(sum.calls_after, 100);
    assert_close(sum.ms_before, .9 * 10 + .1 * 20);
    assert_close(sum.ms_after, .9 * 2 + .1 * 30);
    assert_close(sum.blocks_before, .9 * 100 + .1 * 1000);
    assert_close(sum.blocks_after, .9 * 4 + .1 * 1000);
    assert_close(sum.wanted_ms, .9 * 10 * .1);
    assert_close(sum.wanted_blocks, .9 * 100 * .1);
    assert_close(sum.time.ms, 11 - 4.8);
    assert_close(sum.time.error, sqrt(.81 * 4 / 10 + .81 * 1 / 90 + .01 * 9 / 50 + .01 * 16 / 10));
}

/* ---- which relations a statement names ---- */

static bool
names(struct ctx *ctx, const char *query, const char *schema, const char *name)
{
    struct named_relation relation = { .schema = schema, .name = name };
    const struct named_relations relations = { .items = &relation, .count = 1 };
    struct statement_scope scope;

    statement_scope(ctx->arena, query, &scope);
    return statement_names(&scope, &relations);
}

static bool
writes(struct ctx *ctx, const char *query)
{
    struct statement_scope scope;

    statement_scope(ctx->arena, query, &scope);
    return scope.writes;
}

static void
relations_of_statements(void **state)
{
    struct ctx *ctx = *state;

    assert_true(names(ctx, "SELECT * FROM t WHERE a = $1", "public", "t"));
    assert_true(names(ctx, "SELECT 1 FROM x JOIN public.t ON true", "public", "t"));
    assert_false(names(ctx, "SELECT 1 FROM other.t", "public", "t"));
    assert_false(names(ctx, "SELECT t FROM x AS t", "public", "t"));
    assert_false(names(ctx, "WITH t AS (SELECT 1) SELECT * FROM t", "public", "t"));
    assert_true(names(ctx, "WITH u AS (SELECT * FROM t) SELECT * FROM u", "public", "t"));
    assert_true(names(ctx, "UPDATE t SET a = $1", "public", "t"));
    assert_true(names(ctx, "INSERT INTO public.t VALUES ($1)", "public", "t"));
    assert_true(names(
        ctx, "SELECT EXISTS (SELECT FROM \"T\" WHERE a IN (SELECT b FROM t))", "public", "t"));
    assert_false(names(ctx, "SELECT * FROM \"T\"", "public", "t"));
    /* As pg_stat_statements shows it, which is not SQL: its words tell. */
    assert_true(names(ctx, "SELECT * FROM t WHERE at > now() - interval $1", "public", "t"));
    assert_false(names(ctx, "SELECT * FROM tt WHERE at > now() - interval $1", "public", "t"));
    assert_true(writes(ctx, "INSERT INTO t VALUES ($1)"));
    assert_true(writes(ctx, "WITH d AS (DELETE FROM t RETURNING 1) SELECT * FROM d"));
    assert_true(writes(ctx, "UPDATE t SET a = now() - interval $1"));
    assert_false(writes(ctx, "SELECT * FROM t FOR UPDATE"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(spread_of_the_second_part),
        test_with_ctx(entries_of_one_statement_are_added),
        test_with_ctx(what_is_lost_is_told),
        test_with_ctx(two_means_are_compared_as_welch_did),
        test_with_ctx(sums_are_weighted_by_the_calls_after),
        test_with_ctx(relations_of_statements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
