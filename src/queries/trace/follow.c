#include "queries/trace/follow.h"

#include <string.h>

#include "base/memory.h"
#include "queries/trace/follow_part.h"

enum {
    STANDARD_ROWS = 1000,
    STANDARD_COLUMNS = 64,
    BUCKETS = 1024,
    MOST_SESSIONS = 10000,
    SCRATCH_BYTES = 48 * 1024,
};

/* Not calloc(): that of glibc passes by the blocks that a thread has just given back. */
void *
follow_alloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (!memory)
        memory_exhausted(size);
    return memset(memory, 0, size);
}

char *
follow_copy_text(const char *text, size_t length)
{
    char *copy = follow_alloc(length + 1);

    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

struct follow *
follow_new(const struct follow_options *options, struct templates *templates, traced_sink *sink,
    void (*ended)(void *data, uint64_t session), void *data)
{
    struct follow *follow = follow_alloc(sizeof(*follow));

    follow->options = *options;
    if (follow->options.most_rows <= 0)
        follow->options.most_rows = STANDARD_ROWS;
    if (follow->options.most_columns <= 0)
        follow->options.most_columns = STANDARD_COLUMNS;
    follow->templates = templates;
    follow->sink = sink;
    follow->ended = ended;
    follow->data = data;
    value_key_make(&follow->key);
    follow->scratch = arena_new();
    follow->bucket_count = BUCKETS;
    follow->buckets = follow_alloc(sizeof(struct follow_session *) * BUCKETS);
    return follow;
}

/* ---- sessions ---- */

static size_t
bucket_of(const struct follow *follow, uint64_t id)
{
    /* Knuth's multiplicative hash. */
    return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (follow->bucket_count - 1);
}

static void
unlink_age(struct follow *follow, struct follow_session *session)
{
    if (session == follow->newest)
        follow->newest = session->older;
    else
        session->newer->older = session->older;
    if (session == follow->oldest)
        follow->oldest = session->newer;
    else
        session->older->newer = session->newer;
}

static void
link_newest(struct follow *follow, struct follow_session *session)
{
    session->newer = NULL;
    session->older = follow->newest;
    if (follow->newest)
        follow->newest->newer = session;
    else
        follow->oldest = session;
    follow->newest = session;
}

static void
session_free(struct follow *follow, struct follow_session *session)
{
    struct follow_session **link = &follow->buckets[bucket_of(follow, session->id)];

    while (*link != session)
        link = &(*link)->in_bucket;
    *link = session->in_bucket;
    unlink_age(follow, session);
    follow->session_count--;
    while (follow_front(session))
        follow_pop(session);
    free(session->pending);
    follow_result_clear(&session->result);
    follow_portal_forget(session, NULL);
    follow_text_forget(session, NULL);
    free(session->application);
    free(session->database);
    free(session->user);
    free(session);
}

static void
session_end(struct follow *follow, struct follow_session *session)
{
    uint64_t id = session->id;
    bool is_left_out = session->is_left_out;

    session_free(follow, session);
    if (follow->ended && !is_left_out)
        follow->ended(follow->data, id);
}

static struct follow_session *
session_find(struct follow *follow, uint64_t id)
{
    struct follow_session *session = follow->newest;

    /* Messages of one read come together. */
    if (session && session->id == id)
        return session;
    session = follow->buckets[bucket_of(follow, id)];
    while (session && session->id != id)
        session = session->in_bucket;
    if (session && session != follow->newest) {
        unlink_age(follow, session);
        link_newest(follow, session);
    }
    return session;
}

/* One whose end was lost would stay for ever: beyond a number the one that was silent longest goes. */
static struct follow_session *
session_new(struct follow *follow, uint64_t id)
{
    struct follow_session **bucket = &follow->buckets[bucket_of(follow, id)];
    struct follow_session *session;

    if (follow->session_count >= MOST_SESSIONS)
        session_end(follow, follow->oldest);
    session = follow_alloc(sizeof(*session));
    session->id = id;
    session->in_bucket = *bucket;
    *bucket = session;
    link_newest(follow, session);
    follow->session_count++;
    follow->counts.sessions++;
    return session;
}

void
follow_free(struct follow *follow)
{
    if (!follow)
        return;
    while (follow->oldest)
        session_free(follow, follow->oldest);
    arena_free(follow->scratch);
    arena_free(follow->spare);
    free(follow->buckets);
    free(follow);
}

/* ---- records ---- */

static void
set_text(char **at, const char *text)
{
    free(*at);
    *at = text ? follow_copy_text(text, strlen(text)) : NULL;
}

static void
open_session(
    struct follow *follow, struct follow_session *session, const struct wire_message *start)
{
    size_t at = 0;
    const char *name, *value;

    while ((name = wire_read_text(start, &at)) && *name &&
           (value = wire_read_text(start, &at)) != NULL) {
        if (strcmp(name, "user") == 0)
            set_text(&session->user, value);
        else if (strcmp(name, "database") == 0)
            set_text(&session->database, value);
        else if (strcmp(name, "application_name") == 0)
            set_text(&session->application, value);
    }
    /* The server takes the user's name when none is given. */
    if (!session->database && session->user)
        set_text(&session->database, session->user);
    session->is_left_out =
        follow->options.database && !text_equal(follow->options.database, session->database);
}

static struct follow_session *
session_of(struct follow *follow, const struct record *record)
{
    struct follow_session *session = session_find(follow, record->session);

    if (session || record->kind == RECORD_CLOSE)
        return session;
    session = session_new(follow, record->session);
    if (record->kind != RECORD_OPEN)
        follow_lose(session); /* its beginning was lost, perhaps more */
    return session;
}

/* Whether the server speaks on its own account: a notice, a parameter that has changed. */
static bool
is_aside(char type)
{
    return type == 'N' || type == 'A' || type == 'S' || type == 'K' || type == 'R' || type == 'v';
}

static void
take_parameter(struct follow_session *session, const struct wire_message *message)
{
    size_t at = 0;
    const char *name = wire_read_text(message, &at);
    const char *value = wire_read_text(message, &at);

    if (name && value && strcmp(name, "application_name") == 0)
        set_text(&session->application, value);
}

/* Where a gap ends: the server is ready, and then it is the client's turn. */
static void
find_footing(struct follow_session *session, const struct record *record,
    const struct follow_message *message)
{
    if (record->kind == RECORD_CLIENT) {
        if (session->state == FOLLOW_READY)
            session->state = FOLLOW_LIVE;
        return;
    }
    session->state = FOLLOW_LOST;
    if (record->type != 'Z' || message->wire.length < 1)
        return;
    session->state = FOLLOW_READY;
    session->is_in_transaction = *message->wire.body != 'I';
    session->transaction += session->is_in_transaction;
}

bool
follow_record(
    struct ctx *ctx, struct follow *follow, const struct record *record, const char *bytes)
{
    struct follow_message message = {
        .wire = { .type = record->type, .body = bytes ? bytes : "", .length = record->kept },
        .is_cut = record->kept < record->length,
        .skipped = record->skipped,
        .at_us = record->at_us,
        .line = ++follow->line,
    };
    struct follow_session *session = session_of(follow, record);

    if (arena_used(follow->scratch) > SCRATCH_BYTES)
        arena_reset(follow->scratch);
    if (record->is_after_gap)
        follow->counts.lost++;
    if (!session)
        return true;
    if (record->is_after_gap)
        follow_lose(session);
    if (record->kind == RECORD_OPEN)
        open_session(follow, session, &message.wire);
    else if (record->kind == RECORD_CLOSE)
        session_end(follow, session);
    if (record->kind == RECORD_OPEN || record->kind == RECORD_CLOSE || session->is_left_out)
        return true;
    if (record->kind == RECORD_SERVER && is_aside(record->type)) {
        if (record->type == 'S')
            take_parameter(session, &message.wire);
        return true;
    }
    if (session->state != FOLLOW_LIVE)
        find_footing(session, record, &message);
    if (record->kind == RECORD_CLIENT)
        follow_client(follow, session, &message);
    else if (session->state == FOLLOW_LIVE)
        return follow_server(ctx, follow, session, &message);
    return true;
}

struct follow_counts
follow_counts(const struct follow *follow)
{
    return follow->counts;
}
