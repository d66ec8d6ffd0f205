/*
 * The process that was started: it opens the listening socket, keeps the workers running, listens to
 * signals and to systemd, and answers no request itself, so that hardly anything can end it.
 *
 * There is one listening socket, which all workers accept from, and not one for each with
 * SO_REUSEPORT: what waits in the queue of a socket is lost when that socket is closed, and waits for
 * nothing while its worker is dead or busy. The one socket stays open while workers come and go and
 * while one program takes over from another, so no connection is lost; and it is what systemd hands
 * over. That workers wake for a connection that another one takes costs little with connections that
 * are kept alive.
 */
#pragma once

#include "replyx/settings.h"

struct program_call {
    int argc; /* with the name of the program, which is run again to take over */
    char **argv;
};

/* Until a signal ends it; *ret_status is the exit status then. False: it could not start. */
bool parent_run(struct ctx *ctx, const struct settings *settings, const struct program_call *call,
    int *ret_status) MUST_CHECK;
