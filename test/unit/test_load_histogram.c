/* Quantiles of recorded latencies against those of the sorted numbers. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "load/histogram.h"

static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int
compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static void
nothing_recorded_gives_zero(void **state)
{
    struct ctx *ctx = *state;
    struct histogram *histogram = histogram_new(ctx->arena);

    assert_int_equal(histogram_quantile_us(histogram, 0.95), 0);
    assert_true(histogram_mean_us(histogram) == 0.0);
}

static void
small_numbers_are_exact(void **state)
{
    struct ctx *ctx = *state;
    struct histogram *histogram = histogram_new(ctx->arena);

    for (int64_t us = 1; us <= 100; us++)
        histogram_record(histogram, us);
    assert_int_equal(histogram->count, 100);
    assert_int_equal(histogram->min_us, 1);
    assert_int_equal(histogram->max_us, 100);
    assert_int_equal(histogram_quantile_us(histogram, 0), 1);
    assert_int_equal(histogram_quantile_us(histogram, 0.5), 50);
    assert_int_equal(histogram_quantile_us(histogram, 0.95), 95);
    assert_int_equal(histogram_quantile_us(histogram, 0.99), 99);
    assert_int_equal(histogram_quantile_us(histogram, 1), 100);
    assert_true(histogram_mean_us(histogram) == 50.5);
}

static void
one_number_is_all_quantiles(void **state)
{
    static const int64_t numbers[] = { 0, 1, 2047, 2048, 2049, 4095, 123456789, 3600000000,
        INT64_C(9000000000000) };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct histogram *histogram = histogram_new(ctx->arena);

        histogram_record(histogram, numbers[i]);
        assert_int_equal(histogram_quantile_us(histogram, 0.5), numbers[i]);
        assert_int_equal(histogram_quantile_us(histogram, 1), numbers[i]);
    }
}

static void
a_negative_latency_counts_as_zero(void **state)
{
    struct ctx *ctx = *state;
    struct histogram *histogram = histogram_new(ctx->arena);

    histogram_record(histogram, -5);
    assert_int_equal(histogram->count, 1);
    assert_int_equal(histogram->min_us, 0);
    assert_int_equal(histogram->sum_us, 0);
}

/* Log-uniform numbers from 1 µs to about 30 minutes; merged from two halves. */
static void
quantiles_are_right_to_three_digits_also_when_merged(void **state)
{
    enum { COUNT = 20000 };
    static const double shares[] = { 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999 };
    struct ctx *ctx = *state;
    int64_t *numbers = ARENA_ARRAY(ctx->arena, int64_t, COUNT);
    struct histogram *halves[2] = { histogram_new(ctx->arena), histogram_new(ctx->arena) };
    uint64_t seed = 88172645463325252u;
    int64_t sum = 0;

    for (size_t i = 0; i < COUNT; i++) {
        double power = (double)(next_random(&seed) % 1000000) / 1000000 * 21.3;

        numbers[i] = (int64_t)exp(power);
        sum += numbers[i];
        histogram_record(halves[i % 2], numbers[i]);
    }
    histogram_merge(halves[0], halves[1]);
    qsort(numbers, COUNT, sizeof(numbers[0]), compare);
    assert_int_equal(halves[0]->count, COUNT);
    assert_int_equal(halves[0]->sum_us, sum);
    assert_int_equal(halves[0]->min_us, numbers[0]);
    assert_int_equal(halves[0]->max_us, numbers[COUNT - 1]);
    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        int64_t exact = numbers[(size_t)ceil(shares[i] * COUNT) - 1];
        int64_t found = histogram_quantile_us(halves[0], shares[i]);

        assert_true(found >= exact);
        assert_true((double)(found - exact) <= (double)exact * 0.001);
    }
}

enum { SAMPLES = 20000 };

/* Numbers in (0, 1). */
static double
uniform(uint64_t *seed)
{
    return ((double)(next_random(seed) >> 11) + 0.5) / 9007199254740992.0;
}

static double
exponential(uint64_t *seed)
{
    return -20000 * log(uniform(seed));
}

/* Pareto with 1.2: a few are a thousand times as long as most. */
static double
heavy_tail(uint64_t *seed)
{
    return 300 * pow(uniform(seed), -1 / 1.2);
}

/* Hits of a cache, and what has to be computed. */
static double
two_humps(uint64_t *seed)
{
    double from = uniform(seed) < 0.9 ? 150 : 80000;

    return from * (1 + uniform(seed));
}

static double
constant(uint64_t *seed)
{
    (void)uniform(seed);
    return 123457;
}

static void
quantiles_are_right_for_many_distributions(void **state)
{
    static double (*const draws[])(uint64_t *) = { exponential, heavy_tail, two_humps, constant };
    struct ctx *ctx = *state;
    int64_t *numbers = ARENA_ARRAY(ctx->arena, int64_t, SAMPLES);

    for (size_t i = 0; i < COUNT_OF(draws); i++) {
        struct histogram *histogram = histogram_new(ctx->arena);
        uint64_t seed = 1234567 + i;

        for (size_t j = 0; j < SAMPLES; j++) {
            numbers[j] = (int64_t)draws[i](&seed);
            histogram_record(histogram, numbers[j]);
        }
        qsort(numbers, SAMPLES, sizeof(numbers[0]), compare);
        for (size_t j = 1; j <= 9999; j += 7) {
            double share = (double)j / 10000;
            int64_t exact = numbers[(size_t)ceil(share * SAMPLES) - 1];
            int64_t found = histogram_quantile_us(histogram, share);

            assert_true(found >= exact);
            assert_true((double)(found - exact) <= (double)exact * 0.001);
        }
    }
}

static void
it_is_smaller_than_100_kb(void **state)
{
    (void)state;
    assert_true(sizeof(struct histogram) < 100000);
}

static void
a_reset_one_is_as_new(void **state)
{
    struct ctx *ctx = *state;
    struct histogram *histogram = histogram_new(ctx->arena);

    histogram_record(histogram, 0);
    histogram_record(histogram, 5000);
    histogram_record(histogram, INT64_C(9000000000000));
    histogram_reset(histogram);
    assert_memory_equal(histogram, histogram_new(ctx->arena), sizeof(*histogram));
    histogram_reset(histogram);
    histogram_record(histogram, 77);
    assert_int_equal(histogram_quantile_us(histogram, 1), 77);
}

/* A cell holds 32 bits: what finds no place is told, and changes no other number. */
static void
a_full_cell_does_not_begin_again_at_zero(void **state)
{
    struct ctx *ctx = *state;
    struct histogram *full = histogram_new(ctx->arena);
    struct histogram *other = histogram_new(ctx->arena);

    histogram_record(full, 10);
    full->cells[10] = UINT32_MAX;
    full->count = UINT32_MAX;
    full->sum_us = INT64_C(10) * UINT32_MAX;
    histogram_record(full, 10);
    assert_int_equal(full->cells[10], UINT32_MAX);
    assert_int_equal(full->unplaced, 1);
    assert_int_equal(full->count, INT64_C(4294967296));
    histogram_record(other, 10);
    histogram_record(other, 10);
    histogram_record(other, 20);
    histogram_merge(full, other);
    assert_int_equal(full->unplaced, 3);
    assert_int_equal(full->count, INT64_C(4294967299));
    assert_int_equal(full->sum_us, INT64_C(10) * UINT32_MAX + 10 + 20 + 20);
    assert_int_equal(histogram_quantile_us(full, 0.5), 10);
    assert_int_equal(histogram_quantile_us(full, 1), 20);
}

/* Every number lies in a cell whose longest one is at most 0.1 % longer. */
static void
cells_follow_each_other(void **state)
{
    (void)state;
    for (int64_t us = 0; us < INT64_C(4000000000); us += us / 5000 + 1) {
        size_t cell = histogram_cell(us);

        assert_true(cell < HISTOGRAM_CELLS);
        assert_true(histogram_cell_us(cell) >= us);
        assert_true((double)(histogram_cell_us(cell) - us) <= (double)us * 0.001);
        assert_true(cell == 0 || histogram_cell_us(cell - 1) < us);
    }
}

static void
merging_nothing_changes_nothing(void **state)
{
    struct ctx *ctx = *state;
    struct histogram *histogram = histogram_new(ctx->arena);

    histogram_record(histogram, 7);
    histogram_merge(histogram, histogram_new(ctx->arena));
    assert_int_equal(histogram->count, 1);
    assert_int_equal(histogram->min_us, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(nothing_recorded_gives_zero),
        test_with_ctx(small_numbers_are_exact),
        test_with_ctx(one_number_is_all_quantiles),
        test_with_ctx(a_negative_latency_counts_as_zero),
        test_with_ctx(quantiles_are_right_to_three_digits_also_when_merged),
        test_with_ctx(quantiles_are_right_for_many_distributions),
        test_with_ctx(it_is_smaller_than_100_kb),
        test_with_ctx(a_reset_one_is_as_new),
        test_with_ctx(a_full_cell_does_not_begin_again_at_zero),
        test_with_ctx(cells_follow_each_other),
        test_with_ctx(merging_nothing_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
