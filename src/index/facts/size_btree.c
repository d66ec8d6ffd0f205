/*
 * A B-tree as CREATE INDEX builds it: leaf pages filled to nine tenths, equal keys in posting lists of at
 * most a tenth of a page. Source: nbtsort.c and nbtdedup.c of PostgreSQL.
 */
#include <math.h>

#include "index/facts/size_part.h"

enum {
    USABLE = SIZE_PAGE - 24 - 16, /* without the page's header and the tree's own */
    LINE_POINTER = 4,
    PLACE = 6,          /* bytes of a row's place in a posting list */
    MOST_POSTING = 812, /* bytes of a tuple with one */
    UPPER_FILL = 70,    /* per cent of pages above the leaves */
    MOST_TRIED = 400,
};

struct leaves {
    double bytes; /* of tuples with their line pointers */
    double tuples;
};

static double
aligned(double bytes)
{
    return ceil(bytes / 8) * 8;
}

/* Adds a value that stands in so many rows, so many times. */
static void
add_value(struct leaves *leaves, double width, double rows, double times)
{
    double most = floor((MOST_POSTING - width) / PLACE);

    if (rows < 2 || most < 2) {
        leaves->tuples += rows * times;
        leaves->bytes += rows * times * (width + LINE_POINTER);
        return;
    }

    double full = floor(rows / most);
    double rest = rows - full * most;

    leaves->tuples += full * times;
    leaves->bytes += full * times * (aligned(width + PLACE * most) + LINE_POINTER);
    if (rest > 0) {
        leaves->tuples += times;
        leaves->bytes += times * (aligned(width + (rest < 2 ? 0 : PLACE * rest)) + LINE_POINTER);
    }
}

static void
add_class(struct leaves *leaves, const struct size_class *class, double width, double share)
{
    double rate = class->rows * share;

    if (class->is_unique) {
        add_value(leaves, width, 1, class->values * share);
        return;
    }
    if (rate > MOST_TRIED / 8.0) {
        add_value(leaves, width, rint(rate), class->values);
        return;
    }

    double chance = exp(-rate);

    for (int rows = 1; rows < MOST_TRIED && rows < rate * 6 + 12; rows++) {
        chance *= rate / rows;
        add_value(leaves, width, rows, class->values * chance);
    }
}

static double
fill_of(const struct index_candidate *candidate)
{
    double fill = size_option(candidate, "fillfactor", 90);

    return fill < 10 || fill > 100 ? 90 : fill;
}

double
size_btree(const struct fact_table *table, const struct index_candidate *candidate, double share)
{
    struct size_class classes[SIZE_MOST_CLASSES];
    struct size_key key;
    struct leaves leaves = { 0 };
    size_t count = size_classes(table, candidate, classes);

    size_of_key(table, candidate, &key);
    for (size_t i = 0; i < count; i++) {
        double width = classes[i].is_null ? key.null_width : key.width;

        if (key.can_deduplicate && size_option(candidate, "deduplicate_items", 1) > 0)
            add_class(&leaves, &classes[i], width, share);
        else
            add_value(&leaves, width, 1, classes[i].values * classes[i].rows * share);
    }

    double least_free = SIZE_PAGE * (100 - fill_of(candidate)) / 100;
    double item = leaves.tuples > 0 ? leaves.bytes / leaves.tuples : 1;
    double a_page = fmax(floor((USABLE - least_free) / item), 1);
    double pages = fmax(ceil(leaves.tuples / a_page), 1);
    double total = pages;
    double fan = fmax(floor(USABLE * UPPER_FILL / 100.0 / (key.width + LINE_POINTER)), 2);

    while (pages > 1) {
        pages = ceil(pages / fan);
        total += pages;
    }
    return (total + 1) * SIZE_PAGE;
}
