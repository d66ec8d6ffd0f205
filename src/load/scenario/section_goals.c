/* [goals]: what the run is held to. */
#include <inttypes.h>

#include "load/result/record.h"
#include "load/scenario/reading.h"

enum { MOST_GOALS = 200 };

/* Whether a request or a group has this name. */
static const char *
subject_of(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->steps.count; i++)
        if (text_equal(reading->steps.items[i].name, name))
            return reading->steps.items[i].name;
    for (size_t i = 0; i < reading->groups.count; i++)
        if (text_equal(reading->groups.items[i].name, name))
            return reading->groups.items[i].name;
    return NULL;
}

static bool
refuse_measure(struct reading *reading, const struct ini_setting *setting, const char *measure)
{
    static const char *const usual[] = { "p50", "p75", "p90", "p95", "p99", "mean", "max", "errors",
        "success", "rate", "lag", "held" };
    const char *names[COUNT_OF(usual) + 64];
    size_t count = COUNT_OF(usual);
    const char *nearest;

    memcpy(names, usual, sizeof(usual));
    for (size_t i = 0; i < load_fact_kind_count && count < COUNT_OF(names); i++)
        names[count++] = load_fact_kinds[i].name;
    reading_refuse(
        reading, setting->line, "goal = %s: there is no measure \"%s\"", setting->value, measure);
    nearest = reading_nearest(measure, names, count);
    return nearest
               ? error_hint(reading->ctx, "Did you mean \"%s\"?", nearest)
               : error_hint(reading->ctx,
                     "Measures are p50, p75, p90, p95, p99, mean, max, errors, success, rate, lag, "
                     "held, and what docs/load.md names of the server's side; before one may stand a "
                     "request or a group: stats.p95.");
}

/* "p95", "stats.p95", "bots.success". */
static bool
split_measure(struct reading *reading, const struct ini_setting *setting, const char *text,
    struct load_goal *goal)
{
    const char *point = strchr(text, '.');
    struct arena *arena = reading->ctx->arena;

    goal->measure = text;
    if (load_measure_unit(text) != MEASURE_NONE)
        return true;
    if (!point)
        return refuse_measure(reading, setting, text);

    const char *name = arena_strndup(arena, text, (size_t)(point - text));

    goal->subject = subject_of(reading, name);
    goal->measure = point + 1;
    if (!goal->subject) {
        reading_refuse(reading, setting->line,
            "goal = %s: there is neither a request nor a group \"%s\"", setting->value, name);
        return error_hint(reading->ctx, "Write the name of a [request NAME] or a [users NAME].");
    }
    return load_measure_unit(goal->measure) != MEASURE_NONE ||
           refuse_measure(reading, setting, goal->measure);
}

/* "0.1%", or a share of 1. */
static bool
read_share(struct arena *arena, const char *text, double *ret)
{
    size_t length = strlen(text);
    bool is_percent = length > 0 && text[length - 1] == '%';

    while (length > 0 && strchr("% ", text[length - 1]))
        length--;
    if (!text_to_double(arena_strndup(arena, text, length), ret) || *ret < 0)
        return false;
    if (is_percent)
        *ret /= 100;
    return *ret <= 1;
}

static bool
is_bytes(const char *measure)
{
    for (size_t i = 0; i < load_fact_kind_count; i++)
        if (text_equal(load_fact_kinds[i].name, measure))
            return text_equal(load_fact_kinds[i].unit, "bytes");
    return false;
}

static bool
read_limit(struct reading *reading, const struct ini_setting *setting, const char *text,
    struct load_goal *goal)
{
    struct arena *arena = reading->ctx->arena;
    const char *example = "a number";
    int64_t whole;
    bool is_good = false;

    switch (load_measure_unit(goal->measure)) {
    case MEASURE_TIME:
        /* A bare number would be seconds, which hardly anybody means here. */
        example = "a time with its unit: 200ms";
        is_good = text_to_us(text, &whole) && whole >= 0 && !text_to_double(text, &goal->limit);
        goal->limit = is_good ? (double)whole : 0;
        break;
    case MEASURE_SHARE:
        example = "a share: 99.9% or 0.999";
        is_good = read_share(arena, text, &goal->limit);
        break;
    case MEASURE_NUMBER:
    case MEASURE_NONE:
        if (is_bytes(goal->measure)) {
            example = "a size: 64MB";
            is_good = text_to_bytes(text, &whole);
            goal->limit = is_good ? (double)whole : 0;
        } else {
            is_good = text_to_double(text, &goal->limit) && goal->limit >= 0 && goal->limit < 1e15;
        }
        break;
    }
    if (is_good)
        return true;
    reading_refuse(
        reading, setting->line, "goal = %s: \"%s\" is no limit of it", setting->value, text);
    return error_hint(reading->ctx, "Its limit is %s.", example);
}

static bool
take_goal(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct load_goal goal = { .text = value, .line = setting->line };
    struct arena *arena = reading->ctx->arena;
    size_t length = strcspn(value, "<>");
    const char *limit = value + length;

    (void)object;
    if (!*limit || length == 0 || reading->goals.count == MOST_GOALS) {
        reading_refuse(reading, setting->line, "goal = %s says no limit", value);
        return error_hint(reading->ctx,
            "Write \"p95 < 200ms\", \"stats.p95 < 100ms\" or \"bots.success >= 99.9%%\".");
    }
    goal.is_most = *limit == '<';
    limit += 1 + (limit[1] == '=');
    limit += strspn(limit, " \t");

    const char *measure = reading_split(arena, arena_strndup(arena, value, length), '\n').items[0];

    if (!split_measure(reading, setting, measure, &goal) ||
        !read_limit(reading, setting, limit, &goal))
        return false;
    VEC_PUSH(arena, &reading->goals, goal);
    return true;
}

static const struct reading_key keys[] = {
    { .name = "goal", .take = take_goal, .is_many = true },
};

bool
reading_goals(struct reading *reading, const struct ini_section *section)
{
    return reading_take(reading, section, keys, COUNT_OF(keys), NULL);
}
