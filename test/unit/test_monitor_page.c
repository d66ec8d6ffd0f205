/* What is found about requests in pages of metrics; the numbers are worked out by hand. */
#include "support/test.h"

#include <math.h>

#include "monitor/source/source_part.h"

static struct page_look
look_at(struct ctx *ctx, const char *text, int64_t seconds)
{
    struct samples samples = { .arena = ctx->arena };
    struct page_look look;

    if (!metric_parse(ctx, text, strlen(text), &samples))
        fail_msg("%s", ctx->error.message);
    page_read(&samples, seconds * 1000000, &look);
    return look;
}

static void
assert_near(double value, double wanted)
{
    if (!(fabs(value - wanted) < 1e-9))
        fail_msg("%.12g is not %.12g", value, wanted);
}

static const char first_page[] =
    "# HELP http_requests_total Requests\n"
    "# TYPE http_requests_total counter\n"
    "http_requests_total{method=\"GET\",status=\"200\"} 900\n"
    "http_requests_total{method=\"GET\",status=\"404\"} 50\n"
    "http_requests_total{method=\"POST\",status=\"500\"} 30\n"
    "http_requests_total{method=\"POST\",status=\"503\"} 20\n"
    "# TYPE http_request_duration_seconds histogram\n"
    "http_request_duration_seconds_bucket{method=\"GET\",le=\"0.1\"} 500\n"
    "http_request_duration_seconds_bucket{method=\"GET\",le=\"0.5\"} 900\n"
    "http_request_duration_seconds_bucket{method=\"GET\",le=\"+Inf\"} 950\n"
    "http_request_duration_seconds_bucket{method=\"POST\",le=\"0.1\"} 0\n"
    "http_request_duration_seconds_bucket{method=\"POST\",le=\"0.5\"} 40\n"
    "http_request_duration_seconds_bucket{method=\"POST\",le=\"+Inf\"} 50\n"
    "http_request_duration_seconds_sum 123\n"
    "http_request_duration_seconds_count 1000\n"
    "app_sql_statements_total 4000\n";

/* 100 requests in 10 s: 60 below 0.1 s, 100 below 0.5 s; 5 failed; 250 statements. */
static const char second_page[] =
    "http_requests_total{method=\"GET\",status=\"200\"} 990\n"
    "http_requests_total{method=\"GET\",status=\"404\"} 55\n"
    "http_requests_total{method=\"POST\",status=\"500\"} 34\n"
    "http_requests_total{method=\"POST\",status=\"503\"} 21\n"
    "http_request_duration_seconds_bucket{method=\"GET\",le=\"0.1\"} 560\n"
    "http_request_duration_seconds_bucket{method=\"GET\",le=\"0.5\"} 995\n"
    "http_request_duration_seconds_bucket{method=\"GET\",le=\"+Inf\"} 1045\n"
    "http_request_duration_seconds_bucket{method=\"POST\",le=\"0.1\"} 0\n"
    "http_request_duration_seconds_bucket{method=\"POST\",le=\"0.5\"} 45\n"
    "http_request_duration_seconds_bucket{method=\"POST\",le=\"+Inf\"} 55\n"
    "app_sql_statements_total 4250\n";

static void
requests_errors_and_durations_are_found(void **state)
{
    struct ctx *ctx = *state;
    struct page_look look = look_at(ctx, first_page, 0);

    assert_near(look.requests, 1000);
    assert_near(look.errors, 50);
    assert_near(look.statements, 4000);
    assert_int_equal(look.bucket_count, 3);
    assert_near(look.buckets[0].count, 500);
    assert_near(look.buckets[1].count, 940);
    assert_true(isinf(look.buckets[2].most));
    assert_near(look.buckets[2].count, 1000);
}

static void
rates_are_of_the_time_between_two_looks(void **state)
{
    struct ctx *ctx = *state;
    struct page_looks looks = { 0 };
    struct source source = { 0 };
    struct page_look first = look_at(ctx, first_page, 100);
    struct page_look second = look_at(ctx, second_page, 110);

    page_note(&looks, &first, &source);
    assert_true(isnan(source.requests_rate));
    assert_true(isnan(source.p95_seconds));
    page_note(&looks, &second, &source);
    assert_near(source.requests_rate, 10);
    assert_near(source.error_ratio, 0.05);
    assert_near(source.statements_per_request, 2.5);
    /* The 95th of 100: 60 are below 0.1 s, 40 between 0.1 and 0.5 s, so 35/40 of the way. */
    assert_near(source.p95_seconds, 0.1 + 0.4 * 35 / 40);
    /* The next look has nothing new: no ratio, and p95 is that of the last minute. */
    second.at_us += 10000000;
    page_note(&looks, &second, &source);
    assert_near(source.requests_rate, 0);
    assert_near(source.p95_seconds, 0.1 + 0.4 * 35 / 40);
    second.at_us += 70000000;
    page_note(&looks, &second, &source);
    assert_true(isnan(source.p95_seconds));
}

static void
a_restart_of_the_application_is_no_negative_rate(void **state)
{
    struct ctx *ctx = *state;
    struct page_looks looks = { 0 };
    struct source source = { 0 };
    struct page_look first = look_at(ctx, first_page, 100);
    struct page_look second = look_at(ctx, second_page, 110);
    struct page_look again = look_at(ctx, first_page, 120);

    page_note(&looks, &first, &source);
    page_note(&looks, &second, &source);
    page_note(&looks, &again, &source);
    assert_true(isnan(source.requests_rate));
    assert_true(isnan(source.error_ratio));
    assert_true(isnan(source.p95_seconds));
    second.at_us = 130 * (int64_t)1000000;
    page_note(&looks, &second, &source);
    assert_near(source.requests_rate, 10);
}

static void
other_names_and_forms_are_known(void **state)
{
    struct ctx *ctx = *state;
    struct page_look look;

    /* A counter of errors of its own, a summary, a histogram's count as the requests. */
    look = look_at(ctx,
        "replyx_request_duration_seconds{quantile=\"0.5\",route=\"/a\"} 0.1\n"
        "replyx_request_duration_seconds{quantile=\"0.95\",route=\"/a\"} 0.3\n"
        "replyx_request_duration_seconds{quantile=\"0.95\",route=\"/b\"} 0.7\n"
        "replyx_request_duration_seconds_count{route=\"/a\"} 70\n"
        "replyx_request_duration_seconds_count{route=\"/b\"} 7\n"
        "replyx_errors_total 3\n",
        0);
    assert_near(look.requests, 77);
    assert_near(look.errors, 3);
    assert_near(look.p95, 0.7);
    assert_int_equal(look.bucket_count, 0);

    /* Requests per class of status, and other counters that end alike but are less exact. */
    look = look_at(ctx,
        "upstream_requests_total 1000000\n"
        "http_requests_total{code=\"2xx\"} 10\n"
        "http_requests_total{code=\"5xx\"} 2\n",
        0);
    assert_near(look.requests, 12);
    assert_near(look.errors, 2);

    look = look_at(ctx, "process_cpu_seconds_total 12\n", 0);
    assert_true(isnan(look.requests));
    assert_true(isnan(look.errors));
    assert_true(isnan(look.p95));
    assert_true(isnan(look.statements));
}

static void
quantiles_at_the_edges(void **state)
{
    struct page_look before = {
        .buckets = { { 0.1, 0 }, { 1, 0 }, { INFINITY, 0 } },
        .bucket_count = 3,
    };
    struct page_look now = {
        .buckets = { { 0.1, 10 }, { 1, 10 }, { INFINITY, 10 } },
        .bucket_count = 3,
    };

    (void)state;
    assert_near(page_quantile(&before, &now, 0.95), 0.095); /* all in the first: from zero on */
    now.buckets[0].count = 0;
    now.buckets[1].count = 0;
    assert_near(page_quantile(&before, &now, 0.95), 1); /* all beyond: the last bound */
    assert_true(isnan(page_quantile(&before, &before, 0.95)));
    now.bucket_count = 2; /* no infinite bucket: no total */
    assert_true(isnan(page_quantile(&before, &now, 0.95)));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        test_with_ctx(requests_errors_and_durations_are_found),
        test_with_ctx(rates_are_of_the_time_between_two_looks),
        test_with_ctx(a_restart_of_the_application_is_no_negative_rate),
        test_with_ctx(other_names_and_forms_are_known),
        cmocka_unit_test(quantiles_at_the_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
