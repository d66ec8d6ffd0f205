#include "cmd/parts/roll_out.h"
#include "index/plan.h"

static bool
run(struct ctx *ctx, struct run *run)
{
    struct plan plan;

    return db_require_direct(ctx, run->db) && db_require_writable(ctx, run->db) &&
           load_plan(ctx, run, &plan) && roll_out(ctx, run, &plan, run->options);
}

const struct command cmd_index_apply = {
    .path = "index apply",
    .summary = "build the indexes of a script online, one by one, each proven and undoable",
    .details =
        "Every statement is first tried on an empty temporary copy of its table, so that the "
        "server itself says what is wrong with it before anything is changed. Then the gates are "
        "checked, and each index is built with CREATE INDEX CONCURRENTLY: reads and writes go on. "
        "Only the catalogue tells whether an index is good: valid, ready, live, and with the "
        "planned definition.\n\n"
        "Ctrl-C cancels the build and removes what is left of it. After a kill or a crash the "
        "next run finds the build that still goes on in the server, or removes its rest.",
    .operands = "FILE.sql ...",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .access = ACCESS_WRITE,
    .options = roll_out_fields,
    .option_count = ROLL_OUT_COMMON_COUNT,
    .options_size = sizeof(struct roll_out_options),
    .examples = "pgmend index apply indexes.sql --dry-run\n"
                "pgmend index apply indexes.sql",
    .next = "pgmend status",
    .run = run,
};
