#include "monitor/calm.h"

#include "sql.h"

enum { MOST_UNWATCHED_US = 300000000 };

static const char *
system_of(const struct watched *server)
{
    const struct reading *reading = &server->now[COLLECT_SERVER];
    const char *ret = NULL;

    if (reading->is_good && reading->rows.count > 0)
        ret = READING_ROWS(reading, struct sql_monitor_server)[0].system_identifier;
    return ret ? ret : "";
}

static struct calm *
find_or_add(struct calms *calms, const struct watched *server)
{
    struct calm calm = { .since_wall_us = server->at_wall_us };

    for (size_t i = 0; i < calms->count; i++)
        if (text_equal(calms->items[i].server, server->name))
            return &calms->items[i];
    calm.server = arena_strdup(calms->arena, server->name);
    calm.database = arena_strdup(calms->arena, server->database ? server->database : "");
    calm.cluster = "";
    VEC_PUSH(calms->arena, calms, calm);
    return &calms->items[calms->count - 1];
}

/* The newest critical alert of the server that people are told of; NULL: none. */
static const struct alert *
newest_critical(struct arena *arena, const struct watched *server, const struct alerts *alerts)
{
    const struct alert **list;
    const struct alert *ret = NULL;
    size_t count = alerts_list(alerts, arena, &list);

    for (size_t i = 0; i < count; i++) {
        const struct alert *alert = list[i];

        if (alert->state == ALERT_FIRING && !alert->quiet &&
            alert->rule->severity == ALERT_CRITICAL && text_equal(alert->server, server->name) &&
            (!ret || alert->fired_wall_us > ret->fired_wall_us))
            ret = alert;
    }
    return ret;
}

void
calm_tick(struct calms *calms, const struct watched *server, const struct alerts *alerts)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct alert *critical = newest_critical(arena, server, alerts);
    struct calm *calm = find_or_add(calms, server);
    const char *cluster = system_of(server);

    if (*cluster && !text_equal(cluster, calm->cluster))
        calm->cluster = arena_strdup(calms->arena, cluster);
    if (critical) {
        calm->since_wall_us = 0;
        /* As it was when it began: later its value is that of its end. */
        if (calm->last_wall_us != critical->fired_wall_us)
            (void)snprintf(calm->last, sizeof(calm->last), "%s", alert_line(arena, critical));
        calm->last_wall_us = critical->fired_wall_us;
    } else if (calm->since_wall_us == 0 ||
               server->at_wall_us - calm->seen_wall_us > MOST_UNWATCHED_US) {
        calm->since_wall_us = server->at_wall_us;
    }
    calm->seen_wall_us = server->at_wall_us;
}

json_t *
calm_save(const struct calms *calms)
{
    json_t *ret = json_array();

    for (size_t i = 0; i < calms->count; i++) {
        const struct calm *calm = &calms->items[i];

        json_array_append_new(
            ret, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "server", calm->server,
                     "database", calm->database, "system", calm->cluster, "since",
                     (json_int_t)calm->since_wall_us, "seen", (json_int_t)calm->seen_wall_us,
                     "last_at", (json_int_t)calm->last_wall_us, "last", calm->last));
    }
    return ret;
}

void
calm_restore(struct calms *calms, const json_t *saved)
{
    size_t i;
    const json_t *item;

    json_array_foreach(saved, i, item)
    {
        struct calm calm = {
            .server = json_get_text(calms->arena, item, "server", ""),
            .database = json_get_text(calms->arena, item, "database", ""),
            .cluster = json_get_text(calms->arena, item, "system", ""),
            .since_wall_us = json_get_int(item, "since", 0),
            .seen_wall_us = json_get_int(item, "seen", 0),
            .last_wall_us = json_get_int(item, "last_at", 0),
        };

        (void)snprintf(
            calm.last, sizeof(calm.last), "%s", json_get_text(calms->arena, item, "last", ""));
        VEC_PUSH(calms->arena, calms, calm);
    }
}

const struct calm *
calm_find(const struct calms *calms, const char *cluster, const char *database)
{
    const struct calm *ret = NULL;

    for (size_t i = 0; i < calms->count; i++) {
        const struct calm *calm = &calms->items[i];

        if (text_equal(calm->database, database) &&
            (!cluster || !*calm->cluster || text_equal(calm->cluster, cluster)) &&
            (!ret || calm->seen_wall_us > ret->seen_wall_us))
            ret = calm;
    }
    return ret;
}
