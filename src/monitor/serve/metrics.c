#include <math.h>
#include <time.h>

#include "monitor/notify/notify.h"
#include "monitor/serve/serve_part.h"
#include "monitor/store/files.h"
#include "monitor/store/store.h"
#include "sql.h"

enum { MOST_SERIES = 20000 };

static const struct metric metric_build = { "pgmend_build_info", METRIC_GAUGE,
    "Always 1; the version as a label.", false };
static const struct metric metric_alerts = { "pgmend_alerts_firing", METRIC_GAUGE,
    "Alerts that fire now.", false };
static const struct metric metric_left_out = { "pgmend_series_left_out", METRIC_GAUGE,
    "Series beyond the cap of this page, and of the history in memory.", false };
static const struct metric metric_pages = { "pgmend_open_pages", METRIC_GAUGE,
    "Pages that hear of each tick.", false };
static const struct metric metric_start = { "pgmend_start_timestamp_seconds", METRIC_GAUGE,
    "When the monitor began.", false };
static const struct metric metric_cpu = { "process_cpu_seconds_total", METRIC_COUNTER,
    "CPU time of the monitor, user and system.", false };
static const struct metric metric_scrapes = { "pgmend_scrapes_total", METRIC_COUNTER,
    "Answers to this page so far.", false };
static const struct metric metric_scrape_cpu = { "pgmend_last_scrape_cpu_seconds", METRIC_GAUGE,
    "CPU time of the answer before this one.", false };
static const struct metric metric_dropped = { "pgmend_store_dropped_total", METRIC_COUNTER,
    "Ticks that the store could not take.", false };
static const struct metric metric_failing = { "pgmend_store_failing", METRIC_GAUGE,
    "Whether what is measured cannot be kept.", false };

static const struct metric metric_change = { "pgmend_last_change_timestamp_seconds", METRIC_GAUGE,
    "When a change of ours began or ended last: a marker for charts.", false };

static const char *const no_labels[] = { NULL };
static const char *const version_labels[] = { "version", NULL };
static const char *const change_labels[] = { "server", "kind", "state", NULL };
static const char *const alert_labels[] = { "server", "severity", NULL };
static const char *const place_labels[] = { "place", NULL };

static double
cpu_seconds(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
add_plain(struct samples *samples, const struct metric *metric, double value)
{
    sample_add(samples, metric, no_labels, NULL, value);
}

static void
add_alerts(struct samples *samples, const struct monitor *monitor)
{
    const struct alert **alerts = NULL;
    size_t count = monitor->alerts ? alerts_list(monitor->alerts, samples->arena, &alerts) : 0;

    /* The monitor's own alerts are those of one more. */
    for (size_t s = 0; s <= monitor->servers.count; s++) {
        bool is_own = s == monitor->servers.count;
        double firing[ALERT_SEVERITY_COUNT] = { 0 };
        const char *name = is_own ? ALERT_OWN_SERVER : monitor->servers.items[s]->name;

        if (is_own && !monitor->files && !monitor->store)
            continue;
        for (size_t i = 0; i < count; i++)
            if (alerts[i]->state == ALERT_FIRING && text_equal(alerts[i]->server, name))
                firing[alerts[i]->rule->severity]++;
        for (int severity = 0; severity < ALERT_SEVERITY_COUNT; severity++) {
            const char *const labels[] = { name,
                alert_severity_name((enum alert_severity)severity) };

            sample_add(samples, &metric_alerts, alert_labels, labels, firing[severity]);
        }
    }
}

/* The newest entry of the journal. */
static void
add_change(struct samples *samples, const struct watched *server)
{
    const struct reading *reading = &server->now[COLLECT_JOURNAL];
    const struct sql_monitor_journal *rows = READING_ROWS(reading, struct sql_monitor_journal);
    const struct sql_monitor_journal *last = NULL;
    double last_at = 0;

    if (!reading->is_good)
        return;
    for (size_t i = 0; i < reading->rows.count; i++) {
        double at = fmax(rows[i].started_epoch, rows[i].ended_epoch);

        if (at > last_at) {
            last = &rows[i];
            last_at = at;
        }
    }
    if (last) {
        const char *const labels[] = { server->name, last->kind, last->state };

        sample_add(samples, &metric_change, change_labels, labels, last_at);
    }
}

/* What is not of one server: about ourselves. */
static void
add_own(struct samples *samples, const struct monitor *monitor, size_t left_out)
{
    const char *const version[] = { PGMEND_VERSION };
    const char *const scrape[] = { "scrape" };
    const char *const history[] = { "history" };
    const struct serve *serve = monitor->serve;

    sample_add(samples, &metric_build, version_labels, version, 1);
    add_alerts(samples, monitor);
    for (size_t i = 0; i < monitor->servers.count; i++)
        add_change(samples, monitor->servers.items[i]);
    sample_add(samples, &metric_left_out, place_labels, scrape, (double)left_out);
    if (monitor->history)
        sample_add(samples, &metric_left_out, place_labels, history,
            (double)history_left_out(monitor->history));
    if (monitor->files || monitor->store)
        add_plain(samples, &metric_failing,
            (monitor->files && output_files_error(monitor->files)) ||
                (monitor->store && store_error(monitor->store)));
    add_plain(samples, &metric_start, (double)monitor->started_wall_us / 1e6);
    add_plain(samples, &metric_cpu, cpu_seconds());
    if (monitor->store)
        add_plain(samples, &metric_dropped, (double)store_dropped(monitor->store));
    if (monitor->notifier)
        notifier_samples(monitor->notifier, samples);
    if (!serve)
        return;
    add_plain(samples, &metric_pages, (double)serve_page_count(serve));
    add_plain(samples, &metric_scrapes, (double)serve->scrapes);
    add_plain(samples, &metric_scrape_cpu, serve->scrape_seconds);
}

/* A server's samples, no more than there is room for; those of a server that is down are stale. */
static size_t
take(const struct watched *server, size_t room, struct samples *ret)
{
    *ret = server->samples;
    if (ret->count > room)
        ret->count = room;
    return server->samples.count - ret->count;
}

const char *
serve_metrics(struct arena *arena, const struct monitor *monitor, int32_t most_series)
{
    size_t count = monitor->servers.count;
    size_t room = most_series > 0 ? (size_t)most_series : MOST_SERIES;
    struct metric_source *sources = ARENA_ARRAY(arena, struct metric_source, count + 1);
    struct samples *parts = ARENA_ARRAY(arena, struct samples, count + 1);
    struct buffer out = { .arena = arena };
    size_t left_out = 0;

    for (size_t i = 0; i < count; i++) {
        const struct watched *server = monitor->servers.items[i];

        /* An equal share of the room that the ones before have left. */
        left_out += take(server, room / (count - i), &parts[i]);
        room -= parts[i].count;
        sources[i] = (struct metric_source){ count > 1 ? server->name : NULL, &parts[i] };
    }
    parts[count] = (struct samples){ .arena = arena };
    add_own(&parts[count], monitor, left_out);
    sources[count] = (struct metric_source){ NULL, &parts[count] };
    metric_print(&out, sources, count + 1);
    return buffer_text(&out);
}
