#include "vector/report/page.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "web.h"

const char *
page_class(const struct vector_shown *shown)
{
    if (shown->is_winner)
        return "win";
    if (shown->candidate->is_plan)
        return "plan";
    return shown->candidate->is_present ? "now" : "";
}

const char *
page_time(struct arena *arena, double us)
{
    if (us < 1000)
        return arena_printf(arena, "%.3g µs", us);
    return us < 1e6 ? arena_printf(arena, "%.3g ms", us / 1000)
                    : arena_printf(arena, "%.3g s", us / 1e6);
}

static void
add_header(struct page *page)
{
    const struct vector_target *target = &page->tuning->target;
    struct arena *arena = page->html.arena;
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "%s(%d), %s (%s)", target->type, target->dims,
        vector_metric_name(target->metric), vector_metric_operator(target->metric));
    if (target->tenant)
        buffer_printf(&text, ", one %s at a time", target->tenant);
    for (size_t i = 0; i < target->filters.count; i++)
        buffer_printf(&text, ", %s %s %s", target->filters.items[i].column,
            target->filters.items[i].operator, target->filters.items[i].value);
    buffer_printf(&text, ", %d nearest; %s rows", target->limit,
        text_from_count(arena, page->tuning->sizes.rows));
    buffer_printf(&page->html,
        "<header>\n<p class=\"brand\">pgmend vector tune</p>\n<h1>%s.%s</h1>\n"
        "<p class=\"lead\">%s</p>\n</header>\n<main>\n",
        markup_escape(arena, target->table), markup_escape(arena, target->column),
        markup_escape(arena, buffer_text(&text)));
}

static void
add_card(struct page *page, const char *figure, const char *name, const char *more)
{
    buffer_printf(&page->html,
        "<div class=\"card\"><span class=\"figure\">%s</span><span class=\"name\">%s</span>"
        "<span class=\"more\">%s</span></div>\n",
        figure, name, more);
}

/* "12×" or "1.3×". */
static const char *
times_text(struct arena *arena, double factor)
{
    return arena_printf(arena, factor >= 9.95 ? "%.0f×" : "%.1f×", factor);
}

static void
add_time_card(
    struct page *page, const struct vector_candidate *winner, const struct vector_candidate *plan)
{
    struct arena *arena = page->html.arena;
    double mine = winner->overall.cpu_us_p95.value;
    double other = plan ? plan->overall.cpu_us_p95.value : 0;
    const char *clock = vector_time_name(page->tuning->meter);

    if (mine <= 0 || other <= 0) {
        add_card(page, page_time(arena, mine),
            arena_printf(arena, "%s time, 95th percentile", clock), "");
        return;
    }
    add_card(page, times_text(arena, other >= mine ? other / mine : mine / other),
        arena_printf(arena, "%s %s time than the plan's", other >= mine ? "less" : "more", clock),
        arena_printf(
            arena, "p95 %s instead of %s", page_time(arena, mine), page_time(arena, other)));
}

static void
add_cards(struct page *page)
{
    const struct vector_shown *plan_shown = vector_shown_plan(&page->shown);
    const struct vector_candidate *plan = plan_shown ? plan_shown->candidate : NULL;
    const struct vector_candidate *winner =
        page->shown.count > 0 ? page->shown.items[0].candidate : NULL;
    struct arena *arena = page->html.arena;
    double worst;

    if (!winner || !page->shown.items[0].is_winner)
        return;
    worst = vector_worst_recall(page->tuning, winner, NULL);
    buffer_add(&page->html, "<section class=\"cards\" aria-label=\"The winner\">\n");
    add_card(page, vector_recall_text(arena, winner->overall.recall.value),
        "recall, of the right answers",
        arena_printf(arena, "worst bucket %s%s%s", vector_recall_text(arena, fmax(worst, 0)),
            plan ? "; the plan's choice " : "",
            plan ? vector_recall_text(arena, plan->overall.recall.value) : ""));
    add_time_card(page, winner, plan);
    add_card(page, text_from_bytes(arena, winner->index_bytes + winner->column_bytes),
        "of indexes and columns",
        plan
            ? arena_printf(arena, "the plan's index: %s", text_from_bytes(arena, plan->index_bytes))
            : "");
    add_card(page, vector_short_text(arena, &winner->overall), "searches with too few rows",
        plan
            ? arena_printf(arena, "the plan's choice: %s", vector_short_text(arena, &plan->overall))
            : "");
    buffer_add(&page->html, "</section>\n");
}

static void
add_notes(struct page *page)
{
    const struct vector_tuning *tuning = page->tuning;

    if (tuning->has_choice && tuning->notes.count == 0)
        return;
    buffer_add(&page->html, "<section class=\"notes\"><strong>Read this first</strong><ul>\n");
    if (!tuning->has_choice)
        buffer_add(&page->html, "<li>Nothing that was measured meets the goal. What is shown as "
                                "nearest is no advice.</li>\n");
    for (size_t i = 0; i < tuning->notes.count; i++)
        buffer_printf(
            &page->html, "<li>%s</li>\n", markup_escape(page->html.arena, tuning->notes.items[i]));
    buffer_add(&page->html, "</ul></section>\n");
}

static void
add_prose(struct page *page, const char *title, const char *text)
{
    if (!text_is_empty(text))
        buffer_printf(&page->html, "<h2>%s</h2>\n<p class=\"prose\">%s</p>\n", title,
            markup_escape(page->html.arena, text));
}

static void
add_method(struct page *page)
{
    const struct vector_tuning *tuning = page->tuning;
    struct arena *arena = page->html.arena;
    const char *sources = text_list_join(arena, &tuning->sources, "; ");

    buffer_printf(&page->html,
        "<h2>How it was measured</h2>\n<ul class=\"method\">\n"
        "<li>Each way was really built, in a scratch database with %s of the table's %s rows%s.</li>\n"
        "<li>%s questions, as many in each bucket of tenants: %s. The right answers are those of an "
        "exact search; the rows that were taken as questions are not among them.</li>\n",
        text_from_count(arena, tuning->sample_rows), text_from_count(arena, tuning->sizes.rows),
        tuning->is_whole ? "" : " (whole tenants, of each bucket some)",
        text_from_count(arena, tuning->query_count), markup_escape(arena, sources));
    buffer_printf(&page->html,
        "<li>Recall: the mean share of the right answers that came back, before any other ranking. "
        "Whiskers and ranges are 95 %% intervals.</li>\n"
        "<li>Short: searches that returned fewer rows than were asked for and are there.</li>\n"
        "<li>%s time: %s; each question was asked several times and the least is taken, all ways in "
        "turn.</li>\n<li>Writes: time of inserting rows, as a multiple of a table without it.</li>\n"
        "<li>Started %s, took %s.</li>\n</ul>\n",
        vector_time_name(tuning->meter), meter_kind_text(tuning->meter),
        clock_text(arena, tuning->started_us), text_from_us(arena, tuning->elapsed_us));
}

static void
add_body(struct page *page)
{
    const struct vector_tuning *tuning = page->tuning;

    add_header(page);
    add_cards(page);
    add_notes(page);
    buffer_printf(&page->html,
        "<h2>Recall and time</h2>\n<p class=\"caption\">Each dot is a way to search that was built "
        "and measured; whiskers are 95 %% intervals. On the line nothing else is both quicker and "
        "better. Letters are those of the table below, small dots have none.</p>\n");
    page_chart(page);
    page_table_shown(page);
    if (tuning->present)
        buffer_printf(&page->html, "<p class=\"prose\">Today: %s</p>\n",
            markup_escape(page->html.arena, tuning->present));
    buffer_add(&page->html,
        "<h2>By size of the tenant</h2>\n<p class=\"caption\">Small tenants are "
        "where filtered approximate search loses answers, large ones where exact "
        "search takes long. The dashed line is the goal for the worst bucket.</p>\n");
    page_chart_buckets(page);
    add_prose(page, tuning->has_choice ? "Why this one" : "What fails", tuning->choice.why);
    add_prose(page, "When to tune again", tuning->choice.retune);
    buffer_add(&page->html, "<h2>Everything that was tried</h2>\n");
    page_table_rest(page);
    add_method(page);
    buffer_printf(&page->html,
        "</main>\n<footer>Made by pgmend, %s. This page is one file and loads nothing.</footer>\n",
        clock_text(page->html.arena, tuning->started_us));
}

bool
vector_tuning_page(struct ctx *ctx, const struct vector_tuning *tuning, const char *path)
{
    struct page page = { .html.arena = ctx->arena, .tuning = tuning };
    char *data = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&data, &length);
    bool is_written;

    assert(out);
    vector_tuning_shown(ctx->arena, tuning, &page.shown);
    add_body(&page);

    const struct markup_slot slots[] = {
        { "{{title}}", arena_printf(ctx->arena, "%s.%s: pgmend vector tune",
                           markup_escape(ctx->arena, tuning->target.table),
                           markup_escape(ctx->arena, tuning->target.column)) },
        { "{{style_hash}}", web_vector_page_css_hash },
        { "{{style}}", web_vector_page_css },
        { "{{body}}", buffer_text(&page.html) },
    };

    markup_fill(out, web_vector_page_html, slots, COUNT_OF(slots));
    fclose(out);
    is_written = file_write(ctx, path, data, length, 0644);
    free(data);
    return is_written;
}
