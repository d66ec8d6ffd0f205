/* Where a database URL leads to, for who speaks with the server himself. Nothing is connected. */
#pragma once

#include "base/ctx.h"

struct db_target {
    const char *host; /* name, address, or folder of the socket */
    const char *port;
    const char *database; /* NULL: not said */
    const char *ssl_mode; /* NULL: not said */
    const char *ca_file;  /* NULL: none */
};

/* url NULL: DATABASE_URL, then libpq's PG*. ERR_USAGE. */
bool db_target_read(struct ctx *ctx, const char *url, struct db_target *ret) MUST_CHECK;
