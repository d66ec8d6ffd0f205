/* What the catalogue tells of the indexes, and the versions. */
#include <math.h>

#include "db/ident.h"
#include "vector/method/method.h"
#include "vector/target/survey_part.h"

enum {
    PARALLEL_BUG_FIRST = 600,
    PARALLEL_BUG_FIXED = 802,
    CORRUPTION_FIXED = 803,
    VACUUM_ERRORS_FIXED = 804,
    LEAST_INDEXED = 1000, /* rows from which the tenant should have an index */
    SMALL_TOASTED = 1000, /* rows of a tenant that exact search is as good for */
    SMALL_IN_ROW = 3000,
    LISTS_FACTOR = 4,
    PLENTY_OF_ROWS = 1000000, /* pgvector's README: lists = rows / 1,000 below, sqrt(rows) above */
    STANDARD_M = 16
};

static const char *
index_name(struct surveyed *column, const struct sql_vector_target_indexes *index)
{
    return db_qualified(column->ctx->arena, column->found.target.schema, index->name);
}

static void
judge_invalid(struct surveyed *column, const struct sql_vector_target_indexes *index)
{
    struct arena *arena = column->ctx->arena;
    struct finding *finding;

    if (index->is_valid)
        return;
    finding = survey_add(column, RULE_INVALID, index_name(column, index),
        "index %s (%s) of %s is not valid", index_name(column, index),
        text_from_bytes(arena, index->bytes), survey_name(column));
    survey_number(column, finding, "bytes", index->bytes);
}

static void
judge_unused(struct surveyed *column, const struct sql_vector_target_indexes *index)
{
    struct arena *arena = column->ctx->arena;
    struct finding *finding;

    if (!index->is_valid || index->scans > 0 || column->facts->searches == 0)
        return;
    finding = survey_add(column, RULE_UNUSED, index_name(column, index),
        "index %s (%s) was never scanned; searches so far: %s", index_name(column, index),
        text_from_bytes(arena, index->bytes), text_from_count(arena, column->facts->searches));
    survey_number(column, finding, "bytes", index->bytes);
    survey_number(column, finding, "searches", column->facts->searches);
}

static void
judge_lists(struct surveyed *column, const struct sql_vector_target_indexes *index)
{
    struct arena *arena = column->ctx->arena;
    int64_t rows = column->facts->sizes.rows;
    double root = sqrt((double)rows);
    double least = rows > PLENTY_OF_ROWS ? root : (double)rows / 1000;
    double most = least > root ? least : root;
    bool was_small = index->built_rows >= 0 && index->built_rows < rows / LISTS_FACTOR;
    struct finding *finding;

    if (strcmp(index->method, "ivfflat") != 0 || index->predicate || rows == 0)
        return;
    if (!was_small && index->lists <= rows && index->lists * LISTS_FACTOR >= least &&
        index->lists <= most * LISTS_FACTOR)
        return;
    finding = survey_add(column, RULE_LISTS, index_name(column, index),
        "index %s has %d lists for %s rows%s", index_name(column, index), index->lists,
        text_from_count(arena, rows),
        was_small             ? arena_printf(arena, ", and was built when there were %s",
                                    text_from_count(arena, index->built_rows))
        : index->lists > rows ? ": more lists than rows"
                              : "");
    finding->instead =
        arena_printf(arena, "ALTER INDEX %s SET (lists = %.0f); REINDEX INDEX CONCURRENTLY %s;",
            index_name(column, index), least < 1 ? 1 : round(least), index_name(column, index));
    survey_number(column, finding, "lists", index->lists);
    survey_number(column, finding, "rows", rows);
    survey_number(column, finding, "built_rows", index->built_rows);
}

static int64_t
build_memory(struct surveyed *column, const struct sql_vector_target_indexes *index)
{
    struct vector_method method = {
        .family = strcmp(index->method, "hnsw") == 0 ? FAMILY_HNSW : FAMILY_IVFFLAT,
        .element = text_starts_with(index->opclass, "halfvec_") ? ELEMENT_HALF : ELEMENT_COLUMN,
        .m = STANDARD_M,
        .lists = index->lists,
    };

    return vector_build_memory(&column->found.target, &method, column->facts->sizes.rows);
}

static void
judge_memory(struct surveyed *column, const struct sql_vector_target_indexes *index)
{
    struct arena *arena = column->ctx->arena;
    int64_t there = column->table.work_mem_kb * 1024;
    int64_t needed = build_memory(column, index);
    struct finding *finding;

    if (index->predicate || needed <= there)
        return;
    finding = survey_add(column, RULE_BUILD_MEMORY, index_name(column, index),
        "building %s again takes %s, and maintenance_work_mem is %s", index_name(column, index),
        text_from_bytes(arena, needed), text_from_bytes(arena, there));
    survey_number(column, finding, "needed_bytes", needed);
    survey_number(column, finding, "maintenance_work_mem_bytes", there);
}

static void
judge_small_tenants(struct surveyed *column, const struct sql_vector_target_indexes *index)
{
    struct arena *arena = column->ctx->arena;
    const struct vector_sizes *sizes = &column->facts->sizes;
    int64_t limit = column->found.target.is_toasted ? SMALL_TOASTED : SMALL_IN_ROW;
    struct finding *finding;

    if (!column->found.target.tenant || index->predicate || sizes->tenants.count == 0 ||
        sizes->tenants.items[0].rows >= limit)
        return;
    finding = survey_add(column, RULE_SMALL_TENANTS, index_name(column, index),
        "index %s (%s): the largest of %s tenants has %s rows", index_name(column, index),
        text_from_bytes(arena, index->bytes), text_from_count(arena, (int64_t)sizes->tenants.count),
        text_from_count(arena, sizes->tenants.items[0].rows));
    survey_number(column, finding, "bytes", index->bytes);
    survey_number(column, finding, "largest_tenant", sizes->tenants.items[0].rows);
}

static void
judge_tenant_index(struct surveyed *column)
{
    struct arena *arena = column->ctx->arena;
    const char *tenant = column->found.target.tenant;
    struct finding *finding;

    if (!tenant || column->facts->sizes.rows < LEAST_INDEXED ||
        found_attribute(&column->found, tenant)->lead_index)
        return;
    finding = survey_add(column, RULE_TENANT_INDEX, NULL,
        "%s: no index begins with %s, by which searches find one of %s tenants",
        vector_table(arena, &column->found.target), db_ident(arena, tenant),
        text_from_count(arena, (int64_t)column->facts->sizes.tenants.count));
    finding->instead = arena_printf(arena, "CREATE INDEX CONCURRENTLY ON %s (%s);",
        vector_table(arena, &column->found.target), db_ident(arena, tenant));
    survey_number(column, finding, "rows", column->facts->sizes.rows);
    survey_number(column, finding, "tenants", (int64_t)column->facts->sizes.tenants.count);
}

void
survey_judge_indexes(struct surveyed *column)
{
    for (size_t i = 0; i < column->found.indexes.count; i++) {
        const struct sql_vector_target_indexes *index = &column->found.indexes.items[i];

        if (!index->is_on_vector)
            continue;
        judge_invalid(column, index);
        if (!survey_is_ann(index))
            continue;
        judge_lists(column, index);
        judge_memory(column, index);
        judge_small_tenants(column, index);
    }
    judge_tenant_index(column);
}

/* After the searches were tried, as the counters come late. */
void
survey_judge_use(struct surveyed *column)
{
    for (size_t i = 0; i < column->found.indexes.count; i++)
        if (column->found.indexes.items[i].is_on_vector &&
            !column->facts->indexes.items[i].is_planned)
            judge_unused(column, &column->found.indexes.items[i]);
}

static size_t
count_hnsw(const struct surveyed *column)
{
    size_t count = 0;

    for (size_t i = 0; i < column->found.indexes.count; i++)
        count += column->found.indexes.items[i].is_on_vector &&
                 strcmp(column->found.indexes.items[i].method, "hnsw") == 0;
    return count;
}

static bool
is_told_at_all(const struct surveyed *column, enum survey_rule rule)
{
    for (size_t i = 0; i < column->survey->findings.count; i++)
        if (column->survey->findings.items[i].rule == &vector_rules[rule])
            return true;
    return false;
}

/* Once a database, however many columns it has. */
void
survey_judge_version(struct surveyed *column)
{
    const struct vector_target *target = &column->found.target;
    int32_t number = target->extension_number;
    struct finding *finding;

    if (number >= PARALLEL_BUG_FIRST && number < PARALLEL_BUG_FIXED && column->table.parallel > 0 &&
        !is_told_at_all(column, RULE_PARALLEL_BUILD)) {
        finding = survey_add(column, RULE_PARALLEL_BUILD, "vector",
            "pgvector %s is installed, and max_parallel_maintenance_workers is %d",
            target->extension_version, column->table.parallel);
        survey_evidence(column, finding, "pgvector", target->extension_version);
        survey_number(column, finding, "workers", column->table.parallel);
    }
    if (number < VACUUM_ERRORS_FIXED && count_hnsw(column) > 0 &&
        !is_told_at_all(column, RULE_VACUUM_BUG)) {
        finding = survey_add(column, RULE_VACUUM_BUG, "vector",
            "pgvector %s is installed, and %s has HNSW indexes: vacuuming them can %s",
            target->extension_version, survey_name(column),
            number < CORRUPTION_FIXED ? "corrupt them" : "fail");
        survey_evidence(column, finding, "pgvector", target->extension_version);
    }
}
