/* What a check finds: for the files of this folder. */
#pragma once

#include "vector/watch/inquiry.h"

/* In the order of vector_check_rules. */
enum check_rule {
    NOTHING_INSTALLED,
    RECALL_BELOW_GOAL,
    RECALL_BELOW_PREDICTION,
    SHORT_RESULTS,
    INDEX_MISSING,
    INDEX_INVALID,
    COLUMN_NOT_FILLED,
    TRIGGER_DISABLED,
    FUNCTIONS_CHANGED,
    PGVECTOR_CHANGED,
    TENANTS_OUTGROWN,
    ROWS_GROWN,
    NOT_INDEX_ONLY,
    CHECK_RULE_COUNT
};

/* A finding about the column that is searched; bucket: the part of it, or NULL. */
#define check_find(arena, check, rule, bucket, ...) \
    check_add((arena), (check), (rule), (bucket), arena_printf((arena), __VA_ARGS__))
void check_add(struct arena *arena, struct vector_check *check, enum check_rule rule,
    const char *bucket, const char *message);

/* What to do in this very case, of the last finding. */
void check_advise(struct vector_check *check, const char *instead);

/* From what was measured and counted. */
void check_find_measured(
    struct arena *arena, const struct inquiry *inquiry, struct vector_check *check);

/* From the catalogue and a sample of rows: indexes, columns, triggers, functions, pgvector. */
bool check_find_state(struct ctx *ctx, const struct inquiry *inquiry, struct vector_check *check)
    MUST_CHECK;
