/* Errors of libpq and the server as errors of ours. */
#include <ctype.h>

#include "db/connection.h"

struct mapping {
    const char *sqlstate; /* a code, or a class of two characters */
    enum error_kind kind;
};

static const struct mapping mappings[] = {
    { "42501", ERR_RIGHTS },
    { "55P03", ERR_TIMEOUT },
    { "57014", ERR_TIMEOUT },
    { "57P01", ERR_CONNECTION },
    { "57P02", ERR_CONNECTION },
    { "57P03", ERR_CONNECTION },
    { "57P05", ERR_CONNECTION },
    { "25006", ERR_UNSUPPORTED },
    { "08", ERR_CONNECTION },
    { "28", ERR_CONNECTION },
};

static enum error_kind
kind_of(const char *sqlstate)
{
    for (size_t i = 0; i < COUNT_OF(mappings); i++)
        if (text_starts_with(sqlstate, mappings[i].sqlstate))
            return mappings[i].kind;
    return ERR_SERVER;
}

/* A short password is a part of many words, which replacing it there would only make known. */
static bool
is_password(const char *start, const char *found, size_t length)
{
    enum { SHORT = 4 };
    bool is_inside = (found > start && isalnum((unsigned char)found[-1])) ||
                     isalnum((unsigned char)found[length]);

    return length >= SHORT || !is_inside;
}

/* The text with every occurrence of the password replaced. */
static const char *
redact(struct arena *arena, const char *text, const char *password)
{
    struct buffer buffer = { .arena = arena };
    const char *start = text;
    size_t length = password ? strlen(password) : 0;

    if (length == 0)
        return arena_strdup(arena, text);
    for (const char *at = text; (at = strstr(at, password));) {
        if (!is_password(start, at, length)) {
            at++;
            continue;
        }
        buffer_append(&buffer, text, (size_t)(at - text));
        buffer_add(&buffer, "***");
        text = at += length;
    }
    buffer_add(&buffer, text);
    return buffer_text(&buffer);
}

bool
db_error_of_connection(struct ctx *ctx, struct db *db, const char *doing)
{
    const char *text = redact(ctx->arena, PQerrorMessage(db->conn), db->password);
    size_t length = strcspn(text, "\n");

    if (PQstatus(db->conn) == CONNECTION_BAD)
        return error_set(ctx, ERR_CONNECTION, "the connection was lost while %s: %.*s", doing,
            (int)length, text);
    return error_set(ctx, ERR_FAILED, "could not go on %s: %.*s", doing, (int)length, text);
}

static const char *
field_of(struct ctx *ctx, struct db *db, const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text ? redact(ctx->arena, text, db->password) : NULL;
}

bool
db_error_of_result(struct ctx *ctx, struct db *db, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = field_of(ctx, db, result, PG_DIAG_MESSAGE_PRIMARY);

    if (!sqlstate || !message)
        return db_error_of_connection(ctx, db, "running a statement");
    error_set(ctx, kind_of(sqlstate), "%s", message);
    memcpy(ctx->error.sqlstate, sqlstate, 5);
    ctx->error.detail = field_of(ctx, db, result, PG_DIAG_MESSAGE_DETAIL);
    ctx->error.hint = field_of(ctx, db, result, PG_DIAG_MESSAGE_HINT);
    if (ctx->error.kind == ERR_RIGHTS)
        db_hint_rights(ctx, db, message);
    return false;
}

bool
db_error_of_connecting(struct ctx *ctx, struct db *db)
{
    const char *text = redact(ctx->arena, PQerrorMessage(db->conn), db->password);
    size_t length = strcspn(text, "\n");

    error_set(ctx, ERR_CONNECTION, "could not connect: %.*s", (int)length, text);
    if (text[length] && text[length + 1])
        ctx->error.detail = text + length + 1;
    if (strstr(text, "password authentication failed") || strstr(text, "no password supplied"))
        return error_hint(ctx, "Put the password into ~/.pgpass (mode 0600) or PGPASSFILE.");
    if (strstr(text, "does not exist"))
        return error_hint(ctx, "Check the database and role names in --db-url or DATABASE_URL.");
    if (strstr(text, "too many clients") || strstr(text, "remaining connection slots") ||
        strstr(text, "too many connections")) {
        memcpy(ctx->error.sqlstate, "53300", 5); /* which libpq does not tell */
        return error_hint(ctx, "No connection is left: end sessions that are idle, or raise "
                               "max_connections or the limit of the role or database.");
    }
    return error_hint(ctx,
        "Check --db-url, DATABASE_URL or PGHOST/PGPORT, and that the server accepts "
        "connections there.");
}

bool
db_error_of_waiting(struct ctx *ctx)
{
    error_set(ctx, ERR_CONNECTION, "could not connect: no answer in time");
    return error_hint(ctx, "Is the host reachable, and is the server up?");
}
