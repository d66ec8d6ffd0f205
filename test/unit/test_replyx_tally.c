/* Counters of all workers: counted by several processes at a time, printed as Prometheus reads them. */
#include "support/test.h"

#include <math.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replyx/endpoints/endpoints.h"
#include "replyx/tally.h"

static const char *
print(struct ctx *ctx, const struct tally *tally)
{
    struct buffer out = { .arena = ctx->arena };

    tally_print(tally, &out);
    return buffer_text(&out);
}

/* The value of the only line that begins so. */
static double
value_of(const char *text, const char *series)
{
    size_t length = strlen(series);

    for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        if (strncmp(at, series, length) == 0 && at[length] == ' ')
            return strtod(at + length, NULL);
    }
    fail_msg("there is no %s in\n%s", series, text);
    return 0;
}

static void
add(struct tally *tally, int status, int64_t elapsed_us)
{
    tally_add(tally, &(const struct tally_request){
                         .endpoint = &endpoint_stats,
                         .variant = &endpoint_stats.variants[1],
                         .status = status,
                         .elapsed_us = elapsed_us,
                         .statements = 2,
                     });
}

#define LABELS "route=\"stats\",variant=\"optimised\""

static void
requests_are_counted_by_route_variant_and_class(void **state)
{
    struct ctx *ctx = *state;
    struct tally *tally;
    const char *text;

    assert_true(tally_new(ctx, 2, &tally));
    add(tally, 200, 500);      /* as long as the first bucket reaches */
    add(tally, 204, 501);      /* a microsecond more */
    add(tally, 404, 200000);   /* 200 ms */
    add(tally, 503, 10000001); /* beyond the last one */
    add(tally, 499, 77);       /* the client did not wait */
    tally_add(tally, &(const struct tally_request){ .status = 404, .elapsed_us = 10 });
    text = print(ctx, tally);
    assert_true(value_of(text, "replyx_requests_total{" LABELS ",status=\"2xx\"}") == 2);
    assert_true(value_of(text, "replyx_requests_total{" LABELS ",status=\"4xx\"}") == 1);
    assert_true(value_of(text, "replyx_requests_total{" LABELS ",status=\"5xx\"}") == 1);
    assert_true(value_of(text, "replyx_requests_total{" LABELS ",status=\"gone\"}") == 1);
    assert_true(value_of(text,
                    "replyx_requests_total{route=\"none\",variant=\"none\",status=\"4xx\"}") == 1);
    assert_true(value_of(text, "replyx_request_statements_total{" LABELS "}") == 10);
    assert_true(
        value_of(text, "replyx_request_duration_seconds_bucket{" LABELS ",le=\"0.0005\"}") == 1);
    assert_true(
        value_of(text, "replyx_request_duration_seconds_bucket{" LABELS ",le=\"0.001\"}") == 2);
    assert_true(
        value_of(text, "replyx_request_duration_seconds_bucket{" LABELS ",le=\"0.1\"}") == 2);
    assert_true(
        value_of(text, "replyx_request_duration_seconds_bucket{" LABELS ",le=\"0.2\"}") == 3);
    assert_true(
        value_of(text, "replyx_request_duration_seconds_bucket{" LABELS ",le=\"10\"}") == 3);
    assert_true(
        value_of(text, "replyx_request_duration_seconds_bucket{" LABELS ",le=\"+Inf\"}") == 4);
    assert_true(value_of(text, "replyx_request_duration_seconds_count{" LABELS "}") == 4);
    assert_true(
        fabs(value_of(text, "replyx_request_duration_seconds_sum{" LABELS "}") - 10.201002) < 1e-9);
    tally_free(tally);
}

/* ln 0.001 = -6.907755278982137 and ln 0.1 = -2.302585092994046, by any table. */
static void
logarithms_are_of_good_answers_only(void **state)
{
    struct ctx *ctx = *state;
    struct tally *tally;
    const char *text;

    assert_true(tally_new(ctx, 1, &tally));
    add(tally, 200, 1000);
    add(tally, 200, 100000);
    add(tally, 500, 5000);
    add(tally, 499, 5000);
    text = print(ctx, tally);
    assert_true(
        fabs(value_of(text, "replyx_request_log_seconds_sum{" LABELS "}") + 9.21034037) < 1e-7);
    assert_true(value_of(text, "replyx_request_log_seconds_count{" LABELS "}") == 2);
    assert_true(
        fabs(value_of(text, "replyx_request_log_seconds_squares{" LABELS "}") - 53.0189811) < 1e-6);
    tally_free(tally);
}

static void
processes_count_together(void **state)
{
    enum { PROCESSES = 4, ROUNDS = 20000 };
    struct ctx *ctx = *state;
    struct tally *tally;
    const char *text;

    assert_true(tally_new(ctx, PROCESSES, &tally));
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = fork();

        assert_true(child >= 0);
        if (child > 0)
            continue;
        for (int round = 0; round < ROUNDS; round++)
            add(tally, 200, 100000);
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++)
        assert_true(wait(NULL) > 0);
    text = print(ctx, tally);
    assert_true(
        value_of(text, "replyx_requests_total{" LABELS ",status=\"2xx\"}") == PROCESSES * ROUNDS);
    assert_true(fabs(value_of(text, "replyx_request_log_seconds_sum{" LABELS "}") +
                     2.302585092994046 * PROCESSES * ROUNDS) < 1e-2);
    tally_free(tally);
}

static void
gauges_are_each_workers_own(void **state)
{
    struct ctx *ctx = *state;
    struct tally *tally;
    struct tally_worker worker = { .connections = 7, .under_way = 3 };
    const char *text;

    assert_true(tally_new(ctx, 3, &tally));
    worker.web = (struct pool_statistics){ .size = 20, .busy = 5, .waited_us = 1500000, .done = 9 };
    tally_set_worker(tally, 2, &worker);
    worker.connections = 8;
    tally_set_worker(tally, 0, &worker);
    worker.connections = 9;
    tally_set_worker(tally, 0, &worker);
    text = print(ctx, tally);
    assert_true(value_of(text, "replyx_client_connections{worker=\"0\"}") == 9);
    assert_true(value_of(text, "replyx_client_connections{worker=\"2\"}") == 7);
    assert_null(strstr(text, "worker=\"1\""));
    assert_true(value_of(text, "replyx_pool_busy_connections{worker=\"2\",pool=\"web\"}") == 5);
    assert_true(value_of(text, "replyx_pool_wait_seconds_total{worker=\"2\",pool=\"web\"}") == 1.5);
    assert_true(value_of(text, "replyx_pool_done_total{worker=\"2\",pool=\"background\"}") == 0);
    tally_free(tally);
}

static void
positions_never_go_back(void **state)
{
    struct ctx *ctx = *state;
    struct tally *tally;

    assert_true(tally_new(ctx, 1, &tally));
    assert_true(tally_position(tally, 17) == 0);
    tally_wrote(tally, 17, 1000);
    tally_wrote(tally, 17, 900);
    assert_true(tally_position(tally, 17) == 1000);
    assert_true(tally_position(tally, 18) == 0);
    /* Two who share a place both wait for the later one: never too little. */
    tally_wrote(tally, INT32_MAX, UINT64_MAX);
    assert_true(tally_position(tally, INT32_MAX) == UINT64_MAX);
    tally_free(tally);
}

static void
there_are_not_too_many_workers(void **state)
{
    struct ctx *ctx = *state;
    struct tally *tally;

    assert_false(tally_new(ctx, 65, &tally));
    assert_error(ctx, ERR_INPUT, "65 workers");
    error_clear(ctx);
    assert_false(tally_new(ctx, 0, &tally));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(requests_are_counted_by_route_variant_and_class),
        test_with_ctx(logarithms_are_of_good_answers_only),
        test_with_ctx(processes_count_together),
        test_with_ctx(gauges_are_each_workers_own),
        test_with_ctx(positions_never_go_back),
        test_with_ctx(there_are_not_too_many_workers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
