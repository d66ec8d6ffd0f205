/* Parts of the comparison. */
#pragma once

#include "load/result/compare.h"

/* ERR_USAGE when a run is given twice on one side: it would count as runs that are independent. */
bool load_compare_refuse(struct ctx *ctx, const struct load_records *before,
    const struct load_records *after) MUST_CHECK;
/* Sentences about what makes the runs hard to compare. */
void load_compare_warn(struct arena *arena, const struct load_records *before,
    const struct load_records *after, struct text_list *ret);
