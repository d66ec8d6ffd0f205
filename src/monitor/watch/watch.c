/* The life of a watch: connecting, ticks on a grid of time, being down, trying again. */
#include "monitor/watch/watch.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "monitor/collect/derive.h"
#include "monitor/collect/text.h"
#include "monitor/plain.h"
#include "monitor/watch/watch_part.h"

enum {
    STATEMENT_TIMEOUT_US = 2000000,
    LOCK_TIMEOUT_US = 100000,
    LEAST_RETRY_US = 1000000,
    MOST_RETRY_US = 30000000,
    MOST_DOUBLINGS = 5,
    LEAST_CONNECT_US = 2000000,
    MOST_CONNECT_US = 10000000,
    SPREAD_US = 20000,
};

static const double most_cost_ratio = 0.01;

static void
copy_error(struct watch *watch, const struct error *error)
{
    struct arena *arena = watch->error_arena;
    struct error copy = *error;

    copy.message = arena_strdup(watch->flight_arena, error->message ? error->message : "");
    arena_reset(arena);
    copy.message = arena_strdup(arena, copy.message);
    copy.detail = NULL;
    copy.hint = error->hint ? arena_strdup(arena, error->hint) : NULL;
    copy.state = NULL;
    watch->server.error = copy;
}

void
watch_publish(struct watch *watch)
{
    struct watched *server = &watch->server;

    server->tick++;
    derive_samples(server);
    if (watch->options.is_once && (watch->ticks_answered == 2 || !server->is_up))
        watch->is_ended = true;
    if (watch->options.ticked)
        watch->options.ticked(watch->options.data);
}

/* Half to one and a half of what doubles each time: many watches do not come back at once. */
static int64_t
retry_wait(struct watch *watch)
{
    int32_t doublings = watch->retries < MOST_DOUBLINGS ? watch->retries : (int32_t)MOST_DOUBLINGS;
    int64_t wait = (int64_t)LEAST_RETRY_US << doublings;
    uint16_t random = 0;

    /* Not OpenSSL's, of which the first number costs two megabytes. */
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = UINT16_MAX;

    int64_t share = random % 1000;

    watch->retries++;
    wait = wait / 2 + wait * share / 1000;
    return wait < MOST_RETRY_US ? wait : (int64_t)MOST_RETRY_US;
}

static void
publish_down(struct watch *watch)
{
    struct watched *server = &watch->server;

    server->at_us = clock_us();
    server->at_wall_us = clock_wall_us();
    server->is_gap = false;
    server->gap = NULL;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        server->now[i].is_fresh = false;
    arena_reset(server->samples.arena);
    watch_publish(watch);
}

void
watch_went_down(struct watch *watch, const struct error *error)
{
    bool was_up = watch->server.is_up || watch->server.tick == 0;

    copy_error(watch, error);
    watch->server.is_up = false;
    watch->is_greeted = false;
    if (watch->server.down_since_wall_us == 0)
        watch->server.down_since_wall_us = clock_wall_us();
    evented_close(watch->evented);
    watch->evented = NULL;
    loop_timer_set(watch->connect_timer, retry_wait(watch));
    /* Later ones are told tick by tick. */
    if (was_up)
        publish_down(watch);
}

static void
lost(void *data, const struct error *error)
{
    watch_went_down(data, error);
}

static int64_t
time_to_next(const struct watch *watch)
{
    return watch->start_us + (watch->slot + 1) * watch->options.interval_us - clock_us();
}

/* A new session reads everything: what happened meanwhile is not known. */
static void
opened(void *data, const struct error *error)
{
    struct watch *watch = data;
    const char *database;

    if (error) {
        watch_went_down(watch, error);
        return;
    }
    database = evented_database(watch->evented);
    if (!text_equal(watch->server.database, database))
        watch->server.database = arena_strdup(watch->arena, database);
    watch->server.major = evented_major(watch->evented);
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        watch->slots[i].due_us = 0;
    watch->is_greeted = false;
    watch->session_ticks = 0;
    /* Two ticks right after each other would make rates of nothing. */
    if (watch->is_started &&
        (watch->ticks_answered == 0 || time_to_next(watch) > watch->options.interval_us / 4))
        watch_greet(watch);
}

static bool
begin_connecting(struct ctx *ctx, struct watch *watch)
{
    const struct watch_options *options = &watch->options;
    int64_t limit = options->interval_us;
    struct evented_events events = { .opened = opened, .lost = lost, .data = watch };

    if (limit < LEAST_CONNECT_US)
        limit = LEAST_CONNECT_US;
    if (limit > MOST_CONNECT_US)
        limit = MOST_CONNECT_US;

    struct db_options how = {
        .url = watch->server.setup->db_url,
        .application = "pgmend/monitor",
        .access = ACCESS_READ,
        .connect_timeout_us = limit,
        .statement_timeout_us = options->statement_timeout_us,
        .lock_timeout_us = options->lock_timeout_us,
    };

    return evented_open(ctx, watch->monitor->loop, &how, &events, &watch->evented);
}

static void
connect_now(void *data)
{
    struct watch *watch = data;
    struct ctx ctx = { .arena = watch->flight_arena };

    arena_reset(watch->flight_arena);
    if (!begin_connecting(&ctx, watch))
        watch_went_down(watch, &ctx.error);
}

/* At start + slot × interval, however late the one before was. */
static void
set_tick_timer(struct watch *watch)
{
    loop_timer_set(watch->tick_timer, time_to_next(watch));
}

/* To save the server: with intervals doubled twice, three ticks of four. */
static bool
is_left_out(const struct watch *watch)
{
    return watch->server.is_up && watch->slot % ((int64_t)1 << watch->cost.slowed) != 0;
}

static void
on_time(void *data)
{
    struct watch *watch = data;
    int64_t slot = (clock_us() - watch->start_us) / watch->options.interval_us;

    if (watch->is_ended)
        return;
    if (slot <= watch->slot) /* the timer was a little early */
        slot = watch->slot + 1;
    watch->server.missed += slot - watch->slot - 1;
    watch->slot = slot;
    set_tick_timer(watch);
    if (!watch->evented || !evented_is_open(watch->evented)) {
        if (watch->server.tick > 0)
            publish_down(watch);
    } else if (evented_is_busy(watch->evented) || is_left_out(watch)) {
        watch->server.missed++;
    } else if (!watch->is_greeted) {
        watch_greet(watch);
    } else {
        watch_tick(watch);
    }
}

static void
set_defaults(struct watch_options *options)
{
    if (options->statement_timeout_us == 0)
        options->statement_timeout_us = STATEMENT_TIMEOUT_US;
    if (options->lock_timeout_us == 0)
        options->lock_timeout_us = LOCK_TIMEOUT_US;
    if (options->most_cost_ratio <= 0)
        options->most_cost_ratio = most_cost_ratio;
}

static bool
is_taken(const struct monitor *monitor, const char *name)
{
    for (size_t i = 0; i < monitor->servers.count; i++)
        if (text_equal(monitor->servers.items[i]->name, name))
            return true;
    return false;
}

static void
name_server(struct watch *watch, const struct setup_server *setup)
{
    /* The name of a database is anybody's text. */
    const char *label =
        plain_text(watch->arena, setup->name ? setup->name : evented_label(watch->evented));

    watch->server.name = label;
    for (int number = 2; is_taken(watch->monitor, watch->server.name); number++)
        watch->server.name = arena_printf(watch->arena, "%s (%d)", label, number);
    watch->server.database = arena_strdup(watch->arena, evented_database(watch->evented));
}

bool
watch_new(struct ctx *ctx, struct monitor *monitor, const struct setup_server *setup,
    const struct watch_options *options, struct watch **ret)
{
    struct arena *arena = arena_new();
    struct watch *watch = ARENA_NEW(arena, struct watch);

    watch->arena = arena;
    watch->monitor = monitor;
    watch->options = *options;
    set_defaults(&watch->options);
    watch->cost.most_ratio = watch->options.most_cost_ratio;
    watch->flight_arena = arena_new();
    watch->error_arena = arena_new();
    watch->host_arenas[0] = arena_new();
    watch->host_arenas[1] = arena_new();
    watch->server.setup = setup;
    watch->server.samples.arena = arena_new();
    watch->server.texts = statement_texts_new(0);
    watch->tick_timer = loop_timer_new(monitor->loop, on_time, watch);
    watch->connect_timer = loop_timer_new(monitor->loop, connect_now, watch);
    if (!begin_connecting(ctx, watch)) {
        watch_free(watch);
        return false;
    }
    name_server(watch, setup);
    VEC_PUSH(monitor->ctx->arena, &monitor->watches, watch);
    VEC_PUSH(monitor->ctx->arena, &monitor->servers, &watch->server);
    *ret = watch;
    return true;
}

const struct watched *
watch_server(const struct watch *watch)
{
    return &watch->server;
}

/* The ticks of many watches are not at the same time: the server and we have few CPUs. */
void
watch_start(struct watch *watch)
{
    const struct monitor *monitor = watch->monitor;
    int64_t spread = watch->options.interval_us / (int64_t)monitor->watches.count;
    int64_t index = 0;

    while (monitor->watches.items[index] != watch)
        index++;
    if (spread > SPREAD_US)
        spread = SPREAD_US;
    watch->start_us = clock_us() + index * spread;
    watch->is_started = true;
    set_tick_timer(watch);
    if (watch->evented && evented_is_open(watch->evented))
        watch_greet(watch);
}

static void
leave(struct watch *watch)
{
    struct monitor *monitor = watch->monitor;

    for (size_t i = 0; i < monitor->watches.count; i++) {
        if (monitor->watches.items[i] != watch)
            continue;
        for (size_t j = i + 1; j < monitor->watches.count; j++) {
            monitor->watches.items[j - 1] = monitor->watches.items[j];
            monitor->servers.items[j - 1] = monitor->servers.items[j];
        }
        monitor->watches.count--;
        monitor->servers.count--;
        return;
    }
}

void
watch_free(struct watch *watch)
{
    if (!watch)
        return;
    leave(watch);
    evented_close(watch->evented);
    loop_timer_free(watch->tick_timer);
    loop_timer_free(watch->connect_timer);
    statement_texts_free(watch->server.texts);
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        arena_free(watch->server.now[i].arena);
        arena_free(watch->server.before[i].arena);
    }
    for (size_t i = 0; i < watch->asked_count; i++)
        arena_free(watch->asked_arenas[i]);
    for (size_t i = 0; i < watch->spare_arenas.count; i++)
        arena_free(watch->spare_arenas.items[i]);
    arena_free(watch->host_arenas[0]);
    arena_free(watch->host_arenas[1]);
    arena_free(watch->server.samples.arena);
    arena_free(watch->error_arena);
    arena_free(watch->flight_arena);
    free(watch->data_directory);
    arena_free(watch->arena);
}
