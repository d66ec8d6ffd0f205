/* Which queries a connection has parsed: each once, with its first sending, in the same flight. */
#pragma once

#include "base/vec.h"
#include "db/connection.h"

enum { PREPARED_NAME_SIZE = 24 };

struct prepared {
    const struct query *query;
    int64_t number; /* 0: it must be made anew */
    bool is_made;   /* else it is under way */
    char name[PREPARED_NAME_SIZE];
};

struct prepared_set {
    VEC(struct prepared) items;
    int64_t last_number;
};

/* What a sending does besides asking: number is 0 when nothing is parsed, -1: under no name. */
struct prepared_sending {
    const struct query *query;
    int64_t number;
};

/*
 * Sends the query, with the parsing if that is due. While another sending that may yet fail parses it,
 * it is parsed under no name. False: libpq could not.
 */
bool prepared_send(struct prepared_set *set, struct db *db, struct arena *arena,
    const struct query *query, const void *args, struct prepared_sending *ret) MUST_CHECK;
/* The server has parsed it. */
void prepared_made(struct prepared_set *set, const struct prepared_sending *sending);
/* Its flight is over: what was not parsed by it is made anew the next time. */
void prepared_ended(struct prepared_set *set, const struct prepared_sending *sending);
/*
 * True, and it is made anew, when the error says that the server has forgotten the statement, or that
 * its result changed its form.
 */
bool prepared_forget(struct prepared_set *set, const struct query *query, const char *sqlstate);
