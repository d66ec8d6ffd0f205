#include <math.h>

#include "base/clock.h"
#include "monitor/kpi/parts.h"

const char *
kpi_state_name(enum kpi_state state)
{
#define KPI_NAME(id, name) [id] = (name),
    static const char *const names[] = { KPI_STATES(KPI_NAME) };
#undef KPI_NAME

    return names[state];
}

const char *
kpi_show(struct arena *arena, const char *unit, double value)
{
    if (isnan(value))
        return "unknown";
    if (text_equal(unit, "seconds") && fabs(value) < 1e9)
        return value < 0 ? arena_printf(arena, "-%s", text_from_us(arena, llround(-value * 1e6)))
                         : text_from_us(arena, llround(value * 1e6));
    if (text_equal(unit, "ratio"))
        return arena_printf(arena, "%.4g %%", value * 100);
    if (text_equal(unit, "USD"))
        return arena_printf(arena, "%s$%.6g", value < 0 ? "-" : "", fabs(value));
    if (text_is_empty(unit) || text_equal(unit, "count"))
        return arena_printf(arena, "%.6g", value);
    return arena_printf(arena, "%.6g %s", value, unit);
}

static json_t *
time_or_null(struct arena *arena, int64_t wall_us)
{
    return wall_us ? json_string(clock_text(arena, wall_us)) : json_null();
}

json_t *
kpi_json(const struct kpis *kpis)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    json_t *array = json_array();

    for (size_t i = 0; i < kpis->count; i++) {
        const struct kpi *kpi = &kpis->items[i];
        json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s?, s:s?, s:s, s:s?, s:I, s:s}",
            "name", kpi->name, "title", kpi->title, "group", kpi->group, "unit", kpi->unit,
            "less_is_better", kpi->less_is_better, "target_is_inclusive", kpi->target_is_inclusive,
            "planned", kpi->planned, "deadline", kpi->deadline, "source", kpi->source,
            "before_source", kpi->before_source, "value_count", (json_int_t)kpi->value_count,
            "state", kpi_state_name(kpi->state));

        json_object_set_new(json, "before", json_number(kpi->before));
        json_object_set_new(json, "before_at", time_or_null(arena, kpi->before_wall_us));
        json_object_set_new(json, "now", json_number(kpi->now));
        json_object_set_new(json, "now_at", time_or_null(arena, kpi->now_wall_us));
        json_object_set_new(json, "target", json_number(kpi->target));
        json_object_set_new(json, "target_is_met",
            kpi->state == KPI_UNKNOWN ? json_null() : json_boolean(kpi->state == KPI_MET));
        json_object_set_new(json, "trend_per_week", json_number(kpi->trend));
        json_object_set_new(json, "trend", json_number(kpi->trend));
        if (kpis->grant)
            json_object_set_new(json, "grant", json_string(kpis->grant));
        json_array_append_new(array, json);
    }
    return array;
}
