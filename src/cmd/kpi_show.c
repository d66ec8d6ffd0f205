#include "cli/command.h"
#include "cli/out.h"
#include "monitor/kpi/kpi.h"

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

static const char *
target_text(struct arena *arena, const struct kpi *kpi)
{
    const char *sign =
        kpi->less_is_better ? (kpi->target_is_met ? "<=" : "<") : (kpi->target_is_met ? ">=" : ">");

    if (kpi->target != kpi->target)
        return "-";
    return arena_printf(arena, "%s %s", sign, kpi_show(arena, kpi->unit, kpi->target));
}

static const char *
trend_text(struct arena *arena, const struct kpi *kpi)
{
    double rounded;

    /* A slope is not known to more than three digits. */
    if (kpi->trend != kpi->trend ||
        !text_to_double(arena_printf(arena, "%.3g", kpi->trend), &rounded))
        return "-";
    return arena_printf(arena, "%s%s", rounded > 0 ? "+" : "", kpi_show(arena, kpi->unit, rounded));
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
            .name = kpi->name,
            .before = kpi_show(ctx->arena, kpi->unit, kpi->before),
            .now = kpi_show(ctx->arena, kpi->unit, kpi->now),
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
print_sources(FILE *out, const struct kpis *kpis)
{
    for (size_t i = 0; i < kpis->count; i++) {
        const struct kpi *kpi = &kpis->items[i];

        fprintf(out, "%s: %s\n", kpi->name, kpi->source);
        if (kpi->before_source && !text_equal(kpi->before_source, kpi->source))
            fprintf(out, "%s before: %s\n", kpi->name, kpi->before_source);
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
    print_sources(run->out, &kpis);
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
        "the latest one, the trend the slope of all values by least squares. What nobody "
        "has measured is unknown.",
    .access = ACCESS_READ,
    .examples = "pgmend kpi show\n"
                "pgmend kpi show --json",
    .next = "pgmend kpi record",
    .run = run,
};
