#include <math.h>

#include "report/make.h"

static json_t *
known(double number)
{
    return number < 0 ? json_null() : json_number(number);
}

static json_t *
text_or_null(const char *text)
{
    json_t *json = text ? json_string(text) : json_null();

    return json ? json : json_string("(not UTF-8)");
}

static json_t *
measured_json(const struct report_step_statement *statement)
{
    json_t *json = json_object();

    json_object_set_new(json, "query", text_or_null(statement->query));
    json_object_set_new(json, "calls_before", known(statement->calls_before));
    json_object_set_new(json, "calls_after", known(statement->calls_after));
    json_object_set_new(json, "ms_before", known(statement->ms_before));
    json_object_set_new(json, "ms_after", known(statement->ms_after));
    json_object_set_new(json, "blocks_before", known(statement->blocks_before));
    json_object_set_new(json, "blocks_after", known(statement->blocks_after));
    return json;
}

static json_t *
step_json(const struct report_step *step)
{
    json_t *json = json_object();
    json_t *measured = json_array();

    for (size_t i = 0; i < step->measured.count; i++)
        json_array_append_new(measured, measured_json(&step->measured.items[i]));
    json_object_set_new(json, "id", text_or_null(step->id));
    json_object_set_new(json, "phase", json_integer(step->phase));
    json_object_set_new(json, "title", text_or_null(step->title));
    json_object_set_new(json, "state", text_or_null(step->state));
    json_object_set_new(json, "why", text_or_null(step->why));
    json_object_set_new(json, "promise", text_or_null(step->promise));
    json_object_set_new(json, "manual", text_or_null(step->manual));
    json_object_set_new(json, "evidence", text_or_null(step->evidence));
    json_object_set_new(json, "gain_ratio", json_number(step->gain_ratio));
    json_object_set_new(json, "started_at", text_or_null(step->started_at));
    json_object_set_new(json, "ended_at", text_or_null(step->ended_at));
    json_object_set_new(
        json, "work_us", step->work_us < 0 ? json_null() : json_integer(step->work_us));
    json_object_set_new(json, "measured", measured);
    return json;
}

json_t *
report_plan_json(const struct report_plan *plan)
{
    json_t *json;
    json_t *steps;

    if (!plan->is_known)
        return json_null();
    json = json_object();
    steps = json_array();
    for (size_t i = 0; i < plan->steps.count; i++)
        json_array_append_new(steps, step_json(&plan->steps.items[i]));
    json_object_set_new(json, "hash", text_or_null(plan->hash));
    json_object_set_new(json, "created_at", text_or_null(plan->created_at));
    json_object_set_new(json, "steps", steps);
    return json;
}

json_t *
report_kpi_json(const struct report_kpi *kpi)
{
    json_t *json = json_object();

    json_object_set_new(json, "title", text_or_null(kpi->title));
    json_object_set_new(json, "before", text_or_null(kpi->before));
    json_object_set_new(json, "before_source", text_or_null(kpi->before_source));
    json_object_set_new(json, "assumed_before", text_or_null(kpi->assumed));
    json_object_set_new(json, "now", text_or_null(kpi->now));
    json_object_set_new(json, "source", text_or_null(kpi->source));
    json_object_set_new(json, "target", text_or_null(kpi->target));
    json_object_set_new(json, "deadline", text_or_null(kpi->deadline));
    json_object_set_new(json, "state", text_or_null(kpi->state));
    return json;
}
