/* The numbers of the curves, for the script of the page. Times are seconds since what counts began. */
#include <inttypes.h>
#include <math.h>

#include "load/report/part.h"

static void
add_number(struct buffer *out, size_t at, double number)
{
    if (at > 0)
        buffer_add(out, ",");
    if (isfinite(number))
        buffer_printf(out, "%.6g", number);
    else
        buffer_add(out, "null");
}

enum curve {
    CURVE_AT,
    CURVE_RATE,
    CURVE_ERRORS,
    CURVE_P50,
    CURVE_P95,
    CURVE_P99,
    CURVE_OPEN,
    CURVE_LAG
};
static const char *const curve_names[] = { "at", "rate", "errors", "p50", "p95", "p99", "open",
    "lag" };

static double
moment_value(const struct load_moment *moment, enum curve curve, int64_t start)
{
    switch (curve) {
    case CURVE_AT:
        return (double)(moment->at - start);
    case CURVE_RATE:
        return (double)moment->calls;
    case CURVE_ERRORS:
        return (double)moment->errors;
    case CURVE_P50:
        return moment->calls > 0 ? (double)moment->p50_us / 1e6 : NAN;
    case CURVE_P95:
        return moment->calls > 0 ? (double)moment->p95_us / 1e6 : NAN;
    case CURVE_P99:
        return moment->calls > 0 ? (double)moment->p99_us / 1e6 : NAN;
    case CURVE_OPEN:
        return (double)moment->open;
    case CURVE_LAG:
        return (double)moment->lag_us / 1e6;
    }
    return NAN;
}

/* The first second that counts; the clock when nothing does. */
static int64_t
start_of(const struct load_record *record)
{
    for (size_t i = 0; i < record->moment_count; i++)
        if (record->moments[i].is_counted)
            return record->moments[i].at;
    return record->moment_count > 0 ? record->moments[0].at : record->started_us / 1000000;
}

static void
add_run(struct buffer *out, const char *name, const struct load_record *record)
{
    int64_t start = start_of(record);
    int64_t counted = 0;

    for (size_t i = 0; i < record->moment_count; i++)
        counted += record->moments[i].is_counted;
    buffer_printf(out, "\"%s\":{\"counted\":%" PRId64, name, counted);
    for (size_t curve = 0; curve < COUNT_OF(curve_names); curve++) {
        buffer_printf(out, ",\"%s\":[", curve_names[curve]);
        for (size_t i = 0; i < record->moment_count; i++)
            add_number(out, i, moment_value(&record->moments[i], (enum curve)curve, start));
        buffer_add(out, "]");
    }
    buffer_add(out, "}");
}

static double
fact_value(const struct load_fact_moment *moment, size_t which, int64_t start)
{
    const double values[] = { (double)(moment->at - start), moment->pg_cpu_share,
        moment->api_cpu_share, moment->generator_cpu_share, moment->active, moment->lock_waits };

    return values[which];
}

/* What is known of no second is left out, so that no empty chart stands there. */
static void
add_facts(struct buffer *out, const struct load_record *record)
{
    static const char *const names[] = { "at", "pg", "api", "generator", "active", "waits" };
    int64_t start = start_of(record);
    bool is_first = true;

    buffer_add(out, ",\"facts\":{");
    for (size_t which = 0; which < COUNT_OF(names); which++) {
        bool is_known = false;

        for (size_t i = 0; i < record->fact_moment_count && !is_known; i++)
            is_known = isfinite(fact_value(&record->fact_moments[i], which, start));
        if (!is_known)
            continue;
        buffer_printf(out, "%s\"%s\":[", is_first ? "" : ",", names[which]);
        for (size_t i = 0; i < record->fact_moment_count; i++)
            add_number(out, i, fact_value(&record->fact_moments[i], which, start));
        buffer_add(out, "]");
        is_first = false;
    }
    buffer_add(out, "}");
}

void
sheet_curves(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;

    if (run->moment_count < 2)
        return;
    buffer_add(&sheet->html,
        "<h2 id=\"curves\">Over time</h2>\n<p class=\"caption\">Seconds since what counts began; the "
        "shaded part, ramp-up and warm-up, does not count. Arrow keys move along a chart that has the "
        "focus.</p>\n<div class=\"charts\" id=\"charts\"></div>\n<noscript><p class=\"caption\">Curves need "
        "JavaScript; everything else on this page does not.</p></noscript>\n"
        "<script type=\"application/json\" id=\"data\">{");
    add_run(&sheet->html, "run", run);
    if (sheet->page->before) {
        buffer_add(&sheet->html, ",");
        add_run(&sheet->html, "before", sheet->page->before);
    }
    add_facts(&sheet->html, run);
    buffer_add(&sheet->html, "}</script>\n");
}
