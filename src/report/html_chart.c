/* Charts as SVG. Geometry goes into attributes: the page's policy allows no inline styles. */
#include <math.h>

#include "base/clock.h"
#include "report/html.h"

enum {
    WIDTH = 1070,
    LEFT = 210,  /* for the names */
    RIGHT = 150, /* for the figures */
    ROW = 40,
    TOP = 40,
    MOST_ROWS = 24,
    TIME_LEFT = 64,
    TIME_RIGHT = 20,
    TIME_HEIGHT = 130,
    TIME_TOP = 44,
    TIME_GAP = 52,
    NAME_LENGTH = 28,
};

struct log_scale {
    int first; /* powers of ten, in milliseconds */
    int last;
};

static double
x_of(const struct log_scale *scale, double ms)
{
    double share = (log10(ms) - scale->first) / (scale->last - scale->first);

    return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static void
find_scale(const struct html_bar *bars, size_t count, struct log_scale *ret)
{
    double least = INFINITY;
    double most = 0;

    for (size_t i = 0; i < count; i++) {
        least = fmin(least, fmin(bars[i].ms_before, bars[i].ms_after));
        most = fmax(most, fmax(bars[i].ms_before, bars[i].ms_after));
    }
    ret->first = (int)floor(log10(least));
    ret->last = (int)ceil(log10(most));
    if (ret->last <= ret->first)
        ret->last = ret->first + 1;
}

/* A name cut at a character, with "…". */
static const char *
short_name(struct arena *arena, const char *name)
{
    size_t length = strlen(name);

    if (text_width(name) <= NAME_LENGTH)
        return markup_escape(arena, name);
    do {
        length--;
        while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80)
            length--;
    } while (length > 0 && text_width(arena_strndup(arena, name, length)) >= NAME_LENGTH);
    return markup_escape(arena, arena_printf(arena, "%.*s…", (int)length, name));
}

static void
add_scale(struct buffer *page, const struct log_scale *scale, double bottom)
{
    for (int power = scale->first; power <= scale->last; power++) {
        double x = x_of(scale, pow(10, power));

        buffer_printf(page,
            "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>"
            "<text class=\"small\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
            x, TOP - 8, x, bottom, x, TOP - 16, html_ms(page->arena, pow(10, power)));
    }
}

/* Both bars begin at the left edge of the scale, one above the other. */
static void
add_bars(struct buffer *page, const struct log_scale *scale, const struct html_bar *bar, double y)
{
    double before = x_of(scale, bar->ms_before);
    double after = x_of(scale, bar->ms_after);
    double factor = bar->ms_before / bar->ms_after;

    buffer_printf(page, "<text class=\"label\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
        LEFT - 14, y + 17, short_name(page->arena, bar->name));
    buffer_printf(page,
        "<rect class=\"bar-b\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"10\" rx=\"2\"/>"
        "<rect class=\"bar-a\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"10\" rx=\"2\"/>",
        LEFT, y + 1, fmax(before - LEFT, 2), LEFT, y + 13, fmax(after - LEFT, 2));
    buffer_printf(page,
        "<text class=\"small b\" x=\"%.1f\" y=\"%.1f\">%s</text>"
        "<text class=\"small a\" x=\"%.1f\" y=\"%.1f\">%s</text>",
        before + 6, y + 10, html_ms(page->arena, bar->ms_before), fmax(after, LEFT + 2) + 6, y + 22,
        html_ms(page->arena, bar->ms_after));
    buffer_printf(page,
        "<text class=\"label\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s %s</text>", WIDTH - 24,
        y + 17, report_factor(page->arena, factor >= 1 ? factor : 1 / factor),
        factor >= 1 ? "faster" : "slower");
}

void
html_chart_bars(struct buffer *page, const char *label, const struct html_bar *bars, size_t count)
{
    struct log_scale scale = { 0 };
    size_t rows = count < MOST_ROWS ? count : MOST_ROWS;
    double bottom = TOP + (double)rows * ROW;

    if (rows == 0)
        return;
    find_scale(bars, rows, &scale);
    buffer_printf(page,
        "<div class=\"panel\"><svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"%s\">", WIDTH,
        bottom + 12, label);
    add_scale(page, &scale, bottom);
    for (size_t i = 0; i < rows; i++)
        add_bars(page, &scale, &bars[i], TOP + (double)i * ROW);
    buffer_printf(page,
        "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%.1f\"/></svg></div>\n", LEFT,
        TOP - 8, LEFT, bottom);
}

void
html_chart_queries(struct buffer *page, const struct report *report)
{
    struct html_bar *bars = ARENA_ARRAY(page->arena, struct html_bar, report->query_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < report->query_count; i++) {
        const struct report_query *query = &report->queries[i];

        if (query->before.calls <= 0 || query->after.calls <= 0 || query->before.mean_ms <= 0 ||
            query->after.mean_ms <= 0)
            continue;
        bars[count++] = (struct html_bar){ .name = query->script ? query->script : query->query,
            .ms_before = query->before.mean_ms,
            .ms_after = query->after.mean_ms };
    }
    html_chart_bars(page, "Mean time per call before and after, logarithmic scale", bars, count);
}

/* The time axis of the load chart, in seconds since 1970. */
struct time_scale {
    double first;
    double last;
};

static double
time_x(const struct time_scale *scale, double at)
{
    double span = fmax(scale->last - scale->first, 1);

    return TIME_LEFT + (at - scale->first) / span * (WIDTH - TIME_LEFT - TIME_RIGHT);
}

/* Seconds since 1970 of the server's "2026-11-22 14:05:22.123+00"; its session speaks UTC. */
static bool
server_seconds(struct arena *arena, const char *text, double *ret)
{
    int64_t us;
    char *iso;
    const char *fraction;

    if (!text || strlen(text) < 19)
        return false;
    iso = arena_printf(arena, "%.10sT%.8sZ", text, text + 11);
    if (!clock_parse(iso, &us))
        return false;
    fraction = text + 19;
    *ret = (double)us / 1e6 + (*fraction == '.' ? strtod(fraction, NULL) : 0);
    return true;
}

static void
add_builds(
    struct buffer *page, const struct report *report, const struct time_scale *scale, double bottom)
{
    for (size_t i = 0; i < report->index_count; i++) {
        const struct report_index *index = &report->indexes[i];
        double from;
        double to;

        if (!server_seconds(page->arena, index->build_started, &from) ||
            !server_seconds(page->arena, index->build_ended, &to) || to < scale->first ||
            from > scale->last)
            continue;
        from = time_x(scale, fmax(from, scale->first));
        to = time_x(scale, fmin(to, scale->last));
        buffer_printf(page,
            "<rect class=\"band\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.1f\">"
            "<title>%s</title></rect>",
            from, TIME_TOP, fmax(to - from, 2), bottom - TIME_TOP,
            markup_escape(page->arena, index->name));
    }
}

struct lane {
    const char *title;
    const char *most_text;
    double top;
    double most;
    bool is_calls;
};

static double
value_of(const struct lane *lane, const struct report_second *second)
{
    return lane->is_calls ? (double)second->calls : (double)second->mean_us;
}

static void
add_lane(struct buffer *page, const struct report_load *load, const struct time_scale *scale,
    const struct lane *lane)
{
    double bottom = lane->top + TIME_HEIGHT;

    buffer_printf(page,
        "<text class=\"label\" x=\"%d\" y=\"%.1f\">%s</text>"
        "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
        "<text class=\"small\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>"
        "<line class=\"axis\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
        "<text class=\"small\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">0</text>",
        TIME_LEFT, lane->top - 14, lane->title, TIME_LEFT, lane->top, WIDTH - TIME_RIGHT, lane->top,
        TIME_LEFT - 8, lane->top + 4, lane->most_text, TIME_LEFT, bottom, WIDTH - TIME_RIGHT,
        bottom, TIME_LEFT - 8, bottom + 4);
    buffer_printf(page, "<polyline class=\"%s\" points=\"", lane->is_calls ? "curve" : "curve-b");
    for (size_t i = 0; i < load->second_count; i++)
        buffer_printf(page, "%.1f,%.1f ", time_x(scale, (double)load->seconds[i].at + 0.5),
            bottom - value_of(lane, &load->seconds[i]) / lane->most * TIME_HEIGHT);
    buffer_add(page, "\"/>");
}

static void
add_time_axis(struct buffer *page, const struct time_scale *scale, double y)
{
    static const int steps[] = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900 };
    double span = scale->last - scale->first;
    size_t step = 0;

    while (step + 1 < COUNT_OF(steps) && span / steps[step] > 12)
        step++;
    for (int at = 0; at <= span; at += steps[step])
        buffer_printf(page,
            "<text class=\"small\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%d s</text>",
            time_x(scale, scale->first + at), y, at);
}

void
html_chart_load(struct buffer *page, const struct report *report)
{
    const struct report_load *load = &report->loads[LOAD_DURING];
    struct lane calls = { .title = "Transactions per second", .top = TIME_TOP, .is_calls = true };
    struct lane mean = { .title = "Mean latency", .top = TIME_TOP + TIME_HEIGHT + TIME_GAP };
    double bottom = mean.top + TIME_HEIGHT;
    struct time_scale scale;

    if (load->second_count < 2)
        return;
    scale.first = (double)load->seconds[0].at;
    scale.last = (double)load->seconds[load->second_count - 1].at + 1;
    calls.most = mean.most = 1;
    for (size_t i = 0; i < load->second_count; i++) {
        calls.most = fmax(calls.most, value_of(&calls, &load->seconds[i]));
        mean.most = fmax(mean.most, value_of(&mean, &load->seconds[i]));
    }
    calls.most_text = text_from_count(page->arena, (int64_t)calls.most);
    mean.most_text = text_from_us(page->arena, (int64_t)mean.most);
    buffer_printf(page,
        "<div class=\"panel\"><svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"Transactions "
        "a second and mean latency while the change was made\">",
        WIDTH, bottom + 30);
    add_builds(page, report, &scale, bottom);
    add_lane(page, load, &scale, &calls);
    add_lane(page, load, &scale, &mean);
    add_time_axis(page, &scale, bottom + 18);
    buffer_add(page, "</svg></div>\n");
}
