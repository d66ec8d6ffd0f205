/*
 * The statements that indexes are to help, wherever they were seen: one row a fingerprint, with how often
 * and how long it ran, and with real constants where the source has them. (x = 1 and x IN (1, 2), and
 * tables whose names differ in digits, have one fingerprint and are rows of their own all the same.)
 */
#pragma once

#include "base/text.h"
#include "base/vec.h"
#include "db/db.h"
#include "workload/log.h"

/* Texts of one statement with real constants that are kept. */
enum { INTAKE_MOST_SAMPLES = 8 };

struct intake_statement {
    /*
     * What is to be planned: with $n for what differs from call to call. A constant stays where all
     * samples have it, or where there is only one sample.
     */
    const char *text;
    const char *
        fingerprint; /* of libpg_query; "q…" and the server's id where the grammar does not know it */
    const char
        *source; /* where it was seen first: "pg_stat_statements", "work.sql:12", "app.log:99" */
    double calls;
    double total_ms; /* -1: not known */
    double rows;     /* given or touched by all calls; -1: not known */
    struct text_list
        samples;  /* the statement with constants in place of all $n; none from counters */
    bool is_read; /* SELECT; else it writes */
    /* Why nothing can be advised for it: "a utility statement", "cut off after 1024 bytes", …; or NULL. */
    const char *problem;
};

struct intake {
    struct intake_statement *items; /* the most total_ms first, calls where that is not known */
    size_t count;
    size_t capacity;
    const char
        *source; /* "pg_stat_statements since 2026-11-20 10:00:00 UTC", "3 log files": for people */
    double span_s;           /* that the counts cover; -1: not known */
    bool has_times;          /* total_ms is known of all that count */
    int64_t hidden;          /* entries whose text our role may not read */
    int64_t evicted;         /* dropped by pg_stat_statements for want of room since the reset */
    int64_t other_databases; /* log lines or entries of others, left out */
    int64_t
        own; /* statements of pgmend itself, and of this database's catalogues alone, left out */
    struct text_list notes; /* sentences on what the numbers do not hold */
};

/* Whether a problem is only that the statement reads and writes no tables. NULL: it is not. */
bool intake_is_utility(const char *problem);

/*
 * From pg_stat_statements of this database. ERR_NOT_FOUND with what to do when it is not there. role: only
 * what this role ran; NULL: all.
 */
bool intake_counters(struct ctx *ctx, struct db *db, const char *role, struct intake *ret)
    MUST_CHECK;

/*
 * From files of SQL. A comment "-- weight: 12.5" or "-- calls: 300" before a statement says how often it runs
 * (otherwise 1), "-- time: 40ms" how long a call takes. Statements that do not parse have a problem with
 * file:line:column and cost nothing else. pgbench's \set lines and :variables are taken as the folder reader
 * does. "-" is standard input; a folder is all its *.sql.
 */
bool intake_files(struct ctx *ctx, const struct text_list *paths, struct intake *ret) MUST_CHECK;

/* From the server's logs: csvlog, jsonlog, stderr, and auto_explain's "Query Text" in any of them. */
bool intake_logs(struct ctx *ctx, const struct text_list *paths, const struct log_options *options,
    struct intake *ret) MUST_CHECK;

/*
 * From what "pgmend monitor" keeps in schema pgmend of db (its store), of the database named database over
 * the last span_us. ERR_NOT_FOUND when there is no store.
 */
bool intake_monitor(struct ctx *ctx, struct db *db, const char *database, int64_t span_us,
    struct intake *ret) MUST_CHECK;
