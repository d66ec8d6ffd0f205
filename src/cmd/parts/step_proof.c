#include "cmd/parts/step_proof.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "cmd/parts/step_proof_part.h"
#include "index/intake/intake_part.h"
#include "index/prove/promise.h"

/* How often is looked, at the most. */
enum { TICK_US = 1000000, LEAST_TICK_US = 50000 };

static const struct kind {
    const char *name;
    bool has_windows; /* it compares calls before and after */
    bool (*prove)(struct ctx *ctx, struct step_proof *proof, struct step_verdict *ret);
} kinds[] = {
    { "index", true, proof_of_indexes },
    { "vector", false, proof_of_vectors },
    { "workload", true, proof_of_workload },
};

/* The caller owns *ret_json. */
static bool
find_kind(struct ctx *ctx, const struct plan_step *step, const struct kind **ret, json_t **ret_json)
{
    const char *name;

    if (!json_parse(ctx, "proof", step->proof, ret_json))
        return error_wrap(ctx, "reading step %s", step->id);
    name = json_get_text(ctx->arena, *ret_json, "kind", "");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (text_equal(kinds[i].name, name)) {
            *ret = &kinds[i];
            return true;
        }
    }
    error_set(ctx, ERR_UNSUPPORTED, "step %s: this pgmend cannot prove \"%s\"", step->id, name);
    return error_hint(ctx, "Apply the plan with the pgmend that made it, or make it again.");
}

bool
step_proof_require_known(struct ctx *ctx, const struct plan *plan)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        json_t *json CLEANUP(json_release) = NULL;
        const struct kind *kind;

        if (plan->steps.items[i].proof && !find_kind(ctx, &plan->steps.items[i], &kind, &json))
            return error_state(ctx, "Nothing was changed.");
    }
    return true;
}

static void
show(const struct rollout *rollout, const char *phase, int64_t gone_us, int64_t all_us)
{
    const struct rollout_progress progress = {
        .what = "measuring",
        .phase = phase,
        .ratio = all_us > 0 ? (double)gone_us / (double)all_us : -1,
        .elapsed_us = gone_us,
        .left_us = all_us - gone_us,
    };

    if (rollout->observer.progress)
        rollout->observer.progress(rollout->observer.data, &progress);
}

static bool
open_session(struct ctx *ctx, const struct step_window *window, struct db **ret)
{
    const struct db_options options = { .access = ACCESS_READ, .application = "pgmend/proof" };

    return db_open_like(ctx, window->rollout->db, &options, ret);
}

/* ---- windows ---- */

/* A reading; without one, what is the matter stands in window->trouble. */
static bool
take_reading(struct ctx *ctx, struct step_window *window, struct db *db)
{
    window->has_opening = workload_read(ctx, db, &window->opening);
    window->opened_us = clock_us();
    window->trouble = NULL;
    if (window->has_opening)
        return true;
    if (!db_is_connected(db) || interrupt_signal())
        return false;
    window->trouble = ctx->error.message;
    error_clear(ctx);
    return true;
}

bool
step_window_open(struct ctx *ctx, struct db *db, struct rollout *rollout, struct step_window **ret)
{
    struct step_window *window = ARENA_NEW(ctx->arena, struct step_window);

    window->rollout = rollout;
    intake_own_statements(ctx->arena, &window->own);
    *ret = window;
    return take_reading(ctx, window, db) || error_wrap(ctx, "opening a window of counters");
}

static bool
wait_until(struct ctx *ctx, const struct rollout *rollout, const char *phase, int64_t from_us,
    int64_t all_us)
{
    for (int64_t gone_us = clock_us() - from_us; gone_us < all_us; gone_us = clock_us() - from_us) {
        int64_t left_us = all_us - gone_us;

        show(rollout, phase, gone_us, all_us);
        if (!clock_sleep_us(left_us < TICK_US ? left_us : TICK_US))
            return interrupt_error(ctx, interrupt_signal());
    }
    return true;
}

/* Waits until the window is long enough, and closes it. Counters that began anew begin it anew too, once. */
static bool
close_window(struct ctx *ctx, struct step_window *window, struct db *db,
    const struct plan_step *step, const struct step_proving *proving)
{
    const char *phase = arena_printf(ctx->arena, "the window before step %s", step->id);

    if (!window->has_opening && !window->trouble && !take_reading(ctx, window, db))
        return false;
    for (int attempt = 0; window->has_opening && attempt < 2; attempt++) {
        struct workload opening = window->opening;
        int64_t opened_us = window->opened_us;

        if (!wait_until(ctx, window->rollout, phase, opened_us, proving->window_us) ||
            !take_reading(ctx, window, db))
            return false;
        if (!window->has_opening)
            break;
        workload_window(ctx->arena, &opening, &window->opening,
            (double)(window->opened_us - opened_us) / 1e6, &window->before);
        if (!window->before.was_reset)
            return true;
    }
    if (!window->trouble)
        window->trouble = "the counters were reset, or the server began anew, again and again";
    return true;
}

bool
step_proof_begin(struct ctx *ctx, struct step_window *window, const struct plan_step *step,
    const struct step_proving *proving)
{
    struct db *db CLEANUP(db_cleanup) = NULL;
    json_t *json CLEANUP(json_release) = NULL;
    const struct kind *kind;

    window->step = NULL;
    window->relations = (struct named_relations){ 0 };
    if (!step->proof)
        return true;
    if (!find_kind(ctx, step, &kind, &json))
        return false;
    if (!kind->has_windows)
        return true;
    if (!open_session(ctx, window, &db) ||
        !proof_find_relations(ctx, db, json, &window->relations) ||
        !close_window(ctx, window, db, step, proving))
        return error_wrap(ctx, "measuring before step %s", step->id);
    window->step = step->id;
    return true;
}

/* ---- measuring ---- */

const char *
proof_tell_early(struct arena *arena, const struct step_proof *proof, double calls)
{
    return arena_printf(arena, "its statements were called %.0f time%s within %s; %lld are wanted",
        calls, calls == 1 ? "" : "s", text_from_us(arena, clock_us() - proof->start_us),
        (long long)proof->proving->least_calls);
}

/* What a look found, from its own arena into the one that lives on. */
static void
keep(struct ctx *ctx, struct ctx *look, struct step_verdict *verdict)
{
    ctx->error = look->error;
    if (look->error.message)
        ctx->error.message = arena_strdup(ctx->arena, look->error.message);
    if (look->error.detail)
        ctx->error.detail = arena_strdup(ctx->arena, look->error.detail);
    if (look->error.hint)
        ctx->error.hint = arena_strdup(ctx->arena, look->error.hint);
    if (look->error.state)
        ctx->error.state = arena_strdup(ctx->arena, look->error.state);
    if (verdict->text)
        verdict->text = arena_strdup(ctx->arena, verdict->text);
    if (verdict->before)
        verdict->before = arena_strdup(ctx->arena, verdict->before);
    if (verdict->after)
        verdict->after = arena_strdup(ctx->arena, verdict->after);
}

static bool
look_once(struct ctx *ctx, struct step_proof *proof, proof_look *look, bool is_last,
    struct step_verdict *ret)
{
    struct workload now;
    struct workload_window after;

    if (!workload_read(ctx, proof->db, &now))
        return false;
    workload_window(
        ctx->arena, &proof->start, &now, (double)(clock_us() - proof->start_us) / 1e6, &after);
    if (after.was_reset) {
        proof->has_begun_anew = true;
        ret->text = "the counters were reset, or the server began anew, while it was measured";
        return true;
    }
    proof->now = &now;
    bool is_good = look(ctx, proof, &after, is_last, ret);

    proof->now = NULL;
    return is_good;
}

/* Counters that began anew meanwhile: so does the window. */
static bool
begin_again(struct ctx *ctx, struct step_proof *proof)
{
    proof->has_begun_anew = false;
    proof->start_us = clock_us();
    return workload_read(ctx, proof->db, &proof->start);
}

bool
proof_measure(struct ctx *ctx, struct step_proof *proof, proof_look *look, struct step_verdict *ret)
{
    int64_t began_us = clock_us();
    int64_t within_us = proof->proving->within_us;
    int64_t tick_us = within_us / 10;
    const char *phase = arena_printf(ctx->arena, "what step %s brings", proof->step->id);

    if (!begin_again(ctx, proof))
        return error_wrap(ctx, "measuring after step %s", proof->step->id);
    tick_us = tick_us > TICK_US ? TICK_US : tick_us < LEAST_TICK_US ? LEAST_TICK_US : tick_us;
    for (;;) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx tick = { .arena = arena };
        int64_t gone_us = clock_us() - began_us;
        bool is_last = gone_us >= within_us;
        bool is_good;

        *ret = (struct step_verdict){ .kind = STEP_OPEN };
        is_good = look_once(&tick, proof, look, is_last, ret);
        keep(ctx, &tick, ret);
        if (!is_good)
            return error_wrap(ctx, "measuring after step %s", proof->step->id);
        if (is_last || ret->kind != STEP_OPEN)
            return true;
        if (proof->has_begun_anew && !begin_again(ctx, proof))
            return error_wrap(ctx, "measuring after step %s", proof->step->id);
        show(proof->window->rollout, phase, gone_us, within_us);
        if (!clock_sleep_us(tick_us))
            return interrupt_error(ctx, interrupt_signal());
    }
}

static bool
measure(struct ctx *ctx, struct step_window *window, const struct plan_step *step,
    const struct step_proving *proving, struct step_verdict *ret)
{
    struct db *db CLEANUP(db_cleanup) = NULL;
    json_t *json CLEANUP(json_release) = NULL;
    const struct kind *kind;
    struct step_proof proof = {
        .window = window, .step = step, .proving = proving, .scopes = { .arena = ctx->arena }
    };
    bool is_good;

    if (!open_session(ctx, window, &db))
        return false;
    if (!step->proof) {
        *ret = (struct step_verdict){ .kind = STEP_OPEN };
        return take_reading(ctx, window, db);
    }
    if (!find_kind(ctx, step, &kind, &json))
        return false;
    proof.db = db;
    proof.json = json;
    is_good = (!kind->has_windows || proof_find_relations(ctx, db, json, &window->relations)) &&
              kind->prove(ctx, &proof, ret);
    /* The window after this step is the one before the next; not of a step that will be undone. */
    window->has_opening = false;
    if (!is_good || ret->kind == STEP_BREAKS)
        return is_good;
    if (!proof.start.taken_at)
        return take_reading(ctx, window, db);
    window->opening = proof.start;
    window->opened_us = proof.start_us;
    window->has_opening = true;
    return true;
}

bool
step_proof_end(struct ctx *ctx, struct step_window *window, const struct plan_step *step,
    const struct step_proving *proving, struct step_verdict *ret)
{
    const char *story = ret->before;
    bool is_good;

    *ret = (struct step_verdict){ .kind = STEP_OPEN };
    if (!text_equal(window->step, step->id))
        window->step = NULL;
    window->is_earlier = !window->step;
    if (!window->step && story) {
        window->trouble = NULL;
        window->relations = (struct named_relations){ 0 };
        if (!proof_window_from_story(ctx, story, &window->before))
            return error_wrap(ctx, "reading what was measured before step %s", step->id);
        if (window->before.statements.count > 0)
            window->step = step->id;
    }
    is_good = measure(ctx, window, step, proving, ret);
    window->step = NULL;
    window->is_earlier = false;
    if (!ret->before)
        ret->before = story;
    return is_good || error_wrap(ctx, "proving step %s", step->id);
}

bool
step_proof_forget(struct ctx *ctx, struct db *db, const struct plan_step *step)
{
    json_t *json CLEANUP(json_release) = NULL;
    const struct kind *kind;
    struct promises promises;

    if (!step->proof)
        return true;
    if (!find_kind(ctx, step, &kind, &json))
        return false;
    if (!text_equal(kind->name, "index"))
        return true;
    if (!promises_from_json(ctx, json, &promises))
        return error_wrap(ctx, "reading step %s", step->id);
    for (size_t i = 0; i < promises.count; i++)
        if (!promise_forget(ctx, db, &promises.items[i]))
            return error_wrap(ctx, "forgetting what step %s promised", step->id);
    return true;
}
