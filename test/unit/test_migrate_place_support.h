/* What the tests of placing share: a project with a version folder, and what it looks like. */
#pragma once

#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "migrate/squash/squash.h"

static const char head[] = "c3d4";

/* A project: migrations/versions with three revisions and what else people keep there. */
struct project {
    struct ctx *ctx;
    const char *top;
    const char *parent;
    const char *folder;
    struct environment environment;
};

static inline void
put(struct ctx *ctx, const char *folder, const char *name, const char *text, int mode)
{
    const char *path = file_join(ctx->arena, folder, name);

    assert_true(file_write(ctx, path, text, strlen(text), mode));
    assert_int_equal(chmod(path, (mode_t)mode), 0);
}

static inline void
set_old(struct ctx *ctx, const char *folder, const char *name)
{
    const struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

    assert_int_equal(
        utimensat(AT_FDCWD, file_join(ctx->arena, folder, name), times, AT_SYMLINK_NOFOLLOW), 0);
}

static inline void
fill(struct project *project)
{
    struct ctx *ctx = project->ctx;
    const char *folder = project->folder;

    assert_true(file_make_folder(ctx, file_join(ctx->arena, folder, "data/empty")));
    assert_true(file_make_folder(ctx, file_join(ctx->arena, folder, "__pycache__")));
    assert_int_equal(chmod(project->parent, 0755), 0);
    assert_int_equal(chmod(folder, 02775), 0);
    put(ctx, folder, "0001_users.py", "revision = 'a1b2'\ndown_revision = None\n", 0644);
    put(ctx, folder, "0002_plans.py", "revision = 'b2c3'\ndown_revision = 'a1b2'\n", 0644);
    put(ctx, folder, "c3d4_last.py", "revision = 'c3d4'\ndown_revision = 'b2c3'\n", 0644);
    put(ctx, folder, "README.md", "How we write revisions.\n", 0640);
    put(ctx, folder, "__init__.py", "", 0644);
    put(ctx, folder, ".gitkeep", "", 0600);
    put(ctx, folder, "data/prices.py", "PRICES = [1, 2]\n", 0755);
    put(ctx, folder, "__pycache__/0001_users.cpython-311.pyc", "x", 0644);
    assert_int_equal(symlink("README.md", file_join(ctx->arena, folder, "LIESMICH.md")), 0);
    set_old(ctx, folder, "README.md");
    set_old(ctx, folder, "0001_users.py");
    set_old(ctx, folder, "data/prices.py");
}

static inline struct project
project_in(struct ctx *ctx, const char *top)
{
    struct project project = { .ctx = ctx, .top = top };

    project.parent = file_join(ctx->arena, top, "migrations");
    project.folder = file_join(ctx->arena, project.parent, "versions");
    text_list_add(ctx->arena, &project.environment.locations, project.folder);
    fill(&project);
    return project;
}

static inline struct project
project_new(struct ctx *ctx)
{
    return project_in(ctx, test_folder(ctx));
}

static inline void
project_end(const struct project *project)
{
    assert_true(file_remove(project->ctx, project->top));
}

static struct squash_file new_files[] = {
    { .name = "0001_users_and_plans.py",
        .id = "n1",
        .text = "revision = 'n1'\ndown_revision = None\n" },
    { .name = "c3d4_last.py", .id = "c3d4", .text = "revision = 'c3d4'\ndown_revision = 'n1'\n" },
};
static const struct squash_files files = { .items = new_files, .count = COUNT_OF(new_files) };

/* Every name below a folder with kind, permissions, owner, time and contents, by ls and sha256sum. */
static inline const char *
listing(struct ctx *ctx, const char *folder)
{
    static const char script[] =
        "cd \"$1\" && find . -name __pycache__ -prune -o -mindepth 1 -printf '%p %y %#m %U:%G %l ' "
        "\\( -type f -printf '%T@ ' -exec sha256sum {} \\; -o -printf '\\n' \\) | LC_ALL=C sort";
    const char *const argv[] = { "sh", "-c", script, "sh", folder, NULL };
    const struct process_options options = { .argv = argv };
    struct process process;

    assert_true(process_run(ctx, &options, &process));
    return buffer_text(&process.out);
}

/* Names and contents alone: what a consolidation promises of the new folder. */
static inline const char *
contents(struct ctx *ctx, const char *folder)
{
    static const char script[] = "cd \"$1\" && find . -name __pycache__ -prune -o \\( -type f -o "
                                 "-type l \\) -print0 | LC_ALL=C sort -z | xargs -0r sha256sum";
    const char *const argv[] = { "sh", "-c", script, "sh", folder, NULL };
    const struct process_options options = { .argv = argv };
    struct process process;

    assert_true(process_run(ctx, &options, &process));
    return buffer_text(&process.out);
}

static inline bool
begin(struct ctx *ctx, const struct project *project, struct squash_place_lock *lock,
    struct text_list *notes)
{
    return squash_place_begin(ctx, project->folder, true, lock, notes);
}

/* Lock, heal, put in place. */
static inline bool
place(struct ctx *ctx, const struct project *project, struct squash_place *ret)
{
    struct squash_place_lock lock;
    struct text_list notes = { 0 };
    bool is_good;

    if (!begin(ctx, project, &lock, &notes))
        return false;
    is_good = squash_place(ctx, &project->environment, &files, head, ret);
    squash_place_end(&lock);
    return is_good;
}

static inline const char *
archive_of(const struct project *project)
{
    return file_join(project->ctx->arena, project->parent, "versions_archive/c3d4");
}

static inline bool
undo(struct ctx *ctx, const struct project *project)
{
    struct squash_place_lock lock;
    struct squash_place result = { 0 };
    struct text_list notes = { 0 };
    bool is_good;

    if (!begin(ctx, project, &lock, &notes))
        return false;
    is_good = squash_undo(ctx, &project->environment, archive_of(project), &result);
    squash_place_end(&lock);
    return is_good;
}

static inline const char *
names(struct ctx *ctx, const char *folder)
{
    struct text_list list;

    assert_true(file_list(ctx, folder, &list));
    return text_list_join(ctx->arena, &list, " ");
}

/* Runs work in a child that may change user and mounts; its failures are ours. */
static inline int
in_child(struct project *project, int (*work)(struct project *project))
{
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(work(project));
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whether ctx's error is of this kind and holds the text; for children, which cannot assert. */
static inline bool
has_error(const struct ctx *ctx, enum error_kind kind, const char *text)
{
    if (ctx->error.kind == kind && ctx->error.message && strstr(ctx->error.message, text))
        return true;
    fprintf(stderr, "# instead of \"%s\": %s\n", text,
        ctx->error.message ? ctx->error.message : "no error");
    return false;
}
