/*
 * The admin console of a PgBouncer. What it names a database is what clients connect to; where that leads
 * is in its configuration file.
 */
#pragma once

#include "base/vec.h"
#include "db/db.h"

struct pgbouncer;

struct pgbouncer_database {
    const char *name; /* what clients say */
    const char *host; /* NULL: a socket in the standard folder */
    const char *port;
    const char *database; /* on the server */
    const char *mode;     /* "transaction" */
    bool is_paused;
    int64_t clients;
    int64_t servers;
};

struct pgbouncer_databases {
    struct pgbouncer_database *items;
    size_t count;
    size_t capacity;
};

/*
 * Connects to the database "pgbouncer" of url. ERR_CONNECTION when nothing answers, ERR_RIGHTS when the user is none
 * of admin_users, ERR_UNSUPPORTED when it is no PgBouncer; each says what to do.
 */
bool pgbouncer_open(struct ctx *ctx, const char *url, struct pgbouncer **ret) MUST_CHECK;
void pgbouncer_cleanup(struct pgbouncer **pgbouncer);

bool pgbouncer_list(struct ctx *ctx, struct pgbouncer *pgbouncer, struct pgbouncer_databases *ret)
    MUST_CHECK;

/* Those that lead to this server's database; clients of others are not touched. */
bool pgbouncer_find(struct ctx *ctx, struct pgbouncer *pgbouncer, const struct db *db,
    const char *database, struct pgbouncer_databases *ret) MUST_CHECK;

/*
 * Lets running transactions end and holds new ones back. ERR_TIMEOUT when they do not end within limit_us; it
 * is resumed then, so that no client waits longer.
 */
bool pgbouncer_pause(
    struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name, int64_t limit_us) MUST_CHECK;

/* Also after a signal, and through a new connection when ours is gone. */
bool pgbouncer_resume(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name) MUST_CHECK;

/* Reads its configuration file again. */
bool pgbouncer_reload(struct ctx *ctx, struct pgbouncer *pgbouncer) MUST_CHECK;
