#include "cli/command.h"
#include "cli/out.h"
#include "monitor/kpi/kpi.h"
#include "monitor/plain.h"

/* A line on the terminal. */
struct line {
    const char *name;
    const char *title;
    const char *before;
    const char *now;
    const char *target;
    const char *deadline;
    const char *trend;
    const char *state;
    const char *planned;
};

static const struct field columns[] = {
    FIELD(struct line, name, .help = "KPI"),
    FIELD(struct line, before),
    FIELD(struct line, now),
    FIELD(struct line, target),
    FIELD(struct line, deadline, .help = "until"),
    FIELD(struct line, trend, .help = "a week"),
    FIELD(struct line, state),
    FIELD(struct line, planned, .help = "plan said before"),
};

/* Names, units and notes are what somebody told: a terminal must not obey them. */
static const char *
shown(struct arena *arena, const struct kpi *kpi, double value)
{
    return plain_text(arena, kpi_show(arena, kpi->unit, value));
}

static const char *
target_text(struct arena *arena, const struct kpi *kpi)
{
    const char *sign = kpi->less_is_better ? (kpi->target_is_inclusive ? "<=" : "<")
                                           : (kpi->target_is_inclusive ? ">=" : ">");

    if (kpi->target != kpi->target)
        return "-";
    return arena_printf(arena, "%s %s", sign, shown(arena, kpi, kpi->target));
}

static const char *
trend_text(struct arena *arena, const struct kpi *kpi)
{
    double rounded;

    /* A slope is not known to more than three digits. */
    if (kpi->trend != kpi->trend ||
        !text_to_double(arena_printf(arena, "%.3g", kpi->trend), &rounded))
        return "-";
    return arena_printf(arena, "%s%s", rounded > 0 ? "+" : "", shown(arena, kpi, rounded));
}

static void
print_group(struct ctx *ctx, FILE *out, const struct kpis *kpis, const char *group)
{
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, kpis->count);
    size_t count = 0;

    for (size_t i = 0; i < kpis->count; i++) {
        const struct kpi *kpi = &kpis->items[i];

        if (!text_equal(kpi->group, group))
            continue;
        lines[count++] = (struct line){
            .name = plain_text(ctx->arena, kpi->name),
            .before = shown(ctx->arena, kpi, kpi->before),
            .now = shown(ctx->arena, kpi, kpi->now),
            .target = target_text(ctx->arena, kpi),
            .deadline = kpi->deadline ? kpi->deadline : "-",
            .trend = trend_text(ctx->arena, kpi),
            .state = kpi_state_name(kpi->state),
            .planned = kpi->planned ? kpi->planned : "-",
        };
    }
    if (count == 0)
        return;
    out_table(out, columns, COUNT_OF(columns), lines, count, sizeof(lines[0]));
    fputc('\n', out);
}

static void
print_sources(struct arena *arena, FILE *out, const struct kpis *kpis)
{
    for (size_t i = 0; i < kpis->count; i++) {
        const struct kpi *kpi = &kpis->items[i];

        const char *name = plain_text(arena, kpi->name);

        fprintf(out, "%s: %s\n", name, plain_text(arena, kpi->source));
        if (kpi->before_source && !text_equal(kpi->before_source, kpi->source))
            fprintf(out, "%s before: %s\n", name, plain_text(arena, kpi->before_source));
    }
    fputc('\n', out);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct kpis kpis;

    if (!kpi_load(ctx, run->db, &kpis))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:o}", "kpis", kpi_json(&kpis));

        out_json(run->out, json);
        return true;
    }
    print_group(ctx, run->out, &kpis, "technical");
    print_group(ctx, run->out, &kpis, "business");
    print_group(ctx, run->out, &kpis, "own");
    print_sources(ctx->arena, run->out, &kpis);
    if (kpis.grant)
        out_mark_line(run->out, MARK_WARN, "this role may not read all that is kept: %s",
            plain_text(ctx->arena, kpis.grant));
    out_next(run->out, "pgmend kpi record NAME VALUE");
    return true;
}

const struct command cmd_kpi_show = {
    .path = "kpi show",
    .summary = "show the plan's goals: before, now, target, deadline, trend",
    .details =
        "The technical goals are filled in from what was measured: snapshots of pgmend "
        "report snapshot, the tables of pgmend monitor --store-url, and the server's own "
        "counters. The business goals come from pgmend kpi record and pgmend kpi import. "
        "\"Before\" is the oldest value from before the first change of pgmend apply, \"now\" "
        "the latest one, the trend the slope by least squares of all measured values and of the "
        "first and the last 1,000 that were recorded. What nobody "
        "has measured is unknown.",
    .access = ACCESS_READ,
    .examples = "pgmend kpi show\n"
                "pgmend kpi show --json",
    .next = "pgmend kpi record",
    .run = run,
};
