/*
 * Loop and rewrite side by side in one REPEATABLE READ READ ONLY transaction: the same answers for each
 * key, or the key for which they differ.
 */
#pragma once

#include "queries/rewrite/rewrite.h"

struct proof_options {
    const char *const *keys; /* observed ones, as text; NULL element: NULL */
    size_t key_count;
    size_t tried_count; /* the last of them were given by hand: ERR_USAGE when they are no keys */
    int32_t
        most_keys; /* observed and sampled together, asked for at once; and of sets of the parent's
                           parameters, whose rows are all tried, two fifths as many; 0: 200 */
    int64_t statement_timeout_us; /* 0: 5 s */
    int32_t rounds;               /* of the timing; 0: 5 */
    const struct rewrites
        *loops; /* its parent and children are the loop; NULL: the input's texts */
    const struct text_list *settings; /* "name=value" that hold for both sides; NULL */
    uint64_t seed;
};

/* One side's cost over all keys: medians of the rounds, loop and rewrite in turns. */
struct proof_cost {
    int64_t statements;
    int64_t elapsed_us; /* as the client sees it, round trips included */
    int64_t server_us;  /* EXPLAIN (ANALYZE)'s execution time and planning, summed up */
    int64_t blocks;     /* shared blocks hit and read */
    int64_t rows;
};

/* The first key for which they differ. */
struct proof_difference {
    bool has_key;     /* else it is about the whole statement */
    const char *key;  /* NULL: the key is NULL */
    const char *loop; /* its rows as JSON, at most some hundred characters */
    const char *rewrite;
    const char *what;       /* "2 rows instead of 1", "another order" */
    const char *parameters; /* of the parent, "$1 = 7"; NULL: neither loop nor rewrite take any */
};

struct proof {
    bool is_same;
    bool is_empty;                      /* it is, but no key had an answer: nothing is proven */
    struct proof_difference difference; /* when it is not the same */
    int64_t differing;                  /* keys that differ, of those that were tried */
    int64_t keys;                       /* tried in all, */
    int64_t keys_answered; /* for which the loop gave something else than it gives for NULL */
    int64_t keys_observed;
    int64_t keys_without_rows; /* some child gave none */
    int64_t keys_null;
    int64_t keys_twice;
    int64_t keys_failed;    /* for which the loop itself fails; they are left out */
    const char *failure;    /* what it said; NULL */
    int64_t parameter_sets; /* of the parent, when loop or rewrite take its parameters; else 0 */
    int64_t open_orders;    /* answers that differ only where SQL leaves the order open */
    struct text_list notes; /* sentences: what could not be sampled, and why */
    struct proof_cost loop;
    struct proof_cost rewrite;
    double speed_up; /* loop's elapsed by the rewrite's; 0: not measured */
};

/*
 * The rewrite is one of rewrite_write()'s, or anybody's statement of the same shape of result. ERR_… when
 * either side could not be run at all; the transaction is rolled back in each case. A statement that may do
 * more than read is never run: ERR_UNSUPPORTED; a parent that may leaves only sampled and observed keys.
 */
bool rewrite_prove(struct ctx *ctx, struct db *db, const struct rewrite_input *input,
    const struct rewrite *rewrite, const struct proof_options *options, struct proof *ret)
    MUST_CHECK;

/*
 * Anybody's statement as one that can be proven. Is $1 an array, then it is the keys and the rest are the
 * parent's parameters (without a parent: the constants of the loop's statements); else all are the
 * parent's. Its first column is the key (or "key_ord", the key's place), or its first columns are the
 * parent's; then those of the loop's statements. ERR_UNSUPPORTED when it may do more than read.
 */
bool rewrite_foreign(struct ctx *ctx, struct db *db, const struct rewrite_input *input,
    const char *sql, struct rewrite *ret) MUST_CHECK;
