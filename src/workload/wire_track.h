/*
 * Which statements pass between a client and a server, found in the messages of both directions:
 * simple and extended protocol, prepared statements and portals, COPY, pipelines.
 */
#pragma once

#include "base/map.h"
#include "workload/wire.h"

struct wire_statement {
    const char *sql; /* as it was sent */
    size_t number;   /* wire_track.number, as the message passed */
    const char *tag; /* "UPDATE 3"; "" for an empty one or a portal left open; NULL: it failed */
    int64_t rows;    /* of the tags, summed up over one message; -1: there are none */
    int64_t started_us;
    int64_t us;
    bool was_in_transaction;
    bool is_failed;
    bool is_suspended; /* its portal has more rows: an Execute may go on with it */
    struct wire_error error;
};

struct wire_prepared {
    const char *sql;
    const uint32_t *types; /* that the client gave */
    size_t type_count;
};

/* A message of the client that the server has not answered yet. */
struct wire_pending {
    char type;          /* of the message: 'Q', 'P', 'B', 'D', 'E', 'C', 'S', 'F' */
    bool is_more;       /* an Execute that goes on with a portal: the statement has been told */
    const char *portal; /* of an Execute */
    struct wire_statement statement;
};

struct wire_track {
    struct arena *arena; /* of all texts; what is told lives as long */
    struct map prepared; /* name → struct wire_prepared */
    struct map portals;  /* name → struct wire_prepared */
    struct map left;     /* names of portals that have more rows → the same */
    VEC(struct wire_pending) pending;
    size_t answered;                 /* of pending */
    VEC(struct wire_statement) done; /* the reader takes them: .count = 0 */
    size_t number;                   /* for the next statement; the caller's own */
    int64_t last_us;                 /* when the last answer was complete */
    char status;                     /* of the transaction: 'I', 'T', 'E' */
    bool is_open;                    /* a Sync is missing */
    bool has_bound;                  /* since the last one more was asked than Parse and Describe */
    bool is_copying;                 /* the client sends rows: the server ignores its Syncs */
    bool is_skipping;                /* after an error the server ignores all before a Sync */
};

void wire_track_begin(struct arena *arena, struct wire_track *ret);

/* A message that was passed on, at clock_us(). */
void wire_track_client(struct wire_track *track, const struct wire_message *message, int64_t now);
void wire_track_server(struct wire_track *track, const struct wire_message *message, int64_t now);

/* The server is gone: what it worked on has failed. */
void wire_track_lost(struct wire_track *track, const char *message, int64_t now);

/* Nothing is unanswered and no Sync is missing: somebody else may use the session. */
bool wire_track_is_idle(const struct wire_track *track);

/* The statement that the server works on, or NULL. */
const struct wire_statement *wire_track_running(const struct wire_track *track);

/* The text of the statement that this message of the client would run; NULL: none. */
const char *wire_track_sql(const struct wire_track *track, const struct wire_message *message);

/* The name of the prepared statement that a Parse, Bind or Describe is about; NULL: none. */
const char *wire_track_name(const struct wire_message *message);
