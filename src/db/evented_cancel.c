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

void
evented_cancel(struct evented *evented)
{
    struct background_job job = {
        .work = cancel_work,
        .done = cancel_done,
        .drop = cancel_drop,
        .data = PQgetCancel(evented->db->conn),
        .owner = evented,
    };

    if (evented->cancel || !job.data)
        return;
    evented->cancel = background_run(evented->loop, &job);
    if (!evented->cancel)
        cancel_drop(job.data);
}
