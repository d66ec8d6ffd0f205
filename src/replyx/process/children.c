#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "replyx/process/parent_part.h"
#include "replyx/process/worker.h"

enum {
    LEAST_PAUSE_US = 100 * 1000,
    MOST_PAUSE_US = 10 * 1000 * 1000,
    LONG_LIFE_US = 60 * 1000 * 1000,
    /* A loop that has not turned for so long will not turn again. */
    STUCK_US = 20 * 1000 * 1000,
};

/* In the child: nothing of the other workers may stay open, or they would not see their parent end. */
static _Noreturn void
become_worker(struct parent *parent, int32_t number, int control)
{
    const struct worker_start start = {
        .settings = parent->settings,
        .call = parent->call,
        .tally = parent->tally,
        .number = number,
        .socket = parent->socket,
        .control = control,
        .needs_database = parent->predecessor && !parent->is_serving,
    };

    close(parent->signals);
    for (int32_t i = 0; i < parent->count; i++) {
        if (parent->children[i].control >= 0)
            close(parent->children[i].control);
    }
    exit(worker_run(&start));
}

static void
start_child(struct parent *parent, struct child *child)
{
    int pair[2];
    pid_t pid = -1;

    child->started_us = child->heard_us = clock_us();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0) {
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
            close(pair[0]);
            become_worker(parent, (int32_t)(child - parent->children), pair[1]);
        }
        close(pair[1]);
        if (pid < 0)
            close(pair[0]);
    }
    if (pid < 0) {
        log_warn("replyx-api: could not start a worker: %s", strerror(errno));
        child->start_us = child->started_us + MOST_PAUSE_US;
        return;
    }
    child->pid = pid;
    child->control = pair[0];
    child->is_ready = false;
    child->is_reloading = false;
}

void
children_start(struct parent *parent)
{
    for (int32_t i = 0; i < parent->count; i++)
        parent->children[i].control = -1;
    for (int32_t i = 0; i < parent->count; i++) {
        parent->children[i].pause_us = LEAST_PAUSE_US;
        start_child(parent, &parent->children[i]);
    }
}

void
children_check(struct parent *parent, int64_t now_us, int64_t *ret_wait_us)
{
    for (int32_t i = 0; i < parent->count; i++) {
        struct child *child = &parent->children[i];

        if (child->pid && child->is_ready && now_us - child->heard_us > STUCK_US) {
            log_warn("replyx-api: worker %d (process %ld) has not turned its loop for %d s", (int)i,
                (long)child->pid, STUCK_US / 1000000);
            kill(child->pid, SIGKILL);
            child->heard_us = now_us;
        }
        if (child->pid || parent->is_draining)
            continue;
        if (child->start_us <= now_us)
            start_child(parent, child);
        else if (child->start_us - now_us < *ret_wait_us)
            *ret_wait_us = child->start_us - now_us;
    }
}

void
children_hear(struct parent *parent, struct child *child)
{
    char message;
    ssize_t got = recv(child->control, &message, 1, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        close(child->control); /* it ends; the rest is told by SIGCHLD */
        child->control = -1;
        return;
    }
    child->heard_us = clock_us();
    if (message == SAY_READY) {
        child->is_ready = true;
        if (parent->is_draining && send(child->control, "D", 1, MSG_NOSIGNAL) < 0)
            log_debug("a worker does not listen");
    }
    if (message == SAY_RELOADED)
        child->is_reloading = false;
}

static const char *
ending_text(struct arena *arena, int wait_status)
{
    if (WIFSIGNALED(wait_status))
        return arena_printf(arena, "was ended by signal %d", WTERMSIG(wait_status));
    return arena_printf(arena, "ended with status %d", WEXITSTATUS(wait_status));
}

void
children_ended(struct parent *parent, struct child *child, int wait_status)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    int64_t now_us = clock_us();
    long pid = child->pid;

    if (child->control >= 0)
        close(child->control);
    child->control = -1;
    child->pid = 0;
    child->is_reloading = false;
    if (parent->is_draining)
        return;
    if (!parent->is_serving && !child->is_ready) {
        /* It could not even start: what is wrong will be wrong the next time too. */
        parent->status = WIFEXITED(wait_status) && WEXITSTATUS(wait_status)
                             ? WEXITSTATUS(wait_status)
                             : error_exit_status(ERR_FAILED);
        parent->is_over = true;
        return;
    }
    child->is_ready = false;
    if (now_us - child->started_us > LONG_LIFE_US)
        child->pause_us = LEAST_PAUSE_US;
    child->start_us = now_us + child->pause_us;
    log_warn("replyx-api: worker %d (process %ld) %s; it is started again in %s",
        (int)(child - parent->children), pid, ending_text(arena, wait_status),
        text_from_us(arena, child->pause_us));
    child->pause_us =
        child->pause_us * 2 < MOST_PAUSE_US ? child->pause_us * 2 : (int64_t)MOST_PAUSE_US;
}

void
children_tell(struct parent *parent, enum message message)
{
    char byte = (char)message;

    for (int32_t i = 0; i < parent->count; i++) {
        struct child *child = &parent->children[i];

        if (child->control < 0 || !child->is_ready)
            continue;
        if (send(child->control, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            log_warn("replyx-api: worker %d does not listen", (int)i);
        else if (message == TELL_RELOAD)
            child->is_reloading = true;
    }
}

void
children_kill(struct parent *parent)
{
    for (int32_t i = 0; i < parent->count; i++) {
        if (parent->children[i].pid)
            kill(parent->children[i].pid, SIGKILL);
    }
}

bool
children_are_alive(const struct parent *parent, int64_t now_us, int64_t within_us)
{
    for (int32_t i = 0; i < parent->count; i++) {
        const struct child *child = &parent->children[i];

        if (child->pid && child->is_ready && now_us - child->heard_us > within_us)
            return false;
    }
    return true;
}
