/*
 * The pool: both lanes, leases, tasks, the order of the queue, limits and the life of connections. What
 * the server saw is asked of the server.
 */
#define DESK_DATABASE "pgmend_test_pool"
#include "test_pool_support.h"

static const struct query set_it = DESK_QUERY(
    text, "SELECT pg_catalog.set_config('test.user', $1::pg_catalog.int8::pg_catalog.text, true)");
static const struct query get_it = DESK_QUERY(number,
    "SELECT $1::pg_catalog.int8 * 0 + coalesce(nullif(pg_catalog.current_setting('test.user', "
    "true), ''), '-1')::pg_catalog.int8");
static const struct query ask_form =
    DESK_QUERY(number, "SELECT * FROM public.form WHERE number = $1::pg_catalog.int8");
static const struct query ask_form_text =
    DESK_QUERY(text, "SELECT * FROM public.form WHERE number::text = $1::pg_catalog.int8::text");

static const struct query ask_long_text = DESK_QUERY(
    text, "SELECT pg_catalog.repeat('0123456789', $1::pg_catalog.int8::pg_catalog.int4)");

static const char *const text_arg_types[] = { "text" };
static const struct query_variant length_variant = {
    .text = "SELECT pg_catalog.length($1::pg_catalog.text)::pg_catalog.int8",
};
static const struct query ask_length = {
    .name = "test/length",
    .variants = &length_variant,
    .variant_count = 1,
    .args = text_fields,
    .arg_count = 1,
    .arg_types = text_arg_types,
    .columns = number_fields,
    .column_count = 1,
    .column_types = number_types,
    .row_size = sizeof(struct one_number),
};

static void
each_lane_answers_what_was_asked(void **state)
{
    struct desk *desk = *state;
    struct asked *asked[DESK_MOST];
    int32_t count = 100;

    desk_open(desk);
    for (int32_t i = 0; i < count; i++)
        asked[i] = desk_read(desk, i % 2 ? POOL_SHARED : POOL_EXCLUSIVE, i);
    assert_int_equal(desk->answered, 0);
    desk_run(desk, count);
    for (int32_t i = 0; i < count; i++) {
        assert_good(asked[i]);
        assert_int_equal(asked[i]->number, i);
        assert_int_equal(asked[i]->statements, 1);
    }
    assert_true(pool_is_up(desk->pool));
    assert_int_equal(pool_statistics(desk->pool).done, count);
    assert_int_equal(pool_statistics(desk->pool).busy, 0);
    assert_int_equal(pool_statistics(desk->pool).waiting, 0);
}

static void
run_on_lease(struct asked *asked, const struct query *query, const char *sql)
{
    struct pool_statement statement = { .query = query, .args = &asked->args[0], .sql = sql };
    struct pool_work work = {
        .statements = &statement,
        .count = 1,
        .limit_us = 0,
        .arena = asked->desk->ctx.arena,
        .done = desk_answered,
        .data = asked,
    };

    asked->times = 0;
    pool_lease_run(asked->lease, &work);
    desk_run(asked->desk, 1);
}

static void
a_lease_is_one_connection_and_an_open_transaction_is_rolled_back(void **state)
{
    struct desk *desk = *state;
    struct asked *asked;

    desk_open(desk);
    asked = take_lease(desk);
    desk_run(desk, 1);
    assert_good(asked);
    run_on_lease(asked, NULL, "BEGIN");
    assert_good(asked);
    asked->args[0].number = 77;
    run_on_lease(asked, &ask_write, NULL);
    assert_good(asked);
    assert_int_equal(asked->number, 77);
    assert_int_equal(pool_lease_statements(asked->lease), 2);
    assert_int_equal(pool_statistics(desk->pool).busy, 1);
    pool_lease_end(asked->lease);

    struct asked *after = desk_ask(desk, POOL_EXCLUSIVE, &ask_number, 5, false, 0);

    desk_run(desk, 1);
    assert_good(after);
    assert_int_equal(desk_number(desk, "SELECT count(*) FROM public.done"), 0);
    assert_int_equal(pool_statistics(desk->pool).opened, 1);
    assert_int_equal(pool_statistics(desk->pool).busy, 0);
}

static const char *
cell_of(struct desk *desk, const char *sql)
{
    return desk_value(desk, sql);
}

static struct asked *
ask_two(
    struct desk *desk, const struct query *first, const struct query *second, int64_t a, int64_t b)
{
    struct asked *asked = desk_new_asked(desk, a);
    struct pool_statement statements[] = {
        { .query = first, .args = &asked->args[0] },
        { .query = second, .args = &asked->args[1] },
    };
    struct pool_work work = {
        .statements = statements,
        .count = COUNT_OF(statements),
        .lane = POOL_SHARED,
        .arena = desk->ctx.arena,
        .done = desk_answered,
        .data = asked,
    };

    asked->args[1].number = b;
    asked->ticket = pool_run(desk->pool, &work);
    return asked;
}

static void
statements_of_one_work_are_one_transaction(void **state)
{
    struct desk *desk = *state;
    struct asked *asked[20];
    struct asked *alone;
    struct asked *failed;

    desk_open(desk);
    for (int i = 0; i < 20; i++)
        asked[i] = ask_two(desk, &set_it, &get_it, i + 1, 0);
    failed = ask_two(desk, &ask_write, &ask_division, 41, 0);
    alone = desk_ask(desk, POOL_SHARED, &get_it, 0, true, 0);
    desk_run(desk, 22);
    for (int i = 0; i < 20; i++) {
        assert_good(asked[i]);
        assert_int_equal(asked[i]->last_number, i + 1);
        assert_int_equal(asked[i]->statements, 2);
    }
    assert_good(alone);
    assert_int_equal(alone->number, -1);
    assert_bad(failed, ERR_SERVER);
    assert_string_equal(failed->error.sqlstate, "22012");
    assert_int_equal(desk_number(desk, "SELECT count(*) FROM public.done"), 0);
}

/* More than sockets hold, both ways, with others before and behind on the same connections. */
static void
long_answers_and_arguments_go_through(void **state)
{
    enum { LONG = 3000000, PAIRS = 12 };
    struct desk *desk = *state;
    struct asked *answers[PAIRS];
    struct asked *arguments[PAIRS];
    char *text = arena_alloc(desk->ctx.arena, LONG + 1);
    struct one_text arg = { text };
    struct pool_statement statement = { .query = &ask_length, .args = &arg };

    memset(text, 'x', LONG);
    desk->options.shared_size = 2;
    desk_open(desk);
    for (int i = 0; i < PAIRS; i++) {
        answers[i] = desk_ask(desk, i % 3 > 0, &ask_long_text, LONG / 10 + i, true, 0);
        arguments[i] = desk_new_asked(desk, 0);
        (void)pool_run(desk->pool, &(const struct pool_work){
                                       .statements = &statement,
                                       .count = 1,
                                       .lane = i % 3 > 0 ? POOL_SHARED : POOL_EXCLUSIVE,
                                       .arena = desk->ctx.arena,
                                       .done = desk_answered,
                                       .data = arguments[i],
                                   });
    }
    desk_run(desk, 2 * PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        assert_good(answers[i]);
        assert_int_equal(strlen(answers[i]->text), LONG + 10 * i);
        assert_string_equal(answers[i]->text + LONG + 10 * i - 10, "0123456789");
        assert_good(arguments[i]);
        assert_int_equal(arguments[i]->number, LONG);
    }
}

static void
work_waits_in_its_order(void **state)
{
    struct desk *desk = *state;
    struct asked *asked[200];

    desk->options.size = 1;
    desk->options.most_overflow = 0;
    desk_open(desk);
    for (int i = 0; i < 200; i++)
        asked[i] = desk_read(desk, POOL_EXCLUSIVE, i);
    assert_int_equal(pool_statistics(desk->pool).waiting, 200);
    desk_run(desk, 200);
    for (int i = 0; i < 200; i++) {
        assert_good(asked[i]);
        assert_int_equal(asked[i]->order, i);
    }
    assert_int_equal(pool_statistics(desk->pool).opened, 1);
}

static void
the_queue_has_an_end_and_a_deadline(void **state)
{
    struct desk *desk = *state;
    struct asked *asked[5];

    desk->options.size = 1;
    desk->options.most_overflow = 0;
    desk->options.most_waiting = 3;
    desk->options.timeout_us = 300000;
    desk_open(desk);
    asked[0] = desk_read(desk, POOL_EXCLUSIVE, 0);
    desk_run(desk, 1);
    asked[0] = desk_ask(desk, POOL_EXCLUSIVE, &ask_sleep, 60000, false, 0);
    for (int i = 1; i < 5; i++)
        asked[i] = desk_read(desk, POOL_EXCLUSIVE, i);
    /* The fifth found three others in the queue. */
    assert_bad(asked[4], ERR_BUSY);
    assert_null(asked[4]->ticket);
    assert_int_equal(desk->answered, 1);
    assert_non_null(asked[4]->error.hint);
    desk_run(desk, 4);
    for (int i = 1; i < 4; i++) {
        assert_bad(asked[i], ERR_BUSY);
        assert_true(asked[i]->waited_us >= 300000);
        assert_int_equal(asked[i]->order, i);
    }
    assert_int_equal(asked[0]->times, 0);
    pool_drop(asked[0]->ticket);
    assert_int_equal(pool_statistics(desk->pool).timed_out, 3);
    assert_int_equal(pool_statistics(desk->pool).refused, 1);
}

static void
the_connection_used_last_is_used_next(void **state)
{
    struct desk *desk = *state;
    struct asked *asked;
    int64_t pid;

    desk_open(desk);
    for (int i = 0; i < 5; i++)
        desk_ask(desk, POOL_EXCLUSIVE, &ask_sleep, 20, true, 0);
    desk_run(desk, 5);
    asked = desk_ask(desk, POOL_EXCLUSIVE, &ask_pid, 0, true, 0);
    desk_run(desk, 1);
    pid = asked->number;
    for (int i = 0; i < 5; i++) {
        asked = desk_ask(desk, POOL_EXCLUSIVE, &ask_pid, 0, true, 0);
        desk_run(desk, 1);
        assert_int_equal(asked->number, pid);
    }
}

static bool
is_back_at_size(struct desk *desk)
{
    return pool_statistics(desk->pool).open == 2;
}

static void
connections_beyond_size_linger_and_then_go(void **state)
{
    struct desk *desk = *state;
    int64_t opened;

    desk->options.size = 2;
    desk->options.most_overflow = 3;
    desk->options.linger_us = 3000000;
    desk_open(desk);
    for (int i = 0; i < 10; i++)
        desk_ask(desk, POOL_EXCLUSIVE, &ask_sleep, 100, true, 0);
    desk_run(desk, 10);
    opened = pool_statistics(desk->pool).opened;
    assert_true(opened > 2 && opened <= 5);
    assert_int_equal(pool_statistics(desk->pool).open, opened);
    assert_int_equal(pool_statistics(desk->pool).overflow, opened - 2);
    for (int i = 0; i < 5; i++)
        desk_ask(desk, POOL_EXCLUSIVE, &ask_sleep, 50, true, 0);
    desk_run(desk, 5);
    assert_true(pool_statistics(desk->pool).opened <= 5);
    desk_run_until(desk, is_back_at_size);
    assert_int_equal(pool_statistics(desk->pool).overflow, 0);
    assert_int_equal(pool_statistics(desk->pool).lost, 0);
}

static bool
has_none_open(struct desk *desk)
{
    return pool_statistics(desk->pool).open == 0;
}

static void
an_old_connection_is_replaced_by_a_new_one(void **state)
{
    struct desk *desk = *state;
    struct asked *asked;

    desk->options.recycle_us = 200000;
    desk_open(desk);
    asked = desk_ask(desk, POOL_EXCLUSIVE, &ask_pid, 0, true, 0);
    desk_read(desk, POOL_SHARED, 1);
    desk_run(desk, 2);
    desk_run_until(desk, has_none_open);
    assert_int_equal(pool_statistics(desk->pool).recycled, 2);

    int64_t pid = asked->number;

    asked = desk_ask(desk, POOL_EXCLUSIVE, &ask_pid, 0, false, 0);
    desk_run(desk, 1);
    assert_good(asked);
    assert_int_not_equal(asked->number, pid);
}

static void
only_a_connection_that_was_idle_is_asked_whether_it_lives(void **state)
{
    struct desk *desk = *state;
    struct asked *asked;

    desk_open(desk);
    for (int i = 0; i < 5; i++) {
        desk_read(desk, POOL_EXCLUSIVE, i);
        desk_run(desk, 1);
    }
    assert_int_equal(pool_statistics(desk->pool).pinged, 0);
    pool_free(desk->pool);

    desk->options.ping_idle_us = 1;
    desk_open(desk);
    desk_read(desk, POOL_EXCLUSIVE, 0);
    desk_read(desk, POOL_SHARED, 0);
    desk_run(desk, 2);
    clock_sleep_us(2000);
    asked = desk_read(desk, POOL_EXCLUSIVE, 7);
    desk_read(desk, POOL_SHARED, 0);
    desk_run(desk, 2);
    assert_good(asked);
    assert_int_equal(asked->statements, 1);
    assert_true(pool_statistics(desk->pool).pinged >= 2);
    assert_int_equal(pool_statistics(desk->pool).opened, 2);
}

static void
a_limit_cancels_and_the_connection_is_used_again(void **state)
{
    struct desk *desk = *state;
    struct asked *before;
    struct asked *late;
    struct asked *after;

    desk->options.size = 1;
    desk->options.most_overflow = 0;
    desk_open(desk);
    before = desk_ask(desk, POOL_EXCLUSIVE, &ask_pid, 0, true, 0);
    late = desk_ask(desk, POOL_EXCLUSIVE, &ask_sleep, 60000, true, 300000);
    after = desk_ask(desk, POOL_EXCLUSIVE, &ask_pid, 0, true, 0);
    desk_run(desk, 3);
    assert_good(before);
    assert_bad(late, ERR_TIMEOUT);
    assert_good(after);
    assert_int_equal(before->number, after->number);
    assert_int_equal(pool_statistics(desk->pool).cancelled, 1);
    assert_int_equal(pool_statistics(desk->pool).opened, 1);
    assert_int_equal(pool_statistics(desk->pool).lost, 0);
}

static void
what_a_client_has_left_is_forgotten_or_cancelled(void **state)
{
    struct desk *desk = *state;
    struct asked *running;
    struct asked *waiting;
    struct asked *after;

    desk->options.size = 1;
    desk->options.most_overflow = 0;
    desk_open(desk);
    running = desk_ask(desk, POOL_EXCLUSIVE, &ask_sleep, 60000, true, 0);
    waiting = desk_ask(desk, POOL_EXCLUSIVE, &ask_write, 13, true, 0);
    after = desk_ask(desk, POOL_EXCLUSIVE, &ask_number, 3, true, 0);
    desk_run_until(desk, one_sleeps);
    pool_drop(waiting->ticket);
    pool_drop(running->ticket);
    desk_run(desk, 1);
    assert_good(after);
    assert_int_equal(running->times, 0);
    assert_int_equal(waiting->times, 0);
    assert_int_equal(desk_number(desk, SLEEPING), 0);
    assert_int_equal(desk_number(desk, "SELECT count(*) FROM public.done"), 0);
    assert_int_equal(pool_statistics(desk->pool).dropped, 2);
    assert_int_equal(pool_statistics(desk->pool).opened, 1);

    running = desk_ask(desk, POOL_SHARED, &ask_sleep, 60000, true, 0);
    desk_run_until(desk, one_sleeps);
    pool_drop(running->ticket);
    desk_run_until(desk, none_sleeps);
    assert_int_equal(running->times, 0);
}

static void
heavy_work_does_not_stand_before_light_work(void **state)
{
    struct desk *desk = *state;
    struct asked *heavy[40];
    struct asked *light[200];

    desk->options.size = 4;
    desk->options.most_overflow = 2;
    desk_open(desk);
    for (int i = 0; i < 40; i++)
        heavy[i] = desk_ask(desk, POOL_EXCLUSIVE, &ask_sleep, 60000, true, 0);
    for (int i = 0; i < 200; i++)
        light[i] = desk_read(desk, POOL_SHARED, i);
    desk_run(desk, 200);
    for (int i = 0; i < 200; i++)
        assert_good(light[i]);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(heavy[i]->times, 0);
        pool_drop(heavy[i]->ticket);
    }
    desk_run_until(desk, none_sleeps);
}

/* The slow one blocks its own connection for as long as it may; the others go on. */
static void
a_slow_statement_in_the_shared_lane_is_avoided_and_cancelled(void **state)
{
    struct desk *desk = *state;
    struct asked *slow;
    struct asked *light[300];

    desk->options.shared_size = 2;
    desk->options.shared_most_us = 4000000;
    desk_open(desk);
    desk_read(desk, POOL_SHARED, 0);
    desk_read(desk, POOL_SHARED, 0);
    desk_run(desk, 2);
    slow = desk_ask(desk, POOL_SHARED, &ask_sleep, 60000, true, 0);
    desk_run_until(desk, one_sleeps);
    clock_sleep_us(60000);
    for (int i = 0; i < 300; i++)
        light[i] = desk_read(desk, POOL_SHARED, i);
    desk_run(desk, 300);
    for (int i = 0; i < 300; i++)
        assert_good(light[i]);
    assert_int_equal(slow->times, 0);
    desk_run(desk, 1);
    assert_bad(slow, ERR_TIMEOUT);
    assert_int_equal(pool_statistics(desk->pool).cancelled, 1);
    assert_int_equal(pool_statistics(desk->pool).lost, 0);
}

/* Sent behind the slow one before anybody knew; the cancel must not hit them. */
static void
those_behind_a_cancelled_statement_are_answered(void **state)
{
    struct desk *desk = *state;
    struct asked *slow;
    struct asked *limited;
    struct asked *light[10];

    desk->options.shared_size = 1;
    desk->options.shared_most_us = 500000;
    desk_open(desk);
    desk_read(desk, POOL_SHARED, 0);
    desk_run(desk, 1);
    slow = desk_ask(desk, POOL_SHARED, &ask_sleep, 60000, true, 0);
    limited = desk_ask(desk, POOL_SHARED, &ask_number, 1, true, 200000);
    for (int i = 0; i < 10; i++)
        light[i] = desk_ask(desk, POOL_SHARED, i % 2 ? &ask_number : &ask_write, i, i % 2, 0);
    desk_run(desk, 12);
    assert_bad(limited, ERR_TIMEOUT);
    assert_int_equal(limited->order, 0);
    assert_bad(slow, ERR_TIMEOUT);
    for (int i = 0; i < 10; i++) {
        assert_good(light[i]);
        assert_int_equal(light[i]->number, i);
    }
    assert_string_equal(cell_of(desk, "SELECT string_agg(number::text, ',' ORDER BY number) FROM "
                                      "public.done"),
        "0,2,4,6,8");
    desk_do(desk, "TRUNCATE public.done");
}

static void
a_statement_that_the_server_has_forgotten_is_made_anew(void **state)
{
    struct desk *desk = *state;
    struct asked *asked;
    struct pool_statement forget = { .sql = "DEALLOCATE ALL" };
    struct asked *forgetting = desk_new_asked(desk, 0);

    desk->options.size = 1;
    desk->options.most_overflow = 0;
    desk->options.shared_size = 0;
    desk_do(desk, "DROP TABLE IF EXISTS public.form");
    desk_do(desk, "CREATE TABLE public.form (number int8)");
    desk_do(desk, "INSERT INTO public.form VALUES (4)");
    desk_open(desk);
    asked = desk_ask(desk, POOL_SHARED, &ask_form, 4, false, 0);
    desk_run(desk, 1);
    assert_good(asked);
    desk_do(desk, "ALTER TABLE public.form ALTER number TYPE int4");
    desk_do(desk, "ALTER TABLE public.form ALTER number TYPE int8");
    desk_do(desk, "ALTER TABLE public.form ADD extra text");
    desk_do(desk, "ALTER TABLE public.form DROP extra");
    (void)pool_run(desk->pool, &(const struct pool_work){ .statements = &forget,
                                   .count = 1,
                                   .arena = desk->ctx.arena,
                                   .done = desk_answered,
                                   .data = forgetting });
    desk_run(desk, 1);
    assert_good(forgetting);
    asked = desk_ask(desk, POOL_SHARED, &ask_form, 4, false, 0);
    desk_run(desk, 1);
    assert_good(asked);
    assert_int_equal(asked->number, 4);
    assert_int_equal(asked->statements, 2);
    assert_int_equal(pool_statistics(desk->pool).repeated, 1);
}

/* Its result has another form: 0A000 from the plan that the server kept. */
static void
a_result_of_another_form_is_an_answer_of_the_new_statement(void **state)
{
    struct desk *desk = *state;
    struct asked *asked;

    desk->options.shared_size = 1;
    desk_do(desk, "DROP TABLE IF EXISTS public.form");
    desk_do(desk, "CREATE TABLE public.form (number text)");
    desk_do(desk, "INSERT INTO public.form VALUES (4)");
    desk_open(desk);
    asked = desk_ask(desk, POOL_SHARED, &ask_form_text, 4, false, 0);
    desk_run(desk, 1);
    assert_good(asked);
    desk_do(desk, "ALTER TABLE public.form ALTER number TYPE name");
    asked = desk_ask(desk, POOL_SHARED, &ask_form_text, 4, false, 0);
    desk_run(desk, 1);
    assert_int_equal(pool_statistics(desk->pool).repeated, 1);
    /* It came, and is not of the type that the query was written for. */
    assert_bad(asked, ERR_FAILED);
    desk_do(desk, "DROP TABLE public.form");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_at_desk(each_lane_answers_what_was_asked),
        test_at_desk(a_lease_is_one_connection_and_an_open_transaction_is_rolled_back),
        test_at_desk(statements_of_one_work_are_one_transaction),
        test_at_desk(long_answers_and_arguments_go_through),
        test_at_desk(work_waits_in_its_order),
        test_at_desk(the_queue_has_an_end_and_a_deadline),
        test_at_desk(the_connection_used_last_is_used_next),
        test_at_desk(connections_beyond_size_linger_and_then_go),
        test_at_desk(an_old_connection_is_replaced_by_a_new_one),
        test_at_desk(only_a_connection_that_was_idle_is_asked_whether_it_lives),
        test_at_desk(a_limit_cancels_and_the_connection_is_used_again),
        test_at_desk(what_a_client_has_left_is_forgotten_or_cancelled),
        test_at_desk(heavy_work_does_not_stand_before_light_work),
        test_at_desk(a_slow_statement_in_the_shared_lane_is_avoided_and_cancelled),
        test_at_desk(those_behind_a_cancelled_statement_are_answered),
        test_at_desk(a_statement_that_the_server_has_forgotten_is_made_anew),
        test_at_desk(a_result_of_another_form_is_an_answer_of_the_new_statement),
    };

    return cmocka_run_group_tests(tests, desk_make_database, desk_drop_database);
}
