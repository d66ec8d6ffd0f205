/* Two schemas compared: each difference, and the statements that mend it. */
#pragma once

#include "base/vec.h"
#include "catalog/schema.h"

enum difference_kind {
    DIFFERENCE_MISSING, /* in the wanted schema only */
    DIFFERENCE_EXTRA,   /* in the found one only */
    DIFFERENCE_CHANGED, /* an attribute differs */
};

struct difference {
    enum difference_kind kind;
    enum schema_class class;
    const char *identity;        /* of the object */
    const char *attribute;       /* of a change: "type", "default_text"; else NULL */
    const char *found;           /* the attribute as it is, or NULL */
    const char *wanted;          /* as it should be, or NULL */
    struct text_list statements; /* what mends it, run on the found database */
    const char *note;            /* why no statement can, or what it would take away; or NULL */
    bool loses_rows;             /* the statements take rows or columns away */
};

struct differences {
    struct difference *items;
    size_t count;
    size_t capacity;
};

struct diff_options {
    bool ignore_owner;
    bool ignore_acl;
    bool ignore_comments;
    bool ignore_positions;           /* the order of columns */
    const struct text_list *schemas; /* only these schemas; NULL: all */
    const struct text_list
        *ignored; /* identities ("public.alembic_version") that do not count, with
                                        all that belongs to them; or NULL */
};

/*
 * What found lacks, has too much or has otherwise than wanted, in the order in which the
 * statements can be run one after another (search_path empty, check_function_bodies off). Each
 * attribute of an object is a difference; when one and the same statements mend several of them,
 * the first has the statements and the others have none. What belongs to a missing or extra table
 * (columns, constraints, indexes, owned sequences) is told and mended with the table; so are
 * constraints and indexes of a missing or extra column. What rests on a change (a view on a column
 * that gets another type) is dropped and made again by the statements of that difference.
 */
void schema_diff(struct arena *arena, const struct schema *found, const struct schema *wanted,
    const struct diff_options *options, struct differences *ret);

/* "column public.users.email: type is text instead of character varying(255)" */
const char *difference_text(struct arena *arena, const struct difference *difference);
