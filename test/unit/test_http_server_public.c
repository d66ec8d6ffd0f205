/* What a server of an API needs: clients that go away, many of them, and sockets that are handed on. */
#include "support/test.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "test_http_server_support.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
#define CLOSE     "Connection: close\r\n"
#define END       "\r\n"

/* What the handler of everything was given. */
static void
tell(void *data, struct http_request *request)
{
    size_t length;

    (void)data;
    (void)http_request_body(request, &length);
    answer_text(
        request, arena_printf(http_request_arena(request), "<%d %s %zu>",
                     (int)http_request_method(request), http_request_path(request), length));
}

/* Keeps the request, and stops the loop, so that the test can go on with it in its hands. */
static void
keep(void *data, struct http_request *request)
{
    struct fixture *fixture = data;

    fixture->kept = request;
    loop_stop(fixture->loop);
}

static const struct http_route routes[] = {
    { .methods = HTTP_EVERY_METHOD, .path = "/keep", .handler = keep },
    { .methods = HTTP_POST, .path = "/small", .handler = tell, .most_body_bytes = 4 },
    { .methods = HTTP_POST, .path = "/large", .handler = tell, .most_body_bytes = 2000 },
    { .methods = HTTP_EVERY_METHOD, .path = "/*", .handler = tell },
};
static const struct http_server_options options = {
    .routes = routes,
    .route_count = COUNT_OF(routes),
    .most_body_bytes = 1000,
    .is_public = true,
};

static void
stop_loop(void *data)
{
    loop_stop(data);
}

static void
run_for(struct fixture *fixture, int64_t us)
{
    struct loop_timer *timer = loop_timer_new(fixture->loop, stop_loop, fixture->loop);

    loop_timer_set(timer, us);
    loop_run(fixture->loop);
    loop_timer_free(timer);
}

static int
dial_and_say(struct fixture *fixture, const char *text)
{
    int fd = dial(http_server_address(fixture->server));

    assert_true(fd >= 0);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    return fd;
}

/* Until there is something to read, or the end. */
static const char *
hear(struct fixture *fixture, int fd)
{
    struct loop_watch *watch = loop_watch_new(fixture->loop, fd, dialog_is_over, fixture->loop);
    char *text = arena_alloc(fixture->ctx->arena, 16 * 1024);
    ssize_t got;

    loop_watch_set(watch, true, false);
    loop_run(fixture->loop);
    loop_watch_free(watch);
    got = recv(fd, text, 16 * 1024 - 1, 0);
    return got >= 0 ? text : "(reset)";
}

static void
anybody_may_ask_a_public_server(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options open = options, closed = options;

    open.listen = ":0";
    start_server(fixture, &open);
    assert_true(text_ends_with(
        ask(fixture, "GET /a HTTP/1.1\r\nHost: api.example.com\r\n" CLOSE END), "<1 /a 0>"));
    assert_true(text_ends_with(
        ask(fixture, "POST /b HTTP/1.1\r\nHost: other.example:8080\r\n"
                     "Origin: https://evil.example\r\nContent-Length: 1\r\n" CLOSE END "x"),
        "<2 /b 1>"));
    assert_int_equal(status_of(ask(fixture, "GET / HTTP/1.1\r\nHost: a b\r\n" CLOSE END)), 400);
    assert_int_equal(status_of(ask(fixture, "GET / HTTP/1.1\r\nHost: a,b\r\n" CLOSE END)), 400);
    closed.is_public = false;
    closed.listen = ":0";
    assert_false(
        http_server_start(fixture->ctx, fixture->loop, &closed, &(struct http_server *){ 0 }));
    assert_error(fixture->ctx, ERR_USAGE, "without a token");
}

static void
one_handler_can_have_every_method_and_path(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *method;
        const char *reply;
    } methods[] = { { "GET", "<1 /x/y 0>" }, { "POST", "<2 /x/y 0>" }, { "DELETE", "<8 /x/y 0>" },
        { "PATCH", "<0 /x/y 0>" }, { "OPTIONS", "<0 /x/y 0>" }, { "TRACE", "<0 /x/y 0>" },
        { "get", "<0 /x/y 0>" } };

    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        const char *heard = ask(
            fixture, arena_printf(fixture->ctx->arena,
                         "%s /x/y HTTP/1.1\r\nHost: localhost\r\n" CLOSE END, methods[i].method));

        assert_int_equal(status_of(heard), 200);
        if (!text_ends_with(heard, methods[i].reply))
            fail_msg("%s got \"%s\"", methods[i].method, heard);
    }
}

static int
status_of_body(struct fixture *fixture, const char *path, int length, bool is_chunked)
{
    struct buffer say = { .arena = fixture->ctx->arena };

    buffer_printf(&say, "POST %s HTTP/1.1\r\nHost: localhost\r\n" CLOSE, path);
    if (is_chunked)
        buffer_printf(&say, "Transfer-Encoding: chunked\r\n\r\n%x\r\n", (unsigned)length);
    else
        buffer_printf(&say, "Content-Length: %d\r\n\r\n", length);
    for (int i = 0; i < length; i++)
        buffer_add(&say, "x");
    if (is_chunked)
        buffer_add(&say, "\r\n0\r\n\r\n");
    return status_of(ask(fixture, buffer_text(&say)));
}

static void
each_route_has_its_own_limit_of_bodies(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *path;
        int most;
    } limits[] = { { "/small", 4 }, { "/large", 2000 }, { "/other", 1000 } };

    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        for (int chunked = 0; chunked <= 1; chunked++) {
            assert_int_equal(status_of_body(fixture, limits[i].path, limits[i].most, chunked), 200);
            assert_int_equal(
                status_of_body(fixture, limits[i].path, limits[i].most + 1, chunked), 413);
        }
    }
}

static void
sockets_can_be_handed_over_and_shared(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options own = options;
    struct http_server *first, *second;
    const char *address;
    int fd, copy, early;

    assert_true(http_server_listen(fixture->ctx, "127.0.0.1:0", false, &fd));
    copy = dup(fd);
    own.data = fixture;
    own.socket = fd;
    assert_true(http_server_start(fixture->ctx, fixture->loop, &own, &first));
    address = arena_strdup(fixture->ctx->arena, http_server_address(first));
    own.socket = dup(copy);
    assert_true(http_server_start(fixture->ctx, fixture->loop, &own, &second));
    assert_string_equal(http_server_address(second), address);
    fixture->server = second;
    assert_true(text_ends_with(ask(fixture, GET("/one") CLOSE END), "<1 /one 0>"));
    /* Both have closed theirs: who comes now waits for the next one that has it. */
    http_server_stop(first);
    http_server_stop(second);
    fixture->server = NULL;
    early = dial(address);
    assert_true(early >= 0);
    assert_true(send(early, GET("/two") END, strlen(GET("/two") END), MSG_NOSIGNAL) > 0);
    own.socket = copy;
    assert_true(http_server_start(fixture->ctx, fixture->loop, &own, &fixture->server));
    assert_true(text_ends_with(hear(fixture, early), "<1 /two 0>"));
    close(early);
}

static void
what_does_not_listen_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options own = options;
    int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), pair[2];

    assert_int_equal(pipe(pair), 0);
    own.socket = plain;
    assert_false(http_server_start(fixture->ctx, fixture->loop, &own, &fixture->server));
    assert_error(fixture->ctx, ERR_INPUT, "does not listen");
    own.socket = pair[0];
    assert_false(http_server_start(fixture->ctx, fixture->loop, &own, &fixture->server));
    assert_error(fixture->ctx, ERR_IO, "could not use the socket");
    fixture->server = NULL;
    /* They are still ours. */
    assert_int_equal(close(plain) + close(pair[0]) + close(pair[1]), 0);
}

static void
note_gone(void *data)
{
    struct fixture *fixture = data;

    fixture->closed++;
    loop_stop(fixture->loop);
}

/* Cancelled work answers at once, from inside of the callback. */
static void
answer_the_gone(void *data)
{
    struct fixture *fixture = data;

    fixture->closed++;
    assert_true(http_request_is_gone(fixture->kept));
    answer_text(fixture->kept, "nobody hears this");
    fixture->kept = NULL;
    loop_stop(fixture->loop);
}

static int
say_and_keep(struct fixture *fixture, const char *text, loop_callback *gone)
{
    int fd = dial_and_say(fixture, text);

    loop_run(fixture->loop);
    assert_non_null(fixture->kept);
    http_request_on_gone(fixture->kept, gone, fixture);
    return fd;
}

static void
who_goes_away_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    static const struct linger reset = { .l_onoff = 1 };
    int fd;

    start_server(fixture, &options);
    for (int way = 0; way < 3; way++) {
        fixture->closed = 0;
        fd = say_and_keep(fixture, GET("/keep") END, way == 2 ? answer_the_gone : note_gone);
        if (way == 1)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
        while (fixture->closed == 0)
            loop_run(fixture->loop);
        run_for(fixture, 20000);
        assert_int_equal(fixture->closed, 1);
        if (way < 2) {
            assert_true(http_request_is_gone(fixture->kept));
            answer_text(fixture->kept, "nobody hears this");
        }
    }
    /* One that sends its next request ahead, and one that is answered in time. */
    fixture->closed = 0;
    fd = say_and_keep(fixture, GET("/keep") END GET("/next") END, note_gone);
    close(fd);
    while (fixture->closed == 0)
        loop_run(fixture->loop);
    answer_text(fixture->kept, "nobody hears this");
    fixture->closed = 0;
    fd = say_and_keep(fixture, GET("/keep") END, note_gone);
    answer_text(fixture->kept, "heard");
    assert_true(text_ends_with(hear(fixture, fd), "heard"));
    close(fd);
    run_for(fixture, 50000);
    assert_int_equal(fixture->closed, 0);
    assert_int_equal(http_server_count(fixture->server), 0);
}

static void
who_is_not_asked_for_any_more_is_not_told(void **state)
{
    struct fixture *fixture = *state;
    int fd;

    start_server(fixture, &options);
    fd = say_and_keep(fixture, GET("/keep") END, note_gone);
    http_request_on_gone(fixture->kept, NULL, NULL);
    close(fd);
    for (int turns = 0; turns < 2000 && !http_request_is_gone(fixture->kept); turns++)
        run_for(fixture, 5000);
    assert_true(http_request_is_gone(fixture->kept));
    assert_int_equal(fixture->closed, 0);
    answer_text(fixture->kept, "");
    /* A server that stops has no clients left either. */
    fd = say_and_keep(fixture, GET("/keep") END, answer_the_gone);
    http_server_stop(fixture->server);
    fixture->server = NULL;
    assert_int_equal(fixture->closed, 1);
    close(fd);
}

static void
who_only_says_no_more_has_not_gone(void **state)
{
    struct fixture *fixture = *state;
    static const char *const requests[] = { GET("/keep") END,
        "GET /keep HTTP/1.0\r\nHost: localhost\r\n\r\n" };

    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        int fd = say_and_keep(fixture, requests[i], note_gone);
        const char *heard;

        shutdown(fd, SHUT_WR);
        if (i == 0) {
            /* What it is asked with, so that it can be seen that it listens. */
            heard = hear(fixture, fd);
            assert_string_equal(heard, "HTTP/1.1 100 Continue\r\n\r\n");
        }
        run_for(fixture, 100000);
        assert_false(http_request_is_gone(fixture->kept));
        assert_int_equal(fixture->closed, 0);
        answer_text(fixture->kept, "heard");
        heard = hear(fixture, fd);
        assert_int_equal(status_of(heard), 200);
        assert_true(text_ends_with(heard, "heard"));
        assert_string_equal(hear(fixture, fd), "");
        close(fd);
    }
    /* It goes after all, later. */
    for (int is_reset = 0; is_reset <= 1; is_reset++) {
        static const struct linger reset = { .l_onoff = 1 };
        int fd = say_and_keep(fixture, requests[0], note_gone);

        shutdown(fd, SHUT_WR);
        assert_int_equal(status_of(hear(fixture, fd)), 100);
        if (is_reset)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
        if (is_reset) {
            while (fixture->closed == 0)
                loop_run(fixture->loop);
        }
        answer_text(fixture->kept, "heard or not");
    }
}

/* The loop must not turn and turn over an end that was read already. */
static void
a_half_closed_client_costs_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct rusage start, end;
    int fd;

    start_server(fixture, &options);
    fd = say_and_keep(fixture, GET("/keep") END, note_gone);
    shutdown(fd, SHUT_WR);
    run_for(fixture, 50000);
    getrusage(RUSAGE_THREAD, &start);
    run_for(fixture, 400000);
    getrusage(RUSAGE_THREAD, &end);
    assert_in_range((end.ru_utime.tv_sec - start.ru_utime.tv_sec) * 1000000 + end.ru_utime.tv_usec -
                        start.ru_utime.tv_usec,
        0, 100000);
    answer_text(fixture->kept, "heard");
    close(fd);
}

static void
end_drain(void *data)
{
    struct fixture *fixture = data;

    fixture->closed++;
    loop_stop(fixture->loop);
}

/* Busy clients ask again within moments: they are answered, and told to come no more. */
static void
a_drain_loses_no_request(void **state)
{
    struct fixture *fixture = *state;
    const char *heard;
    int kept, fresh, waiting;

    start_server(fixture, &options);
    kept = dial_and_say(fixture, GET("/a") END);
    assert_true(text_ends_with(hear(fixture, kept), "<1 /a 0>"));
    fresh = dial(http_server_address(fixture->server));
    run_for(fixture, 20000);
    waiting = dial(http_server_address(fixture->server)); /* not even accepted */
    assert_true(fresh >= 0 && waiting >= 0);

    http_server_drain(fixture->server, end_drain, fixture);
    assert_true(send(waiting, GET("/w") END, strlen(GET("/w") END), MSG_NOSIGNAL) > 0);
    assert_true(send(fresh, GET("/f") END, strlen(GET("/f") END), MSG_NOSIGNAL) > 0);
    assert_true(send(kept, GET("/k") END, strlen(GET("/k") END), MSG_NOSIGNAL) > 0);
    heard = hear(fixture, waiting);
    assert_has(heard, "Connection: close\r\n");
    assert_has(heard, "<1 /w 0>");
    heard = hear(fixture, fresh);
    assert_has(heard, "Connection: close\r\n");
    assert_has(heard, "<1 /f 0>");
    heard = hear(fixture, kept);
    assert_has(heard, "Connection: close\r\n");
    assert_has(heard, "<1 /k 0>");
    close(kept);
    close(fresh);
    close(waiting);
    while (fixture->closed == 0)
        loop_run(fixture->loop);
}

/* Heads that are never finished must not keep others out until they are given up. */
static void
slow_heads_make_room_for_others(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options own = options;
    int slow[3];

    own.most_connections = COUNT_OF(slow);
    start_server(fixture, &own);
    for (size_t i = 0; i < COUNT_OF(slow); i++)
        slow[i] = dial_and_say(fixture, "GET / HTTP/1.1\r\nHost: loc");
    while (http_server_count(fixture->server) < (int32_t)COUNT_OF(slow))
        run_for(fixture, 1000);
    run_for(fixture, 1100000);
    assert_true(text_ends_with(ask(fixture, GET("/later") CLOSE END), "<1 /later 0>"));
    /* The others are not given up before their time. */
    assert_true(send(slow[2], "alhost\r\n\r\n", 11, MSG_NOSIGNAL) > 0);
    assert_int_equal(status_of(hear(fixture, slow[2])), 200);
    for (size_t i = 0; i < COUNT_OF(slow); i++)
        close(slow[i]);
}

/* 10,000 of them shall need 50 MB at most: 5 kB each, of which this is measured for the heap. */
static void
an_idle_connection_is_small(void **state)
{
    enum { MANY = 400, MOST_BYTES = 5 * 1024 };
    struct fixture *fixture = *state;
    struct http_server_options own = options;
    int fds[MANY];
    size_t before, after;

    own.most_connections = MANY;
    start_server(fixture, &own);
    fds[0] = dial_and_say(fixture, GET("/first") END);
    (void)hear(fixture, fds[0]);
    before = mallinfo2().uordblks;
    for (size_t i = 1; i < MANY; i++) {
        fds[i] = dial(http_server_address(fixture->server));
        assert_true(fds[i] >= 0);
        assert_true(send(fds[i], GET("/x") END, strlen(GET("/x") END), MSG_NOSIGNAL) > 0);
        while (recv(fds[i], &(char[1024]){ 0 }, 1024, MSG_DONTWAIT) < 0)
            run_for(fixture, 1000);
    }
    after = mallinfo2().uordblks;
    assert_int_equal(http_server_count(fixture->server), MANY);
    assert_in_range((after - before) / (MANY - 1), 0, MOST_BYTES);
    for (size_t i = 0; i < MANY; i++)
        close(fds[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_server(anybody_may_ask_a_public_server),
        test_with_server(one_handler_can_have_every_method_and_path),
        test_with_server(each_route_has_its_own_limit_of_bodies),
        test_with_server(sockets_can_be_handed_over_and_shared),
        test_with_server(what_does_not_listen_is_refused),
        test_with_server(who_goes_away_is_told_once),
        test_with_server(who_is_not_asked_for_any_more_is_not_told),
        test_with_server(who_only_says_no_more_has_not_gone),
        test_with_server(a_half_closed_client_costs_nothing),
        test_with_server(a_drain_loses_no_request),
        test_with_server(slow_heads_make_room_for_others),
        test_with_server(an_idle_connection_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
