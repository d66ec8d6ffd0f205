#include "replyx/process/parent.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/service.h"
#include "replyx/api.h"
#include "replyx/process/parent_part.h"

enum {
    TURN_US = 1000 * 1000,
    /* Beyond the limit of the workers themselves, which answer what is late. */
    DRAIN_MARGIN_US = 5 * 1000 * 1000,
    /* Descriptors of a worker beside its clients' and its pools'. */
    FEW_DESCRIPTORS = 100,
};

static void
drain(struct parent *parent)
{
    parent->is_draining = true;
    parent->drain_by_us = clock_us() + parent->settings->drain_limit + DRAIN_MARGIN_US;
    if (!parent->is_replaced)
        notify_stopping();
    log_info("replyx-api: answers what is under way and ends");
    children_tell(parent, TELL_DRAIN);
    /* The successor has it too; without one nobody is let in any more. */
    close(parent->socket);
    parent->socket = -1;
    for (int32_t i = 0; i < parent->count; i++) {
        /* One that has not even started has no request either. */
        if (parent->children[i].pid && !parent->children[i].is_ready)
            kill(parent->children[i].pid, SIGKILL);
    }
}

static void
end_by_signal(struct parent *parent, const struct signalfd_siginfo *info)
{
    if (parent->is_draining) {
        log_warn("replyx-api: ends at once by a second signal");
        children_kill(parent);
        parent->status = 128 + (int)info->ssi_signo;
        parent->is_over = true;
        return;
    }
    parent->is_replaced = parent->successor && (pid_t)info->ssi_pid == parent->successor;
    if (parent->successor && !parent->is_replaced)
        kill(parent->successor, SIGTERM);
    drain(parent);
}

/* What is wrong with the settings is told once, here; what they change is the business of the workers. */
static void
reload(struct parent *parent)
{
    struct ctx ctx = { .arena = parent->ctx->arena };
    struct settings *settings = ARENA_NEW(ctx.arena, struct settings);
    struct text_list left = { 0 };

    if (parent->is_draining || !parent->is_serving)
        return;
    if (!settings_read(&ctx, parent->call->argc - 1, parent->call->argv + 1, settings) ||
        !api_check(&ctx, settings)) {
        log_warn("replyx-api: goes on with the settings before: %s", ctx.error.message);
        return;
    }
    log_info("replyx-api: reads its settings again");
    /* A worker that dies is started with what the others have. */
    settings_keep(ctx.arena, parent->settings, settings, &left);
    if (left.count > 0)
        log_info("replyx-api: needs a take-over (SIGUSR2) to change: %s",
            text_list_join(ctx.arena, &left, ", "));
    parent->settings = settings;
    parent->is_reloading = true;
    notify_reloading();
    children_tell(parent, TELL_RELOAD);
}

static void
bury(struct parent *parent)
{
    int wait_status;
    pid_t pid;

    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        if (pid == parent->successor && !parent->is_replaced) {
            log_warn("replyx-api: process %ld could not take over; this one goes on", (long)pid);
            parent->successor = 0;
        }
        for (int32_t i = 0; i < parent->count; i++) {
            if (parent->children[i].pid == pid)
                children_ended(parent, &parent->children[i], wait_status);
        }
    }
}

static void
hear_signals(struct parent *parent)
{
    struct signalfd_siginfo info;

    while (read(parent->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            bury(parent);
            break;
        case SIGHUP:
            reload(parent);
            break;
        case SIGUSR2:
            successor_start(parent);
            break;
        default:
            end_by_signal(parent, &info);
        }
    }
}

static bool
are_all(const struct parent *parent, bool (*is_so)(const struct child *child))
{
    for (int32_t i = 0; i < parent->count; i++) {
        if (!is_so(&parent->children[i]))
            return false;
    }
    return true;
}

static bool
is_ready(const struct child *child)
{
    return child->is_ready;
}

static bool
is_settled(const struct child *child)
{
    return !child->is_reloading;
}

static bool
is_gone(const struct child *child)
{
    return child->pid == 0;
}

static void
begin_to_serve(struct parent *parent)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    parent->is_serving = true;
    log_info("replyx-api: listening on http://%s (%d %s, process %ld)",
        listener_address(arena, parent->socket), (int)parent->count,
        parent->count == 1 ? "worker" : "workers", (long)getpid());
    notify_ready(parent);
    successor_take_over(parent);
}

/* What time and the workers have changed; how long nothing else will. */
static int64_t
check(struct parent *parent)
{
    int64_t now_us = clock_us(), wait_us = TURN_US;
    int64_t feed_us = parent->watchdog_us / 4;

    if (!parent->is_serving && !parent->is_draining && are_all(parent, is_ready))
        begin_to_serve(parent);
    if (parent->is_reloading && are_all(parent, is_settled)) {
        parent->is_reloading = false;
        log_info("replyx-api: has read its settings");
        notify_reloaded(parent);
    }
    children_check(parent, now_us, &wait_us);
    if (feed_us > 0 && now_us - parent->fed_us >= feed_us && !parent->is_replaced &&
        children_are_alive(parent, now_us, parent->watchdog_us / 2 + TURN_US)) {
        parent->fed_us = now_us;
        notify_feed();
    }
    if (feed_us > 0 && feed_us < wait_us)
        wait_us = feed_us;
    if (parent->successor && !parent->is_replaced && now_us > parent->successor_by_us) {
        log_warn("replyx-api: process %ld takes too long to take over", (long)parent->successor);
        kill(parent->successor, SIGKILL);
        parent->successor_by_us = INT64_MAX;
    }
    if (parent->is_draining && now_us > parent->drain_by_us) {
        log_warn("replyx-api: requests that take too long are dropped");
        children_kill(parent);
        parent->drain_by_us = INT64_MAX;
    }
    if (parent->is_draining && are_all(parent, is_gone))
        parent->is_over = true;
    return wait_us;
}

static void
turn(struct parent *parent, int64_t wait_us)
{
    struct pollfd watched[1 + TALLY_MOST_WORKERS];
    struct child *whose[1 + TALLY_MOST_WORKERS] = { 0 };
    nfds_t count = 1;

    watched[0] = (struct pollfd){ .fd = parent->signals, .events = POLLIN };
    for (int32_t i = 0; i < parent->count; i++) {
        if (parent->children[i].control < 0)
            continue;
        whose[count] = &parent->children[i];
        watched[count++] = (struct pollfd){ .fd = parent->children[i].control, .events = POLLIN };
    }
    if (poll(watched, count, (int)(wait_us / 1000 + 1)) <= 0)
        return;
    for (nfds_t i = 1; i < count; i++) {
        if (watched[i].revents)
            children_hear(parent, whose[i]);
    }
    /* What a worker has said is heard before its end. */
    if (watched[0].revents)
        hear_signals(parent);
}

/* Signals come as something to read: nothing is interrupted, and a forked child takes none. */
static bool
open_signals(struct parent *parent)
{
    static const int wanted[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        sigaddset(&set, wanted[i]);
    sigaction(SIGPIPE, &ignore, NULL);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_set_errno(parent->ctx, "could not block signals");
    parent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return parent->signals >= 0 || error_set_errno(parent->ctx, "could not listen to signals");
}

/* A worker inherits the limit; asking for as many as there will be clients is not refused often. */
static void
raise_descriptors(const struct settings *settings)
{
    rlim_t wanted = (rlim_t)settings->most_connections + (rlim_t)settings->pool_size +
                    (rlim_t)settings->max_overflow + (rlim_t)settings->shared_size +
                    (rlim_t)settings->background_size + (rlim_t)settings->background_overflow +
                    FEW_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
        log_warn("replyx-api: %lld files may be open, but --most-connections %d needs %lld "
                 "(LimitNOFILE=, ulimit -n)",
            (long long)limit.rlim_cur, (int)settings->most_connections, (long long)wanted);
}

static bool
open_all(struct parent *parent)
{
    if (!api_check(parent->ctx, parent->settings) || !open_signals(parent) ||
        !listener_open(parent->ctx, parent->settings, &parent->socket) ||
        !tally_new(parent->ctx, parent->settings->workers, &parent->tally))
        return false;
    raise_descriptors(parent->settings);
    if (!parent->settings->jwt_secret_file && !parent->settings->trust_user_header)
        log_warn("replyx-api: there is no --jwt-secret-file, so nobody can sign in by /login: only "
                 "API tokens are taken");
    parent->count = parent->settings->workers;
    parent->children = ARENA_ARRAY(parent->ctx->arena, struct child, (size_t)parent->count);
    parent->watchdog_us = service_watchdog_us();
    children_start(parent);
    return true;
}

/* A worker that lives ends as soon as it sees that we do not. */
static void
close_all(struct parent *parent)
{
    children_kill(parent);
    for (int32_t i = 0; i < parent->count; i++) {
        if (parent->children[i].pid)
            waitpid(parent->children[i].pid, NULL, 0);
        if (parent->children[i].control >= 0)
            close(parent->children[i].control);
    }
    tally_free(parent->tally);
    if (parent->socket >= 0)
        close(parent->socket);
    if (parent->signals >= 0)
        close(parent->signals);
}

bool
parent_run(struct ctx *ctx, const struct settings *settings, const struct program_call *call,
    int *ret_status)
{
    struct parent parent = {
        .ctx = ctx,
        .settings = settings,
        .call = call,
        .socket = -1,
        .signals = -1,
        .predecessor = successor_find_predecessor(),
    };
    bool is_good = open_all(&parent);

    while (is_good && !parent.is_over) {
        int64_t wait_us = check(&parent);

        if (!parent.is_over)
            turn(&parent, wait_us);
    }
    close_all(&parent);
    *ret_status = parent.status;
    return is_good;
}
