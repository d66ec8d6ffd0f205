/* What the steps of choose_indexes() share: indexes by small numbers, costs that are known, selections. */
#pragma once

#include "index/choose/choose.h"

/* Rising positions of chooser.indexes. */
struct id_set {
    const uint32_t *items;
    size_t count;
};

/* One planning: what it was told, what it used, what it costs. */
struct known_cost {
    struct id_set asked;
    struct id_set used;
    double cost;
};

struct chooser_instance {
    const char *sql;
    double share;
    double before;
    VEC(struct known_cost) known;
};

struct chooser_query {
    struct chooser_instance *instances;
    size_t count; /* 0: not the workload's, but a foreign key's look-ups; see reference.c */
    double weight;
    double before;
    double served;        /* of a foreign key's: cost with any index that begins with its columns */
    VEC(uint32_t) all;    /* indexes that could matter, rising */
    VEC(uint32_t) useful; /* those that a plan used, rising */
    struct id_set best;   /* what the planner takes when it may take anything */
    double floor;         /* cost with it: nothing can be cheaper */
    uint64_t changed;     /* tick of chooser at which its cost in the selection changed */
    bool has_untried;     /* time was up before all candidates that were made for it were known */
    bool is_seen;         /* it was planned with what could help it */
};

struct chooser_index {
    struct index_candidate *candidate;
    uint32_t number; /* of whatif_add(); 0: cannot be had */
    int64_t bytes;
    double write_cost;
    double lost_hot;
    bool is_useful;         /* some plan used it */
    uint64_t changed;       /* tick at which a query it is useful for, or a relative, changed */
    VEC(uint32_t) touches;  /* queries it is useful for, rising */
    VEC(uint32_t) narrower; /* indexes that it can stand for: the same first keys */
    VEC(uint32_t) wider;    /* those that can stand for it */
};

/* What is chosen at some point, with the cost of every query. */
struct selection {
    VEC(uint32_t) items; /* rising */
    double *costs;       /* by query */
    double total;        /* weighted cost of the queries */
    double write;
    int64_t bytes;
};

enum { MOVE_MOST = 8 };

/* Indexes to add and to drop at once. */
struct move {
    uint32_t add[MOVE_MOST];
    size_t add_count;
    uint32_t drop[MOVE_MOST];
    size_t drop_count;
};

/* What a move would change; negative is cheaper. */
struct outcome {
    double cost; /* weighted, of the queries */
    double write;
    int64_t bytes;
    double touched; /* weighted cost before, of those queries that change */
};

struct id_list {
    VEC(uint32_t) ids;
};

struct chooser {
    struct ctx *ctx;
    struct whatif *whatif;
    struct index_candidates *candidates;
    const struct choose_options *options;
    struct write_load *writes;
    struct chooser_query *queries;
    size_t query_count; /* with those of foreign keys */
    size_t own_count;   /* of the workload */
    VEC(struct chooser_index) indexes;
    struct map by_definition; /* table and definition → struct id_cell */
    struct map by_table;      /* qualified → struct id_list */
    double before_total;
    double write_budget; /* most that may be added; infinite: no limit */
    double least_share;
    int64_t started_us;
    bool is_out_of_time;
    size_t untried;  /* candidates for which there was no time */
    uint64_t *marks; /* by query: tick of the last move that touched it */
    uint64_t tick;
    int64_t rounds;
    uint32_t banned;       /* from being added; UINT32_MAX: none */
    bool is_plain_only;    /* nothing with INCLUDE is added */
    uint32_t kept;         /* it is not taken out again; UINT32_MAX: none */
    struct arena *scratch; /* of one planning */
    struct arena *work;    /* of one try of a move */
    VEC(const char *) trail;
};

/* set.c */
bool id_set_has(const struct id_set *set, uint32_t id);
bool id_set_is_in(const struct id_set *narrow, const struct id_set *wide);
struct id_set id_set_and(struct arena *arena, const struct id_set *a, const struct id_set *b);
/* a without b. */
struct id_set id_set_without(struct arena *arena, const struct id_set *a, const struct id_set *b);
struct id_set id_set_with(struct arena *arena, const struct id_set *a, const struct id_set *b);
#define ID_SET(vec) ((struct id_set){ .items = (vec)->items, .count = (vec)->count })

/*
 * cost.c: the planner's cost of a query with a set of its indexes; asked only if no earlier answer tells.
 * When time is up nothing is asked any more, and the answer is the most it can be.
 */
bool chooser_cost(struct chooser *chooser, size_t query, const struct id_set *set, double *ret)
    MUST_CHECK;
/* No more than this it can fall to, by what is known; nothing is asked. */
double chooser_cost_floor(const struct chooser *chooser, size_t query, const struct id_set *set);
/* Plans in any case, once for each instance; ret_used: what any of them used. */
bool chooser_ask(struct chooser *chooser, size_t query, const struct id_set *set, double *ret,
    struct id_set *ret_used) MUST_CHECK;
/* Those of the selection that matter to the query. */
struct id_set chooser_relevant(
    struct chooser *chooser, struct arena *arena, size_t query, const struct selection *selection);
/* What the plans of the query's instances use when they may choose from the set; of known answers. */
struct id_set chooser_used(const struct chooser *chooser, size_t query, const struct id_set *set);
bool chooser_is_late(struct chooser *chooser);
/* Whether that part of the time is over; false where there is no limit. */
bool chooser_is_past(const struct chooser *chooser, double share);

/* index.c: all candidates, as long as a part of the time lasts: those of the heaviest queries first. */
bool chooser_add_candidates(struct chooser *chooser) MUST_CHECK;
/* Whether the first can stand for the second: the same first keys, no predicate or the same. */
bool chooser_is_wider(const struct chooser *chooser, uint32_t wide, uint32_t narrow);
/* A sentence's name of it: "public.users (email)". */
const char *chooser_index_text(const struct chooser *chooser, uint32_t id);

/*
 * An index made of others, which the queries of both might use; it is known from now on to them.
 * more: UINT32_MAX when there is one only.
 */
bool chooser_add_made(struct chooser *chooser, struct index_candidate *candidate, uint32_t base,
    uint32_t more) MUST_CHECK;

/* reference.c: pretends a query for each foreign key that no index serves. */
void chooser_add_references(struct chooser *chooser);

/* prune.c: which indexes the planner would take at all, and which together. */
bool chooser_prune(struct chooser *chooser) MUST_CHECK;

/* selection.c */
void selection_begin(struct chooser *chooser, struct selection *ret);
bool selection_has(const struct selection *selection, uint32_t id);
/* exact: asks; else by floors, without asking: as good as it could be. */
bool selection_try(struct chooser *chooser, const struct selection *from, const struct move *move,
    bool is_exact, struct outcome *ret) MUST_CHECK;
bool selection_apply(struct chooser *chooser, struct selection *selection, const struct move *move)
    MUST_CHECK;
/* Whether it saves what a step, and above all a wider index, has to save. */
bool selection_pays(const struct chooser *chooser, const struct selection *selection,
    const struct move *move, const struct outcome *outcome);
/* Adds the narrower ones of the selection that the move's additions stand for to what it drops. */
void selection_drop_narrower(
    const struct chooser *chooser, const struct selection *selection, struct move *move);
bool selection_fits(const struct chooser *chooser, const struct selection *selection,
    const struct move *move, const struct outcome *outcome);
/* How much a step has to save now, weighted. */
double selection_least(const struct chooser *chooser, const struct selection *selection);
double selection_objective(const struct selection *selection);

/* The ways to a selection. greedy.c: adding what pays most, for its size or at all. */
bool chooser_grow(struct chooser *chooser, bool by_size, struct selection *selection, bool is_told)
    MUST_CHECK;
/* relax.c: from all that any query would take, down to what fits and pays. */
bool chooser_fill(struct chooser *chooser, struct selection *selection) MUST_CHECK;
bool selection_is_over(const struct chooser *chooser, const struct selection *selection);
bool chooser_shrink(struct chooser *chooser, struct selection *selection, bool is_told) MUST_CHECK;
/* improve.c: exchanging, narrowing and merging until nothing is better. */
/* And, in a tight budget, starting again with or without each index. */
bool chooser_shake(struct chooser *chooser, struct selection *selection) MUST_CHECK;
bool chooser_improve(struct chooser *chooser, struct selection *selection) MUST_CHECK;

/* complete.c: without INCLUDE that saves little, completed, without what saves next to nothing. */
bool chooser_complete(struct chooser *chooser, struct selection *selection) MUST_CHECK;

/* twin.c: the direction that the queries ask for, where either would do. */
bool chooser_turn(struct chooser *chooser, struct selection *selection) MUST_CHECK;

/* tell.c and redundant.c: the result. */
bool chooser_tell(struct chooser *chooser, struct selection *selection, struct choice *ret)
    MUST_CHECK;
bool chooser_find_redundant(struct chooser *chooser, const struct selection *selection,
    const struct choose_query *queries, struct choice *ret) MUST_CHECK;
void chooser_say(struct chooser *chooser, const char *format, ...) PRINTF_LIKE(2, 3);
void chooser_progress(const struct chooser *chooser, const char *phase, double ratio);
