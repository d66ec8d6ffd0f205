/*
 * GET /health/live: this process runs. GET /health/ready, and /health: it can answer requests now: it is
 * not about to end, and a database is up.
 *   status "ok", "draining", "no database", or "not set up" (replyx/api/install); hosts[] host, up, primary, fresh, lag_seconds (or null)
 * Hosts have numbers, in the order of the settings: names and addresses are nobody's business.
 */
#include "base/clock.h"
#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "sql.h"

/* The database is asked at most once a second, however often we are. */
enum { FRESH_US = 1000000, LIMIT_US = 2000000 };

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
answer(struct call *call, const char *status, bool has_hosts)
{
    struct buffer body = { .arena = call->ctx.arena };

    print_open(&body, '{');
    print_key(&body, "status");
    print_text(&body, status);
    if (has_hosts)
        print_hosts(&body, call->api);
    print_close(&body, '}');
    call_answer(call, text_equal(status, "ok") ? 200 : 503, buffer_text(&body), body.length);
}

static bool
is_set_up(const struct pool_outcome *outcome)
{
    const struct sql_replyx_api_alive *row = outcome->is_good ? outcome->rows[0].items : NULL;

    return row && outcome->rows[0].count == 1 && !row->missing;
}

static bool
has_connection(const struct api *api)
{
    struct pool_statistics now = pool_statistics(hosts_for_reads(api->web, 0));

    return now.open > 0;
}

/* A queue that is full is no reason to be taken out of service, as long as there is a database behind it. */
static void
asked(void *data, const struct pool_outcome *outcome)
{
    struct call *call = data;
    struct api *api = call->api;

    call->ticket = NULL;
    call->statements += outcome->statements;
    call->waited_us += outcome->waited_us;
    call->ran_us += outcome->ran_us;
    if (is_set_up(outcome))
        api->alive_us = clock_us();
    if (is_set_up(outcome) || (outcome->error.kind == ERR_BUSY && has_connection(api)))
        answer(call, "ok", true);
    else if (outcome->is_good)
        answer(call, "not set up", true);
    else
        answer(call, "no database", true);
}

static void
ask(struct call *call)
{
    const struct pool_statement statement = { .query = &query_replyx_api_alive };
    struct pool_ticket *ticket =
        pool_run(hosts_for_reads(call->api->web, 0), &(const struct pool_work){
                                                         .statements = &statement,
                                                         .count = 1,
                                                         .lane = POOL_SHARED,
                                                         .is_repeatable = true,
                                                         .limit_us = LIMIT_US,
                                                         .arena = call->ctx.arena,
                                                         .done = asked,
                                                         .data = call,
                                                     });

    /* Without a ticket it has been answered, and is no more. */
    if (ticket)
        call->ticket = ticket;
}

static void
look(struct call *call)
{
    const char *path = http_request_path(call->request);

    if (text_equal(path, "/health/live")) {
        answer(call, "ok", false);
    } else if (!text_equal(path, "/health") && !text_equal(path, "/health/ready")) {
        (void)error_set(&call->ctx, ERR_NOT_FOUND, "there is nothing at this path");
        call_fail(call, &call->ctx.error);
    } else if (call->api->is_draining) {
        answer(call, "draining", true);
    } else if (call->api->alive_us > 0 && clock_us() - call->api->alive_us < FRESH_US) {
        answer(call, "ok", true);
    } else {
        ask(call);
    }
}

const struct endpoint endpoint_health = {
    .name = "health",
    .methods = HTTP_GET,
    .path = "/health/*",
    .is_open = true,
    .handle = look,
};
