/* What libpq is given to connect: the URL, as people and SQLAlchemy write it. */
#include "db/connection.h"

void
db_params_set(struct db_params *params, const char *name, const char *value)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->names[i], name) == 0) {
            params->values[i] = value;
            return;
        }
    }
    if (params->count + 1 < DB_MAX_PARAMS) {
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
read_url(struct ctx *ctx, struct db *db, struct db_params *params)
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

        db_params_set(params, arena_strdup(db->arena, option->keyword), value);
        if (strcmp(option->keyword, "password") == 0)
            db->password = value;
    }
    return true;
}

bool
db_params_read(struct ctx *ctx, struct db *db, struct db_params *ret)
{
    *ret = (struct db_params){ .count = 0 };
    if (!read_url(ctx, db, ret))
        return false;
    if (db->options.database)
        db_params_set(ret, "dbname", db->options.database);
    db_params_set(ret, "client_encoding", "UTF8");
    db_params_set(ret, "application_name", db->options.application);
    ret->names[ret->count] = NULL;
    return true;
}

const char *
db_params_get(const struct db_params *params, const char *name, const char *environment)
{
    const char *value = getenv(environment);

    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->names[i], name) == 0)
            return params->values[i];
    return text_is_empty(value) ? NULL : value;
}

/* Several hosts in one URL have a list of ports. */
static bool
check_ports(struct ctx *ctx, const char *ports)
{
    while (*ports) {
        size_t length = strcspn(ports, ",");
        const char *text = arena_strndup(ctx->arena, ports, length);
        int64_t port;

        if (length > 0 && (!text_to_int64(text, &port) || port < 1 || port > UINT16_MAX)) {
            error_set(ctx, ERR_USAGE, "\"%s\" is no port of a database", text);
            return error_hint(ctx, "Check --db-url, DATABASE_URL or PGPORT: 1 to 65535.");
        }
        ports += length + (ports[length] == ',');
    }
    return true;
}

bool
db_check_url(struct ctx *ctx, const char *url)
{
    const struct db_options options = { .url = url };
    struct db *db CLEANUP(db_cleanup) = db_new(&options);
    struct db_params params;
    const char *ports;

    if (!db_params_read(ctx, db, &params))
        return false;
    ports = db_params_get(&params, "port", "PGPORT");
    return !ports || check_ports(ctx, ports);
}

bool
db_is_named(const char *url)
{
    static const char *const names[] = { "DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGDATABASE",
        "PGSERVICE" };

    if (!text_is_empty(url))
        return true;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!text_is_empty(getenv(names[i])))
            return true;
    }
    return false;
}

struct db *
db_new(const struct db_options *options)
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
