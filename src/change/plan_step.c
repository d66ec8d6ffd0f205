/* The steps of a plan: what they cover, and how they are written and read. */
#include <math.h>

#include "change/plan_part.h"

static const char *const phase_titles[PLAN_PHASES] = {
    "Foundation and critical fixes",
    "Vector search",
    "Migrations",
    "Monitoring and scaling",
};

/* Texts that the hash covers: what is done, what is told to do, and what has to hold. */
static const struct field digested[] = {
    FIELD(struct plan_step, title),
    FIELD(struct plan_step, needs),
    FIELD(struct plan_step, manual),
    FIELD(struct plan_step, undo),
    FIELD(struct plan_step, promise),
    FIELD(struct plan_step, proof),
};

/* Texts of the file; numbers are written and read one by one. */
static const struct field texts[] = {
    FIELD(struct plan_step, id),
    FIELD(struct plan_step, title),
    FIELD(struct plan_step, feature),
    FIELD(struct plan_step, why),
    FIELD(struct plan_step, risk),
    FIELD(struct plan_step, manual),
    FIELD(struct plan_step, undo),
    FIELD(struct plan_step, needs),
    FIELD(struct plan_step, shape),
    FIELD(struct plan_step, promise),
    FIELD(struct plan_step, proof),
};

const char *
plan_phase_title(int32_t phase)
{
    return phase >= 1 && phase <= PLAN_PHASES ? phase_titles[phase - 1] : "Other";
}

const struct plan_step *
plan_step_of(const struct plan *plan, size_t change)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];

        if (change >= step->first && change < step->first + step->count)
            return step;
    }
    return NULL;
}

const struct plan_step *
plan_step_find(const struct plan *plan, const char *id)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (text_equal(plan->steps.items[i].id, id))
            return &plan->steps.items[i];
    return NULL;
}

/* "1.2" of phase 1: the phase, a point, and the place. */
static bool
is_id(struct arena *arena, const struct plan_step *step)
{
    const char *start = arena_printf(arena, "%d.", (int)step->phase);
    const char *place = text_starts_with(step->id, start) ? step->id + strlen(start) : "";

    return *place && *place != '0' && place[strspn(place, "0123456789")] == '\0';
}

static bool
check_step(struct ctx *ctx, const struct plan *plan, const struct plan_step *step, size_t next)
{
    const struct plan_step *needed = step->needs ? plan_step_find(plan, step->needs) : NULL;

    if (!step->id || !step->title || !step->feature)
        return error_set(ctx, ERR_INPUT, "a step of the plan is incomplete");
    if (step->phase < 1 || step->phase > PLAN_PHASES || !is_id(ctx->arena, step) ||
        plan_step_find(plan, step->id) != step)
        return error_set(ctx, ERR_INPUT,
            "step \"%s\" of phase %d: ids are phase and place, each once", step->id,
            (int)step->phase);
    if (step->first != next || step->count > plan->count - next)
        return error_set(ctx, ERR_INPUT,
            "step %s does not begin where the changes of the one before end, or goes beyond the last",
            step->id);
    if ((step->count == 0) != (step->manual != NULL))
        return error_set(
            ctx, ERR_INPUT, "step %s must have either changes or words for a person", step->id);
    /* What it needs comes before it: a step cannot wait for one that is done later. */
    if (step->needs && (!needed || needed >= step))
        return error_set(ctx, ERR_INPUT, "step %s needs step \"%s\", which does not come before it",
            step->id, step->needs);
    return true;
}

bool
plan_check_steps(struct ctx *ctx, const struct plan *plan)
{
    int32_t phase = 1;
    size_t next = 0;

    if (plan->steps.count == 0)
        return true;
    if (plan->proof)
        return error_set(ctx, ERR_INPUT, "a plan with steps has its proofs in the steps");
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];

        if (!check_step(ctx, plan, step, next))
            return false;
        if (step->phase < phase)
            return error_set(ctx, ERR_INPUT, "step %s stands after phase %d", step->id, (int)phase);
        phase = step->phase;
        next += step->count;
    }
    if (next != plan->count)
        return error_set(
            ctx, ERR_INPUT, "%zu changes of the plan belong to no step", plan->count - next);
    return true;
}

void
plan_digest_steps(struct arena *arena, const struct plan *plan, struct buffer *ret)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];

        buffer_printf(
            ret, "step|%s|%d|%zu|%zu\n", step->id, (int)step->phase, step->first, step->count);
        for (size_t j = 0; j < COUNT_OF(digested); j++) {
            const char *text = field_text(arena, &digested[j], step);

            if (text)
                buffer_printf(ret, "%s:%zu:%s\n", digested[j].name, strlen(text), text);
        }
    }
}

json_t *
plan_steps_json(const struct plan *plan)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];
        json_t *json = json_from_fields(texts, COUNT_OF(texts), step);

        json_object_set_new(json, "phase", json_integer(step->phase));
        json_object_set_new(json, "first", json_integer((json_int_t)step->first));
        json_object_set_new(json, "count", json_integer((json_int_t)step->count));
        json_object_set_new(json, "gain_ratio", json_number(step->gain_ratio));
        json_object_set_new(json, "undo_us", json_integer(step->undo_us));
        json_array_append_new(steps, json);
    }
    return steps;
}

static bool
read_step(struct ctx *ctx, const json_t *json, struct plan_step *ret)
{
    int64_t first = json_get_int(json, "first", -1);
    int64_t count = json_get_int(json, "count", -1);
    int64_t phase = json_get_int(json, "phase", 0);

    *ret = (struct plan_step){
        .gain_ratio = json_get_double(json, "gain_ratio", NAN),
        .undo_us = json_get_int(json, "undo_us", -1),
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *(const char **)((char *)ret + texts[i].offset) =
            json_get_text(ctx->arena, json, texts[i].name, NULL);
    if (first < 0 || count < 0 || phase < 1 || phase > PLAN_PHASES)
        return error_set(ctx, ERR_INPUT, "a step of the plan is incomplete");
    ret->phase = (int32_t)phase;
    ret->first = (size_t)first;
    ret->count = (size_t)count;
    return true;
}

bool
plan_read_steps(struct ctx *ctx, const json_t *json, struct plan *ret)
{
    const json_t *steps = json_object_get(json, "steps");
    bool is_stepped =
        text_equal(json_get_text(ctx->arena, json, "format", NULL), PLAN_FORMAT_STEPS);
    size_t i;
    const json_t *item;

    if (is_stepped != (json_array_size(steps) > 0))
        return error_set(ctx, ERR_INPUT, "the plan's format and its steps do not belong together");
    json_array_foreach(steps, i, item)
    {
        struct plan_step step;

        if (!read_step(ctx, item, &step))
            return false;
        VEC_PUSH(ctx->arena, &ret->steps, step);
    }
    return plan_check_steps(ctx, ret);
}
