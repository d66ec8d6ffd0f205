/* Before and after, as the comparison judges it. */
#include <math.h>

#include "load/report/part.h"

static const char *
value_text(const struct sheet *sheet, const struct load_difference *item, double value)
{
    struct arena *arena = sheet->html.arena;

    if (text_equal(item->measure, "errors"))
        return sheet_share(arena, value);
    if (text_equal(item->measure, "rate"))
        return arena_printf(arena, "%s/s", sheet_number(arena, value));
    return sheet_time(arena, value);
}

static const char *
change_text(struct arena *arena, const struct load_difference *item, double change)
{
    if (!isfinite(change))
        return "–";
    if (item->is_ratio)
        return arena_printf(arena,
            change < 1       ? "%.3g×"
            : change < 9.995 ? "%.2f×"
                             : "%.0f×",
            change);
    return arena_printf(arena, "%+.3g points", change * 100);
}

static void
add_difference(struct sheet *sheet, const struct load_difference *item)
{
    static const char *const classes[] = {
        [LOAD_BETTER] = "good",
        [LOAD_WORSE] = "bad",
        [LOAD_SAME] = "open",
    };
    struct arena *arena = sheet->html.arena;
    double change = item->after - item->before;

    if (item->is_ratio)
        change = item->before > 0 ? item->after / item->before : NAN;
    buffer_printf(&sheet->html,
        "<tr><td class=\"name\">%s</td><td>%s</td><td class=\"n\"><span class=\"was\">%s</span></td>"
        "<td class=\"n\"><span class=\"is\">%s</span></td><td class=\"n\">%s<span class=\"sub\">%s</span>"
        "</td><td><span class=\"chip %s\">%s</span>",
        item->step ? markup_escape(arena, item->step) : "all requests",
        markup_escape(arena, item->measure), value_text(sheet, item, item->before),
        value_text(sheet, item, item->after), change_text(arena, item, change),
        isfinite(item->low) && isfinite(item->high)
            ? arena_printf(arena, "%s … %s", change_text(arena, item, item->low),
                  change_text(arena, item, item->high))
            : "",
        classes[item->verdict], load_verdict_words[item->verdict]);
    if (item->why_not)
        buffer_printf(
            &sheet->html, "<span class=\"sub\">%s</span>", markup_escape(arena, item->why_not));
    buffer_add(&sheet->html, "</td></tr>\n");
}

void
sheet_comparison(struct sheet *sheet)
{
    const struct load_comparison *comparison = sheet->page->comparison;

    if (!comparison)
        return;
    buffer_add(&sheet->html,
        "<h2 id=\"comparison\">Before and after</h2>\n<p class=\"caption\">Better and worse are said "
        "only where the 95 % interval of the change leaves no doubt.</p>\n");
    if (comparison->warnings.count > 0) {
        buffer_add(&sheet->html, "<section class=\"notes\"><ul>\n");
        for (size_t i = 0; i < comparison->warnings.count; i++)
            buffer_printf(&sheet->html, "<li>%s</li>\n",
                markup_escape(sheet->html.arena, comparison->warnings.items[i]));
        buffer_add(&sheet->html, "</ul></section>\n");
    }
    buffer_add(&sheet->html,
        "<div class=\"panel\"><table><thead><tr><th>Request</th><th>Measure</th>"
        "<th class=\"n\">Before</th><th class=\"n\">After</th><th class=\"n\">Change</th>"
        "<th>Verdict</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < comparison->count; i++)
        add_difference(sheet, &comparison->items[i]);
    buffer_add(&sheet->html, "</tbody></table></div>\n");
}
