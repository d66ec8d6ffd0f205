/*
 * Sessions of a log. Each holds one statement back: how long it took, its parameters and whether the
 * next one is in the same transaction are told by later lines. What is held is bounded: the session
 * that was quiet the longest is closed when there are too many, and a long text is not held.
 */
#include <strings.h>

#include "base/map.h"
#include "base/memory.h"
#include "workload/log_part.h"
#include "workload/traced_tag.h"
#include "workload/traced_value.h"

enum {
    MOST_SESSIONS = 20000,
    BUCKETS = 32768, /* a power of two */
    MOST_NAMES = 4096,
    MOST_ENDED = 65536,
    LONGEST_HELD = 1024 * 1024,   /* of a text, beyond which it is cut */
    MOST_HELD = 64 * 1024 * 1024, /* of all that is held back */
    SMALL = 4096,
    KEY_SIZE = 40
};

enum held_state {
    HELD_NONE,
    HELD_WAITS, /* for how long it took */
    HELD_PLAN,  /* auto_explain told of it; the statement's own line may follow */
    HELD_DONE,
};

/* The texts of a statement that is held, in one piece: SQL, parameters. */
struct held {
    enum held_state state;
    char *data;
    size_t capacity;
    size_t sql_length;
    size_t params_length;
    int64_t started_us;
    int64_t elapsed_us;
    uint64_t line;
    uint64_t vxid; /* hash of the transaction's name; 0: none */
    const char *application;
    bool is_failed;
    bool is_cut;
    bool is_after_gap;
    bool has_vxid;
};

struct session {
    struct session *next; /* of the bucket */
    struct session *newer;
    struct session *older;
    int64_t pid;
    uint64_t id;
    char key[KEY_SIZE]; /* of %c */
    struct held held;
    const char *database;
    const char *user;
    const char *application;
    uint64_t transactions;
    uint64_t last_vxid;
    uint64_t last_transaction; /* of the statement before */
    int64_t last_number;
    bool is_in_block; /* between BEGIN and COMMIT, where the log names no transactions */
    bool is_after_gap;
    bool had_error;    /* its statement may follow */
    bool wants_detail; /* what is held was told of by the last message: its parameters may follow */
};

struct log_sessions {
    struct arena *arena;
    struct arena *work; /* of one statement */
    struct log_options options;
    struct value_key key;
    struct templates *templates;
    traced_sink *sink;
    void *data;
    struct session *buckets[BUCKETS];
    struct session *newest;
    struct session *oldest;
    size_t count;
    size_t held_bytes;
    uint64_t last_id;
    struct map names;
    uint64_t *ended; /* since the last question; the answer before it stands behind */
    size_t ended_count;
    uint64_t *answer;
};

struct log_sessions *
log_sessions_new(
    const struct log_options *options, struct templates *templates, traced_sink *sink, void *data)
{
    struct arena *arena = arena_new();
    struct log_sessions *sessions = ARENA_NEW(arena, struct log_sessions);

    sessions->arena = arena;
    sessions->work = arena_new();
    sessions->options = *options;
    sessions->templates = templates;
    sessions->sink = sink;
    sessions->data = data;
    sessions->names.arena = arena;
    sessions->ended = calloc(MOST_ENDED, sizeof(sessions->ended[0]));
    sessions->answer = calloc(MOST_ENDED, sizeof(sessions->ended[0]));
    if (!sessions->ended || !sessions->answer)
        memory_exhausted(0);
    if (options->key)
        sessions->key = *options->key;
    else
        value_key_make(&sessions->key);
    return sessions;
}

void
log_sessions_free(struct log_sessions *sessions)
{
    if (!sessions)
        return;
    for (struct session *session = sessions->newest; session;) {
        struct session *older = session->older;

        free(session->held.data);
        free(session);
        session = older;
    }
    free(sessions->ended);
    free(sessions->answer);
    arena_free(sessions->work);
    arena_free(sessions->arena);
}

/* One copy of each name; NULL for none, and for those that are too many to be kept. */
static const char *
name_of(struct log_sessions *sessions, struct slice slice)
{
    char text[256];
    char *found;

    if (slice.length == 0 || slice.length >= sizeof(text) || slice_equal(slice, "[unknown]"))
        return NULL;
    memcpy(text, slice.data, slice.length);
    text[slice.length] = '\0';
    found = map_get(&sessions->names, text);
    if (found || sessions->names.count >= MOST_NAMES)
        return found;
    found = arena_strdup(sessions->arena, text);
    map_set(&sessions->names, found, found);
    return found;
}

/* ---- giving statements to the sink ---- */

static void
add_value(
    struct log_sessions *sessions, struct traced_value **values, const char *text, size_t length)
{
    struct traced_value *value = (*values)++;

    if (!text)
        return;
    value->hash = value_hash(&sessions->key, text, length);
    if (sessions->options.keeps_values)
        value->text = text;
}

/* Parameters that the detail names, then constants of the text. */
static void
read_values(struct log_sessions *sessions, const struct held *held, const struct literals *literals,
    struct traced_statement *statement)
{
    struct slice params = { held->data + held->sql_length + 1, held->params_length };
    struct slice left = params;
    const char *text;
    size_t length;
    size_t count = 0;
    struct traced_value *values;

    while (log_params_next(sessions->work, &left, &text, &length))
        count++;
    statement->param_count = count;
    statement->value_count = count + literals->count;
    if (statement->value_count == 0)
        return;
    values = ARENA_ARRAY(sessions->work, struct traced_value, statement->value_count);
    statement->values = values;
    while (log_params_next(sessions->work, &params, &text, &length))
        add_value(sessions, &values, text, length);
    for (size_t i = 0; i < literals->count; i++) {
        text = literal_text(sessions->work, held->data, &literals->items[i]);
        add_value(sessions, &values, text, strlen(text));
    }
}

static bool
is_word(const struct held *held, const char *word)
{
    const char *at = held->data + strspn(held->data, " \t\r\n");

    return strncasecmp(at, word, strlen(word)) == 0;
}

/*
 * Where the log names transactions, statements of one have its name in common: the one before, or the
 * one after. Where it does not, BEGIN and COMMIT tell.
 */
static uint64_t
transaction_of(struct session *session, const struct template *template, uint64_t next_vxid)
{
    const struct held *held = &session->held;
    bool is_command = template->kind == TEMPLATE_TRANSACTION;
    bool begins = is_command && (is_word(held, "begin") || is_word(held, "start"));
    bool ends = is_command && !begins && !is_word(held, "savepoint") && !is_word(held, "release") &&
                !is_word(held, "rollback to") && !is_word(held, "set");

    if (held->has_vxid) {
        bool is_same = held->vxid != 0 && held->vxid == session->last_vxid;

        if ((is_same || ends) && session->last_transaction != 0)
            return session->last_transaction;
        if (held->vxid != 0 && held->vxid == next_vxid)
            return ++session->transactions;
        return 0;
    }
    if (begins) {
        session->is_in_block = true;
        return ++session->transactions;
    }
    if (!session->is_in_block)
        return 0;
    session->is_in_block = !ends;
    return session->transactions;
}

static void
drop_held(struct log_sessions *sessions, struct held *held)
{
    sessions->held_bytes -= held->sql_length + held->params_length;
    if (held->capacity > SMALL) {
        free(held->data);
        held->data = NULL;
        held->capacity = 0;
    }
    held->sql_length = 0;
    held->params_length = 0;
    held->state = HELD_NONE;
}

/* next_vxid: of the statement that follows in this session; 0: not known. */
static bool
flush(struct ctx *ctx, struct log_sessions *sessions, struct session *session, uint64_t next_vxid,
    struct log_counts *counts)
{
    struct held *held = &session->held;
    struct traced_statement statement = { .rows = -1 };
    struct literals literals = { 0 };
    bool done;

    if (held->state == HELD_NONE)
        return true;
    statement.template = templates_find(
        sessions->templates, held->data, held->sql_length, held->is_cut, sessions->work, &literals);
    read_values(sessions, held, &literals, &statement);
    traced_tag_read(sessions->work, held->data, held->sql_length, &statement.tag);
    statement.session = session->id;
    statement.line = held->line;
    statement.started_us = held->started_us;
    statement.elapsed_us = held->elapsed_us;
    statement.transaction = transaction_of(session, statement.template, next_vxid);
    statement.sql = sessions->options.keeps_sql ? held->data : NULL;
    statement.application = held->application;
    statement.database = session->database;
    statement.user = session->user;
    statement.is_failed = held->is_failed;
    statement.is_after_gap = held->is_after_gap;
    session->last_vxid = held->vxid;
    session->last_transaction = statement.transaction;
    counts->statements++;
    counts->without_duration += held->elapsed_us < 0 && !held->is_failed;
    done = sessions->sink(ctx, sessions->data, &statement);
    drop_held(sessions, held);
    arena_reset(sessions->work);
    return done;
}

/* ---- sessions ---- */

static void
unlink_age(struct log_sessions *sessions, struct session *session)
{
    if (session == sessions->newest)
        sessions->newest = session->older;
    else
        session->newer->older = session->older;
    if (session == sessions->oldest)
        sessions->oldest = session->newer;
    else
        session->older->newer = session->newer;
}

static void
make_newest(struct log_sessions *sessions, struct session *session)
{
    session->newer = NULL;
    session->older = sessions->newest;
    if (sessions->newest)
        sessions->newest->newer = session;
    else
        sessions->oldest = session;
    sessions->newest = session;
}

static struct session **
bucket_of(struct log_sessions *sessions, int64_t pid)
{
    return &sessions->buckets[((uint64_t)pid * UINT64_C(0x9E3779B97F4A7C15)) >> 49];
}

static bool
close_session(struct ctx *ctx, struct log_sessions *sessions, struct session *session,
    struct log_counts *counts)
{
    struct session **at = bucket_of(sessions, session->pid);
    bool done = flush(ctx, sessions, session, 0, counts);

    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    unlink_age(sessions, session);
    sessions->count--;
    if (sessions->ended_count < MOST_ENDED)
        sessions->ended[sessions->ended_count++] = session->id;
    free(session->held.data);
    free(session);
    return done;
}

static struct session *
open_session(struct log_sessions *sessions, int64_t pid)
{
    struct session *session = calloc(1, sizeof(*session));
    struct session **at = bucket_of(sessions, pid);

    if (!session)
        memory_exhausted(0);
    session->pid = pid;
    session->id = ++sessions->last_id;
    session->next = *at;
    *at = session;
    make_newest(sessions, session);
    sessions->count++;
    return session;
}

/* The session that a record is of. One of the same process with another %c has ended. */
static bool
find_session(struct ctx *ctx, struct log_sessions *sessions, const struct log_record *record,
    int64_t pid, struct log_counts *counts, struct session **ret)
{
    struct session *session = *bucket_of(sessions, pid);
    size_t length = record->session.length < KEY_SIZE - 1 ? record->session.length : KEY_SIZE - 1;

    while (session && session->pid != pid)
        session = session->next;
    if (session && length > 0 && session->key[0] &&
        !slice_equal((struct slice){ record->session.data, length }, session->key)) {
        if (!close_session(ctx, sessions, session, counts))
            return false;
        session = NULL;
    }
    if (!session) {
        if (sessions->count >= MOST_SESSIONS &&
            !close_session(ctx, sessions, sessions->oldest, counts))
            return false;
        session = open_session(sessions, pid);
    } else if (sessions->newest != session) {
        unlink_age(sessions, session);
        make_newest(sessions, session);
    }
    if (length > 0 && !session->key[0])
        memcpy(session->key, record->session.data, length);
    *ret = session;
    return true;
}

/* The process that %c ends with: "6a1b2c3d.1f4". */
static int64_t
pid_of(const struct log_record *record)
{
    const char *point =
        memchr(record->session.data ? record->session.data : "", '.', record->session.length);
    int64_t pid = 0;

    if (record->pid >= 0 || !point)
        return record->pid;
    for (const char *at = point + 1; at < record->session.data + record->session.length; at++) {
        static const char hex[] = "0123456789abcdef";
        const char *digit = strchr(hex, *at);

        if (digit && *at && pid < INT32_MAX)
            pid = pid * 16 + (digit - hex);
    }
    return pid;
}

/* ---- records ---- */

/* "3/12" as a number that is the same for the same; 0 where there is no transaction ("3/0", ""). */
static uint64_t
vxid_of(struct slice vxid)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    const char *slash = vxid.data ? memchr(vxid.data, '/', vxid.length) : NULL;

    if (!slash ||
        slice_equal((struct slice){ slash, vxid.length - (size_t)(slash - vxid.data) }, "/0"))
        return 0;
    for (size_t i = 0; i < vxid.length; i++)
        hash = (hash ^ (unsigned char)vxid.data[i]) * UINT64_C(1099511628211);
    return hash ? hash : 1;
}

static void
hold_text(struct log_sessions *sessions, struct held *held, struct slice sql, struct slice params)
{
    size_t room;

    sessions->held_bytes -= held->sql_length + held->params_length;
    if (sql.length > LONGEST_HELD) {
        sql.length = LONGEST_HELD;
        held->is_cut = true;
    }
    if (params.length > LONGEST_HELD)
        params.length = LONGEST_HELD;
    room = sql.length + params.length + 2;
    if (room > held->capacity) {
        char *data = malloc(room < SMALL / 4 ? SMALL / 4 : room);

        if (!data)
            memory_exhausted(0);
        /* What is taken over may stand in the old one. */
        memcpy(data, sql.data, sql.length);
        if (params.length > 0)
            memcpy(data + sql.length + 1, params.data, params.length);
        free(held->data);
        held->data = data;
        held->capacity = room < SMALL / 4 ? SMALL / 4 : room;
    } else {
        memmove(held->data, sql.data, sql.length);
        if (params.length > 0)
            memmove(held->data + sql.length + 1, params.data, params.length);
    }
    held->data[sql.length] = '\0';
    held->data[sql.length + 1 + params.length] = '\0';
    held->sql_length = sql.length;
    held->params_length = params.length;
    sessions->held_bytes += sql.length + params.length;
}

static bool
hold(struct ctx *ctx, struct log_sessions *sessions, struct session *session,
    const struct log_record *record, const struct log_message *message, struct log_counts *counts)
{
    struct held *held = &session->held;
    uint64_t vxid = vxid_of(record->vxid);
    struct slice params = message->params.length > 0 ? message->params : log_params(record->detail);
    bool is_same = held->state == HELD_PLAN && message->kind == LOG_MESSAGE_BOTH &&
                   held->sql_length == message->sql.length &&
                   memcmp(held->data, message->sql.data, held->sql_length) == 0;

    if (!is_same && !flush(ctx, sessions, session, vxid, counts))
        return false;
    held->is_cut = record->is_cut;
    hold_text(sessions, held, message->sql, params);
    held->state = message->kind == LOG_MESSAGE_STATEMENT ? HELD_WAITS
                  : message->kind == LOG_MESSAGE_PLAN    ? HELD_PLAN
                                                         : HELD_DONE;
    held->elapsed_us = message->elapsed_us;
    held->started_us = record->time_us;
    if (message->elapsed_us > 0 && record->time_us > 0)
        held->started_us -= message->elapsed_us;
    held->line = record->line;
    held->vxid = vxid;
    held->has_vxid = record->has_vxid;
    held->is_failed = false;
    held->is_after_gap = session->is_after_gap;
    held->application = session->application;
    session->is_after_gap = false;
    if (sessions->held_bytes > MOST_HELD)
        return flush(ctx, sessions, session, 0, counts);
    return true;
}

/* A statement that failed. The line before it may have told of it already. */
static bool
hold_failed(struct ctx *ctx, struct log_sessions *sessions, struct session *session,
    const struct log_record *record, struct slice sql, struct log_counts *counts)
{
    struct held *held = &session->held;
    struct log_message message = { .kind = LOG_MESSAGE_BOTH, .elapsed_us = -1, .sql = sql };

    session->had_error = false;
    if (held->state == HELD_WAITS && held->sql_length == sql.length &&
        memcmp(held->data, sql.data, sql.length) == 0) {
        held->is_failed = true;
        held->state = HELD_DONE;
        return true;
    }
    if (!hold(ctx, sessions, session, record, &message, counts))
        return false;
    if (held->state != HELD_NONE)
        held->is_failed = true;
    return true;
}

/* DETAIL, STATEMENT and their kin, which are lines of their own in a text log. *ret: it was one. */
static bool
take_attached(struct ctx *ctx, struct log_sessions *sessions, struct session *session,
    const struct log_record *record, struct log_counts *counts, bool *ret)
{
    struct held *held = &session->held;

    *ret = true;
    if (slice_equal(record->severity, "STATEMENT"))
        return !session->had_error ||
               hold_failed(ctx, sessions, session, record, record->message, counts);
    if (slice_equal(record->severity, "DETAIL")) {
        struct slice params = log_params(record->message);

        if (params.length > 0 && session->wants_detail && held->state != HELD_NONE)
            hold_text(sessions, held, (struct slice){ held->data, held->sql_length }, params);
        return true;
    }
    *ret = slice_equal(record->severity, "HINT") || slice_equal(record->severity, "CONTEXT") ||
           slice_equal(record->severity, "QUERY") || slice_equal(record->severity, "LOCATION") ||
           slice_equal(record->severity, "BACKTRACE");
    return true;
}

static bool
is_error(struct slice severity)
{
    return slice_equal(severity, "ERROR") || slice_equal(severity, "FATAL") ||
           slice_equal(severity, "PANIC");
}

static bool
take_error(struct ctx *ctx, struct log_sessions *sessions, struct session *session,
    const struct log_record *record, struct log_counts *counts)
{
    bool is_fatal = !slice_equal(record->severity, "ERROR");

    session->had_error = true;
    session->wants_detail = false;
    if (record->statement.length > 0 &&
        !hold_failed(ctx, sessions, session, record, record->statement, counts))
        return false;
    return !is_fatal || close_session(ctx, sessions, session, counts);
}

static bool
take_message(struct ctx *ctx, struct log_sessions *sessions, struct session *session,
    const struct log_record *record, struct log_counts *counts)
{
    struct held *held = &session->held;
    struct log_message message;

    log_message_read(record, &message);
    session->had_error = false;
    session->wants_detail = message.kind == LOG_MESSAGE_STATEMENT ||
                            message.kind == LOG_MESSAGE_BOTH || message.kind == LOG_MESSAGE_PLAN;
    switch (message.kind) {
    case LOG_MESSAGE_DURATION:
        if (held->state == HELD_WAITS) {
            held->elapsed_us = message.elapsed_us;
            held->state = HELD_DONE;
            if (held->vxid == 0)
                held->vxid = vxid_of(record->vxid);
        }
        return true;
    case LOG_MESSAGE_STATEMENT:
    case LOG_MESSAGE_BOTH:
    case LOG_MESSAGE_PLAN:
        return hold(ctx, sessions, session, record, &message, counts);
    case LOG_MESSAGE_GONE:
        return close_session(ctx, sessions, session, counts);
    case LOG_MESSAGE_BROKEN:
        counts->broken++;
        return true;
    case LOG_MESSAGE_FOREIGN:
        counts->foreign++;
        return true;
    case LOG_MESSAGE_OTHER:
    case LOG_MESSAGE_STEP:
    case LOG_MESSAGE_CONNECTED:
        break;
    }
    return true;
}

/* A connection that begins under the number of a process that is gone is another session. */
static bool
end_before_connection(struct ctx *ctx, struct log_sessions *sessions, struct session **session,
    const struct log_record *record, struct log_counts *counts)
{
    int64_t pid = (*session)->pid;
    bool is_start = slice_equal(record->severity, "LOG") &&
                    slice_starts_with(record->message, "connection received");

    if (!is_start || ((*session)->held.state == HELD_NONE && (*session)->last_vxid == 0))
        return true;
    if (!close_session(ctx, sessions, *session, counts))
        return false;
    *session = open_session(sessions, pid);
    return true;
}

static void
see_gap(struct session *session, const struct log_record *record)
{
    if (record->number <= 0)
        return;
    if (session->last_number > 0 && record->number != session->last_number + 1)
        session->is_after_gap = true;
    session->last_number = record->number;
}

/* Names of the session, which a line need not repeat. */
static void
take_names(struct log_sessions *sessions, struct session *session, const struct log_record *record)
{
    const char *name = name_of(sessions, record->database);

    if (name)
        session->database = name;
    name = name_of(sessions, record->user);
    if (name)
        session->user = name;
    name = name_of(sessions, record->application);
    if (name || record->application.data)
        session->application = name;
}

bool
log_sessions_take(struct ctx *ctx, struct log_sessions *sessions, const struct log_record *record,
    struct log_counts *counts)
{
    struct session *session;
    int64_t pid = pid_of(record);
    bool is_attached;

    if (pid < 0) {
        counts->broken++;
        return true;
    }
    if (!log_severity_is_known(record->severity)) {
        counts->foreign++;
        return true;
    }
    if (sessions->options.database && record->database.length > 0 &&
        !slice_equal(record->database, sessions->options.database)) {
        counts->other_databases++;
        return true;
    }
    if (!find_session(ctx, sessions, record, pid, counts, &session) ||
        !end_before_connection(ctx, sessions, &session, record, counts))
        return false;
    see_gap(session, record);
    take_names(sessions, session, record);
    counts->without_database += !session->database;
    if (!take_attached(ctx, sessions, session, record, counts, &is_attached))
        return false;
    if (is_attached)
        return true;
    if (is_error(record->severity))
        return take_error(ctx, sessions, session, record, counts);
    return take_message(ctx, sessions, session, record, counts);
}

bool
log_sessions_finish(struct ctx *ctx, struct log_sessions *sessions, struct log_counts *counts)
{
    while (sessions->oldest)
        if (!close_session(ctx, sessions, sessions->oldest, counts))
            return false;
    return true;
}

size_t
log_sessions_ended(struct log_sessions *sessions, const uint64_t **ret)
{
    size_t count = sessions->ended_count;
    uint64_t *answer = sessions->ended;

    sessions->ended = sessions->answer;
    sessions->answer = answer;
    sessions->ended_count = 0;
    *ret = answer;
    return count;
}
