#include "change/plan.h"
#include "cli/out.h"
#include "cmd/backup_show.h"
#include "cmd/parts/roll_out.h"

struct options {
    const char *backup_dir;
    int64_t max_age;
    int64_t max_transaction;
    int64_t attest_wal_free;
    int64_t attest_data_free;
    const char *low_traffic;
    int64_t max_lag;
    bool exit_code;
};

static const struct field options[] = {
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "where the verified backup is (default: backups in the state folder)"),
    FIELD(struct options, max_age, .unit = UNIT_US, .arg = "TIME", .standard = "24h",
        .help = "a backup, rehearsal or recorded gate older than this does not count"),
    FIELD(struct options, max_transaction, .unit = UNIT_US, .arg = "TIME", .standard = "1m",
        .help = "sessions with an older transaction are a red gate"),
    FIELD(struct options, attest_wal_free, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "0",
        .help = "you vouch that pg_wal has this much room"),
    FIELD(struct options, attest_data_free, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "0",
        .help = "you vouch that the data volume has this much room"),
    FIELD(struct options, low_traffic, .arg = "WINDOW",
        .help = "when changes may be made: \"02:00-05:00 Europe/Berlin\" (UTC without a zone)"),
    FIELD(struct options, max_lag, .unit = UNIT_US, .arg = "TIME", .standard = "10s",
        .help = "a standby that is further behind is a red gate"),
    FIELD(struct options, exit_code, .help = "exit with 4 when a gate is red"),
};

enum { GATE_IS_RED = 4 };

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct gate_results results;
    struct plan plan = { 0 };
    bool is_red = false;

    if (run->operands.count > 0 && !load_plan(ctx, run, &plan))
        return false;

    const struct gate_input input = {
        .db = run->db,
        .plan = &plan,
        .backup_dir = backup_folder(ctx, run, opts->backup_dir),
        .max_age_us = opts->max_age,
        .max_transaction_us = opts->max_transaction,
        .attested_wal_bytes = opts->attest_wal_free,
        .attested_data_bytes = opts->attest_data_free,
        .state_dir = run->global->state_dir,
        .low_traffic = opts->low_traffic,
        .max_lag_us = opts->max_lag,
    };

    if (!gates_check(ctx, &input, &results))
        return false;
    for (size_t i = 0; i < results.count; i++)
        is_red |= results.items[i].state == GATE_RED;
    if (opts->exit_code && is_red)
        run->status = GATE_IS_RED;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:o}", "gates", gates_json(&results));

        out_json(run->out, json);
        return true;
    }
    print_gates(run->out, &results);
    out_next(run->out, "%spgmend apply %s", is_red ? "make the red ones green, then " : "",
        run->operands.count > 0 ? text_shell_words(ctx->arena, &run->operands) : "PLAN");
    return true;
}

const struct command cmd_gate = {
    .path = "gate",
    .summary = "show which checks before an apply are green, and what makes the others so",
    .details = "With a plan file or scripts the gates are those of that plan; without, the ones "
               "that need a plan look at an empty one. Those that look at the server as it is now "
               "are looked at again before each step of a plan.",
    .operands = "[PLAN|FILE.sql ...]",
    .min_operands = 0,
    .max_operands = SIZE_MAX,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend gate change.plan",
    .next = "pgmend gate pass",
    .run = run,
};
