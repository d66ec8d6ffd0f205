/* What the files of evented and the pool share; nobody else includes this. */
#pragma once

#include "db/background.h"
#include "db/connection.h"
#include "db/evented.h"
#include "db/prepared.h"

enum evented_state {
    EVENTED_STARTING,   /* a thread looks up names */
    EVENTED_CONNECTING, /* libpq is told what the socket can do */
    EVENTED_CHECKING,   /* is the session ours alone? */
    EVENTED_PINNING,
    EVENTED_OPEN,
    EVENTED_ENDED, /* could not be opened, or was lost */
};

/* What is under way: requests as they were given, their replies so far. */
struct evented_flight {
    struct arena *arena; /* NULL: nothing is under way */
    struct evented_request *requests;
    struct evented_reply *replies;
    struct prepared_sending *preparing; /* of each request */
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
    struct prepared_set prepared;
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

/*
 * One that is open becomes its caller's: evented watches it no more, and goes away with db_close().
 * What the server says outside of answers still comes to last_words.
 */
struct db *evented_release(struct evented *evented);

/*
 * Asks the server to cancel what the connection does, in a thread: libpq's call waits for the answer.
 * NULL: it could not be asked.
 */
struct background *db_cancel_on_loop(
    struct loop *loop, const struct db *db, void (*done)(void *owner, void *data), void *owner);
/* The same for the flight that is under way. */
void evented_cancel(struct evented *evented);
