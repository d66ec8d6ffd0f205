/* One connection of the HTTP load: opening, sending, and as much of an answer as matters. */
#include <errno.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "load/http_part.h"

void
load_http_close(struct load_http_connection *connection)
{
    loop_watch_free(connection->watch);
    connection->watch = NULL;
    if (connection->socket >= 0)
        close(connection->socket);
    connection->socket = -1;
    connection->phase = LOAD_HTTP_UNOPENED;
}

static void
send_more(struct load_http_connection *connection)
{
    const struct load_http_request *request = connection->request;

    while (connection->sent < request->length) {
        ssize_t count = send(connection->socket, request->bytes + connection->sent,
            request->length - connection->sent, MSG_NOSIGNAL);

        if (count < 0 && errno == EAGAIN)
            break;
        if (count <= 0) {
            load_http_lost(connection);
            return;
        }
        connection->sent += (size_t)count;
    }
    loop_watch_set(connection->watch, true, connection->sent < request->length);
}

void
load_http_ask(struct load_http_connection *connection, int64_t intended_us)
{
    struct load_http *load = connection->load;

    /* xorshift64*; source: Vigna 2016 */
    load->random ^= load->random >> 12;
    load->random ^= load->random << 25;
    load->random ^= load->random >> 27;
    connection->request =
        &load->options
             ->requests[(load->random * 0x2545f4914f6cdd1d >> 32) % load->options->request_count];
    connection->sent = 0;
    connection->intended_us = intended_us;
    connection->left = -1;
    connection->head_length = 0;
    connection->statements = 0;
    connection->is_last = false;
    connection->phase = LOAD_HTTP_ASKING;
    send_more(connection);
}

/* The value of a header within the head, or NULL; the head ends with a NUL. */
static const char *
find_header(const char *head, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = strchr(head, '\n'); line; line = strchr(line + 1, '\n')) {
        if (strncasecmp(line + 1, name, length) == 0 && line[1 + length] == ':')
            return line + 1 + length + 1 + strspn(line + 1 + length + 1, " ");
    }
    return NULL;
}

/* A whole head is there: what matters of it. False: it is no answer that we can read. */
static bool
read_head(struct load_http_connection *connection)
{
    const char *length = find_header(connection->head, "Content-Length");
    const char *close = find_header(connection->head, "Connection");
    const char *statements = find_header(connection->head, "X-Query-Count");

    if (!text_starts_with(connection->head, "HTTP/1.1 ") || !length)
        return false;
    connection->status = (int)strtol(connection->head + strlen("HTTP/1.1 "), NULL, 10);
    connection->left = strtoll(length, NULL, 10);
    connection->is_last = close && strncasecmp(close, "close", strlen("close")) == 0;
    connection->statements = statements ? (int32_t)strtol(statements, NULL, 10) : 0;
    return connection->status >= 100 && connection->left >= 0;
}

/* Takes bytes of an answer; false when it cannot be read. */
static bool
take(struct load_http_connection *connection, const char *data, size_t count)
{
    const char *end;
    size_t room = sizeof(connection->head) - 1 - connection->head_length;
    size_t before = connection->head_length;
    size_t used = count < room ? count : room;

    if (connection->left >= 0) {
        connection->left -= (int64_t)count;
        return connection->left >= 0;
    }
    memcpy(connection->head + before, data, used);
    connection->head_length += used;
    connection->head[connection->head_length] = '\0';
    end = strstr(connection->head, "\r\n\r\n");
    if (!end)
        return connection->head_length + 1 < sizeof(connection->head);
    used = (size_t)(end + 4 - connection->head) - before;
    connection->head[end + 2 - connection->head] = '\0';
    if (!read_head(connection))
        return false;
    connection->left -= (int64_t)(count - used);
    return connection->left >= 0;
}

static void
read_more(struct load_http_connection *connection)
{
    char data[65536];
    ssize_t count = recv(connection->socket, data, sizeof(data), 0);

    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0 || connection->phase != LOAD_HTTP_ASKING ||
        !take(connection, data, (size_t)count)) {
        load_http_lost(connection);
        return;
    }
    if (connection->left == 0 && connection->sent == connection->request->length)
        load_http_answered(connection);
}

static void
is_ready(void *data, bool can_read, bool can_write)
{
    struct load_http_connection *connection = data;
    int error = 0;
    socklen_t size = sizeof(error);

    if (connection->phase == LOAD_HTTP_CONNECTING) {
        getsockopt(connection->socket, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            load_http_lost(connection);
            return;
        }
        connection->phase = LOAD_HTTP_IDLE;
        loop_watch_set(connection->watch, true, false);
        load_http_opened(connection);
        return;
    }
    if (can_write && connection->phase == LOAD_HTTP_ASKING)
        send_more(connection);
    if (can_read && connection->socket >= 0)
        read_more(connection);
}

bool
load_http_connect(struct load_http_connection *connection)
{
    const struct addrinfo *address = connection->load->address;
    int on = 1;

    connection->socket = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->socket < 0)
        return false;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(connection->socket, address->ai_addr, address->ai_addrlen) < 0 &&
        errno != EINPROGRESS) {
        close(connection->socket);
        connection->socket = -1;
        return false;
    }
    connection->watch =
        loop_watch_new(connection->load->loop, connection->socket, is_ready, connection);
    connection->phase = LOAD_HTTP_CONNECTING;
    loop_watch_set(connection->watch, false, true);
    return true;
}
