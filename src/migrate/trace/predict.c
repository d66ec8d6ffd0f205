/* The static analysis asked what it expects of each revision. */
#include "migrate/trace/tracer.h"

struct forecaster {
    struct ctx *ctx;
    const struct analysis *analysis;
    struct forecast *items;
};

/* Whether the application may use it: it was there before the revision. */
static bool
was_there(const struct relation *relation, const struct revision *revision)
{
    return relation && !relation->is_temporary && relation->kind == RELATION_TABLE &&
           relation->origin.revision != revision->index;
}

/* A table that is renamed on the way stays the same for the model, and here the first name counts. */
static struct foreseen *
foreseen_of(struct forecaster *forecaster, struct forecast *forecast,
    const struct relation *relation, const struct step *step)
{
    struct foreseen *item;

    for (size_t i = 0; i < forecast->tables.count; i++) {
        item = &forecast->tables.items[i];
        if (item->relation == relation ||
            (text_equal(item->name, relation->name) && text_equal(item->schema, relation->schema)))
            return item;
    }
    VEC_PUSH(forecaster->ctx->arena, &forecast->tables,
        (struct foreseen){
            .relation = relation,
            .schema = arena_strdup(forecaster->ctx->arena, relation->schema),
            .name = arena_strdup(forecaster->ctx->arena, relation->name),
            .step = step,
        });
    return &forecast->tables.items[forecast->tables.count - 1];
}

static void
add_effect(struct forecaster *forecaster, struct forecast *forecast,
    const struct revision *revision, const struct step *step, const struct effect *effect)
{
    for (size_t i = 0; i < effect->locks.count; i++) {
        const struct relation_lock *lock = &effect->locks.items[i];
        struct foreseen *item;

        if (!was_there(lock->relation, revision))
            continue;
        item = foreseen_of(forecaster, forecast, lock->relation, step);
        if (lock->mode > item->mode) {
            item->mode = lock->mode;
            item->step = step;
        }
    }
    if (was_there(effect->table, revision) &&
        (effect->rewrites || effect->scans || effect->builds_index)) {
        struct foreseen *item = foreseen_of(forecaster, forecast, effect->table, step);

        item->rewrites |= effect->rewrites;
        item->scans |= effect->scans || effect->rewrites;
        /* The build of an index reads the table too, and so does not count as a surprise. */
        forecast->touches_rows |= effect->builds_index;
    }
}

static void
before_step(void *self, const struct revision *revision, const struct step *step,
    enum verdict verdict, const struct model *model)
{
    struct forecaster *forecaster = self;
    struct forecast *forecast = &forecaster->items[revision->index];
    struct effect effect;

    if (verdict == VERDICT_NO)
        return;
    forecast->is_unknown |= verdict == VERDICT_UNKNOWN || step->unknown || step->is_repeated ||
                            step->in_try || step->kind == STEP_UNKNOWN || step->kind == STEP_DO;
    forecast->touches_rows |= step_is_data(step) || step->kind == STEP_SELECT ||
                              step->kind == STEP_COPY || step->kind == STEP_REFRESH;
    if (!effect_of(forecaster->ctx, model, step, forecaster->analysis->server_major, &effect)) {
        forecast->is_unknown = true;
        error_clear(forecaster->ctx);
        return;
    }
    forecast->is_unknown |= effect.is_unknown;
    add_effect(forecaster, forecast, revision, step, &effect);
}

static void
failed(void *self, const struct revision *revision, const struct step *step,
    const struct model_error *error)
{
    struct forecaster *forecaster = self;
    struct forecast *forecast = &forecaster->items[revision->index];

    if (!error->is_certain || forecast->fails)
        return;
    forecast->fails = true;
    forecast->error = *error;
    forecast->error.message = arena_strdup(forecaster->ctx->arena, error->message);
    forecast->place = step->place;
}

bool
forecast_history(struct ctx *ctx, const struct analysis *analysis, const struct forecast **ret)
{
    struct forecaster *forecaster = ARENA_NEW(ctx->arena, struct forecaster);
    const struct replay_watcher watcher = {
        .self = forecaster,
        .before_step = before_step,
        .failed = failed,
    };
    struct model model = { .server_major = analysis->server_major };

    *forecaster = (struct forecaster){
        .ctx = ctx,
        .analysis = analysis,
        .items = ARENA_ARRAY(ctx->arena, struct forecast, analysis->history.count + 1),
    };
    for (size_t i = 0; i < analysis->history.count; i++)
        forecaster->items[i].is_unknown = analysis->history.items[i].coverage != COVERAGE_FULL;
    *ret = forecaster->items;
    return replay_run(ctx, &analysis->history, &analysis->graph, &watcher, 1, &model);
}
