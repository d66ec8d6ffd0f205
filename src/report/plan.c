/* The plan that was applied last: its steps, what was measured of them, and what was undone. */
#include <math.h>

#include "change/journal.h"
#include "change/step.h"
#include "report/make.h"
#include "sql.h"

/* What is known of the statement on one side; NULL when it was not measured there. */
static const json_t *
find_statement(const json_t *side, const json_t *wanted)
{
    const char *fingerprint = json_string_value(json_object_get(wanted, "fingerprint"));
    const json_t *statement;
    size_t i;

    json_array_foreach(json_object_get(side, "statements"), i, statement)
    {
        const char *other = json_string_value(json_object_get(statement, "fingerprint"));

        if (fingerprint && other && strcmp(fingerprint, other) == 0)
            return statement;
    }
    return NULL;
}

static double
number_of(const json_t *statement, const char *member)
{
    const json_t *value = json_object_get(statement, member);

    return json_is_number(value) ? json_number_value(value) : -1;
}

static void
add_measured(
    struct arena *arena, const json_t *before, const json_t *after, struct report_step *step)
{
    const json_t *statement;
    size_t i;

    json_array_foreach(json_object_get(after, "statements"), i, statement)
    {
        const json_t *was = find_statement(before, statement);
        const struct report_step_statement measured = {
            .query = json_get_text(arena, statement, "query", ""),
            .calls_before = number_of(was, "calls"),
            .calls_after = number_of(statement, "calls"),
            .ms_before = number_of(was, "ms"),
            .ms_after = number_of(statement, "ms"),
            .blocks_before = number_of(was, "blocks"),
            .blocks_after = number_of(statement, "blocks"),
        };

        VEC_PUSH(arena, &step->measured, measured);
    }
}

/* Texts of schema pgmend that are no JSON are as if nothing had been measured. */
static void
read_measured(struct ctx *ctx, const struct step_record *record, struct report_step *step)
{
    json_t *before CLEANUP(json_release) = NULL;
    json_t *after CLEANUP(json_release) = NULL;

    if (!record->after || !json_parse(ctx, "after", record->after, &after) ||
        (record->before && !json_parse(ctx, "before", record->before, &before))) {
        error_clear(ctx);
        return;
    }
    add_measured(ctx->arena, before, after, step);
}

static struct report_step
step_of(struct ctx *ctx, const struct plan_step *planned, const struct step_record *record)
{
    struct report_step step = {
        .id = planned->id,
        .title = planned->title,
        .phase = planned->phase,
        .state = planned->count > 0 ? "planned" : STEP_MANUAL,
        .promise = planned->promise,
        .manual = planned->manual,
        .evidence = planned->why,
        .gain_ratio = planned->gain_ratio,
        .work_us = -1,
    };

    if (!record)
        return step;
    step.state = record->state;
    step.why = record->why;
    step.started_at = record->started_at;
    step.ended_at = record->ended_at;
    read_measured(ctx, record, &step);
    return step;
}

/* Runs that did something for the plan. */
static bool
find_runs(struct ctx *ctx, struct db *db, const char *hash, struct text_list *ret)
{
    struct sql_change_runs_rows runs;

    if (!sql_change_runs(ctx, db, &runs))
        return false;
    for (size_t i = 0; i < runs.count; i++)
        if (text_equal(runs.items[i].plan_hash, hash))
            text_list_add(ctx->arena, ret, runs.items[i].id);
    return true;
}

static void
add_once(struct arena *arena, struct text_list *list, const char *text)
{
    if (!text_list_has(list, text))
        text_list_add(arena, list, text);
}

static void
add_entry(struct ctx *ctx, const struct journal_entry *entry, struct report_step *step)
{
    json_t *detail CLEANUP(json_release) = NULL;
    int64_t us = -1;

    if (entry->detail && json_parse(ctx, "detail", entry->detail, &detail))
        us = json_get_int(detail, "build_us", -1);
    else
        error_clear(ctx);
    if (us >= 0)
        step->work_us = (step->work_us < 0 ? 0 : step->work_us) + us;
    /* Each time that the plan was applied there is an entry; the statement is the same. */
    add_once(ctx->arena, &step->statements, entry->statement);
    if (entry->undo)
        add_once(ctx->arena, &step->undos, entry->undo);
}

static bool
add_journal(struct ctx *ctx, struct db *db, struct report_plan *plan)
{
    struct text_list runs = { 0 };
    struct journal_entries entries;

    if (!find_runs(ctx, db, plan->hash, &runs) || !journal_load(ctx, db, &entries))
        return false;
    for (size_t i = 0; i < entries.count; i++) {
        const struct journal_entry *entry = &entries.items[i];

        if (!entry->step || !text_list_has(&runs, entry->run))
            continue;
        for (size_t j = 0; j < plan->steps.count; j++)
            if (text_equal(plan->steps.items[j].id, entry->step))
                add_entry(ctx, entry, &plan->steps.items[j]);
    }
    return true;
}

bool
report_read_plan(struct ctx *ctx, struct db *db, struct report *report)
{
    struct step_records records;
    struct plan plan;
    bool is_found;

    if (!plan_find_kept(ctx, db, NULL, &plan, &is_found))
        return false;
    if (!is_found || plan.steps.count == 0)
        return true;
    if (!step_load(ctx, db, plan.hash, &records))
        return false;
    report->plan.is_known = true;
    report->plan.hash = plan.hash;
    report->plan.created_at = plan.created_at;
    for (size_t i = 0; i < plan.steps.count; i++) {
        const struct plan_step *planned = &plan.steps.items[i];

        VEC_PUSH(ctx->arena, &report->plan.steps,
            step_of(ctx, planned, step_find(&records, planned->id)));
    }
    return add_journal(ctx, db, &report->plan);
}
