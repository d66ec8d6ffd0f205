/* What a connection is connected to. */
#include "db/connection.h"

int
db_major(const struct db *db)
{
    return db->version / 10000;
}

int
db_version(const struct db *db)
{
    return db->version;
}

const char *
db_version_text(const struct db *db)
{
    return db->version_text;
}

const char *
db_name(const struct db *db)
{
    return PQdb(db->conn);
}

const char *
db_user(const struct db *db)
{
    return PQuser(db->conn);
}

const char *
db_host(const struct db *db)
{
    return PQhost(db->conn);
}

const char *
db_port(const struct db *db)
{
    return PQport(db->conn);
}

int
db_backend_pid(const struct db *db)
{
    return PQbackendPID(db->conn);
}

bool
db_is_connected(const struct db *db)
{
    return PQstatus(db->conn) == CONNECTION_OK;
}

const char *
db_label(struct arena *arena, const struct db *db)
{
    const char *host = db_host(db);

    if (host && *host == '/')
        return arena_printf(arena, "%s @ %s", db_name(db), host);
    return arena_printf(arena, "%s @ %s:%s", db_name(db), host ? host : "", db_port(db));
}
