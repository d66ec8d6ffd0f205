/* Shared by what makes candidates. */
#pragma once

#include "index/candidate/term.h"

enum {
    CANDIDATE_MOST_KEYS = 6,
    CANDIDATE_MOST_A_QUERY = 60,
    CANDIDATE_LEAST_A_TABLE = 12,
    CANDIDATE_MOST_INCLUDED = 5,
    CANDIDATE_MOST_INCLUDED_BYTES = 200,
};

/* Keys in the making; a column comes only once. */
struct candidate_keys {
    struct candidate_key items[CANDIDATE_MOST_KEYS];
    size_t count;
    bool is_too_wide;
};

void candidate_keys_add(struct candidate_keys *keys, const struct candidate_key *key);

/* An order of rows as keys of one relation. */
struct candidate_order {
    struct candidate_keys keys;
    bool is_limited;
};

/* What a query wants of one relation. */
struct candidate_wish {
    struct index_candidates *candidates;
    const struct candidate_reading *reading;
    size_t position; /* of the query */
    size_t made;
    size_t most;
    struct candidate_terms terms;
    VEC(struct candidate_order) orders;
    VEC(struct candidate_term) distances;
    struct text_list predicates; /* that leave less than half of the rows */
};

/* Makes the candidates of a wish whose members are filled. */
void candidate_make_all(struct candidate_wish *wish);

/* The one that has the same definition, or a copy of this composed one, which is kept. */
struct index_candidate *candidate_keep(
    struct index_candidates *candidates, const struct index_candidate *candidate);
/* Whether one of the table's indexes does all that it could do. */
bool candidate_is_there(const struct index_candidate *candidate);
void candidate_note_query(struct arena *arena, struct index_candidate *candidate, size_t position);

/*
 * Includes those of the columns that are no keys, in the table's order: so that the same set is the same text.
 * Those that an entry has no room for are left out.
 */
void candidate_include(
    struct arena *arena, struct index_candidate *candidate, const struct text_list *names);

/* Whether every value that may be expected of a key fits into an entry of a B-tree. */
bool candidate_key_fits(const struct fact_table *table, const struct candidate_key *key);

/* Adds columns that make an index-only scan possible; false: there are none, or too wide ones. */
bool candidate_cover(struct arena *arena, const struct explained_relation *relation,
    struct index_candidate *candidate);

/* Whether one of the keys determines this one, so that it narrows nothing. */
bool candidate_is_determined(const struct index_candidates *candidates,
    const struct fact_table *table, const struct candidate_key *keys, size_t count,
    const struct candidate_key *key);
