#include "cli/out.h"
#include "cmd/backup_show.h"
#include "cmd/parts/staging_make.h"

static bool
suggest(struct ctx *ctx, struct run *run)
{
    struct mask_suggestion found;

    if (!mask_suggest(ctx, run->db, &found))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:s, s:I, s:o}", "rules", found.text,
            "columns", (json_int_t)found.count, "without_rule", backup_list_json(&found.without));

        out_json(run->out, json);
        return true;
    }
    fputs(
        "; Rules for \"pgmend staging create --mask FILE\". They come from names and samples of values: read them, add\n"
        "; what is missing, take out what may stay.\n\n",
        run->out);
    fputs(found.text, run->out);
    if (found.count == 0)
        fputs("; No column looks personal or secret.\n", run->out);
    if (found.without.count > 0)
        fputs(
            "\n; Columns that no rule above names: they stay as they are. Names and 400 values each told\n"
            "; nothing, or are not looked at for this type. You know better what they hold.\n",
            run->out);
    for (size_t i = 0; i < found.without.count; i++)
        fprintf(run->out, "; %s\n", found.without.items[i]);
    fputs("; Numbers, times, truths, enums and UUIDs were not looked at.\n", run->out);
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct staging_options *options = run->options;
    const char *name = staging_name(ctx, run);
    struct staging_made made CLEANUP(staging_made_end) = { 0 };

    if (options->suggest)
        return suggest(ctx, run);
    if (!options->on && !stage_check_name(ctx, run->db, name, false))
        return error_state(ctx, "No copy was made.");
    return staging_make(ctx, run, options, "staging create", &made) &&
           staging_hand_out(ctx, run, &made, options, name, false);
}

const struct command cmd_staging_create = {
    .path = "staging create",
    .summary = "copy the database to rehearse on, optionally with columns masked",
    .details =
        "Makes a database NAME (standard: that of the live one with _staging) with all rows: by a "
        "dump of one snapshot, whose content is compared with the copy row by row; by the server "
        "itself (template), while nobody else is connected; or from the newest verified backup. "
        "Schema pgmend is left out. With --mask, columns are masked before the copy gets its name and "
        "others may connect: the same value becomes the same masked value everywhere, so joins and unique "
        "columns hold; no row of before stays in the files, and every value of before is looked for "
        "afterwards.\n\n"
        "The copy is marked in its comment. What has no such mark is never overwritten or dropped. A run "
        "that is killed leaves a scratch database that the next one drops.",
    .operands = "[NAME]",
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = staging_fields + 1,
    .option_count = STAGING_FIELD_COUNT - 1,
    .options_size = sizeof(struct staging_options),
    .examples = "pgmend staging create --suggest > mask.ini\n"
                "pgmend staging create --mask mask.ini\n"
                "pgmend staging create replyx_tryout --from backup --statistics carry\n",
    .next = "pgmend rehearse PLAN --staging NAME",
    .run = run,
};
