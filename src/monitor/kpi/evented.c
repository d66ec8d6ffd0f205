#include "monitor/kpi/parts.h"

#define LIMIT_US INT64_C(10000000)

enum { MOST_REQUESTS = 8 };

struct asking {
    struct arena *arena;
    struct evented *evented;
    struct sql_monitor_kpi_exist there;
    struct kpi_sources sources;
    struct evented_request requests[MOST_REQUESTS];
    struct rows *rows[MOST_REQUESTS]; /* where those of each request go */
    size_t count;
    struct sql_monitor_kpi_stored_args stored;
    kpi_asked *done;
    void *data;
};

/* The first error, or NULL. */
static const struct error *
first_error(const struct evented_reply *replies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!replies[i].is_good)
            return &replies[i].error;
    return NULL;
}

static void
send_one(struct evented *evented, const struct query *query, struct arena *arena,
    evented_done *done, void *data)
{
    const struct evented_request request = { .query = query };

    evented_send(evented, &request, 1, LIMIT_US, arena, done, data);
}

static void
take_rows(void *data, struct evented_reply *replies, size_t count)
{
    struct asking *asking = data;
    const struct error *error = first_error(replies, count);
    struct kpis kpis;

    if (error) {
        asking->done(asking->data, NULL, error);
        return;
    }
    for (size_t i = 0; i < count; i++)
        *asking->rows[i] = replies[i].rows;
    kpi_make(asking->arena, &asking->sources, &kpis);
    asking->done(asking->data, &kpis, NULL);
}

static void
add_request(struct asking *asking, const struct query *query, const void *args, void *rows)
{
    asking->requests[asking->count] = (struct evented_request){ .query = query, .args = args };
    /* The typed rows of a query have the layout of struct rows. */
    asking->rows[asking->count++] = rows;
}

static void
ask_rest(struct asking *asking)
{
    struct kpi_sources *sources = &asking->sources;

    asking->stored = (struct sql_monitor_kpi_stored_args){
        .metrics = kpi_goal_metrics(asking->arena),
        .first_change = sources->first_change_wall_us,
    };
    add_request(asking, &query_monitor_kpi_database, NULL, &sources->database);
    if (asking->there.kpis) {
        add_request(asking, &query_monitor_kpi_definitions, NULL, &sources->definitions);
        add_request(asking, &query_monitor_kpi_values, NULL, &sources->values);
    }
    if (asking->there.snapshots)
        add_request(asking, &query_monitor_kpi_snapshots, NULL, &sources->snapshots);
    if (asking->there.stored)
        add_request(asking, &query_monitor_kpi_stored, &asking->stored, &sources->stored);
    evented_send(asking->evented, asking->requests, asking->count, LIMIT_US, asking->arena,
        take_rows, asking);
}

static void
take_first_change(void *data, struct evented_reply *replies, size_t count)
{
    struct asking *asking = data;
    const struct error *error = first_error(replies, count);

    if (error) {
        asking->done(asking->data, NULL, error);
        return;
    }

    const struct sql_monitor_kpi_first_change *row = replies[0].rows.items;

    asking->sources.first_change_wall_us = row->at;
    ask_rest(asking);
}

static void
take_existing(void *data, struct evented_reply *replies, size_t count)
{
    struct asking *asking = data;
    const struct error *error = first_error(replies, count);

    if (error) {
        asking->done(asking->data, NULL, error);
        return;
    }

    const struct sql_monitor_kpi_exist *row = replies[0].rows.items;

    asking->there = *row;
    asking->sources.grant = row->missing;
    if (row->journal)
        send_one(asking->evented, &query_monitor_kpi_first_change, asking->arena, take_first_change,
            asking);
    else
        ask_rest(asking);
}

void
kpi_ask(struct evented *evented, struct arena *arena, kpi_asked *done, void *data)
{
    struct asking *asking = ARENA_NEW(arena, struct asking);

    *asking = (struct asking){ .arena = arena, .evented = evented, .done = done, .data = data };
    send_one(evented, &query_monitor_kpi_exist, arena, take_existing, asking);
}

struct telling {
    struct ctx ctx;
    struct evented *evented;
    struct kpi_value value;
    struct sql_monitor_kpi_seed_args seed;
    struct sql_monitor_kpi_put_args put;
    kpi_told *done;
    void *data;
};

static void
take_recorded(void *data, struct evented_reply *replies, size_t count)
{
    struct telling *telling = data;
    const struct error *error = first_error(replies, count);

    if (error && text_equal(error->sqlstate, "23503")) {
        telling->ctx.error = *error;
        (void)kpi_unknown_name(&telling->ctx, &telling->value, 1);
        error = &telling->ctx.error;
    } else if (error) {
        telling->ctx.error = *error;
        kpi_hint_rights(&telling->ctx, "ROLE");
        error = &telling->ctx.error;
    }
    telling->done(telling->data, error);
}

static void
put(struct telling *telling, bool is_made)
{
    struct evented_request requests[5];
    size_t wanted = 0;

    if (!is_made) {
        requests[wanted++] = (struct evented_request){ .query = &query_change_create_schema };
        requests[wanted++] = (struct evented_request){ .query = &query_monitor_create_kpi };
        requests[wanted++] = (struct evented_request){ .query = &query_monitor_create_kpi_value };
    }
    requests[wanted++] =
        (struct evented_request){ .query = &query_monitor_kpi_seed, .args = &telling->seed };
    requests[wanted++] =
        (struct evented_request){ .query = &query_monitor_kpi_put, .args = &telling->put };
    evented_send(
        telling->evented, requests, wanted, LIMIT_US, telling->ctx.arena, take_recorded, telling);
}

static void
take_units(void *data, struct evented_reply *replies, size_t count)
{
    struct telling *telling = data;
    const struct error *error = first_error(replies, count);
    struct sql_monitor_kpi_definitions_rows definitions = { 0 };

    if (!error) {
        definitions.items = replies[0].rows.items;
        definitions.count = replies[0].rows.count;
        if (kpi_check_units(&telling->ctx, &telling->value, 1, &definitions)) {
            put(telling, true);
            return;
        }
        error = &telling->ctx.error;
    }
    telling->done(telling->data, error);
}

static void
take_tables(void *data, struct evented_reply *replies, size_t count)
{
    struct telling *telling = data;
    const struct error *error = first_error(replies, count);
    const struct sql_monitor_kpi_exist *there = error ? NULL : replies[0].rows.items;

    if (there && there->is_made && !there->kpis) {
        (void)kpi_refuse_hidden(&telling->ctx, "ROLE");
        telling->done(telling->data, &telling->ctx.error);
        return;
    }
    if (error)
        telling->done(telling->data, error);
    else if (there && there->kpis)
        send_one(telling->evented, &query_monitor_kpi_definitions, telling->ctx.arena, take_units,
            telling);
    else
        put(telling, false);
}

void
kpi_tell(struct evented *evented, struct arena *arena, const struct kpi_value *value,
    kpi_told *done, void *data)
{
    struct telling *telling = ARENA_NEW(arena, struct telling);

    *telling = (struct telling){
        .ctx = { .arena = arena },
        .evented = evented,
        .value = *value,
        .seed = { .names = kpi_goal_names(arena) },
        .put = { .values = kpi_values_text(arena, value, 1) },
        .done = done,
        .data = data,
    };
    send_one(evented, &query_monitor_kpi_exist, arena, take_tables, telling);
}
