#include "cmd/parts/index_proving.h"

struct options {
    int64_t within;
    int64_t min_calls;
    bool auto_undo;
};

static const struct field options[] = {
    FIELD(struct options, within, .unit = UNIT_US, .arg = "TIME", .standard = "0",
        .help = "wait so long at most until every index has a verdict"),
    FIELD(struct options, min_calls, .arg = "N", .standard = "20",
        .help = "calls of its statements before an index is called unused"),
    FIELD(struct options, auto_undo, .momentary = true,
        .help = "drop the indexes that do not pay, through the journal"),
};

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct index_proving proving = {
        .within_us = opts->within,
        .least_calls = opts->min_calls,
        .auto_undo = opts->auto_undo,
        .names = &run->operands,
    };

    if (opts->min_calls < 1)
        return error_set(ctx, ERR_USAGE, "--min-calls must be 1 or more");
    return index_prove(ctx, run, run->db, &proving);
}

const struct command cmd_index_prove = {
    .path = "index prove",
    .summary = "compare what was promised of the advised indexes with what happened",
    .details =
        "A plan of \"pgmend index advise -o FILE\" carries what each index is for. Since it was "
        "applied pg_stat_statements counted what those statements cost, and the server how often "
        "the index was used. An index pays when it is used and at least a tenth of the promised "
        "saving, of time or of blocks, came true; it is unused when its statements were called "
        "often enough without one scan of it.\n\n"
        "Only --auto-undo changes anything: it drops what does not pay as \"pgmend rollback\" "
        "would.",
    .operands = "[INDEX]...",
    .max_operands = SIZE_MAX,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend index prove\n"
                "pgmend index prove --within 1h --auto-undo",
    .next = "pgmend index status",
    .run = run,
};
