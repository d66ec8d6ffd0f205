/* One monitor a state folder: two would write each other's alerts over. */
#pragma once

#include "base/ctx.h"

/* Descriptor of the lock, which ends with the process; -1: none. */
struct single {
    int fd;
};

/* ERR_LOCKED, with the process that has it, when another monitor uses the folder. */
bool single_take(struct ctx *ctx, const char *folder, struct single *ret) MUST_CHECK;
void single_cleanup(struct single *single);
