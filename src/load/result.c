#include <math.h>

#include "base/clock.h"
#include "load/run.h"

int64_t
load_calls(const struct load_result *result)
{
    int64_t calls = 0;

    for (size_t i = 0; i < result->script_count; i++)
        calls += result->scripts[i].latency->count;
    return calls;
}

int64_t
load_errors(const struct load_result *result)
{
    int64_t errors = result->aborted + result->broken;

    for (size_t i = 0; i < result->script_count; i++)
        errors += result->scripts[i].failed;
    return errors;
}

static json_t *
list_json(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++) {
        json_t *text = json_string(list->items[i]);

        json_array_append_new(array, text ? text : json_string("(not UTF-8)"));
    }
    return array;
}

static json_t *
script_json(const struct load_script *script)
{
    const struct histogram *latency = script->latency;
    json_t *object = json_object();

    json_object_set_new(object, "name", json_string(script->name));
    json_object_set_new(object, "calls", json_integer(latency->count));
    json_object_set_new(object, "failed", json_integer(script->failed));
    json_object_set_new(object, "mean_us", json_integer(llround(histogram_mean_us(latency))));
    json_object_set_new(object, "p50_us", json_integer(histogram_quantile_us(latency, 0.50)));
    json_object_set_new(object, "p95_us", json_integer(histogram_quantile_us(latency, 0.95)));
    json_object_set_new(object, "p99_us", json_integer(histogram_quantile_us(latency, 0.99)));
    json_object_set_new(object, "max_us", json_integer(latency->max_us));
    json_object_set_new(object, "fingerprints", list_json(&script->fingerprints));
    return object;
}

static json_t *
second_json(const struct load_second *second)
{
    json_t *object = json_object();

    json_object_set_new(object, "at", json_integer(second->at));
    json_object_set_new(object, "calls", json_integer(second->calls));
    json_object_set_new(object, "mean_us", json_integer(second->sum_us / second->calls));
    json_object_set_new(object, "max_us", json_integer(second->max_us));
    return object;
}

json_t *
load_json(const struct load_result *result)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    double seconds = (double)result->elapsed_us / 1e6;
    json_t *object = json_object();
    json_t *scripts = json_array();
    json_t *timeline = json_array();

    for (size_t i = 0; i < result->script_count; i++)
        json_array_append_new(scripts, script_json(&result->scripts[i]));
    for (size_t i = 0; i < result->second_count; i++)
        json_array_append_new(timeline, second_json(&result->seconds[i]));
    json_object_set_new(object, "kind", json_string("load"));
    json_object_set_new(object, "started_at", json_string(clock_text(arena, result->started_us)));
    json_object_set_new(object, "elapsed_us", json_integer(result->elapsed_us));
    json_object_set_new(object, "program", json_string(result->version));
    json_object_set_new(object, "clients", json_integer(result->options->clients));
    json_object_set_new(object, "rate", json_real(result->options->rate));
    json_object_set_new(object, "defines", list_json(&result->options->defines));
    json_object_set_new(object, "slices", json_integer(result->slices));
    json_object_set_new(object, "calls", json_integer(load_calls(result)));
    json_object_set_new(object, "calls_per_second",
        json_real(seconds > 0 ? (double)load_calls(result) / seconds : 0));
    json_object_set_new(object, "errors", json_integer(load_errors(result)));
    json_object_set_new(object, "aborted_clients", json_integer(result->aborted));
    json_object_set_new(object, "broken_slices", json_integer(result->broken));
    json_object_set_new(object, "messages", list_json(&result->messages));
    json_object_set_new(object, "scripts", scripts);
    json_object_set_new(object, "seconds", timeline);
    return object;
}
