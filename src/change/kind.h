/*
 * The kinds of change. Each knows how to look whether it is there already, how to do it, how to
 * undo it and how to put right what a killed run left; the journal's entry names the kind, so that
 * a rollback needs nothing else.
 *
 *   create index      online, see build.c
 *   drop index        CONCURRENTLY; undone by building it again from its definition
 *   reindex           CONCURRENTLY, under its own name; nothing to undo: the definition is the same
 *   add column        nullable, without default: instant
 *   create trigger    a function and a BEFORE INSERT OR UPDATE trigger that keeps a column true
 *   fill column       existing rows in batches, each in a transaction of its own, from where the
 *                     journal says it stopped; column, expression, key and batch size in the change
 *   create function   or replace: undone to the definition that was there before, or by a drop
 *   vacuum            so that index-only scans are; nothing to undo
 *   record            a value in pgmend.value; undone to the value before
 *   setting           of the server (ALTER SYSTEM and a reload), of a table or of a role; undone to
 *                     exactly what was written there before, or to nothing
 *   partition table   a plain table becomes the first partition of one that is partitioned by time;
 *                     undone to the plain table with all rows, see partition_undo.c
 *   add partition     of the period after the last; undone while it is empty
 *   flag, flag off    a row of pgmend.flag, set by "pgmend flags" and never part of a plan; undone to
 *                     what it was before. One that was turned off stays off
 *
 * What each needs besides kind and name (SQL texts run with search_path pg_catalog, so names in
 * them are qualified). plan_seal() composes what is marked *, and undo, lock and blocks of all but
 * create index:
 *
 *   drop index        schema, table, table_oid, definition (what follows the table), statement*
 *   reindex           the same
 *   add column        schema, table, table_oid, name (of the column), type, storage or NULL,
 *                     statement*
 *   create trigger    schema, table, table_oid, name; statement: CREATE OR REPLACE FUNCTION … of
 *                     the trigger; definition: CREATE TRIGGER …
 *   fill column       schema, table, table_oid, name and column, expression, key, statement*
 *   create function   schema, name, arguments ("" for none), statement: CREATE OR REPLACE FUNCTION
 *   vacuum            schema, table, table_oid, name (of the table), statement*
 *   record            name, definition: the JSON; statement*
 *   setting           name, definition: the value; schema, table and table_oid for one of a table,
 *                     role for one of a role; statement*
 *
 *   partition table   schema, table, table_oid, name (of the table), column (of time), type (month or
 *                     week), expression (where the old rows end), definition: {"ahead": 3, "give_up":
 *                     [foreign keys to it]}, statement: partition_change() makes all of it
 *   add partition     schema, table, table_oid, name (of the partition), definition (its bounds),
 *                     statement*
 *
 * settings, of any kind: "maintenance_work_mem=1GB;max_parallel_maintenance_workers=0".
 */
#pragma once

#include "change/change.h"
#include "change/rollout.h"

struct change_kind {
    const char *name;

    /*
     * Sets action, problem and remedy of a change, seeing what the database holds now. Works in
     * read-only sessions; before the changes that it rests on are done, what is missing yet is no
     * problem.
     */
    bool (*judge)(struct ctx *ctx, struct db *db, const struct journal_entries *journal,
        struct change *change);

    /* Does it, with the entry in the journal before and after. */
    bool (*apply)(struct ctx *ctx, struct rollout *rollout, struct change *change,
        struct rollout_outcome *ret);

    /* Undoes an entry that is done, or whose undoing was cut off. NULL: there is nothing to undo. */
    bool (*undo)(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
        struct rollout_outcome *ret);

    /* What became of what an entry that is done or open has made: "there", "altered since", … */
    bool (*look)(
        struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now);

    /* An entry that is open: finishes it, removes its rest, or leaves it to be gone on with. */
    bool (*heal)(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry);
};

/* NULL: no such kind. */
const struct change_kind *change_kind_find(const char *name);
