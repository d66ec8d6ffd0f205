/*
 * An open session of the relay. The client's extended messages are held until the first Execute,
 * Sync or Flush: so the watcher can ask before a statement, and nothing of it has been sent yet.
 */
#include <string.h>

#include "base/clock.h"
#include "db/relay.h"
#include "migrate/alembic/parts.h"

static size_t
length_of(const struct wire_stream *stream)
{
    size_t length;

    (void)wire_left(stream, &length);
    return length;
}

/* ---- the watcher ---- */

static struct alembic_statement
statement_of(struct ctx *ctx, const struct session *session, const struct wire_statement *from)
{
    struct arena *arena = ctx->arena;
    const struct wire_error *error = &from->error; /* all NULL unless it failed */

    return (struct alembic_statement){
        .db = session->db,
        .session = session->number,
        .number = from->number,
        .sql = alembic_utf8(arena, from->sql),
        .tag = from->tag,
        .rows = from->rows,
        .started_us = from->started_us,
        .us = from->us,
        .was_in_transaction = from->was_in_transaction,
        .in_transaction = session->track.status != 'I',
        .is_failed = from->is_failed,
        .sqlstate = error->sqlstate,
        .message = alembic_utf8(arena, error->message),
        .detail = alembic_utf8(arena, error->detail),
        .hint = alembic_utf8(arena, error->hint),
    };
}

/* Asking takes the client's unnamed statement away: it is kept to be made again. */
static void
keep_unnamed(struct session *session)
{
    session->unnamed = map_get(&session->track.prepared, "");
}

static bool
tell(struct ctx *ctx, struct session *session,
    bool (*told)(void *self, struct ctx *ctx, const struct alembic_statement *statement),
    struct alembic_statement *statement)
{
    struct relay *relay = session->relay;
    int64_t start = clock_us();

    if (!told)
        return true;
    if (statement->may_ask) {
        if (!relay_settle(ctx, session))
            return false;
        statement->may_ask = !session->is_last; /* it may just have been lost */
        keep_unnamed(session);
    }
    if (!told(relay->watcher->self, ctx, statement))
        return false;
    relay->watched_us += clock_us() - start;
    return true;
}

/* The one that ended the run is the last that nothing but a rollback followed. */
static void
note_failed(struct session *session, const struct alembic_statement *statement)
{
    struct alembic_outcome *outcome = session->relay->outcome;
    bool is_rollback = statement->tag && strcmp(statement->tag, "ROLLBACK") == 0;

    if (statement->is_failed && !outcome->has_failed_statement) {
        outcome->has_failed_statement = true;
        outcome->failed = *statement;
        outcome->failed.db = NULL;
        outcome->failed.may_ask = false;
    } else if (!statement->is_failed && !is_rollback &&
               outcome->failed.session == statement->session) {
        outcome->has_failed_statement = false;
    }
}

static bool
tell_before(struct ctx *ctx, struct session *session, const char *sql, bool is_idle)
{
    const struct alembic_watcher *watcher = session->relay->watcher;
    struct wire_statement next = {
        .sql = arena_strdup(ctx->arena, sql),
        .number = session->relay->outcome->statements++,
        .rows = -1,
        .started_us = clock_us(),
        .was_in_transaction = session->track.status != 'I',
    };
    struct alembic_statement statement = statement_of(ctx, session, &next);

    session->track.number = next.number;
    statement.may_ask = is_idle && session->track.status != 'E';
    alembic_read_version(ctx->arena, session->relay->alembic->environment, &statement);
    return tell(ctx, session, watcher ? watcher->before : NULL, &statement);
}

static bool
tell_done(struct ctx *ctx, struct session *session, bool is_idle)
{
    const struct alembic_watcher *watcher = session->relay->watcher;
    struct wire_track *track = &session->track;
    struct wire_statement *items = track->done.items;
    size_t count = track->done.count;

    /* Asking can find the server gone, which is told too: from here on the list is ours. */
    track->done.items = NULL;
    track->done.count = 0;
    track->done.capacity = 0;
    for (size_t i = 0; i < count; i++)
        is_idle = is_idle && !items[i].is_suspended;
    for (size_t i = 0; i < count; i++) {
        /* It failed before its Execute came. */
        if (items[i].number == SIZE_MAX)
            items[i].number = session->relay->outcome->statements++;

        struct alembic_statement statement = statement_of(ctx, session, &items[i]);

        statement.may_ask = is_idle && track->status != 'E' && !session->is_last;
        alembic_read_version(ctx->arena, session->relay->alembic->environment, &statement);
        note_failed(session, &statement);
        if (!tell(ctx, session, watcher ? watcher->after : NULL, &statement))
            return false;
    }
    return true;
}

bool
session_running(struct ctx *ctx, struct session *session)
{
    const struct alembic_watcher *watcher = session->relay->watcher;
    const struct wire_statement *running =
        session->state == SESSION_OPEN ? wire_track_running(&session->track) : NULL;

    if (!running || !watcher || !watcher->running || length_of(&session->held) > 0)
        return true;

    struct alembic_statement statement = statement_of(ctx, session, running);

    statement.us = clock_us() - running->started_us;
    alembic_read_version(ctx->arena, session->relay->alembic->environment, &statement);
    return watcher->running(watcher->self, ctx, &statement);
}

bool
session_lost(struct ctx *ctx, struct session *session, const char *why)
{
    wire_track_lost(&session->track, why, clock_us());
    return tell_done(ctx, session, false);
}

/* ---- the client ---- */

/* Sends what was held; the unnamed statement is made again first if it needs it. */
static bool
send_held(struct ctx *ctx, struct session *session)
{
    const struct wire_prepared *unnamed = session->unnamed;
    size_t length;
    const char *held = wire_left(&session->held, &length);

    if (length == 0)
        return true;
    if (session->needs_unnamed && unnamed && session->track.status != 'E') {
        if (!relay_settle(ctx, session))
            return false;
        if (!db_relay_prepare(
                ctx, session->db, unnamed->sql, unnamed->types, unnamed->type_count)) {
            if (!*ctx->error.sqlstate)
                return false;
            error_clear(ctx); /* the client learns it from the answer to its own request */
        }
        session->unnamed = NULL;
    }
    if (session->makes_unnamed)
        session->unnamed = NULL;
    session->needs_unnamed = false;
    session->makes_unnamed = false;
    wire_feed(&session->to_server, held, length);
    wire_drop(&session->held, length);
    return true;
}

static void
hold(struct session *session, const struct wire_message *message)
{
    const char *name = wire_track_name(message);

    if (name && !*name && message->type == 'P')
        session->makes_unnamed = true;
    else if (name && !*name && !session->makes_unnamed)
        session->needs_unnamed = true;
    wire_track_client(&session->track, message, clock_us());
    wire_feed(&session->held, message->bytes, message->size);
}

/*
 * asyncpg sends Parse, Describe and Flush, and the rest without a Sync between. Nothing has been
 * run by then, so a Sync of ours changes nothing, and the watcher can ask before the statement.
 */
static bool
close_cycle(struct ctx *ctx, struct session *session)
{
    static const char sync[] = { 'S', 0, 0, 0, 4 };
    const struct alembic_watcher *watcher = session->relay->watcher;
    struct wire_track *track = &session->track;

    if (!watcher || !watcher->before || !track->is_open || track->has_bound || track->is_skipping ||
        track->answered < track->pending.count || length_of(&session->held) > 0)
        return true;
    wire_feed(&session->to_server, sync, sizeof(sync));
    session->swallows_ready = true;
    return relay_settle(ctx, session);
}

bool
session_take_client(struct ctx *ctx, struct session *session, const struct wire_message *message)
{
    struct wire_track *track = &session->track;

    if (strchr("PBC", message->type) && !close_cycle(ctx, session))
        return false;

    bool is_held = length_of(&session->held) > 0;
    bool is_idle = is_held || wire_track_is_idle(track);
    const char *sql = wire_track_sql(track, message);

    track->number = SIZE_MAX;
    if (message->type == 'X') {
        session->is_last = true;
        return true;
    }
    if (is_idle && strchr("PBDC", message->type)) {
        hold(session, message);
        return true;
    }
    /* An Execute alone goes on with a portal, which our own asking would take away. */
    if (sql && !tell_before(ctx, session, sql, is_idle && (is_held || message->type == 'Q')))
        return false;
    if (!send_held(ctx, session))
        return false;
    if (message->type == 'Q')
        session->unnamed = NULL; /* the server forgets it too */
    wire_track_client(track, message, clock_us());
    wire_feed(&session->to_server, message->bytes, message->size);
    return true;
}

/* ---- the server ---- */

bool
session_take_server(struct ctx *ctx, struct session *session, const struct wire_message *message)
{
    struct wire_track *track = &session->track;

    if (message->type == 'Z' && session->swallows_ready) {
        session->swallows_ready = false;
        track->is_open = false;
        return true;
    }
    wire_track_server(track, message, clock_us());
    if (message->type != 'Z' || track->done.count == 0 || !wire_track_is_idle(track)) {
        wire_feed(&session->to_client, message->bytes, message->size);
        return true;
    }

    /* Settling reads more, which moves the message. */
    struct buffer ready = { .arena = ctx->arena };

    buffer_append(&ready, message->bytes, message->size);
    if (!tell_done(ctx, session, true))
        return false;
    wire_feed(&session->to_client, ready.data, ready.length);
    return true;
}
