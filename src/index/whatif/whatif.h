/*
 * What the planner would do if indexes were there, or were not: with HypoPG in a read-only session of the
 * database itself, or on a scratch server of our own with the same schema, statistics and sizes.
 */
#pragma once

#include "base/vec.h"
#include "index/candidate/candidate.h"

enum whatif_way { WHATIF_AUTO, WHATIF_HYPOPG, WHATIF_SCRATCH };

struct whatif;

struct whatif_options {
    const struct db *db;       /* the database */
    const struct facts *facts; /* of it */
    /* Columns that determine others; only the scratch server's planner can be told of them. */
    const struct candidate_dependency *dependencies;
    size_t dependency_count;
    enum whatif_way way;    /* AUTO: HypoPG where it is installed and all methods are known to it */
    bool wants_all_methods; /* candidates beside btree, hash, brin and bloom are expected */
    const char *bin_folder; /* of the server programs for a scratch server; NULL: looked for */
    const char *path;       /* search_path of the statements, or NULL: the role's own */
};

/* ERR_UNSUPPORTED with what to install or to give when neither way can be gone. */
bool whatif_open(struct ctx *ctx, const struct whatif_options *options, struct whatif **ret)
    MUST_CHECK;
void whatif_close(struct whatif *whatif);

/* "HypoPG 1.3.1", "a scratch server (PostgreSQL 15.20)", and sentences on what differs from the database. */
const char *whatif_way_text(const struct whatif *whatif);
const struct text_list *whatif_notes(const struct whatif *whatif);

/* The session that plans: for query_maker_begin(). It stays the whatif's. */
struct db *whatif_db(struct whatif *whatif);

/*
 * Makes an index known, under a number; it is not there until a set has it. ret_problem (a sentence; then
 * there is no number) when this way cannot have it, or the server refuses the definition. bytes: what
 * facts_index_size() reckons; the planner is told this size where the way allows it.
 */
bool whatif_add(struct ctx *ctx, struct whatif *whatif, const struct index_candidate *candidate,
    int64_t bytes, uint32_t *ret_number, const char **ret_problem) MUST_CHECK;

/* Whether an index that is there can be hidden from the planner. */
bool whatif_can_hide(const struct whatif *whatif);

struct whatif_set {
    const uint32_t *numbers; /* of whatif_add() */
    size_t count;
    const struct fact_index *const *hidden;
    size_t hidden_count;
};

struct whatif_plan {
    double cost; /* the planner's total */
    double rows;
    VEC(uint32_t) used;        /* numbers of the set's that the plan reads */
    struct text_list existing; /* "schema.name", quoted, of real ones it reads */
    const char *json;          /* the plan (VERBOSE) where it was asked for, else NULL */
};

/*
 * Plans a statement (without placeholders) as if the set were there. Indexes of other tables than those of
 * the statement do not matter and need not be in the set. wants_json costs time. ERR_FAILED with the
 * server's message when the statement cannot be planned; the whatif can be used on.
 */
bool whatif_plan(struct ctx *ctx, struct whatif *whatif, const char *sql,
    const struct whatif_set *set, bool wants_json, struct whatif_plan *ret) MUST_CHECK;

/* Planner calls so far. */
int64_t whatif_calls(const struct whatif *whatif);
