/* Tables, and what all relations have in common: dropped, renamed, moved. */

#include <string.h>

#include "migrate/model/model_apply.h"

/* The columns of a parent come first. */
static void
copy_columns(struct act *act, struct relation *table, const struct relation *parent)
{
    for (size_t i = 0; parent && i < parent->columns.count; i++) {
        struct column copy = parent->columns.items[i]->column;

        copy.is_serial = false;
        copy.is_identity = false;
        if (!relation_column(table, copy.name))
            relation_add_column(act, table, &copy);
    }
    table->is_vague |= !parent || parent->is_vague;
}

static struct relation *
need_parent(struct act *act)
{
    struct object_name name = object_name_parse(act->model->arena, act->step->parent);
    struct relation *parent;

    if (!act->step->parent)
        return NULL;
    parent = need_relation(act, name, "relation");
    return parent;
}

/* The tables of a query, of LIKE, and further parents. */
static struct relation *
need_other(struct act *act, size_t i)
{
    const char *name = act->step->tables.items[i];

    return need_relation(act, object_name_parse(act->model->arena, name), "relation");
}

static void
set_parent(struct act *act, struct relation *table, struct relation *parent)
{
    if (!parent || act->is_maybe)
        return;
    table->parent = parent;
    VEC_PUSH(act->model->arena, &parent->children, table);
}

static void
inherit_parts(struct act *act, struct relation *table, const struct relation *parent)
{
    for (size_t i = 0; i < parent->constraints.count; i++)
        inherit_constraint(
            act, table, &parent->constraints.items[i]->constraint, parent->is_partitioned);
    for (size_t i = 0; parent->is_partitioned && i < parent->indexes.count; i++)
        if (!parent->indexes.items[i]->backs)
            add_index(act, table, parent->indexes.items[i]->index,
                index_choose_name(act->model, table, parent->indexes.items[i]->index));
}

static bool
has_primary_key(const struct step *step, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (step->constraints.items[i].kind == CONSTRAINT_PRIMARY_KEY)
            return true;
    return false;
}

/* Keys must be of columns that the statement has, unless it takes others from elsewhere. */
static void
check_key_columns(struct act *act, const struct constraint *constraint)
{
    const struct step *step = act->step;

    for (size_t i = 0; i < constraint->columns.count; i++) {
        const char *name = constraint->columns.items[i];
        bool is_there = !name || step->parent || step->tables.count > 0 || step->unknown;

        for (size_t k = 0; !is_there && k < step->columns.count; k++)
            is_there = !step->columns.items[k].name ||
                       name_equal(name_clip(act->ctx->arena, step->columns.items[k].name), name);
        if (!is_there)
            act_refuse(act,
                &(struct fault){ .sqlstate = "42703",
                    .object = name_shown(
                        act->model->arena, step->object.schema, step->object.name, name) },
                "column \"%s\" named in key does not exist", name_clip(act->model->arena, name));
    }
}

/* 42703 and 42704 as parse analysis finds them, before anything is made. */
static void
check_columns(struct act *act, struct model_column *resolved)
{
    const struct step *step = act->step;

    for (size_t i = 0; i < step->columns.count; i++)
        column_resolve_type(act, &step->columns.items[i].type, &resolved[i]);
    for (size_t i = 0; i < step->constraints.count; i++) {
        const struct constraint *constraint = &step->constraints.items[i];

        if (constraint->kind == CONSTRAINT_PRIMARY_KEY && has_primary_key(step, i))
            act_refuse(act, &(struct fault){ .sqlstate = "42P16", .object = step->object.name },
                "multiple primary keys for table \"%s\" are not allowed",
                name_clip(act->model->arena, step->object.name));
        if (constraint->kind == CONSTRAINT_PRIMARY_KEY || constraint->kind == CONSTRAINT_UNIQUE)
            check_key_columns(act, constraint);
    }
}

static void
add_columns(struct act *act, struct relation *table, const struct model_column *resolved)
{
    const struct step *step = act->step;

    for (size_t i = 0; i < step->columns.count; i++) {
        const struct column *column = &step->columns.items[i];
        struct model_column *made;

        if (!column->name) {
            table->is_vague = true;
            continue;
        }
        if (relation_column(table, column->name) && !table->parent) {
            act_refuse(act,
                &(struct fault){ .sqlstate = "42701",
                    .object =
                        name_shown(act->model->arena, table->schema, table->name, column->name) },
                "column \"%s\" specified more than once",
                name_clip(act->model->arena, column->name));
            continue;
        }
        made = relation_add_column(act, table, column);
        made->made_of = resolved[i].made_of;
        made->extension = resolved[i].extension;
        column_use_default(act, made);
    }
}

static bool
is_partition(const struct step *step)
{
    return step->parent && step->text && strcasestr(step->text, "partition of");
}

static bool
check_parent(struct act *act, const struct relation *parent)
{
    if (parent && is_partition(act->step) && !parent->is_partitioned && !parent->is_vague)
        return act_refuse(act,
            &(struct fault){
                .sqlstate = "42P17", .object = parent->name, .first = &parent->origin },
            "\"%s\" is not partitioned", parent->name);
    if (!parent || parent->kind == RELATION_TABLE)
        return true;
    return act_refuse(act,
        &(struct fault){ .sqlstate = "42809", .object = parent->name, .first = &parent->origin },
        "inherited relation \"%s\" is not a table or foreign table", parent->name);
}

/* It is there already and the step is content with that. */
static bool
is_content(struct act *act, struct relation *there)
{
    if (!there || !(act->step->if_not_exists || act->step->create_if_missing || act->is_maybe))
        return false;
    if (there->presence == MAYBE && !act->is_maybe) {
        there->presence = PRESENT;
        there->is_vague = true;
    }
    return true;
}

static const char *
schema_for(const struct act *act)
{
    return act->step->is_temporary ? "pg_temp"
                                   : model_schema_of(act->model, act->step->object.schema);
}

void
apply_create_table(struct act *act)
{
    const struct step *step = act->step;
    struct model *model = act->model;
    const char *schema = schema_for(act);
    struct relation *table;
    struct relation *parent;
    struct model_column *resolved;

    if (!step->object.name) {
        model->vague_since = step;
        return;
    }
    if (!need_schema(act, schema) ||
        is_content(act, model_relation(model, (struct object_name){ schema, step->object.name })))
        return;
    resolved = ARENA_ARRAY(act->ctx->arena, struct model_column, step->columns.count + 1);
    check_columns(act, resolved);
    parent = need_parent(act);
    if (!check_parent(act, parent))
        return;
    for (size_t i = 0; i < step->tables.count; i++)
        if (!need_other(act, i) && act->has_failed)
            return;
    if (!need_free_name(act, schema, step->object.name, true))
        return;
    table = relation_new(act, schema, step->object.name, RELATION_TABLE);
    table->is_vague = step->is_as_select || step->unknown || (step->parent && !parent);
    table->is_opaque = step->is_as_select;
    table->is_temporary = step->is_temporary;
    table->is_partitioned = step->is_partitioned;
    if (parent)
        copy_columns(act, table, parent);
    set_parent(act, table, parent);
    for (size_t i = 0; !step->is_as_select && i < step->tables.count; i++)
        copy_columns(act, table, need_other(act, i));
    add_columns(act, table, resolved);
    if (parent)
        inherit_parts(act, table, parent);
    add_constraints(act, table);
}

static const char *
word_of(enum name_kind kind)
{
    static const char *const words[] = {
        [NAME_TABLE] = "table",
        [NAME_VIEW] = "view",
        [NAME_MATVIEW] = "materialized view",
        [NAME_SEQUENCE] = "sequence",
        [NAME_INDEX] = "index",
    };

    return words[kind];
}

static enum name_kind
kind_dropped(const struct step *step)
{
    if (step->kind == STEP_DROP_TABLE)
        return NAME_TABLE;
    return step->kind == STEP_DROP_SEQUENCE ? NAME_SEQUENCE : step->name_kind;
}

/* An identity column needs its sequence more than a default does. */
static bool
refuse_identity(struct act *act, const struct relation *sequence)
{
    const struct model_column *user = sequence->users.count > 0 ? sequence->users.items[0] : NULL;

    if (!user || !user->column.is_identity || !sequence->table)
        return true;
    return act_refuse(act,
        &(struct fault){ .sqlstate = "2BP01", .object = sequence->name, .first = &user->origin },
        "cannot drop sequence %s because column %s of table %s requires it", sequence->name,
        user->column.name, sequence->table->name);
}

void
apply_drop_relation(struct act *act)
{
    const struct step *step = act->step;
    const char *word = word_of(kind_dropped(step));
    struct relation *relation = model_relation(act->model, step->object);
    const struct origin *by;

    if (!step->object.name && !act->is_maybe)
        act->model->vague_since = step;
    if (!relation && (step->if_exists || step->create_if_missing))
        return;
    if (!relation || relation->presence != MAYBE || !step->if_exists)
        relation = need_relation(act, step->object, word);
    if (!relation)
        return;
    if (act->is_maybe) {
        relation->presence = MAYBE;
        return;
    }
    if (!refuse_identity(act, relation))
        return;
    by = step->cascade ? NULL : relation_needed_by(act, relation);
    if (by && !refuse_needed(act,
                  arena_printf(act->model->arena, "%s %s", word,
                      name_described(act->model, relation->schema, relation->name)),
                  name_shown(act->model->arena, relation->schema, relation->name, NULL), by, false))
        return;
    drop_relation(act, relation);
}

static bool
has_row_type(const struct relation *relation)
{
    return relation->kind != RELATION_INDEX && relation->kind != RELATION_SEQUENCE;
}

/* Under a condition both names may be there. */
static void
perhaps_rename(struct act *act, struct relation *relation, const char *name)
{
    struct relation *other;

    relation->presence = MAYBE;
    if (model_relation(act->model, (struct object_name){ relation->schema, name }))
        return;
    other = relation_new(act, relation->schema, name, relation->kind);
    other->table = relation->table;
    other->is_vague = true;
    other->index = relation->index;
    if (relation->kind == RELATION_INDEX)
        VEC_PUSH(act->model->arena, &relation->table->indexes, other);
}

/* ALTER TABLE renames any relation; the other forms only what they say. */
static const char *
word_of_rename(const struct step *step)
{
    return step->kind == STEP_RENAME_TABLE &&
                   (step->name_kind == NAME_VIEW || step->name_kind == NAME_SEQUENCE ||
                       step->name_kind == NAME_MATVIEW)
               ? word_of(step->name_kind)
               : NULL;
}

static bool
check_kind(struct act *act, const struct relation *relation, const char *word)
{
    if (!word || strcmp(word, relation_kind_name(relation->kind)) == 0)
        return true;
    return act_refuse(act,
        &(struct fault){
            .sqlstate = "42809", .object = relation->name, .first = &relation->origin },
        "\"%s\" is not a %s", relation->name, word);
}

void
apply_rename_relation(struct act *act)
{
    const struct step *step = act->step;
    struct relation *relation = model_relation(act->model, step->object);
    struct model *model = act->model;

    if (!step->object.name || !step->new_name) {
        model->vague_since = step;
        return;
    }
    if (!relation && step->if_exists)
        return;
    relation = need_relation(act, step->object, "relation");
    if (!relation || !check_kind(act, relation, word_of_rename(step)))
        return;
    if (act->is_maybe) {
        perhaps_rename(act, relation, step->new_name);
        return;
    }
    if (!need_free_name(act, relation->schema, step->new_name, has_row_type(relation)))
        return;
    if (relation->kind == RELATION_INDEX && relation->backs &&
        !need_free_constraint(act, relation->table, step->new_name))
        return;
    relation_rename(act, relation, relation->schema, step->new_name);
    if (relation->kind == RELATION_INDEX && relation->backs)
        constraint_rename(model, relation->backs, step->new_name);
}

static void
move_constraints(struct model *model, struct relation *table, const char *from)
{
    for (size_t i = 0; i < table->constraints.count; i++) {
        const char *name = table->constraints.items[i]->constraint.name;

        if (name) {
            constraint_name_remove(model, from, name);
            constraint_name_add(model, table->schema, name);
        }
    }
}

void
apply_set_schema(struct act *act)
{
    const struct step *step = act->step;
    struct relation *relation = model_relation(act->model, step->object);
    const char *schema = name_clip(act->model->arena, step->new_name);
    const char *from;
    struct relation *there;

    if (!step->object.name || !schema) {
        act->model->vague_since = step;
        return;
    }
    if (!relation && step->if_exists)
        return;
    relation = need_relation(act, step->object, "relation");
    if (!relation || !need_schema(act, schema) || act->is_maybe ||
        strcmp(schema, relation->schema) == 0)
        return;
    there = model_relation(act->model, (struct object_name){ schema, relation->name });
    if (there) {
        act_refuse(act,
            &(struct fault){ .sqlstate = "42P07",
                .object = name_shown(act->model->arena, schema, relation->name, NULL),
                .first = &there->origin,
                .is_doubtful = there->presence == MAYBE },
            "relation \"%s\" already exists in schema \"%s\"", relation->name, schema);
        return;
    }
    from = relation->schema;
    relation_rename(act, relation, schema, relation->name);
    for (size_t i = 0; i < relation->indexes.count; i++)
        relation_rename(act, relation->indexes.items[i], schema, relation->indexes.items[i]->name);
    for (size_t i = 0; i < relation->sequences.count; i++)
        relation_rename(
            act, relation->sequences.items[i], schema, relation->sequences.items[i]->name);
    move_constraints(act->model, relation, from);
}

static void
refuse_unpartitioned(struct act *act, const struct relation *parent)
{
    struct fault fault = { .sqlstate = act->model->server_major >= 18 ? "42809" : "42P17",
        .object = parent->name,
        .first = &parent->origin };

    if (act->model->server_major >= 18)
        act_refuse(act, &fault, "ALTER action %s PARTITION cannot be performed on relation \"%s\"",
            act->step->kind == STEP_ATTACH_PARTITION ? "ATTACH" : "DETACH", parent->name);
    else
        act_refuse(act, &fault, "table \"%s\" is not partitioned", parent->name);
}

void
apply_partition(struct act *act)
{
    const struct step *step = act->step;
    struct object_name name = object_name_parse(act->model->arena, step->parent);
    struct relation *parent = step->parent ? need_relation(act, name, "relation") : NULL;
    struct relation *child = parent ? need_relation(act, step->object, "relation") : NULL;

    if (!child || act->is_maybe || !check_outside(act))
        return;
    if (!parent->is_partitioned && !parent->is_vague) {
        refuse_unpartitioned(act, parent);
        return;
    }
    if (step->kind == STEP_ATTACH_PARTITION && !child->parent) {
        set_parent(act, child, parent);
    } else if (step->kind == STEP_DETACH_PARTITION && child->parent == parent) {
        VEC_REMOVE(&parent->children, child);
        child->parent = NULL;
    }
}
