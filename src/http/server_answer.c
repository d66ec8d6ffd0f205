#include <arpa/inet.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "http/address.h"
#include "http/server_part.h"

/* What a page may do that says nothing else: its own scripts and styles, and asking us. */
static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/* Beside a handler's own policy; both hold. */
static const char frame_policy[] = "base-uri 'none'; frame-ancestors 'none'";
static const char data_policy[] = "default-src 'none'; frame-ancestors 'none'";

static const char fixed_headers[] = "X-Content-Type-Options: nosniff\r\n"
                                    "Referrer-Policy: no-referrer\r\n"
                                    "X-Frame-Options: DENY\r\n"
                                    "Cross-Origin-Resource-Policy: same-origin\r\n";

static const char *
reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 417, "Expectation Failed" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Other";
}

/* Written once a second. */
static const char *
date_text(struct http_server *server)
{
    time_t now = time(NULL);

    if (now != server->date_second)
        http_date(server->date, now, "GMT");
    server->date_second = now;
    return server->date;
}

struct http_request *
http_request_new(struct http_connection *connection)
{
    struct arena *arena = arena_new();
    struct http_request *request = ARENA_NEW(arena, struct http_request);

    request->arena = arena;
    request->body.arena = arena;
    request->loop = connection->server->loop;
    request->connection = connection;
    return request;
}

void
http_request_free(struct http_request *request)
{
    if (request)
        arena_free(request->arena);
}

/* What would end the line, and begin a header of somebody else's, is left out with its header. */
static bool
is_one_line(const char *text)
{
    for (const char *at = text; *at; at++) {
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return false;
    }
    return true;
}

static bool
has_header(const struct http_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static void
add_header(struct buffer *to, const char *name, const char *value)
{
    if (!is_one_line(value))
        return;
    buffer_add(to, name);
    buffer_append(to, ": ", 2);
    buffer_add(to, value);
    buffer_append(to, "\r\n", 2);
}

/* Those of the handler, but for what is ours to say. */
static void
add_own_headers(struct buffer *to, const struct http_answer *answer)
{
    static const char *const ours[] = { "Content-Length", "Transfer-Encoding", "Connection",
        "Date" };

    for (size_t i = 0; i < answer->header_count; i++) {
        const struct http_header *header = &answer->headers[i];
        bool is_ours = !is_one_line(header->name);

        for (size_t j = 0; j < COUNT_OF(ours); j++) {
            if (strcasecmp(header->name, ours[j]) == 0)
                is_ours = true;
        }
        if (!is_ours)
            add_header(to, header->name, header->value);
    }
}

void
http_answer_head(struct http_request *request, const struct http_answer *answer, bool has_length,
    struct buffer *ret)
{
    struct http_connection *connection = request->connection;
    bool has_body = answer->status >= 200 && answer->status != 204 && answer->status != 304;
    bool is_page = answer->type && text_starts_with(answer->type, "text/html");
    bool has_policy = has_header(answer, "Content-Security-Policy");

    *ret = (struct buffer){ .arena = request->arena };
    buffer_printf(ret, "HTTP/1.1 %d %s\r\nDate: ", answer->status, reason_of(answer->status));
    buffer_add(ret, date_text(connection->server));
    buffer_append(ret, "\r\n", 2);
    if (answer->type)
        add_header(ret, "Content-Type", answer->type);
    if (has_body && has_length)
        buffer_printf(ret, "Content-Length: %zu\r\n", answer->length);
    buffer_append(ret, fixed_headers, sizeof(fixed_headers) - 1);
    add_header(ret, "Content-Security-Policy",
        has_policy ? frame_policy : (is_page ? page_policy : data_policy));
    if (!has_header(answer, "Cache-Control"))
        add_header(ret, "Cache-Control", "no-store");
    add_own_headers(ret, answer);
    if (connection->is_last)
        add_header(ret, "Connection", "close");
    else if (request->head.is_old)
        add_header(ret, "Connection", "keep-alive");
    buffer_append(ret, "\r\n", 2);
}

void
http_answer(struct http_request *request, const struct http_answer *answer)
{
    struct http_connection *connection = request->connection;
    struct buffer head;
    bool has_body = !request->head.is_head && answer->status != 204 && answer->status != 304;

    if (!connection) {
        http_request_free(request);
        return;
    }
    if (connection->server->is_draining)
        connection->is_last = true;
    http_answer_head(request, answer, true, &head);

    const struct iovec parts[] = {
        { .iov_base = head.data, .iov_len = head.length },
        { .iov_base = (void *)(uintptr_t)answer->body, .iov_len = answer->length },
    };

    connection->request = NULL;
    connection->phase = PHASE_ANSWER;
    connection->since_us = clock_us();
    connection->moved = 0;
    if (!http_connection_send(connection, parts, has_body && answer->length > 0 ? 2 : 1))
        http_connection_end(connection);
    else
        http_connection_go_on(connection);
    http_request_free(request);
}

static void
answer_error(struct http_request *request, int status, const struct error *error,
    const struct http_header *header)
{
    json_t *json CLEANUP(json_release) = json_pack("{s: {s: s, s: s?, s: s*}}", "error", "kind",
        error_kind_name(error->kind), "message", error->message, "hint", error->hint);
    /* What is not UTF-8 cannot be packed. */
    const char *text = json ? json_text(request->arena, json)
                            : "{\"error\": {\"kind\": \"failed\", \"message\": \"failed\"}}";
    const struct http_answer answer = {
        .status = status,
        .type = "application/json",
        .body = text,
        .length = strlen(text),
        .headers = header,
        .header_count = header ? 1 : 0,
    };

    http_answer(request, &answer);
}

void
http_fail(struct http_request *request, const struct error *error)
{
    answer_error(request, error_http_status(error->kind), error, NULL);
}

static enum error_kind
kind_of(int status)
{
    switch (status) {
    case 401:
    case 403:
        return ERR_RIGHTS;
    case 404:
        return ERR_NOT_FOUND;
    case 405:
    case 501:
    case 505:
        return ERR_UNSUPPORTED;
    case 408:
        return ERR_TIMEOUT;
    default:
        return ERR_INPUT;
    }
}

void
http_refuse(
    struct http_request *request, int status, const char *why, const struct http_header *header)
{
    struct http_connection *connection = request->connection;
    bool is_whole = request->head.path && request->head.host && !request->head.is_chunked &&
                    request->head.length == 0;

    /* Where the next request begins is known only if this one could be read to its end. */
    if (!is_whole || status == 400)
        connection->is_last = true;
    answer_error(
        request, status, &(struct error){ .kind = kind_of(status), .message = why }, header);
}

struct arena *
http_request_arena(struct http_request *request)
{
    return request->arena;
}

enum http_method
http_request_method(const struct http_request *request)
{
    return request->head.method;
}

const char *
http_request_path(const struct http_request *request)
{
    return request->head.path;
}

/* What cannot be decoded is given as it came, so that whoever reads it refuses it. */
static const char *
decoded_or_raw(struct arena *arena, char *value)
{
    const char *raw = arena_strdup(arena, value);

    return http_decode(value, true) ? value : raw;
}

const char *
http_request_query(const struct http_request *request, const char *name)
{
    for (const char *at = request->head.query; at && *at;) {
        size_t length = strcspn(at, "&");
        char *pair = arena_strndup(request->arena, at, length);
        char *value = strchr(pair, '=');

        if (value)
            *value++ = '\0';
        if (http_decode(pair, true) && text_equal(pair, name))
            return value ? decoded_or_raw(request->arena, value) : "";
        at += length + (at[length] == '&' ? 1 : 0);
    }
    return NULL;
}

const char *
http_request_query_name(const struct http_request *request, size_t number)
{
    for (const char *at = request->head.query; at && *at;) {
        size_t length = strcspn(at, "&");

        if (length > 0 && number-- == 0)
            return decoded_or_raw(
                request->arena, arena_strndup(request->arena, at, strcspn(at, "=&")));
        at += length + (at[length] == '&' ? 1 : 0);
    }
    return NULL;
}

const char *
http_request_header(const struct http_request *request, const char *name)
{
    return http_head_get(&request->head, name);
}

const char *
http_request_last_header(const struct http_request *request, const char *name)
{
    for (size_t i = request->head.header_count; i-- > 0;) {
        if (strcasecmp(request->head.headers[i].name, name) == 0)
            return request->head.headers[i].value;
    }
    return NULL;
}

const char *
http_request_body(const struct http_request *request, size_t *ret_length)
{
    *ret_length = request->body.length;
    return request->body.data ? request->body.data : "";
}

const char *
http_request_client(struct http_request *request)
{
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);

    if (!request->connection ||
        getpeername(request->connection->socket, (struct sockaddr *)&address, &size) < 0)
        return "a client that is gone";
    return http_address_text(request->arena, (const struct sockaddr *)&address);
}

bool
http_request_is_gone(const struct http_request *request)
{
    return !request->connection;
}

void
http_request_on_gone(struct http_request *request, loop_callback *gone, void *data)
{
    request->gone = gone;
    request->gone_data = data;
}
