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
    int64_t clients; /* connected to the pooler */
    int64_t servers; /* connections of the pooler to the server */
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

/*
 * Those that lead to this server's database; clients of others are not touched. The server is asked whether the
 * pooler's connections are its own; where there are none, host and port have to be the same.
 */
bool pgbouncer_find(struct ctx *ctx, struct pgbouncer *pgbouncer, struct db *db,
    const char *database, struct pgbouncer_databases *ret) MUST_CHECK;

/* Server processes behind a database of the pooler; an array in the arena. */
bool pgbouncer_backends(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name,
    int64_t **ret_pids, size_t *ret_count) MUST_CHECK;

/*
 * Lets running transactions end and holds new ones back. ERR_TIMEOUT when they do not end within limit_us; it
 * is resumed then, so that no client waits longer. ERR_CONFLICT when somebody has paused it already,
 * ERR_UNSUPPORTED in session mode, where clients would have to leave.
 */
bool pgbouncer_pause(
    struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name, int64_t limit_us) MUST_CHECK;

/* Also after a signal, and through a new connection when ours is gone. Fine when it is not paused. */
bool pgbouncer_resume(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name) MUST_CHECK;

/* Reads its configuration file again. */
bool pgbouncer_reload(struct ctx *ctx, struct pgbouncer *pgbouncer) MUST_CHECK;

/*
 * A process beside us that resumes these databases when we are gone without having said pgbouncer_unguard(), so
 * that not even SIGKILL leaves clients waiting. Begun before the first pause.
 */
struct pgbouncer_guard;
bool pgbouncer_guard(struct ctx *ctx, struct pgbouncer *pgbouncer, const struct text_list *names,
    struct pgbouncer_guard **ret) MUST_CHECK;

/* Everything is resumed: the guard ends. With NULL nothing happens. */
void pgbouncer_unguard(struct pgbouncer_guard **guard);
