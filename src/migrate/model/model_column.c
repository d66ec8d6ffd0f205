/* Columns: added, dropped, renamed, altered. */

#include <string.h>

#include "migrate/model/model_apply.h"

enum { MOST_COLUMNS = 1600 }; /* MaxHeapAttributeNumber */

static const char *
shown_column(const struct act *act, const struct relation *table, const char *column)
{
    return name_shown(act->model->arena, table->schema, table->name, column);
}

bool
is_system_column(const char *name)
{
    static const char *const names[] = { "tableoid", "cmax", "xmax", "cmin", "xmin", "ctid" };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* 42701 when the table has a column of the name. A doubtful one gives way. */
static bool
need_free_column(struct act *act, struct relation *table, const char *name)
{
    struct model_column *there = relation_column(table, name);

    if (is_system_column(name))
        return act_refuse(act,
            &(struct fault){ .sqlstate = "42701", .object = shown_column(act, table, name) },
            "column name \"%s\" conflicts with a system column name", name);
    if (!there)
        return true;
    if (!act_refuse(act,
            &(struct fault){ .sqlstate = "42701",
                .object = shown_column(act, table, name),
                .first = &there->origin,
                .is_doubtful = may_be_gone(act, table, &there->origin, there->presence) },
            "column \"%s\" of relation \"%s\" already exists", there->column.name, table->name))
        return false;
    drop_column(act, table, there);
    return true;
}

/* Partitions and inheriting tables get it too. */
static void
add_to_children(struct act *act, struct relation *table, const struct model_column *column)
{
    VEC(struct relation *) todo = { 0 };
    struct column copy = column->column;

    copy.is_serial = false;
    copy.is_identity = false;
    VEC_PUSH(act->ctx->arena, &todo, table);
    for (size_t i = 0; i < todo.count; i++) {
        struct relation *item = todo.items[i];

        if (!relation_column(item, copy.name))
            relation_add_column(act, item, &copy);
        for (size_t k = 0; k < item->children.count; k++)
            VEC_PUSH(act->ctx->arena, &todo, item->children.items[k]);
    }
}

void
apply_add_column(struct act *act)
{
    const struct step *step = act->step;
    struct relation *table = need_table(act);
    const struct column *column = step->columns.count > 0 ? &step->columns.items[0] : NULL;
    struct model_column *there = table && column ? relation_column(table, column->name) : NULL;
    struct model_column *made;
    struct model_column resolved = { 0 };

    if (table && (!column || !column->name))
        table->is_vague = true;
    if (!table || !column || !column->name)
        return;
    if (there && (step->if_not_exists || act->is_maybe)) {
        if (!act->is_maybe)
            there->presence = PRESENT;
        return;
    }
    if (!need_free_column(act, table, column->name))
        return;
    column_resolve_type(act, &column->type, &resolved);
    if (table->columns.count >= MOST_COLUMNS) {
        act_refuse(act, &(struct fault){ .sqlstate = "54011", .object = table->name },
            "tables can have at most %d columns", MOST_COLUMNS);
        return;
    }
    made = relation_add_column(act, table, column);
    made->made_of = resolved.made_of;
    made->extension = resolved.extension;
    column_use_default(act, made);
    add_constraints(act, table);
    add_to_children(act, table, made);
}

/* The column that the step alters, or NULL. */
static struct model_column *
need_step_column(struct act *act, struct relation **ret_table)
{
    struct relation *table = need_table(act);

    *ret_table = table;
    if (table && !act->step->column)
        table->is_vague = true;
    return table && act->step->column
               ? need_column(act, table, act->step->column, MISSING_OF_RELATION)
               : NULL;
}

void
apply_drop_column(struct act *act)
{
    const struct step *step = act->step;
    struct relation *table = need_table(act);
    struct model_column *column;
    const struct origin *by;

    if (table && !step->column)
        table->is_vague = true;
    if (!table || !step->column)
        return;
    column = relation_column(table, step->column);
    if (!column && step->if_exists)
        return;
    if (!column || !step->if_exists)
        column = need_column(act, table, step->column, MISSING_OF_RELATION);
    if (!column)
        return;
    if (act->is_maybe) {
        column->presence = MAYBE;
        return;
    }
    by = step->cascade ? NULL : column_needed_by(act, table, column);
    if (by && !refuse_needed(act,
                  arena_printf(act->model->arena, "column %s of table %s", column->column.name,
                      name_described(act->model, table->schema, table->name)),
                  shown_column(act, table, column->column.name), by, false))
        return;
    drop_column(act, table, column);
}

/* The list is the step's, so it is copied before it is changed. */
static void
rename_in(struct arena *arena, struct text_list *list, const char *from, const char *to)
{
    struct text_list copy = { 0 };

    if (!name_is_in(list, from))
        return;
    for (size_t i = 0; i < list->count; i++)
        text_list_add(arena, &copy, name_equal(from, list->items[i]) ? to : list->items[i]);
    *list = copy;
}

static void
rename_in_index(struct arena *arena, struct relation *relation, const char *from, const char *to)
{
    struct index *index = relation->index;

    if (!index_has_column(index, from))
        return;
    index = arena_memdup(arena, index, sizeof(*index));
    relation->index = index;
    index->keys.items =
        arena_memdup(arena, index->keys.items, index->keys.count * sizeof(index->keys.items[0]));
    index->keys.capacity = index->keys.count;
    for (size_t i = 0; i < index->keys.count; i++)
        if (name_equal(from, index->keys.items[i].column))
            index->keys.items[i].column = to;
    rename_in(arena, &index->include, from, to);
    rename_in(arena, &index->uses, from, to);
}

static void
rename_here(struct act *act, struct relation *table, struct model_column *column, const char *to)
{
    struct arena *arena = act->model->arena;
    const char *from = column->column.name;

    for (size_t i = 0; i < table->constraints.count; i++)
        rename_in(arena, &table->constraints.items[i]->constraint.columns, from, to);
    for (size_t i = 0; i < table->referenced_by.count; i++)
        rename_in(arena, &table->referenced_by.items[i]->constraint.target_columns, from, to);
    for (size_t i = 0; i < table->indexes.count; i++)
        rename_in_index(arena, table->indexes.items[i], from, to);
    for (size_t i = 0; i < table->sequences.count; i++)
        if (name_equal(table->sequences.items[i]->column, from))
            table->sequences.items[i]->column = to;
    column->column.name = to;
    note_dropped(act, table->schema, table->name, from);
}

void
apply_rename_column(struct act *act)
{
    const struct step *step = act->step;
    struct relation *table = need_table(act);
    struct model_column *column;
    const char *to = name_clip(act->model->arena, step->new_name);
    VEC(struct relation *) todo = { 0 };

    if (table && (!step->column || !to))
        table->is_vague = true;
    if (!table || !step->column || !to)
        return;
    column = need_column(act, table, step->column, MISSING_PLAIN);
    if (!column || !need_free_column(act, table, to))
        return;
    if (act->is_maybe) {
        column->presence = MAYBE;
        relation_add_column(
            act, table, &(struct column){ .name = to, .type = column->column.type });
        return;
    }
    VEC_PUSH(act->ctx->arena, &todo, table);
    for (size_t i = 0; i < todo.count; i++) {
        struct relation *item = todo.items[i];

        column = relation_column(item, step->column);
        if (column)
            rename_here(act, item, column, to);
        for (size_t k = 0; k < item->children.count; k++)
            VEC_PUSH(act->ctx->arena, &todo, item->children.items[k]);
    }
}

/* Types that the server compares with each other: a group each; within numbers the order tells
 * which one the other becomes. Source: pg_amop of the btree families, pg_cast. */
struct comparable {
    const char *name;
    char group;
    int rank;
};

static const struct comparable comparables[] = {
    { "smallint", 'n', 1 },
    { "integer", 'n', 1 },
    { "bigint", 'n', 1 },
    { "numeric", 'n', 2 },
    { "real", 'n', 3 },
    { "double precision", 'n', 3 },
    { "text", 't', 0 },
    { "character varying", 't', 0 },
    { "character", 't', 0 },
    { "date", 'd', 0 },
    { "timestamp without time zone", 'd', 0 },
    { "timestamp with time zone", 'd', 0 },
    { "uuid", 'u', 0 },
    { "boolean", 'b', 0 },
    { "bytea", 'y', 0 },
    { "jsonb", 'j', 0 },
    { "inet", 'i', 0 },
    { "interval", 'v', 0 },
};

static const struct comparable *
comparable_find(const struct model_column *column)
{
    const struct type *type = &column->column.type;

    for (size_t i = 0; type->name && !column->made_of && i < COUNT_OF(comparables); i++)
        if (strcmp(comparables[i].name, type->name) == 0)
            return &comparables[i];
    return NULL;
}

bool
columns_comparable(const struct model_column *from, const struct model_column *to)
{
    const struct comparable *a = comparable_find(from);
    const struct comparable *b = comparable_find(to);

    if (from->presence == MAYBE || to->presence == MAYBE)
        return true;
    if (from->made_of || to->made_of) {
        const struct model_type *made = from->made_of ? from->made_of : to->made_of;

        return made->made_by != STEP_CREATE_ENUM || from->made_of == to->made_of ||
               (!a && !b && !(from->made_of && to->made_of));
    }
    if (!a || !b)
        return true;
    /* Arrays are compared with arrays of the very type. */
    if (from->column.type.dimensions > 0 || to->column.type.dimensions > 0)
        return a == b && (from->column.type.dimensions > 0) == (to->column.type.dimensions > 0);
    return a->group == b->group && a->rank <= b->rank;
}

static bool
refuse_cast(struct act *act, const struct relation *table, const struct model_column *column,
    const char *what, const struct type *to)
{
    return act_refuse(act,
        &(struct fault){ .sqlstate = "42804",
            .object = shown_column(act, table, column->column.name),
            .first = &column->origin },
        "%scolumn \"%s\" cannot be cast automatically to type %s", what, column->column.name,
        type_text(act->model->arena, to));
}

static bool
is_string(const struct type *type)
{
    return type->name && type->dimensions == 0 &&
           (strcmp(type->name, "text") == 0 || strcmp(type->name, "character varying") == 0 ||
               strcmp(type->name, "character") == 0);
}

/* Whether the server knows no cast by assignment; false when that is not known. */
static bool
needs_using(const struct model_column *from, const struct model_column *to)
{
    bool from_enum = from->made_of && from->made_of->made_by == STEP_CREATE_ENUM;
    bool to_enum = to->made_of && to->made_of->made_by == STEP_CREATE_ENUM;
    bool is_known = type_is_builtin(&from->column.type) && type_is_builtin(&to->column.type);

    if (from->presence == MAYBE || from->column.type.name == NULL || to->column.type.name == NULL)
        return false;
    if (from_enum && to_enum)
        return from->made_of != to->made_of ||
               from->column.type.dimensions != to->column.type.dimensions;
    if (from_enum)
        return type_is_builtin(&to->column.type) && !is_string(&to->column.type);
    if (to_enum)
        return type_is_builtin(&from->column.type);
    return is_known && type_change_needs_using(&from->column.type, &to->column.type);
}

static bool
check_type_users(struct act *act, const struct relation *table, const struct model_column *column)
{
    const struct relation *view = view_of_column(table, column);
    struct fault fault = { .sqlstate = "0A000",
        .object = shown_column(act, table, column->column.name) };

    if (view) {
        fault.first = &view->origin;
        return act_refuse(act, &fault, "cannot alter type of a column used by a view or rule");
    }
    for (size_t i = 0; i < table->columns.count; i++)
        if (column_is_generated_from(act->ctx, table->columns.items[i], column)) {
            fault.first = &table->columns.items[i]->origin;
            return act_refuse(
                act, &fault, "cannot alter type of a column used by a generated column");
        }
    return true;
}

/* Foreign keys on the column are made again with the new type. */
static bool
check_keys(struct act *act, const struct relation *table, const struct model_column *from,
    const struct model_column *to)
{
    for (size_t i = 0; i < table->constraints.count; i++) {
        const struct model_constraint *key = table->constraints.items[i];
        const struct text_list *columns = &key->constraint.columns;

        for (size_t k = 0; key->target && key->target != table && k < columns->count; k++) {
            const struct model_column *target =
                k < key->constraint.target_columns.count
                    ? relation_column(key->target, key->constraint.target_columns.items[k])
                    : NULL;

            if (!target || !name_equal(from->column.name, columns->items[k]) ||
                columns_comparable(to, target))
                continue;
            return act_refuse(act,
                &(struct fault){ .sqlstate = "42804",
                    .object = shown_column(act, table, from->column.name),
                    .first = &target->origin },
                "foreign key constraint \"%s\" cannot be implemented",
                key->constraint.name ? key->constraint.name : "?");
        }
    }
    return true;
}

static bool
is_null_default(const struct column *column)
{
    return column->default_kind == DEFAULT_NONE || !column->default_text ||
           strncasecmp(column->default_text, "null", 4) == 0;
}

void
apply_alter_type(struct act *act)
{
    const struct step *step = act->step;
    struct relation *table;
    struct model_column *column = need_step_column(act, &table);
    struct model_column to = { .column.type = step->type };
    bool has_text_default;

    if (!column)
        return;
    if (!column_resolve_type(act, &step->type, &to))
        return;
    if (!step->using_text && needs_using(column, &to)) {
        refuse_cast(act, table, column, "", &step->type);
    } else {
        has_text_default = is_string(&column->column.type) ||
                           (column->made_of && column->made_of->made_by == STEP_CREATE_ENUM);
        if (!is_null_default(&column->column) && column->column.default_kind == DEFAULT_CONSTANT &&
            has_text_default && needs_using(column, &to))
            refuse_cast(act, table, column, "default for ", &step->type);
        else if (check_type_users(act, table, column))
            check_keys(act, table, column, &to);
    }
    if (act->is_maybe) {
        column->column.type = (struct type){ .unknown = "a condition decides its type" };
        if (to.made_of)
            to.made_of->use_count--;
        return;
    }
    if (column->made_of)
        column->made_of->use_count--;
    column->made_of = to.made_of;
    column->extension = to.extension;
    column->column.type = step->type;
}

/* Neither identity nor generated columns have a default to set. */
static bool
check_default(struct act *act, const struct relation *table, const struct model_column *column)
{
    const char *what = column->column.is_identity ? "an identity" : "a generated";

    if (!column->column.is_identity && !column->column.is_generated)
        return true;
    return act_refuse(act,
        &(struct fault){ .sqlstate = "42601",
            .object = shown_column(act, table, column->column.name),
            .first = &column->origin },
        "column \"%s\" of relation \"%s\" is %s column", column->column.name, table->name, what);
}

void
apply_default(struct act *act)
{
    const struct step *step = act->step;
    struct relation *table;
    struct model_column *column = need_step_column(act, &table);

    if (!column || !check_default(act, table, column) || act->is_maybe)
        return;
    if (column->sequence)
        VEC_REMOVE(&column->sequence->users, column);
    column->sequence = NULL;
    column->column.is_serial = false;
    column->column.default_kind =
        step->kind == STEP_SET_DEFAULT ? step->default_kind : DEFAULT_NONE;
    column->column.default_text = step->kind == STEP_SET_DEFAULT ? step->default_text : NULL;
    column_use_default(act, column);
}

static bool
is_in_primary_key(const struct relation *table, const char *name)
{
    for (size_t i = 0; i < table->constraints.count; i++)
        if (table->constraints.items[i]->constraint.kind == CONSTRAINT_PRIMARY_KEY &&
            name_is_in(&table->constraints.items[i]->constraint.columns, name))
            return true;
    return false;
}

void
apply_not_null(struct act *act)
{
    struct relation *table;
    struct model_column *column = need_step_column(act, &table);
    const char *name = column ? column->column.name : NULL;
    bool is_set = act->step->kind == STEP_SET_NOT_NULL;
    struct fault fault = { .sqlstate = "42P16" };

    if (!column)
        return;
    fault.object = shown_column(act, table, name);
    if (!is_set && column->column.is_identity) {
        fault.sqlstate = "42601";
        act_refuse(act, &fault, "column \"%s\" of relation \"%s\" is an identity column", name,
            table->name);
    } else if (!is_set && is_in_primary_key(table, name)) {
        act_refuse(act, &fault, "column \"%s\" is in a primary key", name);
    } else if (!act->is_maybe) {
        column->column.is_not_null = is_set;
    }
}

static void
add_identity(struct act *act, struct relation *table, struct model_column *column)
{
    struct fault fault = { .sqlstate = "55000",
        .object = shown_column(act, table, column->column.name),
        .first = &column->origin };
    const char *name = column->column.name;

    if (!column->column.is_not_null)
        act_refuse(act, &fault,
            "column \"%s\" of relation \"%s\" must be declared NOT NULL before identity can be "
            "added",
            name, table->name);
    else if (column->column.is_identity)
        act_refuse(act, &fault, "column \"%s\" of relation \"%s\" is already an identity column",
            name, table->name);
    else if (column->column.default_kind != DEFAULT_NONE || column->column.is_serial)
        act_refuse(act, &fault, "column \"%s\" of relation \"%s\" already has a default value",
            name, table->name);
    else if (!act->is_maybe)
        relation_add_identity(act, table, column);
}

void
apply_identity(struct act *act)
{
    struct relation *table;
    struct model_column *column = need_step_column(act, &table);
    const char *what = act->step->setting ? act->step->setting : "";

    if (!column)
        return;
    if (text_starts_with(what, "ADD")) {
        add_identity(act, table, column);
        return;
    }
    if (!column->column.is_identity) {
        if (!act->step->if_exists && what[0])
            act_refuse(act,
                &(struct fault){ .sqlstate = "55000",
                    .object = shown_column(act, table, column->column.name),
                    .first = &column->origin },
                "column \"%s\" of relation \"%s\" is not an identity column", column->column.name,
                table->name);
        return;
    }
    if (!text_starts_with(what, "DROP") || act->is_maybe || !column->sequence)
        return;
    column->column.is_identity = false;
    drop_relation(act, column->sequence);
}
