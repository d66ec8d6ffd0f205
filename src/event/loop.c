#include "event/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"

struct loop {
    struct event_base *base;
    int wake_fd; /* a signal is written to it: whatever thread it came to, the wait ends */
    struct event *wake;
    bool is_stopped;
};

struct loop_timer {
    struct event *event;
    loop_callback *callback;
    void *data;
};

struct loop_watch {
    struct loop *loop;
    struct event *event;
    int socket;
    short wanted;
    loop_socket_callback *callback;
    void *data;
};

static void *
new_object(size_t size)
{
    void *object = calloc(1, size);

    if (!object)
        memory_exhausted(0);
    return object;
}

static void
note_message(int severity, const char *message)
{
    (void)severity;
    log_debug("libevent: %s", message);
}

static void
woken(evutil_socket_t fd, short what, void *data)
{
    struct loop *loop = data;
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        log_debug("could not read the signal counter");
    if (interrupt_signal())
        event_base_loopbreak(loop->base);
}

/*
 * libevent's clock is exact, and read anew for each timer: a callback that took long does not make
 * the timers that it sets shorter.
 */
static struct event_base *
new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

bool
loop_new(struct ctx *ctx, struct loop **ret)
{
    struct loop *loop = new_object(sizeof(*loop));

    event_set_log_callback(note_message);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0) {
        error_set_errno(ctx, "could not make an event counter");
        loop_free(loop);
        return false;
    }
    loop->base = new_base();
    if (!loop->base) {
        loop_free(loop);
        return error_set(ctx, ERR_FAILED, "could not make an event loop");
    }
    loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, woken, loop);
    if (!loop->wake || event_add(loop->wake, NULL) < 0) {
        loop_free(loop);
        return error_set(ctx, ERR_FAILED, "could not watch for signals");
    }
    *ret = loop;
    return true;
}

void
loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->wake)
        event_free(loop->wake);
    if (loop->base)
        event_base_free(loop->base);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    free(loop);
}

void
loop_cleanup(struct loop **loop)
{
    loop_free(*loop);
    *loop = NULL;
}

void
loop_run(struct loop *loop)
{
    int before = interrupt_wake(loop->wake_fd);

    /* A signal from here on is in the counter, one from before is seen here. */
    if (!loop->is_stopped && !interrupt_signal())
        event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    interrupt_wake(before);
    loop->is_stopped = false;
}

void
loop_stop(struct loop *loop)
{
    loop->is_stopped = true;
    event_base_loopbreak(loop->base);
}

static void
timer_is_due(evutil_socket_t fd, short what, void *data)
{
    struct loop_timer *timer = data;

    (void)fd;
    (void)what;
    timer->callback(timer->data); /* may have freed it */
}

struct loop_timer *
loop_timer_new(struct loop *loop, loop_callback *callback, void *data)
{
    struct loop_timer *timer = new_object(sizeof(*timer));

    timer->callback = callback;
    timer->data = data;
    timer->event = event_new(loop->base, -1, 0, timer_is_due, timer);
    if (!timer->event)
        memory_exhausted(0);
    return timer;
}

void
loop_timer_set(struct loop_timer *timer, int64_t after_us)
{
    int64_t us = after_us > 0 ? after_us : 0;
    struct timeval after = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };

    if (event_add(timer->event, &after) < 0)
        memory_exhausted(0);
}

void
loop_timer_stop(struct loop_timer *timer)
{
    event_del(timer->event);
}

void
loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    event_free(timer->event);
    free(timer);
}

static void
socket_is_ready(evutil_socket_t fd, short what, void *data)
{
    struct loop_watch *watch = data;

    (void)fd;
    watch->callback(watch->data, what & EV_READ, what & EV_WRITE); /* may have freed it */
}

struct loop_watch *
loop_watch_new(struct loop *loop, int socket, loop_socket_callback *callback, void *data)
{
    struct loop_watch *watch = new_object(sizeof(*watch));

    watch->loop = loop;
    watch->socket = socket;
    watch->callback = callback;
    watch->data = data;
    watch->event = event_new(loop->base, socket, EV_READ | EV_PERSIST, socket_is_ready, watch);
    if (!watch->event)
        memory_exhausted(0);
    return watch;
}

static void
set_wanted(struct loop_watch *watch, short wanted)
{
    if (wanted == watch->wanted)
        return;
    if (watch->wanted)
        event_del(watch->event);
    watch->wanted = wanted;
    if (!wanted)
        return;
    event_assign(watch->event, watch->loop->base, watch->socket, (short)(wanted | EV_PERSIST),
        socket_is_ready, watch);
    /* Fails only for what epoll cannot watch: a bug of the caller, or a socket that is closed. */
    if (event_add(watch->event, NULL) < 0)
        log_debug("could not watch socket %d", watch->socket);
}

void
loop_watch_set(struct loop_watch *watch, bool for_read, bool for_write)
{
    set_wanted(watch, (short)((for_read ? EV_READ : 0) | (for_write ? EV_WRITE : 0)));
}

/* The end that was read stays readable for ever; only what comes after it is an event. */
void
loop_watch_set_loss(struct loop_watch *watch)
{
    set_wanted(watch, EV_READ | EV_ET);
}

void
loop_watch_free(struct loop_watch *watch)
{
    if (!watch)
        return;
    event_free(watch->event);
    free(watch);
}
