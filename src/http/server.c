#include "http/server.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "http/address.h"
#include "http/server_part.h"

enum {
    STANDARD_IDLE_US = 60 * 1000 * 1000,
    STANDARD_BODY = 1024 * 1024,
    STANDARD_CONNECTIONS = 200,
    LONGEST_SWEEP_US = 1000 * 1000,
    BACKLOG = 511,
    MOST_ACCEPTED = 64, /* in one turn of the loop: others want their turn too */
};

static void sweep(void *data);

static void
begin_sweeping(struct http_server *server, int64_t after_us)
{
    if (server->is_sweeping && after_us > 0)
        return;
    server->is_sweeping = true;
    loop_timer_set(server->sweep, after_us);
}

static int64_t
sweep_us(const struct http_server *server)
{
    int64_t quarter = server->options.idle_timeout_us / 4 + 1;

    return quarter < LONGEST_SWEEP_US ? quarter : LONGEST_SWEEP_US;
}

/* One timer for all connections: setting one for each request would cost more than looking. */
static void
sweep(void *data)
{
    struct http_server *server = data;
    int64_t now_us = clock_us();
    struct http_connection *next;

    server->is_sweeping = false;
    for (struct http_connection *at = server->connections; at; at = next) {
        next = at->next;
        http_connection_check(at, now_us);
    }
    if (server->listener)
        loop_watch_set(server->listener, true, false);
    if (server->count > 0) {
        begin_sweeping(server, sweep_us(server));
    } else if (server->is_draining && server->drained) {
        loop_callback *drained = server->drained;

        server->drained = NULL;
        drained(server->drained_data); /* may have stopped it */
    }
}

void
http_server_forget(struct http_server *server, struct http_connection *connection)
{
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    server->count--;
    if (server->is_draining && server->count == 0)
        begin_sweeping(server, 0);
}

/* When there is no room: who has been silent for longest, and has no request under way, must go. */
static bool
make_room(struct http_server *server)
{
    struct http_connection *oldest = NULL;

    for (struct http_connection *at = server->connections; at; at = at->next) {
        if (at->phase == PHASE_IDLE && at->busy == 0 &&
            (!oldest || at->since_us < oldest->since_us))
            oldest = at;
    }
    if (oldest)
        http_connection_end(oldest);
    return oldest;
}

static void
turn_away(int socket)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                               "Content-Length: 0\r\nConnection: close\r\n\r\n";
    ssize_t sent = send(socket, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);

    (void)sent; /* it is told if that goes at once */
    shutdown(socket, SHUT_WR);
    close(socket);
}

static void
accept_some(void *data, bool can_read, bool can_write)
{
    struct http_server *server = data;

    (void)can_read;
    (void)can_write;
    for (int i = 0; i < MOST_ACCEPTED; i++) {
        int socket = accept4(server->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int on = 1;

        if (socket < 0) {
            /* Out of descriptors: the one that waits would wake us for ever. */
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                loop_watch_set(server->listener, false, false);
            break;
        }
        if (server->count >= server->options.most_connections && !make_room(server)) {
            turn_away(socket);
            continue;
        }
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        http_connection_new(server, socket);
    }
    begin_sweeping(server, sweep_us(server));
}

static bool
try_bind(struct http_server *server, const struct sockaddr_storage *address)
{
    int on = 1, off = 0;
    socklen_t size =
        address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

    server->socket = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->socket < 0)
        return false;
    setsockopt(server->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (server->options.share_port)
        setsockopt(server->socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (address->ss_family == AF_INET6)
        setsockopt(server->socket, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    return bind(server->socket, (const struct sockaddr *)address, size) == 0 &&
           listen(server->socket, BACKLOG) == 0;
}

static bool
listen_on(struct ctx *ctx, struct http_server *server, const struct sockaddr_storage *address)
{
    bool is_all = server->options.listen[0] == ':';
    struct sockaddr_storage got = { 0 };
    socklen_t size = sizeof(got);
    bool is_bound = try_bind(server, address);

    if (!is_bound && is_all && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
        struct sockaddr_in v4 = { .sin_family = AF_INET,
            .sin_port = ((const struct sockaddr_in6 *)(const void *)address)->sin6_port };
        struct sockaddr_storage all = { 0 };

        memcpy(&all, &v4, sizeof(v4));
        if (server->socket >= 0)
            close(server->socket);
        is_bound = try_bind(server, &all);
    }
    if (!is_bound) {
        bool is_used = errno == EADDRINUSE;

        error_set_errno(ctx, "could not listen on \"%s\"", server->options.listen);
        return is_used ? error_hint(ctx, "another program listens there: choose another port")
                       : false;
    }
    getsockname(server->socket, (struct sockaddr *)&got, &size);
    server->address = http_address_text(server->arena, (const struct sockaddr *)&got);
    return true;
}

static void
copy_options(struct http_server *server, const struct http_server_options *options)
{
    struct http_server_options *own = &server->options;

    *own = *options;
    own->listen = arena_strdup(server->arena, options->listen);
    own->token = options->token ? arena_strdup(server->arena, options->token) : NULL;
    own->hosts = (struct text_list){ 0 };
    for (size_t i = 0; i < options->hosts.count; i++)
        text_list_add(
            server->arena, &own->hosts, arena_strdup(server->arena, options->hosts.items[i]));
    if (own->idle_timeout_us <= 0)
        own->idle_timeout_us = STANDARD_IDLE_US;
    if (own->most_body_bytes <= 0)
        own->most_body_bytes = STANDARD_BODY;
    if (own->most_connections <= 0)
        own->most_connections = STANDARD_CONNECTIONS;
}

/* Cookies are sent to every port of a host, so the name has ours, and the value is not the token. */
static void
prepare_cookie(struct http_server *server)
{
    const char *token = server->options.token;
    const char *text;

    if (!token)
        return;
    text = arena_printf(server->arena, "pgmend cookie\n%s", token);
    server->cookie = arena_printf(server->arena, "pgmend_%s", strrchr(server->address, ':') + 1);
    server->cookie_value = sha256_of(server->arena, text, strlen(text));
}

bool
http_server_start(struct ctx *ctx, struct loop *loop, const struct http_server_options *options,
    struct http_server **ret)
{
    struct arena *arena;
    struct http_server *server;
    struct sockaddr_storage address;

    if (!http_address_parse(ctx, options->listen, &address))
        return false;
    if (options->token && !*options->token)
        return error_set(ctx, ERR_USAGE, "the token to listen with is empty");
    if (!options->token && !http_address_is_loopback((const struct sockaddr *)&address)) {
        error_set(ctx, ERR_USAGE,
            "without a token only this machine may be listened to, not \"%s\"", options->listen);
        return error_hint(ctx, "give a token, or listen on 127.0.0.1");
    }
    arena = arena_new();
    server = ARENA_NEW(arena, struct http_server);
    server->arena = arena;
    server->loop = loop;
    server->socket = -1;
    copy_options(server, options);
    if (!listen_on(ctx, server, &address)) {
        http_server_stop(server);
        return false;
    }
    prepare_cookie(server);
    server->sweep = loop_timer_new(loop, sweep, server);
    server->listener = loop_watch_new(loop, server->socket, accept_some, server);
    loop_watch_set(server->listener, true, false);
    *ret = server;
    return true;
}

static void
stop_listening(struct http_server *server)
{
    loop_watch_free(server->listener);
    server->listener = NULL;
    if (server->socket >= 0)
        close(server->socket);
    server->socket = -1;
}

void
http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    stop_listening(server);
    server->is_draining = false;
    while (server->connections) {
        struct http_connection *first = server->connections;
        struct http_stream *stream = first->stream;

        first->stream = NULL;
        http_connection_end(first);
        if (stream)
            http_stream_lost(stream, true);
    }
    loop_timer_free(server->sweep);
    arena_free(server->arena);
}

void
http_server_drain(struct http_server *server, loop_callback *done, void *data)
{
    stop_listening(server);
    server->is_draining = true;
    server->drained = done;
    server->drained_data = data;
    begin_sweeping(server, 0);
}

const char *
http_server_address(const struct http_server *server)
{
    return server->address;
}
