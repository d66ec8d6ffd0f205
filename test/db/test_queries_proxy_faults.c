/*
 * The proxy when clients, servers and the system fail, for real: connections that are dropped, a server
 * that is not there, sessions that are ended, bytes that are no messages, no descriptors left.
 */
#define DATABASE "pgmend_test_proxy_faults"
#include <sys/resource.h>

#include "test_queries_proxy_support.h"

/* What the proxy says itself: SQLSTATE and message of the ErrorResponse that comes first. */
static void
assert_refused(struct desk *desk, int client, const char *sqlstate, const char *text)
{
    const char *body = "";
    size_t length = 0;

    assert_int_equal(raw_message(desk, client, &body, &length), 'E');
    assert_string_equal(error_field(body, length, 'C'), sqlstate);
    assert_string_equal(error_field(body, length, 'S'), "FATAL");
    if (!strstr(error_field(body, length, 'M'), text))
        fail_msg("\"%s\" is not in \"%s\"", text, error_field(body, length, 'M'));
    assert_int_equal(raw_message(desk, client, &body, &length), 0);
    close(client);
}

static const char knock[] = "\0\0\0\x22\0\3\0\0user\0postgres\0database\0x\0";

/* Says who it is, and does not wait for the answer. */
static int
raw_knock(struct desk *desk)
{
    int client = raw_socket();

    raw_connect(desk, client);
    raw_send(client, knock, sizeof(knock));
    return client;
}

static void
a_server_that_is_not_there_is_named_and_may_come_back(void **state)
{
    struct desk *desk = *state;
    const char *folder = test_folder(&desk->ctx);
    const char *path = arena_printf(desk->ctx.arena, "%s/.s.PGSQL.%s", folder, desk->options.port);
    const char *real =
        arena_printf(desk->ctx.arena, "%s/.s.PGSQL.%s", desk->options.host, desk->options.port);
    PGconn *conn;

    desk->options.host = folder;
    desk_start(desk);
    assert_refused(desk, raw_knock(desk), "08006", path);
    assert_int_equal(symlink(real, path), 0);
    conn = connect_through(desk);
    assert_int_equal(unlink(path), 0);
    assert_refused(desk, raw_knock(desk), "08006", "could not be reached");
    assert_string_equal(ask(desk, conn, "SELECT 1"), "1"); /* who is there stays */
    assert_int_equal(desk_counts(desk).refused, 2);
    PQfinish(conn);
    assert_true(file_remove(&desk->ctx, folder));
}

static void
a_port_where_nobody_listens_is_named(void **state)
{
    struct desk *desk = *state;
    int bound = raw_socket(); /* bound and not listening: nobody else gets the port */
    struct sockaddr_in address = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);

    assert_int_equal(bind(bound, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(bound, (struct sockaddr *)&address, &length), 0);
    desk->options.host = "127.0.0.1";
    desk->options.port = arena_printf(desk->ctx.arena, "%u", (unsigned)ntohs(address.sin_port));
    desk_start(desk);
    assert_refused(desk, raw_knock(desk), "08006",
        arena_printf(
            desk->ctx.arena, "\"127.0.0.1\", port %s, could not be reached", desk->options.port));
    close(bound);
}

static void
a_server_that_closes_without_an_answer_is_named(void **state)
{
    struct desk *desk = *state;
    int server = raw_socket();
    struct sockaddr_in address = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int client;

    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &length), 0);
    desk->options.host = "127.0.0.1";
    desk->options.port = arena_printf(desk->ctx.arena, "%u", (unsigned)ntohs(address.sin_port));
    desk_start(desk);
    client = raw_knock(desk);
    close(accept(server, NULL, NULL));
    assert_refused(desk, client, "08006", "closed the connection without an answer");
    close(server);
}

static void
the_last_words_of_a_session_that_is_ended_come_to_the_client(void **state)
{
    struct desk *desk = *state;
    PGconn *conn;
    PGconn *other;
    PGresult *result;

    desk_start(desk);
    conn = connect_through(desk);
    other = connect_through(desk);
    assert_true(PQsendQuery(conn, "SELECT pg_sleep(3600)"));
    wait_until(desk, "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()"
                     " AND wait_event = 'PgSleep'");
    wait_until(desk, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE datname = current_database() AND wait_event = 'PgSleep'");
    result = PQgetResult(conn);
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "57P01");
    PQclear(result);
    while ((result = PQgetResult(conn)))
        PQclear(result);
    assert_int_equal(PQstatus(conn), CONNECTION_BAD);
    find_record(desk, 1, RECORD_CLOSE, 0);
    assert_string_equal(ask(desk, other, "SELECT 1"), "1");
    PQfinish(other);
    PQfinish(conn);
}

/* As without a proxy: what was asked is done, and then the session ends. */
static void
the_statement_of_a_client_that_vanishes_runs_to_its_end(void **state)
{
    struct desk *desk = *state;
    struct buffer said = { .arena = desk->ctx.arena };
    int client;

    ask(desk, desk->direct, "CREATE TABLE done (n int)");
    desk_start(desk);
    client = raw_session(desk);
    add_query(&said, "BEGIN; SELECT pg_sleep(0.2); INSERT INTO done VALUES (1); COMMIT");
    raw_send(client, said.data, said.length);
    close(client);
    wait_until(desk, "SELECT count(*) = 1 FROM done");
    wait_until(
        desk, "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()");
    find_record(desk, 1, RECORD_CLOSE, 0);
    ask(desk, desk->direct, "DROP TABLE done");
}

/* Reset, with an answer unread and more to come: the server's session ends by the write that fails. */
static void
a_result_that_nobody_takes_any_more_is_given_up(void **state)
{
    struct desk *desk = *state;
    struct buffer said = { .arena = desk->ctx.arena };
    const struct linger reset = { .l_onoff = 1 };
    int client;
    char first;

    desk_start(desk);
    client = raw_session(desk);
    add_query(&said, "SELECT repeat('x', 1000), generate_series(1, 1000000000)");
    raw_send(client, said.data, said.length);
    assert_true(raw_receive(client, &first, 1));
    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(client);
    wait_until(
        desk, "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()");
    assert_int_equal(desk_counts(desk).open, 0);
}

static struct buffer
answer_to_garbage(struct desk *desk, int client, const char *garbage, size_t length)
{
    struct buffer said = { .arena = desk->ctx.arena };
    struct buffer heard;

    add_query(&said, "SELECT 1");
    buffer_append(&said, garbage, length);
    raw_send(client, said.data, said.length);
    shutdown(client, SHUT_WR);
    heard = raw_rest(desk, client);
    close(client);
    return heard;
}

static void
bytes_that_are_no_messages_pass_and_end_the_trace(void **state)
{
    struct desk *desk = *state;
    static const char garbage[3][40] = {
        "\1\2\3\4\5\6\7\10 these are no messages",
        "Q\0\0\0\2 shorter than itself",
        "Q\377\377\377\377 longer than can be",
    };
    PGconn *other;

    desk_start(desk);
    other = connect_through(desk);
    for (size_t i = 0; i < COUNT_OF(garbage); i++) {
        struct buffer through =
            answer_to_garbage(desk, raw_session(desk), garbage[i], sizeof(garbage[i]));
        int client = raw_direct(desk);
        struct buffer direct;

        raw_start(desk, client);
        direct = answer_to_garbage(desk, client, garbage[i], sizeof(garbage[i]));
        assert_int_equal(through.length, direct.length);
        assert_memory_equal(through.data, direct.data, direct.length);
        find_record(desk, i + 2, RECORD_CLIENT, 'Q');
        find_record(desk, i + 2, RECORD_CLOSE, 0);
        assert_string_equal(ask(desk, other, "SELECT 1"), "1");
    }
    PQfinish(other);
}

static void
beyond_the_most_connections_nobody_is_let_in(void **state)
{
    struct desk *desk = *state;
    PGconn *first;
    PGconn *second;

    desk->options.most_connections = 2;
    desk_start(desk);
    first = connect_through(desk);
    second = connect_through(desk);
    assert_refused(desk, raw_knock(desk), "53300", "most connections already: 2");
    PQfinish(first);
    wait_until(desk, "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()"
                     " AND application_name = 'through'");
    /* The server may know of the end before the proxy does. */
    first = try_connect(desk, "");
    for (int32_t left = 1000; PQstatus(first) != CONNECTION_OK && left > 0; left--) {
        PQfinish(first);
        usleep(10000);
        first = try_connect(desk, "");
    }
    assert_string_equal(ask(desk, first, "SELECT 1"), "1");
    PQfinish(first);
    PQfinish(second);
}

static void
without_descriptors_clients_are_told_and_later_let_in(void **state)
{
    struct desk *desk = *state;
    struct rlimit before;
    struct rlimit none;
    int client = raw_socket();
    PGconn *conn;
    char answer = 0;
    int lowest;

    desk_start(desk);
    conn = connect_through(desk);
    assert_string_equal(ask(desk, conn, "SELECT 1"), "1");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    lowest = dup(client);
    close(lowest);
    none = before;
    none.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    raw_connect(desk, client);
    /* As drivers do: an error in place of the answer about TLS would be none that they show. */
    raw_send(client, "\0\0\0\x08\x04\xd2\x16\x2f", 8);
    assert_true(raw_receive(client, &answer, 1));
    assert_int_equal(answer, 'N');
    raw_send(client, knock, sizeof(knock));
    assert_refused(desk, client, "53300", "file descriptors");
    assert_string_equal(ask(desk, conn, "SELECT 2"), "2");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    PQfinish(conn);
    conn = connect_through(desk);
    assert_string_equal(ask(desk, conn, "SELECT 3"), "3");
    PQfinish(conn);
}

static void
all_ends_when_the_proxy_is_stopped(void **state)
{
    struct desk *desk = *state;
    PGresult *result;
    PGconn *conn;

    desk_start(desk);
    conn = connect_through(desk);
    desk_stop(desk);
    result = PQexec(conn, "SELECT 1");
    assert_int_equal(PQstatus(conn), CONNECTION_BAD);
    PQclear(result);
    PQfinish(conn);
    wait_until(
        desk, "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()");
    find_record(desk, 1, RECORD_CLOSE, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_at_desk(a_server_that_is_not_there_is_named_and_may_come_back),
        test_at_desk(a_port_where_nobody_listens_is_named),
        test_at_desk(a_server_that_closes_without_an_answer_is_named),
        test_at_desk(the_last_words_of_a_session_that_is_ended_come_to_the_client),
        test_at_desk(the_statement_of_a_client_that_vanishes_runs_to_its_end),
        test_at_desk(a_result_that_nobody_takes_any_more_is_given_up),
        test_at_desk(bytes_that_are_no_messages_pass_and_end_the_trace),
        test_at_desk(beyond_the_most_connections_nobody_is_let_in),
        test_at_desk(without_descriptors_clients_are_told_and_later_let_in),
        test_at_desk(all_ends_when_the_proxy_is_stopped),
    };

    return cmocka_run_group_tests(tests, make_database, drop_database);
}
