#include "cmd/parts/proofs.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "index/prove/promise.h"
#include "sql.h"
#include "vector/watch/check.h"

struct proving {
    struct rollout *rollout;
    int64_t started_us;
};

/* A feature's own observer speaks to that of the roll-out. */
static void
show_vector(void *data, const char *what, double ratio, int64_t left_us)
{
    const struct proving *proving = data;
    const struct rollout *rollout = proving->rollout;
    const struct rollout_progress progress = {
        .what = "proving",
        .phase = what,
        .ratio = ratio,
        .elapsed_us = clock_us() - proving->started_us,
        .left_us = left_us,
    };

    if (rollout->observer.progress)
        rollout->observer.progress(rollout->observer.data, &progress);
}

static void
note_vector(void *data, const char *text)
{
    const struct proving *proving = data;

    rollout_note(proving->rollout, text);
}

static bool
prove_vector(struct ctx *ctx, struct rollout *rollout, struct db *db, const json_t *proof,
    const char **ret_text)
{
    struct proving proving = { .rollout = rollout, .started_us = clock_us() };
    const struct vector_observer observer = {
        .progress = show_vector, .note = note_vector, .data = &proving
    };

    return vector_prove(ctx, db, proof, &observer, ret_text);
}

/* What an index is worth shows when it was used: until then its promise is kept. */
static bool
prove_index(struct ctx *ctx, struct rollout *rollout, struct db *db, const json_t *proof,
    const char **ret_text)
{
    return promises_begin(ctx, rollout->db, db, proof, ret_text);
}

static const struct proof {
    const char *kind;
    bool (*prove)(struct ctx *ctx, struct rollout *rollout, struct db *db, const json_t *proof,
        const char **ret_text);
} proofs[] = {
    { "index", prove_index },
    { "vector", prove_vector },
};

/* The caller owns *ret_json. */
static bool
find_proof(struct ctx *ctx, const struct plan *plan, const struct proof **ret, json_t **ret_json)
{
    const char *kind;

    if (!json_parse(ctx, "proof", plan->proof, ret_json))
        return error_wrap(ctx, "reading the plan");
    kind = json_get_text(ctx->arena, *ret_json, "kind", "");
    for (size_t i = 0; i < COUNT_OF(proofs); i++) {
        if (text_equal(proofs[i].kind, kind)) {
            *ret = &proofs[i];
            return true;
        }
    }
    error_set(ctx, ERR_UNSUPPORTED, "this pgmend cannot prove \"%s\"", kind);
    return error_hint(ctx, "Apply the plan with the pgmend that made it, or make it again.");
}

bool
proof_require_known(struct ctx *ctx, const struct plan *plan)
{
    json_t *json CLEANUP(json_release) = NULL;
    const struct proof *proof;

    if (!plan->proof || find_proof(ctx, plan, &proof, &json))
        return true;
    return error_state(ctx, "Nothing was changed.");
}

static bool
prove(struct ctx *ctx, struct rollout *rollout, const struct plan *plan, const char **ret_text)
{
    struct db *db CLEANUP(db_cleanup) = NULL;
    const struct db_options options = { .access = ACCESS_READ, .application = "pgmend/proof" };
    json_t *json CLEANUP(json_release) = NULL;
    const struct proof *proof;

    return find_proof(ctx, plan, &proof, &json) && db_open_like(ctx, rollout->db, &options, &db) &&
           proof->prove(ctx, rollout, db, json, ret_text);
}

/* Runs of this plan that did not end well: nobody has proven what they did. */
static bool
is_unproven(const struct sql_change_runs_rows *runs, const char *run, const struct plan *plan)
{
    for (size_t i = 0; i < runs->count; i++)
        if (text_equal(runs->items[i].id, run))
            return text_equal(runs->items[i].plan_hash, plan->hash) &&
                   !text_equal(runs->items[i].state, RUN_DONE);
    return false;
}

bool
proof_is_due(struct ctx *ctx, struct db *db, const struct plan *plan, bool *ret)
{
    struct journal_entries entries;
    struct sql_change_runs_rows runs;
    bool is_there;

    if (!plan->proof || !journal_is_installed(ctx, db, &is_there))
        return !plan->proof;
    if (!is_there)
        return true;
    if (!journal_load(ctx, db, &entries) || !sql_change_runs(ctx, db, &runs))
        return false;
    for (size_t i = 0; i < entries.count; i++)
        *ret |=
            rollout_can_undo(&entries.items[i]) && is_unproven(&runs, entries.items[i].run, plan);
    return true;
}

/* The newest first; what cannot be undone is named, the others are undone all the same. */
static bool
undo_plan(
    struct ctx *ctx, struct rollout *rollout, const struct plan *plan, struct text_list *ret_left)
{
    struct journal_entries entries;
    struct sql_change_runs_rows runs;
    struct error why = { 0 };

    if (!journal_load(ctx, rollout->db, &entries) || !sql_change_runs(ctx, rollout->db, &runs))
        return false;
    for (size_t i = entries.count; i-- > 0;) {
        struct journal_entry *entry = &entries.items[i];
        struct rollout_outcome outcome;

        if (!rollout_can_undo(entry) || !is_unproven(&runs, entry->run, plan))
            continue;
        if (rollout_undo(ctx, rollout, entry, &outcome)) {
            rollout_note(
                rollout, arena_printf(ctx->arena, "undone: %s %s", entry->kind, entry->object));
            continue;
        }
        if (!why.message)
            why = ctx->error;
        text_list_add(
            ctx->arena, ret_left, arena_printf(ctx->arena, "%s %s", entry->kind, entry->object));
    }
    ctx->error = why;
    return ret_left->count == 0;
}

bool
proof_check(
    struct ctx *ctx, struct rollout *rollout, const struct plan *plan, const char **ret_text)
{
    struct text_list left = { 0 };
    struct error why;
    const char *trouble;
    bool is_undone;

    *ret_text = NULL;
    if (!plan->proof || prove(ctx, rollout, plan, ret_text))
        return true;
    if (interrupt_signal())
        return error_state(ctx,
            "All changes of the plan are done, but not proven; the same command again proves them, "
            "\"pgmend rollback\" undoes them.");
    why = ctx->error;
    rollout_note(rollout,
        arena_printf(ctx->arena, "what was applied does not hold: %s; undoing it", why.message));
    error_clear(ctx);
    is_undone = undo_plan(ctx, rollout, plan, &left);
    trouble = ctx->error.message;
    ctx->error = why;
    error_wrap(ctx, "what was applied does not hold");
    if (is_undone) {
        ctx->error.kind = ERR_UNDONE;
        return error_state(ctx, "All of it was undone: the database is as it was before.");
    }
    ctx->error.kind = ERR_ATTENTION;
    ctx->error.detail = trouble;
    error_hint(ctx, "\"pgmend rollback\" goes on undoing it.");
    return error_state(ctx, "Not all of it could be undone; this is left: %s.",
        left.count > 0 ? text_list_join(ctx->arena, &left, ", ") : "see \"pgmend history\"");
}

bool
proof_settle(struct ctx *ctx, struct rollout *rollout)
{
    struct error why = ctx->error;

    if (why.kind == ERR_UNDONE && db_is_connected(rollout->db))
        (void)!sql_change_settle_runs(ctx, rollout->db);
    ctx->error = why;
    return false;
}
