/* A private cluster, and watches of it on a loop that runs until something has come true. */
#pragma once

#include "support/test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "monitor/watch/watch.h"
#include "sql.h"

/* However busy the machine is: what takes longer hangs. */
enum { BENCH_LIMIT_US = 90000000, BENCH_TICK_US = 100000 };

struct cluster {
    struct ctx ctx;
    const char *above;
    const char *folder;
};

struct bench {
    struct ctx ctx;
    struct loop *loop;
    struct loop_timer *guard;
    struct setup setup;
    struct setup_server given;
    struct watch_options options;
    struct monitor monitor;
    struct watch *watch;
    const struct watched *server;
    struct db *admin;
    int64_t ticks;
    bool (*is_over)(struct bench *bench);
    const char *waits_for;
};

static inline void
cluster_call(struct cluster *cluster, const char *const *argv)
{
    struct process_options options = { .argv = argv };
    struct process process;

    if (!process_run(&cluster->ctx, &options, &process))
        fail_msg("%s: %s", argv[1], cluster->ctx.error.message);
}

static inline void
cluster_do(struct cluster *cluster, const char *verb)
{
    const char *const argv[] = { test_source(&cluster->ctx, "script/cluster"), verb,
        cluster->folder, NULL };

    cluster_call(cluster, argv);
}

static inline void
cluster_start(struct cluster *cluster)
{
    const char *const argv[] = { test_source(&cluster->ctx, "script/cluster"), "start",
        cluster->folder, "--scratch", "--set", "max_connections=130", "--set",
        "superuser_reserved_connections=2", "--set", "restart_after_crash=on", NULL };

    cluster_call(cluster, argv);
}

static inline int
cluster_set_up(void **state)
{
    struct arena *arena = arena_new();
    struct cluster *cluster = ARENA_NEW(arena, struct cluster);

    cluster->ctx.arena = arena;
    cluster->above = test_folder(&cluster->ctx);
    assert_int_equal(chmod(cluster->above, 0755), 0); /* the server may run as another user */
    cluster->folder = file_join(arena, cluster->above, "server");
    cluster_start(cluster);
    setenv("PGHOST", file_join(arena, cluster->folder, "socket"), 1);
    setenv("PGPORT", "5432", 1);
    unsetenv("PGUSER");
    unsetenv("DATABASE_URL");
    setenv("PGUSER", "postgres", 1);
    setenv("PGDATABASE", "postgres", 1);

    struct db_options options = { .access = ACCESS_WRITE };
    struct db *db CLEANUP(db_cleanup) = NULL;

    if (!db_open(&cluster->ctx, &options, &db) ||
        !db_exec(&cluster->ctx, db, "CREATE EXTENSION pg_stat_statements SCHEMA public"))
        fail_msg("%s", cluster->ctx.error.message);
    *state = cluster;
    return 0;
}

static inline int
cluster_tear_down(void **state)
{
    struct cluster *cluster = *state;

    cluster_do(cluster, "remove");
    assert_true(file_remove(&cluster->ctx, cluster->above));
    arena_free(cluster->ctx.arena);
    return 0;
}

static inline void
bench_must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s", bench->ctx.error.message);
}

static inline const char *
bench_value(struct bench *bench, const char *sql)
{
    const char *cell = NULL;

    bench_must(bench, db_value(&bench->ctx, bench->admin, sql, NULL, 0, &cell));
    return cell;
}

static inline void
bench_run(struct bench *bench, const char *sql)
{
    bench_must(bench, db_exec(&bench->ctx, bench->admin, sql));
}

static inline void
bench_hangs(void *data)
{
    struct bench *bench = data;

    fail_msg("\"%s\" did not come true in %lld ticks; up: %d, error: %s", bench->waits_for,
        (long long)bench->ticks, bench->server && bench->server->is_up,
        bench->server && bench->server->error.message ? bench->server->error.message : "none");
}

static inline void
bench_ticked(void *data)
{
    struct bench *bench = data;

    bench->ticks++;
    if (bench->is_over && bench->is_over(bench))
        loop_stop(bench->loop);
}

static inline void
bench_until(struct bench *bench, const char *what, bool (*is_over)(struct bench *bench))
{
    bench->is_over = is_over;
    bench->waits_for = what;
    loop_timer_set(bench->guard, BENCH_LIMIT_US);
    loop_run(bench->loop);
    loop_timer_stop(bench->guard);
    bench->is_over = NULL;
}

static inline void
bench_open_admin(struct bench *bench)
{
    struct db_options options = { .application = "test_monitor", .access = ACCESS_WRITE };

    bench_must(bench, db_open(&bench->ctx, &options, &bench->admin));
}

static inline int
bench_set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench_must(bench, loop_new(&bench->ctx, &bench->loop));
    bench->guard = loop_timer_new(bench->loop, bench_hangs, bench);
    bench->options = (struct watch_options){
        .interval_us = BENCH_TICK_US,
        .statement_timeout_us = 10000000,
        .most_cost_ratio = 1000,
        .ticked = bench_ticked,
        .data = bench,
    };
    bench->monitor = (struct monitor){
        .ctx = &bench->ctx,
        .loop = bench->loop,
        .setup = &bench->setup,
    };
    bench_open_admin(bench);
    *state = bench;
    return 0;
}

static inline void
bench_watch(struct bench *bench)
{
    bench_must(bench,
        watch_new(&bench->ctx, &bench->monitor, &bench->given, &bench->options, &bench->watch));
    bench->server = watch_server(bench->watch);
    watch_start(bench->watch);
}

static inline int
bench_tear_down(void **state)
{
    struct bench *bench = *state;

    watch_free(bench->watch);
    while (bench->monitor.watches.count > 0)
        watch_free(bench->monitor.watches.items[0]);
    db_close(bench->admin);
    loop_timer_free(bench->guard);
    loop_free(bench->loop);
    arena_free(bench->ctx.arena);
    return 0;
}

#define test_on_bench(test) cmocka_unit_test_setup_teardown(test, bench_set_up, bench_tear_down)

static inline bool
is_up(struct bench *bench)
{
    return bench->server->is_up;
}

static inline bool
is_down(struct bench *bench)
{
    return bench->server->tick > 0 && !bench->server->is_up;
}
