#include <math.h>

#include "base/clock.h"
#include "base/map.h"
#include "monitor/kpi/parts.h"
#include "monitor/plain.h"

#define DAY_US INT64_C(86400000000)

/* Sums and slopes of numbers as large as this are numbers still; nothing that people count is larger. */
#define MOST_VALUE 1e15

static const char *
trimmed(struct arena *arena, const char *text)
{
    size_t start = strspn(text, " \t");
    size_t end = strlen(text);

    while (end > start && strchr(" \t", text[end - 1]))
        end--;
    return arena_strndup(arena, text + start, end - start);
}

/* The unit that people write behind a number: what it is multiplied by; 0: not one of this goal. */
static double
factor_of(const char *unit, const char *suffix)
{
    bool is_time = text_equal(unit, "seconds");

    if (!*suffix)
        return 1;
    if (is_time && text_equal(suffix, "us"))
        return 1e-6;
    if (is_time && text_equal(suffix, "ms"))
        return 1e-3;
    if (is_time && text_equal(suffix, "s"))
        return 1;
    if (is_time && text_equal(suffix, "min"))
        return 60;
    if (text_equal(suffix, "%") && (!unit || text_equal(unit, "ratio")))
        return 0.01;
    return unit && text_equal(suffix, unit) ? 1 : 0;
}

bool
kpi_read_number(struct ctx *ctx, const char *name, const char *text, double *ret)
{
    const struct kpi_goal *goal = kpi_goal_find(name);
    const char *unit = goal ? goal->unit : NULL;
    const char *given = trimmed(ctx->arena, text);
    const char *start = text_equal(unit, "USD") && *given == '$' ? given + 1 : given;
    size_t length = strspn(start, "+-.0123456789eE");
    double factor = factor_of(unit, trimmed(ctx->arena, start + length));
    double number;

    if (factor == 0 || !text_to_double(arena_strndup(ctx->arena, start, length), &number) ||
        !isfinite(number)) {
        error_set(ctx, ERR_INPUT, "\"%s\" is no number for %s", plain_text(ctx->arena, text),
            plain_text(ctx->arena, name));
        return error_hint(ctx, "Write it with a point, and perhaps %s.",
            text_equal(unit, "seconds") ? "\"ms\" or \"s\" behind it"
            : text_equal(unit, "ratio") ? "\"%\" behind it"
                                        : "its unit behind it");
    }
    *ret = number * factor;
    return kpi_check_sense(ctx, name, *ret, unit);
}

/* Of what there can be less than nothing: money and what people measure in units of their own. */
static bool
is_never_negative(const char *unit)
{
    return text_equal(unit, "ratio") || text_equal(unit, "seconds") || text_equal(unit, "count") ||
           (unit && text_starts_with(unit, "per "));
}

bool
kpi_check_sense(struct ctx *ctx, const char *name, double value, const char *unit)
{
    const char *plain = plain_text(ctx->arena, name);

    if (!isfinite(value))
        return error_set(ctx, ERR_INPUT, "the value of %s is no number", plain);
    if (fabs(value) > MOST_VALUE) {
        error_set(ctx, ERR_INPUT, "%g for %s is beyond %g", value, plain, MOST_VALUE);
        return error_hint(ctx, "Choose a larger unit, or mend the number.");
    }
    if (text_equal(unit, "ratio") && (value < 0 || value > 1)) {
        error_set(ctx, ERR_INPUT, "%.6g is no share between 0 and 1 for %s", value, plain);
        return error_hint(ctx, "Write per cent with the sign: \"99.9%%\".");
    }
    if (value < 0 && is_never_negative(unit)) {
        error_set(ctx, ERR_INPUT, "%.6g for %s is less than nothing", value, plain);
        return error_hint(ctx, "Its unit is \"%s\", from 0 on.", plain_text(ctx->arena, unit));
    }
    return true;
}

bool
kpi_has_controls(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        bool is_blank = *at == '\n' || *at == '\t' || *at == '\r';

        /* U+0080 to U+009F are two bytes in UTF-8; some terminals obey them too. */
        if ((*at < 0x20 && !is_blank) || *at == 0x7F || (*at == 0xC2 && at[1] < 0xA0))
            return true;
    }
    return false;
}

bool
kpi_read_time(struct ctx *ctx, const char *text, int64_t *ret_wall_us)
{
    const char *given = trimmed(ctx->arena, text);

    if (clock_parse(given, ret_wall_us) ||
        (strlen(given) == 10 &&
            clock_parse(arena_printf(ctx->arena, "%sT00:00:00Z", given), ret_wall_us)))
        return true;
    error_set(ctx, ERR_INPUT, "\"%s\" is no time", plain_text(ctx->arena, text));
    return error_hint(ctx, "Write a date or a time in UTC: 2026-11-23, or 2026-11-23T10:00:00Z.");
}

static bool
check_value(struct ctx *ctx, const struct kpi_value *value)
{
    if (text_is_empty(value->name) || !text_is_utf8(value->name) ||
        (value->note && !text_is_utf8(value->note)))
        return error_set(ctx, ERR_INPUT, "the name or note is not UTF-8, or there is no name");
    if (kpi_has_controls(value->name) || (value->note && kpi_has_controls(value->note)))
        return error_set(ctx, ERR_INPUT, "%s: the %s has control characters in it",
            plain_text(ctx->arena, value->name), kpi_has_controls(value->name) ? "name" : "note");

    const struct kpi_goal *goal = kpi_goal_find(value->name);

    if (!kpi_check_sense(ctx, value->name, value->value, goal ? goal->unit : NULL))
        return false;
    /* A year that was mistyped would stay the latest value for long. */
    if (value->at_wall_us > clock_wall_us() + DAY_US || value->at_wall_us < 0)
        return error_set(ctx, ERR_INPUT, "%s: %s lies in the future, or before 1970", value->name,
            clock_text(ctx->arena, value->at_wall_us));
    return true;
}

bool
kpi_check_values(struct ctx *ctx, const struct kpi_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!check_value(ctx, &values[i]))
            return values[i].place ? error_wrap(ctx, "%s", values[i].place) : false;
    return true;
}

bool
kpi_check_units(struct ctx *ctx, const struct kpi_value *values, size_t count,
    const struct sql_monitor_kpi_definitions_rows *definitions)
{
    struct map units = { .arena = ctx->arena };

    for (size_t i = 0; i < definitions->count; i++)
        if (definitions->items[i].unit)
            map_set(
                &units, definitions->items[i].name, (void *)(uintptr_t)definitions->items[i].unit);
    for (size_t i = 0; i < count; i++)
        if (!kpi_check_sense(ctx, values[i].name, values[i].value, map_get(&units, values[i].name)))
            return values[i].place ? error_wrap(ctx, "%s", values[i].place) : false;
    return true;
}

const char *
kpi_values_text(struct arena *arena, const struct kpi_value *values, size_t count)
{
    json_t *array CLEANUP(json_release) = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *object = json_pack("{s:s, s:f, s:s?}", "name", values[i].name, "value",
            values[i].value, "note", values[i].note);

        if (values[i].at_wall_us)
            json_object_set_new(object, "at", json_integer(values[i].at_wall_us));
        json_array_append_new(array, object);
    }
    return json_text(arena, array);
}
