/* When rates may span two ticks, and what watching costs: judged from numbers made up by hand. */
#include "support/test.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "monitor/watch/cost.h"
#include "monitor/watch/gap.h"

static const int64_t second = 1000000;

static struct gap_marks
marks_at(int64_t seconds)
{
    struct gap_marks marks = {
        .is_known = true,
        .system_identifier = "7301",
        .timeline = 1,
        .started = 1000,
        .checkpoint_reset = 1000,
        .database_reset = NAN,
        .statement_reset = 1100,
        .at_us = 5 * second + seconds * second,
        .at_wall_us = 1700000000 * second + seconds * second,
    };

    return marks;
}

static const char *
why_of(
    struct ctx *ctx, const struct gap_marks *before, const struct gap_marks *now, unsigned wanted)
{
    const char *why = "not set";

    assert_int_equal(gap_between(ctx->arena, before, now, &why), wanted);
    if (wanted == GAP_NONE)
        assert_null(why);
    else
        assert_non_null(why);
    return why ? why : "";
}

static void
an_ordinary_tick_is_no_gap(void **state)
{
    struct ctx *ctx = *state;
    struct gap_marks before = marks_at(0);
    struct gap_marks now = marks_at(5);

    why_of(ctx, &before, &now, GAP_NONE);
    /* A clock that is slewed: 500 parts in a million. */
    now.at_wall_us += 5 * 500;
    why_of(ctx, &before, &now, GAP_NONE);
    /* What is not known says nothing. */
    now.system_identifier[0] = '\0';
    now.timeline = 0;
    now.statement_reset = NAN;
    now.checkpoint_reset = NAN;
    why_of(ctx, &before, &now, GAP_NONE);
    before.is_known = false;
    now.started = 9999;
    why_of(ctx, &before, &now, GAP_NONE);
}

static void
another_life_of_the_server_is_a_gap(void **state)
{
    struct ctx *ctx = *state;
    struct gap_marks before = marks_at(0);
    struct gap_marks now = marks_at(5);

    now.started = 1003.5;
    assert_non_null(strstr(why_of(ctx, &before, &now, GAP_ALL), "restarted"));
    now = marks_at(5);
    now.checkpoint_reset = 1004;
    assert_non_null(strstr(why_of(ctx, &before, &now, GAP_ALL), "reset"));
    now = marks_at(5);
    snprintf(now.system_identifier, sizeof(now.system_identifier), "7302");
    assert_non_null(strstr(why_of(ctx, &before, &now, GAP_ALL), "another server"));
    now = marks_at(5);
    now.timeline = 2;
    assert_non_null(strstr(why_of(ctx, &before, &now, GAP_ALL), "failover"));
    now = marks_at(5);
    now.in_recovery = true;
    assert_non_null(strstr(why_of(ctx, &before, &now, GAP_ALL), "standby"));
    assert_non_null(strstr(why_of(ctx, &now, &before, GAP_ALL), "promoted"));
}

static void
a_jump_of_the_clock_is_a_gap(void **state)
{
    struct ctx *ctx = *state;
    struct gap_marks before = marks_at(0);
    struct gap_marks now = marks_at(5);

    now.at_wall_us += 3600 * second;
    assert_non_null(strstr(why_of(ctx, &before, &now, GAP_ALL), "ahead by 1 h"));
    now.at_wall_us -= 2 * 3600 * second;
    assert_non_null(strstr(why_of(ctx, &before, &now, GAP_ALL), "back by 1 h"));
    now = marks_at(5);
    now.at_wall_us += 1900000;
    why_of(ctx, &before, &now, GAP_NONE);
}

static void
a_reset_of_a_part_is_a_gap_of_that_part(void **state)
{
    struct ctx *ctx = *state;
    struct gap_marks before = marks_at(0);
    struct gap_marks now = marks_at(5);

    now.statement_reset = 1200;
    why_of(ctx, &before, &now, GAP_STATEMENT);
    before.database_reset = 1100;
    now.database_reset = 1150;
    why_of(ctx, &before, &now, GAP_STATEMENT | GAP_DATABASE);
    now.statement_reset = before.statement_reset;
    why_of(ctx, &before, &now, GAP_DATABASE);
}

static bool
note(struct cost *cost, int64_t busy_us, int64_t wall_us)
{
    /* The first answer is the way there and back, which is nobody's work. */
    struct evented_reply replies[] = { { .elapsed_us = 1000 }, { .elapsed_us = busy_us } };

    return cost_note(cost, replies, COUNT_OF(replies), wall_us, 0);
}

/* 20 ms in each second are 2 %: over 1 %, and with doubled intervals 1 %, with two doublings 0.5 %. */
static void
intervals_double_until_the_cost_is_allowed(void **state)
{
    struct cost cost = { .most_ratio = 0.0101 };
    int changes = 0;

    (void)state;
    for (int tick = 0; tick < 5; tick++)
        assert_false(note(&cost, 20000, second));
    assert_true(fabs(cost_ratio(&cost) - 0.02) < 1e-9);
    assert_true(note(&cost, 20000, second));
    assert_int_equal(cost.slowed, 1);
    for (int tick = 0; tick < 100; tick++)
        changes += note(&cost, 20000, 2 * second);
    assert_int_equal(changes, 0);
    assert_true(fabs(cost_ratio(&cost) - 0.01) < 1e-9);
    /* A tenth of the work: it becomes quick again, once. */
    for (int tick = 0; tick < 200; tick++)
        changes += note(&cost, 2000, cost.slowed ? 2 * second : second);
    assert_int_equal(changes, 1);
    assert_int_equal(cost.slowed, 0);
}

/* Just over 0.4 of what is allowed: quickened it would be near the limit, so it is left alone. */
static void
the_intervals_do_not_swing(void **state)
{
    struct cost cost = { .most_ratio = 0.01 };
    int changes = 0;

    (void)state;
    while (cost.slowed < 2)
        note(&cost, 40000, second);
    for (int tick = 0; tick < 500; tick++)
        changes += note(&cost, 20000, (int64_t)second << cost.slowed);
    assert_true(changes <= 1);
}

/* A process that works is seen to work; ours has its number in the same place. */
static void
a_process_of_this_machine_is_asked_for_its_time(void **state)
{
    struct cost cost = { .most_ratio = 1000 };
    struct evented_reply reply = { .elapsed_us = 77 };
    volatile uint64_t sum = 0;

    (void)state;
    if (access("/proc/self/schedstat", R_OK) != 0)
        skip();
    /* The kernel counts at its ticks: a process that has just begun has used nothing yet. */
    for (clock_t begin = clock(); clock() - begin < CLOCKS_PER_SEC / 20;)
        sum++;
    cost_note(&cost, &reply, 1, second, (int)getpid());
    /* What a session took until it was first seen is not judged. */
    assert_true(cost.busy_us == 0 && cost.ticks == 0);
    for (uint64_t i = 0; i < 30000000; i++)
        sum += i;
    assert_true(sum > 0);
    cost_note(&cost, &reply, 1, second, (int)getpid());
    assert_true(cost.busy_us > 1000 && cost.busy_us != 77);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        test_with_ctx(an_ordinary_tick_is_no_gap),
        test_with_ctx(another_life_of_the_server_is_a_gap),
        test_with_ctx(a_jump_of_the_clock_is_a_gap),
        test_with_ctx(a_reset_of_a_part_is_a_gap_of_that_part),
        cmocka_unit_test(intervals_double_until_the_cost_is_allowed),
        cmocka_unit_test(the_intervals_do_not_swing),
        cmocka_unit_test(a_process_of_this_machine_is_asked_for_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
