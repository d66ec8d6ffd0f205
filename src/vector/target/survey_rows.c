/* What is in the rows: some of them are read. */
#include "db/ident.h"
#include "vector/target/survey_part.h"

enum {
    SAMPLE_ROWS = 20000,
    HASH_ROWS = 2000000,
    TIMEOUT_MS = 20000,
    STALE_SHARE = 5, /* a fifth of the rows changed, or the estimate is off by that */
    STALE_ROWS = 1000
};

/* Runs one statement of few numbers in a read-only transaction that ends in time. */
static bool
ask(struct surveyed *column, const char *sql, struct result *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct ctx *ctx = column->ctx;

    return db_begin(ctx, column->db, "READ ONLY", &transaction) &&
           db_exec(ctx, column->db,
               arena_printf(ctx->arena, "SET LOCAL statement_timeout = %d", TIMEOUT_MS)) &&
           db_query(ctx, column->db, sql, NULL, 0, ret);
}

static int64_t
number_at(const struct result *result, size_t column)
{
    const char *text = result_cell(result, 0, column);
    int64_t number = 0;

    return text && text_to_int64(text, &number) ? number : 0;
}

static const char *
sample_sql(struct surveyed *column)
{
    struct arena *arena = column->ctx->arena;
    const struct vector_target *target = &column->found.target;
    const char *schema = db_ident(arena, target->extension_schema);
    const char *send = strcmp(target->type, "halfvec") == 0 ? "halfvec_send" : "vector_send";
    bool is_sample;
    const char *from = found_sample(arena, target, SAMPLE_ROWS, &is_sample);

    /* The inner product with itself is 0, NaN or -Infinity for what is to be counted. */
    return arena_printf(arena,
        "SELECT /* pgmend */ pg_catalog.count(*),"
        " pg_catalog.count(*) FILTER (WHERE s.v IS NULL),"
        " pg_catalog.count(*) FILTER (WHERE s.n = 0),"
        " pg_catalog.count(*) FILTER (WHERE s.n IN ('NaN', 'Infinity', '-Infinity')),"
        " pg_catalog.count(s.v) - pg_catalog.count(DISTINCT (s.t, s.h)) FILTER (WHERE s.v IS NOT"
        " NULL), pg_catalog.count(DISTINCT s.d), pg_catalog.min(s.d), pg_catalog.max(s.d)"
        " FROM (SELECT %s AS v, %s OPERATOR(%s.<#>) %s AS n, %s.vector_dims(%s) AS d,"
        " pg_catalog.md5(%s.%s(%s)) AS h, %s AS t FROM %s LIMIT %d) s",
        db_ident(arena, target->column), db_ident(arena, target->column), schema,
        db_ident(arena, target->column), schema, db_ident(arena, target->column), schema, send,
        db_ident(arena, target->column),
        target->tenant ? db_ident(arena, target->tenant) : "NULL::pg_catalog.text", from,
        SAMPLE_ROWS);
}

static bool
count_sample(struct surveyed *column)
{
    struct vector_facts *facts = column->facts;
    struct result result;

    if (!ask(column, sample_sql(column), &result))
        return survey_goes_on(column, "reading a sample of the vectors");
    facts->looked_at = number_at(&result, 0);
    facts->nulls = number_at(&result, 1);
    facts->zeros = number_at(&result, 2);
    facts->not_finite = number_at(&result, 3);
    facts->value_duplicates = number_at(&result, 4);
    column->dims_kinds = number_at(&result, 5);
    column->dims_least = number_at(&result, 6);
    column->dims_most = number_at(&result, 7);
    return true;
}

/* Of all rows, as hashes stand outside the TOAST table. */
static bool
count_hashes(struct surveyed *column)
{
    struct arena *arena = column->ctx->arena;
    const struct vector_target *target = &column->found.target;
    struct result result;
    bool is_sample;

    column->facts->hash_duplicates = -1;
    if (!target->chunk_hash)
        return true;

    const char *from = found_sample(arena, target, HASH_ROWS, &is_sample);
    const char *sql = arena_printf(arena,
        "SELECT COALESCE(pg_catalog.sum(g.n), 0), COALESCE(pg_catalog.sum(g.n - 1), 0)"
        " FROM (SELECT pg_catalog.count(*) AS n FROM %s WHERE %s IS NOT NULL GROUP BY %s%s%s) g",
        from, db_ident(arena, target->chunk_hash), db_ident(arena, target->chunk_hash),
        target->tenant ? ", " : "", target->tenant ? db_ident(arena, target->tenant) : "");

    if (!ask(column, sql, &result))
        return survey_goes_on(column, "counting equal hashes");
    column->hash_rows = number_at(&result, 0);
    column->facts->hash_duplicates = number_at(&result, 1);
    return true;
}

bool
survey_rows(struct surveyed *column)
{
    return count_sample(column) && count_hashes(column);
}

/* "12 of 20 000 rows (0.06 %)" */
static const char *
share_text(struct arena *arena, int64_t part, int64_t whole)
{
    return arena_printf(arena, "%s of %s rows (%.3g %%)", text_from_count(arena, part),
        text_from_count(arena, whole), whole > 0 ? 100.0 * (double)part / (double)whole : 0);
}

struct row_count {
    enum survey_rule rule;
    int64_t count;
    const char *what;
};

static void
judge_counts(struct surveyed *column)
{
    struct arena *arena = column->ctx->arena;
    const struct vector_facts *facts = column->facts;
    const struct row_count counts[] = {
        { RULE_NULL_VECTORS, facts->nulls, "have no vector" },
        { RULE_ZERO_VECTORS, column->found.target.metric == METRIC_COSINE ? facts->zeros : 0,
            "have a vector of length zero" },
        { RULE_NOT_FINITE, facts->not_finite, "have a vector whose length is not finite" },
        { RULE_VALUE_DUPLICATES, facts->value_duplicates,
            "repeat the vector of another row of their tenant" },
    };

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        if (counts[i].count <= 0)
            continue;

        struct finding *finding =
            survey_add(column, counts[i].rule, NULL, "%s: %s %s", survey_name(column),
                share_text(arena, counts[i].count, facts->looked_at), counts[i].what);

        survey_number(column, finding, "rows", counts[i].count);
        survey_number(column, finding, "looked_at", facts->looked_at);
    }
}

static void
judge_hashes(struct surveyed *column)
{
    const struct vector_facts *facts = column->facts;
    struct finding *finding;

    if (facts->hash_duplicates <= 0)
        return;
    finding = survey_add(column, RULE_HASH_DUPLICATES, NULL,
        "%s: %s repeat the %s of another row of their tenant", survey_name(column),
        share_text(column->ctx->arena, facts->hash_duplicates, column->hash_rows),
        column->found.target.chunk_hash);
    survey_number(column, finding, "rows", facts->hash_duplicates);
    survey_number(column, finding, "looked_at", column->hash_rows);
}

static void
judge_dimensions(struct surveyed *column)
{
    struct finding *finding;

    if (column->dims_kinds <= 1)
        return;
    finding = survey_add(column, RULE_DIMENSIONS, NULL,
        "%s: vectors of %lld different numbers of dimensions, from %lld to %lld",
        survey_name(column), (long long)column->dims_kinds, (long long)column->dims_least,
        (long long)column->dims_most);
    survey_number(column, finding, "kinds", column->dims_kinds);
    survey_number(column, finding, "least", column->dims_least);
    survey_number(column, finding, "most", column->dims_most);
}

static void
judge_tenant(struct surveyed *column)
{
    const struct vector_facts *facts = column->facts;
    struct finding *finding;

    if (facts->sizes.null_rows <= 0)
        return;
    finding = survey_add(column, RULE_NULL_TENANT, NULL, "%s: %s have no %s", survey_name(column),
        share_text(column->ctx->arena, facts->sizes.null_rows, facts->sizes.rows),
        db_ident(column->ctx->arena, column->found.target.tenant));
    survey_number(column, finding, "rows", facts->sizes.null_rows);
    survey_number(column, finding, "all_rows", facts->sizes.rows);
}

static void
judge_key(struct surveyed *column)
{
    if (!column->found.target.key)
        (void)survey_add(column, RULE_KEY, NULL,
            "%s has no primary key of one column: pgmend vector tune cannot work on %s",
            vector_table(column->ctx->arena, &column->found.target), survey_name(column));
}

static void
judge_statistics(struct surveyed *column)
{
    struct arena *arena = column->ctx->arena;
    int64_t rows = column->facts->sizes.rows + column->facts->nulls;
    int64_t estimate = column->found.target.rows;
    int64_t off = estimate > rows ? estimate - rows : rows - estimate;
    struct finding *finding;

    if (rows < STALE_ROWS)
        return;
    /* Changes alone are none: a load with an ANALYZE behind it counts as changed for a while. */
    if (column->table.is_analysed && off <= rows / STALE_SHARE)
        return;
    finding = survey_add(column, RULE_STATISTICS, NULL,
        "%s: %s rows were counted, the planner knows of %s%s",
        vector_table(arena, &column->found.target), text_from_count(arena, rows),
        estimate < 0 ? "none" : text_from_count(arena, estimate),
        column->table.is_analysed ? "" : "; there are no statistics at all");
    survey_number(column, finding, "counted", rows);
    survey_number(column, finding, "estimate", estimate);
    survey_number(column, finding, "modified", column->table.modified);
}

static void
judge_storage(struct surveyed *column)
{
    struct arena *arena = column->ctx->arena;
    const struct vector_target *target = &column->found.target;
    int64_t bytes = target->table_bytes + target->toast_bytes;
    struct finding *finding;

    if (!target->is_toasted || bytes <= 0)
        return;
    finding = survey_add(column, RULE_TOASTED, NULL,
        "%s: %s of %s (%.0f %%) stand in the TOAST table; storage is %s", survey_name(column),
        text_from_bytes(arena, target->toast_bytes), text_from_bytes(arena, bytes),
        100.0 * (double)target->toast_bytes / (double)bytes, target->storage);
    survey_number(column, finding, "toast_bytes", target->toast_bytes);
    survey_number(column, finding, "heap_bytes", target->table_bytes);
    survey_evidence(column, finding, "storage", target->storage);
}

void
survey_judge_rows(struct surveyed *column)
{
    judge_counts(column);
    judge_hashes(column);
    judge_dimensions(column);
    judge_tenant(column);
    judge_key(column);
    judge_statistics(column);
    judge_storage(column);
}
