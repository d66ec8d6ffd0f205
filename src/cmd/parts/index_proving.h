/* Whether the indexes that were advised came true, and what is done with those that did not. */
#pragma once

#include "cli/command.h"
#include "index/prove/promise.h"

/* Of its statements, before an index is called unused. */
enum { INDEX_PROVING_CALLS = 20 };

struct index_proving {
    int64_t within_us;             /* wait so long until each has a verdict; 0: look once */
    int64_t least_calls;           /* of its statements, before an index is called unused */
    bool auto_undo;                /* drop what does not pay, through the journal */
    const struct text_list *names; /* only these; NULL or empty: all */
};

/* Looks, waits, undoes, prints. db: any session. */
bool index_prove(struct ctx *ctx, struct run *run, struct db *db,
    const struct index_proving *proving) MUST_CHECK;
