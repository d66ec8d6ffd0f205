#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_load_engine_support.h"

static struct load_scenario
scenario_of_thinkers(struct ctx *ctx, int32_t users, int64_t think_us, int64_t duration_us)
{
    struct load_scenario scenario = sim_scenario(ctx, users, duration_us);

    scenario.groups[0].think = THINK_FIXED;
    scenario.groups[0].think_us = think_us;
    return scenario;
}

static void
test_users_come_evenly(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = scenario_of_thinkers(*state, 75, SECOND, 5 * SECOND);
    struct load_group groups[2] = { scenario.groups[0], scenario.groups[0] };
    size_t users = 0;
    size_t bots = 0;

    groups[1].name = "bots";
    groups[1].users = 25;
    scenario.groups = groups;
    scenario.group_count = 2;
    scenario.users = 100;
    scenario.ramp_up_us = 10 * SECOND;
    sim_run(sim, &scenario);
    assert_int_equal(sim->connects.count, 100);
    assert_int_equal(sim->record.most_open, 100);
    /* Ten a second, and of each group its share. */
    for (size_t i = 0; i < sim->connects.count; i++) {
        int64_t second = sim->connects.items[i] / SECOND;

        assert_in_range(i, second * 10 > 1 ? second * 10 - 2 : 0, second * 10 + 11);
    }
    for (size_t i = 0; i < 100; i++) {
        const struct load_connection *connection = sim->connections.items[i];

        if (connection->number < 75)
            users += connection->opened_us < 5 * SECOND ? 1 : 0;
        else
            bots += connection->opened_us < 5 * SECOND ? 1 : 0;
    }
    assert_in_range(users, 37, 38);
    assert_in_range(bots, 12, 13);
}

static void
test_few_connect_at_a_time(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = scenario_of_thinkers(*state, 1000, SECOND, 10 * SECOND);

    sim->connect_us = 100 * MS;
    sim_run(sim, &scenario);
    assert_int_equal(sim->most_connecting, MOST_CONNECTING);
    assert_int_equal(sim->record.most_open, 1000);
    assert_int_equal(sim->connects.count, 1000);
    /* All were due, whether they had a connection yet or not: the wait is in the latency. */
    assert_int_equal(load_record_count(&sim->record, LOAD_GOOD), 10000);
}

/* It takes 5 s until all have had their turn: that is not the server's fault, and nobody fails. */
static void
test_turn_to_connect_is_waited_for(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = scenario_of_thinkers(*state, 1000, SECOND, 10 * SECOND);

    sim->connect_us = SECOND;
    scenario.limit_us = 1500 * MS;
    sim_run(sim, &scenario);
    assert_int_equal(sim->connects.count, 1000);
    assert_int_equal(load_record_errors(&sim->record), 0);
    assert_int_equal(load_record_count(&sim->record, LOAD_GOOD), 10000);
}

/* A machine that is gone does not even refuse. */
static void
test_silence_is_not_hidden(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = scenario_of_thinkers(*state, 300, SECOND, 30 * SECOND);
    const struct load_record *record;

    scenario.limit_us = SECOND;
    sim->is_silent_down = true;
    sim->down_us = 10 * SECOND;
    sim->down_end_us = 20 * SECOND;
    record = sim_run(sim, &scenario);
    assert_int_equal(sim_total(record), 300 * 30);
    assert_in_range(load_record_count(record, LOAD_UNCONNECTED), 300 * 8, 300 * 17);
    assert_int_equal(record->unanswered, 0);
    assert_string_equal(record->messages[0].text, "no connection within 1.0 s");
}

/* Ten seconds of requests of users whose connection is still not there at the end. */
static void
test_who_never_got_a_connection(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = scenario_of_thinkers(*state, 300, SECOND, 10 * SECOND);
    const struct load_record *record;

    sim->connect_us = 14 * SECOND;
    scenario.limit_us = 60 * SECOND;
    scenario.ramp_up_us = 0;
    /* Two hundred have one after 14 s, too late for the 10 s limit of a run that has none at all. */
    sim->connects.count = 0;
    assert_false(sim_run_with(sim, &scenario, false));
    error_clear(*state);

    sim = sim_new(*state);
    sim->connect_us = 9 * SECOND;
    record = sim_run(sim, &scenario);
    assert_int_equal(sim_total(record), 300 * 10);
    assert_int_equal(load_record_count(record, LOAD_UNCONNECTED), 100 * 10);
    assert_int_equal(record->unanswered, 0);
}

/*
 * Fixed think times of 1 s and sessions of 10 s: at each request the person is a new one with probability
 * 1 - exp(-1/10), independent of all before, so that sign-ins are binomial.
 */
static void
test_sessions_end(void **state)
{
    static const size_t start[] = { 3 };
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = scenario_of_thinkers(*state, 200, SECOND, 100 * SECOND);
    double share = 1 - exp(-0.1);
    int64_t sign_ins = 0;

    scenario.groups[0].start = start;
    scenario.groups[0].start_count = 1;
    scenario.groups[0].session_us = 10 * SECOND;
    sim_run(sim, &scenario);
    for (size_t i = 0; i < sim->sends.count; i++) {
        const struct sim_send *send = &sim->sends.items[i];

        /* A sign-in is the first thing on each connection, and never again on it. */
        assert_int_equal(send->step == 3, send->turn == 0);
        sign_ins += send->step == 3 ? 1 : 0;
    }
    assert_int_equal(sim->sends.count, 200 * 100);
    assert_near((double)sign_ins - 200, 200 * 99 * share, sqrt(200 * 99 * share * (1 - share)) + 4);
    assert_int_equal(sim->record.lost, 0);
    assert_int_equal(load_record_errors(&sim->record), 0);
}

static void
test_late_answers_close_the_connection(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = scenario_of_thinkers(*state, 1, 100 * MS, 10 * SECOND);
    const struct load_record *record;

    /* From 2 s to 4 s nothing is answered within 500 ms: those sent at 2.0, 2.5, 3.0 and 3.5 are late. */
    scenario.limit_us = 500 * MS;
    sim->stall_us = 2 * SECOND;
    sim->stall_end_us = 4 * SECOND + 100 * MS;
    record = sim_run(sim, &scenario);
    assert_in_range(load_record_count(record, LOAD_LATE), 3, 4);
    assert_int_equal(sim->disconnects, load_record_count(record, LOAD_LATE));
    assert_int_equal(sim->connects.count, 1 + load_record_count(record, LOAD_LATE));
    assert_int_equal(sim_total(record), 100);
    assert_int_equal(record->unanswered, 0);
    assert_int_equal(record->lost, 0);
    assert_string_equal(record->messages[0].text, "no answer within 500 ms");
}

/* Down from 10 s to 20 s: 10 users, 10 requests a second each. None is hidden. */
static void
test_outage_is_not_hidden(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = scenario_of_thinkers(*state, 10, 100 * MS, 30 * SECOND);
    const struct load_record *record;
    int64_t unconnected;
    size_t tries = 0;

    sim->down_us = 10 * SECOND;
    sim->down_end_us = 20 * SECOND;
    record = sim_run(sim, &scenario);
    unconnected = load_record_count(record, LOAD_UNCONNECTED);
    assert_int_equal(sim_total(record), 10 * 300);
    assert_int_equal(record->lost, 10);
    /* Until they try again, 5 s later at most. */
    assert_in_range(unconnected, 10 * 98, 10 * 151);
    /* What was under way when it went down. */
    assert_in_range(load_record_count(record, LOAD_RESET), 0, 10);
    assert_int_equal(load_record_count(record, LOAD_GOOD),
        10 * 300 - unconnected - load_record_count(record, LOAD_RESET));
    assert_string_equal(record->messages[0].text, "connection refused");
    for (size_t i = 0; i < sim->connects.count; i++)
        tries += sim->connects.items[i] > SECOND ? 1 : 0;
    /* 0, 0.1, 0.2 … 3.2, 5 s or half as long: at most 12 each, and not fewer than 6. */
    assert_in_range(tries, 10 * 6, 10 * 12);
}

static void
test_outage_is_not_hidden_by_rate(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 10, 30 * SECOND);
    const struct load_record *record;

    scenario.groups[0].rate = 100;
    sim->down_us = 10 * SECOND;
    sim->down_end_us = 20 * SECOND;
    record = sim_run(sim, &scenario);
    assert_near((double)sim_total(record), 3000, sqrt(3000));
    assert_in_range(load_record_count(record, LOAD_UNCONNECTED), 800, 1600);
    assert_int_equal(load_record_count(record, LOAD_GOOD) +
                         load_record_count(record, LOAD_UNCONNECTED) +
                         load_record_count(record, LOAD_RESET),
        sim_total(record));
}

static void
test_eager_users_do_not_spin_in_an_outage(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 1, 30 * SECOND);
    const struct load_record *record;

    sim->down_us = 10 * SECOND;
    sim->down_end_us = 20 * SECOND;
    record = sim_run(sim, &scenario);
    assert_in_range(load_record_count(record, LOAD_UNCONNECTED), 4, 12);
    assert_in_range(load_record_count(record, LOAD_GOOD), 14900, 20001);
    assert_int_equal(load_record_count(record, LOAD_RESET), 1);
}

static void
test_closing_answers_are_no_losses(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = scenario_of_thinkers(*state, 3, 100 * MS, 10 * SECOND);
    const struct load_record *record;

    sim->is_closing = true;
    sim->connect_us = MS;
    record = sim_run(sim, &scenario);
    assert_int_equal(load_record_count(record, LOAD_GOOD), 300);
    assert_int_equal(sim->connects.count, 300 + 3);
    assert_int_equal(record->lost, 0);
    assert_int_equal(record->waited, 0);
}

static void
test_what_cannot_be_sent_does_not_spin(void **state)
{
    struct sim *sim = sim_new(*state);
    struct load_scenario scenario = sim_scenario(*state, 2, 10 * SECOND);
    const struct load_record *record;

    sim->is_missing = true;
    record = sim_run(sim, &scenario);
    assert_int_equal(load_record_count(record, LOAD_UNSENT), 2 * 100);
}

static void
test_nobody_there(void **state)
{
    struct ctx *ctx = *state;
    struct sim *sim = sim_new(ctx);
    struct load_scenario scenario = scenario_of_thinkers(ctx, 100, SECOND, 3600 * SECOND);

    scenario.ramp_up_us = 60 * SECOND;
    sim->down_us = 0;
    sim->down_end_us = INT64_MAX;
    assert_false(sim_run_with(sim, &scenario, false));
    assert_error(ctx, ERR_CONNECTION, "not one connection could be opened: connection refused");
    assert_non_null(ctx->error.hint);
    assert_true(sim_time(sim) < 3 * SECOND);

    error_clear(ctx);
    sim = sim_new(ctx);
    sim->is_silent = true;
    assert_false(sim_run_with(sim, &scenario, false));
    assert_error(ctx, ERR_CONNECTION, "no");
    assert_true(sim_time(sim) <= 11 * SECOND);
}

static void
expect_refusal(struct ctx *ctx, const struct load_scenario *scenario, const char *words)
{
    struct sim *sim = sim_new(ctx);

    error_clear(ctx);
    assert_false(sim_run_with(sim, scenario, false));
    assert_error(ctx, ERR_USAGE, words);
    assert_int_equal(sim->connects.count, 0);
}

static void
test_caps(void **state)
{
    struct ctx *ctx = *state;
    struct load_scenario scenario = sim_scenario(ctx, LOAD_MOST_USERS + 1, SECOND);

    expect_refusal(ctx, &scenario, "60001 users are too many: at most 60000");

    scenario = sim_scenario(ctx, 10, SECOND);
    scenario.groups[0].rate = LOAD_MOST_RATE + 1;
    expect_refusal(ctx, &scenario, "100001 requests a second by the schedule are too many");

    scenario = scenario_of_thinkers(ctx, 1000, 9 * MS, SECOND);
    expect_refusal(ctx, &scenario, "111111 requests a second by the schedule are too many");

    scenario = sim_scenario(ctx, 10, LOAD_LONGEST_US);
    scenario.ramp_up_us = SECOND;
    expect_refusal(ctx, &scenario, "14401 s together: at most 14400 s");

    scenario = sim_scenario(ctx, 10, 3600 * SECOND);
    scenario.groups[0].rate = 80000;
    expect_refusal(ctx, &scenario, "at most 200000000 requests");

    scenario = sim_scenario(ctx, 0, SECOND);
    expect_refusal(ctx, &scenario, "no users");
}

/* In a process of its own: what is lowered once stays lowered. */
static int
with_hard_limit(struct ctx *ctx, rlim_t hard, int64_t users)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = { .rlim_cur = hard < 64 ? hard : 64, .rlim_max = hard };

        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            _exit(99);
        if (!load_limits_descriptors(ctx, users))
            _exit(ctx->error.kind == ERR_USAGE && strstr(ctx->error.message, " 1100 file") &&
                          strstr(ctx->error.hint, "ulimit -n 1100") &&
                          strstr(ctx->error.hint, "LimitNOFILE=1100") &&
                          strstr(ctx->error.hint, "/etc/security/limits.conf")
                      ? 1
                      : 98);
        _exit(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 1100 ? 0 : 97);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
test_descriptors(void **state)
{
    assert_int_equal(with_hard_limit(*state, 1099, 1000), 1);
    assert_int_equal(with_hard_limit(*state, 1100, 1000), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_users_come_evenly),
        test_with_ctx(test_few_connect_at_a_time),
        test_with_ctx(test_turn_to_connect_is_waited_for),
        test_with_ctx(test_silence_is_not_hidden),
        test_with_ctx(test_who_never_got_a_connection),
        test_with_ctx(test_sessions_end),
        test_with_ctx(test_late_answers_close_the_connection),
        test_with_ctx(test_outage_is_not_hidden),
        test_with_ctx(test_outage_is_not_hidden_by_rate),
        test_with_ctx(test_eager_users_do_not_spin_in_an_outage),
        test_with_ctx(test_closing_answers_are_no_losses),
        test_with_ctx(test_what_cannot_be_sent_does_not_spin),
        test_with_ctx(test_nobody_there),
        test_with_ctx(test_caps),
        test_with_ctx(test_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
