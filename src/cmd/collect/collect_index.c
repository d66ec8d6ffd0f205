/*
 * Indexes that the workload wants: a step each with its own promise, so that one that does not pay is undone
 * alone. And those that the new ones make needless: dropped after them, and only if they stand.
 */
#include <math.h>

#include "change/estimate.h"
#include "cmd/collect/collect.h"
#include "cmd/collect/collect_index_same.h"
#include "cmd/parts/index_advice_plan.h"
#include "db/ident.h"
#include "index/state/plan.h"
#include "sql.h"

/* A build waits for old snapshots twice, however small the table is. */
enum { WAITS_US = 200000 };

struct work {
    const struct collect_input *input;
    struct collected *collected;
    struct intake intake;
    struct advice advice;
    struct index_advice_changes changes;
};

static bool
take_in(struct ctx *ctx, struct work *work)
{
    const struct collect_input *input = work->input;
    const struct log_options log = {
        .database = db_name(input->db),
        .keeps_values = true,
        .keeps_sql = true,
    };

    if (input->workloads.count > 0)
        return intake_files(ctx, &input->workloads, &work->intake);
    if (input->logs.count > 0)
        return intake_logs(ctx, &input->logs, &log, &work->intake);
    return intake_counters(ctx, input->db, NULL, &work->intake);
}

static bool
advise(struct ctx *ctx, struct work *work)
{
    const struct advice_options wanted = {
        .choose = { .time_us = work->input->time_limit_us, .drops_redundant = true },
        .bin_folder = work->input->bin_dir,
    };

    if (!advice_make(ctx, work->input->db, &work->intake, &wanted, &work->advice))
        return false;
    for (size_t i = 0; i < work->advice.notes.count; i++)
        collected_note(ctx->arena, work->collected, "index: %s", work->advice.notes.items[i]);
    return index_advice_changes(ctx, work->input->db, &work->advice, &work->changes);
}

/* ---- new ones ---- */

static const char *
promise_of(struct arena *arena, const struct advice_index *index)
{
    size_t count = index->choice->helps.count;

    return arena_printf(arena, "the server uses it, and %s get%s cheaper, by %.1f %% of all time",
        count == 1 ? "its statement" : arena_printf(arena, "its %zu statements", count),
        count == 1 ? "s" : "", 100 * index->saved_share);
}

static const char *
why_of(struct arena *arena, const struct advice_index *index)
{
    return arena_printf(arena,
        "%zu statement%s, %.1f %% of the workload, would save %.1f %% of it; %s",
        index->choice->helps.count, index->choice->helps.count == 1 ? "" : "s", 100 * index->share,
        100 * index->saved_share, index->why);
}

static void
complete(struct arena *arena, struct work *work, const struct advice_index *index,
    struct collected_step *step)
{
    const char *name = step->changes[0].name;

    step->step.why = why_of(arena, index);
    step->step.gain_ratio = index->saved_share;
    step->step.promise = promise_of(arena, index);
    step->step.proof = index_advice_proof(arena, &work->advice, &index, &name, 1);
}

/* A step of the user's own that builds the same index, or one that can do all that it does. */
static struct collected_step *
find_same(struct arena *arena, const struct collected *collected, const struct change *change,
    bool *ret_equal)
{
    for (size_t i = 0; i < collected->count; i++) {
        struct collected_step *step = &collected->items[i];
        const struct change *other = step->changes;

        if (step->change_count != 1 || !change_is_of(other, KIND_INDEX) ||
            other->table_oid != change->table_oid)
            continue;
        *ret_equal = text_equal(other->definition, change->definition);
        if (*ret_equal || collected_index_is_covered(arena, change->definition, other->definition))
            return step;
    }
    return NULL;
}

static void
add_one(struct arena *arena, struct work *work, size_t position)
{
    const struct advice_index *index = work->changes.of.items[position];
    const struct change *change = &work->changes.plan.items[position];
    struct collected_step *same;
    struct plan one;
    bool is_equal;

    if (!collected_take(arena, work->collected, &work->changes.plan, position, &one))
        return;
    same = find_same(arena, work->collected, change, &is_equal);
    if (same && !is_equal)
        collected_note(arena, work->collected,
            "index: %s is advised too; %s can do all that it does.",
            collected_index_title(arena, change), same->changes[0].name);
    if (same) {
        complete(arena, work, index, same);
        return;
    }

    struct collected_step *step = collected_add(arena, work->collected, &one);

    step->step.title = collected_index_title(arena, change);
    step->step.feature = "index";
    complete(arena, work, index, step);
}

static void
add_left(struct arena *arena, struct work *work, const struct advice_index *index)
{
    const struct index_candidate *candidate = index->choice->candidate;
    const char *manual;

    if (candidate->extensions.count > 0)
        manual = arena_printf(arena, "CREATE EXTENSION %s; then pgmend plan again",
            db_ident(arena, candidate->extensions.items[0]));
    else
        manual = arena_printf(
            arena, "in psql, one after the other: %s", text_list_join(arena, &index->recipe, " "));
    collected_manual(arena, work->collected,
        &(const struct plan_step){
            .phase = 1,
            .title = arena_printf(
                arena, "index on %s %s", candidate->table->qualified, candidate->definition),
            .feature = "index",
            .why = why_of(arena, index),
            .gain_ratio = index->saved_share,
            .risk = "medium",
            .manual = manual,
            .undo = candidate->extensions.count > 0
                        ? NULL
                        : arena_printf(arena, "DROP INDEX %s;",
                              db_qualified(arena, candidate->table->schema, index->name)),
        });
}

/* ---- those that go ---- */

/* The new index that stands for it, as it will be called; NULL: one that is there. */
static const char *
successor_of(struct arena *arena, const struct work *work, const struct choice_drop *drop)
{
    for (size_t i = 0; i < work->changes.of.count; i++) {
        const struct advice_index *index = work->changes.of.items[i];
        const struct change *change = &work->changes.plan.items[i];
        const struct collected_step *step;
        bool is_equal;

        if (index->choice->candidate->table != drop->table ||
            !strstr(drop->because, index->choice->candidate->definition))
            continue;
        step = find_same(arena, work->collected, change, &is_equal);
        return change_object(arena, step ? &step->changes[0] : change);
    }
    return NULL;
}

static const struct index_state *
find_state(const struct index_states *states, uint32_t oid)
{
    for (size_t i = 0; i < states->items.count; i++)
        if (states->items.items[i].row->oid == oid)
            return &states->items.items[i];
    return NULL;
}

/* How long it would take to build it again, which is its undo. */
static bool
estimate_return(struct ctx *ctx, struct db *db, const struct index_state *state, int64_t *ret)
{
    struct journal_entries journal;
    double rate;

    *ret = -1;
    if (!journal_load(ctx, db, &journal))
        return false;
    rate = estimate_build_rate(ctx, &journal, state->row->method);
    if (rate > 0)
        *ret = WAITS_US + (int64_t)((double)(state->row->table_bytes + state->bytes) / rate * 1e6);
    return true;
}

static bool
add_drop(struct ctx *ctx, struct work *work, const struct index_states *states,
    const struct choice_drop *drop)
{
    const struct index_state *state = find_state(states, drop->index->oid);
    const char *relation = drop->table->qualified;
    struct plan plan = { 0 };
    struct change change;
    struct collected_step *step;
    json_t *proof CLEANUP(json_release) = json_pack("{s:s, s:[s], s:f, s:f}", "kind", "workload",
        "relations", relation, "least_gain", 0.0, "most_loss", 0.2);
    int64_t undo_us;

    if (!state || !index_state_require_open(ctx, state))
        return !state;
    index_state_change(ctx->arena, state, KIND_DROP, drop->because, &change);
    VEC_PUSH(ctx->arena, &plan, change);
    if (!index_state_plan(ctx, work->input->db, &plan) ||
        !estimate_return(ctx, work->input->db, state, &undo_us))
        return false;
    if (!collected_take(ctx->arena, work->collected, &plan, 0, &plan))
        return true;
    step = collected_add(ctx->arena, work->collected, &plan);
    step->step.title = arena_printf(
        ctx->arena, "drop index %s (%s)", state->object, text_from_bytes(ctx->arena, state->bytes));
    step->step.feature = "index";
    step->step.why = drop->because;
    step->step.promise = arena_printf(
        ctx->arena, "no statement that reads %s gets slower by more than 20 %%", relation);
    step->step.proof = json_text(ctx->arena, proof);
    step->step.undo_us = undo_us;
    step->place = PLACE_LAST;
    step->follows = successor_of(ctx->arena, work, drop);
    return true;
}

static bool
add_drops(struct ctx *ctx, struct work *work)
{
    const struct choice *choice = &work->advice.choice;
    struct index_states states;

    if (choice->drops.count == 0)
        return true;
    if (!index_states_load(ctx, work->input->db, &work->input->replicas, &states))
        return false;
    for (size_t i = 0; i < choice->drops.count; i++)
        if (!add_drop(ctx, work, &states, &choice->drops.items[i]))
            return false;
    return true;
}

bool
collect_indexes(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    struct work work = { .input = input, .collected = ret };

    if (!take_in(ctx, &work) || !advise(ctx, &work))
        return false;
    for (size_t i = 0; i < work.changes.of.count; i++)
        add_one(ctx->arena, &work, i);
    for (size_t i = 0; i < work.changes.left.count; i++)
        add_left(ctx->arena, &work, work.changes.left.items[i]);
    return add_drops(ctx, &work);
}
