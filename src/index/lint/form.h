/*
 * An index definition taken apart, so that two can be compared key by key: "USING btree (a, b DESC) WHERE
 * c". Two texts are comparable when the same server wrote them.
 */
#pragma once

#include "base/text.h"

struct lint_key {
    const char *text;   /* as written without direction: "lower(email)", "name gin_trgm_ops" */
    const char *column; /* NULL: an expression */
    bool is_descending;
    bool is_nulls_first; /* as it has to be, also when it is the direction's default */
};

struct lint_form {
    const char *method;
    struct lint_key *keys;
    size_t key_count;
    struct text_list include;
    const char *predicate; /* or NULL */
    bool has_equal_nulls;  /* NULLS NOT DISTINCT: one row at most may have NULLs */
    bool is_read;          /* else nothing is known */
};

/* What follows the table in CREATE INDEX. */
void lint_form_read(struct ctx *ctx, const char *definition, struct lint_form *ret);

#define LINT_OVERLAPS(X)                                                \
    X(LINT_APART, "apart")                                              \
    X(LINT_SAME, "same")     /* keys, included columns and predicate */ \
    X(LINT_PREFIX, "prefix") /* all that narrow can do, wide can do */  \
    X(LINT_TWIN, "twin")     /* wide is unique by the keys that narrow begins with */

#define LINT_OVERLAP_ENUM(overlap, name) overlap,
enum lint_overlap { LINT_OVERLAPS(LINT_OVERLAP_ENUM) LINT_OVERLAP_COUNT };
#undef LINT_OVERLAP_ENUM

/* is_wide_unique: a unique index or constraint without a predicate or expressions. */
enum lint_overlap lint_form_compare(const struct lint_form *wide, bool is_wide_unique,
    const struct lint_form *narrow, bool is_narrow_unique);
