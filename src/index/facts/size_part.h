/* What reckons the size of an index: how rows spread over values, how wide a key is. */
#pragma once

#include "index/candidate/candidate.h"
#include "index/facts/facts.h"

/*
 * So many values that a key may have, each in rows rows on average, as chance has it (Poisson); is_unique:
 * each in exactly one.
 */
struct size_class {
    double values;
    double rows;
    bool is_unique;
    bool is_null; /* some column of it */
};

enum { SIZE_MOST_CLASSES = 2048, SIZE_PAGE = 8192 };

struct size_key {
    double width;      /* bytes of the whole tuple, header and alignment too, on average */
    double null_width; /* of those in which something is NULL */
    bool can_deduplicate;
};

/* The share of the rows that a predicate leaves; 1 for none. */
double size_share(const struct fact_table *table, const char *predicate);

/* Columns whose names stand in the text of an expression. ret has room for most; how many there are. */
size_t size_columns(
    const struct fact_table *table, const char *text, const struct fact_column **ret, size_t most);

/* Tuple widths as index_form_tuple() makes them. */
void size_of_key(
    const struct fact_table *table, const struct index_candidate *candidate, struct size_key *ret);

/* The classes of all keys together; rows add up to those of the table. ret has room for SIZE_MOST_CLASSES. */
size_t size_classes(const struct fact_table *table, const struct index_candidate *candidate,
    struct size_class *ret);

double size_btree(
    const struct fact_table *table, const struct index_candidate *candidate, double share);
double size_gin(
    const struct fact_table *table, const struct index_candidate *candidate, double share);
double size_hash(
    const struct fact_table *table, const struct index_candidate *candidate, double share);
double size_brin(const struct fact_table *table, const struct index_candidate *candidate);
double size_gist(
    const struct fact_table *table, const struct index_candidate *candidate, double share);
double size_hnsw(
    const struct fact_table *table, const struct index_candidate *candidate, double share);
double size_ivfflat(
    const struct fact_table *table, const struct index_candidate *candidate, double share);

/* A number of the index's options, "m=16, lists=100"; otherwise when it is not there. */
double size_option(const struct index_candidate *candidate, const char *name, double otherwise);

/* What GIN makes of the rows of one key, by the values that are known of it. */
struct size_terms {
    double a_row;     /* on average */
    double key_width; /* bytes of one */
    double distinct;  /* in the whole table */
    double *shares;   /* of the rows that have it, of each term that was seen */
    size_t seen;
    double rare_a_row; /* of a_row, those that are not among the seen */
};

void size_terms_find(struct arena *arena, const struct fact_table *table,
    const struct candidate_key *key, struct size_terms *ret);
