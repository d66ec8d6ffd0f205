#include "cmd/parts/gate_record.h"

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct gate_note *opts = run->options;

    return record_gate(ctx, run, opts->note, false);
}

static const struct field options[] = {
    FIELD(struct gate_note, note, .required = true, .momentary = true, .arg = "TEXT",
        .help = "why it no longer holds"),
};

const struct command cmd_gate_revoke = {
    .path = "gate revoke",
    .summary = "withdraw what \"gate pass\" recorded",
    .operands = "staging|monitoring|team",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct gate_note),
    .examples = "pgmend gate revoke staging --note \"the staging database was rebuilt\"",
    .next = "pgmend gate",
    .run = run,
};
