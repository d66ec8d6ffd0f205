#include "cmd/parts/query_proxy.h"

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/out.h"

enum { WAIT_US = 200000, DRAW_US = 500000, FOLLOW_NICE = 19, TRIMS = 4 };

struct work {
    const struct query_proxy_options *options;
    struct query_desk *desk;
    struct loop *loop;
    struct proxy *proxy;
    struct record_ring *ring;
    struct follow *follow;      /* of the other thread while it runs */
    bool is_broken;             /* as well: nothing more is followed */
    _Atomic bool is_over;       /* it is to end */
    struct proxy_counts counts; /* at the end */
    struct loop_timer *end;
    struct loop_timer *draw;
    struct progress progress;
    int64_t started_us;
    int64_t drawn_us;
    uint64_t drawn_statements;
};

/* ---- the thread that follows ---- */

/*
 * Where processors are scarce the traffic comes first: this thread runs when nobody else wants to (SCHED_IDLE,
 * which also gives way at once; a high nice value keeps the processor for its turn), and what it cannot look
 * at is counted as lost.
 */
static void
step_back(void)
{
    const struct sched_param param = { .sched_priority = 0 };

    if (sched_setscheduler(0, SCHED_IDLE, &param) < 0)
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), FOLLOW_NICE);
}

/* The desk never fails; should it ever, the ring is emptied all the same. */
static void
follow_until(struct work *work, const _Atomic bool *is_over)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    while (!atomic_load_explicit(is_over, memory_order_relaxed)) {
        const char *bytes;
        const struct record *record = record_ring_take(work->ring, WAIT_US, &bytes);

        if (!record && record_ring_is_done(work->ring))
            return;
        if (!record)
            query_desk_tick(&ctx, work->desk);
        if (record && !work->is_broken && !follow_record(&ctx, work->follow, record, bytes)) {
            log_warn("%s: what passes is no longer looked at", ctx.error.message);
            work->is_broken = true;
        }
    }
}

static void *
follow_records(void *data)
{
    struct work *work = data;

    step_back();
    follow_until(work, &work->is_over);
    return NULL;
}

/* What is still in the ring is not left to a thread that waits for others: nobody comes after it. */
static void
finish_following(struct work *work, pthread_t thread)
{
    const _Atomic bool never = false;

    atomic_store(&work->is_over, true);
    record_ring_close(work->ring);
    pthread_join(thread, NULL);
    follow_until(work, &never);
}

/* Signals are for the loop: they are to wake it up, not this one. */
static bool
start_thread(struct ctx *ctx, struct work *work, pthread_t *ret)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(ret, NULL, follow_records, work);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 || error_set(ctx, ERR_FAILED, "could not start a thread (error %d)", error);
}

/* ---- the loop ---- */

static void
stop(void *data)
{
    struct work *work = data;

    loop_stop(work->loop);
}

static void
draw(void *data)
{
    struct work *work = data;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct proxy_counts counts = proxy_counts(work->proxy);
    uint64_t statements = query_desk_statements(work->desk);
    uint64_t lost = record_ring_lost(work->ring);
    int64_t now_us = clock_us();
    double seconds = (double)(now_us - work->drawn_us) / 1e6;
    double rate = seconds > 0 ? (double)(statements - work->drawn_statements) / seconds : 0;
    int64_t elapsed_us = now_us - work->started_us, for_us = work->options->for_us;
    const char *note = arena_printf(arena, "%" PRIu64 " sessions, %s statements, %s/s%s%s",
        counts.open, text_from_count(arena, (int64_t)statements),
        text_from_count(arena, (int64_t)rate), lost > 0 ? ", messages not seen: " : "",
        lost > 0 ? text_from_count(arena, (int64_t)lost) : "");

    work->drawn_us = now_us;
    work->drawn_statements = statements;
    /* A reader that was behind has filled much of the ring. */
    for (int i = 0; i < TRIMS && record_ring_trim(work->ring); i++)
        ;
    if (work->progress.is_terminal || statements > 0)
        progress_show(&work->progress, "trace", "following",
            for_us > 0 ? (double)elapsed_us / (double)for_us : -1, elapsed_us,
            for_us > 0 ? for_us - elapsed_us : -1, note);
    loop_timer_set(work->draw, DRAW_US);
}

static void
tell_address(const struct work *work)
{
    const struct proxy_options *proxy = &work->options->proxy;

    log_info("Listening on %s; all that passes goes unchanged to %s, port %s.",
        proxy_address(work->proxy), proxy->host, proxy->port);
    log_info("Point the application to this address. It brings its own user and password; those of "
             "--db-url are not used.");
    log_info("It ends %s; connections that go through it then end at once.",
        work->options->for_us > 0 ? "after that time, or with Ctrl-C" : "with Ctrl-C");
}

/*
 * Where processors are scarce, being woken in the midst of others' work a message would cost them and us a
 * change of context each time: as a batch thread the loop waits for its turn, and finds many messages then.
 * Where a processor is free it makes no difference.
 */
static void
set_policy(int policy)
{
    const struct sched_param param = { .sched_priority = 0 };

    (void)sched_setscheduler(0, policy, &param);
}

static bool
run_loop(struct ctx *ctx, struct work *work)
{
    pthread_t thread;

    if (!start_thread(ctx, work, &thread))
        return false;
    set_policy(SCHED_BATCH);
    tell_address(work);
    work->started_us = clock_us();
    work->drawn_us = work->started_us;
    work->end = loop_timer_new(work->loop, stop, work);
    work->draw = loop_timer_new(work->loop, draw, work);
    progress_begin(&work->progress);
    if (work->options->for_us > 0)
        loop_timer_set(work->end, work->options->for_us);
    loop_timer_set(work->draw, DRAW_US);
    loop_run(work->loop);
    set_policy(SCHED_OTHER);
    /* What comes now has to be finished, and a signal was the way to say so. */
    (void)interrupt_take();
    progress_end(&work->progress);
    loop_timer_free(work->end);
    loop_timer_free(work->draw);
    work->counts = proxy_counts(work->proxy);
    proxy_stop(work->proxy);
    work->proxy = NULL;
    finish_following(work, thread);
    return true;
}

bool
query_proxy_run(struct ctx *ctx, const struct query_proxy_options *options, struct query_desk *desk,
    struct query_proxy_result *ret)
{
    struct loop *loop CLEANUP(loop_cleanup) = NULL;
    struct work work = { .options = options, .desk = desk };
    struct proxy_options proxy = options->proxy;
    bool is_good = false;

    if (!loop_new(ctx, &loop))
        return false;
    /*
     * The thread that follows takes and gives back memory all the time; the heap that a second thread would
     * get grows page by page, each by a call that stops both threads.
     */
    (void)mallopt(M_ARENA_MAX, 1);
    work.loop = loop;
    work.ring = record_ring_new((size_t)options->buffer_bytes);
    work.follow = follow_new(&options->follow, query_desk_templates(desk), query_desk_take,
        query_desk_end_session, desk);
    proxy.ring = work.ring;
    if (proxy_start(ctx, loop, &proxy, &work.proxy)) {
        is_good = run_loop(ctx, &work);
        proxy_stop(work.proxy);
    }
    if (is_good)
        *ret = (struct query_proxy_result){
            .proxy = work.counts,
            .follow = follow_counts(work.follow),
            .lost = record_ring_lost(work.ring),
            .elapsed_us = clock_us() - work.started_us,
        };
    follow_free(work.follow);
    record_ring_free(work.ring);
    return is_good;
}
