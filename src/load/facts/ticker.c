#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "load/facts/part.h"

enum { SECOND_US = 1000000 };

struct ticker {
    void (*look)(void *data, enum look kind);
    void *data;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_wanted[LOOK_END + 1];
    bool is_done[LOOK_END + 1];
    bool is_over;
};

static struct timespec
moment_of(int64_t us)
{
    return (struct timespec){ .tv_sec = us / SECOND_US, .tv_nsec = us % SECOND_US * 1000 };
}

/* Holds the mutex: sleeps until a whole second of the wall clock is over, or a moment is asked for. */
static enum look
wait_for_next(struct ticker *ticker)
{
    int64_t left_us = SECOND_US - clock_wall_us() % SECOND_US;
    struct timespec end = moment_of(clock_us() + left_us);

    for (;;) {
        if (ticker->is_wanted[LOOK_BEGIN] && !ticker->is_done[LOOK_BEGIN])
            return LOOK_BEGIN;
        if (ticker->is_wanted[LOOK_END] && !ticker->is_done[LOOK_END])
            return LOOK_END;
        if (pthread_cond_timedwait(&ticker->changed, &ticker->mutex, &end) == ETIMEDOUT)
            return LOOK_TICK;
    }
}

static void *
run(void *data)
{
    struct ticker *ticker = data;

    pthread_mutex_lock(&ticker->mutex);
    while (!ticker->is_done[LOOK_END]) {
        enum look kind = wait_for_next(ticker);

        pthread_mutex_unlock(&ticker->mutex);
        ticker->look(ticker->data, kind);
        pthread_mutex_lock(&ticker->mutex);
        ticker->is_done[kind] = true;
    }
    ticker->is_over = true;
    pthread_cond_broadcast(&ticker->changed);
    pthread_mutex_unlock(&ticker->mutex);
    return NULL;
}

/* Signals are for the main thread. */
bool
ticker_new(
    struct ctx *ctx, void (*look)(void *data, enum look kind), void *data, struct ticker **ret)
{
    struct ticker *ticker = calloc(1, sizeof(*ticker));
    pthread_condattr_t attributes;
    sigset_t all, before;
    int error;

    if (!ticker)
        memory_exhausted(sizeof(*ticker));
    ticker->look = look;
    ticker->data = data;
    pthread_mutex_init(&ticker->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ticker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&ticker->thread, NULL, run, ticker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(ticker);
        return error_set(ctx, ERR_FAILED, "could not start a thread (error %d)", error);
    }
    *ret = ticker;
    return true;
}

void
ticker_ask(struct ticker *ticker, enum look kind)
{
    pthread_mutex_lock(&ticker->mutex);
    ticker->is_wanted[kind] = true;
    pthread_cond_broadcast(&ticker->changed);
    pthread_mutex_unlock(&ticker->mutex);
}

bool
ticker_wait(struct ticker *ticker, int64_t limit_us)
{
    struct timespec end = moment_of(clock_us() + limit_us);
    bool is_over;

    pthread_mutex_lock(&ticker->mutex);
    while (!ticker->is_over &&
           pthread_cond_timedwait(&ticker->changed, &ticker->mutex, &end) != ETIMEDOUT)
        continue;
    is_over = ticker->is_over;
    pthread_mutex_unlock(&ticker->mutex);
    return is_over;
}

void
ticker_free(struct ticker *ticker)
{
    pthread_join(ticker->thread, NULL);
    pthread_cond_destroy(&ticker->changed);
    pthread_mutex_destroy(&ticker->mutex);
    free(ticker);
}
