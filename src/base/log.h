/* Talk to the person at the terminal, on stderr; results go to stdout by cli/out. */
#pragma once

#include "base/base.h"

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

void log_set_level(enum log_level level);
enum log_level log_level(void);

/* A line on stderr unless --quiet. */
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);

/* A line on stderr with --verbose. */
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *format, ...) PRINTF_LIKE(1, 2);
