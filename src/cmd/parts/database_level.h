/*
 * "pgmend rollback --level database": a verified backup beside the live database, compared, then in its place, with the
 * clients of a PgBouncer held back for the moment of it.
 */
#pragma once

#include "cli/command.h"
#include "cmd/parts/health_tell.h"

struct database_level {
    const char *backup; /* NULL: the newest one that is verified */
    const char *backup_dir;
    const char *pgbouncer; /* URL of its console, or NULL */
    int64_t pause_limit_us;
    const char *confirm; /* name of the database, given beforehand; or NULL */
    const char *maintenance_db;
    const char *scratch_template;
    const char *bin_dir;
    int32_t jobs;
    bool accept_rights;
    struct health_options health;
};

bool rollback_database(struct ctx *ctx, struct run *run, const struct database_level *level)
    MUST_CHECK;

/* Prints how to recover to a moment (PITR), with the restore points of the newest plan. */
bool rollback_recipe(struct ctx *ctx, struct run *run) MUST_CHECK;
