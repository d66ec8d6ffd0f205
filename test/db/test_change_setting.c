/*
 * Settings as changes, against the server: what postgresql.auto.conf, reloptions and pg_db_role_setting
 * hold is asked by statements of the test's own.
 */
#include "support/test.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "test_change_support.h"

#define WRITTEN(name)                                                                          \
    "SELECT max(setting) FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf'" \
    " AND name = '" name "'"
#define IN_FORCE(name) "SELECT setting FROM pg_settings WHERE name = '" name "'"

enum { LIMIT_US = 20000000, TICK_US = 20000 };

static struct change
of_server(const char *name, const char *value)
{
    return (struct change){ .kind = KIND_SETTING, .name = name, .definition = value };
}

static struct change
of_table(struct bench *bench, const char *value)
{
    struct change change = about_table(bench, KIND_SETTING, "autovacuum_vacuum_scale_factor");

    change.definition = value;
    return change;
}

static void
refuse(struct bench *bench, struct change change, const char *why)
{
    struct rollout_outcome outcome;

    assert_false(try_change(bench, change, &outcome));
    assert_error(&bench->ctx, ERR_STALE, why);
    error_clear(&bench->ctx);
}

static void
refuse_undo(struct bench *bench, const char *why)
{
    struct journal_entry entry = last_entry(bench);
    struct rollout_outcome outcome;

    assert_false(rollout_undo(&bench->ctx, &bench->rollout, &entry, &outcome));
    assert_error(&bench->ctx, ERR_CONFLICT, why);
    assert_string_equal(last_entry(bench).state, ENTRY_DONE);
    error_clear(&bench->ctx);
}

/* Another session sees it too: the reload was told to all. */
static void
assert_in_force(struct bench *bench, const char *sql, const char *wanted)
{
    int64_t end = clock_us() + LIMIT_US;

    while (!text_equal(ask(bench, sql), wanted) && clock_us() < end)
        assert_true(clock_sleep_us(TICK_US));
    assert_answer(bench, sql, wanted);
}

static void
setting_of_the_server(void **state)
{
    struct bench *bench = *state;

    do_change(bench, of_server("autovacuum_naptime", "2min"), "set");
    assert_answer(bench, WRITTEN("autovacuum_naptime"), "2min");
    assert_in_force(bench, IN_FORCE("autovacuum_naptime"), "120");
    do_change(bench, of_server("autovacuum_naptime", "2min"), "it is set already");
    do_change(bench, of_server("autovacuum_naptime", "90s"), "set");
    assert_string_equal(last_entry(bench).undo, "ALTER SYSTEM SET autovacuum_naptime = '2min'");
    undo_last(bench, "back to 2min");
    assert_answer(bench, WRITTEN("autovacuum_naptime"), "2min");
    undo_last(bench, "no longer set");
    assert_answer(bench, WRITTEN("autovacuum_naptime"), "(null)");
    assert_in_force(bench, IN_FORCE("autovacuum_naptime"), "60");
}

static void
altered_since_is_left_alone(void **state)
{
    struct bench *bench = *state;

    do_change(bench, of_server("deadlock_timeout", "1500ms"), "set");
    run(bench, "ALTER SYSTEM SET deadlock_timeout = '1700ms'");
    refuse_undo(bench, "was set to 1700ms since");
    assert_answer(bench, WRITTEN("deadlock_timeout"), "1700ms");
    run(bench, "ALTER SYSTEM RESET deadlock_timeout");
    undo_last(bench, "was undone already");
}

static void
restart_is_told(void **state)
{
    struct bench *bench = *state;

    /* The server forgets what is pending only when the file has the value in force again. */
    run(bench, arena_printf(bench->ctx.arena, "ALTER SYSTEM SET max_worker_processes = %s",
                   ask(bench, IN_FORCE("max_worker_processes"))));
    do_change(bench, of_server("max_worker_processes", "13"),
        "set; it needs a restart of the server to be in force");
    assert_answer(bench, WRITTEN("max_worker_processes"), "13");
    assert_in_force(
        bench, "SELECT pending_restart FROM pg_settings WHERE name = 'max_worker_processes'", "t");
    do_change(bench, of_server("max_worker_processes", "13"),
        "it is set already, and waits for a restart");
    undo_last(bench,
        arena_printf(bench->ctx.arena, "back to %s", ask(bench, IN_FORCE("max_worker_processes"))));
    assert_in_force(
        bench, "SELECT pending_restart FROM pg_settings WHERE name = 'max_worker_processes'", "f");
    run(bench, "ALTER SYSTEM RESET max_worker_processes");
}

static void
bad_values_leave_nothing(void **state)
{
    struct bench *bench = *state;
    struct rollout_outcome outcome;

    assert_false(try_change(bench, of_server("autovacuum_naptime", "a while"), &outcome));
    assert_error(&bench->ctx, ERR_UNDONE, "invalid value for parameter");
    assert_non_null(strstr(bench->ctx.error.state, "Nothing of autovacuum_naptime was done"));
    error_clear(&bench->ctx);
    assert_answer(bench, WRITTEN("autovacuum_naptime"), "(null)");
    assert_string_equal(last_entry(bench).state, ENTRY_FAILED);
    refuse(bench, of_table(bench, "lots"), "invalid value for floating point option");
}

/* A plan is a file: what runs programs or loads libraries cannot stand in it. */
static void
dangerous_names_are_refused(void **state)
{
    static const char *const names[] = { "archive_command", "shared_preload_libraries",
        "session_preload_libraries", "restore_command", "fsync", "ssl_passphrase_command",
        "work_mem = 1; DROP SCHEMA app CASCADE; --", "log_line_prefix", "WORK_MEM" };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++)
        refuse(bench, of_server(names[i], "1"), "a plan may not set");

    struct change role = of_server("shared_buffers", "1GB");

    role.role = "postgres";
    refuse(bench, role, "a plan may not set shared_buffers of role postgres");
    assert_answer(bench, "SELECT count(*) FROM pgmend.journal", "0");
}

#define OPTIONS "SELECT reloptions FROM pg_class WHERE oid = 'app.t'::regclass"

static void
setting_of_a_table(void **state)
{
    struct bench *bench = *state;

    run(bench, "ALTER TABLE app.t SET (fillfactor = 90)");
    do_change(bench, of_table(bench, "0.02"), "set");
    assert_answer(bench, OPTIONS, "{fillfactor=90,autovacuum_vacuum_scale_factor=0.02}");
    run(bench, "ALTER TABLE app.t SET (autovacuum_vacuum_scale_factor = 0.1)");
    refuse_undo(bench, "was set to 0.1 since");
    run(bench, "ALTER TABLE app.t SET (autovacuum_vacuum_scale_factor = 0.02)");
    do_change(bench, of_table(bench, "0.03"), "set");
    undo_last(bench, "back to 0.02");
    undo_last(bench, "no longer set");
    assert_answer(bench, OPTIONS, "{fillfactor=90}");
}

#define ROLE "setting \"role\""
#define OF_ROLE                                                                    \
    "SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting WHERE setrole" \
    " = (SELECT oid FROM pg_roles WHERE rolname = 'setting \"role\"')"

static void
setting_of_a_role(void **state)
{
    struct bench *bench = *state;
    struct change change = of_server("statement_timeout", "45s");

    change.role = ROLE;
    run(bench, "DROP ROLE IF EXISTS \"setting \"\"role\"\"\"");
    refuse(bench, change, "does not exist");
    run(bench, "CREATE ROLE \"setting \"\"role\"\"\"");
    run(bench, "ALTER ROLE \"setting \"\"role\"\"\" SET work_mem = '7MB'");
    do_change(bench, change, "set");
    assert_answer(bench, OF_ROLE, "work_mem=7MB statement_timeout=45s");
    change.name = "work_mem";
    change.definition = "8MB";
    do_change(bench, change, "set");
    undo_last(bench, "back to 7MB");
    undo_last(bench, "no longer set");
    assert_answer(bench, OF_ROLE, "work_mem=7MB");
    run(bench, "DROP ROLE \"setting \"\"role\"\"\"");
}

static void
drop_weak_role(struct bench *bench)
{
    if (!text_equal(
            ask(bench, "SELECT count(*) FROM pg_roles WHERE rolname = 'setting_weak'"), "0")) {
        run(bench, "DROP OWNED BY setting_weak CASCADE");
        run(bench, "DROP ROLE setting_weak");
    }
}

/* The right to alter is there from 15 on; without a look at the file the undo would be a guess. */
static void
rights_are_named(void **state)
{
    struct bench *bench = *state;
    struct change change = of_server("work_mem", "5MB");
    struct journal_entries journal = { 0 };

    drop_weak_role(bench);
    run(bench, "CREATE ROLE setting_weak LOGIN");
    change.action = ACTION_CREATE;

    struct db_options options = { .url = arena_printf(bench->ctx.arena,
                                      "user=setting_weak dbname=%s", bench->database),
        .application = "test" };
    struct db *weak CLEANUP(db_cleanup) = NULL;

    must(bench, db_open(&bench->ctx, &options, &weak));
    must(bench, change_kind_find(KIND_SETTING)->judge(&bench->ctx, weak, &journal, &change));
    assert_int_equal(change.action, ACTION_BLOCKED);
    assert_string_equal(change.problem, "role setting_weak may not ALTER SYSTEM SET work_mem");
    if (db_major(weak) >= 15) {
        assert_string_equal(
            change.remedy, "GRANT ALTER SYSTEM ON PARAMETER work_mem TO setting_weak;");
        run(bench, change.remedy);
        must(bench, change_kind_find(KIND_SETTING)->judge(&bench->ctx, weak, &journal, &change));
        assert_non_null(strstr(change.problem, "may not read pg_file_settings"));
        run(bench, "GRANT SELECT ON pg_catalog.pg_file_settings TO setting_weak");
        run(bench,
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_show_all_file_settings() TO setting_weak");
        must(bench, change_kind_find(KIND_SETTING)->judge(&bench->ctx, weak, &journal, &change));
        assert_string_equal(change.remedy,
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO setting_weak;");
        run(bench, change.remedy);
        change.action = ACTION_CREATE;
        change.problem = NULL;
        must(bench, change_kind_find(KIND_SETTING)->judge(&bench->ctx, weak, &journal, &change));
        assert_int_equal(change.action, ACTION_CREATE);
    }
    db_cleanup(&weak);
    drop_weak_role(bench);
}

/*
 * A run in a process of its own that is killed in the middle of writing to the journal: a trigger of the
 * test holds it there. The server's process is ended too, as it would be by the lost connection.
 */
static void
kill_in_the_middle(struct bench *bench, const char *event, struct change change)
{
    int status;
    pid_t child;

    run(bench, "CREATE OR REPLACE FUNCTION app.hold() RETURNS trigger LANGUAGE plpgsql AS"
               " 'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(86001); RETURN NEW; END'");
    run(bench, arena_printf(bench->ctx.arena,
                   "CREATE TRIGGER hold BEFORE %s ON pgmend.journal FOR EACH ROW"
                   " EXECUTE FUNCTION app.hold()",
                   event));
    run(bench, "SELECT pg_advisory_lock(86001)");
    rollout_close(&bench->rollout);
    child = fork();
    if (child == 0) {
        struct bench own = {
            .ctx = { .arena = arena_new() }, .database = bench->database, .folder = bench->folder
        };
        struct rollout_outcome outcome;

        own.db = connect_to(&own, own.database);
        begin_run(&own);
        (void)!try_change(&own, change, &outcome);
        _exit(0);
    }
    assert_true(child > 0);
    assert_in_force(bench,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 86001 AND NOT granted",
        "1");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    run(bench, "SELECT pg_terminate_backend(pid) FROM pg_locks"
               " WHERE locktype = 'advisory' AND objid = 86001 AND NOT granted");
    run(bench, "SELECT pg_advisory_unlock(86001)");
    run(bench, "DROP FUNCTION app.hold() CASCADE");
    assert_in_force(
        bench, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgmend/test'", "0");
    begin_run(bench);
}

static void
killed_after_alter_system(void **state)
{
    struct bench *bench = *state;

    run(bench, "ALTER SYSTEM SET log_temp_files = '1MB'");
    kill_in_the_middle(bench, "UPDATE", of_server("log_temp_files", "3MB"));
    assert_answer(bench, WRITTEN("log_temp_files"), "3MB");
    assert_string_equal(last_entry(bench).state, ENTRY_DONE);
    undo_last(bench, "back to 1MB");
    assert_answer(bench, WRITTEN("log_temp_files"), "1MB");
    run(bench, "ALTER SYSTEM RESET log_temp_files");
}

static void
killed_before_alter_system(void **state)
{
    struct bench *bench = *state;

    kill_in_the_middle(bench, "INSERT", of_server("log_temp_files", "3MB"));
    assert_answer(bench, WRITTEN("log_temp_files"), "(null)");
    assert_string_equal(last_entry(bench).state, ENTRY_FAILED);
    do_change(bench, of_server("log_temp_files", "3MB"), "set");
    undo_last(bench, "no longer set");
}

static void
plan_of_settings_comes_back(void **state)
{
    struct bench *bench = *state;
    struct plan plan = {
        .database = db_name(bench->db),
        .server_version = db_version_text(bench->db),
        .created_at = "2026-01-01T00:00:00Z",
    };
    struct plan again;
    const char *path = file_join(bench->ctx.arena, bench->folder, "settings.plan");
    struct change role = of_server("lock_timeout", "10s");

    role.role = "postgres";
    VEC_PUSH(bench->ctx.arena, &plan, of_server("log_temp_files", "3MB"));
    VEC_PUSH(bench->ctx.arena, &plan, of_table(bench, "0.02"));
    VEC_PUSH(bench->ctx.arena, &plan, role);
    must(bench, plan_seal(&bench->ctx, bench->db, &plan));
    assert_string_equal(plan.items[0].statement, "ALTER SYSTEM SET log_temp_files = '3MB'");
    assert_string_equal(
        plan.items[1].statement, "ALTER TABLE app.t SET (autovacuum_vacuum_scale_factor = '0.02')");
    assert_string_equal(plan.items[2].statement, "ALTER ROLE postgres SET lock_timeout = '10s'");
    must(bench, plan_write(&bench->ctx, path, &plan));
    must(bench, plan_read(&bench->ctx, path, &again));
    assert_string_equal(again.items[2].role, "postgres");
    assert_string_equal(again.hash, plan.hash);
    assert_string_equal(change_object(bench->ctx.arena, &again.items[1]),
        "autovacuum_vacuum_scale_factor of app.t");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(setting_of_the_server),
        test_with_bench(altered_since_is_left_alone),
        test_with_bench(restart_is_told),
        test_with_bench(bad_values_leave_nothing),
        test_with_bench(dangerous_names_are_refused),
        test_with_bench(setting_of_a_table),
        test_with_bench(setting_of_a_role),
        test_with_bench(rights_are_named),
        test_with_bench(killed_after_alter_system),
        test_with_bench(killed_before_alter_system),
        test_with_bench(plan_of_settings_comes_back),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
