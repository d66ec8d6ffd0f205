/*
 * Indexes of the other methods. Sources: hashpage.c, brin_page.h, gist.h of PostgreSQL, hnsw.h and ivfflat.h
 * of pgvector.
 */
#include <math.h>

#include "base/text.h"
#include "index/facts/size_part.h"

enum {
    LINE_POINTER = 4,
    HASH_TUPLE = 20,    /* with its line pointer */
    HASH_FILL = 307,    /* tuples of a bucket that the build makes room for */
    HASH_PAGE = 407,    /* that fit into a page */
    BRIN_RANGES = 1360, /* entries of a page of the range map */
    HNSW_HEAD = 72,     /* of an element */
    VECTOR_HEAD = 8,
    NEIGHBOUR = 6,
};

static double
aligned(double bytes)
{
    return ceil(bytes / 8) * 8;
}

/* Buckets double up to 512, and then come in quarters of the next double. */
static double
hash_buckets(double wanted)
{
    double power = 2;

    while (power < wanted && power < 512)
        power *= 2;
    if (wanted <= power)
        return power;
    while (power * 2 < wanted)
        power *= 2;
    return power + ceil((wanted - power) / (power / 4)) * (power / 4);
}

double
size_hash(const struct fact_table *table, const struct index_candidate *candidate, double share)
{
    struct size_class classes[SIZE_MOST_CLASSES];
    double fill = size_option(candidate, "fillfactor", 75) / 75 * HASH_FILL;
    double buckets = hash_buckets(table->planner_rows * share / fill);
    double overflow = 0;
    size_t count = size_classes(table, candidate, classes);

    for (size_t i = 0; i < count; i++) {
        double rows = classes[i].rows * share;

        /* NULLs are not in it. What fills more than a page goes on in others. */
        if (!classes[i].is_null && !classes[i].is_unique && rows > HASH_PAGE)
            overflow += classes[i].values * floor(rows / HASH_PAGE);
    }
    return (buckets + overflow + 2) * SIZE_PAGE;
}

double
size_brin(const struct fact_table *table, const struct index_candidate *candidate)
{
    struct size_key key;
    double ranges =
        ceil((double)table->pages / fmax(size_option(candidate, "pages_per_range", 128), 1));

    size_of_key(table, candidate, &key);

    /* The smallest and the greatest value of each range. */
    double tuple = aligned(8 + 2 * (key.width - 8)) + LINE_POINTER;
    double maps = fmax(ceil(ranges / BRIN_RANGES), 1);
    double pages = fmax(ceil(ranges * tuple / (SIZE_PAGE - 40)), 1);

    return (1 + maps + pages) * SIZE_PAGE;
}

static const char *
option_after(const char *options, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strstr(options, name); at; at = strstr(at + 1, name))
        if ((at == options || strchr(" ,", at[-1])) && at[length] == '=')
            return at + length + 1;
    return NULL;
}

double
size_option(const struct index_candidate *candidate, const char *name, double otherwise)
{
    const char *value = candidate->options ? option_after(candidate->options, name) : NULL;

    if (!value)
        return otherwise;
    if (text_starts_with(value, "off") || text_starts_with(value, "false"))
        return 0;
    if (text_starts_with(value, "on") || text_starts_with(value, "true"))
        return 1;

    double number = strtod(value, NULL);

    return number > 0 ? number : otherwise;
}

/* Bytes of a vector, by the dimensions in its type or in a cast of the expression. */
static double
vector_bytes(const struct fact_table *table, const struct index_candidate *candidate)
{
    static const struct {
        const char *type;
        double bytes;
    } types[] = { { "halfvec(", 2 }, { "vector(", 4 }, { "bit(", 0.125 } };
    const struct candidate_key *key = &candidate->keys[0];
    const struct fact_column *column = key->column ? facts_column(table, key->column) : NULL;
    const char *text = column ? column->type : key->text;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *at = strstr(text, types[i].type);

        if (at)
            return VECTOR_HEAD + types[i].bytes * strtod(at + strlen(types[i].type), NULL);
    }
    return column ? fmax(column->width, 16) : 1024;
}

double
size_hnsw(const struct fact_table *table, const struct index_candidate *candidate, double share)
{
    double rows = table->planner_rows * share;
    double links = size_option(candidate, "m", 16);
    double element = aligned(HNSW_HEAD + vector_bytes(table, candidate)) + LINE_POINTER;
    double usable = SIZE_PAGE - 24 - 8;

    /* One of m has links on a level more, one of m of these on another, and so on. */
    double levels = 1 / fmax(links - 1, 1);
    double neighbours = aligned(4 + (2 + levels) * links * NEIGHBOUR) + LINE_POINTER;
    double a_page = floor(usable / (element + neighbours));
    double pages = a_page >= 1 ? rows / a_page : rows + rows / fmax(floor(usable / neighbours), 1);

    return (ceil(pages) + 1) * SIZE_PAGE;
}

double
size_ivfflat(const struct fact_table *table, const struct index_candidate *candidate, double share)
{
    double rows = table->planner_rows * share;
    double lists = size_option(candidate, "lists", 100);
    double vector = vector_bytes(table, candidate);
    double usable = SIZE_PAGE - 24 - 8;
    double a_page = fmax(floor(usable / (aligned(8 + vector) + LINE_POINTER)), 1);
    double centres = fmax(floor(usable / (aligned(12 + vector) + LINE_POINTER)), 1);

    /* The last page of each list is half empty on average. */
    return (1 + ceil(lists / centres) + ceil(rows / a_page) + lists / 2) * SIZE_PAGE;
}

/* From 18 on an index on ranges is built from sorted rows, whose pages are full. */
static bool
is_built_sorted(const struct fact_table *table, const struct index_candidate *candidate)
{
    const struct candidate_key *key = &candidate->keys[0];
    const struct fact_column *column = key->column ? facts_column(table, key->column) : NULL;

    return column && column->category == 'R' && column->server_major >= 18 &&
           candidate->key_count == 1 && strcmp(candidate->method, "gist") == 0;
}

double
size_gist(const struct fact_table *table, const struct index_candidate *candidate, double share)
{
    /* Rows that come in order split pages in halves; trigrams come in none. */
    double fill = is_built_sorted(table, candidate) ? 0.95 : 0.47;
    struct size_key key;
    double rows = table->planner_rows * share;

    size_of_key(table, candidate, &key);
    if (candidate->keys[0].opclass && strstr(candidate->keys[0].opclass, "trgm")) {
        /* Leaves hold all trigrams of a text, three bytes each. */
        key.width = aligned(8 + 5 + 3 * (key.width - 8));
        fill = 0.75;
    }
    return (ceil(rows * (key.width + LINE_POINTER) / ((SIZE_PAGE - 40) * fill) * 1.02) + 1) *
           SIZE_PAGE;
}
