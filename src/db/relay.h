/*
 * A session whose bytes somebody else speaks: it was opened and authenticated by us, then a client
 * talks through it while we look on. Between two of the client's requests db's own calls
 * (db_select() …) may use the same session, and so see what its transaction sees; they lose its
 * unnamed prepared statement, which db_relay_prepare() makes again.
 */
#pragma once

#include "db/db.h"

/*
 * Takes back what db_open() pinned: the session's settings are those that role, database and URL
 * give to any client. ERR_UNSUPPORTED when it is encrypted by GSSAPI.
 */
bool db_relay_begin(struct ctx *ctx, struct db *db) MUST_CHECK;

/* The socket to wait for, with poll(2). */
int db_relay_socket(const struct db *db);

/*
 * As read(2) and write(2) without waiting, under TLS too: *ret_count is 0 when there is nothing to
 * read or no room to write. False with ERR_CONNECTION when the server is gone.
 */
bool db_relay_read(struct ctx *ctx, struct db *db, void *data, size_t size, size_t *ret_count)
    MUST_CHECK;
bool db_relay_write(
    struct ctx *ctx, struct db *db, const void *data, size_t size, size_t *ret_count) MUST_CHECK;

/* The unnamed prepared statement, with the types that the client gave. Errors are the server's. */
bool db_relay_prepare(struct ctx *ctx, struct db *db, const char *sql, const uint32_t *types,
    size_t type_count) MUST_CHECK;

/* The ParameterStatus that the session has now, for the client; NULL if there is none. */
const char *db_relay_parameter(const struct db *db, const char *name);
