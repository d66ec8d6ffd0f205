#include "cmd/parts/gate_record.h"

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct gate_note *opts = run->options;

    return record_gate(ctx, run, opts->note, true);
}

static const struct field options[] = {
    FIELD(struct gate_note, note, .required = true, .momentary = true, .arg = "TEXT",
        .help = "who did it, when, and where it can be seen"),
};

const struct command cmd_gate_pass = {
    .path = "gate pass",
    .summary = "record that a check which people do was done",
    .operands = "staging|monitoring|team",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct gate_note),
    .examples = "pgmend gate pass team --note \"told in #db at 10:00, window 11-12\"",
    .next = "pgmend gate",
    .run = run,
};
