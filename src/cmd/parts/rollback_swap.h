/*
 * A restored side database takes the place of the live one: what "backup restore --swap" and "rollback --level
 * database" share. What would be lost is shown before anybody agrees, and the journal of both databases says what
 * became of it.
 */
#pragma once

#include "backup/backup.h"
#include "backup/pooler.h"
#include "change/journal.h"
#include "cli/command.h"

struct rollback_swap {
    struct run *run;
    const char *command; /* for the journal and the sessions' names: "backup restore" */
    struct backup_restore_options with;
    bool accept_rights;
    const char *confirm; /* the name that was given beforehand, or NULL: it is asked for */
    struct db *admin;    /* in the maintenance database */
    struct db *live;     /* holds the run lock */
    struct backup_side side;
    struct backup_pooler *pooler; /* or NULL */
    struct backup_loss *losses;   /* as they were when they were counted for the question */
    size_t loss_count;
    const char *old; /* the name of the one that was live; NULL: not swapped */
};

extern const struct field rollback_loss_columns[];
extern const size_t rollback_loss_column_count;

/* A session that writes in another database of the same server. */
bool rollback_swap_connect(struct ctx *ctx, const struct rollback_swap *swap, const char *database,
    struct db **ret) MUST_CHECK;

/* Opens swap->live and takes its run lock; says in the journal what became of a swap that was killed. */
bool rollback_swap_lock(struct ctx *ctx, struct rollback_swap *swap, const char *database)
    MUST_CHECK;

/* Counts what would be lost, asks, swaps, and writes the journal; swap->live is closed then. */
bool rollback_swap_do(struct ctx *ctx, struct rollback_swap *swap) MUST_CHECK;

/* Rows that the second has more than the first, over all tables. */
int64_t rollback_loss_rows(const struct backup_loss *losses, size_t count);

/* Drops the side database unless it was swapped, and closes the sessions and the pooler's console. */
void rollback_swap_close(struct rollback_swap *swap);
