/* Results of load runs that a command is given. */
#pragma once

#include "load/result/compare.h"

/* One file, or several of runs of the same kind, separated by commas. */
bool load_files_read(struct ctx *ctx, const char *list, struct load_records *ret) MUST_CHECK;
/* Each operand is a file. */
bool load_files_read_all(struct ctx *ctx, const struct text_list *paths, struct load_records *ret)
    MUST_CHECK;
