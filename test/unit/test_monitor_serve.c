/*
 * What the page and /metrics are given: JSON that jansson reads back as it was, a cap on series, shares of
 * statements. The expected numbers are worked out in the comments.
 */
#include "support/test.h"

#include <math.h>

#include "monitor/serve/serve.h"
#include "monitor/serve/trend.h"
#include "monitor/serve/writer.h"
#include "sql.h"

enum { SECOND = 1000000 };

static json_t *
read_back(struct ctx *ctx, struct writer *writer)
{
    json_t *json = NULL;

    if (!json_parse(ctx, "writer", buffer_text(&writer->text), &json))
        fail_msg("%s: %s", ctx->error.message, buffer_text(&writer->text));
    return json;
}

static void
any_text_comes_back(void **state)
{
    struct ctx *ctx = *state;
    static const char *const texts[] = { "", "plain", "\"quoted\" and \\",
        "</script><img src=x>&amp;", "line\nbreak\ttab\r\x01\x1f\x7f", "ä, 漢, \xf0\x9f\x90\x98",
        "\xe2\x80\xa8 a line for JavaScript" };
    struct writer writer = { .text.arena = ctx->arena };
    json_t *json CLEANUP(json_release) = NULL;

    writer_open(&writer, NULL, '[');
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        writer_text(&writer, NULL, texts[i]);
    writer_text(&writer, NULL, NULL);
    writer_close(&writer, ']');
    assert_null(strpbrk(buffer_text(&writer.text), "<&\n\r"));
    json = read_back(ctx, &writer);
    assert_int_equal(json_array_size(json), COUNT_OF(texts) + 1);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_string_equal(json_string_value(json_array_get(json, i)), texts[i]);
    assert_true(json_is_null(json_array_get(json, COUNT_OF(texts))));
}

static void
what_is_no_utf8_is_replaced(void **state)
{
    struct ctx *ctx = *state;
    struct writer writer = { .text.arena = ctx->arena };
    json_t *json CLEANUP(json_release) = NULL;

    /* A byte of Latin-1; a sequence that is cut off by the end; an overlong "/"; half a surrogate pair. */
    writer_open(&writer, NULL, '[');
    writer_text(&writer, NULL, "caf\xe9!");
    writer_text(&writer, NULL, "cut \xe6\xbc");
    writer_text(&writer, NULL, "\xc0\xaf");
    writer_text(&writer, NULL, "\xed\xa0\x80");
    writer_close(&writer, ']');
    json = read_back(ctx, &writer);
    assert_string_equal(json_string_value(json_array_get(json, 0)), "caf\xef\xbf\xbd!");
    assert_string_equal(json_string_value(json_array_get(json, 1)), "cut \xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(json_string_value(json_array_get(json, 2)), "\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(
        json_string_value(json_array_get(json, 3)), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void
numbers_keep_what_javascript_can_hold(void **state)
{
    struct ctx *ctx = *state;
    struct writer writer = { .text.arena = ctx->arena };
    json_t *json CLEANUP(json_release) = NULL;

    writer_open(&writer, NULL, '{');
    writer_int(&writer, "small", -9007199254740992);
    writer_int(&writer, "large", 9007199254740993);
    writer_id(&writer, "id", -42);
    writer_number(&writer, "epoch", 1795405393.25);
    writer_number(&writer, "ratio", 0.123456);
    writer_number(&writer, "nan", NAN);
    writer_number(&writer, "infinite", INFINITY);
    writer_time(&writer, "never", 0);
    writer_time(&writer, "at", INT64_C(1795405393250000));
    writer_close(&writer, '}');
    json = read_back(ctx, &writer);
    assert_true(json_integer_value(json_object_get(json, "small")) == -9007199254740992);
    assert_string_equal(json_string_value(json_object_get(json, "large")), "9007199254740993");
    assert_string_equal(json_string_value(json_object_get(json, "id")), "-42");
    assert_true(json_real_value(json_object_get(json, "epoch")) == 1795405393.25);
    assert_true(fabs(json_real_value(json_object_get(json, "ratio")) - 0.123456) < 1e-9);
    assert_true(json_is_null(json_object_get(json, "nan")));
    assert_true(json_is_null(json_object_get(json, "infinite")));
    assert_true(json_is_null(json_object_get(json, "never")));
    assert_true(json_real_value(json_object_get(json, "at")) == 1795405393.25);
}

static const struct metric made_metric = { "pgmend_made", METRIC_GAUGE, "made up", false };
static const char *const made_labels[] = { "number", NULL };

static struct watched *
made_server(struct ctx *ctx, const char *name, int count)
{
    struct watched *server = ARENA_NEW(ctx->arena, struct watched);

    server->name = name;
    server->is_up = true;
    server->samples.arena = ctx->arena;
    for (int i = 0; i < count; i++) {
        const char *labels[] = { arena_printf(ctx->arena, "%d", i) };

        sample_add(&server->samples, &made_metric, made_labels, labels, i);
    }
    return server;
}

static size_t
count_lines(const char *text, const char *start)
{
    size_t count = 0;

    for (const char *at = text; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        count += text_starts_with(at, start);
    }
    return count;
}

static void
series_beyond_the_cap_are_left_out_and_counted(void **state)
{
    struct ctx *ctx = *state;
    struct monitor monitor = { .ctx = ctx };
    const char *text;

    /* 40 for two: the first gets 20 of its 100, the second what is left, and needs 10: 80 left out. */
    VEC_PUSH(ctx->arena, &monitor.servers, made_server(ctx, "many", 100));
    VEC_PUSH(ctx->arena, &monitor.servers, made_server(ctx, "few", 10));
    text = serve_metrics(ctx->arena, &monitor, 40);
    assert_int_equal(count_lines(text, "pgmend_made{server=\"many\""), 20);
    assert_int_equal(count_lines(text, "pgmend_made{server=\"few\""), 10);
    assert_non_null(strstr(text, "\npgmend_series_left_out{place=\"scrape\"} 80\n"));
    assert_int_equal(count_lines(text, "# TYPE pgmend_made "), 1);
}

static void
a_server_that_is_down_is_said_to_be(void **state)
{
    struct ctx *ctx = *state;
    struct monitor monitor = { .ctx = ctx };
    struct watched *server = made_server(ctx, "only", 3);
    const char *text;

    server->is_up = false;
    derive_samples(server);
    VEC_PUSH(ctx->arena, &monitor.servers, server);
    text = serve_metrics(ctx->arena, &monitor, 0);
    assert_non_null(strstr(text, "\npgmend_up 0\n"));
    assert_non_null(strstr(text, "\npg_up 0\n"));
    assert_int_equal(count_lines(text, "pgmend_made"), 0);
}

/* A server with readings of statements, ten seconds apart. */
struct scene {
    struct watched server;
    struct sql_monitor_server facts[2];
    struct sql_monitor_statements_info infos[2];
    struct sql_monitor_statement rows[2][100];
    int64_t tick;
};

static void
put(struct scene *scene, enum collector_id id, void *now, void *before, size_t count)
{
    int64_t at_us = (1000 + 10 * scene->tick) * (int64_t)SECOND;

    scene->server.now[id] = (struct reading){
        .is_known = true, .is_good = true, .is_fresh = true, .rows = { now, count }, .at_us = at_us
    };
    scene->server.before[id] = scene->server.now[id];
    scene->server.before[id].rows.items = before;
    scene->server.before[id].at_us = at_us - 10 * SECOND;
    scene->server.at_us = at_us;
}

/* The next reading has count statements with these seconds and calls in all. */
static void
next(struct scene *scene, struct trend *trend, size_t count, const double *seconds,
    const int64_t *calls)
{
    memcpy(scene->rows[0], scene->rows[1], sizeof(scene->rows[0]));
    scene->tick++;
    for (size_t i = 0; i < count; i++) {
        scene->rows[1][i].queryid = (int64_t)i + 1;
        scene->rows[1][i].toplevel = true;
        scene->rows[1][i].seconds = seconds[i];
        scene->rows[1][i].calls = calls[i];
        scene->rows[1][i].since_epoch = NAN;
    }
    for (int i = 0; i < 2; i++) {
        scene->facts[i] = (struct sql_monitor_server){ .started_epoch = 1,
            .now_epoch = 100000 + 10 * (double)(scene->tick - 1 + i),
            .sees_all_stats = true };
        scene->infos[i] = (struct sql_monitor_statements_info){ .max = 5000, .stats_reset = 2 };
    }
    scene->server.is_up = true;
    put(scene, COLLECT_SERVER, &scene->facts[1], &scene->facts[0], 1);
    put(scene, COLLECT_STATEMENTS_INFO, &scene->infos[1], &scene->infos[0], 1);
    put(scene, COLLECT_STATEMENT, scene->rows[1], scene->rows[0], count);
    trend_add(trend, &scene->server);
}

static void
shares_are_of_what_the_readings_brought(void **state)
{
    struct ctx *ctx = *state;
    struct scene *scene = ARENA_NEW(ctx->arena, struct scene);
    struct trend *trend = ARENA_NEW(ctx->arena, struct trend);
    struct trend_sum *sums;
    double span_s;
    double seconds;

    for (size_t i = 0; i < 2; i++) {
        scene->rows[1][i].queryid = (int64_t)i + 1;
        scene->rows[1][i].toplevel = true;
        scene->rows[1][i].since_epoch = NAN;
        scene->rows[1][i].calls = 100;
        scene->rows[1][i].seconds = 50;
    }
    /* 5 and 1 seconds in 50 and 10 calls; then 2 and 4 seconds in 20 and 40. */
    next(scene, trend, 2, (double[]){ 55, 51 }, (int64_t[]){ 150, 110 });
    next(scene, trend, 2, (double[]){ 57, 55 }, (int64_t[]){ 170, 150 });
    assert_int_equal(trend_sums(trend, ctx->arena, &sums, &span_s, &seconds), 2);
    assert_true(fabs(span_s - 20) < 1e-6);
    assert_true(fabs(seconds - 12) < 1e-6);
    assert_true(sums[0].item->query_id == 1);
    assert_true(fabs(sums[0].seconds - 7) < 1e-6);
    assert_true(fabs(sums[0].calls - 70) < 1e-6);
    assert_true(fabs(sums[1].seconds - 5) < 1e-6);

    /* The same reading again is not counted twice. */
    trend_add(trend, &scene->server);
    assert_int_equal(trend_kept(trend), 2);

    /* A gap is a slot that says nothing, and adds nothing. */
    scene->server.is_gap = true;
    next(scene, trend, 2, (double[]){ 1, 1 }, (int64_t[]){ 1, 1 });
    assert_int_equal(trend_kept(trend), 3);
    assert_true(isnan((double)sums[0].item->slots[trend_slot_at(trend, 2)].seconds));
    (void)trend_sums(trend, ctx->arena, &sums, &span_s, &seconds);
    assert_true(fabs(span_s - 20) < 1e-6);
    assert_true(fabs(seconds - 12) < 1e-6);
}

static void
the_busiest_statements_are_kept(void **state)
{
    enum { MANY = 90 };
    struct ctx *ctx = *state;
    struct scene *scene = ARENA_NEW(ctx->arena, struct scene);
    struct trend *trend = ARENA_NEW(ctx->arena, struct trend);
    double seconds[MANY] = { 0 };
    int64_t calls[MANY] = { 0 };
    struct trend_sum *sums;
    double span_s;
    double all;
    double expected = 0;

    for (size_t i = 0; i < MANY; i++) {
        scene->rows[1][i].queryid = (int64_t)i + 1;
        scene->rows[1][i].toplevel = true;
        scene->rows[1][i].since_epoch = NAN;
    }
    /* Of 90 statements number i takes i + 1 seconds more: 64 are followed, all count for the share. */
    for (int round = 1; round <= TREND_SLOTS + 5; round++) {
        for (size_t i = 0; i < MANY; i++) {
            seconds[i] += (double)(i + 1) / 100;
            calls[i] += 1;
        }
        next(scene, trend, MANY, seconds, calls);
    }
    for (size_t i = 0; i < MANY; i++)
        expected += (double)(i + 1) / 100;
    assert_int_equal(trend_sums(trend, ctx->arena, &sums, &span_s, &all), TREND_STATEMENTS);
    assert_true(fabs(span_s - 10 * TREND_SLOTS) < 1e-3);
    assert_true(fabs(all - expected * TREND_SLOTS) < 1e-2);
    for (size_t i = 0; i < TREND_STATEMENTS; i++)
        assert_true(sums[i].item->query_id == MANY - (int64_t)i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(any_text_comes_back),
        test_with_ctx(what_is_no_utf8_is_replaced),
        test_with_ctx(numbers_keep_what_javascript_can_hold),
        test_with_ctx(series_beyond_the_cap_are_left_out_and_counted),
        test_with_ctx(a_server_that_is_down_is_said_to_be),
        test_with_ctx(shares_are_of_what_the_readings_brought),
        test_with_ctx(the_busiest_statements_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
