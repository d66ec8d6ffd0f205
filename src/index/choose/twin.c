/*
 * Of indexes with the same columns, which differ in directions alone and cost the planner the same, the one
 * stays that was made for the queries it helps: an ORDER BY … DESC finds its own direction.
 */
#include <math.h>

#include "index/choose/part.h"

/* Of the workload's cost: differences that are none. */
static const double noise = 1e-4;

static bool
is_same_list(const struct text_list *a, const struct text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!text_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

static bool
is_twin(const struct index_candidate *a, const struct index_candidate *b)
{
    if (a->table != b->table || !text_equal(a->method, b->method) || a->key_count != b->key_count ||
        !text_equal(a->predicate, b->predicate) || !is_same_list(&a->include, &b->include))
        return false;
    for (size_t i = 0; i < a->key_count; i++)
        if (!text_equal(a->keys[i].text, b->keys[i].text) ||
            !text_equal(a->keys[i].opclass, b->keys[i].opclass) ||
            !text_equal(a->keys[i].collation, b->keys[i].collation))
            return false;
    return true;
}

static bool
is_made_for(const struct index_candidate *candidate, size_t query)
{
    for (size_t i = 0; i < candidate->queries.count; i++)
        if (candidate->queries.items[i] == query)
            return true;
    return false;
}

/* Whether it was made for an order: ranges and look-ups read an index in either direction. */
static bool
has_direction(const struct index_candidate *candidate)
{
    for (size_t i = 0; i < candidate->key_count; i++)
        if (candidate->keys[i].role == ROLE_ORDER)
            return true;
    return false;
}

/* What the queries save whose plans use the chosen one and that the other was made for. */
static double
claim_of(struct chooser *chooser, const struct selection *selection, uint32_t chosen,
    const struct index_candidate *other)
{
    double claim = 0;

    if (!has_direction(other))
        return 0;
    for (size_t i = 0; i < chooser->indexes.items[chosen].touches.count; i++) {
        uint32_t query = chooser->indexes.items[chosen].touches.items[i];
        struct id_set set = chooser_relevant(chooser, chooser->ctx->arena, query, selection);
        struct id_set used = chooser_used(chooser, query, &set);

        if (query < chooser->own_count && id_set_has(&used, chosen) && is_made_for(other, query))
            claim += chooser->queries[query].weight *
                     (chooser->queries[query].before - selection->costs[query]);
    }
    return claim;
}

static bool
exchange_for_twin(struct chooser *chooser, struct selection *selection, uint32_t id)
{
    const struct index_candidate *candidate = chooser->indexes.items[id].candidate;
    const struct id_list *list = map_get(&chooser->by_table, candidate->table->qualified);
    double claim = claim_of(chooser, selection, id, candidate);

    for (size_t i = 0; i < list->ids.count; i++) {
        uint32_t other = list->ids.items[i];
        struct move move = { .add = { other }, .add_count = 1, .drop = { id }, .drop_count = 1 };
        struct outcome outcome;

        if (other == id || selection_has(selection, other) ||
            !is_twin(candidate, chooser->indexes.items[other].candidate) ||
            claim_of(chooser, selection, id, chooser->indexes.items[other].candidate) <= claim)
            continue;
        if (!selection_try(chooser, selection, &move, true, &outcome))
            return false;
        if (outcome.cost + outcome.write > noise * selection_objective(selection) ||
            !selection_fits(chooser, selection, &move, &outcome))
            continue;
        chooser_say(chooser, "turned %s to %s: the same cost, and the order as it is asked for",
            chooser_index_text(chooser, id), chooser_index_text(chooser, other));
        return selection_apply(chooser, selection, &move);
    }
    return true;
}

bool
chooser_turn(struct chooser *chooser, struct selection *selection)
{
    struct id_set items =
        id_set_with(chooser->ctx->arena, &ID_SET(&selection->items), &(struct id_set){ 0 });

    for (size_t i = 0; i < items.count && !chooser_is_late(chooser); i++)
        if (!exchange_for_twin(chooser, selection, items.items[i]))
            return false;
    return true;
}
