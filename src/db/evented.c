/* A flight of statements: sending them, taking the answers, and giving up. */
#include "db/evented.h"

#include <assert.h>

#include "base/clock.h"
#include "db/evented_part.h"

/* After the limit: how often a cancel is sent, and how long it may take to help. */
enum { CANCEL_AGAIN_US = 250000, GRACE_US = 2000000 };

static struct ctx
context_of(struct evented *evented, size_t at)
{
    struct arena *arena = evented->flight.requests[at].arena;

    return (struct ctx){ .arena = arena ? arena : evented->flight.arena };
}

static void
fail_reply(struct evented *evented, size_t at, const struct error *error)
{
    struct evented_reply *reply = &evented->flight.replies[at];

    reply->is_good = false;
    reply->error = *error;
    reply->rows = (struct rows){ 0 };
    reply->result = (struct result){ 0 };
}

/* The callback is the last thing: it may send again, or close. */
static void
finish(struct evented *evented)
{
    struct evented_flight flight = evented->flight;

    evented->flight = (struct evented_flight){ 0 };
    loop_timer_stop(evented->timer);
    evented_listen(evented, false);
    flight.done(flight.data, flight.replies, flight.count);
}

static void
end_connection(struct evented *evented)
{
    evented->state = EVENTED_ENDED;
    evented->is_broken = false;
    loop_watch_free(evented->watch);
    evented->watch = NULL;
    PQfinish(evented->db->conn);
    evented->db->conn = NULL;
}

/* All that is not answered has the same reason; the connection is of no use any more. */
static void
give_up(struct evented *evented, enum error_kind kind, const char *why)
{
    bool is_opening = evented->state != EVENTED_OPEN;

    for (size_t i = evented->flight.at; i < evented->flight.count; i++) {
        struct ctx ctx = context_of(evented, i);

        /* What the server said to the statement itself tells more. */
        if (evented->flight.replies[i].error.kind != ERR_NONE)
            continue;
        error_set(&ctx, kind, "%s", why);
        fail_reply(evented, i, &ctx.error);
    }
    end_connection(evented);
    if (is_opening)
        evented->state = EVENTED_CHECKING; /* the opening ends it, by way of done() */
    finish(evented);
}

static const char *
why_lost(struct evented *evented)
{
    struct ctx *ctx = &evented->ctx;

    if (evented->last_words)
        return arena_printf(ctx->arena, "the connection was lost: %s", evented->last_words);
    db_error_of_connection(ctx, evented->db, "waiting for the server");
    return ctx->error.message;
}

/* Ends an open one without a flight; tells lost(). */
static void
lose(struct evented *evented)
{
    const char *why = why_lost(evented);

    end_connection(evented);
    error_set(&evented->ctx, ERR_CONNECTION, "%s", why);
    evented->events.lost(evented->events.data, &evented->ctx.error);
}

static void
take_error(struct evented *evented, const PGresult *result)
{
    struct evented_flight *flight = &evented->flight;
    struct evented_reply *reply = &flight->replies[flight->at];
    struct ctx ctx = context_of(evented, flight->at);
    const struct query *query = flight->requests[flight->at].query;

    flight->is_answered = true;
    if (reply->error.kind != ERR_NONE)
        return;
    db_error_of_result(&ctx, evented->db, result);
    if (query)
        error_wrap(&ctx, "query \"%s\"", query->name);
    (void)prepared_forget(&evented->prepared, query, ctx.error.sqlstate);
    fail_reply(evented, flight->at, &ctx.error);
}

static void
take_rows(struct evented *evented, const PGresult *result)
{
    struct evented_flight *flight = &evented->flight;
    struct evented_reply *reply = &flight->replies[flight->at];
    struct ctx ctx = context_of(evented, flight->at);
    const struct query *query = flight->requests[flight->at].query;

    if (reply->error.kind != ERR_NONE)
        return;
    if (flight->preparing[flight->at].number && PQresultStatus(result) == PGRES_COMMAND_OK &&
        !flight->is_answered) {
        prepared_made(&evented->prepared, &flight->preparing[flight->at]);
        flight->is_answered = true;
        return;
    }
    flight->is_answered = true;
    reply->is_good = true;
    if (!query)
        db_copy_cells(ctx.arena, result, &reply->result);
    else if (query->column_count > 0 && !db_copy_rows(&ctx, query, result, &reply->rows))
        fail_reply(evented, flight->at, &ctx.error);
}

static void
end_reply(struct evented *evented)
{
    struct evented_flight *flight = &evented->flight;
    struct evented_reply *reply = &flight->replies[flight->at];
    int64_t now = clock_us();

    if (!reply->is_good && reply->error.kind == ERR_NONE) {
        struct ctx ctx = context_of(evented, flight->at);

        error_set(&ctx, ERR_FAILED, "the statement gave no result");
        fail_reply(evented, flight->at, &ctx.error);
    }
    prepared_ended(&evented->prepared, &flight->preparing[flight->at]);
    reply->elapsed_us = now - flight->mark_us;
    flight->mark_us = now;
    flight->at++;
    flight->is_answered = false;
    flight->ended_once = false;
}

/* The console of a pooler takes one statement at a time. */
static bool
send_plain(struct evented *evented)
{
    struct evented_flight *flight = &evented->flight;

    return flight->at == flight->count ||
           PQsendQuery(evented->db->conn, flight->requests[flight->at].sql);
}

/* False: libpq's results make no sense any more, as after a lost connection. */
static bool
take_end(struct evented *evented)
{
    struct evented_flight *flight = &evented->flight;

    if (evented->is_plain) {
        end_reply(evented);
        return send_plain(evented);
    }
    if (flight->ended_once)
        return false;
    flight->ended_once = true;
    return true;
}

/* One result of libpq, NULL among them. */
static bool
take_result(struct evented *evented, const PGresult *result)
{
    if (!result)
        return take_end(evented);
    evented->flight.ended_once = false;

    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_PIPELINE_SYNC)
        end_reply(evented);
    else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
        take_rows(evented, result);
    else if (status != PGRES_PIPELINE_ABORTED)
        take_error(evented, result);
    return true;
}

/* False: the connection is lost. */
static bool
take_results(struct evented *evented)
{
    struct evented_flight *flight = &evented->flight;
    PGconn *conn = evented->db->conn;

    while (flight->at < flight->count && !PQisBusy(conn)) {
        PGresult *result CLEANUP(db_clear_result) = PQgetResult(conn);

        if (!take_result(evented, result))
            return false;
    }
    return flight->at == flight->count || PQstatus(conn) != CONNECTION_BAD;
}

static void
free_notification(PGnotify **notification)
{
    PQfreemem(*notification);
}

/* What was listened for; libpq has read it along with whatever else came. */
static void
tell_notifications(struct evented *evented)
{
    if (evented->is_plain || evented->state != EVENTED_OPEN)
        return;
    for (;;) {
        PGnotify *notification CLEANUP(free_notification) = PQnotifies(evented->db->conn);

        if (!notification)
            return;
        if (evented->events.notified)
            evented->events.notified(
                evented->events.data, notification->relname, notification->extra);
    }
}

void
evented_advance(struct evented *evented, bool can_read)
{
    struct evented_flight *flight = &evented->flight;
    PGconn *conn = evented->db->conn;
    bool is_alive = !can_read || PQconsumeInput(conn);

    if (!flight->arena) {
        /* Between flights the server only tells news; they are heard as they are parsed. */
        if (is_alive)
            (void)PQisBusy(conn);
        tell_notifications(evented);
        if (!is_alive || PQstatus(conn) == CONNECTION_BAD)
            lose(evented);
        return;
    }

    /* What came before the end is worth taking. */
    bool makes_sense = take_results(evented);
    int left = makes_sense && is_alive ? PQflush(conn) : 0;

    if (!makes_sense || ((!is_alive || left < 0) && flight->at < flight->count)) {
        give_up(evented, ERR_CONNECTION, why_lost(evented));
        return;
    }
    evented_listen(evented, left > 0);
    tell_notifications(evented);
    if (flight->at == flight->count && !evented->cancel)
        finish(evented);
}

void
evented_expire(struct evented *evented)
{
    struct evented_flight *flight = &evented->flight;
    int64_t now = clock_us();
    const char *limit = text_from_us(flight->arena, flight->limit_us);

    if (evented->is_broken) {
        give_up(evented, ERR_CONNECTION, why_lost(evented));
        return;
    }
    if (evented->state != EVENTED_OPEN) {
        give_up(evented, ERR_CONNECTION, "could not connect: no answer in time");
        return;
    }
    if (flight->drop_us && now >= flight->drop_us) {
        if (flight->at == flight->count)
            finish(evented);
        else
            give_up(evented, ERR_TIMEOUT,
                arena_printf(
                    flight->arena, "no answer within %s, nor to the request to cancel", limit));
        return;
    }
    if (!flight->drop_us)
        flight->drop_us = now + GRACE_US;
    if (flight->at < flight->count)
        evented_cancel(evented);
    loop_timer_set(evented->timer, CANCEL_AGAIN_US);
}

static bool
send_request(struct evented *evented, size_t at)
{
    const struct evented_request *request = &evented->flight.requests[at];
    PGconn *conn = evented->db->conn;
    struct ctx ctx = context_of(evented, at);

    if (!request->query) {
        if (!PQsendQueryParams(conn, request->sql, (int)request->param_count, NULL, request->params,
                NULL, NULL, 0))
            return false;
    } else if (!query_text(request->query, db_major(evented->db))) {
        error_set(&ctx, ERR_UNSUPPORTED, "query \"%s\" is not for PostgreSQL %s",
            request->query->name, db_version_text(evented->db));
        fail_reply(evented, at, &ctx.error);
    } else if (!prepared_send(&evented->prepared, evented->db, evented->flight.arena,
                   request->query, request->args, &evented->flight.preparing[at])) {
        return false;
    }
    return PQpipelineSync(conn);
}

static bool
send_all(struct evented *evented)
{
    if (evented->is_plain)
        return send_plain(evented);
    for (size_t i = 0; i < evented->flight.count; i++)
        if (!send_request(evented, i))
            return false;
    return true;
}

void
evented_begin(struct evented *evented, const struct evented_sending *sending)
{
    struct arena *arena = sending->arena;
    size_t count = sending->count;

    evented->flight = (struct evented_flight){
        .arena = arena,
        .requests = arena_memdup(arena, sending->requests, count * sizeof(struct evented_request)),
        .replies = ARENA_ARRAY(arena, struct evented_reply, count),
        .preparing = ARENA_ARRAY(arena, struct prepared_sending, count),
        .count = count,
        .mark_us = clock_us(),
        .limit_us = sending->limit_us,
        .done = sending->done,
        .data = sending->data,
    };
    loop_timer_set(evented->timer, sending->limit_us);
    if (!send_all(evented)) {
        evented->is_broken = true;
        loop_timer_set(evented->timer, 0);
        return;
    }
    evented_listen(evented, PQflush(evented->db->conn) > 0);
}

void
evented_send_all(struct evented *evented, const struct evented_sending *sending)
{
    assert(evented->state == EVENTED_OPEN && !evented->flight.arena && sending->count > 0);
    evented_begin(evented, sending);
}

void
evented_close(struct evented *evented)
{
    if (!evented)
        return;
    background_leave(evented->start);
    background_leave(evented->cancel);
    loop_watch_free(evented->watch);
    loop_timer_free(evented->timer);
    db_close(evented->db); /* and with it evented itself */
}

struct db *
evented_release(struct evented *evented)
{
    assert(evented->state == EVENTED_OPEN && !evented->flight.arena && !evented->cancel);
    loop_watch_free(evented->watch);
    evented->watch = NULL;
    loop_timer_free(evented->timer);
    evented->timer = NULL;
    return evented->db;
}

bool
evented_is_busy(const struct evented *evented)
{
    return evented->flight.arena;
}

bool
evented_is_open(const struct evented *evented)
{
    return evented->state == EVENTED_OPEN;
}

int
evented_major(const struct evented *evented)
{
    return db_major(evented->db);
}

int
evented_backend_pid(const struct evented *evented)
{
    return evented->db->conn ? PQbackendPID(evented->db->conn) : 0;
}

const char *
evented_label(const struct evented *evented)
{
    return evented->label;
}

const char *
evented_database(const struct evented *evented)
{
    return evented->database;
}

const char *
evented_host(const struct evented *evented)
{
    return evented->host;
}
