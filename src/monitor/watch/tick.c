/* One tick: what is due is asked in one flight; then what came is compared, counted and shown. */
#include <malloc.h>
#include <math.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "monitor/collect/derive.h"
#include "monitor/collect/text.h"
#include "monitor/watch/watch_part.h"
#include "sql.h"

enum { LARGE_ROWS = 1000 };

static int64_t
flight_limit(const struct watch *watch)
{
    int64_t least = 2 * watch->options.statement_timeout_us;

    return watch->options.interval_us > least ? watch->options.interval_us : least;
}

static const struct reading *
good(const struct watch *watch, enum collector_id id)
{
    const struct reading *reading = &watch->server.now[id];

    return reading->is_good && reading->rows.count > 0 ? reading : NULL;
}

/*
 * Of the watches of one server the first one, which asks what is the same in all its databases and
 * looks at the machine.
 */
static const struct watch *
leader_of(const struct watch *watch)
{
    for (size_t i = 0; i < watch->monitor->watches.count; i++) {
        const struct watch *other = watch->monitor->watches.items[i];

        if (other == watch)
            break;
        /* The same microsecond: the time is printed and read again. */
        if (other->is_greeted && other->started_epoch > 0 &&
            fabs(other->started_epoch - watch->started_epoch) < 1e-5 &&
            text_equal(other->system_identifier, watch->system_identifier))
            return other;
    }
    return watch;
}

static bool
is_due(const struct watch *watch, enum collector_id id, bool is_leader, int64_t now)
{
    if (collectors[id].is_of_cluster && !is_leader)
        return false;
    if (id == COLLECT_SERVER || watch->options.is_once)
        return true;
    /* Half a tick early is better than half a tick late. */
    return now + watch->options.interval_us / 2 >= watch->slots[id].due_us;
}

static void
ask(struct watch *watch, struct evented_request *requests, enum collector_id id)
{
    struct arena *arena = watch_take_arena(watch);

    requests[watch->asked_count] = (struct evented_request){
        .query = collectors[id].query,
        .args = collector_args(watch->flight_arena, id, 0),
        .arena = arena,
    };
    watch->asked[watch->asked_count] = id;
    watch->asked_arenas[watch->asked_count] = arena;
    watch->asked_count++;
}

/*
 * In the collectors' order: the server first, which puts the session's search_path right, and
 * statements right after what says where they are.
 */
static size_t
choose(struct watch *watch, struct evented_request *requests)
{
    bool is_leader = leader_of(watch) == watch;
    int64_t now = clock_us();

    watch->asked_count = 0;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        enum collector_id id = (enum collector_id)i;
        bool is_wanted = is_due(watch, id, is_leader, now);

        if (id == COLLECT_STATEMENTS_INFO)
            is_wanted = is_wanted || is_due(watch, COLLECT_STATEMENT, is_leader, now);
        if (is_wanted)
            ask(watch, requests, id);
    }
    watch->text_args =
        is_leader ? statement_texts_wanted(watch->server.texts, watch->flight_arena, &watch->server)
                  : NULL;
    if (!watch->text_args)
        return watch->asked_count;
    requests[watch->asked_count] = (struct evented_request){
        .query = &query_monitor_statement_text,
        .args = watch->text_args,
    };
    return watch->asked_count + 1;
}

static double
own_database_reset(const struct watch *watch)
{
    const struct reading *reading = good(watch, COLLECT_DATABASE);
    const struct sql_monitor_database *rows = reading ? reading->rows.items : NULL;

    for (size_t i = 0; reading && i < reading->rows.count; i++)
        if (text_equal(rows[i].datname, watch->server.database))
            return rows[i].stats_reset;
    return NAN;
}

static void
mark_server(struct gap_marks *marks, const struct sql_monitor_server *row)
{
    marks->is_known = true;
    snprintf(marks->system_identifier, sizeof(marks->system_identifier), "%s",
        row->system_identifier ? row->system_identifier : "");
    marks->timeline = row->timeline;
    marks->in_recovery = row->in_recovery;
    marks->started = row->started_epoch;
}

static void
mark(struct watch *watch, struct gap_marks *marks)
{
    const struct reading *server = good(watch, COLLECT_SERVER);
    const struct reading *checkpoint = good(watch, COLLECT_CHECKPOINT);
    const struct reading *info = good(watch, COLLECT_STATEMENTS_INFO);

    *marks = (struct gap_marks){
        .checkpoint_reset = NAN,
        .statement_reset = NAN,
        .database_reset = own_database_reset(watch),
        .at_us = watch->sent_us,
        .at_wall_us = watch->sent_wall_us,
    };
    if (server)
        mark_server(marks, server->rows.items);
    if (checkpoint)
        marks->checkpoint_reset =
            ((const struct sql_monitor_checkpoint *)checkpoint->rows.items)->stats_reset;
    if (info)
        marks->statement_reset =
            ((const struct sql_monitor_statements_info *)info->rows.items)->stats_reset;
}

static void
look_for_gap(struct watch *watch)
{
    struct gap_marks marks;
    const char *why;
    unsigned scope;

    mark(watch, &marks);
    scope = gap_between(watch->server.samples.arena, &watch->marks, &marks, &why);
    watch->server.is_gap = scope & GAP_ALL;
    watch->server.gap = why;
    if (scope != GAP_NONE) {
        log_debug("%s: %s", watch->server.name, why);
        watch_cut(watch, scope);
    }
    if (marks.is_known)
        watch->marks = marks;
}

static void
look_at_host(struct watch *watch)
{
    struct host_question question = {
        .mode = watch->server.setup->host,
        .host = evented_host(watch->evented),
        .backend_pid = evented_backend_pid(watch->evented),
        .data_directory = watch->data_directory,
        .root = watch->server.setup->host_root,
    };
    struct arena *arena = watch->host_arenas[0];

    watch->host_arenas[0] = watch->host_arenas[1];
    watch->host_arenas[1] = arena;
    arena_reset(arena);
    watch->server.host_before = watch->server.host_now;
    watch->server.host_now = (struct host_facts){ 0 };
    if (leader_of(watch) == watch)
        host_read(arena, &question, &watch->server.host_now);
}

static void
count_cost(struct watch *watch, const struct evented_reply *replies, size_t count, int64_t since)
{
    struct watched *server = &watch->server;
    bool is_local = leader_of(watch)->server.host_now.is_known;
    /* The machine may be seen below another root, but its processes have other numbers there. */
    int pid = is_local && !server->setup->host_root ? evented_backend_pid(watch->evented) : 0;
    int64_t wall = since ? watch->sent_us - since : watch->options.interval_us;

    /* The first tick plans and reads everything, perhaps while many others do: its time is no bound. */
    if (watch->session_ticks == 0 && pid == 0)
        return;
    if (cost_note(&watch->cost, replies, count, wall, pid))
        log_debug("%s: intervals are doubled %d times now", server->name, watch->cost.slowed);
    server->cost_ratio = cost_ratio(&watch->cost);
    server->slowed = watch->cost.slowed;
}

static void
give_back(struct watch *watch)
{
    for (size_t i = 0; i < watch->asked_count; i++)
        watch_give_arena(watch, watch->asked_arenas[i]);
    watch->asked_count = 0;
    watch->text_args = NULL;
}

/* Why the session is of no use any more. */
static const struct error *
first_error(const struct evented_reply *replies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!replies[i].is_good &&
            (replies[i].error.kind == ERR_CONNECTION || replies[i].error.kind == ERR_TIMEOUT))
            return &replies[i].error;
    return &replies[count - 1].error;
}

/* Whether what libpq held of the answers was megabytes, that nobody needs until the next of this size. */
static bool
is_large(const struct evented_reply *replies, size_t count)
{
    size_t rows = 0;

    for (size_t i = 0; i < count; i++)
        rows += replies[i].rows.count;
    return rows > LARGE_ROWS;
}

static void
answered(void *data, struct evented_reply *replies, size_t count)
{
    struct watch *watch = data;
    struct watched *server = &watch->server;
    int64_t since = server->is_up ? server->at_us : 0;

    if (!evented_is_open(watch->evented)) {
        watch_went_down(watch, first_error(replies, count));
        give_back(watch);
        return;
    }
    watch->retries = 0;
    server->is_up = true;
    server->error = (struct error){ 0 };
    server->down_since_wall_us = 0;
    server->at_us = watch->sent_us;
    server->at_wall_us = watch->sent_wall_us;
    arena_reset(server->samples.arena);
    look_at_host(watch);
    count_cost(watch, replies, count, since);
    watch_absorb(watch, replies);
    if (leader_of(watch) != watch)
        watch_forget_cluster(watch);
    look_for_gap(watch);
    watch->ticks_answered++;
    watch->session_ticks++;
    watch_publish(watch);
    if (is_large(replies, count))
        malloc_trim(0);
}

void
watch_tick(struct watch *watch)
{
    struct evented_request requests[COLLECTOR_COUNT + 1];

    arena_reset(watch->flight_arena);

    size_t count = choose(watch, requests);

    watch->sent_us = clock_us();
    watch->sent_wall_us = clock_wall_us();
    evented_send(
        watch->evented, requests, count, flight_limit(watch), watch->flight_arena, answered, watch);
}

static void
greeted(void *data, struct evented_reply *replies, size_t count)
{
    struct watch *watch = data;

    if (!evented_is_open(watch->evented)) {
        watch_went_down(watch, first_error(replies, count));
        return;
    }
    if (replies[0].is_good && replies[0].rows.count == 1) {
        const struct sql_monitor_server *row = replies[0].rows.items;

        snprintf(watch->system_identifier, sizeof(watch->system_identifier), "%s",
            row->system_identifier ? row->system_identifier : "");
        watch->started_epoch = row->started_epoch;
        free(watch->data_directory);
        watch->data_directory = row->data_directory ? memory_text(row->data_directory) : NULL;
    }
    watch->is_greeted = true;
    watch_tick(watch);
}

void
watch_greet(struct watch *watch)
{
    const struct evented_request request = { .query = collectors[COLLECT_SERVER].query };

    arena_reset(watch->flight_arena);
    evented_send(
        watch->evented, &request, 1, flight_limit(watch), watch->flight_arena, greeted, watch);
}
