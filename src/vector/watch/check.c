#include "vector/watch/check.h"

#include "vector/watch/findings.h"

void
check_add(struct arena *arena, struct vector_check *check, enum check_rule rule, const char *bucket,
    const char *message)
{
    const struct vector_target *target = &check->choice.target;
    struct finding *finding = finding_add(
        &check->findings, &vector_check_rules[rule], (struct place){ 0 }, "%s", message);

    finding->object =
        arena_printf(arena, "%s.%s.%s", target->schema, target->table, target->column);
    finding->context = bucket;
}

void
check_advise(struct vector_check *check, const char *instead)
{
    check->findings.items[check->findings.count - 1].instead = instead;
}

/* The buckets there are now, with what was predicted for tenants of their size. */
static void
summarise(struct arena *arena, const struct inquiry *inquiry, struct vector_check *check)
{
    for (size_t i = 0; i < inquiry->sizes.buckets.count; i++) {
        const struct vector_bucket *bucket = &inquiry->sizes.buckets.items[i];
        const struct vector_expectation *expected = inquiry_expected(&inquiry->choice, bucket);
        struct vector_check_bucket result = {
            .name = bucket->name,
            .expected = expected ? expected->measure.recall.value : -1,
        };

        vector_summarise(arena, &inquiry->shots, &inquiry->queries, i, inquiry->choice.target.limit,
            &result.measure);
        VEC_PUSH(arena, &check->buckets, result);
    }
    vector_summarise(arena, &inquiry->shots, &inquiry->queries, SIZE_MAX,
        inquiry->choice.target.limit, &check->overall);
}

bool
vector_check_run(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    const struct vector_check_questions *questions, const struct vector_observer *observer,
    struct vector_check *ret)
{
    struct inquiry inquiry;

    *ret = (struct vector_check){ .choice = *choice, .findings.arena = ctx->arena };
    if (!inquiry_open(ctx, db, choice, &inquiry))
        return error_wrap(
            ctx, "checking the search over %s", vector_table(ctx->arena, &choice->target));
    ret->rows = inquiry.sizes.rows;
    ret->function = inquiry.function;
    if (inquiry.sizes.tenants.count > 0 &&
        !inquiry_ask(ctx, &inquiry, questions->count, questions->seed, observer))
        return error_wrap(
            ctx, "checking the search over %s", vector_table(ctx->arena, &choice->target));
    ret->meter = inquiry.meter;
    summarise(ctx->arena, &inquiry, ret);
    check_find_measured(ctx->arena, &inquiry, ret);
    return check_find_state(ctx, &inquiry, ret);
}

void
vector_check_nothing(
    struct arena *arena, const struct vector_target *target, struct vector_check *ret)
{
    *ret = (struct vector_check){ .choice.target = *target, .findings.arena = arena };
    check_find(arena, ret, NOTHING_INSTALLED, NULL,
        "no search over this column was chosen by pgmend in this database");
}
