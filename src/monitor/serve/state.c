#include <math.h>

#include "base/clock.h"
#include "monitor/doctor/doctor.h"
#include "monitor/serve/serve_part.h"

static const char *const health_names[] = {
    [HEALTH_GOOD] = "good",
    [HEALTH_WARNING] = "warning",
    [HEALTH_CRITICAL] = "critical",
    [HEALTH_UNKNOWN] = "unknown",
};

struct alert_counts {
    int64_t critical;
    int64_t warning;
    int64_t pending;
};

static void
count_alerts(const struct serve *serve, struct arena *arena, const struct watched *server,
    struct alert_counts *ret)
{
    const struct alert **alerts = NULL;
    size_t count = serve->monitor->alerts ? alerts_list(serve->monitor->alerts, arena, &alerts) : 0;

    *ret = (struct alert_counts){ 0 };
    for (size_t i = 0; i < count; i++) {
        if (!text_equal(alerts[i]->server, server->name))
            continue;
        if (alerts[i]->state == ALERT_PENDING)
            ret->pending++;
        else if (alerts[i]->state == ALERT_FIRING && alerts[i]->rule->severity == ALERT_CRITICAL)
            ret->critical++;
        else if (alerts[i]->state == ALERT_FIRING && alerts[i]->rule->severity == ALERT_WARNING)
            ret->warning++;
    }
}

static void
write_error(struct writer *writer, const char *key, const struct error *error)
{
    writer_open(writer, key, '{');
    writer_text(writer, "kind", error_kind_name(error->kind));
    writer_text(writer, "message", error->message);
    writer_text(writer, "detail", error->detail);
    writer_text(writer, "hint", error->hint);
    writer_close(writer, '}');
}

static void
write_summary_members(
    struct writer *writer, const struct serve *serve, const struct watched *server)
{
    struct alert_counts alerts;
    enum health health = HEALTH_GOOD;

    count_alerts(serve, writer->text.arena, server, &alerts);
    if (alerts.warning > 0)
        health = HEALTH_WARNING;
    if (alerts.critical > 0 || !server->is_up)
        health = HEALTH_CRITICAL;
    if (server->tick == 0)
        health = HEALTH_UNKNOWN;
    writer_text(writer, "name", server->name);
    writer_text(writer, "database", server->database);
    writer_bool(writer, "up", server->is_up);
    writer_text(writer, "health", health_names[health]);
    writer_int(writer, "critical", alerts.critical);
    writer_int(writer, "warning", alerts.warning);
    writer_int(writer, "pending", alerts.pending);
    writer_time(writer, "down_since", server->down_since_wall_us);
    if (!server->is_up && server->tick > 0)
        write_error(writer, "error", &server->error);
    writer_int(writer, "major", server->major);
    writer_int(writer, "tick", server->tick);
    writer_int(writer, "missed", server->missed);
    writer_time(writer, "at", server->at_wall_us);
    writer_number(writer, "cost_ratio", server->cost_ratio);
    writer_int(writer, "slowed", server->slowed);
    writer_text(writer, "gap", server->is_gap ? server->gap : NULL);
}

void
state_write_summary(struct writer *writer, const struct serve *serve, const struct watched *server)
{
    writer_open(writer, NULL, '{');
    write_summary_members(writer, serve, server);
    writer_close(writer, '}');
}

/* The kept samples of now: what charts append. */
static void
write_values(struct writer *writer, const struct watched *server)
{
    writer_open(writer, "values", '[');
    for (size_t i = 0; server->is_up && i < server->samples.count; i++) {
        const struct sample *sample = &server->samples.items[i];

        if (!sample->metric->is_kept || !isfinite(sample->value))
            continue;
        writer_open(writer, NULL, '[');
        writer_text(writer, NULL, sample->metric->name);
        writer_text(writer, NULL, sample_labels(writer->text.arena, sample));
        writer_number(writer, NULL, sample->value);
        writer_close(writer, ']');
    }
    writer_close(writer, ']');
}

/* The rows as objects, as the query's columns are called; age in seconds says how old they are. */
static void
write_rows(struct writer *writer, const struct watched *server, enum collector_id id, size_t most)
{
    const struct reading *reading = &server->now[id];
    const struct query *query = collectors[id].query;

    writer_open(writer, collectors[id].name, '{');
    writer_bool(writer, "known", reading->is_known && reading->is_good);
    writer_number(
        writer, "age", reading->is_known ? (double)(server->at_us - reading->at_us) / 1e6 : NAN);
    writer_open(writer, "rows", '[');
    for (size_t i = 0; reading->is_good && i < reading->rows.count && i < most; i++) {
        writer_open(writer, NULL, '{');
        writer_fields(writer, query->columns, query->column_count,
            (const char *)reading->rows.items + i * query->row_size);
        writer_close(writer, '}');
    }
    writer_close(writer, ']');
    writer_int(writer, "count", reading->is_good ? (int64_t)reading->rows.count : 0);
    writer_close(writer, '}');
}

/* What could not be asked, and what it needs. */
static void
write_refused(struct writer *writer, const struct watched *server)
{
    writer_open(writer, "refused", '[');
    for (int id = 0; server->is_up && id < COLLECTOR_COUNT; id++) {
        const struct reading *reading = &server->now[id];

        if (!reading->is_known || reading->is_good)
            continue;
        writer_open(writer, NULL, '{');
        writer_text(writer, "name", collectors[id].name);
        writer_text(writer, "summary", collectors[id].summary);
        writer_text(writer, "message", reading->error.message);
        writer_text(writer, "needs", collectors[id].needs);
        writer_close(writer, '}');
    }
    writer_close(writer, ']');
}

static void
write_checkup(struct writer *writer, const struct watched *server)
{
    struct checkup checkup = { 0 };

    if (!server->is_up) {
        writer_text(writer, "checkup", NULL);
        return;
    }
    doctor_check(writer->text.arena, server, &checkup);
    writer_open(writer, "checkup", '{');
    writer_text(writer, "health", health_names[checkup.health]);
    writer_open(writer, "items", '[');
    for (size_t i = 0; i < checkup.count; i++) {
        const struct checkup_item *item = &checkup.items[i];

        writer_open(writer, NULL, '{');
        writer_text(writer, "name", item->name);
        writer_text(writer, "title", item->title);
        writer_text(writer, "health", health_names[item->health]);
        writer_text(writer, "says", item->says);
        writer_open(writer, "evidence", '[');
        for (size_t line = 0; line < item->evidence.count; line++)
            writer_text(writer, NULL, item->evidence.items[line]);
        writer_close(writer, ']');
        writer_text(writer, "mend", item->mend);
        writer_close(writer, '}');
    }
    writer_close(writer, ']');
    writer_close(writer, '}');
}

static void
write_host(struct writer *writer, const struct watched *server)
{
    writer_open(writer, "host", '{');
    writer_bool(writer, "known", server->host_now.is_known);
    writer_text(writer, "why_not", server->host_now.is_known ? NULL : server->host_now.why_not);
    writer_int(writer, "cpus", server->host_now.cpus);
    writer_close(writer, '}');
}

static void
write_detail(struct writer *writer, struct serve *serve, const struct watched *server)
{
    enum { MOST_MARKERS = 500, MOST_ROWS = 50 };

    writer_open(writer, "server", '{');
    write_summary_members(writer, serve, server);
    write_checkup(writer, server);
    write_values(writer, server);
    write_refused(writer, server);
    write_host(writer, server);
    write_rows(writer, server, COLLECT_SERVER, 1);
    write_rows(writer, server, COLLECT_PROGRESS, MOST_ROWS);
    write_rows(writer, server, COLLECT_INDEX_STATE, MOST_ROWS);
    write_rows(writer, server, COLLECT_JOURNAL, MOST_MARKERS);
    writer_close(writer, '}');
}

static void
write_alert(struct writer *writer, const struct alert *alert)
{
    static const char *const states[] = {
        [ALERT_PENDING] = "pending",
        [ALERT_FIRING] = "firing",
        [ALERT_RESOLVED] = "resolved",
    };

    writer_open(writer, NULL, '{');
    writer_text(writer, "id", alert->id);
    writer_text(writer, "rule", alert->rule->name);
    writer_text(writer, "summary", alert->rule->summary);
    writer_text(writer, "severity", alert_severity_name(alert->rule->severity));
    writer_text(writer, "server", alert->server);
    writer_text(writer, "labels", text_is_empty(alert->labels) ? NULL : alert->labels);
    writer_text(writer, "state", states[alert->state]);
    writer_text(writer, "value", alert_value_text(writer->text.arena, alert));
    writer_time(writer, "since", alert->since_wall_us);
    writer_time(writer, "fired", alert->fired_wall_us);
    writer_time(writer, "resolved", alert->resolved_wall_us);
    writer_text(writer, "cause", alert->cause);
    writer_text(writer, "next", alert->rule->next);
    writer_text(writer, "quiet", alert->quiet);
    writer_close(writer, '}');
}

void
state_write_alerts(struct writer *writer, const struct serve *serve)
{
    enum { MOST_ALERTS = 200 };
    const struct alert **alerts = NULL;
    size_t count = serve->monitor->alerts
                       ? alerts_list(serve->monitor->alerts, writer->text.arena, &alerts)
                       : 0;

    writer_open(writer, "alerts", '[');
    for (size_t i = 0; i < count && i < MOST_ALERTS; i++)
        write_alert(writer, alerts[i]);
    writer_close(writer, ']');
    writer_int(writer, "alert_count", (int64_t)count);
}

/* is_whole: with the other servers, for the first answer; events carry the one server only. */
void
state_write(struct writer *writer, struct serve *serve, const struct watched *server, bool is_whole)
{
    enum { MOST_STATEMENTS = 20 };
    const struct monitor *monitor = serve->monitor;

    writer_open(writer, NULL, '{');
    writer_text(writer, "version", PGMEND_VERSION);
    writer_time(writer, "now", clock_wall_us());
    writer_time(writer, "started", monitor->started_wall_us);
    writer_number(writer, "interval", (double)monitor->setup->interval_us / 1e6);
    writer_bool(writer, "has_kpi", serve->options.kpi != NULL);
    if (is_whole) {
        writer_open(writer, "servers", '[');
        for (size_t i = 0; i < monitor->servers.count; i++)
            state_write_summary(writer, serve, monitor->servers.items[i]);
        writer_close(writer, ']');
    }
    state_write_alerts(writer, serve);
    if (server) {
        write_detail(writer, serve, server);
        state_write_statements(writer, serve, server, MOST_STATEMENTS);
        state_write_locks(writer, server);
    }
    writer_close(writer, '}');
}

void
state_write_locks(struct writer *writer, const struct watched *server)
{
    enum { MOST_SESSIONS = 200, MOST_LOCKS = 100 };

    writer_open(writer, "locks", '{');
    write_rows(writer, server, COLLECT_SESSION, MOST_SESSIONS);
    write_rows(writer, server, COLLECT_LOCK, MOST_LOCKS);
    writer_close(writer, '}');
}
