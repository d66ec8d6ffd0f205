#include "cli/out.h"
#include "cmd/backup_show.h"
#include "cmd/parts/checklist.h"

struct options {
    const char *section;
    bool open_only;
    bool markdown;
    const char *start;
    struct text_list owner_name;
    const char *backup_dir;
    bool exit_code;
};

static const struct field options[] = {
    FIELD(struct options, section, .momentary = true, .arg = "NAME",
        .help = "this section only: before, week-1, go-live, …"),
    FIELD(struct options, open_only, .momentary = true, .help = "leave out what is done"),
    FIELD(struct options, markdown, .momentary = true, .help = "as tables of Markdown"),
    FIELD(struct options, start, .momentary = true, .arg = "DATE",
        .help = "show dates as if week 1 began on this Monday"),
    FIELD(struct options, owner_name, .arg = "ROLE=NAME",
        .help = "who that is: devops=Anna, backend=Ben, …"),
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "where the verified backup is (default: backups in the state folder)"),
    FIELD(struct options, exit_code, .momentary = true,
        .help = "exit with 3 when something shown is late or still open"),
};

enum { SOMETHING_IS_OPEN = 3 };

static bool
check_owners(struct ctx *ctx, const struct text_list *owners)
{
    for (size_t i = 0; i < owners->count; i++) {
        bool is_known = false;

        for (size_t k = 0; k < checklist_item_count; k++) {
            const char *role = checklist_items[k].owner;

            is_known |=
                text_starts_with(owners->items[i], role) && owners->items[i][strlen(role)] == '=';
        }
        if (!is_known) {
            error_set(ctx, ERR_USAGE, "--owner-name: \"%s\" is not ROLE=NAME", owners->items[i]);
            return error_hint(ctx, "Roles are devops, backend, ai-ml, qa and product.");
        }
    }
    return true;
}

static bool
has_open(const struct checklist *list, const char *section)
{
    for (size_t i = 0; i < list->count; i++)
        if ((!section || text_equal(list->items[i].item->section, section)) &&
            !checklist_is_done(&list->items[i]))
            return true;
    return false;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct checklist_place place = {
        .db = run->db,
        .backup_dir = backup_folder(ctx, run, opts->backup_dir),
        .state_dir = run->global->state_dir,
    };
    const struct checklist_view view = {
        .section = opts->section, .open_only = opts->open_only, .owners = &opts->owner_name
    };
    struct checklist list;

    if (opts->markdown && run->global->json)
        return error_set(ctx, ERR_USAGE, "--markdown and --json cannot be given together");
    if ((opts->section && !checklist_find_section(ctx, opts->section)) ||
        !check_owners(ctx, &opts->owner_name) || !checklist_load(ctx, &place, opts->start, &list))
        return false;
    if (opts->exit_code && has_open(&list, opts->section))
        run->status = SOMETHING_IS_OPEN;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = checklist_json(ctx, &list, &view);

        out_json(run->out, json);
        return true;
    }
    if (opts->markdown)
        checklist_print_markdown(ctx, run->out, &list, &view);
    else
        checklist_print(ctx, run->out, &list, &view);
    return true;
}

const struct command cmd_checklist_show = {
    .path = "checklist show",
    .summary = "show what has to be done in the four weeks, and what is done",
    .details =
        "Holds the checklists of an optimisation: what comes before anything is changed, the "
        "phases, the success criteria of each step, goals, the four weeks day by day, what each "
        "role answers for, and when it is finished. What can be measured is looked at now and "
        "ticks itself; it opens again when it is no longer so. The rest is ticked by people with "
        "pgmend checklist tick. Nothing is written.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend checklist show --open-only\n"
                "pgmend checklist show --section before --exit-code\n"
                "pgmend checklist show --markdown > checklist.md",
    .next = "pgmend checklist tick",
    .run = run,
};
