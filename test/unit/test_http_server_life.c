#include "support/test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "test_http_server_support.h"

/* Clients that are slow, silent, too many or gone, and how a server ends. */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
#define CLOSE     "Connection: close\r\n"
#define END       "\r\n"

enum { BIG = 8 * 1024 * 1024 };

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

    (void)data;
    answer_text(request, http_request_body(request, &length));
}

/* Keeps the request and stops the loop, so that the test goes on with it in its hands. */
static void
keep(void *data, struct http_request *request)
{
    struct fixture *fixture = data;

    fixture->kept = request;
    loop_stop(fixture->loop);
}

/* Letters whose order is told by arithmetic, not by what was sent. */
static char
letter_at(size_t at)
{
    return (char)('a' + at * at % 23);
}

static void
answer_big(void *data, struct http_request *request)
{
    char *body = arena_alloc(http_request_arena(request), BIG);

    (void)data;
    for (size_t i = 0; i < BIG; i++)
        body[i] = letter_at(i);
    http_answer(request,
        &(struct http_answer){ .status = 200, .type = "text/plain", .body = body, .length = BIG });
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
    { .methods = HTTP_POST, .path = "/echo", .handler = echo },
    { .methods = HTTP_GET, .path = "/keep", .handler = keep },
    { .methods = HTTP_GET, .path = "/big", .handler = answer_big },
    { .methods = HTTP_GET, .path = "/stream", .handler = stream },
};
static const struct http_server_options standard = { .routes = routes,
    .route_count = COUNT_OF(routes) };

static int
dial_and_say(struct fixture *fixture, const char *say)
{
    int fd = dial(http_server_address(fixture->server));

    assert_true(fd >= 0);
    assert_int_equal(send(fd, say, strlen(say), MSG_NOSIGNAL), strlen(say));
    return fd;
}

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

/* Runs until the other side has closed, or said something, on this socket. */
static void
run_until_readable(struct fixture *fixture, int fd)
{
    struct loop_watch *watch = loop_watch_new(fixture->loop, fd, dialog_is_over, fixture->loop);

    loop_watch_set(watch, true, false);
    loop_run(fixture->loop);
    loop_watch_free(watch);
}

static const char *
hear(struct fixture *fixture, int fd)
{
    char *text = arena_alloc(fixture->ctx->arena, 64 * 1024);
    ssize_t got = recv(fd, text, 64 * 1024 - 1, 0);

    return got >= 0 ? text : "(reset)";
}

/* A client that was kept from saying anything in time, on a busy machine, tries again. */
static const char *
ask_again(struct fixture *fixture, const char *say)
{
    for (int i = 0; i < 50; i++) {
        struct dialog dialog = { .say = say };

        run_dialog(fixture, &dialog);
        if (dialog.heard_length > 0)
            return dialog.heard;
    }
    return "";
}

static void
slow_clients_are_told_or_dropped(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options options = standard;
    int silent;

    options.idle_timeout_us = 200000;
    start_server(fixture, &options);
    silent = dial(http_server_address(fixture->server));
    assert_int_equal(status_of(ask_again(fixture, "GET /hello HTTP/1.1\r\nHost: a")), 408);
    assert_int_equal(
        status_of(ask(
            fixture, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhell")),
        408);
    /* Between two requests it is closed without a word. */
    assert_true(text_ends_with(ask_again(fixture, GET("/hello") END), "\r\n\r\nhello"));
    run_until_readable(fixture, silent);
    assert_string_equal(hear(fixture, silent), "");
    close(silent);
}

/* One byte now and then is not enough to hold a connection: the time is that of the whole head. */
struct trickle {
    const char *address;
    char text[4096];
    int sent;
    int done[2];
};

static void *
send_drop_by_drop(void *data)
{
    struct trickle *trickle = data;
    int fd = dial(trickle->address);
    struct timespec pause = { .tv_nsec = 20000000 };
    struct pollfd waiting = { .fd = fd, .events = POLLIN };
    ssize_t got;

    (void)!send(fd, "GET / HTTP/1.1\r\nX: ", 19, MSG_NOSIGNAL);
    /* As long as the server lets it; two thousand times would be 40 s. */
    for (; trickle->sent < 2000 && poll(&waiting, 1, 0) == 0; trickle->sent++) {
        nanosleep(&pause, NULL);
        if (send(fd, "x", 1, MSG_NOSIGNAL) < 0)
            break;
    }
    got = recv(fd, trickle->text, sizeof(trickle->text) - 1, 0);
    trickle->text[got > 0 ? got : 0] = '\0';
    close(fd);
    if (write(trickle->done[1], "x", 1) < 0)
        abort();
    return NULL;
}

static void
a_trickle_does_not_hold_a_connection(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options options = standard;
    struct trickle trickle = { 0 };
    pthread_t thread;

    options.idle_timeout_us = 300000;
    start_server(fixture, &options);
    trickle.address = http_server_address(fixture->server);
    assert_int_equal(pipe(trickle.done), 0);
    for (int i = 0; i < 50 && !trickle.text[0]; i++) {
        char byte;

        trickle.sent = 0;
        assert_int_equal(pthread_create(&thread, NULL, send_drop_by_drop, &trickle), 0);
        run_until_readable(fixture, trickle.done[0]);
        pthread_join(thread, NULL);
        assert_int_equal(read(trickle.done[0], &byte, 1), 1);
    }
    close(trickle.done[0]);
    close(trickle.done[1]);
    assert_in_range(trickle.sent, 1, 1999);
    assert_int_equal(status_of(trickle.text), 408);
}

static void
a_long_answer_waits_for_a_slow_reader_and_nobody_else_does(void **state)
{
    struct fixture *fixture = *state;
    const char *head = "";
    char *got = arena_alloc(fixture->ctx->arena, BIG + 4096);
    size_t length = 0;
    int fd;

    start_server(fixture, &standard);
    fd = dial_and_say(fixture, GET("/big") CLOSE END);
    run_until_readable(fixture, fd);
    /* It cannot all be in the socket; meanwhile others are answered. */
    for (int i = 0; i < 5; i++)
        assert_true(text_ends_with(ask(fixture, GET("/hello") CLOSE END), "hello"));
    for (;;) {
        ssize_t part;

        run_until_readable(fixture, fd);
        part = recv(fd, got + length, BIG + 4096 - length, MSG_DONTWAIT);
        if (part <= 0)
            break;
        length += (size_t)part;
    }
    close(fd);
    head = strstr(got, "\r\n\r\n");
    assert_non_null(head);
    assert_int_equal(length - (size_t)(head + 4 - got), BIG);
    for (size_t i = 0; i < BIG; i++) {
        if (head[4 + i] != letter_at(i))
            fail_msg("byte %zu is wrong", i);
    }
}

static void
a_client_that_asks_first_is_told_to_go_on(void **state)
{
    struct fixture *fixture = *state;
    int fd;

    start_server(fixture, &standard);
    fd = dial_and_say(fixture, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                               "Expect: 100-continue\r\n\r\n");
    run_until_readable(fixture, fd);
    assert_string_equal(hear(fixture, fd), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(send(fd, "hello", 5, MSG_NOSIGNAL), 5);
    run_until_readable(fixture, fd);
    assert_true(text_ends_with(hear(fixture, fd), "\r\n\r\nhello"));
    close(fd);
}

static void
an_answer_may_come_later(void **state)
{
    struct fixture *fixture = *state;
    int fd;

    start_server(fixture, &standard);
    /* The second request waits for the first one's answer. */
    fd = dial_and_say(fixture, GET("/keep") END GET("/hello") CLOSE END);
    loop_run(fixture->loop);
    assert_non_null(fixture->kept);
    assert_false(http_request_is_gone(fixture->kept));
    assert_true(text_starts_with(http_request_client(fixture->kept), "127.0.0.1:"));
    assert_true(text_ends_with(ask(fixture, GET("/hello") CLOSE END), "hello"));
    answer_text(fixture->kept, "kept");
    run_until_readable(fixture, fd);

    const char *heard = hear(fixture, fd);

    assert_has(heard, "\r\n\r\nkeptHTTP/1.1 200 OK\r\n");
    assert_true(text_ends_with(heard, "hello"));
    close(fd);
}

static void
who_says_no_more_still_hears_the_answer(void **state)
{
    struct fixture *fixture = *state;
    struct dialog dialog = { .say = GET("/hello") END, .is_half = true };

    start_server(fixture, &standard);
    run_dialog(fixture, &dialog);
    assert_true(text_ends_with(dialog.heard, "hello"));
}

static void
who_has_gone_is_seen_and_may_be_answered(void **state)
{
    struct fixture *fixture = *state;
    static const struct linger reset = { .l_onoff = 1 };
    struct http_request *kept;
    int fd;

    start_server(fixture, &standard);
    for (int i = 0; i < 2; i++) {
        fd = dial_and_say(fixture, GET("/keep") END);
        loop_run(fixture->loop);
        kept = fixture->kept;
        if (i == 1)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
        for (int turns = 0; turns < 1000 && !http_request_is_gone(kept); turns++)
            run_for(fixture, 10000);
        assert_true(http_request_is_gone(kept));
        if (i == 0)
            answer_text(kept, "nobody hears this");
        else
            http_fail(kept, &(struct error){ .kind = ERR_FAILED, .message = "nor this" });
    }
    /* Gone while its answer is on the way. */
    fd = dial_and_say(fixture, GET("/big") END);
    run_until_readable(fixture, fd);
    close(fd);
    assert_true(text_ends_with(ask(fixture, GET("/hello") CLOSE END), "hello"));
}

static void
events_come_as_they_are_sent(void **state)
{
    struct fixture *fixture = *state;
    const char *heard = "";
    int fd;

    start_server(fixture, &standard);
    fd = dial_and_say(fixture, GET("/stream") END);
    loop_run(fixture->loop);
    assert_non_null(fixture->stream);
    assert_true(http_stream_send(fixture->stream, "state", "{\"a\": 1}"));
    assert_true(http_stream_send(fixture->stream, NULL, "one\ntwo\r\nthree\rfour\n"));
    assert_true(http_stream_send(fixture->stream, "bad\ndata: forged", ""));
    http_stream_end(fixture->stream);
    for (;;) {
        const char *more;

        run_until_readable(fixture, fd);
        more = hear(fixture, fd);
        if (!*more)
            break;
        heard = arena_printf(fixture->ctx->arena, "%s%s", heard, more);
    }
    assert_has(heard, "\r\nContent-Type: text/event-stream");
    assert_has(heard, "\r\nCache-Control: no-store\r\n");
    assert_has_not(heard, "Content-Length");
    assert_string_equal(strstr(heard, "\r\n\r\n") + 4,
        "event: state\ndata: {\"a\": 1}\n\n"
        "data: one\ndata: two\ndata: three\ndata: four\ndata: \n\n"
        "event: bad\ndata: \n\n");
    close(fd);
    run_for(fixture, 10000);
    assert_int_equal(fixture->closed, 0);
}

static void
a_stream_whose_client_goes_is_told_to_be_closed(void **state)
{
    struct fixture *fixture = *state;
    int fd;

    start_server(fixture, &standard);
    fd = dial_and_say(fixture, GET("/stream") END);
    loop_run(fixture->loop);
    close(fd);
    loop_run(fixture->loop); /* until closed() */
    assert_int_equal(fixture->closed, 1);

    /* HEAD has no events; it is answered and closed in the same way. */
    fd = dial_and_say(fixture, "HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    loop_run(fixture->loop);
    assert_non_null(fixture->stream);
    assert_false(http_stream_send(fixture->stream, "a", "b"));
    loop_run(fixture->loop);
    assert_int_equal(fixture->closed, 2);
    close(fd);

    /* One that ends while it is lost already, before it was told. */
    fd = dial_and_say(fixture, "HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    loop_run(fixture->loop);
    http_stream_end(fixture->stream);
    run_for(fixture, 10000);
    assert_int_equal(fixture->closed, 2);
    close(fd);

    fd = dial_and_say(fixture, GET("/stream") END);
    loop_run(fixture->loop);
    http_server_stop(fixture->server);
    fixture->server = NULL;
    assert_int_equal(fixture->closed, 3);
    close(fd);
}

static void
who_does_not_read_events_loses_some_and_slows_nobody(void **state)
{
    struct fixture *fixture = *state;
    char *event = arena_alloc(fixture->ctx->arena, 10001);
    int small = 4096, fd, sent = 0;

    memset(event, 'e', 10000);
    start_server(fixture, &standard);
    fd = dial_and_say(fixture, GET("/stream") END);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    loop_run(fixture->loop);
    /* What the kernel holds for both sides has an end, and so has what we hold. */
    while (sent < 100000 && http_stream_send(fixture->stream, "e", event))
        sent++;
    assert_in_range(sent, 1, 99999);
    assert_false(http_stream_send(fixture->stream, "e", event));
    assert_true(text_ends_with(ask(fixture, GET("/hello") CLOSE END), "hello"));
    /* When it reads again it gets whole events, and new ones. */
    for (int turns = 0; turns < 100000 && !http_stream_send(fixture->stream, "again", event);
         turns++) {
        char bytes[65536];

        if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) < 0)
            run_for(fixture, 1000);
    }
    assert_true(http_stream_send(fixture->stream, "again", ""));
    close(fd);
    loop_run(fixture->loop);
    assert_int_equal(fixture->closed, 1);
}

static void
when_it_is_full_the_idle_go_first(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options options = standard;
    int idle[3], busy;

    options.most_connections = 3;
    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        idle[i] = dial_and_say(fixture, GET("/hello") END);
        run_until_readable(fixture, idle[i]);
        assert_has(hear(fixture, idle[i]), "hello");
    }
    busy = dial_and_say(fixture, GET("/keep") END);
    loop_run(fixture->loop);
    /* The oldest had to go; the others are alive. */
    run_until_readable(fixture, idle[0]);
    assert_string_equal(hear(fixture, idle[0]), "");
    for (size_t i = 1; i < COUNT_OF(idle); i++) {
        struct http_request *kept = fixture->kept;

        assert_true(send(idle[i], GET("/keep") END, strlen(GET("/keep") END), MSG_NOSIGNAL) > 0);
        loop_run(fixture->loop);
        if (i == 1)
            answer_text(fixture->kept, "one");
        else
            answer_text(kept, "the busy one");
        if (i == 1)
            fixture->kept = kept;
    }
    for (size_t i = 0; i < COUNT_OF(idle); i++)
        close(idle[i]);
    close(busy);
    answer_text(fixture->kept, "two");
}

static void
when_all_are_busy_more_are_turned_away(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_options options = standard;
    struct http_request *kept[2];
    int busy[2];

    options.most_connections = 2;
    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(busy); i++) {
        busy[i] = dial_and_say(fixture, GET("/keep") END);
        loop_run(fixture->loop);
        kept[i] = fixture->kept;
    }
    assert_int_equal(status_of(ask(fixture, "")), 503);
    for (size_t i = 0; i < COUNT_OF(busy); i++) {
        answer_text(kept[i], "done");
        close(busy[i]);
    }
    run_for(fixture, 10000);
    assert_true(text_ends_with(ask(fixture, GET("/hello") CLOSE END), "hello"));
}

/* Out of descriptors, the connection that waits must not keep the loop spinning. */
static void
without_descriptors_it_waits_and_recovers(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before, tight;
    struct rusage start, end;
    int fd, next;

    start_server(fixture, &standard);
    getrlimit(RLIMIT_NOFILE, &before);
    fd = dial_and_say(fixture, GET("/hello") END);
    next = dup(fd);
    close(next);
    tight = before;
    tight.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    getrusage(RUSAGE_THREAD, &start);
    run_for(fixture, 300000);
    getrusage(RUSAGE_THREAD, &end);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_in_range(end.ru_nvcsw - start.ru_nvcsw, 0, 10);
    assert_in_range((end.ru_utime.tv_sec - start.ru_utime.tv_sec) * 1000000 + end.ru_utime.tv_usec -
                        start.ru_utime.tv_usec,
        0, 100000);
    run_until_readable(fixture, fd);
    assert_has(hear(fixture, fd), "hello");
    close(fd);
}

static void
a_stop_lets_go_of_everything(void **state)
{
    struct fixture *fixture = *state;
    int fds[3];

    start_server(fixture, &standard);
    fds[0] = dial_and_say(fixture, GET("/keep") END);
    loop_run(fixture->loop);
    fds[1] = dial_and_say(fixture, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
    fds[2] = dial_and_say(fixture, GET("/big") END);
    run_until_readable(fixture, fds[2]);
    http_server_stop(fixture->server);
    fixture->server = NULL;
    assert_true(http_request_is_gone(fixture->kept));
    answer_text(fixture->kept, "to nobody");
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
}

static void
drained(void *data)
{
    struct fixture *fixture = data;

    fixture->closed++;
    http_server_stop(fixture->server);
    fixture->server = NULL;
    loop_stop(fixture->loop);
}

static void
a_drain_answers_what_is_under_way(void **state)
{
    struct fixture *fixture = *state;
    const char *address, *heard;
    int idle, busy;

    start_server(fixture, &standard);
    address = arena_strdup(fixture->ctx->arena, http_server_address(fixture->server));
    idle = dial_and_say(fixture, GET("/hello") END);
    run_until_readable(fixture, idle);
    assert_has(hear(fixture, idle), "hello");
    busy = dial_and_say(fixture, GET("/keep") END);
    loop_run(fixture->loop);

    http_server_drain(fixture->server, drained, fixture);
    assert_int_equal(dial(address), -1);
    run_until_readable(fixture, idle);
    assert_string_equal(hear(fixture, idle), "");
    run_for(fixture, 20000);
    assert_int_equal(fixture->closed, 0);
    answer_text(fixture->kept, "the last word");
    run_until_readable(fixture, busy);
    heard = hear(fixture, busy);
    assert_has(heard, "Connection: close\r\n");
    assert_has(heard, "the last word");
    close(busy);
    close(idle);
    while (!fixture->closed)
        loop_run(fixture->loop);
    assert_null(fixture->server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_server(slow_clients_are_told_or_dropped),
        test_with_server(a_trickle_does_not_hold_a_connection),
        test_with_server(a_long_answer_waits_for_a_slow_reader_and_nobody_else_does),
        test_with_server(a_client_that_asks_first_is_told_to_go_on),
        test_with_server(an_answer_may_come_later),
        test_with_server(who_says_no_more_still_hears_the_answer),
        test_with_server(who_has_gone_is_seen_and_may_be_answered),
        test_with_server(events_come_as_they_are_sent),
        test_with_server(a_stream_whose_client_goes_is_told_to_be_closed),
        test_with_server(who_does_not_read_events_loses_some_and_slows_nobody),
        test_with_server(when_it_is_full_the_idle_go_first),
        test_with_server(when_all_are_busy_more_are_turned_away),
        test_with_server(without_descriptors_it_waits_and_recovers),
        test_with_server(a_stop_lets_go_of_everything),
        test_with_server(a_drain_answers_what_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
