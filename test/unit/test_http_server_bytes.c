#include "support/test.h"

#include "http/server_message.h"
#include "test_http_server_support.h"

/* Bytes as they come over the wire: what is refused, and that pieces do not matter. */

static void
echo(void *data, struct http_request *request)
{
    size_t length;
    const char *body = http_request_body(request, &length);

    (void)data;
    answer_text(request,
        arena_printf(http_request_arena(request), "<%s|%s|%zu|%s>", http_request_path(request),
            http_request_query(request, "q") ? http_request_query(request, "q") : "-", length,
            body));
}

static const struct http_route routes[] = {
    { .methods = HTTP_GET | HTTP_POST, .path = "/*", .handler = echo },
};
static const struct http_server_options options = { .routes = routes,
    .route_count = COUNT_OF(routes) };

#define HOST "Host: 127.0.0.1\r\n"

/* Each by what RFC 9112 says of it, or by our limits; the sizes of literals hold NUL bytes too. */
#define BAD(wanted, text)                  \
    {                                      \
        (wanted), (text), sizeof(text) - 1 \
    }

static const struct bad {
    int status;
    const char *say;
    size_t length;
} bad[] = {
    /* Two readers could find two bodies. */
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\nabc"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\nabc"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3 3\r\n\r\nabc"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\nabc"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\nabc"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST
             "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\x0b chunked\r\n\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD(400,
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n"),
    BAD(400,
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
    BAD(400, "POST / HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n"),
    BAD(413, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1048577\r\n\r\n"),
    /* Two readers could find two hosts. */
    BAD(400, "GET / HTTP/1.1\r\n\r\n"),
    BAD(400, "GET / HTTP/1.0\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"),
    BAD(400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\nHost: 127.0.0.1, localhost\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\nHost: 127.0.0.1@evil.example\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\nHost: 127.0.0.1:80:80\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\nHost: 127.0.0.1:port\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    BAD(400, "GET http://localhost/ HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET https://127.0.0.1/ HTTP/1.1\r\n" HOST "\r\n"),
    /* Two readers could find two headers. */
    BAD(400, "GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n Host: 127.0.0.1\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A: b\r\n\tc\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A b: c\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A\t: c\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A(b): c\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "\xc3\xa4: c\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A\0: b\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A: b\x7f\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1\nHost: 127.0.0.1\n\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "A: b\n\r\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "\n"),
    BAD(400, "GET / HTTP/1.1\r\n" HOST "Authorization: a\r\nAuthorization: b\r\n\r\n"),
    BAD(417, "GET / HTTP/1.1\r\n" HOST "Expect: miracles\r\n\r\n"),
    /* No request lines. */
    BAD(400, "GET /\r\n" HOST "\r\n"),
    BAD(400, "GET  / HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, " GET / HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET / HTTP/1.1 \r\n" HOST "\r\n"),
    BAD(400, "GET / /x HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET\t/\tHTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "G(T / HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET / http/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET / HTTP/1.10\r\n" HOST "\r\n"),
    BAD(505, "GET / HTTP/1.2\r\n" HOST "\r\n"),
    BAD(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    BAD(400, "GET * HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET x HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "CONNECT example.com:443 HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    BAD(400, "\0\r\n\r\n"),
    BAD(400, "\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    /* Paths that a proxy could see otherwise. */
    BAD(400, "GET /a#b HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a%00b HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /?q=%00 HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /?q=% HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a%2 HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a%g0 HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a%0d%0ab HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a%ff HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a/../b HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a/.. HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /./b HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a/%2e%2E/b HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a%2fb HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a%5Cb HTTP/1.1\r\n" HOST "\r\n"),
    BAD(400, "GET /a\\b HTTP/1.1\r\n" HOST "\r\n"),
};

static void
malformed_requests_are_refused_and_end_the_connection(void **state)
{
    struct fixture *fixture = *state;

    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        /* What follows would be answered if the connection went on, or the end was seen elsewhere. */
        struct buffer say = { .arena = fixture->ctx->arena };
        struct dialog dialog = { 0 };

        buffer_append(&say, bad[i].say, bad[i].length);
        buffer_add(&say, "GET /smuggled HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
        dialog.say = say.data;
        dialog.length = say.length;
        run_dialog(fixture, &dialog);
        if (status_of(dialog.heard) != bad[i].status || dialog.was_reset)
            fail_msg("number %zu, \"%s\", got \"%s\"", i, bad[i].say, dialog.heard);
        assert_has_not(dialog.heard, "smuggled");
        assert_null(strstr(strstr(dialog.heard, "Date: ") + 1, "Date: "));
        assert_has(dialog.heard, "Connection: close\r\n");
    }
}

static const char *
repeated(struct fixture *fixture, const char *text, size_t count)
{
    struct buffer buffer = { .arena = fixture->ctx->arena };

    for (size_t i = 0; i < count; i++)
        buffer_add(&buffer, text);
    return buffer_text(&buffer);
}

static int
status_with(struct fixture *fixture, const char *target, const char *headers)
{
    return status_of(ask(
        fixture, arena_printf(fixture->ctx->arena,
                     "GET %s HTTP/1.1\r\n" HOST "Connection: close\r\n%s\r\n", target, headers)));
}

static void
heads_have_limits(void **state)
{
    struct fixture *fixture = *state;
    const char *long_path =
        arena_printf(fixture->ctx->arena, "/%s", repeated(fixture, "a", HTTP_MOST_LINE - 100));

    start_server(fixture, &options);
    assert_int_equal(status_with(fixture, long_path, ""), 200);
    assert_int_equal(
        status_with(fixture,
            arena_printf(fixture->ctx->arena, "%s%s", long_path, repeated(fixture, "b", 100)), ""),
        414);
    /* Host and Connection are the other two. */
    assert_int_equal(status_with(fixture, "/", repeated(fixture, "A: b\r\n", 98)), 200);
    assert_int_equal(status_with(fixture, "/", repeated(fixture, "A: b\r\n", 99)), 431);
    assert_int_equal(
        status_with(fixture, "/",
            arena_printf(fixture->ctx->arena, "A: %s\r\n", repeated(fixture, "b", HTTP_MOST_LINE))),
        431);
    /* Ends never, and is refused all the same. */
    assert_int_equal(
        status_with(fixture, "/",
            arena_printf(fixture->ctx->arena, "%sA", repeated(fixture, "A: bbbbbbbbbb\r\n", 2000))),
        431);
    assert_int_equal(status_of(ask(fixture, repeated(fixture, "x", 3 * HTTP_MOST_HEAD))), 431);
}

static const char conversation[] =
    "GET /one?q=a+b%26c&q=no HTTP/1.1\r\n" HOST "\r\n"
    "POST /two HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
    "\r\n" /* an empty line too many, as old clients send it */
    "POST /three HTTP/1.1\r\nhOST:\t 127.0.0.1 \t\r\ntransfer-encoding:CHUNKED\r\n\r\n"
    "5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n"
    "GET http://LOCALHOST:80/four HTTP/1.1\r\nHost: localhost:80\r\n\r\n"
    "GET /%C3%A4%20%25 HTTP/1.1\r\n" HOST "Content-Length: 2\r\nConnection: x, Close\r\n\r\nok";

static const char *const replies[] = { "</one|a b&c|0|>", "</two|-|5|hello>",
    "</three|-|15|hello0123456789>", "</four|-|0|>", "</\xc3\xa4 %|-|2|ok>" };

static void
check_conversation(const char *heard)
{
    const char *at = heard;

    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        assert_true(text_starts_with(at, "HTTP/1.1 200 OK\r\n"));
        at = strstr(at, "\r\n\r\n");
        assert_non_null(at);
        at += 4;
        if (!text_starts_with(at, replies[i]))
            fail_msg("not \"%s\" at \"%s\"", replies[i], at);
        at += strlen(replies[i]);
    }
    assert_string_equal(at, "");
}

static void
pieces_of_any_size_make_the_same_requests(void **state)
{
    struct fixture *fixture = *state;
    static const size_t pieces[] = { 0, 1, 2, 3, 7, 64 };

    start_server(fixture, &options);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct dialog dialog = { .say = conversation, .piece = pieces[i] };

        run_dialog(fixture, &dialog);
        assert_false(dialog.was_reset);
        check_conversation(dialog.heard);
    }
}

/* Feeds the text in the given pieces, whatever the socket would do. */
static void
feed(struct fixture *fixture, const char *text, size_t first, size_t second)
{
    size_t length = strlen(text), sizes[] = { first, second, length - first - second };
    struct http_chunks chunks = { 0 };
    struct buffer got = { .arena = fixture->ctx->arena };
    char bytes[64];
    size_t kept = 0, next = 0;

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t used, data;

        memcpy(bytes + kept, text + next, sizes[i]);
        next += sizes[i];
        kept += sizes[i];
        assert_int_equal(http_chunks_read(&chunks, bytes, kept, &used, &data), 0);
        /* The data has moved to the front; behind what was used stands what was not. */
        buffer_append(&got, bytes, data);
        memmove(bytes, bytes + used, kept - used);
        kept -= used;
    }
    assert_int_equal(chunks.at, CHUNK_DONE);
    assert_string_equal(buffer_text(&got), "abcdefghijklmnopq");
    assert_int_equal(kept, 4);
}

static void
chunks_may_be_cut_anywhere(void **state)
{
    static const char text[] = "3\r\nabc\r\nD\r\ndefghijklmnop\r\n1\r\nq\r\n0\r\n\r\nNEXT";
    size_t length = strlen(text);

    for (size_t first = 0; first <= length; first++) {
        for (size_t second = 0; first + second <= length; second++)
            feed(*state, text, first, second);
    }
}

/* A good request with some bytes changed: answered or refused, but never anything else. */
static void
damaged_requests_do_no_harm(void **state)
{
    struct fixture *fixture = *state;
    struct test_random random = test_random_new();
    static const char letters[] = "\r\n :;%/?\t\0a0-,";
    size_t length = sizeof(conversation) - 1;

    start_server(fixture, &options);
    for (int i = 0; i < 300; i++) {
        char *say = arena_memdup(fixture->ctx->arena, conversation, length + 1);
        struct dialog dialog = { .say = say, .length = length, .is_half = true };

        for (size_t changes = 1 + test_random_below(&random, 4); changes > 0; changes--)
            say[test_random_below(&random, length)] =
                letters[test_random_below(&random, sizeof(letters) - 1)];
        dialog.piece = test_random_below(&random, 200);
        run_dialog(fixture, &dialog);
        if (dialog.heard_length > 0 && status_of(dialog.heard) == 0)
            fail_msg("\"%s\" got \"%s\"", say, dialog.heard);
    }
    check_conversation(ask(fixture, conversation));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_server(malformed_requests_are_refused_and_end_the_connection),
        test_with_server(heads_have_limits),
        test_with_server(pieces_of_any_size_make_the_same_requests),
        test_with_server(chunks_may_be_cut_anywhere),
        test_with_server(damaged_requests_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
