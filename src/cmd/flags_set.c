#include <stdlib.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/out.h"
#include "flags/store.h"

struct options {
    const char *percent; /* NULL: as it was */
    const char *variant;
    const char *salt;
    const char *shadow;
    const char *reason;
    const char *grant;
    bool remove;
};

static const struct field options[] = {
    FIELD(struct options, percent, .momentary = true, .arg = "N",
        .help = "share of the users that get the variant, 0 to 100"),
    FIELD(struct options, variant, .momentary = true, .arg = "NAME",
        .help = "what they get (a new flag: optimised)"),
    FIELD(struct options, salt, .momentary = true, .arg = "TEXT",
        .help = "decides with the user's number who is among them (a new flag: its name)"),
    FIELD(struct options, shadow, .momentary = true, .arg = "RATIO",
        .help = "share of requests, 0 to 1, for which both variants are run and compared"),
    FIELD(struct options, reason, .momentary = true, .arg = "TEXT",
        .help = "why, for list and journal (by hand)"),
    FIELD(struct options, grant, .momentary = true, .arg = "ROLE",
        .help = "let this role read the flags and turn one off: the role of the application"),
    FIELD(
        struct options, remove, .momentary = true, .help = "take the flag away; it has to be at 0"),
};

/* What is said, in numbers; what is not stays as it is given. */
static bool
read_numbers(struct ctx *ctx, const struct options *opts, struct flag *ret)
{
    int64_t percent = ret->percent;
    char *end = NULL;

    if (opts->percent && (!text_to_int64(opts->percent, &percent) || percent < 0 || percent > 100))
        return error_set(ctx, ERR_USAGE, "--percent \"%s\": a whole number of 0 to 100 is expected",
            opts->percent);
    ret->percent = (int32_t)percent;
    if (!opts->shadow)
        return true;
    ret->shadow_ratio = strtod(opts->shadow, &end);
    if (end == opts->shadow || *end || !(ret->shadow_ratio >= 0 && ret->shadow_ratio <= 1))
        return error_set(
            ctx, ERR_USAGE, "--shadow \"%s\": a number of 0 to 1 is expected", opts->shadow);
    return true;
}

/*
 * A roll-out that is alive keeps its guard while nothing is changed that it sets; who says a percent takes
 * the flag from it.
 */
static bool
keep_guard(struct ctx *ctx, const struct options *opts, const struct flag *found,
    const struct flag *known, struct flag_change *change)
{
    struct flag *to = &change->to;

    if (opts->percent) {
        to->until_us = 0;
        to->fallback = 0;
        return true;
    }
    change->expected = *found;
    if (known->until_us == 0)
        return true;
    if (opts->variant && !text_equal(opts->variant, known->variant)) {
        error_set(ctx, ERR_CONFLICT, "a roll-out of variant \"%s\" of flag %s is going on",
            known->variant, known->name);
        error_hint(ctx, "End it first, or take the flag from it: say --percent as well.");
        return error_state(ctx, "Nothing was changed.");
    }
    /* list and journal go on to tell its step. */
    if (!opts->reason)
        to->reason = known->reason;
    return true;
}

/* A step whose guard has died counts as what holds now. */
static struct flag
settled(const struct flag *flag)
{
    struct flag settled = *flag;

    settled.percent = flag_percent(flag, clock_wall_us());
    if (flag->until_us != 0 && clock_wall_us() >= flag->until_us) {
        settled.until_us = 0;
        settled.fallback = 0;
    }
    return settled;
}

static bool
check_removal(struct ctx *ctx, const struct flag *known, const char *name)
{
    if (!known) {
        error_set(ctx, ERR_NOT_FOUND, "there is no flag %s", name);
        return error_state(ctx, "Nothing was changed.");
    }
    if (known->percent == 0 && known->shadow_ratio <= 0 && known->until_us == 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "flag %s is not off", name);
    error_hint(ctx, "pgmend rollback --level code --flag %s", name);
    return error_state(ctx, "Nothing was changed.");
}

/* What is not said stays as it is, or is what a new flag has. */
static bool
wish(struct ctx *ctx, struct run *run, struct flag_change *ret)
{
    const struct options *opts = run->options;
    const char *name = run->operands.items[0];
    struct flag_list list;
    const char *problem;
    const struct flag *found;
    struct flag known = { 0 };

    if (!flags_load(ctx, run->db, &list, &problem))
        return false;
    found = flag_find(&list, name);
    if (found)
        known = settled(found);
    ret->to = found ? known : (struct flag){ .name = name, .variant = "optimised", .salt = name };
    if (opts->remove) {
        ret->removes = true;
        ret->to.reason = opts->reason ? opts->reason : "by hand";
        return check_removal(ctx, found ? &known : NULL, name);
    }
    if (!found && !opts->percent && !opts->shadow) {
        error_set(ctx, ERR_USAGE, "there is no flag %s yet: say --percent", name);
        return error_state(ctx, "Nothing was changed.");
    }
    if (!read_numbers(ctx, opts, &ret->to))
        return false;
    ret->to.variant = opts->variant ? opts->variant : ret->to.variant;
    ret->to.salt = opts->salt ? opts->salt : ret->to.salt;
    ret->to.reason = opts->reason ? opts->reason : "by hand";
    return !found || problem || keep_guard(ctx, opts, found, &known, ret);
}

static void
print_json(struct run *run, const struct flag_change *change, const struct flag_changed *changed,
    const struct text_list *followers)
{
    json_t *roles = json_array();
    json_t *json CLEANUP(json_release) = json_pack("{s:o, s:o, s:I, s:s?, s:b}", "flag",
        change->removes ? json_null() : flag_json(&change->to), "before",
        changed->was_there ? flag_json(&changed->before) : json_null(), "entry",
        (json_int_t)changed->entry, "note", changed->note, "table_was_lost", changed->was_lost);

    for (size_t i = 0; i < followers->count; i++)
        json_array_append_new(roles, json_string(followers->items[i]));
    json_object_set_new(json, "followers", roles);
    out_json(run->out, json);
}

static void
print_change(struct ctx *ctx, struct run *run, const struct flag_change *change,
    const struct flag_changed *changed, const struct text_list *followers)
{
    const struct flag *flag = &change->to;
    const char *now = flag->until_us == 0
                          ? ""
                          : arena_printf(ctx->arena, ", while its roll-out lives (%s)",
                                clock_text(ctx->arena, flag->until_us));

    if (changed->note)
        out_mark_line(run->out, MARK_WARN, "the local journal was not written: %s", changed->note);
    if (changed->was_lost)
        out_mark_line(run->out, MARK_WARN,
            "table pgmend.flag was gone and was made anew: this flag is the only one now, all others "
            "are off");
    if (change->removes)
        out_mark_line(run->out, MARK_OK, "%s: taken away", flag->name);
    else
        out_mark_line(run->out, MARK_OK, "%s: %d %% of the users get \"%s\" (before: %d %%)%s",
            flag->name, flag->percent, flag->variant, changed->before.percent, now);
    if (!change->removes && flag->shadow_ratio > 0)
        out_mark_line(run->out, MARK_OK, "%s: %g %% of the requests are run in both variants",
            flag->name, flag->shadow_ratio * 100);
    if (followers->count == 0)
        out_mark_line(run->out, MARK_WARN,
            "no role but the owner of pgmend.flag was given the right to read it: processes that "
            "connect as another do not see this (pgmend flags set --grant ROLE)");
    else if (changed->was_lost)
        out_mark_line(run->out, MARK_OK, "who can follow it: %s",
            text_list_join(ctx->arena, followers, ", "));
    out_next(run->out, "pgmend rollback --level code");
}

static bool
grant(struct ctx *ctx, struct run *run, const char *role)
{
    if (!flags_install(ctx, run->db) || !flags_grant(ctx, run->db, role))
        return error_state(ctx, "No right was given.");
    if (!run->global->json)
        out_mark_line(run->out, MARK_OK, "role %s can follow the flags and turn one off", role);
    return true;
}

/* An option that would have no effect is a mistake. */
static bool
check_options(struct ctx *ctx, const struct run *run)
{
    const struct options *opts = run->options;
    bool sets = opts->percent || opts->variant || opts->salt || opts->shadow;
    struct flag unused = { 0 };

    if (run->operands.count == 0 && (!opts->grant || sets || opts->remove || opts->reason))
        return error_set(
            ctx, ERR_USAGE, "which flag? Its name stands first: \"pgmend flags set NAME\"");
    if (run->operands.count > 0 && !*run->operands.items[0])
        return error_set(ctx, ERR_USAGE, "the name of the flag is empty");
    if (opts->remove && (sets || opts->grant))
        return error_set(ctx, ERR_USAGE, "--remove goes with --reason only");
    return read_numbers(ctx, opts, &unused);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct flag_change change = {
        .command = run->command->path,
        .state_dir = run->global->state_dir,
    };
    struct flag_changed changed;
    struct text_list followers;

    if (!check_options(ctx, run) || !db_require_writable(ctx, run->db))
        return false;
    if (run->operands.count == 0) {
        json_t *json CLEANUP(json_release) = json_pack("{s:s}", "granted", opts->grant);

        if (!grant(ctx, run, opts->grant))
            return false;
        if (run->global->json)
            out_json(run->out, json);
        return true;
    }
    if (!wish(ctx, run, &change) || (opts->grant && !grant(ctx, run, opts->grant)))
        return false;
    if (!flag_change(ctx, run->db, &change, &changed)) {
        if (ctx->error.kind == ERR_INPUT)
            ctx->error.kind = ERR_USAGE;
        return false;
    }
    if (!flags_followers(ctx, run->db, &followers))
        return error_state(ctx, "Flag %s is set.", change.to.name);
    if (run->global->json)
        print_json(run, &change, &changed, &followers);
    else
        print_change(ctx, run, &change, &changed, &followers);
    return true;
}

const struct command cmd_flags_set = {
    .path = "flags set",
    .summary = "say which share of the users gets a variant",
    .details =
        "All processes that follow the flags know within a second. Whoever is in at 5 % is in at "
        "25 %: the user's number and the salt decide. The change and what was before stand in the "
        "journal, so that \"pgmend rollback\" takes it back. It does not wait for another pgmend "
        "that is changing the database.\n\n"
        "With --grant alone it only makes the table (schema pgmend, table flag) and gives the role "
        "its rights: to read it, and to turn a flag off by pgmend.flag_off(), never on.\n\n"
        "While a roll-out of the flag is going on, --shadow, --salt and --reason leave it alone; "
        "--percent takes the flag from it, and the roll-out ends.",
    .operands = "[NAME]",
    .min_operands = 0,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend flags set replyx.stats --percent 5 --grant replyx_api\n"
                "pgmend flags set replyx.stats --percent 0 --reason \"ticket 112\"\n"
                "pgmend flags set replyx.stats --shadow 0.01\n"
                "pgmend flags set replyx.stats --remove",
    .next = "pgmend flags list",
    .run = run,
};
