/* A flight: the statements of one ticket behind one Sync, and their answers. */
#include "base/clock.h"
#include "db/pool/pool_part.h"

/* The first flight of a connection is what the server works at. */
static void
note_head(struct pool_connection *connection, int64_t now)
{
    struct pool *pool = connection->pool;

    connection->head_us = now;
    if (connection->lane == POOL_SHARED && connection->flights.count > 0)
        pool_sweep_at(pool, now + pool->options.shared_most_us);
}

static bool
send_statement(struct pool_connection *connection, struct pool_ticket *ticket, size_t at)
{
    const struct pool_statement *statement = &ticket->statements[at];

    ticket->sendings[at] = (struct prepared_sending){ 0 };
    if (statement->query)
        return prepared_send(&connection->prepared, connection->db, ticket->arena, statement->query,
            statement->args, &ticket->sendings[at]);
    return PQsendQueryParams(connection->db->conn, statement->sql, 0, NULL, NULL, NULL, NULL, 0);
}

/* What the socket does not take now is sent when it can be written to again. */
static bool
flush(struct pool_connection *connection)
{
    int left = PQflush(connection->db->conn);

    connection->needs_flush = false;
    loop_watch_set(connection->watch, true, left > 0);
    return left >= 0;
}

void
pool_flight_flush(void *data)
{
    struct pool *pool = data;
    struct pool_connection *connection = pool->queues[POOL_SHARED].connections;

    for (; connection; connection = connection->after) {
        if (connection->needs_flush && !flush(connection)) {
            connection->is_broken = true;
            pool_sweep_at(pool, 0);
        }
    }
}

/* With libpq 17 and later, what the shared lane sends within one turn of the loop goes together. */
static bool
send_sync(struct pool_connection *connection)
{
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
    if (connection->lane == POOL_SHARED) {
        if (!connection->needs_flush)
            loop_timer_set(connection->pool->flusher, 0);
        connection->needs_flush = true;
        return PQsendPipelineSync(connection->db->conn);
    }
#endif
    return PQpipelineSync(connection->db->conn) && flush(connection);
}

/* Without its Sync nothing of a flight is committed: until then it counts as not sent. */
static bool
send_all(struct pool_connection *connection, struct pool_ticket *ticket)
{
    for (size_t i = 0; i < ticket->count; i++)
        if (!send_statement(connection, ticket, i))
            return false;
    ticket->is_sent = true;
    return send_sync(connection);
}

static bool
is_for_server(const struct pool_connection *connection, const struct pool_ticket *ticket)
{
    for (size_t i = 0; i < ticket->count; i++) {
        const struct query *query = ticket->statements[i].query;

        if (query && !query_text(query, db_major(connection->db)))
            return false;
    }
    return true;
}

/* What fails here is found out by the sweep: nobody is called back from within pool_run(). */
static void
send_ticket(struct pool_connection *connection, struct pool_ticket *ticket)
{
    int64_t now = clock_us();

    if (!ticket->sent_us)
        ticket->sent_us = now;
    ticket->connection = connection;
    ticket->sent += (int32_t)ticket->count;
    pool_line_add(&connection->flights, ticket);
    if (connection->flights.count == 1)
        note_head(connection, now);
    if (ticket->until_us != INT64_MAX)
        pool_sweep_at(connection->pool, ticket->until_us);
    if (send_all(connection, ticket))
        return;
    connection->is_broken = true;
    pool_sweep_at(connection->pool, 0);
}

void
pool_flight_send(struct pool_connection *connection, struct pool_ticket *ticket)
{
    bool must_be_alive = !ticket->is_repeatable && !ticket->lease && connection->flights.count == 0;

    if (must_be_alive && !pool_connection_is_alive(connection)) {
        connection->is_broken = true;
        pool_queue_again(ticket);
        pool_sweep_at(connection->pool, 0);
        return;
    }
    if (is_for_server(connection, ticket)) {
        send_ticket(connection, ticket);
        return;
    }
    pool_ticket_fail_text(ticket, ERR_UNSUPPORTED, "a query is not for this server's version");
    pool_connection_rest(connection);
}

/* Work of the pool itself: nobody is called back. */
static struct pool_ticket *
new_own(struct pool_connection *connection)
{
    struct pool_ticket *ticket = pool_ticket_new(connection->pool);

    ticket->is_own = true;
    ticket->lane = connection->lane;
    ticket->until_us = clock_us() + POOL_GRACE_US;
    ticket->statements = ticket->few;
    ticket->sendings = ticket->few_sendings;
    connection->pool->queues[connection->lane].coming++;
    return ticket;
}

/* A Sync alone: an answer without a statement. */
void
pool_flight_ping(struct pool_connection *connection)
{
    connection->pool->statistics.pinged++;
    send_ticket(connection, new_own(connection));
}

void
pool_flight_reset(struct pool_connection *connection)
{
    struct pool_ticket *ticket = new_own(connection);

    ticket->few[0] = (struct pool_statement){ .sql = "ROLLBACK" };
    ticket->count = 1;
    send_ticket(connection, ticket);
}

/* Whether it was rolled back as a whole, so that sending it once more runs nothing twice. */
static bool
left_nothing(const struct pool_ticket *ticket)
{
    if (ticket->lease || ticket->tries > 0 || ticket->is_dropped || !ticket->done)
        return false;
    for (size_t i = 0; i < ticket->count; i++)
        if (!ticket->statements[i].query)
            return false;
    return true;
}

/* False: the server ends the connection with this. */
static bool
take_error(struct pool_connection *connection, struct pool_ticket *ticket, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const struct query *query =
        ticket->at < ticket->count ? ticket->statements[ticket->at].query : NULL;
    struct ctx ctx = { .arena = ticket->arena };

    if (!sqlstate || !severity || text_equal(severity, "FATAL") || text_equal(severity, "PANIC")) {
        if (sqlstate)
            connection->evented->last_words = arena_strdup(
                connection->db->arena, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
        return false;
    }

    bool is_forgotten = prepared_forget(&connection->prepared, query, sqlstate);
    bool is_mistaken = text_equal(sqlstate, "57014") && connection->cancel_for &&
                       connection->cancel_for != ticket && !ticket->is_over_limit;

    if (!ticket->arena || ticket->error.kind != ERR_NONE)
        return true;
    db_error_of_result(&ctx, connection->db, result);
    if (query)
        error_wrap(&ctx, "query \"%s\"", query->name);
    ticket->error = ctx.error;
    ticket->can_be_sent_anew = (is_forgotten || is_mistaken) && left_nothing(ticket);
    return true;
}

static void
take_rows(struct pool_connection *connection, struct pool_ticket *ticket, const PGresult *result)
{
    size_t at = ticket->at;

    if (at >= ticket->count)
        return;

    const struct query *query = ticket->statements[at].query;
    struct ctx ctx = { .arena = ticket->arena };

    if (ticket->sendings[at].number && !ticket->has_parsed)
        prepared_made(&connection->prepared, &ticket->sendings[at]);
    else if (ticket->arena && ticket->error.kind == ERR_NONE && query && query->column_count > 0 &&
             !db_copy_rows(&ctx, query, result, &ticket->rows[at]))
        ticket->error = ctx.error;
}

/* The results of one parsing or one statement are all there. */
static void
advance(struct pool_ticket *ticket)
{
    if (ticket->at >= ticket->count)
        return;
    if (ticket->sendings[ticket->at].number && !ticket->has_parsed) {
        ticket->has_parsed = true;
        return;
    }
    ticket->has_parsed = false;
    ticket->at++;
}

static void
say_it_took_long(struct pool_ticket *ticket, int64_t limit_us)
{
    struct ctx ctx = { .arena = ticket->arena };

    error_set(&ctx, ERR_TIMEOUT, "no answer within %s: it was cancelled",
        text_from_us(ticket->arena, limit_us));
    ticket->error = ctx.error;
}

static void
end_flight(struct pool_connection *connection, struct pool_ticket *ticket)
{
    struct pool *pool = connection->pool;

    for (size_t i = 0; i < ticket->count; i++)
        prepared_ended(&connection->prepared, &ticket->sendings[i]);
    pool_line_remove(ticket);
    ticket->connection = NULL;
    note_head(connection, clock_us());
    if (connection->cancel_for == ticket)
        connection->drop_us = 0;
    if (ticket->is_over_limit && ticket->arena && text_equal(ticket->error.sqlstate, "57014"))
        say_it_took_long(
            ticket, ticket->limit_us > 0 ? ticket->limit_us : pool->options.shared_most_us);
    if (ticket->can_be_sent_anew) {
        ticket->tries++;
        pool->statistics.repeated++;
        pool_queue_again(ticket);
        ticket = NULL;
    }
    /* The server gets new work before we do ours. */
    pool_connection_rest(connection);
    pool_dispatch(pool);
    if (ticket && ticket->lease && connection->cancel)
        connection->held = ticket; /* so that the lease's next statement is not hit */
    else if (ticket)
        pool_ticket_end(ticket);
}

/* One result of libpq, NULL among them; false: its results make no sense any more. */
static bool
take_result(struct pool_connection *connection, const PGresult *result)
{
    struct pool_ticket *ticket = connection->flights.first;

    if (!result) {
        bool is_first = !connection->ended_once;

        connection->ended_once = true;
        advance(ticket);
        return is_first;
    }
    connection->ended_once = false;

    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_PIPELINE_SYNC)
        end_flight(connection, ticket);
    else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
        take_rows(connection, ticket, result);
    else if (status != PGRES_PIPELINE_ABORTED)
        return take_error(connection, ticket, result);
    return true;
}

bool
pool_flight_receive(struct pool_connection *connection, bool can_read)
{
    PGconn *conn = connection->db->conn;
    bool is_alive = !can_read || PQconsumeInput(conn);

    /* What came before the end is worth taking. */
    while (connection->flights.count > 0 && !PQisBusy(conn)) {
        PGresult *result CLEANUP(db_clear_result) = PQgetResult(conn);

        if (!take_result(connection, result))
            return false;
    }
    if (connection->flights.count == 0 && is_alive)
        (void)PQisBusy(conn); /* the server's last words are heard as they are parsed */
    if (!is_alive || connection->is_broken || connection->evented->last_words ||
        PQstatus(conn) == CONNECTION_BAD)
        return false;
    return flush(connection);
}
