#include <math.h>

#include "cli/command.h"
#include "cli/out.h"
#include "monitor/kpi/kpi.h"
#include "monitor/plain.h"

struct options {
    const char *at;
    const char *note;
    const char *target;
    const char *deadline;
    const char *unit;
    const char *title;
    const char *better;
};

static const char *const directions[] = { "less", "more", NULL };

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, at, .momentary = true, .arg = "TIME",
        .help = "when it was so: a date or a time in UTC (now if not given)"),
    FIELD(struct options, note, .momentary = true, .arg = "TEXT",
        .help = "where the value is from"),
    FIELD(struct options, target, .momentary = true, .arg = "VALUE",
        .help = "what is wanted; adds a goal of this name if there is none"),
    FIELD(struct options, deadline, .momentary = true, .arg = "DATE",
        .help = "until when; likewise"),
    FIELD(struct options, unit, .momentary = true, .arg = "UNIT",
        .help = "seconds, ratio, count, USD or any other; likewise"),
    FIELD(struct options, title, .momentary = true, .arg = "TEXT",
        .help = "the goal in words; likewise"),
    FIELD(struct options, better, .momentary = true, .choices = directions, .arg = "less|more",
        .help = "which way is better; likewise (more)"),
};
/* clang-format on */

static bool
is_definition(const struct options *opts)
{
    return opts->target || opts->deadline || opts->unit || opts->title || opts->better;
}

static bool
define(struct ctx *ctx, struct run *run, const char *name, const struct options *opts)
{
    struct kpi_definition definition = {
        .name = name,
        .title = opts->title,
        .unit = opts->unit,
        .target = NAN,
    };
    int64_t until;

    if (opts->better)
        definition.less_is_better = text_equal(opts->better, "less") ? "true" : "false";
    if (opts->target && !kpi_read_number(ctx, name, opts->target, &definition.target))
        return error_wrap(ctx, "--target");
    if (opts->deadline) {
        if (strlen(opts->deadline) != 10 || !kpi_read_time(ctx, opts->deadline, &until))
            return error_set(
                ctx, ERR_USAGE, "--deadline: \"%s\" is no date such as 2026-12-31", opts->deadline);
        definition.deadline = opts->deadline;
    }
    return kpi_define(ctx, run->db, &definition);
}

static const struct kpi *
find(const struct kpis *kpis, const char *name)
{
    for (size_t i = 0; i < kpis->count; i++)
        if (text_equal(kpis->items[i].name, name))
            return &kpis->items[i];
    return NULL;
}

static void
print_recorded(struct ctx *ctx, struct run *run, const struct kpi *kpi, double value)
{
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:s, s:f, s:s}", "name", kpi->name,
            "value", value, "state", kpi_state_name(kpi->state));

        out_json(run->out, json);
        return;
    }

    const char *unit = plain_text(ctx->arena, kpi->unit);

    out_mark_line(run->out, MARK_OK, "%s: %s recorded (now %s, target %s: %s)",
        plain_text(ctx->arena, kpi->name), kpi_show(ctx->arena, unit, value),
        kpi_show(ctx->arena, unit, kpi->now),
        kpi->target == kpi->target ? kpi_show(ctx->arena, unit, kpi->target) : "none",
        kpi_state_name(kpi->state));
    out_next(run->out, "pgmend kpi show");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct kpi_value value = { .name = run->operands.items[0], .note = opts->note };
    struct kpis kpis;

    if (!kpi_read_number(ctx, value.name, run->operands.items[1], &value.value) ||
        (opts->at && !kpi_read_time(ctx, opts->at, &value.at_wall_us)) ||
        !db_require_writable(ctx, run->db))
        return false;
    if (is_definition(opts) && !define(ctx, run, value.name, opts))
        return false;
    if (!kpi_record(ctx, run->db, &value, 1))
        return error_state(ctx, "No value was recorded.");
    if (!kpi_load(ctx, run->db, &kpis))
        return false;
    print_recorded(ctx, run, find(&kpis, value.name), value.value);
    return true;
}

const struct command cmd_kpi_record = {
    .path = "kpi record",
    .summary = "record a value of a goal that people know",
    .details =
        "Keeps the value in schema pgmend of the database. A value of the same goal and time "
        "replaces the one before. Numbers are written with a point; \"99.9%\", \"180ms\" and "
        "\"$25\" are understood where the goal is a share, a time or money.\n\n"
        "With --target, --deadline, --unit, --title or --better it also adds a goal of your "
        "own, or changes these of one that is there.",
    .operands = "NAME VALUE",
    .min_operands = 2,
    .max_operands = 2,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend kpi record complaints 4 --note \"support, week 47\"\n"
                "pgmend kpi record bot-uptime 99.7% --at 2026-11-22\n"
                "pgmend kpi record exports-per-hour 120 --unit count --target 500 --deadline "
                "2026-12-31",
    .next = "pgmend kpi show",
    .run = run,
};
