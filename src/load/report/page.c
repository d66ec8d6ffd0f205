#include "load/report/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "load/report/part.h"
#include "web.h"

static void
count_goals(const struct load_record *run, size_t *ret_met, size_t *ret_known)
{
    *ret_met = *ret_known = 0;
    for (size_t i = 0; i < run->goal_count; i++) {
        *ret_known += run->goals[i].is_known;
        *ret_met += run->goals[i].is_known && run->goals[i].is_met;
    }
}

/* One chip: what is to be known of the run before any number of it. */
static void
add_verdict(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    size_t met = 0, known = 0;
    const char *class = "open";
    const char *text = "no goals were set";

    count_goals(run, &met, &known);
    if (run->goal_count > 0 && met == run->goal_count) {
        class = "good";
        text = run->goal_count == 1 ? "the goal is met"
                                    : arena_printf(sheet->html.arena, "all %zu goals are met", met);
    } else if (run->goal_count > 0 && met < known) {
        class = "bad";
        text = arena_printf(
            sheet->html.arena, "%zu of %zu goals are not met", known - met, run->goal_count);
    } else if (run->goal_count > 0) {
        text = arena_printf(sheet->html.arena, "%zu of %zu goals are not known",
            run->goal_count - known, run->goal_count);
    }
    buffer_printf(&sheet->html, "<p class=\"verdict\"><span class=\"chip %s\">%s</span>%s%s</p>\n",
        class, text, run->is_complete ? "" : " <span class=\"chip bad\">incomplete</span>",
        sheet->is_upper ? " <span class=\"chip bad\">the generator was too slow</span>" : "");
}

static void
add_header(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    struct arena *arena = sheet->html.arena;

    buffer_printf(&sheet->html,
        "<header>\n<p class=\"brand\">pgmend load</p>\n<h1>%s</h1>\n<p class=\"lead\">%s users against %s, "
        "%s from %s, seed %" PRIu64 "%s%s</p>\n",
        markup_escape(arena, run->name ? run->name : "load"), text_from_count(arena, run->users),
        markup_escape(arena, run->target ? run->target : "the database"),
        text_from_us(arena, run->elapsed_us), clock_text(arena, run->started_us), run->seed,
        run->defines.count > 0 ? "; " : "",
        markup_escape(arena, text_list_join(arena, &run->defines, ", ")));
    add_verdict(sheet);
    buffer_add(&sheet->html, "</header>\n<main>\n");
}

/* What makes the numbers below worth less is said before them. */
static void
add_warnings(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    const struct load_record *before = sheet->page->before;
    struct arena *arena = sheet->html.arena;

    if (sheet->is_upper)
        buffer_printf(&sheet->html,
            "<section class=\"alarm\" role=\"alert\"><strong>The generator itself was the bottleneck."
            "</strong> It sent requests late, by %s at p99, because it did not get a processor in time. "
            "Latencies on this page are upper bounds, not the server's: fewer users, or a machine of its "
            "own for the generator.</section>\n",
            sheet_time(arena, (double)histogram_quantile_us(run->lag, 0.99)));
    if (before && load_record_is_bottleneck(before))
        buffer_add(&sheet->html,
            "<section class=\"alarm\" role=\"alert\"><strong>In the run before, the generator was the "
            "bottleneck.</strong> Its latencies are upper bounds.</section>\n");
    if (!run->is_complete)
        buffer_printf(&sheet->html,
            "<section class=\"notes\"><strong>The run did not come to its end%s.</strong> %s of %s were "
            "measured.</section>\n",
            run->is_stopped ? ": a signal stopped it" : "", text_from_us(arena, run->elapsed_us),
            text_from_us(arena, run->planned_us));
    if (before && !before->is_complete)
        buffer_add(&sheet->html,
            "<section class=\"notes\"><strong>The run before did not come to its end.</strong></section>\n");
}

static void
add_card(struct sheet *sheet, const char *figure, const char *name, const char *more)
{
    buffer_printf(&sheet->html,
        "<div class=\"card\"><span class=\"figure\">%s</span><span class=\"name\">%s</span>"
        "<span class=\"more\">%s</span></div>\n",
        figure, name, more);
}

static const char *
was_text(const struct sheet *sheet, const char *text)
{
    return sheet->page->before ? arena_printf(sheet->html.arena, "was %s", text) : "";
}

static void
add_latency_cards(struct sheet *sheet)
{
    static const double shares[] = { 0.5, 0.95, 0.99 };
    static const char *const names[] = { "half are done in (p50)", "95 % are done in (p95)",
        "99 % are done in (p99)" };
    const struct histogram *before = sheet->before_latency;

    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        double us = sheet->latency->count > 0
                        ? (double)histogram_quantile_us(sheet->latency, shares[i])
                        : NAN;
        double was =
            before && before->count > 0 ? (double)histogram_quantile_us(before, shares[i]) : NAN;

        add_card(sheet, sheet_latency(sheet, us), names[i],
            was_text(sheet, sheet_time(sheet->html.arena, was)));
    }
}

static void
add_cards(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    const struct load_record *before = sheet->page->before;
    struct arena *arena = sheet->html.arena;
    int64_t errors = load_record_errors(run);

    buffer_add(&sheet->html, "<section class=\"cards\" aria-label=\"In short\">\n");
    add_card(sheet, sheet_number(arena, sheet_rate(run)), "good answers a second",
        was_text(sheet, before ? sheet_number(arena, sheet_rate(before)) : ""));
    add_latency_cards(sheet);
    add_card(sheet,
        arena_printf(arena, "<span class=\"%s\">%s</span>",
            errors == 0                      ? "good"
            : sheet_error_share(run) > 0.001 ? "bad"
                                             : "",
            sheet_share(arena, sheet_error_share(run))),
        arena_printf(arena, "errors: %s of %s", text_from_count(arena, errors),
            text_from_count(arena, errors + load_record_count(run, LOAD_GOOD))),
        was_text(sheet, before ? sheet_share(arena, sheet_error_share(before)) : ""));
    add_card(sheet, text_from_count(arena, run->most_open), "connections at once",
        arena_printf(arena, "%s users%s%s", text_from_count(arena, run->users),
            before ? "; was " : "", before ? text_from_count(arena, before->most_open) : ""));
    buffer_add(&sheet->html, "</section>\n");
}

/* Without a schedule nothing can be late. */
static const char *
lag_text(struct arena *arena, const struct load_record *run)
{
    if (run->lag->count == 0)
        return "nothing was due at a time of its own, so it could not be late";
    return arena_printf(arena, "its own lateness was %s at p99, %s at most",
        sheet_time(arena, (double)histogram_quantile_us(run->lag, 0.99)),
        sheet_time(arena, (double)run->lag->max_us));
}

static void
add_method(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    struct arena *arena = sheet->html.arena;

    buffer_add(&sheet->html, "<h2>How it was measured</h2>\n<ul class=\"method\">\n");
    if (run->is_closed)
        buffer_add(&sheet->html,
            "<li>A closed loop: a user's next request came after the answer before. A server that stalls "
            "is asked less meanwhile, so a stall weighs less here than with people who come by "
            "themselves.</li>\n");
    else
        buffer_add(&sheet->html,
            "<li>Requests were due by a schedule, or a think time after the one before was due; latency "
            "counts from then, so a server that stalls is seen by everything that was due "
            "meanwhile.</li>\n");
    buffer_printf(&sheet->html,
        "<li>The generator used %s of CPU%s and %s of memory; %s.</li>\n"
        "<li>Times are counted with three significant digits.</li>\n</ul>\n",
        text_from_us(arena, run->cpu_us),
        run->elapsed_us > 0 ? arena_printf(arena, " (%s of a processor)",
                                  sheet_share(arena, (double)run->cpu_us / (double)run->elapsed_us))
                            : "",
        text_from_bytes(arena, run->rss_bytes), lag_text(arena, run));
}

static void
add_run(struct sheet *sheet)
{
    add_header(sheet);
    add_warnings(sheet);
    add_cards(sheet);
    sheet_goals(sheet);
    sheet_comparison(sheet);
    sheet_curves(sheet);
    sheet_percentiles(sheet);
    sheet_requests(sheet);
    sheet_groups(sheet);
    sheet_outcomes(sheet);
    sheet_facts(sheet);
    sheet_model(sheet);
    add_method(sheet);
}

static const struct histogram *
service_of(struct arena *arena, const struct load_record *record)
{
    struct histogram *all = histogram_new(arena);

    for (size_t i = 0; i < record->step_count; i++)
        histogram_merge(all, record->steps[i].service);
    return all;
}

static void
add_body(struct sheet *sheet)
{
    const struct load_page *page = sheet->page;
    struct arena *arena = sheet->html.arena;

    if (page->run) {
        sheet->latency = load_record_latency(arena, page->run);
        sheet->service = service_of(arena, page->run);
        sheet->before_latency = page->before ? load_record_latency(arena, page->before) : NULL;
        sheet->is_upper = load_record_is_bottleneck(page->run);
        add_run(sheet);
    } else {
        buffer_add(&sheet->html,
            "<header>\n<p class=\"brand\">pgmend load</p>\n<h1>A model of the load</h1>\n</header>\n<main>\n");
        sheet_comparison(sheet);
        sheet_model(sheet);
    }
    buffer_printf(&sheet->html,
        "</main>\n<footer>Made by pgmend, %s. This page is one file and loads nothing.</footer>\n",
        clock_text(arena, clock_wall_us()));
}

bool
load_page_write(struct ctx *ctx, const char *path, const struct load_page *page)
{
    struct sheet sheet = { .html.arena = ctx->arena, .page = page };
    const char *name = page->run && page->run->name ? page->run->name : "model";
    char *data = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&data, &length);
    bool is_written;

    if (!out)
        memory_exhausted(0);
    add_body(&sheet);

    const struct markup_slot slots[] = {
        { "{{title}}",
            arena_printf(ctx->arena, "%s: pgmend load", markup_escape(ctx->arena, name)) },
        { "{{chart_style_hash}}", web_dist_uplot_min_css_hash },
        { "{{style_hash}}", web_load_page_css_hash },
        { "{{chart_script_hash}}", web_dist_uplot_iife_min_js_hash },
        { "{{script_hash}}", web_load_page_js_hash },
        { "{{chart_style}}", web_dist_uplot_min_css },
        { "{{style}}", web_load_page_css },
        { "{{chart_script}}", web_dist_uplot_iife_min_js },
        { "{{script}}", web_load_page_js },
        { "{{body}}", buffer_text(&sheet.html) },
    };

    markup_fill(out, web_load_page_html, slots, COUNT_OF(slots));
    fclose(out);
    is_written = file_write(ctx, path, data, length, 0644);
    free(data);
    return is_written;
}
