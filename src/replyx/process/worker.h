/* One of the processes that answer. */
#pragma once

#include "replyx/process/parent.h"
#include "replyx/tally.h"

struct worker_start {
    const struct settings *settings;
    const struct program_call *call; /* to read settings again */
    struct tally *tally;
    int32_t number;
    int socket;          /* listens; the worker's to close */
    int control;         /* to the parent */
    bool needs_database; /* it takes over from one that works: without a database it ends instead */
};

/*
 * After fork() and until the parent, a signal or an error ends it; the exit status. Loop and threads are
 * made in here: neither lives through a fork.
 */
int worker_run(const struct worker_start *start);
