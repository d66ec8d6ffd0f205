/* The HTML page: nothing from the database becomes markup, and nothing is loaded. */
#include "support/test.h"

#include "base/crypto.h"
#include "change/step.h"
#include "report/html.h"
#include "report/report.h"

#define HOSTILE "<img src=x onerror=alert(1)>\"'&\x01</script></style>{{body}}"

static struct snapshot_plan hostile_plan = {
    .script = HOSTILE,
    .query = HOSTILE,
    .used_values = HOSTILE,
    .has_plan = true,
    .plan.json = "[{\"Plan\": {\"Node Type\": \"Index Scan\", \"Index Name\": \"<b>idx</b>\", "
                 "\"Relation Name\": \"<i>t</i>\", \"Alias\": \"t\", \"Index Cond\": \"(a < 1)\", "
                 "\"Sort Key\": [\"<u>k</u>\", \"b\"], \"Total Cost\": 8.3, \"Plan Rows\": 3}}]",
};

static struct report_query hostile_query = {
    .script = HOSTILE,
    .query = HOSTILE,
    .fingerprint = "0123456789abcdef",
    .before = { .calls = 10, .total_ms = 1000, .mean_ms = 100, .notes = "", .plan = &hostile_plan },
    .after = { .calls = 10, .total_ms = 10, .mean_ms = 1, .notes = "", .plan = &hostile_plan },
    .factor = 100,
};

static const char *hostile_items[] = { HOSTILE };

static struct report_step_statement hostile_measured = { .query = HOSTILE,
    .calls_before = 10,
    .calls_after = 20,
    .ms_before = 50,
    .ms_after = 2,
    .blocks_before = -1,
    .blocks_after = 3 };

static struct report_step hostile_steps[] = {
    { .id = HOSTILE,
        .title = HOSTILE,
        .phase = 1,
        .state = HOSTILE,
        .why = HOSTILE,
        .promise = HOSTILE,
        .evidence = HOSTILE,
        .started_at = HOSTILE,
        .ended_at = HOSTILE,
        .work_us = 1000,
        .statements = { .items = hostile_items, .count = 1 },
        .undos = { .items = hostile_items, .count = 1 },
        .measured = { .items = &hostile_measured, .count = 1 } },
    { .id = "1.2", .title = HOSTILE, .phase = 1, .state = STEP_UNDONE, .why = HOSTILE },
    { .id = "3.1", .title = HOSTILE, .phase = 3, .state = STEP_MANUAL, .manual = HOSTILE },
};

static struct report_kpi hostile_kpi = { .title = HOSTILE,
    .before = HOSTILE,
    .now = HOSTILE,
    .target = HOSTILE,
    .deadline = HOSTILE,
    .source = HOSTILE,
    .state = HOSTILE };

static struct report
hostile_report(void)
{
    static struct report_index index = { .schema = HOSTILE,
        .table_name = HOSTILE,
        .name = HOSTILE,
        .definition = HOSTILE,
        .what = "built",
        .build_us = -1,
        .scans = -1 };
    static struct report_scenario scenario = { .name = HOSTILE };
    static struct report_table table = { .schema = HOSTILE, .name = HOSTILE };
    struct report report = {
        .database = HOSTILE,
        .server_version = HOSTILE,
        .made_at = "2026-11-22T10:00:00Z",
        .has_stretches = true,
        .plan = { .is_known = true,
            .hash = "0123456789abcdef",
            .created_at = HOSTILE,
            .steps = { .items = hostile_steps, .count = COUNT_OF(hostile_steps) } },
        .kpis = { .items = &hostile_kpi, .count = 1 },
        .before = { .to = HOSTILE, .to_at = "2026-11-22 09:00:00+00" },
        .after = { .from = HOSTILE,
            .from_at = "2026-11-22 09:00:00+00",
            .to = HOSTILE,
            .to_at = "2026-11-22 10:00:00+00" },
        .queries = &hostile_query,
        .query_count = 1,
        .critical_count = 1,
        .scenarios = &scenario,
        .scenario_count = 1,
        .indexes = &index,
        .index_count = 1,
        .tables = &table,
        .table_count = 1,
        .speed_up = 100,
        .compared_count = 1,
        .notes = { .items = hostile_items, .count = 1 },
    };

    report.loads[LOAD_AFTER] = (struct report_load){ .is_known = true,
        .label = "after",
        .errors = 1,
        .messages = { .items = hostile_items, .count = 1 } };
    return report;
}

/* How often the text stands in the page. */
static size_t
count_of(const char *page, const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(page, text); at; at = strstr(at + 1, text))
        count++;
    return count;
}

static void
hostile_names_are_shown_as_text(void **state)
{
    struct ctx *ctx = *state;
    const struct report report = hostile_report();
    const char *page = report_html(ctx, &report);

    assert_true(count_of(page, "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;") >= 36);
    assert_int_equal(count_of(page, "<img"), 0);
    assert_int_equal(count_of(page, "<script"), 0);
    assert_int_equal(count_of(page, "</script"), 0);
    assert_int_equal(count_of(page, "</style>"), 1);
    assert_int_equal(count_of(page, "\x01"), 0);
    assert_int_equal(count_of(page, "<b>idx"), 0);
    assert_int_equal(count_of(page, "<i>t"), 0);
    assert_int_equal(count_of(page, "<u>k"), 0);
    assert_int_equal(count_of(page, "&lt;b&gt;idx&lt;/b&gt;"), 1 + 1); /* in both plans */
    assert_int_equal(count_of(page, "</main>"), 1); /* {{body}} in a name is not replaced */
    assert_int_equal(count_of(page, "{{style"), 0);
}

static void
the_page_loads_nothing(void **state)
{
    static const char *const loaders[] = { "http:", "https:", "src=\"", "href=", "url(", "@import",
        "<link", "<iframe", "<object" };
    struct ctx *ctx = *state;
    struct report report = hostile_report();

    hostile_query.script = hostile_query.query = "plain";
    const char *page = report_html(ctx, &report);

    for (size_t i = 0; i < COUNT_OF(loaders); i++)
        assert_int_equal(count_of(page, loaders[i]), 0);
    hostile_query.script = hostile_query.query = HOSTILE;
}

/* The policy names the style by its hash: were it wrong, the page would have no style at all. */
static void
the_policy_allows_just_the_style_of_the_page(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct ctx *ctx = *state;
    const struct report report = hostile_report();
    const char *page = report_html(ctx, &report);
    const char *style = strstr(page, "<style>") + strlen("<style>");
    const char *hex = sha256_of(ctx->arena, style, (size_t)(strstr(style, "</style>") - style));
    struct buffer base64 = { .arena = ctx->arena };
    unsigned bits = 0;
    unsigned held = 0;

    for (const char *at = hex; *at; at++) {
        bits = bits << 4 | (unsigned)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
        held += 4;
        if (held >= 6) {
            held -= 6;
            buffer_append(&base64, &digits[bits >> held & 63], 1);
        }
    }
    buffer_append(&base64, &digits[bits << (6 - held) & 63], 1);
    assert_non_null(strstr(page, "default-src 'none'"));
    assert_non_null(
        strstr(page, arena_printf(ctx->arena, "style-src 'sha256-%s='", buffer_text(&base64))));
    assert_null(strstr(page, "unsafe-inline"));
    assert_null(strstr(page, " style=\""));
}

/* What was taken back and what is left have lists of their own; the first step is neither. */
static void
undone_and_left_steps_are_listed(void **state)
{
    struct ctx *ctx = *state;
    struct report report = hostile_report();

    hostile_steps[0].state = STEP_PROVEN;
    const char *page = report_html(ctx, &report);
    const char *undone = strstr(page, "<h2>What was undone, and why</h2>");
    const char *left = strstr(page, "<h2>What is left</h2>");

    assert_non_null(undone);
    assert_non_null(left);
    assert_true(undone < left);
    assert_non_null(strstr(undone, "<li><strong>1.2 "));
    assert_true(strstr(undone, "<li><strong>1.2 ") < left);
    assert_non_null(strstr(left, "<li><strong>3.1 "));
    assert_null(strstr(left, "<li><strong>1.2 "));
    assert_non_null(strstr(page, "1 of 2</span><span class=\"name\">steps proven"));
    assert_non_null(strstr(page, "25.0× faster")); /* 50 ms, then 2 ms */
    hostile_steps[0].state = HOSTILE;
}

/* A report of a plan alone has no numbers of a workload that nobody measured. */
static void
without_snapshots_only_the_plan_is_told(void **state)
{
    struct ctx *ctx = *state;
    struct report report = hostile_report();

    report.has_stretches = false;
    const char *page = report_html(ctx, &report);

    assert_null(strstr(page, "speed-up of the database's work"));
    assert_null(strstr(page, "<h2>Time per call</h2>"));
    assert_non_null(strstr(page, "<h2>The plan, step by step</h2>"));
}

static void
times_are_shown_with_three_digits_and_a_unit(void **state)
{
    static const struct {
        double ms;
        const char *text;
    } cases[] = {
        { 0.0005, "0.5 µs" },
        { 0.0583, "58.3 µs" },
        { 2.834, "2.83 ms" },
        { 100, "100 ms" },
        { 1500, "1.5 s" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(html_ms(ctx->arena, cases[i].ms), cases[i].text);
}

static void
factors_are_shown_with_the_digits_that_matter(void **state)
{
    static const struct {
        double factor;
        const char *text;
    } cases[] = {
        { 0.456, "0.46×" },
        { 1.234, "1.23×" },
        { 48.54, "48.5×" },
        { 466.4, "466×" },
        { 4186.2, "4 186×" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(report_factor(ctx->arena, cases[i].factor), cases[i].text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(hostile_names_are_shown_as_text),
        test_with_ctx(the_page_loads_nothing),
        test_with_ctx(the_policy_allows_just_the_style_of_the_page),
        test_with_ctx(undone_and_left_steps_are_listed),
        test_with_ctx(without_snapshots_only_the_plan_is_told),
        test_with_ctx(times_are_shown_with_three_digits_and_a_unit),
        test_with_ctx(factors_are_shown_with_the_digits_that_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
