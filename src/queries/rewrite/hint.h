/* What to change in an application's code, by what a statement of the loop is like. */
#pragma once

#include "base/ctx.h"
#include "base/text.h"

enum hint_shape {
    HINT_TO_ONE,    /* a row by its own key */
    HINT_TO_MANY,   /* rows that refer to the parent's */
    HINT_AGGREGATE, /* counts, sums, the latest time */
    HINT_TOP,       /* the first few rows of each */
    HINT_OTHER,     /* what none of the above is */
};

struct hint {
    enum hint_shape shape;
    const char *table;      /* of the statement; NULL: none was found */
    const char *sqlalchemy; /* code, may be several lines */
    const char *django;
    const char *rails;
    const char *plain; /* a sentence */
};

const char *hint_shape_name(enum hint_shape shape);

/* The column that $number of the statement is compared with; NULL: there is none. */
const char *hint_name_of(struct arena *arena, const char *sql, int32_t number);

/*
 * parent_sql may be NULL; parent_key: the key's place in its result, from 0, -1: not known. key: number of
 * the $n of the statement that is the key.
 */
void hint_write(struct arena *arena, const char *parent_sql, int32_t parent_key,
    const char *child_sql, int32_t key, struct hint *ret);
