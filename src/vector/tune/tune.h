/* Building the candidates, measuring them on the copy, and choosing. */
#pragma once

#include "vector/method/choice.h"
#include "vector/stage/measure.h"

struct vector_goal {
    double recall;       /* mean of each bucket's queries taken together, at least */
    double recall_worst; /* of the worst bucket, at least */
    int64_t p95_us;      /* wall, in every bucket; 0: no limit */
    int64_t most_bytes;  /* indexes and columns that are added; 0: no limit */
    int64_t time_us;     /* for building and measuring; what does not fit is named, not built */
};

/* One way to search with what was measured. */
struct vector_candidate {
    struct vector_method method;
    const char *name;
    VEC(const char *) tenants; /* that have a partial index, for SCOPE_TENANT */
    bool was_built;
    const char *problem;  /* why it was not built, measured or chosen; or NULL */
    int64_t build_us;     /* wall; of all its indexes and columns */
    int64_t build_cpu_us; /* of the backend; -1: cannot be seen */
    int64_t index_bytes;
    int64_t column_bytes; /* of extra columns, in the copy */
    double write_cost;    /* time of inserting rows with it, as a multiple of without; 0: unknown */
    VEC(struct vector_measure) buckets; /* as the sizes' buckets; queries 0: not measured there */
    struct vector_measure overall;
    size_t rung; /* how far it came in the halving; the last rung is the whole sample */
    bool meets_goal;
    bool is_pareto;      /* nothing else has better recall, CPU and size at once */
    bool can_be_applied; /* false: partitions; measured to be compared only */
    bool is_plan;        /* the plan's own choice, always measured to the end */
    bool is_present; /* what the searches of the live table do today, see vector_tuning.present */
};

struct vector_tuning {
    struct vector_target target; /* of the live table */
    struct vector_sizes sizes;
    struct vector_goal goal;
    VEC(struct vector_candidate)
    candidates; /* the chosen one first, then by CPU; those not measured last */
    struct vector_choice choice;
    bool
        has_choice; /* something meets the goal; else choice is the nearest, and why says what fails */
    enum meter_kind meter;
    int64_t sample_rows;
    bool is_whole;
    int64_t query_count;
    int64_t started_us; /* wall clock */
    int64_t elapsed_us;
    struct text_list sources; /* of the queries: "held-out rows: 150" */
    struct text_list notes;
    const char *present; /* a sentence: how the live table is searched today; NULL: not looked at */
};

/*
 * The candidates for a target, cheap ones to build first; use: only the families of this name (and
 * exact search to compare with), or NULL.
 */
struct vector_methods {
    struct vector_method *items;
    size_t count;
    size_t capacity;
};
bool vector_candidates(struct ctx *ctx, const struct vector_target *target,
    const struct vector_sizes *sizes, const char *use, struct vector_methods *ret) MUST_CHECK;

/*
 * The whole run on an open stage. Candidates that share a build are built once; one build stands at
 * a time, and is dropped before the next. Successive halving over the queries (Jamieson and
 * Talwalkar 2016): a rung asks more queries of fewer candidates; one goes out when the upper end of
 * its recall is below the goal, or when another that meets the goal is surely cheaper and smaller.
 */
bool vector_tune(struct ctx *ctx, struct vector_stage *stage, const struct vector_goal *goal,
    const char *use, const struct vector_observer *observer, struct vector_tuning *ret) MUST_CHECK;

/* Builds a method's columns and indexes on the stage, and removes them. */
struct vector_build {
    int64_t us;
    int64_t cpu_us;
    int64_t index_bytes;
    int64_t column_bytes;
    const char *table; /* qualified: partitions stand on a table of their own */
};
bool vector_build_make(struct ctx *ctx, struct vector_stage *stage,
    const struct vector_method *method, const struct text_list *tenants,
    const struct vector_observer *observer, struct vector_build *ret) MUST_CHECK;
bool vector_build_remove(struct ctx *ctx, struct vector_stage *stage,
    const struct vector_method *method, const struct text_list *tenants) MUST_CHECK;

/* Marks who meets the goal and the Pareto front, and chooses: base method and specials, with why. */
void vector_decide(struct arena *arena, struct vector_tuning *tuning);

/*
 * Chooses this candidate instead, as somebody asked for it; has_choice says whether it meets the
 * goal, and why tells what it misses. vector_tune() does so with the best of those that use names,
 * for ivfflat with the plan's own choice.
 */
void vector_choose(struct arena *arena, struct vector_tuning *tuning, size_t candidate);
