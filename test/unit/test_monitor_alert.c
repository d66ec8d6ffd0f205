#include "support/test.h"

#include <math.h>

#include "test_monitor_alert_support.h"

static const struct metric memory = { .name = "pgmend_host_memory_used_ratio" };
static const struct metric cpu = { .name = "pgmend_host_cpu_busy_ratio" };
static const struct metric disk = { .name = "pgmend_host_disk_used_ratio" };
static const struct metric invalid = { .name = "pgmend_invalid_indexes" };
static const struct metric used = { .name = "pgmend_connections_used_ratio" };
static const struct metric own = { .name = "app_queue_length" };

/*
 * memory-full: above 0.90 for 5 minutes, clears at 0.85 for as long. Ticks at 0, 5, 10 … s: the first
 * bad one at 0 s starts it, the one at 300 s has seen 300 s of it.
 */
static void
it_fires_after_for_and_clears_at_its_own_threshold(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &memory, 0.91, 60); /* 0 … 295 s */
    assert_heard(&world, "");
    ticks(&world, &memory, 0.91, 1); /* 300 s */
    assert_heard(&world, "fired memory-full 300; ");
    ticks(&world, &memory, 0.99, 100); /* … 800 s: told once */
    ticks(&world, &memory, 0.86, 100); /* … 1300 s: between the thresholds */
    assert_heard(&world, "");
    ticks(&world, &memory, 0.85, 60); /* 1305 … 1600 s */
    assert_heard(&world, "");
    ticks(&world, &memory, 0.85, 1);
    assert_heard(&world, "resolved memory-full 1605; ");
    alerts_free(world.alerts);
}

static void
exactly_the_threshold_is_not_over_it(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &memory, 0.90, 200);
    assert_heard(&world, "");
    alerts_free(world.alerts);
}

/* A tick below the threshold begins anew: 0 … 290 bad, 295 between, then 300 … 600. */
static void
only_uninterrupted_trouble_counts(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &memory, 0.95, 59);
    ticks(&world, &memory, 0.89, 1);
    ticks(&world, &memory, 0.95, 60);
    assert_heard(&world, "");
    ticks(&world, &memory, 0.95, 1);
    assert_heard(&world, "fired memory-full 600; ");
    alerts_free(world.alerts);
}

/*
 * What is between two ticks of a gap is not known: bad from 0 to 100 s, a gap whose tick is at 105 s, then
 * bad: 100 s count, and from 110 s on. So 110 + 200 = 310 s.
 */
static void
a_gap_neither_fires_nor_clears(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &memory, 0.95, 21);
    world.server.is_gap = true;
    ticks(&world, &memory, NAN, 1);
    ticks(&world, &memory, 0.95, 40); /* 110 … 305 s */
    assert_heard(&world, "");
    ticks(&world, &memory, 0.95, 1);
    assert_heard(&world, "fired memory-full 310; ");

    /* While firing, a gap with any value is no sign of health. */
    for (int i = 0; i < 200; i++) {
        world.server.is_gap = true;
        ticks(&world, &memory, 0.1, 1);
    }
    assert_heard(&world, "");
    alerts_free(world.alerts);
}

/* The clock of the wall may jump; only the monotonic one counts. A tick that comes an hour late is a gap. */
static void
a_jump_of_the_clock_neither_fires_nor_clears(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &memory, 0.95, 10);
    world.server.at_wall_us += 3600 * second_us;
    ticks(&world, &memory, 0.95, 10);
    assert_heard(&world, "");
    world.server.at_us += 3600 * second_us;
    world.server.at_wall_us += 3600 * second_us;
    ticks(&world, &memory, 0.95, 20);
    assert_heard(&world, "");
    alerts_free(world.alerts);
}

/* Gone from a server that is up: after three ticks at least, and after as long as it had to be bad. */
static void
a_series_that_is_gone_resolves(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &memory, 0.95, 61);
    assert_heard(&world, "fired memory-full 300; ");
    ticks(&world, &memory, NAN, 59); /* 305 … 595 s: absent for 295 s */
    assert_heard(&world, "");
    ticks(&world, &memory, NAN, 1);
    assert_heard(&world, "resolved memory-full 600; ");

    /* One that was pending is forgotten: a minute later the time counts from the beginning. */
    ticks(&world, &memory, 0.95, 30);
    ticks(&world, &memory, NAN, 12);
    ticks(&world, &memory, 0.95, 60);
    assert_heard(&world, "");
    ticks(&world, &memory, 0.95, 1);
    assert_non_null(strstr(heard(&world), "fired memory-full"));
    alerts_free(world.alerts);
}

/* A collector that cannot be read does not mean that all is well: ten minutes instead. */
static void
a_failing_collector_does_not_resolve(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    world.server.now[COLLECT_TABLE].is_known = world.server.now[COLLECT_TABLE].is_good = true;
    ticks(&world, &memory, 0.95, 61);
    heard(&world);
    world.server.now[COLLECT_TABLE].is_good = false;
    ticks(&world, &memory, NAN, 119);
    assert_heard(&world, "");
    ticks(&world, &memory, NAN, 1);
    assert_heard(&world, "resolved memory-full 900; ");

    /* One that was failing before has nothing to do with it. */
    ticks(&world, &memory, 0.95, 61); /* 905 … 1205 s */
    heard(&world);
    ticks(&world, &memory, NAN, 119);
    assert_heard(&world, "");
    ticks(&world, &memory, NAN, 1); /* the second time within the hour: twice as long as at first */
    assert_heard(&world, "resolved memory-full 1805; ");
    alerts_free(world.alerts);
}

/* server-down: 30 s. The others wait meanwhile, and are told of once it is up and they are still there. */
static void
a_server_that_is_down_quiets_its_other_alerts(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &memory, 0.95, 61);
    assert_heard(&world, "fired memory-full 300; ");
    ticks_down(&world, 6); /* 305 … 330 s */
    assert_heard(&world, "");
    ticks_down(&world, 1);
    assert_heard(&world, "fired server-down 335; ");
    ticks_down(&world, 500); /* … 2835 s: nothing new, and nothing resolved */
    assert_heard(&world, "");
    ticks(&world, &memory, 0.95, 6); /* 2840 … 2865 s */
    assert_heard(&world, "");
    ticks(&world, &memory, 0.95, 1);
    assert_heard(&world, "resolved server-down 2870; ");
    alerts_free(world.alerts);
}

/* connections-exhausted (0.95, 1 min) speaks for connections-used (0.80, 5 min). */
static void
one_alert_speaks_for_another(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &used, 0.97, 61);
    assert_heard(&world, "fired connections-exhausted 60; quiet fired connections-used 300; ");
    ticks(&world, &used, 0.85, 12); /* 305 … 360 s: good for the one, bad for the other */
    assert_heard(&world, "");
    ticks(&world, &used, 0.85, 1);
    assert_heard(&world, "resolved connections-exhausted 365; fired connections-used 365; ");
    alerts_free(world.alerts);
}

/* Who was never told of an alert is not told of its end. */
static void
an_alert_that_was_quiet_ends_quietly(void **state)
{
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &used, 0.97, 61);
    heard(&world);
    ticks(&world, &used, 0.10, 61);
    assert_heard(
        &world, "resolved connections-exhausted 365; quiet resolved connections-used 605; ");
    alerts_free(world.alerts);
}

/* A window of an hour from 12:04 on: memory-full fires in it at 300 s and is told at its end. */
static void
maintenance_is_quiet_until_it_ends(void **state)
{
    struct world world;
    struct setup_maintenance window = { .name = "move" };

    world_begin(&world, *state);
    window.from_wall_us = world.begin_us + 240 * second_us;
    window.until_wall_us = world.begin_us + 3840 * second_us;
    VEC_PUSH(world.ctx->arena, &world.setup.maintenances, window);
    world_watch(&world);
    ticks(&world, &memory, 0.95, 768); /* … 3835 s */
    assert_heard(&world, "quiet fired memory-full 300; ");

    const struct alert **alerts;

    assert_int_equal(alerts_list(world.alerts, world.ctx->arena, &alerts), 1);
    assert_string_equal(alerts[0]->quiet, "maintenance move");
    ticks(&world, &memory, 0.95, 1);
    assert_heard(&world, "fired memory-full 3840; ");
    alerts_free(world.alerts);
}

static bool
is_quiet_at(struct ctx *ctx, const char *weekly, const char *at)
{
    struct world world;
    struct setup_maintenance window = { .name = "weekly", .weekly = weekly };
    struct setup_alert quick = { .name = "memory-full", .threshold = NAN, .clear = NAN };

    world_begin(&world, ctx);
    assert_true(clock_parse(at, &world.server.at_wall_us));
    VEC_PUSH(ctx->arena, &world.setup.maintenances, window);
    VEC_PUSH(ctx->arena, &world.setup.alerts, quick);
    world_watch(&world);
    ticks(&world, &memory, 0.95, 1);

    const char *text = heard(&world);

    alerts_free(world.alerts);
    if (text_starts_with(text, "quiet fired memory-full"))
        return true;
    assert_true(text_starts_with(text, "fired memory-full"));
    return false;
}

/* 2026-11-22 was a Sunday, by the calendar. */
static void
weekly_windows_are_in_utc_and_go_over_midnight(void **state)
{
    struct ctx *ctx = *state;

    assert_false(is_quiet_at(ctx, "Sun 02:00-04:00", "2026-11-22T01:59:59Z"));
    assert_true(is_quiet_at(ctx, "Sun 02:00-04:00", "2026-11-22T02:00:00Z"));
    assert_true(is_quiet_at(ctx, "Sun 02:00-04:00", "2026-11-22T03:59:59Z"));
    assert_false(is_quiet_at(ctx, "Sun 02:00-04:00", "2026-11-22T04:00:00Z"));
    assert_false(is_quiet_at(ctx, "Sun 02:00-04:00", "2026-11-23T03:00:00Z"));
    assert_true(is_quiet_at(ctx, "Sat 23:00-01:00", "2026-11-21T23:30:00Z"));
    assert_true(is_quiet_at(ctx, "Sat 23:00-01:00", "2026-11-22T00:59:00Z"));
    assert_false(is_quiet_at(ctx, "Sat 23:00-01:00", "2026-11-22T01:00:00Z"));
    assert_false(is_quiet_at(ctx, "Sat 23:00-01:00", "2026-11-21T00:30:00Z"));
    assert_true(is_quiet_at(ctx, "Mon,Fri 00:00-24:00", "2026-11-23T23:59:59Z"));
    assert_false(is_quiet_at(ctx, "Mon,Fri 00:00-24:00", "2026-11-24T00:00:00Z"));
    assert_true(is_quiet_at(ctx, "daily 12:00-12:01", "2026-11-25T12:00:30Z"));
}

/*
 * Bad and good by turns of a minute each with `for` of 30 s. 0 bad … 30 fires; good from 60: 90 resolves;
 * bad from 120: fires again at 150, the same trouble, so a minute of good is asked for, and then two:
 * turns of one minute never resolve it again, because a turn shows 55 s of health.
 */
static void
flapping_is_told_of_once_more_at_most(void **state)
{
    struct world world;
    struct setup_alert quick = { .name = "memory-full", .threshold = NAN, .clear = NAN };

    world_begin(&world, *state);
    quick.for_us = 30 * second_us;
    VEC_PUSH(world.ctx->arena, &world.setup.alerts, quick);
    world_watch(&world);
    for (int i = 0; i < 60; i++)
        ticks(&world, &memory, i % 2 ? 0.5 : 0.95, 12);
    assert_heard(&world, "fired memory-full 30; resolved memory-full 90; fired memory-full 150; ");

    const struct alert **alerts;

    assert_int_equal(alerts_list(world.alerts, world.ctx->arena, &alerts), 2);
    assert_int_equal(alerts[0]->state, ALERT_FIRING);
    assert_string_equal(alerts[0]->id, alerts[1]->id);
    alerts_free(world.alerts);
}

/* Each set of labels is an alert of its own. */
static void
labels_make_alerts(void **state)
{
    static const struct metric rollback = { .name = "pgmend_cache_hit_ratio" };
    struct world world;
    struct setup_alert quick = { .name = "own",
        .metric = "pgmend_cache_hit_ratio",
        .is_below = true,
        .threshold = 0.5,
        .clear = NAN,
        .severity = "critical" };

    world_begin(&world, *state);
    VEC_PUSH(world.ctx->arena, &world.setup.alerts, quick);
    world_watch(&world);
    for (int i = 0; i < 4; i++) {
        add(&world, &rollback, "a", 0.4);
        add(&world, &rollback, "b", i == 2 ? 0.4 : 0.6);
        judge(&world);
    }
    assert_heard(&world,
        "fired own{datname=\"a\"} 0; fired own{datname=\"b\"} 10; resolved own{datname=\"b\"} 15; ");
    alerts_free(world.alerts);
}

/* The user's threshold takes the other along by the same factor: 0.80 to 0.75 becomes 0.40 to 0.375. */
static void
rules_can_be_changed_turned_off_and_added(void **state)
{
    struct world world;
    struct setup_alert rows[] = {
        { .name = "memory-full", .is_off = true, .threshold = NAN, .clear = NAN, .for_us = -1 },
        { .name = "cpu-busy", .threshold = 0.4, .clear = NAN, .severity = "critical" },
        { .name = "queue", .metric = "app_queue_length", .threshold = 10, .clear = 4 },
    };

    world_begin(&world, *state);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        VEC_PUSH(world.ctx->arena, &world.setup.alerts, rows[i]);
    world_watch(&world);
    ticks(&world, &memory, 0.99, 100);
    assert_heard(&world, "");
    ticks(&world, &cpu, 0.41, 1); /* 500 s */
    ticks(&world, &cpu, 0.376, 1);
    assert_heard(&world, "fired cpu-busy 500; ");

    const struct alert **alerts;

    assert_int_equal(alerts_list(world.alerts, world.ctx->arena, &alerts), 1);
    assert_int_equal(alerts[0]->rule->severity, ALERT_CRITICAL);
    ticks(&world, &cpu, 0.375, 1);
    assert_heard(&world, "resolved cpu-busy 510; ");
    ticks(&world, &own, 11, 1);
    ticks(&world, &own, 5, 1);
    assert_heard(&world, "fired queue 515; ");
    ticks(&world, &own, 4, 1);
    assert_heard(&world, "resolved queue 525; ");
    alerts_free(world.alerts);
}

/* What a rule needs of traffic: below it nothing is judged, and what fired ends as if it were gone. */
static void
little_traffic_is_not_judged(void **state)
{
    static const struct metric ratio = { .name = "pgmend_application_error_ratio" };
    static const struct metric rate = { .name = "pgmend_application_requests_rate" };
    struct world world;

    world_begin(&world, *state);
    world_watch(&world);
    for (int i = 0; i < 200; i++) {
        add(&world, &ratio, NULL, 1);
        add(&world, &rate, NULL, 0.4);
        judge(&world);
    }
    assert_heard(&world, "");
    for (int i = 0; i < 61; i++) { /* 1000 … 1300 s */
        add(&world, &ratio, NULL, 1);
        add(&world, &rate, NULL, 0.5);
        judge(&world);
    }
    assert_heard(&world, "fired error-rate 1300; ");
    alerts_free(world.alerts);
}

/* Saved at 150 s of trouble and restored in another process whose monotonic clock is another. */
static void
a_restart_keeps_what_was_seen(void **state)
{
    struct ctx *ctx = *state;
    struct world one, two;
    struct setup_alert quick = { .name = "disk-full", .threshold = NAN, .clear = NAN };

    world_begin(&one, ctx);
    VEC_PUSH(ctx->arena, &one.setup.alerts, quick);
    world_watch(&one);
    for (int i = 0; i < 31; i++) { /* 0 … 150 s */
        add(&one, &disk, NULL, 0.95);
        ticks(&one, &memory, 0.95, 1);
    }
    assert_heard(&one, "fired disk-full 0; ");

    json_t *saved CLEANUP(json_release) = alerts_save(one.alerts);
    char *text = json_dumps(saved, 0);
    json_t *read CLEANUP(json_release) = NULL;

    assert_true(json_parse(ctx, "saved alerts", text, &read));
    free(text);
    alerts_free(one.alerts);

    world_begin(&two, ctx);
    two.setup = one.setup;
    two.server.at_us = 1000;
    two.server.at_wall_us = one.server.at_wall_us + 600 * second_us; /* 755 s */
    world_watch(&two);
    assert_true(alerts_restore(ctx, two.alerts, read));
    for (int i = 0; i < 30; i++) { /* 755 … 900 s: 150 s before and 145 s now */
        add(&two, &disk, NULL, 0.95);
        ticks(&two, &memory, 0.95, 1);
    }
    assert_heard(&two, "");
    add(&two, &disk, NULL, 0.95);
    ticks(&two, &memory, 0.95, 1);
    assert_heard(&two, "fired memory-full 905; ");

    const struct alert **alerts;

    assert_int_equal(alerts_list(two.alerts, ctx->arena, &alerts), 2);
    assert_string_equal(alerts[0]->rule->name, "disk-full");
    assert_int_equal(seconds_of(&two, alerts[0]->fired_wall_us), 0);
    assert_string_equal(alerts[1]->rule->name, "memory-full");
    assert_int_equal(seconds_of(&two, alerts[1]->since_wall_us), 0);
    ticks(&two, &memory, NAN, 3);
    assert_heard(&two, "resolved disk-full 920; ");
    alerts_free(two.alerts);

    json_t *bad CLEANUP(json_release) = json_object();

    world_begin(&one, ctx);
    world_watch(&one);
    assert_false(alerts_restore(ctx, one.alerts, bad));
    alerts_free(one.alerts);
}

/* What a thousand broken objects are. */
static void
alerts_are_bounded(void **state)
{
    struct world world;
    struct setup_alert quick = {
        .name = "own", .metric = "app_queue_length", .threshold = 1, .clear = NAN
    };
    const struct alert **alerts;

    world_begin(&world, *state);
    VEC_PUSH(world.ctx->arena, &world.setup.alerts, quick);
    world_watch(&world);
    for (int i = 0; i < 2000; i++)
        add(&world, &own, arena_printf(world.ctx->arena, "d%d", i), 2);
    judge(&world);
    assert_int_equal(alerts_list(world.alerts, world.ctx->arena, &alerts), 500);
    alerts_free(world.alerts);
}

static void
the_list_has_the_worst_first(void **state)
{
    struct world world;
    const struct alert **alerts;

    world_begin(&world, *state);
    world_watch(&world);
    ticks(&world, &memory, 0.95, 61);
    ticks(&world, &memory, 0.1, 61); /* resolved */
    for (int i = 0; i < 61; i++) {
        add(&world, &invalid, NULL, 1);
        add(&world, &disk, NULL, 0.95);
        add(&world, &cpu, NULL, i < 40 ? 0.1 : 0.9);
        judge(&world);
    }
    assert_int_equal(alerts_list(world.alerts, world.ctx->arena, &alerts), 4);
    assert_string_equal(alerts[0]->rule->name, "disk-full");
    assert_string_equal(alerts[1]->rule->name, "invalid-index");
    assert_string_equal(alerts[2]->rule->name, "cpu-busy");
    assert_int_equal(alerts[2]->state, ALERT_PENDING);
    assert_string_equal(alerts[3]->rule->name, "memory-full");
    assert_int_equal(alerts[3]->state, ALERT_RESOLVED);
    alerts_free(world.alerts);
}

static void
an_alert_says_what_when_and_what_next(void **state)
{
    struct world world;
    const struct alert **alerts;

    world_begin(&world, *state);
    world.server.host_now = (struct host_facts){ .is_known = true,
        .memory_bytes = 8 * 1073741824ll,
        .memory_available_bytes = 536870912,
        .server_rss_bytes = 6 * 1073741824ll };
    world_watch(&world);
    ticks(&world, &memory, 0.94, 61);
    assert_int_equal(alerts_list(world.alerts, world.ctx->arena, &alerts), 1);
    assert_string_equal(alert_value_text(world.ctx->arena, alerts[0]), "0.94 (threshold 0.90)");
    assert_string_equal(alert_line(world.ctx->arena, alerts[0]),
        "warning  memory-full  main: the machine's memory is used up: 0.94 (threshold 0.90), since "
        "2026-11-23T12:00:00Z. The server's processes hold 6.0 GB of 8.0 GB; 512 MB are left. "
        "Next: pgmend doctor");

    /* A rule without a cause ends its sentence too. */
    struct alert plain = *alerts[0];

    plain.cause = NULL;
    assert_true(text_ends_with(
        alert_line(world.ctx->arena, &plain), ", since 2026-11-23T12:00:00Z. Next: pgmend doctor"));
    plain.quiet = "maintenance x";
    assert_true(text_ends_with(alert_line(world.ctx->arena, &plain),
        " (nobody is told: maintenance x). Next: pgmend doctor"));

    /* What was wrong is not said of the value that is good again. */
    plain = *alerts[0];
    plain.state = ALERT_RESOLVED;
    plain.value = 0.5;
    plain.resolved_wall_us = plain.since_wall_us + 600 * second_us;
    plain.cause = NULL;
    assert_string_equal(alert_line(world.ctx->arena, &plain),
        "resolved  memory-full  main: the machine's memory is used up: over, now 0.50 (threshold "
        "0.90), from 2026-11-23T12:00:00Z to 2026-11-23T12:10:00Z");

    json_t *json CLEANUP(json_release) = alert_json(alerts[0]);

    assert_string_equal(json_string_value(json_object_get(json, "rule")), "memory-full");
    assert_string_equal(json_string_value(json_object_get(json, "state")), "firing");
    assert_string_equal(json_string_value(json_object_get(json, "since")), "2026-11-23T12:00:00Z");
    assert_string_equal(json_string_value(json_object_get(json, "fired")), "2026-11-23T12:05:00Z");
    assert_true(json_is_null(json_object_get(json, "resolved")));
    assert_true(fabs(json_number_value(json_object_get(json, "threshold")) - 0.9) < 1e-12);
    alerts_free(world.alerts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(it_fires_after_for_and_clears_at_its_own_threshold),
        test_with_ctx(exactly_the_threshold_is_not_over_it),
        test_with_ctx(only_uninterrupted_trouble_counts),
        test_with_ctx(a_gap_neither_fires_nor_clears),
        test_with_ctx(a_jump_of_the_clock_neither_fires_nor_clears),
        test_with_ctx(a_series_that_is_gone_resolves),
        test_with_ctx(a_failing_collector_does_not_resolve),
        test_with_ctx(a_server_that_is_down_quiets_its_other_alerts),
        test_with_ctx(one_alert_speaks_for_another),
        test_with_ctx(an_alert_that_was_quiet_ends_quietly),
        test_with_ctx(maintenance_is_quiet_until_it_ends),
        test_with_ctx(weekly_windows_are_in_utc_and_go_over_midnight),
        test_with_ctx(flapping_is_told_of_once_more_at_most),
        test_with_ctx(labels_make_alerts),
        test_with_ctx(rules_can_be_changed_turned_off_and_added),
        test_with_ctx(little_traffic_is_not_judged),
        test_with_ctx(a_restart_keeps_what_was_seen),
        test_with_ctx(alerts_are_bounded),
        test_with_ctx(the_list_has_the_worst_first),
        test_with_ctx(an_alert_says_what_when_and_what_next),
    };

    return cmocka_run_group_tests_name("monitor/alert", tests, NULL, NULL);
}
