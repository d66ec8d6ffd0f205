/*
 * The reader's side of the proxy: records of messages become executed statements. It runs in a thread
 * of its own, with memory that does not grow with the traffic.
 */
#pragma once

#include "queries/proxy/record.h"
#include "workload/statement.h"
#include "workload/traced_value.h"

struct follow;

struct follow_options {
    bool keeps_values;
    int32_t most_rows;    /* of a result whose values are looked at; 0: 1,000 */
    int32_t most_columns; /* 0: 64 */
    const char *database; /* others are left out; NULL: all */
};

struct follow_counts {
    int64_t sessions;
    int64_t statements;
    int64_t lost;    /* records that were dropped before they came here */
    int64_t unknown; /* statements whose text was not seen: prepared before, or in what was lost */
    int64_t damaged; /* messages that are none */
};

/* ended: a session is over; may be NULL. */
struct follow *follow_new(const struct follow_options *options, struct templates *templates,
    traced_sink *sink, void (*ended)(void *data, uint64_t session), void *data);
void follow_free(struct follow *follow);
bool follow_record(struct ctx *ctx, struct follow *follow, const struct record *record,
    const char *bytes) MUST_CHECK;
struct follow_counts follow_counts(const struct follow *follow);
