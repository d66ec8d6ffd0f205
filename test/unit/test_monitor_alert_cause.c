#include "support/test.h"

#include <math.h>

#include "monitor/alert/cause.h"
#include "sql.h"
#include "test_monitor_alert_support.h"

static void
give(struct watched *server, enum collector_id id, const void *rows, size_t count)
{
    server->now[id] = (struct reading){ .is_known = true,
        .is_good = true,
        .rows.items = (void *)(uintptr_t)rows,
        .rows.count = count };
}

/* 10 waits for 20, which waits for 30: the root is told of, though 20 blocks more sessions. */
static void
the_root_of_a_chain_is_the_cause(void **state)
{
    static const struct sql_monitor_session rows[] = {
        { .pid = 10, .blocked_by = "20", .query_id = 1 },
        { .pid = 11, .blocked_by = "20" },
        { .pid = 20, .blocked_by = "30", .blocks = 2, .state = "active" },
        { .pid = 30,
            .blocks = 1,
            .usename = "app",
            .application_name = "job\x1b[31m",
            .state = "idle in transaction",
            .query = "UPDATE t SET secret = 'hunter2'" },
    };
    struct ctx *ctx = *state;
    struct watched server = { .is_up = true };

    assert_null(cause_blocker(ctx->arena, &server, NULL));
    give(&server, COLLECT_SESSION, rows, COUNT_OF(rows));
    assert_string_equal(cause_blocker(ctx->arena, &server, NULL),
        "1 waits for process 30 of app by job?[31m (idle in transaction).");
}

static void
the_oldest_is_the_cause(void **state)
{
    static const struct sql_monitor_session rows[] = {
        { .pid = 1, .state = "active", .xact_seconds = 900, .state_seconds = 2 },
        { .pid = 2, .state = "idle in transaction", .xact_seconds = 300, .state_seconds = 250 },
        { .pid = 3, .state = "idle", .xact_seconds = NAN, .state_seconds = 5000 },
        { .pid = 4,
            .state = "idle in transaction (aborted)",
            .xact_seconds = 400,
            .state_seconds = 120,
            .query_id = 77 },
    };
    struct ctx *ctx = *state;
    struct watched server = { .is_up = true };

    give(&server, COLLECT_SESSION, rows, COUNT_OF(rows));
    assert_string_equal(cause_transaction(ctx->arena, &server, NULL),
        "The oldest transaction, 15 min 0 s, is that of process 1 (active).");
    assert_string_equal(cause_idle(ctx->arena, &server, NULL),
        "Idle for 4 min 10 s in a transaction of 5 min 0 s is process 2 (idle in transaction); its "
        "last statement is not known.");
}

static void
objects_are_named_worst_first(void **state)
{
    static const struct sql_monitor_table tables[] = {
        { .schemaname = "public", .relname = "a", .n_dead_tup = 10, .n_live_tup = 5 },
        { .schemaname = "public",
            .relname = "b",
            .n_dead_tup = 4000,
            .n_live_tup = 12000,
            .last_vacuum = 1 },
    };
    static const struct sql_monitor_index_state indexes[] = {
        { .schemaname = "public", .indexrelname = "x", .relname = "a", .is_building = true },
        { .schemaname = "public",
            .indexrelname = "y",
            .relname = "b",
            .is_ready = true,
            .size_bytes = 1536 },
    };
    static const struct sql_monitor_size sizes[] = { { .datname = "small", .size_bytes = 1024 },
        { .datname = "big", .size_bytes = 1073741824 },
        { .datname = "closed", .size_bytes = NAN } };
    static const struct sql_monitor_setting settings[] = { { .name = "port" },
        { .name = "max_connections", .pending_restart = true },
        { .name = "wal_level", .pending_restart = true } };
    static const struct sql_monitor_activity sessions[] = {
        { .backend_type = "autovacuum worker", .count = 50 },
        { .backend_type = "client backend",
            .count = 7,
            .usename = "app",
            .application_name = "web",
            .datname = "d",
            .state = "idle" },
        { .backend_type = "client backend", .count = 6, .usename = "b", .application_name = "" },
    };
    struct ctx *ctx = *state;
    struct watched server = { .is_up = true };

    give(&server, COLLECT_TABLE, tables, COUNT_OF(tables));
    give(&server, COLLECT_INDEX_STATE, indexes, COUNT_OF(indexes));
    give(&server, COLLECT_SIZE, sizes, COUNT_OF(sizes));
    give(&server, COLLECT_SETTING, settings, COUNT_OF(settings));
    give(&server, COLLECT_ACTIVITY, sessions, COUNT_OF(sessions));
    assert_string_equal(cause_dead_rows(ctx->arena, &server, NULL),
        "Table public.b has the most dead rows: 4 000 beside 12 000 live ones.");
    assert_string_equal(cause_index(ctx->arena, &server, NULL),
        "Index public.y of table b, 1.5 kB, is not valid, and every write keeps it up.");
    assert_string_equal(
        cause_disk(ctx->arena, &server, NULL), "The biggest database, big, holds 1.0 GB.");
    assert_string_equal(cause_pending(ctx->arena, &server, NULL),
        "Changed, and not in force: max_connections, wal_level.");
    assert_string_equal(cause_connections(ctx->arena, &server, NULL),
        "Most of them, 7, are of app by web in database d, idle.");
}

/* Nothing is known: nothing is said, and nothing breaks. */
static void
no_readings_no_cause(void **state)
{
    struct ctx *ctx = *state;
    struct watched server = { .is_up = true };
    static const struct metric metric = { .name = "x" };
    static const char *const names[] = { "collector", NULL };
    const struct sample sample = {
        .metric = &metric, .label_names = names, .labels = (const char *const[]){ "server" }
    };

    for (size_t i = 0; i < alert_rule_count; i++)
        if (alert_rules[i].cause)
            assert_null(alert_rules[i].cause(ctx->arena, &server, &sample));
}

static const struct metric disk = { .name = "pgmend_host_disk_used_ratio", .is_kept = true };
static const struct metric p95 = { .name = "pgmend_application_p95_seconds", .is_kept = true };
static const struct metric asked = { .name = "pgmend_application_requests_rate" };

/* A tick a minute, with a history. */
static void
minute(struct world *world, struct history *history)
{
    history_add(history, &world->server);
    alerts_judge(world->alerts, &world->server, history);
    world->server.tick++;
    world->server.at_us += 60 * second_us;
    world->server.at_wall_us += 60 * second_us;
    world->server.samples.count = 0;
}

/*
 * 0.50 rising by 0.001 a minute is full 500 minutes from the beginning; four hours before, in minute 260, it
 * has still half of `for` to go, and in minute 271 it fires. Without a rise it never does.
 */
static void
a_disk_that_fills_up_is_foreseen(void **state)
{
    for (int rises = 0; rises < 2; rises++) {
        struct history *history = history_begin(60 * second_us, 100);
        struct world world;
        const char *text;
        long long fired = -1;

        world_begin(&world, *state);
        world_watch(&world);
        for (int i = 0; i < 300; i++) {
            add(&world, &disk, NULL, rises ? 0.5 + 0.001 * i : 0.5);
            minute(&world, history);
        }
        text = heard(&world);
        if (text_starts_with(text, "fired disk-will-be-full "))
            fired = strtoll(text + strlen("fired disk-will-be-full "), NULL, 10) / 60;
        if (rises)
            assert_in_range(fired, 268, 274);
        else
            assert_string_equal(text, "");
        alerts_free(world.alerts);
        history_end(history);
    }
}

/*
 * 100 ms for 30 minutes, then 119 ms (1.19 times: good) for 10, then 130 ms for 30: bad from minute 40 on, five
 * minutes make it fire at 45. With a day of history the same half hour of the day before counts instead: most of
 * it was 130 ms then, so 130 ms now are no news.
 */
static void
p95_is_compared_with_what_it_was(void **state)
{
    struct history *history = history_begin(60 * second_us, 100);
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    for (int i = 0; i < 70; i++) {
        add(&world, &p95, "api", i < 30 ? 0.1 : i < 40 ? 0.119 : 0.13);
        add(&world, &asked, "api", 10);
        minute(&world, history);
    }
    assert_heard(&world, "fired p95-over-baseline{datname=\"api\"} 2700; ");
    for (int i = 70; i < 24 * 60 + 75; i++) {
        /* As on the day before; in between 100 ms. */
        bool is_slow = i >= 24 * 60 + 56 && i < 24 * 60 + 66;

        add(&world, &p95, "api", is_slow ? 0.13 : 0.1);
        add(&world, &asked, "api", 10);
        minute(&world, history);
    }
    assert_heard(&world, "resolved p95-over-baseline{datname=\"api\"} 4500; ");
    alerts_free(world.alerts);
    history_end(history);
}

/* As above, and the monitor ends after 30 minutes: the one that begins then goes on from what was saved. */
static void
trends_go_on_after_a_restart(void **state)
{
    struct history *history = history_begin(60 * second_us, 100);
    struct world world;
    json_t *saved CLEANUP(json_release) = NULL;

    world_begin(&world, *state);
    world_watch(&world);
    for (int i = 0; i < 60; i++) {
        add(&world, &p95, "api", 0.1);
        add(&world, &asked, "api", 10);
        add(&world, &disk, NULL, 0.5 + 0.004 * i);
        minute(&world, history);
    }
    /* 0.74 and 0.004 a minute: full in 65 minutes, which it was to be for 10. */
    assert_heard(&world, "fired disk-will-be-full 3300; ");
    saved = alerts_save(world.alerts);
    alerts_free(world.alerts);
    history_end(history);

    history = history_begin(60 * second_us, 100);
    world_watch(&world);
    assert_true(alerts_restore(world.ctx, world.alerts, saved));
    for (int i = 60; i < 70; i++) {
        add(&world, &p95, "api", 0.13);
        add(&world, &asked, "api", 10);
        add(&world, &disk, NULL, 0.2); /* somebody made room */
        minute(&world, history);
    }
    assert_heard(
        &world, "resolved disk-will-be-full 3900; fired p95-over-baseline{datname=\"api\"} 3900; ");
    alerts_free(world.alerts);
    history_end(history);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(the_root_of_a_chain_is_the_cause),
        test_with_ctx(the_oldest_is_the_cause),
        test_with_ctx(objects_are_named_worst_first),
        test_with_ctx(no_readings_no_cause),
        test_with_ctx(a_disk_that_fills_up_is_foreseen),
        test_with_ctx(p95_is_compared_with_what_it_was),
        test_with_ctx(trends_go_on_after_a_restart),
    };

    return cmocka_run_group_tests_name("monitor/alert_cause", tests, NULL, NULL);
}
