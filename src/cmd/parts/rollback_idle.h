/* A rollback by a role that may only read, where there is nothing to be undone anyway. */
#pragma once

#include "cli/command.h"

/*
 * Whether no change of the journal, nor of the local file beside it, stands or is open. False too when that cannot be
 * seen; the error in ctx stays as it is.
 */
bool rollback_is_idle(struct ctx *ctx, struct run *run);
