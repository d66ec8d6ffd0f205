#include "report/html.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "report/make.h"
#include "web.h"

enum { MOST_SHOWN = 2000 };

const char *
html_ms(struct arena *arena, double ms)
{
    if (ms < 0.001)
        return arena_printf(arena, "%.2g µs", ms * 1000);
    if (ms < 1)
        return arena_printf(arena, "%.3g µs", ms * 1000);
    return ms < 1000 ? arena_printf(arena, "%.3g ms", ms)
                     : arena_printf(arena, "%.3g s", ms / 1000);
}

static const char *
count_text(struct arena *arena, int64_t count)
{
    return count < 0 ? "–" : text_from_count(arena, count);
}

void
html_pair(struct buffer *page, const char *before, const char *after)
{
    buffer_printf(page,
        "<td class=\"n\"><span class=\"was\">%s</span><span class=\"arrow\">→</span>"
        "<span class=\"is\">%s</span></td>",
        before, after);
}

static void
add_stretch(
    struct buffer *page, const char *key, const char *name, const struct report_stretch *stretch)
{
    struct arena *arena = page->arena;

    buffer_printf(page, "<li class=\"key %s\"><strong>%s</strong> ", key, name);
    if (stretch->from_at)
        buffer_printf(page, "%s – ", report_time(arena, stretch->from_at));
    buffer_printf(
        page, "%s%s (", stretch->from_at ? "" : "until ", report_time(arena, stretch->to_at));
    if (stretch->from)
        buffer_printf(page, "snapshot “%s” to “%s”", markup_escape(arena, stretch->from),
            markup_escape(arena, stretch->to));
    else
        buffer_printf(page, "statistics reset to snapshot “%s”", markup_escape(arena, stretch->to));
    buffer_add(page, ")</li>\n");
}

static void
add_notes(struct buffer *page, const struct report *report)
{
    if (report->notes.count == 0)
        return;
    buffer_add(page, "<section class=\"notes\"><strong>Read this first</strong><ul>\n");
    for (size_t i = 0; i < report->notes.count; i++)
        buffer_printf(page, "<li>%s</li>\n", markup_escape(page->arena, report->notes.items[i]));
    buffer_add(page, "</ul></section>\n");
}

/* How the tables are reached: indexes by name, and what is read from end to end. */
static void
add_access(struct buffer *page, const struct snapshot_plan *plan, const char *kind)
{
    struct arena *arena = page->arena;

    if (!plan->has_plan)
        buffer_add(page, "<span class=\"chip\">no plan</span> ");
    for (size_t i = 0; i < plan->plan.seq_scans.count; i++)
        buffer_printf(page, "<span class=\"chip %s\">reads all of %s</span> ", kind,
            markup_escape(arena, plan->plan.seq_scans.items[i]));
    for (size_t i = 0; i < plan->plan.indexes.count; i++)
        buffer_printf(page, "<span class=\"chip %s\">%s</span> ", kind,
            markup_escape(arena, plan->plan.indexes.items[i]));
}

static void
add_accesses(struct buffer *page, const struct report_query *query)
{
    const struct snapshot_plan *before = query->before.plan;
    const struct snapshot_plan *after = query->after.plan;

    if (!before && !after)
        return;
    buffer_add(page, "<span class=\"access\">");
    if (before && (query->is_new_plan || !after))
        add_access(page, before, "b");
    if (before && query->is_new_plan)
        buffer_add(page, "<span class=\"arrow\">→</span> ");
    if (after)
        add_access(page, after, "a");
    buffer_add(page, "</span>");
}

static const char *
side_mean(struct arena *arena, const struct report_side *side)
{
    return side->calls > 0 ? html_ms(arena, side->mean_ms) : "–";
}

static const char *
side_rows(struct arena *arena, const struct report_side *side)
{
    return side->calls > 0 ? text_from_ratio(arena, (double)side->row_count / (double)side->calls)
                           : "–";
}

static const char *
side_p95(struct arena *arena, const struct report_side *side)
{
    return side->has_latency ? html_ms(arena, (double)side->p95_us / 1000) : "–";
}

/* The first words of a statement on one line. */
static const char *
one_line(struct arena *arena, const char *sql)
{
    char *text = arena_strndup(arena, sql, strlen(sql) < 160 ? strlen(sql) : 160);
    size_t length = 0;

    for (const char *at = text; *at; at++) {
        bool is_blank = strchr(" \n\t\r", *at) != NULL;

        if (!is_blank || (length > 0 && text[length - 1] != ' '))
            text[length++] = (char)(is_blank ? ' ' : *at);
    }
    text[length] = '\0';
    return markup_escape(arena, text);
}

static void
add_query(struct buffer *page, const struct report_query *query)
{
    struct arena *arena = page->arena;

    buffer_add(page, "<tr><td class=\"name\">");
    if (query->script)
        buffer_printf(page, "<strong>%s</strong>", markup_escape(arena, query->script));
    buffer_printf(page, "<span class=\"sql\">%s</span>", one_line(arena, query->query));
    add_accesses(page, query);
    if (*query->before.notes)
        buffer_printf(page, "<span class=\"mark\">before: %s</span>", query->before.notes);
    if (*query->after.notes)
        buffer_printf(page, "<span class=\"mark\">after: %s</span>", query->after.notes);
    buffer_add(page, "</td>");
    html_pair(page, text_from_count(arena, query->before.calls),
        text_from_count(arena, query->after.calls));
    html_pair(page, side_mean(arena, &query->before), side_mean(arena, &query->after));
    if (query->factor > 0)
        buffer_printf(page, "<td class=\"n factor %s\">%s</td>",
            query->factor >= 1 ? "good" : "bad", report_factor(arena, query->factor));
    else
        buffer_add(page, "<td class=\"n\">–</td>");
    if (query->before.has_latency || query->after.has_latency)
        html_pair(page, side_p95(arena, &query->before), side_p95(arena, &query->after));
    else
        buffer_add(page, "<td class=\"n\">–</td>");
    if (text_equal(side_rows(arena, &query->before), side_rows(arena, &query->after)))
        buffer_printf(page, "<td class=\"n\">%s</td>", side_rows(arena, &query->after));
    else
        html_pair(page, side_rows(arena, &query->before), side_rows(arena, &query->after));
    buffer_add(page, "</tr>\n");
}

static void
add_queries(struct buffer *page, const struct report *report, size_t first, size_t end)
{
    buffer_add(page,
        "<div class=\"panel\"><table><thead><tr><th>Query</th><th class=\"n\">Calls</th>"
        "<th class=\"n\">Mean</th><th class=\"n\">Factor</th><th class=\"n\">p95 at the "
        "client</th><th class=\"n\">Rows/call</th></tr></thead><tbody>\n");
    for (size_t i = first; i < end; i++)
        add_query(page, &report->queries[i]);
    buffer_add(page, "</tbody></table></div>\n");
}

static void
add_query_sections(struct buffer *page, const struct report *report)
{
    size_t critical = report->critical_count;

    buffer_add(page,
        "<h2>Time per call</h2>\n<p class=\"caption\">Mean execution time in the server; "
        "the scale is logarithmic. <span class=\"key b\">before</span> &nbsp; "
        "<span class=\"key a\">after</span></p>\n");
    html_chart_queries(page, report);
    if (critical > 0) {
        buffer_add(page, "<h2>Critical queries</h2>\n");
        add_queries(page, report, 0, critical);
    }
    if (report->query_count == critical)
        return;
    buffer_printf(page,
        "<h2>%s</h2>\n<p class=\"caption\">By the time they took, before and after together.</p>\n",
        critical > 0 ? "Other statements" : "Statements");
    add_queries(page, report, critical, report->query_count);
}

static void
add_indexes(struct buffer *page, const struct report *report)
{
    struct arena *arena = page->arena;

    if (report->index_count == 0)
        return;
    buffer_add(page,
        "<h2>Indexes</h2>\n<div class=\"panel\"><table><thead><tr><th>Index</th><th></th>"
        "<th class=\"n\">Build time</th><th class=\"n\">Size</th><th class=\"n\">Scans "
        "since</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < report->index_count; i++) {
        const struct report_index *index = &report->indexes[i];

        buffer_printf(page,
            "<tr><td class=\"name\"><strong>%s</strong><span class=\"sub\">%s</span></td><td>"
            "<span class=\"chip %s\">%s</span>%s</td>",
            markup_escape(arena, index->name), markup_escape(arena, index->definition),
            text_equal(index->what, "built") ? "a" : "", index->what,
            index->is_valid ? "" : " <span class=\"chip bad\">INVALID</span>");
        buffer_printf(page,
            "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
            index->build_us >= 0 ? text_from_us(arena, index->build_us) : "–",
            text_from_bytes(arena, index->size_bytes), count_text(arena, index->scans));
    }
    buffer_add(page, "</tbody></table></div>\n");
}

static void
add_tables(struct buffer *page, const struct report *report)
{
    struct arena *arena = page->arena;

    if (report->table_count == 0)
        return;
    buffer_add(page,
        "<h2>What it costs</h2>\n<p class=\"caption\">Indexes take room and have to be "
        "kept up to date by every write.</p>\n<div class=\"panel\"><table><thead><tr>"
        "<th>Table</th><th class=\"n\">Rows, about</th><th class=\"n\">Table</th>"
        "<th class=\"n\">All its indexes</th><th class=\"n\">Reads from end to end</th>"
        "<th class=\"n\">Index scans</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < report->table_count; i++) {
        const struct report_table *table = &report->tables[i];

        buffer_printf(page,
            "<tr><td class=\"name\"><strong>%s</strong><span class=\"sub\">%s</span></td>"
            "<td class=\"n\">%s</td><td class=\"n\">%s</td>",
            markup_escape(arena, table->name), markup_escape(arena, table->schema),
            text_from_count(arena, table->live_rows), text_from_bytes(arena, table->table_bytes));
        html_pair(page, text_from_bytes(arena, table->index_bytes_before),
            text_from_bytes(arena, table->index_bytes_after));
        buffer_printf(page, "<td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
            count_text(arena, table->seq_scans), count_text(arena, table->index_scans));
    }
    buffer_add(page, "</tbody></table></div>\n");
}

static void
add_scenario_side(struct buffer *page, const struct report_scenario_side *side)
{
    struct arena *arena = page->arena;

    if (!side->is_known) {
        buffer_add(page, "<td class=\"n\">–</td><td class=\"n\">–</td><td class=\"n\">–</td>");
        return;
    }
    buffer_printf(page, "<td class=\"n\">%s%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td>",
        text_from_count(arena, side->calls),
        side->failed ? arena_printf(arena, "<span class=\"mark\">%s failed</span>",
                           text_from_count(arena, side->failed))
                     : "",
        html_ms(arena, (double)side->p50_us / 1000), html_ms(arena, (double)side->p95_us / 1000));
}

static void
add_scenarios(struct buffer *page, const struct report *report)
{
    static const char *const keys[LOAD_COUNT] = { "b", "", "a" };

    buffer_add(page, "<div class=\"panel\"><table><thead><tr><th rowspan=\"2\">Script</th>");
    for (size_t i = 0; i < LOAD_COUNT; i++)
        if (report->loads[i].is_known)
            buffer_printf(page,
                "<th class=\"n\" colspan=\"3\"><span class=\"key %s\">%s</span></th>", keys[i],
                report->loads[i].label);
    buffer_add(page, "</tr>\n<tr>");
    for (size_t i = 0; i < LOAD_COUNT; i++)
        if (report->loads[i].is_known)
            buffer_add(page, "<th class=\"n\">calls</th><th class=\"n\">p50</th>"
                             "<th class=\"n\">p95</th>");
    buffer_add(page, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < report->scenario_count; i++) {
        const struct report_scenario *scenario = &report->scenarios[i];

        buffer_printf(
            page, "<tr><td><strong>%s</strong></td>", markup_escape(page->arena, scenario->name));
        if (report->loads[LOAD_BEFORE].is_known)
            add_scenario_side(page, &scenario->before);
        if (report->loads[LOAD_DURING].is_known)
            add_scenario_side(page, &scenario->during);
        if (report->loads[LOAD_AFTER].is_known)
            add_scenario_side(page, &scenario->after);
        buffer_add(page, "</tr>\n");
    }
    buffer_add(page, "</tbody></table></div>\n");
}

static void
add_load(struct buffer *page, const struct report_load *load, const char *key)
{
    struct arena *arena = page->arena;

    buffer_printf(page,
        "<li class=\"key %s\"><strong>%s</strong> %s transactions in %s by %s clients: %.0f a "
        "second, <span class=\"%s\">%s errors</span>%s</li>\n",
        key, load->label, text_from_count(arena, load->calls),
        text_from_us(arena, load->elapsed_us), text_from_count(arena, load->clients),
        load->calls_per_second, load->errors ? "bad" : "good", text_from_count(arena, load->errors),
        load->is_incomplete ? " <span class=\"mark\">did not come to its end</span>" : "");
}

static void
add_loads(struct buffer *page, const struct report *report)
{
    static const char *const keys[LOAD_COUNT] = { [LOAD_BEFORE] = "b", [LOAD_AFTER] = "a" };
    struct arena *arena = page->arena;

    if (report->errors < 0)
        return;
    if (report->loads[LOAD_DURING].second_count >= 2) {
        buffer_add(page,
            "<h2>While the change was made</h2>\n<p class=\"caption\">The application's "
            "load went on; shaded: an index was being built.</p>\n");
        html_chart_load(page, report);
    }
    buffer_add(page, "<h2>Load at the client</h2>\n<ul class=\"stretches\">\n");
    for (size_t i = 0; i < LOAD_COUNT; i++)
        if (report->loads[i].is_known)
            add_load(page, &report->loads[i], keys[i] ? keys[i] : "");
    buffer_add(page, "</ul>\n");
    for (size_t i = 0; i < LOAD_COUNT; i++)
        for (size_t j = 0; j < report->loads[i].messages.count; j++)
            buffer_printf(page, "<pre class=\"bad\">%s</pre>\n",
                markup_escape(arena, report->loads[i].messages.items[j]));
    add_scenarios(page, report);
}

static void
add_plan_pair(struct ctx *ctx, struct buffer *page, const struct report_query *query)
{
    const struct report_side *sides[] = { &query->before, &query->after };
    static const char *const names[] = { "before", "after" };
    struct arena *arena = page->arena;
    const char *sql = query->query;

    buffer_printf(page, "<details><summary><strong>%s</strong>",
        markup_escape(arena, query->script ? query->script : "statement"));
    if (query->before.plan && query->after.plan && query->before.plan->has_plan &&
        query->after.plan->has_plan)
        buffer_printf(page, "<span class=\"gap\"></span><span>cost %s → %s</span>",
            text_from_count(arena, (int64_t)llround(query->before.plan->plan.cost)),
            text_from_count(arena, (int64_t)llround(query->after.plan->plan.cost)));
    buffer_printf(page, "</summary><div class=\"wide\"><pre>%s%s</pre></div><div class=\"plans\">",
        markup_escape(
            arena, strlen(sql) > MOST_SHOWN ? arena_strndup(arena, sql, MOST_SHOWN) : sql),
        strlen(sql) > MOST_SHOWN ? "…" : "");
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        const struct snapshot_plan *plan = sides[i]->plan;

        buffer_printf(page, "<div><h3><span class=\"key %.1s\">%s</span>", names[i], names[i]);
        if (plan && *plan->used_values)
            buffer_printf(page, " with %s", markup_escape(arena, plan->used_values));
        buffer_add(page, "</h3>");
        html_plan(ctx, page, plan);
        buffer_add(page, "</div>");
    }
    buffer_add(page, "</div></details>\n");
}

static void
add_plans(struct ctx *ctx, struct buffer *page, const struct report *report)
{
    if (report->critical_count == 0)
        return;
    buffer_add(page, "<h2>Plans</h2>\n<p class=\"caption\">What the server does for each critical "
                     "query. Open one to compare.</p>\n<div class=\"panel\">\n");
    for (size_t i = 0; i < report->critical_count; i++)
        add_plan_pair(ctx, page, &report->queries[i]);
    buffer_add(page, "</div>\n");
}

static void
add_method(struct buffer *page)
{
    buffer_add(page, "<h2>How it was measured</h2>\n<ul class=\"method\">\n");
    for (size_t i = 0; i < report_method_count; i++)
        buffer_printf(page, "<li>%s</li>\n", markup_escape(page->arena, report_method[i]));
    buffer_add(page,
        "</ul>\n<p class=\"next\">Next: <code>pgmend status</code> shows what is applied "
        "and how to undo it, <code>pgmend rollback</code> undoes it.</p>\n");
}

static const char *
fill_template(struct arena *arena, const char *title, const char *body)
{
    const struct markup_slot slots[] = {
        { "{{title}}", title },
        { "{{style_hash}}", web_report_page_css_hash },
        { "{{style}}", web_report_page_css },
        { "{{body}}", body },
    };
    char *data = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&data, &length);
    const char *page;

    assert(out);
    markup_fill(out, web_report_page_html, slots, COUNT_OF(slots));
    fclose(out);
    page = arena_strndup(arena, data, length);
    free(data);
    return page;
}

const char *
report_html(struct ctx *ctx, const struct report *report)
{
    struct buffer page = { .arena = ctx->arena };
    const char *name = markup_escape(ctx->arena, report->database);

    buffer_printf(&page,
        "<header>\n<p class=\"brand\">pgmend report</p>\n<h1>%s</h1>\n<p class=\"lead\">PostgreSQL "
        "%s</p>\n<ul class=\"stretches\">\n",
        name, markup_escape(ctx->arena, report->server_version));
    if (report->has_stretches) {
        add_stretch(&page, "b", "Before", &report->before);
        add_stretch(&page, "a", "After", &report->after);
    }
    buffer_add(&page, "</ul>\n</header>\n<main>\n");
    html_cards(&page, report);
    add_notes(&page, report);
    html_kpis(&page, report);
    html_steps(&page, report);
    if (report->has_stretches)
        add_query_sections(&page, report);
    add_indexes(&page, report);
    add_tables(&page, report);
    add_loads(&page, report);
    add_plans(ctx, &page, report);
    add_method(&page);
    buffer_printf(&page,
        "</main>\n<footer>Made by pgmend, %s. All times are UTC. This page is one "
        "file and loads nothing.</footer>\n",
        report->made_at);
    return fill_template(
        ctx->arena, arena_printf(ctx->arena, "%s: pgmend report", name), buffer_text(&page));
}
