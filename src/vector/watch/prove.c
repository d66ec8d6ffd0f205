/* After an apply: what was predicted has to hold, measured on what applications will call. */
#include "base/json.h"
#include "vector/watch/inquiry.h"

/*
 * Questions a bucket: first so many, and where they cannot tell or tell that it is worse, more: one
 * interval in forty is wrong by chance, and what stands would be undone. The intervals of the
 * second are half as wide.
 */
static const int32_t rounds[] = { 40, 160 };

enum { SEED = 20240229 };

/* What became of a bucket. */
struct proof {
    struct text_list held;
    struct text_list unclear; /* below by the value, not by its interval */
    const char *failure;      /* the first */
};

static const char *
told(struct arena *arena, const struct vector_bucket *bucket, const struct vector_measure *measure,
    double wanted, const char *word)
{
    return arena_printf(arena, "%s: %s %.4f, measured %.4f (%.4f to %.4f by %lld questions)",
        bucket->name, word, wanted, measure->recall.value, measure->recall.low,
        measure->recall.high, (long long)measure->queries);
}

/* Tenants of a size that was not measured have to meet the goal itself. */
static void
judge_bucket(struct arena *arena, const struct inquiry *inquiry, size_t number, struct proof *proof)
{
    const struct vector_bucket *bucket = &inquiry->sizes.buckets.items[number];
    const struct vector_expectation *expected = inquiry_expected(&inquiry->choice, bucket);
    double wanted = expected ? expected->measure.recall.value : inquiry->choice.recall_worst;
    double tolerance = expected ? RECALL_TOLERANCE : 0;
    struct vector_measure measure;
    const char *text;

    vector_summarise(
        arena, &inquiry->shots, &inquiry->queries, number, inquiry->choice.target.limit, &measure);
    if (measure.queries == 0)
        return;
    text = told(arena, bucket, &measure, wanted, expected ? "predicted" : "goal");
    if (measure.short_results > 0)
        proof->failure = arena_printf(arena,
            "tenants with %s: %lld of %lld searches returned fewer rows than there are and were "
            "asked for",
            bucket->name, (long long)measure.short_results, (long long)measure.queries);
    else if (inquiry_is_below(&measure, wanted, tolerance))
        proof->failure = arena_printf(arena, "tenants with %s", text);
    else if (measure.recall.value < wanted - tolerance)
        text_list_add(arena, &proof->unclear, text);
    else
        text_list_add(arena, &proof->held, text);
}

static struct proof
judge(struct arena *arena, const struct inquiry *inquiry)
{
    struct proof proof = { 0 };

    for (size_t i = 0; i < inquiry->sizes.buckets.count && !proof.failure; i++)
        judge_bucket(arena, inquiry, i, &proof);
    return proof;
}

static bool
read_choice(struct ctx *ctx, const json_t *json, struct vector_choice *ret)
{
    const char *kind = json_get_text(ctx->arena, json, "kind", "");

    if (!text_equal(kind, "vector"))
        return error_set(ctx, ERR_INPUT, "a proof of the kind \"%s\" is not about vectors", kind);
    return vector_choice_from_json(ctx, json_object_get(json, "choice"), ret);
}

static bool
prove(struct ctx *ctx, struct inquiry *inquiry, const struct vector_observer *observer,
    const char **ret_text)
{
    struct proof proof = { 0 };

    for (size_t i = 0; i < COUNT_OF(rounds); i++) {
        if (!inquiry_ask(ctx, inquiry, rounds[i], SEED + (int64_t)i, observer))
            return false;
        proof = judge(ctx->arena, inquiry);
        if (!proof.failure && proof.unclear.count == 0)
            break;
    }
    if (proof.failure) {
        error_set(
            ctx, ERR_VERIFICATION, "the search does not do what was predicted: %s", proof.failure);
        return error_hint(ctx, "Rows or questions may have changed since the tuning: run \"pgmend "
                               "vector tune\" again.");
    }
    *ret_text = arena_printf(ctx->arena, "recall as predicted%s%s%s%s, asked by %s",
        proof.held.count > 0 ? ": " : "", text_list_join(ctx->arena, &proof.held, "; "),
        proof.unclear.count > 0 ? "; lower, but not more than so few questions may tell: " : "",
        text_list_join(ctx->arena, &proof.unclear, "; "),
        inquiry->function ? inquiry->function : "the statements");
    return true;
}

bool
vector_prove(struct ctx *ctx, struct db *db, const json_t *json,
    const struct vector_observer *observer, const char **ret_text)
{
    struct vector_choice choice;
    struct inquiry inquiry;

    if (!read_choice(ctx, json, &choice) || !inquiry_open(ctx, db, &choice, &inquiry))
        return error_wrap(ctx, "proving the search");
    if (inquiry.sizes.tenants.count > 0)
        return prove(ctx, &inquiry, observer, ret_text);
    *ret_text = "there are no rows to search";
    return true;
}
