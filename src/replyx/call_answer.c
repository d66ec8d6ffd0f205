/* What goes back to the client, and what is counted of it. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "replyx/call_part.h"
#include "replyx/complaints.h"
#include "replyx/print.h"
#include "replyx/shadow.h"

enum { STATUS_GONE = 499, MOST_HEADERS = CALL_MOST_HEADERS + 5 };

/* Of a response: ours and the endpoint's. */
struct headers {
    struct http_header items[MOST_HEADERS];
    size_t count;
};

static void
add_header(struct headers *headers, const char *name, const char *value)
{
    headers->items[headers->count++] = (struct http_header){ name, value };
}

/* 1234 microseconds as "1.234" milliseconds. */
static void
add_milliseconds(struct buffer *out, const char *name, int64_t us)
{
    int64_t left = us < 0 ? 0 : us;
    char text[24];
    size_t at = sizeof(text);

    for (int digit = 0; digit < 4 || left > 0; digit++) {
        if (digit == 3)
            text[--at] = '.';
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    }
    buffer_add(out, name);
    buffer_append(out, text + at, sizeof(text) - at);
}

static const char *
count_text(struct arena *arena, int32_t count)
{
    struct buffer buffer = { .arena = arena };

    print_int(&buffer, count);
    return buffer_text(&buffer);
}

static void
collect_headers(const struct call *call, struct headers *ret)
{
    struct arena *arena = call->ctx.arena;
    struct buffer timing = { .arena = arena };

    ret->count = 0;
    add_milliseconds(&timing, "queue;dur=", call->waited_us);
    add_milliseconds(&timing, ", db;dur=", call->ran_us);
    add_milliseconds(&timing, ", total;dur=", clock_us() - call->started_us);
    add_header(ret, "X-Query-Count", count_text(arena, call->statements));
    add_header(ret, "Server-Timing", buffer_text(&timing));
    if (call->variant)
        add_header(ret, "X-Variant", call->variant->name);
    for (size_t i = 0; i < call->header_count; i++)
        add_header(ret, call->headers[i].name, call->headers[i].value);
}

/* Counted, and no longer known to the client's connection. */
static void
finish(struct call *call, int status)
{
    struct api *api = call->api;

    call->is_answered = true;
    http_request_on_gone(call->request, NULL, NULL);
    loop_timer_free(call->limit);
    api->under_way--;
    tally_add(api->tally, &(const struct tally_request){
                              .endpoint = call->endpoint,
                              .variant = call->variant,
                              .status = status,
                              .elapsed_us = clock_us() - call->started_us,
                              .statements = call->statements,
                          });
}

static const char *
type_of(const struct call *call)
{
    for (size_t i = 0; i < call->header_count; i++) {
        if (strcasecmp(call->headers[i].name, "Content-Type") == 0)
            return NULL;
    }
    return "application/json";
}

void
call_answer(struct call *call, int status, const char *body, size_t length)
{
    struct headers headers;

    collect_headers(call, &headers);
    if (status == 200)
        shadow_consider(call);
    finish(call, http_request_is_gone(call->request) ? STATUS_GONE : status);
    http_answer(call->request, &(const struct http_answer){
                                   .status = status,
                                   .type = type_of(call),
                                   .body = body,
                                   .length = length,
                                   .headers = headers.items,
                                   .header_count = headers.count,
                               });
}

void
call_forget(struct call *call)
{
    finish(call, STATUS_GONE);
    http_answer(call->request, &(const struct http_answer){ .status = 503 });
}

/* What a client is told instead of words about our server, its tables or its files. */
static const char *
public_message(const struct call *call, const struct error *error)
{
    switch (error->kind) {
    case ERR_NOT_FOUND:
        /* The same whether there is no such row or it is somebody else's; which paths there are is no secret. */
        return call->endpoint && !call->endpoint->is_open
                   ? "there is nothing here, or it is not yours"
                   : error->message;
    case ERR_CONNECTION:
        return "the database cannot be reached at the moment";
    case ERR_TIMEOUT:
        return "this took too long and was cancelled";
    case ERR_BUSY:
        return "too many requests are under way";
    case ERR_INPUT:
    case ERR_USAGE:
    case ERR_IDENTITY:
    case ERR_LIMIT:
    case ERR_CONFLICT:
    case ERR_UNSUPPORTED:
    case ERR_STALE:
    case ERR_RIGHTS:
        return error->message;
    case ERR_NONE:
    case ERR_FAILED:
    case ERR_IO:
    case ERR_SERVER:
    case ERR_CONFIG:
    case ERR_GATE:
    case ERR_UNDONE:
    case ERR_ATTENTION:
    case ERR_LOCKED:
    case ERR_VERIFICATION:
    case ERR_INTERRUPTED:
    case ERR_TERMINATED:
    case ERROR_KIND_COUNT:
        break;
    }
    return NULL;
}

/* A text that may hold what a client has sent. */
static const char *
clean(const char *text)
{
    return text && text_is_utf8(text) ? text : NULL;
}

static const char *
error_body(struct call *call, const struct error *error, size_t *ret_length)
{
    struct buffer body = { .arena = call->ctx.arena };
    const char *message = clean(public_message(call, error));
    /* What was said to whoever runs this stands in the log. */
    const char *hint = message && message == error->message ? clean(error->hint) : NULL;

    print_open(&body, '{');
    print_key(&body, "error");
    print_open(&body, '{');
    print_key(&body, "kind");
    print_text(&body, error_kind_name(error->kind));
    print_key(&body, "message");
    print_text(&body, message ? message : "this went wrong on our side, and was logged");
    if (hint) {
        print_key(&body, "hint");
        print_text(&body, hint);
    }
    print_close(&body, '}');
    print_close(&body, '}');
    *ret_length = body.length;
    return buffer_text(&body);
}

/*
 * Whoever runs this learns what the client does not; what clients do wrong is no news. A database that is
 * out of reach is the same for all endpoints.
 */
static void
log_error(const struct call *call, int status, const struct error *error)
{
    const char *name = call->endpoint ? call->endpoint->name : "none";

    if (status < 500 || status == 501)
        log_debug("%s: %d: %s", name, status, error->message);
    else
        complaints_add(call->api->complaints, status == 503 ? "requests" : name, status, error);
}

static bool
has_header(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++) {
        if (strcasecmp(call->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

void
call_fail_as(struct call *call, int status, const struct error *error)
{
    struct headers headers;
    size_t length;
    const char *body;

    if (http_request_is_gone(call->request)) {
        call_forget(call);
        return;
    }
    log_error(call, status, error);
    body = error_body(call, error, &length);
    collect_headers(call, &headers);
    if ((status == 503 || status == 429) && !has_header(call, "Retry-After"))
        add_header(&headers, "Retry-After", "1");
    if (status == 401)
        add_header(&headers, "WWW-Authenticate", "Bearer realm=\"replyx\"");
    finish(call, status);
    http_answer(call->request, &(const struct http_answer){
                                   .status = status,
                                   .type = "application/json",
                                   .body = body,
                                   .length = length,
                                   .headers = headers.items,
                                   .header_count = headers.count,
                               });
}

/* What the server says about our statements is no fault of the client, and may pass. */
static enum error_kind
kind_of_server_error(const struct error *error)
{
    static const struct {
        const char *sqlstate; /* or its beginning */
        enum error_kind kind;
    } passing[] = {
        { "25006", ERR_CONNECTION }, /* the primary has become a standby */
        { "40", ERR_BUSY },          /* a deadlock, or no serial order */
        { "53", ERR_BUSY },          /* out of connections or memory */
    };

    if (error->kind == ERR_CONNECTION)
        return error->kind; /* it could not even be opened, whatever the reason */
    for (size_t i = 0; i < COUNT_OF(passing); i++) {
        if (text_starts_with(error->sqlstate, passing[i].sqlstate))
            return passing[i].kind;
    }
    return error->kind == ERR_CONNECTION || error->kind == ERR_TIMEOUT ? error->kind : ERR_SERVER;
}

void
call_fail(struct call *call, const struct error *error)
{
    struct error shown = *error;

    if (error->sqlstate[0])
        shown.kind = kind_of_server_error(error);
    call_fail_as(call, error_http_status(shown.kind), &shown);
}
