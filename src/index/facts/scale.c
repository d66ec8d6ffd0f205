/*
 * How many rows the planner takes a table to have: the density that was counted last, or one by the widths
 * of the columns, times the pages of now. Source: table_block_relation_estimate_size() of PostgreSQL.
 */
#include <math.h>

#include "index/facts/facts_part.h"

enum {
    PAGE_HEADER = 24,
    ROW_HEADER = 24, /* aligned */
    LINE_POINTER = 4,
    LEAST_PAGES = 10, /* of a table that was never vacuumed: it is taken to grow soon */
    FILL_IS_SEEN = 170000,
};

/* Rows a page by the widths; the division is one of whole numbers there. */
static double
density_by_width(const struct fact_table *table, const struct facts *facts)
{
    int64_t usable = facts->block_size - PAGE_HEADER;
    int64_t width = ROW_HEADER + LINE_POINTER;
    int64_t rows;

    for (size_t i = 0; i < table->column_count; i++)
        width += (int64_t)table->columns[i].width;
    /* The server divides whole numbers, too. */
    rows = usable / width;
    if (facts->server_version >= FILL_IS_SEEN)
        rows = usable * table->fillfactor / 100 / width;
    return fmax((double)rows, 1);
}

void
facts_scale(struct fact_table *table, double tuples, double counted_pages,
    const struct facts *facts, bool has_children)
{
    double pages = (double)table->pages;

    if (table->kind == 'f') {
        table->rows = tuples;
        table->planner_rows = tuples >= 0 ? tuples : 1000;
        return;
    }
    if (pages < LEAST_PAGES && tuples < 0 && !has_children)
        pages = LEAST_PAGES;
    if (tuples >= 0 && counted_pages > 0)
        table->planner_rows = rint(tuples / counted_pages * pages);
    else
        table->planner_rows = rint(density_by_width(table, facts) * pages);
    table->rows = tuples < 0 ? -1 : table->planner_rows;
}
