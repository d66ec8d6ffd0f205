/*
 * The proxy between real clients and the server: what passes is what would pass without it, compared
 * byte by byte with a session of the server's own, and the ring tells of the messages that were sent.
 */
#include <sys/stat.h>

#define DATABASE "pgmend_test_proxy"
#include "test_queries_proxy_support.h"

/* What a client can say: simple, errors, extended, pipelined, COPY both ways, notices, an unknown message at the end. */
static struct buffer
conversation(struct desk *desk)
{
    struct buffer said = { .arena = desk->ctx.arena };
    static const char parse[] = "s\0SELECT $1::int + 1, $2::text\0\0\0";
    static const char bind[] = "\0s\0\0\0\0\2\0\0\0\00241\377\377\377\377\0\0";
    char *line = arena_alloc(desk->ctx.arena, 70000);

    add_query(&said, "CREATE TEMP TABLE t (n int, x text); SELECT 1 AS one, NULL, 'two'");
    add_query(&said, "SELECT 1/0; SELECT 2");
    add_query(&said, "");
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            add_message(&said, 'P', parse, sizeof(parse) - 1);
        add_message(&said, 'B', bind, sizeof(bind) - 1);
        add_message(&said, 'D', "P", 2);
        add_message(&said, 'E', "\0\0\0\0\0", 5);
        add_message(&said, 'S', "", 0);
    }
    add_query(&said, "COPY t FROM STDIN");
    memset(line, 'x', 70000);
    memcpy(line, "1\t", 2);
    line[69999] = '\n';
    for (int i = 0; i < 20; i++)
        add_message(&said, 'd', line, 70000);
    add_message(&said, 'c', "", 0);
    add_query(&said, "COPY (SELECT g, repeat('y', 100) FROM generate_series(1, 3000) g) TO STDOUT");
    add_query(&said, "DO $$BEGIN RAISE NOTICE 'heard'; END$$");
    add_query(&said, "SELECT count(*), sum(length(x)) FROM t");
    add_query(&said, "SELECT repeat('z', 3000000)");
    add_query(&said, "LISTEN here; NOTIFY here, 'word'");
    add_message(&said, 'X', "", 0);
    return said;
}

struct talk {
    int client;
    struct buffer said;
    size_t piece; /* 0: all at once */
};

static void *
say(void *data)
{
    struct talk *talk = data;

    for (size_t at = 0; at < talk->said.length;) {
        size_t left = talk->said.length - at;
        size_t length = talk->piece && talk->piece < left && at < 2000 ? talk->piece : left;

        raw_send(talk->client, talk->said.data + at, length);
        at += length;
    }
    return NULL;
}

static struct buffer
hold_conversation(struct desk *desk, int client, size_t piece)
{
    struct talk talk = { .client = client, .said = conversation(desk), .piece = piece };
    struct buffer heard;
    pthread_t speaker;

    assert_int_equal(pthread_create(&speaker, NULL, say, &talk), 0);
    heard = raw_rest(desk, client);
    pthread_join(speaker, NULL);
    close(client);
    return heard;
}

/* A notification holds the number of the server's process. */
static void
blank_notifications(struct buffer *heard)
{
    for (size_t at = 0; at + 5 <= heard->length; at += number_of(heard->data + at + 1) + 1)
        if (heard->data[at] == 'A')
            memset(heard->data + at + 5, 0, 4);
}

static void
what_passes_is_what_passes_without_a_proxy(void **state)
{
    struct desk *desk = *state;
    struct buffer direct;
    int client = raw_direct(desk);

    desk_start(desk);
    raw_start(desk, client);
    direct = hold_conversation(desk, client, 0);
    blank_notifications(&direct);
    assert_true(direct.length > 3300000);
    for (size_t piece = 0; piece < 20; piece = piece * 2 + 1) {
        struct buffer through = hold_conversation(desk, raw_session(desk), piece);

        blank_notifications(&through);
        assert_int_equal(through.length, direct.length);
        assert_memory_equal(through.data, direct.data, direct.length);
    }
}

/* The messages of bytes that were said or heard, as the reader is to be told of them. */
static void
assert_told(struct desk *desk, const struct buffer *bytes, enum record_kind kind)
{
    uint32_t skipped = 0;

    for (size_t at = 0; at < bytes->length; at += number_of(bytes->data + at + 1) + 1) {
        uint32_t length = number_of(bytes->data + at + 1) - 4;
        char type = bytes->data[at];
        struct kept kept;

        if (strchr("dNA", type))
            continue;
        do
            kept = next_record(desk, 1);
        while (kept.record.kind != kind);
        assert_int_equal(kept.record.type, type);
        assert_int_equal(kept.record.length, length);
        assert_int_equal(kept.record.kept, length < 16384 ? length : 16384);
        assert_memory_equal(kept.bytes, bytes->data + at + 5, kept.record.kept);
        assert_false(kept.record.is_after_gap);
        skipped += kept.record.skipped;
    }
    assert_int_equal(skipped, 0);
}

static void
the_ring_tells_of_each_message(void **state)
{
    for (int side = 0; side < 2; side++) {
        struct desk *desk;
        struct buffer said;
        struct buffer heard;
        int64_t now = clock_wall_us();

        if (side == 1)
            assert_int_equal(desk_tear_down(state) + desk_set_up(state), 0);
        desk = *state;
        desk_start(desk);
        said = conversation(desk);
        heard = hold_conversation(desk, raw_session(desk), 3);
        struct kept open = next_record(desk, 1);

        assert_int_equal(open.record.kind, RECORD_OPEN);
        assert_true(open.record.at_us >= now && open.record.at_us <= clock_wall_us());
        assert_memory_equal(open.bytes, "user", 5);
        if (side == 1)
            find_record(desk, 1, RECORD_SERVER, 'Z'); /* of the log-in, which was not kept */
        assert_told(desk, side ? &heard : &said, side ? RECORD_SERVER : RECORD_CLIENT);
        find_record(desk, 1, RECORD_CLOSE, 0);
    }
}

static void
of_many_rows_the_first_are_told_and_the_others_counted(void **state)
{
    struct desk *desk = *state;
    PGconn *conn;
    uint32_t rows = 0;
    struct kept kept;

    desk_start(desk);
    conn = connect_through(desk);
    assert_string_equal(ask(desk, conn, "SELECT g FROM generate_series(1, 5000) g"), "1");
    do {
        kept = next_record(desk, 1);
        rows += kept.record.kind == RECORD_SERVER && kept.record.type == 'D';
    } while (kept.record.type != 'C');
    assert_int_equal(rows, 1000);
    assert_int_equal(kept.record.skipped, 4000);
    ask(desk, conn, "SELECT 1");
    assert_int_equal(find_record(desk, 1, RECORD_SERVER, 'D').record.skipped, 0);
    assert_int_equal(find_record(desk, 1, RECORD_SERVER, 'C').record.skipped, 0);
    PQfinish(conn);
}

static void
a_client_that_does_not_read_is_waited_for_and_others_are_not(void **state)
{
    struct desk *desk = *state;
    const int small = 32 * 1024;
    struct buffer said = { .arena = desk->ctx.arena };
    int client = raw_socket();
    struct proxy_counts before;
    struct proxy_counts after;
    char *piece = arena_alloc(desk->ctx.arena, 1 << 20);
    size_t heard = 0;
    PGconn *other;

    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    desk_start(desk);
    raw_connect(desk, client);
    raw_start(desk, client);
    other = connect_through(desk);
    before = desk_counts(desk);
    add_query(&said, "SELECT repeat('x', 1000000) FROM generate_series(1, 60)");
    raw_send(client, said.data, said.length);
    wait_until(desk, "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()"
                     " AND wait_event = 'ClientWrite'");
    assert_string_equal(ask(desk, other, "SELECT 42"), "42");
    after = desk_counts(desk);
    assert_true(after.bytes_to_client - before.bytes_to_client < 20000000);
    /* RowDescription 32 bytes, each row 5 + 2 + 4 + 1,000,000, the end 5 + 10 and 6. */
    while (heard < 32 + 60 * 1000011 + 15 + 6) {
        ssize_t count = recv(client, piece, 1 << 20, 0);

        assert_true(count > 0);
        heard += (size_t)count;
    }
    assert_int_equal(heard, 32 + 60 * 1000011 + 15 + 6);
    close(client);
    PQfinish(other);
}

static void
a_reader_that_stopped_slows_nothing_and_is_told_of_the_gap(void **state)
{
    struct desk *desk = *state;
    PGconn *first;
    PGconn *second;
    struct kept kept;
    const char *bytes;
    char sql[64];

    desk->ring_bytes = 8192;
    desk_start(desk);
    first = connect_through(desk);
    for (int i = 0; i < 300; i++) {
        snprintf(sql, sizeof(sql), "SELECT %d", i);
        assert_string_equal(ask(desk, first, sql), sql + 7);
    }
    second = connect_through(desk);
    assert_true(desk_counts(desk).lost > 500);
    while (record_ring_take(desk->options.ring, 0, &bytes))
        continue;
    ask(desk, first, "SELECT 'after'");
    kept = next_record(desk, 1);
    assert_true(kept.record.is_after_gap);
    assert_int_equal(kept.record.kind, RECORD_CLIENT);
    assert_memory_equal(kept.bytes, "SELECT 'after'", 15);
    assert_false(next_record(desk, 1).record.is_after_gap);
    ask(desk, second, "SELECT 'second'");
    assert_int_equal(next_record(desk, 2).record.kind, RECORD_OPEN);
    /* The ends come, too, although there is no room for them at first. */
    for (int i = 0; i < 300; i++)
        ask(desk, first, "SELECT 1");
    PQfinish(second);
    wait_until(desk, "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()"
                     " AND application_name = 'through'");
    assert_int_equal(find_record(desk, 2, RECORD_CLOSE, 0).record.session, 2);
    PQfinish(first);
}

static void
a_statement_is_cancelled_through_the_proxy(void **state)
{
    struct desk *desk = *state;
    char why[256] = "";
    PGresult *result;
    PGcancel *cancel;
    PGconn *conn;

    desk->options.most_connections = 1; /* a cancel request comes in nevertheless */
    desk_start(desk);
    conn = connect_through(desk);
    cancel = PQgetCancel(conn);
    assert_true(PQsendQuery(conn, "SELECT pg_sleep(3600)"));
    wait_until(desk, "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()"
                     " AND wait_event = 'PgSleep'");
    assert_true(PQcancel(cancel, why, sizeof(why)));
    result = PQgetResult(conn);
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "57014");
    PQclear(result);
    PQfreeCancel(cancel);
    PQfinish(conn);
}

static void
a_client_that_says_no_more_still_hears(void **state)
{
    struct desk *desk = *state;
    struct buffer said = { .arena = desk->ctx.arena };
    struct buffer heard;
    int client;

    desk_start(desk);
    client = raw_session(desk);
    add_query(&said, "SELECT pg_sleep(0.1); SELECT 'last'");
    raw_send(client, said.data, said.length);
    shutdown(client, SHUT_WR);
    heard = raw_rest(desk, client);
    assert_true(heard.length > 20);
    assert_memory_equal(heard.data + heard.length - 6, "Z\0\0\0\5I", 6);
    assert_non_null(memmem(heard.data, heard.length, "last", 4));
    close(client);
}

static void
a_socket_of_a_folder_is_made_and_removed(void **state)
{
    struct desk *desk = *state;
    const char *folder = test_folder(&desk->ctx);
    const char *path = arena_printf(desk->ctx.arena, "%s/.s.PGSQL.6432", folder);
    struct proxy *second = NULL;
    PGconn *conn;
    struct stat there;

    desk->options.listen = arena_printf(desk->ctx.arena, "%s:6432", folder);
    desk_start(desk);
    conn = connect_through(desk);
    assert_string_equal(ask(desk, conn, "SELECT 1"), "1");
    PQfinish(conn);
    assert_false(proxy_start(&desk->ctx, desk->loop, &desk->options, &second));
    assert_error(&desk->ctx, ERR_IO, "somebody else listens");
    desk_stop(desk);
    assert_true(stat(path, &there) < 0);
    assert_true(file_remove(&desk->ctx, folder));
}

static void
what_is_no_address_is_refused(void **state)
{
    struct desk *desk = *state;
    static const char *const wrong[] = { "", "6432", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
        "127.0.0.1:70000", "127.0.0.1:-1", "/run/x", "no such name:1" };
    struct proxy *proxy = NULL;

    desk_must(desk, loop_new(&desk->ctx, &desk->loop));
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        desk->options.listen = wrong[i];
        assert_false(proxy_start(&desk->ctx, desk->loop, &desk->options, &proxy));
        /* A name that nobody knows is written as an address is. */
        assert_int_equal(desk->ctx.error.kind, i + 1 < COUNT_OF(wrong) ? ERR_USAGE : ERR_INPUT);
    }
    desk->options.listen = "203.0.113.1:6432"; /* RFC 5737: nobody's */
    assert_false(proxy_start(&desk->ctx, desk->loop, &desk->options, &proxy));
    assert_error(&desk->ctx, ERR_IO, "203.0.113.1:6432");
    loop_free(desk->loop);
}

static void
who_is_there_stays_while_nobody_else_is_let_in(void **state)
{
    struct desk *desk = *state;
    int64_t until = clock_us() + HANGS_US;
    PGconn *refused;
    PGconn *conn;

    desk_start(desk);
    conn = connect_through(desk);
    desk_wish(desk, WISH_DRAIN);
    refused = try_connect(desk, "");
    assert_int_equal(PQstatus(refused), CONNECTION_BAD);
    PQfinish(refused);
    assert_string_equal(ask(desk, conn, "SELECT 1"), "1");
    assert_false(__atomic_load_n(&desk->is_drained, __ATOMIC_SEQ_CST));
    PQfinish(conn);
    while (!__atomic_load_n(&desk->is_drained, __ATOMIC_SEQ_CST) && clock_us() < until)
        clock_sleep_us(1000);
    assert_true(__atomic_load_n(&desk->is_drained, __ATOMIC_SEQ_CST));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_at_desk(what_passes_is_what_passes_without_a_proxy),
        test_at_desk(the_ring_tells_of_each_message),
        test_at_desk(of_many_rows_the_first_are_told_and_the_others_counted),
        test_at_desk(a_client_that_does_not_read_is_waited_for_and_others_are_not),
        test_at_desk(a_reader_that_stopped_slows_nothing_and_is_told_of_the_gap),
        test_at_desk(a_statement_is_cancelled_through_the_proxy),
        test_at_desk(a_client_that_says_no_more_still_hears),
        test_at_desk(a_socket_of_a_folder_is_made_and_removed),
        test_at_desk(what_is_no_address_is_refused),
        test_at_desk(who_is_there_stays_while_nobody_else_is_let_in),
    };

    return cmocka_run_group_tests(tests, make_database, drop_database);
}
