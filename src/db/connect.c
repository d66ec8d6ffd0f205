#include <poll.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "db/connection.h"

enum { CONNECT_TIMEOUT_US = 10000000, STEP_MS = 100, MAX_PARAMS = 64 };

struct params {
    const char *names[MAX_PARAMS];
    const char *values[MAX_PARAMS];
    size_t count;
};

static void
add_param(struct params *params, const char *name, const char *value)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->names[i], name) == 0) {
            params->values[i] = value;
            return;
        }
    }
    if (params->count + 1 < MAX_PARAMS) {
        params->names[params->count] = name;
        params->values[params->count] = value;
        params->count++;
    }
}

/* SQLAlchemy writes the driver into the scheme: postgresql+psycopg2://. */
static const char *
without_driver(struct arena *arena, const char *url)
{
    static const char *const schemes[] = { "postgresql+", "postgres+" };

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        const char *rest = strstr(url, "://");

        if (rest && text_starts_with(url, schemes[i]))
            return arena_printf(arena, "postgresql%s", rest);
    }
    return url;
}

static void
free_options(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

/* libpq's own words about a bad URL can repeat a part of the password. */
static bool
refuse_url(struct ctx *ctx, const char *url, const char *why)
{
    bool may_hold_secret = strchr(url, '@') || strstr(url, "pass");

    if (!why || !*why || may_hold_secret)
        error_set(ctx, ERR_USAGE, "the database URL is not valid");
    else
        error_set(
            ctx, ERR_USAGE, "the database URL is not valid: %.*s", (int)strcspn(why, "\n"), why);
    return error_hint(ctx, "It looks like postgresql://user@host:5432/database or \"host=… "
                           "dbname=…\"; percent-encode special characters; passwords belong "
                           "into ~/.pgpass.");
}

static bool
read_url(struct ctx *ctx, struct db *db, struct params *params)
{
    const char *url = db->options.url;
    char *why = NULL;

    if (!url)
        return true;

    PQconninfoOption *options CLEANUP(free_options) = PQconninfoParse(url, &why);
    const char *reason = why ? arena_strdup(ctx->arena, why) : NULL;

    PQfreemem(why);
    if (!options)
        return refuse_url(ctx, url, reason);
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        if (!option->val)
            continue;

        const char *value = arena_strdup(db->arena, option->val);

        add_param(params, arena_strdup(db->arena, option->keyword), value);
        if (strcmp(option->keyword, "password") == 0)
            db->password = value;
    }
    return true;
}

static void
note_server_notice(void *unused, const PGresult *result)
{
    (void)unused;

    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    log_debug("server: %s", text ? text : "");
}

static bool
connect_error(struct ctx *ctx, struct db *db)
{
    const char *text = db_redact(ctx->arena, PQerrorMessage(db->conn), db->password);
    size_t length = strcspn(text, "\n");

    error_set(ctx, ERR_CONNECTION, "could not connect: %.*s", (int)length, text);
    if (text[length] && text[length + 1])
        ctx->error.detail = text + length + 1;
    if (strstr(text, "password authentication failed") || strstr(text, "no password supplied"))
        return error_hint(ctx, "Put the password into ~/.pgpass (mode 0600) or PGPASSFILE.");
    if (strstr(text, "does not exist"))
        return error_hint(ctx, "Check the database and role names in --db-url or DATABASE_URL.");
    return error_hint(ctx,
        "Check --db-url, DATABASE_URL or PGHOST/PGPORT, and that the server accepts "
        "connections there.");
}

static bool
wait_until_connected(struct ctx *ctx, struct db *db)
{
    int64_t limit = db->options.connect_timeout_us;
    int64_t end = clock_us() + (limit ? limit : (int64_t)CONNECT_TIMEOUT_US);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status != PGRES_POLLING_OK) {
        struct pollfd fd = { .fd = PQsocket(db->conn) };
        int signal_number = interrupt_signal();

        if (signal_number)
            return interrupt_error(ctx, signal_number);
        if (clock_us() > end) {
            error_set(ctx, ERR_CONNECTION, "could not connect: no answer in time");
            return error_hint(ctx, "Is the host reachable, and is the server up?");
        }
        fd.events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (poll(&fd, 1, STEP_MS) <= 0)
            continue;
        status = PQconnectPoll(db->conn);
        if (status == PGRES_POLLING_FAILED)
            return connect_error(ctx, db);
    }
    return true;
}

static bool
check_version(struct ctx *ctx, struct db *db)
{
    const char *text = PQparameterStatus(db->conn, "server_version");

    db->version = PQserverVersion(db->conn);
    text = text ? text : "";
    db->version_text = arena_strndup(db->arena, text, strcspn(text, " "));
    if (db_major(db) < DB_OLDEST_MAJOR) {
        error_set(ctx, ERR_UNSUPPORTED, "the server is PostgreSQL %s, older than %d",
            db->version_text, DB_OLDEST_MAJOR);
        return error_hint(
            ctx, "pgmend knows PostgreSQL %d to %d.", DB_OLDEST_MAJOR, DB_NEWEST_MAJOR);
    }
    if (db_major(db) <= DB_NEWEST_MAJOR)
        return true;
    if (db->options.access == ACCESS_WRITE) {
        error_set(ctx, ERR_UNSUPPORTED,
            "the server is PostgreSQL %s, newer than this pgmend knows (%d): it will not change "
            "anything there",
            db->version_text, DB_NEWEST_MAJOR);
        return error_hint(ctx, "Reading works; install a newer pgmend to make changes.");
    }
    log_warn("the server is PostgreSQL %s, newer than this pgmend knows (%d)", db->version_text,
        DB_NEWEST_MAJOR);
    return true;
}

/*
 * Whatever the role, the database or a pooler have set, this session has our values. search_path
 * first, and qualified, so that nobody's function of the same name is run.
 */
static bool
pin_session(struct ctx *ctx, struct db *db)
{
    static const char sql[] =
        "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),"
        " pg_catalog.set_config('default_transaction_read_only', $1, false),"
        " pg_catalog.set_config('statement_timeout', $2, false),"
        " pg_catalog.set_config('lock_timeout', $3, false),"
        " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false),"
        " pg_catalog.set_config('idle_session_timeout', '0', false),"
        " pg_catalog.set_config('client_connection_check_interval', '0', false),"
        " pg_catalog.set_config('default_transaction_isolation', 'read committed', false),"
        " pg_catalog.set_config('jit', 'off', false),"
        " pg_catalog.set_config('synchronous_commit', 'on', false),"
        " pg_catalog.set_config('standard_conforming_strings', 'on', false),"
        " pg_catalog.set_config('DateStyle', 'ISO, YMD', false),"
        " pg_catalog.set_config('IntervalStyle', 'postgres', false),"
        " pg_catalog.set_config('TimeZone', 'UTC', false),"
        " pg_catalog.set_config('extra_float_digits', '1', false),"
        " pg_catalog.set_config('bytea_output', 'hex', false),"
        " pg_catalog.set_config('quote_all_identifiers', 'off', false),"
        " (SELECT pg_catalog.set_config(s.name, '0', false) FROM pg_catalog.pg_settings AS s"
        "   WHERE s.name OPERATOR(pg_catalog.=) 'transaction_timeout')," /* 17 and later */
        " pg_catalog.set_config('application_name', $4, false)";
    const char *params[] = {
        db->options.access == ACCESS_WRITE ? "off" : "on",
        arena_printf(ctx->arena, "%lld", (long long)(db->options.statement_timeout_us / 1000)),
        arena_printf(ctx->arena, "%lld", (long long)(db->options.lock_timeout_us / 1000)),
        db->options.application,
    };
    struct result result;

    if (!db_query(ctx, db, sql, params, COUNT_OF(params), &result))
        return error_wrap(ctx, "preparing the session");
    return true;
}

static bool
open_connection(struct ctx *ctx, struct db *db)
{
    struct params params = { .count = 0 };

    if (!read_url(ctx, db, &params))
        return false;
    if (db->options.database)
        add_param(&params, "dbname", db->options.database);
    add_param(&params, "client_encoding", "UTF8");
    add_param(&params, "application_name", db->options.application);
    params.names[params.count] = NULL;
    db->conn = PQconnectStartParams(params.names, params.values, 0);
    if (!db->conn)
        return error_set(ctx, ERR_CONNECTION, "could not connect: out of memory");
    if (PQstatus(db->conn) == CONNECTION_BAD)
        return connect_error(ctx, db);
    PQsetNoticeReceiver(db->conn, note_server_notice, NULL);
    if (!wait_until_connected(ctx, db) || !check_version(ctx, db))
        return false;
    PQsetnonblocking(db->conn, 1);
    return pin_session(ctx, db);
}

static struct db *
new_db(const struct db_options *options)
{
    struct arena *arena = arena_new();
    struct db *db = ARENA_NEW(arena, struct db);
    const char *url = options->url ? options->url : getenv("DATABASE_URL");

    db->arena = arena;
    db->options = *options;
    if (text_is_empty(url))
        url = NULL;
    db->options.url = url ? arena_strdup(arena, without_driver(arena, url)) : NULL;
    if (options->database)
        db->options.database = arena_strdup(arena, options->database);
    db->options.application =
        arena_strdup(arena, options->application ? options->application : "pgmend");
    return db;
}

bool
db_open(struct ctx *ctx, const struct db_options *options, struct db **ret)
{
    struct db *db = new_db(options);

    if (!open_connection(ctx, db)) {
        db_close(db);
        return false;
    }
    *ret = db;
    return true;
}

bool
db_open_like(
    struct ctx *ctx, const struct db *db, const struct db_options *options, struct db **ret)
{
    struct db_options merged = *options;

    if (!merged.url)
        merged.url = db->options.url;
    if (!merged.database)
        merged.database = db->options.database;
    if (!merged.application)
        merged.application = db->options.application;
    if (merged.access == ACCESS_NONE)
        merged.access = db->options.access;
    return db_open(ctx, &merged, ret);
}

void
db_close(struct db *db)
{
    if (!db)
        return;
    PQfinish(db->conn);
    arena_free(db->arena);
}

void
db_cleanup(struct db **db)
{
    db_close(*db);
    *db = NULL;
}
