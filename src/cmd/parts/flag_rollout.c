#include "cmd/parts/flag_rollout.h"

#include <math.h>

#include "base/clock.h"
#include "base/interrupt.h"

enum { LIFE_LOOKS = 4, LEAST_LIFE_US = 10000000 };

/* Whoever dies shall not leave a step standing: it lives some looks longer than the last one. */
static int64_t
life_until(const struct flag_rollout *rollout)
{
    int64_t life = LIFE_LOOKS * rollout->times.every_us;

    return clock_wall_us() + (life > LEAST_LIFE_US ? life : LEAST_LIFE_US);
}

static json_t *
verdict_json(const struct flag_rollout *rollout)
{
    const struct guard_verdict *verdict = &rollout->verdict;
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        { "ratio", verdict->ratio },
        { "ratio_low", verdict->ratio_low },
        { "ratio_high", verdict->ratio_high },
        { "likelihood", verdict->likelihood },
        { "alpha", rollout->rules.alpha },
        { "control_count", verdict->count[GUARD_CONTROL] },
        { "treatment_count", verdict->count[GUARD_TREATMENT] },
        { "control_p95_seconds", verdict->p95[GUARD_CONTROL] },
        { "treatment_p95_seconds", verdict->p95[GUARD_TREATMENT] },
        { "tail_llr", verdict->tail_llr },
        { "control_error_rate", verdict->error_rate[GUARD_CONTROL] },
        { "treatment_error_rate", verdict->error_rate[GUARD_TREATMENT] },
        { "error_llr", verdict->error_llr },
        { "split_p", verdict->split_p },
    };
    json_t *json = json_pack("{s:i, s:s?, s:s?, s:I, s:I, s:I}", "percent", rollout->flag.percent,
        "rule", verdict->rule, "why", verdict->why, "elapsed_us", (json_int_t)verdict->elapsed_us,
        "looks", (json_int_t)verdict->looks, "gaps", (json_int_t)rollout->gaps);

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        json_object_set_new(json, numbers[i].name, json_number(numbers[i].value));
    return json;
}

/* Another percent, when nobody else has touched the flag since. */
static bool
set(struct ctx *ctx, struct flag_rollout *rollout, const struct flag *to, const json_t *numbers)
{
    struct flag_change change = {
        .to = *to,
        .command = rollout->run->command->path,
        .state_dir = rollout->run->global->state_dir,
        .numbers = numbers,
        .run = rollout->id,
        .is_part = true,
        .start = rollout->start,
        .keeps_others = true,
    };
    struct flag_changed changed;

    if (rollout->is_there)
        change.expected = rollout->flag;
    if (!flag_change(ctx, rollout->run->db, &change, &changed)) {
        if (ctx->error.kind == ERR_INPUT)
            ctx->error.kind = ERR_USAGE;
        return false;
    }
    rollout->flag = *to;
    rollout->is_there = true;
    return true;
}

static const char *
describe(struct ctx *ctx, const struct flag_rollout *rollout)
{
    const struct guard_verdict *verdict = &rollout->verdict;
    struct buffer note = { .arena = ctx->arena };

    if (verdict->looks > 0)
        buffer_printf(&note, "%.0f / %.0f requests, errors %.2f / %.2f %%",
            verdict->count[GUARD_CONTROL], verdict->count[GUARD_TREATMENT],
            100 * verdict->error_rate[GUARD_CONTROL], 100 * verdict->error_rate[GUARD_TREATMENT]);
    if (verdict->looks > 0 && isfinite(verdict->ratio_high))
        buffer_printf(&note, ", latency %.3f times (%.3f to %.3f)", verdict->ratio,
            verdict->ratio_low, verdict->ratio_high);
    if (verdict->why)
        buffer_printf(&note, "%s%s", note.length > 0 ? ": " : "", verdict->why);
    if (rollout->problem)
        buffer_printf(&note, " [%s]", rollout->problem);
    return buffer_text(&note);
}

static void
show(struct ctx *ctx, struct flag_rollout *rollout, const char *phase)
{
    if (rollout->run->global->quiet)
        return;
    progress_show(&rollout->progress,
        .what = arena_printf(ctx->arena, "%s %d %%", rollout->flag.name, rollout->flag.percent),
        .phase = phase, .ratio = -1, .elapsed_us = clock_us() - rollout->guard.started_us,
        .left_us = -1, .note = describe(ctx, rollout));
}

/* Between two looks; a signal ends it. */
static bool
rest(struct ctx *ctx, int64_t us)
{
    if (!interrupt_signal() && clock_sleep_us(us))
        return true;
    return interrupt_error(ctx, interrupt_signal());
}

static bool
renew(struct ctx *ctx, struct flag_rollout *rollout)
{
    bool is_ours;

    rollout->flag.until_us = life_until(rollout);
    if (!flag_renew(ctx, rollout->run->db, &rollout->flag, &is_ours))
        return false;
    if (is_ours)
        return true;
    error_set(ctx, ERR_CONFLICT, "flag %s was set by somebody else meanwhile", rollout->flag.name);
    return error_hint(ctx, "\"pgmend flags list\" and \"pgmend history\" tell by whom and why.");
}

static bool
warm_up(struct ctx *ctx, struct flag_rollout *rollout)
{
    int64_t until_us = clock_us() + rollout->times.warm_up_us;

    for (;;) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx turn = { .arena = arena };
        int64_t left = until_us - clock_us();

        if (left <= 0)
            return true;
        show(&turn, rollout, "warming up");
        if (!rest(ctx, left < rollout->times.every_us ? left : rollout->times.every_us) ||
            !renew(ctx, rollout))
            return false;
    }
}

static void
go_back_because(struct flag_rollout *rollout, const char *rule, const char *why)
{
    rollout->verdict.decision = GUARD_GO_BACK;
    rollout->verdict.rule = rule;
    rollout->verdict.why = why;
}

static void
judge(struct arena *arena, struct flag_rollout *rollout, int64_t seen_us)
{
    struct guard_verdict *verdict = &rollout->verdict;
    int64_t now_us = clock_us();

    *verdict = guard_judge(arena, &rollout->guard, now_us);
    if (verdict->decision == GUARD_GO_ON && rollout->missing > 0) {
        verdict->decision = GUARD_WAIT;
        verdict->rule = "source";
        verdict->why = arena_printf(
            arena, "a source does not answer: %s", rollout->problem ? rollout->problem : "");
    }
    if (verdict->decision != GUARD_WAIT)
        return;
    if (now_us - seen_us > rollout->times.blind_us)
        go_back_because(rollout, "blind",
            arena_printf(arena, "no metrics for %s%s%s", text_from_us(arena, now_us - seen_us),
                rollout->problem ? ": " : "", rollout->problem ? rollout->problem : ""));
    else if (verdict->elapsed_us > rollout->times.limit_us)
        go_back_because(rollout, "limit",
            arena_printf(arena, "no decision within %s: %s",
                text_from_us(arena, rollout->times.limit_us), verdict->why));
}

/* One look. What it finds lives in its own arena until the next one. */
static bool
look(struct ctx *turn, struct flag_rollout *rollout)
{
    struct arm_look now;

    if (!arm_metrics_look(turn, rollout->metrics, &now))
        return false;
    rollout->problem = now.problem;
    rollout->gaps += now.gaps;
    rollout->missing = now.missing;
    if (now.delta.bucket_count > 0)
        guard_add(&rollout->guard, &now.delta, clock_us());
    judge(turn->arena, rollout, now.seen_us);
    show(turn, rollout, "watching");
    return true;
}

/* What outlives the arena of its look. */
static void
keep(struct ctx *ctx, struct flag_rollout *rollout, const struct error *error)
{
    struct arena *arena = ctx->arena;
    struct guard_verdict *verdict = &rollout->verdict;

    verdict->why = verdict->why ? arena_strdup(arena, verdict->why) : NULL;
    rollout->problem = rollout->problem ? arena_strdup(arena, rollout->problem) : NULL;
    if (error->kind == ERR_NONE)
        return;
    ctx->error = *error;
    ctx->error.message = arena_strdup(arena, error->message);
    ctx->error.detail = error->detail ? arena_strdup(arena, error->detail) : NULL;
    ctx->error.hint = error->hint ? arena_strdup(arena, error->hint) : NULL;
    ctx->error.state = error->state ? arena_strdup(arena, error->state) : NULL;
}

/* Looks until the guard says to go on or back. */
static bool
watch(struct ctx *ctx, struct flag_rollout *rollout)
{
    bool is_waiting = true;
    bool is_good = true;

    arm_metrics_restart(rollout->metrics);
    while (is_good && is_waiting) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx turn = { .arena = arena };

        is_good = look(&turn, rollout);
        is_waiting = rollout->verdict.decision == GUARD_WAIT;
        if (is_good && is_waiting)
            is_good = renew(&turn, rollout) && rest(&turn, rollout->times.every_us);
        keep(ctx, rollout, &turn.error);
    }
    return is_good;
}

/*
 * The work was cut off: the step is taken back, unless it was somebody else who changed the flag. The
 * reason stays in ctx. Returns false.
 */
static bool
take_back(struct ctx *ctx, struct flag_rollout *rollout)
{
    struct error why = ctx->error;
    int signal_number = interrupt_take();
    struct flag to = rollout->flag;
    json_t *numbers CLEANUP(json_release) = verdict_json(rollout);
    bool is_back;

    json_object_set_new(numbers, "decision", json_string("cut off"));
    json_object_set_new(numbers, "cause", json_string(why.message ? why.message : ""));
    to.percent = rollout->flag.fallback;
    to.fallback = 0;
    to.until_us = 0;
    to.reason = "the roll-out was cut off";
    is_back = why.kind == ERR_CONFLICT || set(ctx, rollout, &to, numbers);
    interrupt_put(signal_number);
    ctx->error = why;
    if (why.kind == ERR_CONFLICT)
        return error_state(ctx, "The flag is as they have set it.");
    if (is_back)
        return error_state(ctx, "Flag %s is back at %d %%.", to.name, to.percent);
    ctx->error.kind = ERR_ATTENTION;
    error_hint(ctx, "pgmend flags set %s --percent %d", to.name, to.percent);
    return error_state(ctx, "Flag %s falls back to %d %% by itself at %s.", to.name, to.percent,
        clock_text(ctx->arena, rollout->flag.until_us));
}

static bool
begin_step(struct ctx *ctx, struct flag_rollout *rollout, int32_t percent)
{
    struct flag to = rollout->flag;
    /* What the step before was decided by stands where the flag goes on. */
    const json_t *numbers = json_array_get(rollout->done, json_array_size(rollout->done) - 1);

    to.fallback = rollout->flag.percent;
    to.percent = percent;
    to.until_us = life_until(rollout);
    to.reason = arena_printf(ctx->arena, "%s: step %d %%", rollout->reason, percent);
    rollout->verdict = (struct guard_verdict){ 0 };
    rollout->gaps = 0;
    rollout->guard.started_us = clock_us();
    return set(ctx, rollout, &to, numbers);
}

/* The control of the step before, for the step that leaves nobody in it. */
static void
begin_watch(struct flag_rollout *rollout)
{
    struct guard before = rollout->guard;

    rollout->rules.share = rollout->flag.percent / 100.0;
    guard_begin(&rollout->guard, &rollout->rules, clock_us());
    rollout->guard.before = before.sum.arms[GUARD_CONTROL];
    rollout->guard.has_before = before.looks > 0;
}

static bool
end_step(struct ctx *ctx, struct flag_rollout *rollout, bool is_last)
{
    bool goes_on = rollout->verdict.decision == GUARD_GO_ON;
    json_t *numbers = verdict_json(rollout);
    struct flag to = rollout->flag;

    json_array_append_new(rollout->done, numbers);
    json_object_set_new(numbers, "decision", json_string(goes_on ? "go on" : "go back"));
    if (goes_on && !is_last)
        return true;
    to.until_us = 0;
    to.fallback = 0;
    to.percent = goes_on ? to.percent : 0;
    to.reason = arena_printf(ctx->arena, "%s: %s", rollout->reason, rollout->verdict.why);
    return set(ctx, rollout, &to, numbers);
}

bool
flag_rollout_run(struct ctx *ctx, struct flag_rollout *rollout, bool *ret_promoted)
{
    *ret_promoted = false;
    progress_begin(&rollout->progress);
    for (size_t i = 0; i < rollout->step_count; i++) {
        bool is_good;

        if (!begin_step(ctx, rollout, rollout->steps[i])) {
            progress_end(&rollout->progress);
            return i == 0 ? false : take_back(ctx, rollout);
        }
        is_good = warm_up(ctx, rollout);
        if (is_good) {
            begin_watch(rollout);
            is_good = watch(ctx, rollout);
        }
        is_good = is_good && end_step(ctx, rollout, i + 1 == rollout->step_count);
        progress_end(&rollout->progress);
        if (!is_good)
            return take_back(ctx, rollout);
        if (rollout->verdict.decision == GUARD_GO_BACK)
            return true;
    }
    *ret_promoted = true;
    return true;
}
