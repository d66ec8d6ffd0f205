/* Records of steps, and the plans they are of. */
#include "change/step.h"

#include "base/fault.h"
#include "change/plan_part.h"
#include "sql.h"

bool
step_put(struct ctx *ctx, struct db *db, const struct step_record *record)
{
    fault_point("step");
    if (!sql_change_step_put(ctx, db, .plan_hash = record->plan_hash, .step = record->step,
            .phase = record->phase, .title = record->title, .feature = record->feature,
            .state = record->state, .run = record->run, .promise = record->promise,
            .why = record->why, .before = record->before, .after = record->after,
            .started_at = record->started_at, .ended_at = record->ended_at))
        return error_wrap(ctx, "recording that step %s is %s", record->step, record->state);
    fault_point("step");
    return true;
}

/* An older version has not made the tables; then there are no steps. */
static bool
has_tables(struct ctx *ctx, struct db *db, bool *ret)
{
    struct sql_change_schema_exists_rows rows;

    *ret = false;
    if (!sql_change_schema_exists(ctx, db, &rows))
        return error_wrap(ctx, "looking for schema pgmend");
    *ret = rows.count == 1 && rows.items[0].is_current;
    return true;
}

bool
step_load(struct ctx *ctx, struct db *db, const char *plan_hash, struct step_records *ret)
{
    struct sql_change_step_rows_rows rows;
    bool is_there;

    *ret = (struct step_records){ 0 };
    if (!has_tables(ctx, db, &is_there))
        return false;
    if (!is_there)
        return true;
    if (!sql_change_step_rows(ctx, db, &rows, .plan_hash = plan_hash))
        return error_wrap(ctx, "reading what became of the plan's steps");
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_change_step_rows *row = &rows.items[i];
        struct step_record record = { .plan_hash = row->plan_hash,
            .step = row->step,
            .phase = row->phase,
            .title = row->title,
            .feature = row->feature,
            .state = row->state,
            .run = row->run,
            .promise = row->promise,
            .why = row->why,
            .before = row->before,
            .after = row->after,
            .started_at = row->started_at,
            .ended_at = row->ended_at };

        VEC_PUSH(ctx->arena, ret, record);
    }
    return true;
}

const struct step_record *
step_find(const struct step_records *records, const char *step)
{
    for (size_t i = records->count; i-- > 0;)
        if (text_equal(records->items[i].step, step))
            return &records->items[i];
    return NULL;
}

bool
plan_keep(struct ctx *ctx, struct db *db, const struct plan *plan)
{
    json_t *json CLEANUP(json_release) = plan_json(plan);

    fault_point("step");
    if (!sql_change_plan_put(ctx, db, .hash = plan->hash, .plan = json_text(ctx->arena, json)))
        return error_wrap(ctx, "keeping the plan");
    fault_point("step");
    return true;
}

bool
plan_find_kept(struct ctx *ctx, struct db *db, const char *hash, struct plan *ret, bool *ret_found)
{
    struct sql_change_plan_kept_rows rows;
    json_t *json CLEANUP(json_release) = NULL;
    bool is_there;

    *ret_found = false;
    *ret = (struct plan){ 0 };
    if (!has_tables(ctx, db, &is_there))
        return false;
    if (!is_there)
        return true;
    if (!sql_change_plan_kept(ctx, db, &rows, .hash = hash))
        return error_wrap(ctx, "reading the plan that is kept in schema pgmend");
    if (rows.count == 0)
        return true;
    if (!json_parse(ctx, "pgmend.plan", rows.items[0].plan, &json) ||
        !plan_from_json(ctx, json, ret))
        return error_wrap(ctx, "reading the plan that is kept in schema pgmend");
    *ret_found = true;
    return true;
}
