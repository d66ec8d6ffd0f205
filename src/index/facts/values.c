/* Common values and histograms: most of what facts weigh, so they are fetched by so many tables at a time. */
#include <inttypes.h>
#include <math.h>

#include "index/facts/facts_part.h"
#include "sql.h"

enum { TABLES_AT_A_TIME = 50, MOST_BOUNDS = 101 };

/* Every so-maniest bound, the outermost two among them: their distances stay the same. */
static void
thin_out(struct arena *arena, struct fact_column *column)
{
    if (column->bound_count <= MOST_BOUNDS)
        return;

    const char **thin = ARENA_ARRAY(arena, const char *, MOST_BOUNDS);

    for (size_t i = 0; i < MOST_BOUNDS; i++)
        thin[i] = column->bounds[i * (column->bound_count - 1) / (MOST_BOUNDS - 1)];
    column->bounds = thin;
    column->bound_count = MOST_BOUNDS;
}

static const double *
copy_shares(struct arena *arena, const char *text, size_t most)
{
    double *shares = ARENA_ARRAY(arena, double, most + 1);
    const char **items;
    size_t count;

    facts_array(arena, arena_strdup(arena, text), &items, &count);
    for (size_t i = 0; i < count && i < most; i++)
        if (!items[i] || !text_to_double(items[i], &shares[i]))
            shares[i] = 0;
    return shares;
}

static void
copy_values(
    struct arena *arena, const struct sql_index_facts_values *row, struct fact_column *column)
{
    if (row->common && row->shares) {
        facts_array(
            arena, arena_strdup(arena, row->common), &column->common, &column->common_count);
        column->common_shares = copy_shares(arena, row->shares, column->common_count);
    }
    if (row->bounds) {
        facts_array(arena, arena_strdup(arena, row->bounds), &column->bounds, &column->bound_count);
        thin_out(arena, column);
    }
    if (row->elements > 0 && row->element_shares) {
        column->element_count = (size_t)row->elements;
        column->element_shares = copy_shares(arena, row->element_shares, column->element_count);
        for (size_t i = 0; i < column->element_count; i++)
            column->elements_a_row += column->element_shares[i];
        column->elements_a_row =
            fmax(column->elements_a_row, isnan(row->elements_a_row) ? 0 : row->elements_a_row);
    }
}

static struct fact_column *
column_of(const struct fact_table *table, int32_t number)
{
    for (size_t i = 0; table && i < table->column_count; i++)
        if (table->columns[i].number == number)
            return &table->columns[i];
    return NULL;
}

/* The reason, out of an arena that ends before it is told. */
static bool
take_error(struct ctx *ctx, const struct error *error)
{
    error_set(ctx, error->kind, "%s", error->message);
    memcpy(ctx->error.sqlstate, error->sqlstate, sizeof(error->sqlstate));
    if (error->detail)
        ctx->error.detail = arena_strdup(ctx->arena, error->detail);
    if (error->hint)
        ctx->error.hint = arena_strdup(ctx->arena, error->hint);
    return false;
}

static bool
load_some(struct ctx *ctx, struct db *db, const struct facts_finder *finder, size_t from)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    struct buffer tables = { .arena = arena };
    struct sql_index_facts_values_rows rows;

    for (size_t i = from; i < from + TABLES_AT_A_TIME && i < finder->facts->count; i++)
        buffer_printf(&tables, "%s%" PRIu32, i == from ? "{" : ",", finder->by_oid[i]->oid);
    buffer_add(&tables, "}");
    if (!sql_index_facts_values(&scratch, db, &rows, buffer_text(&tables)))
        return take_error(ctx, &scratch.error);
    for (size_t i = 0; i < rows.count; i++) {
        struct fact_column *column =
            column_of(facts_find(finder, rows.items[i].table_oid), rows.items[i].number);

        if (column)
            copy_values(ctx->arena, &rows.items[i], column);
    }
    return true;
}

bool
facts_load_values(struct ctx *ctx, struct db *db, const struct facts_finder *finder)
{
    for (size_t i = 0; i < finder->facts->count; i += TABLES_AT_A_TIME)
        if (!load_some(ctx, db, finder, i))
            return false;
    return true;
}
