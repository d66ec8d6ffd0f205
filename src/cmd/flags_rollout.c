#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/flag_rollout.h"

struct options {
    const char *steps;
    struct text_list metrics;
    const char *route;
    const char *variant;
    const char *control;
    int64_t hold;
    int64_t warm_up;
    int64_t every;
    int64_t blind;
    int64_t limit;
    int64_t least;
    int64_t users;
    const char *reason;
};

static const struct field options[] = {
    FIELD(struct options, steps, .arg = "LIST", .standard = "5,25,100",
        .help = "percents of the users, one after the other"),
    FIELD(struct options, metrics, .arg = "URL",
        .help = "/metrics of the application; may be given several times "
                "(http://127.0.0.1:8000/metrics)"),
    FIELD(struct options, route, .arg = "NAME",
        .help = "the route in the metrics (what follows the last point of the flag's name)"),
    FIELD(struct options, variant, .arg = "NAME",
        .help = "what is rolled out (that of the flag, else optimised)"),
    FIELD(struct options, control, .arg = "NAME", .standard = "naive",
        .help = "the variant that everybody else gets"),
    FIELD(struct options, hold, .unit = UNIT_US, .arg = "TIME", .standard = "10m",
        .help = "how long each step lasts at least"),
    FIELD(struct options, warm_up, .unit = UNIT_US, .arg = "TIME", .standard = "10s",
        .help = "what is not counted after a step began"),
    FIELD(struct options, every, .unit = UNIT_US, .arg = "TIME", .standard = "5s",
        .help = "time between two looks"),
    FIELD(struct options, blind, .unit = UNIT_US, .arg = "TIME", .standard = "1m",
        .help = "how long there may be no metrics before it goes back"),
    FIELD(struct options, limit, .unit = UNIT_US, .arg = "TIME", .standard = "1d",
        .help = "how long a step may stay inconclusive before it goes back"),
    FIELD(struct options, least, .arg = "N", .standard = "5000",
        .help = "requests of each arm before it goes on"),
    FIELD(struct options, users, .arg = "N", .standard = "0",
        .help = "users that are active during a step, for the test of the sample ratio (0: not "
                "known, not tested)"),
    FIELD(struct options, reason, .momentary = true, .arg = "TEXT", .standard = "roll-out",
        .help = "why, for list and journal"),
};

static bool
read_steps(struct ctx *ctx, const char *text, struct flag_rollout *rollout)
{
    char *rest = arena_strdup(ctx->arena, text);
    char *part;
    int64_t last = 0;

    while ((part = strsep(&rest, ",")) != NULL) {
        int64_t percent;

        if (!text_to_int64(part, &percent) || percent <= last || percent > 100 ||
            rollout->step_count == ROLLOUT_MOST_STEPS)
            return error_set(ctx, ERR_USAGE,
                "--steps \"%s\": percents of 1 to 100 are expected, each above the one before",
                text);
        rollout->steps[rollout->step_count++] = (int32_t)percent;
        last = percent;
    }
    return true;
}

/* A step whose guard died has ended by itself; one that lives is somebody else's. */
static bool
check_alone(struct ctx *ctx, struct flag_rollout *rollout)
{
    struct flag *flag = &rollout->flag;
    int64_t now_us = clock_wall_us();

    if (flag->until_us == 0)
        return true;
    if (flag->until_us > now_us) {
        error_set(ctx, ERR_CONFLICT, "another roll-out of %s is going on", flag->name);
        error_hint(ctx,
            "If it was killed, its step ends by itself at %s; else end it, or: pgmend "
            "flags set %s --percent %d",
            clock_text(ctx->arena, flag->until_us), flag->name, flag->fallback);
        return error_state(ctx, "Nothing was changed.");
    }
    flag->percent = flag_percent(flag, now_us);
    flag->until_us = 0;
    flag->fallback = 0;
    rollout->is_there = false;
    return true;
}

/* The flag as it is, or a new one that is at 0. */
static bool
find_flag(struct ctx *ctx, struct run *run, struct flag_rollout *rollout)
{
    const struct options *opts = run->options;
    const char *name = run->operands.items[0];
    struct flag_list list;
    const char *problem;
    const struct flag *known;

    if (!flags_load(ctx, run->db, &list, &problem))
        return false;
    known = flag_find(&list, name);
    rollout->is_there = known;
    rollout->flag =
        known ? *known : (struct flag){ .name = name, .variant = "optimised", .salt = name };
    if (known && !check_alone(ctx, rollout))
        return false;
    rollout->start = known ? rollout->flag : (struct flag){ 0 };
    if (known && opts->variant && !text_equal(opts->variant, known->variant) &&
        rollout->flag.percent > 0) {
        error_set(ctx, ERR_CONFLICT, "flag %s is at %d %% with variant \"%s\"", name,
            rollout->flag.percent, known->variant);
        error_hint(ctx, "pgmend flags set %s --percent 0", name);
        return error_state(ctx, "Nothing was changed.");
    }
    if (known && !text_equal(opts->variant ? opts->variant : known->variant, known->variant))
        rollout->is_there = false;
    if (opts->variant)
        rollout->flag.variant = opts->variant;
    rollout->flag.reason = opts->reason;
    return true;
}

/* Steps that the flag has taken already are left out. */
static bool
skip_steps(struct ctx *ctx, struct flag_rollout *rollout)
{
    size_t kept = 0;

    for (size_t i = 0; i < rollout->step_count; i++)
        if (rollout->steps[i] > rollout->flag.percent)
            rollout->steps[kept++] = rollout->steps[i];
    rollout->step_count = kept;
    if (kept > 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "flag %s is at %d %% already", rollout->flag.name,
        rollout->flag.percent);
    return error_state(ctx, "Nothing was changed.");
}

static struct guard_rules
rules_of(const struct options *opts)
{
    struct guard_rules rules = guard_standard_rules;

    rules.least = (double)opts->least;
    rules.hold_us = opts->hold;
    rules.users = (double)opts->users;
    return rules;
}

static void
print_step(struct ctx *ctx, struct run *run, const json_t *step)
{
    bool goes_on = strcmp(json_get_text(ctx->arena, step, "decision", ""), "go on") == 0;

    out_mark_line(run->out, goes_on ? MARK_OK : MARK_FAIL,
        "%lld %%  %s: %s (%.0f / %.0f requests, p95 %.3g / %.3g ms, errors %.2f / %.2f %%, %s)",
        (long long)json_get_int(step, "percent", 0), goes_on ? "good" : "back",
        json_get_text(ctx->arena, step, "why", ""), json_get_double(step, "control_count", 0),
        json_get_double(step, "treatment_count", 0),
        1000 * json_get_double(step, "control_p95_seconds", 0),
        1000 * json_get_double(step, "treatment_p95_seconds", 0),
        100 * json_get_double(step, "control_error_rate", 0),
        100 * json_get_double(step, "treatment_error_rate", 0),
        text_from_us(ctx->arena, json_get_int(step, "elapsed_us", 0)));
}

static void
print_result(struct ctx *ctx, struct run *run, const struct flag_rollout *rollout, bool is_promoted)
{
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:o, s:b, s:O}", "flag",
            flag_json(&rollout->flag), "is_promoted", is_promoted, "steps", rollout->done);

        out_json(run->out, json);
        return;
    }
    for (size_t i = 0; i < json_array_size(rollout->done); i++)
        print_step(ctx, run, json_array_get(rollout->done, i));
    if (is_promoted)
        fprintf(run->out, "\n%s is at %d %%.\n", rollout->flag.name, rollout->flag.percent);
    else
        fprintf(
            run->out, "\n%s went back to 0 %%: %s.\n", rollout->flag.name, rollout->verdict.why);
    out_next(run->out, is_promoted ? "pgmend flags list" : "pgmend history");
}

static bool
check_options(struct ctx *ctx, const struct options *opts, const char *name)
{
    if (!*name)
        return error_set(ctx, ERR_USAGE, "the name of the flag is empty");
    if (opts->metrics.count == 0)
        return error_set(ctx, ERR_USAGE, "--metrics is missing: the guard sees nothing without it");
    if (opts->every <= 0 || opts->least < 2 || opts->users < 0)
        return error_set(
            ctx, ERR_USAGE, "--every is above 0, --least at least 2, --users not below 0");
    if (opts->warm_up < 0 || opts->hold < 0 || opts->blind < 0)
        return error_set(ctx, ERR_USAGE, "--hold, --warm-up and --blind are not below 0");
    if (opts->hold > opts->limit)
        return error_set(ctx, ERR_USAGE,
            "--hold %s is longer than --limit %s: no step could ever go on",
            text_from_us(ctx->arena, opts->hold), text_from_us(ctx->arena, opts->limit));
    if (text_equal(opts->variant, opts->control))
        return error_set(ctx, ERR_USAGE,
            "--variant and --control are both \"%s\": there is nothing to compare", opts->control);
    return arm_metrics_check_urls(ctx, &opts->metrics);
}

/* Before anything is set: whether the guard would see something. */
static bool
try_metrics(struct ctx *ctx, struct flag_rollout *rollout)
{
    struct text_list notes;
    struct text_list followers = { 0 };

    if (!arm_metrics_try(ctx, rollout->metrics, &notes))
        return error_state(ctx, "Nothing was changed.");
    for (size_t i = 0; i < notes.count; i++)
        log_warn("%s", notes.items[i]);
    if (!flags_followers(ctx, rollout->run->db, &followers))
        return error_state(ctx, "Nothing was changed.");
    if (followers.count == 0)
        log_warn(
            "no role but the owner of pgmend.flag was given the right to read it: processes that "
            "connect as another do not see the steps (pgmend flags set --grant ROLE)");
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const char *point = strrchr(run->operands.items[0], '.');
    struct flag_rollout rollout = {
        .run = run,
        .times = { opts->warm_up, opts->every, opts->blind, opts->limit },
        .rules = rules_of(opts),
        .reason = opts->reason,
        .id = random_hex(ctx->arena, 6),
    };
    struct arm_metrics_options wanted = {
        .urls = &opts->metrics,
        .route = opts->route ? opts->route
                 : point     ? point + 1
                             : run->operands.items[0],
        .variants = { opts->control },
        .timeout_us = opts->every < 1000000 ? 1000000 : opts->every,
    };
    json_t *done CLEANUP(json_release) = json_array();
    bool is_promoted = false;
    bool is_good;

    rollout.done = done;
    if (!check_options(ctx, opts, run->operands.items[0]) ||
        !read_steps(ctx, opts->steps, &rollout) || !db_require_direct(ctx, run->db) ||
        !db_require_writable(ctx, run->db) || !find_flag(ctx, run, &rollout) ||
        !skip_steps(ctx, &rollout))
        return false;
    wanted.variants[GUARD_TREATMENT] = rollout.flag.variant;
    if (text_equal(rollout.flag.variant, opts->control))
        return error_set(ctx, ERR_USAGE,
            "variant and control are both \"%s\": there is nothing to compare", opts->control);
    if (!arm_metrics_open(ctx, &wanted, &rollout.metrics))
        return false;
    is_good = try_metrics(ctx, &rollout) && flag_rollout_run(ctx, &rollout, &is_promoted);
    arm_metrics_close(rollout.metrics);
    if (!is_good)
        return false;
    print_result(ctx, run, &rollout, is_promoted);
    run->status = is_promoted ? 0 : error_exit_status(ERR_UNDONE);
    return true;
}

const struct command cmd_flags_rollout = {
    .path = "flags rollout",
    .summary = "give a variant to more and more users while a guard watches",
    .details =
        "Sets the flag to each percent in turn. While a step lasts, both arms are compared by what "
        "/metrics of the application counts, with tests that may be looked at continuously: the "
        "mean of the logarithm of latency (mixture SPRT), the 95th percentile, errors (Wald's "
        "SPRT), many errors at once, the sample ratio. The step goes on when there are enough "
        "requests, the hold time is over and the variant is with confidence not worse; it goes back "
        "to 0 by itself when it is; until then it waits. Decision and numbers stand in the "
        "journal. docs/flags.md has the rules and their error rates.\n\n"
        "Each step lives for some seconds only and is renewed at each look. When this program or "
        "its machine dies, the application falls back to the percent before the step.\n\n"
        "Steps at or below the percent that holds are left out. All steps are one run of the journal: "
        "one \"pgmend rollback\" goes back to the percent before it.\n\n"
        "Exit status: 0 it is at the last step; 1 something else was in the way (somebody else set "
        "the flag or rolls it out, an address of --metrics does not answer), and what was set "
        "before the step holds, or what they have set; 2 wrong options; 5 it went back to 0; 6 the "
        "flag could not be written, and falls back by itself; 130 or 143 interrupted (Ctrl-C, "
        "SIGTERM), and back at the percent before the step.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend flags rollout replyx.stats --metrics http://127.0.0.1:8000/metrics\n"
                "pgmend flags rollout replyx.stats --steps 1,5,25,50,100 --hold 1h --least 20000 "
                "--metrics http://10.0.0.4:8000/metrics --metrics http://10.0.0.5:8000/metrics",
    .next = "pgmend flags list",
    .run = run,
};
