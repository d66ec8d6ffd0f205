#include "index/candidate/candidate.h"

#include "index/candidate/wish.h"
#include "index/sample/query.h"

bool
index_candidates_add_plan(struct ctx *ctx, struct index_candidates *candidates, const char *plan,
    size_t position, bool is_instance)
{
    CLEANUP(json_release) json_t *json = NULL;
    CLEANUP(arena_cleanup) struct arena *scratch = arena_new();
    struct ctx own = { .arena = scratch };
    struct explained_plan explained;
    struct candidate_reading reading = {
        .ctx = &own, .facts = candidates->facts, .plan = &explained, .is_instance = is_instance
    };
    struct candidate_wish wish = { .candidates = candidates, .position = position };

    if (!json_parse(ctx, "plan", plan, &json))
        return error_wrap(ctx, "could not read the plan of a statement");
    explained_plan_read(&own, candidates->facts, json, &explained);
    candidate_wishes(&wish, &reading);
    return true;
}

bool
index_candidates_add(struct ctx *ctx, struct index_candidates *candidates,
    const struct index_query *query, size_t position)
{
    if (!query->generic_plan)
        return true;
    return index_candidates_add_plan(ctx, candidates, query->generic_plan, position, false);
}
