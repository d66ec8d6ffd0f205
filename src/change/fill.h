/* Filling a column: what is known of it, and a batch. Private to this folder. */
#pragma once

#include "change/kind_part.h"

struct fill {
    struct change about; /* schema, table, name, table_oid */
    const char *column;
    const char *expression;
    const char *type; /* of the column */
    const char *key;
    const char *key_type;
    int64_t number; /* of the column */
    bool is_own;    /* we have added the column: whatever stands in it is ours to replace */
    bool is_silent; /* the table's triggers are kept from firing */

    /* How far it is; the same stands in the journal. */
    int64_t pass;         /* 1 fills; the later ones look for what is left */
    const char *last_key; /* as text; NULL: at the beginning */
    int64_t seen;         /* rows in this pass */
    int64_t filled;       /* rows written in all passes */
    bool is_dirty;        /* this pass has written something */
};

/* What a batch did. */
struct fill_batch {
    const char *last_key; /* NULL: there was no row left */
    int64_t rows;
    int64_t filled;
    int64_t us;
};

/* Looks for the next rows; the batch's last_key is NULL when there are none. */
bool fill_next(struct ctx *ctx, struct db *db, const struct fill *fill, int64_t rows,
    struct fill_batch *ret) MUST_CHECK;

/*
 * Fills the rows up to the batch's last_key in a transaction of its own, in which the journal's
 * row is told as well. ERR_CONFLICT for values that are not ours.
 */
bool fill_rows(struct ctx *ctx, struct rollout *rollout, const struct fill *fill,
    const struct journal_entry *entry, struct fill_batch *ret) MUST_CHECK;

/* The expression is one that the table and the column take. */
bool fill_try(struct ctx *ctx, struct db *db, const struct fill *fill) MUST_CHECK;

/* The journal's detail for a fill. */
const char *fill_detail(struct ctx *ctx, const struct fill *fill);

/* All passes, from where it stopped. */
bool fill_run(struct ctx *ctx, struct rollout *rollout, struct fill *fill, double total,
    struct journal_entry *entry) MUST_CHECK;
