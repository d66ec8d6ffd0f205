/*
 * The guard of a roll-out: it is given what both arms have done since the last look and says whether to go
 * on, to wait or to go back. It may be asked as often as one likes; docs/flags.md has its rules and the
 * error rates that the tests simulate.
 */
#pragma once

#include "base/arena.h"
#include "flags/guard_tests.h"

enum { GUARD_MOST_BUCKETS = 64, GUARD_WINDOW_LOOKS = 64 };

enum guard_arm { GUARD_CONTROL, GUARD_TREATMENT, GUARD_ARMS };

/* What an arm has done, as counters or as the difference of two readings. */
struct guard_counts {
    double requests; /* with any answer */
    double errors;   /* 5xx */
    struct guard_logs logs;
    double buckets[GUARD_MOST_BUCKETS]; /* cumulative, as in the histogram */
};

struct guard_reading {
    struct guard_counts arms[GUARD_ARMS];
    double edges[GUARD_MOST_BUCKETS]; /* seconds, the last one infinite; the same for both arms */
    size_t bucket_count;
};

struct guard_rules {
    double tau;         /* 0.1 */
    double alpha;       /* 0.01, of each of the three tests that are looked at continuously */
    double beta;        /* 0.05 */
    double worst_ratio; /* 1.05: a mean that is less worse than this is no reason to go back */
    double margin;    /* 1.05: going on needs a mean that is not worse than this, with confidence */
    double p95_ratio; /* 1.2 */
    double least_base;     /* 0.001: errors that are always allowed */
    double more_errors;    /* 0.004: above them */
    double window_errors;  /* 5 */
    double window_rate;    /* 0.05 */
    int64_t window_us;     /* 30 s */
    double least;          /* requests of each arm before going on; 5,000 */
    int64_t hold_us;       /* time of a step before going on */
    double share;          /* of the users in the treatment: percent / 100 */
    double users;          /* that are active, for the sample ratio; 0: not known, not tested */
    double least_evidence; /* 100: no test of latency before so many requests of each arm */
};
extern const struct guard_rules guard_standard_rules;

struct guard_window {
    int64_t at_us;
    double requests;
    double errors;
};

struct guard {
    struct guard_rules rules;
    int64_t started_us;
    struct guard_reading sum;
    /* What the control did before, for a step that leaves nobody in it. */
    struct guard_counts before;
    bool has_before;
    struct guard_window window[GUARD_WINDOW_LOOKS]; /* a ring, of the treatment */
    size_t looks;
};

enum guard_decision { GUARD_WAIT, GUARD_GO_ON, GUARD_GO_BACK };

struct guard_verdict {
    enum guard_decision decision;
    const char *rule; /* "latency", "p95", "errors", "many errors", "sample ratio", "time", … */
    const char *why;  /* for people, in the arena */
    double ratio;     /* of the mean (geometric) latency, treatment to control, and its interval */
    double ratio_low;
    double ratio_high;
    double likelihood; /* of the mSPRT */
    double p95[GUARD_ARMS];
    double tail_llr;
    double error_rate[GUARD_ARMS];
    double error_llr;
    double split_p;
    double count[GUARD_ARMS]; /* requests that were answered well */
    int64_t elapsed_us;
    size_t looks;
};

void guard_begin(struct guard *guard, const struct guard_rules *rules, int64_t now_us);
/* delta: of all sources together, since the last call. */
void guard_add(struct guard *guard, const struct guard_reading *delta, int64_t now_us);
struct guard_verdict guard_judge(struct arena *arena, const struct guard *guard, int64_t now_us);
