#include "db/target.h"

#include "base/file.h"
#include "db/connection.h"

static const char standard_port[] = "5432";

/* Where libpq looks when no host is named depends on how it was built: Debian's folder, or the old one. */
static const char *
standard_host(struct arena *arena, const char *port)
{
    static const char *const folders[] = { "/var/run/postgresql", "/tmp" };

    for (size_t i = 0; i < COUNT_OF(folders); i++)
        if (file_exists(arena_printf(arena, "%s/.s.PGSQL.%s", folders[i], port)))
            return folders[i];
    return "localhost";
}

/* As libpq does when sslrootcert is not given. */
static const char *
standard_ca(struct arena *arena)
{
    const char *home = getenv("HOME");
    const char *path = home ? file_join(arena, home, ".postgresql/root.crt") : NULL;

    return path && file_exists(path) ? path : NULL;
}

static const char *
copy_of(struct arena *arena, const char *text)
{
    return text_is_empty(text) ? NULL : arena_strdup(arena, text);
}

bool
db_target_read(struct ctx *ctx, const char *url, struct db_target *ret)
{
    const struct db_options options = { .url = url };
    struct db *db CLEANUP(db_cleanup) = db_new(&options);
    struct arena *arena = ctx->arena;
    struct db_params params;
    const char *host, *port;

    if (!db_check_url(ctx, url) || !db_params_read(ctx, db, &params))
        return false;
    host = db_params_get(&params, "host", "PGHOST");
    if (text_is_empty(host))
        host = db_params_get(&params, "hostaddr", "PGHOSTADDR");
    port = db_params_get(&params, "port", "PGPORT");
    if (text_is_empty(host) && db_params_get(&params, "service", "PGSERVICE")) {
        error_set(ctx, ERR_USAGE, "the database URL names a service and no host");
        return error_hint(ctx, "Name host and port: --db-url postgresql://HOST:PORT/");
    }
    if ((host && strchr(host, ',')) || (port && strchr(port, ','))) {
        error_set(ctx, ERR_USAGE, "the database URL names several hosts or ports");
        return error_hint(ctx, "Name the one that is meant: --db-url postgresql://HOST:PORT/");
    }
    *ret = (struct db_target){
        .port = text_is_empty(port) ? standard_port : arena_strdup(arena, port),
        .database = copy_of(arena, db_params_get(&params, "dbname", "PGDATABASE")),
        .ssl_mode = copy_of(arena, db_params_get(&params, "sslmode", "PGSSLMODE")),
        .ca_file = copy_of(arena, db_params_get(&params, "sslrootcert", "PGSSLROOTCERT")),
    };
    ret->host = text_is_empty(host) ? standard_host(arena, ret->port) : arena_strdup(arena, host);
    if (!ret->ca_file)
        ret->ca_file = standard_ca(arena);
    return true;
}
