#include "cli/command.h"
#include "cli/out.h"
#include "staging/stage.h"

struct options {
    bool end_sessions;
};

static const struct field options[] = {
    FIELD(
        struct options, end_sessions, .momentary = true, .help = "end the sessions that are in it"),
};

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const char *name = run->operands.items[0];
    struct sql_staging_copies copy;

    if (!stage_find(ctx, run->db, name, &copy) ||
        !confirm_typed(ctx, run->global,
            arena_printf(ctx->arena,
                "This drops \"%s\", a copy of \"%s\" made at %s. Type its name to go on", name,
                copy.source, copy.made_at),
            name) ||
        !stage_drop(ctx, run->db, name, opts->end_sessions))
        return error_state(ctx, "Nothing was dropped.");
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:s}", "dropped", name);

        out_json(run->out, json);
        return true;
    }
    out_mark_line(run->out, MARK_OK, "staging copy %s was dropped", name);
    out_next(run->out, "pgmend staging list");
    return true;
}

const struct command cmd_staging_drop = {
    .path = "staging drop",
    .summary = "drop a staging copy",
    .details =
        "Only what is marked as a staging copy of pgmend, and only while nobody is connected to it, unless "
        "--end-sessions is given.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend staging drop replyx_staging\n",
    .run = run,
};
