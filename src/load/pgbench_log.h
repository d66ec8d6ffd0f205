/* The log that pgbench --log writes: a line a transaction. */
#pragma once

#include "load/run.h"

/* Adds all lines of a log file. ERR_INPUT at a line that is none, ERR_IO. */
bool pgbench_log_read(struct ctx *ctx, const char *path, struct load_result *result) MUST_CHECK;

/* Adds one line; false if it is not one of pgbench's. No error is set. */
bool pgbench_log_add(struct arena *arena, const char *line, struct load_result *result);
