/* Writing the functions that are installed; for the files functions*.c. */
#pragma once

#include "vector/install/install.h"

/* All of one installation. */
struct making {
    struct arena *arena;
    const struct vector_choice *choice;
    const struct vector_target *target;
    const char *schema;
    struct vector_functions *functions;
};

/* One function while it is written. Inside of body its own block is called "own". */
struct draft {
    const char *name;
    const char *summary;
    VEC(struct draft_argument) arguments;
    const char *returns;       /* "text", "TABLE (…)" */
    const char *manner;        /* "STABLE PARALLEL SAFE" */
    struct text_list settings; /* of the function: "plan_cache_mode = force_custom_plan" */
    const char *variables;     /* "question public.vector;", or NULL */
    const char *body;          /* statements of PL/pgSQL */
};

struct draft_argument {
    const char *name;
    const char *type;
    const char *standard; /* SQL, or NULL: it must be given */
};

void draft_argument(struct making *making, struct draft *draft, const char *name, const char *type,
    const char *standard);

/* The tenant, when the target has one; the question; the wished number of rows. */
void draft_tenant(struct making *making, struct draft *draft);
void draft_question(struct making *making, struct draft *draft);
void draft_limit(struct making *making, struct draft *draft);

/* Its CREATE statement is added to what is installed. */
void draft_finish(struct making *making, struct draft *draft);

/* A function that the table has no columns for. */
void making_leave_out(struct making *making, const char *name, const char *why);

/* function.argument */
const char *argument(struct making *making, const struct draft *draft, const char *name);

/* A column of the table under alias t. */
const char *table_column(struct making *making, const char *column);

/* extension.name, and the operator of the distance with its schema. */
const char *extension_name(struct making *making, const char *name);
const char *distance_operator(struct making *making);

/* The function that tells a vector's length: one of length zero has no cosine, pgvector says NaN. */
const char *length_function(struct making *making);

/* Higher is nearer, from an exact distance: 1 - distance under cosine. NULL when it is no number. */
const char *similarity(struct making *making, const char *distance);

/* Statements in front of a search: a question without direction is an error. */
const char *direction_guard(struct making *making, const struct draft *draft);

/* "t.id AS id, t.chunk_text AS chunk_text, …": what the columns of a result are selected by. */
const char *result_selected(struct making *making);

/* The conditions of the target that hold for every search of the functions, over alias t; "": none. */
const char *fixed_conditions(struct making *making, const struct draft *draft);

/* A search by what is installed. All members are SQL, as in struct vector_search. */
struct asking {
    const char *vector;
    const char *limit;
    const char *selected;
    const char *condition; /* or NULL */
    const char *before;    /* the statement around the search */
    /* Instead of before: with the exact distance, over the search as alias c. */
    const char *(*before_of)(struct making *making, const char *exact_distance);
    const char *after;
    const char *beyond;     /* whether more is asked for than was measured; or NULL */
    bool is_narrowed;       /* by a condition that no approximate index knows */
    const char *asked_rows; /* how many rows are asked for, to compare with what was measured */
};

/*
 * Finishes a function that searches, whose arguments are there: columns: of the result before those
 * that all have; guards: statements that go first. A limit that is NULL is the usual one, a
 * negative one an error; for no tenant nothing is found. Tenants with a way of their own are
 * searched by it, the others by the base way. What an approximate index was not measured for is
 * searched exactly instead, for it could return too few rows.
 */
void draft_search(struct making *making, struct draft *draft, const char *columns,
    const char *guards, const struct asking *asking);

void make_searches(struct making *making);
void make_hybrid(struct making *making);
void make_parameters(struct making *making);
void make_cleanup(struct making *making);
void make_advice(struct making *making);
void make_analysis(struct making *making);
