/*
 * The schema as far as the history tells: what exists after each step, who made it, and the error
 * the server would give when something does not fit.
 */
#pragma once

#include "base/json.h"
#include "base/map.h"
#include "migrate/model/step.h"

/* Who made or last changed a thing. */
struct origin {
    size_t revision; /* index in history */
    struct place place;
    size_t at; /* how many steps the model has seen, this one too */
};

/* A thing under a condition that could not be decided may be there or not. */
enum presence { PRESENT, MAYBE };

struct model_column {
    struct column column;
    enum presence presence;
    struct origin origin;
    struct model_type *made_of; /* its type when the history made it, else NULL */
    struct relation *sequence;  /* that its default takes values from, or NULL */
    const char *extension;      /* that its type belongs to, or NULL */
};

struct model_constraint {
    struct constraint constraint; /* its name is set (PostgreSQL's own where none was given), but
                                     NULL where is_name_unknown */
    enum presence presence;
    struct origin origin;
    struct relation *table;
    struct relation *target; /* of a foreign key, or NULL */
    struct relation *index;  /* its own; of a foreign key the one of the target it rests on */
};

enum relation_kind {
    RELATION_TABLE,
    RELATION_INDEX,
    RELATION_VIEW,
    RELATION_MATVIEW,
    RELATION_SEQUENCE
};

struct relation {
    const char *schema; /* never NULL: "public" */
    const char *name;
    enum relation_kind kind;
    enum presence presence;
    struct origin origin;
    bool is_vague;  /* an unknown step may have changed it: columns may be missing here */
    bool is_opaque; /* nothing is known of its columns: a view, a table of a query or of before */
    bool is_temporary;
    bool is_partitioned;
    VEC(struct model_column *) columns; /* in order; dropped ones are removed */
    VEC(struct model_constraint *) constraints;
    VEC(struct relation *) indexes; /* of a table */
    struct relation *table;         /* of an index; of an owned sequence its table */
    const char *column;             /* of an owned sequence */
    struct index *index;            /* of an index */
    struct model_constraint *backs; /* of an index that belongs to a constraint, else NULL */
    struct text_list uses;          /* of a view: relations it reads, "schema.name" */
    VEC(const char *) triggers;
    VEC(const char *) policies;
    VEC(struct model_constraint *) referenced_by; /* foreign keys that point here, its own too */
    VEC(struct relation *) dependents;            /* views that read it */
    VEC(struct relation *) sequences;             /* that its columns own */
    VEC(struct model_column *) users;             /* of a sequence: columns with it as default */
    VEC(struct relation *) children;              /* partitions and inheriting tables */
    struct relation *parent;
    VEC(struct relation *) reads; /* of a view: what of uses the model knows */
    const char *definition;       /* of a view its statement, or NULL */
    bool hides_names;             /* it has constraints or indexes whose names are unknown */
    bool is_filled;   /* rows may be in it: an earlier revision made it, or rows were inserted */
    size_t losing_at; /* the last unknown step (as in struct origin) that may have dropped parts */
};

struct model_type {
    const char *schema;
    const char *name;
    enum step_kind made_by; /* STEP_CREATE_ENUM, STEP_CREATE_TYPE, STEP_CREATE_DOMAIN */
    struct text_list values;
    struct type base;
    enum presence presence;
    struct origin origin;
    VEC(const char *) new_values; /* added in the current transaction: 55P04 when used */
    struct origin value_origin;   /* who added the last of them */
    size_t use_count;             /* columns of this type */
    bool is_new;                  /* made in the current transaction */
};

struct model {
    struct arena *arena;
    struct map relations;           /* "schema.name" → struct relation * */
    struct map types;               /* "schema.name" → struct model_type * */
    struct map schemas;             /* name → struct origin * */
    struct map extensions;          /* name → struct origin * */
    struct map functions;           /* "schema.name" → struct origin * */
    struct map statistics;          /* "schema.name" → struct origin * */
    const struct step *vague_since; /* an unknown step of REACH_ALL: anything may exist; or NULL */
    bool has_baseline; /* the history does not start from an empty database: missing is possible */

    int server_major;      /* whose wording errors have; model_init(): 15 */
    bool in_transaction;   /* model_init(): true; steps in an autocommit block never are */
    bool has_search_path;  /* a step has set it */
    struct text_list path; /* the search_path then */

    /* Private to model*.c. */
    struct map dropped;          /* names as in model_dropped() → struct origin * */
    struct map constraint_names; /* "schema.name" → struct name_use * */
    struct map name_hints;       /* "schema.name" → struct name_use *: where numbering goes on */
    struct map run_types;        /* of steps with once_a_run: "schema.name" */
    bool has_temporary;
    VEC(struct model_type *) changed_types; /* with new_values */
    size_t steps;                           /* applied so far */
    size_t losing_at; /* the last unknown step that may have dropped anything */
};

void model_init(struct model *model, struct arena *arena);

/* schema NULL: public. NULL if there is none. */
struct relation *model_relation(const struct model *model, struct object_name name);
struct model_column *relation_column(const struct relation *relation, const char *name);
struct model_constraint *relation_constraint(const struct relation *relation, const char *name);
struct model_type *model_type_find(const struct model *model, const char *schema, const char *name);

/*
 * The table was there before the history began: it is put into the model with nothing known of its
 * columns, so that it is missed only once.
 */
struct relation *model_assume_table(
    struct model *model, struct object_name name, const struct origin *origin);

/* The server's answer to a step that does not fit. */
struct model_error {
    char sqlstate[6];
    const char *message; /* the server's wording, in English: relation "users" already exists */
    const char *object;  /* "users", "users.email" */
    const struct origin
        *first;      /* who made what is in the way, or dropped what is missing; or NULL */
    bool is_certain; /* false: conditions or unknown steps before it may make it untrue */
};

struct model_errors {
    struct model_error *items;
    size_t count;
    size_t capacity;
};

/*
 * Applies one step of a revision. What does not fit is told in errors (usually one, as the server
 * stops at the first) and left out; what fits is done. What stands under an undecided condition
 * makes things MAYBE and gives no error. false only for ERR_INTERRUPTED.
 */
bool model_apply(struct ctx *ctx, struct model *model, const struct step *step, size_t revision,
    struct model_errors *errors) MUST_CHECK;

/* What an unnamed constraint or index gets; source: PostgreSQL's ChooseConstraintName and
 * ChooseIndexName, makeObjectName. */
const char *model_choose_name(
    struct model *model, const struct relation *table, const char *part, const char *label);

/* Whether the conditions around a step hold. */
enum verdict { VERDICT_YES, VERDICT_NO, VERDICT_UNKNOWN };
enum verdict model_decide(const struct model *model, const struct conditions *conditions);

/* The end of a transaction: what was new in it is ordinary now. */
void model_end_transaction(struct model *model);

/* Who dropped a thing of this name last ("schema.name", "schema.name.column"), or NULL. */
const struct origin *model_dropped(const struct model *model, const char *name);

/* Tables with columns, constraints, indexes; types; … for --json. Caller owns it. */
json_t *model_json(const struct model *model);
