/*
 * What an index was built for, and whether it came true. The plan that "pgmend index advise" writes
 * carries its promises; apply keeps them in schema pgmend with what the statements cost until then;
 * later they are compared with what happened.
 */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "base/vec.h"
#include "db/db.h"
#include "workload/workload.h"

struct promise_statement {
    const char *fingerprint;
    const char *query;  /* with $n */
    double cost_before; /* the planner's, when it was advised */
    double cost_after;
    bool has_counts; /* pg_stat_statements knew it when the index was built: until then */
    double calls;
    double total_ms;
    double blocks; /* read or hit */
};

struct promise {
    const char *schema;
    const char *table;
    const char *name;
    const char *made_at;    /* by advise */
    const char *applied_at; /* NULL: not yet */
    bool is_taken;          /* the planner took it for one of the statements when it was built */
    VEC(struct promise_statement) statements;
};

struct promises {
    struct promise *items;
    size_t count;
    size_t capacity;
};

/* { "kind": "index", "promises": […] }, as a plan carries it. The caller owns it. */
json_t *promises_to_json(const struct promises *promises);
bool promises_from_json(struct ctx *ctx, const json_t *json, struct promises *ret) MUST_CHECK;

/*
 * After the indexes of a plan were built: asks the planner whether it takes them, and keeps the
 * promises with the counts of now in schema pgmend. writer: a session that may write there; db: one
 * to plan in. *ret_text, a clause, says what holds.
 */
bool promises_begin(struct ctx *ctx, struct db *writer, struct db *db, const json_t *proof,
    const char **ret_text) MUST_CHECK;

/* Those that are kept; none where schema pgmend is not there. */
bool promises_load(struct ctx *ctx, struct db *db, struct promises *ret) MUST_CHECK;

/* Forgets the promises of an index that is gone. */
bool promise_forget(struct ctx *ctx, struct db *writer, const struct promise *promise) MUST_CHECK;

#define PROMISE_VERDICTS(X)                                                                  \
    X(VERDICT_PAYS, "pays")         /* used, and what it was built for got cheaper */        \
    X(VERDICT_USED, "used")         /* used; what it was built for was not counted before */ \
    X(VERDICT_EARLY, "too early")   /* not called often enough to tell */                    \
    X(VERDICT_UNUSED, "unused")     /* called often enough, and not used once */             \
    X(VERDICT_NO_GAIN, "no gain")   /* used, and nothing got cheaper */                      \
    X(VERDICT_BROKEN, "not usable") /* there, and not valid */                               \
    X(VERDICT_GONE, "gone")         /* no longer there */

#define VERDICT_ENUM(verdict, name) verdict,
enum promise_verdict { PROMISE_VERDICTS(VERDICT_ENUM) VERDICT_COUNT };
#undef VERDICT_ENUM

const char *promise_verdict_name(enum promise_verdict verdict);
/* Whether the index has no proof that it should stay. */
bool promise_is_broken(enum promise_verdict verdict);

/* What became of one statement since the index was there. */
struct promise_outcome {
    const struct promise_statement *statement;
    double calls;     /* since then; -1: not known */
    double ms_before; /* a call; -1: not known, as the next ones */
    double ms_after;
    double blocks_before; /* a call */
    double blocks_after;
    double reached; /* share of the promised saving, by time; NaN: not known */
};

struct promise_result {
    const struct promise *promise;
    enum promise_verdict verdict;
    int64_t scans; /* of the index */
    int64_t bytes;
    VEC(struct promise_outcome) outcomes;
    const char *why; /* a clause */
};

struct promise_results {
    struct promise_result *items;
    size_t count;
    size_t capacity;
};

/*
 * now: NULL when pg_stat_statements cannot be read, then only the scans tell. least_calls: of the
 * promised statements together before an index is called unused or without gain.
 */
bool promises_judge(struct ctx *ctx, struct db *db, const struct promises *promises,
    const struct workload *now, int64_t least_calls, struct promise_results *ret) MUST_CHECK;
