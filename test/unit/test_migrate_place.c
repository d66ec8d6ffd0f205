#include "unit/test_migrate_place_support.h"

static void
puts_new_files_in_place(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    const char *before = listing(ctx, project.folder);
    struct squash_place result = { 0 };
    struct text_list archives;
    struct stat info;

    assert_true(place(ctx, &project, &result));
    assert_string_equal(result.folder, project.folder);
    assert_string_equal(result.archive, archive_of(&project));
    assert_string_equal(names(ctx, project.parent), "versions versions_archive");
    assert_string_equal(names(ctx, project.folder),
        ".gitkeep 0001_users_and_plans.py LIESMICH.md README.md __init__.py c3d4_last.py data");
    assert_string_equal(
        names(ctx, file_join(ctx->arena, project.folder, "data")), "empty prices.py");
    assert_string_equal(listing(ctx, result.archive), before);

    /* The folder and what was kept are as they were; new revisions are like the old ones. */
    assert_int_equal(stat(project.folder, &info), 0);
    assert_int_equal(info.st_mode & 07777, 02775);
    assert_int_equal(stat(file_join(ctx->arena, project.folder, "README.md"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(info.st_mtim.tv_sec, 1000000000);
    assert_int_equal(stat(file_join(ctx->arena, project.folder, "c3d4_last.py"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0644);
    assert_true(info.st_mtim.tv_sec > 1000000000);

    assert_true(squash_archives(ctx, &project.environment, &archives));
    assert_int_equal(archives.count, 1);
    assert_string_equal(archives.items[0], archive_of(&project));
    project_end(&project);
}

static void
undo_puts_everything_back(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    const char *before = listing(ctx, project.folder);
    struct squash_place result = { 0 };
    struct stat first, second;

    assert_int_equal(stat(project.folder, &first), 0);
    assert_true(place(ctx, &project, &result));
    put(ctx, file_join(ctx->arena, project.parent, "versions_archive"), "c3d4.report.md", "x",
        0644);
    assert_true(undo(ctx, &project));
    assert_string_equal(listing(ctx, project.folder), before);
    assert_string_equal(names(ctx, project.parent), "versions");
    assert_int_equal(stat(project.folder, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    assert_int_equal(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);

    assert_false(undo(ctx, &project));
    assert_error(ctx, ERR_NOT_FOUND, "there is no archive");
    project_end(&project);
}

/* What was done since must not get lost. */
static void
undo_refuses_what_was_changed_since(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    struct squash_place result = { 0 };
    const char *after;

    assert_true(place(ctx, &project, &result));
    put(ctx, project.folder, "d4e5_more.py", "revision = 'd4e5'\n", 0644);
    after = listing(ctx, project.parent);
    assert_false(undo(ctx, &project));
    assert_error(ctx, ERR_CONFLICT, "d4e5_more.py was added");
    assert_string_equal(listing(ctx, project.parent), after);

    error_clear(ctx);
    assert_true(file_remove(ctx, file_join(ctx->arena, project.folder, "d4e5_more.py")));
    put(ctx, project.folder, "README.md", "new words\n", 0640);
    assert_false(undo(ctx, &project));
    assert_error(ctx, ERR_CONFLICT, "README.md was changed");

    error_clear(ctx);
    put(ctx, project.folder, "README.md", "How we write revisions.\n", 0640);
    assert_true(file_remove(ctx, file_join(ctx->arena, result.archive, "0002_plans.py")));
    assert_false(undo(ctx, &project));
    assert_error(ctx, ERR_CONFLICT, "0002_plans.py is gone");
    project_end(&project);
}

static void
expect_refusal(const struct project *project, enum error_kind kind, const char *text)
{
    struct ctx *ctx = project->ctx;
    const char *before = listing(ctx, project->top);
    struct squash_place result = { 0 };

    error_clear(ctx);
    assert_false(place(ctx, project, &result));
    assert_error(ctx, kind, text);
    assert_string_equal(listing(ctx, project->top), before);
}

static void
refuses_what_cannot_be_exchanged(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    const char *other = file_join(ctx->arena, project.parent, "more");
    struct squash_place result = { 0 };

    /* A second folder with revisions; one without any is fine. */
    assert_true(file_make_folder(ctx, other));
    put(ctx, other, "x1_more.py", "revision = 'x1'\n", 0644);
    text_list_add(ctx->arena, &project.environment.locations, other);
    expect_refusal(&project, ERR_UNSUPPORTED, "several folders");
    assert_true(file_remove(ctx, file_join(ctx->arena, other, "x1_more.py")));
    assert_true(place(ctx, &project, &result));
    expect_refusal(&project, ERR_CONFLICT, "an archive of this head already");
    assert_true(undo(ctx, &project));

    /* Alembic would find the archive below the folder above. */
    project.environment.is_recursive = true;
    project.environment.locations.items[1] = project.parent;
    expect_refusal(&project, ERR_UNSUPPORTED, "several folders");
    project.environment.locations.count = 1;

    assert_int_equal(
        symlink("../../x.py", file_join(ctx->arena, project.folder, "0003_link.py")), 0);
    expect_refusal(&project, ERR_UNSUPPORTED, "0003_link.py\" is a link");
    assert_int_equal(unlink(file_join(ctx->arena, project.folder, "0003_link.py")), 0);

    assert_int_equal(mkfifo(file_join(ctx->arena, project.folder, "pipe"), 0600), 0);
    expect_refusal(&project, ERR_UNSUPPORTED, "neither a file nor a folder");
    assert_int_equal(unlink(file_join(ctx->arena, project.folder, "pipe")), 0);

    /* Somebody's folder of that name. */
    assert_true(
        file_make_folder(ctx, file_join(ctx->arena, project.parent, "versions.pgmend-new")));
    expect_refusal(&project, ERR_CONFLICT, "is in the way");
    project_end(&project);
}

/* Revisions in folders below go, what else is there stays. */
static void
takes_revisions_below_in_recursive_folders(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    struct squash_place result = { 0 };

    project.environment.is_recursive = true;
    assert_true(file_make_folder(ctx, file_join(ctx->arena, project.folder, "2024")));
    put(ctx, project.folder, "2024/y1_old.py", "revision = 'y1'\n", 0644);
    put(ctx, project.folder, "data/prices.csv", "1;2\n", 0644);
    assert_true(place(ctx, &project, &result));
    assert_string_equal(names(ctx, project.folder),
        ".gitkeep 0001_users_and_plans.py LIESMICH.md README.md __init__.py c3d4_last.py data");
    assert_string_equal(
        names(ctx, file_join(ctx->arena, project.folder, "data")), "empty prices.csv");
    assert_true(file_exists(file_join(ctx->arena, result.archive, "2024/y1_old.py")));
    project_end(&project);
}

/* A head's id is no path. */
static void
names_archives_after_any_head(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    struct squash_place result = { 0 };

    assert_true(squash_place(ctx, &project.environment, &files, "../öl/x", &result));
    assert_string_equal(
        result.archive, file_join(ctx->arena, project.parent, "versions_archive/%2e.%2föl%2fx"));
    assert_true(squash_undo(ctx, &project.environment, result.archive, &result));
    assert_string_equal(names(ctx, project.parent), "versions");
    project_end(&project);
}

static void
follows_a_link_to_the_folder(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    const char *link = file_join(ctx->arena, project.top, "link");
    const char *before = listing(ctx, project.folder);
    struct squash_place result = { 0 };

    assert_int_equal(symlink("migrations/versions", link), 0);
    project.environment.locations.items[0] = link;
    assert_true(squash_place(ctx, &project.environment, &files, head, &result));
    assert_string_equal(names(ctx, link), names(ctx, project.folder));
    assert_true(file_exists(file_join(ctx->arena, link, "0001_users_and_plans.py")));
    assert_true(squash_undo(ctx, &project.environment, result.archive, &result));
    assert_string_equal(listing(ctx, project.folder), before);
    project_end(&project);
}

static int
refuses_when_not_writable(struct project *project)
{
    struct squash_place result = { 0 };

    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 2;
    return !place(project->ctx, project, &result) &&
                   has_error(project->ctx, ERR_RIGHTS, "cannot be exchanged: Permission denied")
               ? 0
               : 1;
}

static void
refuses_folders_that_cannot_be_written(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    const char *before;

    assert_int_equal(chmod(project.top, 0755), 0);
    assert_int_equal(chmod(project.folder, 0755), 0);
    assert_int_equal(chmod(project.parent, 0555), 0);
    before = listing(ctx, project.top);
    assert_int_equal(in_child(&project, refuses_when_not_writable), 0);
    assert_string_equal(listing(ctx, project.top), before);
    assert_int_equal(chmod(project.parent, 0755), 0);
    project_end(&project);
}

static void
keeps_the_owner(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    const char *const argv[] = { "chown", "-hR", "65534:65533", project.folder, NULL };
    const struct process_options options = { .argv = argv };
    struct process process;
    struct squash_place result = { 0 };
    static const char *const kept[] = { ".", "README.md", "LIESMICH.md", "c3d4_last.py",
        "data/prices.py" };

    if (geteuid() != 0) {
        print_message("# skipped: only root gives files away\n");
        project_end(&project);
        skip();
    }
    assert_true(process_run(ctx, &options, &process));
    assert_true(place(ctx, &project, &result));
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        struct stat info;

        assert_int_equal(lstat(file_join(ctx->arena, project.folder, kept[i]), &info), 0);
        assert_int_equal(info.st_uid, 65534);
        assert_int_equal(info.st_gid, 65533);
    }
    project_end(&project);
}

static void
tells_who_holds_the_lock(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    struct squash_place_lock lock;
    struct text_list notes = { 0 };
    int ready[2], done[2];
    char byte = 0;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    fflush(stdout);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(done[1]);
        byte = begin(ctx, &project, &lock, &notes) ? 1 : 0;
        if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 0)
            _exit(1);
        _exit(0);
    }
    close(done[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    assert_false(begin(ctx, &project, &lock, &notes));
    assert_error(ctx, ERR_LOCKED, arena_printf(ctx->arena, "process %d", (int)child));
    close(done[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    error_clear(ctx);
    assert_true(begin(ctx, &project, &lock, &notes));
    squash_place_end(&lock);
    assert_string_equal(names(ctx, project.parent), "versions");
    project_end(&project);
}

static void
git(struct ctx *ctx, const char *folder, const char *arguments)
{
    const char *script = arena_printf(ctx->arena,
        "git -c user.name=t -c user.email=t@example.org -c commit.gpgsign=false %s >/dev/null",
        arguments);
    const char *const argv[] = { "env", "-C", folder, "sh", "-c", script, NULL };
    const char *const env[] = { "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", NULL };
    const struct process_options options = { .argv = argv, .env = env };
    struct process process;

    assert_true(process_run(ctx, &options, &process));
}

static void
asks_git_for_local_changes(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    struct squash_place_lock lock;
    struct text_list notes = { 0 };

    git(ctx, project.top, "init -q");
    assert_false(squash_place_begin(ctx, project.folder, false, &lock, &notes));
    assert_error(ctx, ERR_CONFLICT, "migrations/versions/0001_users.py");
    git(ctx, project.top, "add . && git -c user.name=t -c user.email=t@example.org commit -qm all");
    error_clear(ctx);

    /* What Python caches and what lies elsewhere does not count. */
    put(ctx, project.folder, "__pycache__/new.pyc", "y", 0644);
    put(ctx, project.parent, "env.py", "import x\n", 0644);
    assert_true(squash_place_begin(ctx, project.folder, false, &lock, &notes));
    squash_place_end(&lock);

    put(ctx, project.folder, "0002_plans.py", "changed\n", 0644);
    assert_false(squash_place_begin(ctx, project.folder, false, &lock, &notes));
    assert_error(ctx, ERR_CONFLICT, "not committed: migrations/versions/0002_plans.py");
    error_clear(ctx);
    git(ctx, project.top,
        "checkout -q . && git mv migrations/versions/0002_plans.py "
        "'migrations/versions/0002 größe.py'");
    assert_false(squash_place_begin(ctx, project.folder, false, &lock, &notes));
    assert_error(ctx, ERR_CONFLICT, "0002 größe.py");
    assert_null(strstr(ctx->error.message, "0002_plans.py"));
    error_clear(ctx);
    assert_true(squash_place_begin(ctx, project.folder, true, &lock, &notes));
    squash_place_end(&lock);
    project_end(&project);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(puts_new_files_in_place),
        test_with_ctx(undo_puts_everything_back),
        test_with_ctx(undo_refuses_what_was_changed_since),
        test_with_ctx(refuses_what_cannot_be_exchanged),
        test_with_ctx(takes_revisions_below_in_recursive_folders),
        test_with_ctx(names_archives_after_any_head),
        test_with_ctx(follows_a_link_to_the_folder),
        test_with_ctx(refuses_folders_that_cannot_be_written),
        test_with_ctx(keeps_the_owner),
        test_with_ctx(tells_who_holds_the_lock),
        test_with_ctx(asks_git_for_local_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
