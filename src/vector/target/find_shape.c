/* Operator, filters and limit of the searches on a column. */
#include "db/ident.h"
#include "lang/sql.h"
#include "vector/target/find.h"
#include "vector/target/shape.h"

enum {
    MOST_FILTERS = 3,
    USUAL_LIMIT = 10,
    MOST_LIMIT = 1000,
    SAMPLE_ROWS = 20000,
    FEW_VALUES = 20
};

const char *
found_sample(
    struct arena *arena, const struct vector_target *target, int64_t rows, bool *ret_is_sample)
{
    const char *table = vector_table(arena, target);

    *ret_is_sample = target->rows > rows * 2;
    if (!*ret_is_sample)
        return table;
    /* Blocks, not rows: half as many more, as the estimate of rows may be old. */
    return arena_printf(arena, "%s TABLESAMPLE SYSTEM (%.6f) REPEATABLE (1)", table,
        150.0 * (double)rows / (double)target->rows);
}

static bool
operator_of_index(const struct found_column *column, enum vector_metric *ret, const char **ret_name)
{
    for (size_t i = 0; i < column->indexes.count; i++) {
        const struct sql_vector_target_indexes *index = &column->indexes.items[i];

        if (!index->is_on_vector)
            continue;
        for (int metric = 0; metric < METRIC_COUNT; metric++) {
            if (text_ends_with(index->opclass, vector_metric_class((enum vector_metric)metric))) {
                *ret = (enum vector_metric)metric;
                *ret_name = index->name;
                return true;
            }
        }
    }
    return false;
}

bool
found_operator(struct found_column *column)
{
    struct ctx *ctx = column->finder->ctx;
    struct arena *arena = ctx->arena;
    const struct vector_wish *wish = column->finder->wish;
    enum vector_metric *metric = &column->target.metric;
    const char *name = NULL;
    const char *reason = "operator: cosine, the usual one for embeddings";

    *metric = METRIC_COSINE;
    if (wish && wish->operator) {
        if (!vector_metric_of(wish->operator, metric))
            return error_set(
                ctx, ERR_USAGE, "--operator: \"%s\" is no distance of pgvector", wish->operator);
        reason = "operator: option";
    } else if (column->searches.count > 0 &&
               vector_metric_of(column->searches.items[0]->shape.operator, metric)) {
        reason = arena_printf(arena, "operator: pg_stat_statements (calls: %s)",
            text_from_count(arena, column->searches.items[0]->calls));
    } else if (operator_of_index(column, metric, &name)) {
        reason = arena_printf(arena, "operator: index %s", db_ident(arena, name));
    }
    text_list_add(arena, &column->reasons, reason);
    return true;
}

/* "importance >= 5", read by the grammar itself. */
static bool
read_wished_filter(struct found_column *column, const char *text, struct vector_filter *ret)
{
    struct ctx *ctx = column->finder->ctx;
    struct vector_shape shape;
    struct sql_statements statements;
    const char *sql = arena_printf(ctx->arena, "SELECT 1 FROM t WHERE %s", text);

    if (!sql_split(ctx, "--filter", sql, &statements)) {
        ctx->error.kind = ERR_USAGE;
        return false;
    }
    shape_conditions(ctx, sql, "t", &shape);
    if (statements.count != 1 || shape.filters.count != 1 || !shape.filters.items[0].value) {
        error_set(
            ctx, ERR_USAGE, "--filter: \"%s\" is not a column, an operator and a value", text);
        return error_hint(ctx, "Write it as \"importance >= 5\" or \"doc_type = 'faq'\", with one "
                               "of = < <= > >=; give the option several times for several.");
    }
    *ret = shape.filters.items[0];
    return true;
}

static bool
check_filter(struct found_column *column, const char *text, struct vector_filter *filter)
{
    struct ctx *ctx = column->finder->ctx;
    const struct sql_vector_target_attributes *attribute = found_attribute(column, filter->column);
    const char *ignored;

    if (!attribute)
        return error_set(ctx, ERR_USAGE, "--filter: %s has no column \"%s\"",
            vector_table(ctx->arena, &column->target), filter->column);
    filter->type = attribute->type;
    if (db_value(ctx, column->finder->db,
            arena_printf(ctx->arena, "SELECT %s::%s OPERATOR(pg_catalog.=) NULL",
                db_literal(ctx->arena, filter->value), filter->type),
            NULL, 0, &ignored))
        return true;
    if (ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED)
        return false;
    ctx->error.kind = ERR_USAGE;
    return error_wrap(ctx, "--filter: \"%s\"", text);
}

static bool
wished_filters(struct found_column *column, const struct text_list *texts)
{
    struct ctx *ctx = column->finder->ctx;

    if (texts->count > MOST_FILTERS)
        return error_set(ctx, ERR_USAGE, "--filter: more than three filters");
    for (size_t i = 0; i < texts->count; i++) {
        struct vector_filter filter;

        if (!read_wished_filter(column, texts->items[i], &filter) ||
            !check_filter(column, texts->items[i], &filter))
            return false;
        VEC_PUSH(ctx->arena, &column->target.filters, filter);
    }
    text_list_add(ctx->arena, &column->reasons, "filters: options");
    return true;
}

bool
found_usual_value(struct found_column *column, struct vector_filter *filter)
{
    struct ctx *ctx = column->finder->ctx;
    struct arena *arena = ctx->arena;
    const char *name = db_ident(arena, filter->column);
    bool is_sample;
    const char *sample = found_sample(arena, &column->target, SAMPLE_ROWS, &is_sample);
    const char *aggregate = strcmp(filter->operator, "=") == 0
                                ? "pg_catalog.mode() WITHIN GROUP (ORDER BY s.v)"
                                : "pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY s.v)";

    return db_value(ctx, column->finder->db,
        arena_printf(arena, "SELECT (%s)::pg_catalog.text FROM (SELECT %s AS v FROM %s LIMIT %d) s",
            aggregate, name, sample, SAMPLE_ROWS),
        NULL, 0, &filter->value);
}

static bool
is_usable(const struct found_column *column, const struct vector_filter *filter)
{
    const struct sql_vector_target_attributes *attribute = found_attribute(column, filter->column);

    if (!attribute || text_equal(attribute->name, column->target.tenant) || attribute->is_unique ||
        strcmp(attribute->name, column->row->column_name) == 0)
        return false;
    /* A foreign key beside the tenant depends on it: no single value stands for all. */
    if (strcmp(filter->operator, "=") == 0)
        return !attribute->is_foreign &&
               (strcmp(attribute->category, "B") == 0 ||
                   (attribute->distinct > 0 && attribute->distinct <= FEW_VALUES));
    return true;
}

static bool
filters_of_searches(struct found_column *column)
{
    struct ctx *ctx = column->finder->ctx;
    const struct vector_shape *shape;

    if (column->searches.count == 0)
        return true;
    shape = &column->searches.items[0]->shape;
    for (size_t i = 0; i < shape->filters.count; i++) {
        struct vector_filter filter = shape->filters.items[i];

        if (!is_usable(column, &filter) || column->target.filters.count == MOST_FILTERS)
            continue;
        filter.type = found_attribute(column, filter.column)->type;
        if (!filter.value && !found_usual_value(column, &filter))
            return false;
        if (filter.value)
            VEC_PUSH(ctx->arena, &column->target.filters, filter);
    }
    if (column->target.filters.count > 0)
        text_list_add(ctx->arena, &column->reasons,
            "filters: the searches in pg_stat_statements, with typical values to measure with");
    return true;
}

bool
found_filters(struct found_column *column)
{
    const struct vector_wish *wish = column->finder->wish;

    if (wish && wish->filters.count > 0)
        return wished_filters(column, &wish->filters);
    return filters_of_searches(column);
}

/*
 * pg_stat_statements puts $n for a number, but it counts the rows that came. Few rows tell nothing:
 * small tenants have fewer than were asked for. More than the usual limit do: so many were asked for.
 */
static int32_t
limit_of_rows(const struct found_search *search)
{
    enum { STEP = 5 };
    double mean = search->calls > 0 ? (double)search->rows / (double)search->calls : 0;

    if (!search->shape.has_limit || mean <= USUAL_LIMIT || mean > MOST_LIMIT)
        return USUAL_LIMIT;
    return (int32_t)((mean + STEP - 1e-9) / STEP) * STEP;
}

void
found_limit(struct found_column *column)
{
    const struct vector_wish *wish = column->finder->wish;
    const struct found_search *search =
        column->searches.count > 0 ? column->searches.items[0] : NULL;
    int32_t *limit = &column->target.limit;

    if (wish && wish->limit > 0) {
        *limit = wish->limit;
        return;
    }
    if (search && search->shape.limit > 0) {
        *limit = search->shape.limit > MOST_LIMIT ? MOST_LIMIT : search->shape.limit;
        return;
    }
    *limit = search ? limit_of_rows(search) : USUAL_LIMIT;
    text_list_add(column->finder->ctx->arena, &column->reasons,
        arena_printf(column->finder->ctx->arena, "limit: %d, %s", *limit,
            *limit == USUAL_LIMIT ? "the usual one" : "by the rows that came"));
}
