/* The statements that make, drop and alter the objects of a schema. No semicolons at the end. */
#pragma once

#include "catalog/schema.h"

/*
 * Appends the statements that make one object, then what belongs to it (storage, statistics
 * targets, comment, and with_rights owner and grants). A table is made with its columns (types,
 * collations, defaults, NOT NULL, identity, generated) and without constraints and indexes, which
 * are objects of their own. Columns, indexes of constraints and sequences of identity columns give
 * their own statements only for a table that is there already (ALTER TABLE … ADD COLUMN).
 */
struct ddl_options {
    bool with_rights;
};
void ddl_create(struct arena *arena, const struct schema *schema, enum schema_class class,
    const void *item, const struct ddl_options *options, struct text_list *ret);

/* The statement that drops it. */
const char *ddl_drop(struct arena *arena, enum schema_class class, const void *item);

/*
 * The objects of a schema in an order in which they can be made one after another: the indexes
 * into its classes. What the statements of another object make is left out: columns, indexes of
 * constraints, sequences of identity columns. A function's body is not looked at when it is made
 * (check_function_bodies). Defaults, views and constraints come after what they rest on, default
 * privileges after all that they would be given to.
 */
struct ddl_ref {
    enum schema_class class;
    size_t index;
};
struct ddl_refs {
    struct ddl_ref *items;
    size_t count;
    size_t capacity;
};
void ddl_order(struct arena *arena, const struct schema *schema, struct ddl_refs *ret);
