/*
 * The watchdog on a database that is well and on one that suffers: sessions that really wait for a lock, statements
 * that really take longer, transactions that really fail, WAL that is really written.
 */
#include "support/test.h"

#include <libpq-fe.h>

#include "base/clock.h"
#include "base/json.h"
#include "change/watchdog.h"
#include "test_change_support.h"

enum { WAITERS = 12, DEADLINE_US = 30000000, TICK_US = 100000 };

static const struct watchdog_limits quick = {
    .interval_us = TICK_US,
    .bad_samples = 3,
    .lock_waiters = 10,
    .lag_us = 10000000,
    .slower_ratio = 3,
    .error_ratio = .05,
};

/* Of the test's own: without anything of pgmend's. */
static PGconn *
plain_session(struct bench *bench)
{
    PGconn *conn = PQconnectdb(
        arena_printf(bench->ctx.arena, "dbname=%s application_name=shop", bench->database));

    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static void
plain(PGconn *conn, const char *sql, bool may_fail)
{
    PGresult *result = PQexec(conn, sql);

    if (!may_fail && PQresultStatus(result) == PGRES_FATAL_ERROR)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
}

static struct watchdog *
begin(struct bench *bench, const struct watchdog_limits *limits)
{
    struct watchdog *watchdog;

    must(bench, watchdog_begin(&bench->ctx, bench->rollout.watch, limits, &watchdog));
    return watchdog;
}

/* Looks until it complains; meanwhile something may go on. Fails the test when it never does. */
static void
until_bad(struct bench *bench, struct watchdog *watchdog, PGconn *conn, const char *meanwhile,
    bool may_fail)
{
    for (int64_t end = clock_us() + DEADLINE_US; clock_us() < end;) {
        if (!watchdog_look(&bench->ctx, watchdog, bench->rollout.watch))
            return;
        if (meanwhile)
            plain(conn, meanwhile, may_fail);
        else
            clock_sleep_us(TICK_US / 4);
    }
    fail_msg("it noticed nothing: %s", watchdog_story(bench->ctx.arena, watchdog));
}

static double
story_number(struct bench *bench, const struct watchdog *watchdog, const char *key)
{
    json_t *json CLEANUP(json_release) = NULL;

    must(
        bench, json_parse(&bench->ctx, "story", watchdog_story(bench->ctx.arena, watchdog), &json));
    return json_get_double(json, key, -1);
}

static int
set_up_watched(void **state)
{
    struct bench *bench;

    set_up(state);
    bench = *state;
    run(bench, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public");
    run(bench, "CREATE TABLE app.flag AS SELECT 0::float8 AS seconds");
    run(bench, "CREATE FUNCTION app.held() RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
               " PERFORM pg_catalog.pg_sleep(f.seconds) FROM app.flag f; RETURN 1; END $$");
    return 0;
}

static void
a_quiet_database(void **state)
{
    struct bench *bench = *state;
    PGconn *shop = plain_session(bench);
    struct watchdog *watchdog;

    for (int i = 0; i < 50; i++)
        plain(shop, "SELECT app.held(), note FROM app.t WHERE id = 300", false);
    watchdog = begin(bench, &quick);
    while (story_number(bench, watchdog, "samples") < 50) {
        must(bench, watchdog_look(&bench->ctx, watchdog, bench->rollout.watch));
        plain(shop, "SELECT app.held(), note FROM app.t WHERE id = 300", false);
        clock_sleep_us(2000);
    }
    assert_true(story_number(bench, watchdog, "bad_samples") == 0);
    assert_true(story_number(bench, watchdog, "lock_waiters") == 0);
    PQfinish(shop);
}

static void
sessions_that_wait_for_a_lock(void **state)
{
    struct bench *bench = *state;
    struct watchdog *watchdog = begin(bench, &quick);
    PGconn *holder = plain_session(bench);
    PGconn *waiters[WAITERS];

    plain(holder, "BEGIN; LOCK TABLE app.t", false);
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = plain_session(bench);
        assert_true(PQsendQuery(waiters[i], "SELECT count(*) FROM app.t"));
    }
    until_bad(bench, watchdog, NULL, NULL, false);
    assert_error(&bench->ctx, ERR_GATE, "the database suffers: 12 sessions wait for a lock");
    assert_error(&bench->ctx, ERR_GATE,
        arena_printf(
            bench->ctx.arena, "most of them for pid %d (shop, user", PQbackendPID(holder)));
    assert_error(&bench->ctx, ERR_GATE, "idle in transaction");
    assert_true(story_number(bench, watchdog, "lock_waiters") == WAITERS);
    assert_true(story_number(bench, watchdog, "bad_samples") == 3);
    error_clear(&bench->ctx);
    plain(holder, "ROLLBACK", false);
    for (int i = 0; i < WAITERS; i++)
        PQfinish(waiters[i]);
    PQfinish(holder);
}

static void
statements_that_got_slower(void **state)
{
    struct bench *bench = *state;
    static const struct watchdog_limits limits = { .interval_us = 1000000,
        .bad_samples = 3,
        .lock_waiters = 10,
        .lag_us = 10000000,
        .slower_ratio = 3,
        .error_ratio = .05 };
    PGconn *shop = plain_session(bench);
    struct watchdog *watchdog;

    for (int i = 0; i < 40; i++)
        plain(shop, "SELECT app.held()", false);
    watchdog = begin(bench, &limits);
    run(bench, "UPDATE app.flag SET seconds = .02");
    until_bad(bench, watchdog, shop, "SELECT app.held()", false);
    assert_error(&bench->ctx, ERR_GATE, "times as long as before");
    assert_true(story_number(bench, watchdog, "slower_ratio") > 3);
    error_clear(&bench->ctx);
    PQfinish(shop);
}

static void
transactions_that_fail(void **state)
{
    struct bench *bench = *state;
    PGconn *shop = plain_session(bench);
    struct watchdog *watchdog;

    for (int i = 0; i < 50; i++)
        plain(shop, "SELECT 1 FROM app.t WHERE id = 300", false);
    watchdog = begin(bench, &(struct watchdog_limits){ .interval_us = 1500000,
                                .bad_samples = 2,
                                .lock_waiters = 10,
                                .lag_us = 10000000,
                                .slower_ratio = 1000,
                                .error_ratio = .05 });
    until_bad(bench, watchdog, shop, "SELECT 1 / (id - id) FROM app.t WHERE id = 300", true);
    assert_error(&bench->ctx, ERR_GATE, "of its transactions are rolled back");
    error_clear(&bench->ctx);
    PQfinish(shop);
}

static void
wal_that_is_written(void **state)
{
    struct bench *bench = *state;
    struct watchdog_limits limits = quick;
    PGconn *shop = plain_session(bench);
    struct watchdog *watchdog;

    limits.wal_per_second = 100000;
    watchdog = begin(bench, &limits);
    until_bad(bench, watchdog, shop, "UPDATE app.t SET note = note || 'x'", false);
    assert_error(&bench->ctx, ERR_GATE, "of WAL are written a second");
    error_clear(&bench->ctx);
    PQfinish(shop);
}

/* One bad sample among good ones cancels nothing. */
static void
what_gets_well_again(void **state)
{
    struct bench *bench = *state;
    struct watchdog_limits limits = quick;
    PGconn *shop = plain_session(bench);
    struct watchdog *watchdog;

    limits.wal_per_second = 100000;
    watchdog = begin(bench, &limits);
    for (int round = 0; round < 4; round++) {
        double bad = story_number(bench, watchdog, "bad_samples");

        while (story_number(bench, watchdog, "bad_samples") < bad + 1) {
            plain(shop, "UPDATE app.t SET note = note || 'x'", false);
            must(bench, watchdog_look(&bench->ctx, watchdog, bench->rollout.watch));
        }
        for (double seen = story_number(bench, watchdog, "samples");
             story_number(bench, watchdog, "samples") < seen + 2;) {
            clock_sleep_us(TICK_US / 4);
            must(bench, watchdog_look(&bench->ctx, watchdog, bench->rollout.watch));
        }
    }
    assert_true(story_number(bench, watchdog, "bad_samples") >= 4);
    PQfinish(shop);
}

/* What cannot be asked is not bad: without the extension only the statements are not watched. */
static void
without_pg_stat_statements(void **state)
{
    struct bench *bench = *state;
    struct watchdog *watchdog;

    run(bench, "DROP EXTENSION pg_stat_statements");
    watchdog = begin(bench, &quick);
    while (story_number(bench, watchdog, "samples") < 3) {
        must(bench, watchdog_look(&bench->ctx, watchdog, bench->rollout.watch));
        clock_sleep_us(TICK_US / 4);
    }
    assert_true(story_number(bench, watchdog, "lock_waiters") == 0);
    assert_true(story_number(bench, watchdog, "slower_ratio") == -1);
}

#define watched(test) cmocka_unit_test_setup_teardown(test, set_up_watched, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        watched(a_quiet_database),
        watched(sessions_that_wait_for_a_lock),
        watched(statements_that_got_slower),
        watched(transactions_that_fail),
        watched(wal_that_is_written),
        watched(what_gets_well_again),
        watched(without_pg_stat_statements),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
