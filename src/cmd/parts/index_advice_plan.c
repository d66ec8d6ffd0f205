#include "cmd/parts/index_advice_plan.h"

#include "base/clock.h"
#include "db/ident.h"
#include "index/plan.h"
#include "index/prove/promise.h"

static const char *
reason_of(struct arena *arena, const struct advice_index *index)
{
    return arena_printf(
        arena, "saves %.1f %% of the workload: %s", 100 * index->saved_share, index->why);
}

static void
add_promise(struct arena *arena, const struct advice *advice, const struct advice_index *index,
    const char *now, struct promises *promises)
{
    const struct choice_index *choice = index->choice;
    struct promise promise = {
        .schema = choice->candidate->table->schema,
        .table = choice->candidate->table->name,
        .name = index->name,
        .made_at = now,
    };

    for (size_t i = 0; i < choice->helps.count; i++) {
        size_t position = choice->helps.items[i].query;
        const struct choose_query *weighed = &advice->weighed[position];
        /* Of all indexes together: what is measured afterwards cannot be told apart. */
        const struct promise_statement statement = {
            .fingerprint = weighed->query->statement->fingerprint,
            .query = advice_query_text(arena, weighed->query),
            .cost_before = weighed->before,
            .cost_after = advice->choice.after.items[position],
        };

        VEC_PUSH(arena, &promise.statements, statement);
    }
    VEC_PUSH(arena, promises, promise);
}

bool
index_advice_plan(
    struct ctx *ctx, struct db *db, const struct advice *advice, struct plan *ret, size_t *ret_left)
{
    const char *now = clock_text(ctx->arena, clock_wall_us());
    struct index_script script = { 0 };
    struct promises promises = { 0 };
    json_t *proof CLEANUP(json_release) = NULL;

    *ret_left = 0;
    for (size_t i = 0; i < advice->indexes.count; i++) {
        const struct advice_index *index = &advice->indexes.items[i];
        const struct index_candidate *candidate = index->choice->candidate;
        const struct script_index item = {
            .source = arena_printf(ctx->arena, "advice:%zu", i + 1),
            .text = index->statement,
            .reason = reason_of(ctx->arena, index),
            .name = index->name,
            .table = candidate->table->qualified,
            .rest = candidate->definition,
            .problem =
                candidate->extensions.count > 0 ? "it needs an extension that is not there" : NULL,
            .remedy = candidate->extensions.count > 0
                          ? arena_printf(ctx->arena, "CREATE EXTENSION %s;",
                                db_ident(ctx->arena, candidate->extensions.items[0]))
                          : NULL,
        };

        if (candidate->extensions.count > 0 || index->recipe.count > 0) {
            *ret_left += 1;
            continue;
        }
        VEC_PUSH(ctx->arena, &script, item);
        add_promise(ctx->arena, advice, index, now, &promises);
    }
    if (!index_plan(ctx, db, &script, ret))
        return error_wrap(ctx, "making the plan");
    if (promises.count == 0)
        return true;
    proof = promises_to_json(&promises);
    ret->proof = json_text(ctx->arena, proof);
    return plan_seal(ctx, db, ret);
}
