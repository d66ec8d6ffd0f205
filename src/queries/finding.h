/*
 * What was found in the sequence of statements: one kind of request that asks again and again, with
 * how often and what it cost. Written as JSON by "queries nplusone" and "queries trace", read again by
 * "queries rewrite".
 */
#pragma once

#include "base/ctx.h"
#include "base/field.h"
#include "base/json.h"
#include "base/vec.h"

#define QUERY_FINDING_KINDS(X)                                                                   \
    X(FOUND_N_PLUS_ONE, "n+1", "one statement for each row of another")                          \
    X(FOUND_LOOP, "loop", "one statement again and again with other values, from no other seen") \
    X(FOUND_DUPLICATE, "duplicate", "the very same statement again in one request")              \
    X(FOUND_SUSPECT, "suspect", "as many calls as another statement has rows")

#define QUERY_FINDING_ENUM(kind, name, meaning) kind,
enum query_finding_kind { QUERY_FINDING_KINDS(QUERY_FINDING_ENUM) QUERY_FINDING_KIND_COUNT };
#undef QUERY_FINDING_ENUM

const char *query_finding_kind_name(enum query_finding_kind kind);

enum provenance {
    PROVENANCE_NONE,
    PROVENANCE_SEEN,   /* the parent's result was seen: its column holds the values, in order */
    PROVENANCE_RERUN,  /* the parent was run again, read-only: it holds them now */
    PROVENANCE_ORDER,  /* it stands right before them and has as many rows as they have repeats */
    PROVENANCE_COUNTS, /* only the counters agree */
};

/* Where a value of a child comes from. */
enum slot_origin {
    SLOT_CONSTANT, /* the same in each repeat of a request */
    SLOT_KEY,      /* varies, and is a column of the parent */
    SLOT_VARIES,   /* varies, and is of no column of the parent */
    SLOT_PARAM,    /* the same in a request, and equal to a value of the parent's */
};

struct query_slot {
    enum slot_origin origin;
    int32_t column;   /* SLOT_KEY: of the parent's result, from 0; SLOT_PARAM: its value, from 0 */
    const char *text; /* an example of the value; NULL: values were not kept */
    bool
        is_bound; /* sent as $n, or not the same in all requests: no part of the statement's text */
};

/* One statement of the cycle. */
struct query_child {
    const char *fingerprint;
    const char *text; /* template: $n for what was a constant, too; of as many slots */
    struct query_slot *slots;
    size_t slot_count;
    int64_t calls;
    int64_t total_us;
    double rows_mean; /* a call; -1: not known */
};

struct query_example {
    int64_t started_us;
    uint64_t session;
    uint64_t line;      /* of the first child */
    const char *source; /* file; NULL: the wire */
    int32_t repeats;
    const char *parent_sql; /* NULL: values were not kept */
    const char *child_sql;
};

struct query_parent {
    const char *fingerprint;
    const char *text;
    struct query_slot *slots; /* its own values: SLOT_CONSTANT with an example */
    size_t slot_count;
    int32_t key_column;   /* of its result, from 0 */
    const char *key_name; /* NULL: not known */
    double rows_mean;
};

struct query_finding {
    const char *id; /* eight digits, the same for the same kind of finding in each run */
    enum query_finding_kind kind;
    enum provenance provenance;
    double confidence; /* 0 … 1 */
    const char *why;   /* a sentence: what it rests on */
    bool has_parent;
    struct query_parent parent;
    struct query_child *children;
    size_t child_count;
    const char *statement_kind; /* "read", "write": what the children do */
    int64_t requests;           /* in which it was seen */
    int64_t repeats_min;        /* of the cycle, a request */
    int64_t repeats_median;
    int64_t repeats_p95;
    int64_t repeats_max;
    int64_t wasted_us; /* all children's time but that of one round, summed up; -1: not known */
    double wasted_request_us; /* the mean a request; -1 */
    double wasted_day_us;     /* at the rate of the trace; -1 */
    double share;             /* of all time that statements of the trace took; -1 */
    const char *const *routes;
    size_t route_count;
    const char *application; /* the most frequent; NULL */
    const char *database;
    struct query_example *examples;
    size_t example_count;
};

struct query_findings {
    struct query_finding *items;
    size_t count;
    size_t capacity;
    /* Of what they were found in. */
    int64_t statements;
    int64_t sessions;
    int64_t requests;
    int64_t lost;       /* statements that were not seen for want of time or room */
    int64_t unknown;    /* that the grammar does not know */
    int64_t total_us;   /* of all statements; -1 */
    int64_t span_us;    /* from the first to the last */
    const char *source; /* "wire", "log", "statements" */
};

/* What "id" is made of: the same for the same statements, whatever else was in the trace. */
const char *query_finding_id(struct arena *arena, const struct query_finding *finding);

/* As docs/queries.md describes it; the caller owns it. */
json_t *query_findings_json(const struct query_findings *findings);
/* ERR_INPUT "name: …" with the member that is wrong. */
bool query_findings_read(
    struct ctx *ctx, const char *name, const json_t *from, struct query_findings *ret) MUST_CHECK;
