/*
 * One connection on a loop: opening, and several statements in one round trip (pipeline mode), with
 * nothing that blocks. Each statement is a transaction of its own, so one that fails leaves the
 * others alone.
 */
#pragma once

#include "db/db.h"
#include "db/query.h"
#include "event/loop.h"

struct evented;

struct evented_request {
    const struct query *query; /* from src/sql, with its argument struct */
    const void *args;
    const char *sql; /* or a statement composed by the caller, with $1… as text */
    const char *const *params;
    size_t param_count;
    struct arena *arena; /* where its rows and its error live; NULL: that of the flight */
};

struct evented_reply {
    bool is_good;
    struct error error;   /* when it is not */
    struct rows rows;     /* of a query with columns */
    struct result result; /* of a composed statement */
    int64_t elapsed_us;   /* since the answer before it, or since sending */
};

struct evented_events {
    /* The session is prepared and can be used; error: it could not be, and evented is done for. */
    void (*opened)(void *data, const struct error *error);
    /* The connection was lost outside of a request; evented is done for. */
    void (*lost)(void *data, const struct error *error);
    void *data;
    /*
     * A NOTIFY on a channel that a LISTEN was sent for; may be NULL. It comes between flights or before
     * the end of one, and neither sends nor closes: it sets a timer for that.
     */
    void (*notified)(void *data, const char *channel, const char *payload);
};

/*
 * Begins to connect and to pin the session as db_open() does; opened() is called from the loop, at the
 * latest after the connect time-out. Names are looked up in a thread of their own (see evented_open.c
 * for what is left). ERR_UNSUPPORTED, before anything is pinned, through a connection pooler: its
 * session is not ours alone. False only for a URL that cannot be read.
 */
bool evented_open(struct ctx *ctx, struct loop *loop, const struct db_options *options,
    const struct evented_events *events, struct evented **ret) MUST_CHECK;

/*
 * The same for what only speaks the simple protocol, as PgBouncer's console does: nothing is pinned,
 * the version does not matter, and requests are composed statements without parameters, which are
 * sent one after the other.
 */
bool evented_open_plain(struct ctx *ctx, struct loop *loop, const struct db_options *options,
    const struct evented_events *events, struct evented **ret) MUST_CHECK;

/* Closes at once; may be called from any callback. */
void evented_close(struct evented *evented);

/*
 * evented_send(evented, requests, count, limit_us, arena, done, data):
 * sends all requests in one flight; done() gets all replies, in order. When there is no answer within
 * limit_us the statements are cancelled, and if the server does not answer that either (a stopped
 * process) the connection is dropped: the replies say ERR_TIMEOUT or ERR_CONNECTION, and
 * evented_is_open() is false. Rows live in the given arena. A query is prepared the first time.
 * One flight at a time: a second one is a bug. done() may close, or send again.
 */
typedef void evented_done(void *data, struct evented_reply *replies, size_t count);

struct evented_sending {
    const struct evented_request *requests; /* copied */
    size_t count;
    int64_t limit_us;
    struct arena *arena;
    evented_done *done;
    void *data;
};
void evented_send_all(struct evented *evented, const struct evented_sending *sending);

#define evented_send(evented, ...) \
    evented_send_all((evented), &(const struct evented_sending){ __VA_ARGS__ })

bool evented_is_busy(const struct evented *evented);
bool evented_is_open(const struct evented *evented);
int evented_major(const struct evented *evented);
int evented_backend_pid(const struct evented *evented);
/* "replyx @ db:5432", known before it is open. */
const char *evented_label(const struct evented *evented);
const char *evented_database(const struct evented *evented);
const char *evented_host(const struct evented *evented);
