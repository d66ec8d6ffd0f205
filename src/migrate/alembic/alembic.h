/*
 * The user's own Alembic, run on a database of ours. Its session goes through a relay of ours, so
 * that every statement, answer and error is seen, whatever driver env.py uses; and a run that
 * would talk to another database than ours is found out before it changes anything.
 */
#pragma once

#include "db/db.h"
#include "migrate/history/history.h"

struct alembic_options {
    const char *command;              /* "poetry run alembic"; NULL: found by itself */
    const char *section;              /* of the ini file, or NULL */
    const struct text_list *url_envs; /* further environment variables that get the URL, or NULL */
    bool plain_env;                   /* a small env.py of ours instead of the history's own */
    int64_t timeout_us;               /* of one run; 0: none */
};

/* How Alembic is started. */
struct alembic {
    struct alembic_options options;
    const struct environment *environment;
    struct text_list argv; /* the command */
    const char *version;   /* "1.8.1" */
    struct temporary work; /* folder of ours for ini files and sockets */
    const char *folder;    /* where it is started; NULL: where we are */
    const char *versions;  /* another version folder than environment's, or NULL */
};

/*
 * Finds Alembic: the option, a virtual environment beside the ini file, PATH; asks its version.
 * ERR_NOT_FOUND says what was tried. alembic_end() removes the work folder; it may be called twice.
 */
bool alembic_begin(struct ctx *ctx, const struct environment *environment,
    const struct alembic_options *options, struct alembic *ret) MUST_CHECK;
void alembic_end(struct alembic *alembic);

/*
 * A statement that went through the relay, told when its answer is complete. Its texts live as long
 * as the context's arena. The session has the settings of the client (search_path, DateStyle, …),
 * and what fails in it fails the client's transaction.
 */
struct alembic_statement {
    struct db *db;   /* the very session */
    bool may_ask;    /* db may be used now: its transaction has not failed, nothing is under way */
    size_t session;  /* 0, 1, …: of this run */
    size_t number;   /* of all statements of this run */
    const char *sql; /* as it was sent; parameters are not in it */
    const char *tag; /* "CREATE TABLE", "UPDATE 3"; NULL when it failed */
    int64_t rows;    /* of the tag; -1: it has none */
    int64_t started_us;      /* clock_us(), as the client's request was passed on */
    int64_t us;              /* until the answer was complete */
    bool was_in_transaction; /* before it */
    bool in_transaction;     /* after it */
    bool is_failed;
    const char *sqlstate; /* of a failure, as the next ones; else NULL */
    const char *message;
    const char *detail;
    const char *hint;
    const char
        *version; /* it wrote Alembic's version table: the revision that is now there; "" when
                             it took one away; else NULL */
    bool is_version_table; /* it is about Alembic's version table in any way */
};

/*
 * Any member may be NULL. Those with ret return false with an error to end the run. What they do
 * with the session is not counted in any time that is told.
 */
struct alembic_watcher {
    void *self;
    /* A session was opened for the client. */
    bool (*opened)(void *self, struct ctx *ctx, struct db *db, size_t session);
    /* Before a statement is passed on. */
    bool (*before)(void *self, struct ctx *ctx, const struct alembic_statement *statement);
    /* While a statement runs, again and again. */
    bool (*running)(void *self, struct ctx *ctx, const struct alembic_statement *statement);
    /* After it; the client waits until this returns. */
    bool (*after)(void *self, struct ctx *ctx, const struct alembic_statement *statement);
};

struct alembic_outcome {
    int status;         /* exit status of Alembic */
    const char *output; /* its standard output */
    const char *errors; /* its standard error */
    int64_t us;         /* wall time of the process */
    size_t sessions;
    size_t statements;
    const char *exception; /* of Alembic or the last line of a Python traceback, or NULL */
    const char *hint;      /* what would help, or NULL */
    struct place place;    /* the innermost frame within the version folder, or file NULL */
    bool has_failed_statement;
    struct alembic_statement failed; /* the first statement that failed in the end's transaction */
};

/*
 * Runs "alembic ARGS" on the database of target (a session that stays ours; the relay opens its
 * own like it). ERR_CONFLICT when Alembic ended without ever having come to us: env.py takes its
 * URL from elsewhere, and nothing is known of what it did there; alembic_probe() first. A status
 * other than 0 is no error here. ERR_TIMEOUT and ERR_INTERRUPTED end Alembic first.
 */
bool alembic_run(struct ctx *ctx, const struct alembic *alembic, struct db *target,
    const char *const *args, const struct alembic_watcher *watcher, struct alembic_outcome *ret)
    MUST_CHECK;

/*
 * Runs "alembic current", which writes nothing, and sees whether it comes to us. False with what
 * to do when env.py cannot be loaded (an application that is not installed) or connects elsewhere.
 */
bool alembic_probe(struct ctx *ctx, const struct alembic *alembic, struct db *target) MUST_CHECK;

/* Sets ERR_FAILED with revision, file:line, statement, SQLSTATE and message of a failed run. */
bool alembic_failure(struct ctx *ctx, const struct alembic_outcome *outcome);
