/* What the server answers; source: "Message Flow" of PostgreSQL's documentation. */
#include <ctype.h>
#include <string.h>

#include "queries/trace/follow_part.h"

/* ---- a statement is over ---- */

static struct follow_text *
running_text(struct follow_session *session, const struct follow_pending *front)
{
    if (front->type == 'E')
        return front->portal ? front->portal->text : NULL;
    return session->statement < front->text_count ? front->texts[session->statement] : NULL;
}

/* "$1 …" and then the constants of the text. */
static void
put_values(struct follow *follow, const struct follow_portal *portal,
    const struct follow_text *text, struct traced_statement *statement)
{
    size_t param_count = portal ? portal->value_count : 0;
    struct traced_value *values;

    statement->param_count = param_count;
    statement->value_count = param_count + text->constant_count;
    if (text->constant_count == 0) {
        statement->values = portal ? portal->values : NULL;
        return;
    }
    if (param_count == 0) {
        statement->values = text->constants;
        return;
    }
    values = ARENA_ARRAY(follow->scratch, struct traced_value, statement->value_count);
    memcpy(values, portal->values, sizeof(*values) * param_count);
    memcpy(values + param_count, text->constants, sizeof(*values) * text->constant_count);
    statement->values = values;
}

struct ending {
    int64_t at_us;
    int64_t rows;
    bool is_failed;
};

static bool
emit(struct ctx *ctx, struct follow *follow, struct follow_session *session,
    const struct ending *ending)
{
    const struct follow_pending *front = follow_front(session);
    const struct follow_text *text = running_text(session, front);
    const struct follow_result *result = &session->result;
    struct traced_statement statement = {
        .session = session->id,
        .transaction = session->is_in_transaction ? session->transaction : 0,
        .line = front->line,
        .started_us = front->at_us > session->answered_us ? front->at_us : session->answered_us,
        .rows = ending->rows,
        .columns = result->columns,
        .column_count = result->column_count,
        .row_count = result->row_count,
        .application = session->application,
        .database = session->database,
        .user = session->user,
        .is_failed = ending->is_failed,
        .is_after_gap = session->is_after_gap,
    };

    if (!text) {
        /* A hole that the next one has to tell of. */
        follow->counts.unknown++;
        session->is_after_gap = true;
        return true;
    }
    statement.elapsed_us =
        ending->at_us > statement.started_us ? ending->at_us - statement.started_us : 0;
    statement.template = text->template;
    statement.sql = text->sql;
    statement.tag = text->tag;
    put_values(follow, front->portal, text, &statement);
    session->is_after_gap = false;
    follow->counts.statements++;
    return follow->sink(ctx, follow->data, &statement);
}

/* ---- transactions ---- */

static void
begin_transaction(struct follow_session *session)
{
    if (session->is_in_transaction)
        return;
    session->is_in_transaction = true;
    session->transaction++;
}

static bool
tag_is(const char *tag, const char *word)
{
    return tag && strcmp(tag, word) == 0;
}

/* "INSERT 0 5" → 5, "CREATE TABLE" → -1. */
static int64_t
rows_of(const char *tag)
{
    const char *last = tag ? strrchr(tag, ' ') : NULL;
    int64_t rows;

    if (!last || !isdigit((unsigned char)last[1]) || !text_to_int64(last + 1, &rows))
        return -1;
    return rows;
}

/* ---- answers ---- */

/* An answer that fits nothing that was asked: something was missed. */
static bool
lose(struct follow *follow, struct follow_session *session)
{
    follow->counts.damaged++;
    follow_lose(session);
    return true;
}

static bool
is_running(const struct follow_pending *front)
{
    return front && (front->type == 'Q' || front->type == 'E');
}

/* CommandComplete, EmptyQueryResponse, PortalSuspended. */
static bool
take_end(struct ctx *ctx, struct follow *follow, struct follow_session *session,
    const struct follow_message *message)
{
    struct follow_pending *front = follow_front(session);
    char type = message->wire.type;
    size_t at = 0;
    const char *tag = type == 'C' ? wire_read_text(&message->wire, &at) : NULL;
    struct ending ending = { .at_us = message->at_us, .rows = rows_of(tag) };
    bool is_good = true;

    if (!is_running(front) || (type == 's' && front->type != 'E'))
        return lose(follow, session);
    if (type == 's')
        ending.rows = session->result.rows + message->skipped;
    if (tag_is(tag, "BEGIN") || tag_is(tag, "START TRANSACTION"))
        begin_transaction(session);
    /* What was empty is no statement; what goes on was one already. */
    if (type != 'I' && !(front->portal && front->portal->was_told))
        is_good = emit(ctx, follow, session, &ending);
    if (tag_is(tag, "COMMIT") || tag_is(tag, "PREPARE TRANSACTION"))
        session->is_in_transaction = false;
    session->answered_us = message->at_us;
    session->is_copying = false;
    if (front->portal)
        front->portal->was_told = true;
    if (front->type == 'E') {
        follow_pop(session);
    } else {
        session->statement++;
        follow_result_clear(&session->result);
    }
    return is_good;
}

/* Up to a message of this type, or the Sync that ends its part. */
static struct follow_pending *
skip_to(struct follow_session *session, char type)
{
    struct follow_pending *front = follow_front(session);

    while (front && front->type != type && front->type != 'S') {
        follow_pop(session);
        front = follow_front(session);
    }
    return front;
}

static bool
take_error(struct ctx *ctx, struct follow *follow, struct follow_session *session,
    const struct follow_message *message)
{
    struct follow_pending *front = follow_front(session);
    struct ending ending = { .at_us = message->at_us, .rows = -1, .is_failed = true };
    bool is_simple, is_good = true;

    if (!front)
        return true; /* the server says good-bye */
    is_simple = front->type == 'Q' || front->type == 'F' || front->type == 'S';
    /* Constants are folded when a portal is made: what fails there is the statement that was to run. */
    if (!is_simple)
        front = skip_to(session, 'E');
    if (is_running(front) && running_text(session, front) &&
        !(front->portal && front->portal->was_told))
        is_good = emit(ctx, follow, session, &ending);
    session->answered_us = message->at_us;
    session->is_copying = false;
    if (!is_simple) {
        /* The server ignores all up to the next Sync, be it under way or still to be sent. */
        session->is_skipping = !skip_to(session, 'S');
    } else if (front->type == 'Q') {
        session->statement = front->text_count;
        follow_result_clear(&session->result);
    }
    return is_good;
}

static bool
take_ready(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    const struct follow_pending *front = follow_front(session);

    if (message->wire.length < 1)
        return lose(follow, session);
    if (!front)
        return true; /* the one at the end of the log-in */
    if (front->type != 'Q' && front->type != 'F' && front->type != 'S')
        return lose(follow, session);
    session->answered_us = message->at_us;
    session->is_copying = false;
    follow_pop(session);
    if (*message->wire.body == 'I') {
        session->is_in_transaction = false;
        /* Portals end with their transaction. Those of a pipeline that is still going on are newer. */
        if (!follow_front(session))
            follow_portal_forget(session, NULL);
    } else {
        begin_transaction(session);
    }
    return true;
}

static bool
take_columns(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    struct follow_pending *front = follow_front(session);
    struct follow_columns *columns;

    if (!front || (front->type != 'D' && front->type != 'Q'))
        return lose(follow, session);
    columns = follow_read_columns(follow, message);
    if (front->type == 'Q') {
        follow_result_describe(follow, session, columns, NULL);
        free(columns);
        return true;
    }
    if (front->text_count > 0) {
        free(front->texts[0]->columns);
        front->texts[0]->columns = columns;
    } else {
        free(columns);
    }
    follow_pop(session);
    return true;
}

/* ParameterDescription: the answer to a Describe of a statement, before its columns. */
static bool
take_types(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    const struct follow_pending *front = follow_front(session);
    size_t at = 0;
    size_t count = wire_read_number(&message->wire, &at, 2);
    struct follow_text *text;

    if (!front || front->type != 'D')
        return lose(follow, session);
    if (front->text_count == 0 || (message->wire.length - at) / 4 < count)
        return true;
    text = front->texts[0];
    free(text->types);
    text->types = follow_alloc(sizeof(*text->types) * count);
    text->type_count = count;
    for (size_t i = 0; i < count; i++)
        text->types[i] = wire_read_number(&message->wire, &at, 4);
    return true;
}

static bool
take_row(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    const struct follow_pending *front = follow_front(session);
    const struct follow_text *text;

    if (!is_running(front))
        return lose(follow, session);
    if (!session->result.is_described && front->type == 'E') {
        text = running_text(session, front);
        if (text && text->columns)
            follow_result_describe(follow, session, text->columns, front->portal);
    }
    follow_result_row(follow, session, message);
    return true;
}

/* The answer to such a message, if it is the one that is waited for. */
static bool
take_answer(struct follow *follow, struct follow_session *session, char type)
{
    const struct follow_pending *front = follow_front(session);

    if (!front || front->type != type)
        return lose(follow, session);
    follow_pop(session);
    return true;
}

static bool
take_copy(struct follow *follow, struct follow_session *session, char type)
{
    if (!is_running(follow_front(session)))
        return lose(follow, session);
    if (type == 'H')
        return true;
    session->is_copying = true;
    follow_drop_syncs(session);
    return true;
}

bool
follow_server(struct ctx *ctx, struct follow *follow, struct follow_session *session,
    const struct follow_message *message)
{
    switch (message->wire.type) {
    case 'D':
        return take_row(follow, session, message);
    case 'C':
    case 'I':
    case 's':
        return take_end(ctx, follow, session, message);
    case 'Z':
        return take_ready(follow, session, message);
    case '1':
        return take_answer(follow, session, 'P');
    case '2':
        return take_answer(follow, session, 'B');
    case '3':
        return take_answer(follow, session, 'C');
    case 'n':
        return take_answer(follow, session, 'D');
    case 'T':
        return take_columns(follow, session, message);
    case 't':
        return take_types(follow, session, message);
    case 'E':
        return take_error(ctx, follow, session, message);
    case 'G':
    case 'H':
    case 'W':
        return take_copy(follow, session, message->wire.type);
    default:
        return true;
    }
}
