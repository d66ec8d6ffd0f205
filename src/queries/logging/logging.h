/*
 * Makes the server log statements for a while, and puts its settings back. Each setting is a change
 * with its entry in the journal, so that "pgmend rollback" puts back what a killed run left.
 */
#pragma once

#include "base/text.h"
#include "change/rollout.h"
#include "workload/log.h"

struct logging_setting {
    const char *name;
    const char *value;
    const char *why;
};

/* What has to be set, and where the log is then. */
struct logging_plan {
    VEC(struct logging_setting) settings;
    enum log_format format;
    const char *form;   /* "jsonlog", "csvlog", "stderr"; as pg_current_logfile() takes it */
    const char *prefix; /* of a text log; else NULL */
    const char *path;   /* that was given; NULL: the server is asked */
    const char *folder; /* the data directory; NULL: not known */
};

/*
 * Reads the settings and decides. ERR_UNSUPPORTED or ERR_RIGHTS with the remedy when it cannot be; the
 * hint then says what to set by hand.
 */
bool logging_plan(struct ctx *ctx, struct db *db, double sample_rate, const char *log_file,
    struct logging_plan *ret) MUST_CHECK;

/* Puts back what earlier runs that were killed have left; how many settings. */
bool logging_put_back_earlier(struct ctx *ctx, struct rollout *rollout, size_t *ret_count)
    MUST_CHECK;

/* How many settings runs that are over, or go on, have set and not put back. */
bool logging_left(struct ctx *ctx, struct db *db, size_t *ret_count) MUST_CHECK;

/* On failure what was set already still is: logging_put_back(). */
bool logging_enable(struct ctx *ctx, struct rollout *rollout, const struct logging_plan *plan)
    MUST_CHECK;

/* Everything of this run, which has set the plan; the error's state says which settings still stand. */
bool logging_put_back(struct ctx *ctx, struct rollout *rollout, const struct logging_plan *plan)
    MUST_CHECK;

#define LOGGING_COMMAND "queries trace --enable-logging"

/* ---- the log while it is written: tail.c ---- */

struct logging_tail;

/* At the end of the log as it is now, or at the beginning of one that is not there yet. */
bool logging_tail_open(struct ctx *ctx, struct db *db, const struct logging_plan *plan,
    struct arena *arena, struct logging_tail **ret) MUST_CHECK;
void logging_tail_close(struct logging_tail *tail);
/* Hands what was written since to the reader; *ret_bytes of them. */
bool logging_tail_read(struct ctx *ctx, struct db *db, struct logging_tail *tail,
    struct log_reader *reader, int64_t *ret_bytes) MUST_CHECK;
/* The file that is read, and how: for the screen. */
const char *logging_tail_name(const struct logging_tail *tail);
bool logging_tail_is_local(const struct logging_tail *tail);
