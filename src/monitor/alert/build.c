/* The rules that hold in this run: the table with the user's changes, and the user's own. */

#include <math.h>

#include "monitor/alert/parts.h"

static const int64_t minute_us = 60000000;

static enum alert_severity
severity_of(const char *name)
{
    enum alert_severity severity = ALERT_INFO;

    while (severity + 1 < ALERT_SEVERITY_COUNT && !text_equal(alert_severity_name(severity), name))
        severity++;
    return severity;
}

static const char *
unit_of(const char *metric)
{
    static const char *const units[][2] = {
        { "_ratio", "ratio" },
        { "_seconds", "seconds" },
        { "_bytes", "bytes" },
    };

    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (text_ends_with(metric, units[i][0]))
            return units[i][1];
    return "count";
}

/* A new threshold takes the one to clear at along, by the same factor, unless that is given too. */
static void
change_rule(struct alert_rule *rule, const struct setup_alert *change)
{
    if (!isnan(change->threshold)) {
        rule->clear = rule->threshold == 0 ? change->threshold
                                           : change->threshold * (rule->clear / rule->threshold);
        if (text_equal(rule->unit, "ratio") && rule->clear > 1 && change->threshold <= 1)
            rule->clear = 1;
        rule->threshold = change->threshold;
    }
    if (!isnan(change->clear))
        rule->clear = change->clear;
    if (change->for_us >= 0) {
        rule->for_us = change->for_us;
        /* Who asks for a quick alert does not get it late by the mean. */
        if (rule->span_us > rule->for_us / 4)
            rule->span_us = rule->for_us / 4;
    }
    if (change->severity)
        rule->severity = severity_of(change->severity);
}

static struct alert_rule
own_rule(struct arena *arena, const struct setup_alert *row)
{
    return (struct alert_rule){
        .name = row->name,
        .summary = arena_printf(
            arena, "%s is %s %g", row->metric, row->is_below ? "below" : "above", row->threshold),
        .severity = row->severity ? severity_of(row->severity) : ALERT_WARNING,
        .metric = row->metric,
        .is_below = row->is_below,
        .threshold = row->threshold,
        .clear = isnan(row->clear) ? row->threshold : row->clear,
        .unit = unit_of(row->metric),
        .for_us = row->for_us >= 0 ? row->for_us : 5 * minute_us,
        .next = "pgmend doctor",
    };
}

static const struct setup_alert *
change_of(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->alerts.count; i++)
        if (text_equal(setup->alerts.items[i].name, name))
            return &setup->alerts.items[i];
    return NULL;
}

static void
add_rule(struct alerts *alerts, const struct alert_rule *rule)
{
    struct alert_chain *chain = map_get(&alerts->by_metric, rule->metric);
    int at = alerts->rule_count++;

    if (!chain) {
        chain = ARENA_NEW(alerts->arena, struct alert_chain);
        chain->first = -1;
        map_set(&alerts->by_metric, rule->metric, chain);
    }
    alerts->rules[at] = *rule;
    alerts->quiet_by[at] = arena_printf(alerts->arena, "while %s fires", rule->name);
    alerts->next_of_metric[at] = chain->first;
    chain->first = at;
}

static bool
is_table_rule(const char *name)
{
    for (size_t i = 0; i < alert_rule_count; i++)
        if (text_equal(alert_rules[i].name, name))
            return true;
    return false;
}

bool
alert_rules_build(struct ctx *ctx, struct alerts *alerts)
{
    const struct setup *setup = alerts->setup;
    struct arena *arena = alerts->arena;
    size_t most = alert_rule_count + setup->alerts.count;

    alerts->by_metric.arena = arena;
    alerts->rules = ARENA_ARRAY(arena, struct alert_rule, most);
    alerts->quiet_by = ARENA_ARRAY(arena, const char *, most);
    alerts->next_of_metric = ARENA_ARRAY(arena, int, most);
    for (size_t i = 0; i < alert_rule_count; i++) {
        struct alert_rule rule = alert_rules[i];
        const struct setup_alert *change = change_of(setup, rule.name);

        if (change && change->is_off)
            continue;
        if (change)
            change_rule(&rule, change);
        add_rule(alerts, &rule);
    }
    for (size_t i = 0; i < setup->alerts.count; i++) {
        const struct setup_alert *row = &setup->alerts.items[i];

        if (row->is_off || is_table_rule(row->name))
            continue;
        if (!row->metric || isnan(row->threshold))
            return error_set(ctx, ERR_CONFIG, "alert \"%s\" has no metric or threshold", row->name);

        struct alert_rule rule = own_rule(arena, row);

        add_rule(alerts, &rule);
    }
    return true;
}

int
alert_rule_find(const struct alerts *alerts, const char *name)
{
    for (int i = 0; i < alerts->rule_count; i++)
        if (text_equal(alerts->rules[i].name, name))
            return i;
    return -1;
}
