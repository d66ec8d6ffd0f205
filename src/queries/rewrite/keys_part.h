/* What the files of the keys share. */
#pragma once

#include "base/text.h"
#include "base/vec.h"

/* A column that a parameter is compared with, as the statement has it. */
struct keys_place {
    const char *qualifier; /* "": none */
    const char *column;
};

/* A table of the statement. */
struct keys_table {
    const char *name;  /* quoted, with its schema if one was written */
    const char *plain; /* as it is, without schema */
    const char *alias;
};

struct keys_places {
    VEC(struct keys_place) places;
    VEC(struct keys_table) tables;
};

/*
 * What "column = $number" compares in the statement, then what <, >= and other comparisons do; nothing when
 * it cannot be read.
 */
void keys_places_read(
    struct arena *arena, const char *sql, int32_t number, struct keys_places *ret);
