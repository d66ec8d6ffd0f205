/*
 * Any bytes as a file of judged questions: no crash, errors name file and line, and what is taken
 * can be asked and scored. A first byte "t" asks for a table whose searches have a tenant.
 */
#include <assert.h>
#include <math.h>

#include "vector/judge/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_SCORED = 200 };

static void
check(const struct judged_query *query, const struct vector_target *target)
{
    size_t count = query->keys.count;
    double ndcg;

    assert(query->line > 0);
    assert(query->text || query->values);
    assert((query->tenant != NULL) == (target->tenant != NULL));
    assert(count > 0 && query->grades.count == count);
    for (size_t i = 0; i < count; i++)
        assert(query->grades.items[i] > 0 && query->grades.items[i] <= 30);
    if (query->values) {
        size_t commas = 0;

        for (const char *at = query->values; *at; at++)
            commas += *at == ',';
        assert(commas + 1 == (size_t)target->dims);
        assert(!strpbrk(query->values, "nNiI"));
    }
    if (count > MOST_SCORED)
        return;
    ndcg = judge_ndcg(&query->keys, query, 10);
    assert(isfinite(ndcg) && ndcg > 0 && ndcg <= 1 + 1e-12);
    assert(fabs(judge_mrr(&query->keys, query, 10) - 1) < 1e-12);
    assert(judge_recall(&query->keys, query, 10) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    bool has_tenant = size > 0 && data[0] == 't';
    const char *text = arena_strndup(arena, (const char *)data + has_tenant, size - has_tenant);
    struct vector_target target = { .table = "chunks",
        .column = "embedding",
        .type = has_tenant ? "halfvec" : "vector",
        .dims = 3,
        .metric = has_tenant ? METRIC_COSINE : METRIC_L2,
        .tenant = has_tenant ? "assistant_id" : NULL };
    struct judged_queries queries;

    if (!judged_parse(&ctx, "fuzz.jsonl", text, size - has_tenant, &target, &queries)) {
        assert(ctx.error.kind == ERR_INPUT);
        assert(text_starts_with(ctx.error.message, "fuzz.jsonl:"));
        return 0;
    }
    assert(queries.count > 0);
    for (size_t i = 0; i < queries.count; i++)
        check(&queries.items[i], &target);
    return 0;
}
