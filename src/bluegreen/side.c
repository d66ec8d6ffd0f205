/* Sides of a pair as servers know them: where they are, who may write. */
#include <inttypes.h>

#include "bluegreen/part.h"
#include "change/journal.h"
#include "db/ident.h"
#include "db/target.h"
#include "sql.h"

bool
bg_exec(struct ctx *ctx, struct db *db, const char *format, ...)
{
    va_list args;

    va_start(args, format);

    const char *sql = arena_vprintf(ctx->arena, format, args);

    va_end(args);
    return db_exec(ctx, db, sql);
}

/* A value of a connection string: in quotes, which it may hold itself. */
static void
add_parameter(struct buffer *buffer, const char *name, const char *value)
{
    buffer_printf(buffer, "%s%s='", buffer->length > 0 ? " " : "", name);
    for (const char *at = value; *at; at++) {
        if (*at == '\'' || *at == '\\')
            buffer_add(buffer, "\\");
        buffer_append(buffer, at, 1);
    }
    buffer_add(buffer, "'");
}

const char *
bg_with_database(struct arena *arena, const char *conninfo, const char *database)
{
    struct buffer buffer = { .arena = arena };

    buffer_add(&buffer, conninfo);
    add_parameter(&buffer, "dbname", database);
    return buffer_text(&buffer);
}

const char *
bg_conninfo(struct ctx *ctx, const struct db *db, const char *url)
{
    struct buffer buffer = { .arena = ctx->arena };
    struct db_target target = { 0 };

    /* Only for what encrypts: where it leads to is known. */
    if (!db_target_read(ctx, url, &target))
        error_clear(ctx);
    add_parameter(&buffer, "host", db_host(db));
    add_parameter(&buffer, "port", db_port(db));
    add_parameter(&buffer, "user", db_user(db));
    if (target.ssl_mode)
        add_parameter(&buffer, "sslmode", target.ssl_mode);
    return buffer_text(&buffer);
}

bool
bg_cluster(struct ctx *ctx, struct db *db, const char **ret)
{
    if (!journal_system_identifier(ctx, db, ret))
        return false;
    if (!*ret)
        *ret = arena_printf(ctx->arena, "%s:%s", db_host(db), db_port(db));
    return true;
}

bool
bg_database_id(struct ctx *ctx, struct db *db, const char *name, uint32_t *ret)
{
    struct sql_bluegreen_database_by_name_rows rows;

    *ret = 0;
    if (!sql_bluegreen_database_by_name(ctx, db, &rows, .name = name))
        return false;
    if (rows.count == 1)
        *ret = rows.items[0].id;
    return true;
}

bool
bg_open_like(
    struct ctx *ctx, struct db *db, const char *database, enum access access, struct db **ret)
{
    const struct db_options options = { .database = database, .access = access };

    return db_open_like(ctx, db, &options, ret);
}

bool
bg_install(struct ctx *ctx, struct db *db)
{
    struct sql_bluegreen_state_exists_rows there;

    if (!journal_check_format(ctx, db) || !sql_bluegreen_state_exists(ctx, db, &there))
        return false;
    if (there.count == 1 && there.items[0].is_there)
        return sql_bluegreen_create_beat(ctx, db);
    return (sql_change_create_schema(ctx, db) && sql_bluegreen_create_state(ctx, db) &&
               sql_bluegreen_create_beat(ctx, db)) ||
           error_wrap(ctx, "creating schema pgmend in database \"%s\"", db_name(db));
}

/*
 * Replication itself goes on: what applies rows does not ask whether its transaction is read-only, and our own
 * sessions say themselves whether they write.
 */
bool
bg_close_writers(struct ctx *ctx, struct db *db, bool is_closed)
{
    const char *name = db_ident(ctx->arena, db_name(db));

    if (is_closed)
        return bg_exec(ctx, db, "ALTER DATABASE %s SET default_transaction_read_only = on", name);
    return bg_exec(ctx, db, "ALTER DATABASE %s RESET default_transaction_read_only", name);
}
