#include "change/plan.h"

#include "base/log.h"
#include "cli/out.h"
#include "cmd/parts/roll_out.h"

enum { PENDING = 3 };

struct options {
    const char *output;
    bool exit_code;
};

static const struct field options[] = {
    FIELD(struct options, output, .letter = 'o', .arg = "FILE",
        .help = "also write the plan to this file, for \"pgmend apply FILE\""),
    FIELD(struct options, exit_code, .help = "exit with 3 when there is something to do"),
};

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct plan plan;
    bool is_file;

    if (!load_plan(ctx, run, &plan) || !is_plan_file(ctx, run->operands.items[0], &is_file))
        return false;
    if (opts->output && !plan_write(ctx, opts->output, &plan))
        return false;
    if (opts->exit_code && plan_pending(&plan) + plan_count(&plan, ACTION_BLOCKED) > 0)
        run->status = PENDING;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = plan_json(&plan);

        out_json(run->out, json);
        return true;
    }
    fprintf(
        run->out, "%s, PostgreSQL %s\n\n", db_label(ctx->arena, run->db), db_version_text(run->db));
    print_plan(ctx, run->out, &plan, false);
    fprintf(run->out, "Nothing was changed.\n");
    if (plan_pending(&plan) == 0 && plan_count(&plan, ACTION_BLOCKED) == 0)
        out_next(run->out, "pgmend status");
    else if (plan_pending(&plan) == 0)
        out_next(run->out, "mend what is blocked, then the same command again");
    else if (opts->output)
        out_next(run->out, "pgmend rehearse %s, then pgmend apply %s", opts->output, opts->output);
    else if (is_file && !text_equal(run->operands.items[0], "-"))
        out_next(run->out, "pgmend rehearse %s, then pgmend apply %s", run->operands.items[0],
            run->operands.items[0]);
    else
        out_next(run->out, "pgmend plan %s -o change.plan", run->operands.items[0]);
    return true;
}

const struct command cmd_plan = {
    .path = "plan",
    .summary = "show what would be done, why, with which lock and cost; touches nothing",
    .details = "Each statement is tried on an empty temporary copy of its table inside a "
               "transaction that is rolled back, so mistakes are found by the server itself.",
    .operands = "FILE.sql ...",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend plan replyx/indexes/critical.sql -o change.plan",
    .next = "pgmend apply",
    .run = run,
};
