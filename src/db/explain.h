/* Plans of statements that are not ours, without running them for good. */
#pragma once

#include "db/db.h"

struct explain_options {
    bool analyze;       /* runs the statement, in a read-only transaction */
    int64_t timeout_us; /* statement_timeout; 0: ten seconds */
};

struct explain_plan {
    const char *json;           /* the array that EXPLAIN (FORMAT JSON) gives */
    double cost;                /* estimated total */
    double rows;                /* estimated */
    struct text_list indexes;   /* names of the indexes used, each once */
    struct text_list seq_scans; /* names of the tables read from end to end, each once */
};

/*
 * Asks for the plan of one statement, in a read-only transaction that is rolled back, with the
 * search_path that the connection's role has in this database. db must not be in a transaction.
 */
bool explain_statement(struct ctx *ctx, struct db *db, const char *sql,
    const struct explain_options *options, struct explain_plan *ret) MUST_CHECK;

/* Reads a stored plan again. */
bool explain_read(struct ctx *ctx, const char *json, struct explain_plan *ret) MUST_CHECK;
