/* What the parts of analysis_html() share. Texts of others go through markup_text(). */
#pragma once

#include "base/markup.h"
#include "migrate/report/report.h"

struct page {
    FILE *out;
    struct arena *arena;
    const struct report *report;
    size_t (*counts)[SEVERITY_COUNT]; /* findings of each revision, by its index */
};

/* The history drawn beside its list of revisions, and a panel of each. */
void page_history(const struct page *page);

/* The findings by rule, with what filters them. */
void page_findings(const struct page *page);

/* <span class="chip error">3</span> for each severity that the revision has findings of. */
void page_chips(const struct page *page, size_t revision);

/* "file:line", escaped. */
void page_place(const struct page *page, const struct place *place);
