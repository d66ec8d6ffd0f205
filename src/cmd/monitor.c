#include <stdint.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/checkup_screen.h"
#include "monitor/calm.h"
#include "monitor/daemon.h"
#include "monitor/plain.h"
#include "monitor/single.h"

enum {
    COULD_NOT_LOOK = 3, /* of a plug-in, whose caller takes 2 for "critical" */
    STANDARD_INTERVAL_US = 5000000,
    LEAST_INTERVAL_US = 100000,
    MOST_SERIES = 10000000,
};
#define MOST_INTERVAL_US INT64_C(86400000000)

struct options {
    const char *interval;
    struct text_list collect;
    const char *setup;
    bool single_shot;
    const char *duration;
    const char *output_dir;
    int64_t output_size;
    bool store;
    const char *store_url;
    const char *schema;
    const char *listen;
    const char *token_file;
    struct text_list allow_host;
    const char *page_url;
    bool allow_private;
    int64_t most_series;
    double share;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, interval, .arg = "TIME",
        .help = "how often the servers are asked; 5 s unless the setup says otherwise"),
    FIELD(struct options, collect, .arg = "NAME=TIME",
        .help = "how often one collector is asked: statement=1m, bloat=1d"),
    FIELD(struct options, setup, .arg = "FILE",
        .help = "servers, alert rules, sinks, routes and maintenance windows (an ini file)"),
    FIELD(struct options, single_shot, .momentary = true,
        .help = "look once, print the report, and exit: 0 good, 1 warning, 2 critical, 3 unknown"),
    FIELD(struct options, duration, .arg = "TIME", .momentary = true,
        .help = "stop after that time"),
    FIELD(struct options, output_dir, .arg = "DIR",
        .help = "write every tick as a line of JSON into files of this folder"),
    FIELD(struct options, output_size, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "1GB",
        .help = "the folder's size: beyond it the oldest files go"),
    FIELD(struct options, store,
        .help = "keep the numbers in schema pgmend of the watched database"),
    FIELD(struct options, store_url, .arg = "URL", .secret = true,
        .help = "keep them in this database instead"),
    FIELD(struct options, schema, .arg = "SCHEMA", .standard = "public",
        .help = "where the view pg_stat_statements_snapshot is made"),
    FIELD(struct options, listen, .arg = "ADDRESS",
        .help = "answer /metrics and the dashboard there: 127.0.0.1:9187"),
    FIELD(struct options, token_file, .arg = "FILE",
        .help = "who asks must know what stands in this file; needed for anything but loopback"),
    FIELD(struct options, allow_host, .arg = "NAME",
        .help = "a name by which the page may be asked, besides localhost and addresses"),
    FIELD(struct options, page_url, .arg = "URL",
        .help = "where people reach the dashboard, for notifications"),
    FIELD(struct options, allow_private,
        .help = "applications of the setup may be asked on private addresses"),
    FIELD(struct options, most_series, .arg = "N", .standard = "20000",
        .help = "series that /metrics gives at most; the rest is left out and counted"),
    FIELD(struct options, share, .arg = "RATIO", .standard = "0.01",
        .help = "what it may take of one CPU of a server before it asks less often"),
};
/* clang-format on */

struct work {
    struct run *run;
    struct setup setup;
    struct daemon_options daemon;
    struct progress progress;
    bool has_progress;
    enum health health; /* of a single shot: the worst server */
    json_t *servers;    /* the same, as JSON; or NULL */
    struct single single;
};

/* ---- what is asked for ---- */

static bool
find_collector(struct ctx *ctx, const char *item, size_t length, enum collector_id *ret)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        const char *name = collectors[i].name;

        text_list_add(ctx->arena, &names, name);
        if (strlen(name) == length && strncmp(name, item, length) == 0) {
            *ret = (enum collector_id)i;
            return true;
        }
    }
    error_set(ctx, ERR_USAGE, "there is no collector \"%.*s\"", (int)length, item);
    return error_hint(ctx, "Collectors are %s.", text_list_join(ctx->arena, &names, ", "));
}

static bool
read_intervals(struct ctx *ctx, const struct options *opts, struct daemon_options *ret)
{
    for (size_t i = 0; i < opts->collect.count; i++) {
        const char *item = opts->collect.items[i];
        size_t length = strcspn(item, "=");
        enum collector_id id = COLLECT_SERVER;
        int64_t us = 0;

        if (!find_collector(ctx, item, length, &id))
            return false;
        if (!item[length] || !text_to_us(item + length + 1, &us) || us <= 0)
            return error_set(ctx, ERR_USAGE, "--collect %s: a time such as %.*s=1m is expected",
                item, (int)length, item);
        ret->intervals_us[id] = us;
    }
    return true;
}

/* A time that was given; one that was not is left as it is. */
static bool
read_time(struct ctx *ctx, const char *option, const char *text, int64_t *ret)
{
    if (!text || text_to_us(text, ret))
        return true;
    return error_set(ctx, ERR_USAGE,
        "invalid value for %s: \"%s\" (expected a time such as 250ms, 30s, 5m or 1h)", option,
        text);
}

static bool
check_ranges(struct ctx *ctx, const struct options *opts, int64_t interval_us, int64_t duration_us)
{
    if (opts->interval && (interval_us < LEAST_INTERVAL_US || interval_us > MOST_INTERVAL_US))
        return error_set(
            ctx, ERR_USAGE, "--interval %s is not between 100 ms and a day", opts->interval);
    if (opts->duration && duration_us <= 0) {
        error_set(ctx, ERR_USAGE, "--duration %s is no time to watch", opts->duration);
        return error_hint(ctx, "Without --duration it goes on until it is ended.");
    }
    if (opts->most_series < 1 || opts->most_series > MOST_SERIES)
        return error_set(ctx, ERR_USAGE, "--most-series %lld is not between 1 and %d",
            (long long)opts->most_series, MOST_SERIES);
    if (!(opts->share > 0 && opts->share <= 1)) {
        error_set(ctx, ERR_USAGE, "--share %g is not over 0 and at most 1", opts->share);
        return error_hint(ctx, "0.01 is a hundredth of one CPU.");
    }
    return true;
}

static bool
read_setup(struct ctx *ctx, struct work *work)
{
    const struct options *opts = work->run->options;
    const struct global_options *global = work->run->global;

    if (opts->setup && !setup_read(ctx, opts->setup, &work->setup))
        return false;
    for (size_t i = 0; i < global->db_urls.count; i++)
        VEC_PUSH(ctx->arena, &work->setup.servers,
            (struct setup_server){ .db_url = global->db_urls.items[i] });
    if (work->setup.servers.count == 0)
        VEC_PUSH(
            ctx->arena, &work->setup.servers, (struct setup_server){ .db_url = global->db_url });
    for (size_t i = 0; i < work->setup.warnings.count; i++)
        log_warn("%s", work->setup.warnings.items[i]);
    if (!read_time(ctx, "--interval", opts->interval, &work->setup.interval_us) ||
        !read_time(ctx, "--duration", opts->duration, &work->daemon.duration_us) ||
        !check_ranges(ctx, opts, work->setup.interval_us, work->daemon.duration_us))
        return false;
    if (work->setup.interval_us <= 0)
        work->setup.interval_us = STANDARD_INTERVAL_US;
    return true;
}

static bool
read_store(struct ctx *ctx, struct work *work)
{
    const struct options *opts = work->run->options;

    work->daemon.view_schema = opts->schema;
    work->daemon.store_url = opts->store_url;
    if (opts->store && opts->store_url) {
        error_set(ctx, ERR_USAGE, "--store and --store-url name two databases for one store");
        return error_hint(ctx, "Leave out one of the two.");
    }
    if (!opts->store)
        return true;
    if (work->setup.servers.count > 1) {
        error_set(ctx, ERR_USAGE, "several servers are watched: which one is the store to be in?");
        return error_hint(ctx, "Name its database with --store-url.");
    }
    work->daemon.store_url = work->setup.servers.items[0].db_url;
    if (!work->daemon.store_url)
        work->daemon.store_url = ""; /* as libpq finds it */
    return true;
}

/* The first line of the file, which is its owner's alone. */
static bool
read_token(struct ctx *ctx, const char *path, const char **ret)
{
    const char *data;
    size_t length;
    struct stat facts;

    *ret = NULL;
    if (!path)
        return true;
    if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode) &&
        (facts.st_mode & (S_IRWXG | S_IRWXO))) {
        error_set(ctx, ERR_USAGE, "--token-file %s: others may read it", path);
        return error_hint(ctx, "chmod 600 %s", path);
    }
    if (!file_read(ctx, path, &data, &length))
        return error_wrap(ctx, "--token-file");
    *ret = arena_strndup(ctx->arena, data, strcspn(data, "\r\n"));
    if (!text_is_empty(*ret))
        return true;
    error_set(ctx, ERR_USAGE, "--token-file %s is empty", path);
    return error_hint(ctx, "Make one: (umask 077; openssl rand -hex 32 > %s)", path);
}

/* Where alerts outlive us. Of two monitors the second one would write over those of the first. */
static bool
take_state_folder(struct ctx *ctx, struct work *work)
{
    const char *state = work->run->global->state_dir;
    const char *folder = file_join(ctx->arena, state, "monitor");

    work->daemon.state_file = file_join(ctx->arena, state, CALM_FILE);
    return file_make_folder(ctx, folder) && single_take(ctx, folder, &work->single);
}

static bool
read_options(struct ctx *ctx, struct work *work)
{
    const struct options *opts = work->run->options;
    struct daemon_options *daemon = &work->daemon;

    if (!read_setup(ctx, work) || !read_store(ctx, work) || !read_intervals(ctx, opts, daemon) ||
        !read_token(ctx, opts->token_file, &daemon->serve.token))
        return false;
    if (opts->single_shot && opts->listen)
        return error_set(
            ctx, ERR_USAGE, "--single-shot is over before anybody could ask %s", opts->listen);
    daemon->setup = &work->setup;
    daemon->most_cost_ratio = opts->share;
    daemon->is_once = opts->single_shot;
    daemon->output_dir = opts->output_dir;
    daemon->output_bytes = opts->output_size;
    daemon->page_url = opts->page_url;
    daemon->allow_private = opts->allow_private;
    daemon->serve.listen = opts->listen;
    daemon->serve.hosts = opts->allow_host;
    daemon->serve.most_series = (int32_t)opts->most_series;
    return opts->single_shot || take_state_folder(ctx, work);
}

/* ---- what is said meanwhile ---- */

static void
show_tick(void *data, const struct monitor *monitor, const struct watched *server)
{
    struct work *work = data;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct alert **alerts;
    size_t firing = 0;
    size_t up = 0;

    if (!work->has_progress)
        return;
    for (size_t i = alerts_list(monitor->alerts, arena, &alerts); i > 0; i--)
        firing += alerts[i - 1]->state == ALERT_FIRING;
    for (size_t i = 0; i < monitor->servers.count; i++)
        up += monitor->servers.items[i]->is_up;
    progress_show(&work->progress, "monitor",
        arena_printf(arena, "%zu of %zu up, %zu alerts", up, monitor->servers.count, firing), -1,
        clock_wall_us() - monitor->started_wall_us, -1,
        server->is_up ? NULL : server->error.message);
}

static void
show_alert(void *data, const struct alert *alert)
{
    struct work *work = data;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    if (((const struct options *)work->run->options)->single_shot)
        return;
    if (work->has_progress)
        progress_end(&work->progress);
    if (work->run->global->json) {
        json_t *json CLEANUP(json_release) = alert_json(alert);

        fprintf(work->run->out, "%s\n", json_text(arena, json));
        fflush(work->run->out);
        return;
    }
    log_info("%s %s", clock_text(arena, clock_wall_us()), alert_line(arena, alert));
}

static void
tell_start(struct ctx *ctx, const struct work *work, const struct monitor *monitor)
{
    const struct options *opts = work->run->options;

    for (size_t i = 0; i < monitor->servers.count; i++)
        log_info("watching %s every %s", plain_text(ctx->arena, monitor->servers.items[i]->name),
            text_from_us(ctx->arena, work->setup.interval_us));
    if (monitor->server)
        log_info("the dashboard is http://%s/%s", http_server_address(monitor->server),
            work->daemon.serve.token ? "login" : "");
    if (opts->output_dir)
        log_info("every tick is a line in %s", opts->output_dir);
    log_info("Ctrl-C ends it");
}

/* ---- one look ---- */

static void
report(struct ctx *ctx, struct work *work, const struct monitor *monitor)
{
    for (size_t i = 0; i < monitor->servers.count; i++) {
        struct checkup checkup = { 0 };

        doctor_check(ctx->arena, monitor->servers.items[i], &checkup);
        work->health = checkup_worse(work->health, checkup.health);
        if (work->servers)
            json_array_append_new(work->servers, doctor_json(&checkup));
        else
            checkup_print(work->run->out, &checkup);
    }
    if (work->servers) {
        json_t *json CLEANUP(json_release) = json_pack("{s:O}", "servers", work->servers);

        out_json(work->run->out, json);
    } else {
        out_next(work->run->out, "pgmend monitor --listen 127.0.0.1:9187");
    }
    work->run->status = checkup_status(work->health);
}

static bool
watch_until_end(struct ctx *ctx, struct work *work)
{
    const struct options *opts = work->run->options;
    struct monitor *monitor CLEANUP(daemon_cleanup) = NULL;
    bool is_good;

    work->daemon.ticked = show_tick;
    work->daemon.heard = show_alert;
    work->daemon.data = work;
    if (!daemon_open(ctx, &work->daemon, &monitor))
        return false;
    progress_begin(&work->progress);
    work->has_progress = !opts->single_shot && work->progress.is_terminal &&
                         log_level() != LOG_QUIET && !work->run->global->json;
    if (!opts->single_shot)
        tell_start(ctx, work, monitor);
    is_good = daemon_run(ctx, monitor);
    progress_end(&work->progress);
    if (!is_good || !opts->single_shot)
        return is_good;
    if (interrupt_signal())
        return interrupt_error(ctx, interrupt_signal());
    report(ctx, work, monitor);
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct work work = { .run = run, .single.fd = -1 };
    bool is_good;
    json_t *servers CLEANUP(json_release) = NULL;

    if (opts->single_shot && run->global->json)
        servers = json_array();
    work.servers = servers;
    is_good = read_options(ctx, &work) && watch_until_end(ctx, &work);
    single_cleanup(&work.single);
    if (!is_good)
        return false;
    /* A signal is how it is meant to end. */
    (void)interrupt_take();
    return true;
}

const struct command cmd_monitor = {
    .path = "monitor",
    .summary = "watch servers, raise alerts, show the dashboard",
    .details =
        "Asks every server its statistics in one round trip a tick, on one connection, with time-outs "
        "of its own, and asks less often when it takes more than its share of the server. What the "
        "role may not see is named, and the rest goes on. Numbers are given to /metrics and the "
        "dashboard (--listen), to files (--output-dir), to tables (--store), and to the alert rules.\n\n"
        "Rules, thresholds, sinks (webhook, Slack, Telegram, mail, a program), routes and maintenance "
        "windows stand in the file of --setup; share/monitor.ini is an example. Facts of the host are "
        "read from /proc when the server runs on this machine, and are otherwise not known.\n\n"
        "--db-url may be given several times. A role with pg_monitor sees everything.",
    .access = ACCESS_NONE,
    .watches_many = true,
    .failure_status = COULD_NOT_LOOK,
    .failure_option = "--single-shot",
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend monitor --listen 127.0.0.1:9187\n"
                "pgmend monitor --single-shot\n"
                "pgmend monitor --setup monitor.ini --output-dir /var/log/pgmend\n"
                "pgmend monitor --interval 10 --store",
    .next = "pgmend doctor",
    .run = run,
};
