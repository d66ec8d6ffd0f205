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

/*
 * Whether the line tells of a column that the plan itself adds: a run that was cut off after it has
 * to be able to go on. A line is "column <table> <number> <name> <type> …".
 */
static bool
is_of_plan(struct ctx *ctx, const struct plan *plan, const char *line)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct change *change = &plan->items[i];
        const char *start = arena_printf(ctx->arena, "column %u ", change->table_oid);
        const char *name = arena_printf(ctx->arena, " %s ", change->name);

        if (!change_is_of(change, KIND_COLUMN) || !text_starts_with(line, start))
            continue;
        if (text_starts_with(
                line + strlen(start) + strspn(line + strlen(start), "0123456789"), name))
            return true;
    }
    return false;
}

static bool
digest_shape(struct ctx *ctx, struct db *db, const struct plan *plan, const char **ret)
{
    struct sql_catalog_table_shape_rows rows;
    struct buffer buffer = { .arena = ctx->arena };

    if (!sql_catalog_table_shape(ctx, db, &rows, .tables = tables_of(ctx, plan)))
        return error_wrap(ctx, "reading the tables' definitions");
    for (size_t i = 0; i < rows.count; i++)
        if (!is_of_plan(ctx, plan, rows.items[i].line))
            buffer_printf(&buffer, "%s\n", rows.items[i].line);
    *ret = sha256_of(ctx->arena, buffer_text(&buffer), buffer.length);
    return true;
}

static const char *
text_or_empty(const char *text)
{
    return text ? text : "";
}

/* Members that only some kinds have: left out where they are not, so that indexes stay as they are. */
static const struct field more_fields[] = {
    FIELD(struct change, column),
    FIELD(struct change, type),
    FIELD(struct change, storage),
    FIELD(struct change, expression),
    FIELD(struct change, key),
    FIELD(struct change, arguments),
    FIELD(struct change, settings),
    FIELD(struct change, role),
};

static void
digest_more(struct arena *arena, const struct change *change, struct buffer *ret)
{
    for (size_t i = 0; i < COUNT_OF(more_fields); i++) {
        const char *text = field_text(arena, &more_fields[i], change);

        if (text)
            buffer_printf(ret, "%s:%zu:%s\n", more_fields[i].name, strlen(text), text);
    }
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
        buffer_printf(&buffer, "%s|%s|%s|%s|%s|%s|%s|%s|%d\n", change->kind,
            text_or_empty(change->schema), text_or_empty(change->table), change->name,
            text_or_empty(change->statement), text_or_empty(change->undo),
            text_or_empty(change->duplicates), text_or_empty(change->definition),
            (int)change->is_unique);
        digest_more(ctx->arena, change, &buffer);
    }
    if (plan->proof)
        buffer_printf(&buffer, "proof:%zu:%s\n", strlen(plan->proof), plan->proof);
    return sha256_of(ctx->arena, buffer_text(&buffer), buffer.length);
}

bool
plan_seal(struct ctx *ctx, struct db *db, struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        change_compose(ctx->arena, &plan->items[i]);
        if (change_is_pending(&plan->items[i]) && !change_check(ctx, &plan->items[i]))
            return error_wrap(ctx, "sealing the plan");
    }
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

        for (size_t j = 0; j < COUNT_OF(more_fields); j++)
            if (json_is_null(json_object_get(change, more_fields[j].name)))
                json_object_del(change, more_fields[j].name);
        json_object_set_new(
            change, "action", json_string(change_action_name(plan->items[i].action)));
        json_array_append_new(changes, change);
    }

    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:o}", "format", FORMAT, "hash",
        plan->hash, "shape", plan->shape, "database", plan->database, "system_identifier",
        plan->system_identifier, "server_version", plan->server_version, "created_at",
        plan->created_at, "changes", changes);

    if (plan->proof)
        json_object_set_new(json, "proof", json_string(plan->proof));
    return json;
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
