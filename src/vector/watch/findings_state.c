/* What the catalogue and a sample of rows say: indexes, columns, triggers, functions, pgvector. */
#include "change/journal.h"
#include "change/kind.h"
#include "db/ident.h"
#include "sql.h"
#include "vector/install/columns.h"
#include "vector/install/install.h"
#include "vector/watch/findings.h"

/* Rows whose stored columns are compared, about. */
enum { SAMPLED_ROWS = 2000 };

/* Searches by bits live from index-only scans. */
#define VISIBLE_ENOUGH .8
enum { FEW_PAGES = 8 };

/* Without what the server writes otherwise: spaces, and quotes around numbers. */
static const char *
bare(struct arena *arena, const char *definition)
{
    struct buffer text = { .arena = arena };

    for (const char *at = definition; *at; at++)
        if (!strchr(" '", *at))
            buffer_append(&text, at, 1);
    return buffer_text(&text);
}

/* An index of the same definition under another name does as well. */
static bool
has_equivalent(struct arena *arena, const struct sql_catalog_table_indexes_rows *indexes,
    const struct vector_extra_index *wanted)
{
    for (size_t i = 0; i < indexes->count; i++)
        if (indexes->items[i].is_valid && indexes->items[i].is_ready &&
            text_equal(bare(arena, indexes->items[i].definition), bare(arena, wanted->definition)))
            return true;
    return false;
}

static void
invalid(struct arena *arena, const char *name, struct vector_check *check)
{
    check_find(arena, check, INDEX_INVALID, NULL, "index %s is INVALID", name);
    check_advise(check, arena_printf(arena, "`REINDEX INDEX CONCURRENTLY %s;`", name));
}

static void
find_index(struct arena *arena, const struct sql_catalog_table_indexes_rows *indexes,
    const struct vector_extra_index *wanted, struct vector_check *check)
{
    for (size_t i = 0; i < indexes->count; i++) {
        const struct sql_catalog_table_indexes *index = &indexes->items[i];

        if (!text_equal(index->name, wanted->name))
            continue;
        if (!index->is_valid || !index->is_ready)
            invalid(arena, db_qualified(arena, index->schema, index->name), check);
        return;
    }
    if (!has_equivalent(arena, indexes, wanted))
        check_find(arena, check, INDEX_MISSING, NULL, "index %s is not there",
            db_qualified(arena, check->choice.target.schema, wanted->name));
}

/* Where nothing was measured, nothing was built either: exact search over the table as it is. */
static bool
find_indexes(struct ctx *ctx, const struct inquiry *inquiry, struct vector_check *check)
{
    struct sql_catalog_table_indexes_rows indexes;
    struct vector_ways ways = vector_choice_ways(ctx->arena, &inquiry->choice);
    struct text_list known = { 0 };

    if (!inquiry->choice.was_measured)
        return true;
    if (!sql_catalog_table_indexes(
            ctx, inquiry->db, &indexes, .table_oid = inquiry->choice.target.table_oid))
        return false;
    for (size_t i = 0; i < ways.count; i++) {
        struct vector_parts parts;

        vector_method_parts(ctx->arena, &inquiry->choice.target, ways.items[i].method,
            ways.items[i].tenant, "", &parts);
        for (size_t k = 0; k < parts.indexes.count; k++) {
            if (text_list_has(&known, parts.indexes.items[k].name))
                continue;
            text_list_add(ctx->arena, &known, parts.indexes.items[k].name);
            find_index(ctx->arena, &indexes, &parts.indexes.items[k], check);
        }
    }
    return true;
}

/*
 * Rows of a sample whose column is not what its expression gives. Images are compared, as types of
 * extensions have their "=" outside of the search_path.
 */
static bool
find_unfilled(struct ctx *ctx, const struct inquiry *inquiry,
    const struct vector_kept_column *column, struct vector_check *check)
{
    double rows = (double)inquiry->sizes.rows;
    double percent = rows > SAMPLED_ROWS ? 100 * SAMPLED_ROWS / rows : 100;
    const char *sql = arena_printf(ctx->arena,
        "SELECT pg_catalog.count(*) FILTER (WHERE pg_catalog.record_image_ne(ROW(t.%1$s), "
        "ROW((%2$s)::%3$s))), pg_catalog.count(*) FROM %4$s AS t TABLESAMPLE SYSTEM (%5$.6f)",
        db_ident(ctx->arena, column->name), column->expression, column->type,
        vector_table(ctx->arena, &inquiry->choice.target), percent);
    struct result result;
    int64_t wrong = 0;
    int64_t seen = 0;

    if (!db_query(ctx, inquiry->db, sql, NULL, 0, &result) || result.rows != 1 ||
        !text_to_int64(result_cell(&result, 0, 0), &wrong) ||
        !text_to_int64(result_cell(&result, 0, 1), &seen))
        return error_wrap(ctx, "comparing column %s with what it should hold", column->name);
    if (wrong == 0)
        return true;
    check_find(ctx->arena, check, COLUMN_NOT_FILLED, NULL,
        "%s of %s rows that were looked at have another %s than they should",
        text_from_count(ctx->arena, wrong), text_from_count(ctx->arena, seen), column->name);
    check_advise(
        check, arena_printf(ctx->arena,
                   "`UPDATE %1$s SET %2$s = %3$s WHERE pg_catalog.record_image_ne(ROW(%2$s), "
                   "ROW((%3$s)::%4$s));`",
                   vector_table(ctx->arena, &inquiry->choice.target),
                   db_ident(ctx->arena, column->name), column->expression, column->type));
    return true;
}

static bool
find_column(struct ctx *ctx, const struct inquiry *inquiry, const struct vector_kept_column *column,
    struct vector_check *check)
{
    struct sql_vector_check_column_rows rows;
    const struct sql_vector_check_column *found;

    if (!sql_vector_check_column(ctx, inquiry->db, &rows,
            .table_oid = inquiry->choice.target.table_oid, .column_name = column->name,
            .trigger_name = column->trigger))
        return false;
    if (rows.count != 1)
        return error_set(ctx, ERR_FAILED, "the catalogue gave no answer");
    found = &rows.items[0];
    if (!found->is_enabled) {
        check_find(ctx->arena, check, TRIGGER_DISABLED, NULL,
            "trigger %s, which keeps column %s true, %s", db_ident(ctx->arena, column->trigger),
            column->name, found->has_trigger ? "does not run" : "is not there");
        if (found->has_trigger)
            check_advise(check, arena_printf(ctx->arena, "`ALTER TABLE %s ENABLE TRIGGER %s;`",
                                    vector_table(ctx->arena, &inquiry->choice.target),
                                    db_ident(ctx->arena, column->trigger)));
    }
    if (found->has_column)
        return find_unfilled(ctx, inquiry, column, check);
    check_find(ctx->arena, check, COLUMN_NOT_FILLED, NULL, "column %s is not there", column->name);
    return true;
}

static bool
find_columns(struct ctx *ctx, const struct inquiry *inquiry, struct vector_check *check)
{
    struct vector_kept_columns columns = { 0 };
    struct vector_choice choice = inquiry->choice;

    vector_columns_of_methods(ctx->arena, &choice, &columns);
    if (choice.text_column &&
        !vector_columns_of_text(ctx, inquiry->db, choice.target.table_oid, 0, &choice, &columns))
        return false;
    for (size_t i = 0; i < columns.count; i++)
        if (!find_column(ctx, inquiry, &columns.items[i], check))
            return false;
    return true;
}

/* The kind of change knows whether a function is there as it would be made. */
static bool
find_functions(struct ctx *ctx, const struct inquiry *inquiry, struct vector_check *check)
{
    const struct change_kind *kind = change_kind_find(KIND_FUNCTION);
    const char *schema = inquiry->function_schema ? inquiry->function_schema : "public";
    struct vector_functions functions = { 0 };
    struct journal_entries journal;

    if (!vector_functions_make(ctx, &inquiry->choice, schema, &functions) ||
        !journal_load(ctx, inquiry->db, &journal))
        return false;
    for (size_t i = 0; kind && i < functions.items.count; i++) {
        const struct vector_function *function = &functions.items.items[i];
        struct change change = {
            .kind = KIND_FUNCTION,
            .schema = schema,
            .name = function->name,
            .arguments = function->arguments,
            .statement = function->statement,
        };

        if (!kind->judge(ctx, inquiry->db, &journal, &change))
            return false;
        if (change.action != ACTION_NONE)
            check_find(ctx->arena, check, FUNCTIONS_CHANGED, NULL,
                "function %s(%s) is not the one that was installed",
                db_qualified(ctx->arena, schema, function->name), function->arguments);
    }
    return true;
}

static bool
uses_bits(const struct vector_choice *choice)
{
    bool uses = choice->base.family == FAMILY_BITS;

    for (size_t i = 0; i < choice->specials.count; i++)
        uses |= choice->specials.items[i].method.family == FAMILY_BITS;
    return uses;
}

static bool
find_surroundings(struct ctx *ctx, const struct inquiry *inquiry, struct vector_check *check)
{
    const struct vector_target *target = &inquiry->choice.target;
    struct sql_vector_check_state_rows rows;

    if (!sql_vector_check_state(ctx, inquiry->db, &rows, .table_oid = target->table_oid))
        return false;
    if (rows.count != 1)
        return error_set(ctx, ERR_NOT_FOUND, "the table is not there any more");
    if (rows.items[0].pgvector && target->extension_version &&
        !text_equal(rows.items[0].pgvector, target->extension_version))
        check_find(ctx->arena, check, PGVECTOR_CHANGED, NULL,
            "pgvector is %s, it was %s when the search was chosen", rows.items[0].pgvector,
            target->extension_version);
    if (uses_bits(&inquiry->choice) && rows.items[0].pages >= FEW_PAGES &&
        rows.items[0].visible_ratio < VISIBLE_ENOUGH)
        check_find(ctx->arena, check, NOT_INDEX_ONLY, NULL,
            "%.0f %% of the table's %s pages are known to be visible to all",
            rows.items[0].visible_ratio * 100, text_from_count(ctx->arena, rows.items[0].pages));
    return true;
}

bool
check_find_state(struct ctx *ctx, const struct inquiry *inquiry, struct vector_check *check)
{
    return (find_indexes(ctx, inquiry, check) && find_columns(ctx, inquiry, check) &&
               find_functions(ctx, inquiry, check) && find_surroundings(ctx, inquiry, check)) ||
           error_wrap(ctx, "looking at what the search rests on");
}
