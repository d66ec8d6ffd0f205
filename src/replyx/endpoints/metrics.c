/*
 * GET /metrics, as Prometheus reads it, of all workers. Only for those near by: a client with a public
 * address, or one for whom a proxy asks, finds nothing here.
 */
#include "http/address.h"
#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"

static bool
is_near(struct call *call)
{
    static const char *const forwarded[] = { "Forwarded", "X-Forwarded-For", "X-Real-IP", "Via" };
    struct ctx ctx = { .arena = call->ctx.arena };
    struct sockaddr_storage address;

    for (size_t i = 0; i < COUNT_OF(forwarded); i++) {
        if (http_request_header(call->request, forwarded[i]))
            return false;
    }
    return http_address_parse(&ctx, http_request_client(call->request), &address) &&
           !http_address_is_public((const struct sockaddr *)&address);
}

static void
answer(struct call *call)
{
    struct buffer body = { .arena = call->ctx.arena };

    if (!is_near(call)) {
        (void)error_set(&call->ctx, ERR_NOT_FOUND, "there is nothing at this path");
        call_fail(call, &call->ctx.error);
        return;
    }
    call->headers[call->header_count++] =
        (struct http_header){ "Content-Type", "text/plain; version=0.0.4; charset=utf-8" };
    tally_print(call->api->tally, &body);
    call_answer(call, 200, buffer_text(&body), body.length);
}

const struct endpoint endpoint_metrics = {
    .name = "metrics",
    .methods = HTTP_GET,
    .path = "/metrics",
    .is_open = true,
    .handle = answer,
};
