#include "http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
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
    DRAIN_SWEEP_US = 100 * 1000,
    PROMPT_US = 1000 * 1000, /* a head takes one packet, or a few at once */
    MOST_ACCEPTED = 64,      /* in one turn of the loop: others want their turn too */
    /* The same where other processes accept too: one that is quick shall not take them all. */
    MOST_ACCEPTED_SHARED = 8,
};

static void sweep(void *data);

static void
go_on_accepting(struct http_server *server)
{
    server->is_paused = false;
    if (server->listener)
        loop_watch_set(server->listener, true, false);
}

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
    int64_t most = server->is_draining ? DRAIN_SWEEP_US : LONGEST_SWEEP_US;

    return quarter < most ? quarter : most;
}

/* One timer for all connections: setting one for each request would cost more than looking. */
static void
sweep(void *data)
{
    struct http_server *server = data;
    int64_t now_us = clock_us();
    struct http_connection *next;

    server->is_sweeping = false;
    for (struct http_connection *at = server->newest; at; at = next) {
        next = at->older;
        http_connection_check(at, now_us);
    }
    if (server->is_paused)
        go_on_accepting(server);
    if (server->count > 0 || server->is_paused) {
        begin_sweeping(server, sweep_us(server));
    } else if (server->is_draining && server->drained) {
        loop_callback *drained = server->drained;

        server->drained = NULL;
        drained(server->drained_data); /* may have stopped it */
    }
}

void
http_server_keep(struct http_server *server, struct http_connection *connection)
{
    connection->newer = NULL;
    connection->older = server->newest;
    if (server->newest)
        server->newest->newer = connection;
    else
        server->oldest = connection;
    server->newest = connection;
    server->count++;
}

static void
take_out(struct http_server *server, struct http_connection *connection)
{
    if (connection->newer)
        connection->newer->older = connection->older;
    else
        server->newest = connection->older;
    if (connection->older)
        connection->older->newer = connection->newer;
    else
        server->oldest = connection->newer;
    server->count--;
}

void
http_server_renew(struct http_server *server, struct http_connection *connection)
{
    if (server->newest == connection)
        return;
    take_out(server, connection);
    http_server_keep(server, connection);
}

void
http_server_forget(struct http_server *server, struct http_connection *connection)
{
    take_out(server, connection);
    if (server->is_paused)
        go_on_accepting(server);
    if (server->is_draining && server->count == 0)
        begin_sweeping(server, 0);
}

/* Nobody waits for an answer, and nothing that was said in time is lost. */
static bool
is_dispensable(const struct http_connection *connection, int64_t now_us)
{
    if (connection->busy > 0)
        return false;
    return connection->phase == PHASE_IDLE ||
           (connection->phase == PHASE_HEAD && now_us - connection->since_us > PROMPT_US);
}

/*
 * When there is no room: who has been silent for longest, or does not get on with what it has to say, must
 * go. Those with a request stand before it in the order, but there are never many of them.
 */
static bool
make_room(struct http_server *server)
{
    struct http_connection *at = server->oldest;
    int64_t now_us = clock_us();

    while (at && !is_dispensable(at, now_us))
        at = at->newer;
    if (at)
        http_connection_end(at);
    return at;
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

/*
 * Out of descriptors: the client that waits would wake us for ever. It is accepted when a connection has
 * ended or the next sweep looks again; those that are connected notice nothing.
 */
static void
pause_accepting(struct http_server *server)
{
    server->is_paused = true;
    loop_watch_set(server->listener, false, false);
}

/* False: nobody waits, or nobody can be let in. */
static bool
accept_some(struct http_server *server, int most)
{
    for (int i = 0; i < most; i++) {
        int socket = accept4(server->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int on = 1;

        if (socket < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                pause_accepting(server);
            return false;
        }
        if (server->count >= server->options.most_connections && !make_room(server)) {
            turn_away(socket);
            continue;
        }
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        http_connection_new(server, socket);
    }
    return true;
}

static void
somebody_waits(void *data, bool can_read, bool can_write)
{
    struct http_server *server = data;
    bool is_shared = server->options.socket > 0 || server->options.share_port;

    (void)can_read;
    (void)can_write;
    (void)accept_some(server, is_shared ? MOST_ACCEPTED_SHARED : MOST_ACCEPTED);
    begin_sweeping(server, sweep_us(server));
}

static void
copy_options(struct http_server *server, const struct http_server_options *options)
{
    struct http_server_options *own = &server->options;

    *own = *options;
    own->listen = options->listen ? arena_strdup(server->arena, options->listen) : NULL;
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

/* One that was handed to us may be in the mode of whoever made it. */
static bool
adopt_socket(struct ctx *ctx, struct http_server *server)
{
    int socket = server->options.socket, is_listening = 0;
    socklen_t size = sizeof(is_listening);

    if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) < 0)
        return error_set_errno(ctx, "could not use the socket that was handed over");
    if (!is_listening)
        return error_set(ctx, ERR_INPUT, "the socket that was handed over does not listen");
    if (fcntl(socket, F_SETFL, O_NONBLOCK) < 0 || fcntl(socket, F_SETFD, FD_CLOEXEC) < 0)
        return error_set_errno(ctx, "could not use the socket that was handed over");
    server->socket = socket;
    return true;
}

static bool
open_socket(struct ctx *ctx, struct http_server *server)
{
    const struct http_server_options *options = &server->options;
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);

    if (options->socket <= 0)
        return http_address_parse(ctx, options->listen, &address) &&
               http_check_address(
                   ctx, (const struct sockaddr *)&address, options->token, options->is_public) &&
               http_server_listen(ctx, options->listen, options->share_port, &server->socket);
    return adopt_socket(ctx, server) &&
           (getsockname(server->socket, (struct sockaddr *)&address, &size) == 0 ||
               error_set_errno(ctx, "could not use the socket that was handed over")) &&
           http_check_address(
               ctx, (const struct sockaddr *)&address, options->token, options->is_public);
}

bool
http_server_start(struct ctx *ctx, struct loop *loop, const struct http_server_options *options,
    struct http_server **ret)
{
    struct arena *arena = arena_new();
    struct http_server *server = ARENA_NEW(arena, struct http_server);

    server->arena = arena;
    server->loop = loop;
    server->socket = -1;
    copy_options(server, options);
    if (!open_socket(ctx, server)) {
        http_server_stop(server);
        return false;
    }
    server->address = http_socket_address(arena, server->socket);
    prepare_cookie(server);
    server->sweep = loop_timer_new(loop, sweep, server);
    server->listener = loop_watch_new(loop, server->socket, somebody_waits, server);
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
    while (server->newest) {
        struct http_connection *first = server->newest;
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
    /* Who has connected already would be turned away by the closing of the socket. */
    while (server->listener && accept_some(server, MOST_ACCEPTED)) {
    }
    stop_listening(server);
    server->is_draining = true;
    server->drained = done;
    server->drained_data = data;
    begin_sweeping(server, 0);
}

void
http_server_accept(struct http_server *server, bool is_accepting)
{
    server->is_paused = false;
    if (server->listener)
        loop_watch_set(server->listener, is_accepting, false);
}

const char *
http_server_address(const struct http_server *server)
{
    return server->address;
}

int32_t
http_server_count(const struct http_server *server)
{
    return server->count;
}
