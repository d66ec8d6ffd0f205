/*
 * COPY … FROM STDIN in the binary or text format: begin, put any number of times, end; and COPY …
 * TO STDOUT: read_begin, read until the end. When one of them fails the COPY is over, and the
 * transaction, if there is one, can be rolled back.
 */
#pragma once

#include "db/db.h"

/* Starts a COPY … FROM STDIN; any other statement is an error, and may have been run. */
bool db_copy_begin(struct ctx *ctx, struct db *db, const char *sql) MUST_CHECK;

/*
 * Sends bytes; any cut is fine. What the server has not taken yet is sent while the caller makes
 * the next piece or in the next call, so pieces of some 256 kB are best. An error of the server,
 * such as a row that it refuses, is told by db_copy_end().
 */
bool db_copy_put(struct ctx *ctx, struct db *db, const void *data, size_t length) MUST_CHECK;

/* Ends it and takes the server's answer: the number of rows. */
bool db_copy_end(struct ctx *ctx, struct db *db, int64_t *ret_rows) MUST_CHECK;

/* Starts a COPY … TO STDOUT; any other statement is an error, and may have been run. */
bool db_copy_read_begin(struct ctx *ctx, struct db *db, const char *sql) MUST_CHECK;

/*
 * Appends the next rows to piece, some 256 kB and no row cut; its length is the caller's to set
 * back. *ret_is_end: these were the last ones, and the server said that there are no more.
 */
bool db_copy_read(struct ctx *ctx, struct db *db, struct buffer *piece, bool *ret_is_end)
    MUST_CHECK;

/* Ends the reading before its end; the connection takes the next statement. */
void db_copy_read_stop(struct db *db);
