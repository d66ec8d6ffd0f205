/* The columns that a choice rests on beside those of the table, each kept true by a trigger. */
#pragma once

#include "db/db.h"
#include "vector/method/choice.h"

struct vector_kept_column {
    const char *name;
    const char *type;
    const char *storage;    /* or NULL */
    const char *expression; /* over the columns of the table */
    const char *new_row;    /* the same over NEW, for the trigger */
    const char *trigger;    /* its name, and that of its function */
    double bytes;           /* of a value, on average */
    const char *reason;
};

struct vector_kept_columns {
    struct vector_kept_column *items;
    size_t count;
    size_t capacity;
};

/* One way of a choice to search; tenant: that it is for alone, else NULL. */
struct vector_way {
    const struct vector_method *method;
    const char *tenant;
};

struct vector_ways {
    struct vector_way *items;
    size_t count;
    size_t capacity;
};

/* The base method and those of the specials, a way for each tenant. */
struct vector_ways vector_choice_ways(struct arena *arena, const struct vector_choice *choice);

/* Adds those of the methods. */
void vector_columns_of_methods(
    struct arena *arena, const struct vector_choice *choice, struct vector_kept_columns *ret);

/*
 * Adds the stored tsvector of the target's text, and names it in the choice; one that the table
 * has already and the server itself keeps true is named only. text_bytes: of a text, on average.
 */
bool vector_columns_of_text(struct ctx *ctx, struct db *db, uint32_t table_oid, int64_t text_bytes,
    struct vector_choice *choice, struct vector_kept_columns *ret) MUST_CHECK;
