/* What reading a schema from a server and from a file share. */
#pragma once

#include "catalog/schema.h"

/* The member of this name of an object, NULL if it is not a text or the class has none. */
const char *schema_text(const struct query *query, const void *item, const char *name);

/* Puts rows into their place of the schema; the schema does not copy them. */
void schema_set_rows(struct schema *schema, enum schema_class class, struct rows rows);

/* Sorts the rows of a class by its key; false if two have the same, *ret_twice is one of them. */
bool schema_sort(struct schema *schema, enum schema_class class, const void **ret_twice);

/*
 * One attempt at schema_load(), without the dependencies; they can be read in the transaction,
 * which the caller ends, whatever happened. May be called in a thread, unlike schema_load().
 */
bool schema_load_begin(struct ctx *ctx, struct db *db, struct db_transaction *ret_transaction,
    struct schema *ret) MUST_CHECK;

/* Whether the attempt failed because somebody changed the schema, so that another may succeed. */
bool schema_was_disturbed(const struct error *error);
