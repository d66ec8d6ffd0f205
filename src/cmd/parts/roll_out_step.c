/* One step of a plan: begun, done, proven, recorded, or undone. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "change/kind.h"
#include "cli/out.h"
#include "cmd/backup_show.h"
#include "cmd/parts/roll_out_steps.h"
#include "cmd/parts/rollback_steps.h"

/* Writes the record, in spite of a signal; the error in ctx stays. */
static bool
step_record_put(struct ctx *ctx, const struct stepped *all, struct step_work *work,
    const char *state, const char *why)
{
    struct error kept = ctx->error;
    int signal_number = interrupt_take();
    bool is_open = text_equal(state, STEP_RUNNING) || text_equal(state, STEP_UNDOING);
    struct step_record record = work->record;
    bool is_written;

    record.plan_hash = all->plan->hash;
    record.step = work->step->id;
    record.phase = work->step->phase;
    record.title = work->step->title;
    record.feature = work->step->feature;
    record.state = state;
    record.run = all->rollout->journal.run;
    record.promise = work->step->promise;
    record.why = why;
    record.ended_at = is_open ? NULL : clock_text(ctx->arena, clock_wall_us());
    is_written = db_is_connected(all->rollout->db) && step_put(ctx, all->rollout->db, &record);
    if (is_written)
        work->record = record;
    interrupt_put(signal_number);
    /* What went wrong before counts; else what went wrong now. */
    if (is_written || kept.message)
        ctx->error = kept;
    return is_written;
}

/* How many changes of a step stand by the journal. */
static bool
step_count_standing(
    struct ctx *ctx, const struct stepped *all, const struct plan_step *step, size_t *ret)
{
    struct journal_entries entries;

    if (!journal_load(ctx, all->rollout->db, &entries))
        return false;
    *ret = step_standing_of(ctx->arena, &entries, &all->runs, step->id).standing;
    return true;
}

static void
tell(const struct stepped *all, enum out_mark mark, const char *text)
{
    if (!roll_out_tells(all->run))
        return;
    screen_end(all->screen);
    out_mark_line(all->run->out, mark, "%s", text);
    fflush(all->run->out);
}

/* -- undoing ------------------------------------------------------------------------------------ */

static void
add_change(struct step_work *work, const struct rollout_outcome *outcome)
{
    if (!work->changes)
        work->changes = json_array();
    json_array_append_new(work->changes,
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "object", outcome->name, "result",
            outcome->result ? outcome->result : "", "us", (json_int_t)outcome->us, "bytes",
            (json_int_t)outcome->bytes, "server_wal_bytes", (json_int_t)outcome->wal_bytes,
            "attempts", (json_int_t)outcome->attempts));
}

/*
 * Undoes what this plan has done for the step, the newest first. What cannot be undone is named in ret_left, the
 * others are undone all the same; false when something is left, with the first reason in ctx.
 */
static bool
undo_changes(
    struct ctx *ctx, const struct stepped *all, struct step_work *work, struct text_list *ret_left)
{
    struct journal_entries entries;
    struct error why = { 0 };

    *ret_left = (struct text_list){ 0 };
    if (!journal_load(ctx, all->rollout->db, &entries))
        return false;
    for (size_t i = entries.count; i-- > 0;) {
        struct journal_entry *entry = &entries.items[i];
        struct rollout_outcome outcome;

        if (!text_equal(entry->step, work->step->id) || !text_list_has(&all->runs, entry->run) ||
            !rollout_can_undo(entry))
            continue;
        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (rollout_undo(ctx, all->rollout, entry, &outcome)) {
            add_change(work, &outcome);
            tell(all, MARK_OK,
                arena_printf(ctx->arena, "undone: %s %s", entry->kind, entry->object));
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

static bool
is_signal(const struct ctx *ctx)
{
    return ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED;
}

/* A rest that cannot be undone is told as what it is. */
static bool
tell_rest(struct ctx *ctx, const struct stepped *all, struct step_work *work, const char *why,
    const struct text_list *left)
{
    const char *names =
        left->count > 0 ? text_list_join(ctx->arena, left, ", ") : "see \"pgmend history\"";

    if (is_signal(ctx))
        return error_state(ctx,
            "Step %s is not wholly undone; the same command goes on undoing it.", work->step->id);
    error_wrap(ctx, "step %s: undoing it", work->step->id);
    ctx->error.kind = ERR_ATTENTION;
    (void)step_record_put(ctx, all, work, STEP_FAILED,
        arena_printf(ctx->arena, "%s; not undone: %s (%s)", why, names, ctx->error.message));
    error_hint(ctx, "\"pgmend rollback\" goes on undoing it.");
    return error_state(
        ctx, "Not all of step %s could be undone; this is left: %s.", work->step->id, names);
}

/* It did not hold: all of it goes, and the run goes on. Rerun after a kill it goes on here. */
static bool
undo_broken(struct ctx *ctx, struct stepped *all, struct step_work *work)
{
    const char *why = work->record.why ? work->record.why : "it did not hold";
    struct text_list left;

    tell(all, MARK_FAIL, arena_printf(ctx->arena, "does not hold, is undone: %s", why));
    if (!undo_changes(ctx, all, work, &left))
        return tell_rest(ctx, all, work, why, &left);
    if (!step_proof_forget(ctx, all->rollout->db, work->step) ||
        !step_record_put(ctx, all, work, STEP_UNDONE, why))
        return error_state(ctx, "Step %s is undone; the next run records it.", work->step->id);
    all->is_undone = true;
    return true;
}

/* -- failing ------------------------------------------------------------------------------------ */

/* A signal, or no server: nothing is undone now, and the record says how far it came. */
static bool
stop_step(struct ctx *ctx, struct stepped *all, struct step_work *work)
{
    size_t standing = 0;
    struct error why = ctx->error;
    int signal_number = interrupt_take();
    bool is_known =
        db_is_connected(all->rollout->db) && step_count_standing(ctx, all, work->step, &standing);

    interrupt_put(signal_number);
    ctx->error = why;
    if (!is_known)
        return error_state(ctx,
            "How far step %s came could not be read; the same command goes on "
            "with it.",
            work->step->id);
    if (standing == 0) {
        /* Cut off while it waited for its window before it is what it was: not begun. */
        if (text_equal(work->record.state, STEP_RUNNING))
            (void)step_record_put(
                ctx, all, work, STEP_FAILED, "cut off before anything of it was done");
        return error_state(ctx, "Nothing of step %s stands.", work->step->id);
    }
    (void)step_record_put(ctx, all, work, STEP_RUNNING,
        arena_printf(ctx->arena, "cut off: %zu of %zu changes stand", standing, work->step->count));
    return error_state(ctx,
        "Of step %s %zu of %zu changes stand; the same command goes on with it, \"pgmend rollback\" "
        "undoes it.",
        work->step->id, standing, work->step->count);
}

/* It could not be done: what was done of it goes, the steps before it stay. */
static bool
fail_step(struct ctx *ctx, struct stepped *all, struct step_work *work)
{
    struct error why = ctx->error;
    struct text_list left;

    if (is_signal(ctx) || why.kind == ERR_CONNECTION || !db_is_connected(all->rollout->db))
        return stop_step(ctx, all, work);
    error_clear(ctx);
    if (!undo_changes(ctx, all, work, &left)) {
        if (!is_signal(ctx))
            ctx->error.detail = ctx->error.message;
        return tell_rest(ctx, all, work, why.message, &left);
    }
    ctx->error = why;
    error_wrap(ctx, "step %s", work->step->id);
    if (why.kind == ERR_ATTENTION) {
        (void)step_record_put(ctx, all, work, STEP_FAILED,
            arena_printf(ctx->arena, "%s; %s", why.message, why.state ? why.state : ""));
        return false;
    }
    if (why.kind == ERR_GATE)
        ctx->error.kind = ERR_UNDONE;
    (void)step_record_put(ctx, all, work, STEP_FAILED, why.message);
    tell(all, MARK_FAIL, arena_printf(ctx->arena, "failed: %s", why.message));
    return error_state(ctx, "Nothing of step %s is left.", work->step->id);
}

/* -- doing -------------------------------------------------------------------------------------- */

static bool
recheck_gates(struct ctx *ctx, const struct stepped *all, const struct plan_step *step)
{
    const struct roll_out_options *options = all->options;
    const struct gate_input input = {
        .db = all->rollout->db,
        .plan = all->plan,
        .backup_dir = backup_folder(ctx, all->run, options->backup_dir),
        .max_age_us = options->max_age,
        .max_transaction_us = options->max_transaction,
        .attested_wal_bytes = options->attest_wal_free,
        .attested_data_bytes = options->attest_data_free,
        .state_dir = all->run->global->state_dir,
        .low_traffic = options->low_traffic,
        .max_lag_us = options->max_lag,
        .step = step,
    };

    if (gates_recheck(ctx, &input, all->gates))
        return true;
    error_wrap(ctx, "before step %s", step->id);
    return error_state(ctx, "Step %s was not begun.", step->id);
}

/* Watching is help, not work: where it cannot be begun the step is done unwatched, and that is told. */
static void
begin_watching(struct ctx *ctx, const struct stepped *all)
{
    struct watchdog_limits limits = watchdog_standard;
    struct rollout *rollout = all->rollout;

    rollout->watchdog = NULL;
    if (all->options->no_guard || !rollout->watch)
        return;
    limits.interval_us = all->options->guard_interval;
    limits.slower_ratio = all->options->guard_slower;
    limits.lag_us = all->options->guard_lag;
    if (watchdog_begin(ctx, rollout->watch, &limits, &rollout->watchdog))
        return;
    rollout->watchdog = NULL;
    rollout_note(rollout, arena_printf(ctx->arena, "nobody watches this step: %s",
                              ctx->error.message ? ctx->error.message : "unknown"));
    error_clear(ctx);
}

static bool
look_between(struct ctx *ctx, const struct rollout *rollout)
{
    return !rollout->watchdog || !rollout->watch ||
           watchdog_look(ctx, rollout->watchdog, rollout->watch);
}

static bool
do_changes(struct ctx *ctx, struct stepped *all, struct step_work *work)
{
    const struct plan_step *step = work->step;

    for (size_t i = step->first; i < step->first + step->count; i++) {
        struct rollout_outcome outcome;

        if (!change_is_pending(&all->plan->items[i]))
            continue;
        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (!rollout_create(ctx, all->rollout, &all->plan->items[i], &outcome))
            return false;
        screen_end(all->screen);
        add_change(work, &outcome);
        if (roll_out_tells(all->run))
            print_change_outcome(ctx, all->run->out, &outcome);
        fflush(all->run->out);
        if (!look_between(ctx, all->rollout))
            return false;
    }
    return true;
}

/* What the watchdog saw belongs to what was measured after. */
static const char *
with_story(struct ctx *ctx, const char *after, const char *story)
{
    json_t *json CLEANUP(json_release) = NULL;
    json_t *watched CLEANUP(json_release) = NULL;

    if (!story || !after)
        return after;
    if (!json_parse(ctx, "after", after, &json) || !json_parse(ctx, "watchdog", story, &watched)) {
        error_clear(ctx);
        return after;
    }
    json_object_set(json, "watchdog", watched);
    return json_text(ctx->arena, json);
}

/* Records a step that stands; an error of the proof itself undoes nothing. */
static bool
keep_step(struct ctx *ctx, struct stepped *all, struct step_work *work, const char *state,
    const char *why)
{
    const char *text = arena_printf(ctx->arena, "%s%s%s", state, why ? ": " : "", why ? why : "");

    if (!step_record_put(ctx, all, work, state, why))
        return error_state(ctx, "Step %s is done; the next run records it.", work->step->id);
    tell(all, text_equal(state, STEP_WAITING) ? MARK_WARN : MARK_OK, text);
    return true;
}

static bool
prove_step(struct ctx *ctx, struct stepped *all, struct step_work *work, const char *story)
{
    const struct roll_out_options *options = all->options;
    const struct step_proving proving = {
        .window_us = options->window,
        .within_us = options->prove_within > 0 ? options->prove_within : options->window,
        .least_calls = options->least_calls,
    };
    /* What an earlier run has measured before; the one that was begun now knows better. */
    struct step_verdict verdict = { .before = work->record.before };
    bool is_looked =
        !all->window || step_proof_end(ctx, all->window, work->step, &proving, &verdict);

    screen_end(all->screen);
    if (!work->step->proof && is_looked)
        return keep_step(ctx, all, work, STEP_DONE, "it promises nothing that can be measured");
    if (!is_looked) {
        (void)step_record_put(ctx, all, work, STEP_WAITING,
            arena_printf(ctx->arena, "not measured: %s", ctx->error.message));
        if (is_signal(ctx) || !db_is_connected(all->rollout->db))
            return error_state(ctx,
                "Step %s is done and stands, but is not proven; the same command proves it.",
                work->step->id);
        tell(all, MARK_WARN, arena_printf(ctx->arena, "not measured: %s", ctx->error.message));
        error_clear(ctx);
        return true;
    }
    if (verdict.before)
        work->record.before = verdict.before;
    if (verdict.after)
        work->record.after = with_story(ctx, verdict.after, story);
    switch (verdict.kind) {
    case STEP_HOLDS:
        return keep_step(ctx, all, work, STEP_PROVEN, verdict.text);
    case STEP_OPEN:
        return keep_step(ctx, all, work, STEP_WAITING, verdict.text);
    case STEP_BREAKS:
        break;
    }
    if (!step_record_put(ctx, all, work, STEP_UNDOING, verdict.text))
        return error_state(ctx, "Step %s does not hold, and stands.", work->step->id);
    return undo_broken(ctx, all, work);
}

/* Its window before ends and its changes begin; what a killed run has done of it is not measured as before. */
static bool
begin_step(struct ctx *ctx, struct stepped *all, struct step_work *work)
{
    const struct step_proving proving = {
        .window_us = all->options->window,
        .least_calls = all->options->least_calls,
    };
    size_t standing;

    if (!step_count_standing(ctx, all, work->step, &standing))
        return false;
    if (standing == 0 && !plan_check_step_fresh(ctx, all->rollout->db, all->plan, work->step))
        return false;
    if (standing > 0)
        return step_record_put(ctx, all, work, STEP_RUNNING, NULL);
    work->record.started_at = clock_text(ctx->arena, clock_wall_us());
    work->record.before = NULL;
    work->record.after = NULL;
    if (all->window) {
        if (!step_proof_begin(ctx, all->window, work->step, &proving))
            return false;
        screen_end(all->screen);
        /* Who goes on after a kill has no window of his own: it has to be in the record before the first change. */
        work->record.before = step_proof_before(ctx->arena, all->window);
    }
    return step_record_put(ctx, all, work, STEP_RUNNING, NULL) ||
           error_state(ctx, "Step %s was not begun.", work->step->id);
}

static bool
do_and_prove(struct ctx *ctx, struct stepped *all, struct step_work *work)
{
    const char *story = NULL;
    size_t standing;
    bool is_done;

    if (!begin_step(ctx, all, work))
        return fail_step(ctx, all, work);
    begin_watching(ctx, all);
    all->rollout->journal.step = work->step->id;
    is_done = do_changes(ctx, all, work);
    all->rollout->journal.step = NULL;
    screen_end(all->screen);
    if (all->rollout->watchdog)
        story = watchdog_story(ctx->arena, all->rollout->watchdog);
    all->rollout->watchdog = NULL;
    if (!is_done)
        return fail_step(ctx, all, work);
    if (!step_count_standing(ctx, all, work->step, &standing))
        return error_state(ctx, "Step %s is done, but not proven.", work->step->id);
    if (standing == 0 && !work->step->proof)
        return keep_step(ctx, all, work, STEP_DONE, "nothing of it can be undone");
    if (standing == 0)
        return keep_step(ctx, all, work, STEP_DONE, "it was there already, and is not ours");
    return prove_step(ctx, all, work, story);
}

static bool
tell_by_hand(struct ctx *ctx, struct stepped *all, struct step_work *work)
{
    tell(all, MARK_INFO, arena_printf(ctx->arena, "by hand: %s", work->step->manual));
    if (work->step->undo)
        tell(all, MARK_INFO, arena_printf(ctx->arena, "taken back by: %s", work->step->undo));
    return step_record_put(ctx, all, work, STEP_MANUAL, work->step->manual);
}

bool
step_do(struct ctx *ctx, struct stepped *all, struct step_work *work, enum step_way way)
{
    if (roll_out_tells(all->run)) {
        fprintf(all->run->out, "\n%s  %s\n", work->step->id, work->step->title);
        fflush(all->run->out);
    }
    switch (way) {
    case STEP_PASS:
        return true;
    case STEP_TELL:
        return tell_by_hand(ctx, all, work);
    case STEP_PROVE:
        return prove_step(ctx, all, work, NULL);
    case STEP_UNDO:
        return undo_broken(ctx, all, work);
    case STEP_DO:
        break;
    }
    return recheck_gates(ctx, all, work->step) && do_and_prove(ctx, all, work);
}
