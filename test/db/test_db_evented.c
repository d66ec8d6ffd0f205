/*
 * One connection on a loop: what it answers, and what it says when server, network or session fail.
 * Faults are real: locks held, processes stopped and killed.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "sql.h"
#include "test_evented_support.h"

enum { LIMIT_US = 30000000, SHORT_US = 200000, CANCEL_US = 2000000, MANY_ROWS = 40000 };

static void
opened(void *data, const struct error *error)
{
    struct stage *stage = data;

    assert_false(stage->is_opened);
    stage->is_opened = true;
    stage->error = error ? *error : (struct error){ 0 };
    loop_stop(stage->loop);
}

static void
lost(void *data, const struct error *error)
{
    struct stage *stage = data;

    stage->is_lost = true;
    stage->error = *error;
    loop_stop(stage->loop);
}

static void
begin_open(struct stage *stage, const struct db_options *options)
{
    struct evented_events events = { .opened = opened, .lost = lost, .data = stage };

    stage->is_opened = false;
    stage_must(stage, evented_open(&stage->ctx, stage->loop, options, &events, &stage->evented));
    assert_false(stage->is_opened);
    assert_false(evented_is_open(stage->evented));
}

static void
open_with(struct stage *stage, const struct db_options *options)
{
    begin_open(stage, options);
    loop_run(stage->loop);
    assert_true(stage->is_opened);
}

static void
open_one(struct stage *stage)
{
    struct db_options options = { .application = "test_evented/one", .access = ACCESS_READ };

    open_with(stage, &options);
    if (stage->error.kind != ERR_NONE)
        fail_msg("%s", stage->error.message);
    assert_true(evented_is_open(stage->evented));
}

static void
answered(void *data, struct evented_reply *replies, size_t count)
{
    struct stage *stage = data;

    stage->replies = replies;
    stage->count = count;
    loop_stop(stage->loop);
}

static void
send_requests(
    struct stage *stage, const struct evented_request *requests, size_t count, int64_t limit_us)
{
    stage->replies = NULL;
    evented_send(stage->evented, requests, count, limit_us, stage->ctx.arena, answered, stage);
    assert_true(evented_is_busy(stage->evented));
    assert_null(stage->replies);
    loop_run(stage->loop);
    assert_int_equal(stage->count, count);
    assert_false(evented_is_busy(stage->evented));
}

static void
send_one(struct stage *stage, const char *sql, int64_t limit_us)
{
    struct evented_request request = { .sql = sql };

    send_requests(stage, &request, 1, limit_us);
}

static const char *
cell_of(const struct stage *stage, size_t at)
{
    const struct evented_reply *reply = &stage->replies[at];

    if (!reply->is_good)
        fail_msg("%s", reply->error.message);
    assert_int_equal(reply->result.rows, 1);
    return reply->result.cells[0];
}

static void
a_flight_answers_in_order_and_each_statement_is_its_own_transaction(void **state)
{
    static const char *const params[] = { "ein 'Wort'" };
    struct stage *stage = *state;
    struct evented_request requests[] = {
        { .sql = "SELECT 'first'" },
        { .sql = "SELECT 1/0" },
        { .sql = "SELECT $1::text", .params = params, .param_count = 1 },
        { .sql = "SELECT FROM no_such_table" },
        { .sql = "SELECT txid_current()::text" },
        { .sql = "SELECT txid_current()::text" },
        { .sql = "this is not SQL" },
        { .sql = "SELECT NULL::text" },
    };
    struct db_options options = { .application = "test_evented/one", .access = ACCESS_WRITE };

    open_with(stage, &options);
    send_requests(stage, requests, COUNT_OF(requests), LIMIT_US);
    assert_string_equal(cell_of(stage, 0), "first");
    assert_false(stage->replies[1].is_good);
    assert_string_equal(stage->replies[1].error.sqlstate, "22012");
    assert_string_equal(cell_of(stage, 2), params[0]);
    assert_string_equal(stage->replies[3].error.sqlstate, "42P01");
    assert_string_not_equal(cell_of(stage, 4), cell_of(stage, 5));
    assert_string_equal(stage->replies[6].error.sqlstate, "42601");
    assert_null(cell_of(stage, 7));
    for (size_t i = 0; i < stage->count; i++)
        assert_true(stage->replies[i].elapsed_us >= 0);
    assert_true(evented_is_open(stage->evented));
}

struct extreme {
    bool yes;
    int32_t small;
    int64_t big;
    uint32_t object;
    double real;
    const char *words;
};

static const struct field extreme_columns[] = {
    FIELD(struct extreme, yes),
    FIELD(struct extreme, small),
    FIELD(struct extreme, big),
    FIELD(struct extreme, object),
    FIELD(struct extreme, real),
    FIELD(struct extreme, words),
};
static const char *const extreme_types[] = { "bool", "int4", "int8", "oid", "float8", "text" };
static const struct query_variant extreme_variants[] = { { 0,
    "VALUES (true, 2147483647, 9223372036854775807, 4294967295::oid, 'NaN'::float8, 'same'),"
    " (false, '-2147483648'::int4, '-9223372036854775808'::int8, 0::oid, '-Infinity'::float8,"
    " 'same'), (true, -1, -1, 1::oid, 'Infinity'::float8, ''),"
    " (false, 0, 4294967296, 65536::oid, 2.2250738585072014e-308::float8, NULL),"
    " (true, 256, 255, 2147483648::oid, -0.1::float8, 'sa'),"
    " (true, 65535, 1, 9::oid, 1.7976931348623157e308::float8, E'sch\u00f6n\n')" } };
static const struct query extremes = {
    .name = "test/extremes",
    .variants = extreme_variants,
    .variant_count = COUNT_OF(extreme_variants),
    .columns = extreme_columns,
    .column_types = extreme_types,
    .column_count = COUNT_OF(extreme_columns),
    .row_size = sizeof(struct extreme),
};

static void
assert_same_rows(struct ctx *ctx, const struct query *query, struct rows mine, struct rows theirs)
{
    assert_int_equal(mine.count, theirs.count);
    assert_true(mine.count > 0);
    for (size_t row = 0; row < mine.count; row++) {
        for (size_t i = 0; i < query->column_count; i++) {
            size_t at = row * query->row_size;
            const char *a = field_text(ctx->arena, &query->columns[i], (char *)mine.items + at);
            const char *b = field_text(ctx->arena, &query->columns[i], (char *)theirs.items + at);

            if (!text_equal(a ? a : "NULL", b ? b : "NULL"))
                fail_msg("row %zu, %s: %s is not %s", row, query->columns[i].name, a, b);
        }
    }
}

/* The blocking call reads text, this one what the server sends in binary: the same rows. */
static void
typed_rows_are_those_of_the_blocking_call(void **state)
{
    static const struct query *const queries[] = { &extremes, &query_monitor_role };
    struct stage *stage = *state;
    struct arena *own = arena_new();

    open_one(stage);
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        struct evented_request request = { .query = queries[i], .arena = own };
        struct rows wanted = { 0 };

        stage_must(stage, db_select(&stage->ctx, stage->admin, queries[i], NULL, &wanted));
        for (int round = 0; round < 2; round++) {
            send_requests(stage, &request, 1, LIMIT_US);
            if (!stage->replies[0].is_good)
                fail_msg("%s", stage->replies[0].error.message);
            assert_same_rows(&stage->ctx, queries[i], stage->replies[0].rows, wanted);
        }
    }
    assert_true(arena_used(own) > 0);
    arena_free(own);
}

/* A header that is wrong must not be read as something else. */
static void
a_column_of_another_type_is_refused(void **state)
{
    static const char *const types[] = { "bool", "int4", "float8", "oid", "float8", "text" };
    struct stage *stage = *state;
    struct query wrong = extremes;
    struct evented_request request = { .query = &wrong };

    wrong.column_types = types;
    open_one(stage);
    send_requests(stage, &request, 1, LIMIT_US);
    assert_false(stage->replies[0].is_good);
    assert_int_equal(stage->replies[0].error.kind, ERR_FAILED);
    assert_non_null(strstr(stage->replies[0].error.message, "big is of type 20, not float8"));
}

static void
a_query_is_prepared_once_and_again_when_it_was_forgotten(void **state)
{
    static const char counting[] =
        "SELECT count(*)::text || ' ' || sum(generic_plans + custom_plans)::text"
        "  FROM pg_prepared_statements WHERE name LIKE 'q%'";
    struct stage *stage = *state;
    struct evented_request requests[] = { { .query = &query_monitor_lock },
        { .query = &query_monitor_lock }, { .sql = counting } };

    open_one(stage);
    send_requests(stage, requests, 1, LIMIT_US);
    send_requests(stage, requests, 1, LIMIT_US);
    send_one(stage, counting, LIMIT_US);
    assert_string_equal(cell_of(stage, 0), "1 2");

    send_one(stage, "DEALLOCATE ALL", LIMIT_US);
    send_requests(stage, requests, 1, LIMIT_US);
    assert_string_equal(stage->replies[0].error.sqlstate, "26000");
    send_requests(stage, requests, 1, LIMIT_US);
    assert_true(stage->replies[0].is_good);
    send_one(stage, counting, LIMIT_US);
    assert_string_equal(cell_of(stage, 0), "1 1");
}

static void
the_session_is_pinned_as_a_blocking_one_is(void **state)
{
    static const char settings[] =
        "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings"
        " WHERE name IN ('search_path', 'default_transaction_read_only', 'statement_timeout',"
        " 'lock_timeout', 'jit', 'TimeZone', 'DateStyle', 'client_encoding')";
    struct stage *stage = *state;
    struct db_options options = {
        .application = "test_evented/pin",
        .access = ACCESS_READ,
        .statement_timeout_us = 1234000,
        .lock_timeout_us = 567000,
    };
    struct db *db;
    const char *wanted;

    stage_must(stage, db_open(&stage->ctx, &options, &db));
    stage_must(stage, db_value(&stage->ctx, db, settings, NULL, 0, &wanted));
    assert_string_equal(db_label(stage->ctx.arena, db),
        (open_with(stage, &options), evented_label(stage->evented)));
    assert_string_equal(db_name(db), evented_database(stage->evented));
    assert_int_equal(db_major(db), evented_major(stage->evented));
    db_close(db);
    send_one(stage, settings, LIMIT_US);
    assert_string_equal(cell_of(stage, 0), wanted);
    assert_non_null(strstr(wanted, "statement_timeout=1234"));
    send_one(stage, "CREATE TABLE never (a int)", LIMIT_US);
    assert_string_equal(stage->replies[0].error.sqlstate, "25006");
    send_one(stage, "SELECT pg_backend_pid()", LIMIT_US);
    assert_int_equal(strtoll(cell_of(stage, 0), NULL, 10), evented_backend_pid(stage->evented));
}

/* More than libpq's buffers in both directions, so that sending has to wait for reading. */
static void
big_flights_go_through(void **state)
{
    enum { STATEMENTS = 40, TEXT_BYTES = 200000 };
    struct stage *stage = *state;
    char *text = arena_alloc(stage->ctx.arena, TEXT_BYTES + 1);
    const char *params[] = { text };
    struct evented_request requests[STATEMENTS];

    memset(text, 'x', TEXT_BYTES);
    for (size_t i = 0; i < STATEMENTS; i++)
        requests[i] =
            (struct evented_request){ .sql = "SELECT $1", .params = params, .param_count = 1 };
    open_one(stage);
    send_requests(stage, requests, STATEMENTS, LIMIT_US);
    for (size_t i = 0; i < STATEMENTS; i++)
        assert_int_equal(strlen(cell_of(stage, i)), TEXT_BYTES);
    send_one(stage, "SELECT i, i * 2 FROM generate_series(1, 40000) AS i", LIMIT_US);
    assert_int_equal(stage->replies[0].result.rows, MANY_ROWS);
    for (size_t i = 0; i < MANY_ROWS; i++)
        assert_int_equal(strtoll(stage->replies[0].result.cells[2 * i + 1], NULL, 10), 2 * i + 2);
}

static void
take_lock(struct stage *stage)
{
    const char *unused;

    stage_must(stage,
        db_value(&stage->ctx, stage->holder, "SELECT pg_advisory_lock(731731)", NULL, 0, &unused));
}

static void
give_lock(void *data)
{
    struct stage *stage = data;
    const char *unused;

    stage_must(stage, db_value(&stage->ctx, stage->holder, "SELECT pg_advisory_unlock(731731)",
                          NULL, 0, &unused));
}

/* The statement can only end because the loop calls the timer that gives the lock back. */
static void
the_loop_goes_on_while_the_server_works(void **state)
{
    struct stage *stage = *state;
    struct loop_timer *timer = loop_timer_new(stage->loop, give_lock, stage);

    open_one(stage);
    take_lock(stage);
    loop_timer_set(timer, 1000);
    send_one(stage, "SELECT 'got it' FROM pg_advisory_xact_lock(731731)", LIMIT_US);
    assert_string_equal(cell_of(stage, 0), "got it");
    loop_timer_free(timer);
}

static void
at_the_limit_a_statement_is_cancelled_and_the_session_goes_on(void **state)
{
    struct stage *stage = *state;
    struct evented_request requests[] = {
        { .sql = "SELECT 'before'" },
        { .sql = "SELECT pg_advisory_xact_lock(731731)" },
        { .sql = "SELECT 'after'" },
    };

    open_one(stage);
    take_lock(stage);
    send_requests(stage, requests, COUNT_OF(requests), CANCEL_US);
    assert_string_equal(cell_of(stage, 0), "before");
    assert_int_equal(stage->replies[1].error.kind, ERR_TIMEOUT);
    assert_string_equal(stage->replies[1].error.sqlstate, "57014");
    assert_string_equal(cell_of(stage, 2), "after");
    assert_true(evented_is_open(stage->evented));
    give_lock(stage);
    send_one(stage, "SELECT 'still here'", LIMIT_US);
    assert_string_equal(cell_of(stage, 0), "still here");
}

static void
a_stopped_server_process_is_given_up(void **state)
{
    struct stage *stage = *state;
    pid_t pid;

    open_one(stage);
    pid = evented_backend_pid(stage->evented);
    if (kill(pid, SIGSTOP) != 0)
        skip();
    send_one(stage, "SELECT 1", SHORT_US);
    kill(pid, SIGCONT);
    assert_false(stage->replies[0].is_good);
    assert_int_equal(stage->replies[0].error.kind, ERR_TIMEOUT);
    assert_non_null(strstr(stage->replies[0].error.message, "no answer within"));
    assert_false(evented_is_open(stage->evented));
    assert_false(stage->is_lost);
}

static void
a_killed_session_is_told_while_nothing_is_asked(void **state)
{
    struct stage *stage = *state;

    open_one(stage);
    stage_value(stage, arena_printf(stage->ctx.arena, "SELECT pg_terminate_backend(%d)",
                           evented_backend_pid(stage->evented)));
    loop_run(stage->loop);
    assert_true(stage->is_lost);
    assert_int_equal(stage->error.kind, ERR_CONNECTION);
    assert_non_null(strstr(stage->error.message, "administrator command"));
    assert_false(evented_is_open(stage->evented));
}

/* Only when it waits for the lock, so that what stands before was answered. */
static void
kill_it(void *data)
{
    struct stage *stage = data;
    const char *is_waiting =
        stage_value(stage, arena_printf(stage->ctx.arena,
                               "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity"
                               " WHERE pid = %d AND wait_event = 'advisory'",
                               evented_backend_pid(stage->evented)));

    if (!is_waiting)
        loop_timer_set(stage->timer, 10000);
}

static void
a_session_killed_under_way_says_why_and_what_was_answered_stays(void **state)
{
    struct stage *stage = *state;
    struct evented_request requests[] = {
        { .sql = "SELECT 'before'" },
        { .sql = "SELECT pg_advisory_xact_lock(731731)" },
        { .sql = "SELECT 'after'" },
    };

    open_one(stage);
    take_lock(stage);
    stage->timer = loop_timer_new(stage->loop, kill_it, stage);
    loop_timer_set(stage->timer, 1000);
    send_requests(stage, requests, COUNT_OF(requests), LIMIT_US);
    loop_timer_free(stage->timer);
    assert_string_equal(cell_of(stage, 0), "before");
    assert_int_equal(stage->replies[1].error.kind, ERR_CONNECTION);
    assert_string_equal(stage->replies[1].error.sqlstate, "57P01");
    assert_int_equal(stage->replies[2].error.kind, ERR_CONNECTION);
    assert_false(evented_is_open(stage->evented));
    assert_false(stage->is_lost);
    give_lock(stage);
}

static void
a_short_password_is_not_shown_by_the_gaps_that_it_leaves(void **state)
{
    static const char *const urls[] = {
        "host=127.0.0.1 port=99999 user=u password=p dbname=x",
        "host=127.0.0.1 port=99999 user=u password=nu dbname=x",
    };
    struct stage *stage = *state;

    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct db_options options = { .url = urls[i], .access = ACCESS_READ };

        open_with(stage, &options);
        assert_non_null(strstr(stage->error.message, "invalid port number"));
        evented_close(stage->evented);
        stage->evented = NULL;
    }
}

static void
a_place_without_a_server_is_told_from_the_loop(void **state)
{
    static const char *const urls[] = {
        "host=/nonexistent dbname=x",
        "postgresql://someone:geheim%21@127.0.0.1:1/x",
        "host=no-such-host.invalid password=geheim! dbname=x", /* looked up in a thread */
        "service=no_such_service",
    };
    struct stage *stage = *state;

    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct db_options options = { .url = urls[i], .access = ACCESS_READ };

        open_with(stage, &options);
        assert_int_equal(stage->error.kind, ERR_CONNECTION);
        assert_non_null(strstr(stage->error.message, "could not connect"));
        assert_null(strstr(stage->error.message, "geheim"));
        assert_null(strstr(evented_label(stage->evented), "geheim"));
        evented_close(stage->evented);
        stage->evented = NULL;
    }

    struct db_options bad = { .url = "postgresql://me:geheim@[::1/x", .access = ACCESS_READ };
    struct evented_events events = { .opened = opened, .lost = lost, .data = stage };

    assert_false(evented_open(&stage->ctx, stage->loop, &bad, &events, &stage->evented));
    assert_error(&stage->ctx, ERR_USAGE, "URL is not valid");
    assert_null(strstr(stage->ctx.error.message, "geheim"));
    stage->evented = NULL;
}

/* Accepts connections in the backlog, and never says a word. */
static int
mute_server(struct stage *stage, const char **ret_url)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_url = arena_printf(stage->ctx.arena,
        "host=127.0.0.1 port=%d dbname=x sslmode=disable gssencmode=disable",
        ntohs(address.sin_port));
    return fd;
}

static void
a_server_that_does_not_answer_the_opening_is_given_up(void **state)
{
    struct stage *stage = *state;
    struct db_options options = { .access = ACCESS_READ, .connect_timeout_us = SHORT_US };
    int fd = mute_server(stage, &options.url);

    open_with(stage, &options);
    assert_int_equal(stage->error.kind, ERR_CONNECTION);
    assert_non_null(strstr(stage->error.message, "no answer in time"));
    close(fd);
}

static void
count_and_close(void *data)
{
    struct stage *stage = data;

    evented_close(stage->evented);
    stage->evented = NULL;
    loop_stop(stage->loop);
}

/* Closing at any moment of opening or of a flight leaves nothing behind (the sanitizer looks). */
static void
it_can_be_closed_at_any_moment(void **state)
{
    static const char *const urls[] = { NULL, "host=localhost port=1", "host=/nonexistent" };
    struct stage *stage = *state;

    for (size_t i = 0; i < COUNT_OF(urls) * 4; i++) {
        struct db_options options = { .url = urls[i / 4], .access = ACCESS_READ };
        struct loop_timer *timer = loop_timer_new(stage->loop, count_and_close, stage);

        begin_open(stage, &options);
        loop_timer_set(timer, (int64_t)(i % 4) * 400);
        loop_run(stage->loop);
        if (stage->evented)
            loop_run(stage->loop);
        assert_null(stage->evented);
        loop_timer_free(timer);
    }
    open_one(stage);
    take_lock(stage);

    struct loop_timer *timer = loop_timer_new(stage->loop, count_and_close, stage);
    struct evented_request request = { .sql = "SELECT pg_advisory_xact_lock(731731)" };
    int pid = evented_backend_pid(stage->evented);

    evented_send(stage->evented, &request, 1, LIMIT_US, stage->ctx.arena, answered, stage);
    loop_timer_set(timer, 1000);
    loop_run(stage->loop);
    assert_null(stage->evented);
    loop_timer_free(timer);
    stage_value(stage, arena_printf(stage->ctx.arena, "SELECT pg_terminate_backend(%d)", pid));
    give_lock(stage);
}

static void
again_and_again(void *data, struct evented_reply *replies, size_t count)
{
    static const struct evented_request request = { .sql = "SELECT 'again'" };
    struct stage *stage = data;

    assert_int_equal(count, 1);
    assert_string_equal(replies[0].result.cells[0], "again");
    if (++stage->counter == 1000)
        loop_stop(stage->loop);
    else
        evented_send(
            stage->evented, &request, 1, LIMIT_US, stage->ctx.arena, again_and_again, stage);
}

static void
the_callback_may_send_the_next_flight(void **state)
{
    static const struct evented_request request = { .sql = "SELECT 'again'" };
    struct stage *stage = *state;

    open_one(stage);
    evented_send(stage->evented, &request, 1, LIMIT_US, stage->ctx.arena, again_and_again, stage);
    loop_run(stage->loop);
    assert_int_equal(stage->counter, 1000);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        test_on_stage(a_flight_answers_in_order_and_each_statement_is_its_own_transaction),
        test_on_stage(typed_rows_are_those_of_the_blocking_call),
        test_on_stage(a_column_of_another_type_is_refused),
        test_on_stage(a_query_is_prepared_once_and_again_when_it_was_forgotten),
        test_on_stage(the_session_is_pinned_as_a_blocking_one_is),
        test_on_stage(big_flights_go_through),
        test_on_stage(the_loop_goes_on_while_the_server_works),
        test_on_stage(at_the_limit_a_statement_is_cancelled_and_the_session_goes_on),
        test_on_stage(a_stopped_server_process_is_given_up),
        test_on_stage(a_killed_session_is_told_while_nothing_is_asked),
        test_on_stage(a_session_killed_under_way_says_why_and_what_was_answered_stays),
        test_on_stage(a_short_password_is_not_shown_by_the_gaps_that_it_leaves),
        test_on_stage(a_place_without_a_server_is_told_from_the_loop),
        test_on_stage(a_server_that_does_not_answer_the_opening_is_given_up),
        test_on_stage(it_can_be_closed_at_any_moment),
        test_on_stage(the_callback_may_send_the_next_flight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
