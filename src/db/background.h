/*
 * A call that may block, such as the look-up of a name, in a thread of its own; the loop is told when
 * it has ended. What the call works on belongs to it alone until then.
 */
#pragma once

#include "event/loop.h"

struct background;

struct background_job {
    void (*work)(void *data); /* in the thread */
    void (*done)(
        void *owner, void *data); /* from the loop, unless background_leave() came before */
    void (*drop)(void *data);     /* frees data, at the very end, in whichever thread that is */
    void *data;
    void *owner;
};

/*
 * Without a thread to be had the call is made here and now. NULL when there is no file descriptor
 * left: then nothing was called, and data is still the caller's.
 */
struct background *background_run(struct loop *loop, const struct background_job *job);
/* The owner goes away; the work goes on by itself. NULL is allowed. */
void background_leave(struct background *background);
