/*
 * What growing and shrinking miss: indexes made of two, shorter ones, and one index in exchange for
 * another, above all where a budget lets nothing more in.
 */
#include "index/choose/part.h"

enum {
    MOST_ROUNDS = 6,
    MOST_PAIRS = 300,    /* made into one in a round */
    MOST_EXCHANGES = 40, /* in a round */
    MOST_CROSSED = 100,  /* chosen ones: with more, only those of one table are exchanged */
    MOST_TRIED = 20000,  /* exchanges judged without asking */
    MOST_SHAKEN = 60,    /* indexes: with more of them starting again takes too long */
    MOST_ASKED = 60,     /* of them asked about, an exchange */
};

/* Of what a step has to save: an exchange makes nothing larger, so less is enough. */
static const double part_of_least = 0.25;

static bool
may_merge(const struct index_candidate *a, const struct index_candidate *b)
{
    return a->table == b->table && a->key_count > 0 && b->key_count > 0 &&
           text_equal(a->method, "btree") && text_equal(b->method, "btree") &&
           text_equal(a->predicate, b->predicate) && text_equal(a->keys[0].text, b->keys[0].text);
}

static bool
make_pair(struct chooser *chooser, uint32_t a, uint32_t b)
{
    struct index_candidate *first = chooser->indexes.items[a].candidate;
    struct index_candidate *second = chooser->indexes.items[b].candidate;

    return chooser_add_made(chooser,
               index_candidate_combine(chooser->candidates, first, first->key_count, second), a,
               b) &&
           chooser_add_made(chooser,
               index_candidate_combine(chooser->candidates, second, second->key_count, first), b,
               a);
}

/* Without the columns that are only there to be read. */
static struct index_candidate *
without_include(struct arena *arena, const struct index_candidate *candidate)
{
    struct index_candidate *bare = ARENA_NEW(arena, struct index_candidate);

    *bare = *candidate;
    bare->include = (struct text_list){ 0 };
    index_candidate_compose(arena, bare);
    return bare;
}

static bool
make_shorter(struct chooser *chooser, uint32_t id)
{
    struct index_candidate *candidate = chooser->indexes.items[id].candidate;

    if (!text_equal(candidate->method, "btree"))
        return true;
    if (candidate->include.count > 0 &&
        !chooser_add_made(chooser, without_include(chooser->ctx->arena, candidate), id, UINT32_MAX))
        return false;
    for (size_t keys = candidate->key_count - 1; keys > 0; keys--)
        if (!chooser_add_made(chooser,
                index_candidate_combine(chooser->candidates, candidate, keys, NULL), id,
                UINT32_MAX))
            return false;
    return true;
}

/* Relatives of what is chosen that nobody proposed. */
static bool
make_relatives(struct chooser *chooser, const struct selection *selection)
{
    size_t pairs = 0;

    for (size_t i = 0; i < selection->items.count && !chooser_is_late(chooser); i++) {
        uint32_t a = selection->items.items[i];

        if (!make_shorter(chooser, a))
            return false;
        for (size_t k = i + 1; k < selection->items.count && pairs < MOST_PAIRS; k++) {
            uint32_t b = selection->items.items[k];

            if (!may_merge(
                    chooser->indexes.items[a].candidate, chooser->indexes.items[b].candidate))
                continue;
            pairs++;
            if (!make_pair(chooser, a, b))
                return false;
        }
    }
    return true;
}

struct exchange {
    struct move move;
    double gain; /* at best, or exactly */
    bool is_exact;
    bool is_out;
};

struct exchanging {
    struct chooser *chooser;
    struct selection *selection;
    VEC(struct exchange) items;
    size_t tried;
    struct arena *arena;
};

static bool
consider(struct exchanging *exchanging, const struct move *move)
{
    struct outcome outcome;
    struct chooser *chooser = exchanging->chooser;

    if (exchanging->tried++ >= MOST_TRIED || chooser_is_late(chooser))
        return true;
    if (!selection_try(chooser, exchanging->selection, move, false, &outcome))
        return false;

    double gain = -(outcome.cost + outcome.write);

    if (gain > part_of_least * selection_least(chooser, exchanging->selection) &&
        selection_fits(chooser, exchanging->selection, move, &outcome))
        VEC_PUSH(exchanging->arena, &exchanging->items,
            (struct exchange){ .move = *move, .gain = gain });
    return true;
}

static bool
is_dropped(const struct move *move, uint32_t id)
{
    for (size_t i = 0; i < move->drop_count; i++)
        if (move->drop[i] == id)
            return true;
    return false;
}

/* In place of each one of the same table. */
static bool
consider_on_table(struct exchanging *exchanging, const struct move *base)
{
    struct chooser *chooser = exchanging->chooser;
    const struct index_candidate *candidate = chooser->indexes.items[base->add[0]].candidate;
    const struct id_list *list = map_get(&chooser->by_table, candidate->table->qualified);

    for (size_t i = 0; i < list->ids.count; i++) {
        uint32_t id = list->ids.items[i];
        struct move move = *base;

        if (!selection_has(exchanging->selection, id) || is_dropped(base, id))
            continue;
        move.drop[move.drop_count++] = id;
        if (!consider(exchanging, &move))
            return false;
    }
    return true;
}

/* The indexes in place of each one, and of each two, of the selection. */
static bool
consider_for(struct exchanging *exchanging, const struct move *wanted, bool is_tight)
{
    const struct selection *selection = exchanging->selection;
    const struct chooser *chooser = exchanging->chooser;
    struct move base = *wanted;

    selection_drop_narrower(chooser, selection, &base);
    if (base.drop_count + 2 > MOVE_MOST)
        return true;
    if (!is_tight)
        return consider_on_table(exchanging, &base);
    for (size_t i = 0; i < selection->items.count; i++) {
        uint32_t first = selection->items.items[i];
        struct move move = base;

        if (is_dropped(&base, first))
            continue;
        move.drop[move.drop_count++] = first;
        if (!consider(exchanging, &move))
            return false;
        for (size_t k = i + 1; k < selection->items.count; k++) {
            struct move two = move;

            if (is_dropped(&base, selection->items.items[k]))
                continue;
            two.drop[two.drop_count++] = selection->items.items[k];
            if (!consider(exchanging, &two))
                return false;
        }
    }
    return true;
}

/* What a query's plan takes together, and cannot do with a part of. */
static bool
collect_groups(struct exchanging *exchanging)
{
    const struct chooser *chooser = exchanging->chooser;

    for (size_t i = 0; i < chooser->own_count && exchanging->tried < MOST_TRIED; i++) {
        const struct id_set *best = &chooser->queries[i].best;
        struct move move = { 0 };

        for (size_t k = 0; k < best->count && k < MOVE_MOST / 2; k++)
            if (!selection_has(exchanging->selection, best->items[k]))
                move.add[move.add_count++] = best->items[k];
        if (move.add_count > 1 && !consider_for(exchanging, &move, true))
            return false;
    }
    return true;
}

static bool
collect(struct exchanging *exchanging)
{
    const struct choose_options *options = exchanging->chooser->options;
    bool is_tight =
        options->most_bytes > 0 || options->most_indexes > 0 || options->most_write_cost > 0;
    size_t count = exchanging->chooser->indexes.count;

    exchanging->items.count = 0;
    exchanging->tried = 0;
    for (uint32_t i = 0; i < count && exchanging->tried < MOST_TRIED; i++) {
        struct move move = { .add = { i }, .add_count = 1 };

        if (exchanging->chooser->indexes.items[i].is_useful &&
            !selection_has(exchanging->selection, i) && !consider_for(exchanging, &move, is_tight))
            return false;
    }
    return !is_tight || collect_groups(exchanging);
}

static struct exchange *
most_promising(const struct exchanging *exchanging)
{
    struct exchange *best = NULL;

    for (size_t i = 0; i < exchanging->items.count; i++)
        if (!exchanging->items.items[i].is_out &&
            (!best || exchanging->items.items[i].gain > best->gain))
            best = &exchanging->items.items[i];
    return best;
}

/* NULL: none is better. */
static bool
find_best(const struct exchanging *exchanging, struct exchange **ret)
{
    const struct selection *selection = exchanging->selection;
    double least = part_of_least * selection_least(exchanging->chooser, selection);

    for (int asked = 0; (*ret = most_promising(exchanging)); asked++) {
        struct outcome outcome;

        if ((*ret)->is_exact)
            return true;
        *ret = asked < MOST_ASKED ? *ret : NULL;
        if (!*ret)
            return true;
        if (!selection_try(exchanging->chooser, selection, &(*ret)->move, true, &outcome))
            return false;
        (*ret)->gain = -(outcome.cost + outcome.write);
        (*ret)->is_exact = true;
        (*ret)->is_out = (*ret)->gain <= least;
    }
    return true;
}

static const char *
list_of(struct chooser *chooser, const uint32_t *ids, size_t count)
{
    struct buffer text = { .arena = chooser->ctx->arena };

    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, "%s%s", i > 0 ? " and " : "", chooser_index_text(chooser, ids[i]));
    return buffer_text(&text);
}

static void
tell(const struct exchanging *exchanging, const struct exchange *exchange)
{
    struct chooser *chooser = exchanging->chooser;

    chooser_say(chooser, "exchanged %s for %s: saves %.3g of %.3g",
        list_of(chooser, exchange->move.drop, exchange->move.drop_count),
        list_of(chooser, exchange->move.add, exchange->move.add_count), exchange->gain,
        selection_objective(exchanging->selection));
}

static bool
exchange(struct chooser *chooser, struct selection *selection, bool is_told)
{
    struct exchanging exchanging = {
        .chooser = chooser, .selection = selection, .arena = chooser->ctx->arena
    };

    for (int i = 0; i < MOST_EXCHANGES && !chooser_is_late(chooser); i++) {
        struct exchange *best = NULL;

        if (!collect(&exchanging) || !find_best(&exchanging, &best))
            return false;
        if (!best)
            return true;

        struct move move = best->move;

        if (is_told)
            tell(&exchanging, best);
        if (!selection_apply(chooser, selection, &move))
            return false;
        chooser_progress(chooser, "exchanging", (double)i / MOST_EXCHANGES);
    }
    return true;
}

static struct selection
copy_of(const struct chooser *chooser, const struct selection *from)
{
    struct arena *arena = chooser->ctx->arena;
    struct selection copy = *from;

    memset(&copy.items, 0, sizeof(copy.items));
    for (size_t i = 0; i < from->items.count; i++)
        VEC_PUSH(arena, &copy.items, from->items.items[i]);
    copy.costs = arena_memdup(arena, from->costs, sizeof(double) * chooser->query_count);
    return copy;
}

/*
 * Takes a move whatever it costs, makes what is left fit, and fills up again: the way out of a choice that
 * no single exchange betters.
 */
static bool
force(
    struct chooser *chooser, struct selection *selection, const struct move *move, bool *ret_better)
{
    struct selection trial = copy_of(chooser, selection);
    bool is_good;

    *ret_better = false;
    chooser->kept = move->add_count > 0 ? move->add[0] : UINT32_MAX;
    chooser->banned = move->add_count > 0 ? UINT32_MAX : move->drop[0];
    is_good = selection_apply(chooser, &trial, move) &&
              (move->add_count == 0 || chooser_shrink(chooser, &trial, false)) &&
              chooser_grow(chooser, true, &trial, false);
    chooser->kept = chooser->banned = UINT32_MAX;
    if (!is_good || !exchange(chooser, &trial, false) ||
        !chooser_grow(chooser, false, &trial, false))
        return false;
    *ret_better = !selection_is_over(chooser, &trial) &&
                  selection_objective(selection) - selection_objective(&trial) >
                      part_of_least * selection_least(chooser, selection);
    if (!*ret_better)
        return true;
    chooser_say(chooser, "began again %s %s: saves %.3g of %.3g",
        move->add_count > 0 ? "with" : "without",
        chooser_index_text(chooser, move->add_count > 0 ? move->add[0] : move->drop[0]),
        selection_objective(selection) - selection_objective(&trial),
        selection_objective(selection));
    *selection = trial;
    return true;
}

static bool
force_any(struct chooser *chooser, struct selection *selection, bool *ret_better)
{
    *ret_better = false;
    for (uint32_t i = 0; i < chooser->indexes.count && !*ret_better; i++) {
        struct move move = { 0 };

        if (!chooser->indexes.items[i].is_useful || chooser_is_late(chooser))
            continue;
        if (selection_has(selection, i))
            move.drop[move.drop_count++] = i;
        else
            move.add[move.add_count++] = i;
        selection_drop_narrower(chooser, selection, &move);
        if (!force(chooser, selection, &move, ret_better))
            return false;
    }
    return true;
}

bool
chooser_shake(struct chooser *chooser, struct selection *selection)
{
    const struct choose_options *options = chooser->options;
    bool is_better = true;

    if ((options->most_bytes == 0 && options->most_indexes == 0 && options->most_write_cost <= 0) ||
        chooser->indexes.count > MOST_SHAKEN)
        return true;
    for (int i = 0; i < MOST_ROUNDS && is_better; i++)
        if (!force_any(chooser, selection, &is_better))
            return false;
    return chooser_shrink(chooser, selection, true);
}

bool
chooser_improve(struct chooser *chooser, struct selection *selection)
{
    for (int i = 0; i < MOST_ROUNDS; i++) {
        double before = selection_objective(selection);

        if (!make_relatives(chooser, selection) || !chooser_shrink(chooser, selection, true) ||
            !exchange(chooser, selection, true) || !chooser_grow(chooser, false, selection, true))
            return false;
        if (before - selection_objective(selection) <
                part_of_least * selection_least(chooser, selection) ||
            chooser_is_late(chooser))
            break;
    }
    return chooser_shrink(chooser, selection, true);
}
