/*
 * Parents of loops that a log shows: a log has no results, so the statements before a loop are run
 * again, read-only and with a time limit, and the one whose column holds the loop's keys is its
 * parent. A statement that may write or gives other rows each time is never run.
 */
#pragma once

#include "db/db.h"
#include "queries/detect/detect.h"
#include "queries/detect/samples.h"

/* After detect_finish(): what was kept for it. Empty when values were not kept. */
void detect_samples(
    struct detect *detect, const struct query_findings *findings, struct samples *ret);

struct rerun_counts {
    int64_t ran;
    int64_t proven; /* findings whose parent is certain now */
    int64_t failed; /* statements that the server refused, or that took too long */
    int64_t unsafe; /* that were not run because of functions in them */
};

/*
 * The session must be read-only. Loops of the findings that have samples become N+1 where a
 * statement holds their keys; what only order and names spoke for and the rows do not is less sure.
 */
bool rerun_parents(struct ctx *ctx, struct db *db, const struct samples *samples,
    struct query_findings *findings, struct rerun_counts *ret) MUST_CHECK;
