#include "queries/proxy/proxy.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "queries/proxy/link.h"

#define MOST_CONNECTIONS   2000
#define KEPT_BYTES         ((int32_t)16 * 1024)
#define CONNECT_TIMEOUT_US 10000000
#define EVENTS_A_TURN      128
#define TURNS              32
/* So much was done in one go, or so long there was nothing: that is what busy means. */
#define BUSY_EVENTS  64
#define BUSY_WAIT_MS 1
/* The loop's other work waits no longer. */
#define BUSY_US        2000
#define ACCEPTS_A_TURN 64
/* Beyond the sessions: those who say who they are, and cancel requests, which must always get through. */
#define GUESTS 256

/* How many came. Edges are told once, so all of a turn are done before any link is freed. */
static int
take_turn(struct proxy *proxy, int wait_ms)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(proxy->epoll, events, EVENTS_A_TURN, wait_ms);

    for (int i = 0; i < count; i++)
        link_event(events[i].data.ptr, events[i].events);
    if (proxy->again)
        link_go_on(proxy);
    if (proxy->dead)
        link_reap(proxy);
    if (proxy->ring)
        record_ring_publish(proxy->ring);
    return count;
}

static void
set_busy(struct proxy *proxy, bool is_busy)
{
    if (proxy->is_busy == is_busy)
        return;
    proxy->is_busy = is_busy;
    loop_watch_set(proxy->epoll_watch, !is_busy, false);
}

/*
 * Going round here is cheaper than through the loop, but others wait there. As long as much comes, this is
 * where it is waited for too: an epoll set that is watched by another costs whoever sends something to it
 * a second waking.
 */
static void
links_are_ready(void *data, bool can_read, bool can_write)
{
    struct proxy *proxy = data;
    int64_t until = clock_us() + BUSY_US;
    int sum = 0, count = 0;

    (void)can_read;
    (void)can_write;
    for (int turn = 0; turn < TURNS; turn++) {
        count = take_turn(proxy, proxy->is_busy && !proxy->again ? BUSY_WAIT_MS : 0);
        if (count > 0)
            sum += count;
        if ((count <= 0 || (count == 1 && !proxy->is_busy)) && !proxy->again)
            break;
        if (clock_us() >= until)
            break;
    }
    set_busy(proxy, sum >= BUSY_EVENTS || (proxy->is_busy && count > 0));
    if (proxy->again || proxy->is_busy)
        loop_timer_set(proxy->again_timer, 0);
    if (proxy->unclosed_count > 0)
        link_trace_put_again(proxy);
    if (proxy->drained && proxy->counts.open == 0)
        loop_timer_set(proxy->again_timer, 0);
}

static void
go_on(void *data)
{
    struct proxy *proxy = data;

    if (proxy->drained && proxy->counts.open == 0) {
        loop_callback *done = proxy->drained;

        proxy->drained = NULL;
        done(proxy->drained_data); /* may have stopped the proxy */
        return;
    }
    links_are_ready(proxy, false, false);
}

/* ---- who comes ---- */

/* A client that cannot be let in is told so in a form that every driver reads, and goes. */
static void
turn_away(struct proxy *proxy, int socket_fd, const char *message)
{
    struct buffer buffer = { .arena = proxy->ctx.arena };

    proxy->counts.refused++;
    link_start_sweep(proxy); /* which empties the arena */
    wire_add_error(&buffer, "53300", message, NULL);
    if (send(socket_fd, buffer.data, buffer.length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        shutdown(socket_fd, SHUT_WR);
    close(socket_fd);
}

static void
watch_listeners(struct proxy *proxy, bool is_on)
{
    for (size_t i = 0; i < proxy->listeners.count; i++)
        loop_watch_set(proxy->listener_watches[i], is_on, false);
}

static void
client_comes(struct proxy *proxy, int client)
{
    struct link *link;

    proxy->counts.accepted++;
    if (proxy->counts.open >= proxy->most_connections + GUESTS) {
        turn_away(proxy, client, "the proxy has its most connections already");
        return;
    }
    link = link_new(proxy, client);
    if (!link)
        return;
    link->sides[LINK_CLIENT].can_read = true; /* seldom wrong, and then asked once in vain */
    link_event(&link->sides[LINK_CLIENT], 0);
}

/* As many as can be had again. */
static void
fill_spares(struct proxy *proxy)
{
    while (proxy->spare_count < COUNT_OF(proxy->spares)) {
        int spare = eventfd(0, EFD_CLOEXEC);

        if (spare < 0)
            return;
        proxy->spares[proxy->spare_count++] = spare;
    }
}

/*
 * No descriptor is left: a spare one lets in who waits first. It is heard as everybody is, because an error
 * before its question about TLS is answered is none that drivers show; the connection to the server then
 * is what cannot be made. The others wait a moment.
 */
static void
out_of_descriptors(struct proxy *proxy, int listener)
{
    int client = -1;

    if (proxy->spare_count > 0) {
        close(proxy->spares[--proxy->spare_count]);
        client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
    if (client >= 0) {
        client_comes(proxy, client);
        return;
    }
    fill_spares(proxy);
    proxy->is_paused = true;
    watch_listeners(proxy, false);
    link_start_sweep(proxy);
}

static void
clients_come(void *data, bool can_read, bool can_write)
{
    struct proxy *proxy = data;

    (void)can_read;
    (void)can_write;
    for (size_t i = 0; i < proxy->listeners.count; i++) {
        for (int n = 0; n < ACCEPTS_A_TURN && !proxy->is_paused; n++) {
            int listener = proxy->listeners.sockets[i];
            int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

            if (client >= 0)
                client_comes(proxy, client);
            else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                out_of_descriptors(proxy, listener);
            else if (errno != EINTR && errno != ECONNABORTED)
                break;
        }
    }
    link_reap(proxy);
}

/* ---- what time does ---- */

static void
sweep(void *data)
{
    struct proxy *proxy = data;
    int64_t now = clock_us();
    bool is_needed = proxy->unclosed_count > 0;
    struct link *next;

    for (struct link *link = proxy->links; link; link = next) {
        next = link->next;
        if (link->state == LINK_CONNECTS && link->sides[LINK_SERVER].socket < 0)
            link_login_work(link);
        if (link->state != LINK_DEAD && link->until_us && link->until_us <= now)
            link_time_is_up(link);
        is_needed |= link->state != LINK_DEAD && link->until_us != 0;
    }
    link_reap(proxy);
    link_trace_put_again(proxy);
    error_clear(&proxy->ctx);
    arena_reset(proxy->ctx.arena);
    fill_spares(proxy);
    if (proxy->is_paused && proxy->spare_count > 0) {
        proxy->is_paused = false;
        watch_listeners(proxy, true);
    }
    is_needed |= proxy->is_paused;
    proxy->is_swept = is_needed;
    if (is_needed)
        loop_timer_set(proxy->sweep, LINK_SWEEP_US);
    if (proxy->again || (proxy->drained && proxy->counts.open == 0))
        loop_timer_set(proxy->again_timer, 0);
}

/* ---- the proxy as a whole ---- */

/* Two descriptors a connection: as many as the system lets us have. */
static void
raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static char *
copy(const char *text)
{
    char *copied = strdup(text ? text : "");

    if (!copied)
        memory_exhausted(0);
    return copied;
}

static void
free_proxy(struct proxy *proxy)
{
    while (proxy->links)
        link_kill(proxy->links);
    if (proxy->epoll_watch)
        link_go_on(proxy);
    link_reap(proxy);
    for (size_t i = 0; i < COUNT_OF(proxy->listener_watches); i++)
        loop_watch_free(proxy->listener_watches[i]);
    link_listeners_close(&proxy->listeners);
    loop_watch_free(proxy->epoll_watch);
    loop_timer_free(proxy->sweep);
    loop_timer_free(proxy->again_timer);
    if (proxy->epoll >= 0)
        close(proxy->epoll);
    while (proxy->spare_count > 0)
        close(proxy->spares[--proxy->spare_count]);
    if (proxy->rules)
        login_rules_free(proxy->rules);
    free(proxy->unclosed);
    free(proxy->host);
    free(proxy->port);
    arena_free(proxy->ctx.arena);
    free(proxy);
}

static bool
open_proxy(struct ctx *ctx, struct proxy *proxy, const struct proxy_options *options)
{
    if (!login_rules_new(ctx, options, &proxy->rules) ||
        !link_resolve(ctx, options->host, options->port, &proxy->addresses) ||
        !link_listen(ctx, options->listen, &proxy->listeners) ||
        !link_is_another(ctx, &proxy->addresses, &proxy->listeners))
        return false;
    raise_descriptors();
    proxy->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (proxy->epoll < 0)
        return error_set_errno(ctx, "could not make an epoll set");
    fill_spares(proxy);
    proxy->epoll_watch = loop_watch_new(proxy->loop, proxy->epoll, links_are_ready, proxy);
    loop_watch_set(proxy->epoll_watch, true, false);
    for (size_t i = 0; i < proxy->listeners.count; i++)
        proxy->listener_watches[i] =
            loop_watch_new(proxy->loop, proxy->listeners.sockets[i], clients_come, proxy);
    watch_listeners(proxy, true);
    proxy->sweep = loop_timer_new(proxy->loop, sweep, proxy);
    proxy->again_timer = loop_timer_new(proxy->loop, go_on, proxy);
    return true;
}

bool
proxy_start(
    struct ctx *ctx, struct loop *loop, const struct proxy_options *options, struct proxy **ret)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));

    if (!proxy)
        memory_exhausted(0);
    proxy->loop = loop;
    proxy->epoll = -1;
    proxy->host = copy(text_is_empty(options->host) ? "/var/run/postgresql" : options->host);
    proxy->port = copy(text_is_empty(options->port) ? "5432" : options->port);
    proxy->ring = options->ring;
    proxy->ctx.arena = arena_new();
    proxy->kept_bytes = (uint32_t)(options->kept_bytes > 0 ? options->kept_bytes : KEPT_BYTES);
    proxy->most_connections =
        (uint64_t)(options->most_connections > 0 ? options->most_connections : MOST_CONNECTIONS);
    proxy->connect_timeout_us =
        options->connect_timeout_us > 0 ? options->connect_timeout_us : CONNECT_TIMEOUT_US;
    if (!open_proxy(ctx, proxy, options)) {
        free_proxy(proxy);
        return false;
    }
    *ret = proxy;
    return true;
}

void
proxy_stop(struct proxy *proxy)
{
    if (proxy)
        free_proxy(proxy);
}

void
proxy_drain(struct proxy *proxy, loop_callback *done, void *data)
{
    for (size_t i = 0; i < COUNT_OF(proxy->listener_watches); i++) {
        loop_watch_free(proxy->listener_watches[i]);
        proxy->listener_watches[i] = NULL;
    }
    link_listeners_close(&proxy->listeners);
    proxy->drained = done;
    proxy->drained_data = data;
    if (proxy->counts.open == 0)
        loop_timer_set(proxy->again_timer, 0);
}

const char *
proxy_address(const struct proxy *proxy)
{
    return proxy->listeners.text;
}

struct proxy_counts
proxy_counts(const struct proxy *proxy)
{
    struct proxy_counts counts = proxy->counts;

    if (proxy->ring)
        counts.lost = record_ring_lost(proxy->ring);
    return counts;
}
