#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "db/ident.h"
#include "staging/scratch.h"
#include "staging/stage.h"

struct options {
    bool end_sessions;
};

static const struct field options[] = {
    FIELD(
        struct options, end_sessions, .momentary = true, .help = "end the sessions that are in it"),
};

/* Scratch databases of runs that are gone need no question: nobody else's data are in them. */
static bool
heal(struct ctx *ctx, struct run *run)
{
    struct text_list notes = { 0 };

    if (!scratch_heal(ctx, run->db, &notes))
        return false;
    for (size_t i = 0; i < notes.count; i++)
        log_info("note: %s", notes.items[i]);
    return true;
}

static bool
is_leftover(struct ctx *ctx, struct run *run, const char *name, bool *ret)
{
    struct sql_staging_leftovers_rows left;

    *ret = false;
    if (!sql_staging_leftovers(ctx, run->db, &left))
        return false;
    for (size_t i = 0; i < left.count; i++)
        *ret |= text_equal(left.items[i].name, name);
    return true;
}

static bool
drop_copy(struct ctx *ctx, struct run *run, const char *name)
{
    const struct options *opts = run->options;
    struct sql_staging_copies copy;

    return stage_find(ctx, run->db, name, &copy) &&
           confirm_typed(ctx, run->global,
               arena_printf(ctx->arena,
                   "This drops database %s, a copy of %s made at %s. Type its name to go on",
                   db_ident(ctx->arena, name), db_ident(ctx->arena, copy.source), copy.made_at),
               name) &&
           stage_drop(ctx, run->db, name, opts->end_sessions);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const char *name = run->operands.items[0];
    bool is_left;

    if (!is_leftover(ctx, run, name, &is_left) || !heal(ctx, run) ||
        (!is_left && !drop_copy(ctx, run, name)))
        return error_state(ctx, "Nothing was dropped.");
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:s}", "dropped", name);

        out_json(run->out, json);
        return true;
    }
    out_mark_line(run->out, MARK_OK, "%s %s was dropped",
        is_left ? "scratch database" : "staging copy", name);
    out_next(run->out, "pgmend staging list");
    return true;
}

const struct command cmd_staging_drop = {
    .path = "staging drop",
    .summary = "drop a staging copy",
    .details =
        "Only what is marked as a staging copy of pgmend, and only while nobody is connected to it, unless "
        "--end-sessions is given. What a killed run has left (see staging list) is dropped with it.",
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
