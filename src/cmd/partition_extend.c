#include "cli/out.h"
#include "cmd/parts/index_state.h"
#include "cmd/parts/partition_planning.h"
#include "db/ident.h"

struct options {
    int32_t months;
    int32_t weeks;
    bool dry_run;
};

static const struct field options[] = {
    FIELD(struct options, months, .arg = "N", .standard = "3",
        .help = "so many partitions shall begin after now; for a table by months"),
    FIELD(struct options, weeks, .arg = "N", .standard = "0",
        .help = "the same for a table by weeks"),
    FIELD(struct options, dry_run, .momentary = true, .help = "show what would be made"),
};

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct partition_wish wish = { .ahead = opts->weeks > 0 ? opts->weeks : opts->months,
        .unit = opts->weeks > 0 ? "week" : NULL };
    struct plan plan;

    if (wish.ahead < 1 || wish.ahead > PARTITION_MOST_AHEAD)
        return error_set(ctx, ERR_USAGE, "so many partitions cannot be made: %d", wish.ahead);
    if (!partition_planning_find(ctx, run->db, run->operands.items[0], &wish.schema, &wish.table) ||
        !partition_planning_extend(ctx, run->db, &wish, &plan))
        return false;
    if (!opts->dry_run && plan.count > 0 &&
        (!db_require_direct(ctx, run->db) || !index_state_record(ctx, run, &plan)))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = plan_json(&plan);

        out_json(run->out, json);
        return true;
    }
    for (size_t i = 0; i < plan.count; i++)
        fprintf(run->out, "%s %s  %s\n", opts->dry_run ? "would add" : "added",
            change_object(ctx->arena, &plan.items[i]), plan.items[i].definition);
    if (plan.count == 0)
        out_mark_line(run->out, MARK_OK, "%s has %d partitions that begin after now already",
            db_qualified(ctx->arena, wish.schema, wish.table), wish.ahead);
    out_next(run->out, "pgmend status");
    return true;
}

const struct command cmd_partition_extend = {
    .path = "partition extend",
    .summary = "make the next partitions of a table that is partitioned by time",
    .details =
        "Adds a partition for each period after the last one, until so many begin after now. "
        "Made for cron or a systemd timer: the same command again does nothing when they are "
        "there. Each partition is an entry of the journal and can be rolled back while it is "
        "empty. No gates are asked: nothing that is there is altered, and the lock of the "
        "table is tried for 250 ms at a time.",
    .operands = "TABLE",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend partition extend dialog_messages --months 3",
    .next = "pgmend status",
    .run = run,
};
