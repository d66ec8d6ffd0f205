#include "monitor/serve/serve.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "monitor/serve/serve_part.h"

/* Of a page: what was needed to print it is megabytes, that nobody needs until the next. */
enum { LARGE_BYTES = 256 * 1024 };

void
serve_answer_json(struct http_request *request, struct writer *writer)
{
    const struct http_header headers[] = { { "Cache-Control", "no-store" } };

    http_answer(request, &(struct http_answer){ .status = 200,
                             .type = "application/json",
                             .body = buffer_text(&writer->text),
                             .length = writer->text.length,
                             .headers = headers,
                             .header_count = COUNT_OF(headers) });
}

const struct watched *
serve_find(const struct monitor *monitor, const char *name)
{
    if (!name)
        return monitor->servers.count > 0 ? monitor->servers.items[0] : NULL;
    for (size_t i = 0; i < monitor->servers.count; i++)
        if (text_equal(monitor->servers.items[i]->name, name))
            return monitor->servers.items[i];
    return NULL;
}

struct trend *
serve_trend(struct serve *serve, const struct watched *server)
{
    for (size_t i = 0; i < serve->trend_count; i++) {
        if (serve->monitor->servers.items[i] != server)
            continue;
        if (!serve->trends[i])
            serve->trends[i] = ARENA_NEW(serve->monitor->ctx->arena, struct trend);
        return serve->trends[i];
    }
    abort();
}

static double
thread_cpu_seconds(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
answer_metrics(void *data, struct http_request *request)
{
    struct serve *serve = data;
    double before = thread_cpu_seconds();
    const char *text =
        serve_metrics(http_request_arena(request), serve->monitor, serve->options.most_series);
    size_t length = strlen(text);

    http_answer(request, &(struct http_answer){
                             .status = 200,
                             .type = METRIC_CONTENT_TYPE,
                             .body = text,
                             .length = length,
                         });
    if (length > LARGE_BYTES)
        malloc_trim(0);
    serve->scrapes++;
    serve->scrape_seconds = thread_cpu_seconds() - before;
}

/*
 * Whether we work, not whether the servers do: those are alerts. It is open to everybody, so it names
 * nothing.
 */
static void
answer_health(void *data, struct http_request *request)
{
    enum { LEAST_US = 60 * 1000 * 1000, INTERVALS = 5 };
    const struct serve *serve = data;
    const struct monitor *monitor = serve->monitor;
    int64_t longest_us = monitor->setup->interval_us * INTERVALS;
    int64_t now_us = clock_us();
    size_t up = 0;
    bool is_stuck = monitor->servers.count > 0;
    struct writer writer = { .text.arena = http_request_arena(request) };

    if (longest_us < LEAST_US)
        longest_us = LEAST_US;
    for (size_t i = 0; i < monitor->servers.count; i++) {
        const struct watched *server = monitor->servers.items[i];

        up += server->is_up;
        if (server->tick == 0 || now_us - server->at_us < longest_us)
            is_stuck = false;
    }
    writer_open(&writer, NULL, '{');
    writer_text(&writer, "status", is_stuck ? "stuck" : "ok");
    writer_int(&writer, "servers", (int64_t)monitor->servers.count);
    writer_int(&writer, "up", (int64_t)up);
    writer_close(&writer, '}');
    http_answer(request, &(struct http_answer){ .status = is_stuck ? 503 : 200,
                             .type = "application/json",
                             .body = buffer_text(&writer.text),
                             .length = writer.text.length });
}

/* The server that the request is about; answered with 404 and NULL when there is none. */
static const struct watched *
find_or_fail(const struct serve *serve, struct http_request *request)
{
    const struct watched *server =
        serve_find(serve->monitor, http_request_query(request, "server"));

    if (!server)
        http_fail(request,
            &(struct error){ .kind = ERR_NOT_FOUND, .message = "there is no server of this name" });
    return server;
}

static void
answer_state(void *data, struct http_request *request)
{
    struct serve *serve = data;
    const struct watched *server = find_or_fail(serve, request);
    struct writer writer = { .text.arena = http_request_arena(request) };

    if (!server)
        return;
    state_write(&writer, serve, server, true);
    serve_answer_json(request, &writer);
}

static void
answer_statements(void *data, struct http_request *request)
{
    struct serve *serve = data;
    const struct watched *server = find_or_fail(serve, request);
    struct writer writer = { .text.arena = http_request_arena(request) };

    if (!server)
        return;
    writer_open(&writer, NULL, '{');
    writer_text(&writer, "server", server->name);
    state_write_statements(&writer, serve, server, TREND_STATEMENTS);
    writer_close(&writer, '}');
    serve_answer_json(request, &writer);
}

static void
answer_locks(void *data, struct http_request *request)
{
    struct serve *serve = data;
    const struct watched *server = find_or_fail(serve, request);
    struct writer writer = { .text.arena = http_request_arena(request) };

    if (!server)
        return;
    writer_open(&writer, NULL, '{');
    writer_text(&writer, "server", server->name);
    state_write_locks(&writer, server);
    writer_close(&writer, '}');
    serve_answer_json(request, &writer);
}

static const struct http_route routes[] = {
    { HTTP_GET, "/", serve_page, false },
    { HTTP_GET, "/metrics", answer_metrics, false },
    { HTTP_GET, "/health", answer_health, true },
    { HTTP_GET, "/api/state", answer_state, false },
    { HTTP_GET, "/api/series", serve_series, false },
    { HTTP_GET, "/api/statements", answer_statements, false },
    { HTTP_GET, "/api/locks", answer_locks, false },
    { HTTP_GET, "/api/events", serve_events, false },
    { HTTP_GET | HTTP_POST, "/api/kpi", serve_kpi, false },
};

bool
serve_start(struct ctx *ctx, struct monitor *monitor, const struct serve_options *options)
{
    struct arena *arena = monitor->ctx->arena;
    struct serve *serve = ARENA_NEW(arena, struct serve);
    const struct http_server_options server_options = {
        .listen = options->listen,
        .routes = routes,
        .route_count = COUNT_OF(routes),
        .data = serve,
        .token = options->token,
        .hosts = options->hosts,
    };

    serve->monitor = monitor;
    serve->options = *options;
    serve->trend_count = monitor->servers.count;
    serve->trends = ARENA_ARRAY(arena, struct trend *, monitor->servers.count + 1);
    serve_page_make(serve);
    if (!http_server_start(ctx, monitor->loop, &server_options, &monitor->server))
        return error_wrap(ctx, "starting to listen on %s", options->listen);
    monitor->serve = serve;
    return true;
}

void
serve_stop(struct monitor *monitor)
{
    if (!monitor->serve)
        return;
    serve_events_end(monitor->serve);
    http_server_stop(monitor->server);
    monitor->server = NULL;
    monitor->serve = NULL;
}
