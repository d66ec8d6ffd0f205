/* JSON lines in a folder, with disks that are really full and crashes that really tore a line. */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "monitor/store/files.h"
#include "sql.h"

static const int64_t S = 1000000;
static const int64_t DAY_S = 86400;
static const int64_t NOON = INT64_C(1795435200) * 1000000; /* 2026-11-23T12:00:00Z */

static const struct metric load = { .name = "load", .is_kept = true };
static const struct metric unkept = { .name = "unkept" };
static const char *const by_name[] = { "name", NULL };

struct bench {
    struct ctx ctx;
    const char *folder;
    bool is_mounted;
    struct watched watched;
    struct output_files *files;
};

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->folder = test_folder(&bench->ctx);
    bench->watched.name = "db";
    bench->watched.database = "replyx";
    bench->watched.is_up = true;
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    output_files_close(bench->files);
    if (bench->is_mounted)
        umount(bench->folder);
    assert_true(file_remove(&bench->ctx, bench->folder));
    arena_free(bench->ctx.arena);
    return 0;
}

static bool
open_files(struct bench *bench, int64_t most_bytes, int64_t most_file_bytes)
{
    const struct output_files_options options = {
        .folder = bench->folder, .most_bytes = most_bytes, .most_file_bytes = most_file_bytes
    };

    return output_files_open(&bench->ctx, &options, &bench->files);
}

static void
tick(struct bench *bench, int64_t at_us, const char *label, double value)
{
    const char *labels[METRIC_LABELS] = { label };
    struct samples *samples = &bench->watched.samples;

    *samples = (struct samples){ .arena = bench->ctx.arena };
    sample_add(samples, &load, by_name, labels, value);
    sample_add(samples, &unkept, by_name, labels, value);
    bench->watched.at_wall_us = at_us;
    bench->watched.tick++;
    output_files_tick(bench->files, &bench->watched);
}

static const char *
path_of(struct bench *bench, const char *name)
{
    return file_join(bench->ctx.arena, bench->folder, name);
}

/* The lines of one file, each of which must be JSON. */
static size_t
read_lines(struct bench *bench, const char *name, json_t *ret[], size_t most)
{
    const char *data;
    size_t length, count = 0;

    assert_true(file_read(&bench->ctx, path_of(bench, name), &data, &length));
    assert_true(length == 0 || data[length - 1] == '\n');
    while (*data) {
        const char *end = strchr(data, '\n');
        json_t *json = json_loadb(data, (size_t)(end - data), 0, NULL);

        if (!json)
            fail_msg("not JSON: %.*s", (int)(end - data), data);
        assert_true(count < most);
        ret[count++] = json;
        data = end + 1;
    }
    return count;
}

static void
release(json_t *lines[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_decref(lines[i]);
}

static const char *
names_of(struct bench *bench)
{
    struct text_list names;

    assert_true(file_list(&bench->ctx, bench->folder, &names));
    return text_list_join(bench->ctx.arena, &names, " ");
}

static void
a_tick_is_a_line(void **state)
{
    struct bench *bench = *state;
    json_t *lines[4], *sample, *session;
    struct sql_monitor_session sessions[] = {
        { .pid = 1, .datname = "d", .xact_seconds = 1, .query = "SELECT 'secret'" },
        { .pid = 2, .datname = "d", .blocked_by = "3,4", .query = "SELECT 'secret'" },
        { .pid = 3, .application_name = "\"<\n", .blocks = 1, .query_id = INT64_MIN },
        { .pid = 4, .xact_seconds = 100 },
    };

    assert_true(open_files(bench, 0, 0));
    bench->watched.now[COLLECT_SESSION] = (struct reading){ .is_known = true,
        .is_good = true,
        .is_fresh = true,
        .rows = { sessions, COUNT_OF(sessions) } };
    tick(bench, NOON, "we\"ird\n\\", 0.25);
    bench->watched.is_up = false;
    bench->watched.error.message = "the server is down";
    bench->watched.now[COLLECT_SESSION].is_fresh = false;
    tick(bench, NOON + 5 * S, "a", 1);
    assert_null(output_files_error(bench->files));
    assert_int_equal(read_lines(bench, "monitor-2026-11-23.jsonl", lines, COUNT_OF(lines)), 2);
    assert_string_equal(json_get_text(bench->ctx.arena, lines[0], "type", ""), "tick");
    assert_string_equal(
        json_get_text(bench->ctx.arena, lines[0], "at", ""), "2026-11-23T12:00:00Z");
    assert_string_equal(json_get_text(bench->ctx.arena, lines[0], "server", ""), "db");
    assert_true(json_get_bool(lines[0], "up", false));
    assert_int_equal(json_array_size(json_object_get(lines[0], "samples")), 1);
    sample = json_array_get(json_object_get(lines[0], "samples"), 0);
    assert_string_equal(json_get_text(bench->ctx.arena, sample, "metric", ""), "load");
    assert_true(json_get_double(sample, "value", 0) == 0.25);
    assert_string_equal(
        json_get_text(bench->ctx.arena, json_object_get(sample, "labels"), "name", ""),
        "we\"ird\n\\");
    assert_int_equal(json_array_size(json_object_get(lines[0], "sessions")), 3);
    session = json_array_get(json_object_get(lines[0], "sessions"), 1);
    assert_string_equal(json_get_text(bench->ctx.arena, session, "application_name", ""), "\"<\n");
    assert_string_equal(
        json_get_text(bench->ctx.arena, session, "query_id", ""), "-9223372036854775808");
    assert_false(json_get_bool(lines[1], "up", true));
    assert_string_equal(
        json_get_text(bench->ctx.arena, lines[1], "error", ""), "the server is down");
    assert_null(json_object_get(lines[1], "sessions"));
    assert_null(strstr(json_text(bench->ctx.arena, lines[0]), "secret"));
    release(lines, 2);
}

static void
a_day_and_a_size_begin_a_new_file(void **state)
{
    struct bench *bench = *state;

    assert_true(open_files(bench, 0, 1000));
    for (int64_t i = 0; i < 3; i++)
        tick(bench, NOON + i * DAY_S * S, "a", 1);
    assert_string_equal(names_of(bench), "monitor-2026-11-23.jsonl monitor-2026-11-24.jsonl "
                                         "monitor-2026-11-25.jsonl");
    for (int i = 0; i < 20; i++)
        tick(bench, NOON + (2 * DAY_S + i) * S, "a", 1);
    assert_true(file_exists(path_of(bench, "monitor-2026-11-25-0002.jsonl")));
    assert_true(file_exists(path_of(bench, "monitor-2026-11-25-0003.jsonl")));
    /* Another run goes on where this one ended. */
    output_files_close(bench->files);
    assert_true(open_files(bench, 0, 1 << 20));
    tick(bench, NOON + (2 * DAY_S + 30) * S, "last", 1);

    json_t *lines[64];
    size_t count = 0, parts = 0;

    for (int part = 1; part < 20; part++) {
        const char *name =
            part == 1 ? "monitor-2026-11-25.jsonl"
                      : arena_printf(bench->ctx.arena, "monitor-2026-11-25-%04d.jsonl", part);

        if (!file_exists(path_of(bench, name)))
            break;
        count += read_lines(bench, name, lines + count, COUNT_OF(lines) - count);
        parts++;
    }
    assert_true(parts > 3);
    assert_int_equal(count, 22);
    release(lines, count);
}

static int64_t
size_of_folder(struct bench *bench)
{
    int64_t bytes;

    assert_true(file_size(&bench->ctx, bench->folder, &bytes));
    return bytes;
}

static void
the_oldest_are_removed_when_it_is_too_much(void **state)
{
    struct bench *bench = *state;
    const int64_t most = 40000;

    assert_true(file_write(&bench->ctx, path_of(bench, "mine.txt"), "x", 1, 0600));
    assert_true(open_files(bench, most, 0));
    for (int64_t i = 0; i < 1000; i++) {
        tick(bench, NOON + i * 3600 * S, "a", 1);
        assert_true(size_of_folder(bench) <= most + 1);
    }
    assert_true(size_of_folder(bench) > most / 2);
    assert_false(file_exists(path_of(bench, "monitor-2026-11-23.jsonl")));
    /* 999 hours after noon. */
    assert_true(file_exists(path_of(bench, "monitor-2027-01-04.jsonl")));
    assert_true(file_exists(path_of(bench, "mine.txt")));
    assert_null(output_files_error(bench->files));
}

static void
the_line_of_a_crash_is_cut(void **state)
{
    struct bench *bench = *state;
    static const char torn[] = "{\"type\":\"tick\",\"at\":\"20";
    const char *path = path_of(bench, "monitor-2026-11-23.jsonl");
    json_t *lines[4];
    pid_t child;
    int status, fd;

    /* The process is killed between two lines, and a part of a third stands there. */
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!open_files(bench, 0, 0))
            _exit(1);
        tick(bench, NOON, "a", 1);
        fd = open(path, O_WRONLY | O_APPEND);
        if (fd < 0 || write(fd, torn, strlen(torn)) != (ssize_t)strlen(torn))
            _exit(1);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(open_files(bench, 0, 0));
    assert_int_equal(read_lines(bench, "monitor-2026-11-23.jsonl", lines, COUNT_OF(lines)), 1);
    release(lines, 1);
    tick(bench, NOON + S, "a", 2);
    assert_int_equal(read_lines(bench, "monitor-2026-11-23.jsonl", lines, COUNT_OF(lines)), 2);
    release(lines, 2);
}

static void
two_monitors_do_not_share_a_folder(void **state)
{
    struct bench *bench = *state;
    struct output_files *first;

    assert_true(open_files(bench, 0, 0));
    first = bench->files;
    assert_false(open_files(bench, 0, 0));
    assert_error(&bench->ctx, ERR_CONFLICT, "another monitor");
    output_files_close(first);
    error_clear(&bench->ctx);
    assert_true(open_files(bench, 0, 0));
}

static void
a_file_that_is_not_ours_is_not_touched(void **state)
{
    struct bench *bench = *state;
    const char *outside = path_of(bench, "outside");

    assert_true(file_write(&bench->ctx, outside, "precious", 8, 0600));
    assert_int_equal(symlink(outside, path_of(bench, "monitor-2026-11-23.jsonl")), 0);
    assert_true(open_files(bench, 0, 0));
    tick(bench, NOON, "a", 1);
    assert_non_null(output_files_error(bench->files));

    const char *data;
    size_t length;

    assert_true(file_read(&bench->ctx, outside, &data, &length));
    assert_string_equal(data, "precious");
}

static void
a_folder_that_vanishes_is_made_again(void **state)
{
    struct bench *bench = *state;
    json_t *lines[4];

    assert_true(open_files(bench, 0, 0));
    tick(bench, NOON, "a", 1);
    assert_true(file_remove(&bench->ctx, path_of(bench, "monitor-2026-11-23.jsonl")));
    tick(bench, NOON + S, "a", 1);
    assert_int_equal(read_lines(bench, "monitor-2026-11-23.jsonl", lines, COUNT_OF(lines)), 1);
    release(lines, 1);
    assert_true(file_remove(&bench->ctx, bench->folder));
    tick(bench, NOON + 2 * S, "a", 1);
    assert_int_equal(read_lines(bench, "monitor-2026-11-23.jsonl", lines, COUNT_OF(lines)), 1);
    release(lines, 1);
    assert_null(output_files_error(bench->files));
}

/* A tmpfs of its own; without the right to mount there is none. */
static void
mount_small(struct bench *bench)
{
    if (mount("tmpfs", bench->folder, "tmpfs", 0, "size=64k") < 0) {
        print_message("# no tmpfs could be mounted (%s): needs root\n", strerror(errno));
        skip();
    }
    bench->is_mounted = true;
}

static void
fill_disk(struct bench *bench, const char *name)
{
    int fd = open(path_of(bench, name), O_WRONLY | O_CREAT, 0600);
    static const char page[4096];

    assert_true(fd >= 0);
    while (write(fd, page, sizeof(page)) > 0)
        continue;
    while (write(fd, page, 1) > 0)
        continue;
    close(fd);
}

static void
a_full_disk_is_told_and_recovered_from(void **state)
{
    struct bench *bench = *state;
    json_t *lines[256];
    size_t count;
    int64_t i = 0;

    mount_small(bench);
    assert_true(open_files(bench, 0, 0));
    tick(bench, NOON, "a", 1);
    fill_disk(bench, "ballast");
    while (!output_files_error(bench->files) && i < 200)
        tick(bench, NOON + ++i * S, "a", 1);
    assert_non_null(output_files_error(bench->files));
    assert_non_null(strstr(output_files_error(bench->files), strerror(ENOSPC)));

    int64_t failed_at = i;

    for (int j = 0; j < 9; j++)
        tick(bench, NOON + ++i * S, "a", 1);
    assert_non_null(output_files_error(bench->files));
    /* Half a line is not left even now. */
    count = read_lines(bench, "monitor-2026-11-23.jsonl", lines, COUNT_OF(lines));
    assert_int_equal(count, failed_at);
    release(lines, count);
    assert_true(file_remove(&bench->ctx, path_of(bench, "ballast")));
    tick(bench, NOON + ++i * S, "a", 1);
    assert_null(output_files_error(bench->files));
    count = read_lines(bench, "monitor-2026-11-23.jsonl", lines, COUNT_OF(lines));
    assert_int_equal(count, failed_at + 2);
    assert_string_equal(json_get_text(bench->ctx.arena, lines[failed_at], "type", ""), "lost");
    assert_int_equal(json_get_int(lines[failed_at], "lines", 0), 10);
    assert_non_null(
        strstr(json_get_text(bench->ctx.arena, lines[failed_at], "why", ""), strerror(ENOSPC)));
    release(lines, count);
}

static void
a_disk_that_is_read_only_for_a_while(void **state)
{
    struct bench *bench = *state;
    json_t *lines[8];

    mount_small(bench);
    assert_true(open_files(bench, 0, 0));
    tick(bench, NOON, "a", 1);
    /* It cannot be made so while a file is open for writing: as after a reboot. */
    output_files_close(bench->files);
    bench->files = NULL;
    assert_int_equal(mount("tmpfs", bench->folder, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64k"), 0);
    assert_false(open_files(bench, 0, 0));
    assert_error(&bench->ctx, ERR_IO, bench->folder);
    error_clear(&bench->ctx);
    assert_int_equal(mount("tmpfs", bench->folder, "tmpfs", MS_REMOUNT, "size=64k"), 0);
    assert_true(open_files(bench, 0, 0));
    tick(bench, NOON + S, "a", 1);
    assert_int_equal(read_lines(bench, "monitor-2026-11-23.jsonl", lines, COUNT_OF(lines)), 2);
    release(lines, 2);
}

/* For who is not root, for whom the bits of the folder count. */
static void
a_folder_that_is_read_only_is_tried_again(void **state)
{
    struct bench *bench = *state;
    int status;
    pid_t child;

    if (geteuid() == 0)
        assert_int_equal(chown(bench->folder, 65534, 65534), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool was_told, is_well;

        if (geteuid() == 0 && setuid(65534) < 0)
            _exit(2);
        if (!open_files(bench, 0, 0))
            _exit(3);
        tick(bench, NOON, "a", 1);
        /* The next day's file cannot be made. */
        if (chmod(bench->folder, 0555) < 0)
            _exit(4);
        tick(bench, NOON + DAY_S * S, "a", 1);
        was_told = output_files_error(bench->files);
        if (chmod(bench->folder, 0755) < 0)
            _exit(5);
        tick(bench, NOON + (DAY_S + 1) * S, "a", 1);
        is_well = !output_files_error(bench->files);
        _exit(was_told && is_well ? 0 : 6);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_tick_is_a_line),
        test(a_day_and_a_size_begin_a_new_file),
        test(the_oldest_are_removed_when_it_is_too_much),
        test(the_line_of_a_crash_is_cut),
        test(two_monitors_do_not_share_a_folder),
        test(a_file_that_is_not_ours_is_not_touched),
        test(a_folder_that_vanishes_is_made_again),
        test(a_full_disk_is_told_and_recovered_from),
        test(a_disk_that_is_read_only_for_a_while),
        test(a_folder_that_is_read_only_is_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
