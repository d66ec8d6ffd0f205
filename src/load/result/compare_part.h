/* Parts of the comparison. */
#pragma once

#include "load/result/compare.h"

/* Sentences about what makes the runs hard to compare. */
void load_compare_warn(struct arena *arena, const struct load_records *before,
    const struct load_records *after, struct text_list *ret);
