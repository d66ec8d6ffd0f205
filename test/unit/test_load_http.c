/* The HTTP load against a server of ours in a process of its own, which can be made slow or rude. */
#include "support/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/server.h"
#include "load/http.h"

enum { STALL_AT = 100, STALL_US = 400000 };

struct service {
    pid_t pid;
    char port[16];
    int32_t answered; /* in the child */
};

static void
answer(struct http_request *request, int status)
{
    const struct http_header header = { "X-Query-Count", "3" };

    http_answer(request, &(struct http_answer){ .status = status,
                             .type = "text/plain",
                             .body = "hello",
                             .length = 5,
                             .headers = &header,
                             .header_count = 1 });
}

static void
good(void *data, struct http_request *request)
{
    (void)data;
    answer(request, 200);
}

/* A server that stands still once. */
static void
stall(void *data, struct http_request *request)
{
    struct service *service = data;

    if (++service->answered == STALL_AT)
        usleep(STALL_US);
    answer(request, 200);
}

static void
busy(void *data, struct http_request *request)
{
    (void)data;
    answer(request, 503);
}

static void
missing(void *data, struct http_request *request)
{
    (void)data;
    answer(request, 404);
}

static const struct http_route routes[] = {
    { HTTP_GET | HTTP_POST, "/good", good, true },
    { HTTP_GET, "/stall", stall, true },
    { HTTP_GET, "/busy", busy, true },
    { HTTP_GET, "/missing", missing, true },
};

static void
serve(struct service *service, int told)
{
    struct ctx ctx = { .arena = arena_new() };
    struct loop *loop = NULL;
    struct http_server *server = NULL;
    const struct http_server_options options = {
        .listen = "127.0.0.1:0",
        .routes = routes,
        .route_count = COUNT_OF(routes),
        .data = service,
        .most_connections = 500,
    };

    if (loop_new(&ctx, &loop) && http_server_start(&ctx, loop, &options, &server)) {
        const char *port = strrchr(http_server_address(server), ':') + 1;

        if (write(told, port, strlen(port) + 1) > 0)
            loop_run(loop);
    }
    _exit(1); /* by a signal */
}

static struct service
start(void)
{
    struct service service = { 0 };
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    service.pid = fork();
    if (service.pid == 0)
        serve(&service, ends[1]);
    assert_true(read(ends[0], service.port, sizeof(service.port)) > 0);
    close(ends[0]);
    close(ends[1]);
    return service;
}

static void
stop(const struct service *service)
{
    kill(service->pid, SIGKILL);
    waitpid(service->pid, NULL, 0);
}

#define REQUEST(path)                                                      \
    {                                                                      \
        "GET " path " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",                \
            sizeof("GET " path " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") - 1 \
    }

static void
closed_loop(void **state)
{
    static const struct load_http_request requests[] = { REQUEST("/good") };
    struct ctx *ctx = *state;
    struct service service = start();
    struct load_http_options options = {
        .host = "127.0.0.1",
        .port = service.port,
        .connections = 20,
        .duration_us = 300000,
        .requests = requests,
        .request_count = 1,
    };
    struct load_http_result result;

    assert_true(load_http_run(ctx, &options, &result));
    stop(&service);
    assert_true(result.good->count >= 20);
    assert_int_equal(result.statements, 3 * result.good->count);
    assert_int_equal(result.failed + result.broken, 0);
    assert_int_equal(result.open, 20);
    /* Each connection has one request under way when time is up. */
    assert_true(result.unanswered <= 20);
}

/* 200 a second for 2 s are 400, whatever the server does; those of the stall have waited. */
static void
stall_is_seen(void **state)
{
    static const struct load_http_request requests[] = { REQUEST("/stall") };
    struct ctx *ctx = *state;
    struct service service = start();
    struct load_http_options options = {
        .host = "127.0.0.1",
        .port = service.port,
        .connections = 10,
        .rate = 200,
        .duration_us = 2000000,
        .requests = requests,
        .request_count = 1,
    };
    struct load_http_result result;
    int64_t all;

    assert_true(load_http_run(ctx, &options, &result));
    stop(&service);
    all = result.good->count + result.unanswered;
    /* Less only when this process was not let run at the end. */
    assert_in_range(all, 300, 402);
    /*
     * 80 requests were due while it stood still, and waited 400 ms to 0. Had they counted from their
     * sending, ten connections would have had ten slow answers at most: 40 were slower than half of it.
     */
    assert_true(histogram_quantile_us(result.good, 0.92) >= STALL_US / 2 - 10000);
    assert_true(result.good->max_us >= STALL_US - 10000);
}

/* The stall covers the end of the schedule: what was due in time is waited for, and is slow. */
static void
the_end_is_waited_for(void **state)
{
    static const struct load_http_request requests[] = { REQUEST("/stall") };
    struct ctx *ctx = *state;
    struct service service = start();
    struct load_http_options options = {
        .host = "127.0.0.1",
        .port = service.port,
        .connections = 200,
        .rate = 400,
        /* The hundredth is due after 250 ms. */
        .duration_us = 300000,
        .requests = requests,
        .request_count = 1,
    };
    struct load_http_result result;

    assert_true(load_http_run(ctx, &options, &result));
    stop(&service);
    /* Less than 120 only when this process was not let run meanwhile. */
    assert_in_range(result.good->count, 100, 121);
    assert_int_equal(result.unanswered, 0);
    assert_true(result.late > 0);
    assert_true(result.late < result.good->count);
    assert_true(result.good->max_us >= STALL_US - 10000);
}

static void
kinds_of_answers(void **state)
{
    static const struct load_http_request requests[] = { REQUEST("/busy"), REQUEST("/missing") };
    struct ctx *ctx = *state;
    struct service service = start();
    struct load_http_options options = {
        .host = "127.0.0.1",
        .port = service.port,
        .connections = 4,
        .duration_us = 200000,
        .requests = requests,
        .request_count = 2,
        .seed = 7,
    };
    struct load_http_result result;

    assert_true(load_http_run(ctx, &options, &result));
    stop(&service);
    assert_int_equal(result.good->count, 0);
    assert_true(result.refused->count > 0);
    assert_true(result.failed > 0);
}

static void
server_is_gone(void **state)
{
    static const struct load_http_request requests[] = { REQUEST("/good") };
    struct ctx *ctx = *state;
    struct service service = start();
    struct load_http_options options = {
        .host = "127.0.0.1",
        .port = service.port,
        .connections = 4,
        .rate = 50,
        .duration_us = 200000,
        .requests = requests,
        .request_count = 1,
    };
    struct load_http_result result;

    stop(&service);
    assert_true(load_http_run(ctx, &options, &result));
    assert_int_equal(result.good->count, 0);
    assert_true(result.broken >= 4);
    assert_true(result.unanswered > 0);
    assert_int_equal(result.open, 0);
}

static void
elsewhere_is_refused(void **state)
{
    static const struct load_http_request requests[] = { REQUEST("/good") };
    struct ctx *ctx = *state;
    struct load_http_options options = {
        .host = "192.0.2.1",
        .port = "80",
        .connections = 1,
        .duration_us = 1000,
        .requests = requests,
        .request_count = 1,
    };
    struct load_http_result result;

    assert_false(load_http_run(ctx, &options, &result));
    assert_error(ctx, ERR_USAGE, "192.0.2.1 is not this machine");
    error_clear(ctx);
    options.host = "127.0.0.1";
    options.connections = 0;
    assert_false(load_http_run(ctx, &options, &result));
    assert_error(ctx, ERR_USAGE, "0 connections");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(closed_loop),
        test_with_ctx(stall_is_seen),
        test_with_ctx(the_end_is_waited_for),
        test_with_ctx(kinds_of_answers),
        test_with_ctx(server_is_gone),
        test_with_ctx(elsewhere_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
