/* What the planner makes of searches, asked of the planner. */
#include "db/ident.h"
#include "vector/target/survey_trial.h"

enum { CUSTOM_PLANS = 5, ITERATIVE = 800, MOST_SEARCHES = 3 };

/* The smallest tenant, by its place among all, that still gets the index; by bisection. */
static bool
find_flip(struct trying *trying, size_t uses, size_t *ret_last)
{
    struct trial trial CLEANUP(trial_end) = { 0 };
    const struct vector_sizes *sizes = &trying->column->facts->sizes;
    size_t does_not = sizes->tenants.count;

    if (!trial_begin(trying->column, &trial) ||
        !trial_set(&trial, "plan_cache_mode", "force_custom_plan"))
        return false;
    while (does_not - uses > 1) {
        size_t middle = uses + (does_not - uses) / 2;
        struct trial_plan plan;

        if (!trial_explain(
                &trial, sizes->tenants.items[middle].value, trying->items[0].vector, &plan))
            return false;
        if (plan.ann && plan.has_filter)
            uses = middle;
        else
            does_not = middle;
    }
    *ret_last = uses;
    return true;
}

static bool
is_iterative(const struct surveyed *column, const struct sql_vector_target_indexes *ann)
{
    const char *setting = strcmp(ann->method, "hnsw") == 0 ? column->table.hnsw_iterative
                                                           : column->table.ivfflat_iterative;

    return strcmp(setting, "off") != 0;
}

static bool
judge_flip(struct trying *trying)
{
    struct surveyed *column = trying->column;
    struct arena *arena = column->ctx->arena;
    const struct vector_sizes *sizes = &column->facts->sizes;
    const struct sql_vector_target_indexes *ann = trying->ann;
    const struct vector_tenant *least;
    struct finding *finding;
    size_t last = 0;

    if (survey_is_told(column, RULE_FLIP))
        return true;
    /* Largest first: without it there, no smaller tenant was seen with it as a rule. */
    if (!column->found.target.tenant || trying->count == 0 || !trying->items[0].plan.ann ||
        !trying->items[0].plan.has_filter || ann->predicate)
        return true;
    if (!find_flip(trying, 0, &last))
        return survey_goes_on(column, "finding the size at which plans change");
    least = &sizes->tenants.items[last];
    finding =
        survey_add(column, RULE_FLIP, db_qualified(arena, column->found.target.schema, ann->name),
            "%s: tenants from %s rows on (%s of %s) are searched by index %s of all tenants with a "
            "filter behind it",
            survey_name(column), text_from_count(arena, least->rows),
            text_from_count(arena, (int64_t)last + 1),
            text_from_count(arena, (int64_t)sizes->tenants.count), db_ident(arena, ann->name));
    survey_number(column, finding, "from_rows", least->rows);
    survey_number(column, finding, "tenants", (int64_t)last + 1);
    survey_number(column, finding, "all_tenants", (int64_t)sizes->tenants.count);
    survey_evidence(column, finding, "iterative_scan", is_iterative(column, ann) ? "on" : "off");
    return true;
}

static void
judge_iterative(struct trying *trying)
{
    struct surveyed *column = trying->column;
    const struct sql_vector_target_indexes *ann = trying->ann;
    struct finding *finding;

    if (!ann || !trying->has_filter || survey_is_told(column, RULE_ITERATIVE) ||
        is_iterative(column, ann) || column->found.target.extension_number < ITERATIVE)
        return;
    finding = survey_add(column, RULE_ITERATIVE,
        db_qualified(column->ctx->arena, column->found.target.schema, ann->name),
        "%s: index %s is used with a filter, and %s.iterative_scan is off", survey_name(column),
        db_ident(column->ctx->arena, ann->name), ann->method);
    survey_evidence(column, finding, "setting",
        arena_printf(column->ctx->arena, "%s.iterative_scan = off", ann->method));
}

static void
judge_ef_search(struct trying *trying)
{
    struct surveyed *column = trying->column;
    const struct sql_vector_target_indexes *ann = survey_first_ann(column);
    int32_t limit = column->found.target.limit;
    struct finding *finding;

    if (!ann || strcmp(ann->method, "hnsw") != 0 || column->facts->searches == 0 ||
        limit <= column->table.hnsw_ef || is_iterative(column, ann) ||
        survey_is_told(column, RULE_EF_SEARCH))
        return;
    finding = survey_add(column, RULE_EF_SEARCH, NULL,
        "%s: searches ask for %d rows, and hnsw.ef_search is %d", survey_name(column), limit,
        column->table.hnsw_ef);
    survey_number(column, finding, "limit", limit);
    survey_number(column, finding, "ef_search", column->table.hnsw_ef);
}

static bool
same_way(const struct trial_plan *a, const struct trial_plan *b)
{
    if (a->ann != b->ann)
        return false;
    for (size_t i = 0; i < a->plan.indexes.count; i++)
        if (!text_list_has(&b->plan.indexes, a->plan.indexes.items[i]))
            return false;
    return a->plan.seq_scans.count == b->plan.seq_scans.count;
}

static const char *
way_text(struct arena *arena, const struct trial_plan *plan)
{
    if (plan->plan.indexes.count > 0)
        return arena_printf(arena, "index %s", text_list_join(arena, &plan->plan.indexes, " and "));
    return "a scan of the whole table";
}

/*
 * Executes the prepared search as a connection of the application would: five times for tenants of
 * all sizes, then for the one. The server itself decides whether the sixth plan is generic.
 */
static bool
plan_sixth(struct trying *trying, const struct asked *asked, bool is_mixed, struct trial_plan *ret)
{
    struct trial trial CLEANUP(trial_end) = { 0 };

    if (!trial_begin(trying->column, &trial))
        return false;
    for (size_t i = 0; i < CUSTOM_PLANS; i++) {
        const struct asked *other =
            is_mixed ? &trying->items[i * trying->count / CUSTOM_PLANS] : asked;

        if (!trial_explain(&trial, other->tenant->value, other->vector, ret))
            return false;
    }
    return trial_explain(&trial, asked->tenant->value, asked->vector, ret);
}

static bool
judge_generic(struct trying *trying)
{
    struct surveyed *column = trying->column;
    struct arena *arena = column->ctx->arena;

    for (size_t i = 0; i < trying->count && !survey_is_told(column, RULE_GENERIC); i++) {
        const struct asked *asked = &trying->items[i];
        struct trial_plan sixth;
        struct finding *finding;

        if (!plan_sixth(trying, asked, false, &sixth))
            return false;
        if (same_way(&asked->plan, &sixth) && !plan_sixth(trying, asked, true, &sixth))
            return false;
        if (same_way(&asked->plan, &sixth) || (!asked->plan.ann && !sixth.ann))
            continue;
        finding = survey_add(column, RULE_GENERIC, NULL,
            "%s: %s is searched by %s, and from the sixth execution of a prepared "
            "statement on by %s",
            survey_name(column), trying_tenant(arena, asked->tenant), way_text(arena, &asked->plan),
            way_text(arena, &sixth));
        survey_evidence(column, finding, "custom", way_text(arena, &asked->plan));
        survey_evidence(column, finding, "generic", way_text(arena, &sixth));
        survey_number(column, finding, "custom_cost", (int64_t)asked->plan.plan.cost);
        survey_number(column, finding, "generic_cost", (int64_t)sixth.plan.cost);
        survey_evidence(column, finding, "plan_cache_mode", column->table.plan_cache_mode);
        return true;
    }
    return true;
}

/* The search as a target of its own: tenant, operator, filters and limit are those of this one. */
static bool
view_of(const struct surveyed *column, const struct found_search *search, struct finder *finder,
    struct surveyed *ret)
{
    struct vector_target *target = &ret->found.target;

    *ret = *column;
    ret->found.searches.items = NULL;
    ret->found.searches.count = ret->found.searches.capacity = 0;
    if (!search)
        return true;
    *finder = *column->found.finder;
    finder->wish = NULL;
    ret->found.finder = finder;
    VEC_PUSH(column->ctx->arena, &ret->found.searches, search);
    target->filters.items = NULL;
    target->filters.count = target->filters.capacity = 0;
    if (target->tenant && !text_list_has(&search->shape.equal, target->tenant))
        target->tenant = target->tenant_type = NULL;
    if (!found_operator(&ret->found) || !found_filters(&ret->found))
        return false;
    found_limit(&ret->found);
    return true;
}

static bool
try_search(struct surveyed *column, const struct found_search *search)
{
    struct finder finder;
    struct surveyed view;
    struct trying trying = { .column = &view };

    if (!view_of(column, search, &finder, &view))
        return survey_goes_on(column, "finding usual values of the conditions of a search");
    judge_ef_search(&trying);
    if (!trying_choose(&trying))
        return false;
    if (trying.count == 0)
        return true;
    if (!trying_judge_match(&trying))
        return false;
    if (!trying_plan(&trying))
        return survey_goes_on(column, "asking for the plans of searches");
    judge_iterative(&trying);
    if (!judge_flip(&trying) || !trying_judge_answers(&trying))
        return false;
    return judge_generic(&trying) || survey_goes_on(column, "trying prepared searches");
}

/* Whether the user said how he searches: then that is tried, and not the workload. */
static bool
is_described(const struct vector_wish *wish)
{
    return wish && (wish->tenant || wish->filters.count > 0 || wish->operator|| wish->limit> 0);
}

bool
survey_judge_plans(struct surveyed *column)
{
    size_t tried = 0;

    survey_judge_operators(column);
    /* Without dimensions there is no index, and plans have nothing to choose from. */
    if (column->found.target.dims == 0)
        return true;
    if (column->found.searches.count == 0 || is_described(column->found.finder->wish))
        return try_search(column, NULL);
    for (size_t i = 0; i < column->found.searches.count && tried < MOST_SEARCHES; i++) {
        const struct found_search *search = column->found.searches.items[i];

        /* What no index is built for is exact, and told already. */
        if (survey_first_ann(column) && !survey_has_class(column, search->shape.operator))
            continue;
        tried++;
        if (!try_search(column, search))
            return false;
    }
    return true;
}
