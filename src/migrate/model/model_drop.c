/* What depends on what, and taking things away with what hangs on them. */

#include <ctype.h>
#include <string.h>

#include "migrate/model/model_apply.h"

bool
refuse_needed(struct act *act, const char *what, const char *object, const struct origin *by,
    bool is_doubtful)
{
    return act_refuse(act,
        &(struct fault){
            .sqlstate = "2BP01",
            .object = object,
            .first = by,
            .is_doubtful = is_doubtful,
        },
        "cannot drop %s because other objects depend on it", what);
}

/* Whether the word stands in the text as an identifier, or everything is meant. */
static bool
mentions(const char *text, const char *word)
{
    size_t length = strlen(word);

    if (!text)
        return false;
    if (strchr(text, '*'))
        return true;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
        bool starts = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');

        if (starts && !isalnum((unsigned char)at[length]) && at[length] != '_')
            return true;
    }
    return false;
}

/*
 * DROP TABLE a, b takes both at once, though it is a step each: what one needs of the other is no
 * hindrance. The statement's text holds nothing but the names.
 */
static bool
goes_too(const struct act *act, const struct relation *relation)
{
    enum step_kind kind = act->step->kind;

    return (kind == STEP_DROP_TABLE || kind == STEP_DROP_VIEW) &&
           mentions(act->step->text, relation->name);
}

static bool
is_column_of(const struct relation *relation, const struct model_column *column)
{
    for (size_t i = 0; i < relation->columns.count; i++)
        if (relation->columns.items[i] == column)
            return true;
    return false;
}

static const struct origin *
referenced_by(const struct act *act, const struct relation *relation)
{
    for (size_t i = 0; i < relation->referenced_by.count; i++) {
        const struct model_constraint *key = relation->referenced_by.items[i];

        if (key->table != relation && key->presence == PRESENT && key->table->presence == PRESENT &&
            !goes_too(act, key->table))
            return &key->origin;
    }
    return NULL;
}

/* Defaults elsewhere that take from a sequence, or from one that the table owns. */
static const struct origin *
taken_from(const struct relation *sequence, const struct relation *table)
{
    for (size_t i = 0; i < sequence->users.count; i++) {
        const struct model_column *user = sequence->users.items[i];

        if (user->presence == PRESENT && !(table && is_column_of(table, user)))
            return &user->origin;
    }
    return NULL;
}

const struct origin *
relation_needed_by(const struct act *act, const struct relation *relation)
{
    const struct origin *by = referenced_by(act, relation);

    if (!by)
        by = taken_from(relation, NULL);
    for (size_t i = 0; !by && i < relation->dependents.count; i++)
        if (relation->dependents.items[i]->presence == PRESENT &&
            !goes_too(act, relation->dependents.items[i]))
            by = &relation->dependents.items[i]->origin;
    for (size_t i = 0; !by && i < relation->sequences.count; i++)
        by = taken_from(relation->sequences.items[i], relation);
    for (size_t i = 0; !by && !relation->is_partitioned && i < relation->children.count; i++)
        if (!goes_too(act, relation->children.items[i]))
            by = &relation->children.items[i]->origin;
    return by;
}

/*
 * A view is known by the tables that it reads, not by the columns; its text tells. With several
 * tables the column may be another one's.
 */
struct relation *
view_of_column(const struct relation *relation, const struct model_column *column)
{
    for (size_t i = 0; i < relation->dependents.count; i++) {
        struct relation *view = relation->dependents.items[i];

        if (view->presence == PRESENT && view->uses.count == 1 &&
            mentions(view->definition, column->column.name))
            return view;
    }
    return NULL;
}

bool
column_is_generated_from(
    struct ctx *ctx, const struct model_column *generated, const struct model_column *column)
{
    struct text_list names = { 0 };

    if (generated == column || !generated->column.is_generated || !generated->column.default_text)
        return false;
    sql_columns(ctx, generated->column.default_text, &names);
    return name_is_in(&names, column->column.name);
}

const struct origin *
column_needed_by(
    const struct act *act, const struct relation *relation, const struct model_column *column)
{
    const struct relation *view = view_of_column(relation, column);

    for (size_t i = 0; i < relation->referenced_by.count; i++) {
        const struct model_constraint *key = relation->referenced_by.items[i];

        if (key->table == relation && name_is_in(&key->constraint.columns, column->column.name))
            continue;
        if (key->presence == PRESENT &&
            name_is_in(&key->constraint.target_columns, column->column.name))
            return &key->origin;
    }
    /* Up to 14 a generated column goes silently with what it is made of. */
    for (size_t i = 0; act->model->server_major >= 15 && i < relation->columns.count; i++)
        if (column_is_generated_from(act->ctx, relation->columns.items[i], column))
            return &relation->columns.items[i]->origin;
    return view ? &view->origin : NULL;
}

const struct origin *
index_needed_by(const struct relation *index)
{
    const struct relation *table = index->table;

    for (size_t i = 0; i < table->referenced_by.count; i++)
        if (table->referenced_by.items[i]->index == index &&
            table->referenced_by.items[i]->presence == PRESENT)
            return &table->referenced_by.items[i]->origin;
    return NULL;
}

static void
drop_referencing(struct act *act, const struct relation *table, const struct relation *index)
{
    for (size_t i = table->referenced_by.count; index && i > 0; i--)
        if (table->referenced_by.items[i - 1]->index == index)
            remove_constraint(act, table->referenced_by.items[i - 1]);
}

void
remove_constraint(struct act *act, struct model_constraint *constraint)
{
    struct relation *table = constraint->table;
    const char *name = constraint->constraint.name;

    VEC_REMOVE(&table->constraints, constraint);
    if (name) {
        constraint_name_remove(act->model, table->schema, name);
        note_dropped(act, table->schema, table->name, name);
    }
    if (constraint->target)
        VEC_REMOVE(&constraint->target->referenced_by, constraint);
    else if (constraint->index)
        remove_index(act, constraint->index);
}

void
remove_index(struct act *act, struct relation *index)
{
    drop_referencing(act, index->table, index);
    VEC_REMOVE(&index->table->indexes, index);
    relation_unlink(act, index);
}

static void
column_release(struct model_column *column)
{
    if (column->made_of && column->made_of->use_count > 0)
        column->made_of->use_count--;
    column->made_of = NULL;
    if (column->sequence)
        VEC_REMOVE(&column->sequence->users, column);
    column->sequence = NULL;
}

static void
drop_sequence(struct act *act, struct relation *sequence)
{
    for (size_t i = 0; i < sequence->users.count; i++) {
        struct column *column = &sequence->users.items[i]->column;

        sequence->users.items[i]->sequence = NULL;
        column->is_serial = false;
        column->default_kind = DEFAULT_NONE;
        column->default_text = NULL;
    }
    if (sequence->table)
        VEC_REMOVE(&sequence->table->sequences, sequence);
    relation_unlink(act, sequence);
}

static void
drop_table_parts(struct act *act, struct relation *table)
{
    while (table->referenced_by.count > 0)
        remove_constraint(act, table->referenced_by.items[table->referenced_by.count - 1]);
    while (table->constraints.count > 0)
        remove_constraint(act, table->constraints.items[table->constraints.count - 1]);
    while (table->indexes.count > 0)
        remove_index(act, table->indexes.items[table->indexes.count - 1]);
    while (table->sequences.count > 0)
        drop_sequence(act, table->sequences.items[table->sequences.count - 1]);
    for (size_t i = 0; i < table->columns.count; i++)
        column_release(table->columns.items[i]);
    if (table->parent)
        VEC_REMOVE(&table->parent->children, table);
}

void
drop_relation(struct act *act, struct relation *relation)
{
    VEC(struct relation *) todo = { 0 };

    /* No recursion: views on views and partitions of partitions can be as deep as one likes. */
    VEC_PUSH(act->ctx->arena, &todo, relation);
    for (size_t i = 0; i < todo.count; i++) {
        struct relation *item = todo.items[i];
        struct key key = key_make(item->schema, item->name, NULL);

        if (map_get(&act->model->relations, key.text) != item)
            continue;
        if (item->kind == RELATION_INDEX) {
            remove_index(act, item);
            continue;
        }
        if (item->kind == RELATION_SEQUENCE) {
            drop_sequence(act, item);
            continue;
        }
        for (size_t k = 0; k < item->dependents.count; k++)
            if (!goes_too(act, item->dependents.items[k]))
                VEC_PUSH(act->ctx->arena, &todo, item->dependents.items[k]);
        for (size_t k = 0; k < item->children.count; k++)
            VEC_PUSH(act->ctx->arena, &todo, item->children.items[k]);
        for (size_t k = 0; k < item->reads.count; k++)
            VEC_REMOVE(&item->reads.items[k]->dependents, item);
        drop_table_parts(act, item);
        relation_unlink(act, item);
    }
}

bool
index_has_column(const struct index *index, const char *column)
{
    for (size_t i = 0; i < index->keys.count; i++)
        if (name_equal(column, index->keys.items[i].column))
            return true;
    return name_is_in(&index->include, column) || name_is_in(&index->uses, column);
}

static void
drop_column_here(struct act *act, struct relation *relation, struct model_column *column)
{
    const char *name = column->column.name;
    struct relation *view;

    for (size_t i = relation->indexes.count; i > 0; i--) {
        struct relation *index = relation->indexes.items[i - 1];

        if (!index_has_column(index->index, name))
            continue;
        if (index->backs)
            remove_constraint(act, index->backs);
        else
            remove_index(act, index);
    }
    for (size_t i = relation->constraints.count; i > 0; i--) {
        struct model_constraint *constraint = relation->constraints.items[i - 1];

        if (name_is_in(&constraint->constraint.columns, name))
            remove_constraint(act, constraint);
    }
    for (size_t i = relation->sequences.count; i > 0; i--)
        if (name_equal(relation->sequences.items[i - 1]->column, name))
            drop_sequence(act, relation->sequences.items[i - 1]);
    while ((view = view_of_column(relation, column)))
        drop_relation(act, view);
    column_release(column);
    VEC_REMOVE(&relation->columns, column);
    note_dropped(act, relation->schema, relation->name, name);
}

void
drop_column(struct act *act, struct relation *relation, struct model_column *column)
{
    VEC(struct relation *) todo = { 0 };
    const char *name = column->column.name;

    VEC_PUSH(act->ctx->arena, &todo, relation);
    for (size_t i = 0; i < todo.count; i++) {
        struct relation *item = todo.items[i];
        struct model_column *here = relation_column(item, name);

        if (here)
            drop_column_here(act, item, here);
        for (size_t k = 0; k < item->children.count; k++)
            VEC_PUSH(act->ctx->arena, &todo, item->children.items[k]);
    }
}
