/*
 * Any bytes as what a client says to a server, in two pieces, answered at once or later: what comes back
 * is a row of whole answers or nothing, and the server lets go of everything when the client has gone.
 */
#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/loop.h"
#include "http/server.h"
#include "http/server_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_KEPT = 64 };

struct client {
    struct loop *loop;
    struct http_server *server;
    struct loop_watch *watch;
    struct loop_timer *later;
    struct http_request *kept[MOST_KEPT];
    size_t kept_count;
    int socket;
    const char *rest; /* that it has not said yet */
    size_t rest_length;
    struct buffer heard;
    bool is_over;
};

static void
answer(struct http_request *request)
{
    struct buffer text = { .arena = http_request_arena(request) };
    size_t length;
    const char *body = http_request_body(request, &length);

    assert(http_request_path(request)[0] == '/' || strcmp(http_request_path(request), "*") == 0);
    assert(text_is_utf8(http_request_path(request)));
    (void)http_request_query(request, "q");
    (void)http_request_header(request, "X-Y");
    /* No body begins as an answer does, so that one that is left out (HEAD) is told from others. */
    buffer_add(&text, "<");
    buffer_append(&text, body, length);
    http_answer(request,
        &(struct http_answer){
            .status = 200, .type = "text/plain", .body = text.data, .length = text.length });
}

static void
answer_the_kept(void *data)
{
    struct client *client = data;

    while (client->kept_count > 0)
        answer(client->kept[--client->kept_count]);
}

static void
handle(void *data, struct http_request *request)
{
    struct client *client = data;

    if (strstr(http_request_path(request), "later") && client->kept_count < MOST_KEPT) {
        client->kept[client->kept_count++] = request;
        loop_timer_set(client->later, 0);
    } else {
        answer(request);
    }
}

/* Says the second piece when the server has seen the first, then that this is all, and listens. */
static void
go_on(void *data, bool can_read, bool can_write)
{
    struct client *client = data;
    char bytes[4096];
    ssize_t got;

    if (can_write) {
        ssize_t sent = send(client->socket, client->rest, client->rest_length, MSG_NOSIGNAL);

        if (sent > 0) {
            client->rest += sent;
            client->rest_length -= (size_t)sent;
        }
        if (client->rest_length == 0 || sent < 0) {
            shutdown(client->socket, SHUT_WR);
            loop_watch_set(client->watch, true, false);
        }
    }
    if (!can_read)
        return;
    got = recv(client->socket, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got > 0)
        buffer_append(&client->heard, bytes, (size_t)got);
    if (got <= 0) {
        client->is_over = true;
        loop_stop(client->loop);
    }
}

/* Each answer has a length that is right, so the next one begins where it ends. */
static void
check_answers(const char *text, size_t length)
{
    const char *end = text + length;

    while (text < end) {
        const char *body, *field;

        assert(strncmp(text, "HTTP/1.1 ", 9) == 0);
        body = strstr(text, "\r\n\r\n");
        assert(body);
        if (strncmp(text + 9, "100 ", 4) == 0) {
            text = body + 4;
            continue;
        }
        field = strstr(text, "Content-Length: ");
        assert(field && field < body);
        text = body + 4;
        /* The answer to HEAD tells a length and has no body. */
        if (text < end && strncmp(text, "HTTP/1.1 ", 9) != 0)
            text += strtoull(field + 16, NULL, 10);
        assert(text <= end);
    }
}

static void
converse(struct client *client, const char *data, size_t size, size_t cut)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
        abort();
    http_connection_new(client->server, pair[0]);
    client->socket = pair[1];
    if (cut > 0 && send(pair[1], data, cut, MSG_NOSIGNAL) != (ssize_t)cut)
        abort();
    client->rest = data + cut;
    client->rest_length = size - cut;
    client->watch = loop_watch_new(client->loop, pair[1], go_on, client);
    loop_watch_set(client->watch, true, true);
    while (!client->is_over)
        loop_run(client->loop);
    loop_watch_free(client->watch);
    close(pair[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http_route routes[] = {
        { .methods = HTTP_EVERY_METHOD,
            .path = "/small/*",
            .handler = handle,
            .most_body_bytes = 8 },
        { .methods = HTTP_EVERY_METHOD, .path = "/*", .handler = handle },
    };
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct client client = { .heard = { .arena = arena } };
    struct http_server_options options = {
        .listen = "127.0.0.1:0",
        .routes = routes,
        .route_count = COUNT_OF(routes),
        .data = &client,
        .is_public = true,
    };

    if (size > 32 * 1024 || !loop_new(&ctx, &client.loop) ||
        !http_server_start(&ctx, client.loop, &options, &client.server))
        return 0;
    client.later = loop_timer_new(client.loop, answer_the_kept, &client);
    converse(
        &client, (const char *)data, size, size > 0 ? (data[0] * 131U + data[size - 1]) % size : 0);
    http_server_stop(client.server);
    answer_the_kept(&client);
    check_answers(buffer_text(&client.heard), client.heard.length);
    loop_timer_free(client.later);
    loop_free(client.loop);
    return 0;
}
