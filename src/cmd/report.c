#include "report/report.h"

#include "base/file.h"
#include "cli/command.h"
#include "cli/out.h"

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

struct query_line {
    const char *query;
    const char *calls;
    const char *mean;
    const char *p95;
    const char *factor;
    const char *rows;
    const char *index_used;
};

static const struct field query_columns[] = {
    FIELD(struct query_line, query),
    FIELD(struct query_line, calls),
    FIELD(struct query_line, mean),
    FIELD(struct query_line, p95),
    FIELD(struct query_line, factor),
    FIELD(struct query_line, rows, .help = "rows/call"),
    FIELD(struct query_line, index_used),
};

struct index_line {
    const char *index;
    const char *what;
    const char *build_time;
    int64_t size;
    const char *scans;
};

static const struct field index_columns[] = {
    FIELD(struct index_line, index),
    FIELD(struct index_line, what, .help = ""),
    FIELD(struct index_line, build_time),
    FIELD(struct index_line, size, .unit = UNIT_BYTES),
    FIELD(struct index_line, scans, .help = "scans since"),
};
/* clang-format on */

static const char *
milliseconds(struct arena *arena, const struct report_side *side)
{
    if (side->calls == 0)
        return "-";
    return arena_printf(arena, "%s%s", text_from_us(arena, (int64_t)(side->mean_ms * 1000 + 0.5)),
        side->is_partial ? "?" : "");
}

static const char *
quantile(struct arena *arena, const struct report_side *side)
{
    return side->has_latency ? text_from_us(arena, side->p95_us) : "-";
}

static const char *
pair(struct arena *arena, const char *before, const char *after)
{
    return arena_printf(arena, "%s → %s", before, after);
}

static const char *
rows_per_call(struct arena *arena, const struct report_side *side)
{
    if (side->calls == 0)
        return "-";
    return text_from_ratio(arena, (double)side->row_count / (double)side->calls);
}

static const char *
access_of(struct arena *arena, const struct snapshot_plan *plan)
{
    if (!plan)
        return "-";
    if (!plan->has_plan)
        return "no plan";
    if (plan->plan.indexes.count > 0)
        return text_list_join(arena, &plan->plan.indexes, ", ");
    return plan->plan.seq_scans.count > 0 ? "seq scan" : "-";
}

static const char *
access_change(struct arena *arena, const struct report_query *query)
{
    const char *before = access_of(arena, query->before.plan);
    const char *after = access_of(arena, query->after.plan);

    return text_equal(before, after) ? after : pair(arena, before, after);
}

static struct query_line
line_of(struct arena *arena, const struct report_query *query)
{
    const char *before = rows_per_call(arena, &query->before);
    const char *after = rows_per_call(arena, &query->after);

    return (struct query_line){
        .query = query->script ? query->script : arena_strndup(arena, query->query, 60),
        .calls = pair(arena, text_from_count(arena, query->before.calls),
            text_from_count(arena, query->after.calls)),
        .mean =
            pair(arena, milliseconds(arena, &query->before), milliseconds(arena, &query->after)),
        .p95 = query->before.has_latency || query->after.has_latency
                   ? pair(arena, quantile(arena, &query->before), quantile(arena, &query->after))
                   : "-",
        .factor = query->factor > 0 ? report_factor(arena, query->factor) : "-",
        .rows = text_equal(before, after) ? after : pair(arena, before, after),
        .index_used = access_change(arena, query),
    };
}

static void
print_queries(struct ctx *ctx, FILE *out, const struct report *report, size_t first, size_t end)
{
    struct query_line *lines = ARENA_ARRAY(ctx->arena, struct query_line, end - first + 1);

    for (size_t i = first; i < end; i++)
        lines[i - first] = line_of(ctx->arena, &report->queries[i]);
    out_table(out, query_columns, COUNT_OF(query_columns), lines, end - first, sizeof(lines[0]));
    fputc('\n', out);
}

static void
print_indexes(struct ctx *ctx, FILE *out, const struct report *report)
{
    struct index_line *lines = ARENA_ARRAY(ctx->arena, struct index_line, report->index_count + 1);

    for (size_t i = 0; i < report->index_count; i++) {
        const struct report_index *index = &report->indexes[i];

        lines[i] = (struct index_line){
            .index = index->name,
            .what = index->is_valid ? index->what : "INVALID",
            .build_time = index->build_us >= 0 ? text_from_us(ctx->arena, index->build_us) : "-",
            .size = index->size_bytes,
            .scans = index->scans >= 0 ? text_from_count(ctx->arena, index->scans) : "-",
        };
    }
    out_table(
        out, index_columns, COUNT_OF(index_columns), lines, report->index_count, sizeof(lines[0]));
    fputc('\n', out);
}

static void
print_totals(struct ctx *ctx, FILE *out, const struct report *report)
{
    if (report->speed_up > 0)
        out_mark_line(out, report->speed_up >= 1 ? MARK_OK : MARK_WARN,
            "speed-up %s over %zu quer%s (time of the calls after at the means before / time they "
            "took)",
            report_factor(ctx->arena, report->speed_up), report->compared_count,
            report->compared_count == 1 ? "y" : "ies");
    else
        out_mark_line(out, MARK_WARN, "speed-up not known: no query was counted on both sides");
    if (report->errors >= 0)
        out_mark_line(out, report->errors == 0 ? MARK_OK : MARK_FAIL, "%s errors seen by the load",
            text_from_count(ctx->arena, report->errors));
    out_mark_line(out, MARK_INFO, "%s index%s built",
        text_from_count(ctx->arena, report->built_count), report->built_count == 1 ? "" : "es");
    for (size_t i = 0; i < report->notes.count; i++)
        out_mark_line(out, MARK_WARN, "%s", report->notes.items[i]);
}

static void
print_report(struct ctx *ctx, FILE *out, const struct report *report)
{
    fprintf(out, "%s, PostgreSQL %s: \"%s\" against \"%s\"\n\n", report->database,
        report->server_version, report->before.to, report->after.to);
    if (report->critical_count > 0)
        print_queries(ctx, out, report, 0, report->critical_count);
    if (report->query_count > report->critical_count) {
        fprintf(out, "%s\n\n",
            report->critical_count > 0 ? "Other statements, by time:" : "Statements, by time:");
        print_queries(ctx, out, report, report->critical_count, report->query_count);
    }
    print_indexes(ctx, out, report);
    print_totals(ctx, out, report);
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
    print_report(ctx, run->out, &report);
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
