/*
 * Which indexes the planner would take at all. Each query is planned with everything that could help it;
 * what was taken is put away, and it is planned again, until nothing helps any more. So a query with fifty
 * candidates costs as many plannings as it has alternatives that differ, not fifty.
 */
#include "index/choose/part.h"

enum {
    MOST_ROUNDS = 12,
    MOST_AT_ONCE = 300, /* indexes that the planner weighs in one planning */
};

/* Of the workload's cost: what a query could save at most for it to be looked at closer. */
static const double negligible = 1e-6;

/* Parts of the time that may go by before all statements were looked at, and before anything is chosen. */
static const double share_of_looks = 0.4;
static const double share_of_time = 0.5;

static int
compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static void
note_useful(struct chooser *chooser, size_t query, const struct id_set *used)
{
    for (size_t i = 0; i < used->count; i++) {
        chooser->indexes.items[used->items[i]].is_useful = true;
        VEC_PUSH(chooser->ctx->arena, &chooser->queries[query].useful, used->items[i]);
    }
}

/* The first look: with all there is. */
static bool
look_at_best(struct chooser *chooser, size_t query)
{
    struct chooser_query *asked = &chooser->queries[query];
    struct id_set all = ID_SET(&asked->all);

    if (all.count > MOST_AT_ONCE)
        all.count = MOST_AT_ONCE;
    asked->floor = asked->before;
    if (all.count == 0 || asked->before <= 0 || asked->weight <= 0)
        return true;
    if (!chooser_ask(chooser, query, &all, &asked->floor, &asked->best))
        return false;
    if (asked->floor > asked->before * (1 - chooser->least_share))
        asked->best = (struct id_set){ 0 };
    note_useful(chooser, query, &asked->best);
    return true;
}

static bool
peel(struct chooser *chooser, size_t query)
{
    struct chooser_query *asked = &chooser->queries[query];
    struct id_set rest = ID_SET(&asked->all);
    struct id_set used = asked->best;

    if (rest.count > MOST_AT_ONCE)
        rest.count = MOST_AT_ONCE;
    for (int i = 1; i < MOST_ROUNDS && used.count > 0; i++) {
        double cost;

        rest = id_set_without(chooser->ctx->arena, &rest, &used);
        if (rest.count == 0)
            break;
        if (!chooser_ask(chooser, query, &rest, &cost, &used))
            return false;
        if (cost > asked->before * (1 - chooser->least_share))
            break;
        note_useful(chooser, query, &used);
    }
    return true;
}

struct by_promise {
    size_t query;
    double promise;
};

static int
compare_promise(const void *a, const void *b)
{
    const struct by_promise *left = a;
    const struct by_promise *right = b;

    if (left->promise != right->promise)
        return left->promise < right->promise ? 1 : -1;
    return (left->query > right->query) - (left->query < right->query);
}

static struct by_promise *
order_queries(struct chooser *chooser, bool is_known)
{
    struct by_promise *order =
        ARENA_ARRAY(chooser->ctx->arena, struct by_promise, chooser->own_count);

    for (size_t i = 0; i < chooser->own_count; i++) {
        const struct chooser_query *query = &chooser->queries[i];

        order[i] = (struct by_promise){ .query = i,
            .promise = query->weight * (query->before - (is_known ? query->floor : 0)) };
    }
    if (chooser->own_count > 0)
        qsort(order, chooser->own_count, sizeof(*order), compare_promise);
    return order;
}

static void
finish(struct chooser *chooser)
{
    struct arena *arena = chooser->ctx->arena;

    for (size_t i = 0; i < chooser->query_count; i++) {
        struct chooser_query *query = &chooser->queries[i];

        if (query->useful.count > 1)
            qsort(query->useful.items, query->useful.count, sizeof(uint32_t), compare_ids);
        for (size_t k = 0; k < query->useful.count; k++)
            VEC_PUSH(arena, &chooser->indexes.items[query->useful.items[k]].touches, (uint32_t)i);
    }
}

bool
chooser_prune(struct chooser *chooser)
{
    struct by_promise *order = order_queries(chooser, false);

    for (size_t i = 0; i < chooser->own_count; i++) {
        if (chooser_is_past(chooser, share_of_looks))
            break;
        if (!look_at_best(chooser, order[i].query))
            return false;
        chooser->queries[order[i].query].is_seen = true;
        chooser_progress(
            chooser, "looking at each statement", (double)i / (double)chooser->own_count);
    }
    order = order_queries(chooser, true);
    for (size_t i = 0; i < chooser->own_count && !chooser_is_past(chooser, share_of_time); i++) {
        if (order[i].promise < negligible * chooser->before_total)
            break;
        if (!peel(chooser, order[i].query))
            return false;
        chooser_progress(
            chooser, "looking for alternatives", (double)i / (double)chooser->own_count);
    }
    finish(chooser);
    return true;
}
