/* The PgBouncer in front of a database that is replaced: its clients wait while it is renamed, and fail nothing. */
#pragma once

#include "db/pgbouncer.h"

struct backup_pooler {
    struct pgbouncer *console;
    struct pgbouncer_databases databases; /* that lead to the live database */
    int64_t limit_us;                     /* how long transactions may take to end */
    int64_t paused_us;                    /* how long clients were held back in the end */
    /* -- of the pause -- */
    struct pgbouncer_guard *guard;
    int64_t since_us;
    size_t paused; /* of the databases */
};

/*
 * Connects, and finds the databases that lead to live. ERR_NOT_FOUND when there are none; ERR_UNSUPPORTED
 * in session mode, ERR_CONFLICT when one is paused already.
 */
bool backup_pooler_open(
    struct ctx *ctx, const char *url, struct db *live, struct backup_pooler *ret) MUST_CHECK;
void backup_pooler_close(struct backup_pooler *pooler);

/* Holds all of them back, under guard; when it fails none of them is. */
bool backup_pooler_pause(struct ctx *ctx, struct backup_pooler *pooler) MUST_CHECK;

/*
 * Lets all of them go on, keeping the error that there was. False only when one could not be resumed: ERR_ATTENTION;
 * the guard goes on trying then.
 */
bool backup_pooler_resume(struct ctx *ctx, struct backup_pooler *pooler) MUST_CHECK;
