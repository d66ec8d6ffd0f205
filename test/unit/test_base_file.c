#include "support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int
mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return (int)(info.st_mode & 0777);
}

static void
what_is_written_is_read_with_a_nul_behind_it(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "data");
    size_t length = 300000;
    char *data = arena_alloc(ctx->arena, length);
    const char *read;
    size_t read_length;

    for (size_t i = 0; i < length; i++)
        data[i] = (char)(i * 7);
    assert_true(file_write(ctx, path, data, length, 0600));
    assert_int_equal(mode_of(path), 0600);
    assert_true(file_read(ctx, path, &read, &read_length));
    assert_int_equal(read_length, length);
    assert_memory_equal(read, data, length);
    assert_int_equal(read[length], '\0');

    assert_true(file_write(ctx, path, "", 0, 0600));
    assert_true(file_read(ctx, path, &read, &read_length));
    assert_int_equal(read_length, 0);
    assert_string_equal(read, "");
    assert_true(file_remove(ctx, folder));
}

static void
a_write_that_fails_leaves_the_old_file_and_nothing_else(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "data");
    struct text_list names;

    /* A folder in the place of the file: rename() fails after everything was written. */
    assert_true(file_make_folder(ctx, file_join(ctx->arena, path, "inside")));
    assert_false(file_write(ctx, path, "new", 3, 0600));
    assert_error(ctx, ERR_IO, "data");
    assert_true(file_list(ctx, folder, &names));
    assert_int_equal(names.count, 1);
    assert_true(file_exists(file_join(ctx->arena, path, "inside")));
    assert_true(file_remove(ctx, folder));
}

static void
a_full_disk_is_an_error(void **state)
{
    struct ctx *ctx = *state;

    assert_false(file_append_line(ctx, "/dev/full", "line"));
    assert_error(ctx, ERR_IO, "No space left on device");
}

static void
lines_are_appended(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "journal");
    const char *read;
    size_t length;

    assert_true(file_append_line(ctx, path, "one"));
    assert_true(file_append_line(ctx, path, "two"));
    assert_int_equal(mode_of(path), 0600);
    assert_true(file_read(ctx, path, &read, &length));
    assert_string_equal(read, "one\ntwo\n");
    assert_true(file_remove(ctx, folder));
}

static void
links_are_not_followed_when_writing_or_removing(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *target = file_join(ctx->arena, folder, "target");
    const char *inner = file_join(ctx->arena, folder, "inner");
    const char *link_path = file_join(ctx->arena, inner, "link");
    const char *read;
    size_t length;

    assert_true(file_make_folder(ctx, target));
    assert_true(file_append_line(ctx, file_join(ctx->arena, target, "kept"), "x"));
    assert_true(file_make_folder(ctx, inner));
    assert_int_equal(symlink(target, link_path), 0);
    assert_true(file_remove(ctx, inner));
    assert_false(file_exists(inner));
    assert_true(file_exists(file_join(ctx->arena, target, "kept")));

    assert_int_equal(symlink(file_join(ctx->arena, target, "kept"), inner), 0);
    assert_false(file_append_line(ctx, inner, "y"));
    assert_true(file_write(ctx, inner, "new", 3, 0600));
    assert_true(file_read(ctx, file_join(ctx->arena, target, "kept"), &read, &length));
    assert_string_equal(read, "x\n");
    assert_true(file_remove(ctx, folder));
}

/* A device or a pipe stays what it is: as root, a file in its place would break the machine. */
static void
a_pipe_is_written_to_and_stays(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "pipe");
    struct stat info;
    char got[8] = "";
    int reader;

    assert_int_equal(mkfifo(path, 0600), 0);
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    assert_true(file_check_place(ctx, path));
    assert_true(file_write(ctx, path, "abc", 3, 0600));
    assert_int_equal(read(reader, got, sizeof(got)), 3);
    assert_string_equal(got, "abc");
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    close(reader);
    assert_true(file_remove(ctx, folder));
}

static void
folders_are_made_with_those_above_them(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *deep = file_join(ctx->arena, folder, "a/b//c/");

    assert_true(file_make_folder(ctx, deep));
    assert_true(file_make_folder(ctx, deep));
    assert_int_equal(mode_of(deep), 0700);
    assert_true(file_append_line(ctx, file_join(ctx->arena, folder, "file"), "x"));
    assert_false(file_make_folder(ctx, file_join(ctx->arena, folder, "file")));
    assert_error(ctx, ERR_IO, "not a folder");
    assert_false(file_make_folder(ctx, file_join(ctx->arena, folder, "file/below")));
    assert_true(file_remove(ctx, folder));
}

static void
names_are_listed_in_order(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct text_list names;

    assert_true(file_append_line(ctx, file_join(ctx->arena, folder, "b"), "12"));
    assert_true(file_append_line(ctx, file_join(ctx->arena, folder, ".c"), "12"));
    assert_true(file_make_folder(ctx, file_join(ctx->arena, folder, "a")));
    assert_true(file_list(ctx, folder, &names));
    assert_string_equal(text_list_join(ctx->arena, &names, " "), ".c a b");
    assert_true(file_remove(ctx, folder));
    assert_true(file_list(ctx, folder, &names));
    assert_int_equal(names.count, 0);
    assert_false(file_list(ctx, "/dev/null", &names));
}

static void
sizes_are_added_up(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    int64_t bytes;

    assert_true(file_append_line(ctx, file_join(ctx->arena, folder, "a"), "1234"));
    assert_true(file_make_folder(ctx, file_join(ctx->arena, folder, "b")));
    assert_true(file_append_line(ctx, file_join(ctx->arena, folder, "b/c"), "12"));
    assert_true(file_size(ctx, folder, &bytes));
    assert_int_equal(bytes, 8);
    assert_true(file_free_bytes(ctx, folder, &bytes));
    assert_true(bytes > 0);
    assert_true(file_remove(ctx, folder));
    assert_false(file_size(ctx, folder, &bytes));
    assert_false(file_free_bytes(ctx, folder, &bytes));
    assert_true(file_remove(ctx, folder));
}

static void
reading_says_what_is_wrong(void **state)
{
    struct ctx *ctx = *state;
    const char *read;
    size_t length;

    assert_false(file_read(ctx, "/nowhere/file", &read, &length));
    assert_error(ctx, ERR_IO, "could not open \"/nowhere/file\": No such file");
    assert_false(file_read(ctx, "/", &read, &length));
    assert_error(ctx, ERR_IO, "folder");
    assert_false(file_rename(ctx, "/nowhere/file", "/nowhere/other"));
    assert_error(ctx, ERR_IO, "/nowhere/other");
    assert_false(file_sync(ctx, "/nowhere/file"));
}

static void
join_puts_one_slash(void **state)
{
    struct ctx *ctx = *state;

    assert_string_equal(file_join(ctx->arena, "a", "b"), "a/b");
    assert_string_equal(file_join(ctx->arena, "a/", "b"), "a/b");
    assert_string_equal(file_join(ctx->arena, "/", "b"), "/b");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(what_is_written_is_read_with_a_nul_behind_it),
        test_with_ctx(a_write_that_fails_leaves_the_old_file_and_nothing_else),
        test_with_ctx(a_full_disk_is_an_error),
        test_with_ctx(lines_are_appended),
        test_with_ctx(links_are_not_followed_when_writing_or_removing),
        test_with_ctx(a_pipe_is_written_to_and_stays),
        test_with_ctx(folders_are_made_with_those_above_them),
        test_with_ctx(names_are_listed_in_order),
        test_with_ctx(sizes_are_added_up),
        test_with_ctx(reading_says_what_is_wrong),
        test_with_ctx(join_puts_one_slash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
