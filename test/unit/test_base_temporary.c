#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/temporary.h"

/* A TMPDIR of the test's own. */
static const char *
own_parent(struct ctx *ctx)
{
    const char *folder;

    assert_int_equal(unsetenv("TMPDIR"), 0);
    folder = test_folder(ctx);
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    return folder;
}

/* As if it had been made an hour ago. */
static void
make_old(const char *path)
{
    const struct timespec times[2] = { { .tv_sec = time(NULL) - 3600 },
        { .tv_sec = time(NULL) - 3600 } };

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Another process makes a folder with something in it, a file, and is killed. */
static void
leave_rests(struct ctx *ctx, const char **ret_folder, const char **ret_file)
{
    int ends[2];
    char text[2][256] = { "", "" };
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        struct temporary folder;
        struct temporary file;
        bool is_good =
            temporary_folder(ctx, "test", &folder) && temporary_file(ctx, "test", "secret", &file);

        if (is_good) {
            snprintf(text[0], sizeof(text[0]), "%s", folder.path);
            snprintf(text[1], sizeof(text[1]), "%s", file.path);
        }
        if (write(ends[1], text, sizeof(text)) != (ssize_t)sizeof(text))
            _exit(1);
        pause();
    }
    assert_int_equal(read(ends[0], text, sizeof(text)), sizeof(text));
    *ret_folder = arena_strdup(ctx->arena, text[0]);
    *ret_file = arena_strdup(ctx->arena, text[1]);
    assert_true(file_write(ctx, file_join(ctx->arena, *ret_folder, "more"), "x", 1, 0600));
    make_old(*ret_folder);
    make_old(*ret_file);

    /* As long as the process lives nobody takes them away. */
    struct temporary own;

    assert_true(temporary_folder(ctx, "test", &own));
    assert_true(file_exists(*ret_folder) && file_exists(*ret_file));
    temporary_end(&own);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    close(ends[1]);
}

static void
what_a_killed_process_left_goes(void **state)
{
    struct ctx *ctx = *state;
    const char *parent = own_parent(ctx);
    const char *foreign = file_join(ctx->arena, parent, "pgmend-notes");
    const char *folder;
    const char *file;
    struct temporary own;

    assert_true(file_write(ctx, foreign, "x", 1, 0600));
    make_old(foreign);
    leave_rests(ctx, &folder, &file);
    assert_true(temporary_file(ctx, "test", "", &own));
    assert_false(file_exists(folder));
    assert_false(file_exists(file));
    assert_true(file_exists(foreign));
    assert_true(file_exists(own.path));
    temporary_end(&own);
    assert_true(file_remove(ctx, parent));
}

static void
only_the_owner_may_look_and_the_end_removes_all(void **state)
{
    struct ctx *ctx = *state;
    const char *parent = own_parent(ctx);
    struct temporary folder;
    struct temporary file;
    struct stat info;
    const char *text;
    size_t length;
    const char *path;

    assert_true(temporary_folder(ctx, "test", &folder));
    assert_true(temporary_file(ctx, "test", "secret", &file));
    assert_int_equal(stat(folder.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(file.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(file_read(ctx, file.path, &text, &length));
    assert_string_equal(text, "secret");
    assert_true(file_make_folder(ctx, file_join(ctx->arena, folder.path, "a/b")));
    path = folder.path;
    temporary_end(&folder);
    temporary_end(&folder);
    assert_false(file_exists(path));
    path = file.path;
    temporary_end(&file);
    assert_false(file_exists(path));
    assert_true(file_remove(ctx, parent));
}

static void
a_folder_that_is_not_there_is_named(void **state)
{
    struct ctx *ctx = *state;
    struct temporary folder;

    assert_int_equal(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    assert_false(temporary_folder(ctx, "test", &folder));
    assert_non_null(strstr(ctx->error.message, "/nowhere/at/all"));
    temporary_end(&folder);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(only_the_owner_may_look_and_the_end_removes_all),
        test_with_ctx(what_a_killed_process_left_goes),
        test_with_ctx(a_folder_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
