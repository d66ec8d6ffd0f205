#include "cmd/parts/report_screen.h"

#include "cli/out.h"

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

struct step_line {
    const char *step;
    const char *title;
    const char *state;
    const char *why;
};

static const struct field step_columns[] = {
    FIELD(struct step_line, step),
    FIELD(struct step_line, title),
    FIELD(struct step_line, state),
    FIELD(struct step_line, why, .help = "measured"),
};

struct kpi_line {
    const char *goal;
    const char *before;
    const char *now;
    const char *target;
    const char *state;
};

static const struct field kpi_columns[] = {
    FIELD(struct kpi_line, goal),
    FIELD(struct kpi_line, before),
    FIELD(struct kpi_line, now),
    FIELD(struct kpi_line, target),
    FIELD(struct kpi_line, state, .help = ""),
};

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
print_plan_steps(struct ctx *ctx, FILE *out, const struct report_plan *plan)
{
    struct step_line *lines = ARENA_ARRAY(ctx->arena, struct step_line, plan->steps.count + 1);

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct report_step *step = &plan->steps.items[i];

        lines[i] = (struct step_line){
            .step = step->id,
            .title = step->title,
            .state = step->state,
            .why = step->why      ? step->why
                   : step->manual ? step->manual
                                  : "-",
        };
    }
    fprintf(out, "Plan %.8s, made %s\n\n", plan->hash, plan->created_at);
    out_table(
        out, step_columns, COUNT_OF(step_columns), lines, plan->steps.count, sizeof(lines[0]));
    fputc('\n', out);
}

static void
print_kpis(struct ctx *ctx, FILE *out, const struct report *report)
{
    struct kpi_line *lines = ARENA_ARRAY(ctx->arena, struct kpi_line, report->kpis.count + 1);

    for (size_t i = 0; i < report->kpis.count; i++)
        lines[i] = (struct kpi_line){ .goal = report->kpis.items[i].title,
            .before = report->kpis.items[i].before ? report->kpis.items[i].before : "unknown",
            .now = report->kpis.items[i].now,
            .target = report->kpis.items[i].target,
            .state = report->kpis.items[i].state };
    out_table(out, kpi_columns, COUNT_OF(kpi_columns), lines, report->kpis.count, sizeof(lines[0]));
    fputc('\n', out);
}

static void
print_stretches(struct ctx *ctx, FILE *out, const struct report *report)
{
    fprintf(out, "\"%s\" against \"%s\"\n\n", report->before.to, report->after.to);
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

void
report_screen(struct ctx *ctx, FILE *out, const struct report *report)
{
    fprintf(out, "%s, PostgreSQL %s\n\n", report->database, report->server_version);
    if (report->kpis.count > 0 && report->plan.is_known)
        print_kpis(ctx, out, report);
    if (report->plan.is_known)
        print_plan_steps(ctx, out, &report->plan);
    if (report->has_stretches)
        print_stretches(ctx, out, report);
    else
        out_mark_line(out, MARK_INFO,
            "no two snapshots were taken: \"pgmend report snapshot NAME\" before and after a change "
            "compares the whole workload");
}
