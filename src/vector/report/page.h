/* What the parts of the page share. */
#pragma once

#include "base/markup.h"
#include "vector/report/scale.h"

struct page {
    struct buffer html;
    const struct vector_tuning *tuning;
    struct vector_shown_list shown;
};

/* "win", "plan", "now" or "": the class of colour of what is shown. */
const char *page_class(const struct vector_shown *shown);

/* Recall and time of all candidates, whose letters are those of the table. */
void page_chart(struct page *page);

/* The chosen one, the plan's and today's in each bucket. */
void page_chart_buckets(struct page *page);

/* A ms or s with three digits. */
const char *page_time(struct arena *arena, double us);

/* The table of what has a letter; then everything, and what was not measured and why. */
void page_table_shown(struct page *page);
void page_table_rest(struct page *page);
