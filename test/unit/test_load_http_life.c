/* A connection's life: requests as they are sent, what is taken of answers, loss, reconnects, sources. */
#include "test_load_http_support.h"

#define OK    "HTTP/1.1 200 OK\r\n"
#define EMPTY OK "Content-Length: 0\r\n\r\n"

enum { LARGE = 16 << 20, LONG_AGO_US = 5000000 };

static const struct load_template root = { "/a?b=1", false };
static const struct load_template missing = { "/", true };
static const struct load_template headers = { "Authorization: Bearer x\r\nX-A: \xd0\xb0\r\n",
    false };
static const struct load_template body = { "{\"a\": \"\r\n\"}", false };
static const struct load_step get = { .name = "get", .method = "GET", .path = &root };
static const struct load_step post = {
    .name = "post",
    .method = "POST",
    .path = &root,
    .headers = &headers,
    .header_lines = 2,
    .body = &body,
};

static void
requests(void **state)
{
    static const struct load_template typed = { "content-type: text/plain\r\n", false };
    static const struct load_template empty = { "", false };
    const struct load_step steps[] = {
        get,
        post,
        { .method = "PUT", .path = &root, .headers = &typed, .body = &empty },
        { .method = "DELETE", .path = &root },
    };
    static const char *const wanted[] = {
        "GET /a?b=1 HTTP/1.1\r\nHost: %s\r\n\r\n",
        ("POST /a?b=1 HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer x\r\nX-A: \xd0\xb0\r\n"
         "Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"a\": \"\r\n\"}"),
        "PUT /a?b=1 HTTP/1.1\r\nHost: %s\r\ncontent-type: text/plain\r\nContent-Length: 0\r\n\r\n",
        "DELETE /a?b=1 HTTP/1.1\r\nHost: %s\r\n\r\n",
    };
    struct play play;

    play_open(&play, *state);
    play_connect(&play);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct buffer text = { .arena = play.ctx->arena };
        const char *host = strstr(wanted[i], "%s");

        buffer_append(&text, wanted[i], (size_t)(host - wanted[i]));
        buffer_add(&text, play.address);
        buffer_add(&text, host + 2);
        load_http_transport.send(play.connection, &steps[i]);
        play_receive(&play);
        assert_string_equal(play.request, buffer_text(&text));
        assert_true(send(play.peer, EMPTY, strlen(EMPTY), 0) > 0);
        play_until(&play, &play.user.answers, (int)i + 1);
    }
    play_close(&play);
}

struct unsent {
    const char *path;
    const char *headers;
    int32_t lines;
    const char *words;
};

/* What values can try: none of it reaches the server, and the connection stays as it is. */
static const struct unsent unsent[] = {
    { "a", NULL, 0, "does not begin" },
    { "", NULL, 0, "does not begin" },
    { "/a b", NULL, 0, "percent-encode" },
    { "/a HTTP/1.1\r\nX: y\r\n\r\n", NULL, 0, "percent-encode" },
    { "/a\n", NULL, 0, "percent-encode" },
    { "/a\t", NULL, 0, "percent-encode" },
    { "/\xd0\xb0", NULL, 0, "percent-encode" },
    { "/a", "X: y\r\n\r\nGET / HTTP/1.1\r\n", 1, "Name: value" },
    { "/a", "X: y\r\nEvil: z\r\n", 1, "end of a line" },
    { "/a", "X: y\nEvil: z\r\n", 1, "end of a line" },
    { "/a", "X: y\rz\r\n", 1, "end of a line" },
    { "/a", "X: y\x01\r\n", 1, "control" },
    { "/a", "X: y", 1, "end of a line" },
    { "/a", "X y: z\r\n", 1, "name of a header" },
    { "/a", "host: z\r\n", 1, "by itself" },
    { "/a", "Content-Length: 7\r\n", 1, "by itself" },
    { "/a", "Transfer-Encoding: chunked\r\n", 1, "by itself" },
};

static void
injection(void **state)
{
    const struct load_step none = { .method = "GET", .path = &missing };
    struct play play;

    play_open(&play, *state);
    play_connect(&play);
    for (size_t i = 0; i < COUNT_OF(unsent); i++) {
        const struct load_template path = { unsent[i].path, false };
        const struct load_template lines = { unsent[i].headers, false };
        const struct load_step step = {
            .method = "GET",
            .path = &path,
            .headers = unsent[i].headers ? &lines : NULL,
            .header_lines = unsent[i].lines,
        };

        load_http_transport.send(play.connection, &step);
        assert_int_equal(play.user.answers, i + 1);
        assert_int_equal(play.user.outcome, LOAD_UNSENT);
        if (!strstr(play.user.message, unsent[i].words))
            fail_msg("%zu: %s", i, play.user.message);
    }
    load_http_transport.send(play.connection, &none);
    assert_int_equal(play.user.outcome, LOAD_UNSENT);
    assert_string_equal(play.user.message, SCOPE_PROBLEM);
    load_http_transport.send(play.connection, &get);
    play_receive(&play);
    assert_int_equal(strncmp(play.request, "GET /a?b=1 ", 11), 0);
    play_close(&play);
}

static const struct load_take takes[] = {
    { 0, NULL, "user.token" },
    { 1, NULL, "items.1.id" },
    { 2, "x-session", NULL },
    { 3, NULL, "flag" },
};
static const struct load_step taking = {
    .name = "login",
    .method = "POST",
    .path = &root,
    .takes = takes,
    .take_count = COUNT_OF(takes),
};

static void
ask(struct play *play, const struct load_step *step, const char *bytes, size_t piece)
{
    int answers = play->user.answers;

    load_http_transport.send(play->connection, step);
    play_receive(play);
    for (size_t at = 0; at < strlen(bytes); at += piece) {
        size_t left = strlen(bytes) - at;

        assert_true(send(play->peer, bytes + at, left < piece ? left : piece, MSG_NOSIGNAL) > 0);
        edge_wait(play->edges, 0);
    }
    play_until(play, &play->user.answers, answers + 1);
}

static void
values_taken(void **state)
{
    static const char *const answer =
        OK "X-Session:  s 1 \r\nTransfer-Encoding: chunked\r\n\r\n"
           "20\r\n{\"user\": {\"token\": \"a\\u0431\\n\"},\r\n"
           "2a\r\n \"items\": [{\"id\": 7}, {\"id\": 123456789012}\r\n"
           "10\r\n], \"flag\": true}\r\n0\r\n\r\n";
    struct play play;

    play_open(&play, *state);
    play_connect(&play);
    for (size_t piece = 1; piece < 100; piece += 49) {
        memset(&play.scope, 0, sizeof(play.scope));
        ask(&play, &taking, answer, piece);
        assert_int_equal(play.user.outcome, LOAD_GOOD);
        assert_string_equal(play.user.message, "");
        assert_string_equal(play.scope.taken[0], "a\xd0\xb1\n");
        assert_string_equal(play.scope.taken[1], "123456789012");
        assert_string_equal(play.scope.taken[2], "s 1");
        assert_string_equal(play.scope.taken[3], "true");
    }
    assert_int_equal(play.user.lost, 0);
    play_close(&play);
}

static void
values_missing(void **state)
{
    struct play play;

    play_open(&play, *state);
    play_connect(&play);
    ask(&play, &taking, OK "Content-Length: 2\r\n\r\n{}", SIZE_MAX);
    assert_int_equal(play.user.outcome, LOAD_GOOD);
    assert_string_equal(play.user.message, "the answer has no \"user.token\"");
    ask(&play, &taking, OK "Content-Length: 2\r\n\r\n<>", SIZE_MAX);
    assert_true(strstr(play.user.message, "not JSON") != NULL);
    ask(&play, &taking, EMPTY, SIZE_MAX);
    assert_true(strstr(play.user.message, "not JSON") != NULL);
    ask(&play, &taking,
        OK "Content-Length: 46\r\n\r\n{\"user\":{\"token\":\"t\"},\"items\":[1],\"flag\":null}",
        SIZE_MAX);
    assert_string_equal(play.user.message, "the answer has no \"items.1.id\"");
    assert_string_equal(play.scope.taken[0], "t");
    /* Of an answer that is not good nothing is taken. */
    memset(&play.scope, 0, sizeof(play.scope));
    ask(&play, &taking,
        "HTTP/1.1 401 No\r\nX-Session: bad\r\nContent-Length: 22\r\n\r\n{\"user\":{\"token\":\"x\"}}",
        SIZE_MAX);
    assert_string_equal(play.user.message, "status 401");
    assert_int_equal(play.scope.length[0] + play.scope.length[2], 0);
    play_close(&play);
}

static void
values_too_large(void **state)
{
    struct buffer text = { .arena = ((struct ctx *)*state)->arena };
    struct play play;

    buffer_printf(&text, OK "Content-Length: %d\r\n\r\n[", LOAD_MOST_TAKEN + 2);
    while (text.length < LOAD_MOST_TAKEN)
        buffer_add(&text, "                ");
    while (!strstr(buffer_text(&text) + text.length - 1, "]")) {
        size_t start = (size_t)(strstr(text.data, "\r\n\r\n") + 4 - text.data);

        buffer_add(&text, text.length - start == LOAD_MOST_TAKEN + 1 ? "]" : " ");
    }
    play_open(&play, *state);
    play_connect(&play);
    ask(&play, &taking, buffer_text(&text), 65536);
    assert_int_equal(play.user.outcome, LOAD_GOOD);
    assert_true(strstr(play.user.message, "larger than 256 kB") != NULL);
    play_close(&play);
}

static void
expected_statuses(void **state)
{
    static const int32_t statuses[] = { 404, 503 };
    struct load_step step = get;
    struct play play;

    step.expected = statuses;
    step.expected_count = COUNT_OF(statuses);
    play_open(&play, *state);
    play_connect(&play);
    ask(&play, &step, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", SIZE_MAX);
    assert_int_equal(play.user.outcome, LOAD_GOOD);
    ask(&play, &step, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", SIZE_MAX);
    assert_int_equal(play.user.outcome, LOAD_GOOD);
    ask(&play, &step, EMPTY, SIZE_MAX);
    assert_int_equal(play.user.outcome, LOAD_FAILED);
    play_close(&play);
}

static void
reset(struct play *play)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(play->peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(play->peer);
    play->peer = -1;
}

static void
losses(void **state)
{
    struct play play;

    play_open(&play, *state);
    play_connect(&play);
    close(play.peer);
    play.peer = -1;
    play_until(&play, &play.user.lost, 1);
    assert_true(strstr(play.user.message, "idle") != NULL);
    play_connect(&play);
    load_http_transport.send(play.connection, &get);
    play_receive(&play);
    reset(&play);
    play_until(&play, &play.user.lost, 2);
    assert_int_equal(play.user.outcome, LOAD_RESET);
    assert_true(strstr(play.user.message, "reset by peer") != NULL);
    /* Nothing is told of a connection that was given up. */
    play_connect(&play);
    load_http_transport.send(play.connection, &get);
    load_http_transport.disconnect(play.connection);
    load_http_transport.disconnect(play.connection);
    edge_wait(play.edges, 0);
    assert_int_equal(play.user.lost + play.user.answers, 2);
    /* Nobody listens. */
    close(play.listener);
    play.listener = -1;
    assert_true(load_http_transport.connect(play.connection));
    assert_int_equal(play.user.lost, 2);
    play_until(&play, &play.user.lost, 3);
    assert_int_equal(play.user.outcome, LOAD_UNCONNECTED);
    assert_true(strstr(play.user.message, "onnection refused") != NULL);
    assert_true(strstr(play.user.message, play.address) != NULL);
    play_close(&play);
}

/* Answers once; then its connection ends under the next request. */
static void
play_crossing(struct play *play, struct ctx *ctx, const struct load_step *step, int64_t rest_us)
{
    play_open(play, ctx);
    play_connect(play);
    ask(play, &get, EMPTY, SIZE_MAX);
    play->connection->idle_us -= rest_us;
    load_http_transport.send(play->connection, step);
    play_receive(play);
    close(play->peer);
    play->peer = -1;
}

static void
repeated(void **state)
{
    struct play play;

    play_crossing(&play, *state, &get, LONG_AGO_US);
    /* The answer before was the last thing that phase ASKING stood for: wait for the reconnect first. */
    for (int i = 0; i < PATIENCE && !play.connection->is_second; i++)
        edge_wait(play.edges, STEP_US);
    for (int i = 0; i < PATIENCE && play.connection->phase != HTTP_ASKING; i++)
        edge_wait(play.edges, STEP_US);
    play_accept(&play);
    play_receive(&play);
    assert_int_equal(strncmp(play.request, "GET /a?b=1 ", 11), 0);
    assert_int_equal(play.user.lost, 0);
    assert_int_equal(play.user.connected, 1);
    /* Once, not again and again. */
    reset(&play);
    play_until(&play, &play.user.lost, 1);
    assert_int_equal(play.user.outcome, LOAD_RESET);
    assert_int_equal(play.user.answers, 1);
    play_close(&play);
}

static void
not_repeated(void **state)
{
    struct play play;

    /* What changes something. */
    play_crossing(&play, *state, &post, LONG_AGO_US);
    play_until(&play, &play.user.lost, 1);
    assert_int_equal(play.user.outcome, LOAD_RESET);
    play_close(&play);
    /* A connection that was busy: a server that breaks off is to be seen. */
    play_crossing(&play, *state, &get, -LONG_AGO_US);
    play_until(&play, &play.user.lost, 1);
    assert_int_equal(play.user.outcome, LOAD_RESET);
    play_close(&play);
}

/* A server that reads slowly gets the whole request in the end; one that answers early is not asked again. */
static void
large_request(void **state)
{
    char *text = arena_alloc(((struct ctx *)*state)->arena, LARGE + 1);
    const struct load_template large = { text, false };
    const struct load_step step = { .method = "POST", .path = &root, .body = &large };
    struct play play;
    size_t got = 0;

    memset(text, 'x', LARGE);
    play_open(&play, *state);
    play_connect(&play);
    load_http_transport.send(play.connection, &step);
    assert_non_null(play.connection->unsent);
    while (got < LARGE) {
        ssize_t count = recv(play.peer, play.request, sizeof(play.request), MSG_DONTWAIT);

        got += count > 0 ? (size_t)count : 0;
        edge_wait(play.edges, 0);
    }
    assert_true(send(play.peer, EMPTY, strlen(EMPTY), 0) > 0);
    play_until(&play, &play.user.answers, 1);
    assert_false(play.user.answer.is_closing);
    assert_null(play.connection->unsent);
    load_http_transport.send(play.connection, &step);
    assert_true(send(play.peer, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n", 38, 0) > 0);
    play_until(&play, &play.user.answers, 2);
    assert_int_equal(play.user.answer.status, 413);
    assert_true(play.user.answer.is_closing);
    play_close(&play);
}

/*
 * However late it is read, the answer's time is when it came. The kernel begins to stamp some time after
 * the first socket that wants it, so it is asked again.
 */
static void
time_of_the_kernel(void **state)
{
    struct play play;
    int64_t before_us = 0, after_us = 0;

    play_open(&play, *state);
    play_connect(&play);
    for (int i = 1; i <= PATIENCE; i++) {
        load_http_transport.send(play.connection, &get);
        play_receive(&play);
        before_us = clock_us();
        assert_true(send(play.peer, EMPTY, strlen(EMPTY), 0) > 0);
        after_us = clock_us();
        clock_sleep_us(20000);
        play_until(&play, &play.user.answers, i);
        if (play.user.answer.at_us < after_us + 5000)
            break;
    }
    /* Two clocks are compared: they are read one after the other. */
    assert_in_range(play.user.answer.at_us, before_us - 5000, after_us + 5000);
    play_close(&play);
}

/* Where the ports of one address end, the next one is used. */
static void
source_addresses(void **state)
{
    static const uint32_t wanted[] = { 1, 1, 2, 2, 3 };
    struct play play;

    play_open(&play, *state);
    play.shared->per_source = 2;
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        struct sockaddr_in from = { 0 };
        socklen_t length = sizeof(from);

        /* play_open() has made the first one. */
        if (i > 0)
            play.connection = load_http_transport.add(play.shared, &play.user, &play.scope);
        play_connect(&play);
        assert_int_equal(getpeername(play.peer, (struct sockaddr *)&from, &length), 0);
        assert_int_equal(ntohl(from.sin_addr.s_addr), INADDR_LOOPBACK - 1 + wanted[i]);
    }
    play_close(&play);
}

static void
no_target(void **state)
{
    const struct load_scenario scenario = { .kind = LOAD_HTTP };
    struct load_options options = { 0 };
    struct ctx *ctx = *state;
    void *shared;

    assert_false(load_http_transport.open(ctx, &scenario, &options, NULL, &shared));
    assert_error(ctx, ERR_USAGE, "which server");
    options.target = "10.0.0.1:80";
    assert_false(load_http_transport.open(ctx, &scenario, &options, NULL, &shared));
    assert_error(ctx, ERR_USAGE, "not allowed");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(requests),
        test_with_ctx(injection),
        test_with_ctx(values_taken),
        test_with_ctx(values_missing),
        test_with_ctx(values_too_large),
        test_with_ctx(expected_statuses),
        test_with_ctx(losses),
        test_with_ctx(repeated),
        test_with_ctx(not_repeated),
        test_with_ctx(large_request),
        test_with_ctx(time_of_the_kernel),
        test_with_ctx(source_addresses),
        test_with_ctx(no_target),
    };

    return cmocka_run_group_tests_name("load_http_life", tests, NULL, NULL);
}
