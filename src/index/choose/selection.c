/* A set of indexes with what all queries cost with it, and what a change of it would change. */
#include <math.h>

#include "index/choose/part.h"

/*
 * Columns that are only there to be read have to save this part of the cost of the queries they change, or
 * so many times what any step has to save.
 */
static const double least_of_include = 0.05;
static const double times_least = 2;

/* Of the workload at the start: what saves less is nothing, however little the workload costs by now. */
static const double part_of_start = 1.0 / 30;

/* Of a workload of more statements each is a smaller part, and so is what an index can save of it. */
static const double many_queries = 30;

/* A smaller change of a query's cost is none. */
static const double noise = 0.001;

void
selection_begin(struct chooser *chooser, struct selection *ret)
{
    *ret = (struct selection){ .costs =
                                   ARENA_ARRAY(chooser->ctx->arena, double, chooser->query_count) };
    for (size_t i = 0; i < chooser->query_count; i++) {
        ret->costs[i] = chooser->queries[i].before;
        ret->total += chooser->queries[i].weight * ret->costs[i];
        chooser->queries[i].changed = chooser->tick;
    }
}

bool
selection_has(const struct selection *selection, uint32_t id)
{
    struct id_set set = ID_SET(&selection->items);

    return id_set_has(&set, id);
}

double
selection_objective(const struct selection *selection)
{
    return selection->total + selection->write;
}

double
selection_least(const struct chooser *chooser, const struct selection *selection)
{
    double share = chooser->least_share;

    if ((double)chooser->own_count > many_queries)
        share *= many_queries / (double)chooser->own_count;
    return share * fmax(selection_objective(selection), part_of_start * chooser->before_total);
}

static struct id_set
items_after(struct arena *arena, const struct selection *from, const struct move *move)
{
    struct id_set items = ID_SET(&from->items);

    for (size_t i = 0; i < move->drop_count; i++)
        items =
            id_set_without(arena, &items, &(struct id_set){ .items = &move->drop[i], .count = 1 });
    for (size_t i = 0; i < move->add_count; i++)
        items = id_set_with(arena, &items, &(struct id_set){ .items = &move->add[i], .count = 1 });
    return items;
}

struct trying {
    struct chooser *chooser;
    const struct selection *from;
    struct id_set items;
    bool is_exact;
    double *costs; /* to be set, or NULL */
    struct outcome *outcome;
};

/* What was reckoned for other indexes of the query holds no longer. */
static void
note_change(struct chooser *chooser, struct chooser_query *query)
{
    query->changed = chooser->tick;
    for (size_t i = 0; i < query->useful.count; i++)
        chooser->indexes.items[query->useful.items[i]].changed = chooser->tick;
}

/* Nor what was to be replaced by which. */
static void
note_relatives(struct chooser *chooser, const uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct chooser_index *index = &chooser->indexes.items[ids[i]];

        index->changed = chooser->tick;
        for (size_t k = 0; k < index->narrower.count; k++)
            chooser->indexes.items[index->narrower.items[k]].changed = chooser->tick;
        for (size_t k = 0; k < index->wider.count; k++)
            chooser->indexes.items[index->wider.items[k]].changed = chooser->tick;
    }
}

static bool
try_query(const struct trying *trying, size_t query)
{
    struct chooser *chooser = trying->chooser;
    struct chooser_query *asked = &chooser->queries[query];
    struct id_set useful = ID_SET(&asked->useful);
    struct id_set set = id_set_and(chooser->work, &trying->items, &useful);
    double before = trying->from->costs[query];
    double cost;

    if (!trying->is_exact)
        cost = chooser_cost_floor(chooser, query, &set);
    else if (!chooser_cost(chooser, query, &set, &cost))
        return false;
    trying->outcome->cost += asked->weight * (cost - before);
    if (fabs(cost - before) > noise * before)
        trying->outcome->touched += asked->weight * before;
    if (trying->costs) {
        trying->costs[query] = cost;
        if (cost != before)
            note_change(chooser, asked);
    }
    return true;
}

/* Every query that one of the move's indexes is useful for, once. */
static bool
try_touched(const struct trying *trying, const uint32_t *ids, size_t count)
{
    struct chooser *chooser = trying->chooser;

    for (size_t i = 0; i < count; i++) {
        const struct chooser_index *index = &chooser->indexes.items[ids[i]];

        for (size_t k = 0; k < index->touches.count; k++) {
            uint32_t query = index->touches.items[k];

            if (chooser->marks[query] == chooser->tick)
                continue;
            chooser->marks[query] = chooser->tick;
            if (!try_query(trying, query))
                return false;
        }
    }
    return true;
}

static void
add_keeping(const struct chooser *chooser, const uint32_t *ids, size_t count, int sign,
    struct outcome *outcome)
{
    for (size_t i = 0; i < count; i++) {
        outcome->write += sign * chooser->indexes.items[ids[i]].write_cost;
        outcome->bytes += sign * chooser->indexes.items[ids[i]].bytes;
    }
}

static bool
try_move(const struct trying *trying, const struct move *move)
{
    trying->chooser->tick++;
    if (!try_touched(trying, move->add, move->add_count) ||
        !try_touched(trying, move->drop, move->drop_count))
        return false;
    add_keeping(trying->chooser, move->add, move->add_count, 1, trying->outcome);
    add_keeping(trying->chooser, move->drop, move->drop_count, -1, trying->outcome);
    return true;
}

bool
selection_try(struct chooser *chooser, const struct selection *from, const struct move *move,
    bool is_exact, struct outcome *ret)
{
    struct trying trying = {
        .chooser = chooser,
        .from = from,
        .items = items_after(chooser->work, from, move),
        .is_exact = is_exact,
        .outcome = ret,
    };

    *ret = (struct outcome){ 0 };

    bool is_good = try_move(&trying, move);

    arena_reset(chooser->work);
    return is_good;
}

bool
selection_apply(struct chooser *chooser, struct selection *selection, const struct move *move)
{
    struct outcome outcome = { 0 };
    struct id_set items = items_after(chooser->work, selection, move);
    struct trying trying = {
        .chooser = chooser,
        .from = selection,
        .items = items,
        .is_exact = true,
        .costs = selection->costs,
        .outcome = &outcome,
    };

    if (!try_move(&trying, move))
        return false;
    note_relatives(chooser, move->add, move->add_count);
    note_relatives(chooser, move->drop, move->drop_count);
    selection->items.count = 0;
    for (size_t i = 0; i < items.count; i++)
        VEC_PUSH(chooser->ctx->arena, &selection->items, items.items[i]);
    arena_reset(chooser->work);
    selection->total += outcome.cost;
    selection->write += outcome.write;
    selection->bytes += outcome.bytes;
    chooser->rounds++;
    return true;
}

/* Whether the move is a wider index for one narrower one that has the same keys: for its INCLUDE alone. */
static bool
is_for_reading(const struct chooser *chooser, const struct move *move)
{
    if (move->add_count != 1 || move->drop_count != 1 ||
        !chooser_is_wider(chooser, move->add[0], move->drop[0]))
        return false;

    const struct index_candidate *wide = chooser->indexes.items[move->add[0]].candidate;
    const struct index_candidate *narrow = chooser->indexes.items[move->drop[0]].candidate;

    return wide->key_count == narrow->key_count && wide->include.count > narrow->include.count;
}

bool
selection_pays(const struct chooser *chooser, const struct selection *selection,
    const struct move *move, const struct outcome *outcome)
{
    double gain = -(outcome->cost + outcome->write);
    double least = selection_least(chooser, selection);

    if (gain <= 0 || gain < least)
        return false;
    return !is_for_reading(chooser, move) || gain >= times_least * least ||
           gain >= least_of_include * outcome->touched;
}

bool
selection_fits(const struct chooser *chooser, const struct selection *selection,
    const struct move *move, const struct outcome *outcome)
{
    const struct choose_options *options = chooser->options;
    size_t count = selection->items.count + move->add_count - move->drop_count;

    return (options->most_bytes == 0 || outcome->bytes <= 0 ||
               selection->bytes + outcome->bytes <= options->most_bytes) &&
           (options->most_indexes == 0 || move->add_count <= move->drop_count ||
               count <= options->most_indexes) &&
           (outcome->write <= 0 || selection->write + outcome->write <= chooser->write_budget);
}

void
selection_drop_narrower(
    const struct chooser *chooser, const struct selection *selection, struct move *move)
{
    for (size_t i = 0; i < move->add_count; i++) {
        const struct chooser_index *index = &chooser->indexes.items[move->add[i]];

        for (size_t k = 0; k < index->narrower.count && move->drop_count < MOVE_MOST; k++) {
            uint32_t id = index->narrower.items[k];
            bool is_there = !selection_has(selection, id);

            for (size_t n = 0; n < move->drop_count; n++)
                is_there = is_there || move->drop[n] == id;
            if (!is_there)
                move->drop[move->drop_count++] = id;
        }
    }
}
