/*
 * What a run measured: counted while it runs, written as JSON, and read again to be compared. Latencies
 * are in us and count from the moment at which a request was due.
 */
#pragma once

#include "base/json.h"
#include "load/histogram.h"
#include "load/scenario/scenario.h"

/* X(constant, name in JSON, what people read) */
#define LOAD_OUTCOMES(X)                                                        \
    X(LOAD_GOOD, "good", "good")                                                \
    X(LOAD_REFUSED, "refused", "refused (429, 503, too many connections)")      \
    X(LOAD_FAILED, "failed", "failed (another status, an error of the server)") \
    X(LOAD_GARBAGE, "garbage", "answered with what is no answer")               \
    X(LOAD_RESET, "reset", "the connection was lost before the answer")         \
    X(LOAD_UNCONNECTED, "unconnected", "no connection could be opened")         \
    X(LOAD_LATE, "timeout", "no answer within the limit")                       \
    X(LOAD_UNSENT, "unsent", "could not be sent: a value was missing")

#define LOAD_OUTCOME_ENUM(constant, name, words) constant,
enum load_outcome { LOAD_OUTCOMES(LOAD_OUTCOME_ENUM) LOAD_OUTCOME_COUNT };
#undef LOAD_OUTCOME_ENUM
extern const char *const load_outcome_names[];
extern const char *const load_outcome_words[];

/*
 * A run is kept in slices of equal length, whole seconds, from its start to its end, so that runs can be
 * compared; a last one that is not full is left out.
 */
enum { LOAD_MOST_SLICES = 60 };

/* Latencies of a slice: cells of the histogram that are not empty, by groups as sparse.h has them. */
struct load_sparse {
    uint32_t *cells;
    uint32_t *counts;
    size_t count;
};

/* Of one kind of request. */
struct load_step_record {
    const char *name;
    struct text_list fingerprints; /* SQL */
    struct histogram *latency;     /* good ones, from when they were due */
    struct histogram *service;     /* good ones, from when they were sent */
    int64_t outcomes[LOAD_OUTCOME_COUNT];
    int64_t bytes;
    int64_t statements;         /* of good ones; -1: not known */
    struct load_sparse *slices; /* latency of good ones, by slice */
    int64_t *slice_errors;
};

struct load_group_record {
    const char *name;
    int32_t users;
    int64_t outcomes[LOAD_OUTCOME_COUNT];
    struct histogram *latency;
};

/* A second of the run. */
struct load_moment {
    int64_t at;    /* seconds since 1970 */
    int64_t calls; /* good ones */
    int64_t errors;
    int64_t sum_us;
    int64_t p50_us;
    int64_t p95_us;
    int64_t p99_us;
    int64_t max_us;
    int64_t open;    /* connections */
    int64_t lag_us;  /* p99 of how late the generator was */
    bool is_counted; /* neither ramp-up nor warm-up */
};

/* What went wrong, in words, with how often. */
struct load_message {
    const char *text;
    int64_t count;
};

/* A number that the server's side tells: see facts/facts.h. */
struct load_fact {
    const char *name;  /* "pg_cpu_share" */
    const char *label; /* "PostgreSQL's CPU" */
    const char *unit;  /* "share", "us", "bytes", "" */
    double value;
};

struct load_fact_kind {
    const char *name;
    const char *label;
    const char *unit;
};
/* All facts that there can be, in the order in which they are shown (facts/kinds.c). */
extern const struct load_fact_kind load_fact_kinds[];
extern const size_t load_fact_kind_count;

/* What the server's side did in a second of the run; NaN: not known. In JSON "fact_moments". */
struct load_fact_moment {
    int64_t at; /* seconds since 1970, as a load_moment's */
    double pg_cpu_share;
    double api_cpu_share;
    double generator_cpu_share;
    double active;     /* sessions at work */
    double lock_waits; /* sessions waiting for a lock */
};

struct load_goal_result {
    const char *text;
    double value;
    bool
        is_known; /* else nothing was measured (value is NaN), or a late generator leaves it open */
    bool is_met;
};

struct load_record {
    /* What was asked for. */
    const char *name;   /* of the scenario */
    const char *target; /* address, or database as db_label() says */
    enum load_kind kind;
    int64_t users;
    uint64_t seed;
    int64_t planned_us;
    int64_t think_us; /* mean of all users; -1: some group goes by rate or never thinks */
    bool is_closed;   /* a user thinks after the answer; else from one request to the next */
    struct text_list defines;
    /* When. */
    int64_t started_us; /* wall clock, of what counts */
    int64_t elapsed_us; /* that counts */
    bool is_complete;   /* ran to its end, and this is no state in between */
    bool is_stopped;    /* by a signal */
    /* What came of it. */
    struct load_step_record *steps;
    size_t step_count;
    struct load_group_record *groups;
    size_t group_count;
    struct load_moment *moments;
    size_t moment_count;
    size_t moment_capacity;
    int64_t slice_us;
    size_t slice_count;
    struct load_message *messages; /* the 20 most frequent ones, most frequent first */
    size_t message_count;
    /* The generator itself. */
    struct histogram *lag; /* how late it sent: of all that was due and had a free connection */
    int64_t cpu_us;        /* of this process */
    int64_t rss_bytes;     /* at most */
    int64_t most_open;     /* connections at once */
    int64_t lost;          /* connections that the server closed or that broke */
    int64_t waited;     /* requests that were due and had to wait for their user's answer before */
    int64_t unanswered; /* still under way when the run ended */
    /* Filled by others after the run. */
    struct load_fact *facts;
    size_t fact_count;
    struct load_fact_moment *fact_moments;
    size_t fact_moment_count;
    struct text_list fact_notes; /* sentences: why some facts are not known */
    struct load_goal_result *goals;
    size_t goal_count;
};

/* An empty one for this scenario. Everything lives in the arena. */
void load_record_begin(
    struct arena *arena, const struct load_scenario *scenario, struct load_record *ret);

/* All good answers together. In the arena. */
struct histogram *load_record_latency(struct arena *arena, const struct load_record *record);
int64_t load_record_count(const struct load_record *record, enum load_outcome outcome);
/*
 * Good answers a second, by the seconds in which they came: what came after the end is none of the time that
 * counted, and an overloaded server would look faster by it.
 */
double load_record_rate(const struct load_record *record);
/* Everything but good ones and unanswered ones. */
int64_t load_record_errors(const struct load_record *record);
/*
 * The generator itself was too late (p99 of lag above LOAD_MOST_LAG_US): latencies are its own fault in
 * part, and must not be shown without saying so.
 */
#define LOAD_MOST_LAG_US 1000
bool load_record_is_bottleneck(const struct load_record *record);

/* As pgmend report, compare and the page read it. Caller owns it. */
json_t *load_record_json(const struct load_record *record);
/* ERR_INPUT for a file that is none, with what it lacks. */
bool load_record_read(struct ctx *ctx, const char *path, struct load_record *ret) MUST_CHECK;

/* Holds the record (with its facts) to the scenario's goals. */
bool load_goals_check(
    struct ctx *ctx, const struct load_scenario *scenario, struct load_record *record) MUST_CHECK;
/* Whether a goal's measure is one that is known, and of which unit its limit is written. */
enum load_measure_unit { MEASURE_NONE, MEASURE_TIME, MEASURE_SHARE, MEASURE_NUMBER };
enum load_measure_unit load_measure_unit(const char *name);
