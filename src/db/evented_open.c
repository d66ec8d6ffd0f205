/*
 * Opening without blocking the loop: libpq looks up names, service files and passwords as it begins to
 * connect, so that begins in a thread, unless there is nothing to look up. Of a list of hosts that
 * are names, the second and later ones are looked up on the loop, when those before did not answer.
 */
#include <arpa/inet.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/evented_part.h"

enum { ADDRESS_SIZE = 128 };

/* The thread's own copy of everything. */
struct start {
    struct arena *arena;
    struct db_params params;
    PGconn *conn;
};

static void
start_work(void *data)
{
    struct start *start = data;

    start->conn = PQconnectStartParams(start->params.names, start->params.values, 0);
}

static void
start_drop(void *data)
{
    struct start *start = data;

    PQfinish(start->conn);
    arena_free(start->arena);
}

/* A folder of sockets, or an address in digits. */
static bool
is_address(const char *host, size_t length)
{
    char text[ADDRESS_SIZE] = { 0 };
    char address[sizeof(struct in6_addr)];

    if (length == 0 || *host == '/' || *host == '@')
        return true;
    if (length >= sizeof(text))
        return false;
    memcpy(text, host, length);
    text[strcspn(text, "%")] = '\0';
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool
needs_look_up(const struct db_params *params)
{
    const char *host = db_params_get(params, "host", "PGHOST");

    if (db_params_get(params, "service", "PGSERVICE"))
        return true;
    if (!host || db_params_get(params, "hostaddr", "PGHOSTADDR"))
        return false;
    for (;;) {
        size_t length = strcspn(host, ",");

        if (!is_address(host, length))
            return true;
        if (!host[length])
            return false;
        host += length + 1;
    }
}

/* The server's last words before it closes are worth more than "closed unexpectedly". */
static void
hear(void *data, const PGresult *result)
{
    struct evented *evented = data;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (text_equal(severity, "FATAL") && message)
        evented->last_words = arena_strdup(evented->db->arena, message);
    db_log_notice(NULL, result);
}

/* Ends a connection that could not be opened; tells opened(). */
static void
fail_to_open(struct evented *evented)
{
    evented->state = EVENTED_ENDED;
    evented->is_broken = false;
    loop_timer_stop(evented->timer);
    loop_watch_free(evented->watch);
    evented->watch = NULL;
    evented->events.opened(evented->events.data, &evented->ctx.error);
}

/* Not from within evented_open(): its caller does not have the pointer yet. */
static void
fail_soon(struct evented *evented)
{
    evented->is_broken = true;
    loop_timer_set(evented->timer, 0);
}

static void
pinned(void *data, struct evented_reply *replies, size_t count)
{
    struct evented *evented = data;

    (void)count;
    if (!replies[0].is_good) {
        evented->ctx.error = replies[0].error;
        error_wrap(&evented->ctx, "preparing the session");
        fail_to_open(evented);
        return;
    }
    evented->state = EVENTED_OPEN;
    loop_timer_stop(evented->timer);
    evented->events.opened(evented->events.data, NULL);
}

static int64_t
time_left(const struct evented *evented)
{
    return evented->open_until_us - clock_us();
}

/* Pinning through a pooler would leave our settings to somebody else's session. */
static void
checked(void *data, struct evented_reply *replies, size_t count)
{
    struct evented *evented = data;
    const struct result *result = &replies[0].result;
    int64_t pid = 0;

    (void)count;
    if (!replies[0].is_good) {
        evented->ctx.error = replies[0].error;
        error_wrap(&evented->ctx, "preparing the session");
        fail_to_open(evented);
        return;
    }
    if (result->rows != 1 || !text_to_int64(result->cells[0], &pid) ||
        pid != PQbackendPID(evented->db->conn)) {
        db_error_of_pooler(&evented->ctx);
        fail_to_open(evented);
        return;
    }

    const char **params = ARENA_ARRAY(evented->db->arena, const char *, DB_PIN_PARAMS);
    struct evented_request pin = {
        .sql = db_pin_sql,
        .params = params,
        .param_count = DB_PIN_PARAMS,
    };

    db_pin_params(evented->db->arena, evented->db, params);
    evented->state = EVENTED_PINNING;
    evented_begin(evented, &(const struct evented_sending){
                               &pin, 1, time_left(evented), evented->db->arena, pinned, evented });
}

static void
connected(struct evented *evented)
{
    static const struct evented_request check = { .sql = "SELECT pg_catalog.pg_backend_pid()" };
    struct db *db = evented->db;

    if (evented->is_plain) {
        PQsetnonblocking(db->conn, 1);
        evented->state = EVENTED_OPEN;
        loop_timer_stop(evented->timer);
        evented_listen(evented, false);
        evented->events.opened(evented->events.data, NULL);
        return;
    }
    if (!db_check_version(&evented->ctx, db)) {
        fail_to_open(evented);
        return;
    }
    if (PQsetnonblocking(db->conn, 1) != 0 || !PQenterPipelineMode(db->conn)) {
        db_error_of_connection(&evented->ctx, db, "opening it");
        fail_to_open(evented);
        return;
    }
    evented->state = EVENTED_CHECKING;
    evented_begin(evented, &(const struct evented_sending){
                               &check, 1, time_left(evented), db->arena, checked, evented });
}

static void on_socket(void *data, bool can_read, bool can_write);

/* libpq tries one address after the other, each with a socket of its own. */
static void
watch_anew(struct evented *evented, bool for_read, bool for_write)
{
    loop_watch_free(evented->watch);
    evented->watch = loop_watch_new(evented->loop, PQsocket(evented->db->conn), on_socket, evented);
    loop_watch_set(evented->watch, for_read, for_write);
}

static void
go_on_connecting(struct evented *evented)
{
    loop_watch_free(evented->watch);
    evented->watch = NULL;

    PostgresPollingStatusType status = PQconnectPoll(evented->db->conn);

    if (status == PGRES_POLLING_FAILED) {
        db_error_of_connecting(&evented->ctx, evented->db);
        fail_to_open(evented);
        return;
    }
    watch_anew(evented, status != PGRES_POLLING_WRITING, status == PGRES_POLLING_WRITING);
    if (status == PGRES_POLLING_OK)
        connected(evented);
}

static void
on_socket(void *data, bool can_read, bool can_write)
{
    struct evented *evented = data;

    (void)can_write;
    if (evented->state == EVENTED_CONNECTING)
        go_on_connecting(evented);
    else
        evented_advance(evented, can_read);
}

void
evented_listen(struct evented *evented, bool for_write)
{
    if (evented->watch)
        loop_watch_set(evented->watch, true, for_write);
}

/* libpq has begun; what it said is told by the timer, since this can be within evented_open(). */
static void
take_conn(struct evented *evented, PGconn *conn)
{
    struct db *db = evented->db;

    db->conn = conn;
    evented->state = EVENTED_CONNECTING;
    if (!conn) {
        error_set(&evented->ctx, ERR_CONNECTION, "could not connect: out of memory");
        fail_soon(evented);
        return;
    }
    PQsetNoticeReceiver(conn, hear, evented);
    evented->host = db_host(db) ? arena_strdup(db->arena, db_host(db)) : "";
    evented->database = db_name(db) ? arena_strdup(db->arena, db_name(db)) : "";
    if (PQstatus(conn) == CONNECTION_BAD) {
        db_error_of_connecting(&evented->ctx, db);
        fail_soon(evented);
        return;
    }
    watch_anew(evented, false, true);
}

static void
start_done(void *owner, void *data)
{
    struct evented *evented = owner;
    struct start *start = data;
    PGconn *conn = start->conn;

    evented->start = NULL;
    start->conn = NULL;
    take_conn(evented, conn);
}

static void
start_in_thread(struct evented *evented, const struct db_params *params)
{
    struct arena *arena = arena_new();
    struct start *start = ARENA_NEW(arena, struct start);
    struct background_job job = {
        .work = start_work,
        .done = start_done,
        .drop = start_drop,
        .data = start,
        .owner = evented,
    };

    start->arena = arena;
    for (size_t i = 0; i < params->count; i++) {
        start->params.names[i] = arena_strdup(arena, params->names[i]);
        start->params.values[i] = arena_strdup(arena, params->values[i]);
    }
    evented->state = EVENTED_STARTING;
    evented->start = background_run(evented->loop, &job);
    if (evented->start)
        return;
    start_drop(start);
    error_set(&evented->ctx, ERR_CONNECTION, "could not connect: no file descriptor is left");
    fail_soon(evented);
}

/* What is known before libpq has read services and defaults. */
static void
name_it(struct evented *evented, const struct db_params *params)
{
    struct arena *arena = evented->db->arena;
    const char *service = db_params_get(params, "service", "PGSERVICE");
    const char *host = db_params_get(params, "host", "PGHOST");
    const char *port = db_params_get(params, "port", "PGPORT");
    const char *database = db_params_get(params, "dbname", "PGDATABASE");

    if (!database)
        database = db_params_get(params, "user", "PGUSER");
    evented->database = arena_strdup(arena, database ? database : service ? service : "");
    evented->host = arena_strdup(arena, host ? host : service ? service : "");
    if (host || !service)
        evented->label = arena_printf(
            arena, "%s @ %s:%s", evented->database, evented->host, port ? port : "5432");
    else
        evented->label = arena_printf(arena, "%s @ service %s", evented->database, service);
}

static void
time_is_over(void *data)
{
    struct evented *evented = data;

    if (evented->flight.arena) {
        evented_expire(evented);
    } else {
        if (!evented->is_broken)
            db_error_of_waiting(&evented->ctx);
        fail_to_open(evented);
    }
}

static bool
open_any(struct ctx *ctx, struct loop *loop, const struct db_options *options,
    const struct evented_events *events, struct evented **ret)
{
    struct db *db = db_new(options);
    struct evented *evented = ARENA_NEW(db->arena, struct evented);
    int64_t limit = options->connect_timeout_us;
    struct db_params params;

    if (!db_params_read(ctx, db, &params)) {
        db_close(db);
        return false;
    }
    evented->db = db;
    evented->loop = loop;
    evented->events = *events;
    evented->ctx.arena = db->arena;
    evented->timer = loop_timer_new(loop, time_is_over, evented);
    evented->open_until_us = clock_us() + (limit ? limit : (int64_t)DB_CONNECT_TIMEOUT_US);
    loop_timer_set(evented->timer, time_left(evented));
    name_it(evented, &params);
    if (needs_look_up(&params)) {
        start_in_thread(evented, &params);
    } else {
        take_conn(evented, PQconnectStartParams(params.names, params.values, 0));
        if (db->conn)
            evented->label = db_label(db->arena, db);
    }
    *ret = evented;
    return true;
}

bool
evented_open(struct ctx *ctx, struct loop *loop, const struct db_options *options,
    const struct evented_events *events, struct evented **ret)
{
    return open_any(ctx, loop, options, events, ret);
}

bool
evented_open_plain(struct ctx *ctx, struct loop *loop, const struct db_options *options,
    const struct evented_events *events, struct evented **ret)
{
    if (!open_any(ctx, loop, options, events, ret))
        return false;
    (*ret)->is_plain = true;
    return true;
}
