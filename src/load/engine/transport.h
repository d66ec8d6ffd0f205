/* What the engine asks of a protocol, and what a protocol tells the engine. */
#pragma once

#include "event/edge.h"
#include "load/engine/engine.h"
#include "load/scenario/scope.h"

struct load_user;       /* the engine's: one virtual user */
struct load_connection; /* the transport's: that user's connection */

struct load_transport {
    /* Looks at the target and makes what all connections share. Errors as load_engine_run() has them. */
    bool (*open)(struct ctx *ctx, const struct load_scenario *scenario,
        const struct load_options *options, struct edge_set *edges, void **ret);
    void (*close)(void *shared);
    /* Not connected yet. Lives as long as shared. */
    struct load_connection *(*add)(void *shared, struct load_user *user, struct load_scope *scope);
    /*
     * Begins to connect: load_user_connected() or load_user_lost() come later, never from inside. False with
     * errno: there is no socket to be had now.
     */
    bool (*connect)(struct load_connection *connection);
    /* Sends a step on a connection that is idle: load_user_answered() or load_user_lost() come, perhaps at once. */
    void (*send)(struct load_connection *connection, const struct load_step *step);
    /* Closes at once; nothing is told any more until the next connect(). */
    void (*disconnect)(struct load_connection *connection);
};

extern const struct load_transport load_http_transport;
extern const struct load_transport load_sql_transport;

struct load_answer {
    enum load_outcome outcome;
    int32_t status;       /* HTTP */
    const char *sqlstate; /* SQL, of a failure; or "" */
    const char *message;  /* of a failure, for people: lives during the call; or NULL */
    int64_t at_us;      /* clock_us() when the answer was complete: by the kernel where it tells */
    int64_t bytes;      /* of the answer */
    int32_t statements; /* X-Query-Count, or statements of the script; -1: not known */
    bool is_closing;    /* the server closes after this answer: the user connects anew by itself */
};

/* engine/user.c */
void load_user_connected(struct load_user *user);
void load_user_answered(struct load_user *user, const struct load_answer *answer);
/* The connection is gone (already closed); a request under way has failed with it. */
void load_user_lost(struct load_user *user, enum load_outcome outcome, const char *message);
