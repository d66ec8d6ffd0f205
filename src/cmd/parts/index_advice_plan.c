#include "cmd/parts/index_advice_plan.h"

#include "db/ident.h"
#include "index/plan.h"
#include "index/prove/promise.h"

static const char *
reason_of(struct arena *arena, const struct advice_index *index)
{
    return arena_printf(
        arena, "saves %.1f %% of the workload: %s", 100 * index->saved_share, index->why);
}

static struct promise
promise_of(struct arena *arena, const struct advice *advice, const struct advice_index *index,
    const char *name)
{
    const struct choice_index *choice = index->choice;
    struct promise promise = {
        .schema = choice->candidate->table->schema,
        .table = choice->candidate->table->name,
        .name = name,
        .made_at = "", /* the plan says when; so the same advice gives the same plan */
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
    return promise;
}

const char *
index_advice_proof(struct arena *arena, const struct advice *advice,
    const struct advice_index *const *indexes, const char *const *names, size_t count)
{
    struct promises promises = { 0 };

    for (size_t i = 0; i < count; i++) {
        const char *name = names ? names[i] : indexes[i]->name;
        const struct promise promise = promise_of(arena, advice, indexes[i], name);

        VEC_PUSH(arena, &promises, promise);
    }

    json_t *json CLEANUP(json_release) = promises_to_json(&promises);

    return json_text(arena, json);
}

bool
index_advice_changes(
    struct ctx *ctx, struct db *db, const struct advice *advice, struct index_advice_changes *ret)
{
    struct index_script script = { 0 };

    *ret = (struct index_advice_changes){ 0 };
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
        };

        if (candidate->extensions.count > 0 || index->recipe.count > 0) {
            VEC_PUSH(ctx->arena, &ret->left, index);
            continue;
        }
        VEC_PUSH(ctx->arena, &script, item);
        VEC_PUSH(ctx->arena, &ret->of, index);
    }
    if (!index_plan(ctx, db, &script, &ret->plan))
        return error_wrap(ctx, "making the plan");
    return true;
}

bool
index_advice_plan(
    struct ctx *ctx, struct db *db, const struct advice *advice, struct plan *ret, size_t *ret_left)
{
    struct index_advice_changes changes;

    if (!index_advice_changes(ctx, db, advice, &changes))
        return false;
    *ret = changes.plan;
    *ret_left = changes.left.count;
    if (changes.of.count == 0)
        return true;
    ret->proof = index_advice_proof(ctx->arena, advice, changes.of.items, NULL, changes.of.count);
    return plan_seal(ctx, db, ret);
}
