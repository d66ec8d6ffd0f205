/*
 * The page of a load run, made of records that stand here: every number is worked out by hand, and names
 * of others are hostile. How it looks in a browser is tested elsewhere.
 */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "load/report/page.h"

static const char hostile[] = "<img src=x onerror=alert(1)>\"'&</script>";

struct bench {
    struct ctx *ctx;
    struct load_record run;
    struct load_record before;
    struct load_page page;
    const char *path;
};

/* Good answers of 1 ms, 2 ms … 1000 ms times factor: p50 is 500, p95 950, p99 990 of them. */
static void
count_latencies(struct load_step_record *step, int64_t factor)
{
    for (int64_t i = 1; i <= 1000; i++) {
        histogram_record(step->latency, i * 1000 * factor);
        histogram_record(step->service, i * 100 * factor);
    }
    step->outcomes[LOAD_GOOD] = 1000;
}

static void
make_record(struct ctx *ctx, struct load_record *ret, int64_t factor)
{
    struct load_step_record *steps = ARENA_ARRAY(ctx->arena, struct load_step_record, 2);
    struct load_group_record *groups = ARENA_ARRAY(ctx->arena, struct load_group_record, 1);
    struct load_moment *moments = ARENA_ARRAY(ctx->arena, struct load_moment, 12);

    for (size_t i = 0; i < 2; i++)
        steps[i] = (struct load_step_record){ .name = i == 0 ? "stats" : hostile,
            .latency = histogram_new(ctx->arena),
            .service = histogram_new(ctx->arena),
            .statements = i == 0 ? 3000 : -1 };
    count_latencies(&steps[0], factor);
    groups[0] = (struct load_group_record){
        .name = "bots", .users = 7, .latency = histogram_new(ctx->arena)
    };
    histogram_record(groups[0].latency, 5000);
    groups[0].outcomes[LOAD_GOOD] = 999;
    groups[0].outcomes[LOAD_LATE] = 1;
    for (int64_t i = 0; i < 12; i++)
        moments[i] = (struct load_moment){ .at = 1700000000 + i,
            .calls = 100 + i,
            .p50_us = 500000,
            .p95_us = 950000,
            .p99_us = 990000,
            .open = 7,
            .lag_us = 50,
            .is_counted = i >= 2 };
    *ret = (struct load_record){ .name = "plan",
        .target = "127.0.0.1:8000",
        .users = 10007,
        .planned_us = 10000000,
        .think_us = -1,
        .started_us = INT64_C(1700000002000000),
        .elapsed_us = 10000000,
        .is_complete = true,
        .steps = steps,
        .step_count = 2,
        .groups = groups,
        .group_count = 1,
        .moments = moments,
        .moment_count = 12,
        .lag = histogram_new(ctx->arena),
        .cpu_us = 2000000,
        .most_open = 10007 };
    histogram_record(ret->lag, 40);
}

static int
bench_new(void **state)
{
    struct bench *bench;
    void *ctx;

    test_ctx_new(&ctx);
    bench = ARENA_NEW(((struct ctx *)ctx)->arena, struct bench);
    bench->ctx = ctx;
    make_record(bench->ctx, &bench->run, 1);
    make_record(bench->ctx, &bench->before, 4);
    bench->page.run = &bench->run;
    bench->path = file_join(bench->ctx->arena, test_folder(bench->ctx), "page.html");
    *state = bench;
    return 0;
}

static int
bench_free(void **state)
{
    struct bench *bench = *state;
    char *folder = arena_strdup(bench->ctx->arena, bench->path);
    void *ctx = bench->ctx;

    *strrchr(folder, '/') = '\0';
    assert_true(file_remove(bench->ctx, folder));
    return test_ctx_free(&ctx);
}

static const char *
write_page(struct bench *bench)
{
    const char *text = NULL;
    size_t length = 0;

    if (!load_page_write(bench->ctx, bench->path, &bench->page) ||
        !file_read(bench->ctx, bench->path, &text, &length))
        fail_msg("%s", bench->ctx->error.message);
    return text;
}

static void
assert_holds(const char *page, const char *text)
{
    if (!strstr(page, text))
        fail_msg("the page lacks \"%s\"", text);
}

static void
assert_lacks(const char *page, const char *text)
{
    if (strstr(page, text))
        fail_msg("the page holds \"%s\"", text);
}

static void
the_numbers_are_those_of_the_record(void **state)
{
    struct bench *bench = *state;
    const char *page = write_page(bench);

    assert_holds(page, "<h1>plan</h1>");
    /* 1000 good ones in 10 s. */
    assert_holds(
        page, "<span class=\"figure\">106</span><span class=\"name\">good answers a second");
    assert_holds(page, "<span class=\"figure\">500 ms</span><span class=\"name\">half");
    assert_holds(page, "<span class=\"figure\">950 ms</span>");
    assert_holds(page, "<span class=\"figure\">990 ms</span>");
    assert_holds(page, ">0 %</span></span><span class=\"name\">errors: 0 of 1 000");
    /* 3000 statements for 1000 requests. */
    assert_holds(page, "<td class=\"n\">3</td></tr>");
    /* One of a thousand was late. */
    assert_holds(page, "99.9 %");
    assert_lacks(page, "incomplete");
    assert_lacks(page, "bottleneck");
    assert_holds(page, "no goals were set");
    /* Two seconds of ramp-up stand before 0, ten count. */
    assert_holds(page, "\"counted\":10,\"at\":[-2,-1,0,1,2,3,4,5,6,7,8,9]");
    assert_holds(page, "\"rate\":[100,101,102,103,104,105,106,107,108,109,110,111]");
}

static void
names_of_others_stay_text(void **state)
{
    struct bench *bench = *state;
    struct load_message messages[] = { { hostile, 3 } };
    struct load_fact facts[] = { { hostile, hostile, "share", 0.5 } };
    struct load_goal_result goals[] = { { .text = hostile } };
    const char *page;

    bench->run.name = bench->run.target = hostile;
    bench->run.groups[0].name = hostile;
    text_list_add(bench->ctx->arena, &bench->run.defines, hostile);
    text_list_add(bench->ctx->arena, &bench->run.fact_notes, hostile);
    bench->run.messages = messages;
    bench->run.message_count = 1;
    bench->run.facts = facts;
    bench->run.fact_count = 1;
    bench->run.goals = goals;
    bench->run.goal_count = 1;
    page = write_page(bench);
    assert_lacks(page, "<img");
    assert_holds(page, "&lt;img src=x onerror=alert(1)&gt;");
    assert_lacks(page, " src=\"");
    assert_holds(page, "content=\"default-src 'none'; ");
    assert_lacks(page, "{{");
}

static void
a_generator_that_was_late_cannot_be_overlooked(void **state)
{
    struct bench *bench = *state;
    const char *page;

    /* Of 100 that were due two were 5 ms late: the 99th percentile is 5 ms. */
    for (int i = 0; i < 97; i++)
        histogram_record(bench->run.lag, 40);
    histogram_record(bench->run.lag, 5000);
    histogram_record(bench->run.lag, 5000);
    page = write_page(bench);
    assert_holds(page,
        "<section class=\"alarm\" role=\"alert\"><strong>The generator itself was the "
        "bottleneck.");
    assert_holds(page, "by 5 ms at p99");
    assert_holds(page, "<span class=\"figure\">≤ 500 ms</span>");
    assert_holds(page, "the generator was too slow");
}

static void
goals_and_an_end_before_the_end_are_said(void **state)
{
    struct bench *bench = *state;
    struct load_goal_result goals[] = {
        { .text = "p95 < 200ms", .value = 950000, .is_known = true, .is_met = false },
        { .text = "bots.success >= 99.9%", .value = 0.999, .is_known = true, .is_met = true },
        { .text = "pg_cpu_share < 50%", .is_known = false },
    };
    const char *page;

    bench->run.goals = goals;
    bench->run.goal_count = 3;
    bench->run.is_complete = false;
    bench->run.is_stopped = true;
    bench->run.planned_us = 60000000;
    page = write_page(bench);
    assert_holds(page, "1 of 3 goals are not met");
    assert_holds(page, "<td class=\"name\">p95 &lt; 200ms</td><td class=\"n\">950 ms</td><td><span "
                       "class=\"chip bad\">not met");
    assert_holds(page, "<td class=\"n\">99.9 %</td><td><span class=\"chip good\">met");
    assert_holds(page, "<td class=\"n\">–</td><td><span class=\"chip open\">not known");
    assert_holds(page, "a signal stopped it");
    assert_holds(page, "incomplete");
}

static void
before_and_after_stand_side_by_side(void **state)
{
    struct bench *bench = *state;
    struct load_fact after[] = { { "cache_hit", "Pages found", "share", 0.99 } };
    struct load_fact before[] = { { "cache_hit", "Pages found", "share", 0.66 },
        { "wal_bytes", "WAL a request", "bytes", 2048 } };
    struct load_difference items[] = {
        { NULL, "p95", 3800000, 950000, 0.24, 0.26, true, LOAD_BETTER, NULL },
        { "stats", "errors", 0.01, 0.01, -0.002, 0.002, false, LOAD_SAME, "too few runs" },
    };
    struct load_comparison comparison = { .items = items, .count = 2 };
    const char *page;

    text_list_add(bench->ctx->arena, &comparison.warnings, "the runs had other seeds");
    bench->run.facts = after;
    bench->run.fact_count = 1;
    bench->before.facts = before;
    bench->before.fact_count = 2;
    bench->page.before = &bench->before;
    bench->page.comparison = &comparison;
    page = write_page(bench);
    assert_holds(page, "was 3.8 s");
    assert_holds(
        page, "<td class=\"n\">99 %</td><td class=\"n\">66 %</td><td class=\"n\">1.50×</td>");
    assert_holds(page, "WAL a request");
    assert_holds(page, "0.25×<span class=\"sub\">0.24× … 0.26×</span>");
    assert_holds(page, "<span class=\"chip good\">better</span>");
    assert_holds(page, "<span class=\"chip open\">not distinguishable</span>");
    assert_holds(page, "too few runs");
    assert_holds(page, "the runs had other seeds");
    assert_holds(page, "class=\"curve-b\"");
    assert_holds(page, "\"before\":{");
}

/* g = 10, a = 0.01, b = 0: X(100) = 1000 / 1.99. */
static void
a_model_is_drawn_with_its_law(void **state)
{
    struct bench *bench = *state;
    struct load_model_point points[] = {
        { 1, 10, 100000, 500, 10, 1 },
        { 100, 500, 100000, 500, 502.5, 50 },
    };
    struct load_model model = { .points = points,
        .count = 2,
        .gain = 10,
        .contention = 0.01,
        .ceiling_rate = 500,
        .caution = "only two points" };
    const char *page;

    bench->page = (struct load_page){ .model = &model };
    page = write_page(bench);
    assert_holds(page, "A model of the load");
    assert_holds(page, "only two points");
    assert_holds(page, "100 users: 500/s, law: 502/s");
    assert_holds(page, "The highest rate that was measured: 500 a second.");
}

static void
a_run_of_nothing_has_a_page(void **state)
{
    struct bench *bench = *state;
    const char *page;

    bench->run = (struct load_record){ .lag = histogram_new(bench->ctx->arena) };
    bench->page.before = &bench->run;
    page = write_page(bench);
    assert_holds(page, "</html>");
    assert_lacks(page, "nan");
}

#define test_with_bench(test) cmocka_unit_test_setup_teardown(test, bench_new, bench_free)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(the_numbers_are_those_of_the_record),
        test_with_bench(names_of_others_stay_text),
        test_with_bench(a_generator_that_was_late_cannot_be_overlooked),
        test_with_bench(goals_and_an_end_before_the_end_are_said),
        test_with_bench(before_and_after_stand_side_by_side),
        test_with_bench(a_model_is_drawn_with_its_law),
        test_with_bench(a_run_of_nothing_has_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
