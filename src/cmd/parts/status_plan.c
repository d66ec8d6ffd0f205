#include "cmd/parts/status_plan.h"

#include "cli/out.h"

#define CUT_OFF   "cut off"
#define NOT_BEGUN "not begun"

static const struct field columns[] = {
    FIELD(struct status_step, step),
    FIELD(struct status_step, title),
    FIELD(struct status_step, state),
    FIELD(struct status_step, why),
};

static const struct field fields[] = {
    FIELD(struct status_step, step, .help = "id"),
    FIELD(struct status_step, phase),
    FIELD(struct status_step, title),
    FIELD(struct status_step, state),
    FIELD(struct status_step, why),
    FIELD(struct status_step, manual),
    FIELD(struct status_step, promise),
    FIELD(struct status_step, run),
    FIELD(struct status_step, started_at),
    FIELD(struct status_step, ended_at),
};

static void
add(struct ctx *ctx, const struct plan_step *step, const struct step_record *record,
    bool is_running, struct status_plan *ret)
{
    struct status_step line = {
        .step = step->id,
        .title = step->title,
        .state = NOT_BEGUN,
        .why = "",
        .phase = step->phase,
        .manual = step->manual,
        .promise = step->promise,
    };

    if (record) {
        bool is_open =
            text_equal(record->state, STEP_RUNNING) || text_equal(record->state, STEP_UNDOING);

        line.state = is_open && !is_running ? CUT_OFF : record->state;
        line.why = record->why ? record->why : "";
        line.run = record->run;
        line.started_at = record->started_at;
        line.ended_at = record->ended_at;
    }
    VEC_PUSH(ctx->arena, &ret->steps, line);
}

bool
status_plan_look(struct ctx *ctx, struct db *db, bool is_running, struct status_plan *ret)
{
    struct plan plan;
    struct step_records records;

    *ret = (struct status_plan){ 0 };
    if (!plan_find_kept(ctx, db, NULL, &plan, &ret->is_there)) {
        if (ctx->error.kind != ERR_VERIFICATION && ctx->error.kind != ERR_INPUT)
            return false;
        ret->trouble = ctx->error.message;
        error_clear(ctx);
        return true;
    }
    if (!ret->is_there)
        return true;
    ret->hash = plan.hash;
    ret->created_at = plan.created_at;
    if (!step_load(ctx, db, plan.hash, &records))
        return false;
    for (size_t i = 0; i < plan.steps.count; i++)
        add(ctx, &plan.steps.items[i], step_find(&records, plan.steps.items[i].id), is_running,
            ret);
    return true;
}

static size_t
count(const struct status_plan *plan, const char *state)
{
    size_t found = 0;

    for (size_t i = 0; i < plan->steps.count; i++)
        found += text_equal(plan->steps.items[i].state, state);
    return found;
}

size_t
status_plan_unfinished(const struct status_plan *plan)
{
    return count(plan, CUT_OFF) + count(plan, STEP_FAILED);
}

/* "2 proven, 1 waiting, 3 not begun": only what there is. */
static const char *
sum_up(struct arena *arena, const struct status_plan *plan)
{
    static const char *const states[] = { STEP_RUNNING, STEP_UNDOING, CUT_OFF, STEP_PROVEN,
        STEP_DONE, STEP_WAITING, STEP_TICKED, STEP_MANUAL, STEP_FAILED, STEP_UNDONE, NOT_BEGUN };
    struct text_list parts = { 0 };

    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (count(plan, states[i]) > 0)
            text_list_add(
                arena, &parts, arena_printf(arena, "%zu %s", count(plan, states[i]), states[i]));
    return text_list_join(arena, &parts, ", ");
}

void
status_plan_print(struct ctx *ctx, FILE *out, const struct status_plan *plan)
{
    if (plan->trouble)
        out_mark_line(out, MARK_WARN, "%s", plan->trouble);
    if (!plan->is_there)
        return;
    fprintf(
        out, "\nPlan %.12s of %s: %s\n", plan->hash, plan->created_at, sum_up(ctx->arena, plan));
    out_table(out, columns, COUNT_OF(columns), plan->steps.items, plan->steps.count,
        sizeof(plan->steps.items[0]));
    if (count(plan, CUT_OFF) > 0)
        fprintf(out, "A step was cut off: apply the plan again to go on, or roll back.\n");
    if (count(plan, STEP_WAITING) > 0)
        fprintf(out, "What waits is not proven: apply the plan again when there is traffic.\n");
}

json_t *
status_plan_json(const struct status_plan *plan)
{
    return json_pack("{s:s, s:s, s:o}", "hash", plan->hash, "created_at", plan->created_at, "steps",
        out_json_rows(fields, COUNT_OF(fields), plan->steps.items, plan->steps.count,
            sizeof(plan->steps.items[0])));
}
