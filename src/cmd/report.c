#include "report/report.h"

#include <math.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/report_screen.h"
#include "monitor/kpi/kpi.h"

struct options {
    const char *before;
    const char *after;
    const char *load_before;
    const char *load_during;
    const char *load_after;
    const char *html;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, before, .arg = "NAME",
        .help = "the snapshot that ends the time before the change, or FROM..TO (default: the last "
                "but one)"),
    FIELD(struct options, after, .arg = "NAME",
        .help = "the snapshot that ends the time after it, or FROM..TO (default: the last)"),
    FIELD(struct options, load_before, .arg = "FILE",
        .help = "what pgmend load run --output wrote before the change"),
    FIELD(struct options, load_during, .arg = "FILE",
        .help = "the same, while the change was made"),
    FIELD(struct options, load_after, .arg = "FILE",
        .help = "the same, after it"),
    FIELD(struct options, html, .arg = "FILE",
        .help = "write the report as a page of one file"),
};

/* clang-format on */

/* The goals are there when somebody recorded or measured them; without them there is a report too. */
static void
add_kpis(struct ctx *ctx, struct db *db, struct report *report)
{
    struct kpis kpis;

    if (!kpi_load(ctx, db, &kpis)) {
        error_clear(ctx);
        return;
    }
    for (size_t i = 0; i < kpis.count; i++) {
        const struct kpi *kpi = &kpis.items[i];
        const bool has_before = !isnan(kpi->before);

        if (isnan(kpi->now) && !has_before)
            continue;
        VEC_PUSH(ctx->arena, &report->kpis,
            (struct report_kpi){
                .title = kpi->title,
                .before = has_before ? kpi_show(ctx->arena, kpi->unit, kpi->before) : NULL,
                .before_source = kpi->before_source,
                .assumed = kpi->planned,
                .now = kpi_show(ctx->arena, kpi->unit, kpi->now),
                .target = kpi_show(ctx->arena, kpi->unit, kpi->target),
                .deadline = kpi->deadline,
                .source = kpi->source,
                .state = kpi_state_name(kpi->state),
            });
    }
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct report_options wanted = {
        .before = opts->before,
        .after = opts->after,
        .load_before = opts->load_before,
        .load_during = opts->load_during,
        .load_after = opts->load_after,
    };
    struct report report;

    if (!report_make(ctx, run->db, &wanted, &report))
        return false;
    add_kpis(ctx, run->db, &report);
    if (opts->html) {
        const char *page = report_html(ctx, &report);

        if (!file_write(ctx, opts->html, page, strlen(page), 0644))
            return false;
    }
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = report_json(&report);

        out_json(run->out, json);
        return true;
    }
    report_screen(ctx, run->out, &report);
    if (opts->html)
        out_next(run->out, "open %s in a browser (it needs no network)", opts->html);
    else
        out_next(run->out, "pgmend report --html report.html");
    return true;
}

const struct command cmd_report = {
    .path = "report",
    .summary = "show what a change did: before and after, query by query",
    .details =
        "Compares two snapshots (pgmend report snapshot): calls, mean times and rows from "
        "pg_stat_statements, scans and sizes of indexes, plans; with load results also quantiles "
        "and errors. Counters that were reset or evicted in between are said and enter no "
        "total.\n\n"
        "BEFORE alone counts from the last reset of pg_stat_statements to that snapshot, AFTER "
        "alone from BEFORE to that snapshot; FROM..TO counts between the two.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend report --html report.html\n"
                "pgmend report --before before --after quiet..after --load-after after.json",
    .next = "pgmend status",
    .run = run,
};
