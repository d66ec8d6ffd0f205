/* An alert as text and JSON. */

#include <math.h>

#include "base/clock.h"
#include "monitor/alert/parts.h"
#include "monitor/plain.h"

static const char *
number_text(struct arena *arena, double value, const char *unit)
{
    if (text_equal(unit, "seconds") && fabs(value) < 9e12)
        return text_from_us(arena, (int64_t)llround(value * 1e6));
    if (text_equal(unit, "bytes") && fabs(value) < 9e18)
        return text_from_bytes(arena, (int64_t)llround(value));
    if (text_equal(unit, "count") && value == floor(value) && fabs(value) < 9e15)
        return text_from_count(arena, (int64_t)value);
    if (text_equal(unit, "bytes/s") && fabs(value) < 9e18)
        return arena_printf(arena, "%s/s", text_from_bytes(arena, (int64_t)llround(value)));
    if (text_equal(unit, "rate"))
        return arena_printf(arena, "%.3g/s", value);
    if (text_equal(unit, "ratio"))
        return arena_printf(arena, fabs(value) < 0.01 && value != 0 ? "%.2g" : "%.2f", value);
    return arena_printf(arena, "%.4g", value);
}

const char *
alert_value_text(struct arena *arena, const struct alert *alert)
{
    const struct alert_rule *rule = alert->rule;

    return arena_printf(arena, "%s (threshold %s)", number_text(arena, alert->value, rule->unit),
        number_text(arena, rule->threshold, rule->unit));
}

static const char *
state_name(enum alert_state state)
{
    static const char *const names[] = {
        [ALERT_PENDING] = "pending",
        [ALERT_FIRING] = "firing",
        [ALERT_RESOLVED] = "resolved",
    };

    return names[state];
}

const char *
alert_line(struct arena *arena, const struct alert *alert)
{
    const struct alert_rule *rule = alert->rule;
    struct buffer line = { .arena = arena };
    bool is_over = alert->state == ALERT_RESOLVED;

    buffer_printf(&line, "%s  %s  %s", is_over ? "resolved" : alert_severity_name(rule->severity),
        rule->name, plain_text(arena, alert->server));
    if (*alert->labels)
        buffer_printf(&line, " {%s}", plain_text(arena, alert->labels));
    /* The summary says what was wrong, which the value of a resolved one no longer is. */
    buffer_printf(&line, ": %s: %s%s, ", rule->summary, is_over ? "over, now " : "",
        alert_value_text(arena, alert));
    if (alert->state == ALERT_PENDING)
        buffer_add(&line, "not for long enough yet, ");
    if (is_over)
        buffer_printf(&line, "from %s to %s", clock_text(arena, alert->since_wall_us),
            clock_text(arena, alert->resolved_wall_us));
    else
        buffer_printf(&line, "since %s", clock_text(arena, alert->since_wall_us));
    if (alert->cause)
        buffer_printf(&line, ". %s", plain_text(arena, alert->cause));
    if (alert->quiet)
        buffer_printf(&line, " (nobody is told: %s)", plain_text(arena, alert->quiet));
    if (!is_over && rule->next)
        buffer_printf(
            &line, "%s Next: %s", text_ends_with(buffer_text(&line), ".") ? "" : ".", rule->next);
    return buffer_text(&line);
}

static void
set_text(json_t *json, const char *key, const char *text)
{
    json_object_set_new(json, key, text ? json_string(text) : json_null());
}

static void
set_number(json_t *json, const char *key, double value)
{
    json_object_set_new(json, key, json_number(value));
}

static void
set_time(json_t *json, struct arena *arena, const char *key, int64_t wall_us)
{
    set_text(json, key, wall_us > 0 ? clock_text(arena, wall_us) : NULL);
}

json_t *
alert_json(const struct alert *alert)
{
    const struct alert_rule *rule = alert->rule;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    json_t *json = json_object();

    set_text(json, "id", alert->id);
    set_text(json, "rule", rule->name);
    set_text(json, "summary", rule->summary);
    set_text(json, "severity", alert_severity_name(rule->severity));
    set_text(json, "state", state_name(alert->state));
    set_text(json, "server", alert->server);
    set_text(json, "owner", alert->owner);
    set_text(json, "labels", alert->labels);
    set_text(json, "metric", rule->metric);
    set_text(json, "unit", rule->unit);
    set_number(json, "value", alert->value);
    set_number(json, "worst", alert->worst);
    set_number(json, "threshold", rule->threshold);
    set_number(json, "clear", rule->clear);
    set_text(json, "value_text", alert_value_text(arena, alert));
    set_time(json, arena, "since", alert->since_wall_us);
    set_time(json, arena, "fired", alert->fired_wall_us);
    set_time(json, arena, "resolved", alert->resolved_wall_us);
    set_text(json, "cause", alert->cause);
    set_text(json, "quiet", alert->quiet);
    set_text(json, "next", rule->next);
    set_text(json, "playbook", arena_printf(arena, "docs/monitoring_playbook.md#%s", rule->name));
    return json;
}
