/* Intervals of shares and quantiles, against published tables and another program's numbers. */
#include "support/test.h"

#include <math.h>

#include "base/process.h"
#include "vector/stage/measure.h"

#define assert_near(a, b, most)                                      \
    do {                                                             \
        double near_a = (a), near_b = (b);                           \
        if (!(fabs(near_a - near_b) <= (most)))                      \
            fail_msg("%s is %.9g and not %.9g", #a, near_a, near_b); \
    } while (0)

static struct vector_interval
of_hits(struct arena *arena, size_t hits, size_t trials)
{
    double *shares = ARENA_ARRAY(arena, double, trials);

    for (size_t i = 0; i < trials; i++)
        shares[i] = i < hits;
    return vector_share_interval(shares, trials, 1);
}

/* The score method in table I of Newcombe, Statistics in Medicine 17 (1998). */
static void
shares_have_wilson_s_interval(void **state)
{
    static const struct {
        size_t hits;
        size_t trials;
        double low;
        double high;
    } cases[] = {
        { 81, 263, .2553, .3662 },
        { 15, 148, .0624, .1605 },
        { 0, 20, 0, .1611 },
        { 1, 29, .0061, .1718 },
        { 29, 29, .8830, 1 },
        { 8, 10, .4902, .9433 },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct vector_interval found = of_hits(ctx->arena, cases[i].hits, cases[i].trials);

        assert_near(found.value, (double)cases[i].hits / (double)cases[i].trials, 1e-12);
        assert_near(found.low, cases[i].low, 5e-5);
        assert_near(found.high, cases[i].high, 5e-5);
    }
}

/* Ten answers that come and go together are one trial; those that do not are ten. */
static void
answers_that_go_together_count_once(void **state)
{
    double all_or_nothing[] = { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0 };
    double alike[] = { .8, .8, .8, .8, .8, .8, .8, .8, .8, .8 };
    struct vector_interval one = vector_share_interval(all_or_nothing, 10, 10);
    struct vector_interval ten = vector_share_interval(alike, 10, 10);

    (void)state;
    assert_near(one.low, .4902, .03);
    assert_near(one.high, .9433, .03);
    /* 80 of 100. */
    assert_near(ten.low, .7112, 5e-5);
    assert_near(ten.high, .8666, 5e-5);
}

static void
nothing_known_is_everything_possible(void **state)
{
    struct vector_interval none = vector_share_interval(NULL, 0, 10);
    struct vector_interval time = vector_quantile_interval(NULL, 0, .5);

    (void)state;
    assert_near(none.low, 0, 0);
    assert_near(none.high, 1, 0);
    assert_near(time.high, 0, 0);
}

/* Ranks of the interval of a median: table A.6 of Hollander and Wolfe and others. */
static void
medians_have_the_ranks_of_the_tables(void **state)
{
    static const struct {
        size_t count;
        double low;
        double high;
    } cases[] = { { 6, 1, 6 }, { 10, 2, 9 }, { 20, 6, 15 }, { 50, 18, 33 }, { 100, 40, 61 } };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double *values = ARENA_ARRAY(ctx->arena, double, cases[i].count);

        /* Each value is its rank, and they come in the wrong order. */
        for (size_t at = 0; at < cases[i].count; at++)
            values[at] = (double)(cases[i].count - at);

        struct vector_interval found = vector_quantile_interval(values, cases[i].count, .5);

        assert_near(found.value, (double)(cases[i].count + 1) / 2, .5);
        assert_near(found.low, cases[i].low, 0);
        assert_near(found.high, cases[i].high, 0);
    }
}

/*
 * Exact fractions for the binomial ranks, and the ends of Wilson's interval as the roots of the
 * score equation, found by halving: nothing in common with the code but the definition.
 */
static const char script[] =
    "import math, random\n"
    "from fractions import Fraction as F\n"
    "for n in (1, 2, 5, 13, 20, 58, 59, 73, 74, 200):\n"
    "  for q in (F(1, 2), F(19, 20)):\n"
    "    mass = [math.comb(n, k) * q**k * (1 - q)**(n - k) for k in range(n + 1)]\n"
    "    below = [sum(mass[:r], F(0)) for r in range(n + 1)]\n"
    "    low = max([r for r in range(1, n + 1) if below[r] <= F(1, 40)], default=1)\n"
    "    high = min([r for r in range(1, n + 1) if below[r] >= F(39, 40)], default=n)\n"
    "    print('q', n, float(q), max(1, math.ceil(q * n)), low, high)\n"
    "z = 1.959963984540054\n"
    "def root(p, n, a, b):\n"
    "  f = lambda x: (p - x)**2 - z * z * x * (1 - x) / n\n"
    "  for _ in range(200):\n"
    "    m = (a + b) / 2\n"
    "    a, b = (m, b) if (f(m) > 0) == (f(a) > 0) else (a, m)\n"
    "  return a\n"
    "random.seed(5)\n"
    "for case in range(40):\n"
    "  each = random.choice((1, 5, 10))\n"
    "  shares = [random.choice((0, .3, .6, 1, 1, 1)) for _ in range(random.randint(2, 60))]\n"
    "  c = len(shares); p = sum(shares) / c\n"
    "  if not 0.001 < p < 0.999: continue\n"
    "  var = sum((s - p)**2 for s in shares) / (c - 1)\n"
    "  n = c * each / min(each, max(1, var / (p * (1 - p) / each)))\n"
    "  print('w', each, p, root(p, n, 1e-15, p), root(p, n, p, 1 - 1e-15), *shares)\n";

enum { MOST_NUMBERS = 100 };

struct numbers {
    double items[MOST_NUMBERS];
    size_t count;
};

static struct numbers
read_numbers(const char *text)
{
    struct numbers numbers = { 0 };

    for (;;) {
        char *end;
        double number = strtod(text, &end);

        if (end == text)
            return numbers;
        assert_true(numbers.count < MOST_NUMBERS);
        numbers.items[numbers.count++] = number;
        text = end;
    }
}

/* Count, quantile, and the ranks of value, low and high. */
static void
check_quantile(struct arena *arena, const struct numbers *line)
{
    assert_int_equal(line->count, 5);

    size_t count = (size_t)line->items[0];
    double *values = ARENA_ARRAY(arena, double, count);

    /* 7919 is a prime, so the values are the ranks in some order. */
    for (size_t i = 0; i < count; i++)
        values[i] = (double)((i * 7919) % count + 1);

    struct vector_interval found = vector_quantile_interval(values, count, line->items[1]);

    assert_near(found.value, line->items[2], 0);
    assert_near(found.low, line->items[3], 0);
    assert_near(found.high, line->items[4], 0);
}

/* Trials each, mean, low and high, and the shares. */
static void
check_wilson(const struct numbers *line)
{
    assert_true(line->count > 4);

    struct vector_interval found =
        vector_share_interval(line->items + 4, line->count - 4, (int32_t)line->items[0]);

    assert_near(found.value, line->items[1], 1e-9);
    assert_near(found.low, line->items[2], 1e-9);
    assert_near(found.high, line->items[3], 1e-9);
}

static void
another_program_finds_the_same(void **state)
{
    struct ctx *ctx = *state;
    const char *const argv[] = { "python3", "-c", script, NULL };
    struct process_options options = { .argv = argv, .timeout_us = 60000000 };
    struct process process;
    size_t lines = 0;

    if (!process_run(ctx, &options, &process))
        fail_msg("%s", ctx->error.message);
    for (const char *at = buffer_text(&process.out); *at; lines++) {
        size_t length = strcspn(at, "\n");
        const char *line = arena_strndup(ctx->arena, at, length);

        struct numbers numbers = read_numbers(line + 1);

        if (*line == 'q')
            check_quantile(ctx->arena, &numbers);
        else
            check_wilson(&numbers);
        at += length + (at[length] == '\n');
    }
    assert_true(lines >= 50);
}

static void
shots_are_summed_up_by_bucket(void **state)
{
    struct ctx *ctx = *state;
    struct vector_query asked[] = { { .bucket = 0 }, { .bucket = 1 }, { .bucket = 1 } };
    struct vector_queries queries = { .items = asked, .count = 3 };
    struct vector_shot items[] = {
        { .query = 0, .recall = .5, .is_short = true, .cpu_us = 100, .wall_us = 1000 },
        { .query = 1, .recall = 1, .cpu_us = 10, .wall_us = 30 },
        { .query = 2, .recall = .8, .cpu_us = 20, .wall_us = 20 },
    };
    struct vector_shots shots = { .items = items, .count = 3 };
    struct vector_measure measure;

    vector_summarise(ctx->arena, &shots, &queries, 1, 10, &measure);
    assert_int_equal(measure.queries, 2);
    assert_int_equal(measure.short_results, 0);
    assert_near(measure.recall.value, .9, 1e-12);
    assert_near(measure.recall_least, .8, 0);
    assert_near(measure.cpu_us_p50.value, 10, 0);
    assert_near(measure.cpu_us_p95.value, 20, 0);
    assert_near(measure.wall_us_p50.value, 20, 0);
    assert_near(measure.wall_us_p95.value, 30, 0);
    vector_summarise(ctx->arena, &shots, &queries, SIZE_MAX, 10, &measure);
    assert_int_equal(measure.queries, 3);
    assert_int_equal(measure.short_results, 1);
    assert_near(measure.recall.value, 2.3 / 3, 1e-12);
    assert_near(measure.wall_us_p95.high, 1000, 0);
    vector_summarise(ctx->arena, &shots, &queries, 5, 10, &measure);
    assert_int_equal(measure.queries, 0);
    assert_near(measure.recall.high, 1, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(shares_have_wilson_s_interval),
        test_with_ctx(answers_that_go_together_count_once),
        test_with_ctx(nothing_known_is_everything_possible),
        test_with_ctx(medians_have_the_ranks_of_the_tables),
        test_with_ctx(another_program_finds_the_same),
        test_with_ctx(shots_are_summed_up_by_bucket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
