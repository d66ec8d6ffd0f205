/* What the files seed*.c share. */
#pragma once

#include "migrate/squash/squash.h"

/* Where the row of a table begins in its cells. */
static inline const char *const *
seed_row(const struct seed_table *table, size_t row)
{
    return &table->cells.items[row * table->columns.count];
}

/* The places of a JSON array of column names; false when one of them is not written. */
struct seed_places {
    size_t *items;
    size_t count;
    size_t capacity;
};
bool seed_find_columns(
    struct ctx *ctx, const struct seed_table *table, const char *json, struct seed_places *ret);

/* The primary key, or NULL. */
const struct sql_schema_constraints *seed_key(
    const struct schema *schema, const struct seed_table *table);

/* Reads the rows in the order of the primary key, else of their text. */
bool seed_read(struct ctx *ctx, struct db *db, const struct schema *schema,
    struct seed_table *table) MUST_CHECK;

/* Sets table->unstable by comparing with the same table of another replay. */
bool seed_compare(struct ctx *ctx, const struct schema *schema, struct seed_table *table,
    const struct seed_table *again, struct text_list *left_out) MUST_CHECK;

/* Puts the tables, and rows that refer to their own table, into an order for foreign keys. */
void seed_order(struct ctx *ctx, const struct schema *schema, struct seeds *seeds);
