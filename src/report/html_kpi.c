/* The goals on the page. */
#include "report/html.h"

static const char *
chip_of(const char *state)
{
    return text_equal(state, "met") ? "a" : text_equal(state, "late") ? "bad" : "";
}

/* An assumption beside a measured number would look like what was gained: it is named as what it is. */
static void
add_before(struct buffer *page, const struct report_kpi *kpi)
{
    const char *more = kpi->before    ? kpi->before_source
                       : kpi->assumed ? arena_printf(page->arena, "assumed: %s", kpi->assumed)
                                      : NULL;

    buffer_printf(page, "<td class=\"n\"><span class=\"was\">%s</span>",
        kpi->before ? markup_escape(page->arena, kpi->before) : "unknown");
    if (more)
        buffer_printf(page, "<span class=\"sub\">%s</span>", markup_escape(page->arena, more));
    buffer_add(page, "</td>");
}

void
html_kpis(struct buffer *page, const struct report *report)
{
    struct arena *arena = page->arena;

    if (report->kpis.count == 0)
        return;
    buffer_add(page,
        "<h2>Goals</h2>\n<div class=\"panel\"><table><thead><tr><th>Goal</th>"
        "<th class=\"n\">Before</th><th class=\"n\">Now</th><th class=\"n\">Target</th>"
        "<th></th></tr></thead><tbody>\n");
    for (size_t i = 0; i < report->kpis.count; i++) {
        const struct report_kpi *kpi = &report->kpis.items[i];

        buffer_printf(page,
            "<tr><td class=\"name\"><strong>%s</strong><span class=\"sub\">%s</span></td>",
            markup_escape(arena, kpi->title), markup_escape(arena, kpi->source ? kpi->source : ""));
        add_before(page, kpi);
        buffer_printf(page, "<td class=\"n\"><span class=\"is\">%s</span></td>",
            markup_escape(arena, kpi->now));
        buffer_printf(page,
            "<td class=\"n\">%s%s%s</td><td><span class=\"chip %s\">%s</span></td></tr>\n",
            markup_escape(arena, kpi->target), kpi->deadline ? " by " : "",
            kpi->deadline ? markup_escape(arena, kpi->deadline) : "", chip_of(kpi->state),
            markup_escape(arena, kpi->state));
    }
    buffer_add(page, "</tbody></table></div>\n");
}
