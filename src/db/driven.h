/*
 * A connection whose caller waits: nothing here blocks, the socket is given out, and the caller says when it
 * can be read or written. For programs that load a server by many sessions at once. Nothing is pinned:
 * a session has the settings that the role and the database give it, as an application's has.
 */
#pragma once

#include "db/db.h"

/* Where connections lead to: read once, host names looked up once. */
struct driven_place;
struct driven;

/* To where db is connected; or, with an address and port, to a pooler that leads there. */
struct driven_way {
    const char *application;
    const char *address; /* NULL: none */
    const char *port;
};
bool driven_place_open(struct ctx *ctx, const struct db *db, const struct driven_way *way,
    struct driven_place **ret) MUST_CHECK;
void driven_place_close(struct driven_place *place);

/* Lives in the place's memory, not connected yet. */
struct driven *driven_new(struct driven_place *place);

enum driven_state {
    DRIVEN_READS,  /* goes on when the socket can be read */
    DRIVEN_WRITES, /* goes on when the socket can be read or written */
    DRIVEN_DONE,
    DRIVEN_FAILED, /* the server refused the statement; the session can be used */
    DRIVEN_LOST,   /* there is no connection any more */
};

/* What came of it. Texts live until the next call for any connection of the place. */
struct driven_answer {
    int64_t rows;
    int64_t bytes; /* of its values */
    char sqlstate[6];
    const char *message; /* of DRIVEN_FAILED and DRIVEN_LOST */
};

/*
 * Begins to connect. DRIVEN_READS and DRIVEN_WRITES: driven_connect_on() when the socket is ready, which may
 * be another one after each call. DRIVEN_LOST tells the cause; sqlstate is 53300 when there are too many.
 */
enum driven_state driven_connect(struct driven *driven, struct driven_answer *ret);
enum driven_state driven_connect_on(struct driven *driven, struct driven_answer *ret);
/* At once; driven_connect() begins anew. */
void driven_disconnect(struct driven *driven);
int driven_socket(const struct driven *driven);

/*
 * Asks the server to look whether we are still there while it works, so that what nobody waits for any more
 * does not go on. Nothing is done through a connection pooler. Answered like a statement.
 */
bool driven_ask_to_check(struct driven *driven) MUST_CHECK;
/* Whether a connection pooler stands between, as the answer to that says. */
bool driven_is_pooled(const struct driven *driven);

/*
 * Sends one statement, and its answer comes by driven_go_on(). False: the connection is lost. by_row:
 * the rows are thrown away one by one, for results that are too large to be held.
 */
bool driven_run(struct driven *driven, const char *sql) MUST_CHECK;
bool driven_prepare(struct driven *driven, const char *name, const char *sql) MUST_CHECK;
bool driven_execute(struct driven *driven, const char *name, const char *const *params,
    size_t count, bool by_row) MUST_CHECK;

/* Right after sending, and whenever the socket is ready. */
enum driven_state driven_flush(struct driven *driven);
enum driven_state driven_go_on(struct driven *driven, struct driven_answer *ret);

/* When the socket can be read and nothing is under way: DRIVEN_READS, or DRIVEN_LOST. */
enum driven_state driven_listen(struct driven *driven, struct driven_answer *ret);

bool driven_is_in_transaction(const struct driven *driven);

/* The last row of the answer by its column's name; NULL: there is none, or it is NULL. Until the next sending. */
const char *driven_value(const struct driven *driven, const char *column);
