/* What the files of the pool share; nobody else includes this. */
#pragma once

#include "db/evented_part.h"
#include "db/pool/pool.h"

enum {
    POOL_FEW = 4,
    POOL_OPENING_MOST = 8,   /* connections that are opened at a time */
    POOL_BACKOFF_US = 50000, /* after the first that could not be opened; then doubled */
    POOL_BACKOFF_MOST_US = 1000000,
    POOL_PATIENCE_US = 5000000, /* that work waits for a server that is down */
    POOL_HOLD_US = 10000,       /* after a lost connection: the others may end, too */
    POOL_SLOW_US = 50000,       /* a shared connection gets nothing new behind such a statement */
    POOL_CANCEL_AGAIN_US = 250000,
    POOL_GRACE_US = 2000000, /* for the answer to a cancel, or to a ping */
    POOL_SPARE_MOST = 1024,
};

/* In a queue, or on a connection; in the order of coming. */
struct pool_line {
    struct pool_ticket *first;
    struct pool_ticket *last;
    int32_t count;
};

struct pool_ticket {
    struct pool *pool;
    struct pool_line *line; /* NULL: none */
    struct pool_ticket *before;
    struct pool_ticket *after;
    struct pool_connection *connection; /* that it runs on, or NULL */
    struct pool_lease *lease;           /* that it runs for, or NULL */
    pool_leased *leased;                /* it waits for a lease */
    pool_done *done;                    /* NULL: of the pool itself, or dropped */
    void *data;
    struct arena *arena; /* not touched after it was dropped */
    enum pool_lane lane;
    bool is_repeatable;
    bool is_dropped;
    bool is_over_limit;
    bool is_sent; /* completely, so that it may have been run */
    bool is_own;
    int32_t tries;
    int32_t sent; /* statements */
    int64_t queued_us;
    int64_t sent_us;
    int64_t wait_until_us;
    int64_t limit_us; /* as given */
    int64_t until_us; /* INT64_MAX: no limit */

    size_t count;
    struct pool_statement few[POOL_FEW];
    struct prepared_sending few_sendings[POOL_FEW];
    struct pool_statement *statements;
    struct prepared_sending *sendings;
    struct rows *rows;
    size_t at; /* the statement whose answer is expected */
    bool has_parsed;
    bool can_be_sent_anew; /* it failed only for a statement that the server has forgotten */
    struct error error;
    bool *gone; /* told when it is freed, or NULL */
};

/* Of a lane: what waits, and how many connections there are. */
struct pool_queue {
    struct pool_line line;
    int32_t open; /* those that are being opened included */
    int32_t opening;
    int32_t coming; /* asked whether they live, or reset */
    struct pool_connection *connections;
};

struct pool_connection {
    struct pool *pool;
    struct pool_connection *before; /* of its lane */
    struct pool_connection *after;
    struct pool_connection *idle_before; /* of those that are idle, the one used last first */
    struct pool_connection *idle_after;
    enum pool_lane lane;
    bool is_opening;
    bool is_idle;
    bool is_broken;   /* to be dropped by the sweep */
    bool is_retiring; /* gets no work any more */
    bool ended_once;
    bool needs_flush;
    struct evented *evented; /* its opening; lives as long as db */
    struct db *db;
    struct loop_watch *watch;
    struct prepared_set prepared;
    struct pool_line flights;
    struct pool_lease *lease;
    struct background *cancel;
    /* Whom the cancel was meant for; until all is answered, since it may hit the next. */
    struct pool_ticket *cancel_for;
    struct pool_ticket *held; /* a lease's: answered, but its cancel is still under way */
    int64_t cancel_at_us;     /* the next one */
    int64_t drop_us;          /* 0: not asked to cancel */
    int64_t retire_us;
    int64_t idle_us; /* since */
    int64_t head_us; /* since when the first flight is the first */
};

struct pool_lease {
    struct pool *pool;                  /* NULL: the pool is gone */
    struct pool_connection *connection; /* NULL: lost */
    struct pool_ticket *ticket;
    int32_t statements;
    int64_t waited_us;
    int64_t given_us;
};

struct pool {
    struct arena *arena;
    struct loop *loop;
    struct pool_options options;
    struct pool_queue queues[2];        /* by lane */
    struct pool_line failed;            /* to be called back, with their error */
    struct pool_connection *idle_first; /* of the exclusive lane */
    struct pool_connection *idle_last;
    struct pool_ticket *spare;
    int32_t spare_count;
    struct loop_timer *timer;
    struct loop_timer *flusher;
    int64_t sweep_us; /* when the timer is due; INT64_MAX: not set */
    int64_t retry_us; /* when the next connection may be opened; 0: at once */
    int64_t backoff_us;
    int64_t hold_us;    /* nothing is sent until then; 0: not so */
    int64_t down_us;    /* since when no connection is open and none could be opened; 0: it is up */
    int64_t alone_us;   /* when a connection that was open was closed last, or the pool was made */
    bool is_failing;    /* the last one that was tried could not be opened … */
    struct ctx opening; /* … and why */
    uint64_t chance;
    bool is_dispatching;
    bool is_draining;
    bool is_closing;
    loop_callback *drained;
    void *drained_data;
    struct error full;
    struct error closed;
    struct pool_statistics statistics;
};

/* pool_queue.c */
void pool_line_add(struct pool_line *line, struct pool_ticket *ticket);
void pool_line_add_first(struct pool_line *line, struct pool_ticket *ticket);
void pool_line_remove(struct pool_ticket *ticket);
/* The first, which is in it no more; NULL: there is none. */
struct pool_ticket *pool_line_take(struct pool_line *line);
/* Why nothing more can be taken now, or NULL. */
const struct error *pool_refusal(struct pool *pool, enum pool_lane lane);
/* Behind all others of its lane. */
void pool_queue_ticket(struct pool_ticket *ticket);
/* It was sent, or nearly, and is so again, before all others. */
void pool_queue_again(struct pool_ticket *ticket);

/* It takes nothing more and nothing waits. */
bool pool_is_winding_up(const struct pool *pool);

/* pool_ticket.c */
struct pool_ticket *pool_ticket_new(struct pool *pool);
void pool_ticket_free(struct pool_ticket *ticket);
/* A copy of work's statements. */
void pool_ticket_fill(struct pool_ticket *ticket, const struct pool_work *work);
/* With texts of its own. */
struct error pool_error_copy(struct arena *arena, const struct error *error);
/* Calls back and frees it. */
void pool_ticket_end(struct pool_ticket *ticket);
/* The same, but from the loop: later. The error's texts are copied. */
void pool_ticket_fail(struct pool_ticket *ticket, const struct error *error);
void pool_ticket_fail_text(struct pool_ticket *ticket, enum error_kind kind, const char *why);
/* Calls back what has failed. */
void pool_end_failed(struct pool *pool);

/* pool_connection.c */
/* No connection is open, at most some are being opened. */
bool pool_is_alone(const struct pool *pool);
/* Lanes may lend each other what is idle. */
void pool_connection_move(struct pool_connection *connection, enum pool_lane lane);
bool pool_connection_open(struct pool *pool, enum pool_lane lane);
void pool_connection_close(struct pool_connection *connection);
/* It is of no use any more: what was sent on it fails or is tried again. */
void pool_connection_lose(struct pool_connection *connection);
/* Nothing is under way: it is reset if it has to be, and idle then. */
void pool_connection_rest(struct pool_connection *connection);
void pool_connection_take(struct pool_connection *connection); /* out of the idle ones */
/* Asks the server to end what runs for the ticket. */
void pool_connection_cancel(struct pool_connection *connection, struct pool_ticket *ticket);
/* Whether the other side has closed; asks the socket. */
bool pool_connection_is_alive(struct pool_connection *connection);
/* A life of recycle_us, less up to a tenth of it, by a number by chance. */
int64_t pool_recycle_after(int64_t recycle_us, uint64_t chance);
uint64_t pool_chance(struct pool *pool);

/* pool_flight.c */
void pool_flight_send(struct pool_connection *connection, struct pool_ticket *ticket);
/* Sends what was kept to go together. */
void pool_flight_flush(void *data);
void pool_flight_ping(struct pool_connection *connection);
void pool_flight_reset(struct pool_connection *connection);
/* Takes the answers that have come; false: the connection is lost. */
bool pool_flight_receive(struct pool_connection *connection, bool can_read);

/* pool_dispatch.c */
/* Gives what waits to connections that are free, and opens some if there are too few. */
void pool_dispatch(struct pool *pool);

/* pool_sweep.c */
void pool_sweep(void *data);
/* The sweep comes at this time or before. */
void pool_sweep_at(struct pool *pool, int64_t at_us);

/* pool_lease.c */
void pool_lease_give(struct pool_connection *connection, struct pool_ticket *ticket);
