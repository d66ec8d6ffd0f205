/* A loop, a connection on it, and a blocking one beside it that looks on and makes faults. */
#pragma once

#include "support/test.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/evented.h"

/* However busy the machine is: what takes longer hangs. */
enum { STAGE_LIMIT_US = 60000000 };

struct stage {
    struct ctx ctx;
    struct loop *loop;
    struct loop_timer *guard; /* ends a test that hangs */
    struct evented *evented;
    struct db *admin;
    struct db *holder; /* holds locks */
    bool is_opened;
    bool is_lost;
    struct error error;
    struct evented_reply *replies;
    size_t count;
    int64_t counter;
    struct loop_timer *timer;
};

static inline void
stage_must(struct stage *stage, bool is_good)
{
    if (!is_good)
        fail_msg("%s", stage->ctx.error.message);
}

static inline const char *
stage_value(struct stage *stage, const char *sql)
{
    const char *cell = NULL;

    stage_must(stage, db_value(&stage->ctx, stage->admin, sql, NULL, 0, &cell));
    return cell;
}

static inline void
stage_hangs(void *data)
{
    (void)data;
    fail_msg("the loop waits for what does not come");
}

static inline int
stage_set_up(void **state)
{
    struct arena *arena = arena_new();
    struct stage *stage = ARENA_NEW(arena, struct stage);
    struct db_options options = { .application = "test_evented", .access = ACCESS_WRITE };

    stage->ctx.arena = arena;
    stage_must(stage, loop_new(&stage->ctx, &stage->loop));
    stage_must(stage, db_open(&stage->ctx, &options, &stage->admin));
    stage_must(stage, db_open(&stage->ctx, &options, &stage->holder));
    stage->guard = loop_timer_new(stage->loop, stage_hangs, stage);
    loop_timer_set(stage->guard, STAGE_LIMIT_US);
    *state = stage;
    return 0;
}

static inline int
stage_tear_down(void **state)
{
    struct stage *stage = *state;

    evented_close(stage->evented);
    db_close(stage->holder);
    db_close(stage->admin);
    loop_timer_free(stage->guard);
    loop_free(stage->loop);
    arena_free(stage->ctx.arena);
    return 0;
}

#define test_on_stage(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)
