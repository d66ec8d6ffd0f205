/* The schema that the history has built up to here, and a step applied to it. */

#include "migrate/model/model.h"

#include <string.h>

#include "migrate/model/model_apply.h"

void
model_init(struct model *model, struct arena *arena)
{
    static const char *const schemas[] = { "public", "pg_temp" };

    *model = (struct model){ .arena = arena, .server_major = 15, .in_transaction = true };
    model->relations.arena = arena;
    model->types.arena = arena;
    model->schemas.arena = arena;
    model->extensions.arena = arena;
    model->functions.arena = arena;
    model->statistics.arena = arena;
    model->dropped.arena = arena;
    model->constraint_names.arena = arena;
    model->name_hints.arena = arena;
    model->run_types.arena = arena;
    for (size_t i = 0; i < COUNT_OF(schemas); i++)
        map_set(&model->schemas, schemas[i], ARENA_NEW(arena, struct origin));
    map_set(&model->extensions, "plpgsql", ARENA_NEW(arena, struct origin));
}

const struct origin *
model_dropped(const struct model *model, const char *name)
{
    struct key key;

    if (map_get(&model->dropped, name) || strchr(name, '.'))
        return map_get(&model->dropped, name);
    key = key_make("public", name, NULL);
    return map_get(&model->dropped, key.text);
}

static void
apply_nothing(struct act *act)
{
    (void)act;
}

/* What ALTER TABLE does that the model does not follow; the table must be there. */
static void
apply_alter_table(struct act *act)
{
    struct relation *table = need_table(act);

    if (table && act->step->column)
        need_column(act, table, act->step->column, MISSING_OF_RELATION);
}

static void
end_transaction(struct model *model)
{
    for (size_t i = 0; i < model->changed_types.count; i++) {
        model->changed_types.items[i]->new_values.count = 0;
        model->changed_types.items[i]->is_new = false;
    }
    model->changed_types.count = 0;
}

void
model_end_transaction(struct model *model)
{
    end_transaction(model);
    model->in_transaction = true;
}

/*
 * COMMIT as text leaves the session without a transaction: the driver does not know of it. What
 * ROLLBACK takes back is not followed.
 */
static void
apply_transaction(struct act *act)
{
    struct model *model = act->model;

    if (act->is_maybe)
        return;
    if (act->step->kind == STEP_ROLLBACK)
        model->vague_since = act->step;
    else
        end_transaction(model);
    model->in_transaction = act->step->kind == STEP_BEGIN;
}

static apply_func *const appliers[STEP_KIND_COUNT] = {
    [STEP_UNKNOWN] = apply_nothing,
    [STEP_CREATE_TABLE] = apply_create_table,
    [STEP_DROP_TABLE] = apply_drop_relation,
    [STEP_RENAME_TABLE] = apply_rename_relation,
    [STEP_SET_SCHEMA] = apply_set_schema,
    [STEP_ADD_COLUMN] = apply_add_column,
    [STEP_DROP_COLUMN] = apply_drop_column,
    [STEP_RENAME_COLUMN] = apply_rename_column,
    [STEP_ALTER_TYPE] = apply_alter_type,
    [STEP_SET_DEFAULT] = apply_default,
    [STEP_DROP_DEFAULT] = apply_default,
    [STEP_SET_NOT_NULL] = apply_not_null,
    [STEP_DROP_NOT_NULL] = apply_not_null,
    [STEP_IDENTITY] = apply_identity,
    [STEP_ADD_CONSTRAINT] = apply_add_constraint,
    [STEP_DROP_CONSTRAINT] = apply_drop_constraint,
    [STEP_RENAME_CONSTRAINT] = apply_rename_constraint,
    [STEP_VALIDATE_CONSTRAINT] = apply_validate_constraint,
    [STEP_ATTACH_PARTITION] = apply_partition,
    [STEP_DETACH_PARTITION] = apply_partition,
    [STEP_ALTER_TABLE] = apply_alter_table,
    [STEP_CREATE_INDEX] = apply_create_index,
    [STEP_DROP_INDEX] = apply_drop_index,
    [STEP_RENAME_INDEX] = apply_rename_relation,
    [STEP_REINDEX] = apply_data,
    [STEP_CREATE_ENUM] = apply_create_type,
    [STEP_CREATE_TYPE] = apply_create_type,
    [STEP_CREATE_DOMAIN] = apply_create_type,
    [STEP_DROP_TYPE] = apply_drop_type,
    [STEP_RENAME_TYPE] = apply_rename_type,
    [STEP_ADD_VALUE] = apply_add_value,
    [STEP_RENAME_VALUE] = apply_rename_value,
    [STEP_ALTER_DOMAIN] = apply_alter_domain,
    [STEP_CREATE_SEQUENCE] = apply_create_sequence,
    [STEP_ALTER_SEQUENCE] = apply_alter_sequence,
    [STEP_DROP_SEQUENCE] = apply_drop_relation,
    [STEP_CREATE_VIEW] = apply_create_view,
    [STEP_DROP_VIEW] = apply_drop_relation,
    [STEP_REFRESH] = apply_data,
    [STEP_CREATE_SCHEMA] = apply_schema,
    [STEP_DROP_SCHEMA] = apply_schema,
    [STEP_CREATE_EXTENSION] = apply_extension,
    [STEP_DROP_EXTENSION] = apply_extension,
    [STEP_CREATE_FUNCTION] = apply_function,
    [STEP_DROP_FUNCTION] = apply_function,
    [STEP_CREATE_TRIGGER] = apply_on_table,
    [STEP_DROP_TRIGGER] = apply_on_table,
    [STEP_CREATE_POLICY] = apply_on_table,
    [STEP_DROP_POLICY] = apply_on_table,
    [STEP_CREATE_STATISTICS] = apply_statistics,
    [STEP_DROP_STATISTICS] = apply_statistics,
    [STEP_COMMENT] = apply_comment,
    [STEP_GRANT] = apply_uses,
    [STEP_INSERT] = apply_uses,
    [STEP_UPDATE] = apply_uses,
    [STEP_DELETE] = apply_uses,
    [STEP_TRUNCATE] = apply_truncate,
    [STEP_SELECT] = apply_uses,
    [STEP_COPY] = apply_uses,
    [STEP_LOCK] = apply_truncate,
    [STEP_SET] = apply_set,
    [STEP_BEGIN] = apply_transaction,
    [STEP_COMMIT] = apply_transaction,
    [STEP_ROLLBACK] = apply_transaction,
    [STEP_VACUUM] = apply_data,
    [STEP_CLUSTER] = apply_data,
    [STEP_ANALYZE] = apply_data,
    [STEP_DO] = apply_nothing,
    [STEP_OTHER] = apply_data,
};

/* Whether an unknown step may take things away. */
static bool
can_lose(const struct step *step)
{
    static const enum step_kind kinds[] = { STEP_UNKNOWN, STEP_DO, STEP_DROP_TABLE,
        STEP_DROP_COLUMN, STEP_DROP_CONSTRAINT, STEP_DROP_INDEX, STEP_DROP_TYPE, STEP_RENAME_TABLE,
        STEP_RENAME_COLUMN, STEP_RENAME_CONSTRAINT, STEP_RENAME_INDEX };

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (step->kind == kinds[i])
            return true;
    return false;
}

/* What cannot be known reaches as far as the step says. */
static void
reach_out(struct act *act)
{
    const struct step *step = act->step;
    struct relation *relation;

    if (!step->unknown || step->reach == REACH_DATA)
        return;
    relation = step->reach == REACH_TABLE ? model_relation(act->model, step->object) : NULL;
    if (!relation && step->reach == REACH_TABLE)
        relation = model_relation(act->model, step->table);
    if (relation) {
        relation->is_vague = true;
        relation->hides_names = true;
        if (can_lose(step))
            relation->losing_at = act->origin.at;
    } else if (step->reach == REACH_ALL || !(step->object.name || step->table.name)) {
        if (!act->model->vague_since)
            act->model->vague_since = step;
        if (can_lose(step))
            act->model->losing_at = act->origin.at;
    }
}

bool
model_apply(struct ctx *ctx, struct model *model, const struct step *step, size_t revision,
    struct model_errors *errors)
{
    enum verdict verdict = model_decide(model, &step->conditions);
    struct act act = {
        .ctx = ctx,
        .model = model,
        .step = step,
        .origin = { .revision = revision, .place = step->place, .at = ++model->steps },
        .is_maybe = verdict == VERDICT_UNKNOWN || step->is_repeated,
        .errors = errors,
    };

    if (verdict == VERDICT_NO)
        return true;
    appliers[step->kind](&act);
    reach_out(&act);
    return true;
}
