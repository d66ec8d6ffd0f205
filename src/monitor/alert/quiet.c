#include "monitor/alert/parts.h"
#include "monitor/setup_parts.h"

static const int64_t minute_us = 60000000;
enum { DAY_MINUTES = 24 * 60 };

/* Minutes since 1970 to the day of the week, Sunday 0: 1970-01-01 was a Thursday. */
static bool
is_in_week(const char *weekly, int64_t wall_us)
{
    struct setup_week week;

    if (!setup_parse_week(weekly, &week))
        return false;

    int64_t minutes = wall_us / minute_us;
    int minute = (int)(minutes % DAY_MINUTES);
    int today = (int)((minutes / DAY_MINUTES + 4) % 7);
    unsigned is_today = week.days >> today & 1;
    unsigned was_yesterday = week.days >> (today + 6) % 7 & 1;

    if (week.from_minute < week.until_minute)
        return is_today && minute >= week.from_minute && minute < week.until_minute;
    return (is_today && minute >= week.from_minute) ||
           (was_yesterday && minute < week.until_minute);
}

/* Whether the window is open for this rule and server at that time. */
static bool
is_window_open(
    const struct setup_maintenance *window, const char *server, const char *rule, int64_t wall_us)
{
    if (window->servers.count > 0 && !text_list_has(&window->servers, server))
        return false;
    if (window->alerts.count > 0 && !text_list_has(&window->alerts, rule))
        return false;
    if (window->weekly)
        return is_in_week(window->weekly, wall_us);
    return wall_us >= window->from_wall_us && wall_us < window->until_wall_us;
}

static const char *
quiet_of(const struct alerts *alerts, const struct alert_tick *tick, const struct alert *alert)
{
    static const char down[] = "server-down";
    const struct setup *setup = alerts->setup;
    const char *other = alert->rule->inhibited_by;

    if (!text_equal(alert->rule->name, down) && alert_is_firing(tick->state, down))
        return alerts->quiet_by[alert_rule_find(alerts, down)];
    if (other && alert_is_firing(tick->state, other))
        return alerts->quiet_by[alert_rule_find(alerts, other)];
    for (size_t i = 0; i < setup->maintenances.count; i++)
        if (is_window_open(&setup->maintenances.items[i], alert->server, alert->rule->name,
                tick->server->at_wall_us))
            return alerts->quiet_window[i];
    return NULL;
}

/* Who was told of an alert is told of its end; who was not is not. */
static const char *
quiet_at_end(const struct alert_entry *entry, const char *before)
{
    if (entry->was_told)
        return NULL;
    return before ? before : "it was over before anybody was told";
}

void
alert_tell(struct alerts *alerts, const struct alert_tick *tick)
{
    struct alert_server *state = tick->state;

    for (size_t i = 0; i < state->entries.count; i++) {
        struct alert_entry *entry = state->entries.items[i];
        struct alert *alert = &entry->alert;

        if (alert->state == ALERT_RESOLVED) {
            if (entry->has_news)
                alert->quiet = quiet_at_end(entry, alert->quiet);
            continue;
        }
        alert->quiet = quiet_of(alerts, tick, alert);
        /* What was quiet so far is told when it no longer has to be, unless it is getting well. */
        if (alert->state == ALERT_FIRING && !alert->quiet && !entry->was_told &&
            entry->last == VERDICT_BAD)
            entry->has_news = true;
    }
    for (size_t i = 0; i < state->entries.count; i++) {
        struct alert_entry *entry = state->entries.items[i];

        if (!entry->has_news)
            continue;
        entry->has_news = false;
        entry->was_told |= entry->alert.quiet == NULL;
        for (int j = 0; j < alerts->listener_count; j++)
            alerts->listeners[j].hear(alerts->listeners[j].data, &entry->alert);
    }
}
