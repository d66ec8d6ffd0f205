/*
 * Finds statements that are run again and again in one request with other values: N+1, loops, and the
 * same question asked twice. The sequence of each session is cut into requests; in a request cycles of
 * 1 to 8 statements are looked for, and the statement before them whose result holds their values, in
 * order, is their parent. Sources: the idea of a parent by its values is that of Bowman and Salem,
 * "Optimization of Query Streams Using Semantic Prefetching", SIGMOD 2004.
 */
#pragma once

#include "queries/finding.h"
#include "workload/statement.h"

struct detect_options {
    int32_t min_repeats;   /* 0: 3 */
    int32_t most_period;   /* 0: 8 */
    int64_t idle_gap_us;   /* ends a request where nothing else tells its end; 0: 50 ms */
    int32_t most_sessions; /* open at once; the oldest is closed beyond it; 0: 10,000 */
};

struct detect;

/* Memory of findings and templates is the arena's, which grows with their number and not the trace's. */
struct detect *detect_new(struct arena *arena, const struct detect_options *options);
void detect_free(struct detect *detect);
/* Copies what it needs. */
void detect_take(struct detect *detect, const struct traced_statement *statement);
/* A session has ended: its last request is judged. */
void detect_end_session(struct detect *detect, uint64_t id);
/* How long was looked, when the caller knows: also where nothing came. Else from the first to the last. */
void detect_set_span(struct detect *detect, int64_t span_us);
/* Judges what is open, and gives all findings, the most time first. */
void detect_finish(struct detect *detect, struct query_findings *ret);
