/*
 * A plain table becomes partitioned and plain again while clients write and read it. What is expected comes from
 * pg_dump, from the rows themselves, and from the clients, none of which may see an error or a missing row.
 */
#include "support/test.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/process.h"
#include "change/partition.h"
#include "test_change_support.h"

/* -- a table with all that has to be taken over -- */

static void
make_table(struct bench *bench)
{
    run(bench, "DROP ROLE IF EXISTS partition_reader");
    run(bench, "CREATE ROLE partition_reader");
    run(bench, "CREATE TABLE app.dialog (id int PRIMARY KEY)");
    run(bench, "INSERT INTO app.dialog SELECT i FROM generate_series(1, 100) AS i");
    run(bench,
        "CREATE TABLE app.message (id serial PRIMARY KEY, dialog_id int NOT NULL REFERENCES app.dialog,"
        " gone int, body text NOT NULL DEFAULT 'x', \"at\" timestamp NOT NULL DEFAULT now(),"
        " seen int NOT NULL DEFAULT 0, CONSTRAINT body_known CHECK (body <> ''))");
    run(bench, "ALTER TABLE app.message DROP COLUMN gone");
    run(bench, "CREATE INDEX message_dialog ON app.message (dialog_id, \"at\" DESC)");
    run(bench, "CREATE INDEX message_open ON app.message (dialog_id) WHERE seen = 0");
    run(bench, "COMMENT ON TABLE app.message IS 'what people say'");
    run(bench, "COMMENT ON COLUMN app.message.body IS 'the text'");
    run(bench, "COMMENT ON INDEX app.message_pkey IS 'by number'");
    run(bench, "ALTER TABLE app.message ENABLE ROW LEVEL SECURITY");
    run(bench,
        "CREATE POLICY own ON app.message FOR SELECT TO partition_reader USING (dialog_id < 50)");
    run(bench, "GRANT SELECT, INSERT ON app.message TO partition_reader");
    run(bench, "GRANT USAGE ON SCHEMA app TO partition_reader");
    run(bench, "GRANT UPDATE (seen) ON app.message TO partition_reader");
    run(bench, "ALTER TABLE app.message ALTER COLUMN dialog_id SET STATISTICS 500");
    run(bench,
        "CREATE TABLE app.rating (message_id int CONSTRAINT rating_message REFERENCES app.message)");
    run(bench,
        "INSERT INTO app.message (dialog_id, body, \"at\") SELECT 1 + i % 100, 'row ' || i::text,"
        " now() - i * interval '1 minute' FROM generate_series(1, 5000) AS i");
    run(bench, "INSERT INTO app.rating SELECT id FROM app.message WHERE id % 100 = 0");
}

static struct partition_wish
wish_of(struct bench *bench, bool gives_up)
{
    struct partition_wish wish = {
        .schema = "app", .table = "message", .key = "at", .unit = "month", .ahead = 3
    };

    if (gives_up)
        text_list_add(bench->ctx.arena, &wish.give_up, "rating_message");
    return wish;
}

static struct change
planned(struct bench *bench, bool gives_up)
{
    struct partition_wish wish = wish_of(bench, gives_up);
    struct plan plan = { .database = bench->database };
    struct change change;

    must(bench, partition_change(&bench->ctx, bench->db, &wish, &change));
    VEC_PUSH(bench->ctx.arena, &plan, change);
    must(bench, plan_seal(&bench->ctx, bench->db, &plan));
    return plan.items[0];
}

/* The schema as pg_dump writes it, without what it says of itself. */
static const char *
dump(struct bench *bench)
{
    /* Newer releases write a key that is another one each time. */
    const char *command = arena_printf(bench->ctx.arena,
        "pg_dump -s -n app %s | grep -v '^.\\(un\\)\\?restrict'", bench->database);
    const char *const argv[] = { "sh", "-c", command, NULL };
    const struct process_options options = { .argv = argv };
    struct process process;

    must(bench, process_run(&bench->ctx, &options, &process));
    assert_true(process.out.length > 1000);
    return buffer_text(&process.out);
}

#define ROWS \
    "SELECT count(*) || ' ' || sum(hashtext(m.id || m.body || m.\"at\" || m.seen)::bigint) FROM app.message AS m"

static void
table_is_partitioned_and_plain_again(void **state)
{
    struct bench *bench = *state;

    make_table(bench);

    const char *before = dump(bench);
    const char *rows = ask(bench, ROWS);
    struct change change = planned(bench, true);

    do_change(bench, change, "partitioned");
    assert_answer(bench, ROWS, rows);
    assert_answer(
        bench, "SELECT relkind::text FROM pg_class WHERE oid = 'app.message'::regclass", "p");
    assert_answer(
        bench, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'app.message'::regclass", "5");
    assert_answer(bench, "SELECT count(*) FROM ONLY app.message_history", "5000");
    assert_answer(bench,
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'message_pkey'",
        "PRIMARY KEY (id, at)");
    assert_answer(bench,
        "SELECT count(*) FROM pg_index WHERE indrelid = 'app.message'::regclass AND indisvalid",
        "3");
    assert_answer(
        bench, "SELECT pg_get_serial_sequence('app.message', 'id')", "app.message_id_seq");
    assert_answer(bench, "SELECT obj_description('app.message'::regclass)", "what people say");
    assert_answer(bench,
        "SELECT relrowsecurity::text FROM pg_class WHERE oid = 'app.message'::regclass", "true");
    run(bench, "SET ROLE partition_reader");
    assert_answer(bench, "SELECT max(dialog_id) FROM app.message", "49");
    run(bench, "UPDATE app.message SET seen = 0 WHERE false");
    run(bench, "RESET ROLE");
    do_change(bench, change, "it is partitioned already, as planned");

    /* Rows of the future, of a time nobody prepared, and one of the past. */
    run(bench, "INSERT INTO app.message (dialog_id, \"at\") VALUES (1, now() + interval '40 days'),"
               " (2, now() + interval '9 years'), (3, now() - interval '9 years')");
    rows = ask(bench, ROWS);
    undo_last(bench, "a plain table again, 2 rows moved back");
    assert_answer(bench, ROWS, rows);
    assert_string_equal(dump(bench), before);
    assert_answer(bench,
        "SELECT convalidated::text FROM pg_constraint WHERE conname = 'rating_message'", "true");
}

static void
obstacles_are_told(void **state)
{
    static const struct {
        const char *before;
        const char *problem;
        const char *after;
    } cases[] = {
        { "CREATE VIEW app.seen AS SELECT id FROM app.message", "view app.seen",
            "DROP VIEW app.seen" },
        { "CREATE UNIQUE INDEX message_body ON app.message (body, id)",
            "unique index app.message_body", "DROP INDEX app.message_body" },
        { "CREATE FUNCTION app.whole(app.message) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "function app.whole", "DROP FUNCTION app.whole" },
        { "ALTER TABLE app.message ALTER \"at\" DROP NOT NULL", "may be NULL",
            "ALTER TABLE app.message ALTER \"at\" SET NOT NULL" },
        { "ALTER TABLE app.message REPLICA IDENTITY USING INDEX message_pkey", "replica identity",
            "ALTER TABLE app.message REPLICA IDENTITY DEFAULT" },
        { "ALTER TABLE app.message SET UNLOGGED", "not a permanent table", NULL },
    };
    struct bench *bench = *state;
    struct change change;

    make_table(bench);
    change = planned(bench, false);
    assert_int_equal(change.action, ACTION_BLOCKED);
    assert_non_null(strstr(change.problem, "rating_message"));
    assert_non_null(strstr(change.remedy, "--give-up-foreign-key rating_message"));
    run(bench, "ALTER TABLE app.rating DROP CONSTRAINT rating_message");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        run(bench, cases[i].before);
        change = planned(bench, true);
        assert_int_equal(change.action, ACTION_BLOCKED);
        if (!strstr(change.problem, cases[i].problem))
            fail_msg("\"%s\" does not name \"%s\"", change.problem, cases[i].problem);
        if (cases[i].after)
            run(bench, cases[i].after);
    }
}

/* A row beyond the bound: found by VALIDATE, and nothing of what was prepared is left. */
static void
rows_beyond_the_bound_leave_nothing(void **state)
{
    struct bench *bench = *state;
    struct rollout_outcome outcome;

    make_table(bench);
    run(bench,
        "INSERT INTO app.message (dialog_id, \"at\") VALUES (1, now() + interval '2 years')");

    const char *before = dump(bench);

    assert_false(try_change(bench, planned(bench, true), &outcome));
    assert_error(&bench->ctx, ERR_UNDONE, "message_bound");
    error_clear(&bench->ctx);
    assert_string_equal(dump(bench), before);
    assert_string_equal(last_entry(bench).state, ENTRY_FAILED);
}

/* The same key in two partitions cannot be one again: refused, and nothing is lost. */
static void
doubled_key_keeps_it_partitioned(void **state)
{
    struct bench *bench = *state;
    struct rollout_outcome outcome;
    struct journal_entry entry;

    make_table(bench);
    do_change(bench, planned(bench, true), "partitioned");
    run(bench,
        "INSERT INTO app.message (id, dialog_id, \"at\") VALUES (7, 1, now() + interval '40 days')");
    entry = last_entry(bench);
    assert_false(rollout_undo(&bench->ctx, &bench->rollout, &entry, &outcome));
    assert_error(&bench->ctx, ERR_CONFLICT, "(id) = (7)");
    error_clear(&bench->ctx);
    assert_string_equal(last_entry(bench).state, ENTRY_DONE);
    assert_answer(bench, "SELECT count(*) FROM app.message", "5001");
    assert_answer(
        bench, "SELECT count(*) FROM pg_class WHERE relname = 'message_pkey_history'", "0");
}

/* The next months, once; a month that holds rows is not dropped. */
static void
next_partitions_are_made(void **state)
{
    struct bench *bench = *state;
    struct partition_wish wish = wish_of(bench, true);
    struct rollout_outcome outcome;
    struct journal_entry entry;
    struct plan plan = { 0 };

    make_table(bench);
    do_change(bench, planned(bench, true), "partitioned");
    wish.ahead = 4;
    wish.unit = NULL;
    must(bench, partition_extend(&bench->ctx, bench->db, &wish, &plan));
    assert_int_equal(plan.count, 1);
    plan.database = bench->database;
    must(bench, plan_seal(&bench->ctx, bench->db, &plan));
    do_change(bench, plan.items[0], "added");
    do_change(bench, plan.items[0], "it is there already");
    run(bench,
        "INSERT INTO app.message (dialog_id, \"at\") SELECT 1, max(split_part("
        "pg_get_expr(c.relpartbound, c.oid), '''', 2)::timestamp) FROM pg_inherits AS h"
        " JOIN pg_class AS c ON c.oid = h.inhrelid WHERE h.inhparent = 'app.message'::regclass"
        " AND c.relname LIKE 'message_y%'");
    entry = last_entry(bench);
    assert_false(rollout_undo(&bench->ctx, &bench->rollout, &entry, &outcome));
    assert_error(&bench->ctx, ERR_CONFLICT, "holds rows");
    error_clear(&bench->ctx);
    run(bench, "DELETE FROM app.message WHERE \"at\" > now()");
    undo_last(bench, "dropped");
    plan = (struct plan){ 0 };
    wish.ahead = 3;
    must(bench, partition_extend(&bench->ctx, bench->db, &wish, &plan));
    assert_int_equal(plan.count, 0);
}

/* -- clients -- */

struct clients {
    const char *conninfo;
    atomic_bool shall_end;
    atomic_bool may_look_ahead; /* rows beyond the bound are refused until the exchange */
    atomic_long written;
    atomic_long looks;
    atomic_long updates;
    atomic_int failures;
    char first[256];
};

static void
blame(struct clients *clients, const char *what)
{
    if (atomic_fetch_add(&clients->failures, 1) == 0)
        (void)snprintf(clients->first, sizeof(clients->first), "%s", what);
}

static long
number_of(PGconn *conn, struct clients *clients, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    long number = -1;

    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
        number = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    else
        blame(clients, PQerrorMessage(conn));
    PQclear(result);
    return number;
}

/* Writes rows of today and of two months on, prepared once, in transactions that hold the other table too. */
static void *
write_rows(void *data)
{
    struct clients *clients = data;
    PGconn *conn = PQconnectdb(clients->conninfo);
    PGresult *result = PQprepare(conn, "w",
        "INSERT INTO app.message (dialog_id, \"at\") VALUES (1 + $1::int % 100,"
        " now() + $2::int * interval '40 days')",
        2, NULL);

    PQclear(result);
    while (!clients->shall_end) {
        char number[32];
        const char *values[] = { number, clients->may_look_ahead ? "1" : "0" };

        (void)snprintf(number, sizeof(number), "%ld", (long)clients->written);
        PQclear(PQexec(conn, "BEGIN"));
        PQclear(PQexec(conn, "UPDATE app.dialog SET id = id WHERE id = 1"));
        result = PQexecPrepared(conn, "w", 2, values, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            blame(clients, PQerrorMessage(conn));
        PQclear(result);
        result = PQexec(conn, "COMMIT");
        if (PQresultStatus(result) == PGRES_COMMAND_OK &&
            strcmp(PQcmdStatus(result), "COMMIT") == 0)
            clients->written++;
        PQclear(result);
    }
    PQfinish(conn);
    return NULL;
}

/* A count may never be less than one before it. */
static void *
read_rows(void *data)
{
    struct clients *clients = data;
    PGconn *conn = PQconnectdb(clients->conninfo);
    long last = 0;

    while (!clients->shall_end) {
        long now = number_of(conn, clients, "SELECT count(*) FROM app.message");

        if (now < last)
            blame(clients, "a reader saw fewer rows than before");
        last = now;
        clients->looks++;
    }
    PQfinish(conn);
    return NULL;
}

/* Each update of a random row has to hit exactly that one, wherever it is just being moved to. */
static void *
update_rows(void *data)
{
    struct clients *clients = data;
    PGconn *conn = PQconnectdb(clients->conninfo);

    while (!clients->shall_end) {
        PGresult *result = PQexec(conn,
            "UPDATE app.message SET seen = seen + 1 WHERE id = (SELECT max(id) FROM app.message)");

        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            blame(clients, PQerrorMessage(conn));
        else
            clients->updates += strtol(PQcmdTuples(result), NULL, 10);
        PQclear(result);
    }
    PQfinish(conn);
    return NULL;
}

/* Until so many more are there than now; a minute is more than it ever takes. */
static void
wait_for(struct bench *bench, atomic_long *number, long more)
{
    long wanted = *number + more;

    for (int i = 0; *number < wanted && i < 6000; i++)
        run(bench, "SELECT pg_sleep(0.01)");
    assert_true(*number >= wanted);
}

static void
undo_all(struct bench *bench)
{
    struct journal_entry entry = last_entry(bench);
    struct rollout_outcome outcome;

    must(bench, rollout_undo(&bench->ctx, &bench->rollout, &entry, &outcome));
}

static void
clients_notice_nothing(void **state)
{
    struct bench *bench = *state;
    struct clients clients = {
        .conninfo = arena_printf(bench->ctx.arena, "dbname=%s", bench->database),
    };
    void *(*const works[])(void *) = { write_rows, write_rows, read_rows, update_rows };
    pthread_t threads[COUNT_OF(works)];

    make_table(bench);
    bench->rollout.limits.wait_us = 120 * 1000000LL;
    bench->rollout.limits.drop_us = 120 * 1000000LL;

    const char *before = dump(bench);
    struct change change = planned(bench, true);
    long seen;

    for (size_t i = 0; i < COUNT_OF(works); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, works[i], &clients), 0);
    wait_for(bench, &clients.written, 50);
    do_change(bench, change, "partitioned");
    clients.may_look_ahead = true;
    wait_for(bench, &clients.written, 500);
    undo_all(bench);
    wait_for(bench, &clients.written, 50);
    clients.shall_end = true;
    for (size_t i = 0; i < COUNT_OF(works); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    if (clients.failures > 0)
        fail_msg("%d failures, the first: %s", (int)clients.failures, clients.first);
    assert_true(clients.looks > 0 && clients.updates > 0);
    seen = strtol(ask(bench, "SELECT count(*) FROM app.message"), NULL, 10);
    assert_int_equal(seen, 5000 + clients.written);
    seen = strtol(ask(bench, "SELECT sum(seen) FROM app.message"), NULL, 10);
    assert_int_equal(seen, clients.updates);
    assert_answer(
        bench, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'app.message'::regclass", "0");
    assert_string_equal(dump(bench), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table_is_partitioned_and_plain_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(obstacles_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_beyond_the_bound_leave_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(doubled_key_keeps_it_partitioned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(next_partitions_are_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clients_notice_nothing, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
