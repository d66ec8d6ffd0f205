#include "base/clock.h"
#include "cli/command.h"
#include "cli/out.h"
#include "flags/store.h"

/* A flag as it is shown. */
struct shown {
    const char *flag;
    const char *variant;
    int32_t percent; /* that holds now */
    double shadow_ratio;
    const char *until;
    const char *changed;
    const char *reason;
};

static const struct field columns[] = {
    FIELD(struct shown, flag),
    FIELD(struct shown, variant),
    FIELD(struct shown, percent),
    FIELD(struct shown, shadow_ratio, .help = "shadow"),
    FIELD(struct shown, until, .help = "lives until"),
    FIELD(struct shown, changed),
    FIELD(struct shown, reason),
};

static const struct field members[] = {
    FIELD(struct flag, name),
    FIELD(struct flag, variant),
    FIELD(struct flag, percent),
    FIELD(struct flag, salt),
    FIELD(struct flag, shadow_ratio),
    FIELD(struct flag, until_us),
    FIELD(struct flag, fallback),
    FIELD(struct flag, changed_us),
    FIELD(struct flag, reason),
};

static struct shown
show(struct arena *arena, const struct flag *flag, int64_t now_us)
{
    bool is_over = flag->until_us != 0 && now_us >= flag->until_us;

    return (struct shown){
        .flag = flag->name,
        .variant = flag->variant,
        .percent = flag_percent(flag, now_us),
        .shadow_ratio = flag->shadow_ratio,
        .until = flag->until_us == 0 ? "for ever"
                 : is_over           ? "over: its roll-out died"
                                     : clock_text(arena, flag->until_us),
        .changed = clock_text(arena, flag->changed_us),
        .reason = flag->reason,
    };
}

static void
print_json(struct run *run, const struct flag_list *list, const char *problem)
{
    int64_t now_us = clock_wall_us();
    json_t *rows =
        out_json_rows(members, COUNT_OF(members), list->items, list->count, sizeof(struct flag));
    json_t *json CLEANUP(json_release) =
        json_pack("{s:o, s:s?}", "flags", rows, "problem", problem);

    for (size_t i = 0; i < list->count; i++)
        json_object_set_new(json_array_get(rows, i), "percent_now",
            json_integer(flag_percent(&list->items[i], now_us)));
    out_json(run->out, json);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct flag_list list;
    const char *problem;
    struct shown *shown;

    if (!flags_load(ctx, run->db, &list, &problem))
        return false;
    if (run->global->json) {
        print_json(run, &list, problem);
        return true;
    }
    if (problem)
        out_mark_line(run->out, MARK_WARN, "%s", problem);
    if (list.count == 0) {
        fprintf(run->out, "There are no flags.\n");
        out_next(run->out,
            problem ? "pgmend flags set --grant ROLE" : "pgmend flags set NAME --percent 5");
        return true;
    }
    shown = ARENA_ARRAY(ctx->arena, struct shown, list.count);
    for (size_t i = 0; i < list.count; i++)
        shown[i] = show(ctx->arena, &list.items[i], clock_wall_us());
    out_table(run->out, columns, COUNT_OF(columns), shown, list.count, sizeof(shown[0]));
    out_next(run->out, "pgmend flags rollout %s", text_shell(ctx->arena, list.items[0].name));
    return true;
}

const struct command cmd_flags_list = {
    .path = "flags list",
    .summary = "list the feature flags: who gets which variant",
    .details = "percent is what holds now: a roll-out whose guard has died lives until the time "
               "shown, and then falls back to the percent before its step.",
    .access = ACCESS_READ,
    .examples = "pgmend flags list --json",
    .next = "pgmend flags set NAME --percent 0",
    .run = run,
};
