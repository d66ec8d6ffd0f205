/* The functions that applications call, made for the choice that is installed. */
#pragma once

#include "change/change.h"
#include "db/db.h"
#include "vector/method/choice.h"

struct vector_function {
    const char *name;
    const char *arguments; /* types, as DROP FUNCTION takes them */
    const char *statement; /* CREATE OR REPLACE FUNCTION … */
    const char *summary;
};

struct vector_functions {
    VEC(struct vector_function) items;
    struct text_list
        left_out; /* "search_embeddings_by_doc_type: no column of document types (--doc-type)" */
};

/* schema: where they are made ("public"). */
bool vector_functions_make(struct ctx *ctx, const struct vector_choice *choice, const char *schema,
    struct vector_functions *ret) MUST_CHECK;

/*
 * The changes that make a choice real, in order: columns, triggers, filling, indexes, vacuum,
 * functions, the record of the choice, and last the approximate indexes that nothing uses any more
 * (drop_old). Not sealed. Undoing the plan gives back what was there.
 */
bool vector_choice_plan(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    const char *schema, bool drop_old, struct plan *ret) MUST_CHECK;

/* Only the functions and the record: what "vector install" does. */
bool vector_install_plan(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    const char *schema, struct plan *ret) MUST_CHECK;

/* The plan's own choice, "idx_<table>_ivfflat" with lists = round(sqrt(rows)), as one change. */
bool vector_ivfflat_plan(struct ctx *ctx, struct db *db, const struct vector_target *target,
    struct plan *ret) MUST_CHECK;
