/* The command by which a team brings the release before back; what it did stands in the journal. */
#pragma once

#include "cli/command.h"

struct rollback_release {
    const char *command;
    int64_t timeout_us;
    int64_t us;       /* that it took */
    int status;       /* exit status; 128 and more: a signal */
    const char *last; /* of its output, at most ten lines */
};

/*
 * Runs it by /bin/sh. ERR_FAILED for a status other than 0, ERR_TIMEOUT: it was ended with all that it started.
 */
bool rollback_release_run(struct ctx *ctx, struct run *run, struct rollback_release *release)
    MUST_CHECK;
