/* Restore points: on a server that archives nothing, and on one of the test's own that does. */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "change/journal.h"
#include "change/restore_point.h"

static struct db *
connect_to(struct ctx *ctx, const char *url)
{
    const struct db_options options = { .url = url, .application = "test", .access = ACCESS_WRITE };
    struct db *db;

    if (!db_open(ctx, &options, &db))
        fail_msg("%s", ctx->error.message);
    return db;
}

static const char *
value(struct ctx *ctx, struct db *db, const char *sql)
{
    const char *text;

    if (!db_value(ctx, db, sql, NULL, 0, &text))
        fail_msg("%s", ctx->error.message);
    return text;
}

static void
test_name(void **state)
{
    struct ctx *ctx = *state;

    assert_string_equal(
        restore_point_name(ctx->arena, "0123456789abcdef", 3), "pgmend_01234567_phase3");
}

static void
test_not_archived(void **state)
{
    struct ctx *ctx = *state;
    struct db *db CLEANUP(db_cleanup) = connect_to(ctx, "dbname=postgres");
    struct restore_points points;
    const char *text;

    if (strcmp(value(ctx, db, "SHOW archive_mode"), "off") != 0)
        skip();
    assert_true(restore_point_set(ctx, db, "pgmend_x_phase1", &text));
    assert_null(text);
    assert_true(restore_point_advice(ctx, db, &text));
    assert_non_null(strstr(text, "archive_mode is off"));
    assert_true(restore_points_load(ctx, db, &points));
    assert_int_equal(points.count, 0);
}

/* script/cluster of the checkout; the folder is the test's. */
static void
cluster(struct ctx *ctx, const char *action, const char *folder, const char *setting)
{
    const char *const argv[] = { "bash", test_source(ctx, "script/cluster"), action, folder,
        setting ? "--scratch" : NULL, NULL };
    const struct process_options options = { .argv = argv, .timeout_us = INT64_C(120000000) };
    struct process process;

    if (!process_run(ctx, &options, &process))
        fail_msg("%s", ctx->error.message);
}

/* pg_ctl as the server's own user, as script/cluster does it. */
static void
restart(struct ctx *ctx, const char *folder)
{
    const char *script = arena_printf(ctx->arena,
        "bin=$(sed -n 's/^bin=//p' %s/place); cd /; "
        "as=; [ \"$(id -u)\" != 0 ] || as='setpriv --reuid=postgres --regid=postgres --init-groups'; "
        "$as $bin/pg_ctl -D %s/data -l %s/log -w -t 60 restart",
        folder, folder, folder);
    const char *const argv[] = { "bash", "-c", script, NULL };
    const struct process_options options = { .argv = argv, .timeout_us = INT64_C(120000000) };
    struct process process;

    if (!process_run(ctx, &options, &process))
        fail_msg("%s", ctx->error.message);
}

static void
check_archived(struct ctx *ctx, const char *url)
{
    struct db *db CLEANUP(db_cleanup) = connect_to(ctx, url);
    struct db *poor CLEANUP(db_cleanup) = NULL;
    struct restore_points points;
    const char *text, *lsn;
    bool is_after;

    assert_true(restore_point_set(ctx, db, "pgmend_aaaaaaaa_phase1", &text));
    assert_non_null(strstr(text, "pgmend_aaaaaaaa_phase1"));
    assert_true(restore_points_load(ctx, db, &points));
    assert_int_equal(points.count, 0); /* schema pgmend is not there, and is not made for it */

    assert_true(journal_install(ctx, db));
    lsn = value(ctx, db, "SELECT pg_current_wal_lsn()");
    assert_true(restore_point_set(ctx, db, "pgmend_aaaaaaaa_phase1", &text));
    assert_true(restore_point_set(ctx, db, "pgmend_aaaaaaaa_phase2", &text));
    assert_true(restore_point_set(ctx, db, "pgmend_aaaaaaaa_phase1", &text));
    assert_true(restore_points_load(ctx, db, &points));
    assert_int_equal(points.count, 2);
    assert_string_equal(points.items[0].name, "pgmend_aaaaaaaa_phase2");
    assert_string_equal(points.items[1].name, "pgmend_aaaaaaaa_phase1");
    assert_non_null(strstr(text, points.items[1].lsn));
    is_after = strcmp(value(ctx, db,
                          arena_printf(ctx->arena, "SELECT '%s'::pg_lsn > '%s'::pg_lsn",
                              points.items[0].lsn, lsn)),
                   "t") == 0;
    assert_true(is_after);

    assert_true(db_exec(ctx, db, "CREATE ROLE poor LOGIN"));
    poor = connect_to(ctx, arena_printf(ctx->arena, "%s user=poor", url));
    assert_true(restore_point_set(ctx, poor, "pgmend_bbbbbbbb_phase1", &text));
    assert_null(text);
    assert_true(restore_point_advice(ctx, poor, &text));
    assert_non_null(strstr(text, "pg_create_restore_point"));
}

static void
test_archived(void **state)
{
    struct ctx *ctx = *state;
    const char *above = test_folder(ctx);
    const char *folder = file_join(ctx->arena, above, "pg");
    const char *url = arena_printf(ctx->arena, "host=%s/socket port=5432 dbname=postgres", folder);
    struct db *db;

    /* The server's user has to be able to enter it. */
    assert_int_equal(chmod(above, 0755), 0);
    cluster(ctx, "start", folder, "--scratch");
    db = connect_to(ctx, arena_printf(ctx->arena, "%s user=postgres", url));
    assert_true(db_exec(ctx, db, "ALTER SYSTEM SET archive_mode = on"));
    assert_true(db_exec(ctx, db, "ALTER SYSTEM SET archive_command = 'true'"));
    db_close(db);
    restart(ctx, folder);
    check_archived(ctx, url);
    cluster(ctx, "remove", folder, NULL);
    assert_int_equal(rmdir(above), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_name),
        test_with_ctx(test_not_archived),
        test_with_ctx(test_archived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
