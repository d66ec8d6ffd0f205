/* A client of the relay until its session is open. */
#include <ctype.h>
#include <string.h>

#include "base/crypto.h"
#include "db/relay.h"
#include "migrate/alembic/parts.h"

static void
answer(struct session *session, const struct buffer *buffer)
{
    wire_feed(&session->to_client, buffer->data, buffer->length);
}

static bool
refuse(struct ctx *ctx, struct session *session, const char *sqlstate, const char *message)
{
    struct buffer buffer = { .arena = ctx->arena };

    wire_add_error(&buffer, sqlstate, message, "This is a relay of pgmend, for its own Alembic.");
    answer(session, &buffer);
    session->is_last = true;
    return true;
}

/* Takes as long for a wrong password as for the right one. */
static bool
is_password(const struct wire_message *message, const char *password)
{
    size_t at = 0, length = strlen(password);
    const char *given = wire_read_text(message, &at);
    unsigned difference = 0;

    if (!given || strlen(given) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned)(unsigned char)(given[i] ^ password[i]);
    return difference == 0;
}

static void
cancel(struct relay *relay, const struct wire_start *start)
{
    for (size_t i = 0; i < relay->sessions.count; i++) {
        const struct session *session = relay->sessions.items[i];

        if (session->state == SESSION_OPEN && session->pid == start->pid &&
            session->key == start->key)
            db_cancel(session->db);
    }
}

static bool
take_first(struct ctx *ctx, struct session *session, const struct wire_message *message)
{
    struct relay *relay = session->relay;
    struct buffer buffer = { .arena = ctx->arena };
    const char *database;

    if (!wire_read_start(ctx, message, &session->start)) {
        const char *why = ctx->error.message;

        error_clear(ctx);
        return refuse(ctx, session, "08P01", why);
    }
    switch (session->start.kind) {
    case WIRE_START_TLS:
    case WIRE_START_GSS:
        wire_feed(&session->to_client, "N", 1);
        session->from_client.has_start = false;
        return true;
    case WIRE_START_CANCEL:
        cancel(relay, &session->start);
        session->is_last = true;
        return true;
    case WIRE_START_SESSION:
        break;
    }
    database = wire_start_value(&session->start, "database");
    if (database && strcmp(database, relay->address.database) != 0 &&
        strcmp(database, relay->address.encoded) != 0) {
        relay->refused_database = database;
        return refuse(ctx, session, "3D000",
            arena_printf(ctx->arena,
                "sessions are passed on to database \"%s\" only, not to \"%s\"",
                relay->address.database, database));
    }
    if (wire_start_value(&session->start, "replication"))
        return refuse(ctx, session, "0A000", "replication is not passed on");
    wire_add_authentication(&buffer, 3);
    answer(session, &buffer);
    session->state = SESSION_PASSWORD;
    return true;
}

/* ---- the server's session ---- */

/* One word of "-c name=value --other=value", as the server cuts it: a backslash keeps a blank. */
static const char *
next_word(struct arena *arena, const char **at)
{
    struct buffer word = { .arena = arena };

    while (isspace((unsigned char)**at))
        (*at)++;
    if (!**at)
        return NULL;
    for (; **at && !isspace((unsigned char)**at); (*at)++) {
        if (**at == '\\' && (*at)[1])
            (*at)++;
        buffer_append(&word, *at, 1);
    }
    return buffer_text(&word);
}

static bool
set_option(struct ctx *ctx, struct db *db, const char *setting)
{
    size_t length = strcspn(setting, "=");
    char *name = arena_strndup(ctx->arena, setting, length);

    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    return db_set(ctx, db, name, setting[length] ? setting + length + 1 : "");
}

static bool
set_options(struct ctx *ctx, struct db *db, const char *options)
{
    for (const char *word; (word = next_word(ctx->arena, &options));) {
        if (strcmp(word, "-c") == 0)
            word = next_word(ctx->arena, &options);
        else if (text_starts_with(word, "-c") || text_starts_with(word, "--"))
            word += 2;
        else
            continue; /* none of the others is a setting that a migration could mean */
        if (word && !set_option(ctx, db, word))
            return false;
    }
    return true;
}

/* What the client asked for at its start, on top of what any client gets. */
static bool
set_all(struct ctx *ctx, struct session *session, struct text_list *ret_unknown)
{
    static const char *const others[] = { "user", "database", "replication", "options" };
    const struct wire_start *start = &session->start;
    const char *options = wire_start_value(start, "options");
    const char *encoding = db_relay_parameter(session->db, "server_encoding");

    if (options && !set_options(ctx, session->db, options))
        return false;
    /* We asked for UTF-8; a client that asks for nothing gets the database's own. */
    if (!wire_start_value(start, "client_encoding") && encoding && strcmp(encoding, "UTF8") != 0 &&
        !db_set(ctx, session->db, "client_encoding", encoding))
        return false;
    for (size_t i = 0; i < start->names.count; i++) {
        const char *name = start->names.items[i];
        bool is_other = false;

        for (size_t j = 0; j < COUNT_OF(others); j++)
            is_other |= strcmp(name, others[j]) == 0;
        if (text_starts_with(name, "_pq_."))
            text_list_add(ctx->arena, ret_unknown, name);
        else if (!is_other && !db_set(ctx, session->db, name, start->values.items[i]))
            return false;
    }
    return true;
}

static void
tell_parameters(struct buffer *buffer, const struct db *db)
{
    static const char *const names[] = { "application_name", "client_encoding", "DateStyle",
        "default_transaction_read_only", "in_hot_standby", "integer_datetimes", "IntervalStyle",
        "is_superuser", "scram_iterations", "search_path", "server_encoding", "server_version",
        "session_authorization", "standard_conforming_strings", "TimeZone" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = db_relay_parameter(db, names[i]);

        if (value)
            wire_add_parameter(buffer, names[i], value);
    }
}

static bool
open_session(struct ctx *ctx, struct session *session)
{
    struct relay *relay = session->relay;
    struct db_options options = { .application = "pgmend/alembic", .access = ACCESS_WRITE };

    if (!db_open_like(ctx, relay->target, &options, &session->db) ||
        !db_relay_begin(ctx, session->db))
        return error_wrap(ctx, "opening a session for Alembic");
    session->pid = (uint32_t)db_backend_pid(session->db);
    session->key = (uint32_t)strtoul(random_hex(ctx->arena, 4), NULL, 16);
    return true;
}

static bool
begin_session(struct ctx *ctx, struct session *session)
{
    const struct alembic_watcher *watcher = session->relay->watcher;
    struct buffer buffer = { .arena = ctx->arena };
    struct text_list unknown = { 0 };

    if (!open_session(ctx, session))
        return false;
    if (!set_all(ctx, session, &unknown)) {
        if (!*ctx->error.sqlstate)
            return false;

        const char *message = ctx->error.message;
        const char *sqlstate = arena_strdup(ctx->arena, ctx->error.sqlstate);

        error_clear(ctx);
        return refuse(ctx, session, sqlstate, message);
    }
    session->number = session->relay->outcome->sessions++;
    wire_track_begin(ctx->arena, &session->track);
    session->from_server.has_start = true;
    session->from_client.longest = 0;
    session->state = SESSION_OPEN;
    if (watcher && watcher->opened &&
        !watcher->opened(watcher->self, ctx, session->db, session->number))
        return false;
    if (session->start.minor > 0 || unknown.count > 0)
        wire_add_version(&buffer, &unknown);
    wire_add_authentication(&buffer, 0);
    tell_parameters(&buffer, session->db);
    wire_add_key(&buffer, session->pid, session->key);
    wire_add_ready(&buffer, 'I');
    answer(session, &buffer);
    return true;
}

bool
session_take_start(struct ctx *ctx, struct session *session, const struct wire_message *message)
{
    if (session->state == SESSION_START)
        return take_first(ctx, session, message);
    if (message->type != 'p')
        return refuse(ctx, session, "08P01", "a password was expected");
    if (!is_password(message, session->relay->address.password)) {
        session->relay->refused_passwords++;
        return refuse(ctx, session, "28P01", "password authentication failed");
    }
    return begin_session(ctx, session);
}
