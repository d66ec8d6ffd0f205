/* Indexes that the user wants: a step each, so that each is proven and undone alone. */
#include <math.h>

#include "cmd/collect/collect.h"
#include "index/plan.h"
#include "index/prove/promise.h"

/* All statements that read its table are measured: nobody said which ones it is for. */
static const char *
proof_of(struct arena *arena, const struct change *change)
{
    struct promises promises = { 0 };
    const struct promise promise = {
        .schema = change->schema,
        .table = change->table,
        .name = change->name,
        .made_at = "", /* the plan says when; so the same script gives the same plan */
    };

    VEC_PUSH(arena, &promises, promise);

    json_t *json CLEANUP(json_release) = promises_to_json(&promises);

    return json_text(arena, json);
}

bool
collect_scripts(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    struct index_script script = { 0 };
    struct plan all;

    for (size_t i = 0; i < input->scripts.count; i++)
        if (!index_script_read(ctx, input->scripts.items[i], &script))
            return false;
    if (script.count == 0)
        return true;
    if (!index_plan(ctx, input->db, &script, &all))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        struct plan one;

        if (!collected_take(ctx->arena, ret, &all, i, &one))
            continue;

        struct collected_step *step = collected_add(ctx->arena, ret, &one);
        const struct change *change = &step->changes[0];

        step->step.title = collected_index_title(ctx->arena, change);
        step->step.feature = "script";
        step->step.why = change->reason
                             ? change->reason
                             : arena_printf(ctx->arena, "%s asks for it", change->source);
        step->step.promise = arena_printf(ctx->arena,
            "the server uses it, and the statements that read %s get cheaper",
            change_relation(ctx->arena, change));
        step->step.proof = proof_of(ctx->arena, change);
    }
    return true;
}
