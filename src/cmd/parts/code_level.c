#include "cmd/parts/code_level.h"

#include <math.h>

#include "base/clock.h"
#include "cli/out.h"
#include "cmd/parts/rollback_release.h"
#include "flags/store.h"

struct lowering {
    struct run *run;
    const char *reason;
    json_t *flags; /* what was done */
    size_t count;
    int64_t us;
};

static void
print_lowered(struct run *run, const struct flag *flag, const struct flag *before)
{
    if (before->percent != 0)
        out_mark_line(run->out, MARK_OK, "%s  0 %% (before: %d %% of the users got \"%s\")",
            flag->name, before->percent, flag->variant);
    if (before->shadow_ratio > 0)
        out_mark_line(
            run->out, MARK_OK, "%s  shadow off (was %g)", flag->name, before->shadow_ratio);
    if (before->percent == 0 && before->shadow_ratio <= 0)
        out_mark_line(run->out, MARK_OK, "%s  was off already", flag->name);
}

static bool
lower(struct ctx *ctx, struct lowering *lowering, const struct flag *flag)
{
    struct run *run = lowering->run;
    struct flag_change change = {
        .to = *flag,
        .command = "rollback --level code",
        .state_dir = run->global->state_dir,
    };
    struct flag_changed changed;

    change.to.percent = 0;
    change.to.fallback = 0;
    change.to.until_us = 0;
    change.to.shadow_ratio = 0;
    change.to.reason = lowering->reason;
    if (!flag_change(ctx, run->db, &change, &changed))
        return false;
    lowering->count++;
    json_array_append_new(lowering->flags,
        json_pack("{s:s, s:i, s:f, s:I, s:s?}", "name", flag->name, "percent_before",
            changed.before.percent, "shadow_before",
            isfinite(changed.before.shadow_ratio) ? changed.before.shadow_ratio : -1.0, "entry",
            (json_int_t)changed.entry, "note", changed.note));
    if (run->global->json)
        return true;
    print_lowered(run, flag, &changed.before);
    if (changed.note)
        out_mark_line(run->out, MARK_WARN, "the local journal was not written: %s", changed.note);
    fflush(run->out);
    return true;
}

static bool
check_names(struct ctx *ctx, const struct flag_list *list, const struct text_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (flag_find(list, names->items[i]))
            continue;
        error_set(ctx, ERR_NOT_FOUND, "there is no flag %s", names->items[i]);
        error_hint(ctx, "\"pgmend flags list\" lists them.");
        return error_state(ctx, "Nothing was changed.");
    }
    return true;
}

static bool
lower_all(struct ctx *ctx, struct lowering *lowering, const struct flag_list *list,
    const struct text_list *names)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct flag *flag = &list->items[i];
        bool is_on = flag->percent > 0 || flag->shadow_ratio > 0 || flag->fallback > 0;

        if (names->count > 0 ? !text_list_has(names, flag->name) : !is_on)
            continue;
        if (!lower(ctx, lowering, flag))
            return error_state(
                ctx, "%zu flags are off, %s may still be on.", lowering->count, flag->name);
    }
    return true;
}

/* What cannot be read cannot be turned off, and may be on. */
static bool
load(struct ctx *ctx, struct db *db, struct flag_list *ret, const char **ret_problem)
{
    if (flags_load(ctx, db, ret, ret_problem))
        return true;
    if (ctx->error.kind != ERR_RIGHTS && strncmp(ctx->error.sqlstate, "42", 2) == 0)
        ctx->error.kind = ERR_ATTENTION;
    return error_state(
        ctx, "Nothing was changed: processes that follow the flags keep what they last saw.");
}

static void
print_flags(struct ctx *ctx, const struct run *run, const struct lowering *lowering,
    const struct flag_list *list)
{
    if (lowering->count == 0)
        fprintf(run->out, "%s\n",
            list->count > 0 ? "No flag is above 0, and none has shadows."
                            : "There are no flags here.");
    else
        fprintf(run->out, "\n%zu %s off after %s; the processes that follow them know at once.\n",
            lowering->count, lowering->count == 1 ? "flag is" : "flags are",
            text_from_us(ctx->arena, lowering->us));
    fflush(run->out);
}

/* The flags are off already, whatever becomes of the command. */
static bool
bring_back(struct ctx *ctx, struct run *run, const struct lowering *lowering,
    struct rollback_release *release)
{
    if (!release->command)
        return true;
    if (!rollback_release_run(ctx, run, release))
        return error_state(
            ctx, "%zu flags are off; the release may be the one that it was.", lowering->count);
    if (run->global->json)
        return true;
    out_mark_line(run->out, MARK_OK, "the release command ended well after %s",
        text_from_us(ctx->arena, release->us));
    if (*release->last)
        fprintf(run->out, "%s\n", release->last);
    fflush(run->out);
    return true;
}

static bool
ask_health(
    struct ctx *ctx, struct run *run, const struct code_level *level, struct health_told *ret)
{
    const struct db_options open = { .access = ACCESS_READ };
    struct db *other CLEANUP(db_cleanup) = NULL;

    if (!db_open_like(ctx, run->db, &open, &other) ||
        !health_take(ctx, other, &level->health, ret)) {
        error_wrap(ctx, "asking whether the service is well");
        return error_state(ctx, "What was to be rolled back is.");
    }
    if (!ret->is_well)
        run->status = error_exit_status(ERR_VERIFICATION);
    return true;
}

static void
print_json(struct run *run, const struct lowering *lowering, const char *problem,
    const struct rollback_release *release, const struct health_told *health)
{
    json_t *json CLEANUP(json_release) =
        json_pack("{s:s, s:O, s:I, s:s?, s:o}", "level", "code", "flags", lowering->flags, "us",
            (json_int_t)lowering->us, "problem", problem, "health", health_json(health));

    if (release->command)
        json_object_set_new(json, "release",
            json_pack("{s:s, s:i, s:I, s:s}", "command", release->command, "status",
                release->status, "us", (json_int_t)release->us, "output", release->last));
    out_json(run->out, json);
}

bool
rollback_code(struct ctx *ctx, struct run *run, const struct code_level *level)
{
    json_t *flags CLEANUP(json_release) = json_array();
    struct lowering lowering = { .run = run, .reason = level->reason, .flags = flags };
    struct rollback_release release = {
        .command = level->release_command,
        .timeout_us = level->release_timeout_us,
        .last = "",
    };
    struct health_told health;
    struct flag_list list;
    const char *problem;
    int64_t started_us = clock_us();

    if (!db_require_writable(ctx, run->db) || !flags_check_lost(ctx, run->db) ||
        !load(ctx, run->db, &list, &problem) || !check_names(ctx, &list, level->names) ||
        !lower_all(ctx, &lowering, &list, level->names))
        return false;
    lowering.us = clock_us() - started_us;
    if (!run->global->json) {
        if (problem)
            out_mark_line(run->out, MARK_WARN, "%s", problem);
        print_flags(ctx, run, &lowering, &list);
    }
    if (!bring_back(ctx, run, &lowering, &release) || !ask_health(ctx, run, level, &health))
        return false;
    if (run->global->json) {
        print_json(run, &lowering, problem, &release, &health);
        return true;
    }
    health_print(run->out, &health);
    out_next(run->out, "pgmend flags list");
    return true;
}
