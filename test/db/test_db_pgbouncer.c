/* The console of a real PgBouncer, started by the test in front of the tests' server. */
#include "support/test.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "db/pgbouncer.h"

enum { WAIT_LIMIT_US = 30000000 };

struct bench {
    struct ctx ctx;
    const char *folder;
    const char *console;
    struct process process;
    struct db *db;
};

static struct db *
connect_to(struct bench *bench, const char *url)
{
    const struct db_options options = { .url = url, .application = "test", .access = ACCESS_READ };
    struct db *db = NULL;

    (void)!db_open(&bench->ctx, &options, &db);
    return db;
}

static const char *
through(struct bench *bench, const char *database)
{
    return arena_printf(
        bench->ctx.arena, "host=%s port=6432 user=boss dbname=%s", bench->folder, database);
}

static void
start_pooler(struct bench *bench)
{
    struct arena *arena = bench->ctx.arena;
    const char *server = arena_printf(arena, "host=%s port=%s user=%s", db_host(bench->db),
        db_port(bench->db), db_user(bench->db));
    const char *ini = arena_printf(arena,
        "[databases]\n"
        "app = %s dbname=postgres\n"
        "Od-d = %s dbname=postgres\n"
        "slow = %s dbname=postgres pool_mode=session\n"
        "other = %s dbname=template1\n"
        "far = host=192.0.2.1 port=%s dbname=postgres\n"
        "[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = %s\nauth_type = any\n"
        "admin_users = boss\nstats_users = looker\npool_mode = transaction\nlogfile = %s/log\n",
        server, server, server, server, db_port(bench->db), bench->folder, bench->folder);
    const char *script = arena_printf(arena,
        "cd / && exec $([ \"$(id -u)\" = 0 ] && echo setpriv --reuid=postgres --clear-groups) "
        "$(command -v pgbouncer || echo /usr/sbin/pgbouncer) -q %s/ini",
        bench->folder);
    const char *const argv[] = { "bash", "-c", script, NULL };
    const struct process_options options = { .argv = argv };

    assert_int_equal(chmod(bench->folder, 0777), 0);
    assert_true(
        file_write(&bench->ctx, file_join(arena, bench->folder, "ini"), ini, strlen(ini), 0644));
    assert_true(process_start(&bench->ctx, &options, &bench->process));
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    int64_t end = clock_us() + WAIT_LIMIT_US;
    struct db *db = NULL;

    bench->ctx.arena = arena;
    bench->folder = test_folder(&bench->ctx);
    bench->db = connect_to(bench, "dbname=postgres");
    assert_non_null(bench->db);
    start_pooler(bench);
    while (!db && clock_us() < end) {
        error_clear(&bench->ctx);
        db = connect_to(bench, through(bench, "app"));
        (void)clock_sleep_us(20000);
    }
    assert_non_null(db);
    db_close(db);
    bench->console = through(bench, "pgbouncer");
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    process_stop(&bench->process);
    db_close(bench->db);
    (void)!file_remove(&bench->ctx, bench->folder);
    arena_free(bench->ctx.arena);
    return 0;
}

static const struct pgbouncer_database *
find(const struct pgbouncer_databases *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i].name, name) == 0)
            return &all->items[i];
    return NULL;
}

static struct pgbouncer *
open_console(struct bench *bench)
{
    struct pgbouncer *console;

    if (!pgbouncer_open(&bench->ctx, bench->console, &console))
        fail_msg("%s", bench->ctx.error.message);
    return console;
}

static bool
is_paused(struct bench *bench, const char *name)
{
    struct pgbouncer *console CLEANUP(pgbouncer_cleanup) = open_console(bench);
    struct pgbouncer_databases all;

    assert_true(pgbouncer_list(&bench->ctx, console, &all));
    assert_non_null(find(&all, name));
    return find(&all, name)->is_paused;
}

static void
test_lists(void **state)
{
    struct bench *bench = *state;
    struct pgbouncer *console CLEANUP(pgbouncer_cleanup) = open_console(bench);
    struct pgbouncer_databases all, ours;

    assert_true(pgbouncer_list(&bench->ctx, console, &all));
    assert_int_equal(all.count, 5);
    assert_string_equal(find(&all, "app")->mode, "transaction");
    assert_string_equal(find(&all, "slow")->mode, "session");
    assert_string_equal(find(&all, "other")->database, "template1");
    assert_true(pgbouncer_find(&bench->ctx, console, bench->db, "postgres", &ours));
    assert_int_equal(ours.count, 3);
    assert_null(find(&ours, "far"));
    assert_true(pgbouncer_reload(&bench->ctx, console));
}

static void
test_pauses(void **state)
{
    struct bench *bench = *state;
    struct ctx *ctx = &bench->ctx;
    struct pgbouncer *console CLEANUP(pgbouncer_cleanup) = open_console(bench);

    assert_true(pgbouncer_pause(ctx, console, "Od-d", WAIT_LIMIT_US));
    assert_true(is_paused(bench, "Od-d"));
    assert_false(is_paused(bench, "app"));
    assert_false(pgbouncer_pause(ctx, console, "Od-d", WAIT_LIMIT_US));
    assert_error(ctx, ERR_CONFLICT, "paused already");
    error_clear(ctx);
    assert_true(pgbouncer_resume(ctx, console, "Od-d"));
    assert_true(pgbouncer_resume(ctx, console, "Od-d"));
    assert_false(is_paused(bench, "Od-d"));
    assert_false(pgbouncer_pause(ctx, console, "slow", WAIT_LIMIT_US));
    assert_error(ctx, ERR_UNSUPPORTED, "session mode");
    assert_false(pgbouncer_pause(ctx, console, "nothing", WAIT_LIMIT_US));
    assert_error(ctx, ERR_NOT_FOUND, "no database");
}

/* A client that is idle in a transaction: the pause does not come about, and nobody waits for it. */
static void
test_times_out(void **state)
{
    struct bench *bench = *state;
    struct ctx *ctx = &bench->ctx;
    struct pgbouncer *console CLEANUP(pgbouncer_cleanup) = open_console(bench);
    struct db *client CLEANUP(db_cleanup) = connect_to(bench, through(bench, "app"));
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    assert_non_null(client);
    assert_true(db_begin(ctx, client, NULL, &transaction));
    assert_false(pgbouncer_pause(ctx, console, "app", 300000));
    assert_error(ctx, ERR_TIMEOUT, "did not end within");
    assert_non_null(ctx->error.detail);
    error_clear(ctx);
    assert_false(is_paused(bench, "app"));
    assert_true(db_commit(ctx, &transaction));
    assert_true(pgbouncer_pause(ctx, console, "app", WAIT_LIMIT_US));
    assert_true(pgbouncer_resume(ctx, console, "app"));
}

static void
test_refuses(void **state)
{
    struct bench *bench = *state;
    struct ctx *ctx = &bench->ctx;
    struct pgbouncer *console;

    assert_false(pgbouncer_open(ctx, "host=/nonexistent port=1 user=boss", &console));
    assert_error(ctx, ERR_CONNECTION, "PgBouncer's console");
    error_clear(ctx);
    assert_false(pgbouncer_open(
        ctx, arena_printf(ctx->arena, "host=%s port=6432 user=looker", bench->folder), &console));
    assert_error(ctx, ERR_RIGHTS, "looker");
    error_clear(ctx);
    assert_false(pgbouncer_open(ctx,
        arena_printf(ctx->arena, "host=%s port=%s user=%s", db_host(bench->db), db_port(bench->db),
            db_user(bench->db)),
        &console));
    assert_error(ctx, ERR_UNSUPPORTED, "no PgBouncer");
}

/* Whoever paused is killed: the guard resumes. With a word it does nothing. */
static void
test_guard(void **state)
{
    struct bench *bench = *state;
    struct ctx *ctx = &bench->ctx;
    struct text_list names = { 0 };
    int64_t end = clock_us() + WAIT_LIMIT_US;
    pid_t pid;

    text_list_add(ctx->arena, &names, "app");
    pid = fork();
    if (pid == 0) {
        struct pgbouncer *console = open_console(bench);
        struct pgbouncer_guard *guard;

        if (pgbouncer_guard(ctx, console, &names, &guard) &&
            pgbouncer_pause(ctx, console, "app", WAIT_LIMIT_US) && is_paused(bench, "app"))
            raise(SIGKILL);
        _exit(1);
    }

    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        continue;
    assert_true(WIFSIGNALED(status));
    while (is_paused(bench, "app") && clock_us() < end)
        (void)clock_sleep_us(20000);
    assert_false(is_paused(bench, "app"));

    struct pgbouncer *console CLEANUP(pgbouncer_cleanup) = open_console(bench);
    struct pgbouncer_guard *guard;

    assert_true(pgbouncer_guard(ctx, console, &names, &guard));
    assert_true(pgbouncer_pause(ctx, console, "app", WAIT_LIMIT_US));
    pgbouncer_unguard(&guard);
    assert_null(guard);
    assert_true(is_paused(bench, "app"));
    assert_true(pgbouncer_resume(ctx, console, "app"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_times_out),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_guard),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
