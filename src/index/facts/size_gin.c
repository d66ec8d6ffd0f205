/*
 * GIN: an entry for each term, with a compressed list of the rows that have it, in the entry itself or in a
 * tree of its own. Source: ginpostinglist.c, gindatapage.c and ginentrypage.c of PostgreSQL.
 */
#include <math.h>

#include "index/facts/size_part.h"

enum {
    ENTRY_USABLE = SIZE_PAGE - 24 - 8,
    DATA_USABLE = SIZE_PAGE - 24 - 8 - 8,
    LARGEST_ENTRY = 2712,
    LINE_POINTER = 4,
    FIRST_PLACE = 8, /* of a list: one place in full, and its length */
};

/* Splits of entry pages leave them so full. */
static const double entry_fill = 0.62;
/* Segments of a posting tree have a head each and some room behind them. */
static const double tree_fill = 0.92;

struct gin {
    double entry_bytes;
    double tree_pages;
};

static double
aligned(double bytes)
{
    return ceil(bytes / 8) * 8;
}

/* Bytes of one more row in a list, by how many of a page's rows have the term: 7 bits of distance each. */
static double
place_bytes(double a_page)
{
    if (a_page >= 1)
        return (a_page - 1 + 2) / a_page;
    if (1 / a_page < 8)
        return 2;
    return 1 / a_page < 1024 ? 3 : 4;
}

/* So many terms, each in rows rows. */
static void
add_terms(struct gin *gin, double terms, double rows, double key_width, double rows_a_page,
    double table_rows)
{
    double list =
        FIRST_PLACE + fmax(rows - 1, 0) * place_bytes(fmax(rows / table_rows * rows_a_page, 1e-9));
    double head = aligned(8 + key_width);

    if (head + list <= LARGEST_ENTRY) {
        gin->entry_bytes += terms * (aligned(head + list) + LINE_POINTER);
        return;
    }

    double pages = ceil(list / (DATA_USABLE * tree_fill));

    gin->entry_bytes += terms * (head + LINE_POINTER);
    gin->tree_pages += terms * (pages > 1 ? pages + 1 : 1);
}

static void
add_key(struct arena *arena, struct gin *gin, const struct fact_table *table,
    const struct candidate_key *key, double share)
{
    struct size_terms terms;
    double rows = fmax(table->planner_rows, 1);
    double a_page = rows / fmax((double)table->pages, 1);

    size_terms_find(arena, table, key, &terms);
    for (size_t i = 0; i < terms.seen; i++)
        add_terms(gin, 1, fmax(terms.shares[i] * rows * share, 1), terms.key_width, a_page, rows);

    double others = fmax(terms.distinct - (double)terms.seen, 0);
    double postings = terms.rare_a_row * rows * share;

    if (postings < 1)
        return;
    others = fmin(fmax(others, 1), postings);
    add_terms(gin, others, postings / others, terms.key_width, a_page, rows);
}

double
size_gin(const struct fact_table *table, const struct index_candidate *candidate, double share)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct gin gin = { 0 };

    for (size_t i = 0; i < candidate->key_count; i++)
        add_key(arena, &gin, table, &candidate->keys[i], share);

    double entries = fmax(ceil(gin.entry_bytes / (ENTRY_USABLE * entry_fill)), 1);

    return (1 + entries * 1.01 + gin.tree_pages) * SIZE_PAGE;
}
