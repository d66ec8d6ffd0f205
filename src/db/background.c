#include "db/background.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"

/* glibc's resolver keeps answers of up to 64 kB on the stack. */
enum { STACK_BYTES = 512 * 1024 };

/* Held by the thread and by the owner; the last of them frees it. */
struct background {
    struct background_job job;
    struct loop_watch *watch;
    int event;
    atomic_int holders;
};

static void
release(struct background *background)
{
    if (atomic_fetch_sub(&background->holders, 1) > 1)
        return;
    background->job.drop(background->job.data);
    close(background->event);
    free(background);
}

static void
run(struct background *background)
{
    uint64_t one = 1;

    background->job.work(background->job.data);
    /* An eventfd takes eight bytes at once, or there is no more memory at all. */
    (void)!write(background->event, &one, sizeof(one));
}

static void *
run_thread(void *data)
{
    run(data);
    release(data);
    return NULL;
}

/* Signals are for the main thread. */
static bool
start_thread(struct background *background)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    pthread_t thread;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);

    bool is_started = pthread_create(&thread, &attributes, run_thread, background) == 0;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return is_started;
}

static void
ended(void *data, bool can_read, bool can_write)
{
    struct background *background = data;

    (void)can_read;
    (void)can_write;
    loop_watch_free(background->watch);
    background->job.done(background->job.owner, background->job.data);
    release(background);
}

struct background *
background_run(struct loop *loop, const struct background_job *job)
{
    struct background *background = calloc(1, sizeof(*background));

    if (!background)
        memory_exhausted(0);
    background->job = *job;
    background->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (background->event < 0) {
        free(background);
        return NULL;
    }
    atomic_init(&background->holders, 2);
    background->watch = loop_watch_new(loop, background->event, ended, background);
    loop_watch_set(background->watch, true, false);
    if (!start_thread(background)) {
        atomic_store(&background->holders, 1);
        run(background);
    }
    return background;
}

void
background_leave(struct background *background)
{
    if (!background)
        return;
    loop_watch_free(background->watch);
    release(background);
}
