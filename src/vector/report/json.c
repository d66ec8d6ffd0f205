/* The run as JSON. */

#include "base/clock.h"
#include "vector/report/report.h"

static const struct field goal_fields[] = {
    FIELD(struct vector_goal, recall),
    FIELD(struct vector_goal, recall_worst),
    FIELD(struct vector_goal, p95_us),
    FIELD(struct vector_goal, most_bytes),
    FIELD(struct vector_goal, time_us),
};

static const struct field bucket_fields[] = {
    FIELD(struct vector_bucket, name),
    FIELD(struct vector_bucket, least_rows),
    FIELD(struct vector_bucket, most_rows),
    FIELD(struct vector_bucket, tenants),
    FIELD(struct vector_bucket, rows),
};

static const struct field candidate_fields[] = {
    FIELD(struct vector_candidate, name),
    FIELD(struct vector_candidate, was_built),
    FIELD(struct vector_candidate, problem),
    FIELD(struct vector_candidate, build_us),
    FIELD(struct vector_candidate, index_bytes),
    FIELD(struct vector_candidate, column_bytes),
    FIELD(struct vector_candidate, meets_goal),
    FIELD(struct vector_candidate, is_pareto),
    FIELD(struct vector_candidate, is_plan),
    FIELD(struct vector_candidate, is_present),
    FIELD(struct vector_candidate, can_be_applied),
};

static json_t *
interval(const struct vector_interval *interval)
{
    json_t *json = json_object();

    json_object_set_new(json, "value", json_number(interval->value));
    json_object_set_new(json, "low", json_number(interval->low));
    json_object_set_new(json, "high", json_number(interval->high));
    return json;
}

static json_t *
measured(const struct vector_measure *measure)
{
    json_t *json = json_object();

    if (measure->queries == 0) {
        json_decref(json);
        return json_null();
    }
    json_object_set_new(json, "queries", json_integer(measure->queries));
    json_object_set_new(json, "recall", interval(&measure->recall));
    json_object_set_new(json, "recall_least", json_number(measure->recall_least));
    json_object_set_new(json, "short_results", json_integer(measure->short_results));
    json_object_set_new(json, "cpu_us_p50", interval(&measure->cpu_us_p50));
    json_object_set_new(json, "cpu_us_p95", interval(&measure->cpu_us_p95));
    json_object_set_new(json, "wall_us_p50", interval(&measure->wall_us_p50));
    json_object_set_new(json, "wall_us_p95", interval(&measure->wall_us_p95));
    return json;
}

static json_t *
texts(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static json_t *
measured_buckets(const struct vector_tuning *tuning, const struct vector_candidate *candidate)
{
    json_t *array = json_array();

    for (size_t i = 0; i < candidate->buckets.count && i < tuning->sizes.buckets.count; i++) {
        json_t *item = measured(&candidate->buckets.items[i]);

        if (json_is_object(item))
            json_object_set_new(item, "name", json_string(tuning->sizes.buckets.items[i].name));
        json_array_append_new(array, item);
    }
    return array;
}

static json_t *
candidate_json(const struct vector_tuning *tuning, const struct vector_candidate *candidate)
{
    json_t *json = json_from_fields(candidate_fields, COUNT_OF(candidate_fields), candidate);
    json_t *tenants = json_array();

    for (size_t i = 0; i < candidate->tenants.count; i++)
        json_array_append_new(tenants, json_string(candidate->tenants.items[i]));
    json_object_set_new(json, "tenants", tenants);
    json_object_set_new(json, "method", vector_method_to_json(&candidate->method));
    json_object_set_new(json, "build_cpu_us",
        candidate->build_cpu_us < 0 ? json_null() : json_integer(candidate->build_cpu_us));
    json_object_set_new(json, "write_cost_ratio",
        candidate->write_cost > 0 ? json_number(candidate->write_cost) : json_null());
    json_object_set_new(json, "rung", json_integer((json_int_t)candidate->rung));
    json_object_set_new(json, "overall", measured(&candidate->overall));
    json_object_set_new(json, "buckets", measured_buckets(tuning, candidate));
    return json;
}

static json_t *
sample_json(const struct vector_tuning *tuning)
{
    json_t *json = json_object();

    json_object_set_new(json, "table_rows", json_integer(tuning->sizes.rows));
    json_object_set_new(json, "rows", json_integer(tuning->sample_rows));
    json_object_set_new(json, "is_whole", json_boolean(tuning->is_whole));
    json_object_set_new(json, "queries", json_integer(tuning->query_count));
    json_object_set_new(json, "sources", texts(&tuning->sources));
    json_object_set_new(json, "meter", json_string(meter_kind_text(tuning->meter)));
    return json;
}

json_t *
vector_tuning_json(const struct vector_tuning *tuning)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    json_t *json = json_object();
    json_t *buckets = json_array();
    json_t *candidates = json_array();

    for (size_t i = 0; i < tuning->sizes.buckets.count; i++)
        json_array_append_new(buckets, json_from_fields(bucket_fields, COUNT_OF(bucket_fields),
                                           &tuning->sizes.buckets.items[i]));
    for (size_t i = 0; i < tuning->candidates.count; i++)
        json_array_append_new(candidates, candidate_json(tuning, &tuning->candidates.items[i]));
    json_object_set_new(json, "started_at", json_string(clock_text(arena, tuning->started_us)));
    json_object_set_new(json, "elapsed_us", json_integer(tuning->elapsed_us));
    json_object_set_new(json, "target", vector_target_to_json(&tuning->target));
    json_object_set_new(
        json, "goal", json_from_fields(goal_fields, COUNT_OF(goal_fields), &tuning->goal));
    json_object_set_new(json, "sample", sample_json(tuning));
    json_object_set_new(
        json, "present", tuning->present ? json_string(tuning->present) : json_null());
    json_object_set_new(json, "tenant_buckets", buckets);
    json_object_set_new(json, "has_choice", json_boolean(tuning->has_choice));
    json_object_set_new(json, "choice", vector_choice_to_json(&tuning->choice));
    json_object_set_new(json, "candidates", candidates);
    json_object_set_new(json, "notes", texts(&tuning->notes));
    return json;
}
