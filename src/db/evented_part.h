/* What the files of evented share; nobody else includes this. */
#pragma once

#include "base/vec.h"
#include "db/background.h"
#include "db/connection.h"
#include "db/evented.h"

enum evented_state {
    EVENTED_STARTING,   /* a thread looks up names */
    EVENTED_CONNECTING, /* libpq is told what the socket can do */
    EVENTED_CHECKING,   /* is the session ours alone? */
    EVENTED_PINNING,
    EVENTED_OPEN,
    EVENTED_ENDED, /* could not be opened, or was lost */
};

struct evented_prepared {
    const struct query *query;
    int64_t number; /* of its name: "q7" */
};

/* What is under way: requests as they were given, their replies so far. */
struct evented_flight {
    struct arena *arena; /* NULL: nothing is under way */
    struct evented_request *requests;
    struct evented_reply *replies;
    struct evented_prepared *preparing; /* a request's new statement; number 0: none */
    size_t count;
    size_t at;        /* the reply that is expected next */
    bool is_answered; /* it has had a result */
    bool ended_once;  /* libpq said that there are no more results of this statement */
    int64_t mark_us;  /* the answer before it, or the sending */
    int64_t drop_us;  /* when the connection is dropped; 0: the limit is not reached yet */
    int64_t limit_us;
    evented_done *done;
    void *data;
};

struct evented {
    struct db *db;
    struct loop *loop;
    struct loop_watch *watch;
    struct loop_timer *timer; /* the limit of what is under way, or a failure to be told */
    struct evented_events events;
    enum evented_state state;
    int64_t open_until_us;
    bool is_plain;
    bool is_broken; /* to be told from the loop */
    const char *label;
    const char *database;
    const char *host;
    const char *last_words; /* the server's FATAL, or NULL */
    struct background *start;
    struct background *cancel;
    struct ctx ctx; /* for errors of the connection itself */
    VEC(struct evented_prepared) prepared;
    int64_t prepared_number;
    struct evented_flight flight;
};

/* Watches the socket for what the state needs. */
void evented_listen(struct evented *evented, bool for_write);

/* evented_send_all(), also while it is not open yet. */
void evented_begin(struct evented *evented, const struct evented_sending *sending);

/* The socket can be read or written while a flight is under way, or none; calls back at most once. */
void evented_advance(struct evented *evented, bool can_read);
/* The time of the flight is over, or its connection is broken. */
void evented_expire(struct evented *evented);

/* Asks the server to cancel, in a thread: libpq's call waits for the answer. */
void evented_cancel(struct evented *evented);
