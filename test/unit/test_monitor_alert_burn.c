#include "support/test.h"

#include "sql.h"
#include "test_monitor_alert_support.h"

/*
 * Burn rates of 99.9 % by one tick a minute with 1000 requests, from a clean history of three days: which
 * minute fires first, and by which rule. The minutes are those of the published windows and rates worked
 * out: at 10 % errors a window of 60 minutes passes 1.44 % in the 9th (9 × 10 / 60 = 1.5).
 */
static const struct {
    double share;
    int minute;
    const char *rule;
} burns[] = {
    { 1, 1, "slo-burn-fast" },
    { 0.1, 9, "slo-burn-fast" },
    { 0.05, 18, "slo-burn-fast" },
    { 0.02, 44, "slo-burn-fast" },
    { 0.01, 217, "slo-burn-hours" },
    { 0.004, 1081, "slo-burn-day" },
    { 0.002, 2161, "slo-burn-days" },
};

static void
add_counters(struct world *world, double requests, double errors)
{
    static const struct metric asked = { .name = "pgmend_application_requests_total" };
    static const struct metric failed = { .name = "pgmend_application_errors_total" };

    add(world, &asked, NULL, requests);
    add(world, &failed, NULL, errors);
}

static void
minute(struct world *world, double *requests, double *errors, double asked, double failed)
{
    *requests += asked;
    *errors += failed;
    add_counters(world, *requests, *errors);
    judge(world);
    world->server.at_us += (60 - TICK_S) * second_us;
    world->server.at_wall_us += (60 - TICK_S) * second_us;
}

static void
burn_rates_fire_in_the_published_minute(void **state)
{
    for (size_t i = 0; i < COUNT_OF(burns); i++) {
        double requests = 0, errors = 0;
        struct world world;
        int minutes = 0;

        world_begin(&world, *state);
        world_watch(&world);
        for (int j = 0; j <= 3 * 24 * 60; j++)
            minute(&world, &requests, &errors, 1000, 0);
        while (world.heard.length == 0 && minutes < 4320) {
            minute(&world, &requests, &errors, 1000, 1000 * burns[i].share);
            minutes++;
        }
        assert_true(text_starts_with(
            heard(&world), arena_printf(world.ctx->arena, "fired %s ", burns[i].rule)));
        assert_int_equal(minutes, burns[i].minute);
        alerts_free(world.alerts);
    }
}

/* With 99 % a tenth of the errors counts: 10 % of errors are a burn rate of 10, below 14.4 for ever. */
static void
burn_rates_are_of_the_availability_asked_for(void **state)
{
    double requests = 0, errors = 0;
    struct world world;

    world_begin(&world, *state);
    world.setup.availability = 0.99;
    world_watch(&world);
    for (int j = 0; j <= 3 * 24 * 60; j++)
        minute(&world, &requests, &errors, 1000, 0);
    heard(&world);
    for (int j = 0; j < 216; j++) /* 6 hours pass 6 % in the 217th minute */
        minute(&world, &requests, &errors, 1000, 100);
    assert_heard(&world, "");
    minute(&world, &requests, &errors, 1000, 100);
    assert_true(text_starts_with(heard(&world), "fired slo-burn-hours "));
    alerts_free(world.alerts);
}

/* 99 failures of 99 requests say nothing, nor do four of a thousand. A reset counter is no error. */
static void
few_requests_burn_nothing(void **state)
{
    double requests = 0, errors = 0;
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    minute(&world, &requests, &errors, 0, 0);
    minute(&world, &requests, &errors, 99, 99);
    assert_heard(&world, "");
    alerts_free(world.alerts);

    world_begin(&world, *state);
    world_watch(&world);
    requests = errors = 10000;
    for (int i = 0; i <= 24 * 60; i++)
        minute(&world, &requests, &errors, 0, 0);
    minute(&world, &requests, &errors, 1000, 4);
    requests = errors = 0;
    minute(&world, &requests, &errors, 500, 500);
    assert_heard(&world, "");
    minute(&world, &requests, &errors, 0, 1); /* five of a thousand: over 3 and 1, not 6 and 14.4 */
    assert_true(text_starts_with(heard(&world), "fired slo-burn-day "));
    alerts_free(world.alerts);
}

/*
 * What was before the first tick counts as time without errors, so the minutes are the published ones from
 * the first minute on. Seconds of a few errors are not three days of them; no errors never fire.
 */
static void
a_first_start_is_judged_as_after_clean_days(void **state)
{
    for (size_t i = 0; i < COUNT_OF(burns); i++) {
        double requests = 0, errors = 0;
        struct world world;
        int minutes = 0;

        world_begin(&world, *state);
        world_watch(&world);
        minute(&world, &requests, &errors, 0, 0);
        while (world.heard.length == 0 && minutes < 4321) {
            minute(&world, &requests, &errors, 1000, 1000 * burns[i].share);
            minutes++;
        }
        assert_true(text_starts_with(
            heard(&world), arena_printf(world.ctx->arena, "fired %s ", burns[i].rule)));
        assert_int_equal(minutes, burns[i].minute);
        alerts_free(world.alerts);
    }

    double requests = 0, errors = 0;
    struct world world;

    /* 20 s with 1.2 errors of a thousand requests, as when pgbench starts beside a monitor. */
    world_begin(&world, *state);
    world_watch(&world);
    for (int i = 0; i <= 20 / TICK_S; i++) {
        add_counters(&world, requests, errors);
        judge(&world);
        requests += 10000;
        errors += 12;
    }
    /* 80 s of an idle server with 10 of 400 transactions cancelled. */
    for (int i = 0; i < 80 / TICK_S; i++) {
        add_counters(&world, requests, errors);
        judge(&world);
        requests += 25;
        errors += i == 10 ? 10 : 0;
    }
    assert_heard(&world, "");
    alerts_free(world.alerts);
}

/* Without an application a transaction is a request, and one rolled back an error. */
static void
transactions_burn_without_an_application(void **state)
{
    struct world world;
    struct sql_monitor_database rows[] = { { .datname = "a" }, { .datname = "b" } };
    struct reading *reading;

    world_begin(&world, *state);
    world_watch(&world);
    reading = &world.server.now[COLLECT_DATABASE];
    reading->is_known = reading->is_good = true;
    reading->rows.items = rows;
    reading->rows.count = COUNT_OF(rows);
    judge(&world);
    for (int i = 0; i < 3600 / TICK_S; i++) {
        rows[0].xact_commit += 100;
        judge(&world);
    }
    assert_heard(&world, "");
    /* 10 % of five minutes, of which the hour has 12: a rate of 100, and of 17 for the hour. */
    rows[0].xact_commit += 600;
    rows[1].xact_rollback += 1250;
    judge(&world);
    assert_true(text_starts_with(heard(&world), "fired slo-burn-fast 3605; "));
    alerts_free(world.alerts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(burn_rates_fire_in_the_published_minute),
        test_with_ctx(burn_rates_are_of_the_availability_asked_for),
        test_with_ctx(few_requests_burn_nothing),
        test_with_ctx(a_first_start_is_judged_as_after_clean_days),
        test_with_ctx(transactions_burn_without_an_application),
    };

    return cmocka_run_group_tests_name("monitor/alert_burn", tests, NULL, NULL);
}
