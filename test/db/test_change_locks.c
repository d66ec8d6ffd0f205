/*
 * Changes while others hold what they need: they give way, nobody queues behind them for long, and
 * they go through when the others have ended. The faults are real sessions with real locks; each
 * step waits until the server says that it is so.
 */
#include "support/test.h"

#include <pthread.h>

#include "base/clock.h"
#include "test_change_support.h"

enum { DEADLINE_US = 30000000, POLL_US = 5000 };

/* A session that stands in the way, and a thread that ends it when the change has waited. */
struct blocker {
    struct bench *bench;
    struct ctx ctx;
    struct db *db;      /* holds */
    struct db *witness; /* looks */
    const char *hold;   /* statement in its transaction */
    int pid;            /* of the server's process that does the change */
    int attempts;       /* that are waited for before it is ended */
    int64_t reader_us;  /* how long a reader waited behind the change at worst; -1: not tried */
    bool has_failed;
    pthread_t thread;
};

/* Whether the change waits for a lock now; -1 when the witness cannot tell. */
static int
is_waiting(struct blocker *blocker)
{
    const char *answer = NULL;
    const char *sql = arena_printf(blocker->ctx.arena,
        "SELECT count(*) FROM pg_catalog.pg_locks WHERE pid = %d AND NOT granted", blocker->pid);

    if (!db_value(&blocker->ctx, blocker->witness, sql, NULL, 0, &answer) || !answer)
        return -1;
    return *answer != '0';
}

static bool
wait_for(struct blocker *blocker, int wanted)
{
    for (int64_t end = clock_us() + DEADLINE_US; clock_us() < end; clock_sleep_us(POLL_US)) {
        int now = is_waiting(blocker);

        if (now < 0)
            return false;
        if (now == wanted)
            return true;
    }
    return false;
}

/* A reader comes while the change waits in front of it. */
static bool
read_table(struct blocker *blocker)
{
    int64_t started = clock_us();

    if (blocker->reader_us < 0)
        return true;
    if (!db_exec(&blocker->ctx, blocker->witness, "SELECT pg_catalog.count(*) FROM app.t"))
        return false;
    if (clock_us() - started > blocker->reader_us)
        blocker->reader_us = clock_us() - started;
    return true;
}

static void *
watch_and_end(void *data)
{
    struct blocker *blocker = data;

    for (int i = 0; i < blocker->attempts && !blocker->has_failed; i++)
        blocker->has_failed = !wait_for(blocker, 1) || !read_table(blocker) ||
                              (i + 1 < blocker->attempts && !wait_for(blocker, 0));
    blocker->has_failed |= !db_exec(&blocker->ctx, blocker->db, "ROLLBACK");
    return NULL;
}

static void
begin_blocking(struct bench *bench, struct blocker *blocker, const char *hold)
{
    blocker->bench = bench;
    blocker->ctx.arena = arena_new();
    blocker->db = connect_to(bench, bench->database);
    blocker->witness = connect_to(bench, bench->database);
    blocker->pid = db_backend_pid(bench->rollout.db);
    must(bench, db_exec(&bench->ctx, blocker->db, "BEGIN"));
    must(bench, db_exec(&bench->ctx, blocker->db, hold));
    assert_int_equal(pthread_create(&blocker->thread, NULL, watch_and_end, blocker), 0);
}

static void
end_blocking(struct blocker *blocker)
{
    assert_int_equal(pthread_join(blocker->thread, NULL), 0);
    if (blocker->has_failed)
        fail_msg("the session in the way: %s",
            blocker->ctx.error.message ? blocker->ctx.error.message : "nobody waited for it");
    db_close(blocker->db);
    db_close(blocker->witness);
    arena_free(blocker->ctx.arena);
}

/* Three times it has to give up before it is let through. */
static void
goes_through(struct bench *bench, struct change change, const char *hold)
{
    struct blocker blocker = { .attempts = 3, .reader_us = -1 };
    struct rollout_outcome outcome;

    bench->rollout.limits.first_lock_us = 100000;
    begin_blocking(bench, &blocker, hold);
    must(bench, try_change(bench, change, &outcome));
    end_blocking(&blocker);
    assert_true(outcome.is_done);
    if (!text_equal(change.kind, KIND_FILL))
        assert_true(outcome.attempts >= 3);
}

#define LOCKED "LOCK TABLE app.t IN ACCESS EXCLUSIVE MODE"
#define READ   "SELECT pg_catalog.count(*) FROM app.t"
#define WRITE  "UPDATE app.t SET a = 1 WHERE id = 1500"

static void
column_waits_for_a_lock(void **state)
{
    goes_through(*state, column_change(*state), LOCKED);
    assert_answer(*state, "SELECT count(twice) FROM app.t", "0");
}

static void
column_waits_for_a_reader(void **state)
{
    goes_through(*state, column_change(*state), READ);
    assert_answer(*state, "SELECT count(twice) FROM app.t", "0");
}

static void
trigger_waits_for_a_writer(void **state)
{
    do_change(*state, column_change(*state), "added");
    goes_through(*state, trigger_change(*state), WRITE);
    run(*state, "INSERT INTO app.t (id, a) VALUES (1, 21)");
    assert_answer(*state, "SELECT twice FROM app.t WHERE id = 1", "42");
}

static void
vacuum_waits_for_a_lock(void **state)
{
    goes_through(*state, about_table(*state, KIND_VACUUM, "t"), LOCKED);
}

static void
fill_waits_for_a_row(void **state)
{
    do_change(*state, column_change(*state), "added");
    goes_through(*state, fill_change(*state), WRITE);
    assert_answer(*state, "SELECT count(*) FROM app.t WHERE twice IS DISTINCT FROM a * 2", "0");
}

static void
drop_of_a_column_waits(void **state)
{
    struct bench *bench = *state;
    struct blocker blocker = { .attempts = 3, .reader_us = -1 };
    struct journal_entry entry;
    struct rollout_outcome outcome;

    do_change(bench, column_change(bench), "added");
    entry = last_entry(bench);
    bench->rollout.limits.first_lock_us = 100000;
    begin_blocking(bench, &blocker, READ);
    must(bench, rollout_undo(&bench->ctx, &bench->rollout, &entry, &outcome));
    end_blocking(&blocker);
    assert_string_equal(outcome.result, "dropped");
}

/*
 * While a long transaction reads, the ALTER waits in front of all new readers: each of them is
 * through after at most one time-out of it, although the long one goes on.
 */
static void
readers_do_not_queue(void **state)
{
    struct bench *bench = *state;
    struct blocker blocker = { .attempts = 4, .reader_us = 0 };
    struct rollout_outcome outcome;

    bench->rollout.limits.first_lock_us = 200000;
    begin_blocking(bench, &blocker, READ);
    must(bench, try_change(bench, column_change(bench), &outcome));
    end_blocking(&blocker);
    assert_true(outcome.attempts >= 4);
    /* The long transaction outlived all of them: who got through did not wait for its end. */
    assert_true(blocker.reader_us > 0);
}

/* What never gets its lock leaves nothing behind and says so. */
static void
column_gives_up(void **state)
{
    struct bench *bench = *state;
    struct db *holder CLEANUP(db_cleanup) = connect_to(bench, bench->database);
    struct rollout_outcome outcome;

    must(bench, db_exec(&bench->ctx, holder, "BEGIN"));
    must(bench, db_exec(&bench->ctx, holder, LOCKED));
    bench->rollout.limits.first_lock_us = 50000;
    bench->rollout.limits.wait_us = 500000;
    assert_false(try_change(bench, column_change(bench), &outcome));
    assert_error(&bench->ctx, ERR_UNDONE, "canceling statement due to lock timeout");
    assert_string_equal(bench->ctx.error.state, "Nothing of app.t.twice was done.");
    assert_string_equal(last_entry(bench).state, ENTRY_FAILED);
    error_clear(&bench->ctx);
    must(bench, db_exec(&bench->ctx, holder, "ROLLBACK"));
    do_change(bench, column_change(bench), "added");
}

/* The fill stops with what it has; the same change goes on. */
static void
fill_gives_up_and_goes_on(void **state)
{
    struct bench *bench = *state;
    struct db *holder CLEANUP(db_cleanup) = connect_to(bench, bench->database);
    struct rollout_outcome outcome;

    do_change(bench, column_change(bench), "added");
    must(bench, db_exec(&bench->ctx, holder, "BEGIN"));
    must(bench, db_exec(&bench->ctx, holder, "UPDATE app.t SET a = 1 WHERE id = 3000"));
    bench->rollout.limits.first_lock_us = 50000;
    bench->rollout.limits.wait_us = 500000;
    assert_false(try_change(bench, fill_change(bench), &outcome));
    assert_error(&bench->ctx, ERR_TIMEOUT, "rows were held by others for longer than");
    assert_non_null(strstr(bench->ctx.error.state, "are filled and stay"));
    assert_string_equal(last_entry(bench).state, ENTRY_STARTED);
    error_clear(&bench->ctx);
    assert_answer(bench, "SELECT count(twice) BETWEEN 1 AND 999 FROM app.t", "t");
    must(bench, db_exec(&bench->ctx, holder, "COMMIT"));
    must(bench, try_change(bench, fill_change(bench), &outcome));
    assert_answer(bench, "SELECT count(*) FROM app.t WHERE twice IS DISTINCT FROM a * 2", "0");
    assert_answer(bench, "SELECT count(*) FROM pgmend.journal WHERE kind = 'fill column'", "1");
}

/* The server ends the session in the middle: it is connected to again, and the work goes on. */
static void
session_is_lost(void **state)
{
    struct bench *bench = *state;
    struct rollout_outcome outcome;

    do_change(bench, column_change(bench), "added");
    run(bench, "CREATE FUNCTION app.lose() RETURNS int LANGUAGE plpgsql AS $$BEGIN"
               " IF nextval('app.calls') = 700 THEN"
               " PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN 0; END$$");
    run(bench, "CREATE SEQUENCE app.calls");

    struct change change = fill_change(bench);

    change.expression = "a * 2 + app.lose()";
    must(bench, try_change(bench, change, &outcome));
    assert_answer(bench, "SELECT count(*) FROM app.t WHERE twice IS DISTINCT FROM a * 2", "0");
    assert_answer(bench, "SELECT last_value > 700 FROM app.calls", "t");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(column_waits_for_a_lock),
        test_with_bench(column_waits_for_a_reader),
        test_with_bench(trigger_waits_for_a_writer),
        test_with_bench(vacuum_waits_for_a_lock),
        test_with_bench(fill_waits_for_a_row),
        test_with_bench(drop_of_a_column_waits),
        test_with_bench(readers_do_not_queue),
        test_with_bench(column_gives_up),
        test_with_bench(fill_gives_up_and_goes_on),
        test_with_bench(session_is_lost),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
