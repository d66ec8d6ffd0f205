/* Which relations a step touches: the lower half of effect.c. */
#pragma once

#include "migrate/model/effect.h"

/* One step on its way to its effect. */
struct work {
    struct ctx *ctx;
    const struct model *model;
    const struct step *step;
    const struct relation *table; /* the table it is about, or NULL */
    struct effect *effect;
    int major; /* of the server */
};

enum whom {
    WHOM_TABLE,            /* the table the step is about */
    WHOM_VALUES,           /* those of TRUNCATE and LOCK */
    WHOM_OTHERS,           /* other tables it reads */
    WHOM_PARENT,           /* of a partition or heir */
    WHOM_USES,             /* what a view read when it was made */
    WHOM_NEW_TARGETS,      /* what the step's own foreign keys refer to */
    WHOM_NAMED_TARGET,     /* what the named foreign key refers to */
    WHOM_TARGETS,          /* what the table's (column's) foreign keys refer to */
    WHOM_REFERRERS,        /* tables whose keys refer to the table (or its column) */
    WHOM_VALUES_REFERRERS, /* the same of those of TRUNCATE, and on */
    WHOM_VIEWS,            /* that read what is locked so far */
    WHOM_USERS_OF_TYPE,    /* tables with a column of the type */
    WHOM_SCHEMA,           /* everything in it */
};

/* Adds the relations to the effect's locks; of a relation that is there the stronger mode stays. */
void effect_lock(struct work *work, enum whom whom, enum lock_mode mode);

/* "schema.name" or "name". */
struct object_name effect_name(struct arena *arena, const char *text);

/* The table the step is about, even when only its index is named; NULL if it cannot be known. */
const struct relation *effect_table(struct work *work);
