/*
 * GET /health/live: this process runs. GET /health/ready, and /health: it can answer requests now: it is
 * not about to end, and a database is up.
 *   status "ok", "draining" or "no database"; hosts[] host, up, primary, fresh, lag_seconds (or null)
 * Hosts have numbers, in the order of the settings: names and addresses are nobody's business.
 */
#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"

static const char *
status_of(const struct api *api)
{
    if (api->is_draining)
        return "draining";
    for (size_t i = 0; i < hosts_count(api->web); i++) {
        if (hosts_state(api->web, i).is_up)
            return "ok";
    }
    return "no database";
}

static void
print_hosts(struct buffer *out, const struct api *api)
{
    print_key(out, "hosts");
    print_open(out, '[');
    for (size_t i = 0; i < hosts_count(api->web); i++) {
        struct host_state state = hosts_state(api->web, i);

        print_open(out, '{');
        print_key(out, "host");
        print_int(out, (int64_t)i);
        print_key(out, "up");
        print_bool(out, state.is_up);
        print_key(out, "primary");
        print_bool(out, state.is_primary);
        print_key(out, "fresh");
        print_bool(out, state.is_fresh);
        print_key(out, "lag_seconds");
        print_number(out,
            state.lag_us < 0 ? NULL : arena_printf(out->arena, "%.3f", (double)state.lag_us / 1e6));
        print_close(out, '}');
    }
    print_close(out, ']');
}

static void
answer(struct call *call)
{
    const char *path = http_request_path(call->request);
    bool is_live = text_equal(path, "/health/live");
    const char *status = is_live ? "ok" : status_of(call->api);
    struct buffer body = { .arena = call->ctx.arena };

    if (!is_live && !text_equal(path, "/health") && !text_equal(path, "/health/ready")) {
        (void)error_set(&call->ctx, ERR_NOT_FOUND, "there is nothing at this path");
        call_fail(call, &call->ctx.error);
        return;
    }
    print_open(&body, '{');
    print_key(&body, "status");
    print_text(&body, status);
    if (!is_live)
        print_hosts(&body, call->api);
    print_close(&body, '}');
    call_answer(call, text_equal(status, "ok") ? 200 : 503, buffer_text(&body), body.length);
}

const struct endpoint endpoint_health = {
    .name = "health",
    .methods = HTTP_GET,
    .path = "/health/*",
    .is_open = true,
    .handle = answer,
};
