/*
 * What login.c decides is done here: bytes are moved, the server is connected to, TLS begins. Nothing of
 * what is said is understood in this file.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "queries/proxy/link.h"

#define LOGIN_US  60000000
#define CANCEL_US 60000000

static void take_step(struct link *link, enum login_step step);

static void
send_buffer(struct link_side *side, struct buffer *buffer)
{
    link_add(side, buffer->data, buffer->length);
    buffer->length = 0;
    if (side->socket >= 0)
        link_flush(side);
}

/* The last word to the client. */
static void
refuse(struct link *link, const char *sqlstate, const char *message, const char *hint)
{
    link->proxy->counts.refused++;
    if (link->is_cancel) { /* nobody listens */
        link_kill(link);
        return;
    }
    link->to_client.length = 0;
    wire_add_error(&link->to_client, sqlstate, message, hint);
    send_buffer(&link->sides[LINK_CLIENT], &link->to_client);
    link_linger(link);
}

/* ---- the connection to the server ---- */

static void
refuse_server(struct link *link, const char *what)
{
    struct proxy *proxy = link->proxy;
    const char *message = arena_printf(link->arena,
        proxy->host[0] == '/' ? "the server at the socket \"%s/.s.PGSQL.%s\" %s"
                              : "the server at \"%s\", port %s, %s",
        proxy->host, proxy->port, what);

    refuse(link, "08006", message, NULL);
}

static void
close_attempt(struct link_side *server)
{
    if (server->socket >= 0)
        close(server->socket);
    server->socket = -1;
    server->can_read = server->is_ending = server->has_ended = server->is_broken = false;
}

static bool
begin_attempt(struct link *link, const struct link_address *address)
{
    struct link_side *server = &link->sides[LINK_SERVER];
    int socket_fd = socket(address->bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int kept;

    if (socket_fd < 0)
        return false;
    if (connect(socket_fd, (const struct sockaddr *)&address->bytes, address->length) == 0 ||
        errno == EINPROGRESS) {
        if (link_watch(server, socket_fd, true))
            return true;
    }
    kept = errno;
    close(socket_fd);
    errno = kept;
    return false;
}

/* The addresses one after the other. A socket whose queue is full (EAGAIN) is tried again by the sweep. */
static void
connect_next(struct link *link, int error)
{
    struct proxy *proxy = link->proxy;

    link->state = LINK_CONNECTS;
    while (link->address < proxy->addresses.count) {
        if (begin_attempt(link, &proxy->addresses.items[link->address])) {
            link_set_limit(link, proxy->connect_timeout_us);
            return;
        }
        error = errno;
        if (error == EAGAIN) {
            if (!link->until_us)
                link_set_limit(link, proxy->connect_timeout_us);
            return;
        }
        link->address++;
    }
    if (error == EMFILE || error == ENFILE)
        refuse(link, "53300", "the proxy has no more file descriptors for connections",
            "Raise the limit of open files (ulimit -n) of the proxy.");
    else
        refuse_server(link, arena_printf(link->arena, "could not be reached: %s",
                                strerror(error ? error : ENOENT)));
}

static void
begin_connect(struct link *link)
{
    struct proxy *proxy = link->proxy;

    link->address = 0;
    link->until_us = 0;
    if (!link->is_counted && !link->is_cancel) {
        if (proxy->sessions >= proxy->most_connections) {
            refuse(link, "53300",
                arena_printf(link->arena, "the proxy has its most connections already: %llu",
                    (unsigned long long)proxy->most_connections),
                "Raise --max-connections, or let the application open fewer.");
            return;
        }
        link->is_counted = true;
        proxy->sessions++;
    }
    connect_next(link, 0);
}

/* True when something has happened. */
static bool
work_connect(struct link *link)
{
    struct link_side *server = &link->sides[LINK_SERVER];
    struct link_address peer = { .length = sizeof(peer.bytes) };
    int error = 0;
    socklen_t length = sizeof(error);

    if (server->socket < 0) {
        connect_next(link, 0);
        return false;
    }
    if (getsockopt(server->socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    if (!error && getpeername(server->socket, (struct sockaddr *)&peer.bytes, &peer.length) < 0) {
        if (errno == ENOTCONN)
            return false;
        error = errno;
    }
    if (error) {
        close_attempt(server);
        link->address++;
        connect_next(link, error);
        return false;
    }
    link->until_us = 0;
    server->can_read = true;
    link_want_write(server, false);
    if (link->is_cancel) {
        link->state = LINK_CANCELS;
        link_set_limit(link, CANCEL_US);
    } else {
        link->state = LINK_LOGIN;
        take_step(link, login_connected(link->login));
    }
    return true;
}

/* ---- TLS ---- */

static const char *
why_tls(struct proxy *proxy)
{
    return proxy->ctx.error.message ? proxy->ctx.error.message : "the connection was closed";
}

static void
tls_is_over(struct link_side *side, bool is_good)
{
    struct link *link = side->link;
    bool is_client = side == &link->sides[LINK_CLIENT];

    side->is_handshake = !is_good;
    link_want_write(side, false);
    if (is_good) {
        side->can_read = true;
        take_step(link, login_tls_begun(link->login, is_client, side->tls));
        return;
    }
    if (is_client) { /* it was told by TLS's alert, and would not understand anything else */
        link->proxy->counts.refused++;
        link_kill(link);
        return;
    }
    take_step(link, login_tls_failed(link->login, false, why_tls(link->proxy)));
}

static bool
work_tls(struct link_side *side)
{
    struct link *link = side->link;
    struct proxy *proxy = link->proxy;
    bool is_client = side == &link->sides[LINK_CLIENT];
    enum tls_state state;

    if (!link_flush(side))
        return false;
    error_clear(&proxy->ctx);
    if (!side->tls) {
        struct tls_context *context =
            is_client ? login_client_tls(proxy->rules) : login_server_tls(proxy->rules);

        side->is_handshake = true;
        if (!tls_new(
                &proxy->ctx, context, side->socket, is_client ? NULL : proxy->host, &side->tls)) {
            tls_is_over(side, false);
            return true;
        }
    }
    state = tls_handshake(&proxy->ctx, side->tls);
    if (state == TLS_WANT_READ || state == TLS_WANT_WRITE) {
        link_want_write(side, state == TLS_WANT_WRITE);
        return false;
    }
    tls_is_over(side, state == TLS_DONE);
    return true;
}

/* ---- steps ---- */

static void
take_step(struct link *link, enum login_step step)
{
    struct link_side *client = &link->sides[LINK_CLIENT];
    struct link_side *server = &link->sides[LINK_SERVER];

    if (step == LOGIN_CONNECT)
        link_close_side(server);
    send_buffer(client, &link->to_client);
    send_buffer(server, &link->to_server);
    switch (step) {
    case LOGIN_MORE:
        link->state = LINK_LOGIN;
        break;
    case LOGIN_CANCEL:
        link->is_cancel = true;
        begin_connect(link);
        break;
    case LOGIN_CONNECT:
        begin_connect(link);
        break;
    case LOGIN_TLS_CLIENT:
        link->state = LINK_TLS_CLIENT;
        break;
    case LOGIN_TLS_SERVER:
        link->state = LINK_TLS_SERVER;
        break;
    case LOGIN_DONE:
        link_begin_traffic(link);
        break;
    case LOGIN_REFUSED:
        link->proxy->counts.refused++;
        link_linger(link);
        break;
    }
}

static bool
hear_client(struct link *link)
{
    struct link_side *client = &link->sides[LINK_CLIENT];
    size_t length;

    if (!client->can_read || link->sides[LINK_SERVER].waiting_length > 0)
        return false;
    if (link->is_new && login_is_direct(link->login, client->socket)) {
        link->is_new = false;
        link->state = LINK_TLS_CLIENT;
        return true;
    }
    length = link_read(client, link->proxy->buffer, sizeof(link->proxy->buffer));
    if (length > 0) {
        link->is_new = false;
        take_step(link, login_client_bytes(link->login, link->proxy->buffer, length));
    } else if (client->has_ended) {
        link_kill(link);
    }
    return length > 0;
}

static bool
hear_server(struct link *link)
{
    struct link_side *server = &link->sides[LINK_SERVER];
    size_t length;

    if (server->socket < 0 || !server->can_read || link->sides[LINK_CLIENT].waiting_length > 0)
        return false;
    length = link_read(server, link->proxy->buffer, sizeof(link->proxy->buffer));
    if (length > 0) {
        link->has_answer = true;
        take_step(link, login_server_bytes(link->login, link->proxy->buffer, length));
    } else if (server->has_ended && link->has_answer) {
        link_linger(link);
    } else if (server->has_ended) {
        refuse_server(link, "closed the connection without an answer");
    }
    return length > 0;
}

/* Of a server that was asked to cancel: its end is the answer, and the client waits for it. */
static void
work_cancel(struct link *link)
{
    struct link_side *server = &link->sides[LINK_SERVER];

    if (!link_flush(server))
        return;
    while (server->can_read && !server->has_ended)
        (void)link_read(server, link->proxy->buffer, sizeof(link->proxy->buffer));
    if (server->has_ended || server->is_broken)
        link_kill(link);
}

/* One thing after the other until nothing can be done. */
static bool
work(struct link *link)
{
    struct link_side *client = &link->sides[LINK_CLIENT];

    switch (link->state) {
    case LINK_LOGIN:
        if (!link->until_us && link->sides[LINK_SERVER].socket < 0)
            link_set_limit(link, LOGIN_US);
        link_flush(client);
        if (link->sides[LINK_SERVER].socket >= 0)
            link_flush(&link->sides[LINK_SERVER]);
        if (hear_client(link))
            return true;
        return link->state == LINK_LOGIN && hear_server(link);
    case LINK_CONNECTS:
        if (client->is_ending && !link->is_cancel) {
            link_kill(link);
            return false;
        }
        return work_connect(link);
    case LINK_TLS_CLIENT:
        return work_tls(client);
    case LINK_TLS_SERVER:
        if (client->is_ending) {
            link_kill(link);
            return false;
        }
        return work_tls(&link->sides[LINK_SERVER]);
    case LINK_CANCELS:
        work_cancel(link);
        return false;
    case LINK_TRAFFIC:
    case LINK_LINGERS:
    case LINK_DEAD:
        return false;
    }
    return false;
}

void
link_login_work(struct link *link)
{
    while (work(link))
        continue;
}

void
link_login_late(struct link *link)
{
    struct link_side *server = &link->sides[LINK_SERVER];

    if (link->state == LINK_CONNECTS) {
        close_attempt(server);
        link->address++;
        connect_next(link, ETIMEDOUT);
    } else if (server->socket < 0) {
        link->proxy->counts.refused++;
        link_kill(link);
    }
}
