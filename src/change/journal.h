/*
 * What was applied, when, by whom, with which effect; the only source for rollback. Each entry is
 * fsynced to a local file first and then written to pgmend.journal in the database itself: a
 * database that is rolled back or replaced takes its own table with it, the file stays.
 */
#pragma once

#include "base/json.h"
#include "db/db.h"

/*
 * What the tables of schema pgmend and the lines of the local file mean. A pgmend that changes it
 * adds one, says so in the schema's comment ("pgmend format 2") and by a line {"format": 2} in the
 * file; without either it is the first.
 */
enum { JOURNAL_FORMAT = 1 };

#define ENTRY_STARTED  "started"
#define ENTRY_DONE     "done"
#define ENTRY_FAILED   "failed"   /* and nothing of it is left */
#define ENTRY_LEFTOVER "leftover" /* and something of it is left: the next run removes it */
#define ENTRY_UNDOING  "undoing"
#define ENTRY_UNDONE   "undone"

#define RUN_RUNNING    "running"
#define RUN_DONE       "done"
#define RUN_FAILED     "failed"
#define RUN_UNDONE     "undone"

struct journal_entry {
    int64_t id;        /* in the table; 0 until it is there */
    const char *entry; /* the same in file and table */
    const char *run;
    const char *step;   /* of the plan, "1.2"; NULL: the plan has no steps */
    const char *kind;   /* "create index" */
    const char *object; /* quoted where needed */
    const char *relation;
    const char *statement;
    const char *undo;
    const char *state;
    const char *started_at;
    const char *ended_at;
    const char *detail; /* JSON object */
};

struct journal_entries {
    struct journal_entry *items;
    size_t count;
    size_t capacity;
};

/* Whether it was cut off: begun and not ended, or ended with a rest that is still there. */
bool journal_entry_is_open(const struct journal_entry *entry);

/* One run that writes: its id, its local file. */
struct journal {
    struct db *db;
    const char *run;
    const char *step;       /* that entries begun from now on belong to, or NULL */
    const char *file;       /* path of the local file */
    struct text_list notes; /* what had to be put right at the beginning, for the user */
};

struct journal_run {
    const char *
        id; /* of a run that goes on in a database that took the place of another; NULL: a new run */
    const char *command;
    const char *plan_hash; /* or NULL */
    const char *overrides; /* JSON, or NULL */
    const char *state_dir;
    const char *actor;  /* the session's role, for the local file; journal_begin() sets it */
    const char *client; /* "pgmend[17]@host"; the same */
};

/*
 * Makes schema pgmend where it is missing, carries over what only the local file knows (a
 * database that was replaced: entries, and the runs they are of), and records that a run begins, with the state of the catalogue.
 */
bool journal_begin(
    struct ctx *ctx, struct db *db, const struct journal_run *run, struct journal *ret) MUST_CHECK;

/* Takes the state of the catalogue anew: what an earlier run had left was put right since the run began. */
bool journal_retake(struct ctx *ctx, const struct journal *journal) MUST_CHECK;

/* Records how the run ended; message may be NULL. */
bool journal_end(struct ctx *ctx, const struct journal *journal, const char *state,
    const char *message) MUST_CHECK;

/* A new entry in state "started": file first, then table. Sets entry, run, id and times. */
bool journal_start(struct ctx *ctx, const struct journal *journal, struct journal_entry *entry)
    MUST_CHECK;

/* What became of an entry. detail: JSON object, or NULL to keep what it was. */
bool journal_update(struct ctx *ctx, const struct journal *journal, struct journal_entry *entry,
    const char *state, const char *detail) MUST_CHECK;

/* All entries of this database, oldest first; none when schema pgmend is not there. */
bool journal_load(struct ctx *ctx, struct db *db, struct journal_entries *ret) MUST_CHECK;

/* Whether schema pgmend with its tables is there. */
bool journal_is_installed(struct ctx *ctx, struct db *db, bool *ret) MUST_CHECK;

/* That schema pgmend, if it is there, is not of a newer pgmend's format: ERR_UNSUPPORTED. */
bool journal_check_format(struct ctx *ctx, struct db *db) MUST_CHECK;

/*
 * Makes schema pgmend and its tables where they are missing. ERR_UNSUPPORTED: a newer pgmend has
 * written there.
 */
bool journal_install(struct ctx *ctx, struct db *db) MUST_CHECK;

/* Number that initdb gave the cluster; NULL when the role may not know. */
bool journal_system_identifier(struct ctx *ctx, struct db *db, const char **ret) MUST_CHECK;

/* The local file of this database: <state_dir>/journal/<cluster>-<database>.jsonl. */
bool journal_path(struct ctx *ctx, struct db *db, const char *state_dir, const char **ret)
    MUST_CHECK;
