#include <math.h>

#include "load/report/part.h"

static const char dash[] = "–";

const char *
sheet_time(struct arena *arena, double us)
{
    if (!isfinite(us))
        return dash;
    if (us >= 1e8)
        return text_from_us(arena, (int64_t)us);
    if (us >= 999500)
        return arena_printf(arena, "%.3g s", us / 1e6);
    return us >= 999.5 ? arena_printf(arena, "%.3g ms", us / 1000)
                       : arena_printf(arena, "%.3g µs", us);
}

/* Close to 1 the nines count, and are never rounded up: 99.987 %. */
const char *
sheet_share(struct arena *arena, double share)
{
    double percent = share * 100;
    double scale = 10;

    if (!isfinite(share))
        return dash;
    if (percent <= 99 || percent >= 100)
        return arena_printf(arena, "%.3g %%", percent);
    while (scale < 10000 && (100 - percent) * scale < 10)
        scale *= 10;
    return arena_printf(arena, "%.7g %%", floor(percent * scale + 1e-6) / scale);
}

const char *
sheet_number(struct arena *arena, double number)
{
    if (!isfinite(number))
        return dash;
    if (fabs(number) >= 1000)
        return text_from_count(arena, (int64_t)round(number));
    return arena_printf(arena, "%.3g", number);
}

const char *
sheet_value(struct arena *arena, const char *unit, double value)
{
    if (text_equal(unit, "us"))
        return sheet_time(arena, value);
    if (text_equal(unit, "share"))
        return sheet_share(arena, value);
    if (text_equal(unit, "bytes") && isfinite(value) && fabs(value) < 1e18)
        return text_from_bytes(arena, (int64_t)value);
    return sheet_number(arena, value);
}

const char *
sheet_latency(const struct sheet *sheet, double us)
{
    const char *text = sheet_time(sheet->html.arena, us);

    return sheet->is_upper && isfinite(us) ? arena_printf(sheet->html.arena, "≤ %s", text) : text;
}

double
sheet_rate(const struct load_record *record)
{
    return record->elapsed_us > 0 ? load_record_rate(record) : NAN;
}

double
sheet_error_share(const struct load_record *record)
{
    double errors = (double)load_record_errors(record);
    double all = errors + (double)load_record_count(record, LOAD_GOOD);

    return all > 0 ? errors / all : NAN;
}

const struct load_step_record *
sheet_step(const struct load_record *record, const char *name)
{
    for (size_t i = 0; record && i < record->step_count; i++)
        if (text_equal(record->steps[i].name, name))
            return &record->steps[i];
    return NULL;
}
