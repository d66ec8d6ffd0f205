#include "cmd/parts/vector_present.h"

#include "db/explain.h"
#include "db/ident.h"
#include "sql.h"

/* What the planner takes for one tenant. */
struct taken {
    enum vector_family family;
    const char *index; /* NULL: none */
    enum vector_element element;
};

/* A vector of the right length; which one does not matter to the planner. */
static const char *
some_vector(struct arena *arena, const struct vector_target *target)
{
    struct buffer text = { .arena = arena };

    buffer_add(&text, "[1");
    for (int32_t i = 1; i < target->dims; i++)
        buffer_add(&text, ",0");
    buffer_add(&text, "]");
    return arena_printf(arena, "%s::%s", db_literal(arena, buffer_text(&text)),
        db_qualified(arena, target->extension_schema, target->type));
}

/* The search as an application writes it, so that approximate indexes are taken into account. */
static const char *
plain_search(struct arena *arena, const struct vector_target *target, const char *tenant)
{
    struct text_list conditions = { 0 };

    if (target->tenant && tenant)
        text_list_add(arena, &conditions,
            arena_printf(arena, "t.%s OPERATOR(pg_catalog.=) %s", db_ident(arena, target->tenant),
                db_literal(arena, tenant)));
    for (size_t i = 0; i < target->filters.count; i++)
        text_list_add(arena, &conditions,
            arena_printf(arena, "t.%s OPERATOR(pg_catalog.%s) %s",
                db_ident(arena, target->filters.items[i].column), target->filters.items[i].operator,
                db_literal(arena, target->filters.items[i].value)));
    return arena_printf(arena,
        "SELECT t.%s FROM %s t%s%s ORDER BY t.%s OPERATOR(%s.%s) %s LIMIT %d",
        db_ident(arena, target->key), vector_table(arena, target),
        conditions.count > 0 ? " WHERE " : "", text_list_join(arena, &conditions, " AND "),
        db_ident(arena, target->column), db_ident(arena, target->extension_schema),
        vector_metric_operator(target->metric), some_vector(arena, target), target->limit);
}

static bool
find_taken(struct ctx *ctx, struct db *db, const struct vector_target *target, const char *tenant,
    struct taken *ret)
{
    struct sql_vector_plan_old_indexes_rows approximate;
    struct explain_plan plan;

    *ret = (struct taken){ .family = FAMILY_SCAN };
    if (!explain_statement(ctx, db, plain_search(ctx->arena, target, tenant),
            &(const struct explain_options){ 0 }, &plan) ||
        !sql_vector_plan_old_indexes(
            ctx, db, &approximate, .table_oid = target->table_oid, .column_name = target->column))
        return false;
    if (plan.indexes.count == 0)
        return true;
    *ret = (struct taken){ .family = FAMILY_EXACT, .index = plan.indexes.items[0] };
    for (size_t i = 0; i < approximate.count; i++) {
        const char *definition = approximate.items[i].definition;

        if (!text_list_has(&plan.indexes, approximate.items[i].name))
            continue;
        ret->index = approximate.items[i].name;
        ret->family =
            text_equal(approximate.items[i].access_method, "hnsw") ? FAMILY_HNSW : FAMILY_IVFFLAT;
        ret->element = strstr(definition, "halfvec_") ? ELEMENT_HALF
                       : strstr(definition, "bit_")   ? ELEMENT_BIT
                                                      : ELEMENT_COLUMN;
    }
    return true;
}

static const char *
taken_text(struct arena *arena, const struct taken *taken)
{
    if (taken->family == FAMILY_SCAN)
        return "reads the whole table and computes every distance";
    if (taken->family == FAMILY_EXACT)
        return arena_printf(
            arena, "finds the tenant by %s and computes every distance", taken->index);
    return arena_printf(
        arena, "takes the approximate index %s and filters what it returns", taken->index);
}

/* Of several that do it, the one with the settings that a session has when nothing is said. */
static void
mark_taken(struct vector_tuning *tuning, const struct taken *taken)
{
    struct vector_candidate *best = NULL;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        struct vector_candidate *candidate = &tuning->candidates.items[i];
        const struct vector_method *method = &candidate->method;

        if (method->family != taken->family || method->element != taken->element ||
            method->scope != SCOPE_GLOBAL || method->iteration != ITERATE_OFF)
            continue;
        if (!best ||
            method->probes + method->ef_search < best->method.probes + best->method.ef_search)
            best = candidate;
    }
    if (best)
        best->is_present = true;
}

static bool
find_planned(struct ctx *ctx, struct db *db, struct vector_tuning *tuning)
{
    const struct vector_sizes *sizes = &tuning->sizes;
    size_t last = sizes->tenants.count > 0 ? sizes->tenants.count - 1 : 0;
    const char *largest = sizes->tenants.count > 0 ? sizes->tenants.items[0].value : NULL;
    const char *smallest = sizes->tenants.count > 0 ? sizes->tenants.items[last].value : NULL;
    struct taken large;
    struct taken small;

    if (!find_taken(ctx, db, &tuning->target, largest, &large))
        return false;
    mark_taken(tuning, &large);
    if (!tuning->target.tenant || last == 0) {
        tuning->present =
            arena_printf(ctx->arena, "the planner %s.", taken_text(ctx->arena, &large));
        return true;
    }
    if (!find_taken(ctx, db, &tuning->target, smallest, &small))
        return false;
    if (large.family == small.family && text_equal(large.index, small.index))
        tuning->present = arena_printf(ctx->arena, "the planner %s, for large and small tenants.",
            taken_text(ctx->arena, &large));
    else
        tuning->present = arena_printf(ctx->arena,
            "for the largest tenant the planner %s; for the smallest it %s.",
            taken_text(ctx->arena, &large), taken_text(ctx->arena, &small));
    return true;
}

bool
vector_present(struct ctx *ctx, struct db *db, const struct vector_choice *installed,
    struct vector_tuning *tuning)
{
    const char *name;

    if (!installed || !installed->was_measured)
        return find_planned(ctx, db, tuning) ||
               error_wrap(ctx, "looking at how the table is searched today");
    name = vector_method_name(ctx->arena, &installed->base);
    tuning->present = arena_printf(ctx->arena, "the installed functions search by \"%s\"%s%s%s.",
        name, installed->specials.count > 0 ? ", some tenants by an index of their own" : "",
        installed->chosen_at ? ", chosen at " : "",
        installed->chosen_at ? installed->chosen_at : "");
    for (size_t i = 0; i < tuning->candidates.count; i++)
        if (text_equal(tuning->candidates.items[i].name, name))
            tuning->candidates.items[i].is_present = true;
    return true;
}
