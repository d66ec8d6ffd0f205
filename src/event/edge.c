#include "event/edge.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/memory.h"

/* Few, so that who must do something at its time is not kept from it for long. */
enum { EDGES_A_WAIT = 64 };

struct edge_set {
    int epoll;
    int wake_fd; /* a signal is written to it: whatever thread it came to, the wait ends */
    bool lacks_exact_wait; /* a kernel before 5.11, or a container that does not know the call */
    int next;              /* events from here on are not called back yet */
    int count;
    struct epoll_event events[EDGES_A_WAIT];
};

static bool
watch_wake(struct edge_set *set)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

    return epoll_ctl(set->epoll, EPOLL_CTL_ADD, set->wake_fd, &event) == 0;
}

bool
edge_set_new(struct ctx *ctx, struct edge_set **ret)
{
    struct edge_set *set = calloc(1, sizeof(*set));

    if (!set)
        memory_exhausted(0);
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    set->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (set->epoll < 0 || set->wake_fd < 0 || !watch_wake(set)) {
        error_set_errno(ctx, "could not make a set of watched sockets");
        edge_set_free(set);
        return false;
    }
    *ret = set;
    return true;
}

void
edge_set_free(struct edge_set *set)
{
    if (!set)
        return;
    if (set->wake_fd >= 0)
        close(set->wake_fd);
    if (set->epoll >= 0)
        close(set->epoll);
    free(set);
}

bool
edge_add(struct edge_set *set, struct edge *edge, int socket)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.ptr = edge };

    if (epoll_ctl(set->epoll, EPOLL_CTL_ADD, socket, &event) < 0)
        return false;
    edge->socket = socket;
    return true;
}

bool
edge_level(struct edge_set *set, struct edge *edge, int socket, unsigned events)
{
    struct epoll_event event = { .data.ptr = edge };

    if (events & EDGE_READ)
        event.events |= EPOLLIN | EPOLLRDHUP;
    if (events & EDGE_WRITE)
        event.events |= EPOLLOUT;
    if (edge->socket != socket && edge->socket >= 0)
        edge_remove(set, edge);
    if (epoll_ctl(
            set->epoll, edge->socket == socket ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) < 0)
        return false;
    edge->socket = socket;
    return true;
}

void
edge_remove(struct edge_set *set, struct edge *edge)
{
    if (edge->socket < 0)
        return;
    /* Not left to close(): a process that was just forked may still have the socket open. */
    epoll_ctl(set->epoll, EPOLL_CTL_DEL, edge->socket, NULL);
    edge->socket = -1;
    for (int i = set->next; i < set->count; i++) {
        if (set->events[i].data.ptr == edge)
            set->events[i].data.ptr = NULL;
    }
}

static unsigned
translate(uint32_t events)
{
    unsigned result = 0;

    if (events & EPOLLIN)
        result |= EDGE_READ;
    if (events & EPOLLOUT)
        result |= EDGE_WRITE;
    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        result |= EDGE_ENDED;
    return result;
}

/* Milliseconds are too coarse for a schedule, so there is poll() where the exact call is missing. */
static int
wait_by_poll(struct edge_set *set, const struct timespec *most)
{
    struct pollfd watched = { .fd = set->epoll, .events = POLLIN };

    if (ppoll(&watched, 1, most, NULL) <= 0)
        return 0;
    return epoll_wait(set->epoll, set->events, EDGES_A_WAIT, 0);
}

static int
wait_for_events(struct edge_set *set, int64_t wait_us)
{
    struct timespec most = { .tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000 };
    const struct timespec *limit = wait_us < 0 ? NULL : &most;
    int count;

    if (wait_us == 0)
        return epoll_wait(set->epoll, set->events, EDGES_A_WAIT, 0);
    if (!set->lacks_exact_wait) {
        count = epoll_pwait2(set->epoll, set->events, EDGES_A_WAIT, limit, NULL);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM))
            return count;
        set->lacks_exact_wait = true;
    }
    return wait_by_poll(set, limit);
}

static void
empty_wake(struct edge_set *set)
{
    uint64_t count;

    /* Read so that it is not told again; how often the signal came does not matter. */
    if (read(set->wake_fd, &count, sizeof(count)) < 0)
        return;
}

int
edge_wait(struct edge_set *set, int64_t wait_us)
{
    int before = interrupt_wake(set->wake_fd);
    int called = 0;

    /* A signal from here on is in the counter, one from before is seen here. */
    set->count = wait_for_events(set, interrupt_signal() ? 0 : wait_us);
    interrupt_wake(before);
    for (set->next = 0; set->next < set->count;) {
        const struct epoll_event *event = &set->events[set->next++];
        struct edge *edge = event->data.ptr;

        if (edge) {
            edge->callback(edge, translate(event->events));
            called++;
        }
    }
    if (interrupt_signal())
        empty_wake(set);
    set->next = 0;
    set->count = 0;
    return called;
}
