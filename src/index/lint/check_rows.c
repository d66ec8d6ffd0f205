/* What comes of a statement once there are rows: by the statistics, or the rows themselves. */
#include <inttypes.h>
#include <math.h>

#include "index/lint/check.h"
#include "index/plan.h"

enum {
    MOST_ENTRY = 2704, /* bytes of a B-tree's entry: a third of a page */
    WIDE_KEY = 400,    /* bytes on average from which some row is likely to be too long */
    WIDE_INCLUDE = 64, /* the same of a column that is only carried along */
    MANY_INDEXES = 10,
    MANY_WRITES = 10000,
    ROWS_A_LIST = 1000,
    ROWS_OF_SQRT = 1000000,
    LISTS_FACTOR = 4, /* so far off is not told */
};

static double
rows_of(const struct lint_check *check)
{
    return check->index->table ? check->index->table->rows : -1;
}

/* Types whose values have no useful limit. */
static bool
is_unbounded(const struct fact_column *column)
{
    static const char *const types[] = { "text", "bytea", "jsonb", "json", "xml",
        "character varying", "tsvector", "hstore" };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (text_equal(column->type, types[i]))
            return true;
    return column->category == 'A';
}

static void
tell_wide(const struct lint_check *check, const struct fact_column *column, bool is_key)
{
    struct finding *finding = lint_tell(check, LINT_WIDE, column->name,
        "%s is %s without a limit, %.0f bytes on average: an entry of more than %d bytes makes the "
        "build fail, and later every INSERT of such a row",
        column->name, column->type, column->width, (int)MOST_ENTRY);

    if (finding)
        finding->instead =
            is_key ? arena_printf(check->ctx->arena, "Index md5(%s), or use a hash or GIN index.",
                         column->name)
                   : arena_printf(check->ctx->arena, "Leave %s out of INCLUDE.", column->name);
    check->index->is_doubtful = true;
    if (!is_key)
        check->index->wide_column = column->name;
}

static void
check_width(const struct lint_check *check)
{
    const struct lint_form *form = &check->index->form;
    const struct fact_column *column;

    if (!check->index->table || !form->is_read || !text_equal(form->method, "btree"))
        return;
    for (size_t i = 0; i < form->key_count; i++) {
        column =
            form->keys[i].column ? facts_column(check->index->table, form->keys[i].column) : NULL;
        if (column && is_unbounded(column) && column->has_statistics && column->width >= WIDE_KEY)
            tell_wide(check, column, true);
    }
    for (size_t i = 0; i < form->include.count; i++) {
        column = facts_column(check->index->table, form->include.items[i]);
        if (column && is_unbounded(column) && column->has_statistics &&
            column->width >= WIDE_INCLUDE)
            tell_wide(check, column, false);
        /* Nobody knows how wide: what it covers is kept. */
        if (column && is_unbounded(column) && !column->has_statistics)
            check->index->is_doubtful = true;
    }
}

/* A value that the statistics have seen in more than one row; NULL: they prove nothing. */
static const char *
repeated_value(const struct lint_check *check, const struct fact_column *column)
{
    double rows = rows_of(check);
    double filled = rows * (1 - column->null_share);

    if (column->common_count > 0 && column->common_shares[0] * rows >= 2)
        return arena_printf(check->ctx->arena, "%.0f rows have the value %s",
            column->common_shares[0] * rows, column->common[0]);
    if (column->distinct > 0 && column->distinct * 2 < filled)
        return arena_printf(
            check->ctx->arena, "%.0f rows have about %.0f values", filled, column->distinct);
    return NULL;
}

static void
check_unique(const struct lint_check *check)
{
    const struct lint_form *form = &check->index->form;
    const struct fact_column *column;
    const char *proof;

    if (!check->statement->is_unique || !check->index->table || form->key_count != 1 ||
        form->predicate || !form->keys[0].column || rows_of(check) < 2)
        return;
    column = facts_column(check->index->table, form->keys[0].column);
    proof = column && column->has_statistics ? repeated_value(check, column) : NULL;
    if (proof)
        lint_tell(check, LINT_NOT_UNIQUE, column->name,
            "%s is not unique by the statistics of %s: %s", column->name,
            check->index->table->analyzed_at ? check->index->table->analyzed_at : "ANALYZE", proof);
}

/* The rows are asked as the plan of "index apply" asks them. */
static bool
ask_unique(const struct lint_check *check)
{
    const struct lint_statement *statement = check->statement;
    struct script_index one = {
        .source = "",
        .text = statement->text,
        .name = statement->name,
        .table = statement->table,
        .rest = statement->rest,
        .is_unique = true,
    };
    const struct index_script script = { .items = &one, .count = 1 };
    struct plan plan;
    const char *value = NULL;

    if (!check->options->check_data || !statement->is_unique || check->index->is_out ||
        lint_has_told(check->index, LINT_NOT_UNIQUE))
        return true;
    if (!index_plan(check->ctx, check->db, &script, &plan))
        return error_wrap(check->ctx, "asking the rows of %s", statement->table);
    if (plan.count == 0 || !plan.items[0].duplicates)
        return true;
    if (!db_value(check->ctx, check->db, plan.items[0].duplicates, NULL, 0, &value))
        return error_wrap(check->ctx, "asking the rows of %s", statement->table);
    if (value)
        lint_tell(check, LINT_NOT_UNIQUE, NULL, "%s is not unique: %s is in more than one row",
            statement->table, *value ? value : "an empty text");
    return true;
}

static int64_t
lists_for(double rows)
{
    double lists = rows <= ROWS_OF_SQRT ? rows / ROWS_A_LIST : sqrt(rows);

    return lists < 10 ? 10 : (int64_t)lists;
}

static void
check_lists(const struct lint_check *check)
{
    double rows = rows_of(check);
    int64_t written = check->statement->lists > 0 ? check->statement->lists : 100;
    int64_t fit;

    if (!text_equal(check->index->form.method, "ivfflat"))
        return;
    if (rows < 1) {
        lint_tell(check, LINT_EMPTY, NULL, "%s has no rows that ivfflat could learn its lists from",
            check->statement->table);
        return;
    }
    fit = lists_for(rows);
    if (written <= fit * LISTS_FACTOR && written * LISTS_FACTOR >= fit)
        return;
    check->index->fit_lists = fit;
    lint_tell(check, LINT_LISTS, "lists",
        "lists = %" PRId64 " does not fit the %.0f rows of %s: about %" PRId64 " would", written,
        rows, check->statement->table, fit);
}

static void
check_writes(const struct lint_check *check)
{
    const struct fact_table *table = check->index->table;
    size_t count = table->index_count;
    double writes = table->inserts + table->deletes + table->updates;

    for (size_t i = 0; i < check->position; i++) {
        /* Once a table is enough. */
        if (check->lint->indexes[i].table == table &&
            lint_has_told(&check->lint->indexes[i], LINT_MANY))
            return;
        count += check->lint->indexes[i].table == table && !check->lint->indexes[i].is_out &&
                 check->lint->script.items[i].kind == LINT_INDEX &&
                 !lint_has_told(&check->lint->indexes[i], LINT_EXISTS);
    }
    if (count < MANY_INDEXES || writes < MANY_WRITES)
        return;
    lint_tell(check, LINT_MANY, NULL, "%s has %zu indexes before this one, and %.0f rows written",
        check->statement->table, count, writes);
}

bool
lint_check_rows(struct lint_check *check)
{
    const struct fact_table *table = check->index->table;

    if (table && table->is_unlogged)
        lint_tell(check, LINT_UNLOGGED, NULL,
            "%s is unlogged: after a crash it is empty, and standbys never have it",
            check->statement->table);
    if (!table)
        return true;
    check_width(check);
    if (!check->options->has_rows)
        return true;
    if (check->statement->concurrently.end == 0 && table->kind != 'p' && table->rows > 0)
        lint_tell(check, LINT_NOT_CONCURRENT, NULL,
            "writes to %s, which has about %s rows, wait until %s is built",
            check->statement->table, text_from_count(check->ctx->arena, (int64_t)table->rows),
            check->statement->name ? check->statement->name : "the index");
    check_unique(check);
    check_lists(check);
    check_writes(check);
    return ask_unique(check);
}
