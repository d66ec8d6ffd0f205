#include "queries/top.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "queries/top_quantile.h"
#include "workload/suspect.h"

const char *const query_order_names[QUERY_ORDER_COUNT + 1] = {
    [BY_TOTAL] = "total",
    [BY_CALLS] = "calls",
    [BY_MEAN] = "mean",
    [BY_P95] = "p95",
    [BY_ROWS] = "rows",
    [BY_BUFFERS] = "buffers",
};

enum { SHOWN_DIGITS = 8 };

/* ---- counters ---- */

static const char *
key_of(struct arena *arena, const struct workload_statement *statement)
{
    return arena_printf(arena, "%" PRId64 "/%" PRId64 "/%d", statement->query_id,
        statement->user_id, statement->is_top_level);
}

/* The sum of the squares of its times, in ms²: the deviation is that of the whole, not of a sample. */
static double
squares_of(const struct workload_statement *statement)
{
    return (double)statement->calls *
           (statement->stddev_ms * statement->stddev_ms + statement->mean_ms * statement->mean_ms);
}

/* The entry's numbers of the span; squares stand in .variance till all entries are added up. */
static struct ranked_query
ranked_of(struct arena *arena, const struct workload_delta *delta, const struct map *before)
{
    const struct workload_statement *statement = delta->statement;
    double squares = squares_of(statement);

    if (delta->change == CHANGE_COUNTED) {
        const struct workload_statement *old = map_get(before, key_of(arena, statement));

        squares -= old ? squares_of(old) : 0;
    }
    return (struct ranked_query){
        .fingerprint = statement->fingerprint
                           ? statement->fingerprint
                           : arena_printf(arena, "q%016" PRIx64, (uint64_t)statement->query_id),
        .query = statement->query,
        .calls = delta->calls,
        .total_ms = delta->total_ms,
        .rows = delta->row_count,
        .blocks_hit = delta->blocks_hit,
        .blocks_read = delta->blocks_read,
        .variance = squares,
        .max_ms = statement->max_ms,
        .is_part = delta->change == CHANGE_EVICTED,
    };
}

static void
add_up(struct ranked_query *sum, const struct ranked_query *more)
{
    sum->calls += more->calls;
    sum->total_ms += more->total_ms;
    sum->rows += more->rows;
    sum->blocks_hit += more->blocks_hit;
    sum->blocks_read += more->blocks_read;
    sum->variance += more->variance;
    sum->max_ms = more->max_ms > sum->max_ms ? more->max_ms : sum->max_ms;
    sum->is_part = sum->is_part || more->is_part;
}

static void
finish_counted(struct query_ranking *ranking)
{
    for (size_t i = 0; i < ranking->count; i++) {
        struct ranked_query *item = &ranking->items[i];
        double calls = item->calls > 0 ? (double)item->calls : 1;

        item->mean_ms = item->total_ms / calls;
        item->variance = item->variance / calls - item->mean_ms * item->mean_ms;
        if (item->variance < 0) /* by rounding: they differ by next to nothing */
            item->variance = 0;
        item->p95_ms = item->is_part ? -1
                                     : top_estimate_p95_ms(item->calls, item->mean_ms,
                                           item->variance, item->max_ms);
        item->share = ranking->total_ms > 0 ? item->total_ms / ranking->total_ms : 0;
    }
}

/* The entries between the readings, as far as they are of the top level and were called. */
struct counted {
    struct arena *arena;
    struct suspect_statement *statements;
    const char **fingerprints;
    size_t count;
    struct map ranked; /* fingerprint → place in the ranking, from 1 */
};

/* What "queries rewrite" asked for its proofs, by the names of what it prepares and of its savepoints. */
static bool
is_own(const char *query)
{
    static const char *const words[] = { "PREPARE pgmend_", "EXECUTE pgmend_", "DEALLOCATE pgmend_",
        "SAVEPOINT pgmend_" };

    for (size_t i = 0; query && i < COUNT_OF(words); i++) {
        const char *found = strstr(query, words[i]);

        /* EXPLAIN (…) EXECUTE, ROLLBACK TO SAVEPOINT, RELEASE SAVEPOINT. */
        if (found &&
            (found == query || strncmp(query, "EXPLAIN (", 9) == 0 || strncmp(query, "R", 1) == 0))
            return true;
    }
    return false;
}

static void
take_delta(struct counted *counted, const struct workload_delta *delta, const struct map *before,
    struct query_ranking *ret)
{
    const struct workload_statement *statement = delta->statement;

    if (!statement->is_top_level) {
        ret->nested++;
        return;
    }
    if (is_own(statement->query)) {
        ret->own++;
        return;
    }
    if (delta->change == CHANGE_VANISHED) {
        ret->vanished++;
        return;
    }

    struct ranked_query item = ranked_of(counted->arena, delta, before);
    size_t place = (size_t)(uintptr_t)map_get(&counted->ranked, item.fingerprint);

    ret->calls += item.calls;
    ret->total_ms += item.total_ms;
    if (place > 0) {
        add_up(&ret->items[place - 1], &item);
    } else {
        VEC_PUSH(counted->arena, ret, item);
        map_set(&counted->ranked, item.fingerprint, (void *)(uintptr_t)ret->count);
    }
    counted->fingerprints[counted->count] = item.fingerprint;
    counted->statements[counted->count++] = (struct suspect_statement){
        .query_id = statement->query_id,
        .user_id = statement->user_id,
        .query = statement->query,
        .calls = (double)delta->calls,
        .rows = (double)delta->row_count,
        .total_ms = delta->total_ms,
    };
}

static void
mark_suspects(struct counted *counted, struct query_ranking *ret)
{
    struct suspects suspects = { 0 };
    double *scores = ARENA_ARRAY(counted->arena, double, ret->count + 1);

    suspects_find(counted->arena, counted->statements, counted->count, &suspects);
    for (size_t i = 0; i < suspects.count; i++) {
        const struct suspect *suspect = &suspects.items[i];
        const char *child = counted->fingerprints[suspect->child];
        const char *parent = counted->fingerprints[suspect->parent];
        size_t place = (size_t)(uintptr_t)map_get(&counted->ranked, child);

        if (place == 0 || suspect->score <= scores[place - 1])
            continue;
        scores[place - 1] = suspect->score;
        ret->items[place - 1].parent_fingerprint = parent;
        ret->items[place - 1].mark =
            arena_printf(counted->arena, "suspected, a row of %.*s", SHOWN_DIGITS, parent);
    }
}

void
query_ranking_count(struct arena *arena, const struct workload *before,
    const struct workload *after, struct query_ranking *ret)
{
    struct workload_deltas deltas;
    struct map old = { .arena = arena };
    struct counted counted = { .arena = arena, .ranked = { .arena = arena } };

    *ret = (struct query_ranking){ .has_estimated_p95 = true, .has_blocks = true };
    workload_compare(arena, before, after, &deltas);
    for (size_t i = 0; before && i < before->count; i++)
        map_set(&old, key_of(arena, &before->items[i]), &before->items[i]);
    counted.statements = ARENA_ARRAY(arena, struct suspect_statement, deltas.count + 1);
    counted.fingerprints = ARENA_ARRAY(arena, const char *, deltas.count + 1);
    for (size_t i = 0; i < deltas.count; i++)
        take_delta(&counted, &deltas.items[i], &old, ret);
    finish_counted(ret);
    mark_suspects(&counted, ret);
}

/* ---- order ---- */

static double
measure(const struct ranked_query *item, enum query_order order)
{
    switch (order) {
    case BY_CALLS:
        return (double)item->calls;
    case BY_MEAN:
        return item->mean_ms;
    case BY_P95:
        return item->p95_ms;
    case BY_ROWS:
        return (double)item->rows;
    case BY_BUFFERS:
        return (double)item->blocks_hit + (double)item->blocks_read;
    case BY_TOTAL:
    case QUERY_ORDER_COUNT:
        break;
    }
    return item->total_ms;
}

static int
compare_ranked(const void *a, const void *b, void *order)
{
    const struct ranked_query *left = a;
    const struct ranked_query *right = b;
    double first = measure(left, *(const enum query_order *)order);
    double second = measure(right, *(const enum query_order *)order);

    if (first < second || first > second)
        return first > second ? -1 : 1;
    if (left->total_ms < right->total_ms || left->total_ms > right->total_ms)
        return left->total_ms > right->total_ms ? -1 : 1;
    return strcmp(left->fingerprint, right->fingerprint);
}

void
query_ranking_sort(struct query_ranking *ranking, enum query_order order)
{
    if (ranking->count > 1)
        qsort_r(ranking->items, ranking->count, sizeof(ranking->items[0]), compare_ranked, &order);
}
