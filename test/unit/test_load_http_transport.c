/* What the transport tells of answers: good ones, and all the ways in which a server can be rude. */
#include "test_load_http_support.h"

#define OK     "HTTP/1.1 200 OK\r\n"
#define LENGTH "Content-Length: 2\r\n"
#define CHUNKS "Transfer-Encoding: chunked\r\n\r\n"

struct row {
    const char *bytes;
    enum load_outcome outcome;
    int status;
    bool is_closing; /* is expected to be told so */
    bool ends;       /* the server closes after these bytes */
    const char *words;
};

/* By RFC 9110 and 9112. */
static const struct row good[] = {
    { OK LENGTH "\r\nhi", LOAD_GOOD, 200, false, false, "" },
    { "HTTP/1.1 200\r\n" LENGTH "\r\nhi", LOAD_GOOD, 200, false, false, "" },
    { OK "content-length:0\r\n\r\n", LOAD_GOOD, 200, false, false, "" },
    { OK "Content-Length: \t 2 \t\r\nX: \xd0\xb0\r\n\r\nhi", LOAD_GOOD, 200, false, false, "" },
    { OK CHUNKS "4\r\nWiki\r\n6;a=b\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\n", LOAD_GOOD,
        200, false, false, "" },
    { OK CHUNKS "0\r\nX-Sum: 1\r\nContent-Length: 7\r\n\r\n", LOAD_GOOD, 200, false, false, "" },
    { OK "transfer-encoding: Chunked\r\n\r\n000a\r\n0123456789\r\n00\r\n\r\n", LOAD_GOOD, 200,
        false, false, "" },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
      "HTTP/1.1 201 Created\r\n" LENGTH "\r\nhi",
        LOAD_GOOD, 201, false, false, "" },
    { "HTTP/1.1 204 No Content\r\n\r\n", LOAD_GOOD, 204, false, false, "" },
    { "HTTP/1.1 304 Not Modified\r\n" LENGTH "\r\n", LOAD_GOOD, 304, false, false, "" },
    { OK "Connection: close\r\n" LENGTH "\r\nhi", LOAD_GOOD, 200, true, false, "" },
    { OK "Connection: x, Close\r\n" LENGTH "\r\nhi", LOAD_GOOD, 200, true, true, "" },
    { OK "Connection: closed\r\n" LENGTH "\r\nhi", LOAD_GOOD, 200, false, false, "" },
    { OK "\r\nuntil the end", LOAD_GOOD, 200, true, true, "" },
    { "HTTP/1.0 200 OK\r\n" LENGTH "\r\nhi", LOAD_GOOD, 200, true, false, "" },
    { "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" LENGTH "\r\nhi", LOAD_GOOD, 200, false, false,
        "" },
    { "HTTP/1.1 429 Too Many Requests\r\n" LENGTH "\r\nhi", LOAD_REFUSED, 429, false, false,
        "429" },
    { "HTTP/1.1 503 Busy\r\nConnection: close\r\n" LENGTH "\r\nhi", LOAD_REFUSED, 503, true, false,
        "503" },
    { "HTTP/1.1 500 No\r\n" LENGTH "\r\nhi", LOAD_FAILED, 500, false, false, "status 500" },
    { "HTTP/1.1 404 No\r\n" LENGTH "\r\nhi", LOAD_FAILED, 404, false, false, "status 404" },
    { "HTTP/1.1 400 No\r\n" LENGTH "\r\nhi", LOAD_FAILED, 400, false, false, "status 400" },
};

static const struct row bad[] = {
    { "hello\r\n", LOAD_GARBAGE, 0, false, false, "status line" },
    { "HTTP/2.0 200 OK\r\n\r\n", LOAD_GARBAGE, 0, false, false, "status line" },
    { "HTTP/1.1  200 OK\r\n\r\n", LOAD_GARBAGE, 0, false, false, "status line" },
    { "HTTP/1.1 20 OK\r\n\r\n", LOAD_GARBAGE, 0, false, false, "status line" },
    { "HTTP/1.1 2000 OK\r\n\r\n", LOAD_GARBAGE, 0, false, false, "status line" },
    { "HTTP/1.1 200 O\vK\r\n\r\n", LOAD_GARBAGE, 0, false, false, "status line" },
    { "HTTP/1.1 099 OK\r\n\r\n", LOAD_GARBAGE, 0, false, false, "a status" },
    { "HTTP/1.1 600 OK\r\n\r\n", LOAD_GARBAGE, 0, false, false, "a status" },
    { "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", LOAD_GARBAGE, 0, false, false, "unasked" },
    { OK LENGTH LENGTH "\r\nhi", LOAD_GARBAGE, 0, false, false, "two Content-Length" },
    { OK "Content-Length: 2, 2\r\n\r\nhi", LOAD_GARBAGE, 0, false, false, "no length" },
    { OK "Content-Length: -1\r\n\r\n", LOAD_GARBAGE, 0, false, false, "no length" },
    { OK "Content-Length: +2\r\n\r\nhi", LOAD_GARBAGE, 0, false, false, "no length" },
    { OK "Content-Length: 0x2\r\n\r\nhi", LOAD_GARBAGE, 0, false, false, "no length" },
    { OK "Content-Length:\r\n\r\n", LOAD_GARBAGE, 0, false, false, "no length" },
    { OK "Content-Length: 18446744073709551618\r\n\r\n", LOAD_GARBAGE, 0, false, false,
        "no length" },
    { OK LENGTH CHUNKS "0\r\n\r\n", LOAD_GARBAGE, 0, false, false, "both" },
    { OK "Transfer-Encoding: gzip, chunked\r\n\r\n", LOAD_GARBAGE, 0, false, false, "Transfer" },
    { OK "Transfer-Encoding: chunked\r\n" CHUNKS, LOAD_GARBAGE, 0, false, false, "Transfer" },
    { "HTTP/1.0 200 OK\r\n" CHUNKS "0\r\n\r\n", LOAD_GARBAGE, 0, false, false, "Transfer" },
    { "HTTP/1.1 200 OK\n" LENGTH "\r\nhi", LOAD_GARBAGE, 0, false, false, "CR LF" },
    { OK LENGTH "\nhi", LOAD_GARBAGE, 0, false, false, "CR LF" },
    { OK "X: a\r\n b\r\n" LENGTH "\r\nhi", LOAD_GARBAGE, 0, false, false, "is none" },
    { OK "X : a\r\n" LENGTH "\r\nhi", LOAD_GARBAGE, 0, false, false, "is none" },
    { OK ": a\r\n" LENGTH "\r\nhi", LOAD_GARBAGE, 0, false, false, "is none" },
    { OK "Xa\r\n" LENGTH "\r\nhi", LOAD_GARBAGE, 0, false, false, "is none" },
    { OK "X: a\rb\r\n" LENGTH "\r\nhi", LOAD_GARBAGE, 0, false, false, "control" },
    { OK "X: a\x7f\r\n" LENGTH "\r\nhi", LOAD_GARBAGE, 0, false, false, "control" },
    { OK LENGTH "\r\nhiHTTP/1.1 200 OK\r\n", LOAD_GARBAGE, 0, false, false, NULL },
    { "HTTP/1.1 204 No Content\r\n\r\nbody", LOAD_GARBAGE, 0, false, false, NULL },
    { OK CHUNKS "2\r\nhix\r\n0\r\n\r\n", LOAD_GARBAGE, 0, false, false, "" },
    { OK CHUNKS "\r\nhi\r\n0\r\n\r\n", LOAD_GARBAGE, 0, false, false, "no size" },
    { OK CHUNKS "-2\r\nhi\r\n0\r\n\r\n", LOAD_GARBAGE, 0, false, false, "no size" },
    { OK CHUNKS "2x\r\nhi\r\n0\r\n\r\n", LOAD_GARBAGE, 0, false, false, "no size" },
    { OK CHUNKS "ffffffffffffffff\r\n", LOAD_GARBAGE, 0, false, false, "no size" },
    { OK CHUNKS "0\r\nnone\r\n\r\n", LOAD_GARBAGE, 0, false, false, "is none" },
    { "HTTP/1.1 200 OK\r\nContent-Le", LOAD_RESET, 0, false, true, "middle" },
    { OK LENGTH "\r\nh", LOAD_RESET, 0, false, true, "middle" },
    { OK CHUNKS "5\r\nhel", LOAD_RESET, 0, false, true, "middle" },
    { OK CHUNKS "2\r\nhi\r\n0\r\n", LOAD_RESET, 0, false, true, "middle" },
    { "", LOAD_RESET, 0, false, true, "before it answered" },
};

static const struct load_template root = { "/a?b=1", false };
static const struct load_step get = { .name = "get", .method = "GET", .path = &root };
static const struct load_step head = { .name = "head", .method = "HEAD", .path = &root };

static void
play_row(struct ctx *ctx, const struct row *row, const struct load_step *step, size_t piece)
{
    struct play play;
    const int *told = row->outcome == LOAD_GARBAGE || row->outcome == LOAD_RESET
                          ? &play.user.lost
                          : &play.user.answers;

    play_open(&play, ctx);
    play_connect(&play);
    load_http_transport.send(play.connection, step);
    play_receive(&play);
    play_answer(&play, row->bytes, strlen(row->bytes), piece);
    if (row->ends)
        shutdown(play.peer, SHUT_WR);
    play_until(&play, told, 1);
    if (play.user.outcome != row->outcome || play.user.lost + play.user.answers < 1 ||
        (row->words && !strstr(play.user.message, row->words)))
        fail_msg("%s\n: %s (%s), piece %zu", row->bytes, load_outcome_names[play.user.outcome],
            play.user.message, piece);
    if (play.user.answers > 0 && row->outcome != LOAD_GARBAGE) {
        assert_int_equal(play.user.lost, 0);
        assert_int_equal(play.user.answer.status, row->status);
        if (play.user.answer.is_closing != row->is_closing && !row->ends)
            fail_msg("%s: closing", row->bytes);
        assert_int_equal(play.user.answer.bytes, strlen(row->bytes));
        assert_int_equal(play.connection->edge.socket < 0, play.user.answer.is_closing);
    } else {
        assert_int_equal(play.connection->edge.socket, -1);
    }
    assert_null(play.connection->rest);
    play_close(&play);
}

static void
good_answers(void **state)
{
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        play_row(*state, &good[i], &get, SIZE_MAX);
        play_row(*state, &good[i], &get, 1);
        play_row(*state, &good[i], &get, 7);
    }
}

static void
bad_answers(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        play_row(*state, &bad[i], &get, SIZE_MAX);
        /* By single bytes the first ones of an extra answer come when nothing is asked any more. */
        play_row(*state, &bad[i], &get, 1);
    }
}

/* HEAD has the length of what GET would have had, and no body. */
static void
head_has_no_body(void **state)
{
    static const struct row row = { OK LENGTH "\r\n", LOAD_GOOD, 200, false, false, "" };
    static const struct row chunked = { OK CHUNKS, LOAD_GOOD, 200, false, false, "" };

    play_row(*state, &row, &head, SIZE_MAX);
    play_row(*state, &chunked, &head, 3);
}

static void
answer_with(struct play *play, const char *bytes)
{
    int answers = play->user.answers;

    play_receive(play);
    assert_int_equal(send(play->peer, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
    play_until(play, &play->user.answers, answers + 1);
}

static void
keeps_the_connection(void **state)
{
    struct play play;

    play_open(&play, *state);
    play_connect(&play);
    for (int i = 0; i < 3; i++) {
        load_http_transport.send(play.connection, &get);
        answer_with(&play, OK LENGTH "X-Query-Count: 3\r\n\r\nhi");
        assert_int_equal(play.user.answer.statements, 3);
    }
    load_http_transport.send(play.connection, &get);
    answer_with(&play, OK LENGTH "X-Query-Count: many\r\n\r\nhi");
    assert_int_equal(play.user.answer.statements, -1);
    assert_int_equal(play.user.connected, 1);
    assert_int_equal(play.user.lost, 0);
    assert_int_equal(play.scope.begun, 4);
    /* Asked of by nobody. */
    assert_int_equal(send(play.peer, "HTTP", 4, 0), 4);
    play_until(&play, &play.user.lost, 1);
    assert_int_equal(play.user.outcome, LOAD_GARBAGE);
    play_close(&play);
}

/* 16 kB are allowed, with the answers before the final one. */
static void
bounded_head(void **state)
{
    struct row row = { .status = 200, .words = "" };
    struct buffer text = { .arena = ((struct ctx *)*state)->arena };

    buffer_add(&text, OK LENGTH "X: ");
    while (text.length < LOAD_MOST_HEAD - 4)
        buffer_add(&text, "x");
    buffer_add(&text, "\r\n\r\nhi");
    row.bytes = buffer_text(&text);
    play_row(*state, &row, &get, SIZE_MAX);
    play_row(*state, &row, &get, 5000);
    row.bytes = arena_printf(text.arena, OK "Y: \r\n%s", row.bytes + strlen(OK));
    row.outcome = LOAD_GARBAGE;
    row.words = "16 kB";
    play_row(*state, &row, &get, SIZE_MAX);
    play_row(*state, &row, &get, 5000);
    /* A line without end. */
    text.length = 0;
    while (text.length <= LOAD_MOST_HEAD)
        buffer_add(&text, "HTTP/1.1 200 OK");
    row.bytes = buffer_text(&text);
    play_row(*state, &row, &get, 999);
    /* As many answers 1xx as there are. */
    text.length = 0;
    while (text.length <= LOAD_MOST_HEAD)
        buffer_add(&text, "HTTP/1.1 102 Wait\r\n\r\n");
    row.bytes = buffer_text(&text);
    play_row(*state, &row, &get, 999);
}

/* A body larger than the inbox, and nothing of it kept. */
static void
large_body(void **state)
{
    enum { SIZE = 1 << 20 };

    struct play play;
    char *body = arena_alloc(((struct ctx *)*state)->arena, SIZE);
    const char *start = OK "Content-Length: 1048576\r\n\r\n";
    size_t sent = 0;

    memset(body, 'x', SIZE);
    play_open(&play, *state);
    play_connect(&play);
    load_http_transport.send(play.connection, &get);
    play_receive(&play);
    assert_true(send(play.peer, start, strlen(start), 0) > 0);
    while (sent < SIZE) {
        ssize_t count = send(play.peer, body + sent, SIZE - sent, MSG_DONTWAIT);

        sent += count > 0 ? (size_t)count : 0;
        edge_wait(play.edges, 1000);
    }
    play_until(&play, &play.user.answers, 1);
    assert_int_equal(play.user.outcome, LOAD_GOOD);
    assert_int_equal(play.user.answer.bytes, SIZE + strlen(start));
    assert_null(play.connection->rest);
    play_close(&play);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(good_answers),
        test_with_ctx(bad_answers),
        test_with_ctx(head_has_no_body),
        test_with_ctx(keeps_the_connection),
        test_with_ctx(bounded_head),
        test_with_ctx(large_body),
    };

    return cmocka_run_group_tests_name("load_http_transport", tests, NULL, NULL);
}
