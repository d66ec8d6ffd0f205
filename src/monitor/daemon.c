#include "monitor/daemon.h"

#include <malloc.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/service.h"
#include "http/client.h"
#include "monitor/calm.h"
#include "monitor/history.h"
#include "monitor/kpi/desk.h"
#include "monitor/notify/notify.h"
#include "monitor/source/source.h"
#include "monitor/store/files.h"
#include "monitor/store/store.h"
#include "monitor/watch/watch.h"

enum {
    SAVE_EVERY_US = 30000000,
    STORE_LAST_US = 5000000, /* what the store may take at the end */
    MOST_SERIES = 1000,      /* of the history, for each server: 12 MB of it at 5 s */
    LARGE_BYTES = 128 * 1024,
};

/* A watch and whom it tells. */
struct seat {
    struct daemon *daemon;
    struct watch *watch;
    size_t number; /* of the server */
};

struct daemon {
    struct monitor monitor; /* the first member: the two are the same place */
    struct daemon_options options;
    struct seat *seats;
    struct calms calms;
    struct sources *sources;   /* or NULL: no applications */
    struct kpi_desk *kpi_desk; /* or NULL: nothing listens */
    bool is_files_told;        /* that the files cannot be written */
    bool is_store_told;
    bool is_unsaved; /* that alerts cannot be kept, which was told */
    struct loop_timer *own;
    struct loop_timer *save;
    struct loop_timer *end;
    struct loop_timer *feed; /* NULL: systemd does not watch us */
};

/* ---- from one to the next ---- */

static bool
is_finished(const struct daemon *daemon)
{
    const struct monitor *monitor = &daemon->monitor;

    for (size_t i = 0; i < monitor->servers.count; i++) {
        const struct watched *server = monitor->servers.items[i];

        if (server->tick < 1 || (server->is_up && server->tick < 2))
            return false;
    }
    return true;
}

static void
ticked(void *data)
{
    const struct seat *seat = data;
    struct daemon *daemon = seat->daemon;
    struct monitor *monitor = &daemon->monitor;
    struct watched *server = monitor->servers.items[seat->number];

    if (daemon->sources)
        sources_add_samples(daemon->sources, server);
    history_add(monitor->history, server);
    alerts_judge(monitor->alerts, server, monitor->history);
    calm_tick(&daemon->calms, server, monitor->alerts);
    if (monitor->files)
        output_files_tick(monitor->files, server);
    if (monitor->store)
        store_tick(monitor->store, server);
    if (monitor->server)
        serve_ticked(monitor, server);
    if (daemon->options.ticked)
        daemon->options.ticked(daemon->options.data, monitor, server);
    if (daemon->options.is_once && is_finished(daemon))
        loop_stop(monitor->loop);
}

static void
heard(void *data, const struct alert *alert)
{
    struct daemon *daemon = data;
    struct monitor *monitor = &daemon->monitor;

    if (monitor->notifier)
        notifier_hear(monitor->notifier, alert);
    if (monitor->files)
        output_files_alert(monitor->files, alert);
    if (monitor->server)
        serve_alert(monitor, alert);
    if (daemon->options.heard)
        daemon->options.heard(daemon->options.data, alert);
}

/* What the monitor knows of itself: whether the numbers are kept. */
static const struct metric store_failing = {
    .name = "pgmend_store_failing",
    .kind = METRIC_GAUGE,
    .help = "1: files or tables cannot be written now.",
};

/* What cannot be written is told once, and once when it can be again. */
static void
tell_trouble(bool *is_told, const char *what, const char *error)
{
    if (error && !*is_told)
        log_warn("%s: %s", what, error);
    else if (!error && *is_told)
        log_info("%s: written again", what);
    *is_told = error != NULL;
}

static void
judge_own(void *data)
{
    static const char *const no_labels[] = { NULL };
    struct daemon *daemon = data;
    struct monitor *monitor = &daemon->monitor;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct samples samples = { .arena = arena };
    const char *files = monitor->files ? output_files_error(monitor->files) : NULL;
    const char *store = monitor->store ? store_error(monitor->store) : NULL;
    struct buffer trouble = { .arena = arena };

    if (files)
        buffer_printf(&trouble, "Folder %s: %s.", daemon->options.output_dir, files);
    if (store)
        buffer_printf(&trouble, "%sThe store: %s.", files ? " " : "", store);

    if (monitor->files || monitor->store)
        sample_add(&samples, &store_failing, no_labels, NULL, files || store);
    tell_trouble(&daemon->is_files_told, "the files", files);
    tell_trouble(&daemon->is_store_told, "the store", store);
    alerts_judge_own(monitor->alerts, &samples, files || store ? buffer_text(&trouble) : NULL,
        clock_us(), clock_wall_us());
    loop_timer_set(daemon->own, monitor->setup->interval_us);
}

/* ---- alerts that outlive a restart ---- */

static bool
save_alerts(struct ctx *ctx, const struct daemon *daemon)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!daemon->options.state_file)
        return true;
    json = json_pack("{s:o, s:o, s:o}", "alerts", alerts_save(daemon->monitor.alerts), "calm",
        calm_save(&daemon->calms), "told",
        daemon->monitor.notifier ? notifier_save(daemon->monitor.notifier) : json_null());
    return json_write_file(ctx, daemon->options.state_file, json);
}

/* A folder that cannot be written to costs a message, not the monitor. */
static void
save_and_go_on(struct daemon *daemon)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    bool is_saved = save_alerts(&ctx, daemon);

    if (!is_saved && !daemon->is_unsaved)
        log_warn("alerts are not kept for the next start: %s", ctx.error.message);
    if (is_saved && daemon->is_unsaved)
        log_info("alerts are kept again for the next start");
    daemon->is_unsaved = !is_saved;
}

static void
save_again(void *data)
{
    struct daemon *daemon = data;

    save_and_go_on(daemon);
    loop_timer_set(daemon->save, SAVE_EVERY_US);
}

static bool
restore_alerts(struct ctx *ctx, struct daemon *daemon)
{
    const char *path = daemon->options.state_file;
    json_t *json CLEANUP(json_release) = NULL;

    if (!path || !file_exists(path))
        return true;
    if (json_read_file(ctx, path, &json) &&
        alerts_restore(ctx, daemon->monitor.alerts, json_object_get(json, "alerts"))) {
        calm_restore(&daemon->calms, json_object_get(json, "calm"));
        return !daemon->monitor.notifier || !json_is_object(json_object_get(json, "told")) ||
               notifier_restore(ctx, daemon->monitor.notifier, json_object_get(json, "told"));
    }
    log_warn("%s: %s; alerts begin anew", path, ctx->error.message);
    error_clear(ctx);
    return true;
}

/* ---- opening ---- */

static bool
open_watches(struct ctx *ctx, struct daemon *daemon)
{
    struct monitor *monitor = &daemon->monitor;
    const struct setup *setup = monitor->setup;

    daemon->seats = ARENA_ARRAY(ctx->arena, struct seat, setup->servers.count);
    for (size_t i = 0; i < setup->servers.count; i++) {
        struct seat *seat = &daemon->seats[i];
        struct watch_options options = {
            .interval_us = setup->interval_us,
            .most_cost_ratio = daemon->options.most_cost_ratio,
            .is_once = daemon->options.is_once,
            .ticked = ticked,
            .data = seat,
        };

        memcpy(options.intervals_us, daemon->options.intervals_us, sizeof(options.intervals_us));
        seat->daemon = daemon;
        seat->number = i;
        if (!watch_new(ctx, monitor, &setup->servers.items[i], &options, &seat->watch))
            return false;
    }
    return true;
}

/* As people reach the page: told, or where it listens. */
static const char *
page_url(struct arena *arena, const struct daemon *daemon)
{
    const struct http_server *server = daemon->monitor.server;

    if (daemon->options.page_url || !server)
        return daemon->options.page_url;
    return arena_printf(arena, "http://%s/", http_server_address(server));
}

static bool
open_outputs(struct ctx *ctx, struct daemon *daemon)
{
    struct monitor *monitor = &daemon->monitor;
    const struct daemon_options *options = &daemon->options;
    const struct output_files_options files = {
        .folder = options->output_dir,
        .most_bytes = options->output_bytes,
    };
    const struct store_options store = {
        .db_url = options->store_url,
        .view_schema = options->view_schema,
    };
    const struct notifier_options notifier = {
        .setup = monitor->setup,
        .page_url = page_url(ctx->arena, daemon),
        .alerts = monitor->alerts,
    };

    return (!options->output_dir || output_files_open(ctx, &files, &monitor->files)) &&
           (!options->store_url || store_begin(ctx, monitor->loop, &store, &monitor->store)) &&
           (monitor->setup->sinks.count == 0 ||
               notifier_new(ctx, monitor->loop, &notifier, &monitor->notifier));
}

/* The page's KPIs stand in the database of the first server. */
static bool
open_page(struct ctx *ctx, struct daemon *daemon)
{
    struct monitor *monitor = &daemon->monitor;
    const struct db_options db = {
        .url = monitor->setup->servers.items[0].db_url,
        .application = "pgmend/monitor kpi",
    };

    if (!daemon->options.serve.listen)
        return true;
    if (!kpi_desk_new(ctx, monitor->loop, &db, &daemon->kpi_desk))
        return false;
    daemon->options.serve.kpi = kpi_desk_source(daemon->kpi_desk);
    return serve_start(ctx, monitor, &daemon->options.serve);
}

static bool
open_parts(struct ctx *ctx, struct daemon *daemon)
{
    struct monitor *monitor = &daemon->monitor;
    const struct http_client_options client = { .allow_private = daemon->options.allow_private };
    const struct sources_options sources = { 0 };

    if (!loop_new(ctx, &monitor->loop) || !alerts_new(ctx, monitor->setup, &monitor->alerts) ||
        !open_watches(ctx, daemon) || !open_page(ctx, daemon) || !open_outputs(ctx, daemon) ||
        !restore_alerts(ctx, daemon))
        return false;
    alerts_listen(monitor->alerts, heard, daemon);
    /* libcurl makes its TLS ready at once, which takes a megabyte or two: only for who asks by it. */
    return monitor->setup->applications.count == 0 ||
           (http_client_new(ctx, monitor->loop, &client, &monitor->client) &&
               sources_new(ctx, monitor, &sources, &daemon->sources));
}

static void
close_all(struct monitor *monitor)
{
    struct daemon *daemon = (struct daemon *)monitor;

    if (!monitor)
        return;
    if (monitor->server)
        serve_stop(monitor);
    if (daemon->kpi_desk)
        kpi_desk_free(daemon->kpi_desk);
    while (monitor->watches.count > 0) /* each takes itself out */
        watch_free(monitor->watches.items[0]);
    if (monitor->store)
        store_end(monitor->store, STORE_LAST_US);
    if (monitor->files)
        output_files_close(monitor->files);
    if (monitor->notifier)
        notifier_free(monitor->notifier);
    if (monitor->client)
        http_client_free(monitor->client);
    if (daemon->sources)
        sources_free(daemon->sources);
    if (monitor->alerts)
        alerts_free(monitor->alerts);
    history_end(monitor->history);
    if (daemon->own)
        loop_timer_free(daemon->own);
    if (daemon->save)
        loop_timer_free(daemon->save);
    if (daemon->end)
        loop_timer_free(daemon->end);
    if (daemon->feed)
        loop_timer_free(daemon->feed);
    if (monitor->loop)
        loop_free(monitor->loop);
}

bool
daemon_open(struct ctx *ctx, const struct daemon_options *options, struct monitor **ret)
{
    struct daemon *daemon = ARENA_NEW(ctx->arena, struct daemon);

    /* What is large goes back to the system when it is freed; else malloc() learns to keep it. */
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    daemon->options = *options;
    daemon->calms.arena = ctx->arena;
    daemon->monitor.ctx = ctx;
    daemon->monitor.setup = options->setup;
    daemon->monitor.history = history_begin(options->setup->interval_us, MOST_SERIES);
    daemon->monitor.started_wall_us = clock_wall_us();
    if (!open_parts(ctx, daemon)) {
        close_all(&daemon->monitor);
        return false;
    }
    *ret = &daemon->monitor;
    return true;
}

/* ---- running ---- */

static void
end(void *data)
{
    struct daemon *daemon = data;

    loop_stop(daemon->monitor.loop);
}

/* That this timer is called shows that the loop goes round, which is what the watchdog asks for. */
static void
feed(void *data)
{
    struct daemon *daemon = data;

    service_tell("WATCHDOG=1");
    loop_timer_set(daemon->feed, service_watchdog_us() / 4);
}

/* Ready is who answers and asks: a server that is down now is news for alerts, not a failed start. */
static void
tell_ready(struct ctx *ctx, struct daemon *daemon)
{
    size_t count = daemon->monitor.watches.count;

    service_tell(arena_printf(ctx->arena, "READY=1\nSTATUS=%zu %s watched%s%s", count,
        count == 1 ? "server is" : "servers are", daemon->monitor.server ? ", answers on " : "",
        daemon->monitor.server ? http_server_address(daemon->monitor.server) : ""));
    if (service_watchdog_us() > 0) {
        daemon->feed = loop_timer_new(daemon->monitor.loop, feed, daemon);
        feed(daemon);
    }
}

bool
daemon_run(struct ctx *ctx, struct monitor *monitor)
{
    struct daemon *daemon = (struct daemon *)monitor;

    if (!save_alerts(ctx, daemon))
        return error_wrap(ctx, "keeping the alerts");
    daemon->own = loop_timer_new(monitor->loop, judge_own, daemon);
    daemon->save = loop_timer_new(monitor->loop, save_again, daemon);
    daemon->end = loop_timer_new(monitor->loop, end, daemon);
    loop_timer_set(daemon->own, monitor->setup->interval_us);
    loop_timer_set(daemon->save, SAVE_EVERY_US);
    if (daemon->options.duration_us > 0)
        loop_timer_set(daemon->end, daemon->options.duration_us);
    for (size_t i = 0; i < monitor->watches.count; i++)
        watch_start(monitor->watches.items[i]);
    if (daemon->sources)
        sources_start(daemon->sources);
    tell_ready(ctx, daemon);
    loop_run(monitor->loop);
    service_tell("STOPPING=1");
    save_and_go_on(daemon);
    return true;
}

void
daemon_cleanup(struct monitor **monitor)
{
    close_all(*monitor);
    *monitor = NULL;
}
