/* Tables that should be partitioned, and partitioned ones that run out of partitions. */
#include <math.h>

#include "cmd/collect/collect.h"
#include "cmd/parts/partition_planning.h"
#include "db/ident.h"
#include "partition/advice.h"
#include "sql.h"

enum { WANTED_AHEAD = 3 };

static bool
collect_ends(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    struct sql_partition_partitioned_rows rows;

    if (!sql_partition_partitioned(ctx, input->db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const char *name = db_qualified(ctx->arena, rows.items[i].schema, rows.items[i].name);
        struct partition_wish wish = {
            .schema = rows.items[i].schema, .table = rows.items[i].name, .ahead = WANTED_AHEAD
        };
        struct partition_state state;
        struct collected_step *step;
        struct plan plan;

        if (!partition_look(ctx, input->db, wish.schema, wish.table, &state))
            return false;
        if (!state.end || !state.unit || state.ahead >= 1)
            continue;
        if (!partition_planning_extend(ctx, input->db, &wish, &plan))
            return false;
        step = collected_add(ctx->arena, ret, &plan);
        step->step.title = arena_printf(ctx->arena, "next partitions of %s", name);
        step->step.feature = "partition";
        step->step.risk = "low";
        step->step.why = arena_printf(ctx->arena,
            "no partition of %s begins after now: the last one ends at %s", name, state.end);
    }
    return true;
}

bool
collect_partitions(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    const struct partition_question question = { .least_bytes = PARTITION_LEAST_EXPIRING_BYTES };
    struct partition_advices advices;

    if (!collect_ends(ctx, input, ret) || !partition_advise(ctx, input->db, &question, &advices))
        return false;
    for (size_t i = 0; i < advices.count; i++) {
        const struct partition_advice *advice = &advices.items[i];

        if (!advice->is_worth)
            continue;
        collected_manual(ctx->arena, ret,
            &(const struct plan_step){
                .phase = 4,
                .title =
                    arena_printf(ctx->arena, "partition %s by %s", advice->qualified, advice->unit),
                .feature = "partition",
                .why = advice->verdict,
                .gain_ratio = NAN,
                .risk = "high",
                .manual = arena_printf(ctx->arena,
                    "pgmend partition advise %s -o partition.plan, then pgmend apply partition.plan",
                    advice->qualified),
                .undo = "pgmend rollback",
            });
    }
    return true;
}
