#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "report/store.h"

struct options {
    const char *queries;
    struct text_list define;
    bool replace;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, queries, .arg = "DIR",
        .help = "also keep the plan of each statement of the pgbench scripts in this folder"),
    FIELD(struct options, define, .letter = 'D', .arg = "NAME=VALUE",
        .help = "a variable of the scripts"),
    FIELD(struct options, replace,
        .help = "replace an older snapshot of this name"),
};
/* clang-format on */

struct line {
    const char *script;
    double cost;
    const char *indexes;
    const char *read_whole;
};

static const struct field columns[] = {
    FIELD(struct line, script),
    FIELD(struct line, cost, .help = "estimated cost"),
    FIELD(struct line, indexes, .help = "indexes used"),
    FIELD(struct line, read_whole, .help = "tables read whole"),
};

static void
print_plans(struct ctx *ctx, FILE *out, const struct snapshot *snapshot)
{
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, snapshot->plan_count + 1);

    for (size_t i = 0; i < snapshot->plan_count; i++) {
        const struct snapshot_plan *plan = &snapshot->plans[i];

        lines[i] = (struct line){
            .script = plan->statement_count > 1 ? arena_printf(ctx->arena, "%s #%lld", plan->script,
                                                      (long long)plan->number)
                                                : plan->script,
            .cost = plan->plan.cost,
            .indexes =
                plan->has_plan ? text_list_join(ctx->arena, &plan->plan.indexes, ", ") : "no plan",
            .read_whole = plan->has_plan ? text_list_join(ctx->arena, &plan->plan.seq_scans, ", ")
                                         : plan->problem,
        };
    }
    out_table(out, columns, COUNT_OF(columns), lines, snapshot->plan_count, sizeof(lines[0]));
    fputc('\n', out);
}

static json_t *
snapshot_json(const struct snapshot *snapshot)
{
    size_t with_plan = 0;

    for (size_t i = 0; i < snapshot->plan_count; i++)
        with_plan += snapshot->plans[i].has_plan;
    return json_pack("{s:s, s:s, s:s?, s:I, s:I, s:I, s:I}", "name", snapshot->name, "taken_at",
        snapshot->workload.taken_at, "stats_reset", snapshot->workload.stats_reset, "statements",
        (json_int_t)snapshot->workload.count, "plans", (json_int_t)with_plan, "without_plan",
        (json_int_t)(snapshot->plan_count - with_plan), "evicted",
        (json_int_t)snapshot->workload.evicted);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct snapshot_options wanted = {
        .name = run->operands.items[0],
        .queries = opts->queries,
        .defines = opts->define,
        .replace = opts->replace,
    };
    struct snapshot snapshot;

    if (!*wanted.name || strstr(wanted.name, ".."))
        return error_set(ctx, ERR_USAGE,
            "\"%s\" is no name for a snapshot: it must not hold \"..\"", wanted.name);
    if (!db_require_writable(ctx, run->db) || !snapshot_take(ctx, run->db, &wanted, &snapshot))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = snapshot_json(&snapshot);

        out_json(run->out, json);
        return true;
    }
    if (snapshot.plan_count > 0)
        print_plans(ctx, run->out, &snapshot);
    out_mark_line(run->out, MARK_OK, "snapshot \"%s\": %s statements, %s plan%s, stored in %s",
        wanted.name, text_from_count(ctx->arena, (int64_t)snapshot.workload.count),
        text_from_count(ctx->arena, (int64_t)snapshot.plan_count),
        snapshot.plan_count == 1 ? "" : "s", db_label(ctx->arena, run->db));
    if (!opts->queries)
        log_info("Plans are kept when --queries names a folder of scripts.");
    out_next(run->out, "pgmend report");
    return true;
}

const struct command cmd_report_snapshot = {
    .path = "report snapshot",
    .summary = "keep the counters, sizes and plans of this moment for a report",
    .details = "Stores what pg_stat_statements, pg_stat_user_indexes and pg_stat_user_tables count "
               "now, the sizes of tables and indexes, the settings that plans depend on, and with "
               "--queries the plan (EXPLAIN, not run) of each critical statement. All of it goes "
               "into schema pgmend of the database itself.\n\n"
               "Take one before a change and one after it; nothing is reset.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend report snapshot before --queries replyx/load/naive --define users=2000",
    .next = "pgmend report",
    .run = run,
};
