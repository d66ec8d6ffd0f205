/* How the program tells that it failed. */
#pragma once

#include "cli/command.h"

/*
 * Prints the error of the context: for people to standard error, with is_json as a document to
 * standard output. command may be NULL. Returns the exit status.
 */
int report_error(
    const struct ctx *ctx, const struct command *command, const struct run *run, bool is_json);
