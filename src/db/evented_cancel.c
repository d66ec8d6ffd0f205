/*
 * Cancelling: libpq's call connects, sends, and waits until the server has closed, for as long as a
 * stopped server likes. So it runs in a thread, which ends by itself.
 */
#include "db/evented_part.h"

enum { WHY_SIZE = 256 };

static void
cancel_work(void *data)
{
    char why[WHY_SIZE];

    /* If it fails the statement ended by itself, or the connection will be dropped. */
    (void)PQcancel(data, why, sizeof(why));
}

static void
cancel_drop(void *data)
{
    PQfreeCancel(data);
}

static void
cancel_done(void *owner, void *data)
{
    struct evented *evented = owner;

    (void)data;
    evented->cancel = NULL;
    /* What was answered meanwhile waits for this, so that no later statement is hit. */
    if (evented->flight.arena)
        evented_advance(evented, false);
}

struct background *
db_cancel_on_loop(
    struct loop *loop, const struct db *db, void (*done)(void *owner, void *data), void *owner)
{
    struct background_job job = {
        .work = cancel_work,
        .done = done,
        .drop = cancel_drop,
        .data = PQgetCancel(db->conn),
        .owner = owner,
    };
    struct background *background = job.data ? background_run(loop, &job) : NULL;

    if (job.data && !background)
        cancel_drop(job.data);
    return background;
}

void
evented_cancel(struct evented *evented)
{
    if (!evented->cancel)
        evented->cancel = db_cancel_on_loop(evented->loop, evented->db, cancel_done, evented);
}
