#include "db/ident.h"
#include "vector/target/survey_part.h"

enum { TIMEOUT_US = 20000000 };

struct finding *
survey_add(
    struct surveyed *column, enum survey_rule rule, const char *object, const char *format, ...)
{
    va_list args;
    struct finding *finding;

    va_start(args, format);
    finding = finding_add(&column->survey->findings, &vector_rules[rule], (struct place){ 0 }, "%s",
        arena_vprintf(column->ctx->arena, format, args));
    va_end(args);
    finding->object = object ? object : survey_name(column);
    return finding;
}

void
survey_evidence(
    struct surveyed *column, struct finding *finding, const char *name, const char *value)
{
    finding_evidence(&column->survey->findings, finding, name, value);
}

void
survey_number(struct surveyed *column, struct finding *finding, const char *name, int64_t number)
{
    survey_evidence(
        column, finding, name, arena_printf(column->ctx->arena, "%lld", (long long)number));
}

const char *
survey_name(const struct surveyed *column)
{
    struct arena *arena = column->ctx->arena;
    const struct vector_target *target = &column->found.target;

    return arena_printf(
        arena, "%s.%s", vector_table(arena, target), db_ident(arena, target->column));
}

bool
survey_is_told(const struct surveyed *column, enum survey_rule rule)
{
    const struct findings *findings = &column->survey->findings;

    for (size_t i = column->first_finding; i < findings->count; i++)
        if (findings->items[i].rule == &vector_rules[rule])
            return true;
    return false;
}

bool
survey_is_ann(const struct sql_vector_target_indexes *index)
{
    return index->is_on_vector &&
           (strcmp(index->method, "hnsw") == 0 || strcmp(index->method, "ivfflat") == 0) &&
           !text_starts_with(index->opclass, "bit_");
}

static void
add_note(struct vector_survey *survey, struct arena *arena, const struct vector_observer *observer,
    const char *text)
{
    if (text_list_has(&survey->notes, text))
        return;
    text_list_add(arena, &survey->notes, text);
    vector_note(observer, text);
}

bool
survey_goes_on(struct surveyed *column, const char *what)
{
    struct ctx *ctx = column->ctx;

    if (ctx->error.kind != ERR_TIMEOUT && ctx->error.kind != ERR_SERVER &&
        ctx->error.kind != ERR_RIGHTS)
        return false;
    add_note(column->survey, ctx->arena, column->observer,
        arena_printf(
            ctx->arena, "%s: %s was left out: %s", survey_name(column), what, ctx->error.message));
    error_clear(ctx);
    return true;
}

static void
copy_indexes(struct surveyed *column)
{
    for (size_t i = 0; i < column->found.indexes.count; i++) {
        const struct sql_vector_target_indexes *index = &column->found.indexes.items[i];

        VEC_PUSH(column->ctx->arena, &column->facts->indexes,
            (struct vector_index){ .name = index->name,
                .method = index->method,
                .opclass = index->opclass,
                .definition = index->definition,
                .bytes = index->bytes,
                .scans = index->scans,
                .is_valid = index->is_valid,
                .lists = index->lists,
                .is_on_vector = index->is_on_vector });
    }
}

static bool
load_table(struct surveyed *column)
{
    struct ctx *ctx = column->ctx;
    struct sql_vector_survey_table_rows rows;
    const char *ignored;
    const char *wake = arena_printf(ctx->arena, "SELECT '[1]'::%s::pg_catalog.text",
        db_qualified(ctx->arena, column->found.target.extension_schema, "vector"));

    /* The settings of pgvector are known to a session that has loaded it. */
    if (!db_value(ctx, column->db, wake, NULL, 0, &ignored) ||
        !sql_vector_survey_table(ctx, column->db, &rows, column->found.target.table_oid))
        return false;
    if (rows.count != 1)
        return error_set(ctx, ERR_CONFLICT, "%s is gone", survey_name(column));
    column->table = rows.items[0];
    if (column->table.is_row_security)
        add_note(column->survey, ctx->arena, column->observer,
            arena_printf(ctx->arena,
                "%s: row-level security hides rows from this role; all figures are of what it sees",
                survey_name(column)));
    return true;
}

static bool
look_at(struct finder *finder, const struct sql_vector_target_columns *row,
    const struct vector_observer *observer, struct vector_survey *survey)
{
    struct ctx *ctx = finder->ctx;
    struct vector_facts facts = { 0 };
    struct surveyed column = {
        .ctx = ctx,
        .db = finder->db,
        .observer = observer,
        .survey = survey,
        .facts = &facts,
        .first_finding = survey->findings.count,
    };

    if (!finder_column(finder, row, &column.found))
        return false;
    facts.target = column.found.target;
    for (size_t i = 0; i < column.found.searches.count; i++)
        facts.searches += column.found.searches.items[i]->calls;
    vector_progress(observer,
        arena_printf(ctx->arena, "counting the rows of %s", survey_name(&column)), -1, -1);
    if (!load_table(&column) || !vector_sizes_load(ctx, finder->db, &facts.target, &facts.sizes))
        return false;
    copy_indexes(&column);
    vector_progress(
        observer, arena_printf(ctx->arena, "reading rows of %s", survey_name(&column)), -1, -1);
    if (!survey_rows(&column))
        return false;
    survey_judge_rows(&column);
    survey_judge_indexes(&column);
    survey_judge_version(&column);
    vector_progress(
        observer, arena_printf(ctx->arena, "trying searches on %s", survey_name(&column)), -1, -1);
    if (!survey_judge_plans(&column))
        return false;
    survey_judge_use(&column);
    VEC_PUSH(ctx->arena, &survey->columns, facts);
    return true;
}

static void
note_left_out(struct finder *finder, const struct sql_vector_target_columns *row,
    const struct vector_observer *observer, struct vector_survey *survey)
{
    struct arena *arena = finder->ctx->arena;

    add_note(survey, arena, observer,
        arena_printf(arena, "%s.%s was left out: %s",
            db_qualified(arena, row->schema, row->table_name), db_ident(arena, row->column_name),
            row->may_read ? "the table is partitioned" : "this role may not read the table"));
}

static size_t
count_wished(const struct finder *finder)
{
    size_t count = 0;

    for (size_t i = 0; i < finder->columns.count; i++)
        count += finder_is_wished(finder, &finder->columns.items[i]);
    return count;
}

/*
 * What the user said may be about one of several tables: one that has no such column is left out,
 * unless that leaves none.
 */
static bool
look_at_all(
    struct finder *finder, const struct vector_observer *observer, struct vector_survey *ret)
{
    struct ctx *ctx = finder->ctx;
    struct error refused = { 0 };
    bool is_one_of_many = count_wished(finder) > 1;

    for (size_t i = 0; i < finder->columns.count; i++) {
        const struct sql_vector_target_columns *row = &finder->columns.items[i];

        if (!finder_is_wished(finder, row))
            continue;
        if (!row->may_read || strcmp(row->kind, "r") != 0) {
            note_left_out(finder, row, observer, ret);
        } else if (!look_at(finder, row, observer, ret)) {
            if (ctx->error.kind != ERR_USAGE || !is_one_of_many)
                return false;
            refused = ctx->error;
            error_clear(ctx);
            add_note(ret, ctx->arena, observer,
                arena_printf(ctx->arena, "left out: %s", refused.message));
        }
    }
    if (ret->columns.count > 0)
        return true;
    ctx->error = refused;
    return refused.kind == ERR_NONE ? finder_refuse(finder) : false;
}

bool
vector_survey(struct ctx *ctx, struct db *db, const struct vector_wish *wish,
    const struct vector_observer *observer, struct vector_survey *ret)
{
    struct finder finder;

    *ret = (struct vector_survey){ .findings = { .arena = ctx->arena } };
    if (!finder_begin(ctx, db, wish, &finder))
        return error_wrap(ctx, "looking for vector columns");
    ret->pgvector = finder.extension_version;
    if (finder.workload.problem)
        add_note(ret, ctx->arena, observer,
            arena_printf(ctx->arena, "the workload: %s", finder.workload.problem));
    if (!look_at_all(&finder, observer, ret))
        return false;
    findings_sort(&ret->findings);
    return true;
}
