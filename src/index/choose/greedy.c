/*
 * Adding step by step what saves most for its size, or most at all: single indexes, wider ones in place of
 * narrower ones, and those that a plan takes only together. A step is first judged by what it could save at
 * best, so only the most promising ones are asked about (lazy evaluation, as Minoux 1978).
 */
#include "index/choose/part.h"

/* Below that, size is no reason. */
static const double least_bytes = 8192;

struct step {
    struct move wanted; /* without what is chosen already */
    struct move move;   /* with what it replaces */
    struct outcome outcome;
    uint64_t tick; /* when it was judged; 0: not yet */
    bool is_exact;
    bool is_out; /* it is in the selection, or was judged and does not pay */
};

struct growing {
    struct chooser *chooser;
    struct selection *selection;
    bool by_size;
    VEC(struct step) steps;
};

static double
score_of(const struct growing *growing, const struct step *step)
{
    double gain = -(step->outcome.cost + step->outcome.write);
    double bytes = (double)step->outcome.bytes;

    if (!growing->by_size || gain <= 0)
        return gain;
    return gain / (bytes > least_bytes ? bytes : least_bytes);
}

static bool
has_include(const struct chooser *chooser, uint32_t id)
{
    return chooser->indexes.items[id].candidate->include.count > 0;
}

/* The indexes of the move that are not chosen yet, and what they replace. */
static struct move
move_now(const struct growing *growing, const struct move *wanted)
{
    struct move move = { 0 };

    for (size_t i = 0; i < wanted->add_count; i++)
        if (wanted->add[i] != growing->chooser->banned &&
            !(growing->chooser->is_plain_only && has_include(growing->chooser, wanted->add[i])) &&
            !selection_has(growing->selection, wanted->add[i]))
            move.add[move.add_count++] = wanted->add[i];
    if (move.add_count > 0)
        selection_drop_narrower(growing->chooser, growing->selection, &move);
    return move;
}

static bool
is_stale(const struct growing *growing, const struct step *step)
{
    const struct chooser *chooser = growing->chooser;

    if (step->tick == 0)
        return true;
    for (size_t i = 0; i < step->wanted.add_count; i++)
        if (chooser->indexes.items[step->wanted.add[i]].changed > step->tick)
            return true;
    return false;
}

static bool
judge(const struct growing *growing, struct step *step, bool is_exact)
{
    if (!selection_try(growing->chooser, growing->selection, &step->move, is_exact, &step->outcome))
        return false;
    step->tick = growing->chooser->tick;
    step->is_exact = is_exact;
    return true;
}

static bool
refresh(const struct growing *growing, struct step *step)
{
    if (!is_stale(growing, step))
        return true;
    step->move = move_now(growing, &step->wanted);
    step->tick = growing->chooser->tick;
    step->is_out = step->move.add_count == 0;
    return step->is_out || judge(growing, step, false);
}

static bool
is_allowed(const struct growing *growing, const struct step *step)
{
    return !step->is_out &&
           selection_fits(growing->chooser, growing->selection, &step->move, &step->outcome) &&
           selection_pays(growing->chooser, growing->selection, &step->move, &step->outcome);
}

static struct step *
most_promising(const struct growing *growing)
{
    struct step *best = NULL;

    for (size_t i = 0; i < growing->steps.count; i++) {
        struct step *step = &growing->steps.items[i];

        if (is_allowed(growing, step) &&
            (!best || score_of(growing, step) > score_of(growing, best)))
            best = step;
    }
    return best;
}

/* NULL: nothing pays any more. */
static bool
find_best(const struct growing *growing, struct step **ret)
{
    for (size_t i = 0; i < growing->steps.count; i++)
        if (!refresh(growing, &growing->steps.items[i]))
            return false;
    *ret = NULL;
    if (chooser_is_late(growing->chooser))
        return true;
    while ((*ret = most_promising(growing)) && !(*ret)->is_exact)
        if (!judge(growing, *ret, true))
            return false;
    return true;
}

static void
tell(const struct growing *growing, const struct step *step, double least)
{
    struct chooser *chooser = growing->chooser;
    struct arena *arena = chooser->ctx->arena;
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < step->move.add_count; i++)
        buffer_printf(&text, "%s%s",
            i > 0                   ? " with "
            : step->move.drop_count ? "widened to "
                                    : "added ",
            chooser_index_text(chooser, step->move.add[i]));
    for (size_t i = 0; i < step->move.drop_count; i++)
        buffer_printf(&text, "%s%s", i > 0 ? ", " : " in place of ",
            chooser_index_text(chooser, step->move.drop[i]));
    chooser_say(chooser, "%s: saves %.3g of %.3g for %s%s%s (a step has to save %.2g)",
        buffer_text(&text), -(step->outcome.cost + step->outcome.write),
        selection_objective(growing->selection), step->outcome.bytes < 0 ? "-" : "",
        text_from_bytes(
            arena, step->outcome.bytes < 0 ? -step->outcome.bytes : step->outcome.bytes),
        growing->by_size ? ", the most for its size" : ", the most", least);
}

static void
add_steps(struct growing *growing)
{
    struct chooser *chooser = growing->chooser;
    struct arena *arena = chooser->ctx->arena;

    for (uint32_t i = 0; i < chooser->indexes.count; i++)
        if (chooser->indexes.items[i].is_useful)
            VEC_PUSH(arena, &growing->steps,
                (struct step){ .wanted = { .add = { i }, .add_count = 1 } });
    for (size_t i = 0; i < chooser->own_count; i++) {
        const struct id_set *best = &chooser->queries[i].best;
        struct step step = { 0 };

        if (best->count < 2 || best->count > MOVE_MOST)
            continue;
        for (size_t k = 0; k < best->count; k++)
            step.wanted.add[step.wanted.add_count++] = best->items[k];
        VEC_PUSH(arena, &growing->steps, step);
    }
}

bool
chooser_grow(struct chooser *chooser, bool by_size, struct selection *selection, bool is_told)
{
    struct growing growing = { .chooser = chooser, .selection = selection, .by_size = by_size };
    double start = selection_objective(selection);
    struct step *best = NULL;

    add_steps(&growing);
    for (;;) {
        if (!find_best(&growing, &best))
            return false;
        if (!best || chooser_is_late(chooser))
            return true;
        if (is_told)
            tell(&growing, best, selection_least(chooser, selection));
        if (!selection_apply(chooser, selection, &best->move))
            return false;
        chooser_progress(chooser, "choosing", 1 - selection_objective(selection) / (start + 1));
    }
}
