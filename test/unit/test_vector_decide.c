/* Who wins, and who is asked on: measures made up so that the right answer is known beforehand. */
#include "support/test.h"

#include "vector/tune/decide.h"
#include "vector/tune/halving.h"

enum { SMALL, MIDDLE, LARGE, BUCKETS };

/* Three tenants of below 100 rows, one of 5,000, and two of 20,000 and 12,000. */
static struct vector_tuning
make_tuning(struct arena *arena)
{
    static const struct vector_bucket buckets[] = {
        { "below 100 rows", 1, 99, 3, 150 },
        { "1,000-9,999 rows", 1000, 9999, 1, 5000 },
        { "10,000-99,999 rows", 10000, 99999, 2, 32000 },
    };
    static const struct vector_tenant tenants[] = {
        { "big", 20000, LARGE },
        { "bigger", 12000, LARGE },
        { "mid", 5000, MIDDLE },
        { "a", 50, SMALL },
        { "b", 50, SMALL },
        { "c", 50, SMALL },
    };
    struct vector_tuning tuning = {
        .goal = { .recall = .99, .recall_worst = .98, .p95_us = 100000 },
        .is_whole = true,
        .target = { .tenant = "tenant", .extension_version = "0.8.0", .extension_number = 800 }
    };

    for (size_t i = 0; i < COUNT_OF(buckets); i++)
        VEC_PUSH(arena, &tuning.sizes.buckets, buckets[i]);
    for (size_t i = 0; i < COUNT_OF(tenants); i++)
        VEC_PUSH(arena, &tuning.sizes.tenants, tenants[i]);
    tuning.sizes.rows = 37150;
    return tuning;
}

/* value, ten percent below and above */
static struct vector_interval
around(double value)
{
    return (struct vector_interval){ value, value * .9, value * 1.1 };
}

static struct vector_measure
make_measure(int64_t queries, double recall, double cpu_ms)
{
    struct vector_measure measure = { .queries = queries,
        .recall = { recall, recall - .01 < 0 ? 0 : recall - .01,
            recall + .01 > 1 ? 1 : recall + .01 },
        .recall_least = recall,
        .cpu_us_p50 = around(cpu_ms * 500),
        .cpu_us_p95 = around(cpu_ms * 1000),
        .wall_us_p50 = around(cpu_ms * 1000),
        .wall_us_p95 = around(cpu_ms * 2000) };

    return measure;
}

/* Ten queries a bucket; overall CPU is that of the large bucket, as p95 is; wall is twice of it. */
static struct vector_candidate *
add(struct ctx *ctx, struct vector_tuning *tuning, struct vector_method method,
    const double recall[BUCKETS], double cpu_ms, double megabytes)
{
    struct vector_candidate candidate = { .method = method,
        .name = vector_method_name(ctx->arena, &method),
        .was_built = true,
        .index_bytes = (int64_t)(megabytes * 1e6),
        .rung = RUNG_LAST,
        .can_be_applied = candidate_can_be_applied(&method),
        .is_plan = candidate_is_plan(&method) };
    double mean = (recall[SMALL] + recall[MIDDLE] + recall[LARGE]) / 3;

    for (size_t i = 0; i < BUCKETS; i++)
        VEC_PUSH(ctx->arena, &candidate.buckets,
            make_measure(10, recall[i], cpu_ms * (double)(i + 1) / BUCKETS));
    candidate.overall = make_measure(30, mean, cpu_ms);
    VEC_PUSH(ctx->arena, &tuning->candidates, candidate);
    return &tuning->candidates.items[tuning->candidates.count - 1];
}

/* A partial index: measured in the large bucket only, for both of its tenants. */
static struct vector_candidate *
add_partial(struct ctx *ctx, struct vector_tuning *tuning, int32_t ef, double recall, double cpu_ms)
{
    const struct vector_method method = { .family = FAMILY_HNSW,
        .element = ELEMENT_HALF,
        .scope = SCOPE_TENANT,
        .iteration = ITERATE_RELAXED,
        .m = 16,
        .ef_construction = 64,
        .ef_search = ef };
    const double all[BUCKETS] = { recall, recall, recall };
    struct vector_candidate *candidate = add(ctx, tuning, method, all, cpu_ms, 32);

    candidate->buckets.items[SMALL] = (struct vector_measure){ 0 };
    candidate->buckets.items[MIDDLE] = (struct vector_measure){ 0 };
    candidate->overall = candidate->buckets.items[LARGE];
    VEC_PUSH(ctx->arena, &candidate->tenants, "big");
    VEC_PUSH(ctx->arena, &candidate->tenants, "bigger");
    return candidate;
}

static const double perfect[] = { 1, 1, 1 };
static const struct vector_method exact = { .family = FAMILY_EXACT };
static const struct vector_method half = { .family = FAMILY_EXACT, .element = ELEMENT_HALF };
static const struct vector_method plain = { .family = FAMILY_EXACT, .element = ELEMENT_PLAIN };
static const struct vector_method bits100 = { .family = FAMILY_BITS,
    .element = ELEMENT_BIT,
    .candidates = 100 };
static const struct vector_method bits200 = { .family = FAMILY_BITS,
    .element = ELEMENT_BIT,
    .candidates = 200 };
static const struct vector_method ivfflat = { .family = FAMILY_IVFFLAT,
    .lists = 193,
    .probes = 20 };
static const struct vector_method hnsw = { .family = FAMILY_HNSW,
    .iteration = ITERATE_RELAXED,
    .with_btree = true,
    .m = 16,
    .ef_construction = 64,
    .ef_search = 100 };

static void
assert_chosen(struct ctx *ctx, struct vector_tuning *tuning, const struct vector_method *method)
{
    const char *name = vector_method_name(ctx->arena, method);

    vector_decide(ctx->arena, tuning);
    assert_string_equal(vector_method_name(ctx->arena, &tuning->choice.base), name);
    assert_string_equal(tuning->candidates.items[0].name, name);
}

static void
assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void
test_cheapest(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);
    static const double found[] = { 1, 1, .997 };
    static const double plan[] = { .5, .8, .9 };

    add(ctx, &tuning, exact, perfect, 28, 2);
    add(ctx, &tuning, bits100, found, 3.5, 26);
    add(ctx, &tuning, ivfflat, plan, 32, 822)->overall.short_results = 9;
    assert_chosen(ctx, &tuning, &bits100);
    assert_true(tuning.has_choice);
    assert_true(tuning.choice.was_measured);
    assert_int_equal(tuning.choice.specials.count, 0);
    assert_int_equal(tuning.choice.expected.count, 3);
    assert_string_equal(tuning.choice.expected.items[2].bucket, "10,000-99,999 rows");
    assert_true(tuning.choice.expected.items[2].measure.recall.value == .997);
    /* (1 + 1 + .997) / 3 = .999; 28 / 3.5 = 8; (.5 + .8 + .9) / 3 = .7333; 9 of 30 */
    assert_says(tuning.choice.why, "bits, 100 ranked again finds 99.9 % of the right answers "
                                   "(99.7 % in the worst bucket, 10,000-99,999 rows)");
    assert_says(tuning.choice.why, "8.0 times less CPU than exact");
    assert_says(tuning.choice.why, "73.33 %");
    assert_says(tuning.choice.why, "too few rows for 30 % of the searches");
    assert_says(tuning.choice.retune, "40 000 rows (twice the largest");
    assert_says(tuning.choice.retune, "55 725 rows (half as many again)");
    assert_says(tuning.choice.retune, "0.8.0");
    /* exact: finds most; bits: cheapest; ivfflat: worse than bits in everything. */
    assert_true(tuning.candidates.items[0].is_pareto);
    assert_string_equal(tuning.candidates.items[1].name, "exact");
    assert_true(tuning.candidates.items[1].is_pareto);
    assert_true(tuning.candidates.items[2].is_plan);
    assert_false(tuning.candidates.items[2].is_pareto);
    assert_false(tuning.candidates.items[2].meets_goal);
}

static void
test_simpler(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);

    /* (4 - 3.2) / 4 = 20 %: not worth it. */
    add(ctx, &tuning, exact, perfect, 4, 2);
    add(ctx, &tuning, bits100, perfect, 3.2, 2);
    assert_chosen(ctx, &tuning, &exact);
    assert_says(tuning.choice.why, "bits, 100 ranked again takes 3.2 ms, which is not surely");

    /* (4 - 2.8) / 4 = 30 %, and 2.8 * 1.1 = 3.08 is below 4 * .9 = 3.6: sure. */
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, exact, perfect, 4, 2);
    add(ctx, &tuning, bits100, perfect, 2.8, 2);
    assert_chosen(ctx, &tuning, &bits100);

    /* The same with intervals that overlap, also those of the medians. */
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, exact, perfect, 4, 2)->overall.cpu_us_p95.low = 2000;
    add(ctx, &tuning, bits100, perfect, 2.8, 2);
    tuning.candidates.items[0].buckets.items[LARGE].cpu_us_p50.low = 1000;
    assert_chosen(ctx, &tuning, &exact);

    /* The medians of the slowest bucket are apart: 1.4 * 1.1 = 1.54 and 2 * .9 = 1.8. */
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, exact, perfect, 4, 2)->overall.cpu_us_p95.low = 2000;
    add(ctx, &tuning, bits100, perfect, 2.8, 2);
    assert_chosen(ctx, &tuning, &bits100);

    /* An approximate index has to be twice as cheap as what looks at all rows. */
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, exact, perfect, 4, 2);
    add(ctx, &tuning, hnsw, perfect, 2.1, 2);
    assert_chosen(ctx, &tuning, &exact);
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, exact, perfect, 4, 2);
    add(ctx, &tuning, hnsw, perfect, 1.9, 2);
    assert_chosen(ctx, &tuning, &hnsw);

    /* Of the same build the one that finds more, when it costs nearly the same. */
    tuning = make_tuning(ctx->arena);
    static const double less[] = { 1, 1, .985 };

    add(ctx, &tuning, bits100, less, 3, 2);
    add(ctx, &tuning, bits200, perfect, 3.6, 2);
    assert_chosen(ctx, &tuning, &bits200);
}

static void
test_size(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);

    /* 2.4 <= 1.25 * 2, and 290 * 2 < 600 */
    add(ctx, &tuning, plain, perfect, 2, 600);
    add(ctx, &tuning, bits100, perfect, 2.4, 290);
    assert_chosen(ctx, &tuning, &bits100);
    assert_says(tuning.choice.why, "more than twice the room");

    /* 2.6 > 1.25 * 2 */
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, plain, perfect, 2, 600);
    add(ctx, &tuning, bits100, perfect, 2.6, 290);
    assert_chosen(ctx, &tuning, &plain);

    /* 310 * 2 > 600 */
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, plain, perfect, 2, 600);
    add(ctx, &tuning, bits100, perfect, 2.4, 310);
    assert_chosen(ctx, &tuning, &plain);
}

/* Each condition of the goal, missed alone by the only candidate. */
static void
test_nothing_meets_the_goal(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);
    static const double low_mean[] = { .985, .985, .985 };
    static const double low_worst[] = { 1, 1, .975 };

    add(ctx, &tuning, exact, low_mean, 4, 2);
    vector_decide(ctx->arena, &tuning);
    assert_false(tuning.has_choice);
    assert_says(tuning.choice.why, "finds 98.5 % of the right answers where 99 % are asked for");

    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, exact, low_worst, 4, 2);
    vector_decide(ctx->arena, &tuning);
    assert_false(tuning.has_choice);
    assert_says(tuning.choice.why,
        "finds 97.5 % in the bucket of 10,000-99,999 rows where 98 % are asked for");

    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, exact, perfect, 4, 2)->overall.short_results = 3;
    tuning.candidates.items[0].buckets.items[SMALL].short_results = 3;
    vector_decide(ctx->arena, &tuning);
    assert_false(tuning.has_choice);
    assert_says(tuning.choice.why, "returns too few rows for 10 % of the searches");

    /* Wall time is twice the CPU time here: 120 ms of 100. */
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, exact, perfect, 60, 2);
    vector_decide(ctx->arena, &tuning);
    assert_false(tuning.has_choice);
    assert_says(tuning.choice.why, "takes 120 ms (p95) in the bucket of 10,000-99,999 rows");
    assert_says(tuning.choice.why, "where 100 ms are allowed");
    tuning.goal.p95_us = 0;
    vector_decide(ctx->arena, &tuning);
    assert_true(tuning.has_choice);

    tuning = make_tuning(ctx->arena);
    tuning.goal.most_bytes = 1000000;
    add(ctx, &tuning, exact, perfect, 4, 2);
    vector_decide(ctx->arena, &tuning);
    assert_false(tuning.has_choice);
    assert_says(tuning.choice.why, "adds 1.9 MB where 977 kB are allowed");

    /* The nearest: .04 of recall counts as .4, twice the time as 1. */
    tuning = make_tuning(ctx->arena);
    static const double near[] = { 1, .95, .95 };

    add(ctx, &tuning, exact, perfect, 100, 2);
    add(ctx, &tuning, bits100, near, 4, 2);
    assert_chosen(ctx, &tuning, &bits100);
    assert_false(tuning.has_choice);

    tuning = make_tuning(ctx->arena);
    vector_decide(ctx->arena, &tuning);
    assert_false(tuning.has_choice);
    assert_int_equal(tuning.choice.base.family, FAMILY_EXACT);
    assert_false(tuning.choice.was_measured);
}

/* What cannot be applied, is not safe or was left out early does not win, whatever it shows. */
static void
test_not_chosen(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);
    struct vector_method divided = hnsw;
    struct vector_method unsafe = ivfflat;

    divided.scope = SCOPE_HASH;
    divided.partitions = 16;
    unsafe.with_btree = true;
    add(ctx, &tuning, exact, perfect, 20, 2);
    add(ctx, &tuning, divided, perfect, 1, 2);
    add(ctx, &tuning, unsafe, perfect, 1, 2);
    add(ctx, &tuning, (struct vector_method){ .family = FAMILY_SCAN }, perfect, 1, 0);
    add(ctx, &tuning, bits100, perfect, 1, 2)->rung = 1;
    assert_chosen(ctx, &tuning, &exact);
    for (size_t i = 0; i < tuning.candidates.count; i++)
        if (tuning.candidates.items[i].method.family == FAMILY_BITS)
            assert_false(tuning.candidates.items[i].is_pareto);

    /* For a table without tenants there is nothing a scan could stop too early for. */
    tuning.target.tenant = NULL;
    assert_chosen(ctx, &tuning, &unsafe);
}

static void
test_specials(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);

    /* 12 / 5 = 2.4 times; ef 40 is cheaper but finds too little. */
    add(ctx, &tuning, exact, perfect, 40, 2);
    add(ctx, &tuning, bits100, perfect, 12, 26);
    add_partial(ctx, &tuning, 40, .985, 2);
    add_partial(ctx, &tuning, 100, .995, 5);
    add_partial(ctx, &tuning, 200, 1, 9);
    assert_chosen(ctx, &tuning, &bits100);
    assert_true(tuning.has_choice);
    assert_int_equal(tuning.choice.specials.count, 1);
    assert_int_equal(tuning.choice.specials.items[0].method.ef_search, 100);
    assert_string_equal(
        text_list_join(ctx->arena, &tuning.choice.specials.items[0].tenants, " "), "big bigger");
    /* The bucket is served by the indexes of its own; the other buckets by the base. */
    assert_true(tuning.choice.expected.items[LARGE].measure.recall.value == .995);
    assert_true(tuning.choice.expected.items[SMALL].measure.recall.value == 1);
    assert_says(tuning.choice.why, "2 tenants of 10,000-99,999 rows get an index of their own");

    /* One that finds more, and 5.8 <= 1.25 * 5. */
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, bits100, perfect, 12, 26);
    add_partial(ctx, &tuning, 100, .995, 5);
    add_partial(ctx, &tuning, 200, 1, 5.8);
    assert_chosen(ctx, &tuning, &bits100);
    assert_int_equal(tuning.choice.specials.items[0].method.ef_search, 200);

    /* 9.9 is not twice as cheap as 12. */
    tuning = make_tuning(ctx->arena);
    add(ctx, &tuning, bits100, perfect, 12, 26);
    add_partial(ctx, &tuning, 200, 1, 9.9);
    assert_chosen(ctx, &tuning, &bits100);
    assert_int_equal(tuning.choice.specials.count, 0);
}

/* 80 ms of CPU are 160 of wall time, above the limit of 100 in the large bucket alone. */
static void
test_specials_that_are_needed(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);

    add(ctx, &tuning, exact, perfect, 60, 2);
    add_partial(ctx, &tuning, 100, .995, 45);
    assert_chosen(ctx, &tuning, &exact);
    assert_true(tuning.has_choice);
    assert_int_equal(tuning.choice.specials.count, 1);
    assert_says(tuning.choice.why, "without which the goal is missed");

    /* 32 MB for 32,000 rows are 1,000 bytes a row: 20 MB for the largest tenant alone. */
    tuning.goal.most_bytes = 25000000;
    vector_decide(ctx->arena, &tuning);
    assert_false(tuning.has_choice);
    tuning.goal.most_bytes = 34000000;
    vector_decide(ctx->arena, &tuning);
    assert_true(tuning.has_choice);

    /* Without the limit of time it is a gain of less than twice. */
    tuning.goal.most_bytes = 0;
    tuning.goal.p95_us = 0;
    vector_decide(ctx->arena, &tuning);
    assert_int_equal(tuning.choice.specials.count, 0);
}

/* At most 50 indexes, for the largest tenants; the others stay with the base. */
static void
test_many_specials(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);

    tuning.sizes.tenants.count = 0;
    for (int i = 0; i < 60; i++)
        VEC_PUSH(ctx->arena, &tuning.sizes.tenants,
            (struct vector_tenant){
                .value = arena_printf(ctx->arena, "t%d", i), .rows = 20000 - i, .bucket = LARGE });
    add(ctx, &tuning, bits100, perfect, 12, 26);
    VEC_PUSH(ctx->arena, &add_partial(ctx, &tuning, 100, .995, 4)->tenants, "t0");
    assert_chosen(ctx, &tuning, &bits100);
    assert_int_equal(tuning.choice.specials.items[0].tenants.count, 50);
    assert_string_equal(tuning.choice.specials.items[0].tenants.items[49], "t49");
    /* Both serve the bucket: no more is promised than what the worse one finds. */
    assert_true(tuning.choice.expected.items[LARGE].measure.recall.value == .995);

    /* Where the base is too slow all of them would be needed. */
    tuning = make_tuning(ctx->arena);
    for (int i = 0; i < 60; i++)
        VEC_PUSH(ctx->arena, &tuning.sizes.tenants,
            (struct vector_tenant){
                .value = arena_printf(ctx->arena, "t%d", i), .rows = 20000 - i, .bucket = LARGE });
    add(ctx, &tuning, exact, perfect, 60, 2);
    add_partial(ctx, &tuning, 100, .995, 4);
    vector_decide(ctx->arena, &tuning);
    assert_false(tuning.has_choice);
}

static void
test_choose(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);
    static const double plan[] = { .5, .8, .9 };

    add(ctx, &tuning, exact, perfect, 4, 2);
    add(ctx, &tuning, ivfflat, plan, 32, 822);
    vector_choose(ctx->arena, &tuning, 1);
    assert_false(tuning.has_choice);
    assert_int_equal(tuning.choice.base.family, FAMILY_IVFFLAT);
    assert_string_equal(tuning.candidates.items[0].name, "ivfflat, 193 lists, probes 20");
    assert_says(tuning.choice.why, "misses the goal");
    assert_true(tuning.choice.expected.items[SMALL].measure.recall.value == .5);
}

/* A copy of a tenth of the rows: ten times the bytes in the live table. */
static void
test_sample(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);
    struct vector_candidate *candidate = add(ctx, &tuning, exact, perfect, 4, 2);

    assert_true(goal_bytes(&tuning, candidate) == 2e6);
    tuning.is_whole = false;
    tuning.sample_rows = 3715;
    assert_true(goal_bytes(&tuning, candidate) == 2e7);
}

static struct vector_queries
make_queries(struct arena *arena, const size_t counts[BUCKETS])
{
    struct vector_queries queries = { 0 };
    static const char *const tenants[] = { "a", "mid", "big" };

    for (size_t bucket = 0; bucket < BUCKETS; bucket++)
        for (size_t i = 0; i < counts[bucket]; i++)
            VEC_PUSH(arena, &queries,
                (struct vector_query){ .tenant = tenants[bucket], .bucket = bucket });
    return queries;
}

static void
test_rungs(void **state)
{
    struct ctx *ctx = *state;
    static const size_t counts[] = { 30, 7, 3 };
    struct vector_queries queries = make_queries(ctx->arena, counts);
    struct halving_chosen chosen;
    struct halving_chosen first;
    struct halving_chosen rest;
    struct text_list tenants = { 0 };
    bool seen[40] = { false };
    /* A quarter of 30 is 8; five of 7; all 3. Half of 30 is 15. Then the rest. */
    static const size_t expected[] = { 8 + 5 + 3, 7 + 0 + 0, 15 + 2 + 0 };

    for (size_t rung = 0; rung < RUNG_COUNT; rung++) {
        halving_queries(ctx->arena, &queries, NULL, rung, &chosen);
        assert_int_equal(chosen.count, expected[rung]);
        for (size_t i = 0; i < chosen.count; i++) {
            assert_false(seen[chosen.items[i]]);
            seen[chosen.items[i]] = true;
        }
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_true(seen[i]);

    halving_queries(ctx->arena, &queries, NULL, 0, &chosen);
    halving_split(ctx->arena, &queries, &chosen, &first, &rest);
    assert_int_equal(first.count, 6);
    assert_int_equal(rest.count, 10);

    text_list_add(ctx->arena, &tenants, "big");
    halving_queries(ctx->arena, &queries, &tenants, 0, &chosen);
    assert_int_equal(chosen.count, 3);
    assert_int_equal(queries.items[chosen.items[0]].bucket, LARGE);
}

static void
test_verdicts(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = make_tuning(ctx->arena);
    static const double poor[] = { .9, .9, .9 };
    static const double unsure[] = { .985, .985, .985 };
    struct vector_candidate *candidate;

    add(ctx, &tuning, exact, perfect, 10, 2);
    /* recall + .01 is the upper end: .91 is surely below .99, .995 is not. */
    candidate = add(ctx, &tuning, bits100, poor, 4, 2);
    candidate->rung = 0;
    assert_says(halving_verdict(ctx->arena, &tuning, candidate), "finds 90 %");
    candidate = add(ctx, &tuning, bits200, unsure, 4, 2);
    candidate->rung = 0;
    assert_null(halving_verdict(ctx->arena, &tuning, candidate));
    candidate->overall.short_results = 1;
    assert_says(halving_verdict(ctx->arena, &tuning, candidate), "too few rows");

    /* 13 * .9 = 11.7 is above 10 * 1.1 = 11, and it is no smaller: exact is surely better. */
    candidate = add(ctx, &tuning, half, perfect, 13, 40);
    candidate->rung = 0;
    assert_says(halving_verdict(ctx->arena, &tuning, candidate), "exact meets the goal");
    candidate->index_bytes = 1000000;
    assert_null(halving_verdict(ctx->arena, &tuning, candidate));
    candidate->index_bytes = 40000000;
    candidate->overall.cpu_us_p95.low = 10500;
    assert_null(halving_verdict(ctx->arena, &tuning, candidate));
    candidate->overall.cpu_us_p95.low = 11700;
    /* What is ahead after few queries only does not count. */
    tuning.candidates.items[0].rung = 1;
    assert_null(halving_verdict(ctx->arena, &tuning, candidate));
    tuning.candidates.items[0].rung = RUNG_LAST;

    /* The plan's own choice is measured to the end, a scan never is. */
    candidate = add(ctx, &tuning, ivfflat, poor, 40, 800);
    assert_null(halving_verdict(ctx->arena, &tuning, candidate));
    candidate = add(ctx, &tuning, (struct vector_method){ .family = FAMILY_SCAN }, perfect, 90, 0);
    assert_non_null(halving_verdict(ctx->arena, &tuning, candidate));

    /* Every search of a bucket above the limit: 120 ms * .9 = 108. */
    candidate = add(ctx, &tuning, hnsw, perfect, 120, 2);
    assert_non_null(halving_is_slow(ctx->arena, &tuning, candidate));
    candidate = add(ctx, &tuning, hnsw, perfect, 105, 2);
    assert_null(halving_is_slow(ctx->arena, &tuning, candidate));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_cheapest),
        test_with_ctx(test_simpler),
        test_with_ctx(test_size),
        test_with_ctx(test_nothing_meets_the_goal),
        test_with_ctx(test_not_chosen),
        test_with_ctx(test_specials),
        test_with_ctx(test_specials_that_are_needed),
        test_with_ctx(test_many_specials),
        test_with_ctx(test_choose),
        test_with_ctx(test_sample),
        test_with_ctx(test_rungs),
        test_with_ctx(test_verdicts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
