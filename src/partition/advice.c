#include "partition/advice.h"

#include <math.h>

#include "base/clock.h"
#include "db/ident.h"
#include "sql.h"

enum { DAY_S = 86400, LEAST_COUNTED_S = 86400, HALF_YEAR_DAYS = 182, MOST_STATEMENTS = 5 };

/* More rows a week than this, and a month's partition is itself large. */
static const double many_rows_a_week = 50e6;
/* Rows stand in the order of the column. */
static const double least_correlation = 0.9;
static const double least_filtered = 0.5;

static void
add_statement(struct arena *arena, struct partition_advice *advice, const char *query, double share)
{
    const struct partition_statement statement = { .query = query, .share = share };
    size_t at;

    VEC_PUSH(arena, &advice->everywhere, statement);
    for (at = advice->everywhere.count - 1;
         at > 0 && advice->everywhere.items[at - 1].share < share; at--)
        advice->everywhere.items[at] = advice->everywhere.items[at - 1];
    advice->everywhere.items[at] = statement;
    if (advice->everywhere.count > MOST_STATEMENTS)
        advice->everywhere.count = MOST_STATEMENTS;
}

static void
weigh_statements(
    struct arena *arena, const struct workload *workload, struct partition_advice *advice)
{
    double total = 0;
    double filtered = 0;

    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < workload->count; i++) {
            const struct workload_statement *statement = &workload->items[i];
            struct partition_use use;

            if (!statement->query)
                continue;
            use = partition_use_of(arena, statement->query, advice->table, advice->key);
            if (!use.is_of_table)
                continue;
            if (pass == 0) {
                total += statement->total_ms;
                filtered += use.has_key ? statement->total_ms : 0;
            } else if (!use.has_key && total > 0)
                add_statement(arena, advice, statement->query, statement->total_ms / total);
        }
    advice->filtered_share = total > 0 ? filtered / total : NAN;
}

static const char *
judge_size(struct arena *arena, const struct partition_question *question,
    const struct partition_advice *advice, bool *ret_large)
{
    int64_t limit = question->keep_us > 0 ? PARTITION_LEAST_EXPIRING_BYTES : PARTITION_LEAST_BYTES;
    int64_t bytes = advice->later_bytes > advice->bytes ? advice->later_bytes : advice->bytes;

    *ret_large = bytes >= limit;
    if (advice->bytes >= limit)
        return arena_printf(arena, "it has %s", text_from_bytes(arena, advice->bytes));
    if (*ret_large)
        return arena_printf(arena, "it has %s and will have %s in half a year",
            text_from_bytes(arena, advice->bytes), text_from_bytes(arena, bytes));
    return arena_printf(arena, "it has %s, and below %s one table is easier%s",
        text_from_bytes(arena, advice->bytes), text_from_bytes(arena, limit),
        question->keep_us > 0 ? "" : " (1.0 GB when old rows are to go: --keep TIME)");
}

static void
judge(
    struct arena *arena, const struct partition_question *question, struct partition_advice *advice)
{
    bool is_large;
    const char *size = judge_size(arena, question, advice, &is_large);
    const char *why = size;

    if (is_large && advice->correlation < least_correlation)
        why = arena_printf(arena,
            "%s, but its rows do not stand in the order of %s (correlation %.2f): rows of all "
            "times are written",
            size, db_ident(arena, advice->key), advice->correlation);
    else if (is_large && question->keep_us == 0 && !isnan(advice->filtered_share) &&
             advice->filtered_share < least_filtered)
        why = arena_printf(arena,
            "%s, but only %.0f %% of the time of its statements has a condition on %s: the others "
            "would look into every partition",
            size, 100 * advice->filtered_share, db_ident(arena, advice->key));
    else
        advice->is_worth = is_large;
    advice->verdict =
        arena_printf(arena, "%s: %s", advice->is_worth ? "worth it" : "not worth it", why);
}

static void
take_row(struct arena *arena, const struct partition_question *question,
    const struct sql_partition_tables *row, struct partition_advice *ret)
{
    double days = row->counted_s / DAY_S;

    *ret = (struct partition_advice){
        .schema = row->schema,
        .table = row->name,
        .qualified = db_qualified(arena, row->schema, row->name),
        .key = question->key ? question->key : row->key,
        .rows = (int64_t)row->rows,
        .bytes = row->bytes,
        .correlation = fabs(row->correlation),
        .rows_per_day = row->counted_s >= LEAST_COUNTED_S ? (double)row->inserted / days : NAN,
        .later_bytes = -1,
        .filtered_share = NAN,
    };
    if (!isnan(ret->rows_per_day) && row->rows > 0)
        ret->later_bytes = row->bytes + (int64_t)(ret->rows_per_day * HALF_YEAR_DAYS *
                                                  (double)row->bytes / row->rows);
    ret->unit = question->unit ? question->unit
                : !isnan(ret->rows_per_day) && ret->rows_per_day * 7 > many_rows_a_week ? "week"
                                                                                        : "month";
}

static bool
read_statements(
    struct ctx *ctx, struct db *db, struct workload *workload, struct partition_advices *ret)
{
    *workload = (struct workload){ 0 };
    if (workload_read(ctx, db, workload))
        return true;
    if (ctx->error.kind != ERR_NOT_FOUND && ctx->error.kind != ERR_UNSUPPORTED)
        return false;
    ret->no_statements = ctx->error.message;
    error_clear(ctx);
    return true;
}

bool
partition_advise(struct ctx *ctx, struct db *db, const struct partition_question *question,
    struct partition_advices *ret)
{
    struct sql_partition_tables_rows rows;
    struct workload workload;

    *ret = (struct partition_advices){ 0 };
    if (!sql_partition_tables(
            ctx, db, &rows, .name = question->table, .least_bytes = question->least_bytes) ||
        !read_statements(ctx, db, &workload, ret))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct partition_advice advice;
        struct partition_wish wish;

        take_row(ctx->arena, question, &rows.items[i], &advice);
        wish = (struct partition_wish){ .schema = advice.schema,
            .table = advice.table,
            .key = advice.key,
            .unit = advice.unit,
            .ahead = 1,
            .give_up = question->give_up };
        weigh_statements(ctx->arena, &workload, &advice);
        judge(ctx->arena, question, &advice);
        if (!partition_obstacles(ctx, db, &wish, &advice.obstacles))
            return false;
        VEC_PUSH(ctx->arena, ret, advice);
    }
    return true;
}
