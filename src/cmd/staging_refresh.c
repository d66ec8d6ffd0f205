#include "cmd/parts/staging_make.h"

/* What is to be made anew must be a copy of this very database, and no less masked than it was. */
static bool
check_old(struct ctx *ctx, struct run *run, const struct staging_options *options,
    const struct sql_staging_copies *old)
{
    if (!text_equal(old->source, db_name(run->db))) {
        error_set(ctx, ERR_CONFLICT, "\"%s\" is a copy of database \"%s\", and this is \"%s\"",
            old->name, old->source, db_name(run->db));
        return error_hint(ctx, "Connect to that database, or make another copy: pgmend staging "
                               "create NAME");
    }
    if (old->masked > 0 && !options->mask) {
        error_set(ctx, ERR_CONFLICT, "\"%s\" has %d masked columns, and there is no --mask",
            old->name, (int)old->masked);
        return error_hint(ctx, "Give the rules with --mask FILE; for a copy that shows everything "
                               "drop this one and create it again.");
    }
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct staging_options options = *(const struct staging_options *)run->options;
    const char *name = staging_name(ctx, run);
    struct staging_made made CLEANUP(staging_made_end) = { 0 };
    struct sql_staging_copies old;

    if (options.on)
        return error_set(
            ctx, ERR_USAGE, "--on cannot be refreshed: drop the copy there and create it again");
    if (!stage_find(ctx, run->db, name, &old) || !check_old(ctx, run, &options, &old))
        return error_state(ctx, "The copy is as it was.");
    if (!options.from)
        options.from = old.way;
    return staging_make(ctx, run, &options, "staging refresh", &made) &&
           staging_hand_out(ctx, run, &made, &options, name, true);
}

const struct command cmd_staging_refresh = {
    .path = "staging refresh",
    .summary = "make a staging copy anew and put it in the place of the old one",
    .details =
        "The new copy is made beside the old one, in the same way unless --from says otherwise. Only when it is "
        "complete do both change names, in one transaction, and the old one is dropped. A copy that was masked "
        "is refused without --mask. NAME is that of the live database with _staging, unless it is given.",
    .operands = "[NAME]",
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = staging_fields,
    .option_count = STAGING_FIELD_COUNT - 1,
    .options_size = sizeof(struct staging_options),
    .examples = "pgmend staging refresh replyx_staging --mask mask.ini\n",
    .next = "pgmend rehearse PLAN --staging NAME",
    .run = run,
};
