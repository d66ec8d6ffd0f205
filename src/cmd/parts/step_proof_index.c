/* Indexes: whether they are used, and whether the statements that they were built for got cheaper. */
#include "base/clock.h"
#include "cmd/parts/step_proof_part.h"
#include "db/ident.h"
#include "index/prove/promise.h"
#include "sql.h"

/*
 * A session tells what it has used at the latest when it has been idle for 10 s (PostgreSQL's PGSTAT_IDLE_INTERVAL): no
 * sooner is an index without scans unused.
 */
enum { TOLD_AFTER_US = 12000000 };

/* Of the promised saving, so much has to come true; of one without numbers, so much has to be saved at all. */
static const double least_reached = .1;
static const double least_gain = .05;
static const double most_loss = .2;

struct indexes {
    struct promises promises;
    struct proof_state *states; /* of each */
    struct proof_case *cases;
    const char *planner; /* what the planner says, a clause; or NULL */
};

/* Adds what has no statements of its own to judge by: all that read its table. */
static void
make_case(struct ctx *ctx, const struct step_proof *proof, const struct promise *promise,
    struct proof_state *state, struct proof_case *ret)
{
    VEC(struct window_wish) wishes = { 0 };

    for (size_t i = 0; i < promise->statements.count; i++) {
        const struct promise_statement *statement = &promise->statements.items[i];
        bool has_costs = statement->cost_before > 0;
        double share = has_costs ? 1 - statement->cost_after / statement->cost_before : 0;

        if (has_costs && share <= 0)
            continue;
        VEC_PUSH(ctx->arena, &wishes,
            (struct window_wish){ .fingerprint = statement->fingerprint,
                .wanted = has_costs ? least_reached * share : least_gain });
    }
    *ret = (struct proof_case){
        .wishes = wishes.items,
        .wish_count = wishes.count,
        .relations = &proof->window->relations,
        .least_gain = least_gain,
        .most_loss = most_loss,
        .writes_may_lose = true,
        .any_gains = wishes.count == 0,
        .state = state,
    };
}

static const char *
tell_scans(struct arena *arena, int64_t scans)
{
    return arena_printf(arena, "%s scan%s", text_from_count(arena, scans), scans == 1 ? "" : "s");
}

/* It was called often enough, long enough ago, and nobody has used it. */
static bool
is_unused(const struct proof_case *about, int64_t scans)
{
    return scans == 0 && about->state->reached_us > 0 &&
           clock_us() - about->state->reached_us >= TOLD_AFTER_US;
}

static struct step_verdict
verdict(enum step_verdict_kind kind, const char *text)
{
    return (struct step_verdict){ .kind = kind, .text = text };
}

static struct step_verdict
weigh(struct arena *arena, const struct step_proof *proof, const struct proof_case *about,
    const struct sql_workload_index_use *use, double calls)
{
    const struct proof_state *state = about->state;
    const char *scans = tell_scans(arena, use->scans);

    if (!use->is_valid)
        return verdict(STEP_BREAKS, "it is not valid, so the planner does not use it");
    if (use->is_rule && about->wish_count == 0)
        return verdict(STEP_HOLDS,
            arena_printf(arena, "it keeps rows out that would break a rule; %s so far", scans));
    if (state->has_finding && state->finding == PROOF_LOSS)
        return verdict(STEP_BREAKS, state->text);
    if (state->has_finding && state->finding == PROOF_NO_GAIN)
        return verdict(STEP_BREAKS, arena_printf(arena, "no gain: %s; %s", state->text, scans));
    if (is_unused(about, use->scans))
        return verdict(
            STEP_BREAKS, arena_printf(arena, "no scan used it in %.0f calls of %s", calls,
                             about->wish_count > 0 ? "the statements that it was built for"
                                                   : "statements that read its table"));
    if (!state->has_finding)
        return verdict(STEP_OPEN, proof_tell_early(arena, proof, calls));
    if (state->finding == PROOF_GAIN && use->scans > 0)
        return verdict(STEP_HOLDS, arena_printf(arena, "it pays: %s; %s", state->text, scans));
    if (state->finding == PROOF_UNCLEAR)
        return verdict(STEP_OPEN, arena_printf(arena, "may be chance: %s; %s", state->text, scans));
    return verdict(STEP_OPEN, arena_printf(arena, "%s; %s so far", state->text, scans));
}

static bool
look_at_promise(struct ctx *ctx, struct step_proof *proof, const struct promise *promise,
    const struct proof_case *about, double calls, struct step_verdict *ret)
{
    struct sql_workload_index_use_rows rows;

    if (!sql_workload_index_use(
            ctx, proof->db, &rows, .schema = promise->schema, .name = promise->name))
        return false;
    *ret = rows.count == 1 ? weigh(ctx->arena, proof, about, &rows.items[0], calls)
                           : verdict(STEP_BREAKS, "it is no longer there");
    return true;
}

/* The worst of all: one that breaks breaks the step, one that is open leaves it open. */
static void
add_verdict(struct ctx *ctx, const struct promise *promise, const struct step_verdict *one,
    struct text_list *texts, struct step_verdict *ret)
{
    const char *name = db_qualified(ctx->arena, promise->schema, promise->name);

    if (one->kind == STEP_BREAKS || (one->kind == STEP_OPEN && ret->kind == STEP_HOLDS))
        ret->kind = one->kind;
    text_list_add(ctx->arena, texts, arena_printf(ctx->arena, "%s: %s", name, one->text));
}

static void
finish_text(
    struct ctx *ctx, const struct text_list *texts, const char *planner, struct step_verdict *ret)
{
    ret->text = text_list_join(ctx->arena, texts, "; ");
    if (ret->kind != STEP_OPEN)
        return;
    ret->text = arena_printf(ctx->arena, "%s%s%s: apply again later (\"pgmend index prove\" looks)",
        ret->text, planner ? "; " : "", planner ? planner : "");
}

static bool
look_at_indexes(struct ctx *ctx, struct step_proof *proof, const struct workload_window *after,
    bool is_last, struct step_verdict *ret)
{
    const struct indexes *indexes = proof->data;
    size_t count = indexes->promises.count;
    struct proof_judgement *judgements = ARENA_ARRAY(ctx->arena, struct proof_judgement, count + 1);
    struct text_list texts = { 0 };

    ret->kind = STEP_HOLDS;
    for (size_t i = 0; i < count; i++) {
        struct step_verdict one;

        proof_judge(ctx->arena, proof, after, &indexes->cases[i], is_last, &judgements[i]);
        if (!look_at_promise(ctx, proof, &indexes->promises.items[i], &indexes->cases[i],
                judgements[i].calls, &one))
            return false;
        add_verdict(ctx, &indexes->promises.items[i], &one, &texts, ret);
    }
    finish_text(ctx, &texts, indexes->planner, ret);
    ret->before = proof_story(ctx->arena, judgements, count, false, proof->window->before.seconds);
    ret->after = proof_story(ctx->arena, judgements, count, true, after->seconds);
    return true;
}

/* ---- without a window before: an earlier run did the step ---- */

static enum step_verdict_kind
kind_of(const struct step_proof *proof, enum promise_verdict found)
{
    switch (found) {
    case VERDICT_PAYS:
        return STEP_HOLDS;
    case VERDICT_UNUSED:
        return clock_us() - proof->start_us < TOLD_AFTER_US ? STEP_OPEN : STEP_BREAKS;
    case VERDICT_NO_GAIN:
    case VERDICT_BROKEN:
    case VERDICT_GONE:
        return STEP_BREAKS;
    case VERDICT_USED:
    case VERDICT_EARLY:
    case VERDICT_COUNT:
        return STEP_OPEN;
    }
    return STEP_OPEN;
}

static bool
look_at_kept(struct ctx *ctx, struct step_proof *proof, const struct workload_window *after,
    bool is_last, struct step_verdict *ret)
{
    const struct indexes *indexes = proof->data;
    struct promise_results results;
    struct text_list texts = { 0 };

    (void)after;
    (void)is_last;
    if (!promises_judge(
            ctx, proof->db, &indexes->promises, proof->now, proof->proving->least_calls, &results))
        return false;
    ret->kind = STEP_HOLDS;
    for (size_t i = 0; i < results.count; i++) {
        const struct promise_result *result = &results.items[i];
        const struct step_verdict one = verdict(kind_of(proof, result->verdict),
            arena_printf(ctx->arena, "%s since it was built: %s",
                promise_verdict_name(result->verdict), result->why));

        add_verdict(ctx, result->promise, &one, &texts, ret);
    }
    finish_text(ctx, &texts, NULL, ret);
    return true;
}

/* Those of the step that are kept in schema pgmend, with the counts of when they were built. */
static bool
load_kept(struct ctx *ctx, struct db *db, const struct promises *wanted, struct promises *ret)
{
    struct promises all;

    *ret = (struct promises){ 0 };
    if (!promises_load(ctx, db, &all))
        return false;
    for (size_t i = 0; i < all.count; i++)
        for (size_t j = 0; j < wanted->count; j++)
            if (text_equal(all.items[i].schema, wanted->items[j].schema) &&
                text_equal(all.items[i].name, wanted->items[j].name))
                VEC_PUSH(ctx->arena, ret, all.items[i]);
    return true;
}

/* ---- together ---- */

static bool
has_statements(const struct promises *promises)
{
    for (size_t i = 0; i < promises->count; i++)
        if (promises->items[i].statements.count > 0)
            return true;
    return false;
}

/* What the planner says, without what to do about it. */
static const char *
first_clause(struct arena *arena, const char *text)
{
    const char *end = strstr(text, " \"pgmend");

    return end && end > text + 1 ? arena_strndup(arena, text, (size_t)(end - text - 1)) : text;
}

/* Keeps the promises, unless an earlier run has, with the counts of when the step was done. */
static bool
begin_promises(struct ctx *ctx, struct step_proof *proof, struct indexes *indexes, bool *ret_kept)
{
    struct promises kept = { 0 };

    *ret_kept = false;
    if (proof->window->is_earlier && !load_kept(ctx, proof->db, &indexes->promises, &kept))
        return false;
    if (kept.count < indexes->promises.count || kept.count == 0)
        return promises_begin(
            ctx, proof->window->rollout->db, proof->db, proof->json, &indexes->planner);
    /* What they cost until they were built tells more than a window in which nobody asked. */
    *ret_kept = has_statements(&kept);
    if (*ret_kept)
        indexes->promises = kept;
    return true;
}

bool
proof_of_indexes(struct ctx *ctx, struct step_proof *proof, struct step_verdict *ret)
{
    struct step_window *window = proof->window;
    struct indexes indexes = { 0 };
    bool is_kept;

    proof->data = &indexes;
    if (!promises_from_json(ctx, proof->json, &indexes.promises))
        return error_wrap(ctx, "reading what was promised");
    if (!begin_promises(ctx, proof, &indexes, &is_kept))
        return false;
    if (is_kept)
        return proof_measure(ctx, proof, look_at_kept, ret);
    indexes.planner = indexes.planner && has_statements(&indexes.promises)
                          ? first_clause(ctx->arena, indexes.planner)
                          : NULL;
    if (!window->step) {
        *ret = verdict(STEP_OPEN,
            "what its statements cost before the step is not known; \"pgmend index prove\" tells "
            "whether it is used");
        return true;
    }
    if (window->trouble) {
        *ret = verdict(STEP_OPEN,
            arena_printf(ctx->arena, "its statements are not counted: %s", window->trouble));
        return true;
    }
    indexes.states = ARENA_ARRAY(ctx->arena, struct proof_state, indexes.promises.count + 1);
    indexes.cases = ARENA_ARRAY(ctx->arena, struct proof_case, indexes.promises.count + 1);
    for (size_t i = 0; i < indexes.promises.count; i++)
        make_case(ctx, proof, &indexes.promises.items[i], &indexes.states[i], &indexes.cases[i]);
    return proof_measure(ctx, proof, look_at_indexes, ret);
}
