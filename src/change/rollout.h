/*
 * The only writer: builds and drops indexes online, one at a time, each step journaled before and
 * after. It owns two sessions: one that works and holds the run lock, one that watches.
 */
#pragma once

#include "change/change.h"
#include "change/journal.h"
#include "change/lock.h"
#include "change/watchdog.h"

struct rollout_limits {
    int64_t first_lock_us; /* how long an attempt waits for the table's lock */
    int64_t wait_us;       /* how long a build waits for old transactions and snapshots */
    int64_t drop_us;       /* how long a drop is tried */
    int64_t reconnect_us;  /* how long a lost server is waited for */
    int64_t wal_reserve;   /* a build is cancelled when pg_wal has less room than this */
    int32_t retries;       /* attempts after the first */
};

/* What goes on, for the screen. Units in names; ratio and left_us below 0: unknown. */
struct rollout_progress {
    const char *what; /* "building public.idx" */
    const char *phase;
    double ratio;
    int64_t elapsed_us;
    int64_t left_us;
    const char *blocker; /* who holds it up, or NULL */
};

struct rollout_observer {
    void (*progress)(void *data, const struct rollout_progress *progress);
    void (*note)(void *data, const char *text); /* a line worth keeping on the screen */
    void *data;
};

struct rollout {
    struct db *db;    /* works, holds the run lock; replaced when the server was lost */
    struct db *watch; /* looks at the progress views */
    struct journal journal;
    const char *what;          /* "index apply": names the sessions */
    const char *wal_path;      /* where pg_wal can be seen from here, or NULL */
    const char *settings;      /* of the session for the change that is being done, or NULL */
    struct watchdog *watchdog; /* cancels what runs when the database suffers; or NULL */
    struct rollout_limits limits;
    struct rollout_observer observer;
};

/* What became of one change. */
struct rollout_outcome {
    const char *kind;
    const char *name;
    const char *result; /* "built", "already there", "dropped", … */
    bool is_done;       /* something was done; else it was there already */
    int64_t us;         /* until it was complete */
    int64_t effect_us;  /* of a drop: until the planner ignored the index */
    int64_t bytes;
    int64_t wal_bytes; /* written by the whole server meanwhile */
    int32_t attempts;
};

/*
 * Opens both sessions, takes the run lock and begins a run. When another pgmend's build is still
 * going on although its client is gone, it is attached to: its progress is shown until it ends.
 */
bool rollout_open(struct ctx *ctx, const struct db *like, const struct journal_run *run,
    const struct rollout_observer *observer, struct rollout *ret) MUST_CHECK;

void rollout_close(struct rollout *rollout);

/* Finishes or removes what earlier runs left: the journal and the catalogue agree afterwards. */
bool rollout_heal(struct ctx *ctx, struct rollout *rollout) MUST_CHECK;

/*
 * Does one change. On failure nothing of it is left (ERR_UNDONE, or the signal's kind), or the
 * error says what is (ERR_ATTENTION). The filling of a column goes on where it stopped.
 */
bool rollout_create(struct ctx *ctx, struct rollout *rollout, struct change *change,
    struct rollout_outcome *ret) MUST_CHECK;

/* Undoes a journal entry that is done. */
bool rollout_undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret) MUST_CHECK;

/* What stands and can be undone: done, or an undo that was cut off, or a column half filled. */
bool rollout_can_undo(const struct journal_entry *entry);

/* -- for the files of this folder -- */

/* An index by name; oid 0 in *ret when there is none. */
struct sql_catalog_index;
bool rollout_find_index(struct ctx *ctx, struct db *db, const char *object_schema, const char *name,
    struct sql_catalog_index *ret) MUST_CHECK;

/*
 * Drops an index until it is gone or the limit is over. Sets effect_us, us and attempts. An index
 * that is not there is fine.
 */
bool rollout_drop(struct ctx *ctx, struct rollout *rollout, const char *schema, const char *name,
    int64_t limit_us, struct rollout_outcome *ret) MUST_CHECK;

/*
 * Sends a statement on the working session and watches it to its end. stop, if not NULL, is asked
 * now and then and cancels by setting an error and returning false.
 */
struct rollout_watch {
    const char *what;
    int64_t started_us;
    int64_t waiting_since_us; /* since when it waits for others; 0: it works */
    const char *blocker;      /* whom it waits for; only during a look */
    double ratio;
    bool (*look)(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch);
    const char *schema; /* of the index, for look */
    const char *name;
    int64_t effect_us;
};
bool rollout_run(struct ctx *ctx, struct rollout *rollout, const char *sql,
    struct rollout_watch *watch) MUST_CHECK;

/* Shows how far the build of a server process is; fills watch. */
bool rollout_look_at_build(
    struct ctx *ctx, struct rollout *rollout, int pid, struct rollout_watch *watch) MUST_CHECK;

/* Sets the session's settings for the change that is being done, and takes them back. */
bool rollout_set(struct ctx *ctx, struct rollout *rollout) MUST_CHECK;
void rollout_reset(struct rollout *rollout);

/* Connects again after the server was lost, and takes the lock again. */
bool rollout_reconnect(struct ctx *ctx, struct rollout *rollout) MUST_CHECK;

void rollout_note(struct rollout *rollout, const char *text);

/* A pause that grows with the attempt, with jitter; false when a signal came. */
bool rollout_pause(int attempt);
