/* What the files of this folder share. */
#pragma once

#include "index/facts/facts.h"

/* The tables by OID, to give each row of a query to its own. */
struct facts_finder {
    struct arena *arena;
    struct facts *facts;
    struct fact_table **by_oid; /* rising */
};

/* NULL: not among them; it was made after the tables were read. */
struct fact_table *facts_find(const struct facts_finder *finder, uint32_t oid);

/* Of how many rows from this one the table is the same; the OID is the first member of each row. */
size_t facts_run(const void *rows, size_t count, size_t size, size_t from);

/* Common values and bounds of all columns that have some. */
bool facts_load_values(struct ctx *ctx, struct db *db, const struct facts_finder *finder)
    MUST_CHECK;

/* Indexes with their keys, and foreign keys. schemas, and tables that are held: array literals. */
bool facts_load_indexes(struct ctx *ctx, struct db *db, const struct facts_finder *finder,
    const char *schemas, const char *held) MUST_CHECK;

/* Planner_rows and rows from reltuples and counted pages (-1 tuples: never counted). */
void facts_scale(struct fact_table *table, double tuples, double counted_pages,
    const struct facts *facts, bool has_children);

/* The elements of a one-dimensional array literal; NULL elements are NULL. text itself is changed. */
void facts_array(struct arena *arena, char *text, const char ***ret_items, size_t *ret_count);

/* And back: a literal of these texts. */
const char *facts_array_text(struct arena *arena, const struct text_list *items);
