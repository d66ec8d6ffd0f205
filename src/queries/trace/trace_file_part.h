/* What writing and reading of traces share. */
#pragma once

#include "queries/trace/trace_file.h"

enum { TRACE_FILE_VERSION = 1 };

extern const char *const trace_file_kinds[];
extern const size_t trace_file_kind_count;
