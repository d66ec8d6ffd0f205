/* What the files about PgBouncer know of each other; nobody else includes this. */
#pragma once

#include "db/pgbouncer.h"

struct pgbouncer {
    struct arena *arena;
    const char *url;
    struct db *db; /* NULL: not connected at the moment */
};

/*
 * One command of the console; limit_us 0: 10 s. ERR_TIMEOUT when there is no answer. After that, a signal, and what
 * broke the connection, it is closed and made again by the next command.
 */
bool pgbouncer_ask(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *command,
    int64_t limit_us, struct result *ret) MUST_CHECK;

/* A name as the console wants it. */
const char *pgbouncer_quoted(struct arena *arena, const char *name);
