/* Objects of a schema by their names. */
#pragma once

#include "catalog/schema.h"

/* Rows of a class that belong together: items[first] and the count - 1 after it. */
struct schema_span {
    size_t first;
    size_t count;
};

const struct sql_schema_tables *schema_find_table(
    const struct schema *schema, const char *schema_name, const char *name);

/* The same by "public.users", quoted where needed; NULL identity finds nothing. */
const struct sql_schema_tables *schema_find_relation(
    struct arena *arena, const struct schema *schema, const char *identity);

struct schema_span schema_columns_of(
    const struct schema *schema, const char *schema_name, const char *table_name);

/* NULL: it has no such column. */
const struct sql_schema_columns *schema_find_column(
    const struct schema *schema, const char *schema_name, const char *table_name, const char *name);

/* Of the table or domain. */
struct schema_span schema_constraints_of(
    const struct schema *schema, const char *schema_name, const char *table_name);

const struct sql_schema_indexes *schema_find_index(
    const struct schema *schema, const char *schema_name, const char *name);

const struct sql_schema_sequences *schema_find_sequence(
    const struct schema *schema, const char *schema_name, const char *name);

/* The sequence of an identity column, or NULL. */
const struct sql_schema_sequences *schema_identity_sequence(
    struct arena *arena, const struct schema *schema, const struct sql_schema_columns *column);

/* What an object rests on, by the name of its class and its identity. */
struct schema_span schema_dependencies_of(
    const struct schema *schema, const char *class, const char *identity);

/*
 * Takes the first name of a dotted one, without quotes; *text then stands behind its dot, or at
 * the end. NULL when there is none.
 */
const char *schema_next_name(struct arena *arena, const char **text);

/* The names in "public.users.id", without quotes; NULL from where there are none. */
struct schema_place {
    const char *schema;
    const char *name;
    const char *column;
};
struct schema_place schema_place_of(struct arena *arena, const char *identity);
