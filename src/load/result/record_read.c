#include "base/file.h"
#include "load/result/parse.h"

/* A result that is larger is none of ours: 60 slices of 1,000 kinds of requests need less. */
enum { MOST_BYTES = 64 << 20, MOST_ITEMS = 100000, MOST_STEPS = 1000 };

static bool
read_slices(struct load_reading *reading, const json_t *json, struct load_step_record *step)
{
    struct load_record *record = reading->record;
    const json_t *slices = json_object_get(json, "slices");
    const json_t *errors = json_object_get(json, "slice_errors");
    size_t count = json_array_size(slices);

    if (!json_is_array(slices) || count > LOAD_MOST_SLICES || json_array_size(errors) != count)
        return load_parse_refuse(reading, "slices", "is missing, or not as long as slice_errors");
    if (!reading->has_slices)
        record->slice_count = count;
    reading->has_slices = true;
    if (record->slice_count != count)
        return load_parse_refuse(reading, "slices", "are not as many as those of the first script");
    step->slices = ARENA_ARRAY(reading->ctx->arena, struct load_sparse, LOAD_MOST_SLICES);
    step->slice_errors = ARENA_ARRAY(reading->ctx->arena, int64_t, LOAD_MOST_SLICES);
    for (size_t i = 0; i < count; i++) {
        if (!load_parse_sparse(reading, json_array_get(slices, i), &step->slices[i]) ||
            !load_parse_number(
                reading, json_array_get(errors, i), "slice_errors", &step->slice_errors[i]))
            return false;
        if (step->slice_errors[i] < 0)
            return load_parse_refuse(reading, "slice_errors", "is out of range");
    }
    return true;
}

static bool
read_step(struct load_reading *reading, const json_t *json, void *item)
{
    struct load_step_record *step = item;

    if (!load_parse_fields(reading, json, &load_step_fields, step) ||
        !load_parse_outcomes(reading, json, step->outcomes) ||
        !load_parse_histogram(reading, json, "latency", &step->latency) ||
        !load_parse_histogram(reading, json, "service", &step->service) ||
        !read_slices(reading, json, step))
        return false;
    if (!step->name)
        return load_parse_refuse(reading, "name", "is not text");
    if (step->latency->count != step->outcomes[LOAD_GOOD])
        return load_parse_refuse(reading, "latency", "counts other than the good answers");
    return true;
}

static bool
read_group(struct load_reading *reading, const json_t *json, void *item)
{
    struct load_group_record *group = item;

    if (!load_parse_fields(reading, json, &load_group_fields, group) ||
        !load_parse_outcomes(reading, json, group->outcomes) ||
        !load_parse_histogram(reading, json, "latency", &group->latency))
        return false;
    return group->name || load_parse_refuse(reading, "name", "is not text");
}

static bool
read_moment(struct load_reading *reading, const json_t *json, void *item)
{
    return load_parse_fields(reading, json, &load_moment_fields, item);
}

static bool
read_fact(struct load_reading *reading, const json_t *json, void *item)
{
    const struct load_fact *fact = item;

    if (!load_parse_fields(reading, json, &load_fact_fields, item))
        return false;
    return (fact->name && fact->label && fact->unit) ||
           load_parse_refuse(reading, "name", "is not text");
}

static bool
read_fact_moment(struct load_reading *reading, const json_t *json, void *item)
{
    return load_parse_fields(reading, json, &load_fact_moment_fields, item);
}

static bool
read_goal(struct load_reading *reading, const json_t *json, void *item)
{
    const struct load_goal_result *goal = item;

    if (!load_parse_fields(reading, json, &load_goal_fields, item))
        return false;
    return goal->text || load_parse_refuse(reading, "text", "is not text");
}

/* A list of objects: where it stands, and what reads one. */
struct list {
    const char *key;
    size_t most;
    size_t size;
    bool (*read)(struct load_reading *reading, const json_t *json, void *item);
};

static bool
read_list(struct load_reading *reading, const json_t *json, const struct list *list,
    void **ret_items, size_t *ret_count)
{
    const json_t *array = json_object_get(json, list->key);
    const json_t *item;
    size_t i;
    char *items;

    if (!json_is_array(array))
        return load_parse_refuse(reading, list->key, "is missing");
    if (json_array_size(array) > list->most)
        return load_parse_refuse(reading, list->key, "is longer than that of any run");
    items = arena_alloc(reading->ctx->arena, (json_array_size(array) + 1) * list->size);
    *ret_items = items;
    *ret_count = 0;
    json_array_foreach(array, i, item)
    {
        snprintf(reading->where, sizeof(reading->where), "%s[%zu]", list->key, i);
        if (!list->read(reading, item, items + i * list->size))
            return false;
        (*ret_count)++;
    }
    reading->where[0] = '\0';
    return true;
}

static bool
read_lists(struct load_reading *reading, const json_t *json)
{
    struct load_record *record = reading->record;
    const struct list steps = { "scripts", MOST_STEPS, sizeof(record->steps[0]), read_step };
    const struct list groups = { "groups", MOST_STEPS, sizeof(record->groups[0]), read_group };
    const struct list moments = { "seconds", MOST_ITEMS, sizeof(record->moments[0]), read_moment };
    const struct list facts = { "facts", MOST_STEPS, sizeof(record->facts[0]), read_fact };
    const struct list fact_moments = { "fact_moments", MOST_ITEMS, sizeof(record->fact_moments[0]),
        read_fact_moment };
    const struct list goals = { "goals", MOST_STEPS, sizeof(record->goals[0]), read_goal };
    void *items[6] = { NULL };

    if (!read_list(reading, json, &steps, &items[0], &record->step_count) ||
        !read_list(reading, json, &groups, &items[1], &record->group_count) ||
        !read_list(reading, json, &moments, &items[2], &record->moment_count) ||
        !read_list(reading, json, &facts, &items[3], &record->fact_count) ||
        !read_list(reading, json, &fact_moments, &items[4], &record->fact_moment_count) ||
        !read_list(reading, json, &goals, &items[5], &record->goal_count))
        return false;
    record->steps = items[0];
    record->groups = items[1];
    record->moments = items[2];
    record->facts = items[3];
    record->fact_moments = items[4];
    record->goals = items[5];
    return true;
}

static bool
read_messages(struct load_reading *reading, const json_t *json)
{
    struct load_record *record = reading->record;
    const json_t *counts = json_object_get(json, "message_counts");
    struct text_list texts;

    if (!load_parse_texts(reading, json_object_get(json, "messages"), "messages", &texts))
        return false;
    if (json_array_size(counts) != texts.count)
        return load_parse_refuse(reading, "message_counts", "is not as long as messages");
    record->messages = ARENA_ARRAY(reading->ctx->arena, struct load_message, texts.count + 1);
    for (size_t i = 0; i < texts.count; i++) {
        record->messages[i].text = texts.items[i];
        if (!load_parse_number(
                reading, json_array_get(counts, i), "message_counts", &record->messages[i].count))
            return false;
    }
    record->message_count = texts.count;
    return true;
}

/* What stands in JSON otherwise than in the record. */
static bool
read_rest(struct load_reading *reading, const json_t *json)
{
    struct load_record *record = reading->record;
    const char *protocol = json_string_value(json_object_get(json, "protocol"));
    const char *seed = json_string_value(json_object_get(json, "seed"));

    if (text_equal(protocol, load_kind_names[LOAD_HTTP]))
        record->kind = LOAD_HTTP;
    else if (text_equal(protocol, load_kind_names[LOAD_SQL]))
        record->kind = LOAD_SQL;
    else
        return load_parse_refuse(reading, "protocol", "is missing or unknown");
    if (!seed)
        return load_parse_refuse(reading, "seed", "is missing");
    record->seed = strtoull(seed, NULL, 10);
    if (!record->name)
        return load_parse_refuse(reading, "name", "is not text");
    if (record->elapsed_us < 0 || record->users < 0 || record->slice_us <= 0)
        return load_parse_refuse(
            reading, "elapsed_us", "is out of range, or users or slice_us are");
    return true;
}

bool
load_record_read(struct ctx *ctx, const char *path, struct load_record *ret)
{
    struct load_reading reading = { .ctx = ctx, .path = path, .record = ret };
    json_t *json CLEANUP(json_release) = NULL;
    const char *text;
    size_t length;

    *ret = (struct load_record){ 0 };
    if (!file_read_most(ctx, path, MOST_BYTES, &text, &length))
        return false;
    if (strlen(text) != length)
        return error_set(ctx, ERR_INPUT, "%s: is not JSON: it holds a NUL byte", path);
    if (!json_parse(ctx, path, text, &json)) {
        return error_hint(ctx,
            "It is no result of a load run, or was cut: pgmend load run SCENARIO --output FILE "
            "writes one.");
    }
    if (!text_equal(json_string_value(json_object_get(json, "kind")), "load"))
        return load_parse_refuse(&reading, "kind", "is not \"load\"");
    return load_parse_fields(&reading, json, &load_record_fields, ret) &&
           read_rest(&reading, json) && read_messages(&reading, json) &&
           load_parse_histogram(&reading, json_object_get(json, "generator"), "lag", &ret->lag) &&
           read_lists(&reading, json);
}
