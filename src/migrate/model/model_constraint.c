/* Constraints: what the server checks when one is made, named, renamed, dropped. */

#include <string.h>

#include "migrate/model/model_apply.h"

static const char *
shown_part(const struct act *act, const struct relation *table, const char *part)
{
    return name_shown(act->model->arena, table->schema, table->name, part);
}

static struct model_constraint *
push_constraint(
    struct act *act, struct relation *table, const struct constraint *constraint, const char *name)
{
    struct model *model = act->model;
    struct model_constraint *made = ARENA_NEW(model->arena, struct model_constraint);

    made->constraint = *constraint;
    made->constraint.name = name_clip(model->arena, name);
    made->presence = act_presence(act);
    made->origin = act->origin;
    made->table = table;
    VEC_PUSH(model->arena, &table->constraints, made);
    if (name)
        constraint_name_add(model, table->schema, name);
    else
        table->hides_names = true;
    return made;
}

/* 42710 when the table has a constraint of the name. A doubtful one gives way. */
bool
need_free_constraint(struct act *act, struct relation *table, const char *name)
{
    struct model_constraint *there = name ? relation_constraint(table, name) : NULL;

    if (!there)
        return true;
    if (!act_refuse(act,
            &(struct fault){
                .sqlstate = "42710",
                .object = shown_part(act, table, name),
                .first = &there->origin,
                .is_doubtful = may_be_gone(act, table, &there->origin, there->presence),
            },
            "constraint \"%s\" for relation \"%s\" already exists", there->constraint.name,
            table->name))
        return false;
    remove_constraint(act, there);
    return true;
}

static struct model_constraint *
primary_key_of(const struct relation *table)
{
    for (size_t i = 0; i < table->constraints.count; i++)
        if (table->constraints.items[i]->constraint.kind == CONSTRAINT_PRIMARY_KEY)
            return table->constraints.items[i];
    return NULL;
}

static bool
check_key_columns(struct act *act, struct relation *table, const struct constraint *constraint)
{
    const struct text_list *columns = &constraint->columns;
    /* A primary key that is added sets its columns NOT NULL first. */
    enum missing wording =
        constraint->kind == CONSTRAINT_PRIMARY_KEY && act->step->kind == STEP_ADD_CONSTRAINT
            ? MISSING_OF_RELATION
            : MISSING_IN_KEY;

    for (size_t i = 0; i < columns->count; i++) {
        if (!need_column(act, table, columns->items[i], wording) && columns->items[i])
            return false;
        for (size_t k = 0; k < i; k++)
            if (name_equal(columns->items[k], columns->items[i]))
                return act_refuse(act,
                    &(struct fault){
                        "42701", shown_part(act, table, columns->items[i]), NULL, false },
                    "column \"%s\" appears twice in %s constraint", columns->items[i],
                    constraint->kind == CONSTRAINT_PRIMARY_KEY ? "primary key" : "unique");
    }
    return true;
}

static bool
check_single_primary_key(struct act *act, struct relation *table)
{
    struct model_constraint *there = primary_key_of(table);

    if (!there)
        return true;
    if (!act_refuse(act,
            &(struct fault){
                .sqlstate = "42P16",
                .object = shown_part(act, table, NULL),
                .first = &there->origin,
                .is_doubtful = may_be_gone(act, table, &there->origin, there->presence),
            },
            "multiple primary keys for table \"%s\" are not allowed", table->name))
        return false;
    remove_constraint(act, there);
    return true;
}

static struct index *
index_of_constraint(struct arena *arena, const struct constraint *constraint)
{
    struct index *index = ARENA_NEW(arena, struct index);

    index->method = "btree";
    index->is_unique = constraint->kind != CONSTRAINT_EXCLUDE;
    index->keys.items = ARENA_ARRAY(arena, struct index_key, constraint->columns.count + 1);
    for (; index->keys.count < constraint->columns.count; index->keys.count++)
        index->keys.items[index->keys.count].column = constraint->columns.items[index->keys.count];
    index->keys.capacity = index->keys.count;
    return index;
}

static void
columns_become_not_null(struct relation *table, const struct text_list *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        struct model_column *column = relation_column(table, columns->items[i]);

        if (column)
            column->column.is_not_null = true;
    }
}

static const char *
label_of_key(enum constraint_kind kind)
{
    if (kind == CONSTRAINT_PRIMARY_KEY)
        return "pkey";
    return kind == CONSTRAINT_EXCLUDE ? "excl" : "key";
}

/* What stands between the table and the label in a chosen name. */
static const char *
part_of_key(struct arena *arena, const struct constraint *constraint)
{
    if (constraint->kind == CONSTRAINT_PRIMARY_KEY)
        return NULL;
    return constraint->kind == CONSTRAINT_EXCLUDE ? exclusion_part(arena, constraint)
                                                  : name_join_columns(arena, &constraint->columns);
}

/* ADD … USING INDEX: why the index cannot be the constraint's, or NULL. */
static const char *
why_unusable(struct arena *arena, const struct relation *table, const struct relation *index,
    const char **ret_sqlstate)
{
    const char *name = index->name;

    *ret_sqlstate = "55000";
    if (index->backs)
        return arena_printf(arena, "index \"%s\" is already associated with a constraint", name);
    if (index->table != table)
        return arena_printf(
            arena, "index \"%s\" does not belong to table \"%s\"", name, table->name);
    *ret_sqlstate = "42809";
    if (!index->index->is_unique)
        return arena_printf(arena, "\"%s\" is not a unique index", name);
    for (size_t i = 0; i < index->index->keys.count; i++)
        if (!index->index->keys.items[i].column)
            return arena_printf(arena, "index \"%s\" contains expressions", name);
    if (index->index->where)
        return arena_printf(arena, "\"%s\" is a partial index", name);
    return NULL;
}

static void
add_key_from_index(struct act *act, struct relation *table, const struct constraint *constraint)
{
    struct object_name name = { table->schema, constraint->using_index };
    struct relation *index = need_relation(act, name, "index");
    struct constraint copy = *constraint;
    struct model_constraint *made;
    bool renames;
    const char *sqlstate;
    const char *why = index ? why_unusable(act->model->arena, table, index, &sqlstate) : NULL;

    if (why)
        act_refuse(act, &(struct fault){ .sqlstate = sqlstate, .object = index->name }, "%s", why);
    if (!index || why ||
        (constraint->kind == CONSTRAINT_PRIMARY_KEY && !check_single_primary_key(act, table)) ||
        !need_free_constraint(act, table, constraint->name))
        return;
    copy.columns = (struct text_list){ 0 };
    for (size_t i = 0; i < index->index->keys.count; i++)
        text_list_add(act->model->arena, &copy.columns, index->index->keys.items[i].column);
    renames = constraint->name && !name_equal(index->name, constraint->name);
    if (renames && !need_free_name(act, index->schema, constraint->name, false))
        return;
    if (renames)
        relation_rename(act, index, index->schema, constraint->name);
    made = push_constraint(act, table, &copy, index->name);
    made->index = index;
    index->backs = made;
    if (constraint->kind == CONSTRAINT_PRIMARY_KEY)
        columns_become_not_null(table, &copy.columns);
}

static void
add_key(struct act *act, struct relation *table, const struct constraint *constraint)
{
    struct model *model = act->model;
    struct index *index = index_of_constraint(model->arena, constraint);
    const char *name = constraint->name;
    struct model_constraint *made;
    struct relation *relation = NULL;

    if (!check_key_columns(act, table, constraint) ||
        (constraint->kind == CONSTRAINT_PRIMARY_KEY && !check_single_primary_key(act, table)) ||
        (constraint->kind != CONSTRAINT_EXCLUDE && !check_operators(act, table, index)))
        return;
    if (!name && !constraint->is_name_unknown)
        name = model_choose_name(
            model, table, part_of_key(model->arena, constraint), label_of_key(constraint->kind));
    if (name && (!need_free_name(act, table->schema, name, false) ||
                    !need_free_constraint(act, table, name)))
        return;
    made = push_constraint(act, table, constraint, name);
    relation = add_index(act, table, index, name);
    relation->backs = made;
    made->index = relation;
    if (constraint->kind == CONSTRAINT_PRIMARY_KEY && !act->is_maybe)
        columns_become_not_null(table, &constraint->columns);
}

/* The column a check is about, when it is about a single one. */
static const char *
only_column(const struct text_list *columns)
{
    for (size_t i = 1; i < columns->count; i++)
        if (!text_equal(columns->items[0], columns->items[i]))
            return NULL;
    return columns->count > 0 ? columns->items[0] : NULL;
}

static void
add_check(struct act *act, struct relation *table, const struct constraint *constraint)
{
    struct model *model = act->model;
    const char *name = constraint->name;
    struct model_constraint *there = name ? relation_constraint(table, name) : NULL;

    for (size_t i = 0; i < constraint->columns.count; i++) {
        const char *column = constraint->columns.items[i];
        struct model_column *found;

        if (!column || name_equal(table->name, column))
            continue;
        found = need_column(act, table, column, MISSING_PLAIN);
        if (!found)
            return;
        check_new_value(act, found, constraint->expression);
    }
    if (act->step->kind == STEP_CREATE_TABLE && there && !act->is_maybe) {
        act_refuse(act, &(struct fault){ "42710", shown_part(act, table, name), NULL, false },
            "check constraint \"%s\" already exists", there->constraint.name);
        return;
    }
    if (!need_free_constraint(act, table, name))
        return;
    if (!name && !constraint->is_name_unknown)
        name = model_choose_name(model, table, only_column(&constraint->columns), "check");
    push_constraint(act, table, constraint, name);
}

static bool
refuse_key(struct act *act, const struct relation *target, const char *sqlstate, const char *what)
{
    return act_refuse(act,
        &(struct fault){
            .sqlstate = sqlstate,
            .object = shown_part(act, target, NULL),
            .is_doubtful = target->is_vague || target->hides_names || act->model->vague_since,
        },
        "%s referenced table \"%s\"", what, target->name);
}

/*
 * Fills in the columns of the target that the key points to and the index it rests on; false: the
 * server refuses.
 */
static bool
resolve_target(struct act *act, struct relation *target, struct constraint *constraint,
    struct relation **ret_index)
{
    const struct model_constraint *primary = primary_key_of(target);
    struct text_list *columns = &constraint->target_columns;

    if (columns->count == 0) {
        if (!primary)
            return refuse_key(act, target, "42704", "there is no primary key for");
        *columns = primary->constraint.columns;
        *ret_index = primary->index;
        return true;
    }
    for (size_t i = 0; i < columns->count; i++) {
        if (!columns->items[i])
            return true;
        if (!need_column(act, target, columns->items[i], MISSING_IN_FOREIGN))
            return false;
    }
    *ret_index = unique_index_of(target, columns);
    if (!*ret_index)
        return refuse_key(
            act, target, "42830", "there is no unique constraint matching given keys for");
    if ((*ret_index)->backs && (*ret_index)->backs->constraint.is_deferrable)
        return refuse_key(act, target, "55000", "cannot use a deferrable unique constraint for");
    return true;
}

static bool
check_pairs(struct act *act, const struct relation *table, const struct relation *target,
    const struct constraint *constraint, const char *name)
{
    const struct text_list *columns = &constraint->columns;

    if (constraint->target_columns.count == 0)
        return true;
    if (columns->count != constraint->target_columns.count)
        return act_refuse(act,
            &(struct fault){ "42830", shown_part(act, table, name), NULL, target->is_vague },
            "number of referencing and referenced columns for foreign key disagree");
    for (size_t i = 0; i < columns->count; i++) {
        const struct model_column *from = relation_column(table, columns->items[i]);
        const struct model_column *to =
            relation_column(target, constraint->target_columns.items[i]);

        if (from && to && !columns_comparable(from, to) &&
            !act_refuse(act,
                &(struct fault){ "42804", shown_part(act, table, name), &to->origin, false },
                "foreign key constraint \"%s\" cannot be implemented", name ? name : "?"))
            return false;
    }
    return true;
}

static void
add_foreign_key(struct act *act, struct relation *table, const struct constraint *constraint)
{
    struct model *model = act->model;
    struct constraint copy = *constraint;
    const char *name = constraint->name;
    struct relation *target;
    struct relation *index = NULL;
    struct model_constraint *made;

    if (!need_free_constraint(act, table, name))
        return;
    if (!name && !constraint->is_name_unknown)
        name = model_choose_name(
            model, table, name_join_columns(model->arena, &constraint->columns), "fkey");
    target = need_relation(act, constraint->target, "relation");
    if (!target && constraint->target.name)
        return;
    if (target && target->kind != RELATION_TABLE) {
        act_refuse(act, &(struct fault){ "42809", target->name, &target->origin, false },
            target->kind == RELATION_INDEX ? "\"%s\" is an index"
                                           : "referenced relation \"%s\" is not a table",
            target->name);
        return;
    }
    for (size_t i = 0; i < copy.columns.count; i++)
        if (copy.columns.items[i] &&
            !need_column(act, table, copy.columns.items[i], MISSING_IN_FOREIGN))
            return;
    if (target && (!resolve_target(act, target, &copy, &index) ||
                      !check_pairs(act, table, target, &copy, name)))
        return;
    made = push_constraint(act, table, &copy, name);
    made->target = target;
    made->index = index;
    if (target)
        VEC_PUSH(model->arena, &target->referenced_by, made);
}

static void
add_constraint(struct act *act, struct relation *table, const struct constraint *constraint)
{
    switch (constraint->kind) {
    case CONSTRAINT_PRIMARY_KEY:
    case CONSTRAINT_UNIQUE:
    case CONSTRAINT_EXCLUDE:
        if (constraint->using_index)
            add_key_from_index(act, table, constraint);
        else
            add_key(act, table, constraint);
        break;
    case CONSTRAINT_CHECK:
        add_check(act, table, constraint);
        break;
    case CONSTRAINT_FOREIGN_KEY:
        add_foreign_key(act, table, constraint);
        break;
    case CONSTRAINT_UNKNOWN:
        break;
    }
}

static bool
same_order(const struct text_list *a, const struct text_list *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++)
        if (!text_equal(a->items[i], b->items[i]))
            return false;
    return a->count == b->count;
}

/*
 * The key that makes this one superfluous: UNIQUE beside PRIMARY KEY on the same columns of one
 * statement makes no second index. Source: transformIndexConstraints().
 */
static const struct constraint *
stronger_key(const struct step *step, size_t at)
{
    const struct constraint *key = &step->constraints.items[at];

    for (size_t i = 0; i < step->constraints.count && key->kind == CONSTRAINT_UNIQUE; i++) {
        const struct constraint *other = &step->constraints.items[i];
        bool comes_first =
            other->kind == CONSTRAINT_PRIMARY_KEY || (other->kind == CONSTRAINT_UNIQUE && i < at);

        if (comes_first && same_order(&other->columns, &key->columns) &&
            other->is_deferrable == key->is_deferrable && !key->is_name_unknown &&
            (!key->name || !other->name || text_equal(key->name, other->name)))
            return other;
    }
    return NULL;
}

/* The name goes over to the key that stays. */
static void
add_with_name(struct act *act, struct relation *table, const struct constraint *constraint)
{
    const struct step *step = act->step;
    struct constraint copy = *constraint;

    for (size_t i = 0; !copy.name && i < step->constraints.count; i++)
        if (stronger_key(step, i) == constraint)
            copy.name = step->constraints.items[i].name;
    add_constraint(act, table, &copy);
}

/* Checks come with the table, then its keys, the primary one first, at last foreign keys. */
static int
turn_of(enum constraint_kind kind)
{
    if (kind == CONSTRAINT_CHECK)
        return 0;
    if (kind == CONSTRAINT_PRIMARY_KEY)
        return 1;
    return kind == CONSTRAINT_FOREIGN_KEY ? 3 : 2;
}

void
add_constraints(struct act *act, struct relation *table)
{
    const struct step *step = act->step;

    for (int turn = 0; turn < 4; turn++)
        for (size_t i = 0; i < step->constraints.count; i++)
            if (turn_of(step->constraints.items[i].kind) == turn && !stronger_key(step, i))
                add_with_name(act, table, &step->constraints.items[i]);
}

/*
 * What a table hands on to its children: checks and foreign keys under the same name, keys of
 * partitions under names of their own.
 */
void
inherit_constraint(
    struct act *act, struct relation *child, const struct constraint *constraint, bool is_partition)
{
    struct constraint copy = *constraint;

    if (copy.kind != CONSTRAINT_CHECK && !is_partition)
        return;
    if (copy.kind != CONSTRAINT_CHECK && copy.kind != CONSTRAINT_FOREIGN_KEY)
        copy.name = NULL;
    if (!copy.name || !relation_constraint(child, copy.name))
        add_constraint(act, child, &copy);
}

static void
hand_on(struct act *act, struct relation *table, size_t first)
{
    VEC(struct relation *) todo = { 0 };

    VEC_PUSH(act->ctx->arena, &todo, table);
    for (size_t i = 0; i < todo.count; i++)
        for (size_t k = 0; k < todo.items[i]->children.count; k++)
            VEC_PUSH(act->ctx->arena, &todo, todo.items[i]->children.items[k]);
    for (size_t i = 1; i < todo.count; i++)
        for (size_t k = first; k < table->constraints.count; k++)
            inherit_constraint(act, todo.items[i], &table->constraints.items[k]->constraint,
                table->is_partitioned);
}

void
apply_add_constraint(struct act *act)
{
    struct relation *table = need_table(act);
    size_t first = table ? table->constraints.count : 0;

    if (!table)
        return;
    add_constraints(act, table);
    if (table->children.count > 0)
        hand_on(act, table, first);
}

/* The constraint, or NULL: 42704 told. */
static struct model_constraint *
need_constraint(struct act *act, struct relation *table, const char *between)
{
    const char *name = act->step->constraint_name;
    struct model_constraint *there = name ? relation_constraint(table, name) : NULL;
    struct fault fault = { .sqlstate = "42704", .is_doubtful = true };
    struct key key;

    if (!name || (there && (there->presence == PRESENT || act->is_maybe)))
        return there;
    if (!there && act->step->if_exists && act->step->kind == STEP_DROP_CONSTRAINT)
        return NULL;
    key = key_make(table->schema, table->name, name);
    fault.object = shown_part(act, table, name);
    fault.first = there ? &there->origin : model_dropped(act->model, key.text);
    /* From 18 on NOT NULL is a constraint with a name. */
    if (!there)
        fault.is_doubtful = table->is_vague || table->hides_names || act->model->vague_since ||
                            (act->model->server_major >= 18 && text_ends_with(name, "_not_null"));
    act_refuse(act, &fault, "constraint \"%s\" %s \"%s\" does not exist",
        name_clip(act->model->arena, name), between, table->name);
    if (there)
        there->presence = PRESENT;
    return there;
}

void
apply_drop_constraint(struct act *act)
{
    const struct step *step = act->step;
    struct relation *table = need_table(act);
    struct model_constraint *constraint = table ? need_constraint(act, table, "of relation") : NULL;
    const struct origin *needed_by;

    if (table && !step->constraint_name)
        table->hides_names = true;
    if (!constraint)
        return;
    if (act->is_maybe) {
        constraint->presence = MAYBE;
        return;
    }
    needed_by = constraint->target || !constraint->index || step->cascade
                    ? NULL
                    : index_needed_by(constraint->index);
    if (needed_by &&
        !refuse_needed(act,
            arena_printf(act->ctx->arena, "constraint %s on table %s", constraint->constraint.name,
                name_described(act->model, table->schema, table->name)),
            shown_part(act, table, constraint->constraint.name), needed_by, false))
        return;
    remove_constraint(act, constraint);
}

void
apply_rename_constraint(struct act *act)
{
    const char *new_name = act->step->new_name;
    struct relation *table = need_table(act);
    struct model_constraint *constraint = table ? need_constraint(act, table, "for table") : NULL;
    struct model *model = act->model;

    if (!constraint || !new_name)
        return;
    if (constraint->index && !constraint->target) {
        if (!need_free_name(act, table->schema, new_name, false) ||
            !need_free_constraint(act, table, new_name))
            return;
        relation_rename(act, constraint->index, table->schema, new_name);
    } else if (!need_free_constraint(act, table, new_name)) {
        return;
    }
    note_dropped(act, table->schema, table->name, constraint->constraint.name);
    constraint_rename(model, constraint, new_name);
}

void
constraint_rename(struct model *model, struct model_constraint *constraint, const char *name)
{
    const char *schema = constraint->table->schema;

    if (constraint->constraint.name)
        constraint_name_remove(model, schema, constraint->constraint.name);
    constraint->constraint.name = name_clip(model->arena, name);
    constraint_name_add(model, schema, name);
}

void
apply_validate_constraint(struct act *act)
{
    struct relation *table = need_table(act);
    struct model_constraint *constraint = table ? need_constraint(act, table, "of relation") : NULL;

    if (!constraint)
        return;
    if (constraint->constraint.kind != CONSTRAINT_FOREIGN_KEY &&
        constraint->constraint.kind != CONSTRAINT_CHECK) {
        act_refuse(act,
            &(struct fault){ "42809", shown_part(act, table, constraint->constraint.name),
                &constraint->origin, false },
            act->model->server_major >= 18
                ? "cannot validate constraint \"%s\" of relation \"%s\""
                : "constraint \"%s\" of relation \"%s\" is not a foreign key or check constraint",
            constraint->constraint.name, table->name);
        return;
    }
    constraint->constraint.is_not_valid = false;
}
