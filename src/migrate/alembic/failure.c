/* Why a run failed, and what would help. */
#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "migrate/alembic/parts.h"

enum { LONGEST_STATEMENT = 2000 };

/* ---- hints ---- */

static const char *
set_names(struct ctx *ctx, const struct text_list *names)
{
    return text_list_join(ctx->arena, names, ", ");
}

static const char *
elsewhere_hint(struct ctx *ctx, const struct text_list *names)
{
    return arena_printf(ctx->arena,
        "env.py must take its URL from sqlalchemy.url of the ini file or from a variable. Set to "
        "ours were: sqlalchemy.url, PGHOST and the like, %s. Name another variable with --url-env "
        "NAME, or give --plain-env to run without env.py.",
        set_names(ctx, names));
}

static const char *
import_hint(struct ctx *ctx, const char *exception, bool is_plain)
{
    static const char *const drivers[] = { "'psycopg2'", "'psycopg'", "'asyncpg'", "'pg8000'" };

    for (size_t i = 0; i < COUNT_OF(drivers); i++)
        if (strstr(exception, drivers[i]))
            return arena_printf(ctx->arena,
                "Install the driver %s where Alembic runs, or give --alembic the command of the "
                "environment that has it, such as \"poetry run alembic\".",
                drivers[i]);
    if (is_plain)
        return "A revision imports what is not installed there. Install the application, or give "
               "--alembic the command of its environment, such as \"poetry run alembic\".";
    return "env.py or a revision imports what is not installed there. Install the application, "
           "give --alembic the command of its environment, such as \"poetry run alembic\", or "
           "give --plain-env to run with an env.py that needs no application.";
}

static bool
is_of_connection(const char *exception)
{
    static const char *const texts[] = { "could not connect", "onnection refused",
        "connection to server", "could not translate host name", "Connect call failed",
        "Name or service not known", "gaierror", "is not allowed to connect",
        "password authentication failed" };

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (strstr(exception, texts[i]))
            return true;
    return false;
}

/* "KeyError: 'APP_SETTINGS'": env.py wants a variable. */
static const char *
missing_variable(struct ctx *ctx, const char *exception)
{
    static const char key[] = "KeyError: '";
    const char *name;
    size_t length;

    if (!text_starts_with(exception, key))
        return NULL;
    name = exception + strlen(key);
    length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (length == 0 || name[length] != '\'')
        return NULL;
    return arena_printf(ctx->arena,
        "Set the variable %.*s as Alembic needs it; if it holds the database's URL, name it with "
        "--url-env %.*s.",
        (int)length, name, (int)length, name);
}

static const char *
hint_of(struct ctx *ctx, const struct relay *relay, const struct text_list *names,
    const struct alembic_outcome *outcome)
{
    const char *exception = outcome->exception ? outcome->exception : "";

    if (relay->refused_database)
        return arena_printf(ctx->arena,
            "env.py asked for database \"%s\", which is not the one of this run (\"%s\"): it takes "
            "the name from elsewhere. %s",
            relay->refused_database, relay->address.database, elsewhere_hint(ctx, names));
    if (relay->refused_passwords > 0)
        return arena_printf(ctx->arena,
            "env.py came with another password: it takes parts of the URL from elsewhere. %s",
            elsewhere_hint(ctx, names));
    if (strstr(exception, "ModuleNotFoundError") || strstr(exception, "ImportError"))
        return import_hint(ctx, exception, relay->alembic->options.plain_env);
    if (strstr(exception, "Can't locate revision"))
        return "The database or another revision names one that is not in the version folder: "
               "bring the missing file back, or run \"pgmend migrations graph\".";
    if (strstr(exception, "Multiple head"))
        return "Merge the heads (\"alembic merge heads\"), or ask for \"heads\".";
    if (outcome->sessions == 0 && is_of_connection(outcome->errors))
        return elsewhere_hint(ctx, names);
    return missing_variable(ctx, exception);
}

void
alembic_explain(struct ctx *ctx, const struct relay *relay, const struct text_list *names,
    struct alembic_outcome *outcome)
{
    if (outcome->status != 0)
        outcome->hint = hint_of(ctx, relay, names, outcome);
}

bool
alembic_elsewhere(struct ctx *ctx, const struct relay *relay, const struct text_list *names)
{
    if (relay->refused_database || relay->refused_passwords > 0)
        error_set(ctx, ERR_CONFLICT, "Alembic did not get into the database it was given");
    else
        error_set(ctx, ERR_CONFLICT,
            "Alembic ended without having come to the database it was given: env.py connects "
            "elsewhere, or not at all");
    return error_hint(ctx, "%s",
        hint_of(ctx, relay, names,
            &(struct alembic_outcome){ .errors = "Connection refused", .exception = "" }));
}

/* ---- the failure of a run ---- */

/* The id in "revision = 'x'" or "revision: str = 'x'" at the beginning of a line. */
static const char *
revision_of(struct ctx *ctx, const char *path)
{
    static const char name[] = "revision";
    const char *text, *id = NULL;
    size_t length;

    if (!file_read(ctx, path, &text, &length)) {
        error_clear(ctx);
        return NULL;
    }
    for (const char *at = strstr(text, name); at && !id; at = strstr(at + 1, name)) {
        const char *rest = at + strlen(name);
        size_t quote;

        if ((at > text && at[-1] != '\n') || !strchr(" :=", *rest))
            continue;
        quote = strcspn(rest, "'\"\n");
        if (rest[quote] == '\'' || rest[quote] == '"')
            id = arena_strndup(ctx->arena, rest + quote + 1, strcspn(rest + quote + 1, "'\"\n"));
    }
    return id;
}

/* "revision 0a1b (versions/0a1b_users.py:12): ", or nothing. */
static const char *
where_of(struct ctx *ctx, const struct place *place)
{
    const char *id;

    if (!place->file)
        return "";
    id = revision_of(ctx, place->file);
    if (!id)
        return arena_printf(ctx->arena, "%s:%u: ", place->file, place->line);
    return arena_printf(ctx->arena, "revision %s (%s:%u): ", id, place->file, place->line);
}

static const char *
shortened(struct arena *arena, const char *sql)
{
    size_t length = strlen(sql);

    while (length > 0 && isspace((unsigned char)sql[length - 1]))
        length--;
    if (length <= LONGEST_STATEMENT)
        return arena_strndup(arena, sql, length);
    length = LONGEST_STATEMENT;
    while (length > 0 && ((unsigned char)sql[length] & 0xc0) == 0x80)
        length--;
    return arena_printf(arena, "%.*s …", (int)length, sql);
}

/* The exception can be about something else than a statement that failed before. */
static bool
is_about_statement(const struct alembic_outcome *outcome)
{
    const struct alembic_statement *failed = &outcome->failed;

    if (!outcome->has_failed_statement || !failed->message || !failed->sqlstate)
        return false;
    /* Drivers forget what the server said before it hung up. */
    if (text_starts_with(failed->sqlstate, "57P") || text_starts_with(failed->sqlstate, "08"))
        return true;
    return !outcome->exception || strstr(outcome->errors, failed->message) ||
           !strstr(outcome->errors, "Traceback");
}

static bool
fail_with_statement(struct ctx *ctx, const struct alembic_outcome *outcome)
{
    const struct alembic_statement *failed = &outcome->failed;
    struct buffer detail = { .arena = ctx->arena };

    error_set(ctx, ERR_FAILED, "%s%s (SQLSTATE %s)", where_of(ctx, &outcome->place),
        failed->message, failed->sqlstate);
    if (strlen(failed->sqlstate) == sizeof(ctx->error.sqlstate) - 1)
        memcpy(ctx->error.sqlstate, failed->sqlstate, sizeof(ctx->error.sqlstate));
    if (failed->detail)
        buffer_printf(&detail, "%s\n", failed->detail);
    buffer_printf(&detail, "Statement: %s", shortened(ctx->arena, failed->sql));
    ctx->error.detail = buffer_text(&detail);
    if (outcome->hint || failed->hint)
        error_hint(ctx, "%s", outcome->hint ? outcome->hint : failed->hint);
    return false;
}

bool
alembic_failure(struct ctx *ctx, const struct alembic_outcome *outcome)
{
    const char *where;

    if (is_about_statement(outcome))
        return fail_with_statement(ctx, outcome);
    where = where_of(ctx, &outcome->place);
    if (outcome->exception)
        error_set(ctx, ERR_FAILED, "%s%s", where, outcome->exception);
    else if (outcome->status > 128)
        error_set(
            ctx, ERR_FAILED, "%sAlembic was killed by signal %d", where, outcome->status - 128);
    else
        error_set(ctx, ERR_FAILED, "%sAlembic ended with status %d", where, outcome->status);
    if (outcome->hint)
        error_hint(ctx, "%s", outcome->hint);
    return false;
}
