/* PgBouncer's console: SHOW POOLS, SHOW STATS and SHOW LISTS as samples in base units. */
#include "base/clock.h"
#include "base/text.h"
#include "monitor/source/source_part.h"

enum { MOST_ROWS = 500 };

struct pooler_column {
    const char *column;
    struct metric metric;
    double scale; /* 0: as it is */
};

static const char *const pool_labels[] = { "application", "database", "user", NULL };
static const char *const database_labels[] = { "application", "database", NULL };
const char *const source_labels[] = { "application", NULL };

static const struct pooler_column pool_columns[] = {
    { "cl_active",
        { "pgmend_pooler_clients_active", METRIC_GAUGE,
            "Clients that are linked to a server connection, or idle without a wish", true } },
    { "cl_waiting", { "pgmend_pooler_clients_waiting", METRIC_GAUGE,
                        "Clients that wait for a server connection", true } },
    { "sv_active", { "pgmend_pooler_servers_active", METRIC_GAUGE,
                       "Server connections that serve a client", true } },
    { "sv_idle", { "pgmend_pooler_servers_idle", METRIC_GAUGE,
                     "Server connections that can be used", false } },
    { "sv_used",
        { "pgmend_pooler_servers_used", METRIC_GAUGE,
            "Server connections that are to be checked before they are used again", false } },
    { "sv_tested", { "pgmend_pooler_servers_tested", METRIC_GAUGE,
                       "Server connections that are being checked", false } },
    { "sv_login", { "pgmend_pooler_servers_login", METRIC_GAUGE,
                      "Server connections that are being opened", false } },
    { "maxwait", { "pgmend_pooler_longest_wait_seconds", METRIC_GAUGE,
                     "How long the first client in the queue has waited", true } },
};
static const struct pooler_column stat_columns[] = {
    { "total_xact_count",
        { "pgmend_pooler_transactions_total", METRIC_COUNTER, "Transactions", false } },
    { "total_query_count", { "pgmend_pooler_queries_total", METRIC_COUNTER, "Statements", false } },
    { "total_received",
        { "pgmend_pooler_received_bytes_total", METRIC_COUNTER, "Bytes from clients", false } },
    { "total_sent",
        { "pgmend_pooler_sent_bytes_total", METRIC_COUNTER, "Bytes to clients", false } },
    { "total_xact_time",
        { "pgmend_pooler_transaction_seconds_total", METRIC_COUNTER, "Time in transactions",
            false },
        1e-6 },
    { "total_query_time",
        { "pgmend_pooler_query_seconds_total", METRIC_COUNTER, "Time in statements", false },
        1e-6 },
    { "total_wait_time",
        { "pgmend_pooler_wait_seconds_total", METRIC_COUNTER,
            "Time that clients waited for a server connection", false },
        1e-6 },
};
/* These are rows, not columns. */
static const struct pooler_column list_rows[] = {
    { "databases", { "pgmend_pooler_databases", METRIC_GAUGE, "Databases known", false } },
    { "pools", { "pgmend_pooler_pools", METRIC_GAUGE, "Pools", false } },
    { "used_clients", { "pgmend_pooler_clients_used", METRIC_GAUGE, "Client connections", false } },
    { "free_clients", { "pgmend_pooler_clients_free", METRIC_GAUGE,
                          "Client slots that are kept for reuse", false } },
    { "used_servers",
        { "pgmend_pooler_servers_used_in_all", METRIC_GAUGE, "Server connections", false } },
    { "dns_pending",
        { "pgmend_pooler_dns_pending", METRIC_GAUGE, "Names that are being looked up", false } },
};

static const char *
cell(const struct result *result, size_t row, const char *column)
{
    for (size_t i = 0; i < result->columns; i++)
        if (text_equal(result->names[i], column))
            return result_cell(result, row, i);
    return NULL;
}

static void
add(struct source_seat *seat, const struct pooler_column *column, const char *const *names,
    const char *const *labels, const char *text, double more)
{
    double value = 0;

    if (!text || !text_to_double(text, &value))
        return;
    sample_add(&seat->source.samples, &column->metric, names, labels,
        value * (column->scale != 0 ? column->scale : 1) + more);
}

/* The part of a second stands in a column of its own. */
static double
rest_of(const struct result *result, size_t row, const char *column)
{
    const char *text = text_equal(column, "maxwait") ? cell(result, row, "maxwait_us") : NULL;
    double us = 0;

    return text && text_to_double(text, &us) ? us / 1e6 : 0;
}

static void
add_pools(struct source_seat *seat, const struct result *result)
{
    struct arena *arena = seat->source.samples.arena;

    for (size_t row = 0; row < result->rows && row < MOST_ROWS; row++) {
        const char *database = cell(result, row, "database");
        const char *user = cell(result, row, "user");
        const char *labels[] = { seat->source.setup->name,
            arena_strdup(arena, database ? database : ""), arena_strdup(arena, user ? user : "") };

        for (size_t i = 0; i < COUNT_OF(pool_columns); i++) {
            const struct pooler_column *column = &pool_columns[i];

            add(seat, column, pool_labels, labels, cell(result, row, column->column),
                rest_of(result, row, column->column));
        }
    }
}

static void
add_stats(struct source_seat *seat, const struct result *result)
{
    struct arena *arena = seat->source.samples.arena;

    for (size_t row = 0; row < result->rows && row < MOST_ROWS; row++) {
        const char *database = cell(result, row, "database");
        const char *labels[] = { seat->source.setup->name,
            arena_strdup(arena, database ? database : "") };

        for (size_t i = 0; i < COUNT_OF(stat_columns); i++)
            add(seat, &stat_columns[i], database_labels, labels,
                cell(result, row, stat_columns[i].column), 0);
    }
}

static void
add_lists(struct source_seat *seat, const struct result *result)
{
    const char *labels[] = { seat->source.setup->name };

    for (size_t row = 0; row < result->rows; row++)
        for (size_t i = 0; i < COUNT_OF(list_rows); i++)
            if (text_equal(cell(result, row, "list"), list_rows[i].column))
                add(seat, &list_rows[i], source_labels, labels, cell(result, row, "items"), 0);
}

static void
drop_connection(struct source_seat *seat, const struct error *error)
{
    source_is_down(seat, error);
    evented_close(seat->evented);
    seat->evented = NULL;
}

static void
answered(void *data, struct evented_reply *replies, size_t count)
{
    struct source_seat *seat = data;

    /* A console's user may lack a command; without a single answer it is of no use. */
    if (!evented_is_open(seat->evented) || (!replies[0].is_good && !replies[1].is_good)) {
        drop_connection(seat, &replies[0].error);
        return;
    }
    (void)count;
    source_is_up(seat);
    add_pools(seat, &replies[0].result);
    add_stats(seat, &replies[1].result);
    add_lists(seat, &replies[2].result);
}

static void
send_questions(struct source_seat *seat)
{
    static const struct evented_request requests[] = { { .sql = "SHOW POOLS" },
        { .sql = "SHOW STATS" }, { .sql = "SHOW LISTS" } };

    arena_reset(seat->arena);
    evented_send(seat->evented, requests, COUNT_OF(requests), seat->sources->options.timeout_us,
        seat->arena, answered, seat);
}

static void
opened(void *data, const struct error *error)
{
    struct source_seat *seat = data;

    if (error)
        drop_connection(seat, error);
    else
        send_questions(seat);
}

static void
lost(void *data, const struct error *error)
{
    drop_connection(data, error);
}

void
pooler_ask(struct source_seat *seat)
{
    struct ctx ctx = { .arena = seat->arena };
    const struct db_options options = {
        .url = seat->source.setup->url,
        .application = "pgmend/monitor",
        .access = ACCESS_READ,
        .connect_timeout_us = seat->sources->options.timeout_us,
    };
    const struct evented_events events = { .opened = opened, .lost = lost, .data = seat };

    if (seat->evented) {
        if (evented_is_open(seat->evented) && !evented_is_busy(seat->evented))
            send_questions(seat);
        return;
    }
    arena_reset(seat->arena);
    if (!evented_open_plain(&ctx, seat->sources->monitor->loop, &options, &events, &seat->evented))
        source_is_down(seat, &ctx.error);
}
