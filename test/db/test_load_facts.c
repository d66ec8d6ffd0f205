/*
 * Facts of the server's side against what is known otherwise: so many statements were sent, so much WAL was
 * written by what the server says, so much processor time was burnt by processes of ours, which also end.
 */
#include "support/test.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "db/db.h"
#include "load/facts/facts.h"

static const char database[] = "pgmend_test_load_facts";
enum { REQUESTS = 200, LIMIT_US = 60000000 };

struct bench {
    struct ctx ctx;
    struct db *db; /* what the watch is opened like */
    PGconn *admin; /* in database postgres */
    PGconn *user;  /* the load */
    PGconn *other;
    struct load_step_record step;
    struct load_record record;
};

static PGconn *
connect_to(const char *name)
{
    const char *const names[] = { "dbname", NULL };
    const char *const values[] = { name, NULL };
    PGconn *conn = PQconnectdbParams(names, values, 0);

    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static const char *
ask(struct bench *bench, PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    const char *text = "";

    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    if (PQntuples(result) > 0)
        text = arena_strdup(bench->ctx.arena, PQgetvalue(result, 0, 0));
    PQclear(result);
    return text;
}

static int
group_new(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    const struct db_options options = {
        .database = database, .application = "pgmend/test", .access = ACCESS_READ
    };

    assert_non_null(bench);
    bench->ctx.arena = arena_new();
    bench->admin = connect_to("postgres");
    ask(bench, bench->admin, "DROP DATABASE IF EXISTS pgmend_test_load_facts WITH (FORCE)");
    ask(bench, bench->admin, "CREATE DATABASE pgmend_test_load_facts");
    bench->user = connect_to(database);
    bench->other = connect_to(database);
    ask(bench, bench->user, "CREATE SCHEMA extensions");
    ask(bench, bench->user, "CREATE EXTENSION pg_stat_statements SCHEMA extensions");
    ask(bench, bench->user, "CREATE TABLE item (id int PRIMARY KEY, pad text)");
    ask(bench, bench->user,
        "INSERT INTO item SELECT n, repeat('x', 500) FROM generate_series(1, 5000) AS n");
    assert_true(db_open(&bench->ctx, &options, &bench->db));
    *state = bench;
    return 0;
}

static int
group_free(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);
    PQfinish(bench->user);
    PQfinish(bench->other);
    ask(bench, bench->admin, "DROP DATABASE pgmend_test_load_facts WITH (FORCE)");
    PQfinish(bench->admin);
    arena_free(bench->ctx.arena);
    free(bench);
    return 0;
}

static int
start_record(void **state)
{
    struct bench *bench = *state;

    error_clear(&bench->ctx);
    bench->step = (struct load_step_record){ .name = "one" };
    bench->step.outcomes[LOAD_GOOD] = REQUESTS;
    bench->record = (struct load_record){ .steps = &bench->step, .step_count = 1 };
    return 0;
}

static struct load_watch *
watch_new(struct bench *bench, const struct db *db, const char *target)
{
    const struct load_watch_options options = { .db = db, .target = target };
    struct load_watch *watch = NULL;

    if (!load_watch_new(&bench->ctx, &options, &watch))
        fail_msg("%s", bench->ctx.error.message);
    return watch;
}

static double
fact(struct bench *bench, const char *name)
{
    for (size_t i = 0; i < bench->record.fact_count; i++)
        if (strcmp(bench->record.facts[i].name, name) == 0)
            return bench->record.facts[i].value;
    return NAN;
}

static bool
has_note(struct bench *bench, const char *text)
{
    for (size_t i = 0; i < bench->record.fact_notes.count; i++)
        if (strstr(bench->record.fact_notes.items[i], text))
            return true;
    return false;
}

static void
finish(struct bench *bench, struct load_watch *watch)
{
    if (!load_watch_facts(&bench->ctx, watch, &bench->record))
        fail_msg("%s", bench->ctx.error.message);
    for (size_t i = 0; i < bench->record.fact_notes.count; i++)
        print_message("# %s\n", bench->record.fact_notes.items[i]);
    load_watch_free(watch);
}

/* A moment is only asked for, so what the watch has read is seen by what its session has asked. */
static void
wait_for(struct bench *bench, const char *condition)
{
    int64_t end = clock_us() + LIMIT_US;

    while (strcmp(ask(bench, bench->admin, condition), "t") != 0) {
        if (clock_us() > end)
            fail_msg("waited in vain for: %s", condition);
        clock_sleep_us(10000);
    }
}

/* Its last statement is the one that reads pg_stat_statements, and that is over. */
static void
wait_for_begin(struct bench *bench)
{
    wait_for(bench,
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'pgmend_test_load_facts'"
        " AND application_name = 'pgmend/load watch' AND state = 'idle'"
        " AND (query LIKE '%pgmend_load_calls%' OR query LIKE '%pgmend_load_sessions%'"
        "      AND query_start > backend_start + interval '2.5 s'))");
}

static void
statements_and_wal_are_those_that_were_made(void **state)
{
    struct bench *bench = *state;
    struct load_watch *watch = watch_new(bench, bench->db, NULL);
    const char *before, *wal;
    double wal_bytes;

    load_watch_begin(watch);
    wait_for_begin(bench);
    before = ask(bench, bench->user, "SELECT pg_current_wal_insert_lsn()");
    for (int i = 0; i < REQUESTS; i++) {
        ask(bench, bench->user, "SELECT count(*) FROM item WHERE id < 100");
        ask(bench, bench->user, "UPDATE item SET pad = pad WHERE id = 7");
    }
    wal = ask(bench, bench->user,
        arena_printf(bench->ctx.arena, "SELECT pg_current_wal_insert_lsn() - '%s'", before));
    load_watch_end(watch);
    load_watch_end(watch);
    finish(bench, watch);
    wal_bytes = strtod(wal, NULL) / REQUESTS;
    /* Two a request, and the two that asked for the WAL; ours are not among them. */
    assert_true(fabs(fact(bench, "statements") - (2.0 * REQUESTS + 2) / REQUESTS) < 0.001);
    assert_true(fact(bench, "statement_us") > 0);
    /* Other tests may write to the same server meanwhile, never less. */
    assert_true(wal_bytes > 0 && fact(bench, "wal_bytes") >= wal_bytes);
    assert_true(fact(bench, "wal_rate") > 0);
    assert_true(fact(bench, "deadlocks") == 0);
    assert_true(fact(bench, "temp_bytes") == 0);
    assert_true(fact(bench, "processors") == (double)sysconf(_SC_NPROCESSORS_ONLN));
    assert_true(fact(bench, "generator_cpu_share") >= 0);
}

/* The sessions that wait for a lock of ours, as long as it takes for the watch to have seen them. */
static void
waits_for_locks_are_seen(void **state)
{
    struct bench *bench = *state;
    struct load_watch *watch = watch_new(bench, bench->db, NULL);
    PGresult *result;

    load_watch_begin(watch);
    ask(bench, bench->user, "BEGIN");
    ask(bench, bench->user, "LOCK TABLE item IN ACCESS EXCLUSIVE MODE");
    assert_int_equal(PQsendQuery(bench->other, "SELECT count(*) FROM item"), 1);
    wait_for(bench, "SELECT EXISTS (SELECT FROM pg_stat_activity AS w JOIN pg_locks AS l"
                    " ON NOT l.granted AND l.waitstart < w.query_start - interval '0.5 s'"
                    " WHERE w.datname = 'pgmend_test_load_facts' AND w.state = 'idle'"
                    "   AND w.query LIKE '%pgmend_load_sessions%')");
    ask(bench, bench->user, "COMMIT");
    result = PQgetResult(bench->other);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    PQclear(result);
    assert_null(PQgetResult(bench->other));
    load_watch_end(watch);
    finish(bench, watch);
    assert_true(fact(bench, "lock_waits_most") == 1);
    assert_true(fact(bench, "lock_waits") > 0 && fact(bench, "lock_waits") <= 1);
    assert_true(fact(bench, "lock_wait_us") >= 500000);
    assert_true(fact(bench, "connections") == 3);
    /* The curve has the same seconds. */
    assert_true(bench->record.fact_moment_count > 0);
    for (size_t i = 1; i < bench->record.fact_moment_count; i++)
        assert_true(bench->record.fact_moments[i].at == bench->record.fact_moments[i - 1].at + 1);
}

static double
own_cpu_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
burn(double seconds)
{
    while (own_cpu_s() < seconds)
        continue;
}

static char
read_byte(int fd)
{
    char byte = 0;

    assert_int_equal(read(fd, &byte, 1), 1);
    return byte;
}

/* A server: a worker that burns half a second and ends, and the parent, which burns a quarter. */
static void
serve(int listener, int from_test, int to_test)
{
    pid_t worker;

    (void)listener;
    (void)read_byte(from_test);
    worker = fork();
    if (worker == 0) {
        burn(0.5);
        _exit(0);
    }
    waitpid(worker, NULL, 0);
    burn(0.25);
    (void)!write(to_test, "d", 1);
    (void)read_byte(from_test);
    _exit(0);
}

static void
processor_time_of_who_listens_is_found(void **state)
{
    struct bench *bench = *state;
    struct sockaddr_in address = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int down[2], up[2];
    struct load_watch *watch;
    pid_t server;

    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(pipe(down), 0);
    assert_int_equal(pipe(up), 0);
    server = fork();
    if (server == 0)
        serve(listener, down[0], up[1]);
    /* We hold it too, and are not taken for the server. */
    watch = watch_new(
        bench, NULL, arena_printf(bench->ctx.arena, "127.0.0.1:%d", ntohs(address.sin_port)));
    load_watch_begin(watch);
    clock_sleep_us(300000);
    assert_int_equal(write(down[1], "g", 1), 1);
    assert_true(read_byte(up[0]) == 'd');
    load_watch_end(watch);
    finish(bench, watch);
    assert_int_equal(write(down[1], "e", 1), 1);
    waitpid(server, NULL, 0);
    close(listener);
    for (int i = 0; i < 2; i++) {
        close(down[i]);
        close(up[i]);
    }
    /* Three quarters of a second; a tick of the clock is 10 ms, and forking costs something. */
    assert_true(fact(bench, "api_cpu_us") * REQUESTS > 720000);
    assert_true(fact(bench, "api_cpu_us") * REQUESTS < 950000);
    assert_true(fact(bench, "api_cpu_share") > 0 && fact(bench, "api_cpu_share") <= 1);
    assert_true(fact(bench, "api_memory") > 0);
    assert_true(has_note(bench, "no database is named"));
    assert_true(isnan(fact(bench, "statements")));
}

/* A session of the server that burns processor time and ends is still part of it. */
static void
processor_time_of_the_server_is_found(void **state)
{
    struct bench *bench = *state;
    struct load_watch *watch = watch_new(bench, bench->db, NULL);
    PGconn *session = connect_to(database);

    load_watch_begin(watch);
    wait_for_begin(bench);
    ask(bench, session, "SELECT sum(sqrt(n)) FROM generate_series(1, 2000000) AS n");
    PQfinish(session);
    wait_for(bench,
        "SELECT count(*) = 4 FROM pg_stat_activity WHERE datname = 'pgmend_test_load_facts'");
    load_watch_end(watch);
    finish(bench, watch);
    if (has_note(bench, "PostgreSQL's CPU is not known")) {
        print_message("# the server's processes are not seen here\n");
        return;
    }
    /* Two million roots take more than 50 ms anywhere, and fewer processors than there are. */
    assert_true(fact(bench, "pg_cpu_us") * REQUESTS > 50000);
    assert_true(fact(bench, "pg_cpu_share") > 0 && fact(bench, "pg_cpu_share") <= 1.01);
    assert_true(fact(bench, "pg_memory") > 1e6);
}

static void
a_session_that_is_lost_takes_its_facts_and_no_others(void **state)
{
    struct bench *bench = *state;
    struct load_watch *watch = watch_new(bench, bench->db, NULL);

    load_watch_begin(watch);
    wait_for_begin(bench);
    ask(bench, bench->admin,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname ="
        " 'pgmend_test_load_facts' AND application_name = 'pgmend/load watch'");
    load_watch_end(watch);
    finish(bench, watch);
    assert_true(has_note(bench, "its session was lost in the run"));
    assert_true(isnan(fact(bench, "statements")));
    assert_true(isnan(fact(bench, "cache_hit")));
    assert_true(fact(bench, "generator_cpu_share") >= 0);
}

static void
a_signal_does_not_keep_the_end_from_being_read(void **state)
{
    struct bench *bench = *state;
    struct load_watch *watch = watch_new(bench, bench->db, NULL);

    load_watch_begin(watch);
    wait_for_begin(bench);
    for (int i = 0; i < REQUESTS; i++)
        ask(bench, bench->user, "SELECT 1");
    interrupt_put(SIGINT);
    load_watch_end(watch);
    finish(bench, watch);
    assert_int_equal(interrupt_take(), SIGINT);
    assert_true(fact(bench, "statements") == 1);
}

static void
a_run_that_ends_before_it_counts_has_no_facts(void **state)
{
    struct bench *bench = *state;
    struct load_watch *watch = watch_new(bench, bench->db, "127.0.0.1:1");

    load_watch_end(watch);
    finish(bench, watch);
    assert_int_equal(bench->record.fact_count, 0);
}

static void
who_is_not_there_is_said(void **state)
{
    struct bench *bench = *state;
    struct load_watch *watch;

    ask(bench, bench->user, "DROP EXTENSION pg_stat_statements");
    /* Nobody listens at port 1. */
    watch = watch_new(bench, bench->db, "127.0.0.1:1");
    load_watch_begin(watch);
    load_watch_end(watch);
    finish(bench, watch);
    assert_true(has_note(bench, "nobody listens there"));
    assert_true(has_note(bench, "pg_stat_statements is not installed"));
    assert_true(isnan(fact(bench, "api_cpu_us")));
    assert_true(isnan(fact(bench, "others_cpu_share")));
    assert_true(fact(bench, "checkpoints") >= 0);
}

#define test_with_record(test) cmocka_unit_test_setup(test, start_record)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_record(statements_and_wal_are_those_that_were_made),
        test_with_record(waits_for_locks_are_seen),
        test_with_record(processor_time_of_who_listens_is_found),
        test_with_record(processor_time_of_the_server_is_found),
        test_with_record(a_session_that_is_lost_takes_its_facts_and_no_others),
        test_with_record(a_signal_does_not_keep_the_end_from_being_read),
        test_with_record(a_run_that_ends_before_it_counts_has_no_facts),
        test_with_record(who_is_not_there_is_said),
    };

    return cmocka_run_group_tests(tests, group_new, group_free);
}
