/* What the commands "queries …" ask their input by: files that may be logs, and counters over a time. */
#pragma once

#include "cli/command.h"
#include "workload/log.h"

/* For --log-format; NULL-terminated. */
extern const char *const query_log_formats[];
enum log_format query_log_format(const char *name);

/* Waits so long, with progress; a signal ends it with its error. */
bool query_wait(struct ctx *ctx, int64_t span_us) MUST_CHECK;
