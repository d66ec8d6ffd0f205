/*
 * A server of its own that writes its log in three forms: what it says about traffic that is known, in
 * each of them; and logging that is enabled and put back, also after a kill.
 */
#include "support/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "queries/logging/logging.h"
#include "workload/template_part.h"

struct server {
    struct ctx ctx;
    const char *cluster;
    const char *folder;
    const char *url;
};

/* What the tests of this program share. */
static struct server *
the_server(void)
{
    static struct server server;

    return &server;
}

static const char *
run_cluster(const char *verb)
{
    struct server *server = the_server();
    const char *start[] = { server->cluster, verb, server->folder, "--scratch", "--set",
        "logging_collector=on", NULL };
    const char *other[] = { server->cluster, verb, server->folder, NULL };
    struct process_options options = { .argv = strcmp(verb, "start") == 0 ? start : other,
        .timeout_us = 120000000 };
    struct process process;

    if (!process_run(&server->ctx, &options, &process))
        fail_msg("%s", server->ctx.error.message);
    return buffer_text(&process.out);
}

static struct db *
open_db(struct ctx *ctx, const char *application)
{
    struct db_options options = {
        .url = the_server()->url, .application = application, .access = ACCESS_WRITE
    };
    struct db *db;

    if (!db_open(ctx, &options, &db))
        fail_msg("%s", ctx->error.message);
    return db;
}

static void
run_sql(struct ctx *ctx, struct db *db, const char *sql)
{
    if (!db_exec(ctx, db, sql))
        fail_msg("%s: %s", sql, ctx->error.message);
}

static const char *
ask(struct ctx *ctx, struct db *db, const char *sql)
{
    const char *value;

    if (!db_value(ctx, db, sql, NULL, 0, &value))
        fail_msg("%s: %s", sql, ctx->error.message);
    return value ? value : "";
}

/* Until the answer is this one: a reload is not waited for by who asks for it. */
static void
wait_for(struct ctx *ctx, struct db *db, const char *sql, const char *wanted)
{
    int64_t limit = clock_us() + 60000000;

    while (strcmp(ask(ctx, db, sql), wanted) != 0) {
        if (clock_us() > limit)
            fail_msg("%s is not %s", sql, wanted);
        clock_sleep_us(20000);
    }
}

/* Which settings ALTER SYSTEM has written, by the server's own view. */
static const char *
written(struct ctx *ctx, struct db *db)
{
    return ask(ctx, db,
        "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_file_settings "
        "WHERE sourcefile LIKE '%/postgresql.auto.conf'");
}

static int
start_server(void **state)
{
    struct server *server = the_server();
    const char *host;

    (void)state;
    server->ctx.arena = arena_new();
    server->cluster = test_source(&server->ctx, "script/cluster");
    server->folder = test_folder(&server->ctx);
    host = strstr(run_cluster("start"), "PGHOST=");
    assert_non_null(host);
    host += strlen("PGHOST=");
    server->url = arena_printf(server->ctx.arena,
        "host=%.*s port=5432 user=postgres dbname=postgres", (int)strcspn(host, " "), host);
    return 0;
}

static int
remove_server(void **state)
{
    struct server *server = the_server();

    (void)state;
    (void)run_cluster("remove");
    (void)!file_remove(&server->ctx, server->folder);
    arena_free(server->ctx.arena);
    return 0;
}

/* ---- the three forms ---- */

static bool
note(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct buffer *text = data;

    (void)ctx;
    /* What our own connections begin with. */
    if (strstr(statement->template->text, "pg_catalog.set_config("))
        return true;
    buffer_printf(text, "%d %s%s|", (int)statement->transaction,
        statement->is_failed ? "failed " : "", statement->template->text);
    for (size_t i = 0; i < statement->value_count; i++)
        buffer_printf(text, "%s%s", i > 0 ? "," : "",
            statement->values[i].hash ? statement->values[i].text : "NULL");
    buffer_add(text, "\n");
    return true;
}

static void
read_form(struct ctx *ctx, const char *path, const char *shown, const char *expected)
{
    const struct log_options options = { .keeps_values = true, .database = "pgmend_test_logging" };
    struct buffer text = { .arena = ctx->arena };
    struct templates *templates = templates_new(ctx->arena);
    struct log_reader *reader;

    if (!log_reader_new(ctx, &options, templates, note, &text, &reader) ||
        !log_reader_file(ctx, reader, path))
        fail_msg("%s", ctx->error.message);
    assert_string_equal(log_reader_format(reader), shown);
    assert_true(log_reader_finish(ctx, reader));
    assert_int_equal(log_reader_counts(reader).broken, 0);
    assert_string_equal(buffer_text(&text), expected);
    log_reader_free(reader);
    templates_free(templates);
}

static void
make_traffic(struct ctx *ctx)
{
    const char *const params[] = { "it's\nline \"two\"", NULL };
    struct db_options options = { .url = the_server()->url,
        .database = "pgmend_test_logging",
        .application = "traffic",
        .access = ACCESS_WRITE };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct result result;

    if (!db_open(ctx, &options, &db))
        fail_msg("%s", ctx->error.message);
    run_sql(ctx, db, "BEGIN");
    run_sql(ctx, db, "SELECT 'a',\n\t7 AS mark");
    if (!db_query(ctx, db, "SELECT $1::text AS mark, $2::int4", params, 2, &result))
        fail_msg("%s", ctx->error.message);
    run_sql(ctx, db, "COMMIT");
    assert_false(db_exec(ctx, db, "SELECT 1/0 AS mark"));
    error_clear(ctx);
}

static void
test_logging_forms(void **state)
{
    static const char expected[] = "1 BEGIN|\n"
                                   "1 SELECT $1, $2 AS mark|a,7\n"
                                   "1 SELECT $1::text AS mark, $2::int4|it's\nline \"two\",NULL\n"
                                   "1 COMMIT|\n"
                                   "0 failed SELECT $1/$2 AS mark|1,0\n";
    struct ctx *ctx = *state;
    struct db *db CLEANUP(db_cleanup) = open_db(ctx, "test");
    const char *folder = ask(ctx, db, "SHOW data_directory");
    int64_t limit = clock_us() + 60000000;
    const char *data = "";
    size_t length;
    bool has_json = db_major(db) >= 15;
    const char *last = has_json ? "forms.json" : "forms.csv";

    run_sql(ctx, db, "CREATE DATABASE pgmend_test_logging");
    run_sql(ctx, db,
        has_json ? "ALTER SYSTEM SET log_destination = 'stderr,csvlog,jsonlog'"
                 : "ALTER SYSTEM SET log_destination = 'stderr,csvlog'");
    run_sql(ctx, db, "ALTER SYSTEM SET log_filename = 'forms.log'");
    run_sql(ctx, db, "ALTER SYSTEM SET log_line_prefix = '%m [%p] %q%u@%d '");
    run_sql(ctx, db, "ALTER DATABASE pgmend_test_logging SET log_min_duration_statement = 0");
    run_sql(ctx, db, "SELECT pg_reload_conf(), pg_rotate_logfile()");
    while (strlen(ask(ctx, db,
               has_json ? "SELECT pg_current_logfile('jsonlog')"
                        : "SELECT pg_current_logfile('csvlog')")) == 0 &&
           clock_us() < limit)
        clock_sleep_us(20000);
    make_traffic(ctx);
    /* The collector has written what came last in each form, when it stands in the last one. */
    folder = file_join(ctx->arena, folder, "log");
    while (!strstr(data, "1/0 AS mark") && clock_us() < limit) {
        clock_sleep_us(50000);
        if (!file_read(ctx, file_join(ctx->arena, folder, last), &data, &length))
            error_clear(ctx);
    }
    if (has_json)
        read_form(ctx, file_join(ctx->arena, folder, "forms.json"), "jsonlog", expected);
    read_form(ctx, file_join(ctx->arena, folder, "forms.csv"), "csvlog", expected);
    read_form(ctx, file_join(ctx->arena, folder, "forms.log"), "stderr, prefix '%m [%p] %q%u@%d '",
        expected);
    run_sql(ctx, db, "ALTER SYSTEM RESET ALL");
    run_sql(ctx, db, "SELECT pg_reload_conf()");
}

/* ---- on and off ---- */

struct run_of_ours {
    struct rollout rollout;
    struct logging_plan plan;
};

static bool
begin_run(struct ctx *ctx, struct db *db, const char *state_dir, struct run_of_ours *ret)
{
    const struct journal_run about = { .command = LOGGING_COMMAND, .state_dir = state_dir };
    const struct rollout_observer observer = { 0 };

    return logging_plan(ctx, db, 1, NULL, &ret->plan) &&
           rollout_open(ctx, db, &about, &observer, &ret->rollout) &&
           rollout_heal(ctx, &ret->rollout);
}

static void
test_logging_put_back(void **state)
{
    struct ctx *ctx = *state;
    struct db *db CLEANUP(db_cleanup) = open_db(ctx, "test");
    const char *folder = test_folder(ctx);
    struct run_of_ours run;
    const char *while_on;

    run_sql(ctx, db, "ALTER SYSTEM SET log_parameter_max_length = 5");
    run_sql(ctx, db, "SELECT pg_reload_conf()");
    wait_for(ctx, db, "SHOW log_parameter_max_length", "5B");
    if (!begin_run(ctx, db, folder, &run) || !logging_enable(ctx, &run.rollout, &run.plan))
        fail_msg("%s", ctx->error.message);
    while_on = written(ctx, db);
    assert_non_null(strstr(while_on, "log_parameter_max_length=-1"));
    assert_non_null(strstr(while_on, "log_transaction_sample_rate=1"));
    /* Our sessions are ended: it connects again to put them back. */
    (void)ask(ctx, db,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE "
        "'pgmend%'");
    if (!logging_put_back(ctx, &run.rollout, &run.plan))
        fail_msg("%s", ctx->error.message);
    assert_string_equal(written(ctx, db), "log_parameter_max_length=5");
    rollout_close(&run.rollout);
    assert_true(file_remove(ctx, folder));
}

/* Killed with everything set: the next run finds it in the journal. */
static void
test_logging_killed(void **state)
{
    struct ctx *ctx = *state;
    struct db *db CLEANUP(db_cleanup) = open_db(ctx, "test");
    const char *folder = test_folder(ctx);
    struct run_of_ours run;
    size_t count = 0;
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct ctx own = { .arena = arena_new() };
        struct db_options options = {
            .url = the_server()->url, .application = "test", .access = ACCESS_WRITE
        };
        struct db *mine;

        if (db_open(&own, &options, &mine) && begin_run(&own, mine, folder, &run) &&
            logging_enable(&own, &run.rollout, &run.plan))
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_non_null(strstr(written(ctx, db), "log_transaction_sample_rate=1"));
    if (!begin_run(ctx, db, folder, &run) || !logging_put_back_earlier(ctx, &run.rollout, &count))
        fail_msg("%s", ctx->error.message);
    assert_true(count >= 2);
    assert_string_equal(written(ctx, db), "log_parameter_max_length=5");
    rollout_close(&run.rollout);
    assert_true(file_remove(ctx, folder));
}

/* ---- the log while it is written, and gone on with in other files ---- */

static bool
note_mark(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct buffer *text = data;

    (void)ctx;
    if (strstr(statement->template->text, "AS mark") && statement->value_count == 1)
        buffer_printf(text, "%s ", statement->values[0].text);
    return true;
}

/* The server begins another file; names go by seconds. */
static void
rotate(struct ctx *ctx, struct db *db)
{
    const char *before = ask(ctx, db, "SELECT pg_current_logfile()");
    int64_t limit = clock_us() + 60000000;

    while (strcmp(ask(ctx, db, "SELECT pg_current_logfile()"), before) == 0) {
        if (clock_us() > limit)
            fail_msg("the log is not rotated");
        run_sql(ctx, db, "SELECT pg_rotate_logfile()");
        clock_sleep_us(100000);
    }
}

static void
run_marks(struct ctx *ctx, struct db *db, int from, int to)
{
    for (int i = from; i < to; i++)
        run_sql(ctx, db, arena_printf(ctx->arena, "SELECT %d AS mark", i));
    /* A statement is told of when the next one shows that nothing more is said about it. */
    run_sql(ctx, db, "SELECT 'end'");
}

static void
read_until(struct ctx *ctx, struct db *db, struct logging_tail *tail, struct log_reader *reader,
    const struct buffer *text, const char *last)
{
    int64_t limit = clock_us() + 60000000;
    int64_t bytes;

    while (!text->data || !strstr(text->data, last)) {
        if (!logging_tail_read(ctx, db, tail, reader, &bytes))
            fail_msg("%s", ctx->error.message);
        if (clock_us() > limit)
            fail_msg("%s does not come: %s", last, text->data ? text->data : "");
        if (bytes == 0)
            clock_sleep_us(20000);
    }
}

/* Every statement once and in order, though two files are begun and ended while nobody looks. */
static void
follow_marks(struct ctx *ctx, bool is_local)
{
    struct db *db CLEANUP(db_cleanup) = open_db(ctx, "traffic");
    struct db *own CLEANUP(db_cleanup) = open_db(ctx, "test");
    const struct log_options base = { .keeps_values = true };
    const char *folder = test_folder(ctx);
    struct templates *templates = templates_new(ctx->arena);
    struct buffer text = { .arena = ctx->arena };
    struct buffer wanted = { .arena = ctx->arena };
    struct log_options options = base;
    struct logging_tail *tail = NULL;
    struct log_reader *reader;
    struct run_of_ours run;

    if (!begin_run(ctx, own, folder, &run) || !logging_enable(ctx, &run.rollout, &run.plan))
        fail_msg("%s", ctx->error.message);
    if (!is_local)
        run.plan.folder = NULL; /* as on another machine */
    wait_for(ctx, db, "SHOW log_transaction_sample_rate", "1");
    options.format = run.plan.format;
    options.prefix = run.plan.prefix;
    if (!log_reader_new(ctx, &options, templates, note_mark, &text, &reader) ||
        !logging_tail_open(ctx, own, &run.plan, ctx->arena, &tail))
        fail_msg("%s", ctx->error.message);
    assert_int_equal(logging_tail_is_local(tail), is_local);
    run_marks(ctx, db, 1000, 1020);
    read_until(ctx, own, tail, reader, &text, "1019");
    run_marks(ctx, db, 1020, 1040);
    rotate(ctx, db);
    run_marks(ctx, db, 1040, 1060);
    rotate(ctx, db);
    run_marks(ctx, db, 1060, 1080);
    read_until(ctx, own, tail, reader, &text, "1079");
    for (int i = 1000; i < 1080; i++)
        buffer_printf(&wanted, "%d ", i);
    assert_string_equal(buffer_text(&text), buffer_text(&wanted));
    assert_int_equal(log_reader_counts(reader).broken, 0);
    assert_int_equal(logging_tail_is_local(tail), is_local);
    if (!logging_put_back(ctx, &run.rollout, &run.plan))
        fail_msg("%s", ctx->error.message);
    rollout_close(&run.rollout);
    logging_tail_close(tail);
    log_reader_free(reader);
    templates_free(templates);
    assert_true(file_remove(ctx, folder));
}

static void
test_logging_rotated(void **state)
{
    follow_marks(*state, true);
}

static void
test_logging_rotated_through_the_server(void **state)
{
    follow_marks(*state, false);
}

static void
read_some(struct ctx *ctx, struct logging_tail *tail, struct log_reader *reader)
{
    int64_t bytes;

    for (int i = 0; i < 3; i++)
        assert_true(logging_tail_read(ctx, NULL, tail, reader, &bytes));
}

/* logrotate's way: the file is renamed, and who writes goes on with it for a while. */
static void
test_logging_renamed(void **state)
{
    static const char line[] =
        "{\"timestamp\":\"2026-11-23 10:00:00.000 UTC\",\"user\":\"u\",\"dbname\":\"d\",\"pid\":%d,\"session_id\":"
        "\"1.%d\",\"line_num\":%d,\"vxid\":\"3/0\",\"error_severity\":\"LOG\",\"message\":"
        "\"duration: 0.1 ms  statement: SELECT %d AS mark\"}\n";
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "a.json");
    const struct log_options options = { .keeps_values = true, .format = LOG_FORMAT_JSON };
    const struct logging_plan plan = { .path = path };
    struct templates *templates = templates_new(ctx->arena);
    struct buffer text = { .arena = ctx->arena };
    struct logging_tail *tail = NULL;
    struct log_reader *reader;
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    if (!log_reader_new(ctx, &options, templates, note_mark, &text, &reader) ||
        !logging_tail_open(ctx, NULL, &plan, ctx->arena, &tail))
        fail_msg("%s", ctx->error.message);
    fprintf(file, line, 7, 7, 1, 1001);
    fflush(file);
    read_some(ctx, tail, reader);
    assert_int_equal(rename(path, file_join(ctx->arena, folder, "a.json.1")), 0);
    assert_true(file_write(ctx, path, "", 0, 0644));
    read_some(ctx, tail, reader);
    fprintf(file, line, 7, 7, 2, 1002);
    fclose(file);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, line, 7, 7, 3, 1003);
    fprintf(file, line, 7, 7, 4, 1004);
    fclose(file);
    read_some(ctx, tail, reader);
    assert_true(log_reader_finish(ctx, reader));
    assert_string_equal(buffer_text(&text), "1001 1002 1003 1004 ");
    logging_tail_close(tail);
    log_reader_free(reader);
    templates_free(templates);
    assert_true(file_remove(ctx, folder));
}

static void
test_logging_rights(void **state)
{
    struct ctx *ctx = *state;
    struct db *db CLEANUP(db_cleanup) = open_db(ctx, "test");
    struct db *weak CLEANUP(db_cleanup) = NULL;
    struct logging_plan plan;
    struct db_options options = { .application = "test", .access = ACCESS_WRITE };

    run_sql(ctx, db, "CREATE ROLE weak LOGIN");
    options.url = arena_printf(ctx->arena, "%s user=weak", the_server()->url);
    assert_true(db_open(ctx, &options, &weak));
    wait_for(ctx, weak, "SHOW log_transaction_sample_rate", "0");
    assert_false(logging_plan(ctx, weak, 1, NULL, &plan));
    assert_error(ctx, ERR_RIGHTS, "role weak may not ALTER SYSTEM SET log_transaction_sample_rate");
    assert_non_null(strstr(ctx->error.hint, "log_transaction_sample_rate = 1"));
    assert_string_equal(ctx->error.state, "Nothing was changed.");
}

/* No function of which the server says that a form of it is volatile counts as steady. */
static void
test_logging_functions(void **state)
{
    struct ctx *ctx = *state;
    struct db *db CLEANUP(db_cleanup) = open_db(ctx, "test");
    struct result result;

    if (!db_query(ctx, db,
            /* 14 says so of timezone(text, timetz), by mistake. */
            "SELECT DISTINCT proname FROM pg_proc WHERE provolatile = 'v' AND pronamespace = "
            "'pg_catalog'::regnamespace AND (proname <> 'timezone' OR "
            "current_setting('server_version_num')::int >= 150000)",
            NULL, 0, &result))
        fail_msg("%s", ctx->error.message);
    assert_true(result.rows > 100);
    for (size_t i = 0; i < result.rows; i++)
        if (function_is_steady(result_cell(&result, i, 0)))
            fail_msg("%s is volatile", result_cell(&result, i, 0));
    assert_true(function_is_steady("lower") && function_is_steady("xpath"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_logging_functions),
        test_with_ctx(test_logging_forms),
        test_with_ctx(test_logging_put_back),
        test_with_ctx(test_logging_killed),
        test_with_ctx(test_logging_rotated),
        test_with_ctx(test_logging_rotated_through_the_server),
        test_with_ctx(test_logging_renamed),
        test_with_ctx(test_logging_rights),
    };

    return cmocka_run_group_tests(tests, start_server, remove_server);
}
