/* Types of columns, in PostgreSQL's own spelling. */
#pragma once

#include "base/ctx.h"

struct type {
    const char *schema; /* or NULL; never pg_catalog */
    const char
        *name; /* as format_type() writes it: "integer", "character varying"; NULL: unknown */
    int32_t modifiers[2];
    int modifier_count;
    const char *modifier_text; /* modifiers that are no numbers: "Point,4326"; else NULL */
    int dimensions;            /* of an array */
    const char *unknown;       /* why the name is unknown */
    const char *collation;     /* or NULL */
};

/*
 * Reads SQL ("varchar(50)", "INT4", "timestamp with time zone", "numeric(10, 2)[]", "serial",
 * "my_schema.mood", "vector(1536)"); aliases become the name that format_type() gives; serial types
 * stay "serial", "bigserial", "smallserial" for the caller to replace. Case is folded outside
 * quotes. Text that is no type name gives an unknown type.
 */
struct type type_parse(struct arena *arena, const char *sql);

/* As format_type() writes it: "character varying(50)", "timestamp(3) with time zone", "integer[]". */
const char *type_text(struct arena *arena, const struct type *type);

bool type_equal(const struct type *a, const struct type *b);

/*
 * What ALTER COLUMN … TYPE does to the stored rows. Measured: facts in the lock matrix (bench and
 * test/db/test_migrate_effect.c). CHANGE_UNKNOWN when a type is unknown or user-defined.
 */
enum type_change {
    TYPE_CHANGE_NONE,    /* the same type */
    TYPE_CHANGE_NO_SCAN, /* binary-coercible, wider or without a limit: catalogue only */
    TYPE_CHANGE_REWRITE,
    TYPE_CHANGE_UNKNOWN,
};
enum type_change type_change(const struct type *from, const struct type *to);

/*
 * Whether values can be lost or the statement can fail for some rows: narrower, fewer digits, text
 * to number. false for unknown types.
 */
bool type_change_is_lossy(const struct type *from, const struct type *to);

/* Whether the server casts by assignment, so that USING is not needed (SQLSTATE 42804 otherwise). */
bool type_change_needs_using(const struct type *from, const struct type *to);
