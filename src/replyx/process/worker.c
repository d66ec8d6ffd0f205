#include "replyx/process/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "replyx/api.h"
#include "replyx/process/parent_part.h"
#include "replyx/process/trial.h"

enum {
    BEAT_US = 1000 * 1000,
    DATABASE_US = 10 * 1000 * 1000,
};

struct worker {
    struct ctx ctx;
    const struct worker_start *start;
    struct settings settings; /* at the start */
    struct loop *loop;
    struct loop_watch *control;
    struct loop_watch *signal;
    struct loop_timer *beat;
    struct trial *trial;
    struct loop_timer *patience;
    struct api *api;
    int signals;
    int status;
    bool is_draining;
};

/* A parent that is gone is noticed when its socket is read. */
static void
say(const struct worker *worker, char message)
{
    ssize_t sent = send(worker->start->control, &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0)
        log_debug("the parent does not listen");
}

static void
beat(void *data)
{
    struct worker *worker = data;

    say(worker, SAY_ALIVE);
    loop_timer_set(worker->beat, BEAT_US);
}

/* From now on clients are let in. */
static void
begin(void *data)
{
    struct worker *worker = data;

    loop_timer_stop(worker->patience);
    trial_free(worker->trial);
    worker->trial = NULL;
    if (!worker->is_draining)
        http_server_accept(worker->api->server, true);
    say(worker, SAY_READY);
}

static void
give_up(void *data)
{
    struct worker *worker = data;

    log_warn("replyx-api: no database answers, so there is no take-over");
    worker->status = error_exit_status(ERR_CONNECTION);
    loop_stop(worker->loop);
}

/*
 * Who takes over must not be worse than the one before, whom a wrong setting would replace for nothing;
 * until that is certain the other one takes all clients.
 */
static void
begin_or_try(struct worker *worker)
{
    worker->patience = loop_timer_new(worker->loop, give_up, worker);
    if (!worker->start->needs_database) {
        begin(worker);
        return;
    }
    http_server_accept(worker->api->server, false);
    loop_timer_set(worker->patience, DATABASE_US);
    worker->trial = trial_new(worker->loop, &worker->settings, begin, worker);
}

static void
drained(void *data)
{
    struct worker *worker = data;

    loop_stop(worker->loop);
}

static void
drain(struct worker *worker)
{
    if (worker->is_draining)
        return;
    worker->is_draining = true;
    api_drain(worker->api, drained, worker);
}

/* The settings before stay as they were when the new ones are wrong. */
static void
reload(struct worker *worker)
{
    struct ctx ctx = { .arena = worker->ctx.arena };
    const struct program_call *call = worker->start->call;
    struct settings *settings = ARENA_NEW(ctx.arena, struct settings);
    struct text_list left = { 0 }; /* the parent has told */
    bool is_good = settings_read(&ctx, call->argc - 1, call->argv + 1, settings);

    settings->number = worker->start->number;
    if (is_good)
        settings_keep(ctx.arena, worker->api->settings, settings, &left);
    if (!is_good || !api_reload(&ctx, worker->api, settings))
        log_warn("replyx-api: worker %d goes on with the settings before: %s",
            (int)worker->start->number, ctx.error.message);
    else
        log_set_level(settings->verbose ? LOG_VERBOSE : LOG_NORMAL);
    say(worker, SAY_RELOADED);
}

static void
hear_parent(void *data, bool can_read, bool can_write)
{
    struct worker *worker = data;
    char message;
    ssize_t got = recv(worker->start->control, &message, 1, MSG_DONTWAIT);

    (void)can_read;
    (void)can_write;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        /* The parent is gone, and nobody could tell us to end. */
        loop_watch_set(worker->control, false, false);
        drain(worker);
    } else if (message == TELL_DRAIN) {
        drain(worker);
    } else if (message == TELL_RELOAD && !worker->is_draining) {
        reload(worker);
    }
}

static void
hear_signal(void *data, bool can_read, bool can_write)
{
    struct worker *worker = data;
    struct signalfd_siginfo info;

    (void)can_read;
    (void)can_write;
    if (read(worker->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (worker->is_draining)
        _exit(128 + SIGTERM);
    drain(worker);
}

/* The terminal's Ctrl-C and what is meant for the parent goes to all; SIGTERM may be meant for us. */
static bool
open_signals(struct worker *worker)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    worker->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (worker->signals < 0)
        return error_set_errno(&worker->ctx, "could not listen to signals");
    return true;
}

static bool
open_all(struct worker *worker)
{
    const struct worker_start *start = worker->start;
    struct ctx *ctx = &worker->ctx;

    worker->settings = *start->settings;
    worker->settings.number = start->number;
    if (!open_signals(worker) || !loop_new(ctx, &worker->loop) ||
        !api_open(ctx, worker->loop, &worker->settings, start->tally, start->socket, &worker->api))
        return false;
    worker->control = loop_watch_new(worker->loop, start->control, hear_parent, worker);
    loop_watch_set(worker->control, true, false);
    worker->signal = loop_watch_new(worker->loop, worker->signals, hear_signal, worker);
    loop_watch_set(worker->signal, true, false);
    worker->beat = loop_timer_new(worker->loop, beat, worker);
    loop_timer_set(worker->beat, BEAT_US);
    return true;
}

static int
report(const struct ctx *ctx)
{
    fprintf(stderr, "replyx-api: %s\n", ctx->error.message);
    if (ctx->error.hint)
        fprintf(stderr, "hint: %s\n", ctx->error.hint);
    return error_exit_status(ctx->error.kind);
}

int
worker_run(const struct worker_start *start)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct worker worker = { .ctx = { .arena = arena }, .start = start, .signals = -1 };

    if (open_all(&worker)) {
        begin_or_try(&worker);
        loop_run(worker.loop);
    } else {
        worker.status = report(&worker.ctx);
    }
    trial_free(worker.trial);
    loop_timer_free(worker.patience);
    if (worker.api)
        api_close(worker.api);
    loop_timer_free(worker.beat);
    loop_watch_free(worker.signal);
    loop_watch_free(worker.control);
    loop_free(worker.loop);
    if (worker.signals >= 0)
        close(worker.signals);
    return worker.status;
}
