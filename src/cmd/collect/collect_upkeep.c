/* Indexes that are there: leftovers of builds go; what is unused or doubled is watched first, by hand. */
#include <math.h>

#include "cmd/collect/collect.h"
#include "index/state/duplicate.h"
#include "index/state/invalid.h"
#include "index/state/plan.h"
#include "index/state/unused.h"

enum { MOST_NAMED = 3 };

/* Shorter than a week says nothing of what runs at weekends. */
static const int64_t least_window_us = INT64_C(7) * 24 * 3600 * 1000000;

static bool
add_leftover(struct ctx *ctx, const struct collect_input *input,
    const struct invalid_index *invalid, struct collected *ret)
{
    struct plan plan = { 0 };
    struct change change;
    struct collected_step *step;

    if (!index_state_require_open(ctx, invalid->index))
        return false;
    index_state_change(ctx->arena, invalid->index, KIND_DROP, invalid->cause, &change);
    VEC_PUSH(ctx->arena, &plan, change);
    if (!index_state_plan(ctx, input->db, &plan))
        return false;
    if (!collected_take(ctx->arena, ret, &plan, 0, &plan))
        return true;
    step = collected_add(ctx->arena, ret, &plan);
    step->step.title = arena_printf(ctx->arena, "drop unusable index %s", invalid->index->object);
    step->step.feature = "upkeep";
    step->step.why = arena_printf(ctx->arena, "%s; %s", invalid->cause, invalid->cost);
    /* No query could use it. */
    step->step.risk = "low";
    return true;
}

static bool
add_invalid(struct ctx *ctx, const struct collect_input *input, const struct index_states *states,
    struct collected *ret)
{
    struct invalid_indexes found;
    size_t foreign = 0;

    invalid_indexes_find(ctx->arena, states, &found);
    for (size_t i = 0; i < found.count; i++) {
        const struct invalid_index *invalid = &found.items[i];

        if (invalid->is_building)
            continue;
        if (invalid->can_be_dropped && invalid->index->run) {
            if (!add_leftover(ctx, input, invalid, ret))
                return false;
            continue;
        }
        foreign++;
    }
    if (foreign > 0)
        collected_manual(ctx->arena, ret,
            &(const struct plan_step){
                .phase = 1,
                .title = arena_printf(ctx->arena, "%zu unusable ind%s that pgmend did not build",
                    foreign, foreign == 1 ? "ex" : "exes"),
                .feature = "upkeep",
                .why = "they cost writes and no query can use them",
                .gain_ratio = NAN,
                .manual = "pgmend index invalid, then pgmend index invalid --clean",
            });
    return true;
}

/* "a, b, c and 2 more" */
struct names {
    struct buffer text;
    size_t count;
};

static void
add_name(struct names *names, const char *name)
{
    if (names->count++ < MOST_NAMED)
        buffer_printf(&names->text, "%s%s", names->count > 1 ? ", " : "", name);
}

static const char *
names_text(struct names *names)
{
    if (names->count > MOST_NAMED)
        buffer_printf(&names->text, " and %zu more", names->count - MOST_NAMED);
    return buffer_text(&names->text);
}

/* Whether the plan drops it already. */
static bool
goes_anyway(const struct collected *collected, const struct index_state *index)
{
    for (size_t i = 0; i < collected->count; i++)
        for (size_t k = 0; k < collected->items[i].change_count; k++) {
            const struct change *change = &collected->items[i].changes[k];

            if (change_is_of(change, KIND_DROP) && text_equal(change->source, index->object))
                return true;
        }
    return false;
}

static void
add_unused(struct arena *arena, const struct index_states *states, struct collected *ret)
{
    struct names names = { .text = { .arena = arena } };
    struct unused unused;
    int64_t bytes = 0;

    unused_find(arena, states, least_window_us, &unused);
    if (unused.early)
        collected_note(arena, ret, "upkeep: too early to call indexes unused: %s.", unused.early);
    for (size_t i = 0; i < unused.items.count; i++) {
        const struct index_state *index = unused.items.items[i].index;

        if (goes_anyway(ret, index))
            continue;
        add_name(&names, index->object);
        bytes += index->bytes;
    }
    if (names.count == 0)
        return;
    collected_manual(arena, ret,
        &(const struct plan_step){
            .phase = 4,
            .title = arena_printf(arena, "%zu unused ind%s, %s", names.count,
                names.count == 1 ? "ex" : "exes", text_from_bytes(arena, bytes)),
            .feature = "upkeep",
            .why = arena_printf(arena, "no server scanned them for %s: %s",
                text_from_us(arena, unused.window_us), names_text(&names)),
            .gain_ratio = NAN,
            .risk = "medium",
            .manual = "pgmend index unused --replica URL of each standby, then pgmend index drop "
                      "NAME, which watches it for a week first",
            .undo = "pgmend rollback",
        });
}

static void
add_doubled(struct arena *arena, const struct index_states *states, struct collected *ret)
{
    struct names names = { .text = { .arena = arena } };
    struct index_duplicates found;
    int64_t bytes = 0;

    index_duplicates_find(arena, states, &found);
    for (size_t i = 0; i < found.count; i++) {
        if (goes_anyway(ret, found.items[i].needless))
            continue;
        add_name(&names, found.items[i].needless->object);
        bytes += found.items[i].needless->bytes;
    }
    if (names.count == 0)
        return;
    collected_manual(arena, ret,
        &(const struct plan_step){
            .phase = 4,
            .title = arena_printf(arena, "%zu doubled ind%s, %s", names.count,
                names.count == 1 ? "ex" : "exes", text_from_bytes(arena, bytes)),
            .feature = "upkeep",
            .why = arena_printf(
                arena, "another index can do all that they do: %s", names_text(&names)),
            .gain_ratio = NAN,
            .risk = "medium",
            .manual = "pgmend index duplicate, then pgmend index drop NAME, which watches it first",
            .undo = "pgmend rollback",
        });
}

bool
collect_upkeep(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    struct index_states states;

    if (!index_states_load(ctx, input->db, &input->replicas, &states) ||
        !add_invalid(ctx, input, &states, ret))
        return false;
    if (input->replicas.count < (size_t)states.connected)
        collected_note(ctx->arena, ret,
            "upkeep: %d standbys are connected and %zu were named: what they use is not known "
            "without --replica.",
            (int)states.connected, input->replicas.count);
    add_unused(ctx->arena, &states, ret);
    add_doubled(ctx->arena, &states, ret);
    return true;
}
