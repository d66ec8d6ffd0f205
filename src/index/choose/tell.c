/* The result: what each chosen index is good for, and what was tried in its place. */
#include <math.h>

#include "index/choose/part.h"

enum { MOST_INSTEAD = 3 };

/* A statement whose cost changes by less is not helped. */
static const double noise = 0.001;

struct telling {
    struct chooser *chooser;
    struct selection *selection; /* without those that no plan uses */
    struct id_set *sets;         /* by query: the chosen ones that matter to it */
    struct id_set *used;         /* by query */
    double *after;
};

/* All that is chosen and could matter, also what the search left out of account for this query. */
static bool
plan_query(struct telling *telling, size_t query)
{
    struct chooser *chooser = telling->chooser;
    struct id_set all = ID_SET(&chooser->queries[query].all);
    struct id_set chosen = ID_SET(&telling->selection->items);

    telling->sets[query] = id_set_and(chooser->ctx->arena, &chosen, &all);
    if (!chooser_cost(chooser, query, &telling->sets[query], &telling->after[query]))
        return false;
    telling->used[query] = chooser_used(chooser, query, &telling->sets[query]);
    return true;
}

static bool
serves_reference(const struct chooser *chooser, uint32_t id)
{
    for (size_t i = chooser->own_count; i < chooser->query_count; i++) {
        struct id_set all = ID_SET(&chooser->queries[i].all);

        if (id_set_has(&all, id))
            return true;
    }
    return false;
}

static bool
is_used(const struct telling *telling, uint32_t id)
{
    for (size_t i = 0; i < telling->chooser->own_count; i++)
        if (id_set_has(&telling->used[i], id))
            return true;
    return serves_reference(telling->chooser, id);
}

/* Plans the whole workload with the choice; what no plan uses goes, until all that is left is used. */
static bool
plan_all(struct telling *telling)
{
    struct chooser *chooser = telling->chooser;

    for (;;) {
        struct move move = { 0 };

        for (size_t i = 0; i < chooser->query_count; i++)
            if (!plan_query(telling, i))
                return false;
        for (size_t i = 0; i < telling->selection->items.count; i++)
            if (move.drop_count < MOVE_MOST &&
                !is_used(telling, telling->selection->items.items[i]))
                move.drop[move.drop_count++] = telling->selection->items.items[i];
        if (move.drop_count == 0)
            return true;
        for (size_t i = 0; i < move.drop_count; i++)
            chooser_say(chooser, "dropped %s: no plan uses it beside the others",
                chooser_index_text(chooser, move.drop[i]));
        if (!selection_apply(chooser, telling->selection, &move))
            return false;
    }
}

/* The cost of a query without one of the indexes. */
static bool
cost_without(const struct telling *telling, size_t query, uint32_t id, double *ret)
{
    struct id_set one = { .items = &id, .count = 1 };
    struct id_set rest = id_set_without(telling->chooser->ctx->arena, &telling->sets[query], &one);

    return chooser_cost(telling->chooser, query, &rest, ret);
}

static bool
tell_query(const struct telling *telling, size_t query, uint32_t id, struct choice_index *ret)
{
    struct chooser *chooser = telling->chooser;
    const struct chooser_query *asked = &chooser->queries[query];
    double after = telling->after[query];
    double before;

    if (!cost_without(telling, query, id, &before))
        return false;
    ret->saved += asked->weight * (before - after);
    if (query < chooser->own_count && before - after > noise * before)
        VEC_PUSH(chooser->ctx->arena, &ret->helps,
            (struct choice_help){ .query = query,
                .before = before,
                .after = after,
                .is_last = before >= (1 - noise) * asked->before });
    return true;
}

static bool
tell_helps(const struct telling *telling, uint32_t id, struct choice_index *ret)
{
    struct chooser *chooser = telling->chooser;

    for (size_t i = 0; i < chooser->query_count; i++) {
        bool is_concerned = i < chooser->own_count ? id_set_has(&telling->used[i], id)
                                                   : id_set_has(&telling->sets[i], id);

        if (is_concerned && !tell_query(telling, i, id, ret))
            return false;
    }
    return true;
}

static const char *
signed_bytes(struct arena *arena, int64_t bytes)
{
    return arena_printf(arena, "%s %s", text_from_bytes(arena, bytes < 0 ? -bytes : bytes),
        bytes < 0 ? "less" : "more");
}

/* part: of what the chosen one saves, that is lost; negative: won. */
static const char *
saved_instead(struct arena *arena, double part)
{
    double percent = 100 * fabs(part);

    if (part > 0.995)
        return "none of it";
    if (percent < 0.05)
        return "as much";
    return arena_printf(
        arena, "%.*f %% %s", percent < 10 ? 1 : 0, percent, part > 0 ? "less" : "more");
}

/* Another one in its place, and why it is not taken. */
static bool
tell_instead(const struct telling *telling, uint32_t id, uint32_t other, struct choice_index *ret)
{
    struct chooser *chooser = telling->chooser;
    struct arena *arena = chooser->ctx->arena;
    struct move move = { .add = { other }, .add_count = 1, .drop = { id }, .drop_count = 1 };
    struct outcome outcome;

    if (selection_has(telling->selection, other) || ret->instead.count >= MOST_INSTEAD ||
        chooser_is_late(chooser))
        return true;
    if (!selection_try(chooser, telling->selection, &move, true, &outcome))
        return false;

    double change = outcome.cost + outcome.write;

    text_list_add(arena, &ret->instead,
        arena_printf(arena, "%s would save %s, with %s",
            chooser->indexes.items[other].candidate->definition,
            saved_instead(arena, change / fmax(ret->saved, 1e-9)),
            signed_bytes(arena, outcome.bytes)));
    return true;
}

static bool
tell_relatives(const struct telling *telling, uint32_t id, struct choice_index *ret)
{
    struct chooser *chooser = telling->chooser;

    for (size_t i = 0; i < chooser->indexes.items[id].narrower.count; i++)
        if (!tell_instead(telling, id, chooser->indexes.items[id].narrower.items[i], ret))
            return false;
    for (size_t i = 0; i < chooser->indexes.items[id].wider.count; i++)
        if (!tell_instead(telling, id, chooser->indexes.items[id].wider.items[i], ret))
            return false;
    return true;
}

static int
compare_saved(const void *a, const void *b)
{
    const struct choice_index *left = a;
    const struct choice_index *right = b;

    if (left->saved != right->saved)
        return left->saved < right->saved ? 1 : -1;
    return strcmp(left->candidate->definition, right->candidate->definition);
}

static bool
tell_indexes(const struct telling *telling, struct choice *ret)
{
    struct chooser *chooser = telling->chooser;

    for (size_t i = 0; i < telling->selection->items.count; i++) {
        uint32_t id = telling->selection->items.items[i];
        const struct chooser_index *index = &chooser->indexes.items[id];
        struct choice_index told = {
            .candidate = index->candidate,
            .bytes = index->bytes,
            .write_cost = index->write_cost,
            .lost_hot = index->lost_hot,
        };

        if (!tell_helps(telling, id, &told) || !tell_relatives(telling, id, &told))
            return false;
        ret->bytes += index->bytes;
        ret->write_added += index->write_cost;
        VEC_PUSH(chooser->ctx->arena, &ret->indexes, told);
    }
    if (ret->indexes.count > 1)
        qsort(ret->indexes.items, ret->indexes.count, sizeof(struct choice_index), compare_saved);
    return true;
}

static void
tell_totals(const struct telling *telling, struct choice *ret)
{
    const struct chooser *chooser = telling->chooser;

    for (size_t i = 0; i < chooser->own_count; i++) {
        const struct chooser_query *query = &chooser->queries[i];

        VEC_PUSH(chooser->ctx->arena, &ret->after, telling->after[i]);
        ret->before_total += query->weight * query->before;
        ret->after_total += query->weight * telling->after[i];
    }
    ret->write_before = write_load_of_indexes(chooser->writes);
    ret->planner_calls = whatif_calls(chooser->whatif);
    ret->rounds = chooser->rounds;
    ret->is_cut_short = chooser->is_out_of_time;
    ret->trail.items = chooser->trail.items;
    ret->trail.count = chooser->trail.count;
    ret->trail.capacity = chooser->trail.capacity;
}

bool
chooser_tell(struct chooser *chooser, struct selection *selection, struct choice *ret)
{
    struct arena *arena = chooser->ctx->arena;
    struct telling telling = {
        .chooser = chooser,
        .selection = selection,
        .sets = ARENA_ARRAY(arena, struct id_set, chooser->query_count),
        .used = ARENA_ARRAY(arena, struct id_set, chooser->query_count),
        .after = ARENA_ARRAY(arena, double, chooser->query_count),
    };

    if (!plan_all(&telling) || !tell_indexes(&telling, ret))
        return false;
    tell_totals(&telling, ret);
    return true;
}
