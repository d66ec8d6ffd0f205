#include "base/clock.h"
#include "base/memory.h"
#include "http/server_part.h"

enum {
    /* What may wait for a slow reader before events are dropped. */
    MOST_WAITING = 256 * 1024,
    /* Nothing was said for so long: a comment, by which a dead client is found out. */
    QUIET_US = 15 * 1000 * 1000,
    STUCK_US = 30 * 1000 * 1000,
};

static void
tell_closed(void *data)
{
    struct http_stream *stream = data;
    loop_callback *closed = stream->closed;
    void *closed_data = stream->data;

    loop_timer_free(stream->ending);
    free(stream);
    if (closed)
        closed(closed_data);
}

void
http_stream_lost(struct http_stream *stream, bool at_once)
{
    stream->connection = NULL;
    if (at_once) {
        tell_closed(stream);
        return;
    }
    stream->ending = loop_timer_new(stream->loop, tell_closed, stream);
    loop_timer_set(stream->ending, 0);
}

/* A client that asked by HEAD, or is gone already, gets a stream that is lost from the start. */
static void
begin(struct http_connection *connection, struct http_request *request, struct http_stream *stream)
{
    const struct http_header headers[] = { { "X-Accel-Buffering", "no" } };
    const struct http_answer answer = {
        .status = 200,
        .type = "text/event-stream; charset=utf-8",
        .headers = headers,
        .header_count = COUNT_OF(headers),
    };
    struct buffer head;

    connection->is_last = true;
    http_answer_head(request, &answer, false, &head);

    const struct iovec part = { .iov_base = head.data, .iov_len = head.length };

    connection->request = NULL;
    connection->phase = request->head.is_head ? PHASE_ANSWER : PHASE_STREAM;
    connection->since_us = clock_us();
    connection->moved = 0;
    if (!request->head.is_head) {
        connection->stream = stream;
        stream->connection = connection;
    }
    if (!http_connection_send(connection, &part, 1))
        http_connection_end(connection);
    else
        http_connection_go_on(connection);
}

struct http_stream *
http_stream_begin(struct http_request *request, loop_callback *closed, void *data)
{
    struct http_stream *stream = calloc(1, sizeof(*stream));
    bool is_gone = !request->connection || request->head.is_head;

    if (!stream)
        memory_exhausted(0);
    stream->loop = request->loop;
    stream->closed = closed;
    stream->data = data;
    if (request->connection)
        begin(request->connection, request, stream);
    if (is_gone)
        http_stream_lost(stream, false);
    http_request_free(request);
    return stream;
}

static bool
send_text(struct http_stream *stream, const char *text, size_t length)
{
    struct http_connection *connection = stream->connection;
    const struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = length };

    if (!connection)
        return false;

    size_t waiting = http_bytes_count(&connection->out);

    if (waiting > 0 && waiting + length > MOST_WAITING)
        return false;
    if (waiting == 0)
        connection->since_us = clock_us();
    if (!http_connection_send(connection, &part, 1)) {
        http_connection_end(connection);
        return false;
    }
    http_connection_go_on(connection);
    return true;
}

/* Each line of the data has its own "data: "; a line break elsewhere would begin another field. */
bool
http_stream_send(struct http_stream *stream, const char *event, const char *data)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct buffer text = { .arena = arena };

    if (event) {
        buffer_add(&text, "event: ");
        buffer_append(&text, event, strcspn(event, "\r\n"));
        buffer_add(&text, "\n");
    }
    for (const char *at = data;;) {
        size_t length = strcspn(at, "\r\n");

        buffer_add(&text, "data: ");
        buffer_append(&text, at, length);
        buffer_add(&text, "\n");
        at += length;
        if (*at == '\0')
            break;
        at += at[0] == '\r' && at[1] == '\n' ? 2 : 1;
    }
    buffer_add(&text, "\n");
    return send_text(stream, text.data, text.length);
}

void
http_stream_end(struct http_stream *stream)
{
    struct http_connection *connection = stream->connection;

    loop_timer_free(stream->ending);
    free(stream);
    if (!connection)
        return;
    connection->stream = NULL;
    connection->phase = PHASE_ANSWER;
    connection->since_us = clock_us();
    connection->moved = 0;
    http_connection_go_on(connection);
}

void
http_stream_check(struct http_stream *stream, int64_t now_us)
{
    struct http_connection *connection = stream->connection;
    int64_t waited_us = now_us - connection->since_us;

    if (http_bytes_count(&connection->out) == 0) {
        if (waited_us > QUIET_US)
            (void)send_text(stream, ":\n\n", 3);
        return;
    }
    if (connection->moved != connection->moved_before) {
        connection->moved_before = connection->moved;
        connection->since_us = now_us;
    } else if (waited_us > STUCK_US) {
        http_connection_end(connection);
    }
}
