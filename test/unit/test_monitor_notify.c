/* Who is told of alerts, when, and what: grouped, once, again, later, and when it is over. */
#include "support/test.h"

#include "unit/test_monitor_notify_support.h"

static const char *
text_at(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text ? text : "(none)";
}

static const json_t *
alert_at(const json_t *json, size_t number)
{
    return json_array_get(json_object_get(json, "alerts"), number);
}

static size_t
alert_count(const json_t *json)
{
    return json_array_size(json_object_get(json, "alerts"));
}

/* Alerts of one server go together, and nobody hears of them twice. */
static void
test_group(void **state)
{
    struct bench *bench = *state;
    struct alert busy = alert_of("1", &busy_rule, "a");
    struct alert down = alert_of("2", &down_rule, "a");
    struct alert other = alert_of("3", &busy_rule, "b");

    add_program(bench, "one");
    start(bench);
    notifier_hear(bench->notifier, &busy);
    notifier_hear(bench->notifier, &down);
    notifier_hear(bench->notifier, &down);
    json_t *first CLEANUP(json_release) = wait_for(bench, "one", 1);

    assert_int_equal(alert_count(first), 2);
    assert_string_equal(text_at(first, "groupKey"), "{}:{server=\"a\"}");
    assert_string_equal(
        text_at(json_object_get(alert_at(first, 0), "labels"), "alertname"), "server-down");
    notifier_hear(bench->notifier, &busy);
    notifier_hear(bench->notifier, &other);
    json_t *second CLEANUP(json_release) = wait_for(bench, "one", 2);

    assert_int_equal(alert_count(second), 1);
    assert_string_equal(text_at(second, "groupKey"), "{}:{server=\"b\"}");
    assert_int_equal(count_after(bench, "one", 400000), 2);
    assert_int_equal(state_of(bench, "one").sent, 2);
    assert_int_equal(state_of(bench, "one").queued, 0);
}

/* The end is told, with those of the group that go on. */
static void
test_resolved(void **state)
{
    struct bench *bench = *state;
    struct alert busy = alert_of("1", &busy_rule, "a");
    struct alert down = alert_of("2", &down_rule, "a");

    add_program(bench, "one");
    add_program(bench, "firing")->sends_resolved = false;
    start(bench);
    notifier_hear(bench->notifier, &busy);
    notifier_hear(bench->notifier, &down);
    json_t *first CLEANUP(json_release) = wait_for(bench, "one", 1);
    json_t *also CLEANUP(json_release) = wait_for(bench, "firing", 1);

    assert_string_equal(text_at(first, "status"), "firing");
    assert_string_equal(text_at(also, "receiver"), "firing");
    resolve(bench, &down);
    json_t *second CLEANUP(json_release) = wait_for(bench, "one", 2);

    assert_string_equal(text_at(second, "status"), "firing");
    assert_int_equal(alert_count(second), 2);
    assert_string_equal(text_at(alert_at(second, 0), "status"), "resolved");
    assert_string_not_equal(text_at(alert_at(second, 0), "endsAt"), "0001-01-01T00:00:00Z");
    assert_string_equal(text_at(alert_at(second, 1), "status"), "firing");
    resolve(bench, &busy);
    resolve(bench, &busy);
    json_t *third CLEANUP(json_release) = wait_for(bench, "one", 3);

    assert_string_equal(text_at(third, "status"), "resolved");
    assert_int_equal(alert_count(third), 1);
    assert_int_equal(count_after(bench, "one", 300000), 3);
    assert_int_equal(count_after(bench, "firing", 0), 1);
}

/* What is over before anybody was told is nobody's business; what comes back is a new alert. */
static void
test_short_and_back(void **state)
{
    struct bench *bench = *state;
    struct alert busy = alert_of("1", &busy_rule, "a");

    add_program(bench, "one")->group_wait_us = 500000;
    start(bench);
    notifier_hear(bench->notifier, &busy);
    resolve(bench, &busy);
    assert_int_equal(count_after(bench, "one", 800000), 0);
    for (size_t i = 0; i < 2; i++) {
        busy = alert_of("1", &busy_rule, "a");
        notifier_hear(bench->notifier, &busy);
        json_t *firing CLEANUP(json_release) = wait_for(bench, "one", 2 * i + 1);

        assert_string_equal(text_at(firing, "status"), "firing");
        resolve(bench, &busy);
        json_t *over CLEANUP(json_release) = wait_for(bench, "one", 2 * i + 2);

        assert_string_equal(text_at(over, "status"), "resolved");
    }
}

static void
test_repeat(void **state)
{
    struct bench *bench = *state;
    struct alert busy = alert_of("1", &busy_rule, "a");
    int64_t start_us;

    add_program(bench, "often")->repeat_us = 700000;
    add_program(bench, "once");
    start(bench);
    notifier_hear(bench->notifier, &busy);
    json_decref(wait_for(bench, "often", 1));

    start_us = clock_us();
    json_t *second CLEANUP(json_release) = wait_for(bench, "often", 3);

    assert_true(clock_us() - start_us >= 1300000);
    assert_string_equal(text_at(second, "status"), "firing");
    assert_int_equal(count_after(bench, "once", 0), 1);
}

/*
 * Alerts of a group that began at different times are repeated together: whoever was told of one among the
 * others is not told again before the time is over. Four that begin 300 ms apart are told of in four
 * messages; then there is one each 1.5 s, not four.
 */
static void
test_repeat_of_group(void **state)
{
    static const char *const ids[] = { "1", "2", "3", "4" };
    struct bench *bench = *state;
    size_t before;

    add_program(bench, "one")->repeat_us = 1500000;
    start(bench);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct alert busy = alert_of(ids[i], &busy_rule, "a");

        notifier_hear(bench->notifier, &busy);
        json_decref(wait_for(bench, "one", i + 1));
        wait_until(bench, is_never, 300000);
    }
    before = count_after(bench, "one", 0);

    /* In 3.2 s there is room for two repeats of all, and on a slow machine for fewer. */
    size_t repeats = count_after(bench, "one", 3200000) - before;

    assert_in_range(repeats, 1, 2);

    json_t *last CLEANUP(json_release) = wait_for(bench, "one", before + repeats);

    assert_int_equal(alert_count(last), 4);
}

/* An escalation table: one is told at once, one when it lasts, one of other things only. */
static void
test_routes(void **state)
{
    struct bench *bench = *state;
    struct alert down = alert_of("1", &down_rule, "a");
    struct alert brief = alert_of("2", &down_rule, "b");
    struct alert busy = alert_of("3", &busy_rule, "c");
    int64_t start_us = clock_us();

    add_program(bench, "first");
    add_program(bench, "boss");
    add_program(bench, "shop");
    add_route(bench, "critical", NULL, 0, "first");
    add_route(bench, "critical", NULL, 1500000, "boss");
    add_route(bench, NULL, "shop", 0, "shop");
    busy.owner = "shop";
    start(bench);
    notifier_hear(bench->notifier, &brief);
    json_decref(wait_for(bench, "first", 1));

    resolve(bench, &brief);
    down.fired_wall_us = clock_wall_us();
    start_us = clock_us();
    notifier_hear(bench->notifier, &down);
    notifier_hear(bench->notifier, &busy);
    json_t *boss CLEANUP(json_release) = wait_for(bench, "boss", 1);

    assert_true(clock_us() - start_us >= 1500000);
    assert_string_equal(text_at(boss, "groupKey"), "{}:{server=\"a\"}");
    json_t *shop CLEANUP(json_release) = wait_for(bench, "shop", 1);

    assert_string_equal(text_at(json_object_get(shop, "commonLabels"), "owner"), "shop");
    resolve(bench, &down);
    json_t *over CLEANUP(json_release) = wait_for(bench, "boss", 2);

    assert_string_equal(text_at(over, "status"), "resolved");
    assert_int_equal(count_after(bench, "shop", 300000), 1);
    json_release(&(json_t *){ wait_for(bench, "first", 4) });
    assert_int_equal(count_after(bench, "first", 0), 4);
    assert_int_equal(count_after(bench, "boss", 0), 2);
}

static void
test_quiet(void **state)
{
    struct bench *bench = *state;
    struct alert busy = alert_of("1", &busy_rule, "a");

    add_program(bench, "one");
    start(bench);
    busy.quiet = "maintenance";
    notifier_hear(bench->notifier, &busy);
    assert_int_equal(count_after(bench, "one", 300000), 0);
    resolve(bench, &busy);
    assert_int_equal(count_after(bench, "one", 300000), 0);
    busy = alert_of("1", &busy_rule, "a");
    notifier_hear(bench->notifier, &busy);
    json_release(&(json_t *){ wait_for(bench, "one", 1) });
}

static bool
has_sent(struct bench *bench)
{
    return state_of(bench, bench->sink).sent >= 1;
}

static bool
has_failed_twice(struct bench *bench)
{
    return state_of(bench, bench->sink).failed >= 2;
}

/* A sink that is down hears of what matters when it is back, also of what is over by then. */
static void
test_down_and_back(void **state)
{
    struct bench *bench = *state;
    struct alert busy = alert_of("1", &busy_rule, "a");
    struct alert brief = alert_of("2", &down_rule, "a");

    add_program(bench, "one");
    start(bench);
    set_down(bench, "one", true);
    notifier_hear(bench->notifier, &busy);
    notifier_hear(bench->notifier, &brief);
    bench->sink = "one";
    wait_until(bench, has_failed_twice, PATIENCE_US);
    assert_false(bench->is_late);
    resolve(bench, &brief);
    wait_until(bench, is_never, 200000);
    assert_string_equal(state_of(bench, "one").last_error, "exit status 3: out of paper");
    assert_int_equal(state_of(bench, "one").sent, 0);
    assert_int_equal(state_of(bench, "one").queued, 2);
    set_down(bench, "one", false);
    json_t *json CLEANUP(json_release) = wait_for(bench, "one", 1);

    assert_int_equal(alert_count(json), 2);
    assert_string_equal(text_at(alert_at(json, 0), "status"), "firing");
    assert_string_equal(text_at(alert_at(json, 1), "status"), "resolved");
    assert_int_equal(count_after(bench, "one", 300000), 1);
    wait_until(bench, has_sent, PATIENCE_US);
    assert_null(state_of(bench, "one").last_error);
}

/* More wait than there is room for: the mild ones go. */
static void
test_bounded(void **state)
{
    struct bench *bench = *state;
    struct alert down = alert_of("critical", &down_rule, "a");

    add_program(bench, "one")->group_wait_us = 600000000;
    start(bench);
    notifier_hear(bench->notifier, &down);
    for (int i = 0; i < 600; i++) {
        struct alert busy =
            alert_of(arena_printf(bench->ctx->arena, "busy %d", i), &busy_rule, "a");

        notifier_hear(bench->notifier, &busy);
    }
    assert_int_equal(state_of(bench, "one").queued, 500);
    assert_int_equal(state_of(bench, "one").dropped, 101);

    json_t *saved CLEANUP(json_release) = notifier_save(bench->notifier);
    const json_t *first = json_array_get(json_object_get(saved, "subjects"), 0);

    /* The critical one came first, and still waits. */
    assert_string_equal(text_at(json_object_get(first, "notice"), "id"), "critical");
    assert_int_equal(json_object_size(json_object_get(first, "sinks")), 0);
}

/* A restart neither repeats what was told nor forgets whom the end has to reach. */
static void
test_restart(void **state)
{
    struct bench *bench = *state;
    struct alert busy = alert_of("1", &busy_rule, "a");

    add_program(bench, "one");
    start(bench);
    notifier_hear(bench->notifier, &busy);
    json_release(&(json_t *){ wait_for(bench, "one", 1) });
    wait_until(bench, has_sent, PATIENCE_US);

    json_t *saved CLEANUP(json_release) = notifier_save(bench->notifier);

    notifier_free(bench->notifier);
    start(bench);
    assert_true(notifier_restore(bench->ctx, bench->notifier, saved));
    notifier_hear(bench->notifier, &busy);
    assert_int_equal(count_after(bench, "one", 400000), 1);
    resolve(bench, &busy);
    json_t *over CLEANUP(json_release) = wait_for(bench, "one", 2);

    assert_string_equal(text_at(over, "status"), "resolved");

    json_t *bad CLEANUP(json_release) = json_object();

    assert_false(notifier_restore(bench->ctx, bench->notifier, bad));
    assert_error(bench->ctx, ERR_INPUT, "cannot be read");
}

/* What nobody watches any more after a restart is over, not told for ever. */
static void
test_orphan(void **state)
{
    struct bench *bench = *state;
    struct alert busy = alert_of("1", &busy_rule, "a");
    struct notifier_options options = { .setup = &bench->setup };
    struct alerts *alerts;

    add_program(bench, "one")->repeat_us = 600000;
    start(bench);
    notifier_hear(bench->notifier, &busy);
    json_release(&(json_t *){ wait_for(bench, "one", 1) });
    wait_until(bench, has_sent, PATIENCE_US);

    json_t *saved CLEANUP(json_release) = notifier_save(bench->notifier);

    notifier_free(bench->notifier);
    assert_true(alerts_new(bench->ctx, &bench->setup, &alerts));
    options.alerts = alerts;
    assert_true(notifier_new(bench->ctx, bench->loop, &options, &bench->notifier));
    assert_true(notifier_restore(bench->ctx, bench->notifier, saved));
    json_t *over CLEANUP(json_release) = wait_for(bench, "one", 2);

    assert_string_equal(text_at(over, "status"), "resolved");
    assert_int_equal(count_after(bench, "one", 900000), 2);
    notifier_free(bench->notifier);
    bench->notifier = NULL;
    alerts_free(alerts);
}

/* The loop goes on while a program hangs, and the program does not outlive us. */
static void
test_program_hangs(void **state)
{
    struct bench *bench = *state;
    struct alert busy = alert_of("1", &busy_rule, "a");
    struct setup_sink *sink = add_program(bench, "one");
    const char *pid_path = sink_path(bench, "one", "pid");
    const char *script = arena_printf(bench->ctx->arena,
        "#!/bin/sh\ntrap '' TERM\necho $$ >%s.new\n"
        "mv %s.new %s\nwhile :; do sleep 1; done\n",
        pid_path, pid_path, pid_path);
    const char *text;
    size_t length;

    assert_true(file_write(bench->ctx, sink->program, script, strlen(script), 0700));
    start(bench);
    notifier_hear(bench->notifier, &busy);
    while (!file_exists(pid_path))
        wait_until(bench, is_never, 50000);
    assert_true(file_read(bench->ctx, pid_path, &text, &length));
    assert_int_equal(state_of(bench, "one").sent + state_of(bench, "one").failed, 0);

    pid_t pid = (pid_t)strtol(text, NULL, 10);

    assert_int_equal(kill(pid, 0), 0);
    notifier_free(bench->notifier);
    bench->notifier = NULL;
    assert_int_equal(kill(pid, 0), -1);
}

/* Six servers at once are six documents for a machine. */
static void
test_many_servers(void **state)
{
    struct bench *bench = *state;

    add_program(bench, "one");
    start(bench);
    for (int i = 0; i < 6; i++) {
        const char *name = arena_printf(bench->ctx->arena, "server %d", i);
        struct alert down = alert_of(name, &down_rule, name);

        notifier_hear(bench->notifier, &down);
    }
    json_release(&(json_t *){ wait_for(bench, "one", 6) });
    assert_int_equal(count_after(bench, "one", 200000), 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(test_group),
        test_with_bench(test_resolved),
        test_with_bench(test_short_and_back),
        test_with_bench(test_repeat),
        test_with_bench(test_repeat_of_group),
        test_with_bench(test_routes),
        test_with_bench(test_quiet),
        test_with_bench(test_down_and_back),
        test_with_bench(test_bounded),
        test_with_bench(test_restart),
        test_with_bench(test_orphan),
        test_with_bench(test_program_hangs),
        test_with_bench(test_many_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
