/* What survives a restart of ours: alerts that live, and the counts that burn rates look back on. */

#include "base/clock.h"
#include "base/memory.h"
#include "monitor/alert/parts.h"

enum { GROUP_MINUTES = 10 };

static json_t *
save_entry(const struct alert_entry *entry)
{
    const struct alert *alert = &entry->alert;
    json_t *json = json_object();

    json_object_set_new(json, "server", json_string(alert->server));
    json_object_set_new(json, "rule", json_string(alert->rule->name));
    json_object_set_new(json, "labels", json_string(alert->labels));
    json_object_set_new(json, "state", json_integer(alert->state));
    json_object_set_new(json, "value", json_real(alert->value));
    json_object_set_new(json, "worst", json_real(alert->worst));
    json_object_set_new(json, "since", json_integer(alert->since_wall_us));
    json_object_set_new(json, "fired", json_integer(alert->fired_wall_us));
    json_object_set_new(json, "resolved", json_integer(alert->resolved_wall_us));
    json_object_set_new(json, "held_us", json_integer(entry->held_us));
    json_object_set_new(json, "flaps", json_integer(entry->flaps));
    json_object_set_new(json, "told", json_boolean(entry->was_told));
    if (alert->owner)
        json_object_set_new(json, "owner", json_string(alert->owner));
    if (alert->cause)
        json_object_set_new(json, "cause", json_string(alert->cause));
    return json;
}

/* [age in minutes, requests, errors] of each ten minutes that had any. */
static json_t *
save_burn(const struct burn *burn)
{
    json_t *groups = json_array();

    for (int age = 0; burn->requests && age < BURN_MINUTES; age += GROUP_MINUTES) {
        double requests = 0, errors = 0;

        for (int i = age; i < age + GROUP_MINUTES && i < BURN_MINUTES; i++) {
            requests += (double)burn->requests[(burn->minute - i) % BURN_MINUTES];
            errors += (double)burn->errors[(burn->minute - i) % BURN_MINUTES];
        }
        if (requests > 0)
            json_array_append_new(
                groups, json_pack("[i, f, f]", age + GROUP_MINUTES / 2, requests, errors));
    }
    return groups;
}

json_t *
alerts_save(const struct alerts *alerts)
{
    json_t *entries = json_array(), *burns = json_object(), *pasts = json_object();
    json_t *saved = json_object();

    for (size_t i = 0; i < alerts->servers.count; i++) {
        const struct alert_server *state = alerts->servers.items[i];

        for (size_t j = 0; j < state->entries.count; j++)
            json_array_append_new(entries, save_entry(state->entries.items[j]));
        if (state->burn.requests)
            json_object_set_new(burns, state->name, save_burn(&state->burn));
        if (state->trend.pasts.count > 0)
            json_object_set_new(pasts, state->name, pasts_save(&state->trend));
    }
    json_object_set_new(saved, "alerts", entries);
    json_object_set_new(saved, "burns", burns);
    json_object_set_new(saved, "pasts", pasts);
    json_object_set_new(saved, "saved", json_integer(clock_wall_us()));
    return saved;
}

static char *
take_text(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text ? memory_text(text) : NULL;
}

static void
restore_entry(struct alerts *alerts, const json_t *json)
{
    const char *server = json_string_value(json_object_get(json, "server"));
    const char *labels = json_string_value(json_object_get(json, "labels"));
    const char *name = json_string_value(json_object_get(json, "rule"));
    int rule = alert_rule_find(alerts, name);
    int64_t state = json_get_int(json, "state", -1);

    if (!server || !labels || rule < 0 || state < ALERT_PENDING || state > ALERT_RESOLVED)
        return;

    struct alert_server *of = alert_server_of(alerts, server);
    struct alert_entry *entry = alert_entry_new(alerts, server, rule, labels);
    struct alert *alert = &entry->alert;

    alert->state = (enum alert_state)state;
    alert->value = json_get_double(json, "value", 0);
    alert->worst = json_get_double(json, "worst", alert->value);
    alert->since_wall_us = json_get_int(json, "since", 0);
    alert->fired_wall_us = json_get_int(json, "fired", 0);
    alert->resolved_wall_us = json_get_int(json, "resolved", 0);
    alert->owner = take_text(json, "owner");
    alert->cause = take_text(json, "cause");
    entry->held_us = json_get_int(json, "held_us", 0);
    entry->flaps = (int32_t)json_get_int(json, "flaps", 0);
    entry->was_told = json_get_bool(json, "told", false);
    entry->last = alert->state == ALERT_PENDING ? VERDICT_BAD : VERDICT_BETWEEN;
    VEC_PUSH(alerts->arena, &of->entries, entry);
}

static void
restore_burn(struct alerts *alerts, const char *server, const json_t *groups, int64_t away_us)
{
    struct alert_server *state = alert_server_of(alerts, server);
    int64_t now_us = clock_us();
    size_t count = json_array_size(groups);

    /* The oldest first: adding a younger one empties the minutes between. */
    for (size_t i = count; i-- > 0;) {
        const json_t *group = json_array_get(groups, i);
        int64_t age_us = json_integer_value(json_array_get(group, 0)) * 60000000 + away_us;

        if (age_us >= 0 && age_us < (int64_t)BURN_MINUTES * 60000000)
            burn_add(&state->burn, alerts->arena, now_us - age_us,
                json_number_value(json_array_get(group, 1)),
                json_number_value(json_array_get(group, 2)));
    }
}

bool
alerts_restore(struct ctx *ctx, struct alerts *alerts, const json_t *saved)
{
    int64_t away_us = clock_wall_us() - json_get_int(saved, "saved", 0);
    const char *server;
    json_t *item;
    size_t i;

    if (!json_is_array(json_object_get(saved, "alerts")))
        return error_set(ctx, ERR_INPUT, "the saved alerts are not what this version writes");
    json_array_foreach(json_object_get(saved, "alerts"), i, item) restore_entry(alerts, item);
    json_object_foreach(json_object_get(saved, "burns"), server, item)
        restore_burn(alerts, server, item, away_us > 0 ? away_us : 0);
    json_object_foreach(json_object_get(saved, "pasts"), server, item)
        pasts_restore(alerts, &alert_server_of(alerts, server)->trend, item);
    arena_reset(alerts->scratch);
    return true;
}
