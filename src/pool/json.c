#include "pool/advice.h"

static json_t *
texts(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static const struct field load_fields[] = {
    FIELD(struct pool_load, seconds),
    FIELD(struct pool_load, samples),
    FIELD(struct pool_load, active),
    FIELD(struct pool_load, waiting),
    FIELD(struct pool_load, in_transaction),
    FIELD(struct pool_load, idle),
    FIELD(struct pool_load, in_use),
    FIELD(struct pool_load, in_use_p95),
    FIELD(struct pool_load, in_use_peak),
    FIELD(struct pool_load, open_peak),
    FIELD(struct pool_load, others_peak),
    FIELD(struct pool_load, direct_peak),
    FIELD(struct pool_load, oldest_idle_seconds),
    FIELD(struct pool_load, transactions_per_second),
    FIELD(struct pool_load, hold_seconds),
    FIELD(struct pool_load, knows_statements),
    FIELD(struct pool_load, why_unknown),
    FIELD(struct pool_load, statements_per_second),
    FIELD(struct pool_load, statement_seconds),
    FIELD(struct pool_load, busy),
};

static const struct field limit_fields[] = {
    FIELD(struct pool_limits, most_connections),
    FIELD(struct pool_limits, reserved),
    FIELD(struct pool_limits, database_limit),
    FIELD(struct pool_limits, role_limit),
    FIELD(struct pool_limits, cpus),
    FIELD(struct pool_limits, processes),
    FIELD(struct pool_limits, growth),
};

static const struct field hazard_fields[] = {
    FIELD(struct pool_hazard, name),
    FIELD(struct pool_hazard, title),
    FIELD(struct pool_hazard, certainty),
    FIELD(struct pool_hazard, calls),
    FIELD(struct pool_hazard, breaks),
    FIELD(struct pool_hazard, remedy),
    FIELD(struct pool_hazard, old_pooler),
    FIELD(struct pool_hazard, new_pooler),
};

static json_t *
advice_json(const struct pool_advice *advice)
{
    return json_pack("{s:f, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:s, s:o}", "load", advice->load,
        "needed", (json_int_t)advice->needed, "wait_ratio", advice->wait_ratio, "useful",
        (json_int_t)advice->useful, "available", (json_int_t)advice->available, "pool_size",
        (json_int_t)advice->process.size, "max_overflow", (json_int_t)advice->process.overflow,
        "total", (json_int_t)advice->total, "verdict", pool_verdict_name(advice->verdict),
        "reasons", texts(&advice->reasons));
}

static json_t *
hazards_json(const struct pool_hazards *hazards)
{
    json_t *array = json_array();

    for (size_t i = 0; i < hazards->count; i++) {
        json_t *item = json_from_fields(hazard_fields, COUNT_OF(hazard_fields), &hazards->items[i]);

        json_object_set_new(
            item, "statements", json_integer((json_int_t)hazards->items[i].statements));
        json_object_set_new(item, "evidence", texts(&hazards->items[i].evidence));
        json_array_append_new(array, item);
    }
    return json_pack("{s:b, s:b, s:o, s:o}", "is_known", hazards->is_known, "is_safe",
        hazards->is_safe, "hazards", array, "gaps", texts(&hazards->gaps));
}

json_t *
pool_report_json(const struct pool_report *report)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:{s:s, s:s, s:s}}", "database", report->database,
        "measured", json_from_fields(load_fields, COUNT_OF(load_fields), &report->load), "limits",
        json_from_fields(limit_fields, COUNT_OF(limit_fields), &report->limits), "advice",
        advice_json(&report->advice), "transaction_pooling", hazards_json(&report->hazards),
        "settings", "sqlalchemy", report->sqlalchemy, "pgbouncer", report->pgbouncer, "replyx_api",
        report->replyx);
}
