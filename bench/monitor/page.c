/*
 * A monitor whose server is made up: 24 hours of 50 series in its history, and a tick each second. For
 * bench/monitor/page.sh, which lets a browser draw them.
 * Usage: monitor-page ADDRESS           prints the address that it listens on
 *        monitor-page metrics SERIES    prints the CPU time that an answer to /metrics with so many costs
 */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "monitor/serve/serve.h"

enum { SERIES = 50, HOURS = 24, INTERVAL_US = 5 * 1000 * 1000 };

/* The ones of the page's big charts first, so that those are drawn with the rest. */
static const struct metric metrics[] = {
    { "pgmend_statement_load", METRIC_GAUGE, "made up", true },
    { "pgmend_blocked_sessions", METRIC_GAUGE, "made up", true },
    { "pgmend_statement_p95_seconds", METRIC_GAUGE, "made up", true },
    { "pgmend_statement_mean_seconds", METRIC_GAUGE, "made up", true },
    { "pgmend_cache_hit_ratio", METRIC_GAUGE, "made up", true },
    { "pgmend_statements_rate", METRIC_GAUGE, "made up", true },
    { "pgmend_transactions_rate", METRIC_GAUGE, "made up", true },
    { "pgmend_wal_bytes_rate", METRIC_GAUGE, "made up", true },
    { "pgmend_temp_bytes_rate", METRIC_GAUGE, "made up", true },
    { "pgmend_longest_transaction_seconds", METRIC_GAUGE, "made up", true },
    { "pgmend_sessions", METRIC_GAUGE, "made up", true },
};

static const char *const state_labels[] = { "state", NULL };
static const char *const states[] = { "active", "idle", "idle in transaction", "disabled" };

static double
made_value(size_t series, int64_t at_s)
{
    double wave = sin((double)at_s / (600 + 97 * (double)series));
    double noise = (double)((at_s * 2654435761 + (int64_t)series * 40503) % 1000) / 1000;

    if (series == 4)
        return 0.97 + 0.01 * wave + 0.01 * noise;
    return (double)(series + 1) * (1.2 + wave + 0.4 * noise);
}

static void
tick(struct watched *server, struct arena *arena, int64_t wall_us)
{
    size_t plain = COUNT_OF(metrics) - 1;

    arena_reset(arena);
    server->samples = (struct samples){ .arena = arena };
    server->at_wall_us = wall_us;
    server->at_us = clock_us() - (clock_wall_us() - wall_us);
    server->tick++;
    for (size_t i = 0; i < SERIES; i++) {
        double value = made_value(i, wall_us / 1000000);
        const char *label[] = {
            i - plain < COUNT_OF(states) ? states[i - plain] : arena_printf(arena, "made up %zu", i)
        };

        sample_add(&server->samples, &metrics[i < plain ? i : plain],
            i < plain ? NULL : state_labels, i < plain ? NULL : label, value);
    }
}

struct made {
    struct monitor *monitor;
    struct watched *server;
    struct arena *arena;
    struct loop_timer *timer;
};

static void
go_on(void *data)
{
    struct made *made = data;

    tick(made->server, made->arena, clock_wall_us());
    history_add(made->monitor->history, made->server);
    serve_ticked(made->monitor, made->server);
    loop_timer_set(made->timer, 1000 * 1000);
}

static bool
run(struct ctx *ctx, const char *listen)
{
    struct setup setup = { .interval_us = INTERVAL_US };
    struct watched server = { .name = "made up", .database = "none", .is_up = true, .major = 15 };
    struct monitor monitor = { .ctx = ctx, .setup = &setup, .started_wall_us = clock_wall_us() };
    struct made made = { &monitor, &server, arena_new(), NULL };
    const struct serve_options options = { .listen = listen };
    int64_t now_us = clock_wall_us();
    struct loop *loop CLEANUP(loop_cleanup) = NULL;

    if (!loop_new(ctx, &loop))
        return false;
    monitor.loop = loop;
    monitor.history = history_begin(INTERVAL_US, 1000);
    VEC_PUSH(ctx->arena, &monitor.servers, &server);
    for (int64_t at = now_us - HOURS * INT64_C(3600000000); at < now_us; at += INTERVAL_US) {
        tick(&server, made.arena, at);
        history_add(monitor.history, &server);
    }
    if (!serve_start(ctx, &monitor, &options))
        return false;
    printf("%s\n", http_server_address(monitor.server));
    fflush(stdout);
    made.timer = loop_timer_new(loop, go_on, &made);
    loop_timer_set(made.timer, 0);
    loop_run(loop);
    loop_timer_free(made.timer);
    serve_stop(&monitor);
    history_end(monitor.history);
    arena_free(made.arena);
    return true;
}

static double
cpu_seconds(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As many of ten metrics of tables, whose labels are most of the bytes of such an answer. */
static void
measure_metrics(struct ctx *ctx, int64_t series)
{
    enum { METRICS = 10, TRIES = 9 };
    static const char *const table_labels[] = { "datname", "schemaname", "relname", NULL };
    struct monitor monitor = { .ctx = ctx };
    struct watched server = { .name = "made up", .is_up = true, .samples.arena = ctx->arena };
    struct metric own[METRICS];
    double least = 1e9;
    size_t length = 0;

    for (size_t i = 0; i < METRICS; i++)
        own[i] = (struct metric){ arena_printf(ctx->arena, "pgmend_made_up_table_metric_%zu", i),
            METRIC_GAUGE, "made up", false };
    /* As collectors do: the metrics of a row follow each other. Every other one is a whole number. */
    for (int64_t i = 0; i < series; i += METRICS) {
        const char *labels[] = { "replyx", "public",
            arena_printf(ctx->arena, "a_table_with_a_usual_name_%lld", (long long)i / METRICS) };

        for (int64_t m = 0; m < METRICS && i + m < series; m++)
            sample_add(&server.samples, &own[m], table_labels, labels,
                m % 2 == 0 ? (double)(i * 1000 + m) : (double)i * 1.37);
    }
    VEC_PUSH(ctx->arena, &monitor.servers, &server);
    for (int try = 0; try < TRIES; try++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        double begin = cpu_seconds();
        const char *text = serve_metrics(arena, &monitor, (int32_t)series);
        double took = cpu_seconds() - begin;

        length = strlen(text);
        least = took < least ? took : least;
    }
    printf("%lld series, %zu bytes: %.1f ms of CPU, the least of %d\n", (long long)series, length,
        least * 1000, TRIES);
}

int
main(int argc, char **argv)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    int64_t series;

    if (argc == 3 && text_equal(argv[1], "metrics") && text_to_int64(argv[2], &series)) {
        measure_metrics(&ctx, series);
        return 0;
    }
    if (argc != 2) {
        fprintf(stderr, "usage: monitor-page ADDRESS | metrics SERIES\n");
        return 2;
    }
    if (!run(&ctx, argv[1])) {
        fprintf(stderr, "monitor-page: %s\n", ctx.error.message);
        return 1;
    }
    return 0;
}
