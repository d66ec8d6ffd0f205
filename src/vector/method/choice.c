#include "vector/method/choice.h"

#include <math.h>

#include "base/clock.h"
#include "sql.h"
#include "vector/method/members.h"

/* clang-format off */
static const struct field measure_fields[] = {
    FIELD(struct vector_measure, queries),
    FIELD(struct vector_measure, recall_least),
    FIELD(struct vector_measure, short_results),
};

static const struct field expectation_fields[] = {
    FIELD(struct vector_expectation, bucket),
    FIELD(struct vector_expectation, least_rows),
    FIELD(struct vector_expectation, most_rows),
};

static const struct field choice_fields[] = {
    FIELD(struct vector_choice, recall),
    FIELD(struct vector_choice, recall_worst),
    FIELD(struct vector_choice, why),
    FIELD(struct vector_choice, retune),
    FIELD(struct vector_choice, text_column),
    FIELD(struct vector_choice, vector_weight),
    FIELD(struct vector_choice, chosen_at),
    FIELD(struct vector_choice, largest_rows),
    FIELD(struct vector_choice, largest_rows),
    FIELD(struct vector_choice, was_measured),
};
/* clang-format on */

struct interval_member {
    const char *name;
    size_t offset;
};

static const struct interval_member intervals[] = {
    { "recall", offsetof(struct vector_measure, recall) },
    { "cpu_us_p50", offsetof(struct vector_measure, cpu_us_p50) },
    { "cpu_us_p95", offsetof(struct vector_measure, cpu_us_p95) },
    { "wall_us_p50", offsetof(struct vector_measure, wall_us_p50) },
    { "wall_us_p95", offsetof(struct vector_measure, wall_us_p95) },
};

static json_t *
measure_to_json(const struct vector_measure *measure)
{
    json_t *json = json_from_fields(measure_fields, COUNT_OF(measure_fields), measure);

    for (size_t i = 0; i < COUNT_OF(intervals); i++) {
        const struct vector_interval *interval =
            (const void *)((const char *)measure + intervals[i].offset);
        json_t *numbers = json_array();

        json_array_append_new(numbers, json_number(interval->value));
        json_array_append_new(numbers, json_number(interval->low));
        json_array_append_new(numbers, json_number(interval->high));
        json_object_set_new(json, intervals[i].name, numbers);
    }
    return json;
}

json_t *
vector_choice_to_json(const struct vector_choice *choice)
{
    json_t *json = json_from_fields(choice_fields, COUNT_OF(choice_fields), choice);
    json_t *specials = json_array();
    json_t *expected = json_array();

    for (size_t i = 0; i < choice->specials.count; i++) {
        const struct vector_special *special = &choice->specials.items[i];
        json_t *tenants = json_array();

        for (size_t n = 0; n < special->tenants.count; n++)
            json_array_append_new(tenants, json_string(special->tenants.items[n]));
        json_array_append_new(specials, json_pack("{s:o, s:o}", "tenants", tenants, "method",
                                            vector_method_to_json(&special->method)));
    }
    for (size_t i = 0; i < choice->expected.count; i++) {
        const struct vector_expectation *one = &choice->expected.items[i];
        json_t *object = json_from_fields(expectation_fields, COUNT_OF(expectation_fields), one);

        json_object_set_new(object, "measure", measure_to_json(&one->measure));
        json_array_append_new(expected, object);
    }
    json_object_set_new(json, "target", vector_target_to_json(&choice->target));
    json_object_set_new(json, "base", vector_method_to_json(&choice->base));
    json_object_set_new(json, "specials", specials);
    json_object_set_new(json, "expected", expected);
    return json;
}

static double
number_of(const json_t *json)
{
    return json_is_number(json) ? json_number_value(json) : (double)NAN;
}

static bool
read_measure(struct ctx *ctx, const json_t *json, struct vector_measure *ret)
{
    if (!json_is_object(json))
        return error_set(ctx, ERR_INPUT, "\"measure\" is not a JSON object");
    for (size_t i = 0; i < COUNT_OF(intervals); i++) {
        const json_t *numbers = json_object_get(json, intervals[i].name);
        struct vector_interval *interval = (void *)((char *)ret + intervals[i].offset);

        if (!json_is_array(numbers) || json_array_size(numbers) != 3)
            return error_set(
                ctx, ERR_INPUT, "\"%s\" is not an array of three numbers", intervals[i].name);
        interval->value = number_of(json_array_get(numbers, 0));
        interval->low = number_of(json_array_get(numbers, 1));
        interval->high = number_of(json_array_get(numbers, 2));
    }
    return members_read(ctx, measure_fields, COUNT_OF(measure_fields), json, ret);
}

static bool
read_special(struct ctx *ctx, const json_t *json, struct vector_special *ret)
{
    const json_t *tenants = json_object_get(json, "tenants");
    const json_t *tenant;
    size_t i;

    if (!json_is_array(tenants))
        return error_set(ctx, ERR_INPUT, "\"tenants\" is not a JSON array");
    json_array_foreach(tenants, i, tenant)
    {
        if (!json_is_string(tenant))
            return error_set(ctx, ERR_INPUT, "a member of \"tenants\" is not a text");
        text_list_add(
            ctx->arena, &ret->tenants, arena_strdup(ctx->arena, json_string_value(tenant)));
    }
    return vector_method_from_json(ctx, json_object_get(json, "method"), &ret->method);
}

static bool
read_lists(struct ctx *ctx, const json_t *json, struct vector_choice *ret)
{
    const json_t *member;
    size_t i;

    json_array_foreach(json_object_get(json, "specials"), i, member)
    {
        struct vector_special special = { 0 };

        if (!read_special(ctx, member, &special))
            return error_wrap(ctx, "\"specials\", number %zu", i + 1);
        VEC_PUSH(ctx->arena, &ret->specials, special);
    }
    json_array_foreach(json_object_get(json, "expected"), i, member)
    {
        struct vector_expectation one = { 0 };

        if (!members_read(ctx, expectation_fields, COUNT_OF(expectation_fields), member, &one) ||
            !read_measure(ctx, json_object_get(member, "measure"), &one.measure))
            return error_wrap(ctx, "\"expected\", number %zu", i + 1);
        VEC_PUSH(ctx->arena, &ret->expected, one);
    }
    return true;
}

bool
vector_choice_from_json(struct ctx *ctx, const json_t *json, struct vector_choice *ret)
{
    *ret = (struct vector_choice){ .vector_weight = -1 };
    if (!json_is_object(json))
        return error_set(ctx, ERR_INPUT, "what is installed is not described by a JSON object");
    if (!vector_target_from_json(ctx, json_object_get(json, "target"), &ret->target) ||
        !vector_method_from_json(ctx, json_object_get(json, "base"), &ret->base) ||
        !members_read(ctx, choice_fields, COUNT_OF(choice_fields), json, ret) ||
        !read_lists(ctx, json, ret))
        return error_wrap(ctx, "reading which search is installed");
    return true;
}

const char *
vector_choice_key(struct arena *arena, const struct vector_target *target)
{
    return arena_printf(arena, "vector:%s.%s.%s", target->schema, target->table, target->column);
}

void
vector_choice_exact(
    struct arena *arena, const struct vector_target *target, struct vector_choice *ret)
{
    *ret = (struct vector_choice){
        .target = *target,
        .base = { .family = FAMILY_EXACT, .element = ELEMENT_COLUMN },
        .recall = 1,
        .recall_worst = 1,
        .why = "Nobody has measured yet; exact search is always right.",
        .retune = "Run pgmend vector tune to find the fastest search that keeps the right answers.",
        .vector_weight = -1,
        .chosen_at = clock_text(arena, clock_wall_us()),
    };
}

bool
vector_choice_load(struct ctx *ctx, struct db *db, const struct vector_target *target,
    struct vector_choice *ret, bool *ret_found)
{
    struct sql_change_value_rows rows;
    const char *name = vector_choice_key(ctx->arena, target);
    json_t *json CLEANUP(json_release) = NULL;

    *ret = (struct vector_choice){ 0 };
    *ret_found = false;
    if (!sql_change_value(ctx, db, &rows, .name = name))
        return error_wrap(ctx, "reading which search is installed");
    if (rows.count == 0)
        return true;
    if (!json_parse(ctx, name, rows.items[0].value, &json) ||
        !vector_choice_from_json(ctx, json, ret))
        return error_hint(ctx,
            "What stands in pgmend.value under the name \"%s\" was changed by "
            "somebody else; pgmend vector tune writes it anew.",
            name);
    *ret_found = true;
    return true;
}

const struct vector_method *
vector_choice_method(const struct vector_choice *choice, const char *tenant)
{
    if (!tenant)
        return &choice->base;
    for (size_t i = 0; i < choice->specials.count; i++) {
        if (text_list_has(&choice->specials.items[i].tenants, tenant))
            return &choice->specials.items[i].method;
    }
    return &choice->base;
}
