/* The text format 0.0.4: what is printed is what Prometheus reads, and what applications print is read. */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "base/process.h"
#include "monitor/metric/metric_part.h"

static const char *const by_name[] = { "datname", "mode", NULL };
static const struct metric gauge = { "pgmend_test_bytes", METRIC_GAUGE, "How many\nand \\ why",
    false };
static const struct metric counter = { "pgmend_test_total", METRIC_COUNTER, "Times", false };

static const char *
printed(struct ctx *ctx, const struct samples *samples, const char *server)
{
    struct buffer out = { .arena = ctx->arena };
    struct metric_source source = { .server = server, .samples = samples };

    metric_print(&out, &source, 1);
    return buffer_text(&out);
}

static void
lines_are_as_the_format_wants_them(void **state)
{
    struct ctx *ctx = *state;
    struct samples samples = { .arena = ctx->arena };

    sample_add(&samples, &gauge, by_name, (const char *[]){ "a\"b\\c\nd", NULL }, 1.5);
    sample_add(&samples, &counter, NULL, NULL, 9007199254740991.0);
    sample_add(&samples, &gauge, by_name, (const char *[]){ "x", "é" }, INFINITY);
    sample_add(&samples, &gauge, by_name, (const char *[]){ "y", "bad \xff\xc3( end" }, -0.1);
    sample_add(&samples, &gauge, by_name, (const char *[]){ "z", "" }, NAN);
    assert_string_equal(printed(ctx, &samples, NULL),
        "# HELP pgmend_test_bytes How many\\nand \\\\ why\n"
        "# TYPE pgmend_test_bytes gauge\n"
        "pgmend_test_bytes{datname=\"a\\\"b\\\\c\\nd\",mode=\"\"} 1.5\n"
        "pgmend_test_bytes{datname=\"x\",mode=\"é\"} +Inf\n"
        "pgmend_test_bytes{datname=\"y\",mode=\"bad \xef\xbf\xbd\xef\xbf\xbd( end\"} -0.1\n"
        "# HELP pgmend_test_total Times\n"
        "# TYPE pgmend_test_total counter\n"
        "pgmend_test_total 9007199254740991\n");
}

static void
a_series_is_printed_once_and_servers_are_told_apart(void **state)
{
    struct ctx *ctx = *state;
    struct samples one = { .arena = ctx->arena };
    struct samples two = { .arena = ctx->arena };
    struct buffer out = { .arena = ctx->arena };

    sample_add(&one, &gauge, by_name, (const char *[]){ "x", "m" }, 1);
    sample_add(&one, &gauge, by_name, (const char *[]){ "x", "m" }, 2);
    sample_add(&two, &gauge, by_name, (const char *[]){ "x", "m" }, 3);
    sample_add(&two, &counter, NULL, NULL, 4);
    metric_print(&out, (struct metric_source[]){ { "first \"1\"", &one }, { "second", &two } }, 2);
    assert_string_equal(buffer_text(&out),
        "# HELP pgmend_test_bytes How many\\nand \\\\ why\n"
        "# TYPE pgmend_test_bytes gauge\n"
        "pgmend_test_bytes{server=\"first \\\"1\\\"\",datname=\"x\",mode=\"m\"} 1\n"
        "pgmend_test_bytes{server=\"second\",datname=\"x\",mode=\"m\"} 3\n"
        "# HELP pgmend_test_total Times\n"
        "# TYPE pgmend_test_total counter\n"
        "pgmend_test_total{server=\"second\"} 4\n");
}

static void
numbers_are_read_back_as_they_were(void **state)
{
    struct ctx *ctx = *state;
    static const double numbers[] = { 0, 1, -1, 0.1, 1.0 / 3, 1e300, 5e-324, 123456789.125,
        18446744073709551616.0, 1795403747.296641 };

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct samples samples = { .arena = ctx->arena };
        struct samples again = { .arena = ctx->arena };

        sample_add(&samples, &counter, NULL, NULL, numbers[i]);

        const char *text = printed(ctx, &samples, NULL);

        assert_true(metric_parse(ctx, text, strlen(text), &again));
        assert_int_equal(again.count, 1);
        assert_true(again.items[0].value == numbers[i]);
        assert_int_equal(again.items[0].metric->kind, METRIC_COUNTER);
    }
}

/* Of every kind: whole, with few digits, with all of them, tiny, huge. strtod() is the judge. */
static void
any_number_is_read_back_as_it_was(void **state)
{
    struct test_random random = test_random_new();

    (void)state;

    for (int i = 0; i < 200000; i++) {
        uint64_t bits = test_random_next(&random);
        char text[METRIC_NUMBER_BYTES + 1] = { 0 };
        double value, kinds[] = { (double)(bits % 1000000000) / 1000, (double)bits / 0x1p64,
            (double)(bits % 100000000) * 1.37, ldexp((double)(bits >> 11), -(int)(bits % 70)),
            -(double)bits / 1e6, 0 };

        memcpy(&kinds[5], &bits, sizeof(bits));
        value = kinds[i % 6];
        if (!isfinite(value))
            continue;
        text[metric_number(text, value)] = '\0';
        if (strtod(text, NULL) != value)
            fail_msg("%.17g became %s", value, text);
    }
}

static void
numbers_have_no_digit_too_many(void **state)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = { { 0.1, "0.1" }, { -2.5, "-2.5" }, { 0.001, "0.001" }, { 123456.789, "123456.789" },
        { 1e-7, "1e-07" }, { 9007199254740991.0, "9007199254740991" }, { -0.0, "0" },
        { 1795403747.296641, "1795403747.296641" }, { 1.0 / 3, "0.3333333333333333" },
        { 0.0099, "0.0099" }, { 4503599627370495.5, "4503599627370495.5" } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[METRIC_NUMBER_BYTES + 1] = { 0 };

        text[metric_number(text, rows[i].number)] = '\0';
        assert_string_equal(text, rows[i].text);
    }
}

/* promtool is Prometheus' own reader. */
static void
prometheus_reads_hostile_labels(void **state)
{
    struct ctx *ctx = *state;
    struct samples samples = { .arena = ctx->arena };
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "metrics");
    char every[256];
    struct process process;

    if (access("/usr/bin/promtool", X_OK) != 0)
        skip();
    for (int i = 1; i < 256; i++)
        every[i - 1] = (char)i;
    every[255] = '\0';
    sample_add(&samples, &gauge, by_name, (const char *[]){ every, "}\n# HELP" }, 1e-7);
    sample_add(&samples, &counter, by_name, (const char *[]){ "\\", "\\n\"" }, 1e21);

    const char *text = printed(ctx, &samples, every);

    assert_true(file_write(ctx, path, text, strlen(text), 0600));
    assert_true(process_run(ctx,
        &(struct process_options){ .argv = (const char *[]){ "sh", "-c",
                                       "promtool check metrics < \"$1\"", "sh", path, NULL } },
        &process));
    assert_true(file_remove(ctx, folder));
}

static void
an_application_s_page_is_read(void **state)
{
    struct ctx *ctx = *state;
    struct samples samples = { .arena = ctx->arena };
    /* The example of the format's documentation, shortened. */
    static const char text[] =
        "# HELP http_requests_total The total number of HTTP requests.\n"
        "# TYPE http_requests_total counter\n"
        "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
        "http_requests_total{method=\"post\",code=\"400\"}    3 1395066363000\n"
        "\n"
        "# Escaping in label values:\n"
        "msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find file:\\n"
        "\\\"FILE.TXT\\\"\"} 1.458255915e9\n"
        "metric_without_timestamp_and_labels 12.47\n"
        "something_weird{problem=\"division by zero\"} +Inf -3982045\n"
        "# TYPE http_request_duration_seconds histogram\n"
        "http_request_duration_seconds_bucket{le=\"0.05\"} 24054\n"
        "http_request_duration_seconds_bucket{ le = \"+Inf\" , } 144320 # {trace=\"1\"} 0.67\n"
        "http_request_duration_seconds_sum 53423\r\n"
        "http_request_duration_seconds_count 144320\n"
        "unknown NaN\n"
        "# EOF";

    assert_true(metric_parse(ctx, text, strlen(text), &samples));
    assert_int_equal(samples.count, 9);
    assert_string_equal(
        sample_labels(ctx->arena, &samples.items[0]), "method=\"post\",code=\"200\"");
    assert_true(samples.items[0].value == 1027);
    assert_int_equal(samples.items[0].metric->kind, METRIC_COUNTER);
    assert_ptr_equal(samples.items[0].metric, samples.items[1].metric);
    assert_string_equal(samples.items[2].labels[0], "C:\\DIR\\FILE.TXT");
    assert_string_equal(samples.items[2].labels[1], "Cannot find file:\n\"FILE.TXT\"");
    assert_int_equal(samples.items[3].metric->kind, METRIC_GAUGE);
    assert_true(isinf(samples.items[4].value));
    assert_string_equal(sample_labels(ctx->arena, &samples.items[6]), "le=\"+Inf\"");
    for (size_t i = 5; i < 9; i++)
        assert_int_equal(samples.items[i].metric->kind, METRIC_COUNTER);
    assert_true(samples.items[7].value == 53423);
    assert_non_null(
        sample_find(&samples, "http_requests_total", (const char *[]){ "post", "400", NULL }));
    assert_null(sample_find(&samples, "http_requests_total", (const char *[]){ "get", NULL }));
}

static void
what_is_no_page_of_metrics_is_refused_with_its_line(void **state)
{
    struct ctx *ctx = *state;
    static const char *const bad[] = { "<html>", "a{b=\"c} 1", "a{b=c} 1", "a{b=\"c\" d=\"e\"} 1",
        "a{b=\"c\"", "a", "a x", "a 1x", "1a 2", "a{=\"c\"} 1" };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct samples samples = { .arena = ctx->arena };
        const char *text = arena_printf(ctx->arena, "good 1\n%s\n", bad[i]);

        error_clear(ctx);
        assert_false(metric_parse(ctx, text, strlen(text), &samples));
        assert_error(ctx, ERR_INPUT, "line 2");
    }
}

static void
nine_labels_are_more_than_there_is_room_for(void **state)
{
    struct ctx *ctx = *state;
    struct samples samples = { .arena = ctx->arena };
    static const char text[] =
        "a{b=\"1\",c=\"2\",d=\"3\",e=\"4\",f=\"5\",g=\"6\",h=\"7\",i=\"8\"} 1\n"
        "a{b=\"1\",c=\"2\",d=\"3\",e=\"4\",f=\"5\",g=\"6\",h=\"7\",i=\"8\",j=\"9\"} 1\n";

    assert_true(metric_parse(ctx, text, strlen(text), &samples));
    assert_int_equal(samples.count, 1);
    assert_string_equal(samples.items[0].labels[7], "8");
}

/* Whatever is read is printed as what reads the same: no byte of a page can break ours. */
static void
damaged_pages_are_refused_or_survive(void **state)
{
    (void)state;

    struct test_random random = test_random_new();
    static const char page[] = "# TYPE a counter\n# HELP a x\\y\na{b=\"c\\n\",d=\"e\"} 1 2\n"
                               "a{b=\"\\\"\"} +Inf\nf_bucket{le=\"0.5\"} 3 # {} 1\n";
    static const char bytes[] = "{}\"\\,= \n#a1+\xff\t\r";
    size_t read = 0;

    for (int i = 0; i < 20000; i++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx own = { .arena = arena };
        struct samples first = { .arena = arena }, second = { .arena = arena };
        char *text = arena_strdup(arena, page);
        size_t length = test_random_next(&random) % sizeof(page);

        for (int change = 0; change < 3 && length > 0; change++)
            text[test_random_next(&random) % length] =
                bytes[test_random_next(&random) % (sizeof(bytes) - 1)];
        if (!metric_parse(&own, text, length, &first))
            continue;
        read++;

        const char *again = printed(&own, &first, NULL);

        if (!metric_parse(&own, again, strlen(again), &second))
            fail_msg("%s\n%s", again, own.error.message);
        /* A series that was there twice is printed once. */
        assert_true(second.count <= first.count && (second.count > 0) == (first.count > 0));
    }
    assert_true(read > 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(lines_are_as_the_format_wants_them),
        test_with_ctx(a_series_is_printed_once_and_servers_are_told_apart),
        test_with_ctx(numbers_are_read_back_as_they_were),
        test_with_ctx(any_number_is_read_back_as_it_was),
        test_with_ctx(numbers_have_no_digit_too_many),
        test_with_ctx(prometheus_reads_hostile_labels),
        test_with_ctx(an_application_s_page_is_read),
        test_with_ctx(what_is_no_page_of_metrics_is_refused_with_its_line),
        test_with_ctx(damaged_pages_are_refused_or_survive),
        test_with_ctx(nine_labels_are_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
