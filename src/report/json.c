#include "report/make.h"

static json_t *
text_or_null(const char *text)
{
    json_t *json = text ? json_string(text) : json_null();

    return json ? json : json_string("(not UTF-8)");
}

static json_t *
list_json(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, text_or_null(list->items[i]));
    return array;
}

static json_t *
plan_json(const struct snapshot_plan *plan)
{
    json_t *object;

    if (!plan)
        return json_null();
    object = json_object();
    json_object_set_new(object, "values", text_or_null(plan->used_values));
    json_object_set_new(object, "problem", text_or_null(plan->problem));
    if (!plan->has_plan)
        return object;
    json_object_set_new(object, "cost", json_real(plan->plan.cost));
    json_object_set_new(object, "indexes", list_json(&plan->plan.indexes));
    json_object_set_new(object, "seq_scans", list_json(&plan->plan.seq_scans));
    json_object_set_new(object, "plan", json_loads(plan->plan.json, 0, NULL));
    return object;
}

static json_t *
side_json(const struct report_side *side)
{
    json_t *object = json_object();

    json_object_set_new(object, "calls", json_integer(side->calls));
    json_object_set_new(object, "total_ms", json_real(side->total_ms));
    json_object_set_new(object, "mean_ms", json_real(side->mean_ms));
    json_object_set_new(object, "rows", json_integer(side->row_count));
    json_object_set_new(object, "is_partial", json_boolean(side->is_partial));
    json_object_set_new(object, "notes", text_or_null(side->notes));
    if (side->has_latency) {
        json_object_set_new(object, "p50_us", json_integer(side->p50_us));
        json_object_set_new(object, "p95_us", json_integer(side->p95_us));
        json_object_set_new(object, "p99_us", json_integer(side->p99_us));
    }
    json_object_set_new(object, "explain", plan_json(side->plan));
    return object;
}

static json_t *
query_json(const struct report_query *query)
{
    json_t *object = json_object();

    json_object_set_new(object, "script", text_or_null(query->script));
    json_object_set_new(object, "query", text_or_null(query->query));
    json_object_set_new(object, "fingerprint", text_or_null(query->fingerprint));
    json_object_set_new(
        object, "factor", query->factor > 0 ? json_real(query->factor) : json_null());
    json_object_set_new(object, "before", side_json(&query->before));
    json_object_set_new(object, "after", side_json(&query->after));
    return object;
}

/* Numbers that are not known are null. */
static json_t *
known(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

static json_t *
index_json(const struct report_index *index)
{
    json_t *object = json_object();

    json_object_set_new(object, "schema", text_or_null(index->schema));
    json_object_set_new(object, "table", text_or_null(index->table_name));
    json_object_set_new(object, "name", text_or_null(index->name));
    json_object_set_new(object, "definition", text_or_null(index->definition));
    json_object_set_new(object, "what", text_or_null(index->what));
    json_object_set_new(object, "is_valid", json_boolean(index->is_valid));
    json_object_set_new(object, "size_bytes", json_integer(index->size_bytes));
    json_object_set_new(object, "scans", known(index->scans));
    json_object_set_new(object, "build_us", known(index->build_us));
    return object;
}

static json_t *
table_json(const struct report_table *table)
{
    json_t *object = json_object();

    json_object_set_new(object, "schema", text_or_null(table->schema));
    json_object_set_new(object, "name", text_or_null(table->name));
    json_object_set_new(object, "live_rows", json_integer(table->live_rows));
    json_object_set_new(object, "table_bytes", json_integer(table->table_bytes));
    json_object_set_new(object, "index_bytes_before", json_integer(table->index_bytes_before));
    json_object_set_new(object, "index_bytes_after", json_integer(table->index_bytes_after));
    json_object_set_new(object, "seq_scans", known(table->seq_scans));
    json_object_set_new(object, "index_scans", known(table->index_scans));
    return object;
}

static json_t *
scenario_side_json(const struct report_scenario_side *side)
{
    json_t *object;

    if (!side->is_known)
        return json_null();
    object = json_object();
    json_object_set_new(object, "calls", json_integer(side->calls));
    json_object_set_new(object, "failed", json_integer(side->failed));
    json_object_set_new(object, "mean_us", json_integer(side->mean_us));
    json_object_set_new(object, "p50_us", json_integer(side->p50_us));
    json_object_set_new(object, "p95_us", json_integer(side->p95_us));
    json_object_set_new(object, "p99_us", json_integer(side->p99_us));
    json_object_set_new(object, "max_us", json_integer(side->max_us));
    return object;
}

static json_t *
scenario_json(const struct report_scenario *scenario)
{
    json_t *object = json_object();

    json_object_set_new(object, "name", text_or_null(scenario->name));
    json_object_set_new(object, "before", scenario_side_json(&scenario->before));
    json_object_set_new(object, "during", scenario_side_json(&scenario->during));
    json_object_set_new(object, "after", scenario_side_json(&scenario->after));
    return object;
}

static json_t *
load_json(const struct report_load *load)
{
    json_t *object;

    if (!load->is_known)
        return json_null();
    object = json_object();
    json_object_set_new(object, "started_at", text_or_null(load->started_at));
    json_object_set_new(object, "elapsed_us", json_integer(load->elapsed_us));
    json_object_set_new(object, "is_complete", json_boolean(!load->is_incomplete));
    json_object_set_new(object, "calls", json_integer(load->calls));
    json_object_set_new(object, "calls_per_second", json_real(load->calls_per_second));
    json_object_set_new(object, "errors", json_integer(load->errors));
    json_object_set_new(object, "messages", list_json(&load->messages));
    return object;
}

static json_t *
stretch_json(const struct report_stretch *stretch)
{
    json_t *object = json_object();

    json_object_set_new(object, "from", text_or_null(stretch->from));
    json_object_set_new(object, "from_at", text_or_null(stretch->from_at));
    json_object_set_new(object, "to", text_or_null(stretch->to));
    json_object_set_new(object, "to_at", text_or_null(stretch->to_at));
    return object;
}

static json_t *
totals_json(const struct report *report)
{
    json_t *object = json_object();

    json_object_set_new(
        object, "speed_up", report->speed_up > 0 ? json_real(report->speed_up) : json_null());
    json_object_set_new(
        object, "compared_queries", json_integer((json_int_t)report->compared_count));
    json_object_set_new(object, "indexes_built", json_integer(report->built_count));
    json_object_set_new(object, "errors_under_load", known(report->errors));
    return object;
}

json_t *
report_json(const struct report *report)
{
    json_t *object = json_object();
    json_t *queries = json_array();
    json_t *indexes = json_array();
    json_t *tables = json_array();
    json_t *scenarios = json_array();
    json_t *method = json_array();
    json_t *kpis = json_array();
    static const char *const loads[LOAD_COUNT] = {
        [LOAD_BEFORE] = "load_before",
        [LOAD_DURING] = "load_during",
        [LOAD_AFTER] = "load_after",
    };

    for (size_t i = 0; i < report->query_count; i++)
        json_array_append_new(queries, query_json(&report->queries[i]));
    for (size_t i = 0; i < report->index_count; i++)
        json_array_append_new(indexes, index_json(&report->indexes[i]));
    for (size_t i = 0; i < report->table_count; i++)
        json_array_append_new(tables, table_json(&report->tables[i]));
    for (size_t i = 0; i < report->scenario_count; i++)
        json_array_append_new(scenarios, scenario_json(&report->scenarios[i]));
    for (size_t i = 0; i < report->kpis.count; i++)
        json_array_append_new(kpis, report_kpi_json(&report->kpis.items[i]));
    for (size_t i = 0; i < report_method_count; i++)
        json_array_append_new(method, json_string(report_method[i]));
    json_object_set_new(object, "database", text_or_null(report->database));
    json_object_set_new(object, "server_version", text_or_null(report->server_version));
    json_object_set_new(object, "made_at", text_or_null(report->made_at));
    json_object_set_new(object, "plan", report_plan_json(&report->plan));
    json_object_set_new(object, "kpis", kpis);
    json_object_set_new(
        object, "before", report->has_stretches ? stretch_json(&report->before) : json_null());
    json_object_set_new(
        object, "after", report->has_stretches ? stretch_json(&report->after) : json_null());
    json_object_set_new(object, "totals", totals_json(report));
    json_object_set_new(object, "queries", queries);
    json_object_set_new(object, "scenarios", scenarios);
    json_object_set_new(object, "indexes", indexes);
    json_object_set_new(object, "tables", tables);
    for (size_t i = 0; i < LOAD_COUNT; i++)
        json_object_set_new(object, loads[i], load_json(&report->loads[i]));
    json_object_set_new(object, "notes", list_json(&report->notes));
    json_object_set_new(object, "method", method);
    return object;
}
