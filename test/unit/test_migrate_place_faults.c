#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "unit/test_migrate_place_support.h"

/* Whether a system call changes something on the disk: a kill before any other is the same. */
static bool
is_change(uint64_t number)
{
    switch (number) {
#ifdef SYS_mkdir
    case SYS_mkdir:
    case SYS_rename:
    case SYS_rmdir:
    case SYS_unlink:
    case SYS_symlink:
    case SYS_chmod:
#endif
    case SYS_mkdirat:
    case SYS_renameat2:
    case SYS_unlinkat:
    case SYS_symlinkat:
    case SYS_openat:
    case SYS_write:
    case SYS_fchmod:
    case SYS_fchown:
    case SYS_fsync:
    case SYS_utimensat:
        return true;
    default:
        return false;
    }
}

enum outcome { KILLED, FINISHED, BROKEN };

/* Runs work in a child and kills it before its change of this number. */
static enum outcome
kill_at(struct project *project, bool (*work)(struct ctx *ctx, const struct project *project),
    unsigned stop_at)
{
    unsigned seen = 0;
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(work(project->ctx, project) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD) != 0) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        return BROKEN;
    }
    for (;;) {
        struct __ptrace_syscall_info info;

        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status))
            return WEXITSTATUS(status) == 0 ? FINISHED : BROKEN;
        if (!WIFSTOPPED(status))
            return BROKEN;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80))
            continue;
        if (ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof(info), &info) <= 0)
            return BROKEN;
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_change(info.entry.nr) || seen++ < stop_at)
            continue;
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        return KILLED;
    }
}

static bool
work_place(struct ctx *ctx, const struct project *project)
{
    struct squash_place result = { 0 };

    return place(ctx, project, &result);
}

/* What must be there whenever somebody looks. */
struct states {
    const char *old;    /* the folder's files before */
    const char *new;    /* and after a consolidation */
    const char *parent; /* all of the project before, with times and permissions */
};

/* A new project with its states; the new one is taken from a run that nobody disturbs. */
static struct project
project_with_states(struct ctx *ctx, struct states *ret)
{
    struct project project = project_new(ctx);
    struct squash_place result = { 0 };

    ret->old = contents(ctx, project.folder);
    ret->parent = listing(ctx, project.top);
    assert_true(place(ctx, &project, &result));
    ret->new = contents(ctx, project.folder);
    assert_string_not_equal(ret->old, ret->new);
    assert_true(undo(ctx, &project));
    assert_string_equal(listing(ctx, project.top), ret->parent);
    return project;
}

/* After a crash the folder is one of the two; the next run tidies up, and all is as one of them. */
static bool
check_after_crash(const struct project *project, const struct states *states)
{
    struct ctx *ctx = project->ctx;
    const char *now = contents(ctx, project->folder);
    bool is_new = strcmp(now, states->new) == 0;
    struct squash_place_lock lock;
    struct text_list notes = { 0 };

    if (!is_new)
        assert_string_equal(now, states->old);
    assert_true(begin(ctx, project, &lock, &notes));
    squash_place_end(&lock);
    assert_string_equal(contents(ctx, project->folder), now);
    if (is_new) {
        assert_string_equal(names(ctx, project->parent), "versions versions_archive");
        assert_string_equal(names(ctx, file_join(ctx->arena, project->parent, "versions_archive")),
            "c3d4 c3d4.json");
        assert_string_equal(contents(ctx, archive_of(project)), states->old);
    } else {
        assert_string_equal(listing(ctx, project->top), states->parent);
    }
    return is_new;
}

static void
a_kill_leaves_all_old_or_all_new(void **state)
{
    struct ctx *ctx = *state;
    struct states states;
    struct project project = project_with_states(ctx, &states);
    size_t old = 0, new = 0;
    enum outcome outcome = KILLED;

    for (unsigned at = 0; outcome == KILLED; at++) {
        outcome = kill_at(&project, work_place, at);
        if (outcome == BROKEN && at == 0) {
            print_message("# skipped: no process may be traced here\n");
            project_end(&project);
            skip();
        }
        assert_int_not_equal(outcome, BROKEN);
        if (check_after_crash(&project, &states)) {
            new ++;
            assert_true(undo(ctx, &project));
        } else {
            old++;
        }
    }
    print_message("# killed: %zu times all old, %zu times all new\n", old, new);
    assert_true(old > 20);
    assert_true(new > 3);
    project_end(&project);
}

static void
a_kill_during_undo_leaves_all_old_or_all_new(void **state)
{
    struct ctx *ctx = *state;
    struct states states;
    struct project project = project_with_states(ctx, &states);
    size_t old = 0, new = 0;
    enum outcome outcome = KILLED;
    struct squash_place result = { 0 };

    for (unsigned at = 0; outcome == KILLED; at++) {
        if (!file_exists(archive_of(&project)))
            assert_true(place(ctx, &project, &result));
        outcome = kill_at(&project, undo, at);
        if (outcome == BROKEN && at == 0) {
            print_message("# skipped: no process may be traced here\n");
            project_end(&project);
            skip();
        }
        assert_int_not_equal(outcome, BROKEN);
        if (check_after_crash(&project, &states))
            new ++;
        else
            old++;
    }
    print_message("# killed: %zu times all old, %zu times all new\n", old, new);
    assert_true(old > 3);
    assert_true(new > 3);
    project_end(&project);
}

/* The next run also does its own work after one that was killed. */
static void
a_run_after_a_kill_does_its_work(void **state)
{
    struct ctx *ctx = *state;
    struct states states;
    struct project project = project_with_states(ctx, &states);
    struct squash_place result = { 0 };

    if (kill_at(&project, work_place, 60) != KILLED) {
        print_message("# skipped: no process may be traced here\n");
        project_end(&project);
        skip();
    }
    assert_true(place(ctx, &project, &result));
    assert_string_equal(contents(ctx, project.folder), states.new);
    assert_string_equal(contents(ctx, archive_of(&project)), states.old);
    project_end(&project);
}

/* A file system of our own for this process, below the project's top. */
static bool
mount_own(const char *path, const char *type, const char *options)
{
    static bool is_apart;

    if (!is_apart &&
        (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
        return false;
    is_apart = true;
    return mount(type, path, type, 0, options) == 0;
}

enum { CANNOT_MOUNT = 77 };

/* A volume that gets a page more in each round, from too small to large enough. */
static int
fills_volumes(struct project *above)
{
    struct ctx *ctx = above->ctx;
    const char *top = file_join(ctx->arena, above->top, "volume");
    size_t full = 0, done = 0;

    if (mkdir(top, 0755) != 0)
        return 2;
    for (int pages = 7; done < 3 && pages < 200; pages++) {
        struct states states;
        struct squash_place result = { 0 };

        if (!mount_own(top, "tmpfs", arena_printf(ctx->arena, "size=%dk,mode=755", pages * 4)))
            return CANNOT_MOUNT;

        struct project project = project_in(ctx, top);

        states =
            (struct states){ .old = contents(ctx, project.folder), .parent = listing(ctx, top) };
        error_clear(ctx);
        if (place(ctx, &project, &result)) {
            done++;
        } else if (!has_error(ctx, ERR_IO, "No space left") || !ctx->error.state ||
                   !strstr(ctx->error.state, "is as it was") ||
                   strcmp(listing(ctx, top), states.parent) != 0) {
            fprintf(stderr, "# with %d pages:\n%s\n%s\n", pages, states.parent, listing(ctx, top));
            return 1;
        } else {
            full++;
        }
        if (umount(top) != 0)
            return 2;
    }
    fprintf(stderr, "# %zu volumes were too small\n", full);
    return full > 3 && done == 3 ? 0 : 1;
}

static void
a_full_volume_leaves_all_old(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    int status = in_child(&project, fills_volumes);

    project_end(&project);
    if (status == CANNOT_MOUNT) {
        print_message("# skipped: a small tmpfs cannot be mounted (not root?)\n");
        skip();
    }
    assert_int_equal(status, 0);
}

/* In a container's image the folder lies in a layer below; mounted on, it is a volume. */
static int
refuses_other_volumes(struct project *project)
{
    struct ctx *ctx = project->ctx;
    const char *before = contents(ctx, project->folder);
    const char *own = file_join(ctx->arena, project->top, "own");
    struct squash_place result = { 0 };
    struct project inside = *project;
    const char *options;

    options =
        arena_printf(ctx->arena, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,redirect_dir=off",
            project->parent, own, own);
    if (mkdir(own, 0755) != 0 || mkdir(file_join(ctx->arena, own, "upper"), 0755) != 0 ||
        mkdir(file_join(ctx->arena, own, "work"), 0755) != 0 ||
        mkdir(file_join(ctx->arena, own, "seen"), 0755) != 0)
        return CANNOT_MOUNT;
    if (!mount_own(file_join(ctx->arena, own, "seen"), "overlay", options)) {
        fputs("# there is no overlay file system here\n", stderr);
    } else {
        inside.parent = file_join(ctx->arena, own, "seen");
        inside.folder = file_join(ctx->arena, inside.parent, "versions");
        inside.environment.locations = (struct text_list){ 0 };
        text_list_add(ctx->arena, &inside.environment.locations, inside.folder);
        if (place(ctx, &inside, &result) || !has_error(ctx, ERR_UNSUPPORTED, "overlay") ||
            strcmp(contents(ctx, inside.folder), before) != 0 ||
            strcmp(names(ctx, inside.parent), "versions") != 0)
            return 1;
        error_clear(ctx);
    }
    /* The same volume, but a mount of its own. */
    if (mount(project->folder, project->folder, NULL, MS_BIND, NULL) != 0)
        return CANNOT_MOUNT;
    if (place(ctx, project, &result) || !has_error(ctx, ERR_UNSUPPORTED, "mounted on it") ||
        strcmp(contents(ctx, project->folder), before) != 0 ||
        strcmp(names(ctx, project->parent), "versions") != 0)
        return 1;
    error_clear(ctx);
    if (umount(project->folder) != 0 || !mount_own(project->folder, "tmpfs", "size=1m"))
        return CANNOT_MOUNT;
    return !place(ctx, project, &result) && has_error(ctx, ERR_UNSUPPORTED, "volume of its own")
               ? 0
               : 1;
}

static void
refuses_folders_on_other_volumes(void **state)
{
    struct ctx *ctx = *state;
    struct project project = project_new(ctx);
    const char *before = contents(ctx, project.folder);
    int status = in_child(&project, refuses_other_volumes);

    assert_string_equal(contents(ctx, project.folder), before);
    project_end(&project);
    if (status == CANNOT_MOUNT) {
        print_message("# skipped: nothing can be mounted (not root?)\n");
        skip();
    }
    assert_int_equal(status, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_kill_leaves_all_old_or_all_new),
        test_with_ctx(a_kill_during_undo_leaves_all_old_or_all_new),
        test_with_ctx(a_run_after_a_kill_does_its_work),
        test_with_ctx(a_full_volume_leaves_all_old),
        test_with_ctx(refuses_folders_on_other_volumes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
