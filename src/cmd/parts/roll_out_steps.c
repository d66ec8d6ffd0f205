/* A plan with steps from the first to the last; what is done with one of them stands in roll_out_step.c. */
#include "cmd/parts/roll_out_steps.h"

#include "base/interrupt.h"
#include "change/kind.h"
#include "change/restore_point.h"
#include "cli/out.h"
#include "cmd/parts/rollback_steps.h"
#include "sql.h"

static bool
is_of(const char *state, const char *const *states, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(state, states[i]))
            return true;
    return false;
}

/* It stands: proven, not measurable yet, without a proof, or by a person's word. */
static bool
is_kept(const char *state)
{
    static const char *const kept[] = { STEP_PROVEN, STEP_WAITING, STEP_DONE, STEP_TICKED };

    return is_of(state, kept, COUNT_OF(kept));
}

static bool
is_asked_for(const struct roll_out_options *options, const struct plan_step *step)
{
    return (options->step.count == 0 || text_list_has(&options->step, step->id)) &&
           (options->phase == 0 || options->phase == step->phase);
}

static const struct step_work *
find_work(const struct stepped *all, const char *id)
{
    for (size_t i = 0; i < all->plan->steps.count; i++)
        if (text_equal(all->steps[i].step->id, id))
            return &all->steps[i];
    return NULL;
}

static bool
is_blocked(const struct plan *plan, const struct plan_step *step)
{
    for (size_t i = step->first; i < step->first + step->count; i++)
        if (plan->items[i].action == ACTION_BLOCKED)
            return true;
    return false;
}

/* What its own record asks for. */
static enum step_way
way_by_record(const struct roll_out_options *options, struct step_work *work)
{
    const char *state = work->record.state;
    bool is_by_rollback =
        text_starts_with(work->record.why ? work->record.why : "", STEP_WHY_ROLLBACK);

    if (text_equal(state, STEP_PROVEN) || text_equal(state, STEP_DONE) ||
        text_equal(state, STEP_TICKED))
        return STEP_PASS;
    if (work->step->count == 0)
        return STEP_TELL;
    if (text_equal(state, STEP_WAITING))
        return STEP_PROVE;
    if (text_equal(state, STEP_UNDOING))
        return STEP_UNDO;
    if (text_equal(state, STEP_UNDONE) && !is_by_rollback && !options->retry_undone) {
        work->passed = "it did not hold before; --retry-undone does it again";
        return STEP_PASS;
    }
    return STEP_DO;
}

/* Also sets work->passed. Nothing but what needs it is looked at again while a run goes on. */
static enum step_way
step_way_of(struct arena *arena, const struct stepped *all, struct step_work *work)
{
    const struct plan_step *step = work->step;
    const struct step_work *needed = step->needs ? find_work(all, step->needs) : NULL;
    enum step_way way;

    work->passed = NULL;
    if (!is_asked_for(all->options, step)) {
        work->passed = work->record.state ? NULL : "not asked for";
        return STEP_PASS;
    }
    way = way_by_record(all->options, work);
    if (way == STEP_DO && is_blocked(all->plan, step)) {
        work->passed = "a change of it is blocked";
        return STEP_PASS;
    }
    /* What still waits for its proof may be undone yet. */
    if (way == STEP_DO && needed &&
        (!is_kept(needed->record.state) || text_equal(needed->record.state, STEP_WAITING))) {
        work->passed = arena_printf(arena, "it rests on step %s, which is %s", step->needs,
            needed->record.state ? needed->record.state : "not done");
        return STEP_PASS;
    }
    return way;
}

void
steps_leave_out(struct arena *arena, const struct roll_out_options *options, struct plan *plan)
{
    struct change *changes = ARENA_ARRAY(arena, struct change, plan->count + 1);

    for (size_t i = 0; i < plan->count; i++)
        changes[i] = plan->items[i];
    plan->items = changes;
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];

        for (size_t j = step->first; j < step->first + step->count; j++)
            if (!is_asked_for(options, step) && change_is_pending(&changes[j]))
                changes[j].action = ACTION_NONE;
    }
}

bool
steps_check_options(
    struct ctx *ctx, const struct plan *plan, const struct roll_out_options *options)
{
    if (options->phase < 0 || options->phase > PLAN_PHASES)
        return error_set(ctx, ERR_USAGE, "--phase is 1 to %d", (int)PLAN_PHASES);
    for (size_t i = 0; i < options->step.count; i++) {
        if (plan_step_find(plan, options->step.items[i]))
            continue;
        error_set(ctx, ERR_USAGE, "the plan has no step \"%s\"", options->step.items[i]);
        return error_hint(ctx, "\"pgmend status\" and the plan above show its steps.");
    }
    return true;
}

/* The records of the plan's steps, a work for each. */
static bool
load_steps(struct ctx *ctx, struct db *db, struct stepped *all)
{
    struct step_records records;
    size_t count = all->plan->steps.count;

    if (!step_load(ctx, db, all->plan->hash, &records))
        return false;
    all->steps = ARENA_ARRAY(ctx->arena, struct step_work, count);
    for (size_t i = 0; i < count; i++) {
        const struct plan_step *step = &all->plan->steps.items[i];
        const struct step_record *known = step_find(&records, step->id);

        all->steps[i] = (struct step_work){ .step = step };
        if (known)
            all->steps[i].record = *known;
    }
    return true;
}

bool
steps_have_work(struct ctx *ctx, struct db *db, const struct plan *plan,
    const struct roll_out_options *options, bool *ret)
{
    struct plan copy = *plan;
    struct stepped all = { .plan = &copy, .options = options };

    if (!load_steps(ctx, db, &all))
        return false;
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct step_work *work = &all.steps[i];
        enum step_way way = step_way_of(ctx->arena, &all, work);

        /* What was told to a person already is no work of ours, nor a reason to look at gates. */
        *ret |= way != STEP_PASS && !(way == STEP_TELL && work->record.state);
    }
    return true;
}

static bool
has_proof(const struct stepped *all)
{
    for (size_t i = 0; i < all->plan->steps.count; i++)
        if (all->plan->steps.items[i].proof)
            return true;
    return false;
}

/* The plan is kept first: a later program must know what the records are about. */
static bool
prepare(struct ctx *ctx, struct stepped *all)
{
    struct rollout *rollout = all->rollout;
    const char *advice;

    if (!rollout_heal(ctx, rollout) || !plan_keep(ctx, rollout->db, all->plan) ||
        !plan_runs(ctx, rollout->db, all->plan->hash, &all->runs) ||
        !load_steps(ctx, rollout->db, all) || !restore_point_advice(ctx, rollout->db, &advice))
        return false;
    if (advice)
        rollout_note(rollout, advice);
    return !has_proof(all) || step_window_open(ctx, rollout->db, rollout, &all->window);
}

/* Above the first step of a phase that has something to be done; a point to recover to is set before. */
static bool
begin_phase(struct ctx *ctx, struct stepped *all, int32_t phase)
{
    const char *name = restore_point_name(ctx->arena, all->plan->hash, phase);
    const char *text;

    if (roll_out_tells(all->run)) {
        fprintf(all->run->out, "\nPhase %d: %s\n", (int)phase, plan_phase_title(phase));
        fflush(all->run->out);
    }
    if (!restore_point_set(ctx, all->rollout->db, name, &text))
        return error_wrap(ctx, "setting the restore point %s", name);
    if (text)
        rollout_note(all->rollout, text);
    return true;
}

/* Another step can be done only while server and user let us. */
static bool
may_go_on(const struct ctx *ctx, const struct stepped *all)
{
    return all->options->keep_going && !interrupt_signal() && db_is_connected(all->rollout->db) &&
           ctx->error.kind != ERR_GATE && ctx->error.kind != ERR_ATTENTION &&
           ctx->error.kind != ERR_LOCKED && ctx->error.kind != ERR_CONNECTION;
}

static bool
do_steps(struct ctx *ctx, struct stepped *all)
{
    int32_t phase = 0;

    for (size_t i = 0; i < all->plan->steps.count; i++) {
        struct step_work *work = &all->steps[i];
        enum step_way way = step_way_of(ctx->arena, all, work);
        bool is_good;

        if (way == STEP_PASS)
            continue;
        is_good = !interrupt_signal() || interrupt_error(ctx, interrupt_signal());
        if (is_good && work->step->phase != phase) {
            phase = work->step->phase;
            is_good = begin_phase(ctx, all, phase);
        }
        is_good = is_good && step_do(ctx, all, work, way);
        screen_end(all->screen);
        if (is_good)
            continue;
        if (!all->why.message)
            all->why = ctx->error;
        if (!may_go_on(ctx, all))
            return false;
        error_clear(ctx);
    }
    if (!all->why.message)
        return true;
    ctx->error = all->why;
    return false;
}

static size_t
count_kept(const struct stepped *all)
{
    size_t count = 0;

    for (size_t i = 0; i < all->plan->steps.count; i++)
        count += all->steps[i].step->count > 0 && is_kept(all->steps[i].record.state);
    return count;
}

/* Adds to the state of the failed step what became of the others. */
static bool
tell_state(struct ctx *ctx, const struct stepped *all)
{
    const char *state = ctx->error.state ? ctx->error.state : "";
    size_t kept = count_kept(all);

    if (kept == 0)
        return *state ? false : error_state(ctx, "Nothing was changed.");
    return error_state(ctx,
        "%s%s%zu step%s of the plan %s; \"pgmend rollback --to STEP\" goes back.", state,
        *state ? " " : "", kept, kept == 1 ? "" : "s", kept == 1 ? "stands" : "stand");
}

static void
release(struct stepped *all)
{
    for (size_t i = 0; all->steps && i < all->plan->steps.count; i++)
        json_release(&all->steps[i].changes);
}

static bool
work_through(struct ctx *ctx, struct stepped *all)
{
    bool is_good = prepare(ctx, all) && do_steps(ctx, all);

    screen_end(all->screen);
    if (!is_good && all->steps)
        tell_state(ctx, all);
    /* With --json the error is the document: "pgmend status --json" has the steps. */
    if (all->steps && (is_good || !all->run->global->json))
        steps_print_result(ctx, all);
    release(all);
    is_good = end_run(ctx, all->rollout, is_good);
    /* Of a run of which all was undone nothing stands. */
    if (all->is_undone && is_good)
        return sql_change_settle_runs(ctx, all->rollout->db);
    return is_good;
}

bool
roll_out_steps(struct ctx *ctx, struct run *run, struct plan *plan,
    const struct roll_out_options *options, struct gate_results *results)
{
    struct screen *screen = screen_new(ctx->arena);
    struct rollout_observer observer = screen_observer(screen);
    struct rollout rollout CLEANUP(rollout_close) = { 0 };
    const struct journal_run about = {
        .command = run->command->path,
        .plan_hash = plan->hash,
        .overrides = gates_overrides(ctx, results),
        .state_dir = run->global->state_dir,
    };
    struct stepped all = {
        .run = run,
        .plan = plan,
        .options = options,
        .gates = results,
        .rollout = &rollout,
        .screen = screen,
    };
    bool is_good = rollout_open(ctx, run->db, &about, &observer, &rollout);

    screen_end(screen);
    if (!is_good)
        return false;
    rollout.limits.first_lock_us = options->lock_timeout;
    rollout.limits.wait_us = options->wait_limit;
    rollout.limits.retries = options->retries;
    if (!work_through(ctx, &all))
        return false;
    if (all.is_undone)
        run->status = error_exit_status(ERR_UNDONE);
    return true;
}
