/* Columns beside the vector: added empty, kept true by a trigger, filled for the rows there are. */
#include <math.h>

#include "change/judge.h"
#include "db/ident.h"
#include "vector/install/planning.h"

/*
 * Rows a second that a filling gets through, rests between batches included. Measured on two busy
 * cores with 5,000 rows of vector(1536): 3,100 for a halfvec, 1,400 for a tsvector of 15 words, fsync off; but
 * 76 and 101 with an hnsw index on the table, which takes each row in anew.
 */
enum { FILLED_ROWS_PER_SECOND = 1500, HNSW_ROWS_PER_SECOND = 100 };

/* WAL beside the row itself: of its update, and of its entry in each index. Measured so, too. */
enum { UPDATE_WAL_BYTES = 60, ENTRY_WAL_BYTES = 70 };

/* Adding a column or trigger takes no longer than writing its catalogue rows. */
enum { CATALOGUE_US = 20000, CATALOGUE_WAL_BYTES = 16384 };

static bool
add_column(struct ctx *ctx, struct planning *planning, const struct vector_kept_column *column)
{
    struct change change = planning_change(planning, KIND_COLUMN, column->name);

    change.column = column->name;
    change.type = column->type;
    change.storage = column->storage;
    change.reason = column->reason;
    change.us = CATALOGUE_US;
    change.wal_bytes = CATALOGUE_WAL_BYTES;
    return planning_add(ctx, planning, &change);
}

/*
 * In the table's own schema, so that it outlives schema pgmend. A trigger's function runs with the
 * rights of who writes the row, whose search_path must not change what it means.
 */
static bool
add_trigger(struct ctx *ctx, struct planning *planning, const struct vector_kept_column *column)
{
    struct change change = planning_change(planning, KIND_TRIGGER, column->trigger);
    const char *function = db_qualified(ctx->arena, planning->table.schema, column->trigger);
    const char *body =
        arena_printf(ctx->arena, "\nBEGIN\n    NEW.%s := %s;\n    RETURN NEW;\nEND\n",
            db_ident(ctx->arena, column->name), column->new_row);

    change.column = column->name;
    change.statement = arena_printf(ctx->arena,
        "CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path = pg_catalog, pg_temp AS %s",
        function, db_literal(ctx->arena, body));
    change.definition = arena_printf(ctx->arena,
        "CREATE TRIGGER %s BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s()",
        db_ident(ctx->arena, column->trigger), change_relation(ctx->arena, &change), function);
    change.reason = arena_printf(
        ctx->arena, "rows that are written from now on get their %s at once", column->name);
    change.us = CATALOGUE_US;
    change.wal_bytes = CATALOGUE_WAL_BYTES;
    return planning_add(ctx, planning, &change);
}

static const char *
fill_reason(struct ctx *ctx, const struct planning *planning)
{
    const char *triggers =
        planning->facts.triggers
            ? arena_printf(ctx->arena,
                  "; unless a superuser applies it, the table's own triggers run for each: %s",
                  planning->facts.triggers)
            : "";

    return arena_printf(ctx->arena,
        "the %s rows there are, in batches; estimated from %s and %.0f bytes a row of the heap%s",
        text_from_count(ctx->arena, llround(planning->rows)),
        planning->facts.rows >= 0 ? "the statistics" : "the table's size (it was never analysed)",
        planning->row_bytes, triggers);
}

/* Indexes of hnsw that are there make filling slow. */
static bool
estimate_fill(struct ctx *ctx, const struct planning *planning, int64_t *ret_us)
{
    struct sql_vector_plan_old_indexes_rows old;
    double us = 1e6 / FILLED_ROWS_PER_SECOND;

    if (!sql_vector_plan_old_indexes(ctx, planning->db, &old, .table_oid = planning->table.oid,
            .column_name = planning->target->column))
        return false;
    for (size_t i = 0; i < old.count; i++)
        if (text_equal(old.items[i].access_method, "hnsw"))
            us += 1e6 / HNSW_ROWS_PER_SECOND;
    *ret_us = llround(planning->rows * us) + CATALOGUE_US;
    return true;
}

static bool
add_fill(struct ctx *ctx, struct planning *planning, const struct vector_kept_column *column)
{
    struct change change = planning_change(planning, KIND_FILL, column->name);
    double width = planning->row_bytes + column->bytes;

    change.column = column->name;
    change.expression = column->expression;
    change.key = planning->target->key;
    change.reason = fill_reason(ctx, planning);
    /* Every row is written anew, beside its old version, and each page goes into the WAL whole. */
    change.bytes = llround(planning->rows * width);
    change.wal_bytes =
        change.bytes + planning->facts.heap_bytes +
        llround(planning->rows) * (UPDATE_WAL_BYTES + ENTRY_WAL_BYTES * planning->facts.indexes);
    return estimate_fill(ctx, planning, &change.us) && planning_add(ctx, planning, &change);
}

bool
planning_add_columns(struct ctx *ctx, struct planning *planning)
{
    static bool (*const steps[])(struct ctx *, struct planning *,
        const struct vector_kept_column *) = { add_column, add_trigger, add_fill };

    for (size_t step = 0; step < COUNT_OF(steps); step++)
        for (size_t i = 0; i < planning->columns.count; i++)
            if (!steps[step](ctx, planning, &planning->columns.items[i]))
                return false;
    return true;
}
