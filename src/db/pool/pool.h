/*
 * Connections that are shared by the requests of one process, with SQLAlchemy's names for what can be
 * set. A request asks for work to be done and is called back; nothing blocks. Unlike QueuePool,
 * connections beyond size stay for a while (opening one costs eight times what a small query does), the
 * queue has an end, what waits for a client that has gone is forgotten and what runs for it is
 * cancelled.
 *
 * Two lanes. Exclusive: a connection is one request's until it is done, so it may hold a transaction.
 * Shared: a few connections carry many requests at a time (pipeline mode), each an implicit
 * transaction of its own, in the order of their sending; for short reads only. Connections of the two
 * lanes are different ones, so that heavy work never stands before light work.
 */
#pragma once

#include "db/db.h"
#include "db/query.h"
#include "event/loop.h"

struct pool;
struct pool_lease;
struct pool_ticket; /* what is waiting or running; gone when its callback was called */

enum pool_lane { POOL_EXCLUSIVE, POOL_SHARED };

struct pool_options {
    const char *name;      /* "web": in statistics and as part of application_name */
    struct db_options db;  /* where, as whom; copied */
    int32_t size;          /* connections that stay; 20 */
    int32_t most_overflow; /* more under load; 30 */
    int64_t timeout_us;    /* in the queue, then ERR_BUSY; 30 s */
    int64_t recycle_us;    /* a connection's life, less up to a tenth of it by chance; 3600 s */
    int64_t linger_us;     /* that an idle one beyond size stays; 10 s */
    int64_t
        ping_idle_us; /* one idle for longer is asked whether it lives before it is used; 30 s */
    int32_t most_waiting; /* beyond it ERR_BUSY at once; 500 */
    int32_t shared_size;  /* connections of the shared lane; 4 */
    int32_t shared_depth; /* requests under way on each; 16 */
    int64_t
        shared_most_us; /* a shared connection that takes longer for one request is cancelled; 5 s */
};

/* All values as above. */
void pool_options_set_defaults(struct pool_options *options);

/* Opens nothing yet: connections come with the first work. ERR_INPUT for a URL that is none. */
bool pool_new(struct ctx *ctx, struct loop *loop, const struct pool_options *options,
    struct pool **ret) MUST_CHECK;
/*
 * At once: callbacks that are due are called with ERR_CONNECTION. Not from within a callback of its
 * own, pool_drain()'s excepted. NULL is allowed.
 */
void pool_free(struct pool *pool);
/* Takes no more work (ERR_BUSY), and calls back when none is left and all connections are closed. */
void pool_drain(struct pool *pool, loop_callback *done, void *data);

/* A query of src/sql with its arguments, or a text without arguments and rows such as "BEGIN". */
struct pool_statement {
    const struct query *query;
    const void *args;
    const char *sql;
};

struct pool_outcome {
    bool is_good;
    struct error error;      /* of the first that failed; those after it were not run */
    const struct rows *rows; /* of each statement */
    size_t count;
    int32_t statements; /* that were sent for it, with what the pool itself asked (a ping) */
    int64_t waited_us;  /* in the queue */
    int64_t ran_us;
};
typedef void pool_done(void *data, const struct pool_outcome *outcome);

struct pool_work {
    const struct pool_statement *statements; /* copied, their args are not */
    size_t count;
    enum pool_lane lane; /* what has a statement that is a text runs exclusively */
    /*
     * It only reads, so it is sent again, once, when the connection was lost before an answer came.
     * Without it only what was certainly not sent is tried again: nothing is run twice.
     */
    bool is_repeatable;
    int64_t limit_us;    /* for waiting and running; 0: only the pool's timeout_us for waiting */
    struct arena *arena; /* where rows and errors live */
    pool_done *done;     /* once, from the loop; when it is refused, within the call itself */
    void *data;
};

/* All statements behind one Sync: one implicit transaction, one round trip. NULL: done() was called. */
struct pool_ticket *pool_run(struct pool *pool, const struct pool_work *work);
/* The client has gone: what waits is forgotten, what runs is cancelled; done() is not called. */
void pool_drop(struct pool_ticket *ticket);

/*
 * A connection for several round trips. leased() gets the lease, or NULL and why not; that can be
 * within this call, which then returns NULL.
 */
typedef void pool_leased(void *data, struct pool_lease *lease, const struct error *error);
struct pool_ticket *pool_lease(
    struct pool *pool, int64_t limit_us, pool_leased *leased, void *data);
/*
 * One round trip; one at a time. lane and limit for waiting do not matter here. After a lost connection
 * the outcome says ERR_CONNECTION, and so does all that follows.
 */
void pool_lease_run(struct pool_lease *lease, const struct pool_work *work);
/* What runs is cancelled; its done() is not called, and only pool_lease_end() may follow. */
void pool_lease_drop(struct pool_lease *lease);
/* Gives it back. A transaction that is open is rolled back first; otherwise nothing is sent. */
void pool_lease_end(struct pool_lease *lease);
/* Statements that were sent on it since it was leased, the pool's own included. */
int32_t pool_lease_statements(const struct pool_lease *lease);

struct pool_statistics {
    const char *name;
    int32_t size;
    int32_t open; /* connections, those of the shared lane included */
    int32_t busy;
    int32_t overflow; /* open beyond size */
    int32_t waiting;
    int64_t opened; /* since the start, as all below */
    int64_t failed; /* connections that could not be opened */
    int64_t lost;
    int64_t recycled;
    int64_t pinged;
    int64_t repeated;  /* work that was sent again */
    int64_t refused;   /* the queue was full */
    int64_t timed_out; /* in the queue */
    int64_t dropped;   /* its client had gone */
    int64_t cancelled;
    int64_t done;
    int64_t waited_us; /* sums over what is done */
    int64_t ran_us;
};
struct pool_statistics pool_statistics(const struct pool *pool);
/* Whether a connection is open, or one could be opened when it was last tried. */
bool pool_is_up(const struct pool *pool);
/* Why the last connection that was tried could not be opened; NULL: it could, or none was tried. */
const struct error *pool_trouble(const struct pool *pool);
