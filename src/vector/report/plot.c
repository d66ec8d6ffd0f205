/* The picture in the terminal. */
#include <math.h>

#include "vector/report/scale.h"

enum { ROWS = 15, MARGIN = 8, NARROWEST = 40, WIDEST = 120, FAR = 4 };

struct strokes {
    const char *dot;
    const char *goal;
    const char *wall;
    const char *corner;
    const char *floor;
    const char *tick;
};

static const struct strokes plain = { ".", "-", "|", "+", "-", "+" };
static const struct strokes drawn = { "·", "┄", "│", "└", "─", "┬" };

struct plot {
    struct arena *arena;
    const struct vector_tuning *tuning;
    struct vector_shown_list shown;
    const struct strokes *strokes;
    struct time_axis axis;
    double bottom; /* as recall_height() */
    size_t columns;
    const char **cells; /* ROWS times columns; NULL: empty */
    const char *labels[ROWS];
};

static bool
locale_is_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static const char **
cell_at(struct plot *plot, size_t row, size_t column)
{
    return &plot->cells[row * plot->columns + column];
}

static size_t
row_of(const struct plot *plot, double recall)
{
    double top = recall_height(1);
    double share = (top - recall_height(recall)) / (top - plot->bottom);

    return (size_t)lround(fmin(fmax(share, 0), 1) * (ROWS - 1));
}

static size_t
column_of(const struct plot *plot, double us)
{
    double share = fmin(time_axis_share(&plot->axis, us), 1);

    return (size_t)lround(share * (double)(plot->columns - 1));
}

static void
find_scale(struct plot *plot)
{
    double least = plot->tuning->goal.recall;
    double tick = 0;

    for (size_t i = 0; i < plot->tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &plot->tuning->candidates.items[i];

        if (!candidate_is_drawn(candidate))
            continue;
        least = fmin(least, candidate->overall.recall.value);
        time_axis_include(&plot->axis, candidate->overall.cpu_us_p95.value);
    }
    time_axis_round(&plot->axis);
    for (size_t i = 0; i < recall_tick_count; i++)
        if (recall_ticks[i] <= least)
            tick = fmax(tick, recall_ticks[i]);
    plot->bottom = recall_height(fmin(tick, 0.95));
}

static void
add_labels(struct plot *plot)
{
    for (size_t i = 0; i < recall_tick_count; i++) {
        size_t row = row_of(plot, recall_ticks[i]);

        if (recall_height(recall_ticks[i]) >= plot->bottom - 1e-9 && !plot->labels[row] &&
            (row == 0 || !plot->labels[row - 1]) && (row + 1 == ROWS || !plot->labels[row + 1]))
            plot->labels[row] = arena_printf(plot->arena, "%g", recall_ticks[i]);
    }
}

static void
add_goal(struct plot *plot)
{
    size_t row = row_of(plot, plot->tuning->goal.recall);
    const char *text = arena_printf(plot->arena, " goal %g", plot->tuning->goal.recall);
    size_t length = strlen(text);

    for (size_t i = 0; i < plot->columns; i++)
        *cell_at(plot, row, i) = plot->strokes->goal;
    for (size_t i = 0; i < length && length < plot->columns; i++)
        *cell_at(plot, row, plot->columns - length + i) = arena_strndup(plot->arena, text + i, 1);
}

static bool
is_letter(const char *cell)
{
    return cell && *cell >= 'A' && *cell <= 'Z' && cell[1] == '\0';
}

/* Where another letter stands already, the next free place beside it, a few columns away at most. */
static void
put_letter(struct plot *plot, const struct vector_shown *shown)
{
    const struct vector_measure *measure = &shown->candidate->overall;
    long row = (long)row_of(plot, measure->recall.value);
    long column = (long)column_of(plot, measure->cpu_us_p95.value);

    for (long step = 0; step <= 2 * FAR; step++) {
        long beside = column + (step % 2 == 1 ? (step + 1) / 2 : -step / 2);

        if (beside < 0 || beside >= (long)plot->columns ||
            is_letter(*cell_at(plot, (size_t)row, (size_t)beside)))
            continue;
        *cell_at(plot, (size_t)row, (size_t)beside) = shown->letter;
        return;
    }
}

static void
add_candidates(struct plot *plot)
{
    for (size_t i = 0; i < plot->tuning->candidates.count; i++) {
        const struct vector_measure *measure = &plot->tuning->candidates.items[i].overall;

        if (candidate_is_drawn(&plot->tuning->candidates.items[i]))
            *cell_at(plot, row_of(plot, measure->recall.value),
                column_of(plot, measure->cpu_us_p95.value)) = plot->strokes->dot;
    }
    for (size_t i = 0; i < plot->shown.count; i++)
        if (plot->shown.items[i].is_winner)
            put_letter(plot, &plot->shown.items[i]);
    for (size_t i = 0; i < plot->shown.count; i++)
        if (!plot->shown.items[i].is_winner)
            put_letter(plot, &plot->shown.items[i]);
}

static void
print_rows(FILE *out, struct plot *plot)
{
    for (size_t row = 0; row < ROWS; row++) {
        size_t last = plot->columns;

        while (last > 0 && !*cell_at(plot, row, last - 1))
            last--;
        fprintf(out, "%*s %s", MARGIN - 2, plot->labels[row] ? plot->labels[row] : "",
            plot->strokes->wall);
        for (size_t i = 0; i < last; i++)
            fputs(*cell_at(plot, row, i) ? *cell_at(plot, row, i) : " ", out);
        fputc('\n', out);
    }
}

/* The floor with a mark at each labelled time, and the labels below, none over another. */
static void
print_axis(FILE *out, struct plot *plot)
{
    const char **marks = ARENA_ARRAY(plot->arena, const char *, plot->columns);
    struct buffer labels = { .arena = plot->arena };
    size_t width = MARGIN;
    double ticks[TIME_TICKS];
    size_t count = time_axis_ticks(&plot->axis, ticks);

    buffer_printf(&labels, "%*s", MARGIN, "");
    for (size_t i = 0; i < count; i++) {
        const char *text = text_from_us(plot->arena, (int64_t)ticks[i]);
        size_t column = column_of(plot, ticks[i]);
        size_t half = text_width(text) / 2;
        size_t start = MARGIN + (column > half ? column - half : 0);

        if (start + text_width(text) > MARGIN + plot->columns)
            start = MARGIN + plot->columns - text_width(text);
        if (start < width + (width > MARGIN ? 2 : 0))
            continue;
        buffer_printf(&labels, "%*s%s", (int)(start - width), "", text);
        width = start + text_width(text);
        marks[column] = plot->strokes->tick;
    }
    fprintf(out, "%*s%s", MARGIN - 1, "", plot->strokes->corner);
    for (size_t i = 0; i < plot->columns; i++)
        fputs(marks[i] ? marks[i] : plot->strokes->floor, out);
    fprintf(out, "\n%s\n", buffer_text(&labels));
}

void
vector_tuning_plot(FILE *out, struct arena *arena, const struct vector_tuning *tuning, int width)
{
    int wanted = width < NARROWEST ? NARROWEST : width > WIDEST ? WIDEST : width;
    struct plot plot = {
        .arena = arena,
        .tuning = tuning,
        .strokes = locale_is_utf8() ? &drawn : &plain,
        .columns = (size_t)(wanted - MARGIN - 1),
    };

    vector_tuning_shown(arena, tuning, &plot.shown);
    if (plot.shown.count == 0)
        return;
    plot.cells = ARENA_ARRAY(arena, const char *, ROWS *plot.columns);
    find_scale(&plot);
    add_labels(&plot);
    add_goal(&plot);
    add_candidates(&plot);
    fprintf(out, "%*s recall\n", MARGIN - 2, "");
    print_rows(out, &plot);
    print_axis(out, &plot);
    fprintf(out, "%*s%s time of a query, p95; %s measured, but not better than a letter\n", MARGIN,
        "", vector_time_name(tuning->meter), plot.strokes->dot);
}
