/*
 * Bytes of one side go to the other as they come: read, written at once without asking whether that
 * can be done, then looked at. What the other side did not take waits, and nothing more is read for it.
 * Sockets are watched by edges: the kernel is told once of a socket, not before each read.
 */
#include "queries/proxy/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define READS_A_TURN 16
#define LINGER_US    2000000

struct link *
link_new(struct proxy *proxy, int client)
{
    struct link *link = calloc(1, sizeof(*link));

    if (!link)
        memory_exhausted(0);
    link->proxy = proxy;
    link->is_new = true;
    for (size_t i = 0; i < COUNT_OF(link->sides); i++) {
        link->sides[i].link = link;
        link->sides[i].socket = -1;
    }
    link->arena = arena_new();
    link->to_client.arena = link->arena;
    link->to_server.arena = link->arena;
    link->login = login_new(proxy->rules,
        (struct login_buffers){ .to_client = &link->to_client, .to_server = &link->to_server });
    link->next = proxy->links;
    link->at = &proxy->links;
    if (link->next)
        link->next->at = &link->next;
    proxy->links = link;
    proxy->counts.open++;
    if (!link_watch(&link->sides[LINK_CLIENT], client, false)) {
        close(client);
        link_kill(link);
        return NULL;
    }
    return link;
}

static void
free_login(struct link *link)
{
    if (link->login)
        login_free(link->login);
    link->login = NULL;
    arena_free(link->arena);
    link->arena = NULL;
    link->to_client = link->to_server = (struct buffer){ .arena = NULL };
}

void
link_kill(struct link *link)
{
    struct proxy *proxy = link->proxy;

    if (link->state == LINK_DEAD)
        return;
    link->state = LINK_DEAD;
    link_trace_close(link);
    for (size_t i = 0; i < COUNT_OF(link->sides); i++)
        link_close_side(&link->sides[i]);
    free_login(link);
    *link->at = link->next;
    if (link->next)
        link->next->at = link->at;
    link->next = proxy->dead;
    proxy->dead = link;
    proxy->counts.open--;
    if (link->is_counted)
        proxy->sessions--;
}

/* Not before all events that were told of together are done: they point to links. */
void
link_reap(struct proxy *proxy)
{
    struct link **at = &proxy->dead;

    while (*at) {
        struct link *link = *at;

        if (link->is_again) {
            at = &link->next;
            continue;
        }
        *at = link->next;
        free(link);
    }
}

/* ---- one side ---- */

static uint32_t
wanted_events(const struct link_side *side)
{
    return EPOLLIN | EPOLLRDHUP | (uint32_t)EPOLLET | (side->wants_write ? (uint32_t)EPOLLOUT : 0U);
}

bool
link_watch(struct link_side *side, int socket_fd, bool for_write)
{
    struct epoll_event event = { .data.ptr = side };
    const int on = 1;

    side->wants_write = for_write;
    event.events = wanted_events(side);
    if (epoll_ctl(side->link->proxy->epoll, EPOLL_CTL_ADD, socket_fd, &event) < 0)
        return false;
    side->socket = socket_fd;
    /* Have no meaning for the socket of a folder. */
    setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(socket_fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    return true;
}

void
link_want_write(struct link_side *side, bool is_wanted)
{
    struct epoll_event event = { .data.ptr = side };

    if (side->wants_write == is_wanted || side->socket < 0)
        return;
    side->wants_write = is_wanted;
    event.events = wanted_events(side);
    epoll_ctl(side->link->proxy->epoll, EPOLL_CTL_MOD, side->socket, &event);
}

static void
drop_waiting(struct link_side *side)
{
    free(side->waiting);
    side->waiting = NULL;
    side->waiting_at = side->waiting_length = side->waiting_size = 0;
}

void
link_close_side(struct link_side *side)
{
    if (side->tls) {
        if (!side->is_shut && !side->is_handshake)
            tls_end(side->tls);
        tls_free(side->tls);
    }
    if (side->socket >= 0)
        close(side->socket);
    drop_waiting(side);
    free(side->frame.kept);
    *side = (struct link_side){ .link = side->link, .socket = -1 };
}

void
link_add(struct link_side *side, const void *data, size_t length)
{
    if (side->is_broken || side->is_shut || length == 0)
        return;
    if (side->waiting_at > 0 && side->waiting_length == 0)
        side->waiting_at = 0;
    if (side->waiting_at + side->waiting_length + length > side->waiting_size) {
        side->waiting_size = side->waiting_at + side->waiting_length + length;
        side->waiting = realloc(side->waiting, side->waiting_size);
        if (!side->waiting)
            memory_exhausted(0);
    }
    memcpy(side->waiting + side->waiting_at + side->waiting_length, data, length);
    side->waiting_length += length;
}

static size_t
write_tls(struct link_side *side, const char *data, size_t length)
{
    size_t done = 0;

    while (done < length) {
        size_t count = 0;
        enum tls_state state =
            tls_write(&side->link->proxy->ctx, side->tls, data + done, length - done, &count);

        if (state == TLS_DONE) {
            done += count;
            continue;
        }
        if (state == TLS_ENDED || state == TLS_FAILED) {
            side->is_broken = true;
            return length;
        }
        break; /* TLS_WANT_READ: with what comes next this is tried again */
    }
    return done;
}

/* How many bytes it took; what is for a side that takes no more is gone. */
static size_t
write_side(struct link_side *side, const char *data, size_t length)
{
    ssize_t count;

    if (side->is_broken || side->is_shut)
        return length;
    if (side->tls)
        return write_tls(side, data, length);
    count = send(side->socket, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0)
        return (size_t)count;
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
        return 0;
    side->is_broken = true;
    return length;
}

bool
link_flush(struct link_side *side)
{
    while (side->waiting_length > 0) {
        size_t count = write_side(side, side->waiting + side->waiting_at, side->waiting_length);

        if (count == 0) {
            link_want_write(side, true);
            return false;
        }
        side->waiting_at += count;
        side->waiting_length -= count;
    }
    if (side->waiting)
        drop_waiting(side);
    link_want_write(side, false);
    return true;
}

static void
write_or_keep(struct link_side *side, const char *data, size_t length)
{
    size_t count = write_side(side, data, length);

    if (count == length)
        return;
    link_add(side, data + count, length - count);
    link_flush(side);
}

static size_t
read_tls(struct link_side *side, void *data, size_t size)
{
    size_t count = 0;
    enum tls_state state = tls_read(&side->link->proxy->ctx, side->tls, data, size, &count);

    if (state == TLS_DONE)
        return count;
    if (state == TLS_WANT_READ || state == TLS_WANT_WRITE) {
        side->can_read = false;
        if (state == TLS_WANT_WRITE)
            link_want_write(side, true);
        return 0;
    }
    side->has_ended = true;
    side->is_broken |= state == TLS_FAILED;
    return 0;
}

size_t
link_read(struct link_side *side, void *data, size_t size)
{
    ssize_t count;

    if (side->has_ended || !side->can_read || side->socket < 0)
        return 0;
    if (side->tls)
        return read_tls(side, data, size);
    count = recv(side->socket, data, size, MSG_DONTWAIT);
    if (count > 0) {
        /* Less than was asked for was all there was, and what comes from now on is a new edge. */
        if ((size_t)count < size && !side->is_ending)
            side->can_read = false;
        return (size_t)count;
    }
    if (count < 0 && errno == EINTR)
        return 0;
    if (count < 0 && errno == EAGAIN) {
        side->can_read = false;
        return 0;
    }
    side->has_ended = true;
    side->is_broken |= count < 0;
    return 0;
}

/* ---- traffic ---- */

static void
again(struct link *link)
{
    if (link->is_again)
        return;
    link->is_again = true;
    link->next_again = link->proxy->again;
    link->proxy->again = link;
}

static void
count_bytes(struct link_side *from, size_t length)
{
    if (from == &from->link->sides[LINK_CLIENT])
        from->link->proxy->counts.bytes_to_server += length;
    else
        from->link->proxy->counts.bytes_to_client += length;
}

static void
pump(struct link_side *from)
{
    struct link *link = from->link;
    struct proxy *proxy = link->proxy;
    struct link_side *to = link_other(from);

    if (to->waiting_length > 0 && !link_flush(to))
        return;
    for (int i = 0; from->can_read && !from->has_ended; i++) {
        size_t length;

        if (i == READS_A_TURN) {
            again(link);
            return;
        }
        length = link_read(from, proxy->buffer, sizeof(proxy->buffer));
        if (length == 0)
            continue;
        write_or_keep(to, proxy->buffer, length);
        count_bytes(from, length);
        if (!from->frame.is_lost) {
            if (proxy->ring)
                proxy->now_us = clock_wall_us();
            link_trace_bytes(from, proxy->buffer, length);
        }
        if (to->waiting_length > 0)
            return;
    }
}

/* The other side is told, after what waits for it, that there is no more; it may go on talking. */
static void
pass_end(struct link_side *from)
{
    struct link_side *to = link_other(from);

    if (!from->has_ended || to->is_shut || to->waiting_length > 0 || to->socket < 0)
        return;
    to->is_shut = true;
    if (to->tls)
        tls_end(to->tls);
    shutdown(to->socket, SHUT_WR);
}

/*
 * A client that has gone leaves its statement running, as without a proxy: the server is told of the
 * end, and what it still has to say is handed to whom takes it. When nobody does, the server's
 * connection is closed with its answer unread, so that it is stopped by the write that fails.
 */
static void
look_for_end(struct link *link)
{
    struct link_side *client = &link->sides[LINK_CLIENT];
    struct link_side *server = &link->sides[LINK_SERVER];

    pass_end(client);
    if (server->has_ended && (client->waiting_length == 0 || client->is_broken)) {
        if (client->has_ended || client->is_broken)
            link_kill(link);
        else
            link_linger(link);
    } else if (client->is_broken && (client->has_ended || server->is_broken) &&
               server->waiting_length == 0) {
        link_kill(link);
    }
}

static void
work_traffic(struct link_side *side)
{
    struct link_side *other = link_other(side);

    if (side->can_read)
        pump(side);
    if (side->waiting_length > 0 || other->is_broken)
        pump(other);
    if (side->has_ended || other->has_ended || side->is_broken || other->is_broken)
        look_for_end(side->link);
}

/* Bytes that came with the log-in's last ones are the first of the traffic. */
static void
pass_rest(struct link *link, bool of_client)
{
    struct link_side *from = &link->sides[of_client ? LINK_CLIENT : LINK_SERVER];
    size_t length = 0;
    const char *rest = login_rest(link->login, of_client, &length);

    if (!rest || length == 0)
        return;
    link_add(link_other(from), rest, length);
    link_flush(link_other(from));
    count_bytes(from, length);
    link_trace_bytes(from, rest, length);
}

void
link_begin_traffic(struct link *link)
{
    const char *start;
    size_t length = 0;

    link->state = LINK_TRAFFIC;
    link->until_us = 0;
    link->proxy->now_us = clock_wall_us();
    start = login_start(link->login, &length);
    link_trace_open(link, start, start ? length : 0);
    pass_rest(link, true);
    pass_rest(link, false);
    free_login(link);
    work_traffic(&link->sides[LINK_SERVER]);
    if (link->state == LINK_TRAFFIC)
        work_traffic(&link->sides[LINK_CLIENT]);
}

/* ---- the end ---- */

/* Closing at once with bytes of the client unread would let the kernel throw our last words away. */
void
link_linger(struct link *link)
{
    link_close_side(&link->sides[LINK_SERVER]);
    link_trace_close(link);
    link->state = LINK_LINGERS;
    link_set_limit(link, LINGER_US);
    link->sides[LINK_CLIENT].can_read = true;
    link_event(&link->sides[LINK_CLIENT], 0);
}

static void
work_linger(struct link *link)
{
    struct link_side *client = &link->sides[LINK_CLIENT];

    if (!client->is_shut && link_flush(client)) {
        client->is_shut = true;
        if (client->tls)
            tls_end(client->tls);
        shutdown(client->socket, SHUT_WR);
    }
    for (int i = 0; i < READS_A_TURN && client->can_read && !client->has_ended; i++)
        (void)link_read(client, link->proxy->buffer, sizeof(link->proxy->buffer));
    if (client->has_ended || client->is_broken)
        link_kill(link);
    else if (client->can_read)
        again(link);
}

void
link_event(struct link_side *side, uint32_t events)
{
    struct link *link = side->link;

    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        side->can_read = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        side->is_ending = true;
    if (side->tls && (events & EPOLLOUT))
        side->can_read = true;
    switch (link->state) {
    case LINK_TRAFFIC:
        work_traffic(side);
        break;
    case LINK_LINGERS:
        work_linger(link);
        break;
    case LINK_DEAD:
        break;
    case LINK_LOGIN:
    case LINK_CONNECTS:
    case LINK_TLS_CLIENT:
    case LINK_TLS_SERVER:
    case LINK_CANCELS:
        link_login_work(link);
        break;
    }
}

void
link_go_on(struct proxy *proxy)
{
    struct link *first = proxy->again;

    proxy->again = NULL;
    while (first) {
        struct link *link = first;

        first = link->next_again;
        link->is_again = false;
        link_event(&link->sides[LINK_CLIENT], 0);
        if (link->state == LINK_TRAFFIC)
            link_event(&link->sides[LINK_SERVER], 0);
    }
}

void
link_start_sweep(struct proxy *proxy)
{
    if (proxy->is_swept)
        return;
    proxy->is_swept = true;
    loop_timer_set(proxy->sweep, LINK_SWEEP_US);
}

void
link_set_limit(struct link *link, int64_t after_us)
{
    link->until_us = clock_us() + after_us;
    link_start_sweep(link->proxy);
}

void
link_time_is_up(struct link *link)
{
    link->until_us = 0;
    if (link->state == LINK_LINGERS || link->state == LINK_CANCELS)
        link_kill(link);
    else
        link_login_late(link);
}
