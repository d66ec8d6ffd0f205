#include "base/vec.h"
#include "report/make.h"

static struct report_scenario *
scenario_named(struct ctx *ctx, struct report *report, const char *name, size_t *capacity)
{
    for (size_t i = 0; i < report->scenario_count; i++)
        if (text_equal(report->scenarios[i].name, name))
            return &report->scenarios[i];
    if (report->scenario_count == *capacity)
        report->scenarios =
            vec_grow(ctx->arena, report->scenarios, capacity, sizeof(report->scenarios[0]));
    report->scenarios[report->scenario_count] = (struct report_scenario){ .name = name };
    return &report->scenarios[report->scenario_count++];
}

static struct report_scenario_side *
side_of(struct report_scenario *scenario, size_t load)
{
    return load == LOAD_BEFORE  ? &scenario->before
           : load == LOAD_AFTER ? &scenario->after
                                : &scenario->during;
}

/* A script of one statement tells that statement's quantiles. */
static void
attach_latency(struct report *report, size_t load, const json_t *script,
    const struct report_scenario_side *side)
{
    const json_t *fingerprints = json_object_get(script, "fingerprints");
    const char *only = json_string_value(json_array_get(fingerprints, 0));

    if (json_array_size(fingerprints) != 1 || !only || !*only || load == LOAD_DURING)
        return;
    for (size_t i = 0; i < report->query_count; i++) {
        struct report_query *query = &report->queries[i];
        struct report_side *target = load == LOAD_BEFORE ? &query->before : &query->after;

        if (!text_equal(query->fingerprint, only))
            continue;
        target->has_latency = side->calls > 0;
        target->p50_us = side->p50_us;
        target->p95_us = side->p95_us;
        target->p99_us = side->p99_us;
    }
}

static void
read_scripts(
    struct ctx *ctx, const json_t *json, size_t load, struct report *report, size_t *capacity)
{
    const json_t *script;
    size_t i;

    json_array_foreach(json_object_get(json, "scripts"), i, script)
    {
        const char *name = json_get_text(ctx->arena, script, "name", "?");
        struct report_scenario_side *side =
            side_of(scenario_named(ctx, report, name, capacity), load);

        *side = (struct report_scenario_side){
            .is_known = true,
            .calls = json_get_int(script, "calls", 0),
            .failed = json_get_int(script, "failed", 0),
            .mean_us = json_get_int(script, "mean_us", 0),
            .p50_us = json_get_int(script, "p50_us", 0),
            .p95_us = json_get_int(script, "p95_us", 0),
            .p99_us = json_get_int(script, "p99_us", 0),
            .max_us = json_get_int(script, "max_us", 0),
        };
        attach_latency(report, load, script, side);
    }
}

static void
read_seconds(struct ctx *ctx, const json_t *json, struct report_load *load)
{
    const json_t *array = json_object_get(json, "seconds");
    const json_t *second;
    size_t i;

    load->seconds = ARENA_ARRAY(ctx->arena, struct report_second, json_array_size(array) + 1);
    json_array_foreach(array, i, second) load->seconds[load->second_count++] =
        (struct report_second){
            .at = json_get_int(second, "at", 0),
            .calls = json_get_int(second, "calls", 0),
            .mean_us = json_get_int(second, "mean_us", 0),
            .max_us = json_get_int(second, "max_us", 0),
        };
}

static bool
read_load(struct ctx *ctx, const char *path, size_t at, struct report *report, size_t *capacity)
{
    json_t *json CLEANUP(json_release) = NULL;
    struct report_load *load = &report->loads[at];
    const json_t *message;
    size_t i;

    if (!path)
        return true;
    if (!json_read_file(ctx, path, &json))
        return false;
    if (!text_equal(json_string_value(json_object_get(json, "kind")), "load")) {
        error_set(ctx, ERR_INPUT, "\"%s\" is not the result of a load run", path);
        return error_hint(ctx, "pgmend load run DIR --output FILE writes one.");
    }
    load->is_known = true;
    load->path = path;
    load->started_at = json_get_text(ctx->arena, json, "started_at", "");
    load->elapsed_us = json_get_int(json, "elapsed_us", 0);
    load->clients = json_get_int(json, "clients", 0);
    load->calls = json_get_int(json, "calls", 0);
    load->calls_per_second = json_get_double(json, "calls_per_second", 0);
    load->errors = json_get_int(json, "errors", 0);
    json_array_foreach(json_object_get(json, "messages"), i, message) if (json_is_string(message))
        text_list_add(
            ctx->arena, &load->messages, arena_strdup(ctx->arena, json_string_value(message)));
    /* Files of before pgmend wrote this were always of whole runs. */
    load->is_incomplete = json_is_false(json_object_get(json, "is_complete"));
    if (load->is_incomplete)
        report_note(ctx, report,
            "The load run \"%s\" did not come to its end (\"%s\", %s of it): its numbers are of that "
            "part only.",
            load->label, path, text_from_us(ctx->arena, load->elapsed_us));
    read_seconds(ctx, json, load);
    read_scripts(ctx, json, at, report, capacity);
    return true;
}

bool
report_read_loads(struct ctx *ctx, const struct report_options *options, struct report *report)
{
    const char *const paths[LOAD_COUNT] = {
        [LOAD_BEFORE] = options->load_before,
        [LOAD_DURING] = options->load_during,
        [LOAD_AFTER] = options->load_after,
    };
    static const char *const labels[LOAD_COUNT] = {
        [LOAD_BEFORE] = "before",
        [LOAD_DURING] = "during the change",
        [LOAD_AFTER] = "after",
    };
    size_t capacity = 0;

    for (size_t i = 0; i < LOAD_COUNT; i++) {
        report->loads[i].label = labels[i];
        if (!read_load(ctx, paths[i], i, report, &capacity))
            return error_wrap(ctx, "reading load results");
    }
    return true;
}
