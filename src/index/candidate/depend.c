/*
 * Columns of which one determines another: each dialog's assistant belongs to one user. The planner takes
 * columns for independent, so it would think that a key on both finds a fraction of what one on the first
 * finds. A sample of the rows tells better.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "db/ident.h"
#include "index/candidate/make.h"

/* Rows of a sample, fewer where there is much to ask; fewer repeated values than this tell nothing. */
enum {
    SAMPLE_ROWS = 30000,
    MOST_ROWS = 50 * SAMPLE_ROWS, /* of all samples together */
    FEWEST_SAMPLE_ROWS = 3000,
    LEAST_ROWS = 1000,
    LEAST_REPEATS = 300,
    MOST_PAIRS_A_TABLE = 24,
    MOST_US = 10000000, /* what is not known by then stays unknown */
};

/* So many of the first column's values may have several of the second: rows that were corrected, say. */
static const double tolerance = 0.01;

/* Of the rows: a column with nearly as many values repeats too few in a sample. */
static const double most_distinct = 0.5;

struct pair {
    const struct fact_table *table;
    const char *from;
    const char *to;
};

struct pairs {
    struct pair *items;
    size_t count;
    size_t capacity;
};

static bool
is_equality(const struct candidate_key *key)
{
    return key->column && (key->role == ROLE_EQUAL || key->role == ROLE_REFERENCE);
}

static void
add_pair(struct arena *arena, struct pairs *pairs, const struct pair *pair)
{
    size_t of_table = 0;

    for (size_t i = 0; i < pairs->count; i++) {
        const struct pair *known = &pairs->items[i];

        if (known->table != pair->table)
            continue;
        of_table++;
        if (text_equal(known->from, pair->from) && text_equal(known->to, pair->to))
            return;
    }
    if (of_table < MOST_PAIRS_A_TABLE)
        VEC_PUSH(arena, pairs, *pair);
}

/* By the statistics: a column with more values than another is not determined by it. */
static bool
is_possible(const struct pair *pair)
{
    const struct fact_column *from = facts_column(pair->table, pair->from);
    const struct fact_column *to = facts_column(pair->table, pair->to);

    if (!from || !to || from->distinct <= 0 || to->distinct <= 0)
        return true;
    return to->distinct <= from->distinct * (1 + 5 * tolerance) &&
           from->distinct <= pair->table->rows * most_distinct;
}

/* Both ways of each two columns that one candidate has as equalities. */
static void
add_pairs(struct arena *arena, const struct index_candidate *candidate, struct pairs *pairs)
{
    for (size_t i = 0; i < candidate->key_count; i++)
        for (size_t j = 0; j < candidate->key_count; j++) {
            const struct pair pair = { .table = candidate->table,
                .from = candidate->keys[i].column,
                .to = candidate->keys[j].column };

            if (i != j && is_equality(&candidate->keys[i]) && is_equality(&candidate->keys[j]) &&
                is_possible(&pair))
                add_pair(arena, pairs, &pair);
        }
}

static bool
can_be_sampled(const struct fact_table *table)
{
    return table->may_read && !table->is_held && table->rows >= LEAST_ROWS &&
           (table->kind == 'r' || table->kind == 'm' || table->kind == 'p');
}

/* How many rows, values of the first column, and pairs a sample has. */
static bool
ask(struct ctx *ctx, struct db *db, const struct pair *pair, int64_t rows, double counts[3])
{
    const char *from = db_ident(ctx->arena, pair->from);
    const char *to = db_ident(ctx->arena, pair->to);
    double percent = 100.0 * (double)rows / pair->table->rows;
    struct result result;

    if (!db_query(ctx, db,
            arena_printf(ctx->arena,
                "WITH s AS MATERIALIZED (SELECT t.%s AS a, t.%s AS b FROM %s AS t"
                " TABLESAMPLE SYSTEM (%.6f) REPEATABLE (1) WHERE t.%s IS NOT NULL LIMIT %" PRId64
                ")"
                " SELECT pg_catalog.count(*), pg_catalog.count(DISTINCT s.a),"
                " (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT p.a, p.b FROM s AS p) AS d)"
                " FROM s",
                from, to, pair->table->qualified, percent < 100 ? percent : 100.0, from, rows),
            NULL, 0, &result))
        return false;
    for (size_t i = 0; i < 3; i++)
        if (result.rows != 1 || !text_to_double(result_cell(&result, 0, i), &counts[i]))
            counts[i] = 0;
    return true;
}

/* A type that cannot be compared, a right that is missing: then nothing is known, and that is all. */
static bool
look_at(struct ctx *ctx, struct db *db, const struct pair *pair, int64_t rows,
    struct index_candidates *candidates)
{
    double counts[3];

    if (!ask(ctx, db, pair, rows, counts)) {
        if (ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED ||
            ctx->error.kind == ERR_TERMINATED)
            return false;
        error_clear(ctx);
        return true;
    }
    if (counts[0] - counts[1] >= LEAST_REPEATS && counts[2] <= counts[1] * (1 + tolerance)) {
        const struct candidate_dependency found = { .table = pair->table,
            .from = pair->from,
            .to = pair->to,
            .degree = counts[1] / counts[2] };

        VEC_PUSH(candidates->arena, &candidates->dependencies, found);
    }
    return true;
}

bool
candidate_is_determined(const struct index_candidates *candidates, const struct fact_table *table,
    const struct candidate_key *keys, size_t count, const struct candidate_key *key)
{
    if (!is_equality(key))
        return false;
    for (size_t i = 0; i < candidates->dependencies.count; i++) {
        const struct candidate_dependency *dependency = &candidates->dependencies.items[i];

        if (dependency->table != table || !text_equal(dependency->to, key->column))
            continue;
        for (size_t j = 0; j < count; j++)
            if (is_equality(&keys[j]) && text_equal(keys[j].column, dependency->from))
                return true;
    }
    return false;
}

bool
candidate_determines(const struct index_candidates *candidates, const struct index_candidate *first,
    const struct index_candidate *other)
{
    for (size_t i = 0; i < other->key_count; i++) {
        const struct candidate_key *key = &other->keys[i];

        if (!is_equality(key))
            return i > 0;
        if (!candidate_is_determined(candidates, other->table, first->keys, 1, key))
            return false;
    }
    return other->key_count > 0;
}

/* The same without the keys that another one determines; itself when there are none. */
static struct index_candidate *
narrow(struct index_candidates *candidates, struct index_candidate *candidate)
{
    struct candidate_key keys[CANDIDATE_MOST_KEYS];
    struct index_candidate made = *candidate;
    struct index_candidate *kept;
    size_t count = 0;

    /* What comes first may be determined by what comes later. */
    for (size_t i = 0; i < candidate->key_count; i++) {
        const struct candidate_key *key = &candidate->keys[i];
        bool is_needless = candidate_is_determined(candidates, candidate->table, keys, count, key);

        for (size_t j = i + 1; j < candidate->key_count && !is_needless; j++)
            is_needless =
                candidate_is_determined(
                    candidates, candidate->table, &candidate->keys[j], 1, key) &&
                !candidate_is_determined(candidates, candidate->table, key, 1, &candidate->keys[j]);
        if (!is_needless && count < COUNT_OF(keys))
            keys[count++] = *key;
    }
    if (count == candidate->key_count || count == 0)
        return candidate;
    made.keys = keys;
    made.key_count = count;
    index_candidate_compose(candidates->arena, &made);
    if (candidate_is_there(&made))
        return NULL;
    kept = candidate_keep(candidates, &made);
    for (size_t i = 0; i < candidate->queries.count; i++)
        candidate_note_query(candidates->arena, kept, candidate->queries.items[i]);
    return kept;
}

/* Each once, in the order in which they were made. */
static void
narrow_all(struct index_candidates *candidates)
{
    size_t all = candidates->items.count;
    VEC(struct index_candidate *) left = { 0 };

    for (size_t i = 0; i < candidates->items.count; i++) {
        struct index_candidate *candidate = candidates->items.items[i];

        if (i < all && narrow(candidates, candidate) != candidate)
            continue;
        VEC_PUSH(candidates->arena, &left, candidate);
    }
    candidates->items.items = left.items;
    candidates->items.count = left.count;
    candidates->items.capacity = left.capacity;
}

bool
index_candidates_find_dependencies(
    struct ctx *ctx, struct db *db, struct index_candidates *candidates)
{
    struct pairs pairs = { 0 };
    int64_t rows = SAMPLE_ROWS;
    int64_t started_us = clock_us();

    for (size_t i = 0; i < candidates->items.count; i++)
        if (can_be_sampled(candidates->items.items[i]->table))
            add_pairs(ctx->arena, candidates->items.items[i], &pairs);
    if (pairs.count > MOST_ROWS / SAMPLE_ROWS)
        rows = MOST_ROWS / (int64_t)pairs.count;
    if (rows < FEWEST_SAMPLE_ROWS)
        rows = FEWEST_SAMPLE_ROWS;
    for (size_t i = 0; i < pairs.count && clock_us() - started_us < MOST_US; i++)
        if (!look_at(ctx, db, &pairs.items[i], rows, candidates))
            return false;
    if (candidates->dependencies.count > 0)
        narrow_all(candidates);
    return true;
}
