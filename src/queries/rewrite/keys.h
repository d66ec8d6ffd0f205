/*
 * Values that a statement can be asked with: what its $n is compared with, in the column's own table and
 * in the table that the column refers to. Read-only, each question behind a savepoint and short.
 */
#pragma once

#include "base/text.h"
#include "db/db.h"

struct keys_wanted {
    const char *sql;
    int32_t number; /* of its $n */
    size_t most;
    uint64_t seed;
};

/*
 * Values with many and with few rows, rows of the table referred to, some of them without rows here, and
 * one that exists nowhere. notes: sentences, why there are none. db is in a transaction in which the
 * search_path is the application's.
 */
bool keys_sample(struct ctx *ctx, struct db *db, const struct keys_wanted *wanted,
    struct text_list *ret, struct text_list *notes) MUST_CHECK;

/* Whether $number says how many rows are wanted, or where they begin. */
enum keys_limit { KEYS_NO_LIMIT, KEYS_LIMIT, KEYS_OFFSET };
enum keys_limit keys_limit_read(struct arena *arena, const char *sql, int32_t number);

/* '{"a","b",NULL}' */
const char *keys_array(struct arena *arena, const struct text_list *keys);
