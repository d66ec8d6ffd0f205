/*
 * A proxy on a loop in a thread of its own, and clients of it that speak bytes. The test reads the ring.
 * DATABASE is the test program's own.
 */
#pragma once

#include "support/test.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "queries/proxy/proxy.h"

/* However busy the machine is: what takes longer hangs. */
enum { HANGS_US = 60000000, HANGS_S = 60 };

enum wish { WISH_NONE, WISH_COUNTS, WISH_DRAIN, WISH_STOP };

struct desk {
    struct ctx ctx;
    struct proxy_options options;
    size_t ring_bytes; /* 0: none */
    struct loop *loop;
    struct loop_watch *watch;
    struct proxy *proxy;
    pthread_t thread;
    int wished; /* eventfd: the loop's thread has something to do */
    int done;
    enum wish wish;
    bool is_running;
    bool is_drained;
    struct proxy_counts counts;
    char address[256];
    PGconn *direct; /* without the proxy */
};

static inline void
desk_drained(void *data)
{
    struct desk *desk = data;

    __atomic_store_n(&desk->is_drained, true, __ATOMIC_SEQ_CST);
}

static inline void
desk_wish_came(void *data, bool can_read, bool can_write)
{
    struct desk *desk = data;
    uint64_t one = 0;

    (void)can_read;
    (void)can_write;
    if (read(desk->wished, &one, sizeof(one)) < 0)
        return;
    desk->counts = proxy_counts(desk->proxy);
    if (desk->wish == WISH_DRAIN)
        proxy_drain(desk->proxy, desk_drained, desk);
    if (desk->wish == WISH_STOP)
        loop_stop(desk->loop);
    if (write(desk->done, &one, sizeof(one)) < 0)
        abort();
}

static inline void
desk_wish(struct desk *desk, enum wish wish)
{
    uint64_t one = 1;

    desk->wish = wish;
    assert_int_equal(write(desk->wished, &one, sizeof(one)), sizeof(one));
    assert_int_equal(read(desk->done, &one, sizeof(one)), sizeof(one));
}

static inline struct proxy_counts
desk_counts(struct desk *desk)
{
    desk_wish(desk, WISH_COUNTS);
    return desk->counts;
}

static inline void *
desk_loop(void *data)
{
    struct desk *desk = data;

    loop_run(desk->loop);
    return NULL;
}

static inline void
desk_must(struct desk *desk, bool is_good)
{
    if (!is_good)
        fail_msg("%s", desk->ctx.error.message);
}

static inline void
desk_start(struct desk *desk)
{
    if (desk->ring_bytes)
        desk->options.ring = record_ring_new(desk->ring_bytes);
    desk_must(desk, loop_new(&desk->ctx, &desk->loop));
    desk_must(desk, proxy_start(&desk->ctx, desk->loop, &desk->options, &desk->proxy));
    snprintf(desk->address, sizeof(desk->address), "%s", proxy_address(desk->proxy));
    desk->watch = loop_watch_new(desk->loop, desk->wished, desk_wish_came, desk);
    loop_watch_set(desk->watch, true, false);
    assert_int_equal(pthread_create(&desk->thread, NULL, desk_loop, desk), 0);
    desk->is_running = true;
}

static inline void
desk_stop(struct desk *desk)
{
    if (!desk->is_running)
        return;
    desk_wish(desk, WISH_STOP);
    pthread_join(desk->thread, NULL);
    loop_watch_free(desk->watch);
    proxy_stop(desk->proxy);
    loop_free(desk->loop);
    desk->is_running = false;
}

static inline int
desk_set_up(void **state)
{
    struct arena *arena = arena_new();
    struct desk *desk = ARENA_NEW(arena, struct desk);

    desk->ctx.arena = arena;
    desk->ring_bytes = (size_t)4 * 1024 * 1024;
    desk->options = (struct proxy_options){
        .listen = "127.0.0.1:0",
        .host = getenv("PGHOST"),
        .port = getenv("PGPORT"),
        .server_ssl_mode = "disable",
    };
    desk->wished = eventfd(0, EFD_CLOEXEC);
    desk->done = eventfd(0, EFD_CLOEXEC);
    desk->direct = PQconnectdb("dbname=" DATABASE " application_name=direct");
    if (PQstatus(desk->direct) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(desk->direct));
    *state = desk;
    return 0;
}

static inline int
desk_tear_down(void **state)
{
    struct desk *desk = *state;

    desk_stop(desk);
    PQfinish(desk->direct);
    record_ring_free(desk->options.ring);
    close(desk->wished);
    close(desk->done);
    arena_free(desk->ctx.arena);
    return 0;
}

#define test_at_desk(test) cmocka_unit_test_setup_teardown(test, desk_set_up, desk_tear_down)

/* ---- libpq ---- */

static inline PGconn *
try_connect(struct desk *desk, const char *more)
{
    char options[512];
    const char *colon = strrchr(desk->address, ':');

    snprintf(options, sizeof(options),
        "host=%.*s port=%s dbname=" DATABASE " sslmode=disable application_name=through %s",
        (int)(colon - desk->address), desk->address, colon + 1, more);
    return PQconnectdb(options);
}

static inline PGconn *
connect_through(struct desk *desk)
{
    PGconn *conn = try_connect(desk, "");

    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static inline const char *
ask(struct desk *desk, PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    const char *value = "";

    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    if (PQntuples(result) > 0)
        value = arena_strdup(desk->ctx.arena, PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

/* Until the statement, asked of the server itself, says "t". */
static inline void
wait_until(struct desk *desk, const char *sql)
{
    int64_t until = clock_us() + HANGS_US;

    while (strcmp(ask(desk, desk->direct, sql), "t") != 0) {
        if (clock_us() > until)
            fail_msg("does not become true: %s", sql);
        clock_sleep_us(5000);
    }
}

/* ---- bytes ---- */

static inline int
raw_socket(void)
{
    const struct timeval limit = { .tv_sec = HANGS_S };
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(made >= 0);
    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return made;
}

static inline void
raw_connect(struct desk *desk, int client)
{
    const char *colon = strrchr(desk->address, ':');
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10)),
    };

    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
}

/* To the server itself, by its socket. */
static inline int
raw_direct(struct desk *desk)
{
    const struct timeval limit = { .tv_sec = HANGS_S };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(made >= 0);
    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.%s", desk->options.host,
        desk->options.port);
    assert_int_equal(connect(made, (struct sockaddr *)&address, sizeof(address)), 0);
    return made;
}

static inline void
raw_send(int client, const void *data, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t count = send(client, (const char *)data + at, length - at, MSG_NOSIGNAL);

        assert_true(count > 0);
        at += (size_t)count;
    }
}

/* False at the end of the connection. */
static inline bool
raw_receive(int client, void *data, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t count = recv(client, (char *)data + at, length - at, 0);

        if (count <= 0)
            return false;
        at += (size_t)count;
    }
    return true;
}

static inline uint32_t
number_of(const void *bytes)
{
    uint32_t number;

    memcpy(&number, bytes, sizeof(number));
    return ntohl(number);
}

static inline void
add_message(struct buffer *buffer, char type, const void *body, size_t length)
{
    uint32_t number = htonl((uint32_t)length + 4);

    if (type)
        buffer_append(buffer, &type, 1);
    buffer_append(buffer, &number, 4);
    buffer_append(buffer, body, length);
}

static inline void
add_query(struct buffer *buffer, const char *sql)
{
    add_message(buffer, 'Q', sql, strlen(sql) + 1);
}

/* The next message; its body in the arena. 0: the end. */
static inline char
raw_message(struct desk *desk, int client, const char **ret_body, size_t *ret_length)
{
    char head[5];
    char *body;

    if (!raw_receive(client, head, sizeof(head)))
        return 0;
    *ret_length = number_of(head + 1) - 4;
    body = arena_alloc(desk->ctx.arena, *ret_length + 1);
    if (!raw_receive(client, body, *ret_length))
        return 0;
    *ret_body = body;
    return head[0];
}

static inline void
raw_start(struct desk *desk, int client)
{
    struct buffer start = { .arena = desk->ctx.arena };
    struct buffer body = { .arena = desk->ctx.arena };
    const uint32_t version = htonl(3 << 16);
    const char *user = getenv("PGUSER");
    const char *text;
    size_t length;
    char type;

    buffer_append(&body, &version, 4);
    buffer_append(&body, "user", 5);
    buffer_append(&body, user, strlen(user) + 1);
    buffer_append(&body, "database", 9);
    buffer_append(&body, DATABASE, sizeof(DATABASE));
    buffer_append(&body, "", 1);
    add_message(&start, 0, body.data, body.length);
    raw_send(client, start.data, start.length);
    do {
        type = raw_message(desk, client, &text, &length);
        assert_true(type != 0 && type != 'E');
    } while (type != 'Z');
}

static inline int
raw_session(struct desk *desk)
{
    int client = raw_socket();

    raw_connect(desk, client);
    raw_start(desk, client);
    return client;
}

/* All that comes until the end. */
static inline struct buffer
raw_rest(struct desk *desk, int client)
{
    struct buffer rest = { .arena = desk->ctx.arena };
    char piece[65536];
    ssize_t count;

    while ((count = recv(client, piece, sizeof(piece), 0)) > 0)
        buffer_append(&rest, piece, (size_t)count);
    return rest;
}

/* A field of an ErrorResponse. */
static inline const char *
error_field(const char *body, size_t length, char field)
{
    for (size_t at = 0; at < length && body[at];) {
        if (body[at] == field)
            return body + at + 1;
        at += strlen(body + at) + 1;
    }
    return "";
}

/* ---- records ---- */

struct kept {
    struct record record;
    const char *bytes;
};

/* The next of the session; others are passed over. It must come. */
static inline struct kept
next_record(struct desk *desk, uint64_t session)
{
    int64_t until = clock_us() + HANGS_US;

    for (;;) {
        const char *bytes = NULL;
        const struct record *record = record_ring_take(desk->options.ring, 100000, &bytes);

        if (clock_us() > until)
            fail_msg("the record does not come");
        if (!record || (session && record->session != session))
            continue;
        return (struct kept){ .record = *record,
            .bytes = arena_strndup(desk->ctx.arena, bytes, record->kept) };
    }
}

/* Passes over those up to one of the kind and type (0: any). */
static inline struct kept
find_record(struct desk *desk, uint64_t session, enum record_kind kind, char type)
{
    for (;;) {
        struct kept kept = next_record(desk, session);

        if (kept.record.kind == kind && (!type || kept.record.type == type))
            return kept;
    }
}

/* ---- the database ---- */

static inline int
make_database(void **state)
{
    PGconn *conn = PQconnectdb("dbname=postgres");

    (void)state;
    PQclear(PQexec(conn, "DROP DATABASE IF EXISTS " DATABASE));
    PQclear(PQexec(conn, "CREATE DATABASE " DATABASE));
    PQfinish(conn);
    return 0;
}

static inline int
drop_database(void **state)
{
    PGconn *conn = PQconnectdb("dbname=postgres");

    (void)state;
    PQclear(PQexec(conn, "DROP DATABASE IF EXISTS " DATABASE " WITH (FORCE)"));
    PQfinish(conn);
    return 0;
}
