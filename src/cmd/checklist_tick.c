#include "cli/out.h"
#include "cmd/backup_show.h"
#include "cmd/parts/checklist.h"

struct options {
    const char *note;
    bool undo;
    const char *start;
    const char *backup_dir;
};

static const struct field options[] = {
    FIELD(struct options, note, .momentary = true, .arg = "TEXT",
        .help = "where it can be seen; needed for what pgmend measures itself"),
    FIELD(struct options, undo, .momentary = true, .help = "withdraw the tick"),
    FIELD(struct options, start, .momentary = true, .arg = "DATE",
        .help = "keep this Monday as the beginning of week 1; without an item"),
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "where the verified backup is (default: backups in the state folder)"),
};

static void
print_recorded(struct run *run, const char *item, const char *state, const char *text)
{
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:s, s:s}", "item", item, "state", state);

        out_json(run->out, json);
        return;
    }
    out_mark_line(run->out, MARK_OK, "%s", text);
    out_next(run->out, "pgmend checklist show --open-only");
}

static bool
keep_start(struct ctx *ctx, struct run *run, const char *date)
{
    if (run->operands.count > 0)
        return error_set(ctx, ERR_USAGE, "--start and an item cannot be given together");
    if (!db_require_writable(ctx, run->db) || !checklist_start(ctx, run->db, date))
        return false;
    print_recorded(run, "start", date, arena_printf(ctx->arena, "week 1 begins on %s", date));
    return true;
}

static bool
find_line(struct ctx *ctx, struct run *run, const char *id, const struct checklist_line **ret)
{
    const struct options *opts = run->options;
    const struct checklist_place place = {
        .db = run->db,
        .backup_dir = backup_folder(ctx, run, opts->backup_dir),
        .state_dir = run->global->state_dir,
    };
    const struct checklist_item *item;
    struct checklist list;

    *ret = NULL;
    if (!checklist_find(ctx, id, &item) || !checklist_load(ctx, &place, NULL, &list))
        return false;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].item == item)
            *ret = &list.items[i];
    return *ret != NULL;
}

static bool
check_note(struct ctx *ctx, const struct checklist_line *line, const struct options *opts)
{
    if (opts->undo || !line->is_measured || !text_is_empty(opts->note))
        return true;
    error_set(ctx, ERR_USAGE, "pgmend measures \"%s\" itself, and it is %s%s%s", line->item->id,
        checklist_state_name(line->state), line->evidence ? ": " : "",
        line->evidence ? line->evidence : "");
    return error_hint(ctx,
        "Tick it all the same with --note \"where it can be seen\"; it is then shown as ticked, "
        "not measured.");
}

static bool
tick(struct ctx *ctx, struct run *run, const struct checklist_line *line)
{
    const struct options *opts = run->options;
    const char *id = line->item->id;

    if (opts->undo && !line->actor) {
        print_recorded(run, id, checklist_state_name(line->state),
            arena_printf(ctx->arena, "%s was not ticked: there is nothing to withdraw", id));
        return true;
    }
    if (!checklist_put(ctx, run->db, id, !opts->undo, opts->note))
        return false;
    if (!find_line(ctx, run, id, &line))
        return false;
    print_recorded(run, id, checklist_state_name(line->state),
        opts->undo ? arena_printf(ctx->arena, "%s is no longer ticked; it is %s", id,
                         checklist_state_name(line->state))
                   : arena_printf(ctx->arena, "%s ticked%s: %s", id,
                         line->state == ITEM_TICKED ? ", not measured" : "", line->item->title));
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct checklist_line *line;

    if (opts->start)
        return keep_start(ctx, run, opts->start);
    if (run->operands.count == 0) {
        error_set(ctx, ERR_USAGE, "which item?");
        return error_hint(ctx, "\"pgmend checklist show\" lists them.");
    }
    if (!find_line(ctx, run, run->operands.items[0], &line) || !check_note(ctx, line, opts) ||
        !db_require_writable(ctx, run->db))
        return false;
    return tick(ctx, run, line);
}

const struct command cmd_checklist_tick = {
    .path = "checklist tick",
    .summary = "say that an item of the checklist is done, or no longer is",
    .details = "Keeps who said so, when, and the note in pgmend.checklist; every tick and every "
               "withdrawal stays there, the newest counts. What pgmend measures can be ticked "
               "with --note only, and is shown as ticked, not measured, as long as the measure "
               "says otherwise.",
    .operands = "[ITEM]",
    .min_operands = 0,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend checklist tick --start 2026-11-30\n"
                "pgmend checklist tick retrospective --note \"notes in the wiki\"\n"
                "pgmend checklist tick retrospective --undo",
    .next = "pgmend checklist show",
    .run = run,
};
