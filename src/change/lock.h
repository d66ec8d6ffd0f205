/*
 * One pgmend at a time changes a database. The lock is an advisory one of the session that does
 * the work, so that it lasts as long as the server works, even when the client was killed.
 */
#pragma once

#include "db/db.h"

/* Who holds it. */
struct lock_holder {
    bool is_held;
    int32_t pid;             /* of the server's process */
    const char *application; /* "pgmend/index apply 4711.9385@host" */
    const char *address;
    const char *since;
    const char *query; /* what it runs or ran last */
    bool is_orphan;    /* its client was on this machine and is gone */
};

/*
 * Takes the lock for the session; what names the work ("index apply"). ERR_LOCKED names the
 * holder. The session's application_name tells this process and machine to others.
 */
bool run_lock_take(struct ctx *ctx, struct db *db, const char *what) MUST_CHECK;

/* As run_lock_take(), but says in *ret_taken whether it got it. */
bool run_lock_try(struct ctx *ctx, struct db *db, const char *what, bool *ret_taken) MUST_CHECK;

bool run_lock_holder(struct ctx *ctx, struct db *db, struct lock_holder *ret) MUST_CHECK;

/* Sets ERR_LOCKED with who holds it, and returns false. */
bool run_lock_refuse(struct ctx *ctx, const struct lock_holder *holder);

/* "host" of this machine, and "pid.starttime" of this process. */
const char *client_host(struct arena *arena);
const char *client_process(struct arena *arena);
