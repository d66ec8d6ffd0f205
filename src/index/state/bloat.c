#include "index/state/bloat.h"

#include <math.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "db/ident.h"
#include "sql.h"

enum { ALL = 1000000, PAGE_BYTES = 8192 };

static const struct index_state *
find_oid(const struct index_states *states, uint32_t oid)
{
    for (size_t i = 0; i < states->items.count; i++)
        if (states->items.items[i].row->oid == oid)
            return &states->items.items[i];
    return NULL;
}

static int
compare_waste(const void *a, const void *b)
{
    const struct index_bloat *left = a;
    const struct index_bloat *right = b;

    if (left->waste != right->waste)
        return left->waste < right->waste ? 1 : -1;
    return strcmp(left->index->object, right->index->object);
}

static void
sort(struct index_bloats *bloats)
{
    if (bloats->count > 0)
        qsort(bloats->items, bloats->count, sizeof(bloats->items[0]), compare_waste);
}

bool
index_bloat_estimate(struct ctx *ctx, struct db *db, const struct index_states *states,
    int64_t least_bytes, struct index_bloats *ret)
{
    struct sql_monitor_bloat_rows rows;

    *ret = (struct index_bloats){ 0 };
    if (!sql_monitor_bloat(ctx, db, &rows, .most_rows = ALL))
        return error_wrap(ctx, "estimating how much of the indexes is waste");
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_monitor_bloat *row = &rows.items[i];
        const struct index_state *index = *row->indexrelname ? find_oid(states, row->relid) : NULL;
        bool is_known = !isnan(row->bloat_bytes);
        const struct index_bloat bloat = {
            .index = index,
            .waste = is_known ? (int64_t)row->bloat_bytes : -1,
            .ratio = row->bloat_ratio,
            .note = is_known ? NULL : "no statistics of its columns: ANALYZE the table",
        };

        if (index && index_state_is_good(index) && index->bytes >= least_bytes)
            VEC_PUSH(ctx->arena, ret, bloat);
    }
    sort(ret);
    return true;
}

/* What pgstatindex() tells of a B-tree, in the order of its columns that are asked for. */
enum { LEAF_PAGES, EMPTY_PAGES, DELETED_PAGES, DENSITY, FRAGMENTATION, SIZE, ANSWERS };

static double
number(const struct result *result, size_t column)
{
    const char *cell = result_cell(result, 0, column);
    double ret = NAN;

    return cell && text_to_double(cell, &ret) ? ret : NAN;
}

/* As if the leaf pages were filled as the index wants them, and no page were empty. */
static void
take_answer(struct ctx *ctx, const struct result *result, struct index_bloat *ret)
{
    const char *option = strstr(ret->index->row->definition, "fillfactor='");
    double fill = option ? strtod(option + strlen("fillfactor='"), NULL) : 90;
    double density = number(result, DENSITY);
    double needed = isnan(density) ? 0 : number(result, LEAF_PAGES) * fmin(density / fill, 1);
    double pages = number(result, LEAF_PAGES) - needed + number(result, EMPTY_PAGES) +
                   number(result, DELETED_PAGES);
    double size = number(result, SIZE);

    ret->is_exact = true;
    ret->waste = (int64_t)(pages * PAGE_BYTES);
    ret->ratio = size > 0 ? pages * PAGE_BYTES / size : 0;
    ret->note = isnan(density)
                    ? "it is empty"
                    : arena_printf(ctx->arena, "leaves %.0f %% full, %.0f %% out of order", density,
                          number(result, FRAGMENTATION));
}

static bool
is_fatal(const struct ctx *ctx)
{
    return ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED ||
           ctx->error.kind == ERR_TERMINATED;
}

/* One that is locked, gone or refused keeps its estimate. */
static bool
read_one(struct ctx *ctx, struct db *db, const char *schema, struct index_bloat *ret)
{
    struct result result;
    const char *params[] = { ret->index->object };
    const char *sql = arena_printf(ctx->arena,
        "SELECT s.leaf_pages, s.empty_pages, s.deleted_pages, NULLIF(s.avg_leaf_density, 'NaN'),"
        " NULLIF(s.leaf_fragmentation, 'NaN'), s.index_size"
        " FROM %s.pgstatindex($1::pg_catalog.text) AS s",
        db_ident(ctx->arena, schema));

    if (db_query(ctx, db, sql, params, COUNT_OF(params), &result) && result.rows == 1 &&
        result.columns == ANSWERS) {
        take_answer(ctx, &result, ret);
        return true;
    }
    if (is_fatal(ctx))
        return false;
    ret->note = arena_printf(ctx->arena, "not read: %s", ctx->error.message);
    error_clear(ctx);
    return true;
}

bool
index_bloat_read(struct ctx *ctx, struct db *db, const struct index_bloat_options *options,
    struct index_bloats *bloats)
{
    struct sql_index_state_pgstattuple_rows rows;
    int64_t started = clock_us();

    if (!sql_index_state_pgstattuple(ctx, db, &rows))
        return false;
    if (rows.count == 0 || !rows.items[0].is_allowed) {
        bloats->why_not_exact =
            rows.count == 0
                ? "the extension pgstattuple is not there: CREATE EXTENSION pgstattuple;"
                : arena_printf(ctx->arena,
                      "role %s may not call pgstatindex(): GRANT "
                      "pg_stat_scan_tables TO %s;",
                      db_user(db), db_ident(ctx->arena, db_user(db)));
        return true;
    }
    /* Who holds an index exclusively is not waited for. */
    if (!db_set(ctx, db, "lock_timeout", "500ms"))
        return false;
    for (size_t i = 0; i < bloats->count; i++) {
        struct index_bloat *bloat = &bloats->items[i];

        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (options->progress)
            options->progress(options->data, bloat->index->object,
                (double)i / (double)bloats->count, clock_us() - started);
        if (bloat->index->bytes > options->most_bytes)
            bloat->note = arena_printf(ctx->arena, "not read: bigger than %s",
                text_from_bytes(ctx->arena, options->most_bytes));
        else if (!read_one(ctx, db, rows.items[0].schema, bloat))
            return error_wrap(ctx, "reading %s", bloat->index->object);
    }
    sort(bloats);
    return true;
}
