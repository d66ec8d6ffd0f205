/* What the workload asks of vector columns. */
#include "vector/target/find.h"
#include "vector/target/shape.h"

/* In the text of a statement of ours, so that the survey does not take itself for the workload. */
static const char own_mark[] = "/* pgmend */";

static bool
may_search(const char *query)
{
    return strstr(query, vector_metric_operator(METRIC_COSINE)) ||
           strstr(query, vector_metric_operator(METRIC_L2)) ||
           strstr(query, vector_metric_operator(METRIC_INNER)) ||
           strstr(query, vector_metric_operator(METRIC_L1));
}

static bool
names_a_table(const struct finder *finder, const char *query)
{
    for (size_t i = 0; i < finder->columns.count; i++)
        if (strstr(query, finder->columns.items[i].table_name))
            return true;
    return false;
}

static bool
add_statement(struct finder *finder, const struct workload_statement *statement)
{
    struct arena *arena = finder->ctx->arena;
    struct found_search search = {
        .query = statement->query,
        .calls = statement->calls,
        .rows = statement->row_count,
    };

    if (strstr(statement->query, own_mark))
        return true;
    if (may_search(statement->query)) {
        if (!vector_shape_read(finder->ctx, statement->query, &search.shape))
            return false;
        if (search.shape.is_search) {
            VEC_PUSH(arena, &finder->workload.searches, search);
            return true;
        }
    }
    if (names_a_table(finder, statement->query))
        VEC_PUSH(arena, &finder->workload.others,
            (struct found_statement){ .query = statement->query, .calls = statement->calls });
    return true;
}

bool
found_workload_load(struct finder *finder)
{
    struct ctx *ctx = finder->ctx;
    struct workload workload;

    if (!workload_read(ctx, finder->db, &workload)) {
        /* Without it there is less to know, which is no failure. */
        if (ctx->error.kind != ERR_NOT_FOUND && ctx->error.kind != ERR_UNSUPPORTED &&
            ctx->error.kind != ERR_RIGHTS)
            return false;
        finder->workload.problem = ctx->error.message;
        error_clear(ctx);
        return true;
    }
    if (workload.hidden > 0)
        finder->workload.problem = arena_printf(ctx->arena,
            "%lld entries of pg_stat_statements are hidden from this role (pg_read_all_stats)",
            (long long)workload.hidden);
    for (size_t i = 0; i < workload.count; i++)
        if (!add_statement(finder, &workload.items[i]))
            return false;
    return true;
}

static bool
is_of(const struct found_column *column, const struct vector_shape *shape)
{
    const struct finder *finder = column->finder;

    if (strcmp(shape->column, column->row->column_name) != 0)
        return false;
    if (shape->table)
        return finder_is_table(finder, shape->table, column->row);
    /* The statement does not tell the table: the only one with such a column. */
    for (size_t i = 0; i < finder->columns.count; i++) {
        const struct sql_vector_target_columns *other = &finder->columns.items[i];

        if (other->table_oid != column->row->table_oid &&
            strcmp(other->column_name, shape->column) == 0)
            return false;
    }
    return true;
}

void
found_workload_match(struct found_column *column)
{
    const struct finder *finder = column->finder;

    for (size_t i = 0; i < finder->workload.searches.count; i++) {
        const struct found_search *search = &finder->workload.searches.items[i];
        size_t at = column->searches.count;

        if (!is_of(column, &search->shape))
            continue;
        VEC_PUSH(finder->ctx->arena, &column->searches, search);
        for (; at > 0 && column->searches.items[at - 1]->calls < search->calls; at--)
            column->searches.items[at] = column->searches.items[at - 1];
        column->searches.items[at] = search;
    }
}

/* A statement that does not tell its table may be about this one. */
static bool
may_be_of(const struct finder *finder, const struct vector_shape *shape,
    const struct sql_vector_target_columns *row)
{
    return strcmp(shape->column, row->column_name) == 0 &&
           (!shape->table || finder_is_table(finder, shape->table, row));
}

static int64_t
calls_without(
    const struct finder *finder, const struct sql_vector_target_columns *row, const char *tenant)
{
    int64_t calls = 0;

    for (size_t i = 0; i < finder->workload.searches.count; i++) {
        const struct found_search *search = &finder->workload.searches.items[i];

        if (may_be_of(finder, &search->shape, row) && !text_list_has(&search->shape.equal, tenant))
            calls += search->calls;
    }
    return calls;
}

bool
vector_others_find(
    struct ctx *ctx, struct db *db, const struct vector_target *target, struct vector_others *ret)
{
    struct finder finder;

    *ret = (struct vector_others){ 0 };
    if (!target->tenant)
        return true;
    if (!finder_begin(ctx, db, NULL, &finder))
        return error_wrap(ctx, "looking for other searches");
    ret->problem = finder.workload.problem;
    for (size_t i = 0; i < finder.columns.count; i++) {
        const struct sql_vector_target_columns *row = &finder.columns.items[i];

        if (strcmp(row->schema, target->schema) == 0 &&
            strcmp(row->table_name, target->table) == 0 &&
            strcmp(row->column_name, target->column) == 0)
            ret->calls += calls_without(&finder, row, target->tenant);
    }
    return true;
}
