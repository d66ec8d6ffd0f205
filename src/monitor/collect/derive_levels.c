/* What follows from the last readings alone. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "monitor/collect/derive_part.h"
#include "sql.h"

static const char *const no_labels[] = { NULL };

/* Without rights other roles' sessions look idle: then what was not seen is not known to be absent. */
static bool
sees_sessions(const struct watched *server)
{
    size_t count;
    const struct sql_monitor_server *row = derive_rows(server, COLLECT_SERVER, &count);

    return count == 1 && row->sees_all_stats;
}

static void
add_connections(struct watched *server)
{
    static const char *const names[] = { "version", "short_version", NULL };
    size_t count;
    const struct sql_monitor_server *row = derive_rows(server, COLLECT_SERVER, &count);

    if (count != 1)
        return;

    const char *labels[] = { row->version, row->version };
    double room = row->max_connections - row->reserved_connections;

    derive_add(server, DERIVED_STATIC, names, labels, 1);
    if (room > 0)
        derive_add(server, DERIVED_CONNECTIONS_USED, no_labels, NULL, row->connections / room);
}

static bool
is_client(const char *backend_type)
{
    return text_is_empty(backend_type) || strcmp(backend_type, "client backend") == 0;
}

static void
add_states(struct watched *server)
{
    static const char *const names[] = { "state", NULL };
    static const char *const states[] = { "active", "idle", "idle in transaction",
        "idle in transaction (aborted)" };
    size_t count;
    const struct sql_monitor_activity *rows = derive_rows(server, COLLECT_ACTIVITY, &count);

    if (!server->now[COLLECT_ACTIVITY].is_good || !sees_sessions(server))
        return;
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        int64_t sessions = 0;

        for (size_t j = 0; j < count; j++)
            if (is_client(rows[j].backend_type) && strcmp(rows[j].state, states[i]) == 0)
                sessions += rows[j].count;
        derive_add(server, DERIVED_SESSIONS, names, &states[i], (double)sessions);
    }
}

struct ages {
    double transaction;
    double idle;
    double statement;
    double slow; /* a second: statements over a second, see below */
    int32_t blocked;
};

/*
 * A statement that is seen when it has run for t seconds takes 2 t on average; each session that always
 * runs such ones ends 1 / 2 t a second of them. 1 / t is the cautious side: it fades as one grows old.
 */
static void
look_at_session(const struct sql_monitor_session *row, struct ages *ages)
{
    ages->blocked += !text_is_empty(row->blocked_by);
    if (!is_client(row->backend_type))
        return;
    if (row->xact_seconds > ages->transaction)
        ages->transaction = row->xact_seconds;
    if (row->state && text_starts_with(row->state, "idle in transaction") &&
        row->state_seconds > ages->idle)
        ages->idle = row->state_seconds;
    if (row->query_seconds > ages->statement)
        ages->statement = row->query_seconds;
    if (row->query_seconds >= 1)
        ages->slow += 1 / row->query_seconds;
}

static void
add_if_known(struct watched *server, enum derived_id id, double value)
{
    if (value > 0 || sees_sessions(server))
        derive_add(server, id, no_labels, NULL, value);
}

static double
add_sessions(struct watched *server)
{
    struct ages ages = { 0 };
    size_t count;
    const struct sql_monitor_session *rows = derive_rows(server, COLLECT_SESSION, &count);

    if (!server->now[COLLECT_SESSION].is_good)
        return NAN;
    for (size_t i = 0; i < count; i++)
        look_at_session(&rows[i], &ages);
    add_if_known(server, DERIVED_BLOCKED, ages.blocked);
    add_if_known(server, DERIVED_LONGEST_TRANSACTION, ages.transaction);
    add_if_known(server, DERIVED_IDLE_IN_TRANSACTION, ages.idle);
    add_if_known(server, DERIVED_LONGEST_STATEMENT, ages.statement);
    return ages.slow > 0 || sees_sessions(server) ? ages.slow : NAN;
}

static int
by_mean(const void *left, const void *right)
{
    double a = ((const struct statement_rate *)left)->mean_seconds;
    double b = ((const struct statement_rate *)right)->mean_seconds;

    return a < b ? -1 : a > b;
}

static void
add_statement_totals(struct watched *server, const struct statement_rates *rates, double slow)
{
    double calls = 0, seconds = 0, slow_calls = 0, below = 0;

    for (size_t i = 0; i < rates->count; i++) {
        calls += (double)rates->items[i].calls;
        seconds += rates->items[i].seconds;
        if (rates->items[i].mean_seconds >= 1)
            slow_calls += (double)rates->items[i].calls;
    }
    if (rates->span_s > 0) {
        derive_add(server, DERIVED_STATEMENTS, no_labels, NULL, calls / rates->span_s);
        derive_add(server, DERIVED_STATEMENT_LOAD, no_labels, NULL, seconds / rates->span_s);
        slow = fmax(slow, slow_calls / rates->span_s);
    }
    derive_add(server, DERIVED_SLOW_STATEMENTS, no_labels, NULL, slow);
    if (calls <= 0)
        return;
    derive_add(server, DERIVED_STATEMENT_MEAN, no_labels, NULL, seconds / calls);
    qsort(rates->items, rates->count, sizeof(rates->items[0]), by_mean);
    for (size_t i = 0; i < rates->count; i++) {
        below += (double)rates->items[i].calls;
        if (below >= 0.95 * calls) {
            derive_add(
                server, DERIVED_STATEMENT_P95, no_labels, NULL, rates->items[i].mean_seconds);
            return;
        }
    }
}

static void
add_indexes(struct watched *server)
{
    size_t count;
    const struct sql_monitor_index_state *rows = derive_rows(server, COLLECT_INDEX_STATE, &count);
    size_t invalid = 0;

    if (!server->now[COLLECT_INDEX_STATE].is_good)
        return;
    for (size_t i = 0; i < count; i++)
        invalid += !rows[i].is_building;
    derive_add(server, DERIVED_INVALID_INDEXES, no_labels, NULL, (double)invalid);
}

static void
add_progress(struct watched *server)
{
    static const char *const names[] = { "datname", "command", "relation", "object", NULL };
    size_t count;
    const struct sql_monitor_progress *rows = derive_rows(server, COLLECT_PROGRESS, &count);

    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_progress *row = &rows[i];
        const char *labels[] = { row->datname, row->command, row->relation, row->object };

        if (row->total > 0 && strcmp(row->unit, "lockers") != 0)
            derive_add(
                server, DERIVED_BUILD_PROGRESS, names, labels, fmin(row->done / row->total, 1));
    }
}

/* The tables with the most dead rows; those below a tenth are no news. */
static void
add_dead_rows(struct watched *server)
{
    static const char *const names[] = { "datname", "schemaname", "relname", NULL };
    enum { MOST = 20, LEAST_ROWS = 10000 };
    size_t count, added = 0;
    const struct sql_monitor_table *rows = derive_rows(server, COLLECT_TABLE, &count);

    for (size_t i = 0; i < count && added < MOST; i++) {
        double all = (double)rows[i].n_live_tup + (double)rows[i].n_dead_tup;
        const char *labels[] = { rows[i].datname, rows[i].schemaname, rows[i].relname };

        if (all < LEAST_ROWS || (double)rows[i].n_dead_tup < 0.1 * all)
            continue;
        derive_add(server, DERIVED_DEAD_ROWS, names, labels, (double)rows[i].n_dead_tup / all);
        added++;
    }
}

/* Of a standby whose receiver is gone all that it has received may well be replayed. */
static double
standby_lag(const struct watched *server, const struct sql_monitor_receiver *row)
{
    if (row->status || isnan(row->replay_gap_bytes) || !sees_sessions(server))
        return row->lag_seconds;
    return fmax(row->lag_seconds, row->last_replay_seconds);
}

/* An idle standby has no lag in seconds; one that does not answer keeps the last one. */
static double
receiver_lag(const struct sql_monitor_replication *row)
{
    enum { SILENT_S = 30 };

    if (row->replay_lag_bytes <= 0)
        return 0;
    if (row->reply_age_seconds > SILENT_S)
        return fmax(row->replay_lag_seconds, row->reply_age_seconds);
    return row->replay_lag_seconds;
}

static void
add_lags(struct watched *server)
{
    static const char *const names[] = { "application_name", "client_addr", NULL };
    size_t count;
    const struct sql_monitor_receiver *receiver = derive_rows(server, COLLECT_RECEIVER, &count);

    if (count == 1 && receiver->is_replica)
        derive_add(server, DERIVED_REPLICATION_LAG, no_labels, NULL, standby_lag(server, receiver));

    const struct sql_monitor_replication *rows = derive_rows(server, COLLECT_REPLICATION, &count);

    for (size_t i = 0; i < count; i++) {
        const char *labels[] = { rows[i].application_name, rows[i].client_addr };

        if (strcmp(rows[i].state, "streaming") == 0 || strcmp(rows[i].state, "catchup") == 0)
            derive_add(server, DERIVED_REPLICATION_LAG, names, labels, receiver_lag(&rows[i]));
    }
}

void
derive_levels(struct watched *server)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct statement_rates rates;
    double slow;

    add_connections(server);
    add_states(server);
    slow = add_sessions(server);
    derive_statements(arena, server, &rates);
    add_statement_totals(server, &rates, slow);
    add_indexes(server);
    add_progress(server);
    add_dead_rows(server);
    add_lags(server);
}

/* "vacuum.max" → "pg_settings_vacuum_max_seconds". */
static const char *
setting_metric_name(struct arena *arena, const struct sql_monitor_setting *row)
{
    char *name = arena_printf(
        arena, "pg_settings_%s%s%s", row->name, *row->base_unit ? "_" : "", row->base_unit);

    for (char *at = name; *at; at++)
        *at = isalnum((unsigned char)*at) ? (char)tolower((unsigned char)*at) : '_';
    return name;
}

void
derive_settings(struct watched *server)
{
    size_t count;
    const struct sql_monitor_setting *rows = derive_rows(server, COLLECT_SETTING, &count);
    size_t pending = 0;

    for (size_t i = 0; i < count; i++) {
        pending += rows[i].pending_restart;
        if (isnan(rows[i].number))
            continue;

        struct metric *metric = ARENA_NEW(server->samples.arena, struct metric);

        metric->name = setting_metric_name(server->samples.arena, &rows[i]);
        metric->help = rows[i].summary;
        metric->kind = METRIC_GAUGE;
        sample_add(&server->samples, metric, no_labels, NULL, rows[i].number);
    }
    if (server->now[COLLECT_SETTING].is_known && server->now[COLLECT_SETTING].is_good)
        derive_add(server, DERIVED_PENDING_RESTART, no_labels, NULL, (double)pending);
}
