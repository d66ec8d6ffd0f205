/* An index tried on an empty temporary copy of its table. */
#pragma once

#include "db/db.h"
#include "index/script.h"
#include "sql.h"

struct trial {
    struct sql_index_shadow shadow; /* what the server made of the statement, in its wording */
    const char *built;   /* the definition of an index that is built from that wording: an IN list
                            of varchar, for one, is worded otherwise when it is read again */
    const char *problem; /* why the server refuses it; then the others are not set */
    const char *remedy;  /* or NULL */
};

/* Nothing remains: the transaction is rolled back. False when the trial itself could not be made. */
bool shadow_try(struct ctx *ctx, struct db *db, const struct script_index *index,
    const struct sql_catalog_table *table, struct trial *ret) MUST_CHECK;
