/* The life of a request: where it goes, who asks, what is asked. */
#include "replyx/call.h"

#include "base/clock.h"
#include "replyx/call_part.h"
#include "replyx/route.h"

/* Signed in, or nobody has to be. */
static void
read_and_run(struct call *call)
{
    const struct endpoint *endpoint = call->endpoint;

    if (endpoint->args_size > 0)
        call->args = arena_alloc(call->ctx.arena, endpoint->args_size);
    if (endpoint->read && (!call_check_query(&call->ctx, call, endpoint->query) ||
                              !endpoint->read(&call->ctx, call, call->args))) {
        call_fail(call, &call->ctx.error);
        return;
    }
    if (endpoint->handle)
        endpoint->handle(call);
    else if (!endpoint->prepare || !endpoint->prepare(call))
        call_go_on(call);
}

/* Whatever works for it is told to stop; a task, a handler or a preparation then ends by itself. */
static void
client_gone(void *data)
{
    struct call *call = data;

    if (call->ticket) {
        pool_drop(call->ticket);
        call->ticket = NULL;
        call_forget(call);
    } else if (call->straight.task) {
        straight_drop(&call->straight);
    } else if (call->gone) {
        call->gone(call);
    }
}

static void
refuse_path(struct call *call, unsigned methods)
{
    static const struct {
        unsigned method;
        const char *name;
    } names[] = { { HTTP_GET, "GET, HEAD" }, { HTTP_POST, "POST" }, { HTTP_PUT, "PUT" },
        { HTTP_DELETE, "DELETE" } };
    struct buffer allow = { .arena = call->ctx.arena };

    if (methods == 0) {
        (void)error_set(&call->ctx, ERR_NOT_FOUND, "there is nothing at this path");
        call_fail(call, &call->ctx.error);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (methods & names[i].method)
            buffer_printf(&allow, "%s%s", allow.length > 0 ? ", " : "", names[i].name);
    }
    call->headers[call->header_count++] = (struct http_header){ "Allow", buffer_text(&allow) };
    (void)error_set(&call->ctx, ERR_UNSUPPORTED, "the path has no such method");
    call_fail_as(call, 405, &call->ctx.error);
}

static int64_t
now_us(const struct settings *settings)
{
    int64_t wall_us;

    return settings->now && clock_parse(settings->now, &wall_us) ? wall_us : clock_wall_us();
}

void
call_handle(void *data, struct http_request *request)
{
    struct api *api = data;
    struct arena *arena = http_request_arena(request);
    struct call *call = ARENA_NEW(arena, struct call);
    struct route_match match;

    call->api = api;
    call->request = request;
    call->ctx.arena = arena;
    call->started_us = clock_us();
    call->now_us = now_us(api->settings);
    api->under_way++;
    http_request_on_gone(request, client_gone, call);
    route_find(http_request_path(request), http_request_method(request), &match);
    if (!match.endpoint) {
        refuse_path(call, match.methods);
        return;
    }
    call->endpoint = match.endpoint;
    for (size_t i = 0; i < CALL_MOST_NUMBERS; i++)
        call->numbers[i] = match.numbers[i];
    if (match.endpoint->is_open)
        read_and_run(call);
    else
        auth_begin(call, read_and_run);
}

int64_t
call_time_left(const struct call *call)
{
    int64_t left_us = call->started_us + call->api->settings->request_limit - clock_us();

    return left_us < 1000 ? 1000 : left_us;
}
