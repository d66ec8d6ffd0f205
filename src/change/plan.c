#include "change/plan.h"

#include "base/crypto.h"
#include "base/file.h"
#include "change/journal.h"
#include "sql.h"

#define FORMAT "pgmend-plan-1"

/* The OIDs of all tables of the plan, as an array literal. */
static const char *
tables_of(struct ctx *ctx, const struct plan *plan)
{
    struct buffer buffer = { .arena = ctx->arena };

    buffer_add(&buffer, "{");
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].table_oid)
            buffer_printf(&buffer, "%s%u", buffer.length > 1 ? "," : "", plan->items[i].table_oid);
    buffer_add(&buffer, "}");
    return buffer_text(&buffer);
}

static bool
digest_shape(struct ctx *ctx, struct db *db, const struct plan *plan, const char **ret)
{
    struct sql_catalog_table_shape_rows rows;
    struct buffer buffer = { .arena = ctx->arena };

    if (!sql_catalog_table_shape(ctx, db, &rows, .tables = tables_of(ctx, plan)))
        return error_wrap(ctx, "reading the tables' definitions");
    for (size_t i = 0; i < rows.count; i++)
        buffer_printf(&buffer, "%s\n", rows.items[i].line);
    *ret = sha256_of(ctx->arena, buffer_text(&buffer), buffer.length);
    return true;
}

static const char *
text_or_empty(const char *text)
{
    return text ? text : "";
}

/* What the plan does: the same statements on the same database give the same hash. */
static const char *
digest_plan(struct ctx *ctx, const struct plan *plan)
{
    struct buffer buffer = { .arena = ctx->arena };

    buffer_printf(&buffer, "%s\n%s\n", FORMAT, plan->database);
    for (size_t i = 0; i < plan->count; i++) {
        const struct change *change = &plan->items[i];

        if (change->action == ACTION_BLOCKED || change->action == ACTION_EQUIVALENT)
            continue;
        buffer_printf(&buffer, "%s|%s|%s|%s|%s|%s|%s|%s|%d\n", change->kind, change->schema,
            change->table, change->name, change->statement, text_or_empty(change->undo),
            text_or_empty(change->duplicates), text_or_empty(change->definition),
            (int)change->is_unique);
    }
    return sha256_of(ctx->arena, buffer_text(&buffer), buffer.length);
}

bool
plan_seal(struct ctx *ctx, struct db *db, struct plan *plan)
{
    plan->hash = digest_plan(ctx, plan);
    return digest_shape(ctx, db, plan, &plan->shape);
}

bool
plan_check_fresh(struct ctx *ctx, struct db *db, const struct plan *plan)
{
    const char *shape;
    const char *cluster;

    if (!text_equal(plan->database, db_name(db))) {
        error_set(ctx, ERR_STALE, "the plan was made for database \"%s\", this is \"%s\"",
            plan->database, db_name(db));
        return error_state(ctx, "Nothing was changed.");
    }
    if (!journal_system_identifier(ctx, db, &cluster) || !digest_shape(ctx, db, plan, &shape))
        return false;
    if (cluster && plan->system_identifier && !text_equal(cluster, plan->system_identifier)) {
        error_set(ctx, ERR_STALE, "the plan was made on another server");
        return error_state(ctx, "Nothing was changed.");
    }
    if (text_equal(shape, plan->shape))
        return true;
    error_set(ctx, ERR_STALE,
        "the plan is stale: a table it is about was altered since it was made at %s",
        plan->created_at);
    error_hint(ctx, "Make it again with \"pgmend plan\" and look at it.");
    return error_state(ctx, "Nothing was changed.");
}

size_t
plan_count(const struct plan *plan, enum change_action action)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++)
        count += plan->items[i].action == action;
    return count;
}

size_t
plan_pending(const struct plan *plan)
{
    return plan_count(plan, ACTION_CREATE) + plan_count(plan, ACTION_REPAIR);
}

json_t *
plan_json(const struct plan *plan)
{
    json_t *changes = json_array();

    for (size_t i = 0; i < plan->count; i++) {
        json_t *change = json_from_fields(change_fields, change_field_count, &plan->items[i]);

        json_object_set_new(
            change, "action", json_string(change_action_name(plan->items[i].action)));
        json_array_append_new(changes, change);
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:o}", "format", FORMAT, "hash",
        plan->hash, "shape", plan->shape, "database", plan->database, "system_identifier",
        plan->system_identifier, "server_version", plan->server_version, "created_at",
        plan->created_at, "changes", changes);
}

bool
plan_write(struct ctx *ctx, const char *path, const struct plan *plan)
{
    json_t *json CLEANUP(json_release) = plan_json(plan);
    const char *text = FORMAT;
    size_t length;

    if (file_exists(path) && !file_read(ctx, path, &text, &length))
        return error_wrap(ctx, "writing the plan");
    if (*text && !strstr(text, FORMAT)) {
        error_set(ctx, ERR_USAGE, "\"%s\" exists and is not a plan: it is not overwritten", path);
        return error_hint(ctx, "Give -o another name.");
    }
    if (!json_write_file(ctx, path, json))
        return error_wrap(ctx, "writing the plan");
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
    if (!ret->kind || !ret->schema || !ret->table || !ret->name || !ret->statement)
        return error_set(ctx, ERR_INPUT, "a change is incomplete");
    if (change_is_pending(ret) && (!ret->undo || !ret->definition || !ret->lock))
        return error_set(ctx, ERR_INPUT, "the change %s is incomplete", ret->name);
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
    };
    if (!text_equal(json_get_text(ctx->arena, json, "format", NULL), FORMAT))
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
    return true;
}

bool
plan_read(struct ctx *ctx, const char *path, struct plan *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!json_read_file(ctx, path, &json) || !read_plan(ctx, json, ret)) {
        error_hint(ctx, "Make it again with \"pgmend plan -o %s\".", path);
        return error_wrap(ctx, "reading the plan \"%s\"", path);
    }
    if (text_equal(digest_plan(ctx, ret), ret->hash))
        return true;
    error_set(ctx, ERR_VERIFICATION,
        "the plan \"%s\" was altered after pgmend wrote it: its statements do not give its hash",
        path);
    error_hint(ctx, "Make it again with \"pgmend plan -o %s\".", path);
    return error_state(ctx, "Nothing was changed.");
}
