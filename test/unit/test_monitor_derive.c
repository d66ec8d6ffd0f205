/*
 * Samples from readings that are made up: what a reset, a restart, an eviction or a gap must not become.
 * The expected numbers are worked out in the comments.
 */
#include "support/test.h"

#include <math.h>

#include "monitor/collect/derive.h"
#include "monitor/collect/text.h"
#include "sql.h"

enum { SECOND = 1000000 };

/* Ten seconds between the two readings of a server that has run for an hour. */
struct scene {
    struct ctx *ctx;
    struct watched server;
    struct sql_monitor_server facts[2];
    struct sql_monitor_database databases[2];
    struct sql_monitor_statements_info infos[2];
};

static void
put(struct scene *scene, enum collector_id id, bool is_before, void *rows, size_t count)
{
    struct reading *reading = is_before ? &scene->server.before[id] : &scene->server.now[id];

    *reading = (struct reading){
        .is_known = true,
        .is_good = true,
        .is_fresh = !is_before,
        .rows = { rows, count },
        .at_us = is_before ? (int64_t)100 * SECOND : (int64_t)110 * SECOND,
        .elapsed_us = 2000,
    };
}

static struct scene *
scene_new(struct ctx *ctx)
{
    struct scene *scene = ARENA_NEW(ctx->arena, struct scene);

    scene->ctx = ctx;
    scene->server.samples.arena = ctx->arena;
    scene->server.is_up = true;
    scene->server.major = 15;
    scene->server.at_us = (int64_t)110 * SECOND;
    for (int i = 0; i < 2; i++) {
        scene->facts[i] = (struct sql_monitor_server){ .started_epoch = 10000,
            .now_epoch = 13600 + 10 * i,
            .version = "15.5",
            .timeline = 1,
            .wal_lsn = 5000 + 3000 * i,
            .max_connections = 103,
            .reserved_connections = 3,
            .connections = 80,
            .sees_all_stats = true };
        scene->databases[i] = (struct sql_monitor_database){ .datid = "5",
            .datname = "app",
            .allows_connections = true,
            .checksum_failures = NAN,
            .stats_reset = NAN };
        scene->infos[i] = (struct sql_monitor_statements_info){ .max = 5000, .stats_reset = 9000 };
        put(scene, COLLECT_SERVER, i == 0, &scene->facts[i], 1);
        put(scene, COLLECT_DATABASE, i == 0, &scene->databases[i], 1);
        put(scene, COLLECT_STATEMENTS_INFO, i == 0, &scene->infos[i], 1);
    }
    return scene;
}

/* NaN: there is none. */
static double
derived(struct scene *scene, const char *name, const char *label)
{
    const struct sample *sample;

    derive_samples(&scene->server);
    sample = sample_find(&scene->server.samples, name, (const char *[]){ label, NULL });
    return sample ? sample->value : NAN;
}

static bool
is_near(double a, double b)
{
    return fabs(a - b) < 1e-9 * (1 + fabs(b));
}

static void
rates_are_what_grew_over_the_time(void **state)
{
    struct scene *scene = scene_new(*state);
    struct sql_monitor_database *now = &scene->databases[1];

    /* 9,000 + 1,000 blocks, 190 + 10 transactions, 3 deadlocks, 5 MB, in 10 s. */
    scene->databases[0].blks_hit = 1000;
    now->blks_hit = 10000;
    now->blks_read = 1000;
    scene->databases[0].xact_commit = 10;
    now->xact_commit = 200;
    now->xact_rollback = 10;
    now->deadlocks = 3;
    now->temp_bytes = 5000000;
    assert_true(is_near(derived(scene, "pgmend_cache_hit_ratio", "app"), 0.9));
    assert_true(is_near(derived(scene, "pgmend_blocks_rate", "app"), 1000));
    assert_true(is_near(derived(scene, "pgmend_transactions_rate", "app"), 20));
    assert_true(is_near(derived(scene, "pgmend_rollback_ratio", "app"), 0.05));
    assert_true(is_near(derived(scene, "pgmend_deadlocks_rate", "app"), 0.3));
    assert_true(is_near(derived(scene, "pgmend_temp_bytes_rate", "app"), 500000));
    assert_true(is_near(derived(scene, "pgmend_wal_bytes_rate", NULL), 300));
    assert_true(is_near(derived(scene, "pgmend_connections_used_ratio", NULL), 0.8));
    assert_true(is_near(derived(scene, "pg_stat_database_blks_hit", "5"), 10000));
}

static void
few_blocks_make_no_ratio(void **state)
{
    struct scene *scene = scene_new(*state);

    scene->databases[1].blks_read = 900;
    scene->databases[1].xact_rollback = 5;
    assert_true(isnan(derived(scene, "pgmend_cache_hit_ratio", "app")));
    assert_true(isnan(derived(scene, "pgmend_rollback_ratio", "app")));
    assert_true(is_near(derived(scene, "pgmend_blocks_rate", "app"), 90));
}

static void
nothing_is_negative_after_a_counter_went_back(void **state)
{
    struct scene *scene = scene_new(*state);

    scene->databases[0].blks_hit = 1000000;
    scene->databases[0].xact_commit = 500;
    scene->databases[1].blks_hit = 5000;
    scene->databases[1].deadlocks = 1;
    scene->facts[1].wal_lsn = 0;
    derive_samples(&scene->server);
    for (size_t i = 0; i < scene->server.samples.count; i++)
        assert_true(scene->server.samples.items[i].value >= 0);
    assert_true(isnan(derived(scene, "pgmend_cache_hit_ratio", "app")));
    assert_true(isnan(derived(scene, "pgmend_transactions_rate", "app")));
    assert_true(isnan(derived(scene, "pgmend_wal_bytes_rate", NULL)));
    assert_true(is_near(derived(scene, "pgmend_deadlocks_rate", "app"), 0.1));
}

/* Counters that were reset and have passed the old value look like growth. */
static void
a_reset_is_a_gap_even_when_counters_are_higher(void **state)
{
    struct scene *scene = scene_new(*state);

    scene->databases[1].deadlocks = 100;
    scene->databases[1].stats_reset = 13605;
    assert_true(isnan(derived(scene, "pgmend_deadlocks_rate", "app")));
}

static void
no_rate_spans_a_gap_or_a_restart(void **state)
{
    struct scene *scene = scene_new(*state);

    scene->databases[1].deadlocks = 100;
    assert_true(is_near(derived(scene, "pgmend_deadlocks_rate", "app"), 10));
    scene->server.is_gap = true;
    assert_true(isnan(derived(scene, "pgmend_deadlocks_rate", "app")));
    scene->server.is_gap = false;
    /* Started five seconds ago by its own clock, after the reading before. */
    scene->facts[1].started_epoch = scene->facts[1].now_epoch - 5;
    assert_true(isnan(derived(scene, "pgmend_deadlocks_rate", "app")));
    scene->facts[1].started_epoch = 10000;
    scene->server.before[COLLECT_DATABASE].is_good = false;
    assert_true(isnan(derived(scene, "pgmend_deadlocks_rate", "app")));
}

static void
another_timeline_is_another_count_of_wal(void **state)
{
    struct scene *scene = scene_new(*state);

    scene->facts[1].timeline = 2;
    assert_true(isnan(derived(scene, "pgmend_wal_bytes_rate", NULL)));
}

static void
a_server_that_is_down_says_only_that(void **state)
{
    struct scene *scene = scene_new(*state);

    scene->server.is_up = false;
    assert_true(derived(scene, "pgmend_up", NULL) == 0);
    assert_true(derived(scene, "pg_up", NULL) == 0);
    assert_true(scene->server.samples.count < 6);
}

static struct sql_monitor_statement
statement(int64_t id, int64_t calls, double seconds)
{
    return (struct sql_monitor_statement){ .queryid = id,
        .userid = 10,
        .dbid = 5,
        .toplevel = true,
        .user = "app",
        .datname = "app",
        .calls = calls,
        .seconds = seconds,
        .rows = calls,
        .since_epoch = NAN };
}

static const struct statement_rate *
rate_of(const struct statement_rates *rates, int64_t id)
{
    for (size_t i = 0; i < rates->count; i++)
        if (rates->items[i].query_id == id)
            return &rates->items[i];
    return NULL;
}

static void
statements_are_compared_by_their_whole_key(void **state)
{
    struct scene *scene = scene_new(*state);
    struct statement_rates rates;
    struct sql_monitor_statement before[] = { statement(1, 100, 50), statement(2, 10, 1),
        statement(3, 7, 7), statement(1, 5, 5) };
    struct sql_monitor_statement now[] = { statement(4, 2, 6), statement(1, 110, 52),
        statement(2, 10, 1), statement(3, 3, 2), statement(1, 6, 7) };

    before[3].toplevel = now[4].toplevel = false;
    put(scene, COLLECT_STATEMENT, true, before, COUNT_OF(before));
    put(scene, COLLECT_STATEMENT, false, now, COUNT_OF(now));
    derive_statements(scene->ctx->arena, &scene->server, &rates);
    assert_true(is_near(rates.span_s, 10));
    assert_null(rates.gap);
    /* 4 is new with 6 s; 1 took 2 s twice, inner and outer; 3 was evicted and came again with 2 s. */
    assert_int_equal(rates.count, 4);
    assert_int_equal(rates.items[0].query_id, 4);
    assert_true(rates.items[0].is_new);
    assert_int_equal(rates.items[0].calls, 2);
    assert_true(is_near(rates.items[0].mean_seconds, 3));
    assert_true(is_near(rates.items[0].share, 0.5));
    assert_null(rate_of(&rates, 2));
    assert_int_equal(rate_of(&rates, 3)->calls, 3);
    assert_true(rate_of(&rates, 3)->is_new);
    assert_true(is_near(rate_of(&rates, 3)->seconds, 2));
    /* 10 + 1 + 2 + 3 calls in 12 s over 10 s; those of 3 s and of 2 s take over a second: 2 + 1. */
    assert_true(is_near(derived(scene, "pgmend_statements_rate", NULL), 1.6));
    assert_true(is_near(derived(scene, "pgmend_statement_mean_seconds", NULL), 12.0 / 16));
    assert_true(is_near(derived(scene, "pgmend_statement_load", NULL), 1.2));
    assert_true(is_near(derived(scene, "pgmend_slow_statements_rate", NULL), 0.3));
    /* By mean: 10 of 0.2 s, 3 of 2/3 s, 1 of 2 s, 2 of 3 s: the 16th of 16 is the 95th percentile. */
    assert_true(is_near(derived(scene, "pgmend_statement_p95_seconds", NULL), 3));
}

static void
a_statement_that_was_perhaps_there_is_not_counted(void **state)
{
    struct scene *scene = scene_new(*state);
    struct statement_rates rates;
    size_t most = (size_t)collector_most_rows(COLLECT_STATEMENT);
    struct sql_monitor_statement *before =
        ARENA_ARRAY(scene->ctx->arena, struct sql_monitor_statement, most);
    struct sql_monitor_statement now[] = { statement(-1, 1000000, 5000), statement(-2, 3, 1),
        statement(7, 8, 1) };

    for (size_t i = 0; i < most; i++)
        before[i] = statement((int64_t)i + 1, 7, 0.5);
    /* -2 says itself that it was made after the reading before (at 13600 of the server's clock). */
    now[1].since_epoch = 13603;
    put(scene, COLLECT_STATEMENT, true, before, most);
    put(scene, COLLECT_STATEMENT, false, now, COUNT_OF(now));
    derive_statements(scene->ctx->arena, &scene->server, &rates);
    assert_int_equal(rates.count, 2);
    assert_null(rate_of(&rates, -1));
    assert_int_equal(rate_of(&rates, -2)->calls, 3);
    assert_int_equal(rate_of(&rates, 7)->calls, 1);
}

static void
resets_and_evictions_of_statements_are_told(void **state)
{
    struct scene *scene = scene_new(*state);
    struct statement_rates rates;
    struct sql_monitor_statement before[] = { statement(1, 100, 50) };
    struct sql_monitor_statement now[] = { statement(1, 150, 60) };

    put(scene, COLLECT_STATEMENT, true, before, 1);
    put(scene, COLLECT_STATEMENT, false, now, 1);
    scene->infos[1].dealloc = 4;
    derive_statements(scene->ctx->arena, &scene->server, &rates);
    assert_non_null(strstr(rates.gap, "4 times"));
    assert_int_equal(rates.items[0].calls, 50);
    scene->infos[1].stats_reset = 13605;
    derive_statements(scene->ctx->arena, &scene->server, &rates);
    assert_int_equal(rates.count, 0);
    assert_true(rates.span_s == 0);
    assert_string_equal(rates.gap, "pg_stat_statements was reset");
    assert_true(isnan(derived(scene, "pgmend_statements_rate", NULL)));
}

/* Twice as many statements must take about twice as long; a join by search would take four times. */
static void
many_statements_are_compared(void **state)
{
    struct scene *scene = scene_new(*state);
    struct statement_rates rates;
    enum { MANY = 100000 };
    struct sql_monitor_statement *before =
        ARENA_ARRAY(scene->ctx->arena, struct sql_monitor_statement, MANY);
    struct sql_monitor_statement *now =
        ARENA_ARRAY(scene->ctx->arena, struct sql_monitor_statement, MANY);

    for (int i = 0; i < MANY; i++) {
        before[i] = statement(i * INT64_C(4294967296), i + 1, i);
        now[MANY - 1 - i] = statement(i * INT64_C(4294967296), i + 1 + i % 2, i + i % 2);
    }
    put(scene, COLLECT_STATEMENT, true, before, MANY);
    put(scene, COLLECT_STATEMENT, false, now, MANY);
    derive_statements(scene->ctx->arena, &scene->server, &rates);
    assert_int_equal(rates.count, MANY / 2);
    for (size_t i = 0; i < rates.count; i++)
        assert_int_equal(rates.items[i].calls, 1);
}

static void
sessions_are_judged_only_as_far_as_they_are_seen(void **state)
{
    struct scene *scene = scene_new(*state);
    struct sql_monitor_session rows[] = {
        { .pid = 1,
            .backend_type = "client backend",
            .state = "active",
            .xact_seconds = 400,
            .query_seconds = 4,
            .state_seconds = 4,
            .blocked_by = "2,3" },
        { .pid = 2,
            .backend_type = "client backend",
            .state = "idle in transaction (aborted)",
            .xact_seconds = 90,
            .query_seconds = NAN,
            .state_seconds = 60 },
        { .pid = 3,
            .backend_type = "autovacuum worker",
            .state = "active",
            .xact_seconds = 9000,
            .query_seconds = 9000,
            .state_seconds = 9000 },
    };

    put(scene, COLLECT_SESSION, false, rows, COUNT_OF(rows));
    assert_true(derived(scene, "pgmend_longest_transaction_seconds", NULL) == 400);
    assert_true(derived(scene, "pgmend_idle_in_transaction_seconds", NULL) == 60);
    assert_true(derived(scene, "pgmend_longest_statement_seconds", NULL) == 4);
    assert_true(derived(scene, "pgmend_blocked_sessions", NULL) == 1);
    assert_true(is_near(derived(scene, "pgmend_slow_statements_rate", NULL), 0.25));
    scene->server.now[COLLECT_SESSION].rows.count = 0;
    assert_true(derived(scene, "pgmend_blocked_sessions", NULL) == 0);
    scene->facts[1].sees_all_stats = false;
    assert_true(isnan(derived(scene, "pgmend_blocked_sessions", NULL)));
}

static void
lag_is_known_of_silent_and_of_idle_standbys(void **state)
{
    struct scene *scene = scene_new(*state);
    struct sql_monitor_replication rows[] = {
        { .application_name = "idle",
            .client_addr = "",
            .state = "streaming",
            .sync_state = "",
            .slot_name = "",
            .replay_lag_seconds = NAN,
            .reply_age_seconds = 3 },
        { .application_name = "silent",
            .client_addr = "",
            .state = "streaming",
            .sync_state = "",
            .slot_name = "",
            .replay_lag_bytes = 50,
            .replay_lag_seconds = 0.1,
            .reply_age_seconds = 300 },
        { .application_name = "backup",
            .client_addr = "",
            .state = "backup",
            .sync_state = "",
            .slot_name = "",
            .replay_lag_bytes = NAN,
            .replay_lag_seconds = NAN,
            .reply_age_seconds = NAN },
    };

    put(scene, COLLECT_REPLICATION, false, rows, COUNT_OF(rows));
    assert_true(derived(scene, "pgmend_replication_lag_seconds", "idle") == 0);
    assert_true(derived(scene, "pgmend_replication_lag_seconds", "silent") == 300);
    assert_true(isnan(derived(scene, "pgmend_replication_lag_seconds", "backup")));
}

static void
checkpoints_have_the_names_of_their_version(void **state)
{
    struct scene *scene = scene_new(*state);
    struct sql_monitor_checkpoint rows[] = {
        { .requested = 5, .stats_reset = 1, .writer_reset = 1 },
        { .requested = 7, .stats_reset = 1, .writer_reset = 1 },
    };

    put(scene, COLLECT_CHECKPOINT, true, &rows[0], 1);
    put(scene, COLLECT_CHECKPOINT, false, &rows[1], 1);
    assert_true(derived(scene, "pg_stat_bgwriter_checkpoints_req_total", NULL) == 7);
    assert_true(isnan(derived(scene, "pg_stat_checkpointer_num_requested_total", NULL)));
    assert_true(is_near(derived(scene, "pgmend_checkpoints_requested_rate", NULL), 0.2));
    scene->server.major = 17;
    assert_true(isnan(derived(scene, "pg_stat_bgwriter_checkpoints_req_total", NULL)));
    assert_true(derived(scene, "pg_stat_checkpointer_num_requested_total", NULL) == 7);
}

static void
texts_are_asked_once_and_kept(void **state)
{
    struct scene *scene = scene_new(*state);
    struct sql_monitor_statement now[] = { statement(-5, 100, 50), statement(6, 1, 1) };
    struct sql_monitor_statement_text text = { .queryid = -5, .query = "SELECT $1" };
    struct rows rows = { &text, 1 };
    const struct sql_monitor_statement_text_args *args;

    scene->server.texts = statement_texts_new(10);
    assert_null(statement_texts_wanted(scene->server.texts, scene->ctx->arena, &scene->server));
    put(scene, COLLECT_STATEMENT, false, now, COUNT_OF(now));
    args = statement_texts_wanted(scene->server.texts, scene->ctx->arena, &scene->server);
    assert_non_null(args);
    assert_string_equal(args->query_ids, "{-5,6}");
    assert_null(statement_text(&scene->server, -5));
    statement_texts_take(scene->server.texts, args, &rows);
    assert_string_equal(statement_text(&scene->server, -5), "SELECT $1");
    assert_null(statement_text(&scene->server, 6));
    assert_null(statement_text(&scene->server, 0));
    assert_null(statement_texts_wanted(scene->server.texts, scene->ctx->arena, &scene->server));
    statement_texts_free(scene->server.texts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(rates_are_what_grew_over_the_time),
        test_with_ctx(few_blocks_make_no_ratio),
        test_with_ctx(nothing_is_negative_after_a_counter_went_back),
        test_with_ctx(a_reset_is_a_gap_even_when_counters_are_higher),
        test_with_ctx(no_rate_spans_a_gap_or_a_restart),
        test_with_ctx(another_timeline_is_another_count_of_wal),
        test_with_ctx(a_server_that_is_down_says_only_that),
        test_with_ctx(statements_are_compared_by_their_whole_key),
        test_with_ctx(a_statement_that_was_perhaps_there_is_not_counted),
        test_with_ctx(resets_and_evictions_of_statements_are_told),
        test_with_ctx(many_statements_are_compared),
        test_with_ctx(sessions_are_judged_only_as_far_as_they_are_seen),
        test_with_ctx(lag_is_known_of_silent_and_of_idle_standbys),
        test_with_ctx(checkpoints_have_the_names_of_their_version),
        test_with_ctx(texts_are_asked_once_and_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
