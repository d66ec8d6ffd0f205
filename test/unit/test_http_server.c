#include "support/test.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "test_http_server_support.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
#define CLOSE      "Connection: close\r\n"
#define END        "\r\n"

enum { BIG = 8 * 1024 * 1024, BIG_PERIOD = 251 };

static void
hello(void *data, struct http_request *request)
{
    (void)data;
    answer_text(request, "hello");
}

static void
echo(void *data, struct http_request *request)
{
    size_t length;
    const char *body = http_request_body(request, &length);

    (void)data;
    answer_text(request, body);
}

/* Keeps the request, and stops the loop, so that the test can go on with it in its hands. */
static void
keep(void *data, struct http_request *request)
{
    struct fixture *fixture = data;

    fixture->kept = request;
    loop_stop(fixture->loop);
}

static void
answer_big(void *data, struct http_request *request)
{
    char *body = arena_alloc(http_request_arena(request), BIG);

    (void)data;
    for (size_t i = 0; i < BIG; i++)
        body[i] = (char)('a' + i % BIG_PERIOD % 26);
    http_answer(request,
        &(struct http_answer){ .status = 200, .type = "text/plain", .body = body, .length = BIG });
}

static void
answer_page(void *data, struct http_request *request)
{
    const struct http_header headers[] = {
        { "Content-Security-Policy", "script-src 'none'" },
        { "Cache-Control", "max-age=60" },
        { "X-Hostile", http_request_query(request, "x") },
        { "Content-Length", "1" },
        { "X-Good", "yes" },
    };
    bool is_own = http_request_query(request, "x") != NULL;

    (void)data;
    http_answer(request, &(struct http_answer){ .status = 200,
                             .type = "text/html; charset=utf-8",
                             .body = "<p>",
                             .length = 3,
                             .headers = headers,
                             .header_count = is_own ? COUNT_OF(headers) : 0 });
}

static void
answer_error(void *data, struct http_request *request)
{
    const struct error error = {
        .kind = ERR_CONFLICT, .message = "not \"now\"", .hint = "later\n"
    };

    (void)data;
    http_fail(request, &error);
}

static void
answer_nothing(void *data, struct http_request *request)
{
    (void)data;
    http_answer(request, &(struct http_answer){ .status = 204 });
}

static void
closed(void *data)
{
    struct fixture *fixture = data;

    fixture->closed++;
    fixture->stream = NULL;
    loop_stop(fixture->loop);
}

static void
stream(void *data, struct http_request *request)
{
    struct fixture *fixture = data;

    fixture->stream = http_stream_begin(request, closed, fixture);
    loop_stop(fixture->loop);
}

static const struct http_route routes[] = {
    { .methods = HTTP_GET, .path = "/hello", .handler = hello },
    { .methods = HTTP_POST | HTTP_PUT, .path = "/echo", .handler = echo },
    { .methods = HTTP_DELETE, .path = "/echo", .handler = hello },
    { .methods = HTTP_GET, .path = "/keep", .handler = keep },
    { .methods = HTTP_GET, .path = "/big", .handler = answer_big },
    { .methods = HTTP_GET, .path = "/page", .handler = answer_page },
    { .methods = HTTP_GET, .path = "/error", .handler = answer_error },
    { .methods = HTTP_GET, .path = "/nothing", .handler = answer_nothing },
    { .methods = HTTP_GET, .path = "/stream", .handler = stream },
    { .methods = HTTP_GET, .path = "/health", .handler = hello, .is_open = true },
    { .methods = HTTP_GET, .path = "/tree/*", .handler = hello },
};
static const struct http_server_options standard = { .routes = routes,
    .route_count = COUNT_OF(routes) };

static void
answers_carry_what_protects_the_browser(void **state)
{
    struct fixture *fixture = *state;
    const char *heard;

    start_server(fixture, &standard);
    heard = ask(fixture, GET("/hello") CLOSE END);
    assert_true(text_starts_with(heard, "HTTP/1.1 200 OK\r\nDate: "));
    assert_has(heard, "\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n");
    assert_has(heard, "\r\nX-Content-Type-Options: nosniff\r\n");
    assert_has(heard, "\r\nReferrer-Policy: no-referrer\r\n");
    assert_has(heard, "frame-ancestors 'none'");
    assert_has(heard, "\r\nCache-Control: no-store\r\n");
    assert_true(text_ends_with(heard, "\r\n\r\nhello"));

    heard = ask(fixture, GET("/page") CLOSE END);
    assert_has(heard, "Content-Security-Policy: default-src 'none'; script-src 'self'");
    assert_has_not(heard, "unsafe");
}

static void
a_handler_can_say_more_but_not_break_the_answer(void **state)
{
    struct fixture *fixture = *state;
    const char *heard;

    start_server(fixture, &standard);
    heard = ask(fixture, GET("/page?x=a%0d%0aSet-Cookie:%20b%0d%0a%0d%0a<script>") CLOSE END);
    assert_has(heard, "Content-Security-Policy: script-src 'none'\r\n");
    assert_has(heard, "frame-ancestors 'none'");
    assert_has(heard, "Cache-Control: max-age=60\r\n");
    assert_has(heard, "X-Good: yes\r\n");
    assert_has(heard, "Content-Length: 3\r\n");
    assert_has_not(heard, "Content-Length: 1\r\n");
    assert_has_not(heard, "no-store");
    assert_has_not(heard, "X-Hostile");
    assert_has_not(heard, "Set-Cookie");
    assert_has(ask(fixture, GET("/page?x=%C3%A4") CLOSE END), "X-Hostile: \xc3\xa4\r\n");
}

static void
head_is_get_without_the_body(void **state)
{
    struct fixture *fixture = *state;
    const char *heard;

    start_server(fixture, &standard);
    heard = ask(fixture, "HEAD /hello HTTP/1.1\r\nHost: localhost\r\n" CLOSE END);
    assert_int_equal(status_of(heard), 200);
    assert_has(heard, "Content-Length: 5\r\n");
    assert_true(text_ends_with(heard, "\r\n\r\n"));
    assert_has_not(heard, "hello");
    heard = ask(fixture, GET("/nothing") CLOSE END);
    assert_int_equal(status_of(heard), 204);
    assert_has_not(heard, "Content-Length");
}

static void
unknown_paths_and_methods_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    const char *heard;

    start_server(fixture, &standard);
    heard = ask(fixture, GET("/nowhere") CLOSE END);
    assert_int_equal(status_of(heard), 404);
    assert_has(heard, "\"kind\":\"not_found\"");
    assert_int_equal(status_of(ask(fixture, GET("/tree") CLOSE END)), 404);
    assert_int_equal(status_of(ask(fixture, GET("/tree/") CLOSE END)), 200);
    assert_int_equal(status_of(ask(fixture, GET("/tree/a/b?c=/../") CLOSE END)), 200);

    heard = ask(fixture, POST("/hello") CLOSE END);
    assert_int_equal(status_of(heard), 405);
    assert_has(heard, "\r\nAllow: GET, HEAD\r\n");
    heard = ask(fixture, GET("/echo") CLOSE END);
    assert_int_equal(status_of(heard), 405);
    assert_has(heard, "\r\nAllow: POST, PUT, DELETE\r\n");
    heard = ask(fixture, "OPTIONS /hello HTTP/1.1\r\nHost: localhost\r\n" CLOSE END);
    assert_int_equal(status_of(heard), 405);
    assert_has(ask(fixture, "DELETE /echo HTTP/1.1\r\nHost: localhost\r\n" CLOSE END), "hello");

    heard = ask(fixture, GET("/error") CLOSE END);
    assert_int_equal(status_of(heard), 409);
    assert_has(heard, "{\"error\":{\"hint\":\"later\\n\",\"kind\":\"conflict\",\"message\":\"not "
                      "\\\"now\\\"\"}}");
}

static void
a_connection_is_kept_as_long_as_both_want(void **state)
{
    struct fixture *fixture = *state;
    const char *heard;

    start_server(fixture, &standard);
    /* After a 404 it goes on; HTTP/1.0 must ask for it. */
    heard = ask(fixture,
        GET("/nowhere") END "HEAD /hello HTTP/1.1\r\nHost: a:1@b\r\n" END GET("/hello") END);
    assert_int_equal(status_of(heard), 404);
    assert_has(heard, "HTTP/1.1 400 Bad Request");
    assert_has_not(heard, "200 OK");
    heard = ask(fixture, "GET /hello HTTP/1.0\r\nHost: localhost\r\nConnection: Keep-Alive\r\n" END
                         "GET /error HTTP/1.0\r\nHost: localhost\r\n" END GET("/hello") END);
    assert_has(heard, "Connection: keep-alive\r\n\r\nhelloHTTP/1.1 409");
    assert_has(heard, "Connection: close\r\n\r\n{");
    assert_true(text_ends_with(heard, "}"));
}

static void
other_names_in_host_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *host;
        int status;
    } hosts[] = {
        { "127.0.0.1", 200 },
        { "127.0.0.1:9187", 200 },
        { "[::1]:9187", 200 },
        { "192.0.2.7", 200 },
        { "localhost", 200 },
        { "LocalHost:1", 200 },
        { "monitor.example.org", 200 },
        { "MONITOR.example.org:443", 200 },
        { "evil.example", 421 },
        { "evil.example:9187", 421 },
        { "localhost.evil.example", 421 },
        { "127.0.0.1.evil.example", 421 },
        { "monitor.example.org.evil.example", 421 },
        { "xmonitor.example.org", 421 },
        { "127.1", 421 },
        { "localhost.", 421 },
    };
    struct http_server_options options = standard;

    text_list_add(fixture->ctx->arena, &options.hosts, "monitor.example.org");
    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        const char *heard =
            ask(fixture, arena_printf(fixture->ctx->arena,
                             "GET /hello HTTP/1.1\r\nHost: %s\r\n" CLOSE END, hosts[i].host));

        if (status_of(heard) != hosts[i].status)
            fail_msg("Host %s: %s", hosts[i].host, heard);
    }
}

static void
pages_of_other_sites_cannot_change_anything(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        { "", 200 },
        { "Origin: http://127.0.0.1:9187\r\n", 200 },
        { "Origin: https://127.0.0.1:9187\r\n", 200 },
        { "Origin: https://monitor.example.org\r\n", 200 },
        { "Sec-Fetch-Site: same-origin\r\n", 200 },
        { "Origin: http://127.0.0.1:3000\r\n", 403 },
        { "Origin: http://localhost:9187\r\n", 403 },
        { "Origin: http://evil.example\r\n", 403 },
        { "Origin: http://127.0.0.1:9187.evil.example\r\n", 403 },
        { "Origin: null\r\n", 403 },
        { "Origin: \r\n", 403 },
        { "Origin: file://\r\n", 403 },
        { "Origin: x://127.0.0.1:9187\r\n", 403 },
        { "Sec-Fetch-Site: cross-site\r\n", 403 },
        { "Sec-Fetch-Site: same-site\r\n", 403 },
    };
    static const char *const methods[] = { "POST", "PUT", "DELETE" };
    struct http_server_options options = standard;

    text_list_add(fixture->ctx->arena, &options.hosts, "monitor.example.org");
    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(cases) * COUNT_OF(methods); i++) {
        const char *headers = cases[i / COUNT_OF(methods)].headers;
        const char *heard =
            ask(fixture, arena_printf(fixture->ctx->arena,
                             "%s /echo HTTP/1.1\r\nHost: 127.0.0.1:9187\r\n%s" CLOSE END,
                             methods[i % COUNT_OF(methods)], headers));

        if (status_of(heard) != cases[i / COUNT_OF(methods)].status)
            fail_msg("%s: %s", headers, heard);
    }
    assert_int_equal(
        status_of(ask(fixture, GET("/hello") "Origin: http://evil.example\r\n" CLOSE END)), 200);
}

static const char token[] = "a-token-of-some-length-9f8e7d";

static int
status_of_get(struct fixture *fixture, const char *path, const char *headers)
{
    return status_of(
        ask(fixture, arena_printf(fixture->ctx->arena,
                         "GET %s HTTP/1.1\r\nHost: localhost\r\n%s" CLOSE END, path, headers)));
}

static void
without_the_token_nothing_is_answered(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[] = {
        "",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer a-token-of-some-length-9f8e7\r\n",
        "Authorization: Bearer a-token-of-some-length-9f8e7dd\r\n",
        "Authorization: Bearer A-TOKEN-OF-SOME-LENGTH-9F8E7D\r\n",
        "Authorization: a-token-of-some-length-9f8e7d\r\n",
        "Authorization: Basic a-token-of-some-length-9f8e7d\r\n",
        "Cookie: pgmend=a-token-of-some-length-9f8e7d\r\n",
    };
    struct http_server_options options = standard;

    options.token = token;
    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        for (size_t j = 0; j < COUNT_OF(wrong); j++)
            assert_int_equal(
                status_of_get(fixture, routes[i].path, wrong[j]), routes[i].is_open ? 200 : 401);
    }
    assert_int_equal(status_of_get(fixture, "/nowhere", ""), 401);
    assert_int_equal(status_of_get(fixture, "/login", ""), 401);
    assert_int_equal(status_of_get(fixture, "/login?token=", ""), 401);
    assert_int_equal(status_of_get(fixture, "/login?token=a-token", ""), 401);
    assert_int_equal(status_of_get(fixture, "/hello?token=a-token-of-some-length-9f8e7d", ""), 401);
    assert_has(ask(fixture, GET("/hello") CLOSE END), "WWW-Authenticate: Bearer");
    assert_int_equal(
        status_of(ask(fixture, POST("/health") "Content-Length: 0\r\n" CLOSE END)), 405);

    assert_int_equal(
        status_of_get(fixture, "/hello", "authorization: bearer a-token-of-some-length-9f8e7d\r\n"),
        200);
    assert_int_equal(status_of_get(fixture, "/nowhere",
                         "Authorization: Bearer a-token-of-some-length-9f8e7d\r\n"),
        404);
}

static void
a_browser_logs_in_and_gets_a_cookie(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options options = standard;
    struct arena *arena = fixture->ctx->arena;
    const char *heard, *cookie;

    options.token = token;
    start_server(fixture, &options);
    heard = ask(fixture, GET("/login?token=a-token-of-some-length-9f8e7d") CLOSE END);
    assert_int_equal(status_of(heard), 303);
    assert_has(heard, "\r\nLocation: /\r\n");
    cookie = strstr(heard, "\r\nSet-Cookie: ");
    assert_non_null(cookie);
    cookie = arena_strndup(arena, cookie + 14, strcspn(cookie + 14, "\r"));
    assert_has(cookie, "; HttpOnly");
    assert_has(cookie, "; SameSite=Strict");
    assert_has(cookie, "; Path=/");
    assert_has_not(cookie, "Secure");
    assert_has_not(cookie, token); /* other ports of this host get it too */
    assert_has(
        ask(fixture,
            GET("/login?token=a-token-of-some-length-9f8e7d") "X-Forwarded-Proto: https\r\n" CLOSE
                END),
        "; Secure\r\n");

    const char *pair = arena_strndup(arena, cookie, strcspn(cookie, ";"));
    const char *lines[] = {
        arena_printf(arena, "Cookie: %s\r\n", pair),
        arena_printf(arena, "Cookie: a=b; %s; c=d\r\n", pair),
        arena_printf(arena, "Cookie: %.*s=wrong; %s\r\n", (int)strcspn(pair, "="), pair, pair),
    };
    const char *bad_lines[] = {
        arena_printf(arena, "Cookie: %sx\r\n", pair),
        arena_printf(arena, "Cookie: x%s\r\n", pair),
        arena_printf(arena, "Cookie: %.*s\r\n", (int)strlen(pair) - 1, pair),
        arena_printf(arena, "Cookie: %s=\r\n", arena_strndup(arena, pair, strcspn(pair, "="))),
    };

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_int_equal(status_of_get(fixture, "/hello", lines[i]), 200);
    for (size_t i = 0; i < COUNT_OF(bad_lines); i++)
        assert_int_equal(status_of_get(fixture, "/hello", bad_lines[i]), 401);
}

static void
where_it_may_listen(void **state)
{
    struct fixture *fixture = *state;
    struct ctx *ctx = fixture->ctx;
    static const char *const unreadable[] = { "", "9187", "127.0.0.1", "127.0.0.1:", "localhost:x",
        "127.0.0.1:65536", "127.0.0.1:-1", "::1:9187", "[::1]", "[::1:0", "example.org:80",
        "127.0.0.1:80 ", "1.2.3:80" };
    static const char *const open[] = { ":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0" };
    struct http_server_options options = standard;
    struct http_server *other;

    for (size_t i = 0; i < COUNT_OF(unreadable); i++) {
        options.listen = unreadable[i];
        assert_false(http_server_start(ctx, fixture->loop, &options, &other));
        assert_error(ctx, ERR_INPUT, unreadable[i]);
    }
    for (size_t i = 0; i < COUNT_OF(open); i++) {
        options.listen = open[i];
        assert_false(http_server_start(ctx, fixture->loop, &options, &other));
        assert_error(ctx, ERR_USAGE, "token");
    }
    options.listen = "127.0.0.1:0";
    options.token = "";
    assert_false(http_server_start(ctx, fixture->loop, &options, &other));
    assert_error(ctx, ERR_USAGE, "empty");

    start_server(fixture, &standard);
    assert_true(text_starts_with(http_server_address(fixture->server), "127.0.0.1:"));
    assert_false(text_ends_with(http_server_address(fixture->server), ":0"));
    options.token = NULL;
    options.listen = http_server_address(fixture->server);
    assert_false(http_server_start(ctx, fixture->loop, &options, &other));
    assert_error(ctx, ERR_IO, "in use");
    assert_has(ask(fixture, GET("/hello") CLOSE END), "hello");

    options.listen = ":0";
    options.token = token;
    assert_true(http_server_start(ctx, fixture->loop, &options, &other));
    http_server_stop(fixture->server);
    fixture->server = other;
    assert_has(ask(fixture, GET("/health") CLOSE END), "hello");
}

static void
several_share_one_port(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options options = standard;
    struct http_server *other;

    options.share_port = true;
    start_server(fixture, &options);
    options.listen = http_server_address(fixture->server);
    options.data = fixture;
    assert_true(http_server_start(fixture->ctx, fixture->loop, &options, &other));
    assert_string_equal(http_server_address(other), http_server_address(fixture->server));
    for (int i = 0; i < 20; i++)
        assert_has(ask(fixture, GET("/hello") CLOSE END), "hello");
    http_server_stop(other);
}

static void
a_body_is_waited_for_when_it_is_announced(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options options = standard;
    const char *heard;

    options.most_body_bytes = 10;
    start_server(fixture, &options);
    heard = ask(fixture, POST("/echo") "Content-Length: 10\r\n" CLOSE END "0123456789");
    assert_true(text_ends_with(heard, "\r\n\r\n0123456789"));
    assert_int_equal(
        status_of(ask(fixture, POST("/echo") "Content-Length: 11\r\n" END "0123456789a")), 413);
    assert_int_equal(
        status_of(ask(fixture, POST("/echo") "Transfer-Encoding: chunked\r\n" END
                                             "6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n")),
        413);

    /* The client has sent far more than was read when it is told; that must not drown the answer. */
    heard = ask(fixture, arena_printf(fixture->ctx->arena,
                             "%sContent-Length: 300000\r\n\r\n%0300000d", POST("/echo"), 0));
    assert_int_equal(status_of(heard), 413);

    /* A final answer that the body is not wanted for comes without waiting for it. */
    heard = ask(fixture, POST("/echo") "Content-Length: 11\r\nExpect: 100-continue\r\n" END);
    assert_int_equal(status_of(heard), 413);
    heard = ask(fixture, POST("/nowhere") "Content-Length: 3\r\nExpect: 100-continue\r\n" END);
    assert_int_equal(status_of(heard), 404);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_server(answers_carry_what_protects_the_browser),
        test_with_server(a_handler_can_say_more_but_not_break_the_answer),
        test_with_server(head_is_get_without_the_body),
        test_with_server(unknown_paths_and_methods_are_told_apart),
        test_with_server(a_connection_is_kept_as_long_as_both_want),
        test_with_server(other_names_in_host_are_refused),
        test_with_server(pages_of_other_sites_cannot_change_anything),
        test_with_server(without_the_token_nothing_is_answered),
        test_with_server(a_browser_logs_in_and_gets_a_cookie),
        test_with_server(where_it_may_listen),
        test_with_server(several_share_one_port),
        test_with_server(a_body_is_waited_for_when_it_is_announced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
