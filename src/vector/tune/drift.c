/* What growth will change: measured over half of the largest tenants' rows and all of them. */
#include <inttypes.h>

#include "base/map.h"
#include "db/ident.h"
#include "vector/tune/extra.h"

enum { MOST_ASKED = 20 };

/* Of the right answers that are missed; more than that is no trend but a failure. */
static const double most_missed = 1;

/* One way to search, over some of the rows. */
static const char *
statement(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, const char *condition)
{
    const char **filters = ARENA_ARRAY(arena, const char *, target->filters.count + 1);
    struct vector_search search = { .tenant = target->tenant ? "$1" : NULL,
        .vector = "$2",
        .limit = "$3",
        .filters = filters,
        .selected = arena_printf(arena, "t.%s", db_ident(arena, target->key)),
        .condition = condition };

    for (size_t i = 0; i < target->filters.count; i++)
        filters[i] = arena_printf(arena, "%s::%s",
            db_literal(arena, target->filters.items[i].value), target->filters.items[i].type);
    return vector_search_sql(arena, target, method, &search);
}

static double
overlap(struct arena *arena, const struct result *right, const struct result *found)
{
    struct map keys = { .arena = arena };
    size_t hits = 0;

    if (right->rows == 0)
        return 1;
    for (size_t row = 0; row < right->rows; row++)
        map_set(&keys, result_cell(right, row, 0), &keys);
    for (size_t row = 0; row < found->rows; row++)
        hits += map_get(&keys, result_cell(found, row, 0)) != NULL;
    return (double)hits / (double)right->rows;
}

/* Recall of the method for one question, over the rows that the condition leaves. */
static bool
ask(struct ctx *ctx, struct builder *builder, const struct vector_query *query,
    const char *const statements[2], double *ret)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx apart = { .arena = arena };
    const struct vector_target *target = &builder->stage->target;
    const char *limit = arena_printf(arena, "%d", target->limit);
    const char *params[] = { query->tenant, query->values, limit };
    struct result right;
    struct result found;

    if (!db_query(&apart, builder->stage->db, statements[0], params, 3, &right) ||
        !db_query(&apart, builder->stage->db, statements[1], params, 3, &found))
        return error_set(ctx, apart.error.kind, "%s", apart.error.message);
    *ret = overlap(arena, &right, &found);
    return true;
}

struct halves {
    double in_half;
    double in_all;
    size_t asked;
};

/* Rows whose key has an even hash are half of a tenant's rows, and the same ones every time. */
static bool
compare_halves(struct ctx *ctx, struct builder *builder, const struct vector_method *method,
    size_t bucket, struct halves *ret)
{
    const struct vector_target *target = &builder->stage->target;
    const struct vector_method exact = { .family = FAMILY_EXACT };
    const struct vector_queries *queries = &builder->stage->queries;
    const char *half = arena_printf(ctx->arena,
        "pg_catalog.hashtext(t.%s::pg_catalog.text) OPERATOR(pg_catalog.&) 1"
        " OPERATOR(pg_catalog.=) 0",
        db_ident(ctx->arena, target->key));
    const char *const in_half[] = { statement(ctx->arena, target, &exact, half),
        statement(ctx->arena, target, method, half) };
    const char *const in_all[] = { statement(ctx->arena, target, &exact, NULL),
        statement(ctx->arena, target, method, NULL) };

    *ret = (struct halves){ 0 };
    for (size_t i = 0; i < queries->count && ret->asked < MOST_ASKED; i++) {
        double of_half;
        double of_all;

        if (queries->items[i].bucket != bucket)
            continue;
        if (!ask(ctx, builder, &queries->items[i], in_half, &of_half) ||
            !ask(ctx, builder, &queries->items[i], in_all, &of_all))
            return false;
        ret->in_half += of_half;
        ret->in_all += of_all;
        ret->asked++;
    }
    if (ret->asked > 0) {
        ret->in_half /= (double)ret->asked;
        ret->in_all /= (double)ret->asked;
    }
    return true;
}

static void
note_cpu(struct arena *arena, const struct vector_sizes *sizes,
    const struct vector_measure *measure, size_t bucket, struct text_list *notes)
{
    double p95 = measure->cpu_us_p95.value;

    text_list_add(arena, notes,
        arena_printf(arena,
            "growth: CPU grows with the rows of a tenant: %s (p95) for %s today, about %s with"
            " twice and %s with four times the rows",
            text_from_us(arena, (int64_t)p95), sizes->buckets.items[bucket].name,
            text_from_us(arena, (int64_t)(2 * p95)), text_from_us(arena, (int64_t)(4 * p95))));
}

/*
 * What is missed grows with the rows by about the same factor for every doubling. When half the
 * rows show no loss at all, the factor is not known, and twice is taken.
 */
static void
note_recall(
    struct arena *arena, const struct halves *halves, int32_t candidates, struct text_list *notes)
{
    double missed_half = 1 - halves->in_half;
    double missed = 1 - halves->in_all;
    double factor = missed_half > 0 ? missed / missed_half : 2;
    double twice;
    double four;

    if (missed <= 0) {
        text_list_add(arena, notes,
            arena_printf(arena,
                "growth: with %d ranked again nothing was missed, neither in half of the largest"
                " tenants' rows nor in all of them (%zu searches)",
                candidates, halves->asked));
        return;
    }
    factor = factor < 1 ? 1 : factor;
    twice = missed * factor < most_missed ? missed * factor : most_missed;
    four = twice * factor < most_missed ? twice * factor : most_missed;
    text_list_add(arena, notes,
        arena_printf(arena,
            "growth: with %d ranked again recall is %.4f in half of the largest tenants' rows and"
            " %.4f in all of them (%zu searches), so about %.3f with twice and %.3f with four times"
            " the rows",
            candidates, halves->in_half, halves->in_all, halves->asked, 1 - twice, 1 - four));
}

bool
extra_drift(struct ctx *ctx, struct builder *builder, const struct vector_candidate *candidate,
    struct text_list *notes)
{
    const struct vector_sizes *sizes = &builder->stage->sizes;
    size_t bucket = candidate->buckets.count;
    struct halves halves;

    while (bucket > 0 && candidate->buckets.items[bucket - 1].queries == 0)
        bucket--;
    if (bucket == 0 || bucket > sizes->buckets.count)
        return true;
    bucket--;
    note_cpu(ctx->arena, sizes, &candidate->buckets.items[bucket], bucket, notes);
    if (candidate->method.family != FAMILY_BITS)
        return true;
    if (!compare_halves(ctx, builder, &candidate->method, bucket, &halves))
        return error_wrap(ctx, "looking at what growth changes");
    if (halves.asked > 0)
        note_recall(ctx->arena, &halves, candidate->method.candidates, notes);
    return true;
}
