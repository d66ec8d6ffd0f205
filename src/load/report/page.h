/* One HTML page of a run, or of a run beside another: curves over time, percentiles, facts, goals. */
#pragma once

#include "load/result/compare.h"
#include "load/result/model.h"

struct load_page {
    const struct load_record *run;
    const struct load_record *before;         /* or NULL */
    const struct load_comparison *comparison; /* or NULL */
    const struct load_model *model;           /* or NULL */
};

/* A whole page without anything from elsewhere, as pgmend's other pages. */
bool load_page_write(struct ctx *ctx, const char *path, const struct load_page *page) MUST_CHECK;
