#include <math.h>

#include "monitor/collect/derive_part.h"
#include "sql.h"

#define DERIVED_METRIC(id, kind, kept, name, labels, help) { name, METRIC_##kind, help, kept },
#define DERIVED_LABELS(id, kind, kept, name, labels, help) labels,
const struct metric derived_metrics[] = { DERIVED(DERIVED_METRIC) };
const char *const derived_labels[] = { DERIVED(DERIVED_LABELS) };
const size_t derived_metric_count = COUNT_OF(derived_metrics);

void
derive_add(struct watched *server, enum derived_id id, const char *const *label_names,
    const char *const *labels, double value)
{
    sample_add(&server->samples, &derived_metrics[id], label_names, labels, value);
}

double
derive_delta(double now, double before)
{
    return now >= before ? now - before : NAN;
}

const void *
derive_rows(const struct watched *server, enum collector_id id, size_t *ret_count)
{
    const struct reading *reading = &server->now[id];

    *ret_count = 0;
    if (!reading->is_known || !reading->is_good)
        return NULL;
    *ret_count = reading->rows.count;
    return reading->rows.items;
}

/* How long the server runs, by its own clock, so that ours does not matter; negative: not known. */
static double
uptime_s(const struct watched *server)
{
    size_t count;
    const struct sql_monitor_server *row = derive_rows(server, COLLECT_SERVER, &count);

    return count == 1 ? row->now_epoch - row->started_epoch : -1;
}

bool
derive_pair(const struct watched *server, enum collector_id id, struct pair *ret)
{
    const struct reading *now = &server->now[id];
    const struct reading *before = &server->before[id];

    *ret = (struct pair){ now, before, (double)(now->at_us - before->at_us) / 1e6 };
    if (!now->is_known || !now->is_good || !before->is_known || !before->is_good || server->is_gap)
        return false;

    double uptime = uptime_s(server);
    double age = (double)(server->at_us - before->at_us) / 1e6;

    /* A server that was started after the first of them. A second, since both clocks are read. */
    return ret->span_s > 0.1 && (uptime < 0 || age < uptime + 1);
}

/* A column of a row as a number; false when it is text. */
static bool
column_number(const struct field *field, const char *row, double *ret)
{
    const void *member = row + field->offset;

    switch (field->type) {
    case FIELD_BOOL:
        *ret = *(const bool *)member;
        return true;
    case FIELD_INT32:
        *ret = *(const int32_t *)member;
        return true;
    case FIELD_INT64:
        *ret = (double)*(const int64_t *)member;
        return true;
    case FIELD_UINT32:
        *ret = *(const uint32_t *)member;
        return true;
    case FIELD_DOUBLE:
        *ret = *(const double *)member;
        return true;
    case FIELD_TEXT:
    case FIELD_TEXT_LIST:
        break;
    }
    return false;
}

static const struct field *
find_column(const struct query *query, const char *name)
{
    for (size_t i = 0; i < query->column_count; i++)
        if (strcmp(query->columns[i].name, name) == 0)
            return &query->columns[i];
    return NULL;
}

/* A collector's labels and metrics with their columns, looked up once for all rows. */
struct plan {
    const struct collector *collector;
    const struct field *labels[METRIC_LABELS];
    const char *const *label_names;
    size_t label_count;
    const struct field **columns; /* by metric; NULL: not of this server */
};

static bool
is_of_server(const struct metric_column *column, int major)
{
    return (!column->min_major || major >= column->min_major) &&
           (!column->max_major || major <= column->max_major);
}

static void
make_plan(const struct watched *server, const struct collector *collector, struct plan *ret)
{
    static const char *const none[] = { NULL };

    *ret = (struct plan){ .collector = collector };
    ret->label_names = collector->labels ? collector->labels : none;
    while (ret->label_names[ret->label_count]) {
        const char *name = ret->label_names[ret->label_count];

        ret->labels[ret->label_count++] = find_column(collector->query, name);
    }
    ret->columns =
        ARENA_ARRAY(server->samples.arena, const struct field *, collector->metric_count);
    for (size_t i = 0; i < collector->metric_count; i++)
        if (is_of_server(&collector->metrics[i], server->major))
            ret->columns[i] = find_column(collector->query, collector->metrics[i].column);
}

static const char *
label_text(struct arena *arena, const struct field *field, const char *row)
{
    if (!field)
        return "";
    if (field->type == FIELD_TEXT) {
        const char *text = *(const char *const *)(const void *)(row + field->offset);

        return text ? text : "";
    }
    return field_text(arena, field, row);
}

/* The same statement can be in pg_stat_statements twice: called by the client, and by a function. */
static bool
is_inner_statement(const struct plan *plan, const char *row)
{
    return plan->collector->query == &query_monitor_statement &&
           !((const struct sql_monitor_statement *)(const void *)row)->toplevel;
}

static void
add_row(struct watched *server, const struct plan *plan, const char *row)
{
    static const char *const inner_names[] = { "user", "datname", "queryid", "toplevel", NULL };
    const char *labels[METRIC_LABELS] = { 0 };
    const char *const *names = plan->label_names;

    for (size_t i = 0; i < plan->label_count; i++)
        labels[i] = label_text(server->samples.arena, plan->labels[i], row);
    if (is_inner_statement(plan, row)) {
        names = inner_names;
        labels[3] = "false";
    }
    for (size_t i = 0; i < plan->collector->metric_count; i++) {
        const struct metric_column *column = &plan->collector->metrics[i];
        double value;

        if (plan->columns[i] && column_number(plan->columns[i], row, &value))
            sample_add(&server->samples, &column->metric, names, labels,
                column->scale != 0 ? value * column->scale : value);
    }
}

static void
add_columns(struct watched *server, enum collector_id id)
{
    const struct collector *collector = &collectors[id];
    struct plan plan;
    size_t count;
    const char *rows = derive_rows(server, id, &count);

    if (count == 0 || collector->metric_count == 0)
        return;
    if (collector->most_series > 0 && count > (size_t)collector->most_series)
        count = (size_t)collector->most_series;
    make_plan(server, collector, &plan);
    for (size_t i = 0; i < count; i++)
        add_row(server, &plan, rows + i * collector->query->row_size);
}

static void
add_collectors(struct watched *server)
{
    static const char *const names[] = { "collector", NULL };
    double seconds = 0;
    bool has_failed = false;

    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        const struct reading *reading = &server->now[i];
        const char *labels[] = { collectors[i].name };
        double elapsed = (double)reading->elapsed_us / 1e6;

        if (!reading->is_known)
            continue;
        if (reading->is_fresh)
            seconds += elapsed;
        has_failed |= !reading->is_good;
        derive_add(server, DERIVED_COLLECTOR_SUCCESS, names, labels, reading->is_good);
        derive_add(server, DERIVED_COLLECTOR_DURATION, names, labels, elapsed);
    }
    derive_add(server, DERIVED_SCRAPE, NULL, NULL, seconds);
    derive_add(server, DERIVED_PG_SCRAPE, NULL, NULL, seconds);
    derive_add(server, DERIVED_PG_SCRAPE_ERROR, NULL, NULL, has_failed);
}

/* Room for nearly all, so that a list that grows does not leave half of the arena behind. */
static void
reserve(struct watched *server)
{
    enum { OTHERS = 256 };
    size_t settings, room = OTHERS + (size_t)COLLECTOR_COUNT * 2;

    (void)derive_rows(server, COLLECT_SETTING, &settings);
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        size_t count, most = (size_t)collectors[i].most_series;

        (void)derive_rows(server, (enum collector_id)i, &count);
        room += (most > 0 && count > most ? most : count) * collectors[i].metric_count;
    }
    room += settings;
    server->samples.items = ARENA_ARRAY(server->samples.arena, struct sample, room);
    server->samples.count = 0;
    server->samples.capacity = room;
}

void
derive_samples(struct watched *server)
{
    reserve(server);
    derive_add(server, DERIVED_UP, NULL, NULL, server->is_up);
    derive_add(server, DERIVED_PG_UP, NULL, NULL, server->is_up);
    derive_add(server, DERIVED_TICKS, NULL, NULL, (double)server->tick);
    derive_add(server, DERIVED_PG_SCRAPES, NULL, NULL, (double)server->tick);
    derive_add(server, DERIVED_MISSED, NULL, NULL, (double)server->missed);
    if (!server->is_up)
        return;
    derive_add(server, DERIVED_GAP, NULL, NULL, server->is_gap);
    derive_add(server, DERIVED_COST, NULL, NULL, server->cost_ratio);
    derive_add(server, DERIVED_SLOWED, NULL, NULL, server->slowed);
    add_collectors(server);
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        add_columns(server, (enum collector_id)i);
    derive_levels(server);
    derive_rates(server);
    derive_suspects(server);
    derive_settings(server);
    host_samples(&server->samples,
        server->is_gap || !server->host_before.is_known ? NULL : &server->host_before,
        &server->host_now);
}
