/* The pool's end, and straight code on it: tasks that unwind, draining, closing at once. */
#define DESK_DATABASE "pgmend_test_pool_end"
#include "db/pool/straight.h"
#include "test_pool_support.h"

enum { LIMIT_US = 30000000 };

struct straight_test {
    struct desk *desk;
    struct straight straight;
    struct ctx ctx;
    bool is_good;
    bool is_over;
    int64_t number;
};

static void
straight_body(struct task *task, void *data)
{
    struct straight_test *test = data;
    struct one_number arg = { 9 };
    struct {
        struct one_number *items;
        size_t count;
    } rows = { 0 };

    test->straight.task = task;
    test->is_good = straight_begin(&test->ctx, &test->straight, LIMIT_US) &&
                    straight_do(&test->ctx, &test->straight, "BEGIN") &&
                    straight_ask(&test->ctx, &test->straight, &ask_write, &arg, &rows);
    if (test->is_good && rows.count == 1)
        test->number = rows.items[0].number;
    arg.number = 60000;
    if (test->is_good && test->straight.until_us)
        test->is_good = straight_do(&test->ctx, &test->straight, "COMMIT") &&
                        straight_ask(&test->ctx, &test->straight, &ask_sleep, &arg, NULL);
    straight_end(&test->straight);
    test->is_over = true;
    desk_count(test->desk);
}

static void
straight_code_waits_and_unwinds_when_its_client_has_gone(void **state)
{
    struct desk *desk = *state;
    struct straight_test tests[3];
    struct tasks *tasks = tasks_new(3);
    struct asked *after;

    desk->options.size = 2;
    desk->options.most_overflow = 0;
    desk_open(desk);
    for (size_t i = 0; i < COUNT_OF(tests); i++) {
        tests[i] = (struct straight_test){
            .desk = desk,
            .straight = { .pool = desk->pool },
            .ctx = { .arena = desk->ctx.arena },
        };
        assert_true(task_start(tasks, straight_body, &tests[i]));
        assert_false(tests[i].is_over);
    }
    /* The third waits for a connection. */
    straight_drop(&tests[2].straight);
    assert_true(tests[2].is_over);
    assert_int_equal(tests[2].ctx.error.kind, ERR_INTERRUPTED);
    desk->answered = 0;
    desk_run_until(desk, two_sleep);
    for (size_t i = 0; i < 2; i++) {
        straight_drop(&tests[i].straight);
        assert_true(tests[i].is_over);
        assert_int_equal(tests[i].ctx.error.kind, ERR_INTERRUPTED);
    }
    desk->answered = 0;
    after = desk_ask(desk, POOL_EXCLUSIVE, &ask_number, 1, false, 0);
    desk_run(desk, 1);
    assert_good(after);
    desk_run_until(desk, none_sleeps);
    assert_true(tests[0].straight.statements >= 1);
    tasks_free(tasks);
    desk_do(desk, "TRUNCATE public.done");
}

static void
drained(void *data)
{
    struct desk *desk = data;

    desk->is_drained = true;
    desk_count(desk);
}

static void
draining_ends_what_is_there_and_takes_nothing_more(void **state)
{
    struct desk *desk = *state;
    struct asked *asked[30];
    struct asked *refused;

    desk->options.size = 3;
    desk->options.most_overflow = 0;
    desk_open(desk);
    desk_read(desk, POOL_SHARED, 0);
    desk_run(desk, 1);
    for (int i = 0; i < 30; i++)
        asked[i] = desk_ask(desk, POOL_EXCLUSIVE, &ask_sleep, 10, true, 0);
    pool_drain(desk->pool, drained, desk);
    refused = desk_read(desk, POOL_SHARED, 0);
    assert_bad(refused, ERR_BUSY);
    assert_false(desk->is_drained);
    desk_run(desk, 32);
    assert_true(desk->is_drained);
    for (int i = 0; i < 30; i++)
        assert_good(asked[i]);
    assert_int_equal(pool_statistics(desk->pool).open, 0);
    assert_int_equal(pool_statistics(desk->pool).opened, 4);
}

static void
closing_at_once_tells_everybody(void **state)
{
    struct desk *desk = *state;
    struct asked *asked[10];
    struct asked *lease;

    desk->options.size = 2;
    desk->options.most_overflow = 0;
    desk_open(desk);
    lease = take_lease(desk);
    desk_run(desk, 1);
    for (int i = 0; i < 10; i++)
        asked[i] = desk_ask(desk, (enum pool_lane)(i % 2), &ask_sleep, 60000, true, 0);
    desk_run_until(desk, some_sleep);
    pool_free(desk->pool);
    desk->pool = NULL;
    assert_int_equal(desk->answered, 10);
    for (int i = 0; i < 10; i++)
        assert_bad(asked[i], ERR_CONNECTION);
    pool_lease_end(lease->lease);
    desk->answered = 0;
}

static void
what_cannot_be_a_pool_is_refused(void **state)
{
    struct desk *desk = *state;
    struct ctx ctx = { .arena = desk->ctx.arena };
    struct pool_options options = desk->options;

    options.db.url = "postgresql://user:secret@[::1";
    assert_false(pool_new(&ctx, desk->loop, &options, &desk->pool));
    assert_int_equal(ctx.error.kind, ERR_INPUT);
    assert_null(strstr(ctx.error.message, "secret"));
    options = desk->options;
    options.size = 0;
    options.most_overflow = 0;
    assert_false(pool_new(&ctx, desk->loop, &options, &desk->pool));
    assert_int_equal(ctx.error.kind, ERR_INPUT);
    options = desk->options;
    options.most_waiting = 0;
    assert_false(pool_new(&ctx, desk->loop, &options, &desk->pool));
    assert_int_equal(ctx.error.kind, ERR_INPUT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_at_desk(straight_code_waits_and_unwinds_when_its_client_has_gone),
        test_at_desk(draining_ends_what_is_there_and_takes_nothing_more),
        test_at_desk(closing_at_once_tells_everybody),
        test_at_desk(what_cannot_be_a_pool_is_refused),
    };

    return cmocka_run_group_tests(tests, desk_make_database, desk_drop_database);
}
