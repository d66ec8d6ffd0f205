/* Whether the vector indexes can serve the searches at all. */
#include "db/ident.h"
#include "vector/target/survey_trial.h"

/* Whether any plan of the search can use one of the approximate indexes, when it must. */
static bool
try_forced(struct trying *trying, const struct sql_vector_target_indexes **ret)
{
    struct trial trial CLEANUP(trial_end) = { 0 };
    struct trial_plan plan;

    *ret = NULL;
    if (!trial_begin(trying->column, &trial) ||
        !trial_set(&trial, "plan_cache_mode", "force_custom_plan") ||
        !trial_set(&trial, "enable_seqscan", "off") || !trial_set(&trial, "enable_sort", "off") ||
        !trial_set(&trial, "enable_bitmapscan", "off") ||
        !trial_explain(&trial, trying->items[0].tenant->value, trying->items[0].vector, &plan))
        return false;
    *ret = plan.ann;
    return true;
}

bool
survey_has_class(const struct surveyed *column, const char *op)
{
    enum vector_metric metric;

    if (!vector_metric_of(op, &metric))
        return false;
    for (size_t i = 0; i < column->found.indexes.count; i++)
        if (survey_is_ann(&column->found.indexes.items[i]) &&
            text_ends_with(column->found.indexes.items[i].opclass, vector_metric_class(metric)))
            return true;
    return false;
}

const struct sql_vector_target_indexes *
survey_first_ann(const struct surveyed *column)
{
    for (size_t i = 0; i < column->found.indexes.count; i++)
        if (survey_is_ann(&column->found.indexes.items[i]) &&
            column->found.indexes.items[i].is_valid)
            return &column->found.indexes.items[i];
    return NULL;
}

static const char *
calls_text(struct arena *arena, int64_t calls)
{
    return arena_printf(arena, "%s call%s", text_from_count(arena, calls), calls == 1 ? "" : "s");
}

static void
tell_search(struct surveyed *column, struct finding *finding, const struct found_search *search,
    const struct sql_vector_target_indexes *ann)
{
    survey_evidence(column, finding, "operator", search->shape.operator);
    survey_evidence(column, finding, "opclass", ann->opclass);
    survey_number(column, finding, "calls", search->calls);
    survey_evidence(column, finding, "query", search->query);
}

/* Each search of the workload against the operator classes that are there. */
void
survey_judge_operators(struct surveyed *column)
{
    const struct sql_vector_target_indexes *ann = survey_first_ann(column);

    if (!ann)
        return;
    for (size_t i = 0; i < column->found.searches.count; i++) {
        const struct found_search *search = column->found.searches.items[i];
        const char *calls = calls_text(column->ctx->arena, search->calls);

        if (!survey_has_class(column, search->shape.operator))
            tell_search(column,
                survey_add(column, RULE_OPERATOR, NULL,
                    "%s: a search (%s) sorts by %s, but index %s is built for %s",
                    survey_name(column), calls, search->shape.operator,
                    db_ident(column->ctx->arena, ann->name), ann->opclass),
                search, ann);
        else if (search->shape.is_indirect)
            tell_search(column,
                survey_add(column, RULE_EXPRESSION, NULL,
                    "%s: a search (%s) sorts by an expression over %s, which index %s does "
                    "not give",
                    survey_name(column), calls, search->shape.operator,
                    db_ident(column->ctx->arena, ann->name)),
                search, ann);
    }
}

bool
trying_judge_match(struct trying *trying)
{
    struct surveyed *column = trying->column;
    const struct found_search *search;
    const struct sql_vector_target_indexes *used, *ann = survey_first_ann(column);

    if (!ann || column->found.searches.count == 0 || trying->count == 0)
        return true;
    search = column->found.searches.items[0];
    if (!survey_has_class(column, search->shape.operator) || search->shape.is_indirect)
        return true;
    if (!try_forced(trying, &used))
        return survey_goes_on(column, "asking for a plan by the vector index");
    /* A partial index is for other tenants than the one that was tried. */
    if (used || ann->predicate)
        return true;
    tell_search(column,
        survey_add(column, RULE_NOT_MATCHED, NULL, "%s: a search (%s) cannot use index %s on %s",
            survey_name(column), calls_text(column->ctx->arena, search->calls),
            db_ident(column->ctx->arena, ann->name), ann->key),
        search, ann);
    return true;
}
