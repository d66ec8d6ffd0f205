/*
 * What the planner's numbers of today leave open is decided as people who know indexes would: INCLUDE goes
 * where it saves little, an index is completed so that rows are neither filtered nor sorted
 * however many there will be, and what saves next to nothing is left out.
 */
#include <math.h>
#include <string.h>

#include "index/choose/part.h"

/* Of the table: so much a completed index may be bigger. */
static const double most_of_table = 0.1;

/* Of what it saves: so much less a completed index may save, because it has more pages. */
static const double tolerance = 0.05;

/* What INCLUDE, or an index beside a wider one, has to save of the workload. */
static const double least_of_cover = 0.003;

/* An index that saves less than this of the workload has to halve the cost of a query at least. */
static const double least_of_workload = 0.001;
static const double least_factor = 2;

/* Of a budget of bytes. */
static const double tight_share = 0.7;

static double
saved_by(const struct chooser *chooser, const struct selection *selection)
{
    return fmax(chooser->before_total - selection->total, 0);
}

static bool
is_plain(const struct index_candidate *candidate)
{
    return strcmp(candidate->method, "btree") == 0 && candidate->include.count == 0;
}

/* The same keys without INCLUDE; UINT32_MAX: there is none. */
static uint32_t
find_bare(const struct chooser *chooser, uint32_t id)
{
    const struct chooser_index *index = &chooser->indexes.items[id];

    for (size_t i = 0; i < index->narrower.count; i++) {
        const struct index_candidate *other =
            chooser->indexes.items[index->narrower.items[i]].candidate;

        if (is_plain(other) && other->key_count == index->candidate->key_count)
            return index->narrower.items[i];
    }
    return UINT32_MAX;
}

/* INCLUDE is for workloads that it matters to: it makes updates dearer and indexes big. */
static bool
strip(struct chooser *chooser, struct selection *selection, uint32_t id)
{
    const struct index_candidate *candidate = chooser->indexes.items[id].candidate;
    uint32_t bare = candidate->include.count > 0 ? find_bare(chooser, id) : UINT32_MAX;
    struct move move = { .add = { bare }, .add_count = 1, .drop = { id }, .drop_count = 1 };
    struct outcome outcome;

    if (bare == UINT32_MAX)
        return true;
    if (selection_has(selection, bare))
        move.add_count = 0;
    if (!selection_try(chooser, selection, &move, true, &outcome))
        return false;
    if (outcome.cost + outcome.write >= least_of_cover * saved_by(chooser, selection))
        return true;
    chooser_say(chooser, "took %s without INCLUDE: that saved %.3g more, and made it %s bigger",
        chooser_index_text(chooser, bare), outcome.cost + outcome.write,
        text_from_bytes(chooser->ctx->arena, -outcome.bytes));
    return selection_apply(chooser, selection, &move);
}

/* A last key that only tells equal rows apart: a key of the table by itself. */
static bool
is_tie_breaker(const struct fact_table *table, const struct candidate_key *key)
{
    for (size_t i = 0; key->column && i < table->index_count; i++) {
        const struct fact_index *index = &table->indexes[i];

        if (index->is_unique && !index->predicate && index->key_count == 1 &&
            text_equal(index->keys[0].column, key->column))
            return true;
    }
    return false;
}

/* An equality behind an order narrows nothing, and a tie-breaker sorts nothing. */
static bool
is_completing(const struct index_candidate *wide, size_t position)
{
    const struct candidate_key *key = &wide->keys[position];

    if (key->role == ROLE_EQUAL)
        return position == 0 || wide->keys[position - 1].role == ROLE_EQUAL;
    return key->role == ROLE_ORDER && !is_tie_breaker(wide->table, key);
}

/* Whether the keys behind the first ones are what a statement looks up by = or is ordered by. */
static bool
completes(const struct index_candidate *wide, const struct index_candidate *narrow)
{
    if (!is_plain(wide) || wide->key_count <= narrow->key_count ||
        !text_equal(wide->predicate, narrow->predicate))
        return false;
    for (size_t i = 0; i < wide->key_count; i++) {
        if (i < narrow->key_count &&
            (!text_equal(wide->keys[i].text, narrow->keys[i].text) ||
                (narrow->keys[i].role == ROLE_ORDER &&
                    wide->keys[i].is_descending != narrow->keys[i].is_descending)))
            return false;
        if (i >= narrow->key_count && !is_completing(wide, i))
            return false;
    }
    return true;
}

/*
 * Whether another one of the plan narrows to the same rows: its first column determines this one's. The planner
 * multiplies what both find when it ANDs their bitmaps, as if they were independent.
 */
static bool
is_in_vain(const struct chooser *chooser, uint32_t id, const struct id_set *used)
{
    const struct index_candidate *candidate = chooser->indexes.items[id].candidate;

    for (size_t i = 0; i < used->count; i++) {
        const struct index_candidate *other = chooser->indexes.items[used->items[i]].candidate;

        if (used->items[i] != id && other->table == candidate->table &&
            candidate_determines(chooser->candidates, other, candidate))
            return true;
    }
    return false;
}

/* What the selection saves with an index, truly, and how many times dearer some query would be without it. */
struct worth {
    double saved;
    double factor;
};

static bool
find_worth(
    struct chooser *chooser, const struct selection *selection, uint32_t id, struct worth *ret)
{
    const struct chooser_index *index = &chooser->indexes.items[id];

    *ret = (struct worth){ .saved = -index->write_cost, .factor = 1 };
    if (index->candidate->is_for_reference)
        ret->factor = INFINITY;
    for (size_t i = 0; i < index->touches.count; i++) {
        uint32_t query = index->touches.items[i];
        struct id_set set = chooser_relevant(chooser, chooser->ctx->arena, query, selection);
        struct id_set used = chooser_used(chooser, query, &set);
        struct id_set without =
            id_set_without(chooser->ctx->arena, &set, &(struct id_set){ .items = &id, .count = 1 });
        double cost;

        if (query < chooser->own_count && is_in_vain(chooser, id, &used))
            continue;
        if (!chooser_cost(chooser, query, &without, &cost))
            return false;
        ret->saved += chooser->queries[query].weight * (cost - selection->costs[query]);
        if (selection->costs[query] > 0)
            ret->factor = fmax(ret->factor, cost / selection->costs[query]);
    }
    return true;
}

/* Made for a query that the narrow one helps now. */
static bool
shares_a_query(
    struct chooser *chooser, const struct selection *selection, uint32_t narrow, uint32_t wide)
{
    const struct index_candidate *candidate = chooser->indexes.items[wide].candidate;

    for (size_t i = 0; i < candidate->queries.count; i++) {
        size_t query = candidate->queries.items[i];
        struct id_set set;
        struct id_set used;

        if (query >= chooser->own_count)
            continue;
        set = chooser_relevant(chooser, chooser->ctx->arena, query, selection);
        used = chooser_used(chooser, query, &set);
        if (id_set_has(&used, narrow))
            return true;
    }
    return false;
}

static bool
may_complete(const struct chooser *chooser, const struct selection *selection, double saved,
    const struct move *move, const struct outcome *outcome)
{
    const struct fact_table *table = chooser->indexes.items[move->add[0]].candidate->table;

    return outcome->cost <=
               fmin(tolerance * saved, least_of_workload * saved_by(chooser, selection)) &&
           outcome->write <= least_of_workload * saved_by(chooser, selection) &&
           (double)outcome->bytes <= most_of_table * (double)table->bytes &&
           selection_fits(chooser, selection, move, outcome);
}

/* The one with the most keys; of these the cheapest. */
static bool
complete(struct chooser *chooser, struct selection *selection, uint32_t id)
{
    const struct index_candidate *candidate = chooser->indexes.items[id].candidate;
    const struct id_list *list = map_get(&chooser->by_table, candidate->table->qualified);
    struct move best = { 0 };
    double best_cost = INFINITY;
    size_t best_keys = candidate->key_count;
    struct worth worth;

    if (!find_worth(chooser, selection, id, &worth))
        return false;
    for (size_t i = 0; is_plain(candidate) && i < list->ids.count && !chooser_is_late(chooser);
         i++) {
        uint32_t wide = list->ids.items[i];
        const struct chooser_index *index = &chooser->indexes.items[wide];
        struct move move = { .add = { wide }, .add_count = 1, .drop = { id }, .drop_count = 1 };
        struct outcome outcome;

        if (selection_has(selection, wide) || index->candidate->key_count < best_keys ||
            !completes(index->candidate, candidate) ||
            !shares_a_query(chooser, selection, id, wide))
            continue;
        if (!selection_try(chooser, selection, &move, true, &outcome))
            return false;
        if (!may_complete(chooser, selection, worth.saved, &move, &outcome) ||
            (index->candidate->key_count == best_keys && outcome.cost >= best_cost))
            continue;
        best = move;
        best_cost = outcome.cost;
        best_keys = index->candidate->key_count;
    }
    if (best.add_count == 0)
        return true;
    chooser_say(chooser,
        "completed %s to %s: no dearer now, and nothing is left to be filtered or sorted when "
        "there are more rows",
        chooser_index_text(chooser, id), chooser_index_text(chooser, best.add[0]));
    return selection_apply(chooser, selection, &best);
}

static bool
has_keys_of(const struct index_candidate *wide, const struct index_candidate *other)
{
    for (size_t i = 0; i < other->key_count; i++) {
        bool is_found = false;

        for (size_t k = 0; k < wide->key_count; k++)
            is_found = is_found || text_equal(wide->keys[k].text, other->keys[i].text);
        if (!is_found)
            return false;
    }
    return is_plain(other) && text_equal(wide->predicate, other->predicate);
}

/* Another one of the selection that the wide one makes needless beside the first; UINT32_MAX: none. */
static uint32_t
find_second(
    const struct chooser *chooser, const struct selection *selection, uint32_t first, uint32_t wide)
{
    const struct index_candidate *candidate = chooser->indexes.items[wide].candidate;

    for (size_t i = 0; i < selection->items.count; i++) {
        uint32_t id = selection->items.items[i];
        const struct index_candidate *other = chooser->indexes.items[id].candidate;

        if (id != first && id != wide && other->table == candidate->table &&
            has_keys_of(candidate, other))
            return id;
    }
    return UINT32_MAX;
}

/* One index where there were two, if next to nothing gets dearer: half of the upkeep. */
static bool
join(struct chooser *chooser, struct selection *selection, uint32_t id)
{
    const struct chooser_index *index = &chooser->indexes.items[id];

    for (size_t i = 0; is_plain(index->candidate) && i < index->wider.count; i++) {
        uint32_t wide = index->wider.items[i];
        uint32_t second = find_second(chooser, selection, id, wide);
        struct move move = {
            .add = { wide }, .add_count = 1, .drop = { id, second }, .drop_count = 2
        };
        struct outcome outcome;

        if (second == UINT32_MAX || selection_has(selection, wide) ||
            chooser_is_wider(chooser, id, second) || chooser_is_wider(chooser, second, id) ||
            !is_plain(chooser->indexes.items[wide].candidate))
            continue;
        if (!selection_try(chooser, selection, &move, true, &outcome))
            return false;
        if (outcome.cost + outcome.write > least_of_workload * saved_by(chooser, selection) ||
            outcome.bytes > (index->bytes + chooser->indexes.items[second].bytes) / 2)
            continue;
        chooser_say(chooser, "joined %s and %s to %s: hardly dearer, and one to keep up",
            chooser_index_text(chooser, id), chooser_index_text(chooser, second),
            chooser_index_text(chooser, wide));
        return selection_apply(chooser, selection, &move);
    }
    return true;
}

/* A BRIN index of a column that the workload updates: its rows do not stay in their order. */
static bool
is_disordered(const struct chooser *chooser, uint32_t id)
{
    const struct chooser_index *index = &chooser->indexes.items[id];

    return strcmp(index->candidate->method, "brin") == 0 && index->lost_hot > 0;
}

static bool
has_wider(const struct chooser *chooser, const struct selection *selection, uint32_t id)
{
    for (size_t i = 0; i < selection->items.count; i++)
        if (selection->items.items[i] != id &&
            chooser_is_wider(chooser, selection->items.items[i], id))
            return true;
    return false;
}

static bool
leave_out(struct chooser *chooser, struct selection *selection, uint32_t id)
{
    struct move move = { .drop = { id }, .drop_count = 1 };
    struct worth worth;

    if (!find_worth(chooser, selection, id, &worth))
        return false;
    if (is_disordered(chooser, id))
        worth = (struct worth){ .factor = 1 };
    if (has_wider(chooser, selection, id)) {
        if (worth.saved >= least_of_cover * saved_by(chooser, selection))
            return true;
    } else if (worth.saved > 0 &&
               (worth.saved >= least_of_workload * saved_by(chooser, selection) ||
                   worth.factor >= least_factor)) {
        return true;
    }
    chooser_say(chooser, "left out %s: it saved %.3g more, next to nothing",
        chooser_index_text(chooser, id), fmax(worth.saved, 0));
    return selection_apply(chooser, selection, &move);
}

/* Without any loss. */
static bool
drop_useless(struct chooser *chooser, struct selection *selection, uint32_t id)
{
    struct worth worth;
    struct move move = { .drop = { id }, .drop_count = 1 };

    if (!find_worth(chooser, selection, id, &worth))
        return false;
    if (is_disordered(chooser, id))
        return selection_apply(chooser, selection, &move);
    return worth.saved > 0 || worth.factor > 1 || selection_apply(chooser, selection, &move);
}

typedef bool step_function(struct chooser *chooser, struct selection *selection, uint32_t id);

static bool
go_through(struct chooser *chooser, struct selection *selection, step_function *step)
{
    struct id_set items =
        id_set_with(chooser->ctx->arena, &ID_SET(&selection->items), &(struct id_set){ 0 });

    for (size_t i = 0; i < items.count && !chooser_is_late(chooser); i++)
        if (selection_has(selection, items.items[i]) && !step(chooser, selection, items.items[i]))
            return false;
    return true;
}

/* Whether a budget is nearly used up: then what is given away here would be missing elsewhere. */
static bool
is_tight(const struct chooser *chooser, const struct selection *selection)
{
    const struct choose_options *options = chooser->options;

    return (options->most_bytes > 0 &&
               (double)selection->bytes > tight_share * (double)options->most_bytes) ||
           isfinite(chooser->write_budget);
}

bool
chooser_complete(struct chooser *chooser, struct selection *selection)
{
    bool is_good;

    if (is_tight(chooser, selection))
        return go_through(chooser, selection, drop_useless);
    if (!go_through(chooser, selection, strip))
        return false;
    chooser->is_plain_only = true;
    is_good = chooser_grow(chooser, true, selection, true) &&
              go_through(chooser, selection, join) && go_through(chooser, selection, complete) &&
              go_through(chooser, selection, leave_out);
    chooser->is_plain_only = false;
    return is_good;
}
