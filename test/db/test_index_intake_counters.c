/* Workloads from pg_stat_statements and from the monitor's store, against what was really run. */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "db/db.h"
#include "index/intake/intake.h"
#include "sql.h"

struct bench {
    struct ctx ctx;
    const char *database;
    const char *role;
    struct db *db;
};

static const char *const workload[] = {
    "SELECT * FROM public.t WHERE a = 1",
    "SELECT * FROM public.t WHERE a = 2",
    "SELECT * FROM public.t WHERE a IN (1, 2, 3)",
    "SELECT * FROM public.t WHERE a IN (4, 5)",
    "UPDATE public.t SET b = b + 1 WHERE a = 7",
    "PREPARE p (int) AS SELECT b FROM public.t WHERE b = $1",
    "EXECUTE p (4)",
    "EXPLAIN SELECT b FROM public.t WHERE b = 1",
    "SELECT relname FROM pg_catalog.pg_class WHERE relname = 'x'",
    "SELECT public.inner_one(3)",
    "VACUUM public.t",
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
connect_to(struct bench *bench, const char *database)
{
    struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static void
run(struct bench *bench, const char *sql)
{
    must(bench, db_exec(&bench->ctx, bench->db, sql));
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "index_intake_%d", (int)getpid());
    bench->role = arena_printf(arena, "index_intake_role_%d", (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = connect_to(bench, bench->database);
    run(bench, arena_printf(arena, "CREATE ROLE %s", bench->role));
    run(bench, "CREATE TABLE public.t (a int, b int)");
    run(bench, "INSERT INTO public.t SELECT g, g FROM generate_series(1, 100) AS g");
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;

    run(bench, arena_printf(bench->ctx.arena, "DROP OWNED BY %s", bench->role));
    run(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", bench->role));
    db_cleanup(&bench->db);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    db_cleanup(&admin);
    arena_free(bench->ctx.arena);
    return 0;
}

static const struct intake_statement *
find(const struct intake *intake, const char *part)
{
    for (size_t i = 0; i < intake->count; i++)
        if (strstr(intake->items[i].text, part))
            return &intake->items[i];
    for (size_t i = 0; i < intake->count; i++)
        print_message("# %s\n", intake->items[i].text);
    return NULL;
}

static bool
has_note(const struct intake *intake, const char *part)
{
    for (size_t i = 0; i < intake->notes.count; i++)
        if (strstr(intake->notes.items[i], part))
            return true;
    return false;
}

static void
test_no_extension(void **state)
{
    struct bench *bench = *state;
    struct intake intake;

    assert_false(intake_counters(&bench->ctx, bench->db, NULL, &intake));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "pg_stat_statements is not installed");
    assert_non_null(bench->ctx.error.hint);
    error_clear(&bench->ctx);
}

static void
test_counters(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    struct intake intake;

    run(bench, "CREATE EXTENSION pg_stat_statements SCHEMA public");
    run(bench, "CREATE FUNCTION public.inner_one(int) RETURNS bigint LANGUAGE plpgsql AS"
               " 'BEGIN RETURN (SELECT count(*) FROM public.t WHERE b < $1); END'");
    run(bench, "SELECT public.pg_stat_statements_reset()");
    must(bench, db_set(&bench->ctx, bench->db, "pg_stat_statements.track", "all"));
    for (size_t i = 0; i < COUNT_OF(workload); i++)
        run(bench, workload[i]);
    run(bench, "DEALLOCATE p");
    must(bench, intake_counters(&bench->ctx, bench->db, NULL, &intake));

    const struct intake_statement *by_a = find(&intake, "WHERE a = $1");

    assert_non_null(by_a);
    assert_true(by_a->calls >= 2 && by_a->total_ms > 0 && by_a->rows >= 2);
    assert_true(by_a->is_read && !by_a->problem && by_a->samples.count == 0);
    assert_string_equal(by_a->source, "pg_stat_statements");

    /* Two entries of the server's, lists of other lengths, are one statement. */
    const struct intake_statement *list = find(&intake, "a IN (");

    assert_true(list && list->calls == 2);
    assert_true(find(&intake, "UPDATE") && !find(&intake, "UPDATE")->is_read);
    assert_true(find(&intake, "VACUUM") && find(&intake, "VACUUM")->problem);
    assert_true(find(&intake, "EXPLAIN") && find(&intake, "EXPLAIN")->problem);
    assert_null(find(&intake, "pg_class"));
    assert_true(intake.own > 0 && intake.has_times && intake.span_s >= 0);
    assert_true(has_note(&intake, "inside functions"));
    assert_true(text_starts_with(intake.source, "pg_stat_statements since 20"));
    for (size_t i = 1; i < intake.count; i++)
        assert_true(intake.items[i - 1].total_ms >= intake.items[i].total_ms);
    must(bench, intake_counters(&bench->ctx, bench->db, bench->role, &intake));
    assert_int_equal(intake.count, 0);
    assert_false(intake_counters(&bench->ctx, bench->db, "no such role", &intake));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "no such role");
    error_clear(&bench->ctx);
    (void)arena;
}

/* A role that may not read the others' texts learns how many it does not see. */
static void
test_hidden(void **state)
{
    struct bench *bench = *state;
    struct intake intake;
    bool is_good;

    run(bench, arena_printf(bench->ctx.arena, "SET SESSION AUTHORIZATION %s", bench->role));
    is_good = intake_counters(&bench->ctx, bench->db, NULL, &intake);
    run(bench, "RESET SESSION AUTHORIZATION");
    must(bench, is_good);
    assert_true(intake.hidden > 0);
    assert_true(has_note(&intake, "pg_read_all_stats"));
    assert_null(find(&intake, "UPDATE"));
}

static void
make_store(struct bench *bench)
{
    for (int round = 0; round < 5; round++)
        for (size_t i = 0; i < queries_all_count; i++)
            if (strstr(queries_all[i]->name, "/create_") && queries_all[i]->arg_count == 0 &&
                (strstr(queries_all[i]->name, "store") ||
                    strstr(queries_all[i]->name, "create_schema")) &&
                !db_exec(&bench->ctx, bench->db, query_text(queries_all[i], db_major(bench->db))))
                error_clear(&bench->ctx);
}

static void
test_monitor(void **state)
{
    static const char *const rows[] = {
        "INSERT INTO pgmend.monitored_server (name) VALUES ('one')",
        "INSERT INTO pgmend.statement (server, query_id, user_id, database_id, seen)"
        " SELECT 1, q, 10, d.oid, current_date FROM pg_catalog.pg_database d, generate_series(1, 3) q"
        " WHERE d.datname = current_database() ORDER BY q",
        "INSERT INTO pgmend.statement (server, query_id, user_id, database_id, seen)"
        " VALUES (1, 4, 10, 1, current_date)",
        "INSERT INTO pgmend.statement_text VALUES (1, 1, 'SELECT * FROM t WHERE a = $1', current_date),"
        " (1, 2, 'SELECT * FROM t WHERE b = ' || repeat('1', 3974), current_date),"
        " (1, 4, 'SELECT * FROM elsewhere', current_date)",
        "CREATE TABLE pgmend.statement_sample_all PARTITION OF pgmend.statement_sample DEFAULT",
        /* Steps between the numbers of statements; two readings now, one long ago. */
        "INSERT INTO pgmend.statement_sample VALUES"
        " (1, now() - interval '2 min', 60, '{1,1,1,1}', '{10,2,3,50}', '{100,20,3,5}', '{7,2,3,5}',"
        "  '{1,1,1,1}', '{0,0,0,0}'),"
        " (1, now() - interval '1 min', 60, '{1}', '{5}', '{50}', '{3}', '{1}', '{0}'),"
        " (1, now() - interval '3 days', 60, '{1}', '{1000}', '{50}', '{3}', '{1}', '{0}')",
    };
    struct bench *bench = *state;
    struct intake intake;

    assert_false(intake_monitor(&bench->ctx, bench->db, bench->database, 3600000000, &intake));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "holds no store");
    error_clear(&bench->ctx);
    make_store(bench);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        run(bench, rows[i]);
    must(bench, intake_monitor(&bench->ctx, bench->db, bench->database, 3600000000, &intake));
    assert_int_equal(intake.count, 2);
    assert_string_equal(intake.items[0].text, "SELECT * FROM t WHERE a = $1");
    assert_true(intake.items[0].calls == 15 && fabs(intake.items[0].total_ms - 150) < 0.01);
    assert_true(intake.items[0].rows == 10);
    assert_true(strstr(intake.items[1].problem, "4000") != NULL);
    assert_int_equal(intake.hidden, 1);
    assert_true(fabs(intake.span_s - 120) < 0.01);
    must(bench, intake_monitor(&bench->ctx, bench->db, "no such database", 3600000000, &intake));
    assert_non_null(find(&intake, "elsewhere"));
    assert_true(has_note(&intake, "no such database"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_extension),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_monitor),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("index_intake_counters", tests, set_up, tear_down);
}
