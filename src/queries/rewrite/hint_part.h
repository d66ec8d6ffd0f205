/* What the advice is made of; for hint*.c only. */
#pragma once

#include "base/vec.h"
#include "queries/rewrite/hint.h"

/* A table of FROM, and by which columns it is joined to one before it. */
struct hint_table {
    const char *name; /* without schema */
    const char *alias;
    bool is_outer;
    const char *column; /* its own; NULL: it is the first, or joined in another way */
    size_t other;       /* the one before it */
    const char *other_column;
};

struct hint_order {
    size_t table;
    const char *column; /* NULL: an expression */
    bool is_descending;
    const char *nulls; /* "first", "last"; NULL: not said */
};

struct hint_facts {
    struct arena *arena;
    enum hint_shape shape;
    const char *parent;     /* table that the key is of; NULL: not known */
    const char *parent_key; /* its column */
    VEC(struct hint_table) tables;
    size_t key_table;      /* of tables: whose column is compared with the key */
    const char *column;    /* that one */
    bool has_others;       /* the statement has other conditions, too */
    const char *aggregate; /* "count" */
    VEC(struct hint_order) orders;
};

/* parent_key: the key's place in the parent's result, from 0; -1: not known. */
void hint_read_child(const char *sql, int32_t key, struct hint_facts *facts);
void hint_read_parent(const char *sql, int32_t parent_key, struct hint_facts *facts);
