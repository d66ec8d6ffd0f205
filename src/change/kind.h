/*
 * The kinds of change. Each knows how to look whether it is there already, how to do it, how to
 * undo it and how to put right what a killed run left; the journal's entry names the kind, so that
 * a rollback needs nothing else.
 *
 *   create index      online, see build.c
 *   drop index        CONCURRENTLY; undone by building it again from its definition
 *   add column        nullable, without default: instant
 *   create trigger    a function and a BEFORE INSERT OR UPDATE trigger that keeps a column true
 *   fill column       existing rows in batches, each in a transaction of its own, from where the
 *                     journal says it stopped; column, expression, key and batch size in the change
 *   create function   or replace: undone to the definition that was there before, or by a drop
 *   vacuum            so that index-only scans are; nothing to undo
 *   record            a value in pgmend.value; undone to the value before
 */
#pragma once

#include "change/change.h"
#include "change/rollout.h"

struct change_kind {
    const char *name;

    /* Sets action, problem and remedy of a change, seeing what the database holds now. */
    bool (*judge)(struct ctx *ctx, struct db *db, const struct journal_entries *journal,
        struct change *change);

    /* Does it, with the entry in the journal before and after. */
    bool (*apply)(struct ctx *ctx, struct rollout *rollout, struct change *change,
        struct rollout_outcome *ret);

    /* Undoes an entry that is done, or whose undoing was cut off. NULL: there is nothing to undo. */
    bool (*undo)(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
        struct rollout_outcome *ret);

    /* An entry that is open: finishes it, removes its rest, or leaves it to be gone on with. */
    bool (*heal)(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry);
};

/* NULL: no such kind. */
const struct change_kind *change_kind_find(const char *name);
