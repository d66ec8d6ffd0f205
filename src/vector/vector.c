#include "vector/vector.h"

#include "db/ident.h"

struct metric_row {
    const char *name;
    const char *operator;
    const char *class;
};

/* clang-format off */
#define METRIC_ROW(metric, metric_name, op, opclass) \
    [metric] = { .name = (metric_name), .operator = (op), .class = (opclass) },
static const struct metric_row metrics[] = { VECTOR_METRICS(METRIC_ROW) };
#undef METRIC_ROW

static const struct field target_fields[] = {
    FIELD(struct vector_target, schema, .required = true),
    FIELD(struct vector_target, table, .required = true),
    FIELD(struct vector_target, table_oid),
    FIELD(struct vector_target, key),
    FIELD(struct vector_target, key_type),
    FIELD(struct vector_target, column, .required = true),
    FIELD(struct vector_target, type, .required = true),
    FIELD(struct vector_target, dims),
    FIELD(struct vector_target, tenant),
    FIELD(struct vector_target, tenant_type),
    FIELD(struct vector_target, limit),
    FIELD(struct vector_target, text),
    FIELD(struct vector_target, text_config),
    FIELD(struct vector_target, is_config_column),
    FIELD(struct vector_target, importance),
    FIELD(struct vector_target, doc_type),
    FIELD(struct vector_target, chunk_hash),
    FIELD(struct vector_target, extension_schema, .required = true),
    FIELD(struct vector_target, extension_version, .required = true),
    FIELD(struct vector_target, extension_number),
    FIELD(struct vector_target, rows),
    FIELD(struct vector_target, table_bytes),
    FIELD(struct vector_target, toast_bytes),
    FIELD(struct vector_target, storage),
    FIELD(struct vector_target, is_toasted),
    FIELD(struct vector_target, is_nullable),
    FIELD(struct vector_target, found_in),
};

static const struct field filter_fields[] = {
    FIELD(struct vector_filter, column, .required = true),
    FIELD(struct vector_filter, type, .required = true),
    FIELD(struct vector_filter, operator, .required = true),
    FIELD(struct vector_filter, value),
};
/* clang-format on */

const char *
vector_metric_name(enum vector_metric metric)
{
    return metrics[metric].name;
}

const char *
vector_metric_operator(enum vector_metric metric)
{
    return metrics[metric].operator;
}

const char *
vector_metric_class(enum vector_metric metric)
{
    return metrics[metric].class;
}

bool
vector_metric_of(const char *operator, enum vector_metric * ret)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (text_equal(metrics[i].operator, operator)) {
            *ret = (enum vector_metric)i;
            return true;
        }
    }
    return false;
}

void
vector_progress(
    const struct vector_observer *observer, const char *what, double ratio, int64_t left_us)
{
    if (observer && observer->progress)
        observer->progress(observer->data, what, ratio, left_us);
}

void
vector_note(const struct vector_observer *observer, const char *text)
{
    if (observer && observer->note)
        observer->note(observer->data, text);
}

json_t *
vector_target_to_json(const struct vector_target *target)
{
    json_t *object = json_from_fields(target_fields, COUNT_OF(target_fields), target);
    json_t *filters = json_array();

    for (size_t i = 0; i < target->filters.count; i++)
        json_array_append_new(filters,
            json_from_fields(filter_fields, COUNT_OF(filter_fields), &target->filters.items[i]));
    json_object_set_new(object, "metric", json_string(vector_metric_name(target->metric)));
    json_object_set_new(object, "filters", filters);
    return object;
}

static const char *
member_text(struct arena *arena, const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);

    if (json_is_integer(value))
        return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    return json_get_text(arena, json, name, NULL);
}

/* The members that the fields describe; one that is missing or null stays as it is. */
static bool
read_fields(
    struct ctx *ctx, const struct field *fields, size_t count, const json_t *json, void *object)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = member_text(ctx->arena, json, fields[i].name);

        if (!text && fields[i].required)
            return error_set(ctx, ERR_INPUT, "it has no \"%s\"", fields[i].name);
        if (text && !field_parse(ctx, &fields[i], text, object))
            return false;
    }
    return true;
}

static bool
read_metric(struct ctx *ctx, const json_t *json, enum vector_metric *ret)
{
    const char *name = json_get_text(ctx->arena, json, "metric", "");

    for (int i = 0; i < METRIC_COUNT; i++) {
        if (strcmp(metrics[i].name, name) == 0) {
            *ret = (enum vector_metric)i;
            return true;
        }
    }
    return error_set(ctx, ERR_INPUT, "\"%s\" is not a distance", name);
}

static bool
read_target(struct ctx *ctx, const json_t *json, struct vector_target *ret)
{
    const json_t *filter;
    size_t i;

    if (!read_fields(ctx, target_fields, COUNT_OF(target_fields), json, ret) ||
        !read_metric(ctx, json, &ret->metric))
        return false;
    json_array_foreach(json_object_get(json, "filters"), i, filter)
    {
        struct vector_filter one = { 0 };

        if (!read_fields(ctx, filter_fields, COUNT_OF(filter_fields), filter, &one))
            return error_wrap(ctx, "filter %zu", i + 1);
        VEC_PUSH(ctx->arena, &ret->filters, one);
    }
    return true;
}

bool
vector_target_from_json(struct ctx *ctx, const json_t *json, struct vector_target *ret)
{
    *ret = (struct vector_target){ 0 };
    if (!json_is_object(json))
        return error_set(ctx, ERR_INPUT, "the vector column is not described by a JSON object");
    return read_target(ctx, json, ret) || error_wrap(ctx, "reading which vector column is meant");
}

const char *
vector_table(struct arena *arena, const struct vector_target *target)
{
    return db_qualified(arena, target->schema, target->table);
}
