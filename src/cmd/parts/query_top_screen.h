/* What "queries top" shows: a table for people, a document for machines. */
#pragma once

#include "cli/command.h"
#include "queries/files.h"
#include "queries/top.h"

/* Where the numbers come from, beside the ranking. */
struct query_top {
    struct query_ranking ranking;
    bool is_counters;
    struct workload before;
    struct workload after; /* counters only */
    int64_t span_us;       /* of the counting; 0: since the reset */
    const char *track;     /* pg_stat_statements.track, when nothing was counted; NULL: not known */
    struct query_files files;
};

/* At most so many statements, the first of the ranking. */
void query_top_print(
    struct ctx *ctx, const struct run *run, const struct query_top *top, size_t limit);
/* by: the order's name. */
void query_top_json(struct ctx *ctx, const struct run *run, const struct query_top *top,
    const char *by, size_t limit);
