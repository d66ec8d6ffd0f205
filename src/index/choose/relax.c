/*
 * From above: all that any query would take, then, step by step, without what is missed least for its size
 * (relaxation, Bruno and Chaudhuri 2005): dropped, made narrower, or two made one.
 */
#include <math.h>

#include "index/choose/part.h"

/* A loss of this part of what a step has to save is no reason to keep an index. */
static const double part_of_least = 0.5;

static const double least_bytes = 8192;

/* Of the narrower relatives of an index, and of pairs to merge with. */
enum { MOST_RELATIVES = 12 };

bool
chooser_fill(struct chooser *chooser, struct selection *selection)
{
    for (size_t i = 0; i < chooser->query_count; i++) {
        const struct chooser_query *query = &chooser->queries[i];
        struct id_set best = query->best;

        if (query->count == 0 && query->useful.count > 0)
            best = (struct id_set){ .items = query->useful.items, .count = 1 };
        for (size_t k = 0; k < best.count; k++) {
            struct move move = { .add = { best.items[k] }, .add_count = 1 };

            if (!selection_has(selection, best.items[k]) &&
                !selection_apply(chooser, selection, &move))
                return false;
        }
        chooser_progress(chooser, "taking all", (double)i / (double)chooser->query_count);
    }
    return true;
}

struct loss {
    struct move move;
    struct outcome outcome;
    uint64_t tick;
    bool is_exact;
};

/* The first budget that the selection exceeds. */
enum excess { EXCESS_NONE, EXCESS_BYTES, EXCESS_COUNT, EXCESS_WRITE };

struct shrinking {
    struct chooser *chooser;
    struct selection *selection;
    enum excess excess;
    VEC(struct loss) losses;
};

static enum excess
excess_of(const struct chooser *chooser, const struct selection *selection)
{
    const struct choose_options *options = chooser->options;

    if (options->most_bytes > 0 && selection->bytes > options->most_bytes)
        return EXCESS_BYTES;
    if (options->most_indexes > 0 && selection->items.count > options->most_indexes)
        return EXCESS_COUNT;
    return selection->write > chooser->write_budget ? EXCESS_WRITE : EXCESS_NONE;
}

bool
selection_is_over(const struct chooser *chooser, const struct selection *selection)
{
    return excess_of(chooser, selection) != EXCESS_NONE;
}

/* What is lost for each unit of what there is too much of. */
static double
score_of(const struct shrinking *shrinking, const struct loss *loss)
{
    double cost = loss->outcome.cost + loss->outcome.write;
    double freed = 1;

    if (shrinking->excess == EXCESS_BYTES)
        freed = fmax(-(double)loss->outcome.bytes, least_bytes);
    else if (shrinking->excess == EXCESS_WRITE)
        freed = fmax(-loss->outcome.write, shrinking->selection->write / 1000);
    return cost > 0 ? cost / freed : cost;
}

/* How much may be lost by a move when nothing has to go. */
static bool
is_no_loss(const struct shrinking *shrinking, const struct loss *loss)
{
    const struct chooser *chooser = shrinking->chooser;
    double cost = loss->outcome.cost + loss->outcome.write;
    double least = part_of_least * selection_least(chooser, shrinking->selection);

    if (cost <= least)
        return loss->move.add_count == 0 || loss->outcome.bytes < 0;
    if (loss->move.add_count == 0 || loss->move.drop_count > 1 || loss->outcome.bytes >= 0)
        return false;

    /* The way back: would the wider one pay if the narrower one were there? */
    struct move back = { .add = { loss->move.drop[0] },
        .add_count = 1,
        .drop = { loss->move.add[0] },
        .drop_count = 1 };
    struct outcome gain = { .cost = -loss->outcome.cost,
        .write = -loss->outcome.write,
        .bytes = -loss->outcome.bytes,
        .touched = loss->outcome.touched + loss->outcome.cost };
    struct selection then = *shrinking->selection;

    then.total += loss->outcome.cost;
    then.write += loss->outcome.write;
    return !selection_pays(chooser, &then, &back, &gain);
}

static void
add_loss(struct shrinking *shrinking, const struct move *move)
{
    for (size_t i = 0; i < move->drop_count; i++)
        if (move->drop[i] == shrinking->chooser->kept)
            return;
    VEC_PUSH(shrinking->chooser->ctx->arena, &shrinking->losses, (struct loss){ .move = *move });
}

/* Dropping it, or a narrower one in its place. */
static void
add_losses_of(struct shrinking *shrinking, uint32_t id)
{
    const struct chooser_index *index = &shrinking->chooser->indexes.items[id];

    add_loss(shrinking, &(struct move){ .drop = { id }, .drop_count = 1 });
    for (size_t i = 0; i < index->narrower.count && i < MOST_RELATIVES; i++)
        if (shrinking->chooser->indexes.items[index->narrower.items[i]].is_useful &&
            !selection_has(shrinking->selection, index->narrower.items[i]))
            add_loss(shrinking, &(struct move){ .add = { index->narrower.items[i] },
                                    .add_count = 1,
                                    .drop = { id },
                                    .drop_count = 1 });
}

/* An index that can stand for two of the selection, where there is one already. */
static void
add_common(struct shrinking *shrinking, uint32_t id)
{
    const struct chooser_index *index = &shrinking->chooser->indexes.items[id];

    for (size_t i = 0; i < index->wider.count && i < MOST_RELATIVES; i++) {
        struct move move = { .add = { index->wider.items[i] }, .add_count = 1 };

        if (selection_has(shrinking->selection, index->wider.items[i]))
            continue;
        selection_drop_narrower(shrinking->chooser, shrinking->selection, &move);
        if (move.drop_count > 1)
            add_loss(shrinking, &move);
    }
}

static bool
judge(const struct shrinking *shrinking, struct loss *loss, bool is_exact)
{
    if (!selection_try(
            shrinking->chooser, shrinking->selection, &loss->move, is_exact, &loss->outcome))
        return false;
    loss->tick = shrinking->chooser->tick;
    loss->is_exact = is_exact;
    return true;
}

static bool
is_possible(const struct shrinking *shrinking, const struct loss *loss)
{
    switch (shrinking->excess) {
    case EXCESS_BYTES:
        return loss->outcome.bytes < 0;
    case EXCESS_COUNT:
        return loss->move.drop_count > loss->move.add_count;
    case EXCESS_WRITE:
        return loss->outcome.write < 0;
    case EXCESS_NONE:
        break;
    }
    return is_no_loss(shrinking, loss);
}

static bool
find_least(struct shrinking *shrinking, struct loss **ret)
{
    for (;;) {
        *ret = NULL;
        for (size_t i = 0; i < shrinking->losses.count; i++) {
            struct loss *loss = &shrinking->losses.items[i];

            if (is_possible(shrinking, loss) &&
                (!*ret || score_of(shrinking, loss) < score_of(shrinking, *ret)))
                *ret = loss;
        }
        if (!*ret || (*ret)->is_exact)
            return true;
        if (!judge(shrinking, *ret, true))
            return false;
    }
}

static bool
is_touched_since(const struct chooser *chooser, const struct loss *loss)
{
    for (size_t i = 0; i < loss->move.add_count + loss->move.drop_count; i++) {
        uint32_t id = i < loss->move.add_count ? loss->move.add[i]
                                               : loss->move.drop[i - loss->move.add_count];

        if (chooser->indexes.items[id].changed > loss->tick)
            return true;
    }
    return false;
}

static bool
is_still_there(const struct shrinking *shrinking, const struct loss *loss)
{
    for (size_t i = 0; i < loss->move.drop_count; i++)
        if (!selection_has(shrinking->selection, loss->move.drop[i]))
            return false;
    for (size_t i = 0; i < loss->move.add_count; i++)
        if (selection_has(shrinking->selection, loss->move.add[i]))
            return false;
    return true;
}

/* Moves that are over are taken out; those whose queries have changed are judged again. */
static bool
refresh(struct shrinking *shrinking)
{
    size_t kept = 0;

    for (size_t i = 0; i < shrinking->losses.count; i++) {
        struct loss *loss = &shrinking->losses.items[i];

        if (!is_still_there(shrinking, loss))
            continue;
        if ((loss->tick == 0 || is_touched_since(shrinking->chooser, loss)) &&
            !judge(shrinking, loss, false))
            return false;
        shrinking->losses.items[kept++] = *loss;
    }
    shrinking->losses.count = kept;
    return true;
}

static void
tell(const struct shrinking *shrinking, const struct loss *loss)
{
    struct chooser *chooser = shrinking->chooser;
    double cost = loss->outcome.cost + loss->outcome.write;
    struct buffer text = { .arena = chooser->ctx->arena };

    for (size_t i = 0; i < loss->move.drop_count; i++)
        buffer_printf(&text, "%s%s",
            i > 0                  ? " and "
            : loss->move.add_count ? "replaced "
                                   : "dropped ",
            chooser_index_text(chooser, loss->move.drop[i]));
    for (size_t i = 0; i < loss->move.add_count; i++)
        buffer_printf(&text, " by %s", chooser_index_text(chooser, loss->move.add[i]));
    chooser_say(chooser, "%s: %s %.3g of %.3g, frees %s", buffer_text(&text),
        cost > 0 ? "loses" : "saves", fabs(cost), selection_objective(shrinking->selection),
        text_from_bytes(chooser->ctx->arena, loss->outcome.bytes < 0 ? -loss->outcome.bytes : 0));
}

static bool
apply(struct shrinking *shrinking, const struct loss *loss, bool is_told)
{
    struct move move = loss->move;

    if (is_told)
        tell(shrinking, loss);
    if (!selection_apply(shrinking->chooser, shrinking->selection, &move))
        return false;
    for (size_t i = 0; i < move.add_count; i++)
        add_losses_of(shrinking, move.add[i]);
    return true;
}

bool
chooser_shrink(struct chooser *chooser, struct selection *selection, bool is_told)
{
    struct shrinking shrinking = { .chooser = chooser, .selection = selection };
    struct loss *least = NULL;

    for (size_t i = 0; i < selection->items.count; i++) {
        add_losses_of(&shrinking, selection->items.items[i]);
        add_common(&shrinking, selection->items.items[i]);
    }
    for (;;) {
        shrinking.excess = excess_of(chooser, selection);
        if (!refresh(&shrinking) || !find_least(&shrinking, &least))
            return false;
        if (!least || (shrinking.excess == EXCESS_NONE && chooser_is_late(chooser)))
            return true;
        if (!apply(&shrinking, least, is_told))
            return false;
        chooser_progress(chooser, "leaving out", 0);
    }
}
