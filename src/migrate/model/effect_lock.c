#include "migrate/model/effect_lock.h"

#include <string.h>

/* More relations than this are not followed from one step: hostile histories have no end. */
enum { LOCKS_MOST = 1000 };

/* Steps that go from a table to its partitions, and to tables that inherit from it. */
static const bool recurses[STEP_KIND_COUNT] = {
    [STEP_DROP_TABLE] = true,
    [STEP_ADD_COLUMN] = true,
    [STEP_DROP_COLUMN] = true,
    [STEP_RENAME_COLUMN] = true,
    [STEP_ALTER_TYPE] = true,
    [STEP_SET_DEFAULT] = true,
    [STEP_DROP_DEFAULT] = true,
    [STEP_SET_NOT_NULL] = true,
    [STEP_DROP_NOT_NULL] = true,
    [STEP_ADD_CONSTRAINT] = true,
    [STEP_DROP_CONSTRAINT] = true,
    [STEP_RENAME_CONSTRAINT] = true,
    [STEP_VALIDATE_CONSTRAINT] = true,
    [STEP_CREATE_INDEX] = true,
    [STEP_DROP_INDEX] = true,
    [STEP_CREATE_TRIGGER] = true,
    [STEP_UPDATE] = true,
    [STEP_DELETE] = true,
    [STEP_SELECT] = true,
    [STEP_TRUNCATE] = true,
    [STEP_LOCK] = true,
};

struct object_name
effect_name(struct arena *arena, const char *text)
{
    const char *dot = text ? strchr(text, '.') : NULL;

    if (!dot)
        return (struct object_name){ .name = text };
    return (struct object_name){
        .schema = arena_strndup(arena, text, (size_t)(dot - text)),
        .name = dot + 1,
    };
}

/* What the model has not is taken to exist (a history need not start from nothing). */
static const struct relation *
relation_of(struct work *work, struct object_name name)
{
    const struct relation *relation;
    struct relation *assumed;

    if (!name.name)
        return NULL;
    relation = model_relation(work->model, name);
    if (relation)
        return relation;
    if (work->step->if_exists && !work->model->vague_since && !work->model->has_baseline)
        return NULL;
    assumed = ARENA_NEW(work->ctx->arena, struct relation);
    *assumed = (struct relation){
        .schema = name.schema ? name.schema : "public",
        .name = name.name,
        .presence = MAYBE,
        .origin = { .revision = SIZE_MAX },
        .is_vague = true,
        .is_filled = true,
    };
    return assumed;
}

const struct relation *
effect_table(struct work *work)
{
    const struct step *step = work->step;
    const struct relation *relation;

    if (step->table.name)
        return relation_of(work, step->table);
    if (!step->object.name)
        return NULL;
    relation = model_relation(work->model, step->object);
    if (relation && relation->kind == RELATION_INDEX)
        return relation->table;
    if (step->kind == STEP_DROP_INDEX || step->kind == STEP_RENAME_INDEX ||
        (step->kind == STEP_REINDEX && step->name_kind == NAME_INDEX))
        return NULL;
    return relation_of(work, step->object);
}

static bool
is_same(const struct relation *a, const struct relation *b)
{
    bool is_assumed = a->origin.revision == SIZE_MAX && b->origin.revision == SIZE_MAX;

    return a == b ||
           (is_assumed && text_equal(a->name, b->name) && text_equal(a->schema, b->schema));
}

static void
lock(struct work *work, const struct relation *relation, enum lock_mode mode)
{
    struct effect *effect = work->effect;

    if (!relation)
        return;
    for (size_t i = 0; i < effect->locks.count; i++) {
        struct relation_lock *old = &effect->locks.items[i];

        if (is_same(old->relation, relation)) {
            old->mode = old->mode > mode ? old->mode : mode;
            return;
        }
    }
    if (effect->locks.count < LOCKS_MOST)
        VEC_PUSH(work->ctx->arena, &effect->locks, (struct relation_lock){ relation, mode });
}

/*
 * A key of a partitioned table is made of indexes, which are built as by CREATE INDEX. From 18 on the partitions are
 * locked as the table is.
 */
static enum lock_mode
mode_below(const struct work *work, enum lock_mode mode)
{
    const struct step *step = work->step;
    bool is_key = step->kind == STEP_ADD_CONSTRAINT && step->constraints.count > 0 &&
                  (step->constraints.items[0].kind == CONSTRAINT_UNIQUE ||
                      step->constraints.items[0].kind == CONSTRAINT_PRIMARY_KEY);

    return is_key && work->major < 18 ? LOCK_SHARE : mode;
}

/* Of the step's table, and of its partitions unless it is said to be ONLY the table. */
static void
lock_down(struct work *work, const struct relation *relation, enum lock_mode mode)
{
    size_t first = work->effect->locks.count;

    lock(work, relation, mode);
    if (work->step->is_only || !recurses[work->step->kind])
        return;
    /* Those found join the end of the list and are followed as well. */
    for (size_t i = first; i < work->effect->locks.count; i++) {
        const struct relation *parent = work->effect->locks.items[i].relation;

        for (size_t k = 0; k < parent->children.count; k++)
            lock(work, parent->children.items[k], mode_below(work, mode));
    }
}

static void
lock_names(struct work *work, const struct text_list *names, enum lock_mode mode)
{
    for (size_t i = 0; i < names->count; i++)
        lock_down(work, relation_of(work, effect_name(work->ctx->arena, names->items[i])), mode);
}

static void
lock_table(struct work *work, enum lock_mode mode)
{
    lock_down(work, work->table, mode);
}

static void
lock_values(struct work *work, enum lock_mode mode)
{
    lock_names(work, &work->step->values, mode);
}

static void
lock_others(struct work *work, enum lock_mode mode)
{
    lock_names(work, &work->step->tables, mode);
}

static void
lock_parent(struct work *work, enum lock_mode mode)
{
    if (work->step->parent)
        lock(work, relation_of(work, effect_name(work->ctx->arena, work->step->parent)), mode);
}

/* What the view read when it was made. */
static void
lock_uses(struct work *work, enum lock_mode mode)
{
    if (work->table)
        lock_names(work, &work->table->uses, mode);
}

/* The tables that the step's own foreign keys refer to. */
static void
lock_new_targets(struct work *work, enum lock_mode mode)
{
    for (size_t i = 0; i < work->step->constraints.count; i++) {
        const struct constraint *constraint = &work->step->constraints.items[i];

        if (constraint->kind == CONSTRAINT_FOREIGN_KEY &&
            !(work->step->kind == STEP_CREATE_TABLE &&
                text_equal(constraint->target.name, work->step->object.name)))
            lock(work, relation_of(work, constraint->target), mode);
    }
}

/* The table that the named foreign key refers to. */
static void
lock_named_target(struct work *work, enum lock_mode mode)
{
    const struct model_constraint *found =
        work->table && work->step->constraint_name
            ? relation_constraint(work->table, work->step->constraint_name)
            : NULL;

    if (found)
        lock(work, found->target, mode);
}

/* The tables that the table's foreign keys refer to; those of the step's column if it names one. */
static void
lock_targets(struct work *work, enum lock_mode mode)
{
    const char *column = work->step->column;

    for (size_t i = 0; work->table && i < work->table->constraints.count; i++) {
        const struct model_constraint *made = work->table->constraints.items[i];

        if (!column || text_list_has(&made->constraint.columns, column))
            lock(work, made->target, mode);
    }
}

/* The tables whose foreign keys refer to the table (to the step's column, if it names one). */
static void
lock_referrers_of(struct work *work, const struct relation *target, enum lock_mode mode)
{
    const char *column = work->step->column;

    for (size_t i = 0; i < target->referenced_by.count; i++) {
        const struct model_constraint *key = target->referenced_by.items[i];

        if (!column || key->constraint.target_columns.count == 0 ||
            text_list_has(&key->constraint.target_columns, column))
            lock(work, key->table, mode);
    }
}

static void
lock_referrers(struct work *work, enum lock_mode mode)
{
    if (work->table)
        lock_referrers_of(work, work->table, mode);
}

/* Those found join the end of the list and are followed as well. */
static void
lock_values_referrers(struct work *work, enum lock_mode mode)
{
    for (size_t i = 0; i < work->effect->locks.count; i++)
        lock_referrers_of(work, work->effect->locks.items[i].relation, mode);
}

/* Views that read what is locked so far, and views that read those. */
static void
lock_views(struct work *work, enum lock_mode mode)
{
    for (size_t i = 0; i < work->effect->locks.count; i++) {
        const struct relation *from = work->effect->locks.items[i].relation;

        for (size_t k = 0; k < from->dependents.count; k++)
            lock(work, from->dependents.items[k], mode);
    }
}

static bool
has_type(const struct relation *relation, const struct model_type *type)
{
    for (size_t i = 0; i < relation->columns.count; i++)
        if (relation->columns.items[i]->made_of == type)
            return true;
    return false;
}

/* Tables with a column of the type that the step is about. */
static void
lock_users_of_type(struct work *work, enum lock_mode mode)
{
    const struct object_name *name = &work->step->object;
    const struct model_type *type =
        name->name ? model_type_find(work->model, name->schema, name->name) : NULL;
    const struct map_entry *entry;
    size_t cursor = 0;

    if (!type || type->use_count == 0)
        return;
    while ((entry = map_next(&work->model->relations, &cursor)))
        if (entry->value && has_type(entry->value, type))
            lock(work, entry->value, mode);
}

static void
lock_schema(struct work *work, enum lock_mode mode)
{
    const struct map_entry *entry;
    size_t cursor = 0;

    while ((entry = map_next(&work->model->relations, &cursor))) {
        const struct relation *relation = entry->value;

        if (relation && relation->kind != RELATION_INDEX &&
            text_equal(relation->schema, work->step->object.name))
            lock(work, relation, mode);
    }
}

static void (*const lockers[])(struct work *, enum lock_mode) = {
    [WHOM_TABLE] = lock_table,
    [WHOM_VALUES] = lock_values,
    [WHOM_OTHERS] = lock_others,
    [WHOM_PARENT] = lock_parent,
    [WHOM_USES] = lock_uses,
    [WHOM_NEW_TARGETS] = lock_new_targets,
    [WHOM_NAMED_TARGET] = lock_named_target,
    [WHOM_TARGETS] = lock_targets,
    [WHOM_REFERRERS] = lock_referrers,
    [WHOM_VALUES_REFERRERS] = lock_values_referrers,
    [WHOM_VIEWS] = lock_views,
    [WHOM_USERS_OF_TYPE] = lock_users_of_type,
    [WHOM_SCHEMA] = lock_schema,
};

void
effect_lock(struct work *work, enum whom whom, enum lock_mode mode)
{
    lockers[whom](work, mode);
}
