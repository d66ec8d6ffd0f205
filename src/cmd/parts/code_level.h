/*
 * "pgmend rollback --level code": every flag back to 0, at once, and then the command that brings the release before
 * back, where one is configured.
 */
#pragma once

#include "cli/command.h"
#include "cmd/parts/health_tell.h"

struct code_level {
    const struct text_list *names; /* of flags; none: all that are above 0 */
    const char *reason;
    const char *release_command; /* or NULL */
    int64_t release_timeout_us;
    struct health_options health;
};

/* The flags stay off until somebody sets them. ERR_FAILED when the command failed: they are off then. */
bool rollback_code(struct ctx *ctx, struct run *run, const struct code_level *level) MUST_CHECK;
