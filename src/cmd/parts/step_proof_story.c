/* What was measured, as the record of a step has it. */
#include <math.h>

#include "cmd/parts/step_proof_part.h"

enum { MOST_STATEMENTS = 50 };

static const struct window_statement *
either(const struct proof_statement *statement)
{
    return statement->after ? statement->after : statement->before;
}

static json_t *
statement_json(const struct proof_statement *statement, bool is_after)
{
    const struct window_statement *side = is_after ? statement->after : statement->before;
    json_t *json = json_pack("{s:s, s:s}", "fingerprint", either(statement)->fingerprint, "query",
        either(statement)->query);

    json_object_set_new(json, "calls", side ? json_number(side->calls) : json_integer(0));
    json_object_set_new(json, "ms", side ? json_number(side->ms) : json_null());
    json_object_set_new(json, "ms_variance", side ? json_number(side->variance) : json_null());
    json_object_set_new(json, "blocks", side ? json_number(side->blocks) : json_null());
    json_object_set_new(json, "rows", side ? json_number(side->rows) : json_null());
    return json;
}

static double
cost_of(const struct proof_statement *statement)
{
    double ms = statement->before ? statement->before->ms : statement->after->ms;

    return ms * either(statement)->calls;
}

static int
compare_costs(const void *a, const void *b)
{
    double left = cost_of(a);
    double right = cost_of(b);

    return left < right ? 1 : left > right ? -1 : 0;
}

const char *
proof_story(struct arena *arena, const struct proof_judgement *judgements, size_t count,
    bool is_after, double seconds)
{
    VEC(struct proof_statement) all = { 0 };
    struct text_list seen = { 0 };
    json_t *array = json_array();
    json_t *json CLEANUP(json_release) = json_pack("{s:o}", "statements", array);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < judgements[i].statements.count; j++)
            VEC_PUSH(arena, &all, judgements[i].statements.items[j]);
    /* The most expensive first: what they cost before for the calls of now. */
    if (all.count > 1)
        qsort(all.items, all.count, sizeof(all.items[0]), compare_costs);
    for (size_t i = 0; i < all.count && seen.count < MOST_STATEMENTS; i++) {
        if (text_list_has(&seen, either(&all.items[i])->fingerprint))
            continue;
        text_list_add(arena, &seen, either(&all.items[i])->fingerprint);
        json_array_append_new(array, statement_json(&all.items[i], is_after));
    }
    json_object_set_new(json, "seconds", json_number(seconds));
    return json_text(arena, json);
}

bool
proof_window_from_story(struct ctx *ctx, const char *story, struct workload_window *ret)
{
    json_t *json CLEANUP(json_release) = NULL;
    size_t i;
    json_t *item;

    *ret = (struct workload_window){ .by_fingerprint = { .arena = ctx->arena } };
    if (!json_parse(ctx, "what was measured before", story, &json))
        return false;
    ret->seconds = json_get_double(json, "seconds", 0);
    json_array_foreach(json_object_get(json, "statements"), i, item)
    {
        const struct window_statement statement = {
            .fingerprint = json_get_text(ctx->arena, item, "fingerprint", ""),
            .query = json_get_text(ctx->arena, item, "query", ""),
            .calls = json_get_double(item, "calls", 0),
            .ms = json_get_double(item, "ms", 0),
            .variance = json_get_double(item, "ms_variance", NAN),
            .blocks = json_get_double(item, "blocks", 0),
            .rows = json_get_double(item, "rows", 0),
        };

        if (statement.calls > 0)
            workload_window_add(ctx->arena, ret, &statement);
    }
    return true;
}
