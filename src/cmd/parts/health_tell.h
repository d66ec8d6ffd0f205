/*
 * After something was undone or switched: is the service well? The checklist once (as "monitor --single-shot"),
 * and the application's own health address when one is configured.
 */
#pragma once

#include "cli/command.h"

struct health_options {
    const char *url;    /* of the application, answers 200; or NULL */
    int64_t timeout_us; /* of that answer */
};

/* Asks and prints; *ret_well: nothing critical, and the address answers. False only for a signal. */
bool health_tell(struct ctx *ctx, struct run *run, struct db *db,
    const struct health_options *options, bool *ret_well) MUST_CHECK;
