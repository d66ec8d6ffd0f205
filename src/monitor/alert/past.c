/*
 * A few numbers that trends need for longer than we may run: a disk's share every five minutes, an
 * answer time every quarter of an hour. They are saved with the alerts, so that a restart of ours does not
 * make a slow application look as if it had always been so.
 */
#include <math.h>

#include "monitor/alert/parts.h"

enum { MOST_PASTS = 64 }; /* of a server */

struct past *
past_of(struct alerts *alerts, struct trend *trend, const char *metric, const char *labels)
{
    struct past *past;

    for (size_t i = 0; i < trend->pasts.count; i++) {
        past = trend->pasts.items[i];
        if (text_equal(past->metric, metric) && text_equal(past->labels, labels))
            return past;
    }
    if (trend->pasts.count == MOST_PASTS)
        return NULL;
    past = ARENA_NEW(alerts->arena, struct past);
    past->metric = arena_strdup(alerts->arena, metric);
    past->labels = arena_strdup(alerts->arena, labels);
    VEC_PUSH(alerts->arena, &trend->pasts, past);
    return past;
}

/* Of each step the last value stays. */
void
past_note(struct past *past, int64_t step_s, int64_t at_s, double value)
{
    /* The clock was set back: what stands after now was never. */
    while (past->count > 0 && past->at_s[past->count - 1] > at_s)
        past->count--;
    if (past->count > 0 && past->at_s[past->count - 1] / step_s == at_s / step_s)
        past->count--;
    if (past->count == PAST_POINTS) {
        memmove(past->at_s, past->at_s + 1, (PAST_POINTS - 1) * sizeof(past->at_s[0]));
        memmove(past->values, past->values + 1, (PAST_POINTS - 1) * sizeof(past->values[0]));
        past->count--;
    }
    past->at_s[past->count] = at_s;
    past->values[past->count] = (float)value;
    past->count++;
}

json_t *
pasts_save(const struct trend *trend)
{
    json_t *pasts = json_array();

    for (size_t i = 0; i < trend->pasts.count; i++) {
        const struct past *past = trend->pasts.items[i];
        json_t *points = json_array();

        for (int32_t k = 0; k < past->count; k++)
            json_array_append_new(
                points, json_pack("[I, f]", (json_int_t)past->at_s[k], (double)past->values[k]));
        json_array_append_new(pasts, json_pack("{s:s, s:s, s:o}", "metric", past->metric, "labels",
                                         past->labels, "points", points));
    }
    return pasts;
}

/* Points that are no numbers, or in no order, are left out. */
void
pasts_restore(struct alerts *alerts, struct trend *trend, const json_t *saved)
{
    const json_t *item, *point;
    size_t i, k;

    json_array_foreach(saved, i, item)
    {
        const char *metric = json_string_value(json_object_get(item, "metric"));
        const char *labels = json_string_value(json_object_get(item, "labels"));
        struct past *past = metric && labels ? past_of(alerts, trend, metric, labels) : NULL;

        if (!past)
            continue;
        past->count = 0;
        json_array_foreach(json_object_get(item, "points"), k, point)
        {
            int64_t at_s = json_integer_value(json_array_get(point, 0));
            double value = json_number_value(json_array_get(point, 1));

            if (at_s > 0 && isfinite(value) &&
                (past->count == 0 || at_s > past->at_s[past->count - 1]))
                past_note(past, 1, at_s, value);
        }
    }
}
