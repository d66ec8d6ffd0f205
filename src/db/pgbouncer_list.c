/* What a PgBouncer serves. Its tables gain columns with every version, so they are read by name. */
#include <inttypes.h>

#include "db/connection.h"
#include "db/pgbouncer_part.h"

/* NULL when this version has no such column, or nothing in it. */
static const char *
cell(const struct result *result, size_t row, const char *name)
{
    for (size_t i = 0; i < result->columns; i++) {
        const char *value = result_cell(result, row, i);

        if (strcmp(result->names[i], name) == 0)
            return text_is_empty(value) ? NULL : value;
    }
    return NULL;
}

static int64_t
number(const struct result *result, size_t row, const char *name)
{
    const char *text = cell(result, row, name);
    int64_t value;

    return text && text_to_int64(text, &value) ? value : 0;
}

/* Of the databases that do not say one themselves. */
static bool
read_mode(struct ctx *ctx, struct pgbouncer *pgbouncer, const char **ret)
{
    struct result config;

    *ret = "session";
    if (!pgbouncer_ask(ctx, pgbouncer, "SHOW CONFIG", 0, &config))
        return false;
    for (size_t i = 0; i < config.rows; i++)
        if (text_equal(cell(&config, i, "key"), "pool_mode") && cell(&config, i, "value"))
            *ret = cell(&config, i, "value");
    return true;
}

static void
count_connections(const struct result *pools, struct pgbouncer_database *database)
{
    static const char *const servers[] = { "sv_active", "sv_idle", "sv_used", "sv_tested",
        "sv_login" };

    for (size_t i = 0; i < pools->rows; i++) {
        if (!text_equal(cell(pools, i, "database"), database->name))
            continue;
        database->clients += number(pools, i, "cl_active") + number(pools, i, "cl_waiting");
        for (size_t j = 0; j < COUNT_OF(servers); j++)
            database->servers += number(pools, i, servers[j]);
    }
}

bool
pgbouncer_list(struct ctx *ctx, struct pgbouncer *pgbouncer, struct pgbouncer_databases *ret)
{
    struct result databases, pools;
    const char *mode;

    *ret = (struct pgbouncer_databases){ 0 };
    if (!read_mode(ctx, pgbouncer, &mode) ||
        !pgbouncer_ask(ctx, pgbouncer, "SHOW DATABASES", 0, &databases) ||
        !pgbouncer_ask(ctx, pgbouncer, "SHOW POOLS", 0, &pools))
        return error_wrap(ctx, "asking PgBouncer what it serves");
    for (size_t i = 0; i < databases.rows; i++) {
        const char *name = cell(&databases, i, "name");
        const char *own = cell(&databases, i, "pool_mode");
        struct pgbouncer_database database = {
            .name = name,
            .host = cell(&databases, i, "host"),
            .port = cell(&databases, i, "port"),
            .database = cell(&databases, i, "database"),
            .mode = own ? own : mode,
            .is_paused = number(&databases, i, "paused") != 0,
        };

        if (!name || text_equal(name, "pgbouncer"))
            continue;
        if (!database.database)
            database.database = name;
        count_connections(&pools, &database);
        VEC_PUSH(ctx->arena, ret, database);
    }
    return true;
}

bool
pgbouncer_backends(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name,
    int64_t **ret_pids, size_t *ret_count)
{
    struct result servers;
    VEC(int64_t) pids = { 0 };

    if (!pgbouncer_ask(ctx, pgbouncer, "SHOW SERVERS", 0, &servers))
        return error_wrap(ctx, "asking PgBouncer for its connections");
    for (size_t i = 0; i < servers.rows; i++)
        if (text_equal(cell(&servers, i, "database"), name) && number(&servers, i, "remote_pid"))
            VEC_PUSH(ctx->arena, &pids, number(&servers, i, "remote_pid"));
    *ret_pids = pids.items;
    *ret_count = pids.count;
    return true;
}

static bool
is_local(const char *host)
{
    static const char *const names[] = { "localhost", "127.0.0.1", "::1" };

    if (!host || *host == '/' || *host == '@')
        return true;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(host, names[i]) == 0)
            return true;
    return false;
}

/* The pooler may name the same host otherwise than we do; two names of this machine are one. */
static bool
is_same_place(const struct pgbouncer_database *database, const struct db *db)
{
    const char *port = database->port ? database->port : "5432";

    if (!text_equal(port, db_port(db)))
        return false;
    return text_equal(database->host, db_host(db)) ||
           (is_local(database->host) && is_local(db_host(db)));
}

/* Whether one of these processes serves this database here; *ret_known: there was one to ask for. */
static bool
ask_server(struct ctx *ctx, struct pgbouncer *pgbouncer, struct db *db,
    const struct pgbouncer_database *database, bool *ret_known, bool *ret_same)
{
    struct buffer list = { .arena = ctx->arena };
    const char *params[2];
    const char *found;
    int64_t *pids;
    size_t count;

    *ret_known = *ret_same = false;
    if (!pgbouncer_backends(ctx, pgbouncer, database->name, &pids, &count))
        return false;
    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        buffer_printf(&list, "%s%" PRId64, i ? "," : "{", pids[i]);
    buffer_add(&list, "}");
    params[0] = database->database;
    params[1] = buffer_text(&list);
    if (!db_value(ctx, db,
            "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity "
            "WHERE datname = $1 AND pid = ANY ($2::pg_catalog.int4[])",
            params, COUNT_OF(params), &found))
        return false;
    *ret_known = true;
    *ret_same = found && strcmp(found, "0") != 0;
    return true;
}

bool
pgbouncer_find(struct ctx *ctx, struct pgbouncer *pgbouncer, struct db *db, const char *database,
    struct pgbouncer_databases *ret)
{
    struct pgbouncer_databases all;

    *ret = (struct pgbouncer_databases){ 0 };
    if (!pgbouncer_list(ctx, pgbouncer, &all))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        bool is_known, is_same;

        if (!text_equal(all.items[i].database, database))
            continue;
        if (!ask_server(ctx, pgbouncer, db, &all.items[i], &is_known, &is_same))
            return error_wrap(ctx, "looking where PgBouncer's \"%s\" leads", all.items[i].name);
        if (is_known ? is_same : is_same_place(&all.items[i], db))
            VEC_PUSH(ctx->arena, ret, all.items[i]);
    }
    return true;
}
