#include "workload/wire_track.h"

#include <ctype.h>
#include <string.h>

void
wire_track_begin(struct arena *arena, struct wire_track *ret)
{
    *ret = (struct wire_track){
        .arena = arena,
        .prepared = { .arena = arena },
        .portals = { .arena = arena },
        .left = { .arena = arena },
        .status = 'I',
    };
}

bool
wire_track_is_idle(const struct wire_track *track)
{
    return track->answered == track->pending.count && !track->is_open && !track->is_copying;
}

static struct wire_pending *
front_of(const struct wire_track *track)
{
    return track->answered < track->pending.count ? &track->pending.items[track->answered] : NULL;
}

static bool
is_statement(const struct wire_pending *pending)
{
    return pending && (pending->type == 'Q' || pending->type == 'E') && pending->statement.sql;
}

const struct wire_statement *
wire_track_running(const struct wire_track *track)
{
    struct wire_pending *front = front_of(track);

    /* Before an Execute stand its Parse, Bind and Describe. */
    for (size_t i = track->answered; front && i < track->pending.count; i++) {
        const struct wire_pending *pending = &track->pending.items[i];

        if (is_statement(pending))
            return &pending->statement;
        if (pending->type == 'S')
            break;
    }
    return NULL;
}

const char *
wire_track_name(const struct wire_message *message)
{
    size_t at = 0;

    switch (message->type) {
    case 'P':
        return wire_read_text(message, &at);
    case 'B':
        (void)wire_read_text(message, &at);
        return wire_read_text(message, &at);
    case 'D':
        at = 1;
        return message->length > 1 && *message->body == 'S' ? wire_read_text(message, &at) : NULL;
    default:
        return NULL;
    }
}

const char *
wire_track_sql(const struct wire_track *track, const struct wire_message *message)
{
    size_t at = 0;
    const char *text = wire_read_text(message, &at);

    if (!text || track->is_skipping)
        return NULL;
    if (message->type == 'Q')
        return text;
    if (message->type != 'E')
        return NULL;

    const struct wire_prepared *portal = map_get(&track->portals, text);

    return portal && !map_get(&track->left, text) ? portal->sql : NULL;
}

/* ---- the client ---- */

static const struct wire_prepared *
add_prepared(struct wire_track *track, const struct wire_message *message)
{
    struct wire_prepared *prepared = ARENA_NEW(track->arena, struct wire_prepared);
    size_t at = 0;
    const char *name = wire_read_text(message, &at);
    const char *sql = wire_read_text(message, &at);
    size_t count = wire_read_number(message, &at, 2);

    if (!name || !sql || (message->length - at) / 4 < count)
        return NULL;

    uint32_t *types = ARENA_ARRAY(track->arena, uint32_t, count + 1);

    for (size_t i = 0; i < count; i++)
        types[i] = wire_read_number(message, &at, 4);
    *prepared = (struct wire_prepared){
        .sql = arena_strdup(track->arena, sql),
        .types = types,
        .type_count = count,
    };
    map_set(&track->prepared, arena_strdup(track->arena, name), prepared);
    return prepared;
}

static const struct wire_prepared *
add_portal(struct wire_track *track, const struct wire_message *message)
{
    size_t at = 0;
    const char *portal = wire_read_text(message, &at);
    const char *name = wire_read_text(message, &at);
    struct wire_prepared *prepared = name ? map_get(&track->prepared, name) : NULL;

    if (portal) {
        map_set(&track->portals, arena_strdup(track->arena, portal), prepared);
        if (map_get(&track->left, portal))
            map_set(&track->left, portal, NULL);
    }
    return prepared;
}

static const struct wire_prepared *
find_prepared(const struct wire_track *track, const struct wire_message *message)
{
    size_t at = 1;
    const char *name = wire_read_text(message, &at);

    if (!name)
        return NULL;
    return map_get(*message->body == 'S' ? &track->prepared : &track->portals, name);
}

static void
push(struct wire_track *track, const struct wire_message *message, const char *sql, int64_t now)
{
    struct wire_pending pending = {
        .type = message->type,
        .statement = {
            .sql = sql,
            .number = track->number,
            .rows = -1,
            .started_us = now,
            .was_in_transaction = track->status != 'I',
        },
    };

    if (track->answered == track->pending.count) {
        track->answered = 0;
        track->pending.count = 0;
    }
    VEC_PUSH(track->arena, &track->pending, pending);
}

static void
push_execute(struct wire_track *track, const struct wire_message *message, int64_t now)
{
    size_t at = 0;
    const char *portal = wire_read_text(message, &at);
    const struct wire_prepared *prepared = portal ? map_get(&track->portals, portal) : NULL;
    struct wire_pending *pending;

    push(track, message, prepared ? prepared->sql : NULL, now);
    pending = &track->pending.items[track->pending.count - 1];
    pending->portal = portal ? arena_strdup(track->arena, portal) : "";
    pending->is_more = map_get(&track->left, pending->portal) != NULL;
}

/* Parse, Bind, Describe, Execute, Close. */
static void
take_extended(struct wire_track *track, const struct wire_message *message, int64_t now)
{
    const struct wire_prepared *prepared = NULL;
    const char *sql = NULL;

    track->is_open = true;
    track->has_bound |= message->type == 'B' || message->type == 'E';
    if (track->is_skipping)
        return;
    if (message->type == 'E') {
        push_execute(track, message, now);
        return;
    }
    if (message->type == 'P')
        prepared = add_prepared(track, message);
    else if (message->type == 'B')
        prepared = add_portal(track, message);
    else if (message->type == 'D')
        prepared = find_prepared(track, message);
    if (prepared)
        sql = prepared->sql;
    push(track, message, sql, now);
}

void
wire_track_client(struct wire_track *track, const struct wire_message *message, int64_t now)
{
    const char *sql;

    switch (message->type) {
    case 'P':
    case 'B':
    case 'D':
    case 'E':
    case 'C':
        take_extended(track, message, now);
        break;
    case 'Q':
    case 'F':
        if (track->is_skipping)
            break;
        sql = wire_track_sql(track, message);
        push(track, message, sql ? arena_strdup(track->arena, sql) : NULL, now);
        if (message->type == 'Q')
            map_set(&track->prepared, "", NULL);
        break;
    case 'S':
        if (track->is_copying)
            break;
        track->is_open = false;
        track->has_bound = false;
        track->is_skipping = false;
        push(track, message, NULL, now);
        break;
    case 'c':
    case 'f':
        track->is_copying = false;
        break;
    default:
        break;
    }
}

/* ---- the server ---- */

static void
tell(struct wire_track *track, const struct wire_statement *statement, int64_t now)
{
    struct wire_statement told = *statement;

    /* In a pipeline it began when the one before was done. */
    if (told.started_us < track->last_us)
        told.started_us = track->last_us;
    told.us = now - told.started_us;
    if (told.is_failed)
        told.tag = NULL;
    else if (!told.tag)
        told.tag = "";
    VEC_PUSH(track->arena, &track->done, told);
    track->last_us = now;
}

/* "INSERT 0 5" → 5, "CREATE TABLE" → -1. */
static int64_t
rows_of(const char *tag)
{
    const char *last = strrchr(tag, ' ');
    int64_t rows;

    if (!last || !isdigit((unsigned char)last[1]) || !text_to_int64(last + 1, &rows))
        return -1;
    return rows;
}

static void
take_tag(struct wire_track *track, const struct wire_message *message, int64_t now)
{
    struct wire_pending *front = front_of(track);
    size_t at = 0;
    const char *tag = message->type == 'C' ? wire_read_text(message, &at) : NULL;

    if (!front || (front->type != 'Q' && front->type != 'E'))
        return;
    if (tag) {
        int64_t rows = rows_of(tag);

        front->statement.tag = arena_strdup(track->arena, tag);
        if (rows >= 0)
            front->statement.rows = front->statement.rows < 0 ? rows : front->statement.rows + rows;
    }
    if (front->type == 'Q')
        return; /* there may be more statements in it: ReadyForQuery ends it */
    front->statement.is_suspended = message->type == 's';
    if (front->statement.is_suspended)
        map_set(&track->left, front->portal, track);
    if (is_statement(front) && !front->is_more)
        tell(track, &front->statement, now);
    track->answered++;
}

/* The server ignores all that comes before the next Sync, be it under way or still to be sent. */
static void
skip_to_sync(struct wire_track *track)
{
    struct wire_pending *front = front_of(track);

    while (front && front->type != 'S') {
        track->answered++;
        front = front_of(track);
    }
    track->is_skipping = !front;
    track->is_copying = false;
}

static void
take_error(struct wire_track *track, const struct wire_message *message, int64_t now)
{
    struct wire_pending *front = front_of(track);
    struct wire_statement *statement;

    if (!front)
        return; /* the server says good-bye */
    if (front->type == 'S') {
        /* At the commit of what the Sync ends: a deferred constraint. */
        if (track->done.count == 0)
            return;
        statement = &track->done.items[track->done.count - 1];
    } else {
        statement = &front->statement;
    }
    statement->is_failed = true;
    statement->tag = NULL;
    wire_read_error(track->arena, message, &statement->error);
    track->is_copying = false;
    if (front->type == 'S' || front->type == 'Q' || front->type == 'F')
        return;
    if (statement->sql)
        tell(track, statement, now);
    skip_to_sync(track);
}

static void
take_ready(struct wire_track *track, const struct wire_message *message, int64_t now)
{
    struct wire_pending *front = front_of(track);

    if (message->length > 0)
        track->status = *message->body;
    while (front && front->type != 'Q' && front->type != 'F' && front->type != 'S') {
        track->answered++;
        front = front_of(track);
    }
    if (!front)
        return;
    track->answered++;
    track->is_copying = false;
    if (is_statement(front))
        tell(track, &front->statement, now);
}

/* Syncs that were sent along with the COPY are ignored as those that come during it. */
static void
begin_copy(struct wire_track *track)
{
    struct wire_pending *front = front_of(track);
    size_t kept = track->answered + 1;

    track->is_copying = true;
    for (size_t i = kept; front && i < track->pending.count; i++)
        if (track->pending.items[i].type != 'S')
            track->pending.items[kept++] = track->pending.items[i];
        else
            track->is_open = true;
    if (front)
        track->pending.count = kept;
}

/* The answer to such a message, if it is the one that is waited for. */
static void
take_answer(struct wire_track *track, char type)
{
    const struct wire_pending *front = front_of(track);

    if (front && front->type == type)
        track->answered++;
}

void
wire_track_server(struct wire_track *track, const struct wire_message *message, int64_t now)
{
    switch (message->type) {
    case 'C':
    case 'I':
    case 's':
        take_tag(track, message, now);
        break;
    case '1':
        take_answer(track, 'P');
        break;
    case '2':
        take_answer(track, 'B');
        break;
    case '3':
        take_answer(track, 'C');
        break;
    case 'T':
    case 'n':
        take_answer(track, 'D');
        break;
    case 'E':
        take_error(track, message, now);
        break;
    case 'G':
        begin_copy(track);
        break;
    case 'Z':
        take_ready(track, message, now);
        break;
    default:
        break;
    }
}

void
wire_track_lost(struct wire_track *track, const char *message, int64_t now)
{
    for (struct wire_pending *front; (front = front_of(track)); track->answered++) {
        struct wire_statement *statement = &front->statement;

        if (!is_statement(front))
            continue;
        if (!statement->is_failed)
            statement->error = (struct wire_error){
                .severity = "FATAL",
                .sqlstate = "08006",
                .message = arena_strdup(track->arena, message),
            };
        statement->is_failed = true;
        tell(track, statement, now);
    }
    track->is_open = false;
    track->is_copying = false;
}
