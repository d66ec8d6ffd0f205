/* The tables of the page: what is shown, and everything that was tried. */
#include <math.h>

#include "vector/report/page.h"

/* Nothing is worse than everything: a bucket is named only where answers are missing. */
static void
add_answers(struct page *page, const struct vector_candidate *candidate)
{
    const struct vector_measure *measure = &candidate->overall;
    struct arena *arena = page->html.arena;
    size_t bucket = 0;
    double worst = vector_worst_recall(page->tuning, candidate, &bucket);

    buffer_printf(&page->html,
        "<td class=\"n\">%s<span class=\"sub\">%s–%s</span></td><td class=\"n\">%s"
        "<span class=\"sub\">%s</span></td><td class=\"n%s\">%s</td>",
        vector_recall_text(arena, measure->recall.value),
        vector_recall_text(arena, measure->recall.low),
        vector_recall_text(arena, measure->recall.high),
        worst < 0 ? "–" : vector_recall_text(arena, worst),
        worst < 0 || worst >= 1
            ? ""
            : markup_escape(arena, page->tuning->sizes.buckets.items[bucket].name),
        measure->short_results > 0 ? " bad" : "", vector_short_text(arena, measure));
    buffer_printf(&page->html,
        "<td class=\"n\">%s<span class=\"sub\">p50 %s</span></td><td class=\"n\">%s</td>",
        page_time(arena, measure->cpu_us_p95.value), page_time(arena, measure->cpu_us_p50.value),
        page_time(arena, measure->wall_us_p95.value));
}

static void
add_price(struct page *page, const struct vector_candidate *candidate)
{
    struct arena *arena = page->html.arena;
    const char *columns = "";

    if (candidate->column_bytes > 0)
        columns = arena_printf(arena, "<span class=\"sub\">+ %s columns</span>",
            text_from_bytes(arena, candidate->column_bytes));
    buffer_printf(&page->html,
        "<td class=\"n\">%s%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td>",
        text_from_bytes(arena, candidate->index_bytes), columns,
        candidate->build_us > 0 ? text_from_us(arena, candidate->build_us) : "–",
        candidate->write_cost > 0 ? arena_printf(arena, "%.2f×", candidate->write_cost) : "–");
}

static const char *
heads(struct page *page)
{
    return arena_printf(page->html.arena,
        "<th>Way to search</th><th class=\"n\">Recall</th><th class=\"n\">Worst bucket</th>"
        "<th class=\"n\">Short</th><th class=\"n\">%s p95</th><th class=\"n\">Wall p95</th>"
        "<th class=\"n\">Indexes</th><th class=\"n\">Build</th><th class=\"n\">Writes</th>",
        vector_time_name(page->tuning->meter));
}

static void
add_problem(struct page *page, const struct vector_candidate *candidate)
{
    struct arena *arena = page->html.arena;

    if (candidate->problem)
        buffer_printf(
            &page->html, "<span class=\"sub\">%s</span>", markup_escape(arena, candidate->problem));
    else if (!candidate->can_be_applied)
        buffer_add(&page->html, "<span class=\"sub\">to compare only</span>");
}

void
page_table_shown(struct page *page)
{
    struct arena *arena = page->html.arena;

    buffer_printf(&page->html,
        "<div class=\"panel\"><table><thead><tr><th></th>%s</tr></thead><tbody>\n", heads(page));
    for (size_t i = 0; i < page->shown.count; i++) {
        const struct vector_shown *shown = &page->shown.items[i];

        buffer_printf(&page->html,
            "<tr%s><td class=\"letter\">%s</td><td class=\"way\">%s%s%s%s%s%s",
            shown->is_winner ? " class=\"win\"" : "", shown->letter,
            markup_escape(arena, shown->candidate->name),
            *shown->role ? " <span class=\"chip " : "", *shown->role ? page_class(shown) : "",
            *shown->role ? "\">" : "", shown->role, *shown->role ? "</span>" : "");
        add_problem(page, shown->candidate);
        buffer_add(&page->html, "</td>");
        add_answers(page, shown->candidate);
        add_price(page, shown->candidate);
        buffer_add(&page->html, "</tr>\n");
    }
    buffer_add(&page->html, "</tbody></table></div>\n");
}

void
page_table_rest(struct page *page)
{
    const struct vector_tuning *tuning = page->tuning;
    struct arena *arena = page->html.arena;
    size_t measured = 0;

    for (size_t i = 0; i < tuning->candidates.count; i++)
        measured += candidate_is_drawn(&tuning->candidates.items[i]);
    buffer_printf(&page->html,
        "<div class=\"panel\"><details><summary><strong>All %zu ways that were measured</strong>"
        "</summary><table><thead><tr>%s</tr></thead><tbody>\n",
        measured, heads(page));
    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];

        if (!candidate_is_drawn(candidate))
            continue;
        buffer_printf(&page->html, "<tr><td class=\"way\">%s<span class=\"sub\">%s queries</span>",
            markup_escape(arena, candidate->name),
            text_from_count(arena, candidate->overall.queries));
        add_problem(page, candidate);
        buffer_add(&page->html, "</td>");
        add_answers(page, candidate);
        add_price(page, candidate);
        buffer_add(&page->html, "</tr>\n");
    }
    buffer_add(&page->html, "</tbody></table></details></div>\n");
    if (measured == tuning->candidates.count)
        return;
    buffer_printf(&page->html,
        "<h2>Not measured</h2>\n<div class=\"panel\"><table><thead><tr><th>Way to search</th>"
        "<th>Why not</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];

        if (!candidate_is_drawn(candidate))
            buffer_printf(&page->html, "<tr><td class=\"way\">%s</td><td>%s</td></tr>\n",
                markup_escape(arena, candidate->name),
                markup_escape(arena, candidate->problem ? candidate->problem : "–"));
    }
    buffer_add(&page->html, "</tbody></table></div>\n");
}
