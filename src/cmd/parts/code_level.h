/* "pgmend rollback --level code": every flag back to 0, at once. */
#pragma once

#include "cli/command.h"

/* All flags that are above 0, or those named. They stay off until somebody sets them. */
bool rollback_code(
    struct ctx *ctx, struct run *run, const struct text_list *names, const char *reason) MUST_CHECK;
