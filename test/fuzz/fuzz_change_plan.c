/*
 * Any bytes as a plan file: no crash; what is read has the hash of what it does, and read again from what we
 * write of it it is the same plan. A wrong hash is put right and tried once more, so that more than the
 * first check is reached.
 */
#include <assert.h>

#include "change/plan_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct ctx *ctx, const struct plan *plan)
{
    json_t *json CLEANUP(json_release) = plan_json(plan);
    struct plan again;
    bool is_read;

    assert(plan->hash && plan->shape && plan->database);
    assert(plan_pending(plan) <= plan->count);
    for (size_t i = 0; i < plan->count; i++)
        assert(plan->steps.count == 0 || plan_step_of(plan, i));
    is_read = plan_from_json(ctx, json, &again);
    assert(is_read && text_equal(again.hash, plan->hash));
    assert(again.count == plan->count && again.steps.count == plan->steps.count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    json_t *json CLEANUP(json_release) = NULL;
    struct plan plan;

    if (!json_parse(&ctx, "fuzz.json", arena_strndup(arena, (const char *)data, size), &json))
        return 0;
    if (!plan_from_json(&ctx, json, &plan)) {
        assert(ctx.error.message && *ctx.error.message);
        if (ctx.error.kind != ERR_VERIFICATION)
            return 0;
        json_object_set_new(json, "hash", json_string(plan_digest(&ctx, &plan)));
        error_clear(&ctx);
        if (!plan_from_json(&ctx, json, &plan))
            return 0;
    }
    check(&ctx, &plan);
    return 0;
}
