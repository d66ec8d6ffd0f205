/* Batches on their way into the tables, and what is done there between them. */
#include "monitor/store/store.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "monitor/store/store_part.h"

static const int64_t DAY_US = 86400000000;
static const int64_t USUAL_BATCH_US = 10000000;
static const int64_t FLIGHT_US = 60000000;
static const int64_t LOCK_US = 100000; /* what drops a partition must not make readers wait */
static const int64_t MINUTES_EVERY_US = 60000000;
static const int64_t PARTITIONS_EVERY_US = 1800000000;
static const int64_t LONGEST_PAUSE_US = 60000000;
static const size_t MOST_WAITING_BYTES = (size_t)8 << 20;
enum { DOWNSAMPLE_QUERIES = 4, REQUESTS_OF_ITEM = 6, MOST_REQUESTS = 50 };

/* What the flight that is under way is about. */
enum phase {
    PHASE_IDLE,
    PHASE_PARTITIONS, /* which are to be made or dropped */
    PHASE_CHANGES,    /* making and dropping them */
    PHASE_SERVERS,    /* ids of servers of the batch */
    PHASE_WRITE,
    PHASE_DOWNSAMPLE,
};

struct store {
    struct arena *arena;
    struct loop *loop;
    struct store_options options;
    struct loop_timer *timer;
    struct evented *session; /* NULL: not connected, and nobody tries */
    bool is_opening;
    enum phase phase;
    struct arena *flight; /* of requests and replies */
    VEC(struct store_server *) servers;
    VEC(struct store_server *) asked; /* of PHASE_SERVERS */
    VEC(struct store_item *) sent;    /* of PHASE_WRITE: the item of each request */
    size_t sent_until;                /* items of the batch up to which it goes */
    VEC(bool) is_drop;                /* of PHASE_CHANGES */
    struct store_batch *first;        /* waiting, the oldest first */
    struct store_batch *filling;
    int64_t partitions_us; /* clock_us() when they are to be looked at; 0: at once */
    int64_t downsample_us;
    int64_t pause_us; /* after a failure */
    int64_t dropped;
    bool is_closing;
    char error[400];
};

static void step(struct store *store);

static void
free_batch(struct store_batch *batch)
{
    if (batch)
        arena_free(batch->arena);
}

/* The tables are not there any more, as after "pgmend uninstall". */
static bool
is_removed(const struct error *error)
{
    return text_equal(error->sqlstate, "42P01") || text_equal(error->sqlstate, "3F000");
}

static void
set_error(struct store *store, const struct error *error)
{
    if (is_removed(error)) {
        snprintf(store->error, sizeof(store->error),
            "its tables were removed, as pgmend uninstall does (%s): nothing is kept any more. Start "
            "the monitor again to have them made anew, or without --store",
            error->message ? error->message : "");
        return;
    }
    snprintf(store->error, sizeof(store->error), "%s%s%s", error->message ? error->message : "",
        error->hint ? " " : "", error->hint ? error->hint : "");
}

static void
disconnect(struct store *store)
{
    struct evented *session = store->session;

    store->session = NULL;
    store->is_opening = false;
    store->phase = PHASE_IDLE;
    if (session)
        evented_close(session);
}

/* The store may be another now, or have slept for long. */
static void
know_nothing(struct store *store)
{
    for (size_t i = 0; i < store->servers.count; i++) {
        store->servers.items[i]->id = 0;
        id_set_clear(&store->servers.items[i]->texts);
    }
    store->partitions_us = 0;
}

static void
drop_waiting(struct store *store)
{
    for (struct store_batch *next; store->first; store->first = next) {
        next = store->first->next;
        store->dropped += (int64_t)(store->first->items.count - store->first->written);
        free_batch(store->first);
    }
}

/*
 * Tries again later, each time later. Tables that somebody removed are not made behind his back: what
 * waits for them is dropped, and it goes on when they are there again.
 */
static void
pause_after(struct store *store, const struct error *error)
{
    set_error(store, error);
    if (is_removed(error)) {
        drop_waiting(store);
        know_nothing(store);
    }
    if (store->session && !evented_is_open(store->session))
        disconnect(store);
    store->phase = PHASE_IDLE;
    store->pause_us = store->pause_us > 0 ? store->pause_us * 2 : store->options.batch_us / 4;
    if (store->pause_us > LONGEST_PAUSE_US)
        store->pause_us = LONGEST_PAUSE_US;
    loop_timer_set(store->timer, store->pause_us);
}

static void
opened(void *data, const struct error *error)
{
    struct store *store = data;

    store->is_opening = false;
    if (error) {
        pause_after(store, error);
        return;
    }
    know_nothing(store);
    step(store);
}

static void
lost(void *data, const struct error *error)
{
    pause_after(data, error);
}

static struct db_options
session_options(const struct store *store)
{
    return (struct db_options){ .url = store->options.db_url,
        .application = "pgmend/monitor store",
        .access = ACCESS_WRITE,
        .statement_timeout_us = FLIGHT_US,
        .lock_timeout_us = LOCK_US };
}

static void
connect_session(struct store *store)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const struct db_options options = session_options(store);
    const struct evented_events events = { .opened = opened, .lost = lost, .data = store };

    store->is_opening = true;
    if (evented_open(&ctx, store->loop, &options, &events, &store->session))
        return;
    store->is_opening = false;
    store->session = NULL;
    pause_after(store, &ctx.error);
}

/* Data that will never be taken; all else may be well later. */
static bool
is_bad_data(const struct error *error)
{
    return text_starts_with(error->sqlstate, "22") || text_starts_with(error->sqlstate, "54") ||
           (text_starts_with(error->sqlstate, "23") && !text_equal(error->sqlstate, "23514"));
}

static const struct error *
first_failure(const struct evented_reply *replies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!replies[i].is_good && !is_bad_data(&replies[i].error))
            return &replies[i].error;
    return NULL;
}

static void
went_well(struct store *store)
{
    store->phase = PHASE_IDLE;
    store->pause_us = 0;
    step(store);
}

static void
send(struct store *store, enum phase phase, const struct evented_request *requests, size_t count,
    evented_done *done)
{
    store->phase = phase;
    evented_send(store->session, requests, count, FLIGHT_US, store->flight, done, store);
}

/* One that is being read stays until the next look; what cannot be made is told. */
static void
changed(void *data, struct evented_reply *replies, size_t count)
{
    struct store *store = data;
    bool has_dropped_all = true;

    for (size_t i = 0; i < count; i++) {
        if (replies[i].is_good)
            continue;
        if (!store->is_drop.items[i] || replies[i].error.kind == ERR_CONNECTION) {
            pause_after(store, &replies[i].error);
            return;
        }
        has_dropped_all = false;
    }
    store->partitions_us = clock_us() + (has_dropped_all ? PARTITIONS_EVERY_US : MINUTES_EVERY_US);
    went_well(store);
}

static void
change_partitions(
    struct store *store, const struct sql_monitor_store_partitions *items, size_t count)
{
    VEC(struct evented_request) requests = { 0 };

    store->is_drop.items = NULL;
    store->is_drop.count = store->is_drop.capacity = 0;
    for (size_t i = 0; i < count; i++) {
        VEC_PUSH(store->flight, &requests,
            (struct evented_request){ .sql = store_partition_sql(store->flight, &items[i]) });
        VEC_PUSH(store->flight, &store->is_drop, items[i].is_expired);
    }
    send(store, PHASE_CHANGES, requests.items, requests.count, changed);
}

static void
looked_at_partitions(void *data, struct evented_reply *replies, size_t count)
{
    struct store *store = data;
    const struct error *failure = first_failure(replies, count);

    if (failure) {
        pause_after(store, failure);
        return;
    }
    if (replies[0].rows.count > 0) {
        change_partitions(store, replies[0].rows.items, replies[0].rows.count);
        return;
    }
    store->partitions_us = clock_us() + PARTITIONS_EVERY_US;
    went_well(store);
}

static void
look_at_partitions(struct store *store)
{
    struct sql_monitor_store_partitions_args *args =
        ARENA_NEW(store->flight, struct sql_monitor_store_partitions_args);
    struct sql_monitor_store_forget_args *forget =
        ARENA_NEW(store->flight, struct sql_monitor_store_forget_args);

    args->keep_raw_us = store->options.keep_raw_us;
    args->keep_minutes_us = store->options.keep_minutes_us;
    args->keep_hours_us = store->options.keep_hours_us;
    forget->keep_hours_us = store->options.keep_hours_us;

    const struct evented_request requests[] = {
        { .query = &query_monitor_store_partitions, .args = args },
        { .query = &query_monitor_store_forget, .args = forget },
    };

    send(store, PHASE_PARTITIONS, requests, COUNT_OF(requests), looked_at_partitions);
}

static void
took_servers(void *data, struct evented_reply *replies, size_t count)
{
    struct store *store = data;
    const struct error *failure = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!replies[i].is_good)
            failure = &replies[i].error;
        else if (replies[i].rows.count == 1)
            store->asked.items[i]->id =
                ((const struct sql_monitor_store_put_server *)replies[i].rows.items)->id;
    }
    if (failure)
        pause_after(store, failure);
    else
        went_well(store);
}

/* False: the ids of all servers of the batch are known. */
static bool
ask_servers(struct store *store, const struct store_batch *batch)
{
    VEC(struct evented_request) requests = { 0 };

    store->asked.items = NULL;
    store->asked.count = store->asked.capacity = 0;
    for (size_t i = 0; i < store->servers.count; i++) {
        struct store_server *server = store->servers.items[i];
        struct sql_monitor_store_put_server_args *args;
        bool is_needed = false;

        for (size_t j = 0; server->id == 0 && j < batch->items.count && !is_needed; j++)
            is_needed = batch->items.items[j].server == server;
        if (!is_needed)
            continue;
        args = ARENA_NEW(store->flight, struct sql_monitor_store_put_server_args);
        args->name = server->name;
        VEC_PUSH(store->flight, &requests,
            (struct evented_request){ .query = &query_monitor_store_put_server, .args = args });
        VEC_PUSH(store->flight, &store->asked, server);
    }
    if (requests.count == 0)
        return false;
    send(store, PHASE_SERVERS, requests.items, requests.count, took_servers);
    return true;
}

/* A tick counts once, however much of it was refused. */
static void
count_refused(struct store *store, const struct evented_reply *replies, size_t count)
{
    const struct store_item *last = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct store_item *item = store->sent.items[i];
        bool is_refused = !replies[i].is_good;

        /* store_put_sample and store_put_statements have the same column. */
        if (replies[i].is_good && replies[i].rows.count == 1)
            is_refused =
                ((const struct sql_monitor_store_put_sample *)replies[i].rows.items)->refused > 0;
        if (!is_refused)
            continue;
        if (!replies[i].is_good)
            set_error(store, &replies[i].error);
        else
            snprintf(store->error, sizeof(store->error),
                "a tick of %s was refused: its time is not the store's by a day or more",
                item->server->name);
        store->dropped += item != last;
        last = item;
    }
}

static void
wrote(void *data, struct evented_reply *replies, size_t count)
{
    struct store *store = data;
    const struct error *failure = first_failure(replies, count);
    struct store_batch *batch = store->first;

    if (failure) {
        /* A partition is missing: the store's clock went on by days. */
        if (text_equal(failure->sqlstate, "23514"))
            store->partitions_us = 0;
        /* A server was forgotten, say by "pgmend uninstall": it is asked again. */
        for (size_t i = 0; i < store->servers.count; i++)
            store->servers.items[i]->id = 0;
        pause_after(store, failure);
        return;
    }
    store->error[0] = '\0';
    count_refused(store, replies, count);
    batch->written = store->sent_until;
    if (batch->written == batch->items.count) {
        store->first = batch->next;
        free_batch(batch);
    }
    went_well(store);
}

static void
write_batch(struct store *store, struct store_batch *batch)
{
    VEC(struct evented_request) requests = { 0 };

    store->sent.items = NULL;
    store->sent.count = store->sent.capacity = 0;
    store->sent_until = batch->written;
    while (store->sent_until < batch->items.count && requests.count < MOST_REQUESTS) {
        struct store_item *item = &batch->items.items[store->sent_until++];
        const struct evented_request all[REQUESTS_OF_ITEM] = {
            { .query = &query_monitor_store_put_sample, .args = &item->samples },
            { .query = &query_monitor_store_put_texts, .args = &item->texts },
            { .query = &query_monitor_store_put_statements, .args = &item->statements },
            { .query = &query_monitor_store_put_sessions, .args = &item->sessions },
            { .query = &query_monitor_store_put_relations, .args = &item->tables },
            { .query = &query_monitor_store_put_relations, .args = &item->indexes },
        };
        const bool has[REQUESTS_OF_ITEM] = { item->has_samples, item->has_texts,
            item->has_statements, item->has_sessions, item->has_tables, item->has_indexes };

        item->samples.server = item->texts.server = item->server->id;
        item->statements.server = item->sessions.server = item->server->id;
        item->tables.server = item->indexes.server = item->server->id;
        for (size_t j = 0; j < REQUESTS_OF_ITEM; j++) {
            if (!has[j])
                continue;
            VEC_PUSH(store->flight, &requests, all[j]);
            VEC_PUSH(store->flight, &store->sent, item);
        }
    }
    if (requests.count > 0) {
        send(store, PHASE_WRITE, requests.items, requests.count, wrote);
        return;
    }
    store->first = batch->next;
    free_batch(batch);
    went_well(store);
}

static void
downsampled(void *data, struct evented_reply *replies, size_t count)
{
    struct store *store = data;
    const struct error *failure = first_failure(replies, count);
    int64_t made = 0;

    if (failure) {
        /* Writing goes on: only the next try waits. */
        set_error(store, failure);
        if (!evented_is_open(store->session)) {
            pause_after(store, failure);
            return;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (replies[i].is_good && replies[i].rows.count == 1)
            made += ((const struct sql_monitor_store_minute_samples *)replies[i].rows.items)->made;
    /* Each does a bounded piece; what is left is done with the next batch. */
    store->downsample_us =
        clock_us() +
        (made > (int64_t)store->servers.count * DOWNSAMPLE_QUERIES ? 0 : MINUTES_EVERY_US);
    store->phase = PHASE_IDLE;
    loop_timer_set(store->timer, store->options.batch_us);
}

static void
downsample(struct store *store)
{
    static const struct evented_request requests[DOWNSAMPLE_QUERIES] = {
        { .query = &query_monitor_store_minute_samples },
        { .query = &query_monitor_store_minute_statements },
        { .query = &query_monitor_store_hour_samples },
        { .query = &query_monitor_store_hour_statements },
    };

    send(store, PHASE_DOWNSAMPLE, requests, COUNT_OF(requests), downsampled);
}

/* What has been filled waits to be written; the oldest goes when that is too much. */
static void
queue(struct store *store)
{
    struct store_batch **last = &store->first;
    size_t bytes = 0;

    while (*last)
        last = &(*last)->next;
    *last = store->filling;
    store->filling = NULL;
    for (const struct store_batch *batch = store->first; batch; batch = batch->next)
        bytes += arena_used(batch->arena);
    while (bytes > MOST_WAITING_BYTES && store->first && store->phase != PHASE_WRITE) {
        struct store_batch *oldest = store->first;

        bytes -= arena_used(oldest->arena);
        store->dropped += (int64_t)(oldest->items.count - oldest->written);
        store->first = oldest->next;
        free_batch(oldest);
    }
}

/* The next thing to be done, or the timer. */
static void
step(struct store *store)
{
    if (store->phase != PHASE_IDLE || store->is_opening)
        return;
    if (!store->session) {
        connect_session(store);
        return;
    }
    arena_reset(store->flight);
    if (store->is_closing && !store->first) {
        loop_stop(store->loop);
        return;
    }
    if (clock_us() >= store->partitions_us) {
        look_at_partitions(store);
        return;
    }
    if (store->first) {
        if (!ask_servers(store, store->first))
            write_batch(store, store->first);
        return;
    }
    if (clock_us() >= store->downsample_us) {
        downsample(store);
        return;
    }
    loop_timer_set(store->timer, store->options.batch_us);
}

static void
due(void *data)
{
    struct store *store = data;

    if (store->filling)
        queue(store);
    step(store);
}

static struct store_server *
get_server(struct store *store, const char *name)
{
    struct store_server *server;

    for (size_t i = 0; i < store->servers.count; i++)
        if (text_equal(store->servers.items[i]->name, name))
            return store->servers.items[i];
    server = ARENA_NEW(store->arena, struct store_server);
    server->name = arena_strdup(store->arena, name);
    VEC_PUSH(store->arena, &store->servers, server);
    return server;
}

void
store_tick(struct store *store, const struct watched *watched)
{
    struct store_batch *batch = store->filling;
    struct store_item item;

    if (!batch) {
        struct arena *arena = arena_new();

        batch = store->filling = ARENA_NEW(arena, struct store_batch);
        batch->arena = arena;
    }
    store_item_fill(batch->arena, watched, get_server(store, watched->name), &item);
    VEC_PUSH(batch->arena, &batch->items, item);
    /* Nothing fires while a failure is waited out, but the bound holds. */
    if (arena_used(batch->arena) > MOST_WAITING_BYTES / 4)
        queue(store);
}

const char *
store_error(const struct store *store)
{
    return store->error[0] ? store->error : NULL;
}

int64_t
store_dropped(const struct store *store)
{
    return store->dropped;
}

static void
set_usual(struct store_options *options)
{
    if (!options->view_schema)
        options->view_schema = "public";
    if (options->keep_raw_us <= 0)
        options->keep_raw_us = 2 * DAY_US;
    if (options->keep_minutes_us <= 0)
        options->keep_minutes_us = 14 * DAY_US;
    if (options->keep_hours_us <= 0)
        options->keep_hours_us = 400 * DAY_US;
    if (options->batch_us <= 0)
        options->batch_us = USUAL_BATCH_US;
}

bool
store_begin(
    struct ctx *ctx, struct loop *loop, const struct store_options *options, struct store **ret)
{
    struct arena *arena = arena_new();
    struct store *store = ARENA_NEW(arena, struct store);
    struct db *db CLEANUP(db_cleanup) = NULL;

    *ret = NULL;
    store->arena = arena;
    store->loop = loop;
    store->options = *options;
    set_usual(&store->options);
    /* "" is, as NULL, the place that libpq and the environment name. */
    store->options.db_url =
        text_is_empty(options->db_url) ? NULL : arena_strdup(arena, options->db_url);
    store->options.view_schema = arena_strdup(arena, store->options.view_schema);

    const struct db_options how = session_options(store);

    if (!db_open(ctx, &how, &db) || !store_install(ctx, db, &store->options)) {
        arena_free(arena);
        return false;
    }
    store->flight = arena_new();
    store->timer = loop_timer_new(loop, due, store);
    loop_timer_set(store->timer, 0);
    *ret = store;
    return true;
}

static void
give_up(void *data)
{
    struct store *store = data;

    loop_stop(store->loop);
}

void
store_end(struct store *store, int64_t wait_us)
{
    if (!store)
        return;
    if (store->filling)
        queue(store);
    if (store->first && wait_us > 0) {
        struct loop_timer *limit = loop_timer_new(store->loop, give_up, store);
        int signal = interrupt_take();

        store->is_closing = true;
        loop_timer_set(limit, wait_us);
        if (store->phase == PHASE_IDLE && !store->is_opening)
            loop_timer_set(store->timer, 0);
        loop_run(store->loop);
        loop_timer_free(limit);
        if (signal)
            interrupt_put(signal);
    }
    drop_waiting(store);
    free_batch(store->filling);
    disconnect(store);
    loop_timer_free(store->timer);
    for (size_t i = 0; i < store->servers.count; i++)
        arena_free(store->servers.items[i]->texts.arena);
    arena_free(store->flight);
    arena_free(store->arena);
}
