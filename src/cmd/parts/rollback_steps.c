#include "cmd/parts/rollback_steps.h"

#include "change/kind.h"
#include "change/step.h"
#include "cmd/parts/step_proof.h"
#include "sql.h"

bool
plan_runs(struct ctx *ctx, struct db *db, const char *plan_hash, struct text_list *ret)
{
    struct sql_change_runs_rows runs;

    *ret = (struct text_list){ 0 };
    if (!sql_change_runs(ctx, db, &runs))
        return error_wrap(ctx, "reading the runs of the plan");
    for (size_t i = 0; i < runs.count; i++)
        if (text_equal(runs.items[i].plan_hash, plan_hash))
            text_list_add(ctx->arena, ret, runs.items[i].id);
    return true;
}

/* There is something that a rollback would take away, or finish. */
static bool
stands(const struct journal_entry *entry)
{
    const struct change_kind *kind = change_kind_find(entry->kind);

    return journal_entry_is_open(entry) ||
           (text_equal(entry->state, ENTRY_DONE) && kind && kind->undo);
}

struct step_standing
step_standing_of(struct arena *arena, const struct journal_entries *entries,
    const struct text_list *runs, const char *step)
{
    struct step_standing standing = { 0 };
    struct text_list seen = { 0 };

    for (size_t i = entries->count; i-- > 0;) {
        const struct journal_entry *entry = &entries->items[i];
        const char *what = arena_printf(arena, "%s %s", entry->kind, entry->object);

        if (!text_equal(entry->step, step) || !text_list_has(runs, entry->run) ||
            text_list_has(&seen, what))
            continue;
        text_list_add(arena, &seen, what);
        standing.standing += stands(entry);
        standing.undone += text_equal(entry->state, ENTRY_UNDONE);
    }
    return standing;
}

/* The hash of the plan whose step is the newest that stands; NULL: none. */
static bool
find_standing_plan(struct ctx *ctx, struct db *db, const char **ret)
{
    struct journal_entries entries;
    struct sql_change_runs_rows runs = { 0 };
    const char *run = NULL;

    *ret = NULL;
    if (!journal_load(ctx, db, &entries))
        return false;
    for (size_t i = entries.count; !run && i-- > 0;)
        if (entries.items[i].step && stands(&entries.items[i]))
            run = entries.items[i].run;
    if (run && !sql_change_runs(ctx, db, &runs))
        return error_wrap(ctx, "reading the runs of the plan");
    for (size_t i = 0; i < runs.count; i++)
        if (text_equal(runs.items[i].id, run))
            *ret = runs.items[i].plan_hash;
    return true;
}

static const char *
ids_of(struct arena *arena, const struct plan *plan)
{
    struct text_list ids = { 0 };

    for (size_t i = 0; i < plan->steps.count; i++)
        text_list_add(arena, &ids, plan->steps.items[i].id);
    return text_list_join(arena, &ids, ", ");
}

bool
rollback_steps_find(struct ctx *ctx, struct db *db, const char *to, struct step_rollback *ret)
{
    struct plan plan;
    const char *hash;
    bool is_after = text_equal(to, ROLLBACK_TO_START);
    bool is_found;

    *ret = (struct step_rollback){ 0 };
    if (!find_standing_plan(ctx, db, &hash) || !plan_find_kept(ctx, db, hash, &plan, &is_found))
        return false;
    if (!is_found) {
        error_set(ctx, ERR_NOT_FOUND, "no plan with steps was applied to this database");
        error_hint(ctx, "\"pgmend rollback\" without --to undoes the last run.");
        return error_state(ctx, "Nothing was changed.");
    }
    if (!is_after && !plan_step_find(&plan, to)) {
        error_set(ctx, ERR_NOT_FOUND, "the plan %.12s has no step \"%s\"", plan.hash, to);
        error_hint(
            ctx, "Its steps are %s; \"--to start\" undoes all of them.", ids_of(ctx->arena, &plan));
        return error_state(ctx, "Nothing was changed.");
    }
    for (size_t i = 0; i < plan.steps.count; i++) {
        if (is_after)
            text_list_add(ctx->arena, &ret->steps, plan.steps.items[i].id);
        is_after |= text_equal(plan.steps.items[i].id, to);
    }
    return plan_runs(ctx, db, plan.hash, &ret->runs);
}

bool
rollback_steps_have(const struct step_rollback *rollback, const struct journal_entry *entry)
{
    return entry->step && text_list_has(&rollback->runs, entry->run) &&
           text_list_has(&rollback->steps, entry->step);
}

/* What "index prove" would still wait for is gone. */
static bool
forget(struct ctx *ctx, struct db *db, const struct step_record *record)
{
    struct plan plan;
    bool is_found;

    if (!plan_find_kept(ctx, db, record->plan_hash, &plan, &is_found))
        return false;

    const struct plan_step *step = is_found ? plan_step_find(&plan, record->step) : NULL;

    return !step || step_proof_forget(ctx, db, step);
}

static bool
settle(struct ctx *ctx, struct db *db, const struct step_record *before,
    const struct step_standing *standing)
{
    struct step_record record = *before;

    record.ended_at = NULL;
    if (standing->standing > 0) {
        record.state = STEP_RUNNING;
        record.why = arena_printf(ctx->arena, "%s in part: %zu of %zu changes are undone",
            STEP_WHY_ROLLBACK, standing->undone, standing->undone + standing->standing);
        return step_put(ctx, db, &record);
    }
    record.state = STEP_UNDONE;
    if (!text_equal(before->state, STEP_UNDOING))
        record.why = before->why && !text_starts_with(before->why, STEP_WHY_ROLLBACK)
                         ? arena_printf(ctx->arena, "%s; before that %s: %s", STEP_WHY_ROLLBACK,
                               before->state, before->why)
                         : STEP_WHY_ROLLBACK;
    return forget(ctx, db, before) && step_put(ctx, db, &record);
}

static bool
is_settled(const struct step_record *record)
{
    static const char *const open[] = { STEP_RUNNING, STEP_PROVEN, STEP_WAITING, STEP_DONE,
        STEP_UNDOING };

    for (size_t i = 0; i < COUNT_OF(open); i++)
        if (text_equal(record->state, open[i]))
            return false;
    return true;
}

bool
rollback_steps_settle(struct ctx *ctx, struct db *db)
{
    struct step_records records;
    struct journal_entries entries;

    if (!step_load(ctx, db, NULL, &records) || !journal_load(ctx, db, &entries))
        return false;
    for (size_t i = 0; i < records.count; i++) {
        const struct step_record *record = &records.items[i];
        struct text_list runs;

        if (is_settled(record))
            continue;
        if (!plan_runs(ctx, db, record->plan_hash, &runs))
            return false;

        struct step_standing standing = step_standing_of(ctx->arena, &entries, &runs, record->step);

        if (standing.undone > 0 && !settle(ctx, db, record, &standing))
            return error_wrap(ctx, "what was undone is undone, but");
    }
    return true;
}
