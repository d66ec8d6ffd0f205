/*
 * How many statements a request takes, by kind of request: what a test for CI compares with a baseline,
 * or with the same requests over more rows.
 */
#pragma once

#include "base/json.h"
#include "workload/statement.h"

/* One template in requests of a route. */
struct check_statement {
    const char *text;
    int64_t most;  /* times in one request */
    int64_t total; /* in all of them */
};

struct check_route {
    const char *name; /* by tag, else "statement: SELECT …" of the first one */
    bool is_tagged;
    int64_t requests;
    int64_t most;                       /* statements in one request */
    int64_t median;                     /* of the requests */
    double rows;                        /* that reads gave, a request */
    struct check_statement *statements; /* by text */
    size_t statement_count;
};

/* By name. */
struct check_routes {
    struct check_route *items;
    size_t count;
    size_t capacity;
};

struct check_counter;

/* What it gives lives in the arena. idle_gap_us ends a request where nothing else does; 0: 50 ms. */
struct check_counter *check_counter_new(struct arena *arena, int64_t idle_gap_us);
void check_counter_free(struct check_counter *counter);
/* A traced_sink, and a session's end. */
bool check_counter_take(struct ctx *ctx, void *counter, const struct traced_statement *statement);
void check_counter_end_session(void *data, uint64_t session);
void check_counter_finish(struct check_counter *counter, struct check_routes *ret);

/* A baseline: sorted, and only with what is the same in each run of the same requests. */
json_t *check_baseline_json(const struct check_routes *routes);
bool check_baseline_read(struct ctx *ctx, const char *path, struct check_routes *ret) MUST_CHECK;

enum check_verdict {
    CHECK_SAME,     /* as many, or fewer */
    CHECK_FEWER,    /* the baseline may be brought down */
    CHECK_MORE,     /* fails */
    CHECK_NEW,      /* not in the baseline */
    CHECK_VANISHED, /* in the baseline, not seen */
    CHECK_GROWS,    /* fails: more rows, more statements */
    CHECK_UNPROVEN, /* there were not more rows: nothing follows */
};
const char *check_verdict_name(enum check_verdict verdict);
bool check_verdict_fails(enum check_verdict verdict);

struct check_result {
    enum check_verdict verdict;
    const char *route;
    int64_t before; /* statements a request; -1: none */
    int64_t after;
    const char *message; /* a sentence */
};
struct check_results {
    struct check_result *items;
    size_t count;
    size_t capacity;
    int64_t failed;
};

/* allowed: so many statements more are no failure. */
void check_compare(struct arena *arena, const struct check_routes *baseline,
    const struct check_routes *seen, int64_t allowed, struct check_results *ret);
/* The same requests over few and over more rows. */
void check_growth(struct arena *arena, const struct check_routes *few,
    const struct check_routes *more, int64_t allowed, struct check_results *ret);

/* For CI: a JUnit file, and workflow commands of GitHub. */
void check_print_junit(FILE *out, const struct check_results *results);
void check_print_github(FILE *out, const struct check_results *results);
