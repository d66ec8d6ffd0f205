/*
 * Ctrl-C and SIGTERM. The first one asks the work to stop and clean up; another one, a second after it
 * or later, ends the program at once. What comes sooner is the same one, told twice.
 */
#pragma once

#include "base/ctx.h"

/* Starts to catch SIGINT and SIGTERM; SIGPIPE is ignored. */
void interrupt_catch(void);

/* The signal that asked us to stop, or 0. */
int interrupt_signal(void);

/* Forgets the signal, so that what cleans up is not stopped too; returns what it was. */
int interrupt_take(void);

/* As if the signal had come (a clean-up puts back what it took). */
void interrupt_put(int signal);

/*
 * An eventfd that the signal is also written to, so that what waits for it wakes up whichever thread
 * the signal came to; -1: none. Returns the one before.
 */
int interrupt_wake(int eventfd);

/* Sets ERR_INTERRUPTED or ERR_TERMINATED according to the signal and returns false. */
bool interrupt_error(struct ctx *ctx, int signal);
