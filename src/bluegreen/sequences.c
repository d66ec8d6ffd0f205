/* Sequences are not replicated: the other side gets their values while nothing is written, and a margin. */
#include <inttypes.h>

#include "bluegreen/part.h"
#include "db/ident.h"
#include "sql.h"

/* A value further by margin steps, if there is room for it; a sequence that starts anew stays where it is. */
static int64_t
further(const struct sql_bluegreen_sequences *sequence, int64_t value, int64_t margin)
{
    int64_t step, result;

    if (sequence->can_cycle || __builtin_mul_overflow(margin, sequence->increment, &step) ||
        __builtin_add_overflow(value, step, &result) || result > sequence->most ||
        result < sequence->least)
        return value;
    return result;
}

bool
bg_carry_sequences(
    struct ctx *ctx, struct bluegreen *pair, int target, int64_t margin, size_t *ret_count)
{
    struct db *from = pair->dbs[bluegreen_other(target)];
    struct sql_bluegreen_sequences_rows rows;
    struct sql_bluegreen_set_sequence_rows ignored;

    if (!sql_bluegreen_sequences(ctx, from, &rows))
        return error_wrap(ctx, "reading the sequences");
    for (size_t i = 0; i < rows.count; i++) {
        const char *name = db_qualified(ctx->arena, rows.items[i].schema, rows.items[i].name);
        struct result result;
        int64_t value;
        bool is_called;

        if (!db_query(ctx, from,
                arena_printf(ctx->arena, "SELECT last_value, is_called FROM %s", name), NULL, 0,
                &result) ||
            !text_to_int64(result_cell(&result, 0, 0), &value))
            return error_wrap(ctx, "reading sequence %s", name);
        is_called = text_equal(result_cell(&result, 0, 1), "t");
        if (is_called)
            value = further(&rows.items[i], value, margin);
        if (!sql_bluegreen_set_sequence(ctx, pair->dbs[target], &ignored, .name = name,
                .value = value, .is_called = is_called))
            return error_wrap(ctx, "setting sequence %s on the other side", name);
    }
    *ret_count = rows.count;
    return true;
}
