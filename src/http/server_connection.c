#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/server_part.h"

/*
 * Nobody may hold a connection for long by doing little: a head must be there in time, a body and the
 * reading of an answer must get on at 500 bytes a second.
 */
enum {
    HEAD_US = 10 * 1000 * 1000,
    SLOW_US = 10 * 1000 * 1000,
    BYTE_US = 2000,
    LINGER_US = 5 * 1000 * 1000,
    MOST_THROWN = 4 * 1024 * 1024,
    READ_SIZE = 16 * 1024,
    /* Who is silent for so long while we drain has no request on its way that would be lost. */
    DRAIN_IDLE_US = 1000 * 1000,
};

static void
set_phase(struct http_connection *connection, enum http_phase phase)
{
    connection->phase = phase;
    connection->since_us = clock_us();
    connection->moved = 0;
    if (phase == PHASE_IDLE)
        http_server_renew(connection->server, connection);
}

static void
leave(struct http_connection *connection)
{
    if (--connection->busy == 0 && connection->is_ended)
        free(connection);
}

/* What is done for the request may be cancelled; it is answered into the void. */
static void
lose_request(struct http_request *request)
{
    loop_callback *gone = request->gone;

    request->connection = NULL;
    request->gone = NULL;
    if (gone)
        gone(request->gone_data); /* may have answered it */
}

void
http_connection_end(struct http_connection *connection)
{
    struct http_request *request = connection->request;
    bool is_at_work = connection->phase == PHASE_WORK;

    if (connection->is_ended)
        return;
    connection->is_ended = true;
    connection->busy++;
    loop_watch_free(connection->watch);
    close(connection->socket);
    http_bytes_free(&connection->in);
    http_bytes_free(&connection->out);
    http_server_forget(connection->server, connection);
    connection->request = NULL;
    if (connection->stream)
        http_stream_lost(connection->stream, false);
    connection->stream = NULL;
    leave(connection);
    if (request && is_at_work)
        lose_request(request);
    else
        http_request_free(request);
}

bool
http_connection_send(struct http_connection *connection, const struct iovec *parts, int count)
{
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts,
        .msg_iovlen = (size_t)count };
    size_t sent = 0;

    if (http_bytes_count(&connection->out) == 0) {
        ssize_t done = sendmsg(connection->socket, &message, MSG_NOSIGNAL);

        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        sent = done > 0 ? (size_t)done : 0;
        connection->moved += (int64_t)sent;
    }
    for (int i = 0; i < count; i++) {
        size_t gone = sent < parts[i].iov_len ? sent : parts[i].iov_len;

        http_bytes_add(
            &connection->out, (const char *)parts[i].iov_base + gone, parts[i].iov_len - gone);
        sent -= gone;
    }
    return true;
}

/* False: the connection is lost. */
static bool
write_on(struct http_connection *connection)
{
    struct http_bytes *out = &connection->out;
    ssize_t sent;

    if (http_bytes_count(out) == 0)
        return true;
    sent = send(connection->socket, out->data + out->start, http_bytes_count(out), MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    connection->moved += sent;
    http_bytes_drop(out, (size_t)sent);
    return true;
}

/* After its end has been read, recv() says nothing but that, even of a connection that was reset. */
static bool
is_lost(const struct http_connection *connection)
{
    struct pollfd state = { .fd = connection->socket };

    return poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP));
}

static bool
read_on(struct http_connection *connection)
{
    char bytes[READ_SIZE];
    ssize_t got;

    if (connection->is_eof)
        return !is_lost(connection);
    got = recv(connection->socket, bytes, sizeof(bytes), 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    http_bytes_add(&connection->in, bytes, (size_t)got);
    if (got == 0)
        connection->is_eof = true;
    return true;
}

/* Refuses what cannot even be read as a request. */
static bool
refuse(struct http_connection *connection, int status, const char *why)
{
    if (!connection->request)
        connection->request = http_request_new(connection);
    connection->is_last = true; /* where the next one would begin is not known */
    http_refuse(connection->request, status, why, NULL);
    return true;
}

static bool
hand_over(struct http_connection *connection)
{
    struct http_request *request = connection->request;

    set_phase(connection, PHASE_WORK);
    request->handler.call(request->handler.data, request);
    return true;
}

static bool
begin_body(struct http_connection *connection)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = sizeof(text) - 1 };
    const struct http_head *head = &connection->request->head;

    if (!head->is_chunked && head->length == 0)
        return hand_over(connection);
    set_phase(connection, PHASE_BODY);
    connection->chunks = (struct http_chunks){ 0 };
    if (head->is_asking && http_bytes_count(&connection->in) == 0 &&
        !http_connection_send(connection, &part, 1))
        http_connection_end(connection);
    return true;
}

static bool
read_head(struct http_connection *connection, size_t length)
{
    struct http_request *request = http_request_new(connection);
    struct http_bytes *in = &connection->in;
    char *text = arena_strndup(request->arena, in->data + in->start, length);
    const char *why = NULL;
    int status;

    http_bytes_drop(in, length);
    connection->scanned = 0;
    connection->request = request;
    status = http_head_read(text, length, &request->head, &why);
    if (request->head.is_last)
        connection->is_last = true;
    if (status)
        return refuse(connection, status, why);
    return !http_route(request) || begin_body(connection);
}

/* What is there of a head; a client may send an empty line too many before it. */
static bool
take_head(struct http_connection *connection)
{
    struct http_bytes *in = &connection->in;
    int64_t length;

    if (connection->phase == PHASE_IDLE && http_bytes_count(in) >= 2 &&
        memcmp(in->data + in->start, "\r\n", 2) == 0)
        http_bytes_drop(in, 2);
    if (http_bytes_count(in) > 0 && connection->phase == PHASE_IDLE)
        set_phase(connection, PHASE_HEAD);
    length = http_bytes_count(in) == 0
                 ? 0
                 : http_head_find(in->data + in->start, http_bytes_count(in), &connection->scanned);
    if (length < 0)
        return refuse(connection, 400, "a line does not end with CR LF");
    if (length > HTTP_MOST_HEAD || (length == 0 && http_bytes_count(in) > HTTP_MOST_HEAD))
        return refuse(connection, 431, "the headers are too long");
    if (length > 0)
        return read_head(connection, (size_t)length);
    if (connection->is_eof)
        http_connection_end(connection);
    return false;
}

static bool
take_body(struct http_connection *connection)
{
    struct http_request *request = connection->request;
    struct http_bytes *in = &connection->in;
    size_t used = http_bytes_count(in), got;
    int64_t left = request->head.length - (int64_t)request->body.length;

    if (used == 0) {
        if (connection->is_eof)
            http_connection_end(connection);
        return false;
    }
    got = used = !request->head.is_chunked && (int64_t)used > left ? (size_t)left : used;
    if (request->head.is_chunked &&
        http_chunks_read(&connection->chunks, in->data + in->start, used, &used, &got) != 0)
        return refuse(connection, 400, "the body is not chunked as it should be");
    connection->moved += (int64_t)got;
    if ((int64_t)(request->body.length + got) > request->most_body_bytes)
        return refuse(connection, 413, "the body is too long");
    buffer_append(&request->body, in->data + in->start, got);
    http_bytes_drop(in, used);
    if (request->head.is_chunked ? connection->chunks.at == CHUNK_DONE
                                 : (int64_t)request->body.length == request->head.length)
        return hand_over(connection);
    if (used == 0 && connection->is_eof)
        http_connection_end(connection);
    return used > 0;
}

/* The answer is gone: on to the next request, or a good end. */
static bool
finish(struct http_connection *connection)
{
    if (http_bytes_count(&connection->out) > 0)
        return false;
    if (!connection->is_last) {
        set_phase(connection, PHASE_IDLE);
        return true;
    }
    /* With bytes unread, closing at once would reset the connection and take the answer along. */
    shutdown(connection->socket, SHUT_WR);
    set_phase(connection, PHASE_LINGER);
    return true;
}

static bool
throw_away(struct http_connection *connection)
{
    size_t count = http_bytes_count(&connection->in);

    http_bytes_free(&connection->in);
    connection->thrown += (int64_t)count;
    if (connection->is_eof || connection->thrown > MOST_THROWN)
        http_connection_end(connection);
    return false;
}

/* One step onwards; false: there is nothing to do until the socket or a handler says more. */
static bool
step(struct http_connection *connection)
{
    switch (connection->phase) {
    case PHASE_IDLE:
    case PHASE_HEAD:
        return take_head(connection);
    case PHASE_BODY:
        return take_body(connection);
    case PHASE_WORK:
        return false;
    case PHASE_ANSWER:
        return finish(connection);
    case PHASE_STREAM:
    case PHASE_LINGER:
        return throw_away(connection);
    }
    return false;
}

/*
 * The client will send no more, and may be gone or wait for its answer: one looks like the other until
 * something is sent, which a system without the connection answers by resetting it. An interim answer
 * too many is what every HTTP/1.1 client must take.
 */
static void
probe(struct http_connection *connection)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = sizeof(text) - 1 };

    /* If it is lost already, that is the first thing that is called back. */
    if (!connection->is_probed && !connection->request->head.is_old)
        (void)http_connection_send(connection, &part, 1);
    connection->is_probed = true;
    loop_watch_set_loss(connection->watch);
}

void
http_connection_go_on(struct http_connection *connection)
{
    if (connection->busy > 0)
        return; /* who is at it goes on by himself */
    connection->busy++;
    while (!connection->is_ended && step(connection)) {
    }
    if (!connection->is_ended && connection->is_eof && connection->phase == PHASE_WORK) {
        probe(connection);
    } else if (!connection->is_ended) {
        /* Requests sent ahead of their turn wait, and in the end so does their client. */
        bool is_full = (connection->phase == PHASE_WORK || connection->phase == PHASE_ANSWER) &&
                       http_bytes_count(&connection->in) >= HTTP_MOST_HEAD;

        loop_watch_set(connection->watch, !connection->is_eof && !is_full,
            http_bytes_count(&connection->out) > 0);
    }
    leave(connection);
}

static void
socket_is_ready(void *data, bool can_read, bool can_write)
{
    struct http_connection *connection = data;

    if ((can_write && !write_on(connection)) || (can_read && !read_on(connection)))
        http_connection_end(connection);
    else
        http_connection_go_on(connection);
}

void
http_connection_new(struct http_server *server, int socket)
{
    struct http_connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        memory_exhausted(0);
    connection->server = server;
    connection->socket = socket;
    connection->watch = loop_watch_new(server->loop, socket, socket_is_ready, connection);
    http_server_keep(server, connection);
    set_phase(connection, PHASE_IDLE);
    loop_watch_set(connection->watch, true, false);
}

/* Whether an idle connection ends; a request that has come but was not read yet must not be lost. */
static bool
is_idle_enough(const struct http_connection *connection, int64_t waited_us)
{
    const struct http_server *server = connection->server;
    char byte;

    if (waited_us > server->options.idle_timeout_us)
        return true;
    return server->is_draining && waited_us > DRAIN_IDLE_US &&
           recv(connection->socket, &byte, 1, MSG_PEEK) <= 0;
}

void
http_connection_check(struct http_connection *connection, int64_t now_us)
{
    const struct http_server *server = connection->server;
    int64_t idle_us = server->options.idle_timeout_us;
    int64_t waited_us = now_us - connection->since_us;
    int64_t head_us = idle_us < HEAD_US ? idle_us : HEAD_US;
    int64_t slow_us = (idle_us < SLOW_US ? idle_us : SLOW_US) + connection->moved * BYTE_US;

    switch (connection->phase) {
    case PHASE_IDLE:
        if (is_idle_enough(connection, waited_us))
            http_connection_end(connection);
        break;
    case PHASE_HEAD:
    case PHASE_BODY:
        if (waited_us <= (connection->phase == PHASE_BODY ? slow_us : head_us))
            break;
        refuse(connection, 408, "the request came too slowly");
        http_connection_go_on(connection);
        break;
    case PHASE_ANSWER:
        if (waited_us > slow_us)
            http_connection_end(connection);
        break;
    case PHASE_LINGER:
        if (waited_us > LINGER_US)
            http_connection_end(connection);
        break;
    case PHASE_STREAM:
        http_stream_check(connection->stream, now_us);
        break;
    case PHASE_WORK:
        break;
    }
}
