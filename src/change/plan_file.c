/* Plans as files and as JSON. */
#include "base/fault.h"
#include "base/file.h"
#include "change/plan_part.h"

json_t *
plan_json(const struct plan *plan)
{
    json_t *changes = json_array();

    for (size_t i = 0; i < plan->count; i++) {
        json_t *change = json_from_fields(change_fields, change_field_count, &plan->items[i]);

        for (size_t j = 0; j < plan_more_field_count; j++)
            if (json_is_null(json_object_get(change, plan_more_fields[j].name)))
                json_object_del(change, plan_more_fields[j].name);
        json_object_set_new(
            change, "action", json_string(change_action_name(plan->items[i].action)));
        json_array_append_new(changes, change);
    }

    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:o}", "format",
        plan->steps.count > 0 ? PLAN_FORMAT_STEPS : PLAN_FORMAT, "hash", plan->hash, "shape",
        plan->shape, "database", plan->database, "system_identifier", plan->system_identifier,
        "server_version", plan->server_version, "created_at", plan->created_at, "changes", changes);

    if (plan->proof)
        json_object_set_new(json, "proof", json_string(plan->proof));
    if (plan->steps.count > 0)
        json_object_set_new(json, "steps", plan_steps_json(plan));
    return json;
}

bool
plan_write(struct ctx *ctx, const char *path, const struct plan *plan)
{
    json_t *json CLEANUP(json_release) = plan_json(plan);
    const char *text = PLAN_FORMAT;
    size_t length;

    if (file_exists(path) && !file_read(ctx, path, &text, &length))
        return error_wrap(ctx, "writing the plan");
    if (*text && !strstr(text, "pgmend-plan-")) {
        error_set(ctx, ERR_USAGE, "\"%s\" exists and is not a plan: it is not overwritten", path);
        return error_hint(ctx, "Give -o another name.");
    }
    fault_point("plan");
    if (!json_write_file(ctx, path, json))
        return error_wrap(ctx, "writing the plan");
    fault_point("plan");
    return true;
}

static bool
read_action(struct ctx *ctx, const json_t *json, enum change_action *ret)
{
    const char *name = json_get_text(ctx->arena, json, "action", "");

    for (int action = 0; action < (int)ACTION_COUNT; action++) {
        if (text_equal(change_action_name((enum change_action)action), name)) {
            *ret = (enum change_action)action;
            return true;
        }
    }
    return error_set(ctx, ERR_INPUT, "unknown action \"%s\"", name);
}

static void
read_member(struct ctx *ctx, const json_t *json, const struct field *field, void *change)
{
    void *member = (char *)change + field->offset;

    switch (field->type) {
    case FIELD_BOOL:
        *(bool *)member = json_get_bool(json, field->name, false);
        break;
    case FIELD_INT64:
        *(int64_t *)member = json_get_int(json, field->name, 0);
        break;
    case FIELD_UINT32:
        *(uint32_t *)member = (uint32_t)json_get_int(json, field->name, 0);
        break;
    case FIELD_TEXT:
        *(const char **)member = json_get_text(ctx->arena, json, field->name, NULL);
        break;
    case FIELD_INT32:
    case FIELD_DOUBLE:
    case FIELD_TEXT_LIST:
        break;
    }
}

static bool
read_change(struct ctx *ctx, const json_t *json, struct change *ret)
{
    *ret = (struct change){ 0 };
    for (size_t i = 0; i < change_field_count; i++)
        read_member(ctx, json, &change_fields[i], ret);
    if (!read_action(ctx, json, &ret->action))
        return false;
    if (change_is_pending(ret))
        return change_check(ctx, ret);
    if (!ret->kind || !ret->name)
        return error_set(ctx, ERR_INPUT, "a change is incomplete");
    return true;
}

static bool
read_plan(struct ctx *ctx, const json_t *json, struct plan *ret)
{
    const json_t *changes = json_object_get(json, "changes");
    size_t i;
    const json_t *item;

    *ret = (struct plan){
        .hash = json_get_text(ctx->arena, json, "hash", NULL),
        .shape = json_get_text(ctx->arena, json, "shape", NULL),
        .database = json_get_text(ctx->arena, json, "database", NULL),
        .system_identifier = json_get_text(ctx->arena, json, "system_identifier", NULL),
        .server_version = json_get_text(ctx->arena, json, "server_version", ""),
        .created_at = json_get_text(ctx->arena, json, "created_at", "an unknown time"),
        .proof = json_get_text(ctx->arena, json, "proof", NULL),
    };
    if (!text_equal(json_get_text(ctx->arena, json, "format", NULL), PLAN_FORMAT) &&
        !text_equal(json_get_text(ctx->arena, json, "format", NULL), PLAN_FORMAT_STEPS))
        return error_set(ctx, ERR_INPUT, "it is not a plan of this version of pgmend");
    if (!ret->hash || !ret->shape || !ret->database || !json_is_array(changes))
        return error_set(ctx, ERR_INPUT, "the plan is incomplete");
    json_array_foreach(changes, i, item)
    {
        struct change change;

        if (!read_change(ctx, item, &change))
            return false;
        VEC_PUSH(ctx->arena, ret, change);
    }
    return plan_read_steps(ctx, json, ret);
}

bool
plan_from_json(struct ctx *ctx, const json_t *json, struct plan *ret)
{
    if (!read_plan(ctx, json, ret))
        return false;
    if (text_equal(plan_digest(ctx, ret), ret->hash))
        return true;
    return error_set(ctx, ERR_VERIFICATION,
        "it was altered after pgmend wrote it: its statements do not give its hash");
}

bool
plan_read(struct ctx *ctx, const char *path, struct plan *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!json_read_file(ctx, path, &json) || !read_plan(ctx, json, ret)) {
        error_hint(ctx, "Make it again with \"pgmend plan -o %s\".", path);
        return error_wrap(ctx, "reading the plan \"%s\"", path);
    }
    if (text_equal(plan_digest(ctx, ret), ret->hash))
        return true;
    error_set(ctx, ERR_VERIFICATION,
        "the plan \"%s\" was altered after pgmend wrote it: its statements do not give its hash",
        path);
    error_hint(ctx, "Make it again with \"pgmend plan -o %s\".", path);
    return error_state(ctx, "Nothing was changed.");
}
