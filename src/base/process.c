#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

enum { KILL_AFTER_US = 5000000, STEP_US = 100000 };

static void
close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Our environment with the given names replaced or added. */
static char **
merge_env(struct arena *arena, const char *const *extra)
{
    size_t count = 0;
    size_t extra_count = 0;

    while (environ[count])
        count++;
    while (extra && extra[extra_count])
        extra_count++;

    char **merged = ARENA_ARRAY(arena, char *, count + extra_count + 1);
    size_t used = 0;

    for (size_t i = 0; i < extra_count; i++)
        merged[used++] = arena_strdup(arena, extra[i]);
    for (size_t i = 0; i < count; i++) {
        size_t name = strcspn(environ[i], "=") + 1;
        bool is_replaced = false;

        for (size_t j = 0; j < extra_count; j++)
            is_replaced |= strncmp(environ[i], extra[j], name) == 0;
        if (!is_replaced)
            merged[used++] = environ[i];
    }
    return merged;
}

static char **
copy_argv(struct arena *arena, const char *const *argv)
{
    size_t count = 0;

    while (argv[count])
        count++;

    char **copy = ARENA_ARRAY(arena, char *, count + 1);

    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(arena, argv[i]);
    return copy;
}

/* The errno of the first that failed, else 0: a program must not be started with our own descriptors. */
static int
add_actions(posix_spawn_file_actions_t *actions, const struct process_options *options,
    const int *out, const int *err)
{
    int failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
        options->stdin_path ? options->stdin_path : "/dev/null", O_RDONLY, 0);

    if (failed)
        return failed;
    if (options->stdout_path)
        failed = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, options->stdout_path,
            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    else
        failed = posix_spawn_file_actions_adddup2(actions, out[1], STDOUT_FILENO);
    return failed ? failed : posix_spawn_file_actions_adddup2(actions, err[1], STDERR_FILENO);
}

static int
spawn(struct ctx *ctx, const struct process_options *options, const int *out, const int *err,
    pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    short flags = POSIX_SPAWN_SETSIGDEF;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);

    int failed = add_actions(&actions, options, out, err);

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    if (options->own_group)
        flags |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setflags(&attributes, flags);

    if (!failed)
        failed = posix_spawnp(ret_pid, options->argv[0], &actions, &attributes,
            copy_argv(ctx->arena, options->argv), merge_env(ctx->arena, options->env));

    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

bool
process_start(struct ctx *ctx, const struct process_options *options, struct process *ret)
{
    int out[2] = { -1, -1 };
    int err[2] = { -1, -1 };
    pid_t pid = 0;

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
        error_set_errno(ctx, "could not create a pipe");
        close_end(&out[0]);
        close_end(&out[1]);
        return false;
    }

    int failed = spawn(ctx, options, out, err, &pid);

    close_end(&out[1]);
    close_end(&err[1]);
    if (failed || options->stdout_path)
        close_end(&out[0]);
    if (failed) {
        close_end(&err[0]);
        error_set(ctx, ERR_FAILED, "could not start %s: %s", options->argv[0], strerror(failed));
        return error_hint(ctx, "Is %s installed, and its folder in PATH?", options->argv[0]);
    }
    if (out[0] >= 0)
        fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    *ret = (struct process){
        .pid = pid,
        .name = arena_strdup(ctx->arena, options->argv[0]),
        .stdout_fd = out[0],
        .stderr_fd = err[0],
        .deadline_us = options->timeout_us ? clock_us() + options->timeout_us : 0,
        .out = { .arena = ctx->arena },
        .err = { .arena = ctx->arena },
    };
    return true;
}

/* Takes what is there, at most a megabyte of one that never stops writing; closes at the end. */
static void
drain(int *fd, struct buffer *buffer)
{
    char chunk[16 * 1024];

    for (int i = 0; i < 64 && *fd >= 0; i++) {
        ssize_t got = read(*fd, chunk, sizeof(chunk));

        if (got > 0)
            buffer_append(buffer, chunk, (size_t)got);
        else if (got == 0)
            close_end(fd);
        else if (errno != EINTR)
            return;
    }
}

static bool
reap(struct process *process, int flags)
{
    int status;
    pid_t pid = waitpid(process->pid, &status, flags);

    if (pid != process->pid)
        return false;
    process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    process->is_done = true;
    drain(&process->stdout_fd, &process->out);
    drain(&process->stderr_fd, &process->err);
    close_end(&process->stdout_fd);
    close_end(&process->stderr_fd);
    return true;
}

void
process_stop(struct process *process)
{
    int64_t end = clock_us() + KILL_AFTER_US;

    if (process->is_done)
        return;
    kill(process->pid, SIGTERM);
    while (!reap(process, WNOHANG)) {
        struct pollfd ends[2] = {
            { .fd = process->stdout_fd, .events = POLLIN },
            { .fd = process->stderr_fd, .events = POLLIN },
        };

        if (clock_us() > end)
            kill(process->pid, SIGKILL);
        poll(ends, 2, 20);
        drain(&process->stdout_fd, &process->out);
        drain(&process->stderr_fd, &process->err);
    }
}

static bool
check_limits(struct ctx *ctx, struct process *process)
{
    int signal_number = interrupt_signal();

    if (signal_number) {
        process_stop(process);
        return interrupt_error(ctx, signal_number);
    }
    if (process->deadline_us && clock_us() > process->deadline_us) {
        process_stop(process);
        return error_set(ctx, ERR_TIMEOUT, "%s took too long and was stopped", process->name);
    }
    return true;
}

bool
process_poll(struct ctx *ctx, struct process *process, int64_t wait_us)
{
    int64_t end = clock_us() + wait_us;

    while (!process->is_done) {
        struct pollfd ends[2] = {
            { .fd = process->stdout_fd, .events = POLLIN },
            { .fd = process->stderr_fd, .events = POLLIN },
        };
        int64_t left = end - clock_us();

        if (!check_limits(ctx, process))
            return false;
        if (left < 0)
            left = 0;
        if (left > STEP_US)
            left = STEP_US;
        /* Once both pipes are closed only waitpid() can tell, so the nap is short. */
        if (process->stderr_fd < 0 && left > 10000)
            left = 10000;
        poll(ends, 2, (int)(left / 1000));
        drain(&process->stdout_fd, &process->out);
        drain(&process->stderr_fd, &process->err);
        if (reap(process, WNOHANG) || clock_us() >= end)
            break;
    }
    return true;
}

bool
process_wait(struct ctx *ctx, struct process *process)
{
    while (!process->is_done)
        if (!process_poll(ctx, process, 1000000))
            return false;
    return true;
}

/* The last lines, which say why. */
static const char *
tail_of(const char *text)
{
    size_t length = strlen(text);
    int lines = 0;

    while (length > 0 && lines < 6) {
        length--;
        if (text[length] == '\n' && text[length + 1])
            lines++;
    }
    return lines == 6 ? text + length + 1 : text;
}

bool
process_run(struct ctx *ctx, const struct process_options *options, struct process *ret)
{
    if (!process_start(ctx, options, ret) || !process_wait(ctx, ret))
        return false;
    if (ret->status == 0)
        return true;

    const char *why = tail_of(buffer_text(&ret->err));

    if (ret->status > 128)
        error_set(ctx, ERR_FAILED, "%s was killed by signal %d", ret->name, ret->status - 128);
    else
        error_set(ctx, ERR_FAILED, "%s failed with status %d", ret->name, ret->status);
    if (*why)
        ctx->error.detail = why;
    return false;
}
