/* What goes wrong while backups are made, kept and restored: made to happen, one after the other. */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup.h"
#include "base/interrupt.h"
#include "db/test_backup_support.h"

enum { FLIPS = 25, SLOW_ROWS = 60000 };

/* Random text, which takes zlib long at level 9: some seconds for the whole table. */
static void
fill_slow_table(struct bench *bench)
{
    sql(bench, "CREATE TABLE slow (id int, words text)");
    sql(bench, "CREATE TABLE other (id int, words text)");
    sql(bench, arena_printf(bench->ctx.arena,
                   "INSERT INTO slow SELECT i, (SELECT string_agg(md5(concat(i, j)), '') FROM "
                   "generate_series(1, 12) j) FROM generate_series(1, %d) i",
                   SLOW_ROWS));
}

static int
set_up(void **state)
{
    struct bench *bench = bench_new(NULL);

    sql(bench,
        "CREATE TABLE small AS SELECT i AS id, md5(i::text) AS words FROM generate_series(1, 2000) i");
    sql(bench, "CREATE INDEX ON small (id)");
    *state = bench;
    return 0;
}

/* A process of the server that a test holds up; it must go on whatever becomes of the test. */
static pid_t stopped;

static bool
hold_session(struct bench *bench)
{
    pid_t session = (pid_t)db_backend_pid(bench->db);

    if (kill(session, SIGSTOP) != 0) {
        print_message("# skipped: the server's processes belong to somebody else\n");
        return false;
    }
    stopped = session;
    return true;
}

static void
let_session_go(void)
{
    if (stopped)
        kill(stopped, SIGCONT);
    stopped = 0;
}

/* A small volume, which must go whatever becomes of the test. */
static const char *mounted;

static void
unmount(void)
{
    if (mounted)
        umount2(mounted, MNT_DETACH);
    mounted = NULL;
}

static int
tear_down(void **state)
{
    let_session_go();
    unmount();
    bench_free(*state);
    return 0;
}

/* The tests that need the slow table share it. */
static struct bench *slow;

static int
set_up_slow(void **state)
{
    if (!slow) {
        set_up(state);
        slow = *state;
        fill_slow_table(slow);
    }
    *state = slow;
    return 0;
}

static int
tear_down_slow(void **state)
{
    (void)state;
    if (slow)
        bench_free(slow);
    return 0;
}

#define DUMP_SESSIONS \
    "FROM pg_catalog.pg_stat_activity WHERE datname = '%s' AND query LIKE 'COPY %%slow%%'"

/* A backup of the slow table, when nothing of an earlier one, or its lock, is left in the server. */
static void
start_slow(struct bench *bench, const char *words, struct process *ret)
{
    wait_until(
        bench, arena_printf(bench->ctx.arena,
                   "SELECT count(*) = 0 FROM pg_catalog.pg_stat_activity WHERE datname = '%s'"
                   " AND application_name LIKE 'pgmend/%%'",
                   bench->database));
    start_pgmend(bench, words, ret);
}

/* Until pg_dump is in the middle of the slow table; returns its process. */
static pid_t
wait_for_dump(struct bench *bench)
{
    struct arena *arena = bench->ctx.arena;
    struct text_list names = { 0 };
    const char *text;
    size_t length;

    wait_until(bench, arena_printf(arena, "SELECT count(*) > 0 " DUMP_SESSIONS, bench->database));
    must(bench, file_list(&bench->ctx, bench->backups, &names));
    assert_int_equal(names.count, 1);
    assert_true(text_starts_with(names.items[0], ".partial-"));
    must(bench, file_read(&bench->ctx,
                    file_join(arena, file_join(arena, bench->backups, names.items[0]), "child"),
                    &text, &length));
    /* Our own pid, its start, then the child's. */
    return (pid_t)strtol(strchr(strchr(text, ' ') + 1, ' ') + 1, NULL, 10);
}

static const char *
finish(struct bench *bench, struct process *process, int status)
{
    must(bench, process_wait(&bench->ctx, process));

    const char *said = arena_printf(
        bench->ctx.arena, "%s%s", buffer_text(&process->out), buffer_text(&process->err));

    if (process->status != status)
        fail_msg("status %d instead of %d: %s", process->status, status, said);
    return said;
}

static void
assert_no_backup(struct bench *bench)
{
    struct backup_infos infos;
    struct text_list notes = { 0 };

    assert_int_equal(count_backups(bench, ""), 0);
    must(bench, backup_list(&bench->ctx, bench->backups, &infos, &notes));
    assert_int_equal(infos.count, 0);
    assert_int_equal(notes.count, 0);
}

static void
test_dump_killed(void **state)
{
    static const char *const formats[] = { "custom", "directory" };
    struct bench *bench = *state;
    struct process process;

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        start_slow(bench, arena_printf(bench->ctx.arena, "backup create -Z 9 -F %s", formats[i]),
            &process);
        kill(wait_for_dump(bench), SIGKILL);
        assert_holds(finish(bench, &process, 1), "was killed by signal 9");
        assert_no_backup(bench);
    }
}

static void
test_session_terminated(void **state)
{
    struct bench *bench = *state;
    struct process process;
    const char *end = arena_printf(bench->ctx.arena,
        "SELECT pg_catalog.bool_and(pg_catalog.pg_terminate_backend(pid)) " DUMP_SESSIONS,
        bench->database);

    start_slow(bench, "backup create -Z 9", &process);
    wait_for_dump(bench);
    value_in(bench, bench->admin, end);
    finish(bench, &process, 1);
    assert_no_backup(bench);
}

static void
test_interrupted(void **state)
{
    struct bench *bench = *state;
    struct process process;

    start_slow(bench, "backup create -Z 9", &process);
    wait_for_dump(bench);
    kill(process.pid, SIGINT);
    assert_holds(finish(bench, &process, 130), "No backup was made");
    assert_no_backup(bench);
    wait_until(bench,
        arena_printf(bench->ctx.arena, "SELECT count(*) = 0 " DUMP_SESSIONS, bench->database));
}

static void
test_pgmend_killed(void **state)
{
    struct bench *bench = *state;
    struct process process;
    pid_t dump;

    start_slow(bench, "backup create -Z 9 -F custom", &process);
    dump = wait_for_dump(bench);
    kill(process.pid, SIGKILL);
    must(bench, process_wait(&bench->ctx, &process));
    assert_int_equal(kill(dump, 0), 0);
    assert_int_equal(count_backups(bench, ".partial-"), 1);

    const char *said = run_pgmend(bench, 0, "backup list");

    assert_holds(said, "left by an interrupted backup, was removed");
    assert_holds(said, "There are no backups");
    assert_no_backup(bench);
    wait_until(bench,
        arena_printf(bench->ctx.arena, "SELECT count(*) = 0 " DUMP_SESSIONS, bench->database));
}

static void
test_one_at_a_time(void **state)
{
    struct bench *bench = *state;
    struct process process;

    start_slow(bench, "backup create -Z 9", &process);
    wait_for_dump(bench);
    assert_holds(run_pgmend(bench, 7, "backup create"), "another pgmend run holds the lock");
    assert_holds(run_pgmend(bench, 0, "backup list"), "still being written");
    kill(process.pid, SIGTERM);
    finish(bench, &process, 143);
    assert_no_backup(bench);
}

static void
test_table_locked(void **state)
{
    struct bench *bench = *state;
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    must(bench, db_begin(&bench->ctx, bench->db, NULL, &transaction));
    sql(bench, "LOCK TABLE small IN ACCESS EXCLUSIVE MODE");
    assert_holds(
        run_pgmend(bench, 1, "backup create --lock-wait-timeout 200ms"), "--lock-wait-timeout");
    assert_no_backup(bench);
}

static bool
mount_small(struct bench *bench, const char *size)
{
    must(bench, file_make_folder(&bench->ctx, bench->backups));
    if (mount("tmpfs", bench->backups, "tmpfs", 0,
            arena_printf(bench->ctx.arena, "size=%s,mode=0700", size)) == 0) {
        mounted = bench->backups;
        return true;
    }
    print_message("# skipped: a small tmpfs cannot be mounted (not root?)\n");
    return false;
}

static void
test_disk_full(void **state)
{
    struct bench *bench = *state;
    const char *said;

    /* The server keeps it compressed and the dump does not, so the forecast is wrong. */
    sql(bench, "CREATE TABLE thin AS SELECT repeat('x', 1000000) AS x FROM generate_series(1, 60)");
    if (!mount_small(bench, "40m"))
        skip();
    for (int i = 0; i < 2; i++) {
        said = run_pgmend(
            bench, 1, i ? "backup create --compress 0 -F custom" : "backup create --compress 0");
        assert_holds(said, "No space left on device");
        assert_holds(said, "Make room");
        assert_int_equal(count_backups(bench, ""), 0);
    }
}

static void
test_no_room(void **state)
{
    struct bench *bench = *state;

    if (!mount_small(bench, "8m"))
        skip();
    assert_holds(run_pgmend(bench, 4, "backup create"), "are free in");
    assert_int_equal(count_backups(bench, ""), 0);
}

/* The files of a backup, below its folder. */
static void
list_files(struct bench *bench, const char *folder, struct text_list *ret)
{
    struct arena *arena = bench->ctx.arena;
    struct text_list names = { 0 };

    must(bench, file_list(&bench->ctx, folder, &names));
    for (size_t i = 0; i < names.count; i++) {
        const char *path = file_join(arena, folder, names.items[i]);
        struct stat found;

        assert_int_equal(lstat(path, &found), 0);
        if (S_ISDIR(found.st_mode))
            list_files(bench, path, ret);
        else
            text_list_add(arena, ret, path);
    }
}

static void
flip(const char *path, off_t at, unsigned char bit)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    unsigned char byte = 0;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= bit;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* Without a server: sums and the archive itself. */
static bool
verify_quickly(struct bench *bench, const char *name)
{
    struct backup_verify_options options = { .folder = bench->backups, .name = name, .jobs = 1 };
    struct backup_info info;
    struct text_list differences = { 0 };
    struct text_list notes = { 0 };

    error_clear(&bench->ctx);
    return backup_verify(&bench->ctx, NULL, &options, &info, &differences, &notes);
}

static void
test_bit_flips(void **state)
{
    struct bench *bench = *state;
    struct test_random random = test_random_new();
    static const char *const names[] = { "dir", "one" };

    run_pgmend(bench, 0, "backup create --name dir --verify");
    run_pgmend(bench, 0, "backup create --name one -F custom --verify");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct text_list files = { 0 };

        list_files(bench, file_join(bench->ctx.arena, bench->backups, names[i]), &files);
        for (size_t flips = 0; flips < FLIPS; flips++) {
            /* Every file once, then any. */
            const char *path =
                files.items[flips < files.count ? flips : test_random_below(&random, files.count)];
            struct stat found;
            unsigned char bit = (unsigned char)(1U << test_random_below(&random, 8));

            assert_int_equal(stat(path, &found), 0);
            if (found.st_size == 0)
                continue;

            off_t at = (off_t)test_random_below(&random, (size_t)found.st_size);

            flip(path, at, bit);
            if (verify_quickly(bench, names[i]))
                fail_msg("not seen: bit %d of byte %lld in %s", bit, (long long)at, path);
            /* The digit of the manifest's own format makes it look like a newer pgmend's. */
            if (bench->ctx.error.kind != ERR_UNSUPPORTED)
                assert_int_equal(bench->ctx.error.kind, ERR_VERIFICATION);
            flip(path, at, bit);
        }
        must(bench, verify_quickly(bench, names[i]));
    }
}

static void
test_damaged(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *folder = file_join(arena, bench->backups, "b");
    struct text_list files = { 0 };
    const char *aside = file_join(arena, bench->state, "aside");

    run_pgmend(bench, 0, "backup create --name b --verify");
    list_files(bench, folder, &files);
    for (size_t i = 0; i < files.count; i++) {
        bool is_marker = text_ends_with(files.items[i], "verified.json");

        must(bench, file_rename(&bench->ctx, files.items[i], aside));
        assert_int_equal(verify_quickly(bench, "b"), is_marker);
        assert_int_equal(symlink(aside, files.items[i]), 0);
        assert_false(verify_quickly(bench, "b"));
        unlink(files.items[i]);
        must(bench, file_rename(&bench->ctx, aside, files.items[i]));
    }
    must(
        bench, file_write(&bench->ctx, file_join(arena, folder, "data/more.dat.gz"), "x", 1, 0600));
    assert_false(verify_quickly(bench, "b"));
    assert_holds(bench->ctx.error.detail, "does not belong to the backup");
    unlink(file_join(arena, folder, "data/more.dat.gz"));
    for (size_t i = 0; i < files.count; i++) {
        struct stat found;
        const char *data;
        size_t length;

        must(bench, file_read(&bench->ctx, files.items[i], &data, &length));
        assert_int_equal(stat(files.items[i], &found), 0);
        assert_int_equal(truncate(files.items[i], found.st_size - 1), 0);
        assert_false(verify_quickly(bench, "b"));
        must(bench, file_write(&bench->ctx, files.items[i], data, length, 0600));
    }
    must(bench, verify_quickly(bench, "b"));
}

static void
test_corrupt_restore(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *count = "SELECT count(*) FROM public.small";

    run_pgmend(bench, 0, "backup create --name b -F custom");
    flip(file_join(arena, bench->backups, "b/data.dump"), 5000, 4);

    const char *said = run_pgmend(bench, 10, "backup restore b --swap --yes");

    assert_holds(said, "The live database was not touched.");
    assert_holds(said, "was changed");
    assert_string_equal(value_in(bench, bench->db, count), "2000");
    assert_string_equal(count_scratch(bench), "0");
}

/* A dump whose sums are right but whose rows are not what was recorded. */
static void
test_other_content(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *a = file_join(arena, bench->backups, "a");
    const char *b = file_join(arena, bench->backups, "b");

    run_pgmend(bench, 0, "backup create --name a -F custom");
    sql(bench, "UPDATE small SET words = 'other' WHERE id = 77");
    run_pgmend(bench, 0, "backup create --name b -F custom");

    /* The manifest of one with the archive of the other, and sums made to fit. */
    const char *script = file_join(arena, bench->state, "forge.py");
    static const char forge[] =
        "import sys, json, hashlib, shutil, os\n"
        "a, b = sys.argv[1:]\n"
        "shutil.copy(b + '/data.dump', a + '/data.dump')\n"
        "sum = lambda p: hashlib.sha256(open(p, 'rb').read()).hexdigest()\n"
        "m = json.load(open(a + '/manifest.json'))\n"
        "m['files'][0].update(sha256=sum(a + '/data.dump'), bytes=os.path.getsize(a + '/data.dump'))\n"
        "json.dump(m, open(a + '/manifest.json', 'w'))\n"
        "open(a + '/SHA256SUMS', 'w').write(sum(a + '/manifest.json') + '  manifest.json\\n' +\n"
        "    sum(a + '/data.dump') + '  data.dump\\n')\n";
    const char *argv[] = { "python3", script, a, b, NULL };
    struct process_options options = { .argv = argv };
    struct process process;

    must(bench, file_write(&bench->ctx, script, forge, sizeof(forge) - 1, 0600));
    must(bench, process_run(&bench->ctx, &options, &process));
    run_pgmend(bench, 0, "backup verify a --quick");
    assert_holds(run_pgmend(bench, 10, "backup verify a"), "has other content");
    assert_holds(run_pgmend(bench, 0, "backup list"), "never verified");
    assert_string_equal(count_scratch(bench), "0");
}

/* Until the restore has its database. */
static void
wait_for_scratch(struct bench *bench)
{
    wait_until(bench, "SELECT count(*) = 1 FROM pg_catalog.pg_stat_activity "
                      "WHERE datname ~ '^pgmend_scratch_' AND query LIKE 'COPY %slow%'");
}

static void
test_verify_stopped(void **state)
{
    struct bench *bench = *state;
    struct process process;

    run_pgmend(bench, 0, "backup create --name b");
    start_pgmend(bench, "backup verify b", &process);
    wait_for_scratch(bench);
    kill(process.pid, SIGINT);
    finish(bench, &process, 130);
    assert_string_equal(count_scratch(bench), "0");

    start_pgmend(bench, "backup verify b", &process);
    wait_for_scratch(bench);
    kill(process.pid, SIGKILL);
    must(bench, process_wait(&bench->ctx, &process));
    assert_string_equal(count_scratch(bench), "1");
    assert_holds(
        run_pgmend(bench, 0, "backup restore --heal"), "of a run that is gone was dropped");
    assert_string_equal(count_scratch(bench), "0");
    assert_holds(run_pgmend(bench, 0, "backup list"), "never verified");
}

/* The first rename, which waits for a session that does not end. */
static const char renaming[] =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity "
    "WHERE state = 'active' AND query LIKE 'ALTER DATABASE%RENAME TO%_before_%')";

/* pgmend dies while the rename waits: nothing of it is left, and nothing is closed. */
static void
test_swap_killed(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    struct process process;
    const char *is_open = arena_printf(arena,
        "SELECT datallowconn FROM pg_catalog.pg_database WHERE datname = '%s'", bench->database);

    run_pgmend(bench, 0, "backup create --name b");
    if (!hold_session(bench))
        skip();
    start_pgmend(bench, "backup restore b --swap --yes", &process);
    wait_until(bench, renaming);
    kill(process.pid, SIGKILL);
    must(bench, process_wait(&bench->ctx, &process));
    let_session_go();
    assert_string_equal(value_in(bench, bench->admin, is_open), "t");
    wait_until(bench, arena_printf(arena, "SELECT NOT (%s)", renaming));
    assert_holds(
        run_pgmend(bench, 0, "backup restore --heal"), "of a run that is gone was dropped");
    assert_string_equal(value_in(bench, bench->admin, is_open), "t");
    db_close(bench->db);
    bench->db = connect_to(bench, bench->database);
    assert_string_equal(value_in(bench, bench->db, "SELECT count(*) FROM public.small"), "2000");
    assert_string_equal(count_scratch(bench), "0");
}

/* The same, but pgmend lives and gives up. */
static void
test_swap_blocked(void **state)
{
    struct bench *bench = *state;
    struct process process;
    const char *is_open = arena_printf(bench->ctx.arena,
        "SELECT datallowconn FROM pg_catalog.pg_database WHERE datname = '%s'", bench->database);

    run_pgmend(bench, 0, "backup create --name b");
    if (!hold_session(bench))
        skip();
    start_pgmend(bench, "backup restore b --swap --yes", &process);
    wait_until(bench, renaming);
    kill(process.pid, SIGINT);
    wait_until(bench, arena_printf(bench->ctx.arena, "SELECT NOT (%s)", renaming));
    /* No database can be dropped while a process of the server does not answer. */
    let_session_go();

    const char *said = finish(bench, &process, 130);

    assert_holds(said, "The live database is unchanged and takes connections");
    assert_string_equal(value_in(bench, bench->admin, is_open), "t");
    assert_string_equal(count_scratch(bench), "0");
    db_close(bench->db);
    bench->db = connect_to(bench, bench->database);
    assert_string_equal(value_in(bench, bench->db, "SELECT state FROM pgmend.journal"), "failed");
}

#define fault_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define slow_test(test)  cmocka_unit_test_setup_teardown(test, set_up_slow, NULL)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        slow_test(test_dump_killed),
        slow_test(test_session_terminated),
        slow_test(test_interrupted),
        slow_test(test_pgmend_killed),
        slow_test(test_one_at_a_time),
        slow_test(test_verify_stopped),
        fault_test(test_table_locked),
        fault_test(test_disk_full),
        fault_test(test_no_room),
        fault_test(test_bit_flips),
        fault_test(test_damaged),
        fault_test(test_corrupt_restore),
        fault_test(test_other_content),
        fault_test(test_swap_killed),
        fault_test(test_swap_blocked),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down_slow);
}
