#include "cmd/parts/roll_out.h"

static bool
run(struct ctx *ctx, struct run *run)
{
    struct plan plan;

    if (db_require_direct(ctx, run->db) && db_require_writable(ctx, run->db) &&
        load_plan(ctx, run, &plan))
        return roll_out(ctx, run, &plan, run->options);
    return ctx->error.kind == ERR_RIGHTS ? error_state(ctx, "Nothing was changed.") : false;
}

const struct command cmd_apply = {
    .path = "apply",
    .summary = "do what a plan says, after all gates are green",
    .details = "A plan file made by \"pgmend plan -o FILE\" is done exactly as it stands, or "
               "refused as stale when a table was altered since. Index scripts are planned now.\n\n"
               "A plan with steps is done step by step: before each the gates that look at the "
               "server are looked at again, after each its statements are measured against what "
               "they were before. A step that does not hold is undone by itself, one that fails "
               "leaves those before it. The same command again goes on where it stopped.",
    .operands = "PLAN|FILE.sql ...",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .access = ACCESS_WRITE,
    .options = roll_out_fields,
    .option_count = ROLL_OUT_FIELD_COUNT,
    .options_size = sizeof(struct roll_out_options),
    .examples = "pgmend plan indexes.sql -o change.plan\n"
                "pgmend apply change.plan\n"
                "pgmend apply change.plan --phase 1 --window 5m",
    .next = "pgmend status",
    .run = run,
};
