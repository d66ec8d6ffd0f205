/*
 * The pool when server, backends or the number of connections fail, for real: on a server of its own
 * that is stopped, started, frozen and shot at. What was run, and how often, is asked of the server.
 */
#include "base/process.h"
#include "test_pool_support.h"

enum { MOST_WRITES = 1500 };

struct server {
    struct ctx ctx;
    const char *cluster;
    const char *folder;
    const char *admin_url;
    const char *url;
};

/* One for all tests: it takes seconds to make. */
static const struct server *
the_server(const struct server *given)
{
    static struct server kept;

    if (given)
        kept = *given;
    return &kept;
}

static const char *
run_cluster(struct ctx *ctx, const char *verb)
{
    const struct server *server = the_server(NULL);
    const char *start[] = { server->cluster, verb, server->folder, "--scratch", "--set",
        "max_connections=20", NULL };
    const char *other[] = { server->cluster, verb, server->folder, NULL };
    struct process_options options = {
        .argv = strcmp(verb, "start") == 0 ? start : other,
        .timeout_us = 120000000,
    };
    struct process process;

    if (!process_run(ctx, &options, &process))
        fail_msg("%s", ctx->error.message);
    return buffer_text(&process.out);
}

static int
set_up(void **state)
{
    struct desk *desk;

    desk_set_up_at(state, the_server(NULL)->admin_url);
    desk = *state;
    desk->options.db.url = the_server(NULL)->url;
    desk_do(desk, "TRUNCATE public.done");
    desk_do(desk, "ALTER ROLE app CONNECTION LIMIT -1");
    return 0;
}

#define test_at_desk(test) cmocka_unit_test_setup_teardown(test, set_up, desk_tear_down)

#define OF_APP             " FROM pg_catalog.pg_stat_activity WHERE usename = 'app'"

/* Ends all sessions of the pool, and returns when they are gone; the loop does not run meanwhile. */
static void
terminate_all(struct desk *desk)
{
    desk_do(desk, "SELECT pg_catalog.pg_terminate_backend(pid)" OF_APP);
    while (desk_number(desk, "SELECT count(*)" OF_APP) > 0)
        clock_sleep_us(2000);
}

static bool
one_works(struct desk *desk)
{
    return desk_number(desk,
               "SELECT count(*)" OF_APP " AND state = 'active' AND wait_event = 'PgSleep'") >= 1;
}

static bool
one_waits(struct desk *desk)
{
    return desk_number(desk,
               "SELECT count(*)" OF_APP " AND state = 'active' AND wait_event = 'advisory'") == 1;
}

static bool
has_lost_three(struct desk *desk)
{
    return pool_statistics(desk->pool).lost == 3;
}

static void
the_end_of_an_idle_connection_is_noticed_and_it_is_replaced(void **state)
{
    struct desk *desk = *state;
    struct asked *asked;

    desk->options.size = 3;
    desk->options.most_overflow = 0;
    desk_open(desk);
    for (int i = 0; i < 9; i++)
        desk_ask(desk, POOL_EXCLUSIVE, &ask_sleep, 100, true, 0);
    desk_run(desk, 9);
    assert_int_equal(pool_statistics(desk->pool).open, 3);
    terminate_all(desk);
    desk_run_until(desk, has_lost_three);
    asked = desk_ask(desk, POOL_EXCLUSIVE, &ask_write, 1, false, 0);
    desk_run(desk, 1);
    assert_good(asked);
    assert_int_equal(asked->statements, 1);
    assert_true(pool_is_up(desk->pool));
}

/* The pool has not heard yet that its connection is gone. */
static void
what_was_not_sent_is_sent_on_another_connection(void **state)
{
    struct desk *desk = *state;

    desk_open(desk);
    for (int i = 0; i < 10; i++) {
        struct asked *asked = desk_ask(desk, (enum pool_lane)(i % 2), &ask_write, i, false, 0);

        desk_run(desk, 1);
        assert_good(asked);
        terminate_all(desk);
        asked = desk_ask(desk, (enum pool_lane)(i % 2), &ask_write, 100 + i, false, 0);
        desk_run(desk, 1);
        assert_good(asked);
    }
    assert_int_equal(desk_number(desk, "SELECT count(DISTINCT number) FROM public.done"), 20);
    assert_int_equal(desk_number(desk, "SELECT count(*) FROM public.done"), 20);
}

static void
only_what_is_repeatable_is_run_again(void **state)
{
    struct desk *desk = *state;

    for (enum pool_lane lane = POOL_EXCLUSIVE; lane <= POOL_SHARED; lane++) {
        struct asked *read;
        struct asked *write;

        desk_open(desk);
        desk_do(desk, "SELECT pg_catalog.pg_advisory_lock(42)");
        read = desk_ask(desk, lane, &ask_locked, 4, true, 0);
        desk_run_until(desk, one_waits);
        terminate_all(desk);
        desk_do(desk, "SELECT pg_catalog.pg_advisory_unlock(42)");
        desk_run(desk, 1);
        assert_good(read);
        assert_int_equal(read->statements, 2);
        assert_int_equal(pool_statistics(desk->pool).repeated, 1);

        desk_do(desk, "SELECT pg_catalog.pg_advisory_lock(42)");
        write = desk_ask(desk, lane, &ask_locked_write, 5, false, 0);
        desk_run_until(desk, one_waits);
        terminate_all(desk);
        desk_do(desk, "SELECT pg_catalog.pg_advisory_unlock(42)");
        desk_run(desk, 1);
        assert_bad(write, ERR_CONNECTION);
        assert_int_equal(write->statements, 1);
        assert_non_null(strstr(write->error.message, "terminating connection"));

        /* Once, not again and again. */
        read = desk_ask(desk, lane, &ask_sleep, 60000, true, 0);
        desk_run_until(desk, one_works);
        terminate_all(desk);
        desk_run_until(desk, one_works);
        terminate_all(desk);
        desk_run(desk, 1);
        assert_bad(read, ERR_CONNECTION);
        assert_int_equal(read->statements, 2);
        pool_free(desk->pool);
        desk->pool = NULL;
    }
    assert_int_equal(desk_number(desk, "SELECT count(*) FROM public.done"), 0);
}

static void
lease_taken(void *data, struct pool_lease *lease, const struct error *error)
{
    struct asked *asked = data;

    asked->times++;
    asked->lease = lease;
    if (error)
        asked->error = *error;
    desk_count(asked->desk);
}

static void
run_on_lease(struct asked *asked, const char *sql)
{
    struct pool_statement statement = { .sql = sql };
    struct pool_work work = {
        .statements = &statement,
        .count = 1,
        .is_repeatable = true,
        .arena = asked->desk->ctx.arena,
        .done = desk_answered,
        .data = asked,
    };

    asked->times = 0;
    pool_lease_run(asked->lease, &work);
    desk_run(asked->desk, 1);
}

static void
a_lease_that_lost_its_connection_says_so_until_it_ends(void **state)
{
    struct desk *desk = *state;
    struct asked *asked = desk_new_asked(desk, 0);
    struct asked *after;

    desk_open(desk);
    (void)pool_lease(desk->pool, 0, lease_taken, asked);
    desk_run(desk, 1);
    assert_non_null(asked->lease);
    run_on_lease(asked, "BEGIN");
    assert_good(asked);
    terminate_all(desk);
    run_on_lease(asked, "SELECT 1");
    assert_bad(asked, ERR_CONNECTION);
    run_on_lease(asked, "COMMIT");
    assert_bad(asked, ERR_CONNECTION);
    pool_lease_end(asked->lease);
    after = desk_ask(desk, POOL_EXCLUSIVE, &ask_number, 1, false, 0);
    desk_run(desk, 1);
    assert_good(after);
    assert_int_equal(pool_statistics(desk->pool).busy, 0);
}

/* One that is asked when all is over. */
static const struct asked *
desk_after(struct desk *desk)
{
    struct asked *asked = desk_ask(desk, POOL_EXCLUSIVE, &ask_write, 1, false, 0);

    desk_run(desk, 1);
    return asked;
}

/* The server ends all sessions and recovers, since shared memory may be damaged. */
static void
a_backend_that_is_killed_takes_nothing_with_it(void **state)
{
    struct desk *desk = *state;
    struct asked *reads[40];
    struct asked *pid;

    desk->options.size = 5;
    desk->options.most_overflow = 0;
    desk_open(desk);
    pid = desk_ask(desk, POOL_EXCLUSIVE, &ask_pid, 0, true, 0);
    desk_run(desk, 1);
    for (int i = 0; i < 40; i++)
        reads[i] = desk_ask(desk, (enum pool_lane)(i % 2), &ask_sleep, 50, true, 0);
    desk_run_until(desk, one_works);
    assert_int_equal(kill((pid_t)pid->number, SIGKILL), 0);
    desk_run(desk, 40);
    for (int i = 0; i < 40; i++) {
        /* The second session may have been ended by the recovery as well. */
        if (reads[i]->is_good || reads[i]->statements < 2)
            assert_good(reads[i]);
        else
            assert_bad(reads[i], ERR_CONNECTION);
    }
    assert_good(desk_after(desk));
    assert_true(pool_statistics(desk->pool).lost >= 1);
}

static void
a_server_that_was_restarted_is_found_again(void **state)
{
    struct desk *desk = *state;
    struct asked *reads[60];
    struct asked *write;

    desk->options.size = 4;
    desk->options.most_overflow = 0;
    desk_open(desk);
    for (int i = 0; i < 60; i++)
        reads[i] = desk_ask(desk, (enum pool_lane)(i % 2), &ask_sleep, 20, true, 0);
    write = desk_ask(desk, POOL_EXCLUSIVE, &ask_write, 8, false, 0);
    desk_run_until(desk, one_works);
    db_close(desk->admin);
    desk->admin = NULL;
    (void)run_cluster(&desk->ctx, "stop");
    (void)run_cluster(&desk->ctx, "start");
    desk_run(desk, 61);
    for (int i = 0; i < 60; i++)
        assert_good(reads[i]);
    assert_good(write);
    assert_true(pool_is_up(desk->pool));
}

static bool
is_down(struct desk *desk)
{
    return !pool_is_up(desk->pool);
}

static bool
is_up(struct desk *desk)
{
    return pool_is_up(desk->pool);
}

static void
a_server_that_is_down_is_said_to_be_so_and_asked_for_patiently(void **state)
{
    struct desk *desk = *state;
    struct asked *waiting;
    struct asked *refused;
    struct asked *after;

    desk_open(desk);
    desk_read(desk, POOL_EXCLUSIVE, 0);
    desk_run(desk, 1);
    db_close(desk->admin);
    desk->admin = NULL;
    (void)run_cluster(&desk->ctx, "stop");
    desk_run_until(desk, is_down);
    waiting = desk_ask(desk, POOL_EXCLUSIVE, &ask_write, 1, false, 0);
    desk_run(desk, 1);
    assert_bad(waiting, ERR_CONNECTION);
    assert_true(waiting->waited_us >= 5000000);
    assert_non_null(strstr(waiting->error.message, "could not connect"));
    refused = desk_ask(desk, POOL_SHARED, &ask_number, 1, true, 0);
    assert_bad(refused, ERR_CONNECTION);
    desk->answered = 0;
    /* About ten in the first seconds, one a second then. */
    assert_true(pool_statistics(desk->pool).failed < 40);
    (void)run_cluster(&desk->ctx, "start");
    desk_run_until(desk, is_up);
    after = desk_ask(desk, POOL_EXCLUSIVE, &ask_write, 2, false, 0);
    desk_run(desk, 1);
    assert_good(after);
}

static bool
has_failed_thrice(struct desk *desk)
{
    return pool_statistics(desk->pool).failed >= 3;
}

static void
no_connection_left_is_waited_for(void **state)
{
    struct desk *desk = *state;
    struct db_options options = { .url = desk->options.db.url, .application = "test_pool/holder" };
    struct db *holders[3];
    struct asked *asked[100];

    desk_do(desk, "ALTER ROLE app CONNECTION LIMIT 3");
    for (int i = 0; i < 3; i++)
        desk_must(desk, db_open(&desk->ctx, &options, &holders[i]));
    desk_open(desk);
    asked[0] = desk_read(desk, POOL_EXCLUSIVE, 1);
    asked[1] = desk_read(desk, POOL_SHARED, 2);
    desk_run_until(desk, has_failed_thrice);
    assert_int_equal(desk->answered, 0);
    assert_int_equal(pool_statistics(desk->pool).waiting, 2);
    /* One connection has to do for both lanes. */
    db_close(holders[0]);
    desk_run(desk, 2);
    assert_good(asked[0]);
    assert_good(asked[1]);
    for (int i = 0; i < 100; i++)
        asked[i] = desk_ask(desk, (enum pool_lane)(i % 2), &ask_sleep, 5, true, 0);
    desk_run(desk, 100);
    for (int i = 0; i < 100; i++)
        assert_good(asked[i]);
    db_close(holders[1]);
    db_close(holders[2]);
    assert_int_equal(pool_statistics(desk->pool).lost, 0);
    /* No storm: at most one try at a time, with growing pauses. */
    assert_true(pool_statistics(desk->pool).failed < 100);
}

static void
a_frozen_backend_is_left_behind(void **state)
{
    struct desk *desk = *state;
    struct asked *pid;
    struct asked *frozen;
    struct asked *after;

    desk->options.size = 2;
    desk->options.most_overflow = 0;
    desk->options.shared_size = 1;
    desk->options.shared_most_us = 300000;
    desk_open(desk);
    for (enum pool_lane lane = POOL_EXCLUSIVE; lane <= POOL_SHARED; lane++) {
        int64_t lost = pool_statistics(desk->pool).lost;

        pid = desk_ask(desk, lane, &ask_pid, 0, true, 0);
        desk_run(desk, 1);
        assert_int_equal(kill((pid_t)pid->number, SIGSTOP), 0);
        frozen = desk_ask(desk, lane, &ask_number, 1, true, lane == POOL_SHARED ? 0 : 300000);
        after = desk_ask(desk, lane, &ask_number, 2, true, 0);
        desk_run(desk, 2);
        assert_int_equal(kill((pid_t)pid->number, SIGCONT), 0);
        assert_bad(frozen, ERR_TIMEOUT);
        assert_good(after);
        assert_int_equal(pool_statistics(desk->pool).lost, lost + 1);
    }
}

struct torture {
    struct asked *writes[MOST_WRITES];
    struct asked *reads[MOST_WRITES];
};

static void
count_good_and_bad(struct desk *desk, const struct torture *torture, int *ret_bad)
{
    *ret_bad = 0;
    for (int i = 0; i < MOST_WRITES; i++) {
        const struct asked *write = torture->writes[i];
        const struct asked *read = torture->reads[i];
        const char *sql =
            arena_printf(desk->ctx.arena, "SELECT count(*) FROM public.done WHERE number = %d", i);

        assert_int_equal(write->times, 1);
        assert_int_equal(read->times, 1);
        if (read->is_good)
            assert_int_equal(read->number, i);
        if (!read->is_good && read->error.kind != ERR_CONNECTION)
            fail_msg("%s", read->error.message);
        if (write->is_good)
            continue;
        (*ret_bad)++;
        assert_int_equal(write->error.kind, ERR_CONNECTION);
        assert_true(desk_number(desk, sql) <= 1);
    }
}

/* Sessions end at any moment, while there is much to do in both lanes. */
static void
nothing_is_run_twice_and_nothing_is_forgotten(void **state)
{
    struct desk *desk = *state;
    struct torture *torture = ARENA_NEW(desk->ctx.arena, struct torture);
    struct test_random random = test_random_new();
    int bad;
    int good;

    desk->options.size = 4;
    desk->options.most_overflow = 2;
    desk->options.most_waiting = MOST_WRITES * 2;
    desk_open(desk);
    for (int i = 0; i < MOST_WRITES; i++) {
        torture->writes[i] =
            desk_ask(desk, test_random_below(&random, 4) == 0, &ask_write, i, false, 0);
        torture->reads[i] =
            desk_ask(desk, (enum pool_lane)test_random_below(&random, 2), &ask_number, i, true, 0);
        if (i % 50 != 49)
            continue;
        /* Some of it is answered, some under way, when the next session ends. */
        desk_run_some(desk, desk->answered + 1 + (int32_t)test_random_below(&random, 60));
        desk_do(desk,
            "SELECT pg_catalog.pg_terminate_backend(pid)" OF_APP " ORDER BY random() LIMIT 2");
    }
    desk_run(desk, 2 * MOST_WRITES);
    count_good_and_bad(desk, torture, &bad);
    good = MOST_WRITES - bad;
    print_message("# %d writes good, %d lost\n", good, bad);
    assert_int_equal(
        desk_number(desk, "SELECT count(*) - count(DISTINCT number) FROM public.done"), 0);
    assert_true(desk_number(desk, "SELECT count(*) FROM public.done") >= good);
    assert_int_equal(pool_statistics(desk->pool).busy, 0);
    assert_int_equal(pool_statistics(desk->pool).waiting, 0);
}

/* One of many callers that do whatever comes to their mind. */
struct wild {
    struct desk *desk;
    struct test_random *random;
    struct arena *arena;
    struct one_number arg;
    struct pool_ticket *ticket;
    struct pool_lease *lease;
    bool is_waiting; /* a callback is due */
    bool is_number;
    int32_t turns;
    int32_t *left;
};

static void take_turn(struct wild *wild);

static void
end_turn(struct wild *wild)
{
    wild->ticket = NULL;
    wild->is_waiting = false;
    take_turn(wild);
}

static void
wild_answered(void *data, const struct pool_outcome *outcome)
{
    struct wild *wild = data;

    assert_true(wild->is_waiting);
    /* Whoever waits for another query's number would get it here. */
    if (outcome->is_good && wild->is_number)
        assert_int_equal(
            ((const struct one_number *)outcome->rows[0].items)->number, wild->arg.number);
    if (!outcome->is_good && outcome->error.kind != ERR_CONNECTION &&
        outcome->error.kind != ERR_BUSY && outcome->error.kind != ERR_TIMEOUT &&
        outcome->error.kind != ERR_SERVER)
        fail_msg("%s", outcome->error.message);
    end_turn(wild);
}

static void
wild_leased(void *data, struct pool_lease *lease, const struct error *error)
{
    struct wild *wild = data;

    assert_true(wild->is_waiting);
    assert_true(!lease == !!error);
    wild->lease = lease;
    end_turn(wild);
}

static void
wild_ask(struct wild *wild)
{
    struct test_random *random = wild->random;
    bool is_sleep = test_random_below(random, 8) == 0;
    const struct pool_statement statement = {
        .query = is_sleep ? &ask_sleep : &ask_number,
        .args = &wild->arg,
    };
    static const struct pool_statement begin = { .sql = "BEGIN" };
    bool is_begin = test_random_below(random, 10) == 0;
    struct pool_work work = {
        .statements = is_begin ? &begin : &statement,
        .count = 1,
        .lane = (enum pool_lane)test_random_below(random, 2),
        .is_repeatable = test_random_below(random, 2),
        .limit_us =
            test_random_below(random, 3) == 0 ? (int64_t)test_random_below(random, 40000) : 0,
        .arena = wild->arena,
        .done = wild_answered,
        .data = wild,
    };

    arena_reset(wild->arena);
    wild->is_number = !is_sleep && !is_begin;
    wild->arg.number = (int64_t)test_random_below(random, is_sleep ? 30 : 1000000);
    wild->is_waiting = true;
    if (wild->lease) {
        pool_lease_run(wild->lease, &work);
        return;
    }

    struct pool_ticket *ticket = pool_run(wild->desk->pool, &work);

    if (ticket)
        wild->ticket = ticket;
}

static void
take_turn(struct wild *wild)
{
    size_t choice = test_random_below(wild->random, 10);

    if (wild->is_waiting)
        return;
    if (wild->turns-- <= 0) {
        if (wild->lease)
            pool_lease_end(wild->lease);
        wild->lease = NULL;
        if (--*wild->left == 0)
            loop_stop(wild->desk->loop);
        return;
    }
    if (wild->lease && choice < 3) {
        pool_lease_end(wild->lease);
        wild->lease = NULL;
    }
    if (!wild->lease && choice > 7) {
        struct pool_ticket *ticket;
        int32_t turns = wild->turns;

        wild->is_waiting = true;
        ticket = pool_lease(wild->desk->pool, (int64_t)test_random_below(wild->random, 2) * 50000,
            wild_leased, wild);
        /* Else it has been called back, and may be much further. */
        if (wild->is_waiting && wild->turns == turns && ticket)
            wild->ticket = ticket;
        return;
    }
    wild_ask(wild);
}

/* The client goes away in the middle of whatever it does. */
static void
go_away(struct wild *wild)
{
    if (!wild->is_waiting)
        return;
    if (wild->lease) {
        pool_lease_drop(wild->lease);
        pool_lease_end(wild->lease);
        wild->lease = NULL;
    } else {
        if (!wild->ticket)
            return;
        pool_drop(wild->ticket);
    }
    end_turn(wild);
}

enum { WILD = 60, TURNS = 60 };

struct wilderness {
    struct desk *desk;
    struct wild wilds[WILD];
    struct test_random random;
    struct loop_timer *timer;
    int32_t left;
};

static void
disturb(void *data)
{
    struct wilderness *wilderness = data;
    struct desk *desk = wilderness->desk;

    for (int i = 0; i < 5; i++)
        go_away(&wilderness->wilds[test_random_below(&wilderness->random, WILD)]);
    if (test_random_below(&wilderness->random, 4) == 0)
        desk_do(desk,
            "SELECT pg_catalog.pg_terminate_backend(pid)" OF_APP " ORDER BY random() LIMIT 1");
    if (wilderness->left > 0)
        loop_timer_set(wilderness->timer, 10000);
}

static void
wilderness_drained(void *data)
{
    desk_count(data);
}

static void
whatever_callers_do_the_pool_is_whole_afterwards(void **state)
{
    struct desk *desk = *state;
    struct wilderness *wilderness = ARENA_NEW(desk->ctx.arena, struct wilderness);
    struct asked *asked;

    wilderness->desk = desk;
    wilderness->random = test_random_new();
    wilderness->left = WILD;
    wilderness->timer = loop_timer_new(desk->loop, disturb, wilderness);
    desk->options.size = 3;
    desk->options.most_overflow = 2;
    desk->options.shared_size = 2;
    desk->options.most_waiting = 20;
    desk->options.timeout_us = 200000;
    desk->options.linger_us = 50000;
    desk->options.recycle_us = 500000;
    desk->options.ping_idle_us = 20000;
    desk->options.shared_most_us = 20000;
    desk_open(desk);
    for (int i = 0; i < WILD; i++) {
        struct wild *wild = &wilderness->wilds[i];

        *wild = (struct wild){
            .desk = desk,
            .random = &wilderness->random,
            .arena = arena_new(),
            .turns = TURNS,
            .left = &wilderness->left,
        };
        take_turn(wild);
    }
    loop_timer_set(wilderness->timer, 10000);
    if (wilderness->left > 0)
        loop_run(desk->loop);
    assert_int_equal(wilderness->left, 0);
    loop_timer_free(wilderness->timer);
    for (int i = 0; i < WILD; i++)
        arena_free(wilderness->wilds[i].arena);
    asked = desk_ask(desk, POOL_EXCLUSIVE, &ask_write, 3, false, 0);
    desk_run(desk, 1);
    assert_good(asked);
    pool_drain(desk->pool, wilderness_drained, desk);
    desk_run(desk, 1);
    assert_int_equal(pool_statistics(desk->pool).open, 0);
    assert_int_equal(pool_statistics(desk->pool).busy, 0);
    assert_int_equal(pool_statistics(desk->pool).waiting, 0);
}

static int
start_server(void **state)
{
    struct server server = { .ctx = { .arena = arena_new() } };
    struct db_options options = { .application = "test_pool", .access = ACCESS_WRITE };
    struct db *db CLEANUP(db_cleanup) = NULL;
    const char *host;

    (void)state;
    server.cluster = test_source(&server.ctx, "script/cluster");
    server.folder = test_folder(&server.ctx);
    the_server(&server);
    host = strstr(run_cluster(&server.ctx, "start"), "PGHOST=");
    assert_non_null(host);
    host += strlen("PGHOST=");
    host = arena_strndup(server.ctx.arena, host, strcspn(host, " "));
    server.admin_url =
        arena_printf(server.ctx.arena, "host=%s port=5432 user=postgres dbname=postgres", host);
    server.url = arena_printf(server.ctx.arena, "host=%s port=5432 user=app dbname=postgres", host);
    the_server(&server);
    options.url = server.admin_url;
    if (!db_open(&server.ctx, &options, &db) ||
        !db_exec(&server.ctx, db, "CREATE ROLE app LOGIN") ||
        !db_exec(&server.ctx, db, "CREATE TABLE public.done (number int8)") ||
        !db_exec(&server.ctx, db, "GRANT ALL ON public.done TO app"))
        fail_msg("%s", server.ctx.error.message);
    return 0;
}

static int
remove_server(void **state)
{
    const struct server *server = the_server(NULL);
    struct ctx ctx = { .arena = server->ctx.arena };

    (void)state;
    (void)run_cluster(&ctx, "remove");
    (void)!file_remove(&ctx, server->folder); /* if anything is left of it */
    arena_free(ctx.arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_at_desk(the_end_of_an_idle_connection_is_noticed_and_it_is_replaced),
        test_at_desk(what_was_not_sent_is_sent_on_another_connection),
        test_at_desk(only_what_is_repeatable_is_run_again),
        test_at_desk(a_lease_that_lost_its_connection_says_so_until_it_ends),
        test_at_desk(a_backend_that_is_killed_takes_nothing_with_it),
        test_at_desk(a_server_that_was_restarted_is_found_again),
        test_at_desk(a_server_that_is_down_is_said_to_be_so_and_asked_for_patiently),
        test_at_desk(no_connection_left_is_waited_for),
        test_at_desk(a_frozen_backend_is_left_behind),
        test_at_desk(nothing_is_run_twice_and_nothing_is_forgotten),
        test_at_desk(whatever_callers_do_the_pool_is_whole_afterwards),
    };

    return cmocka_run_group_tests(tests, start_server, remove_server);
}
