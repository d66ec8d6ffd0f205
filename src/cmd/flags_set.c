#include "cli/command.h"
#include "cli/out.h"
#include "flags/store.h"

struct options {
    int32_t percent; /* below 0: as it was */
    const char *variant;
    const char *salt;
    double shadow; /* below 0: as it was */
    const char *reason;
    const char *grant;
};

static const struct field options[] = {
    FIELD(struct options, percent, .momentary = true, .arg = "N", .standard = "-1",
        .help = "share of the users that get the variant, 0 to 100"),
    FIELD(struct options, variant, .momentary = true, .arg = "NAME",
        .help = "what they get (a new flag: optimised)"),
    FIELD(struct options, salt, .momentary = true, .arg = "TEXT",
        .help = "decides with the user's number who is among them (a new flag: its name)"),
    FIELD(struct options, shadow, .momentary = true, .arg = "RATIO", .standard = "-1",
        .help = "share of requests, 0 to 1, for which both variants are run and compared"),
    FIELD(struct options, reason, .momentary = true, .arg = "TEXT", .standard = "by hand",
        .help = "why, for list and journal"),
    FIELD(struct options, grant, .momentary = true, .arg = "ROLE",
        .help = "let this role read the flags and turn one off: the role of the application"),
};

/* What is not said stays as it is, or is what a new flag has. */
static bool
wish(struct ctx *ctx, struct run *run, struct flag *ret)
{
    const struct options *opts = run->options;
    const char *name = run->operands.items[0];
    struct flag_list list;
    const char *problem;
    const struct flag *known;

    if (!flags_load(ctx, run->db, &list, &problem))
        return false;
    known = flag_find(&list, name);
    *ret = known ? *known : (struct flag){ .name = name, .variant = "optimised", .salt = name };
    if (!known && opts->percent < 0 && opts->shadow < 0) {
        error_set(ctx, ERR_USAGE, "there is no flag %s yet: say --percent", name);
        return error_state(ctx, "Nothing was changed.");
    }
    if (opts->percent != -1)
        ret->percent = opts->percent;
    if (opts->variant)
        ret->variant = opts->variant;
    if (opts->salt)
        ret->salt = opts->salt;
    if (opts->shadow < -1 || opts->shadow > -1)
        ret->shadow_ratio = opts->shadow;
    ret->reason = opts->reason;
    ret->until_us = 0;
    ret->fallback = 0;
    return true;
}

static void
print_change(struct run *run, const struct flag *flag, const struct flag_changed *changed)
{
    if (run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:o, s:o, s:I, s:s?}", "flag", flag_json(flag), "before",
                changed->was_there ? flag_json(&changed->before) : json_null(), "entry",
                (json_int_t)changed->entry, "note", changed->note);

        out_json(run->out, json);
        return;
    }
    if (changed->note)
        out_mark_line(run->out, MARK_WARN, "the local journal was not written: %s", changed->note);
    out_mark_line(run->out, MARK_OK, "%s: %d %% of the users get \"%s\" (before: %d %%)",
        flag->name, flag->percent, flag->variant, changed->before.percent);
    if (flag->shadow_ratio > 0)
        out_mark_line(run->out, MARK_OK, "%s: %g of the requests are run in both variants",
            flag->name, flag->shadow_ratio);
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

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct flag_change change = {
        .command = run->command->path,
        .state_dir = run->global->state_dir,
    };
    struct flag_changed changed;

    if (run->operands.count == 0 && !opts->grant)
        return error_set(ctx, ERR_USAGE, "which flag?");
    if (!db_require_writable(ctx, run->db) || (opts->grant && !grant(ctx, run, opts->grant)))
        return false;
    if (run->operands.count == 0) {
        json_t *json CLEANUP(json_release) = json_pack("{s:s}", "granted", opts->grant);

        if (run->global->json)
            out_json(run->out, json);
        return true;
    }
    if (!wish(ctx, run, &change.to) || !flag_change(ctx, run->db, &change, &changed))
        return false;
    print_change(run, &change.to, &changed);
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
        "its rights: to read it, and to turn a flag off by pgmend.flag_off(), never on.",
    .operands = "[NAME]",
    .min_operands = 0,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend flags set replyx.stats --percent 5 --grant replyx_api\n"
                "pgmend flags set replyx.stats --percent 0 --reason \"ticket 112\"\n"
                "pgmend flags set replyx.stats --shadow 0.01",
    .next = "pgmend flags list",
    .run = run,
};
